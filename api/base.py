"""The frame of every call: token, version, limits, rights, then the handler; errors, headers and repeats in one place.

The order of the checks is the contract's (4.1), so that a missing right never tells whether an object exists.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, cast
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.utils.translation import override
from rest_framework.exceptions import APIException
from rest_framework.exceptions import MethodNotAllowed as RestMethodNotAllowed
from rest_framework.request import Request
from rest_framework.views import APIView

from api.contract import known_options, without_ours
from api.errors import CACHING, JSON, VARY, ApiError, error_response, invalid, of_business_error
from api.limits import Allowance, demand_allowance
from api.wire import BadJson, dumps, loads
from clients.scopes import Right
from clients.selectors import Caller, caller_of, counts_still, token_of
from clients.services.clients import note_use
from clients.services.replies import ReplyInProgress, ReplyOfAnother, claim_reply, keep_reply, kept_body, release_reply
from core import clock
from core.errors import BusinessError
from core.request_id import current_request_id
from core.statement_limit import was_stopped
from resellers.models import Organization, Site

TOO_LONG = "This took too long and was stopped. Ask for less, for example with a filter, or try again later."
logger = logging.getLogger(__name__)
VERSION = "3.0"
VERSIONS = {"3": VERSION, "3.0": VERSION, "latest": VERSION}
SAFE = ("GET", "HEAD", "OPTIONS")
INT32 = 2**31 - 1


class ApiView(APIView):
    """A call, or several on one path. ``rights`` says what each method needs; what is not declared does not exist.

    ``refusal_type`` is the contract's typed error for what the services refuse with 400. ``schema`` is the name of the
    answer's schema, by which members are left out for callers that want compatible ones alone. ``tells_secret`` keeps
    the answers to repeats encrypted. ``pointers`` names the members of the body behind the fields that services blame.
    ``staff_remarks`` says by method what the distributor's document tells besides.
    """

    rights: ClassVar[dict[str, Right]] = {}
    refusal_type: ClassVar[str] = "BusinessRuleError"
    answers: ClassVar[str] = ""
    body_types: ClassVar[tuple[str, ...]] = (JSON,)
    tells_secret: ClassVar[bool] = False
    pointers: Mapping[str, str] = MappingProxyType({})
    staff_remarks: ClassVar[Mapping[str, str]] = MappingProxyType({})
    caller: Caller
    raw: HttpRequest
    allowance: Allowance | None = None
    query: dict[str, str]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Everything that comes before the handler is looked up."""
        self.raw = request._request
        self.caller = self._caller()
        self._check_version()
        writes = self.raw.method not in SAFE
        self.allowance = demand_allowance(self.caller.client.pk, self.caller.client.organization_id, writes=writes)
        note_use(self.caller.client)
        known = self.rights.get("GET" if self.raw.method == "HEAD" else str(self.raw.method))
        self.demand(known or next(iter(self.rights.values())))
        if known is None:
            self.http_method_not_allowed(request)
        self.query = self._query()

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """405 with the methods there are."""
        allowed = ", ".join([*self.rights, *(["HEAD"] if "GET" in self.rights else [])])
        raise ApiError(405, "method_not_allowed", f"This address takes {allowed}.", headers={"Allow": allowed})

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Serve the call in plain English, whatever languages the site speaks."""
        with override("en"):
            return cast(HttpResponse, super().dispatch(request, *args, **kwargs))

    def head(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """As GET; the server leaves the body out."""
        handler: Callable[..., HttpResponse] = getattr(self, "get")  # noqa: B009 - not every call has it
        return handler(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """Every failure in the one error body; what is no refusal is a bug, logged, and told as 500."""
        request = getattr(self, "raw", None) or self.request._request
        error = self._as_error(exc)
        if error.status >= 500:
            logger.error("call of the API failed", exc_info=exc)
        return error_response(request, error)

    def finalize_response(self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """The header fields that every answer has."""
        response.is_api_answer = True  # type: ignore[attr-defined]
        response["X-Api-Version"] = VERSION
        response["Vary"] = VARY
        response.setdefault("Cache-Control", CACHING)
        if self.allowance is not None:
            for name, value in self.allowance.headers.items():
                response.setdefault(name, value)
        return response

    # --- rights -------------------------------------------------------------------------------------------------------
    def demand(self, right: Right) -> None:
        """Raise 403 unless edition, switch and scope allow the call."""
        code = self.caller.refusal_of(right)
        if code:
            whose = "is not for resellers" if right.staff_only else "was not opened to resellers by your distributor"
            messages = {
                "edition_required": "Your reseller plan does not include this call.",
                "not_enabled": f"This call {whose}.",
                "scope_missing": f"The token lacks the scope {right.scope.value}.",
            }
            raise ApiError(403, code, messages[code])

    def may(self, right: Right) -> bool:
        """Whether the caller may, for members that are left out otherwise."""
        return not self.caller.refusal_of(right)

    def _caller(self) -> Caller:
        kind, _blank, token = self.raw.headers.get("Authorization", "").partition(" ")
        if not token:
            raise ApiError(401, "token_missing", "Send an access token: Authorization: Bearer ...")
        organization: Organization | None = getattr(self.raw, "organization", None)
        found = None
        if kind.lower() == "bearer" and organization is not None and len(token) <= 200 and token.isascii():
            found = token_of(token.strip(), organization.pk)
        if found is None or not counts_still(found):
            raise ApiError(401, "token_invalid", "This access token does not exist, or was revoked.")
        if found.expires_at <= clock.real_now():
            raise ApiError(401, "token_expired", "This access token is over. Fetch another.")
        self.raw.compatible_only = found.client.compatible_only  # type: ignore[attr-defined]
        self.raw.requires_version = found.requires_version  # type: ignore[attr-defined]
        site: Site | None = getattr(self.raw, "site", None)
        ip = self.raw.META.get("REMOTE_ADDR", "")
        return caller_of(found, site_id=site.pk if site else None, ip=ip, request_id=current_request_id())

    def _check_version(self) -> None:
        asked = self.raw.headers.get("X-Api-Version")
        if asked is not None:
            if asked.strip().lower() not in VERSIONS:
                raise invalid("X-Api-Version", "The version is one of 3, 3.0, latest.", "unsupported_api_version")
        elif self.raw.requires_version:  # type: ignore[attr-defined]
            raise invalid("X-Api-Version", "Name the version: X-Api-Version: 3.0.", "missing_api_version")

    def _query(self) -> dict[str, str]:
        """The query by names in lower case; a known name twice is refused, for one of the two would be ignored."""
        found: dict[str, str] = {}
        for name, values in self.raw.GET.lists():
            key = name.lower()
            if (key in found or len(values) > 1) and (key in known_options() or key.startswith("$")):
                raise invalid(name[:60], f"'{name[:60]}' stands in the address twice.")
            if "\x00" in values[0]:
                raise invalid(name[:60], "A null character is nowhere allowed.")
            found[key] = values[0]
        self.demand_options(found)
        return found

    query_options: ClassVar[frozenset[str]] = frozenset()

    def demand_options(self, query: dict[str, str]) -> None:
        """Raise 400 for a name with ``$`` that this call does not know."""
        unknown = [name for name in query if name.startswith("$") and name not in self.query_options]
        if unknown:
            raise invalid(unknown[0][:60], f"'{unknown[0][:60]}' is not supported here.", "unsupported_option")

    # --- reading ------------------------------------------------------------------------------------------------------
    def guid(self, name: str, text: str) -> UUID:
        """A GUID of the path; a malformed one is 400, whatever exists."""
        try:
            if len(text) != 36:
                raise ValueError
            return UUID(text)
        except ValueError:
            raise invalid(name, f"{name} is a GUID.") from None

    def number(self, name: str, text: str) -> int:
        """An int32 of the path."""
        if not text.isascii() or not text.isdigit() or int(text[:11]) > INT32 or len(text) > 10:
            raise invalid(name, f"{name} is a whole number.")
        return int(text)

    def body(self) -> Any:
        """The JSON body; 415 for another type, 400 for what is no JSON."""
        kind = (self.raw.content_type or "").lower()
        if kind not in self.body_types:
            raise ApiError(415, "unsupported_media_type", "Send the body as application/json.")
        if self.raw.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ApiError(415, "unsupported_media_type", "Send the body without a Content-Encoding.")
        try:
            return loads(self.text())
        except (BadJson, RawPostDataException) as error:
            raise ApiError(400, "invalid_body", str(error)) from None

    def text(self) -> bytes:
        """The body as it came; 400 for one that the server does not even take in."""
        try:
            return self.raw.body
        except RequestDataTooBig:
            raise ApiError(400, "invalid_body", "The body is larger than 1 MiB.") from None

    # --- answering ----------------------------------------------------------------------------------------------------
    def answer(self, value: Any, *, status: int = 200, location: str = "", schema: str = "") -> HttpResponse:
        """The value as JSON, in the caller's form of numbers and without members he cannot read."""
        if self.caller.client.compatible_only:
            value = without_ours(schema or self.answers, value)
        accept = self.raw.headers.get("Accept", "").lower().replace(" ", "")
        text = dumps(value, decimals_as_text="ieee754compatible=true" in accept)
        response = HttpResponse(text, content_type=JSON, status=status)
        if location:
            response["Location"] = location
        return response

    def tagged(self, value: Any) -> HttpResponse:
        """The value with a strong ETag over what this caller sees; 304 if he has it already."""
        response = self.answer(value)
        tag = '"' + hashlib.sha256(response.content).hexdigest()[:32] + '"'
        asked = self.raw.headers.get("If-None-Match", "")
        if asked and (asked.strip() == "*" or tag in [item.strip().removeprefix("W/") for item in asked.split(",")]):
            response = HttpResponse(status=304)
            del response["Content-Type"]  # It would tell the type of the page that is not sent.
        response["ETag"] = tag
        return response

    def once(self, act: Callable[[], HttpResponse]) -> HttpResponse:
        """Run a write in one transaction; with an ``Idempotency-Key`` a repeat gets the first answer again."""
        key = self.raw.headers.get("Idempotency-Key", "")
        if not key:
            with transaction.atomic():
                return act()
        if not (1 <= len(key) <= 255) or not all(" " <= character <= "~" for character in key):
            raise invalid("Idempotency-Key", "The key has 1 to 255 printable characters.")
        path, method = self.raw.path_info[:500], str(self.raw.method)
        digest = hashlib.sha256(self.text()).hexdigest()
        try:
            row = claim_reply(self.caller.client, key=key, method=method, path=path, digest=digest)
        except ReplyInProgress as error:
            wait = {"Retry-After": str(error.seconds)}
            message = "The first call with this key is still at work."
            raise ApiError(409, "idempotency_in_progress", message, retriable=True, headers=wait) from None
        except ReplyOfAnother:
            raise ApiError(409, "idempotency_key_reused", "This key was used for another body.") from None
        if row.status:
            return _again(row.status, kept_body(row), row.location)
        return self._first_time(act, row)

    def _first_time(self, act: Callable[[], HttpResponse], row: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                response = act()
                body = response.content.decode()
                where = response.get("Location", "")
                keep_reply(row, status=response.status_code, body=body, location=where, is_secret=self.tells_secret)
                return response
        except Exception as error:
            refused = self._as_error(error)
            if refused.status in (400, 404):
                response = error_response(self.raw, refused)
                keep_reply(row, status=refused.status, body=response.content.decode(), location="")
                return response
            release_reply(row)
            raise

    def _as_error(self, exc: Exception) -> ApiError:
        if isinstance(exc, ApiError):
            return exc
        if isinstance(exc, BusinessError):
            return of_business_error(exc, type=self.refusal_type, pointers=self.pointers)
        if isinstance(exc, Http404):
            return ApiError(404)
        if isinstance(exc, RestMethodNotAllowed | APIException):
            return ApiError(exc.status_code if exc.status_code in (400, 401, 403, 404, 405, 415, 429) else 400)
        if was_stopped(exc):
            return ApiError(503, "took_too_long", TOO_LONG, retriable=True, headers={"Retry-After": "30"})
        return ApiError(500)


def _again(status: int, body: str, location: str) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=JSON if body else None)
    if location:
        response["Location"] = location
    response["Idempotency-Replayed"] = "true"
    return response
