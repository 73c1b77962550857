"""Orders as rows of plain values: what programs read (``api.md`` 7.3)."""

from collections.abc import Iterable, Mapping

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, JSONObject

from core.tenancy import Actor, TenantQuerySet
from orders.enums import NO_CREDIT, DeliveryStatus, OrderStatus
from orders.models import Order, OrderLine
from resellers.enums import AccountKind
from resellers.models import Contact
from subscriptions.models import Operation

PARTIALLY_FAILED = "Partially failed"
# Why a submitted order waits for staff: its payer's credit was too small.
OVER_CREDIT = Q(status=OrderStatus.SUBMITTED, hold_reason=NO_CREDIT)


def order_date() -> Combinable:
    """When the order was placed; of a draft when it was begun."""
    return Coalesce("placed_at", "created_at")


def wire_status() -> Combinable:
    """The contract's word for the state of an order; empty for a draft."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    unfinished = lines.filter(delivery_status__in=(DeliveryStatus.WAITING, DeliveryStatus.IN_PROGRESS))
    words = [
        (Q(status=OrderStatus.SUSPENDED), "Locked"),
        (Q(status=OrderStatus.SUBMITTED), "Submitted"),
        (Q(status=OrderStatus.EXECUTED) & Exists(unfinished), "Executing"),
        (Q(status=OrderStatus.EXECUTED), "Executed"),
        (Q(status=OrderStatus.CANCELLED), "Cancelled"),
    ]
    cases = [When(condition, then=Value(word)) for condition, word in words]
    return Case(*cases, default=Value(""), output_field=CharField())


def has_failed() -> Combinable:
    """Whether the vendor refused a line of the order."""
    return Exists(OrderLine.objects.filter(order=OuterRef("pk"), delivery_status=DeliveryStatus.FAILED))


def wire_number(words: Mapping[str, tuple[int, str]]) -> Combinable:
    """The number of that word."""
    return Case(
        *[When(_of_word(word), then=Value(number)) for word, (number, _name) in words.items()],
        output_field=IntegerField(),
    )


def wire_name(words: Mapping[str, tuple[int, str]]) -> Combinable:
    """What the state is called."""
    cases = [When(_of_word("Executed") & Q(has_failed()), then=Value(PARTIALLY_FAILED))]
    cases += [When(_of_word(word), then=Value(name)) for word, (_number, name) in words.items()]
    return Case(*cases, default=Value(""), output_field=CharField())


def _of_word(word: str) -> Q:
    """The orders of a word; whether lines are open is asked once more, for one alias cannot look at another."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    unfinished = Exists(lines.filter(delivery_status__in=(DeliveryStatus.WAITING, DeliveryStatus.IN_PROGRESS)))
    states = {
        "Locked": Q(status=OrderStatus.SUSPENDED),
        "Submitted": Q(status=OrderStatus.SUBMITTED),
        "Executing": Q(status=OrderStatus.EXECUTED) & unfinished,
        "Executed": Q(status=OrderStatus.EXECUTED) & ~unfinished,
        "Cancelled": Q(status=OrderStatus.CANCELLED),
    }
    return Q(states[word])


def back_order() -> Combinable:
    """Whether the order follows a Professional reseller's: only the platform orders for a managed copy without a buyer.

    What a customer had ordered here before he was transferred has one.
    """
    condition = Q(account__kind=AccountKind.MANAGED_COPY, buyer__isnull=True)
    return ExpressionWrapper(condition, output_field=BooleanField())


def payer_contact() -> Combinable:
    """The payer's primary contact as ``{id, firstName, lastName}``."""
    people = Contact.objects.filter(account=OuterRef("payer"), is_primary=True)
    shape = JSONObject(id="pk", firstName="first_name", lastName="last_name")
    return Subquery(people.values(shape=shape)[:1])


def vendor_total() -> Combinable:
    """What the vendor charges for the order's lines; for callers who may see cost."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"), vendor_cost__isnull=False).order_by()
    cost = DecimalField(max_digits=19, decimal_places=4)
    total = lines.values("order").annotate(made=Sum(F("vendor_cost") * F("quantity"), output_field=cost))
    return Subquery(total.values("made"))


def of_author(actor: Actor) -> Q:
    """What programs of the actor's account, or the organization's own, have begun."""
    return Q(buyer_account_id=actor.account_id) if actor.account_id else Q(buyer_account=None)


def order_rows(actor: Actor) -> TenantQuerySet[Order]:
    """Orders the actor may see; of a reseller those he pays, also if the account has another payer by now.

    A draft is seen by programs of the account that began it alone.
    """
    rows = Order.objects.visible_to(actor).order_by()
    rows = rows.exclude(Q(status=OrderStatus.DRAFT) & ~of_author(actor))
    return rows.filter(payer_id=actor.account_id) if actor.is_customer else rows


def shown_orders() -> TenantQuerySet[Order]:
    """Orders with all that the list of programs shows; made once for a prepared read of visible keys."""
    return Order.objects.annotate(
        wire_status=wire_status(),
        failed=has_failed(),
        order_date=order_date(),
        is_back_order=back_order(),
        contact=payer_contact(),
        vendor_total=vendor_total(),
    )


def refusal_of(actor: Actor, lines: Iterable[OrderLine]) -> Operation | None:
    """What the vendor was asked last for the first line that he refused, if he refused any."""
    line = next((item for item in lines if item.delivery_status == DeliveryStatus.FAILED), None)
    if line is None:
        return None
    service = {"subscription": line.subscription_id} if line.subscription_id else {"asset": line.asset_id}
    return Operation.objects.visible_to(actor).filter(**service).order_by("-pk").first()


def lines_of(actor: Actor, ids: Iterable[int]) -> dict[int, list[OrderLine]]:
    """The lines of orders the actor may see, by order, in their order."""
    rows = OrderLine.objects.visible_to(actor).filter(order_id__in=list(ids))
    related = ("plan__product", "subscription__account", "asset__account")
    found: dict[int, list[OrderLine]] = {}
    for line in rows.select_related(*related).order_by("order_id", "position"):
        found.setdefault(line.order_id, []).append(line)
    return found
