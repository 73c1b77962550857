"""Forms of self-registration: shape only, the rules are in the services."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from resellers.countries import COUNTRIES
from resellers.models import Site
from users.models import User

ANSWERS = (("no", _("Buy for my company")), ("yes", _("Resell to my customers")))


class RegistrationForm(forms.Form):
    """Company, person, address, password and the ticks; whether to resell only where the site allows it."""

    reselling = forms.ChoiceField(
        label=_("What do you want to do?"), choices=ANSWERS, widget=forms.RadioSelect, initial="no"
    )
    company = forms.CharField(
        label=_("Company"), max_length=100, widget=forms.TextInput({"autocomplete": "organization"})
    )
    tax_id = forms.CharField(label=_("Tax ID"), max_length=30, required=False)
    first_name = forms.CharField(
        label=_("First name"), max_length=100, widget=forms.TextInput({"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=100, widget=forms.TextInput({"autocomplete": "family-name"})
    )
    email = forms.EmailField(
        label=_("E-mail"),
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=_("You sign in with it; we send a mail there."),
    )
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, widget=forms.TextInput({"type": "tel", "autocomplete": "tel"})
    )
    address_line1 = forms.CharField(
        label=_("Address"), max_length=200, widget=forms.TextInput({"autocomplete": "address-line1"})
    )
    address_line2 = forms.CharField(
        label=_("Address, second line"),
        max_length=200,
        required=False,
        widget=forms.TextInput({"autocomplete": "address-line2"}),
    )
    postal_code = forms.CharField(
        label=_("Post code"), max_length=20, required=False, widget=forms.TextInput({"autocomplete": "postal-code"})
    )
    city = forms.CharField(label=_("City"), max_length=100, widget=forms.TextInput({"autocomplete": "address-level2"}))
    region = forms.CharField(
        label=pgettext_lazy("address", "State"),
        max_length=100,
        required=False,
        widget=forms.TextInput({"autocomplete": "address-level1"}),
    )
    country = forms.ChoiceField(
        label=_("Country"), choices=[("", "—"), *COUNTRIES], widget=forms.Select({"autocomplete": "country"})
    )
    password1 = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )
    password2 = forms.CharField(
        label=_("Password again"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    terms = forms.BooleanField()
    privacy = forms.BooleanField()

    def __init__(self, *args: Any, site: Site, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        link = format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', reverse("storefront:terms"), site.name)
        self.fields["terms"].label = format_html(str(_("I accept the terms of use of {}.")), link)
        self.fields["privacy"].label = _("I have read the privacy notice.")
        if site.account_id is not None or not site.reseller_registration:
            del self.fields["reselling"]

    def clean(self) -> dict[str, Any]:
        """Both passwords alike, and good enough for the password rules."""
        values: dict[str, Any] = super().clean() or {}
        first, second = values.get("password1"), values.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords are not the same."))
        elif first:
            person = User(
                email=values.get("email", ""),
                first_name=values.get("first_name", ""),
                last_name=values.get("last_name", ""),
            )
            try:
                validate_password(first, person)
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return values


class ConfirmForm(forms.Form):
    """The password that was chosen when registering."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True}),
        help_text=_("The one you chose when you registered."),
    )
