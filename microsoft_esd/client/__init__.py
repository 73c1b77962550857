"""The only part of this app that speaks HTTP: signing, throttling and reading of CIS calls (``esd.md`` 10).

Every call is declared in ``microsoft_esd/calls.py``, its path is the instance's. An instance gets at most 60 calls a
minute and four purchases at once, shared by all workers. Neither bodies nor answers are ever logged.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from django.utils.translation import gettext as _

from core import clock
from core.http import AddressRefused, Answer, ClientPair, HttpClient, HttpError, NotSent, http_client
from microsoft_esd.calls import CALLS, Call, parse_answer
from microsoft_esd.client.settings import InstanceSettings
from microsoft_esd.client.tokens import Tokens, forget_tokens, valid_certificate
from microsoft_esd.errors import EsdError, credentials_refused, error_from_answer
from microsoft_esd.schemas.answers import ApiError, CatalogPage, Licence, Returned, Transaction, Unchanged
from provisioning.ports import Context, ErrorKind, VendorError

PATIENCE_SECONDS = 30.0
FAMILY = "esd"
UNREADABLE_REPEATS = 2
USUAL_PAUSE = 60.0
LONGEST_PAUSE = 3600.0
SINCE = "%m/%d/%Y %H:%M:%S"


class ChannelInclusion:
    """The service for one piece of work; cheap to make, holds no connection of its own."""

    def __init__(self, ctx: Context, http: HttpClient | None = None) -> None:
        self.ctx = ctx
        self.settings = InstanceSettings.read(ctx.settings)
        self.login_http = http or http_client(patience=PATIENCE_SECONDS)
        self._http = http
        self.tokens = Tokens(ctx, self.settings, self.login_http)

    def make_ready(self) -> None:
        """Have a token at hand; raises ``EsdError`` before anything is sent to the service, if there is none."""
        self.tokens.get()

    # --- The calls of the contract ---

    def catalog_page(self, number: int, *, since: dt.datetime | None = None, etag: str = "") -> tuple[Any, str]:
        """A page of the catalogue (``GET catalog``) and its etag: a :class:`CatalogPage`, or :class:`Unchanged`.

        ``since`` asks for changes only; with ``etag`` a catalogue that we know is not sent again.
        """
        query = {"lang": self.settings.language, "pg": str(number)}
        if since is not None:
            query["utcUpdatesFrom"] = since.astimezone(dt.UTC).strftime(SINCE)
        headers = {"If-None-Match": etag} if etag else {}
        found, answer = self._call("list_catalog", query=query, headers=headers)
        if not isinstance(found, CatalogPage | Unchanged):
            raise _foreign("list_catalog")
        return found, str(answer.headers.get("ETag") or "")

    def purchase(self, body: Mapping[str, Any]) -> Transaction:
        """Buy a licence (``POST purchase``); UNKNOWN if nobody can say what became of it."""
        found, _answer = self._call("purchase", body=body, place=FAMILY)
        if not isinstance(found, Transaction):
            raise _foreign("purchase")
        return found

    def transaction(self, transaction_id: str) -> Transaction | None:
        """What became of a purchase or return of ours (``GET transactions/{id}``); None if it never arrived."""
        try:
            found, _answer = self._call("get_transaction", params={"ClientTransactionId": transaction_id})
        except EsdError as error:
            if error.http_status == 404:
                return None
            raise
        if not isinstance(found, Transaction):
            raise _foreign("get_transaction")
        return found

    def licence(self, license_id: str) -> Licence:
        """How a licence stands (``GET licenses/{id}``)."""
        found, _answer = self._call("get_license", params={"LicenseId": license_id})
        if not isinstance(found, Licence):
            raise _foreign("get_license")
        return found

    def give_back(self, body: Mapping[str, Any]) -> Returned:
        """Return a licence (``POST return``); UNKNOWN if nobody can say what became of it."""
        found, _answer = self._call("return_license", body=body)
        if not isinstance(found, Returned):
            raise _foreign("return_license")
        return found

    # --- Inside ---

    def _call(
        self,
        name: str,
        *,
        params: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        place: str = "",
    ) -> tuple[object, Answer]:
        """Make a call and read its answer; an answer to a write that cannot be read leaves its outcome unknown."""
        call = CALLS[name]
        url = self._url(call, params or {}, query or {})
        for is_last in [False] * UNREADABLE_REPEATS + [True]:
            answer = self._signed(call, url, body, headers or {}, place)
            try:
                found = parse_answer(call, answer.status, answer.body)
            except VendorError as error:
                if not call.repeat_safe:
                    raise EsdError(
                        ErrorKind.UNKNOWN, error.message, code="vendor_unreachable", http_status=answer.status
                    ) from error
                if error.code != "unreadable" or is_last:
                    raise
                self.login_http.sleep(0.5)
                continue
            if isinstance(found, ApiError):
                raise error_from_answer(name, found)
            return found, answer
        raise AssertionError("unreachable: the last round returns or raises")

    def _url(self, call: Call, params: Mapping[str, str], query: Mapping[str, str]) -> str:
        """The absolute address of a call; ids are escaped whole, so that none can reach another path."""
        path = self.settings.paths[call.name].lstrip("/")
        for name, value in params.items():
            if not value or value in {".", ".."}:
                raise EsdError(
                    ErrorKind.CONTRACT,
                    _("The request lacks the id of its object. Inform the operator of this system."),
                    code="id_missing",
                )
            path = path.replace(f"{{{name}}}", quote(value, safe="-_~"))
        address = self.settings.service_url + path
        if not query:
            return address
        # A blank in a query is %20 here: a plus sign is one to some servers.
        return address + ("&" if "?" in address else "?") + urlencode(query, quote_via=quote)

    def _client(self) -> HttpClient:
        if self._http is not None or not self.settings.present_certificate:
            return self.login_http
        certificate = valid_certificate(self.ctx)
        pair = ClientPair(certificate.certificate_pem, certificate.key_pem)
        return http_client(patience=PATIENCE_SECONDS, client_pair=pair)

    def _signed(
        self, call: Call, url: str, body: Mapping[str, Any] | None, extra: Mapping[str, str], place: str
    ) -> Answer:
        """Send with a token; a refused one is replaced once."""
        for _attempt in range(2):
            headers = {
                "Authorization": f"Bearer {self.tokens.get()}",
                "Accept": "application/json",
                "client-request-id": str(uuid4()),
                **extra,
            }
            data = None
            if body is not None:
                headers["Content-Type"] = "application/json; charset=utf-8"
                # A stored body comes back with its names in another order; a repeat must be the same to the byte.
                data = json.dumps(body, sort_keys=True).encode()
            answer = self._send(call, url, headers, data, place)
            if answer.status != 401:
                self._pause_if_throttled(answer)
                return answer
            forget_tokens(self.ctx.instance_id)
        raise credentials_refused(http_status=401)

    def _send(self, call: Call, url: str, headers: Mapping[str, str], data: bytes | None, place: str) -> Answer:
        client = self._client()
        try:
            # The budget lets four at once into one place; purchases share theirs.
            with self.ctx.budget.acquire(FAMILY, place):
                return client.request(
                    call.method,
                    url,
                    headers=headers,
                    data=data,
                    repeat_safe=call.repeat_safe,
                    correlation_id=str(self.ctx.operation_id),
                )
        except HttpError as error:
            raise _from_http(error) from error

    def _pause_if_throttled(self, answer: Answer) -> None:
        seconds = retry_after(answer.headers)
        if answer.status != 429 and not (answer.status == 503 and seconds is not None):
            return
        delay = dt.timedelta(seconds=min(max(USUAL_PAUSE if seconds is None else seconds, 1.0), LONGEST_PAUSE))
        self.ctx.budget.pause(FAMILY, delay)
        raise EsdError(
            ErrorKind.THROTTLED,
            _("Microsoft asks us to wait %(seconds)s seconds.") % {"seconds": round(delay.total_seconds())},
            code="throttled",
            retry_after=delay,
            http_status=answer.status,
        )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``Retry-After`` in either form; ``None`` if absent or unreadable."""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    text = str(found).split(",")[0].strip() if str(found)[:1].isdigit() else str(found).strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return (until - clock.real_now()).total_seconds()


def _foreign(call: str) -> EsdError:
    """No answer of the contract: the table of calls and the client disagree."""
    return EsdError(
        ErrorKind.CONTRACT,
        _("Microsoft's answer to %(call)s is not readable. Inform the operator of this system.") % {"call": call},
        code="contract",
    )


def _from_http(error: HttpError) -> EsdError:
    if isinstance(error, AddressRefused):
        return EsdError(
            ErrorKind.MISCONFIGURED,
            _("The instance's address may not be called: %(reason)s") % {"reason": error},
            code="address_refused",
            field_errors={"service_url": str(error)},
        )
    if isinstance(error, NotSent):
        return EsdError(
            ErrorKind.NOT_SENT,
            _("Microsoft cannot be reached. Nothing was sent; it is tried again by itself."),
            code="vendor_unreachable",
            retry_after=dt.timedelta(minutes=1),
        )
    return EsdError(ErrorKind.UNKNOWN, _("Not confirmed yet; we are checking."), code="vendor_unreachable")
