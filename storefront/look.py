"""A site's own languages, and Google Analytics for visitors who agreed, on every page of its storefront."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from resellers.look import shown_look
from resellers.middleware import STAFF_PREFIXES
from resellers.models import Site
from users.models import User
from users.services.language import choose_language

YEAR = 365 * 24 * 3600

# What Google Analytics needs of the Content-Security-Policy, by its documentation for version 4.
MEASURING: dict[str, list[str]] = {
    "script-src": ["https://www.googletagmanager.com"],
    "connect-src": ["https://*.google-analytics.com", "https://*.analytics.google.com"],
    "img-src": ["https://*.google-analytics.com", "https://www.googletagmanager.com"],
}


def consent_name(site: Site) -> str:
    """The cookie with a visitor's answer; sites below the aliases of one host have one each."""
    return f"consent_{site.public_id.hex[:12]}"


def consent_of(request: HttpRequest) -> str:
    """Whether visits of this browser may be counted: ``yes``, ``no``, empty if not asked, ``off`` if nobody counts."""
    site: Site | None = getattr(request, "site", None)
    if site is None or getattr(request, "is_preview", False) or not shown_look(site)["analytics_id"]:
        return "off"
    answer = request.COOKIES.get(consent_name(site), "")
    return answer if answer in ("yes", "no") else ""


def keep_language(request: HttpRequest, response: HttpResponseBase, code: str) -> None:
    """Keep a language of ``LANGUAGES`` in the visitor's browser for a year."""
    name = settings.LANGUAGE_COOKIE_NAME
    response.set_cookie(name, code, max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")


@receiver(user_logged_in)
def _remember(request: HttpRequest | None, user: User, **_given: object) -> None:
    """Who signs in gets the language that he chose the last time, wherever that was; at first, the one he reads."""
    if request is None:
        return
    if not user.language:
        choose_language(user, translation.get_language() or settings.LANGUAGE_CODE)
    request.own_language = user.language  # type: ignore[attr-defined]


class LookMiddleware:
    """Answers in a language of the site, and lets Google's script in only where it is used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Choose the language, pass the request on, and widen the policy if the visitor agreed."""
        if request.path.startswith(STAFF_PREFIXES):
            return self.get_response(request)
        languages = shown_look(getattr(request, "site", None))["languages"]
        if languages and translation.get_language() not in languages:
            translation.activate(languages[0])
            request.LANGUAGE_CODE = languages[0]
        response = self.get_response(request)
        own = getattr(request, "own_language", "")
        if own in dict(settings.LANGUAGES):
            keep_language(request, response, own)
        if consent_of(request) == "yes" and not hasattr(response, "_csp_update"):
            widened: Any = response
            widened._csp_update = MEASURING
        return response
