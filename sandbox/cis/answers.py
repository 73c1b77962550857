"""Shapes of CIS answers: errors, members in any casing, dates (``esd.md`` 10)."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.wire import Request, WireError

# ErrorCode: HTTP status, message. The last three are ours: the contract leaves malformed requests open.
ERRORS: dict[str, tuple[int, str]] = {
    "InvalidSku": (400, "The SKU is not known."),
    "SkuNotAvailableInCountry": (422, "The SKU is not sold in this country and currency."),
    "Discontinued": (410, "The SKU is no longer sold."),
    "OutOfStock": (409, "No licence of this SKU is available at the moment."),
    "ChannelNotAuthorized": (403, "The channel is not authorised for this country."),
    "DuplicateTransaction": (409, "The ClientTransactionId was used before with another request."),
    "AlreadyRedeemed": (409, "The token was redeemed and cannot be returned."),
    "NotReturnable": (409, "This product cannot be returned."),
    "ReturnWindowClosed": (409, "The return window is closed."),
    "AlreadyReturned": (409, "The licence was returned before."),
    "LicenseNotFound": (404, "The licence was not found."),
    "TransactionNotFound": (404, "The transaction was not found."),
    "InvalidRequest": (400, "The request is not valid."),
    "Unauthorized": (401, "The access token is missing or not valid."),
    "NotFound": (404, "Nothing is here."),
}


def problem(code: str, message: str = "", *, transaction: str | None = None, status: int = 0) -> WireError:
    """The error of a code; a code without an entry is 400."""
    known, usual = ERRORS.get(code, (400, "The request cannot be processed."))
    return WireError(status or known, {"ErrorCode": code, "Message": message or usual, "TransactionId": transaction})


def lowered(value: Any) -> Any:
    """A document with its member names in lower case, at all depths: members are read in any casing."""
    if isinstance(value, dict):
        return {str(key).lower(): lowered(item) for key, item in value.items()}
    return [lowered(item) for item in value] if isinstance(value, list) else value


def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object with lower-case names. Raises ``InvalidRequest``."""
    try:
        found = lowered(json.loads(request.body.decode("utf-8-sig") or "{}"))
    except ValueError as error:
        raise problem("InvalidRequest", f"The body is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise problem("InvalidRequest", "The body is not a JSON object.")
    return found


def text_of(body: Mapping[str, Any], name: str, longest: int = 255, *, required: bool = True) -> str:
    """A member of type text. Raises ``InvalidRequest`` where it is missing, of another type or too long."""
    value = body.get(name.lower())
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value) or len(value) > longest:
        raise problem("InvalidRequest", f"{name} must be a text of 1 to {longest} signs.", transaction=reference(body))
    return value


def guid_of(body: Mapping[str, Any], name: str) -> str:
    """A member of type uuid, in lower case. Raises ``InvalidRequest``."""
    text = text_of(body, name)
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise problem("InvalidRequest", f"{name} must be a uuid.", transaction=reference(body)) from error


def reference(body: Mapping[str, Any]) -> str | None:
    """The caller's id of a transaction, if there is one."""
    value = body.get("clienttransactionid")
    return value if isinstance(value, str) else None


def digest_of(parts: Mapping[str, Any]) -> str:
    """A mark of what a request asks for, equal for equal requests."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def stamp(moment: dt.datetime) -> str:
    """A moment as RFC 3339 in UTC, with whole seconds."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
