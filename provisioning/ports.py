"""The port between the business and a vendor: plain data, one Protocol, one Context (``service-manager.md`` 16).

A connector knows its vendor's wire and nothing of our models. It receives whole desired states (absolute totals, never
deltas), answers with a :class:`Result`, and raises :class:`VendorError` for everything the vendor or the network did
instead. Money is ``Decimal`` with an ISO 4217 currency; times are aware UTC datetimes; terms and cycles are the
catalogue's words (``P1M``, ``P1Y``, ``P3Y``; ``monthly``, ``annual``, ``triennial``, ``one_time``, ``none``).
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID


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
    service it came from. For an account: ``{"domain", "admin_user"}``. ``secrets`` (such as ``admin_password``) is
    stored encrypted and shown once.
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


class FieldKind(StrEnum):
    """Kinds of setting and service-detail fields (``service-manager.md`` 5)."""

    TEXT = "text"
    MULTILINE = "multiline"
    PASSWORD = "password"  # noqa: S105 - the kind's name, not a secret
    URL = "url"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    INTEGER = "integer"
    CHECKBOX = "checkbox"
    CHOOSE_ONE = "choose_one"
    CHOOSE_MANY = "choose_many"
    CERTIFICATE = "certificate"
    LABEL = "label"
    HIDDEN = "hidden"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Field:
    """One field a connector asks for: of an instance (settings) or of an account at checkout (service details).

    ``additional`` fields (stage 2) open after the first successful save. ``show_if`` maps another field's id to the
    value that makes this one appear. ``live_check`` names a check verb (``check_domain``) run while typing.
    """

    id: str
    name: str
    kind: FieldKind = FieldKind.TEXT
    description: str = ""
    required: bool = False
    max_length: int = 255
    choices: Sequence[tuple[str, str]] = ()
    additional: bool = False
    initial: str | bool | int | Sequence[str] | None = None
    pattern: str = ""
    pattern_message: str = ""
    suffix: str = ""
    show_if: Mapping[str, str] = field(default_factory=dict)
    live_check: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; ``country`` is ISO 3166-1 alpha-2."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class AgreementAcceptance:
    """Who accepted the vendor's customer agreement, and when (``office365.md`` 5)."""

    first_name: str
    last_name: str
    email: str
    date_agreed: dt.date
    phone: str = ""


@dataclass(frozen=True, slots=True)
class AccountData:
    """The customer a service is for. ``external_id`` is empty until the vendor knows him.

    ``options`` are the values of :meth:`Connector.account_options`. ``reseller_tenant_id`` and ``mpn_id`` are given for
    an end customer of a reseller only; for personal use, affiliates and direct customers both are empty and no request
    may carry them.
    """

    id: str
    name: str
    external_id: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    tax_id: str = ""
    language: str = "en"
    first_name: str = ""
    last_name: str = ""
    address: Address = field(default_factory=Address)
    purchase_mode: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    agreement: AgreementAcceptance | None = None
    mpn_id: str = ""
    reseller_tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class AddOnLine:
    """An add-on in the desired state of a service; ``id`` is ours, ``external_id`` the vendor's once known."""

    id: str
    product_code: str
    name: str
    quantity: int
    external_id: str = ""
    term: str = ""
    billing_cycle: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What holds from the next renewal on, in absolute values: product, quantity, term and cycle."""

    product_code: str
    quantity: int
    term: str
    billing_cycle: str


@dataclass(frozen=True, slots=True)
class UpgradeOrder:
    """To which product, and how many of a service's licences, an upgrade goes; all of them, or a part."""

    product_code: str
    quantity: int
    term: str
    billing_cycle: str


@dataclass(frozen=True, slots=True)
class UpgradeOption:
    """A product the vendor would upgrade a service to; ``reason`` says why not, if it is not ``eligible`` now."""

    product_code: str
    name: str
    eligible: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """The whole desired state of one service, as every mutating call carries it.

    ``product_code`` is ``{productId}:{skuId}`` or a legacy offer id. ``confirmed_quantity`` is what the vendor last
    confirmed (0 for a create). ``created_at`` is when the operation was written: lookups search from there.
    ``schedule`` is what is to be scheduled for the renewal; None removes what is. ``upgrade`` is set for the verb
    ``upgrade`` only.
    """

    subscription_id: str
    account: AccountData
    product_code: str
    product_name: str
    quantity: int
    term: str
    billing_cycle: str
    currency: str
    created_at: dt.datetime
    external_id: str = ""
    external_order_id: str = ""
    segment: str = "commercial"
    confirmed_quantity: int = 0
    auto_renew: bool = True
    is_trial: bool = False
    addons: Sequence[AddOnLine] = ()
    parent_external_id: str = ""
    schedule: Schedule | None = None
    upgrade: UpgradeOrder | None = None


@dataclass(frozen=True, slots=True)
class PlanDef:
    """One way to buy a product: a term and a billing cycle."""

    term: str
    billing_cycle: str


@dataclass(frozen=True, slots=True)
class ProductDef:
    """A product of a service definition. ``code`` is the vendor's orderable id and the key of later runs."""

    code: str
    name: str
    description: str = ""
    charge_type: str = "recurring_prepaid"  # or recurring_pay_per_use, one_time
    unit: str = ""
    category: str = ""
    min_quantity: int = 1
    max_quantity: int | None = None
    is_addon: bool = False
    is_trial: bool = False
    qualification: str = ""  # "", Education, Nonprofit, GovernmentCommunityCloud
    segment: str = "commercial"
    plans: Sequence[PlanDef] = ()
    parents: Sequence[str] = ()
    upgrades: Sequence[str] = ()
    licence_sku_id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    update_options: frozenset[str] = frozenset({"name"})


@dataclass(frozen=True, slots=True)
class ProductTypeDef:
    """A product type with its products (``service-manager.md`` 13)."""

    id: str
    name: str
    description: str = ""
    derivative: str = "SUBSCRIPTION"
    products: Sequence[ProductDef] = ()


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """All the vendor offers through one instance; ``problems`` names products that had to be skipped, and why."""

    product_types: Sequence[ProductTypeDef]
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The vendor's price of a plan: ``cost`` is ours per unit and billing cycle, ``retail`` the recommended one."""

    product_code: str
    term: str
    billing_cycle: str
    market: str
    currency: str
    cost: Decimal
    retail: Decimal
    segment: str = "commercial"
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


class Progress(Protocol):
    """How a long read tells the person who waits; ``report`` raises :class:`Cancelled` once he pressed Cancel."""

    def report(self, done: int, total: int, text: str = "") -> None:
        """Say how far it is; ``total`` 0 means unknown."""

    def log(self, text: str) -> None:
        """Write a line for the person who waits."""


class Steps(Protocol):
    """What must survive a kill: committed at once, before the next request. Values are JSON objects."""

    def get(self, name: str) -> dict[str, Any] | None:
        """What was put under this name; None if nothing was."""

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a value under this name, replacing an earlier one."""


class Secrets(Protocol):
    """Secrets of the instance that change by themselves, such as a rotated refresh token."""

    def get(self, name: str) -> str:
        """The secret in clear; empty if there is none."""

    def swap(self, name: str, exchange: Callable[[str], str]) -> str:
        """Call ``exchange(old)`` while nobody else can, store what it returns at once, and return it."""
        ...

    def put(self, name: str, value: str) -> None:
        """Store a secret, encrypted."""


class Budget(Protocol):
    """The throttle shared by all workers of an instance."""

    def acquire(self, family: str, customer: str = "") -> AbstractContextManager[None]:
        """Hold a place while calling; raises VendorError(THROTTLED) if there is none soon."""
        ...

    def pause(self, family: str, delay: dt.timedelta) -> None:
        """Nobody calls this family for ``delay``: the vendor said so."""
        ...


class Context(Protocol):
    """What the platform lends a connector for one piece of work.

    ``operation_id`` is the idempotency key and is findable at the vendor; for reads without an operation it is a fresh
    uuid. ``settings`` are the decrypted values by field id; secrets among them must not be logged.
    """

    operation_id: UUID
    instance_id: str
    settings: Mapping[str, Any]
    language: str
    steps: Steps
    secrets: Secrets
    budget: Budget

    def now(self) -> dt.datetime:
        """The business clock, in UTC."""

    def log(self, message: str, **details: object) -> None:
        """Write a line to the operation's history; details are redacted."""


@runtime_checkable
class Connector(Protocol):
    """One vendor. ``verbs`` names the methods it really has; the platform calls and offers only those.

    Verbs by group, with their signatures (``ctx`` is a :class:`Context`):

    settings
        ``describe_settings() -> Sequence[Field]``; ``validate_settings(ctx) -> CheckResult``;
        ``test_connection(ctx) -> CheckResult``; ``consent_start(ctx, redirect_uri, state) -> str`` (URL);
        ``consent_finish(ctx, redirect_uri, form) -> CheckResult`` (stores the token through ``ctx.secrets``).
    catalogue
        ``service_definition(ctx, progress) -> ServiceDefinition``;
        ``price_sheet(ctx, progress) -> Iterable[PriceRow]``.
    account
        ``account_options(ctx, account) -> Sequence[Field]`` (no vendor call);
        ``account_exists(ctx, account) -> Result``;
        ``account_sync(ctx, account) -> Result``; ``check_domain(ctx, values) -> CheckResult``;
        ``check_address(ctx, address) -> CheckResult``; ``check_partner_id(ctx, mpn_id) -> CheckResult``;
        ``agreement_status(ctx, account) -> CheckResult``; ``agreement_link(ctx, country, language) -> str``;
        ``agreement_accept(ctx, account) -> Result``; ``relationship_link(ctx, account) -> str``;
        ``relationship_status(ctx, account) -> Result`` (DONE with external_id, or WAITING).
    service
        ``precheck(ctx, request) -> CheckResult``; ``create``, ``change``, ``suspend``, ``activate``, ``cancel``,
        ``lookup`` ``(ctx, request) -> Result``; ``upgrade(ctx, request) -> Result`` (``external_id`` is the target's);
        ``upgrade_options(ctx, request) -> Sequence[UpgradeOption]``.
    reading back
        ``read_state(ctx, request) -> Result``; ``console_link(external_id) -> str``.
    """

    code: str
    name: str
    verbs: frozenset[str]

    def describe_settings(self) -> Sequence[Field]:
        """The fields of the instance's settings form."""

    def account_options(self, ctx: Context, account: AccountData) -> Sequence[Field]:
        """What the vendor wants to know of an account at checkout; asks the vendor nothing."""


__all__ = [
    "AccountData",
    "AddOnLine",
    "Address",
    "AgreementAcceptance",
    "Budget",
    "Cancelled",
    "CheckResult",
    "Connector",
    "Context",
    "ErrorKind",
    "Field",
    "FieldKind",
    "Outcome",
    "PlanDef",
    "PriceRow",
    "ProductDef",
    "ProductTypeDef",
    "Progress",
    "Result",
    "Schedule",
    "Secrets",
    "ServiceDefinition",
    "ServiceRequest",
    "Steps",
    "UpgradeOption",
    "UpgradeOrder",
    "VendorError",
]
