"""Subscriptions, add-ons and licences as rows of plain values: what programs read, made in one statement each.

Dates and words that follow from several columns are expressions, so that a list shows, filters and orders by the same
thing (``api.md`` 7 and 9.1).
"""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateTimeField,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, JSONObject, Least, Round, RowNumber

from catalog.models import ChargeType, Cycle, PlanCost
from catalog.models.products import TERM_LABELS, plan_label
from core import clock
from core.money import unusual_units
from core.prepared import NOW
from core.tenancy import Actor, TenantQuerySet
from orders.enums import OrderStatus
from orders.models import Order, OrderLine
from resellers.enums import AccountKind
from resellers.models import Contact
from subscriptions.enums import (
    DESK_STATES,
    OPEN_REQUESTS,
    OPEN_STATES,
    Execution,
    Purpose,
    RequestKind,
    ScheduleStatus,
    SubscriptionStatus,
    SuspendReason,
)
from subscriptions.models import (
    Asset,
    CancellationRequest,
    Operation,
    ScheduledChange,
    Subscription,
    SubscriptionAddOn,
)
from subscriptions.periods import MONTHS_OF_CYCLE
from subscriptions.usage_rules import KIND_OF_FAMILY

# A service without an end, such as what is bought once (``api.md`` 9.1).
NEVER = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
SUSPENDED_WORDS = {
    SuspendReason.NON_PAYMENT: "NonPayment",
    SuspendReason.STAFF: "StaffAction",
    SuspendReason.CUSTOMER: "CustomerRequest",
}
SUSPENDED_ELSEWHERE = "VendorAction"


class _Later(Func):
    """A moment some months later."""

    template = "(%(expressions)s + interval '%(months)s months')"
    output_field = DateTimeField()


def starts() -> Combinable:
    """When the current billing period began; before the activation when it is planned to."""
    return Coalesce("period_starts_at", "starts_at", "created_at")


def ends() -> Combinable:
    """When it ends, exclusive; of a cancelled service the moment of the cancellation if that was earlier."""
    cycles = [
        When(billing_cycle=cycle, then=_Later(Coalesce("starts_at", "created_at"), months=months))
        for cycle, months in MONTHS_OF_CYCLE.items()
    ]
    planned = Case(*cycles, default=Value(NEVER), output_field=DateTimeField())
    end = Coalesce("period_ends_at", "term_ends_at", planned)
    return Case(
        When(status=SubscriptionStatus.CANCELLED, cancelled_at__isnull=False, then=Least("cancelled_at", end)),
        default=end,
        output_field=DateTimeField(),
    )


def activated() -> Combinable:
    """When it was first activated; before that when it is planned to begin."""
    return Coalesce("first_activated_at", starts())


def amount() -> Combinable:
    """What a billing period costs the payer before tax: licences without add-ons, rounded half up."""
    shape = DecimalField(max_digits=19, decimal_places=4)
    whole = F("unit_price") * F("quantity")
    unusual = [
        When(currency__in=currencies, then=Round(whole, precision=units, output_field=shape))
        for units, currencies in unusual_units().items()
    ]
    return Case(*unusual, default=Round(whole, precision=2, output_field=shape), output_field=shape)


def unit_name() -> Combinable:
    """Term and billing cycle in words, as :attr:`catalog.models.Plan.label`."""
    pairs = [(term, cycle) for term in TERM_LABELS for cycle in Cycle.values]
    cases = [When(term=term, billing_cycle=cycle, then=Value(plan_label(term, cycle))) for term, cycle in pairs]
    return Case(*cases, default=Value(""), output_field=CharField())


def reseller_id() -> Combinable:
    """The id of the payer if he is a reseller."""
    return Case(When(bill_to__kind=AccountKind.RESELLER, then=F("bill_to_id")))


def reseller_name() -> Combinable:
    """The name of the payer if he is a reseller."""
    return Case(When(bill_to__kind=AccountKind.RESELLER, then=F("bill_to__name")))


def by_usage() -> Combinable:
    """Whether the service is billed by what was used."""
    return ExpressionWrapper(Q(product__charge_type=ChargeType.PAY_PER_USE), output_field=BooleanField())


def managed() -> Combinable:
    """Whether a Professional reseller manages the service, as :func:`subscriptions.preconditions.is_managed` says."""
    return ExpressionWrapper(Q(account__kind=AccountKind.MANAGED_COPY), output_field=BooleanField())


def usage_kind() -> Combinable:
    """Which usage of the API a service has: the word for its product's family, else ``None`` as a word."""
    cases = [When(product__attributes__family=family, then=Value(word)) for family, word in KIND_OF_FAMILY.items()]
    return Case(*cases, default=Value("None"), output_field=CharField())


def why(now: dt.datetime | None = None) -> Combinable:
    """The finer word beside the status of a subscription (``api.md`` 7.1); empty while it simply runs."""
    status, ended = SubscriptionStatus, Q(status=SubscriptionStatus.CANCELLED)
    operations = Operation.objects.filter(subscription=OuterRef("pk"))
    cancelling = operations.filter(purpose=Purpose.CANCEL, state__in=OPEN_STATES)
    requests = CancellationRequest.objects.filter(
        subscription=OuterRef("pk"), kind=RequestKind.CANCEL, status__in=OPEN_REQUESTS
    )
    over = ended & Q(term_ends_at__isnull=False, cancelled_at__gte=F("term_ends_at"))
    words = [
        (Q(status=status.INACTIVE, starts_at__gt=now or clock.now()), "ScheduledStart"),
        (Q(status=status.INACTIVE), "PendingActivation"),
        (Q(status=status.FAILED), "ProvisioningFailed"),
        (Q(status=status.PENDING_CANCEL), "CustomerRequest"),
        (Q(status__in=(status.ACTIVE, status.SUSPENDED)) & Exists(cancelling), "CancellationInProgress"),
        (Q(status=status.ACTIVE) & Exists(requests), "CancellationRequested"),
        *((Q(status=status.SUSPENDED, suspend_reason=by), word) for by, word in SUSPENDED_WORDS.items()),
        (Q(status=status.SUSPENDED), SUSPENDED_ELSEWHERE),
        (ended & Q(first_activated_at=None), "ProvisioningFailed"),
        (over & Q(is_trial=True), "TrialEnded"),
        (over, "Expired"),
        (ended, "CustomerRequest"),
    ]
    cases = [When(condition, then=Value(word)) for condition, word in words]
    return Case(*cases, default=Value(""), output_field=CharField())


def order_id() -> Combinable:
    """The public id of the order a service came from, by its number."""
    orders = Order.objects.filter(organization=OuterRef("organization"), number=OuterRef("order_number"))
    return Subquery(orders.values("public_id")[:1])


def payer_contact() -> Combinable:
    """The payer's primary contact as ``{id, firstName, lastName}``."""
    people = Contact.objects.filter(account=OuterRef("bill_to"), is_primary=True)
    shape = JSONObject(id="pk", firstName="first_name", lastName="last_name")
    return Subquery(people.values(shape=shape)[:1])


def addon_order(field: str) -> Combinable:
    """A column of the order an add-on came from."""
    lines = OrderLine.objects.filter(addon=OuterRef("pk")).exclude(order__status=OrderStatus.DRAFT).order_by("pk")
    return Subquery(lines.values(f"order__{field}")[:1])


def service_rows(actor: Actor) -> TenantQuerySet[Subscription]:
    """Subscriptions the actor may see, without joins or order."""
    return Subscription.objects.visible_to(actor).order_by()


def shown_services() -> TenantQuerySet[Subscription]:
    """Subscriptions with all that the list of programs shows; made once for a prepared read of visible keys."""
    return Subscription.objects.annotate(
        said_why=why(NOW),
        wire_usage=usage_kind(),
        is_managed=managed(),
        from_order=order_id(),
        contact=payer_contact(),
        row_starts=starts(),
        row_ends=ends(),
        row_activated=activated(),
    )


def addon_rows(actor: Actor) -> TenantQuerySet[SubscriptionAddOn]:
    """Add-ons of subscriptions the actor may see, the oldest first."""
    return SubscriptionAddOn.objects.visible_to(actor).order_by("pk")


def licence_rows(actor: Actor) -> TenantQuerySet[Asset]:
    """Licences the actor may see, without joins or order."""
    return Asset.objects.visible_to(actor).order_by()


def shown_licences() -> TenantQuerySet[Asset]:
    """Licences with all that the list of programs shows; made once for a prepared read of visible keys."""
    return Asset.objects.annotate(from_order=order_id(), contact=payer_contact())


def is_being_cancelled(row: Subscription) -> bool:
    """Whether a cancellation is at the vendor or waits for staff's decision."""
    operations = Operation.objects.filter(subscription=row, purpose=Purpose.CANCEL, state__in=OPEN_STATES)
    requests = CancellationRequest.objects.filter(
        subscription=row, kind=RequestKind.CANCEL, status__in=OPEN_REQUESTS, execution=Execution.NOW
    )
    return operations.exists() or requests.exists()


def quantity_wish(
    actor: Actor, subscription_id: int, public_id: object
) -> CancellationRequest | Operation | ScheduledChange | None:
    """A wish for fewer licences of a service the actor may see: a request, an operation, or a scheduled change."""
    which = {"subscription_id": subscription_id, "public_id": public_id}
    requests = CancellationRequest.objects.visible_to(actor).select_related("operation")
    operations = Operation.objects.visible_to(actor).filter(purpose=Purpose.REDUCE)
    changes = ScheduledChange.objects.visible_to(actor)
    return (
        requests.filter(kind=RequestKind.REDUCE, **which).first()
        or operations.filter(**which).first()
        or changes.filter(**which).first()
    )


def is_asked_to_end(actor: Actor, addon: SubscriptionAddOn) -> bool:
    """Whether the end of an add-on waits for staff's decision."""
    rows = CancellationRequest.objects.visible_to(actor).filter(addon=addon, kind=RequestKind.ADDON_CANCEL)
    return rows.filter(status__in=OPEN_REQUESTS).exists()


def has_open_wish(actor: Actor, row: Subscription) -> bool:
    """Whether a wish for fewer licences waits for staff, for the vendor, or for the renewal."""
    requests = CancellationRequest.objects.visible_to(actor).filter(kind=RequestKind.REDUCE, status__in=OPEN_REQUESTS)
    operations = Operation.objects.visible_to(actor).filter(purpose=Purpose.REDUCE, state__in=OPEN_STATES)
    changes = ScheduledChange.objects.visible_to(actor).filter(status=ScheduleStatus.PENDING, quantity__lt=row.quantity)
    return any(rows.filter(subscription=row).exists() for rows in (requests, operations, changes))


def vendor_costs(plan_ids: Iterable[int]) -> dict[tuple[int, str], Decimal]:
    """The vendor's price of plans by (plan, currency), per unit and billing cycle; for callers who may see cost."""
    rows = PlanCost.objects.filter(plan_id__in=list(plan_ids))
    return {(plan, currency): cost for plan, currency, cost in rows.values_list("plan_id", "currency", "cost")}


def priced_services(actor: Actor, ids: Iterable[int]) -> list[Subscription]:
    """Services with what their price is told with."""
    return list(Subscription.objects.visible_to(actor).filter(pk__in=list(ids)).select_related("plan").order_by("pk"))


def synchronized_services(actor: Actor, ids: Iterable[int]) -> list[Subscription]:
    """Services with what their synchronization is told with."""
    rows = Subscription.objects.visible_to(actor).filter(pk__in=list(ids))
    return list(rows.select_related("instance__application").order_by("pk"))


def planned_changes(actor: Actor, ids: Iterable[int]) -> dict[int, ScheduledChange]:
    """What is scheduled for the renewal of services the actor may see, by service."""
    rows = ScheduledChange.objects.visible_to(actor).filter(subscription_id__in=list(ids))
    return {row.subscription_id: row for row in rows.filter(status=ScheduleStatus.PENDING)}


def latest_operations(actor: Actor, ids: Iterable[int], *, most: int) -> dict[int, list[Operation]]:
    """The last operations of services the actor may see, newest first, at most so many of each; words are for staff."""
    rank = Window(RowNumber(), partition_by=F("subscription_id"), order_by=F("pk").desc())
    rows = Operation.objects.visible_to(actor).filter(subscription_id__in=list(ids)).annotate(rank=rank)
    found: dict[int, list[Operation]] = {}
    for row in rows.filter(rank__lte=most).order_by("-pk"):
        found.setdefault(row.subscription_id or 0, []).append(row)
    return found


def refused_operation(actor: Actor, row: Subscription) -> Operation | None:
    """The last operation of a service, if the vendor refused it or it waits for a person, and nobody retried it."""
    last = Operation.objects.visible_to(actor).filter(subscription=row).order_by("-pk").first()
    return last if last is not None and last.state in DESK_STATES and not last.retries.exists() else None


def order_details(actor: Actor, ids: Iterable[int]) -> list[dict[str, Any]]:
    """What was asked when services were ordered: their ids, their instance, and the order's details by instance."""
    orders = Order.objects.filter(organization=OuterRef("organization"), number=OuterRef("order_number"))
    rows = Subscription.objects.visible_to(actor).filter(pk__in=list(ids))
    rows = rows.annotate(details=Subquery(orders.values("service_details")[:1]))
    columns = ("pk", "public_id", "instance__public_id", "mpn_id", "details")
    return [dict(row) for row in rows.values(*columns)]


def licence_details(actor: Actor, ids: Iterable[int]) -> list[dict[str, Any]]:
    """The same of licences."""
    orders = Order.objects.filter(organization=OuterRef("organization"), number=OuterRef("order_number"))
    rows = Asset.objects.visible_to(actor).filter(pk__in=list(ids))
    rows = rows.annotate(details=Subquery(orders.values("service_details")[:1])).order_by("pk")
    return [dict(row) for row in rows.values("pk", "public_id", "instance__public_id", "details")]


def addon_values(actor: Actor, ids: Iterable[int]) -> list[dict[str, Any]]:
    """The add-ons of services the actor may see as values, the oldest first."""
    rows = SubscriptionAddOn.objects.visible_to(actor).filter(subscription_id__in=list(ids)).order_by("pk")
    service = {
        name: Subquery(_service_of_addon().annotate(made=made).values("made")[:1])
        for name, made in {"row_starts": starts(), "row_ends": ends()}.items()
    }
    rows = rows.annotate(order_public_id=addon_order("public_id"), order_code=addon_order("number"), **service)
    columns = ("product__public_id", "product__name", "product__code", "plan__public_id", "plan__term")
    more = ("plan__billing_cycle", "subscription__currency", "subscription__sync_status", "order_public_id")
    ending = ("subscription__suspend_reason", "subscription__term_ends_at", "subscription__is_trial")
    own = ("subscription_id", "public_id", "name", "quantity", "status", "external_id", "first_activated_at")
    rest = ("cancelled_at", "created_at", "updated_at", "order_code", "row_starts", "row_ends")
    return list(rows.values(*own, *columns, *more, *ending, *rest))


def _service_of_addon() -> QuerySet[Subscription]:
    return Subscription.objects.filter(pk=OuterRef("subscription"))
