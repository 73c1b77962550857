"""The form of a storefront's alias, the same for a reseller and for staff."""

from django import forms
from django.utils.translation import gettext_lazy as _

ALIAS_HELP = _("3 to 40 letters, digits or hyphens, beginning with a letter: the last part of the shop's address.")


class AliasForm(forms.Form):
    """The alias of a storefront; what it may be is the service's business."""

    alias = forms.CharField(label=_("Storefront alias"), max_length=40, help_text=ALIAS_HELP)
