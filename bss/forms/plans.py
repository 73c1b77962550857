"""Forms about reseller plans."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ui.alias import ALIAS_HELP


class UpgradeForm(forms.Form):
    """A plan and, for a reseller without a storefront, its alias."""

    plan = forms.ChoiceField(label=_("Plan"))

    def __init__(self, *args: Any, plans: list[tuple[str, str]], asks_alias: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["plan"]
        if isinstance(field, forms.ChoiceField):
            field.choices = plans
        if not plans:
            field.help_text = _("No reseller plan is published and priced for this account.")
        if asks_alias:
            self.fields["alias"] = forms.CharField(label=_("Storefront alias"), max_length=40, help_text=ALIAS_HELP)
