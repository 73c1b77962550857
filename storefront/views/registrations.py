"""A reseller's registrations: who asks, approve, reject, and whether strangers may ask (``channel.md`` 4.5)."""

from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from resellers.models import Account, Site
from sso.selectors import own_site
from sso.services.registration_decide import approve_registration, set_registration
from storefront.views.lists import ShopList
from ui import registrations as kit
from ui.pages import Action, FormPage
from users.permissions import Perm

LIST = (gettext_lazy("Registrations"), "storefront:registration_list")


class RegistrationList(kit.RegistrationRows, ShopList):
    """Who asked to become this reseller's customer."""

    perm = Perm.SHOP_REGISTRATIONS
    back = (gettext_lazy("Customers"), "storefront:customer_list")
    empty_text = gettext_lazy("Switch on self-registration, and requests appear here.")

    def row_url(self, row: Any) -> str:
        """The registration."""
        return reverse("storefront:registration_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """The settings, for who sets the site up."""
        if not self.actor.has(Perm.SHOP_SITE_MANAGE):
            return []
        return [Action(_("Settings"), reverse("storefront:registration_settings"), "gear")]


class RegistrationDetail(kit.RegistrationFacts):
    """One registration at this reseller's site."""

    perm = Perm.SHOP_REGISTRATIONS
    layout = "base_storefront.html"
    back = LIST

    def page_of(self, name: str) -> str:
        """The address of a deed."""
        return reverse(f"storefront:registration_{name}", args=[self.object.public_id])


class Decided(kit.Decision):
    """A decision in the storefront's layout."""

    perm = Perm.SHOP_REGISTRATIONS
    layout = "base_storefront.html"
    back = LIST

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the registration."""
        return [*super().crumbs(), (str(self.object), self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the registration."""
        return reverse("storefront:registration_detail", args=[self.object.public_id])


class RegistrationApprove(kit.ApproveDecision, Decided):
    """He becomes an end customer of this reseller."""

    def perform(self, form: Any) -> Account:
        """Call the service."""
        return approve_registration(self.actor, registration=self.object)


class RegistrationReject(kit.RejectDecision, Decided):
    """He is told no, and forgotten."""


class RegistrationSettings(FormPage):
    """Whether strangers may register at the own site."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    title = gettext_lazy("Self-registration")
    back = LIST
    form_class = kit.SiteRegistrationForm
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Site:
        """The own site."""
        site = own_site(self.actor)
        if site is None:
            raise Http404
        return site

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        return {name: getattr(self.object, name) for name in kit.SiteRegistrationForm.base_fields}

    def perform(self, form: Any) -> Site:
        """Call the service."""
        return set_registration(self.actor, site=self.object, values=form.cleaned_data)

    def cancel_url(self) -> str:
        """To the registrations."""
        return reverse("storefront:registration_list")
