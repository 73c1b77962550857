"""Forms of certificates."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.money import CURRENCIES
from core.pfx import MAX_BYTES


class CertificateForm(forms.Form):
    """A certificate's file, what opens it, and what it is for."""

    label = forms.CharField(label=_("Label"), max_length=60, help_text=_("What your people call it."))
    file = forms.FileField(
        label=_("PFX file"),
        help_text=_("With its private key and its chain, up to 256 KB. The key is stored encrypted and never shown."),
        widget=forms.ClearableFileInput({"accept": ".pfx,.p12,application/x-pkcs12"}),
    )
    passphrase = forms.CharField(
        label=_("Passphrase"),
        strip=False,
        help_text=_("It opens the file once and is not stored."),
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )
    host_name = forms.CharField(
        label=_("Host name"),
        max_length=253,
        help_text=_("The name in your domain that points here, such as esd.example.com."),
    )
    currency = forms.ChoiceField(
        label=_("Currency"),
        choices=[(code, code) for code in CURRENCIES],
        help_text=_("One certificate serves one currency. It cannot be changed later."),
    )

    def content(self) -> bytes:
        """The file's bytes, one more than allowed at most, so that a longer one is seen to be too long."""
        data: bytes = self.cleaned_data["file"].read(MAX_BYTES + 1)
        return data


class ReplaceForm(forms.Form):
    """Which certificate takes over."""

    certificate = forms.ChoiceField(label=_("New certificate"))

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["certificate"] = forms.ChoiceField(label=_("New certificate"), choices=[("", "---"), *choices])
