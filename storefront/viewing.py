"""An employee who looks at the storefront as a customer only reads: the one place that refuses everything else.

The actor has no right to write anyway (:func:`resellers.selectors.viewing_actor`); this is the second lock, and it
holds for pages that nobody has written yet.
"""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from resellers.middleware import STAFF_PREFIXES, ActorRequest
from ui.errors import error_page, wants_json

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Below these addresses somebody acts as himself: the BSS as an employee, sign-in and sign-out for his own login.
OWN = (*STAFF_PREFIXES, "/accounts/", "/admin/")
STOP = "storefront:view_as_stop"


class ReadOnlyMiddleware:
    """Refuses every method that could change something while an employee looks as a customer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Answer in place of the view; after this page he can go on looking."""
        if request.method in SAFE or request.path.startswith(OWN):
            return None
        actor = cast(ActorRequest, request).actor
        match = request.resolver_match
        if not actor.viewing_as or (match is not None and match.view_name == STOP):
            return None
        words = _("You look at the storefront as %(account)s and can only read. Do it in the BSS, under your own name.")
        words = words % {"account": actor.viewing_as}
        if wants_json(request):
            return error_page(request, 403, words, "viewing_only")
        context = {"message": words, "back": _came_from(request)}
        return render(request, "storefront/viewing_refused.html", context, status=403)


def _came_from(request: HttpRequest) -> str:
    """The page of this host on which he clicked, else the front page."""
    url = request.headers.get("Referer", "")
    hosts = {request.get_host()}
    return url if url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()) else "/"
