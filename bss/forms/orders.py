"""What the pages of orders ask before they act."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ExecuteForm(forms.Form):
    """Executing an order by hand; the reason is asked for only if the total is over the credit."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Why this order is executed above the credit. It is kept in the history."),
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args: object, exceeds: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not exceeds:
            del self.fields["reason"]
