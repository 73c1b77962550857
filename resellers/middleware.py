"""Finds the site, the organization and the actor of a request.

``request.site`` and ``request.organization`` come from the host; ``request.actor`` from the signed-in user's
memberships there. Below ``/bss/`` he acts as an employee, elsewhere as the user of his account - or, read-only and
for a while, with the eyes of a customer (``request.viewing``).
"""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from core.request_id import current_request_id
from core.tenancy import Actor
from resellers.enums import ViewingEnd
from resellers.models import Organization, Site, ViewAsSession
from resellers.selectors import actor_for, site_for_host, viewing_for
from resellers.services.view_as import end_viewing

STAFF_PREFIXES = ("/bss/", "/styleguide/")
CHOSEN_ACCOUNT = "chosen_account"
VIEWING = "viewing"


class ActorRequest(HttpRequest):
    """A request after :class:`ActorMiddleware`: who acts, at which site, in which organization."""

    actor: Actor
    site: Site | None  # type: ignore[assignment]
    organization: Organization | None
    viewing: ViewAsSession | None


class ActorMiddleware:
    """Sets ``request.site``, ``request.organization`` and the lazily computed ``request.actor``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Attach who acts and where before anything else looks at the request."""
        site = site_for_host(request.get_host().partition(":")[0])
        acting = cast(ActorRequest, request)
        acting.site = site
        acting.organization = site.organization if site else None
        acting.viewing = None
        acting.actor = cast(Actor, SimpleLazyObject(lambda: self._actor(acting)))
        return self.get_response(request)

    @staticmethod
    def _actor(request: ActorRequest) -> Actor:
        as_staff = request.path.startswith(STAFF_PREFIXES)
        viewing = None if as_staff else _viewing(request)
        if viewing is not None:
            return viewing
        return actor_for(
            request.user,
            request.site,
            as_staff=as_staff,
            chosen_account=str(request.session.get(CHOSEN_ACCOUNT, "")),
            ip=request.META.get("REMOTE_ADDR", ""),
            request_id=current_request_id(),
        )


def _viewing(request: ActorRequest) -> Actor | None:
    """Who looks as a customer, checked anew with every request; what has ended is written down and said once."""
    token = str(request.session.get(VIEWING, ""))
    if not token or not request.user.is_authenticated:
        return None
    ip = request.META.get("REMOTE_ADDR", "")
    found = viewing_for(request.user, request.site, token, ip=ip, request_id=current_request_id())
    if found is not None:
        actor, request.viewing = found
        return actor
    del request.session[VIEWING]
    end_viewing(token, user_id=request.user.pk, end=ViewingEnd.REFUSED, ip=ip)
    messages.warning(request, _("You no longer look at the storefront as a customer."))
    return None
