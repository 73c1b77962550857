"""What needs a hand first: the widgets of the overview, in the order in which they matter (``channel.md`` 13).

One statement says how many rows each has, and only what is not empty is read: its rows join up to a dozen tables. One
that fails says so and leaves the others.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import DatabaseError
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.counting import count_many
from core.statement_limit import was_stopped
from core.tenancy import Actor
from core.words import stored_words
from orders.enums import OrderStatus
from orders.selectors import orders_for, waits_for
from sso.selectors import pending_registrations
from subscriptions.asset_selectors import pending_returns, without_keys
from subscriptions.selectors import desk_operations, ending_without_renewal, failed_schedules, pending_requests
from ui.tones import DANGER, WARNING, tone_of
from users.permissions import Perm
from vendors.models import ConsentState
from vendors.selectors import certificates_that_expire, instances_in_trouble
from vendors.validity import Validity

logger = logging.getLogger(__name__)
ROWS = 5
T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """One row of a widget: what it says, where it leads, its state with its tone, and since or until when."""

    label: str
    sub: str
    url: str
    state: str
    tone: str
    at: dt.datetime | None


@dataclass(frozen=True)
class Kind:
    """A widget as declared: whom it is for, which rows it shows, newest or most urgent first, and how."""

    name: str
    title: Any
    icon: str
    perm: str
    rows: Callable[[Actor], QuerySet[Any]]
    line: Callable[[Any], Line]
    page: str
    query: str = ""

    @property
    def url(self) -> str:
        """The list behind it."""
        return reverse(self.page) + self.query


@dataclass(frozen=True)
class Widget:
    """A widget as shown; ``is_broken``: its rows could not be read."""

    name: str
    title: str
    icon: str
    url: str
    count: int
    lines: Sequence[Line]
    is_broken: bool = False


def _operation(row: Any) -> Line:
    url = reverse("bss:operation_detail", args=[row.public_id])
    sub = f"{row.account.name} · {stored_words(row.message)}"
    return Line(str(row), sub, url, row.get_state_display(), tone_of(row.state), row.created_at)


def _request(row: Any) -> Line:
    url = reverse("bss:request_detail", args=[row.public_id])
    sub = f"{row.subscription.account.name} · {row.requested_by}"
    return Line(str(row), sub, url, row.get_status_display(), tone_of(row.status), row.created_at)


def _return(row: Any) -> Line:
    url = reverse("bss:return_detail", args=[row.public_id])
    sub = f"{row.asset.account.name} · {row.requested_by}"
    return Line(str(row), sub, url, row.get_status_display(), tone_of(row.status), row.created_at)


def _registration(row: Any) -> Line:
    url = reverse("bss:registration_detail", args=[row.public_id])
    return Line(str(row), f"{row.person} · {row.email}", url, row.get_state_display(), WARNING, row.submitted_at)


def _keyless(row: Any) -> Line:
    url = reverse("bss:asset_add_keys", args=[row.public_id])
    sub = f"{row.account.name} · {row.quantity} × {row.order_number}"
    return Line(row.name, sub, url, _("Keys missing"), WARNING, row.activated_at)


def _order(row: Any) -> Line:
    url = reverse("bss:order_detail", args=[row.public_id])
    state = _("waits for: %(what)s") % {"what": waits_for(row)}
    return Line(row.number, row.account.name, url, state, WARNING, row.placed_at)


def _instance(row: Any) -> Line:
    url = reverse("bss:instance_detail", args=[row.public_id])
    words = _("Consent lost") if row.consent == ConsentState.LOST else _("Credentials refused")
    return Line(row.system_name, row.application.name, url, words, DANGER, row.credentials_refused_at or row.consent_at)


def _certificate(row: Any) -> Line:
    url = reverse("bss:certificate_detail", args=[row.public_id])
    life = Validity(row.life)
    return Line(row.label, row.used_by or row.host_name, url, str(life.label), tone_of(life), row.valid_to)


def _schedule(row: Any) -> Line:
    url = reverse("bss:subscription_detail", args=[row.subscription.public_id])
    sub = f"{row.subscription.account.name} · {row.note}"
    return Line(str(row), sub, url, row.get_status_display(), tone_of(row.status), row.decided_at)


def _ending(row: Any) -> Line:
    url = reverse("bss:subscription_detail", args=[row.public_id])
    sub = f"{row.account.name} · {row.quantity} × {row.plan.label}"
    return Line(row.name, sub, url, _("Does not renew"), WARNING, row.term_ends_at)


KINDS = (
    Kind(
        "desk",
        gettext_lazy("Operations in attention"),
        "lifebuoy",
        Perm.OPERATION_VIEW,
        lambda actor: desk_operations(actor).order_by("-id"),
        _operation,
        "bss:operation_list",
    ),
    Kind(
        "requests",
        gettext_lazy("Pending subscription cancellation requests"),
        "cross-circle",
        Perm.BSS_VIEW,
        lambda actor: pending_requests(actor).order_by("-id"),
        _request,
        "bss:request_list",
        "?status=submitted",
    ),
    Kind(
        "returns",
        gettext_lazy("Licences that customers want to return"),
        "key",
        Perm.BSS_VIEW,
        lambda actor: pending_returns(actor).order_by("-id"),
        _return,
        "bss:return_list",
        "?status=submitted",
    ),
    Kind(
        "registrations",
        gettext_lazy("Registrations that wait for a decision"),
        "users",
        Perm.ACCOUNT_EDIT,
        lambda actor: pending_registrations(actor).order_by("-id"),
        _registration,
        "bss:registration_list",
        "?state=pending",
    ),
    Kind(
        "keys",
        gettext_lazy("Keys to enter"),
        "key",
        Perm.SERVICE_MANAGE,
        without_keys,
        _keyless,
        "bss:asset_list",
        "?keys=missing",
    ),
    Kind(
        "orders",
        gettext_lazy("Orders for manual management"),
        "receipt",
        Perm.BSS_VIEW,
        lambda actor: orders_for(actor).filter(status=OrderStatus.SUBMITTED),
        _order,
        "bss:order_list",
        "?status=submitted",
    ),
    Kind(
        "instances",
        gettext_lazy("Vendors that do not let us in"),
        "plug",
        Perm.INSTANCE_VIEW,
        instances_in_trouble,
        _instance,
        "bss:instance_list",
    ),
    Kind(
        "certificates",
        gettext_lazy("Certificates that expire"),
        "shield",
        Perm.CERTIFICATE_MANAGE,
        certificates_that_expire,
        _certificate,
        "bss:certificate_list",
    ),
    Kind(
        "schedules",
        gettext_lazy("Scheduled changes that failed"),
        "clock",
        Perm.BSS_VIEW,
        failed_schedules,
        _schedule,
        "bss:subscription_list",
        "?needs=schedule_failed",
    ),
    Kind(
        "ending",
        gettext_lazy("Terms that end within 30 days without renewal"),
        "repeat",
        Perm.BSS_VIEW,
        ending_without_renewal,
        _ending,
        "bss:subscription_list",
        "?needs=ending",
    ),
)


def widgets_for(actor: Actor, others: Sequence[QuerySet[Any]] = ()) -> tuple[list[Widget], list[int]]:
    """Every widget the actor has the right for, in order, and how many rows ``others`` have.

    One statement counts all of them, and each that is not empty takes one for its rows.
    """
    kinds = [kind for kind in KINDS if actor.has(kind.perm)]
    read = {kind.name: _read(kind, kind.rows, actor) for kind in kinds}
    lists = {name: rows for name, rows in read.items() if rows is not None}
    try:
        numbers = count_many([*lists.values(), *others])
        counts: dict[str, int] = dict(zip(lists, numbers, strict=False))
    except DatabaseError as error:
        if was_stopped(error):  # Counted alone, each might take as long again.
            raise
        # One of them fails; which one shows when each is counted alone.
        alone = {kind.name: _read(kind, count_many, [lists[kind.name]]) for kind in kinds if kind.name in lists}
        counts = {name: found[0] for name, found in alone.items() if found}
        numbers = count_many(others)
    widgets = [_widget(kind, lists.get(kind.name), counts.get(kind.name)) for kind in kinds]
    return widgets, numbers[len(numbers) - len(others) :]


def _widget(kind: Kind, rows: QuerySet[Any] | None, count: int | None) -> Widget:
    shown = (kind.name, str(kind.title), kind.icon, kind.url)
    lines = None if rows is None or count is None else _read(kind, _lines, kind, rows) if count else []
    return Widget(*shown, 0, [], is_broken=True) if lines is None else Widget(*shown, count or 0, lines)


def _lines(kind: Kind, rows: QuerySet[Any]) -> list[Line]:
    return [kind.line(row) for row in rows[:ROWS]]


def _read(kind: Kind, read: Callable[..., T], *args: Any) -> T | None:
    """What was read; None if that failed, which is logged with the request's id: the others are shown all the same."""
    try:
        return read(*args)
    except Exception:
        logger.exception("widget failed", extra={"widget": kind.name})
        return None
