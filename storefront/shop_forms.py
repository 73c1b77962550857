"""Forms of a reseller's shop: shape only, the rules are in the services."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.desk import rule_categories
from catalog.models import CostMode, FixedKeeps, Plan, Product, Rounding, RoundingWay, SellingKind
from core.tenancy import Actor
from resellers.selectors import customers_of


def _choose(label: Any, empty: Any, rows: Any, **kwargs: Any) -> "forms.ModelChoiceField[Any]":
    return forms.ModelChoiceField(
        rows, label=label, empty_label=empty, required=False, to_field_name="public_id", **kwargs
    )


class ListingForm(forms.Form):
    """What the reseller says of a product; empty fields are the distributor's words."""

    name = forms.CharField(label=_("Name"), max_length=255, required=False)
    summary = forms.CharField(label=_("Summary"), max_length=255, required=False)
    description = forms.CharField(label=_("Description"), widget=forms.Textarea({"rows": 6}), required=False)
    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        help_text=_(
            "PNG, JPEG or WebP of at most 512 KB, twice as wide as high at best. Empty: the present one stays."
        ),
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp"}),
    )
    no_picture = forms.BooleanField(label=_("Take my picture away"), required=False)
    position = forms.IntegerField(
        label=_("Order"), min_value=0, max_value=32767, initial=100, help_text=_("Lower numbers come first.")
    )

    def __init__(self, *args: Any, actor: Actor, product: Product, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = _("As the distributor: %(name)s") % {"name": product.category.name if product.category else "—"}
        self.fields["category"] = _choose(_("Category"), usual, rule_categories(actor))
        row = self.initial.get("category")
        self.initial["category"] = row.public_id if row is not None else None
        for name in ("name", "summary", "description"):
            self.fields[name].widget.attrs["placeholder"] = getattr(product, name)
        self.fields["name"].help_text = _("Empty: the distributor's words.")
        # What is kept is no file of the form's: it would come back as if it had been uploaded.
        if not self.initial.pop("picture", ""):
            del self.fields["no_picture"]

    def uploaded(self) -> bytes | None:
        """The uploaded picture, empty if it is to go, None if it stays."""
        file = self.cleaned_data.get("picture")
        if file:
            return bytes(file.read())
        return b"" if self.cleaned_data.get("no_picture") else None


class ImportForm(forms.Form):
    """A table to be taken over: CSV or workbook."""

    file = forms.FileField(
        label=_("CSV or Excel file"),
        help_text=_("At most 5 MB and 10,000 rows. You see what would change before anything does."),
        widget=forms.FileInput({"accept": ".csv,.xlsx,text/csv"}),
    )


class RuleForm(forms.Form):
    """A selling price rule: for whom, for what, how, and from when. ``fixed_scope`` keeps for whom and what."""

    kind = forms.ChoiceField(label=_("Rule"), choices=SellingKind.choices)
    value = forms.DecimalField(label=_("Amount or per cent"), min_value=0, max_digits=12, decimal_places=4)
    valid_from = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: from now on."),
    )
    accepted = forms.MultipleChoiceField(
        required=False,
        choices=[(code, code) for code in ("below_cost", "under_floor", "free", "typing")],
        widget=forms.MultipleHiddenInput,
    )

    field_order = ("customer", "category", "plan", "kind", "value", "valid_from")

    def __init__(
        self, *args: Any, actor: Actor, product: Product | None, fixed_scope: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"] = _choose(_("Customer"), _("All customers"), customers_of(actor))
        if product is None:
            self.fields["category"] = _choose(_("Category"), _("Whole shop"), rule_categories(actor))
            kind = self.fields["kind"]
            if isinstance(kind, forms.ChoiceField):
                kind.choices = [item for item in SellingKind.choices if item[0] != SellingKind.FIXED]
                kind.help_text = _("For a fixed price, open the product in the catalogue.")
        else:
            self.fields["plan"] = PlanField(product, help_text=_("A fixed price is of one plan."))
        for name in ("customer", "category", "plan") if fixed_scope else ():
            if name in self.fields:
                self.fields[name].disabled = True
        self.order_fields(self.field_order)


class PlanField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The plans of one product."""

    def __init__(self, product: Product, **kwargs: Any) -> None:
        rows = product.plans.filter(is_offered=True)
        super().__init__(
            rows, label=_("Plan"), empty_label=_("All plans"), required=False, to_field_name="public_id", **kwargs
        )

    def label_from_instance(self, obj: Any) -> str:
        """Term and cycle alone: the product is known."""
        plan: Plan = obj
        return plan.label


class PolicyForm(forms.Form):
    """How the shop makes prices."""

    rounding = forms.ChoiceField(label=_("Round prices to"), choices=Rounding.choices)
    rounding_way = forms.ChoiceField(
        label=_("Direction"), choices=RoundingWay.choices, help_text=_("The smallest coin is always rounded half up.")
    )
    floor = forms.DecimalField(
        label=_("Least margin, %"),
        min_value=0,
        max_value=Decimal("99.99"),
        decimal_places=2,
        help_text=_("A rule that makes a smaller margin is saved only after a warning."),
    )
    cost_mode = forms.ChoiceField(label=_("When a purchase price changes"), choices=CostMode.choices)
    fixed_keeps = forms.ChoiceField(label=_("A fixed price then keeps"), choices=FixedKeeps.choices)
    shares_prices = forms.BooleanField(
        label=_("Share my selling prices with the distributor"),
        required=False,
        help_text=_("His people then see on orders and services what your customers pay, and your margin."),
    )
