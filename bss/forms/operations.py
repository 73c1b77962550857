"""What the operations desk asks before it acts."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ReasonForm(forms.Form):
    """Why somebody does it; it goes into the audit log."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("It is kept in the history."), widget=forms.Textarea({"rows": 3})
    )


class MarkDoneForm(ReasonForm):
    """The id the vendor gave, and how it was found out."""

    external_id = forms.CharField(
        label=_("Vendor's id"),
        max_length=255,
        help_text=_("As the vendor's own console shows it: the subscription's id, or the customer's for a set-up."),
    )
    field_order = ("external_id", "reason")
