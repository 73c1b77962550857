"""What the lines of a draft cost today: new services by the price list, more of a running one for what is left.

The same functions price baskets, edited orders and orders about a running service; here the lines keep the amounts.
"""

from collections.abc import Sequence
from typing import Any

from core import money
from core.tenancy import Actor
from orders.enums import LineKind
from orders.legs import no_leg, quote_customer
from orders.models import Order, OrderLine
from orders.services.change import ACTIONS
from orders.services.edit import quote_lines
from orders.services.more import Wish, customers_wish, wish_addon, wish_licences
from resellers.enums import PurchaseMode
from subscriptions.models import Subscription
from subscriptions.preconditions import demand
from subscriptions.services.changes import lock_subscription


def draft_lines(draft: Order) -> list[OrderLine]:
    """The lines with all that pricing and checks read, in their order."""
    related = ("plan__product__product_type__instance__application", "parent", "subscription")
    return list(draft.lines.select_related(*related).order_by("position"))


def wish_of(line: OrderLine, row: Subscription) -> Wish:
    """What a line would do to a running service, and what for; raises Conflict with what stands in the way."""
    demand(row, ACTIONS[LineKind(line.kind)][0])
    if line.kind == LineKind.LICENCES:
        return wish_licences(row, quantity=row.quantity + line.quantity)
    return wish_addon(row, plan=line.plan, quantity=line.quantity)


def price_lines(actor: Actor, draft: Order, lines: Sequence[OrderLine]) -> bool:
    """Write today's amounts into these lines; True if the payer would owe something else than they said before.

    Raises ``withdrawn`` and ``no_price_list`` for what is no longer sold, and what :func:`wish_of` raises.
    """
    fresh = [line for line in lines if line.kind == LineKind.NEW]
    changed = _price_new(draft, fresh) if fresh else False
    for line in lines:
        if line.kind != LineKind.NEW and line.subscription is not None:
            changed |= _price_change(line, lock_subscription(actor, line.subscription))
    return changed


def _price_new(draft: Order, lines: Sequence[OrderLine]) -> bool:
    prices, total, plans = quote_lines(draft, [(line, line.quantity) for line in lines])
    items = [(str(line.public_id), line.product_name, line.plan, line.quantity) for line in lines]
    is_sold = draft.purchase_mode == PurchaseMode.END_CUSTOMER
    sold = quote_customer(draft.account, items, plans, prices) if is_sold else None
    quoted = {item.key: item for item in total.lines}
    changed = False
    for line in lines:
        item = quoted[str(line.public_id)]
        amounts = {
            "unit_price": item.unit_price,
            "vendor_cost": item.cost,
            "net": item.net,
            "tax_percent": item.tax_percent,
            "tax": item.tax,
            "gross": item.gross,
            "trace": list(item.trace),
        }
        leg = sold.columns(str(line.public_id), line.plan_id) if sold else no_leg()
        changed |= _write(line, amounts | leg)
    draft.price_list = prices
    return changed


def _price_change(line: OrderLine, row: Subscription) -> bool:
    wish = wish_of(line, row)
    sold = customers_wish(row, lambda leg: wish_of(line, leg), is_needed=False)
    amount = wish.preview.amount
    amounts = {
        "kind": wish.kind,
        "addon": wish.addon,
        "unit_price": wish.unit_price,
        "net": amount.net,
        "tax_percent": amount.tax_percent,
        "tax": amount.tax,
        "gross": amount.gross,
        "trace": list(wish.trace),
    }
    return _write(line, amounts | (sold.columns() if sold else no_leg()))


def _write(line: OrderLine, values: dict[str, Any]) -> bool:
    # The rest of a period costs less every day; that alone is nothing anybody has to agree to again.
    is_part = line.kind != LineKind.NEW
    moved = values["gross"] > line.gross if is_part else values["gross"] != line.gross
    changed = bool(moved or values["unit_price"] != line.unit_price)
    for name, value in values.items():
        setattr(line, name, value)
    line.save(update_fields=[*values, "updated_at"])
    return changed


def sum_up(draft: Order) -> None:
    """The order's totals are the sums of its lines, as on a document; the customer's leg as long as each has one."""
    lines = list(draft.lines.all())
    for name in ("net", "tax", "gross"):
        setattr(draft, name, sum((getattr(line, name) for line in lines), money.ZERO))
        legs = [getattr(line, f"sell_{name}") for line in lines]
        has_leg = bool(legs) and None not in legs
        setattr(draft, f"sell_{name}", sum(legs, money.ZERO) if has_leg else None)
    draft.save(update_fields=["net", "tax", "gross", "sell_net", "sell_tax", "sell_gross", "updated_at"])
