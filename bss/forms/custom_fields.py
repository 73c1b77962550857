"""Forms of custom fields: shape only, the rules are in the services."""

import re
from collections.abc import Mapping
from types import MappingProxyType
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

_WITH_ID = re.compile(r"^(.*\S)\s*\[(\d{1,10})\]$")


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


class Entries(forms.CharField):
    """The entries of a list, one a line; behind one that programs know stands its id in brackets.

    ``ids`` are the ids by text. A value is the texts with the ids that stood behind them.
    """

    widget = forms.Textarea({"rows": 4})
    ids: Mapping[str, int] = MappingProxyType({})

    def prepare_value(self, value: Any) -> Any:
        """A list as lines."""
        if not isinstance(value, list):
            return value
        return "\n".join(f"{text} [{self.ids[text]}]" if text in self.ids else text for text in value)

    def to_python(self, value: Any) -> dict[str, int | None]:  # type: ignore[override]
        """Texts, each once, with the ids behind them; brackets around anything else belong to the text."""
        found: dict[str, int | None] = {}
        for line in str(value or "").splitlines():
            text, number = line.strip(), None
            parts = _WITH_ID.match(text)
            if parts and int(parts[2]) in self.ids.values():
                text, number = parts[1], int(parts[2])
            if text:
                found[text[:100]] = found.get(text[:100]) or number
        return found


class FieldForm(forms.Form):
    """A field that is there; ``ids`` are those of its list's entries, ``is_grouped`` whether it stands in a group."""

    name = forms.CharField(label=_("Name"), max_length=100)
    field_type = forms.ChoiceField(
        label=_("Type"), choices=FieldType.choices, help_text=_("It stays as soon as there is a value.")
    )
    options = Entries(label=_("List"), required=False, help_text=_("One entry a line."))
    default = forms.CharField(label=_("Default"), max_length=2000, required=False)
    group = forms.CharField(label=_("Group"), max_length=100, required=False)
    rename_group = forms.BooleanField(
        label=_("Rename the group"),
        required=False,
        help_text=_("All fields of the group get the new name; otherwise this field alone changes its group."),
    )
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

    def __init__(
        self, *args: Any, ids: Mapping[str, int] | None = None, is_grouped: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if ids:
            self.fields["options"].ids = ids  # type: ignore[attr-defined]
            self.fields["options"].help_text = _(
                "One entry a line. Programs know an entry by the number behind it: leave it there to rename the entry."
            )
        if not is_grouped:
            del self.fields["rename_group"]
        known = ", ".join([*AccountKind.values, *Edition.values])
        self.fields["shown_values"].help_text = _("One a line; countries by two letters, else: %(known)s.") % {
            "known": known
        }

    def clean(self) -> dict[str, Any]:
        """A rule needs values; several defaults stand on one line, with commas between."""
        values: dict[str, Any] = super().clean() or {}
        entries = values.pop("options", {})
        values["options"] = list(entries)
        values["option_ids"] = {text: number for text, number in entries.items() if number is not None}
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
