"""Starting the order lines that change a running service: the operation that tells the vendor, and what it wants."""

from typing import Any

from django.utils.translation import gettext as _

from core.errors import Conflict
from core.tenancy import Actor, system_actor
from orders.enums import DELIVERY_MACHINE, DeliveryEvent, LineKind
from orders.models import Order, OrderLine
from subscriptions.enums import Purpose, SubscriptionStatus
from subscriptions.models import Subscription, SubscriptionAddOn
from subscriptions.preconditions import Action, demand
from subscriptions.services import create_addons
from subscriptions.services.changes import lock_subscription, open_change
from subscriptions.services.schedule import schedule_change

ACTIONS = {
    LineKind.LICENCES: (Action.BUY_LICENCES, Purpose.LICENCES),
    LineKind.ADDON: (Action.BUY_ADDON, Purpose.ADDON),
    LineKind.ADDON_LICENCES: (Action.BUY_ADDON, Purpose.ADDON),
    LineKind.UPGRADE: (Action.UPGRADE, Purpose.UPGRADE),
}


def start_change(actor: Actor, order: Order, line: OrderLine) -> None:
    """Open the operation of a line that changes a service; raises Conflict if the service does not allow it now."""
    if line.subscription is None:
        raise Conflict("subscription_missing", _("The subscription of this line does not exist."))
    system = system_actor(order.organization_id, label=actor.label)
    if line.kind == LineKind.SCHEDULE:
        DELIVERY_MACHINE.fire(line, DeliveryEvent.START)
        schedule_change(
            system,
            subscription=line.subscription,
            quantity=line.quantity,
            plan=line.plan,
            order_number=order.number,
        )
        return
    row = lock_subscription(system, line.subscription)
    action, purpose = ACTIONS[LineKind(line.kind)]
    demand(row, action)
    targets: dict[str, Any] = {}
    if line.kind == LineKind.ADDON:
        targets["addon"] = _addon(row, line)
    DELIVERY_MACHINE.fire(line, DeliveryEvent.START, **targets)
    open_change(actor, row, purpose=purpose, desired=_desired(row, line), order_number=order.number)


def _addon(row: Subscription, line: OrderLine) -> SubscriptionAddOn:
    addon = SubscriptionAddOn(
        organization_id=row.organization_id,
        subscription=row,
        product=line.plan.product,
        plan=line.plan,
        name=line.product_name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        price_trace=line.trace,
        sell_unit_price=line.sell_unit_price,
        sell_terms=line.sell_terms,
    )
    return create_addons([addon])[0]


def _desired(row: Subscription, line: OrderLine) -> dict[str, Any]:
    """The whole wanted state, in absolute numbers."""
    if line.kind == LineKind.LICENCES:
        return {"quantity": row.quantity + line.quantity}
    if line.kind == LineKind.UPGRADE:
        return {
            "upgrade": {
                "plan": str(line.plan.public_id),
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "trace": line.trace,
                "sell_unit_price": None if line.sell_unit_price is None else str(line.sell_unit_price),
                "sell_terms": line.sell_terms,
            }
        }
    addon = line.addon
    if addon is None:
        raise Conflict("addon_missing", _("The add-on of this line does not exist."))
    if addon.status == SubscriptionStatus.PENDING_CANCEL:
        raise Conflict("addon_ending", _("This add-on ends with the billing period. Keep it first."))
    more = 0 if line.kind == LineKind.ADDON else addon.quantity
    return {"addons": {str(addon.public_id): more + line.quantity}}
