"""Forms of sign-in."""

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import UserTokenForm as AllauthUserTokenForm
from allauth.core import context
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from sso.realm import is_at_home, sign_in_realms
from users.models import User


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """E-mail address and password; the realm of the site decides whose."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
        self.fields["login"] = forms.EmailField(label=_("E-mail"), widget=widget)
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)
        self.order_fields(["login", "password"])

    def user_credentials(self) -> dict[str, str]:
        """What the realm's backend takes."""
        return {"username": self.cleaned_data["login"].lower(), "password": self.cleaned_data["password"]}


def _is_here(user: User) -> bool:
    return is_at_home(user, getattr(context.request, "site", None))


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]
    """Finds users of this realm only; the answer is the same whether there is one or not."""

    def clean_email(self) -> str:
        """Keep the users of the present realm."""
        email = str(self.cleaned_data["email"]).strip().lower()
        realms = sign_in_realms(context.request)
        rows = User.objects.filter(email=email, realm__in=realms, is_active=True)
        self.users = [user for user in rows if _is_here(user)]
        return email


class UserTokenForm(AllauthUserTokenForm):  # type: ignore[misc]
    """The link of a forgotten password; it works where the user is at home only, while he is active."""

    def _get_user(self, uidb36: str) -> User | None:
        user: User | None = super()._get_user(uidb36)
        return user if user is not None and user.is_active and _is_here(user) else None


class AcceptForm(forms.Form):
    """The password of an invited user, typed twice."""

    password1 = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    password2 = forms.CharField(
        label=_("Password again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Both alike, and good enough for the password rules."""
        values: dict[str, Any] = super().clean() or {}
        first, second = values.get("password1"), values.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords are not the same."))
        elif first:
            try:
                validate_password(first, self.user)
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return values
