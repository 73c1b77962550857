"""Finds the site, the organization and the actor of a request.

``request.site`` and ``request.organization`` come from the host; ``request.actor`` from the signed-in user's
memberships there. Below ``/bss/`` he acts as an employee, elsewhere as the user of his account.
"""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from core.request_id import current_request_id
from core.tenancy import Actor
from resellers.models import Organization, Site
from resellers.selectors import actor_for, site_for_host

STAFF_PREFIXES = ("/bss/", "/styleguide/")
CHOSEN_ACCOUNT = "chosen_account"


class ActorRequest(HttpRequest):
    """A request after :class:`ActorMiddleware`: who acts, at which site, in which organization."""

    actor: Actor
    site: Site | None  # type: ignore[assignment]
    organization: Organization | None


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
        acting.actor = cast(Actor, SimpleLazyObject(lambda: self._actor(acting)))
        return self.get_response(request)

    @staticmethod
    def _actor(request: ActorRequest) -> Actor:
        return actor_for(
            request.user,
            request.site,
            as_staff=request.path.startswith(STAFF_PREFIXES),
            chosen_account=str(request.session.get(CHOSEN_ACCOUNT, "")),
            ip=request.META.get("REMOTE_ADDR", ""),
            request_id=current_request_id(),
        )
