"""Reads of subscriptions and operations."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from core import clock
from core.tenancy import Actor, TenantQuerySet
from resellers.models import Account
from subscriptions.enums import (
    DESK_STATES,
    OPEN_REQUESTS,
    OPEN_ROWS,
    OPEN_STATES,
    OperationState,
    Purpose,
    RequestStatus,
    ScheduleStatus,
    StampKind,
    StampRowState,
    StampState,
    SubscriptionStatus,
    Verb,
)
from subscriptions.models import (
    CancellationRequest,
    Operation,
    OperationStep,
    ScheduledChange,
    StampRow,
    StampRun,
    Subscription,
)

TOLD_FOR = dt.timedelta(minutes=10)
SHOWN_FOR = dt.timedelta(days=30)


def subscriptions_for(actor: Actor) -> TenantQuerySet[Subscription]:
    """Subscriptions the actor may see, newest first, with account and product."""
    rows = Subscription.objects.visible_to(actor)
    return rows.select_related("account", "bill_to", "product", "plan", "instance").order_by("-id")


def listed_subscriptions(actor: Actor) -> TenantQuerySet[Subscription]:
    """The same for lists: with what a row shows and nothing else, for every join is paid for each row."""
    return subscriptions_for(actor).select_related(None).select_related("account", "bill_to", "plan")


def operations_for(actor: Actor) -> TenantQuerySet[Operation]:
    """All operations of the actor's organization; employees only."""
    if not actor.is_staff:
        return Operation.objects.none()
    return Operation.objects.visible_to(actor).select_related(
        "account",
        "instance",
        "subscription__plan",
        "subscription__product",
        "asset",
        "account_link__account",
        "account_link__instance",
        "retry_of__subscription",
        "retry_of__asset",
        "retry_of__account_link__account",
        "retry_of__account_link__instance",
    )


def desk_operations(actor: Actor) -> TenantQuerySet[Operation]:
    """What needs a person: attention, and refusals nobody has retried or given up yet; oldest first."""
    rows = operations_for(actor).filter(state__in=DESK_STATES, retries=None)
    return rows.order_by("id")


def unfinished_operations(actor: Actor) -> TenantQuerySet[Operation]:
    """Everything that is not over: on its way, waiting, or on the desk."""
    states = [*OPEN_STATES, OperationState.REFUSED]
    return operations_for(actor).filter(state__in=states, retries=None).order_by("id")


def dependants_of(actor: Actor, operation: Operation) -> TenantQuerySet[Operation]:
    """What waits for this operation, oldest first."""
    return operations_for(actor).filter(depends_on=operation).order_by("id")


def successor_of(actor: Actor, operation: Operation) -> Operation | None:
    """The operation that tried this one again, if there is one."""
    return operations_for(actor).filter(retry_of=operation).first()


def prerequisite_of(actor: Actor, operation: Operation) -> Operation | None:
    """The operation that must be done before this one, if there is one."""
    return operations_for(actor).filter(pk=operation.depends_on_id).first() if operation.depends_on_id else None


def steps_of(operation: Operation) -> list[OperationStep]:
    """What the connector noted while it worked, in order."""
    return list(operation.steps.order_by("id"))


def creations_of(actor: Actor, subscription_ids: Iterable[int]) -> dict[int, Operation]:
    """The operation that creates each of these subscriptions, by subscription; only what the actor may see."""
    rows = Operation.objects.visible_to(actor).filter(subscription_id__in=list(subscription_ids), verb=Verb.CREATE)
    return {
        row.subscription_id: row
        for row in rows.select_related("depends_on").order_by("id")
        if row.subscription_id is not None
    }


def changes_of(actor: Actor, order_number: str) -> dict[int, Operation]:
    """The operations by which an order changes services that run already, by subscription; the last try counts."""
    rows = Operation.objects.visible_to(actor).filter(order_number=order_number).exclude(verb=Verb.CREATE)
    return {row.subscription_id: row for row in rows.order_by("id") if row.subscription_id is not None}


def subscriptions_with_addons(actor: Actor) -> TenantQuerySet[Subscription]:
    """The same with their add-ons."""
    return subscriptions_for(actor).prefetch_related("addons__plan")


def operations_of(actor: Actor, subscription: Subscription) -> TenantQuerySet[Operation]:
    """What was asked of the vendor for one subscription, newest first; employees only."""
    return operations_for(actor).filter(subscription=subscription).order_by("-id")


def operation_in_view(actor: Actor, subscription: Subscription) -> Operation | None:
    """The operation a subscription's page tells of: the open or refused one, or the last if it ended a moment ago."""
    return _worth_telling(operations_of(actor, subscription))


def change_in_view(actor: Actor, subscription: Subscription) -> Operation | None:
    """The same for everybody who may see the subscription; a renewal or another MPN ID is nothing he asked for.

    Its ``message`` and ``code`` are the staff's: pages for customers say it in words of their own.
    """
    rows = (
        Operation.objects.visible_to(actor)
        .filter(subscription=subscription)
        .exclude(purpose__in=(Purpose.RENEW, Purpose.STAMP))
    )
    return _worth_telling(rows.order_by("-id"))


def _worth_telling(rows: TenantQuerySet[Operation]) -> Operation | None:
    row = rows.filter(retries=None).first()
    if row is None or row.state in (*OPEN_STATES, OperationState.REFUSED):
        return row
    return row if row.finished_at is not None and clock.now() - row.finished_at < TOLD_FOR else None


def requests_for(actor: Actor) -> TenantQuerySet[CancellationRequest]:
    """Cancellation requests the actor may see, newest first, with their service and add-on."""
    rows = CancellationRequest.objects.visible_to(actor).select_related(
        "subscription__account",
        "subscription__bill_to",
        "subscription__plan",
        "subscription__product__product_type",
        "subscription__organization",
        "subscription__instance",
        "addon",
        "operation",
        "requested_by_user",
    )
    return rows.order_by("-id")


def pending_requests(actor: Actor) -> TenantQuerySet[CancellationRequest]:
    """Those staff decide about now, oldest first; what a reseller looks at first is not among them."""
    return requests_for(actor).filter(status=RequestStatus.SUBMITTED, asks_reseller=False).order_by("id")


def requests_at_reseller(actor: Actor) -> TenantQuerySet[CancellationRequest]:
    """What a reseller's end customers ask for and he has not looked at, oldest first; nothing for anybody else."""
    rows = requests_for(actor).filter(status=RequestStatus.SUBMITTED, asks_reseller=True)
    return rows.filter(subscription__bill_to_id=actor.account_id).order_by("id") if actor.sells else rows.none()


def failed_schedules(actor: Actor) -> TenantQuerySet[ScheduledChange]:
    """Changes that were not made at the renewal, of the last 30 days and of services that still run; newest first."""
    rows = ScheduledChange.objects.visible_to(actor).filter(
        status=ScheduleStatus.FAILED, decided_at__gte=clock.now() - SHOWN_FOR
    )
    rows = rows.exclude(subscription__status=SubscriptionStatus.CANCELLED)
    return rows.select_related("subscription__account", "plan").order_by("-id")


def having(rows: QuerySet[Subscription], need: str) -> QuerySet[Subscription]:
    """Those of ``rows`` with an open request, a scheduled change, one that failed lately, or an end without renewal."""
    now = clock.now()
    requests = CancellationRequest.objects.filter(subscription=OuterRef("pk"), status__in=OPEN_REQUESTS)
    schedules = ScheduledChange.objects.filter(subscription=OuterRef("pk"))
    match need:
        case "request":
            return rows.filter(Exists(requests))
        case "schedule":
            return rows.filter(Exists(schedules.filter(status=ScheduleStatus.PENDING)))
        case "schedule_failed":
            lately = schedules.filter(status=ScheduleStatus.FAILED, decided_at__gte=now - SHOWN_FOR)
            return rows.filter(Exists(lately)).exclude(status=SubscriptionStatus.CANCELLED)
        case "ending":
            soon = {"term_ends_at__gt": now, "term_ends_at__lte": now + SHOWN_FOR}
            return rows.filter(status=SubscriptionStatus.ACTIVE, auto_renew=False, **soon)
        case _:
            return rows


def ending_without_renewal(actor: Actor) -> QuerySet[Subscription]:
    """Active services whose term ends within 30 days and that do not renew by themselves, the next one first."""
    return having(subscriptions_for(actor), "ending").order_by("term_ends_at", "id")


def request_in_view(actor: Actor, subscription: Subscription) -> CancellationRequest | None:
    """The cancellation request a subscription's page tells of: the last, if it is open or was decided lately."""
    row = requests_for(actor).filter(subscription=subscription).first()
    if row is None or row.status in OPEN_REQUESTS:
        return row
    is_told = row.status == RequestStatus.REJECTED and row.decided_at is not None
    return row if is_told and row.decided_at and clock.now() - row.decided_at < SHOWN_FOR else None


def relationship_run(account: Account) -> StampRun | None:
    """The change of relationship that is not finished yet; new orders wait for it (``channel.md`` 6.4)."""
    states = (StampState.RUNNING, StampState.PARTLY)
    return StampRun.objects.filter(account=account, kind=StampKind.RELATIONSHIP, state__in=states).first()


def stamp_runs(actor: Actor) -> TenantQuerySet[StampRun]:
    """Runs that change MPN IDs the actor may see, newest first; a reseller's customers see none.

    Each knows how many of its services are done, failed, left out and not settled yet.
    """
    rows = StampRun.objects.visible_to(actor)
    if actor.is_customer and not actor.sells:
        return rows.none()
    counts = {f"{name}_count": Count("rows", filter=Q(rows__state__in=states)) for name, states in _ROWS.items()}
    return rows.select_related("account", "instance__application", "bill_to", "job").annotate(**counts).order_by("-id")


_ROWS = {
    "done": (StampRowState.DONE,),
    "failed": (StampRowState.FAILED,),
    "skipped": (StampRowState.SKIPPED,),
    "open": OPEN_ROWS,
}


def stamp_rows(actor: Actor, run: StampRun) -> TenantQuerySet[StampRow]:
    """The services of a run, with their account and add-ons counted."""
    rows = StampRow.objects.visible_to(actor).filter(run=run).select_related("subscription__account", "operation")
    return rows.annotate(addon_count=Count("subscription__addons")).order_by("pk")


def schedule_in_view(actor: Actor, subscription: Subscription) -> ScheduledChange | None:
    """The scheduled change a subscription's page tells of: the last, if it is pending or has failed lately."""
    rows = ScheduledChange.objects.visible_to(actor).filter(subscription=subscription).select_related("plan")
    row = rows.order_by("-id").first()
    if row is None or row.status == ScheduleStatus.PENDING:
        return row
    is_told = row.status == ScheduleStatus.FAILED and row.decided_at is not None
    return row if is_told and row.decided_at and clock.now() - row.decided_at < SHOWN_FOR else None
