"""The only part of this app that speaks HTTP: signing, numbering, throttling and reading of Partner Center calls.

Every call is declared in ``office365/calls.py``. Each request carries ``MS-CorrelationId`` = the operation's uuid; a
write carries ``MS-RequestId`` = uuid5(operation, "{step}:{n}"), where ``n`` counts the definite answers the step has
had and is saved before sending, so that a killed worker repeats the same id. Source: ``partner-center.md`` 2.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import SystemRandom
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4, uuid5

from django.utils.translation import gettext as _

from core import clock
from core.http import (
    AddressRefused,
    Answer,
    HttpClient,
    HttpError,
    NotSent,
    http_client,
)
from office365.calls import CALLS, USER, Call, parse_answer
from office365.client.settings import SALES_AUDIENCE, InstanceSettings
from office365.client.tokens import InstanceTokens, tokens_for
from office365.errors import PartnerCenterError, error_from_answer
from office365.schemas.common import ApiError, Collection, IdentityError, NoContent
from provisioning.ports import Context, ErrorKind, VendorError

MAX_PAGES = 10_000
UNREADABLE_REPEATS = 2
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
_random = SystemRandom()
_pauses: dict[tuple[str, str], float] = {}


class PartnerCenter:
    """Partner Center for one piece of work; cheap to make, holds no connection of its own."""

    def __init__(self, ctx: Context, http: HttpClient | None = None) -> None:
        self.ctx = ctx
        self.settings = InstanceSettings.read(ctx.settings)
        self.http = http or http_client()
        self.tokens: InstanceTokens = tokens_for(ctx.instance_id, self.settings, self.http)

    # --- Calls ---

    def call(
        self,
        name: str,
        *,
        params: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        url: str = "",
        request_id: str = "",
    ) -> Any:
        """Make a call of the table and return its typed answer.

        ``url`` replaces the table's path (the next page of a list). Raises ``VendorError`` for everything but a 2xx; an
        answer that is no answer to a write (unreadable, cut off) is ``UNKNOWN``.
        """
        call = CALLS[name]
        address = url or self.url_of(call, params or {}, query or {})
        for attempt in range(UNREADABLE_REPEATS + 1):
            answer = self._signed(call, address, body, headers or {}, params or {}, request_id)
            try:
                return self._read(call, answer)
            except VendorError as error:
                if error.kind is not ErrorKind.CONTRACT or not 200 <= answer.status < 300:
                    raise
                if not call.repeat_safe or error.code == "unreadable":
                    if call.repeat_safe and attempt < UNREADABLE_REPEATS:
                        self.http.sleep(FIRST_PAUSE / 10)
                        continue
                    raise _unknown(error.message, answer.status) from error
                raise
        raise AssertionError("unreachable: the last round returns or raises")

    def write(
        self,
        name: str,
        step: str,
        *,
        params: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        etag: str = "",
        save: Callable[[Any], None] | None = None,
    ) -> Any:
        """A write that survives a kill: its number is saved before sending, ``save`` runs before the number moves on.

        The number moves on after a definite answer only. The same step with another body gets a new number, since one
        id must not stand for two contents.
        """
        key = f"request:{step}"
        digest = hashlib.sha256(json.dumps([params, query, body], sort_keys=True, default=str).encode()).hexdigest()
        saved = self.ctx.steps.get(key) or {}
        number = int(saved.get("n", 0))
        if saved.get("digest") not in (None, digest):
            number += 1
        self.ctx.steps.put(key, {"n": number, "digest": digest})
        request_id = str(uuid5(self.ctx.operation_id, f"{step}:{number}"))
        headers = {"If-Match": quoted_etag(etag)} if etag else {}
        try:
            answer = self.call(name, params=params, query=query, body=body, headers=headers, request_id=request_id)
        except VendorError as error:
            if is_definite(error):
                self.ctx.steps.put(key, {"n": number + 1})
            raise
        if save is not None:
            save(answer)
        self.ctx.steps.put(key, {"n": number + 1})
        return answer

    def renumber(self, step: str) -> None:
        """Give the step's next request a new id: the old one is known to have had no effect."""
        saved = self.ctx.steps.get(f"request:{step}") or {}
        self.ctx.steps.put(f"request:{step}", {"n": int(saved.get("n", 0)) + 1})

    # --- Lists ---

    def pages(
        self, name: str, *, params: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
    ) -> Iterator[Collection[Any]]:
        """All pages of a list, by links, by continuation token or by offset (``partner-center.md`` 2.4)."""
        first = self.url_of(CALLS[name], params or {}, query or {})
        url, headers = first, dict[str, str]()
        by_offset = "offset" in (query or {})
        seen: set[tuple[str, str]] = set()
        rows = 0
        for number in range(MAX_PAGES + 1):
            mark = (url.partition("?")[2] if by_offset else "", _token_of(headers) or url)
            if mark in seen or number == MAX_PAGES:
                raise PartnerCenterError(
                    ErrorKind.CONTRACT,
                    _("Microsoft's list does not come to an end. Try again later."),
                    code="paging_loop",
                )
            seen.add(mark)
            page = self.call(name, params=params, headers=headers, url=url)
            if isinstance(page, NoContent):
                raise PartnerCenterError(
                    ErrorKind.WAITING,
                    _("Microsoft has not finished the list yet."),
                    code="not_ready",
                    retry_after=dt.timedelta(minutes=1),
                )
            yield page
            rows += page.raw_count
            if page.next_link is not None:
                url, headers = self.resolve_link(page.next_link.uri), dict(page.next_link.headers)
            elif page.continuation_token:
                url = first + ("&" if "?" in first else "?") + "seekOperation=Next"
                headers = {"MS-ContinuationToken": page.continuation_token}
            elif by_offset and page.raw_count:
                url = self.url_of(CALLS[name], params or {}, {**(query or {}), "offset": str(rows)})
            else:
                return

    def collect(
        self, name: str, *, params: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
    ) -> Collection[Any]:
        """All rows of a list as one collection, with the rows that could not be read as problems."""
        items: list[Any] = []
        problems: list[str] = []
        for page in self.pages(name, params=params, query=query):
            items += page.items
            problems += page.problems
        return Collection(tuple(items), len(items), problems=tuple(problems), raw_count=len(items) + len(problems))

    def resolve_link(self, uri: str) -> str:
        """The absolute address of a link in any of its forms; a foreign host is refused (2.3)."""
        base = urlsplit(self.settings.api_url)
        parts = urlsplit(uri)
        if (parts.scheme or parts.netloc) and (parts.scheme or base.scheme, parts.netloc.lower()) != (
            base.scheme,
            base.netloc.lower(),
        ):
            raise PartnerCenterError(
                ErrorKind.CONTRACT,
                _("Microsoft's answer leads to a foreign host. Inform the operator of this system."),
                code="foreign_link",
            )
        path = parts.path
        if parts.netloc and base.path and path.lower().startswith(base.path.lower() + "/"):
            path = path[len(base.path) :]
        path = re.sub(r"^/*(v1/)?", "", path, flags=re.IGNORECASE)
        return f"{self.settings.api_url}/v1/{path}" + (f"?{parts.query}" if parts.query else "")

    # --- Downloads ---

    def download(self, name: str, target: Path, *, view: str, query: Mapping[str, str] | None = None) -> None:
        """Stream the answer of a call to a file (price sheets)."""
        call = CALLS[name]
        address = f"{self.settings.sales_url}/{call.path.replace('{view}', view)}"
        if query:
            address += "?" + urlencode(query)
        for is_last in (False, True):
            headers = self._headers(call, {"client-request-id": str(uuid4())}, "")
            headers["Accept"] = "*/*"
            try:
                with self.ctx.budget.acquire(call.family):
                    answer = self.http.download(address, target, headers=headers)
            except HttpError as error:
                raise _from_http(error) from error
            if answer.status == 200:
                return
            if answer.status != 401 or is_last:
                self._read(call, answer)
            self.tokens.forget()

    # --- Inside ---

    def url_of(self, call: Call, params: Mapping[str, str], query: Mapping[str, str]) -> str:
        """The absolute address of a call; parameters are escaped whole, so that none can reach another path."""
        path = call.path
        for name in call.parameters:
            value = str(params[name])
            if not value or value in {".", ".."}:
                raise PartnerCenterError(
                    ErrorKind.CONTRACT,
                    _("The request lacks the id of its object. Inform the operator of this system."),
                    code="id_missing",
                )
            path = path.replace(f"{{{name}}}", quote(value, safe=":.$-_~"))
        return f"{self.settings.api_url}/v1/{path}" + (f"?{urlencode(query)}" if query else "")

    def _headers(self, call: Call, extra: Mapping[str, str], request_id: str) -> dict[str, str]:
        if call.base == "sales":
            token = self.tokens.user_token(self.ctx, f"{SALES_AUDIENCE}/.default")
        elif call.token == USER:
            token = self.tokens.user_token(self.ctx, f"{self.settings.resource}/user_impersonation")
        else:
            token = self.tokens.application_token()
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "MS-RequestId": request_id or str(uuid4()),
            "MS-CorrelationId": str(self.ctx.operation_id),
            "X-Locale": self.settings.language if call.family == "catalogue" else "en-US",
            **extra,
        }

    def _signed(
        self,
        call: Call,
        url: str,
        body: Any,
        extra: Mapping[str, str],
        params: Mapping[str, str],
        request_id: str,
    ) -> Answer:
        for is_last in (False, True):
            headers = self._headers(call, extra, request_id)
            data = None
            if body is not None:
                headers["Content-Type"] = "application/json"
                # A stored body comes back with its keys in another order; a repeat must be the same to the byte.
                data = json.dumps(body, default=_plain_number, sort_keys=True).encode()
            try:
                with self.ctx.budget.acquire(call.family, params.get("customer", "")):
                    answer = self.http.request(
                        call.method,
                        url,
                        headers=headers,
                        data=data,
                        repeat_safe=call.repeat_safe,
                        correlation_id=str(self.ctx.operation_id),
                    )
            except HttpError as error:
                raise _from_http(error) from error
            if answer.status != 401 or is_last:
                break
            self.tokens.forget()
        self._pause_if_throttled(call, answer)
        return answer

    def _read(self, call: Call, answer: Answer) -> Any:
        result = parse_answer(call, answer.status, answer.body)
        if isinstance(result, IdentityError):
            result = ApiError(answer.status, code="", message=result.description or result.error)
        if isinstance(result, ApiError):
            if result.status < 400:
                # A redirect is an answer nobody documented; following it could leave Microsoft's host.
                raise PartnerCenterError(
                    ErrorKind.CONTRACT,
                    _("Microsoft answered %(call)s with HTTP %(status)s. Inform the operator of this system.")
                    % {"call": call.name, "status": result.status},
                    code="contract",
                    http_status=result.status,
                )
            raise error_from_answer(call.name, result, writes=not call.repeat_safe)
        return result

    def _pause_if_throttled(self, call: Call, answer: Answer) -> None:
        key = (self.ctx.instance_id, call.family)
        has_retry = "retry-after" in {name.lower() for name in answer.headers}
        if answer.status != 429 and not (answer.status == 503 and has_retry):
            _pauses.pop(key, None)
            return
        seconds = retry_after(answer.headers)
        if seconds is None:
            seconds = _pauses.get(key, FIRST_PAUSE)
            _pauses[key] = min(seconds * 2, LONGEST_PAUSE)
            # A jitter upwards keeps workers from returning all at once; never earlier than asked.
            seconds *= 1 + _random.uniform(0, 0.2)
        delay = dt.timedelta(seconds=seconds)
        self.ctx.budget.pause(call.family, delay)
        raise PartnerCenterError(
            ErrorKind.THROTTLED,
            _("Microsoft asks us to wait %(seconds)s seconds.") % {"seconds": round(seconds)},
            code="throttled",
            retry_after=delay,
            http_status=answer.status,
        )


def is_definite(error: VendorError) -> bool:
    """Whether an error proves what became of the request: then the next one gets a new id (2.6)."""
    if error.code == "in_progress" or error.http_status in {None, 401}:
        return False
    return error.kind in {ErrorKind.REFUSED, ErrorKind.CONTRACT, ErrorKind.MISCONFIGURED, ErrorKind.WAITING}


def quoted_etag(etag: str) -> str:
    """An etag with exactly one pair of quotes (2.5); weak and quoted ones go as they are."""
    if etag.startswith(("W/", '"')):
        return etag
    return f'"{etag}"'


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``Retry-After`` in either form; ``None`` if absent or unreadable."""
    lowered = {name.lower(): value for name, value in headers.items()}
    value = str(lowered.get("retry-after") or "").strip()
    if value[:1].isdigit():
        # A doubled header arrives as "57, 57".
        value = value.split(",")[0].strip()
    if not value:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        base = parsedate_to_datetime(lowered["date"]) if lowered.get("date") else clock.real_now()
    except (TypeError, ValueError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    if base.tzinfo is None:
        base = base.replace(tzinfo=dt.UTC)
    return max((until - base).total_seconds(), 1.0)


def _plain_number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} cannot be sent")
    return int(value) if value == value.to_integral_value() else float(value)


def _token_of(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "ms-continuationtoken"), "")


def _unknown(message: str, status: int) -> PartnerCenterError:
    return PartnerCenterError(ErrorKind.UNKNOWN, message, code="vendor_unreachable", http_status=status)


def _from_http(error: HttpError) -> PartnerCenterError:
    if isinstance(error, AddressRefused):
        return PartnerCenterError(
            ErrorKind.MISCONFIGURED,
            _("The instance's address may not be called: %(reason)s") % {"reason": error},
            code="address_refused",
        )
    if isinstance(error, NotSent):
        return PartnerCenterError(
            ErrorKind.NOT_SENT,
            _("Microsoft cannot be reached. Nothing was sent; it is tried again by itself."),
            code="vendor_unreachable",
            retry_after=dt.timedelta(minutes=1),
        )
    return PartnerCenterError(ErrorKind.UNKNOWN, _("Not confirmed yet; we are checking."), code="vendor_unreachable")
