"""Forms of custom fields: shape only, the rules are in the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.custom_fields import Entity, FieldType
from resellers.enums import AccountKind, Edition

# What the display rule can look at, and the values it knows.
ATTRIBUTES = (
    ("", _("Always shown")),
    ("kind", _("Kind of account")),
    ("edition", _("Edition")),
    ("country", _("Country")),
)


class Lines(forms.CharField):
    """Several short texts, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """A list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        """Lines as a list, each once, without empty ones."""
        lines = [line.strip() for line in str(value or "").splitlines()]
        return list(dict.fromkeys(line[:100] for line in lines if line))


class FieldForm(forms.Form):
    """A field that is there."""

    name = forms.CharField(label=_("Name"), max_length=100)
    field_type = forms.ChoiceField(
        label=_("Type"), choices=FieldType.choices, help_text=_("It stays as soon as there is a value.")
    )
    options = Lines(
        label=_("List"), required=False, widget=forms.Textarea({"rows": 4}), help_text=_("One entry a line.")
    )
    default = forms.CharField(label=_("Default"), max_length=2000, required=False)
    group = forms.CharField(label=_("Group"), max_length=100, required=False)
    ordering = forms.IntegerField(label=_("Ordering"), min_value=0, max_value=9999, initial=0)
    provisioning_code = forms.IntegerField(
        label=_("Code for Provisioning System"),
        min_value=1,
        max_value=2_000_000_000,
        required=False,
        help_text=_("A number of your choice; the API names the field by it."),
    )
    is_required = forms.BooleanField(label=_("Compulsory"), required=False)
    is_search = forms.BooleanField(label=_("Search criterion"), required=False)
    shop_visible = forms.BooleanField(label=_("Visible in the storefront"), required=False)
    shop_editable = forms.BooleanField(label=_("Editable in the storefront"), required=False)
    shown_attribute = forms.ChoiceField(label=_("Shown by the customer's"), choices=ATTRIBUTES, required=False)
    shown_values = Lines(
        label=_("Shown where it is one of"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("One a line."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = ", ".join([*AccountKind.values, *Edition.values])
        self.fields["shown_values"].help_text = _("One a line; countries by two letters, else: %(known)s.") % {
            "known": known
        }

    def clean(self) -> dict[str, Any]:
        """A rule needs values; several defaults stand on one line, with commas between."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("shown_attribute") and not values.get("shown_values"):
            self.add_error("shown_values", _("Say for which values the field is shown."))
        if values.get("field_type") == FieldType.MULTI and values.get("default"):
            values["default"] = [item.strip() for item in values["default"].split(",") if item.strip()]
        return values


class NewFieldForm(FieldForm):
    """A new field: for what, and its code."""

    entity = forms.ChoiceField(label=_("For"), choices=Entity.choices)
    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("Small letters, digits and _; for mails and the API. It stays.")
    )
    field_order = ("entity", "name", "code", "field_type")
