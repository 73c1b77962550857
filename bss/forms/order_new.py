"""What the steps of an order by an employee ask: shape only, the rules are in the services."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from resellers.countries import COUNTRIES

MAX_QUANTITY = 100_000


class AddForm(forms.Form):
    """A plan into the order; with ``parent`` it is an add-on of that line."""

    plan = forms.UUIDField()
    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY)
    parent = forms.UUIDField(required=False)


class QuantityForm(forms.Form):
    """A new quantity for a line; 0 removes it."""

    line = forms.UUIDField()
    quantity = forms.IntegerField(min_value=0, max_value=MAX_QUANTITY)


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
    """The last click: the key of this order, the total and the terms that were seen, and the customer's acceptance."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    total = forms.DecimalField(max_digits=19, decimal_places=4, widget=forms.HiddenInput, localize=False)
    terms_version = forms.IntegerField(widget=forms.HiddenInput, localize=False)
    terms = forms.BooleanField(
        required=False,
        label=_("The customer has accepted the terms of use."),
        help_text=_("Your name stands in the log of accepted terms."),
    )
