"""The id of the request that is being served, for logs, audit entries and error pages."""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-Id"
_WELL_FORMED = re.compile(r"^[A-Za-z0-9._-]{8,64}$")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the present request or task, or the empty string."""
    return _current.get()


class RequestIdMiddleware:
    """Takes a well-formed ``X-Request-Id`` over, or makes one, and puts it on the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request under its id."""
        given = request.headers.get(HEADER, "")
        value = given if _WELL_FORMED.match(given) else uuid.uuid4().hex
        token = _current.set(value)
        request.request_id = value  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
            response[HEADER] = value
            return response
        finally:
            _current.reset(token)
