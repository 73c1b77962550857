"""Errors as pages or JSON: one place that turns a business error into a status, and the four handlers of Django."""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.request_id import current_request_id
from core.statement_limit import was_stopped
from resellers.enums import SiteStatus
from resellers.models import Site

# What the pages of signing in and the BSS take from the storefront: the brand's colours and pictures.
BRAND_PAGES = frozenset({"brand_css", "site_icon", "site_image", "set_language"})
RETRY_SECONDS = 30
logger = logging.getLogger(__name__)
STATUS: tuple[tuple[type[BusinessError], int], ...] = ((PermissionRefused, 403), (NotVisible, 404), (Conflict, 409))


def status_of(error: BusinessError) -> int:
    """The HTTP status of a business error; 400 for a plain refusal."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller asks for JSON rather than a page."""
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def error_page(request: HttpRequest, status: int, message: str = "", code: str = "") -> HttpResponse:
    """The page (or JSON) of an error, with the request id somebody can quote."""
    if wants_json(request):
        body = {"status": status, "code": code, "message": message, "request_id": current_request_id()}
        return JsonResponse(body, status=status)
    context = {"status": status, "message": message, "request_id": current_request_id()}
    try:
        html = render_to_string(f"errors/{status}.html", context, request=request)
    except TemplateDoesNotExist:
        html = render_to_string("errors/400.html", context, request=request)
    return HttpResponse(html, status=status)


class ClosedSiteMiddleware:
    """Answers for a reseller's site that is not live: closed for good (410), or away for a while (503)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on if the site is live; its name is the only one such a page shows."""
        site: Site | None = getattr(request, "site", None)
        if site is None or (site.status == SiteStatus.LIVE and site.has_storefront):
            return self.get_response(request)
        if site.status == SiteStatus.LIVE:
            return self._without_storefront(request)
        if site.status == SiteStatus.CLOSED:
            return error_page(request, 410, _("This store is closed."), "site_closed")
        return error_page(request, 503, _("Temporarily unavailable."), "site_unavailable")

    def _without_storefront(self, request: HttpRequest) -> HttpResponseBase:
        """Only the BSS, the API and signing in are here; who comes to the front page is an employee."""
        if request.path_info == "/":
            return redirect("bss:dashboard")
        try:
            found = resolve(request.path_info, getattr(request, "urlconf", None))
        except Resolver404:
            return self.get_response(request)
        if found.app_names[:1] == ["storefront"] and found.url_name not in BRAND_PAGES:
            return error_page(request, 410, _("This store is closed."), "site_closed")
        return self.get_response(request)


class BusinessErrorMiddleware:
    """A refusal that no view took becomes its page; on a form's POST a message on the page it came from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer business errors and what took too long; everything else is a bug and goes on up."""
        if was_stopped(exception):
            # The reason is in the log with the request's id; the page only says what to do.
            logger.warning("statement took too long", extra={"path": request.path})
            return too_slow(request)
        if not isinstance(exception, BusinessError):
            return None
        status = status_of(exception)
        came_from = request.headers.get("Referer", "")
        hosts = {request.get_host()}
        if (
            request.method == "POST"
            and status in (400, 409)
            and not wants_json(request)
            and url_has_allowed_host_and_scheme(came_from, hosts, require_https=request.is_secure())
        ):
            messages.error(request, str(exception.message))
            return redirect(came_from)
        return error_page(request, status, str(exception.message), exception.code)


def too_slow(request: HttpRequest) -> HttpResponse:
    """What is said when the database needed longer than a page may take."""
    words = _("This took too long and was stopped. Ask for less, for example with a filter, or try again soon.")
    response = error_page(request, 503, words, "took_too_long")
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler of 400: a malformed request."""
    return error_page(request, 400, _("The request could not be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler of 403."""
    return error_page(request, 403, _("Your role does not allow this."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler of 404: missing and foreign look the same."""
    return error_page(request, 404, _("There is nothing at this address, or it is not yours to see."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a good token: an old page, or cookies that are switched off."""
    return error_page(request, 403, _("This page was open for too long. Go back, reload it and try again."), "csrf")


def server_error(request: HttpRequest) -> HttpResponse:
    """Handler of 500; leans on as little as possible, as anything may be broken."""
    if wants_json(request):
        return JsonResponse({"status": 500, "code": "internal", "request_id": current_request_id()}, status=500)
    context: dict[str, Any] = {"request_id": current_request_id()}
    return HttpResponse(render_to_string("errors/500.html", context), status=500)
