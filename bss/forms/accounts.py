"""Forms of the accounts room: shape only, the rules are in the services."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bss.forms.rules import set_choices
from resellers.countries import COUNTRIES
from resellers.enums import SUB_KINDS, AccountKind, PaymentMethod
from resellers.models import Account

NEW_KINDS = [(kind.value, kind.label) for kind in AccountKind if kind != AccountKind.MANAGED_COPY]


class CompanyForm(forms.Form):
    """Company data, with what only employees see."""

    name = forms.CharField(label=_("Company"), max_length=100)
    accounting_number = forms.CharField(label=_("Accounting no."), max_length=30, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    fax = forms.CharField(label=_("Fax"), max_length=40, required=False)
    website = forms.URLField(label=_("Web site"), required=False, assume_scheme="https")
    trading_name = forms.CharField(label=_("Trading name"), max_length=100, required=False)
    business_activity = forms.CharField(label=_("Business activity"), max_length=200, required=False)
    tax_id = forms.CharField(label=_("Tax ID"), max_length=30, required=False)
    address_line1 = forms.CharField(label=_("Address"), max_length=200, required=False)
    address_line2 = forms.CharField(label=_("Address, second line"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Post code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    state = forms.CharField(label=pgettext_lazy("address", "State"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"), choices=[("", "—"), *COUNTRIES], required=False)
    notes = forms.CharField(label=_("Notes"), required=False, widget=forms.Textarea({"rows": 3}))


class EditAccountForm(CompanyForm):
    """The same for an account that is there, with what a reseller wants of us."""

    mail_licences = forms.BooleanField(
        label=_("Mail licences to my customers"),
        required=False,
        help_text=_("Keys of licences the reseller sells go to his customer's contact; otherwise to the reseller."),
    )

    def __init__(self, *args: Any, is_reseller: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_reseller:
            del self.fields["mail_licences"]


class NewAccountForm(CompanyForm):
    """A new account: its kind, and for sub accounts the reseller it is billed to."""

    kind = forms.ChoiceField(label=_("Kind"), choices=NEW_KINDS, initial=AccountKind.DIRECT)
    bill_to = forms.ChoiceField(
        label=_("Billed to"),
        required=False,
        help_text=_("For end customers and affiliate accounts: the reseller who owes for them."),
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label=_("Currency"),
        help_text=_("Three letters, such as EUR. Sub accounts take their reseller's."),
        required=False,
    )
    account_manager = forms.ChoiceField(
        label=_("Account manager"),
        required=False,
        help_text=_("Gets the mails about orders, credit and cancellation requests of this account."),
    )
    permission_rule = forms.ChoiceField(
        label=_("Permission rule"), required=False, help_text=_("Which employees see this account.")
    )
    field_order = ("kind", "bill_to", "name", "currency")

    def __init__(
        self,
        *args: Any,
        resellers: Iterable[tuple[str, str]],
        managers: Iterable[tuple[str, str]] = (),
        rules: Iterable[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "bill_to", [("", _("Nobody else")), *resellers])
        set_choices(self, "account_manager", [("", _("Nobody in particular")), *managers])
        known = list(rules)
        if known:
            set_choices(self, "permission_rule", [("", _("As its reseller, or the default")), *known])
        else:
            del self.fields["permission_rule"]

    @property
    def is_sub_account(self) -> bool:
        """Whether the chosen kind is billed to a reseller."""
        return self.cleaned_data["kind"] in SUB_KINDS


class CreditForm(forms.Form):
    """Credit, payment and tax."""

    credit_limit = forms.DecimalField(
        label=_("Credit limit"), min_value=0, max_digits=19, decimal_places=4, help_text=_("0: may never owe.")
    )
    credit_unlimited = forms.BooleanField(label=_("Unlimited credit"), required=False)
    payment_method = forms.ChoiceField(
        label=_("Payment method"),
        choices=PaymentMethod.choices,
        help_text=_("Card: whatever a reseller's customers order waits for his approval, which takes a stored card."),
    )
    payment_days = forms.IntegerField(label=_("Payment days"), min_value=0, max_value=365)
    billing_day = forms.IntegerField(label=_("Billing day"), min_value=1, max_value=28)
    prorate_billing = forms.BooleanField(label=_("Prorate billing"), required=False)
    is_taxable = forms.BooleanField(label=_("Is taxable"), required=False)
    tax_exempt_reason = forms.CharField(
        label=_("Reason of the exemption"),
        max_length=200,
        required=False,
        help_text=_("Needed for an account that is not taxable."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credit_limit"].widget.attrs["data-suffix"] = currency


class PriceListForm(forms.Form):
    """The list an account buys from."""

    price_list = forms.ChoiceField(label=_("Price list"), required=False)

    def __init__(self, *args: Any, price_lists: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["price_list"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("The default list")), *price_lists]


class ContactForm(forms.Form):
    """A person at an account."""

    first_name = forms.CharField(label=_("First name"), max_length=100)
    last_name = forms.CharField(label=_("Last name"), max_length=100)
    email = forms.EmailField(label=_("E-mail"))
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    job_title = forms.CharField(label=_("Job title"), max_length=100, required=False)
    is_primary = forms.BooleanField(label=_("Primary contact"), required=False)


class MpnForm(forms.Form):
    """A reseller's MPN ID at an instance."""

    mpn_id = forms.CharField(
        label=_("MPN ID"),
        max_length=10,
        help_text=_("4 to 10 digits; it is stamped on what he buys for end customers from now on."),
    )


def company_values(account: Account) -> dict[str, Any]:
    """What stands in the company form at first."""
    return {name: getattr(account, name) for name in EditAccountForm.base_fields}
