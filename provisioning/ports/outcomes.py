"""What becomes of a call: outcomes, errors and answers."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of a call: the vendor did it, refuses it, is still at it, or nobody knows yet."""

    DONE = "done"
    REFUSED = "refused"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    ATTENTION = "attention"


class ErrorKind(StrEnum):
    """Why a vendor call did not end in an answer we can use (``partner-center.md`` 2.10)."""

    REFUSED = "refused"
    """The vendor understood and says no: a business error, shown in its own words."""
    UNKNOWN = "unknown"
    """The request may have had its effect: time-out or reset after sending, 5xx, unreadable 2xx."""
    NOT_SENT = "not_sent"
    """Nothing reached the vendor: connection refused, DNS failure. Safe to send again."""
    THROTTLED = "throttled"
    """The vendor (or our own budget) says later; ``retry_after`` tells when. Not executed."""
    WAITING = "waiting"
    """The vendor is still working, or reviewing; ``retry_after`` tells when to look."""
    MISCONFIGURED = "misconfigured"
    """Credentials, consent or delegation are wrong: a person must change the instance."""
    CONTRACT = "contract"
    """The answer lacks a required part, or the call is one the vendor does not know."""


class VendorError(Exception):
    """A vendor call that did not succeed. ``message`` may be shown to staff; it never holds a secret.

    ``code`` is the vendor's or ours (stable); ``flag`` names a lasting condition: ``relationship_lost``,
    ``consent_lost``, ``credentials_refused``, ``delegation_missing``, ``customer_under_review``.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        code: str = "",
        retry_after: dt.timedelta | None = None,
        http_status: int | None = None,
        flag: str = "",
        field_errors: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.retry_after = retry_after
        self.http_status = http_status
        self.flag = flag
        self.field_errors = dict(field_errors or {})


class Cancelled(Exception):
    """Somebody pressed Cancel on the background job that a long read belongs to."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a mutating verb.

    ``external_id`` is the vendor's id of the account or service (stored when DONE). ``data`` holds what the platform
    stores beside it; datetimes as ISO strings. For a service: ``{"order_id", "status", "quantity", "starts_at",
    "ends_at", "cancel_until", "auto_renew", "addons": {add-on line id: external id}, "refundable": [{"quantity",
    "until"}], "product_code", "term", "billing_cycle", "schedule": {"product_code", "quantity", "term",
    "billing_cycle"} or None}``. For an upgrade those of the target plus ``"source": {"status", "quantity"}``, the
    service it came from. For an account: ``{"domain", "admin_user"}``. For an asset: ``{"transaction_id",
    "token_status": "activated" | "redeemed" | "return_accepted", "return_status": "none" | "successful" | "rejected",
    "returnable_until", "redeemed_at", "returned_at": ISO or None, "links": [{"type": "download" | "activation",
    "description", "uri", "expires_at": ISO or None}]}`` (what was not told is left out), its key in
    ``secrets["token"]``; a perpetual one has no key and no token status, but ``{"order_id", "order_line",
    "alternate_id", "perpetual_id"}``, the last empty until the vendor has assigned it. ``secrets`` (such as
    ``admin_password``) is stored encrypted and shown once.
    """

    outcome: Outcome
    external_id: str = ""
    code: str = ""
    message: str = ""
    retry_after: dt.timedelta | None = None
    flag: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer of a check without side effect: fine or not, in words for the person who asked.

    ``field_errors`` maps a field id of :class:`Field` to its message; ``suggestions`` are whole alternatives (an
    address as a mapping); ``data`` depends on the check.
    """

    ok: bool
    code: str = ""
    message: str = ""
    field_errors: Mapping[str, str] = field(default_factory=dict)
    suggestions: Sequence[Mapping[str, str]] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
