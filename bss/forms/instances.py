"""Forms of Applications Setup."""

from collections.abc import Collection, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from provisioning.ports import Field
from provisioning.services.setup import CLEAR, SECRET_KINDS, wait_words
from ui.vendor_fields import VendorForm


class InstanceForm(VendorForm):
    """An instance's name and the connector's settings; secrets are never shown, an empty one stays as it is.

    Fields of stage 2 are shown and closed before the first save; one that is sent all the same is refused.
    """

    system_name = forms.CharField(
        label=gettext_lazy("System name"),
        max_length=100,
        help_text=gettext_lazy("What your people call this configuration."),
    )

    def __init__(self, *args: Any, vendor_fields: Sequence[Field], stored: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, vendor_fields=vendor_fields, **kwargs)
        self.clear_names: dict[str, str] = {}
        for item in self.closed_fields():
            self.fields[item.id].help_text = wait_words(item)
        for item in vendor_fields:
            if item.kind not in SECRET_KINDS or item.id not in stored:
                continue
            self.fields[item.id].help_text = _("Stored. Leave it empty to keep it.")
            name = f"{item.id}{CLEAR}"
            self.fields[name] = forms.BooleanField(
                label=_("Remove the stored value of “%(name)s”") % {"name": item.name}, required=False
            )
            self.clear_names[item.id] = name

    def closed_fields(self) -> list[Field]:
        """The fields that wait for the first save."""
        return [item for key, item in self.vendor_fields.items() if key in self.fields and self.fields[key].disabled]

    def clean(self) -> dict[str, Any]:
        """Refuse what was sent for a field that is closed yet; its answer is never kept."""
        values = super().clean()
        for item in self.closed_fields():
            values.pop(item.id, None)
            if self.data.get(item.id):
                self.add_error(item.id, wait_words(item))
        return values

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in their groups, each secret followed by its removal."""
        found = []
        for title, fields in super().groups():
            rows: list[forms.BoundField] = []
            for bound in fields:
                rows.append(bound)
                if bound.name in self.clear_names:
                    rows.append(self[self.clear_names[bound.name]])
            found.append((title, rows))
        return found

    def given(self) -> dict[str, Any]:
        """The answers for the service, without the name."""
        return {name: value for name, value in self.cleaned_data.items() if name != "system_name"}


class DefinitionForm(forms.Form):
    """Whether a definition run may take many products off sale."""

    accept_loss = forms.BooleanField(
        label=gettext_lazy("Go on even if many products have disappeared at the vendor"),
        required=False,
        help_text=gettext_lazy("Without this, a run that would discontinue much of the catalogue stops and says so."),
    )
