"""An order's progress in plain words, for the person who waits (reasons cleaned of what is the vendor's or ours)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.tenancy import Actor
from orders.enums import DeliveryStatus, LineKind, OrderStatus
from orders.models import Order, OrderLine
from storefront.licence_progress import LicenceGroup, is_licence, licence_groups, licence_words
from subscriptions.enums import OPEN_STATES, OperationState
from subscriptions.models import Operation
from subscriptions.selectors import changes_of, creations_of
from users.permissions import Perm


@dataclass(frozen=True)
class Step:
    """One step: ``state`` is ``done``, ``now``, ``next``, ``waiting`` or ``failed``."""

    label: str
    state: str
    note: str = ""


@dataclass(frozen=True)
class LineProgress:
    """One service of an order with its steps."""

    line: OrderLine
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class OrderProgress:
    """How far an order is: a headline, whether it is over, and every line."""

    headline: str
    tone: str
    is_over: bool
    lines: tuple[LineProgress, ...]
    licences: tuple[LicenceGroup, ...] = ()
    licence_words: str = ""


FINAL = {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.CANCELLED}


def order_progress(actor: Actor, order: Order) -> OrderProgress:
    """Read an order with its lines and their operations; three statements whatever the number of lines."""
    every = [line for line in order.lines.all() if line.parent_id is None]
    bought = [line for line in every if is_licence(line)]
    lines = [line for line in every if not is_licence(line)]
    licences = licence_groups(actor, order, bought)
    ids = [line.subscription_id for line in lines if line.subscription_id]
    if all(line.kind == LineKind.NEW for line in lines):
        operations = creations_of(actor, ids)
        rows = tuple(LineProgress(line, _steps(order, line, operations)) for line in lines)
    else:
        changes = changes_of(actor, order.number)
        rows = tuple(LineProgress(line, _change_steps(order, line, changes)) for line in lines)
    is_over = order.status == OrderStatus.CANCELLED or (
        order.status == OrderStatus.EXECUTED and all(line.delivery_status in FINAL for line in every)
    )
    headline, tone = _headline(actor, order, every)
    return OrderProgress(headline, tone, is_over, rows, licences, licence_words(order, licences))


def _headline(actor: Actor, order: Order, lines: list[OrderLine]) -> tuple[str, str]:
    states = {line.delivery_status for line in lines}
    if order.status == OrderStatus.CANCELLED:
        return _cancelled(order), "neutral"
    if order.status == OrderStatus.SUSPENDED:
        if actor.account_id == order.account_id:
            return _("Pending approval: your provider looks at it first. Nothing is charged until then."), "info"
        return _("This order waits for your approval. Nothing is set up or charged until then."), "warning"
    if order.status != OrderStatus.EXECUTED:
        if order.hold_reason == "no_credit" and actor.has(Perm.SHOP_PRICES_VIEW):
            return _("We have your order. It waits for credit: your provider will release it."), "warning"
        return _("We have your order. It will be executed shortly."), "info"
    if states <= {DeliveryStatus.DELIVERED}:
        return _("Everything is active. Enjoy!"), "success"
    if DeliveryStatus.FAILED in states and len(states) > 1:
        return _("Part of the order could not be delivered. We are on it."), "warning"
    if states == {DeliveryStatus.FAILED}:
        return _("The order could not be delivered yet. We are on it; nothing is charged."), "danger"
    if states == {DeliveryStatus.CANCELLED}:
        return _("This order was given up. Nothing was charged."), "neutral"
    return _("We are setting things up with the vendor. This usually takes a minute or two."), "info"


def _cancelled(order: Order) -> str:
    """What ended the order; a rejection with its reason."""
    if not order.was_rejected:
        return _("This order was cancelled.")
    return _("This order was not approved. Reason: %(reason)s") % {"reason": order.reason}


def _steps(order: Order, line: OrderLine, operations: dict[int, Operation]) -> tuple[Step, ...]:
    placed = Step(_("Order placed"), "done")
    if order.status != OrderStatus.EXECUTED:
        return (placed, _not_begun(order))
    operation = operations.get(line.subscription_id or 0)
    delivery = line.delivery_status
    if delivery == DeliveryStatus.DELIVERED:
        setup = (Step(_("Customer set up"), "done"),) if line.plan.product.product_type.requires_account else ()
        return (placed, *setup, Step(_("Ordered at the vendor"), "done"), Step(_("Active"), "done"))
    if delivery in (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED) or operation is None:
        note = _("The vendor did not accept it. Our team looks into it.") if delivery == DeliveryStatus.FAILED else ""
        label = _("Not delivered") if delivery == DeliveryStatus.FAILED else _("Given up")
        return (placed, Step(label, "failed", note))
    return (placed, *_open_steps(operation, needs_setup=line.plan.product.product_type.requires_account))


def _not_begun(order: Order) -> Step:
    """Why nothing was done yet."""
    if order.status == OrderStatus.SUSPENDED:
        return Step(_("Waiting for approval"), "waiting")
    if order.status == OrderStatus.CANCELLED:
        return Step(_("Not approved") if order.was_rejected else _("Cancelled"), "failed")
    return Step(_("Waiting to be executed"), "waiting")


def _change_steps(order: Order, line: OrderLine, operations: dict[int, Operation]) -> tuple[Step, ...]:
    """The steps of a line that changes a service which runs already."""
    placed, at_vendor, done = Step(_("Order placed"), "done"), _("Ordered at the vendor"), _("Active")
    if order.status == OrderStatus.CANCELLED or line.delivery_status == DeliveryStatus.CANCELLED:
        return (placed, Step(_("Given up"), "failed"))
    if order.status != OrderStatus.EXECUTED:
        return (placed, _not_begun(order))
    if line.delivery_status == DeliveryStatus.DELIVERED:
        return (placed, Step(at_vendor, "done"), Step(done, "done"))
    operation = operations.get(line.subscription_id or 0)
    if line.delivery_status == DeliveryStatus.FAILED or operation is None:
        note = _("The vendor did not accept it. The service is as it was, and nothing is charged.")
        return (placed, Step(_("Not delivered"), "failed", note))
    state, note = _state_of(operation)
    return (placed, Step(_("Ordering at the vendor"), state, note), Step(done, "next"))


def _open_steps(operation: Operation, *, needs_setup: bool) -> tuple[Step, ...]:
    setup = operation.depends_on
    if setup is not None and (setup.state in OPEN_STATES or setup.state == OperationState.REFUSED):
        state, note = _state_of(setup)
        return (
            Step(_("Setting up the customer"), state, note),
            Step(_("Ordering at the vendor"), "next"),
            Step(_("Active"), "next"),
        )
    state, note = _state_of(operation)
    done = (Step(_("Customer set up"), "done"),) if needs_setup else ()
    return (*done, Step(_("Ordering at the vendor"), state, note), Step(_("Active"), "next"))


def _state_of(operation: Operation) -> tuple[str, str]:
    if operation.flag == "awaiting_relationship":
        return "waiting", _("Waiting until the customer accepts the invitation.")
    if operation.flag == "customer_under_review":
        return "waiting", _("The vendor is reviewing this customer; this can take days.")
    if operation.state in (OperationState.ATTENTION, OperationState.REFUSED):
        return "waiting", _("Something needs our team's attention. You need not do anything.")
    if operation.state == OperationState.WAITING and operation.attempts:
        return "now", _("The vendor is working on it.")
    return "now", ""
