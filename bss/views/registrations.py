"""Registrations at the organization's own storefront: who asks, approve, reject, and the settings."""

from typing import Any

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.selectors import price_lists_for
from core.tenancy import Actor
from resellers.enums import AccountKind, PaymentMethod
from resellers.models import Account, Site
from resellers.routing import organization_site
from resellers.selectors import organization_of
from sso.services.registration_decide import DEFAULTS, approve_registration, set_registration
from ui import registrations as kit
from ui.pages import Action, FormPage
from users.permissions import Perm

LIST = (gettext_lazy("Registrations"), "bss:registration_list")


class RegistrationList(kit.RegistrationRows):
    """Who asked to become a customer of the organization."""

    perm = Perm.ACCOUNT_EDIT
    empty_text = gettext_lazy("Self-registration is switched on in the settings.")

    def row_url(self, row: Any) -> str:
        """The registration."""
        return reverse("bss:registration_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """The settings, for who may change them."""
        if not self.actor.has(Perm.SYSTEM_OPTIONS):
            return []
        return [Action(_("Settings"), reverse("bss:registration_settings"), "gear")]


class RegistrationDetail(kit.RegistrationFacts):
    """One registration."""

    perm = Perm.ACCOUNT_EDIT
    back = LIST

    def page_of(self, name: str) -> str:
        """The address of a deed."""
        return reverse(f"bss:registration_{name}", args=[self.object.public_id])

    def actions(self, row: Any) -> list[Action]:
        """The decisions; afterwards the account that was made."""
        found = super().actions(row)
        if row.account is not None:
            found.append(Action(_("Account"), reverse("bss:account_detail", args=[row.account.public_id]), "building"))
        return found


class Decided(kit.Decision):
    """A decision of an employee."""

    perm = Perm.ACCOUNT_EDIT
    back = LIST

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the registration."""
        return [*super().crumbs(), (str(self.object), self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the registration."""
        return reverse("bss:registration_detail", args=[self.object.public_id])


class ApproveForm(forms.Form):
    """The list the new account buys from."""

    price_list = forms.ChoiceField(label=gettext_lazy("Price list"), required=False)

    def __init__(self, *args: Any, choices: list[tuple[str, str]], is_reseller: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["price_list"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("Choose…") if is_reseller else _("The default list")), *choices]
        field.required = is_reseller


class RegistrationApprove(kit.ApproveDecision, Decided):
    """He becomes a direct customer, or a Basic reseller."""

    form_class = ApproveForm

    def form_kwargs(self) -> dict[str, Any]:
        """The price lists in the new account's currency."""
        rows = self._lists()
        is_reseller = self.object.kind == AccountKind.RESELLER
        choices = [(str(row.public_id), f"{row.name} ({row.currency})") for row in rows]
        return {"choices": choices, "is_reseller": is_reseller}

    def _lists(self) -> Any:
        organization = organization_of(self.actor)
        if organization is None:
            raise Http404
        currency = organization.registration_currency or organization.currency
        return price_lists_for(self.actor).filter(currency=currency).order_by("name", "id")

    def perform(self, form: Any) -> Account:
        """Call the service."""
        chosen = form.cleaned_data["price_list"]
        found = self._lists().get_visible(self.actor, chosen) if chosen else None
        return approve_registration(self.actor, registration=self.object, price_list=found)


class RegistrationReject(kit.RejectDecision, Decided):
    """He is told no, and forgotten."""


class OrganizationRegistrationForm(kit.SiteRegistrationForm):
    """The same, with resellers, and what new customers start with."""

    reseller_registration = forms.BooleanField(
        label=gettext_lazy("Allow registration of resellers"),
        required=False,
        help_text=gettext_lazy("They become Basic resellers, and always wait for a decision."),
    )
    registration_payment_method = forms.ChoiceField(label=gettext_lazy("Payment method"), choices=PaymentMethod.choices)
    registration_currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label=gettext_lazy("Currency"),
        required=False,
        help_text=gettext_lazy("Three letters, such as EUR; empty for the organization's own."),
    )
    registration_billing_day = forms.IntegerField(label=gettext_lazy("Billing day"), min_value=1, max_value=28)
    registration_prorate = forms.BooleanField(label=gettext_lazy("Prorate billing"), required=False)


def own_site(actor: Actor) -> Site:
    """The organization's storefront."""
    site = organization_site(actor.tenant_id)
    if site is None:
        raise Http404
    return site


class RegistrationSettings(FormPage):
    """Whether strangers may register at the organization's storefront, and what they start with."""

    perm = Perm.SYSTEM_OPTIONS
    title = gettext_lazy("Self-registration")
    intro = gettext_lazy("New customers start with these values; the account's page changes them one by one.")
    back = LIST
    form_class = OrganizationRegistrationForm
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Site:
        """The organization's storefront, as it is stored now."""
        return own_site(self.actor)

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        organization = organization_of(self.actor)
        found = {name: getattr(organization, name) for name in DEFAULTS}
        return found | {
            name: getattr(self.object, name)
            for name in ("self_registration", "registration_approval", "reseller_registration")
        }

    def perform(self, form: Any) -> Site:
        """Call the service."""
        return set_registration(self.actor, site=self.object, values=form.cleaned_data)

    def cancel_url(self) -> str:
        """To the registrations, for who may see them."""
        return reverse("bss:registration_list" if self.actor.has(Perm.ACCOUNT_EDIT) else "bss:dashboard")
