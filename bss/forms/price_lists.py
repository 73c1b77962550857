"""Forms of price lists."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import PriceRule
from core.money import CURRENCIES

DATE = {"type": "date"}


class PriceListForm(forms.Form):
    """A list's name, currency, dates and default rule."""

    name = forms.CharField(label=_("Name"), max_length=100)
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in CURRENCIES])
    valid_from = forms.DateField(label=_("Valid from"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    valid_to = forms.DateField(
        label=_("Valid to"),
        required=False,
        help_text=_("The last day it is used."),
        widget=forms.DateInput(DATE, format="%Y-%m-%d"),
    )
    default_rule = forms.ChoiceField(
        label=_("Price of all other products"),
        required=False,
        choices=[
            ("", _("None: only products with a price of their own are sold")),
            (PriceRule.MARKUP.value, PriceRule.MARKUP.label),
            (PriceRule.DISCOUNT.value, PriceRule.DISCOUNT.label),
        ],
    )
    default_value = forms.DecimalField(
        label=_("Per cent"),
        required=False,
        min_value=0,
        max_digits=9,
        decimal_places=4,
        widget=forms.NumberInput({"data-suffix": "%"}),
    )
    is_default = forms.BooleanField(
        label=_("Used where no list is assigned"), required=False, help_text=_("One list for each currency.")
    )
    notes = forms.CharField(label=_("Notes"), required=False, max_length=4000, widget=forms.Textarea({"rows": 3}))

    def clean_default_value(self) -> Decimal:
        """Nothing means 0 %."""
        return self.cleaned_data["default_value"] or Decimal(0)


class CopyForm(forms.Form):
    """The new list's name, and how its fixed prices differ."""

    name = forms.CharField(label=_("Name of the copy"), max_length=100)
    percent = forms.DecimalField(
        label=_("Change of fixed prices"),
        required=False,
        max_digits=7,
        decimal_places=2,
        help_text=_("For instance 5 or -2.5. Mark-ups and discounts stay as they are."),
        widget=forms.NumberInput({"data-suffix": "%"}),
    )

    def clean_percent(self) -> Decimal:
        """Nothing means no change."""
        return self.cleaned_data["percent"] or Decimal(0)


class PriceForm(forms.Form):
    """A plan's own price."""

    rule = forms.ChoiceField(label=_("Rule"), choices=PriceRule.choices)
    value = forms.DecimalField(
        label=_("Amount or per cent"), max_digits=19, decimal_places=4, help_text=_("Per unit and billing cycle.")
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"].widget.attrs["data-suffix"] = f"{currency} / %"
