"""An order without a basket: the platform orders for an account on behalf of somebody it knows (``channel.md`` 5.3)."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.services import lock_payer, tax_for
from catalog.models import Plan, PriceList
from catalog.pricing import Quote, QuotedLine, QuoteLine, quote
from catalog.selectors import PricedPlan, price_list_of, price_plans
from core import audit, clock
from core.errors import BusinessError
from core.events import emit
from core.tenancy import Actor
from orders.enums import ORDER_MACHINE, OrderEvent
from orders.models import Order, OrderLine
from orders.services.execute import execute_within_credit
from orders.services.place import order_payload
from orders.targets import hold_of
from resellers.models import Account
from resellers.services.accounts import billing_address, take_order_number
from vendors.models import InstanceState


@dataclass(frozen=True)
class Line:
    """A plan and how many of it, under the name its service will have."""

    plan: Plan
    quantity: int
    name: str


@transaction.atomic
def place_direct(
    actor: Actor,
    *,
    account: Account,
    base: Line,
    addons: Sequence[Line] = (),
    key: uuid.UUID,
    purchase_mode: str,
    service_details: Mapping[str, Any],
) -> Order:
    """Order one service with its add-ons at the account's price list, and execute it if the payer's credit allows.

    The same ``key`` twice gives the same order. Only the platform calls this: whoever may is asked by its caller. Over
    the credit the order stays Submitted. Raises BusinessError ``account_on_hold``, ``no_price`` or ``instance_closed``.
    """
    before = Order.objects.visible_to(actor).filter(idempotency_key=key).first()
    if before is not None:
        return before
    payer = lock_payer(account.payer_id)
    before = Order.objects.visible_to(actor).filter(idempotency_key=key).first()
    if before is not None:
        return before
    held = hold_of(account, payer)
    if held is not None:
        raise held
    lines = [base, *addons]
    prices, priced = _priced(account, lines)
    _check_instance(base.plan)
    total = _quote(payer, prices, lines, priced)
    order = _store(actor, account, payer, prices, total, key, purchase_mode, service_details)
    _store_lines(order, lines, total)
    ORDER_MACHINE.fire(order, OrderEvent.SUBMIT, placed_at=clock.now())
    audit.record(actor, "order.placed", order, after={"total": order.gross, "mode": purchase_mode})
    emit("order.placed", order_payload(order), organization_id=order.organization_id, account_id=order.account_id)
    execute_within_credit(actor, order)
    return order


def _store(
    actor: Actor,
    account: Account,
    payer: Account,
    prices: PriceList,
    total: Quote,
    key: uuid.UUID,
    purchase_mode: str,
    service_details: Mapping[str, Any],
) -> Order:
    return Order.objects.create(
        organization_id=account.organization_id,
        number=take_order_number(account.organization_id),
        account=account,
        payer=payer,
        buyer_label=actor.label,
        purchase_mode=purchase_mode,
        price_list=prices,
        currency=total.currency,
        net=total.net,
        tax=total.tax,
        gross=total.gross,
        billing_address=billing_address(account),
        service_details=dict(service_details),
        idempotency_key=key,
    )


def _priced(account: Account, lines: Sequence[Line]) -> tuple[PriceList, dict[int, PricedPlan]]:
    prices = price_list_of(account)
    rows = Plan.objects.filter(pk__in=[line.plan.pk for line in lines]).select_related("product")
    found = {item.plan.pk: item for item in price_plans(rows, prices)} if prices else {}
    missing = [line.plan.product.name for line in lines if line.plan.pk not in found or not line.plan.is_sellable]
    if prices is None or missing:
        raise BusinessError("no_price", _("Not sold any more: %(names)s.") % {"names": ", ".join(missing)})
    return prices, found


def _check_instance(plan: Plan) -> None:
    instance = plan.product.product_type.instance
    if instance.state != InstanceState.ACTIVE:
        raise BusinessError("instance_closed", _("%(name)s takes no orders at the moment.") % {"name": instance})


def _quote(payer: Account, prices: PriceList, lines: Sequence[Line], priced: Mapping[int, PricedPlan]) -> Quote:
    tax = tax_for(payer)
    wanted = [
        QuoteLine(
            key=str(number),
            label=line.name,
            quantity=line.quantity,
            price=priced[line.plan.pk].price,
            cost=priced[line.plan.pk].cost,
        )
        for number, line in enumerate(lines)
    ]
    return quote(wanted, currency=prices.currency, tax_percent=tax.percent, tax_label=tax.label)


def _store_lines(order: Order, lines: Sequence[Line], total: Quote) -> None:
    parent: OrderLine | None = None
    for position, (line, quoted) in enumerate(zip(lines, total.lines, strict=True), start=1):
        row = OrderLine.objects.create(**_values(order, position, line, quoted), parent=parent)
        parent = parent or row


def _values(order: Order, position: int, line: Line, quoted: QuotedLine) -> dict[str, Any]:
    return {
        "organization_id": order.organization_id,
        "order": order,
        "position": position,
        "plan": line.plan,
        "product_name": line.name[:255],
        "product_code": line.plan.product.code,
        "term": line.plan.term,
        "billing_cycle": line.plan.billing_cycle,
        "quantity": line.quantity,
        "unit_price": quoted.unit_price,
        "vendor_cost": quoted.cost,
        "net": quoted.net,
        "tax_percent": quoted.tax_percent,
        "tax": quoted.tax,
        "gross": quoted.gross,
        "trace": list(quoted.trace),
    }
