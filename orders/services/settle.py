"""What became of an order's lines: delivered, failed, tried again, given up; money follows (``channel.md`` 8.1).

``provisioning`` calls these inside the transaction in which it applies a vendor's answer, after it has written the
service: an executed order is locked after its services and before its lines (``docs/architecture.md``, Locks).
"""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Exists, Q

from billing import services as billing
from billing.services import NewCharge
from core import clock
from core.events import emit
from core.tenancy import Actor
from orders.enums import DELIVERY_MACHINE, DeliveryEvent, DeliveryStatus
from orders.models import Order, OrderLine
from subscriptions.models import Asset, Operation, Subscription

Service = Subscription | Asset
UNFINISHED = (DeliveryStatus.WAITING, DeliveryStatus.IN_PROGRESS)


def _fire(operation: Operation, event: DeliveryEvent) -> Sequence[OrderLine]:
    """Move the lines that ``operation`` provisions; those that the same service has in other orders stay as they are.

    Emits ``order.finished`` when no line of the order is open any more; it is emitted again if a line that failed is
    tried again and ends once more.
    """
    if not operation.order_number:
        return []  # Nobody ordered it: a renewal, or less of something.
    # The lock lets an order's lines end one at a time: whoever ends the last one sees that the others have ended.
    rows = Order.objects.select_for_update(of=("self",), no_key=True)
    order = rows.filter(organization_id=operation.organization_id, number=operation.order_number).first()
    if order is None:
        return []
    own = Q(asset=operation.asset_id) if operation.asset_id else Q(subscription=operation.subscription_id)
    lines = OrderLine.objects.filter(order=order)
    others = Exists(lines.filter(delivery_status__in=UNFINISHED).exclude(own))
    found = list(lines.filter(own).annotate(others_open=others).order_by("pk"))
    moved = [line for line in found if DELIVERY_MACHINE.allows(line.delivery_status, event)]
    for line in moved:
        DELIVERY_MACHINE.fire(line, event)
    is_finished = bool(moved) and not any(line.others_open or line.delivery_status in UNFINISHED for line in found)
    if is_finished or (moved and event != DeliveryEvent.DELIVER):
        # What an order is called follows from its lines, so whoever asks for changed orders finds it.
        Order.objects.filter(pk=order.pk).update(updated_at=clock.real_now())
    if is_finished:
        emit(
            "order.finished",
            {"order": str(order.public_id)},
            organization_id=order.organization_id,
            account_id=order.account_id,
        )
    return moved


def hold_payer(operation: Operation) -> None:
    """Lock the payer of an operation that is tried again; before its service, as whoever orders does."""
    rows = Order.objects.filter(organization_id=operation.organization_id, number=operation.order_number)
    payer_id = rows.values_list("payer_id", flat=True).first()
    if payer_id is not None:
        billing.lock_payer(payer_id)


def deliver(operation: Operation) -> None:
    """The vendor has provisioned: the lines are delivered and their charges due."""
    service = {"subscription_id": operation.subscription_id, "asset_id": operation.asset_id}
    for line in _fire(operation, DeliveryEvent.DELIVER):
        billing.settle(billing.line_source(line.public_id), **service)


def fail(operation: Operation, *, reason: str) -> None:
    """The vendor refused: the lines failed and their charges are released."""
    for line in _fire(operation, DeliveryEvent.FAIL):
        billing.release(billing.line_source(line.public_id), reason=reason)


def start_again(operation: Operation) -> None:
    """A refused operation is tried again: its charges are reserved once more, if the credit allows."""
    for line in _fire(operation, DeliveryEvent.RETRY):
        billing.reserve_again(billing.line_source(line.public_id))


def give_up(operation: Operation, *, reason: str) -> None:
    """Nobody tries it any more: the lines are cancelled and whatever is still reserved is released."""
    for line in _fire(operation, DeliveryEvent.CANCEL):
        billing.release(billing.line_source(line.public_id), reason=reason)


def credit(actor: Actor, operation: Operation) -> None:
    """The vendor has taken something back: the credit that was reckoned when it was asked for is posted, once."""
    row: Service | None = operation.subscription or operation.asset
    kept = operation.desired.get("credit")
    if row is None or not kept:
        return
    asset = row if isinstance(row, Asset) else None
    charge = NewCharge(
        # An asset is credited once, however often somebody tries to return it.
        source=f"asset-return:{asset.public_id}" if asset else f"operation:{operation.public_id}",
        account_id=row.account_id,
        subscription_id=None if asset else row.pk,
        asset_id=asset.pk if asset else None,
        description=f"{row.name}: {kept['what']}",
        currency=row.currency,
        net=Decimal(kept["net"]),
        tax_percent=Decimal(kept["tax_percent"]),
        tax=Decimal(kept["tax"]),
        gross=Decimal(kept["gross"]),
        order_number=row.order_number,
    )
    billing.post(actor, payer=row.bill_to, row=charge)
