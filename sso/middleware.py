"""Guards of a session: it counts in its own realm and for its time only, and employees need their second factor."""

from collections.abc import Callable
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from resellers.models import Site
from resellers.selectors import is_employee
from sso.realm import INSTALLATION, is_at_home
from sso.sessions import has_ended
from users.models import User

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
            refused = _second_step(request)
            if refused is not None:
                return refused
        return self.get_response(request)

    @staticmethod
    def _here(request: HttpRequest, signed_in: object) -> object:
        if not getattr(signed_in, "is_authenticated", False):
            return signed_in
        realm = getattr(signed_in, "realm", None)
        is_administrator = realm == INSTALLATION and getattr(signed_in, "is_superuser", False)
        site: Site | None = getattr(request, "site", None)
        if not is_administrator and not (isinstance(signed_in, User) and is_at_home(signed_in, site)):
            return AnonymousUser()
        if has_ended(request):
            # Not django's logout(): it asks for request.user, which is just being found out.
            request.session.flush()
            return AnonymousUser()
        return signed_in


def _second_step(request: HttpRequest) -> HttpResponse | None:
    """Where to send an employee who has no second factor, or has not shown it in this session; None if all is well."""
    user = request.user
    site: Site | None = getattr(request, "site", None)
    if not user.is_authenticated or not (user.is_staff or (site is not None and is_employee(user, site))):
        return None
    if not is_mfa_enabled(user):
        messages.warning(request, _("Employees need a second step to sign in. Set it up to go on."))
        return redirect("mfa_activate_totp")
    if not any(entry.get("method") == "mfa" for entry in get_authentication_records(request, user)):
        back = urlencode({"next": request.get_full_path()})
        return redirect(f"{reverse('mfa_reauthenticate')}?{back}")
    return None
