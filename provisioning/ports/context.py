"""What the platform lends a connector, and the Protocol a connector fulfils."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from provisioning.ports.fields import Field
from provisioning.ports.requests import AccountData, ClientCertificate


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
    definition_marker: str
    steps: Steps
    secrets: Secrets
    budget: Budget

    def certificate(self) -> ClientCertificate | None:
        """The certificate bound to the instance, with its key; None if it has none."""

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
        ``uses_partner_id(ctx) -> bool`` (no vendor call);
        ``agreement_status(ctx, account) -> CheckResult``; ``agreement_link(ctx, country, language) -> str``;
        ``agreement_accept(ctx, account) -> Result``; ``relationship_link(ctx, account) -> str``;
        ``relationship_status(ctx, account) -> Result`` (DONE with external_id, or WAITING).
    service
        ``precheck(ctx, request) -> CheckResult``; ``create``, ``change``, ``suspend``, ``activate``, ``cancel``,
        ``lookup`` ``(ctx, request) -> Result``; ``upgrade(ctx, request) -> Result`` (``external_id`` is the target's);
        ``upgrade_options(ctx, request) -> Sequence[UpgradeOption]``;
        ``stamp(ctx, request) -> Result`` (the reseller's id on a service and its add-ons, and nothing else).
    asset
        ``asset_create``, ``asset_status``, ``asset_cancel`` ``(ctx, request: AssetRequest) -> Result``; the first and
        the last may be called again until they answer DONE or REFUSED.
    usage
        ``usage(ctx, request, month: date) -> Iterable[UsageBatch]`` (every view the service is told in).
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
