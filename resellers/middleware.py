"""Finds the site, the organization and the actor of a request.

``request.site`` and ``request.organization`` come from the host, or from the alias that stands first in the path;
``request.actor`` from the signed-in user's memberships there. Below ``/bss/`` he acts as an employee, elsewhere as the
user of his account - or, read-only and for a while, with the eyes of a customer (``request.viewing``).
"""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.request import split_domain_port
from django.urls import get_script_prefix, set_script_prefix
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from core.request_id import current_request_id
from core.tenancy import Actor
from resellers.enums import ViewingEnd
from resellers.models import Organization, Site, ViewAsSession
from resellers.routing import Route, route, site_for_host
from resellers.selectors import actor_for, viewing_for
from resellers.services.view_as import end_viewing

STAFF_PREFIXES = ("/bss/", "/styleguide/")
WITHOUT_SITE = ("/static/", "/healthz", "/readyz", "/tls/")
SHOP_URLS = "cloudbss.urls_shop"
CHOSEN_ACCOUNT = "chosen_account"
VIEWING = "viewing"


class ActorRequest(HttpRequest):
    """A request after both: who acts, at which site, in which organization."""

    actor: Actor
    site: Site | None  # type: ignore[assignment]
    organization: Organization | None
    viewing: ViewAsSession | None


class SiteMiddleware:
    """Sets ``request.site`` and ``request.organization``, and makes addresses and cookies those of the site.

    Of a site below an alias the alias becomes the script prefix, so that every address made while answering begins with
    it, and its cookies have names of their own: a session of one site is none on another of the same host. A reseller's
    site has no BSS and no Django admin.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.cookies = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find the site before anything else looks at the request."""
        found = Route(None) if request.path.startswith(WITHOUT_SITE) else route(_site_of(request), request.path)
        acting = cast(ActorRequest, request)
        acting.site = found.site
        acting.organization = found.site.organization if found.site else None
        if found.site is not None and found.site.account_id is not None:
            request.urlconf = SHOP_URLS
        if not found.prefix:
            return self.get_response(request)
        rest = request.path[len(found.prefix) :]
        if found.moved or not rest:
            base = found.moved or found.prefix
            query = request.META.get("QUERY_STRING", "")
            moved = HttpResponsePermanentRedirect(f"{base}{rest or '/'}{'?' + query if query else ''}")
            moved.status_code = 301 if request.method in ("GET", "HEAD") else 308
            return moved
        return self._below(request, acting, found.prefix, rest)

    def _below(self, request: HttpRequest, acting: ActorRequest, prefix: str, rest: str) -> HttpResponse:
        suffix = f".{acting.site.public_id.hex[:12]}" if acting.site else ""
        before = get_script_prefix()
        request.path_info = rest
        for name in self.cookies:
            own = request.COOKIES.pop(name + suffix, None)
            request.COOKIES.pop(name, None)
            if own is not None:
                request.COOKIES[name] = own
        set_script_prefix(f"{prefix}/")
        try:
            response = self.get_response(request)
        finally:
            set_script_prefix(before)
        for name in self.cookies:
            if name in response.cookies:
                morsel = response.cookies.pop(name)
                response.cookies[name + suffix] = morsel.value
                response.cookies[name + suffix].update(morsel)
        return response


def _site_of(request: HttpRequest) -> Site | None:
    """The site of the host that was asked: one the settings allow, or a site's own domain.

    Any other is Django's DisallowedHost. Later parts get the same answer from ``request.get_host()``.
    """
    try:
        host = request.get_host().partition(":")[0]
    except DisallowedHost:
        raw = str(request.META.get("HTTP_HOST", ""))
        domain, _port = split_domain_port(raw)
        site = site_for_host(domain)
        if site is None or not domain or site.host != domain:
            raise
        request.get_host = lambda: raw  # type: ignore[method-assign]
        return site
    return site_for_host(host)


class ActorMiddleware:
    """Sets the lazily computed ``request.actor`` at the site found by :class:`SiteMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Attach who acts and where before anything else looks at the request."""
        acting = cast(ActorRequest, request)
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
