"""From the fields a connector declares to a Django form: instance settings and service details alike."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from provisioning.ports import Field, FieldKind

MAX_CERTIFICATE_BYTES = 100_000


class VendorForm(forms.Form):
    """A form drawn from a connector's fields; a field whose condition does not hold is not required and not kept."""

    def __init__(self, *args: Any, vendor_fields: Sequence[Field], closed: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.vendor_fields = {item.id: item for item in vendor_fields if item.kind != FieldKind.HIDDEN}
        for item in self.vendor_fields.values():
            if item.kind == FieldKind.LABEL:
                continue
            field = form_field(item)
            field.disabled = item.id in closed
            if item.show_if or field.disabled:
                field.required = False
            self.fields[item.id] = field

    def applies(self, item: Field, values: Mapping[str, Any]) -> bool:
        """Whether the field's condition holds for the given answers."""
        return all(_word(values.get(key)) == wanted for key, wanted in item.show_if.items())

    def clean(self) -> dict[str, Any]:
        """Require what applies, drop what does not."""
        values: dict[str, Any] = super().clean() or {}
        for item in self.vendor_fields.values():
            if not item.show_if or item.id not in self.fields:
                continue
            if not self.applies(item, values):
                values.pop(item.id, None)
                self.errors.pop(item.id, None)
            elif item.required and values.get(item.id) in (None, "", [], False) and item.id not in self.errors:
                self.add_error(item.id, _("This field is required."))
        return values

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in their groups, in the declared order."""
        found: dict[str, list[forms.BoundField]] = {}
        for item in self.vendor_fields.values():
            if item.id in self.fields:
                found.setdefault(item.group, []).append(self[item.id])
        return list(found.items())


def _word(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "true" if value else ""
    return str(value)


class CertificateField(forms.FileField):
    """An uploaded PFX or PEM file, kept as text the connector can read: PEM as it is, PFX in base64."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The file's content; nothing if none was chosen."""
        file = super().clean(data, initial)
        if not file or isinstance(file, str):
            return file or ""
        if file.size > MAX_CERTIFICATE_BYTES:
            raise forms.ValidationError(_("This file is too large for a certificate."))
        content: bytes = file.read()
        if b"-----BEGIN" in content:
            return content.decode("ascii", "replace")
        return {"pfx": base64.b64encode(content).decode("ascii"), "password": ""}


def form_field(item: Field) -> forms.Field:
    """The Django field of one declared field."""
    common: dict[str, Any] = {
        "label": item.name,
        "help_text": item.description,
        "required": item.required,
        "initial": item.initial,
    }
    choices = list(item.choices)
    attributes = {"data-suffix": item.suffix} if item.suffix else {}
    if item.live_check:
        attributes["data-live-check"] = item.live_check
    for name, wanted in item.show_if.items():
        attributes |= {"data-show-field": name, "data-show-value": wanted}
    match item.kind:
        case FieldKind.CHECKBOX | FieldKind.TERMS:
            return forms.BooleanField(**common, widget=forms.CheckboxInput(attributes))
        case FieldKind.CHOOSE_ONE | FieldKind.INSTALLED_CERTIFICATE:
            empty = [] if item.required and item.initial else [("", "---")]
            return forms.ChoiceField(**common, choices=[*empty, *choices], widget=forms.Select(attributes))
        case FieldKind.CHOOSE_MANY:
            widget = forms.CheckboxSelectMultiple(attributes)
            return forms.MultipleChoiceField(**common, choices=choices, widget=widget)
        case FieldKind.PASSWORD:
            attributes |= {"autocomplete": "new-password"}
            return forms.CharField(**common | {"required": False}, widget=forms.PasswordInput(attributes), strip=False)
        case FieldKind.CERTIFICATE:
            return CertificateField(**common | {"required": False}, widget=forms.ClearableFileInput(attributes))
        case FieldKind.DATE:
            attributes |= {"type": "date"}
            return forms.DateField(**common, widget=forms.DateInput(attributes, format="%Y-%m-%d"))
        case FieldKind.EMAIL:
            return forms.EmailField(**common, widget=forms.EmailInput(attributes))
        case FieldKind.URL:
            return forms.CharField(**common, max_length=500, widget=forms.URLInput(attributes))
        case FieldKind.INTEGER:
            return forms.IntegerField(**common, widget=forms.NumberInput(attributes))
        case FieldKind.MULTILINE:
            return forms.CharField(**common, max_length=max(item.max_length, 4000), widget=forms.Textarea(attributes))
        case _:
            rules = [RegexValidator(item.pattern, item.pattern_message or None)] if item.pattern else []
            return forms.CharField(
                **common, max_length=item.max_length, validators=rules, widget=forms.TextInput(attributes)
            )
