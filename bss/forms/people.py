"""Forms about people: whom to invite, and what they may do."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class RolesForm(forms.Form):
    """One or more roles."""

    roles = forms.MultipleChoiceField(label=_("Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, roles: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["roles"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(roles)


class InviteForm(RolesForm):
    """A person and his roles."""

    email = forms.EmailField(label=_("E-mail"))
    first_name = forms.CharField(label=_("First name"), max_length=100)
    last_name = forms.CharField(label=_("Last name"), max_length=100)
    field_order = ("first_name", "last_name", "email", "roles")


class WhyForm(forms.Form):
    """Why an employee looks at the storefront as a customer; the customer can read it."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=5,
        max_length=500,
        help_text=_("At least 5 characters, such as the number of the ticket. The customer can read it."),
        widget=forms.Textarea({"rows": 2}),
    )
