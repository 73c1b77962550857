"""Forms of the catalogue."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import RefundPolicy
from catalog.selectors import all_categories
from core.tenancy import Actor


class ProductForm(forms.Form):
    """What staff may change of a product; a definition run keeps all but the name."""

    name = forms.CharField(
        label=_("Name"), max_length=255, help_text=_("A definition run writes the vendor's name here again.")
    )
    summary = forms.CharField(
        label=_("Summary"), max_length=255, required=False, help_text=_("One or two lines, shown on the tile.")
    )
    description = forms.CharField(
        label=_("Description"), max_length=10_000, required=False, widget=forms.Textarea({"rows": 8})
    )
    category: forms.Field = forms.CharField(required=False)
    is_featured = forms.BooleanField(
        label=_("Featured"), required=False, help_text=_("Shown on the storefront's first page.")
    )
    is_new = forms.BooleanField(label=_("Marked as new"), required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"] = forms.ModelChoiceField(
            queryset=all_categories(actor),
            to_field_name="public_id",
            required=False,
            label=_("Category"),
            empty_label=_("None"),
        )


class CategoryForm(forms.Form):
    """A shelf of the storefront."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(label=_("Description"), max_length=255, required=False)
    position = forms.IntegerField(
        label=_("Position"), min_value=0, max_value=32_767, required=False, help_text=_("Smaller numbers come first.")
    )


class ProductTypeForm(forms.Form):
    """The rules all products of a type share."""

    refund_policy = forms.ChoiceField(
        label=_("Refund when cancelled"),
        choices=RefundPolicy.choices,
        help_text=_("What is credited of the billing period that runs when a service ends early."),
    )
    auto_cancel_subscriptions = forms.BooleanField(
        label=_("Customers cancel and reduce subscriptions by themselves"),
        required=False,
        help_text=_("Otherwise they write a request, which staff decide."),
    )
    auto_cancel_addons = forms.BooleanField(label=_("Customers cancel add-ons by themselves"), required=False)
    auto_cancel_limit = forms.IntegerField(
        label=_("Up to so many licences at once"),
        required=False,
        min_value=1,
        max_value=100_000,
        help_text=_("More than that is a request. Empty: no limit."),
    )
    allow_multiple_subscriptions = forms.BooleanField(
        label=_("An account may have several active subscriptions of one product"), required=False
    )
