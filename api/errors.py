"""One error body for every reader and every layer (``api.md`` 5): stable type and code, plain English, request id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters
from django.utils.translation import override

from api.contract import known_members
from api.wire import dumps
from core.errors import BusinessError, NotVisible, PermissionRefused
from core.request_id import current_request_id

PROBLEM = "application/problem+json"
JSON = "application/json"
VARY = "Authorization, Accept, X-Api-Version"
CACHING = "private, no-cache"
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    412: "Precondition failed",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Server error",
    503: "Unavailable",
}
TYPES = {
    400: "InvalidRequestError",
    401: "AuthenticationError",
    403: "ForbiddenError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    409: "ConflictError",
    410: "UsageArchivedError",
    412: "PreconditionFailedError",
    415: "UnsupportedMediaTypeError",
    429: "RateLimitError",
    500: "ServerError",
    503: "UnavailableError",
}
CODES = {
    400: "invalid_request",
    401: "token_missing",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    410: "gone",
    412: "etag_mismatch",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limit_reached",
    500: "internal_error",
    503: "unavailable",
}
MESSAGES = {
    404: "There is nothing at this address.",
    500: "Something went wrong here. Quote the request id.",
    503: "Temporarily unavailable. Try again later.",
}


@dataclass
class ApiError(Exception):
    """A refusal on the wire. ``type`` is the contract's error name, ``code`` the stable reason within it."""

    status: int
    code: str = ""
    message: str = ""
    type: str = ""
    retriable: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, str]] = ()
    entity: tuple[str, str, str] | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.code}"


def invalid(parameter: str, message: str, code: str = "invalid_parameter") -> ApiError:
    """400 for a parameter of the query, path or header."""
    culprit = {"code": code, "detail": message, "parameter": parameter}
    return ApiError(400, code, message, errors=[culprit])


def invalid_body(pointer: str, message: str, code: str = "validation_failed") -> ApiError:
    """400 for a member of the body, named by its JSON pointer."""
    return ApiError(400, code, message, errors=[{"code": code, "detail": message, "pointer": pointer}])


def of_business_error(
    error: BusinessError, *, type: str = "BusinessRuleError", pointers: Mapping[str, str] | None = None
) -> ApiError:
    """A rule's refusal on the wire: 403 and 404 as they are, everything else 400 with the typed error of the call.

    ``pointers`` names the member of the body for each field that a rule can blame. A field that stands neither there
    nor, as a name, in the contract is a name of ours and blames no member.
    """
    with override("en"):
        message = str(error.message)
    if isinstance(error, PermissionRefused):
        return ApiError(403, error.code, message)
    if isinstance(error, NotVisible):
        return ApiError(404, error.code, message)
    where = (pointers or {}).get(error.field, f"/{error.field}" if error.field.lower() in known_members() else "")
    culprits = [{"code": error.code, "detail": message, "pointer": where}] if where else []
    return ApiError(400, error.code, message, type=type, errors=culprits)


def wants_problem(accept: str) -> bool:
    """Whether ``application/problem+json`` is named with a q not below that of ``application/json``."""
    qualities: dict[str, float] = {}
    for part in accept.split(","):
        kind, parameters = parse_header_parameters(part.strip())
        try:
            qualities[kind.lower()] = float(parameters.get("q", "1"))
        except ValueError:
            qualities[kind.lower()] = 0.0
    problem = qualities.get(PROBLEM, 0.0)
    return problem > 0 and problem >= qualities.get(JSON, 0.0)


def error_body(request: HttpRequest, error: ApiError, *, problem: bool) -> dict[str, object]:
    """The ten members, and what the error has besides."""
    name = error.type or TYPES.get(error.status, "InvalidRequestError")
    message = error.message or MESSAGES.get(error.status, TITLES.get(error.status, "Refused"))
    body: dict[str, object] = {
        "type": f"{request.scheme}://{_host(request)}/apidocs/errors#{name}" if problem else name,
        "code": error.code or CODES.get(error.status, "invalid_request"),
        "developerMessage": message,
        "isRetriableError": error.retriable or error.status in (429, 500, 503),
    }
    if error.entity is not None:
        body.update(zip(("entity", "property", "value"), error.entity, strict=True))
    if getattr(request, "compatible_only", False):
        return body
    body.update(
        message=message,
        title=TITLES.get(error.status, "Refused"),
        status=error.status,
        detail=message,
        instance=request.path,
        requestId=current_request_id(),
    )
    if error.errors:
        body["errors"] = [dict(item) for item in error.errors]
    return body


def _host(request: HttpRequest) -> str:
    """The host as asked; a request that was refused for its host has none worth repeating."""
    site = getattr(request, "site", None)
    return request.get_host() if site is not None else "localhost"


def error_response(request: HttpRequest, error: ApiError) -> HttpResponse:
    """The answer of an error, in the type the caller asked for."""
    problem = wants_problem(request.headers.get("Accept", ""))
    response = HttpResponse(
        dumps(error_body(request, error, problem=problem)),
        content_type=PROBLEM if problem else JSON,
        status=error.status,
    )
    response["Vary"], response["Cache-Control"] = VARY, CACHING
    for name, value in error.headers.items():
        response[name] = value
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="api"'
    if error.status == 503 and "Retry-After" not in response:
        response["Retry-After"] = "30"
    response.is_api_answer = True  # type: ignore[attr-defined]
    return response
