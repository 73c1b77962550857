"""Guards of a session: it counts in its own realm only, and employees need their second factor."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from sso.realm import INSTALLATION, request_realm

PROTECTED = ("/bss/", "/admin/", "/styleguide/")


class RealmMiddleware:
    """Makes a session of another realm anonymous, and keeps employees without a second factor out of the BSS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check who is signed in before any page looks at him; the session is read only if somebody asks."""
        signed_in = request.user
        request.user = SimpleLazyObject(lambda: self._here(request, signed_in))  # type: ignore[assignment]
        if settings.STAFF_MFA_REQUIRED and request.path.startswith(PROTECTED):
            user = request.user
            if user.is_authenticated and not is_mfa_enabled(user):
                messages.warning(request, _("Employees need a second step to sign in. Set it up to go on."))
                return redirect("mfa_activate_totp")
        return self.get_response(request)

    @staticmethod
    def _here(request: HttpRequest, signed_in: object) -> object:
        if not getattr(signed_in, "is_authenticated", False):
            return signed_in
        realm = getattr(signed_in, "realm", None)
        is_administrator = realm == INSTALLATION and getattr(signed_in, "is_superuser", False)
        if realm == request_realm(request) or is_administrator:
            return signed_in
        return AnonymousUser()
