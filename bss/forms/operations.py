"""What the operations desk asks before it acts."""

from collections.abc import Iterable
from typing import Any

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


class CommentForm(forms.Form):
    """What goes to the vendor and into the history with a return."""

    comment = forms.CharField(label=_("Comment"), max_length=250, required=False, widget=forms.Textarea({"rows": 3}))


class KeysForm(forms.Form):
    """The keys of a perpetual licence, one a line."""

    keys = forms.CharField(
        label=_("Keys"),
        help_text=_("One key a line, at most 100, each of at most 64 signs."),
        widget=forms.Textarea({"rows": 8, "autocomplete": "off", "spellcheck": "false"}),
    )


class ResendForm(forms.Form):
    """Where the mail with a key goes: one of the account's own addresses."""

    email = forms.ChoiceField(label=_("To"))

    def __init__(self, *args: Any, addresses: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["email"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(address, address) for address in addresses]
