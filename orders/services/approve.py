"""The reseller decides what his customers order (``channel.md`` 4.4): approve, reject, and what the clock decides.

Until he has approved, nothing is charged and no operation is written, so no vendor is called. Approving shows what the
order costs him today first; from then on it goes its way as any submitted order.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from billing.ports import card_refusal
from billing.services import Amount, Credit, credit_of, lock_payer
from catalog.models import PriceList
from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.events import Event, emit
from core.tenancy import Actor, system_actor
from orders.enums import ORDER_MACHINE, LineKind, OrderEvent, OrderStatus
from orders.models import Order, OrderLine
from orders.services.edit import quote_lines
from orders.services.execute import execute_within_credit
from orders.services.more import Wish, wish_addon, wish_licences, wish_upgrade
from orders.services.place import PriceChanged, order_payload, totals
from orders.services.plans import let_go
from orders.targets import hold_of
from resellers.editions import CAPABILITIES, Capability
from resellers.models import Account
from subscriptions.enums import RequestStatus
from subscriptions.models import CancellationRequest, Subscription
from subscriptions.services.requests import forward_request
from users.permissions import Perm

REMINDERS = (2, 5)
LAST_DAY = 14
REASON_LENGTH = 5


@dataclass(frozen=True)
class Charged:
    """What one line costs the reseller today: per unit before tax, and as an amount; ``trace`` how it came about."""

    unit_price: Decimal
    vendor_cost: Decimal | None
    amount: Amount
    trace: tuple[str, ...]


@dataclass(frozen=True)
class CostToday:
    """What an order that waits costs today: ``lines`` by primary key, against the payer's ``credit``."""

    lines: Mapping[int, Charged]
    price_list: PriceList | None
    was: Decimal
    credit: Credit

    @property
    def net(self) -> Decimal:
        """Before tax."""
        return sum((line.amount.net for line in self.lines.values()), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """The tax."""
        return sum((line.amount.tax for line in self.lines.values()), Decimal(0))

    @property
    def gross(self) -> Decimal:
        """What the credit is asked for."""
        return self.net + self.tax

    @property
    def is_risen(self) -> bool:
        """Whether it costs more than when it was ordered."""
        return self.gross > self.was

    @property
    def over_credit(self) -> bool:
        """Whether it will wait for the distributor after the approval."""
        return not self.credit.unlimited and self.gross > self.credit.available


def cost_today(order: Order) -> CostToday:
    """Work out what approving ``order`` costs now; raises BusinessError for what can no longer be ordered at all."""
    lines = list(order.lines.select_related("plan__product", "subscription", "addon").order_by("position"))
    fresh = [(line, line.quantity) for line in lines if line.kind == LineKind.NEW]
    found: dict[int, Charged] = {}
    prices = order.price_list
    if fresh:
        prices, total, _plans = quote_lines(order, fresh)
        quoted = {item.key: item for item in total.lines}
        for line, _quantity in fresh:
            item = quoted[str(line.public_id)]
            amount = Amount(item.net, item.tax_percent, item.tax, item.gross)
            found[line.pk] = Charged(item.unit_price, item.cost, amount, item.trace)
    for line in lines:
        if line.kind == LineKind.SCHEDULE:
            amount = Amount(line.net, line.tax_percent, line.tax, line.gross)
            found[line.pk] = Charged(line.unit_price, line.vendor_cost, amount, tuple(line.trace))
        elif line.kind != LineKind.NEW:
            wish = _wish_again(line)
            found[line.pk] = Charged(wish.unit_price, line.vendor_cost, wish.preview.amount, wish.trace)
    return CostToday(found, prices, order.gross, credit_of(order.payer))


def _wish_again(line: OrderLine) -> Wish:
    """The same wish for a running service as it would be today."""
    rows = Subscription.objects.select_related(
        "account__bill_to", "bill_to", "plan", "product__product_type", "instance", "organization"
    )
    row = rows.get(pk=line.subscription_id or 0)
    again: dict[str, Callable[[], Wish]] = {
        LineKind.LICENCES: lambda: wish_licences(row, quantity=row.quantity + line.quantity),
        LineKind.ADDON: lambda: wish_addon(row, plan=line.plan, quantity=line.quantity),
        LineKind.ADDON_LICENCES: lambda: wish_addon(row, plan=line.plan, quantity=line.quantity),
        LineKind.UPGRADE: lambda: wish_upgrade(row, plan=line.plan, quantity=line.quantity),
    }
    return again[line.kind]()


def _locked(actor: Actor, order: Order) -> Order:
    """The order under a lock, still undecided; raises Conflict ``already_decided`` with the name of who was first."""
    rows = Order.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.select_related("account", "payer", "price_list").filter(pk=order.pk).first()
    if row is None:
        raise NotVisible("order_missing", _("This order does not exist."))
    if actor.is_customer:
        actor.require(Perm.SHOP_APPROVE, row.account)
    if row.status != OrderStatus.SUSPENDED:
        raise Conflict("already_decided", decided_words(row))
    return row


def decided_words(order: Order) -> str:
    """Why nothing is left to decide."""
    if order.decided_by:
        return _("Already decided by %(name)s.") % {"name": order.decided_by}
    if order.status == OrderStatus.CANCELLED:
        return _("The customer has cancelled this order.")
    return _("This order waits for nobody's approval.")


def what_stops(order: Order, payer: Account) -> BusinessError | None:
    """Why ``order`` could not be approved now, whatever it costs: account on hold, no card to charge; else None."""
    return hold_of(order.account, payer) or card_refusal(payer)


@transaction.atomic
def approve_order(actor: Actor, *, order: Order, seen_total: Decimal) -> Order:
    """Approve an order at today's cost, and execute it if the reseller's credit allows; else it stays Submitted.

    The customer's leg stays as he ordered it. Raises Conflict ``already_decided``; :class:`PriceChanged` if
    ``seen_total`` (gross) is not what it costs now; ``account_on_hold``, ``card_token_missing``, and what stands in the
    way of executing it.
    """
    row = _locked(actor, order)
    refused = what_stops(row, lock_payer(row.payer_id))
    if refused is not None:
        raise refused
    today = cost_today(row)
    if today.gross != seen_total:
        raise PriceChanged("cost_changed", _("What it costs you has changed. Check the new total and decide again."))
    before = totals(row)
    _store_cost(row, today)
    ORDER_MACHINE.fire(row, OrderEvent.APPROVE, decided_by=actor.label, decided_at=clock.now())
    audit.record(actor, "order.approved", row, before=before, after=totals(row))
    _tell(row, "approved")
    execute_within_credit(actor, row)
    return row


def _store_cost(order: Order, today: CostToday) -> None:
    for line in order.lines.order_by("position"):
        found = today.lines[line.pk]
        line.unit_price, line.vendor_cost, line.trace = found.unit_price, found.vendor_cost, list(found.trace)
        line.net, line.tax_percent = found.amount.net, found.amount.tax_percent
        line.tax, line.gross = found.amount.tax, found.amount.gross
        line.save(
            update_fields=["unit_price", "vendor_cost", "trace", "net", "tax_percent", "tax", "gross", "updated_at"]
        )
    order.net, order.tax, order.gross, order.price_list = today.net, today.tax, today.gross, today.price_list
    order.save(update_fields=["net", "tax", "gross", "price_list", "updated_at"])


@transaction.atomic
def reject_order(actor: Actor, *, order: Order, reason: str) -> Order:
    """Reject an order with a reason, which the customer reads; nothing was charged.

    Raises Conflict ``already_decided`` and ``reason_short`` below 5 characters.
    """
    row = _locked(actor, order)
    if len(reason.strip()) < REASON_LENGTH:
        raise BusinessError("reason_short", _("Say in a few words why; your customer reads it."), field="reason")
    return _reject(actor, row, reason.strip())


def _reject(actor: Actor, row: Order, reason: str) -> Order:
    now = clock.now()
    ORDER_MACHINE.fire(row, OrderEvent.REJECT, decided_by=actor.label, decided_at=now, cancelled_at=now, reason=reason)
    let_go(row.public_id)
    audit.record(actor, "order.rejected", row, reason=reason)
    _tell(row, "rejected", reason=reason)
    return row


def _tell(row: Order, what: str, **more: object) -> None:
    payload = order_payload(row) | more
    emit(f"order.{what}", payload, organization_id=row.organization_id, account_id=row.account_id)


def decide_overdue() -> int:
    """What the clock does with orders that wait: reminders, the end on day 14, and the end of the reseller's plan.

    Returns how many were reminded of or rejected. Each row is done in a transaction of its own, once.
    """
    now, done = clock.now(), _end_closed()
    waiting = Order.objects.filter(status=OrderStatus.SUSPENDED)
    for order in waiting.filter(approval_asked_at__lte=now - dt.timedelta(days=LAST_DAY)).order_by("pk"):
        done += _end(order, _("Nobody decided about it within %(n)s days.") % {"n": LAST_DAY})
    for days in sorted(REMINDERS, reverse=True):
        due = waiting.filter(approval_asked_at__lte=now - dt.timedelta(days=days), reminded_days__lt=days)
        for order in due.order_by("pk"):
            done += _remind(order, days)
    return done


def end_of_plan(event: Event) -> None:
    """A reseller's plan has ended: what waits for him is ended at once, if he decides about nothing any more."""
    if event.account_id is not None:
        _end_closed(event.account_id)


def _end_closed(payer_id: int | None = None) -> int:
    """End the orders and hand on the requests that wait for resellers whose edition decides nothing."""
    deciding = [edition for edition, has in CAPABILITIES.items() if Capability.APPROVAL in has]
    orders = Order.objects.filter(status=OrderStatus.SUSPENDED).exclude(payer__edition__in=deciding)
    asked = CancellationRequest.objects.filter(status=RequestStatus.SUBMITTED, asks_reseller=True)
    asked = asked.exclude(subscription__bill_to__edition__in=deciding)
    if payer_id is not None:
        orders, asked = orders.filter(payer_id=payer_id), asked.filter(subscription__bill_to_id=payer_id)
    done = sum(_end(order, _("The store is closed.")) for order in orders.order_by("pk"))
    return done + sum(_hand_on(request) for request in asked.order_by("pk"))


def _end(order: Order, reason: str) -> int:
    system = system_actor(order.organization_id, label=_("Automatically"))
    try:
        with transaction.atomic():
            _reject(system, _locked(system, order), reason)
    except Conflict:
        return 0  # Somebody decided at this very moment.
    return 1


def _hand_on(request: CancellationRequest) -> int:
    """A cancellation whose reseller decides about nothing any more goes to the provider's staff."""
    try:
        forward_request(system_actor(request.organization_id, label=_("Automatically")), request=request)
    except Conflict:
        return 0  # Somebody decided at this very moment.
    return 1


def _remind(order: Order, days: int) -> int:
    with transaction.atomic():
        rows = Order.objects.filter(pk=order.pk, status=OrderStatus.SUSPENDED, reminded_days__lt=days)
        if not rows.update(reminded_days=days):
            return 0
        _tell(order, "approval_reminder", days=days)
    return 1
