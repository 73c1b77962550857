"""Proof that nothing is lost and nothing doubled: what the database says of itself, and what the vendor twins say.

Every function yields sentences about what does not hold; none means that all is well. ``manage.py check_ledger`` prints
them. Nothing is changed, and nothing here is needed to run the shop.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Count, F, Q, Sum

from billing.models import Charge, ChargeKind, ChargeState
from billing.services import line_source
from cloudbss import ledger_assets
from core import clock
from orders.enums import DeliveryStatus, OrderStatus
from orders.models import Order, OrderLine
from subscriptions.enums import BILLED_STATUSES, OPEN_STATES, OperationState, SubscriptionStatus, Verb
from subscriptions.models import Operation, Subscription, SubscriptionAddOn
from vendors.models import AccountLink, LinkState, SyncStatus

LAG = dt.timedelta(days=3)
AT_VENDOR = {"active": "active", "suspended": "suspended", "pending_cancel": "active"}
GONE_AT_VENDOR = frozenset({"deleted", "expired", "disabled"})
CHARGE_OF_LINE = {
    DeliveryStatus.IN_PROGRESS.value: ChargeState.RESERVED.value,
    DeliveryStatus.DELIVERED.value: ChargeState.DUE.value,
    DeliveryStatus.FAILED.value: ChargeState.RELEASED.value,
    DeliveryStatus.CANCELLED.value: ChargeState.RELEASED.value,
}


def problems(states: Mapping[str, Mapping[str, list[dict[str, Any]]]]) -> list[str]:
    """All that does not hold; ``states`` is what each twin says, by its name (empty: the database alone)."""
    found: list[str] = []
    checks = (orders, lines, subscriptions, credits_given, periods, sums, ledger_assets.assets, ledger_assets.returns)
    for check in checks:
        found += check()
    for application, (vendor, compare) in TWINS.items():
        if vendor in states:
            found += compare(application, states[vendor])
    return found


def _working(**target: Any) -> bool:
    """Whether an operation of a subscription or link is open, or refused and waiting for a person."""
    rows = Operation.objects.filter(**target)
    open_rows = rows.filter(state__in=OPEN_STATES)
    return open_rows.exists() or rows.filter(state=OperationState.REFUSED, retries=None).exists()


def orders() -> Iterator[str]:
    """An order that was not executed has charged and made nothing."""
    rows = Order.objects.exclude(status=OrderStatus.EXECUTED)
    for order in rows.filter(lines__delivery_status__in=CHARGE_OF_LINE).exclude(
        lines__delivery_status=DeliveryStatus.CANCELLED
    ):
        yield f"order {order.number} is {order.status}, but a line of it was started"
    for charge in Charge.objects.filter(state=ChargeState.RESERVED).exclude(source__startswith="order-line:"):
        yield f"charge {charge.source} is reserved for no order line"
    idle = Order.objects.filter(status=OrderStatus.EXECUTED, lines__delivery_status=DeliveryStatus.WAITING)
    for order in idle.distinct():
        yield f"order {order.number} is executed, but a line of it was never started"


def lines() -> Iterator[str]:
    """Each started line has exactly the charge its delivery says, and something that will bring it to its end."""
    started = OrderLine.objects.filter(delivery_status__in=CHARGE_OF_LINE, order__status=OrderStatus.EXECUTED)
    charges = dict(Charge.objects.filter(source__startswith="order-line:").values_list("source", "state"))
    for line in started.select_related("order", "subscription", "asset"):
        name = f"line {line.position} of order {line.order.number}"
        state = charges.get(line_source(line.public_id))
        if state != CHARGE_OF_LINE[line.delivery_status]:
            yield f"{name} is {line.delivery_status}, but its charge is {state}"
        service = {"asset": line.asset} if line.asset is not None else {"subscription": line.subscription}
        if line.subscription is None and line.asset is None:
            yield f"{name} has no service"
        elif line.delivery_status == DeliveryStatus.IN_PROGRESS and not _working(**service):
            yield f"{name} is in progress, but nobody works on it and the desk does not show it"


def subscriptions() -> Iterator[str]:
    """What a status promises: ids, dates, an operation at work, or an entry on the desk."""
    rows = Subscription.objects.all()
    for row in rows.filter(status__in=BILLED_STATUSES).filter(Q(external_id="") | Q(first_activated_at=None)):
        yield f"{_name(row)} is {row.status} without the vendor's id or its first activation"
    waiting = Q(status__in=[SubscriptionStatus.INACTIVE, SubscriptionStatus.FAILED])
    failed = Q(sync_status__in=[SyncStatus.FAILED, SyncStatus.IN_PROGRESS]) & ~Q(status=SubscriptionStatus.CANCELLED)
    for row in rows.filter(waiting | failed):
        if not _working(subscription=row):
            yield f"{_name(row)} is {row.status} and {row.sync_status}, but nobody works on it and the desk is silent"
    doubled = rows.exclude(external_id="").values("instance", "external_id").annotate(n=Count("id")).filter(n__gt=1)
    for item in doubled:
        yield f"{item['n']} subscriptions claim the vendor's {item['external_id']}"
    late = Operation.objects.filter(
        state=OperationState.RUNNING, claimed_until__lt=clock.real_now() - dt.timedelta(minutes=10)
    )
    for operation in late:
        yield f"operation {operation.public_id} lost its worker and nobody took it over"


def credits_given() -> Iterator[str]:
    """A credit is posted exactly for what a vendor has taken back."""
    posted = dict(Charge.objects.filter(source__startswith="operation:").values_list("source", "gross"))
    for operation in Operation.objects.exclude(subscription=None).filter(desired__has_key="credit"):
        source, wanted = f"operation:{operation.public_id}", operation.desired["credit"]["gross"]
        given = posted.pop(source, None)
        if operation.state == OperationState.DONE and float(wanted) and given is None:
            yield f"{source} is done, but its credit of {wanted} was not posted"
        if operation.state != OperationState.DONE and given is not None:
            yield f"{source} is {operation.state}, but {given} was credited"
        if given is not None and str(given.normalize()) != str(type(given)(wanted).normalize()):
            yield f"{source} credited {given} instead of {wanted}"
    for source in posted:
        yield f"{source} was credited for no operation"


def periods() -> Iterator[str]:
    """A running subscription is billed up to the present day, or its renewal is being followed."""
    late = Subscription.objects.filter(status__in=BILLED_STATUSES, period_ends_at__lt=clock.now() - LAG)
    for row in late:
        if not _working(subscription=row):
            yield f"{_name(row)} was not billed since {row.period_ends_at:%Y-%m-%d}"
    for row in Subscription.objects.filter(period_starts_at__gt=F("period_ends_at")):
        yield f"{_name(row)} has a billing period that ends before it begins"


def sums() -> Iterator[str]:
    """Nobody was given back more than he was charged for a service."""
    rows = Charge.objects.filter(state=ChargeState.DUE).exclude(subscription=None)
    totals = rows.values("subscription").annotate(
        charged=Sum("net", filter=Q(kind=ChargeKind.CHARGE)), given=Sum("net", filter=Q(kind=ChargeKind.CREDIT))
    )
    for item in totals:
        if (item["charged"] or 0) + (item["given"] or 0) < 0:
            yield f"subscription {item['subscription']}: {item['given']} given back of {item['charged']} charged"


def at_vendor(application: str, state: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What we sold exists there once, as we know it, and nothing of ours exists there that we do not know."""
    theirs = {str(row["id"]).lower(): row for row in state.get("subscriptions", [])}
    mine = Subscription.objects.filter(instance__application__code=application).exclude(external_id="")
    busy = set(
        Operation.objects.filter(state__in=OPEN_STATES)
        .exclude(subscription=None)
        .values_list("subscription", flat=True)
    )
    for row in mine:
        found = theirs.get(row.external_id.lower())
        if found is None:
            yield f"{_name(row)} does not exist at the vendor as {row.external_id}"
        elif row.pk not in busy:
            yield from _compare(row, found)
    yield from _orphans(application, mine, theirs.values())
    yield from ledger_assets.orders_at_vendor(application, state)
    yield from _doubles("customer", state.get("customers", []))


def _compare(row: Subscription, found: Mapping[str, Any]) -> Iterator[str]:
    wanted = AT_VENDOR.get(row.status)
    if wanted is not None and found["status"] != wanted and not _working(subscription=row):
        yield f"{_name(row)} is {row.status} here and {found['status']} at the vendor"
    if wanted is None and row.status == SubscriptionStatus.CANCELLED and found["status"] not in GONE_AT_VENDOR:
        yield f"{_name(row)} is cancelled here and {found['status']} at the vendor"
    if wanted is not None and found["quantity"] != row.quantity and not _working(subscription=row):
        yield f"{_name(row)} has {row.quantity} licences here and {found['quantity']} at the vendor"


def _orphans(application: str, mine: Iterable[Subscription], theirs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    known = {row.external_id.lower() for row in mine}
    known |= {key.lower() for key in SubscriptionAddOn.objects.values_list("external_id", flat=True) if key}
    open_ids = {
        str(key)
        for key in Operation.objects.filter(
            Q(state__in=OPEN_STATES) | Q(state=OperationState.REFUSED, retries=None),
            instance__application__code=application,
        ).values_list("public_id", flat=True)
    }
    made: Counter[str] = Counter()
    creations = {str(key) for key in Operation.objects.filter(verb=Verb.CREATE).values_list("public_id", flat=True)}
    for row in theirs:
        reference = str(row.get("client_reference") or "").lower()
        if reference in creations and not row.get("parentSubscriptionId"):
            made[reference] += 1
        if str(row["id"]).lower() not in known and row["status"] not in GONE_AT_VENDOR and reference not in open_ids:
            yield f"the vendor has {row['id']} (ordered by {reference or 'nobody'}), which is not known here"
    for reference, count in made.items():
        if count > 1:
            yield f"operation {reference} made {count} subscriptions at the vendor"


def _doubles(kind: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    made = Counter(str(row["client_reference"]) for row in rows if row.get("client_reference"))
    for reference, count in made.items():
        if count > 1:
            yield f"operation {reference} made {count} {kind}s at the vendor"
    linked = AccountLink.objects.filter(state=LinkState.SYNCHRONIZED).values("instance", "external_id")
    for item in linked.annotate(n=Count("id")).filter(n__gt=1):
        yield f"{item['n']} accounts are linked to the vendor's {item['external_id']}"


def _name(row: Subscription) -> str:
    return f"subscription {row.public_id} ({row.name})"


# By application: which twin plays its vendor, and what compares the two.
TWINS = {
    "microsoft_cloud": ("partner_center", at_vendor),
    "microsoft_esd": ("cis", ledger_assets.at_vendor),
}
