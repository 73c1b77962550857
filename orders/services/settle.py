"""What became of an order's lines: delivered, failed, tried again, given up; money follows (``channel.md`` 8.1).

``provisioning`` calls these inside the transaction in which it applies a vendor's answer.
"""

from decimal import Decimal

from billing import services as billing
from billing.services import NewCharge
from core.events import emit
from core.tenancy import Actor
from orders.enums import DELIVERY_MACHINE, DeliveryEvent, DeliveryStatus, OrderStatus
from orders.models import Order, OrderLine
from subscriptions.models import Asset, Operation, Subscription

Service = Subscription | Asset
UNFINISHED = (DeliveryStatus.WAITING, DeliveryStatus.IN_PROGRESS)


def _lines(service: Service) -> list[OrderLine]:
    target = {"asset": service} if isinstance(service, Asset) else {"subscription": service}
    # What a program has only begun to order is no part of the service's life.
    rows = OrderLine.objects.filter(**target).exclude(order__status=OrderStatus.DRAFT).select_for_update(of=("self",))
    return list(rows.order_by("pk"))


def _fire(service: Service, event: DeliveryEvent) -> list[OrderLine]:
    moved = [line for line in _lines(service) if DELIVERY_MACHINE.allows(line.delivery_status, event)]
    for line in moved:
        DELIVERY_MACHINE.fire(line, event)
    if event != DeliveryEvent.RETRY:
        for order_id in sorted({line.order_id for line in moved}):
            _tell_end(order_id)
    return moved


def _tell_end(order_id: int) -> None:
    """Emit ``order.finished`` when no line of an order is open any more; orders end one at a time, so one line is last.

    It is emitted again if a line that failed is tried again and ends once more.
    """
    order = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order_id)
    if not order.lines.filter(delivery_status__in=UNFINISHED).exists():
        emit(
            "order.finished",
            {"order": str(order.public_id)},
            organization_id=order.organization_id,
            account_id=order.account_id,
        )


def deliver(service: Service) -> None:
    """The vendor has provisioned: the lines are delivered and their charges due."""
    key = "asset_id" if isinstance(service, Asset) else "subscription_id"
    for line in _fire(service, DeliveryEvent.DELIVER):
        billing.settle(billing.line_source(line.public_id), **{key: service.pk})


def fail(service: Service, *, reason: str) -> None:
    """The vendor refused: the lines failed and their charges are released."""
    for line in _fire(service, DeliveryEvent.FAIL):
        billing.release(billing.line_source(line.public_id), reason=reason)


def start_again(service: Service) -> None:
    """A failed service is provisioned again: its charges are reserved once more, if the credit allows."""
    for line in _fire(service, DeliveryEvent.RETRY):
        billing.reserve_again(billing.line_source(line.public_id))


def give_up(service: Service, *, reason: str) -> None:
    """Nobody provisions it any more: the lines are cancelled and whatever is still reserved is released."""
    for line in _fire(service, DeliveryEvent.CANCEL):
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
