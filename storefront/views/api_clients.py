"""Settings > API credentials of a reseller: the programs that call the API in his name."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.services.draft_place import accept_terms, terms_wanted
from resellers.models import Account
from resellers.routing import organization_site
from resellers.selectors import own_account
from ui import api_clients as pages
from ui.pages import Action, ActionPage
from users.permissions import Perm

LIST = (gettext_lazy("API credentials"), "storefront:api_client_list")


class ApiClientList(pages.ApiClientList):
    """The reseller's programs."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    door = "storefront"
    title = gettext_lazy("API credentials")

    def actions(self) -> list[Action]:
        """A new one, and what the programs wait for."""
        found = super().actions()
        if terms_wanted(self.actor):
            found.append(Action(_("Accept terms"), reverse("storefront:api_terms"), "shield"))
        return found


class TermsForm(forms.Form):
    """Which version of the terms was read."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class ApiTerms(ActionPage):
    """The terms of use for what the programs want to order; once per product and version (``api.md`` 10.3)."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    title = gettext_lazy("Accept terms for your programs")
    back = LIST
    form_class = TermsForm
    success = gettext_lazy("Accepted. Your programs can check out now.")

    def initial(self) -> dict[str, Any]:
        """The terms in force."""
        site = organization_site(self.actor.tenant_id)
        return {"version": site.terms_version if site else 0}

    def consequences(self) -> list[str]:
        """The products, and what it means."""
        names = terms_wanted(self.actor)
        if not names:
            return [_("No program waits for accepted terms.")]
        return [
            _("You accept the terms of use for: %(names)s.") % {"names": ", ".join(names)},
            _("Your programs can order these products until the terms change. Each order names the program."),
        ]

    def perform(self, form: Any) -> list[str]:
        """Call the service."""
        browser = self.request.headers.get("User-Agent", "")
        return accept_terms(self.actor, version=form.cleaned_data["version"], browser=browser)


class ApiClientNew(pages.ApiClientNew):
    """A new program."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    door = "storefront"
    back = LIST

    def form_kwargs(self) -> dict[str, Any]:
        """A reseller's scopes."""
        return {"is_reseller": True}

    def account(self, form: Any) -> Account | None:
        """His own."""
        return own_account(self.actor)
