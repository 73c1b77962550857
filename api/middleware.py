"""Everything below ``/api/`` and ``/oauth/`` in any letter case, with or without a slash at the end, and its errors.

:class:`ApiMiddleware` stands right behind the request id, so that a refusal of any layer leaves in the API's own form.
:class:`ApiDoor` stands before everything that only pages need: a program has no session, no cookie, no form and no
language, so none of them is looked at, and none can be abused.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import resolve

from api.errors import ApiError, error_response
from resellers.enums import SiteStatus
from resellers.models import Site

PREFIXES = ("/api/", "/oauth/")
ADDRESSES = "api.urls"
# An answer is no page: nothing in it may run or be framed, should a browser ever show it.
POLICY = "default-src 'none'; frame-ancestors 'none'"


def is_api_path(path: str) -> bool:
    """Whether the API answers there."""
    lowered = path[:7].lower()
    return lowered.startswith(PREFIXES) or path.lower() in ("/api", "/oauth")


class ApiMiddleware:
    """Normalizes the path, and turns foreign error pages into the API's error body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; only what the API answers for is touched."""
        if not is_api_path(request.path_info):
            return self.get_response(request)
        request.path_info = request.path_info.lower().rstrip("/")
        response = self.get_response(request)
        if response.status_code < 400 or getattr(response, "is_api_answer", False):
            return response
        # 413 and the like are refusals of the request; the API knows them as 400 (``api.md`` 5.2).
        status = response.status_code if response.status_code in (403, 404, 405, 410, 429, 500, 503) else 400
        if response.status_code == 410:
            status = 503  # A closed storefront: 410 means archived usages here.
        answer = error_response(request, ApiError(status))
        for name in ("Allow", "Retry-After"):
            if name in response:
                answer[name] = response[name]
        return _with_cookies(answer, response)


def _with_cookies(answer: HttpResponse, response: HttpResponseBase) -> HttpResponse:
    answer.cookies = response.cookies
    return answer


class ApiDoor:
    """Serves the calls of the API itself; all other requests go on to the middleware of pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a call at a distributor's site that is live; a reseller's site has no API."""
        if not is_api_path(request.path_info) or getattr(request, "urlconf", None) is not None:
            return self.get_response(request)
        site: Site | None = getattr(request, "site", None)
        if site is not None and site.status != SiteStatus.LIVE:
            return error_response(request, ApiError(503))
        match = resolve(request.path_info, ADDRESSES)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        response["Content-Length"] = str(len(response.content))
        response["Content-Security-Policy"] = POLICY
        response["X-Frame-Options"] = "DENY"
        return response
