"""Forms of the storefront: shape only, the rules are in the services."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from resellers.countries import COUNTRIES
from resellers.enums import PurchaseMode
from resellers.models import Account
from subscriptions.enums import Execution


class AddForm(forms.Form):
    """A plan into the basket, with add-ons."""

    plan = forms.UUIDField()
    quantity = forms.IntegerField(min_value=1, max_value=100_000, initial=1, label=_("Quantity"))


class QuantityForm(forms.Form):
    """A new quantity for a basket line; 0 removes it."""

    line = forms.UUIDField()
    quantity = forms.IntegerField(min_value=0, max_value=100_000)


class TargetForm(forms.Form):
    """For whom the basket is."""

    purchase_mode = forms.ChoiceField(choices=PurchaseMode.choices, label=_("For whom?"), widget=forms.RadioSelect)
    end_customer = forms.ModelChoiceField(Account.objects.none(), required=False, to_field_name="public_id")
    affiliate = forms.ModelChoiceField(Account.objects.none(), required=False, to_field_name="public_id")

    def __init__(self, *args: Any, end_customers: Any, affiliates: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        end_customer, affiliate = self.fields["end_customer"], self.fields["affiliate"]
        if isinstance(end_customer, forms.ModelChoiceField) and isinstance(affiliate, forms.ModelChoiceField):
            end_customer.queryset, affiliate.queryset = end_customers, affiliates
        end_customer.label, affiliate.label = _("End customer"), _("Affiliate account")

    def chosen(self) -> Account | None:
        """The account that goes with the chosen mode."""
        names = {PurchaseMode.END_CUSTOMER.value: "end_customer", PurchaseMode.AFFILIATE.value: "affiliate"}
        found: Account | None = self.cleaned_data.get(names.get(self.cleaned_data["purchase_mode"], ""))
        return found


class BillingForm(forms.Form):
    """The billing address on the documents of this order."""

    name = forms.CharField(label=_("Company"), max_length=100)
    tax_id = forms.CharField(label=_("Tax ID"), max_length=30, required=False)
    address_line1 = forms.CharField(label=_("Address"), max_length=200)
    address_line2 = forms.CharField(label=_("Address, second line"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Post code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100)
    state = forms.CharField(label=pgettext_lazy("address", "State"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES)


class PlaceForm(forms.Form):
    """The last click: the key of this order, the total and the terms that were seen, and whether they are accepted."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    total = forms.DecimalField(max_digits=19, decimal_places=4, widget=forms.HiddenInput)
    terms_version = forms.IntegerField(widget=forms.HiddenInput)
    terms = forms.BooleanField(required=False, label=_("I accept the terms of use."))


class CompanyForm(forms.Form):
    """Company data of an account."""

    name = forms.CharField(label=_("Company"), max_length=100)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    website = forms.URLField(label=_("Web site"), required=False, assume_scheme="https")
    tax_id = forms.CharField(label=_("Tax ID"), max_length=30, required=False)
    address_line1 = forms.CharField(label=_("Address"), max_length=200, required=False)
    address_line2 = forms.CharField(label=_("Address, second line"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Post code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    state = forms.CharField(label=pgettext_lazy("address", "State"), max_length=100, required=False)
    country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES)


class CustomerForm(forms.Form):
    """An end customer or affiliate account with its first contact."""

    name = forms.CharField(label=_("Company"), max_length=100)
    first_name = forms.CharField(label=_("First name"), max_length=100)
    last_name = forms.CharField(label=_("Last name"), max_length=100)
    email = forms.EmailField(label=_("E-mail"))
    phone = forms.CharField(label=_("Phone"), max_length=40)
    address_line1 = forms.CharField(label=_("Address"), max_length=200)
    address_line2 = forms.CharField(label=_("Address, second line"), max_length=200, required=False)
    city = forms.CharField(label=_("City"), max_length=100)
    postal_code = forms.CharField(label=_("Post code"), max_length=20)
    country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES)
    state = forms.CharField(label=pgettext_lazy("address", "State"), max_length=100, required=False)
    tax_id = forms.CharField(label=_("Tax ID"), max_length=30, required=False)
    notes = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Your provider reads it."),
    )

    def __init__(self, *args: Any, is_new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["notes"]


class DecideForm(forms.Form):
    """The reseller's answer to an order: the total that was shown, or a reason that the customer reads."""

    deed = forms.ChoiceField(choices=[("approve", _("Approve")), ("reject", _("Reject"))])
    seen_total = forms.DecimalField(max_digits=19, decimal_places=4, widget=forms.HiddenInput)
    reason = forms.CharField(max_length=500, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = self.data.get("deed") != "approve"


class RequestAnswerForm(forms.Form):
    """The reseller's answer to what his customer asks to be cancelled."""

    answer = forms.ChoiceField(
        choices=[("forward", _("Pass it on to your provider")), ("refuse", _("Refuse it"))],
        widget=forms.RadioSelect,
        label=_("Your answer"),
    )
    reason = forms.CharField(
        max_length=500, required=False, label=_("Reason, if you refuse"), widget=forms.Textarea(attrs={"rows": 2})
    )


class ChangeForm(forms.Form):
    """What every change of a service sends: the key of this very form, and a word to the provider if one is due."""

    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=2000,
        label=_("Comment"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Your provider reads it."),
    )

    def relax(self) -> None:
        """Ask for no reason yet: it is only previewed."""
        self.fields["reason"].required = False


class LicencesForm(ChangeForm):
    """The new number of licences."""

    quantity = forms.IntegerField(min_value=1, max_value=100_000, label=_("Licences"))


class AddOnForm(ChangeForm):
    """An add-on's plan and how many."""

    plan = forms.UUIDField(label=_("Add-on"))
    quantity = forms.IntegerField(min_value=1, max_value=100_000, label=_("Quantity"))


class AddOnChangeForm(ChangeForm):
    """The new number of an add-on; 0 cancels it."""

    quantity = forms.IntegerField(min_value=0, max_value=100_000, label=_("Quantity"))


class UpgradeForm(ChangeForm):
    """To which plan of another product, and how many licences."""

    plan = forms.UUIDField(label=_("Upgrade to"))
    quantity = forms.IntegerField(min_value=1, max_value=100_000, label=_("Licences to upgrade"))


class RenewalForm(ChangeForm):
    """What is to hold from the next term on."""

    quantity = forms.IntegerField(min_value=1, max_value=100_000, label=_("Licences from the renewal on"))
    plan = forms.UUIDField(label=_("Plan from the renewal on"))


class CancelForm(ChangeForm):
    """When a service is to end."""

    execution = forms.ChoiceField(choices=Execution.choices, label=_("When?"))


class SuspendForm(ChangeForm):
    """Why a service is suspended: it stands in its history."""

    reason = forms.CharField(
        max_length=500,
        min_length=5,
        label=_("Why?"),
        help_text=_("It stands in the history of the service."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AssetCancelForm(forms.Form):
    """Why a licence is given back."""

    comment = forms.CharField(
        label=_("Comment"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Your provider reads it. Type no key."),
    )


class ResendForm(forms.Form):
    """Where the mail with a key goes: one of the account's own addresses."""

    email = forms.ChoiceField(label=_("To"))

    def __init__(self, *args: Any, addresses: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["email"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(address, address) for address in addresses]


class TermsForm(forms.Form):
    """The terms of use, to be accepted."""

    terms = forms.BooleanField(label=_("I accept the terms of use."))
