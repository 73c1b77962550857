"""What an employee is asked before he looks at the storefront as a customer."""

from django import forms
from django.utils.translation import gettext_lazy as _


class WhyForm(forms.Form):
    """Why an employee looks at the storefront as a customer; the customer can read it."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=5,
        max_length=500,
        help_text=_("At least 5 characters, such as the number of the ticket. The customer can read it."),
        widget=forms.Textarea({"rows": 2}),
    )
