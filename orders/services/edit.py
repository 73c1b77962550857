"""Editing an order that waits: quantities and lines, priced anew (``channel.md`` 8.1). Nothing is charged."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from billing.services import lock_payer, tax_for
from catalog.models import Plan, PriceList
from catalog.pricing import Quote, QuoteLine, quote
from catalog.selectors import PricedPlan, price_list_of, price_plans
from core import audit
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor
from orders.enums import NO_CREDIT
from orders.legs import CustomerQuote, quote_customer
from orders.models import Order, OrderLine
from orders.selectors import edit_obstacle, order_credit
from orders.services.basket import check_quantity
from orders.services.place import PriceChanged
from orders.targets import demand_orderable
from resellers.enums import PurchaseMode
from users.permissions import Perm


@dataclass(frozen=True)
class Edited:
    """What an order would become: the lines that stay with their new quantities, at today's prices, on both legs."""

    lines: Sequence[tuple[OrderLine, int]]
    removed: Sequence[OrderLine]
    price_list: PriceList
    quote: Quote
    sold: CustomerQuote | None = None


def preview_edit(actor: Actor, *, order: Order, quantities: Mapping[uuid.UUID, int]) -> Edited:
    """What ``order`` would be with these quantities by line; a line not named keeps its own, 0 removes it.

    A base line takes its add-ons with it. Changes nothing. Raises BusinessError for limits, for a line or a price that
    is no longer there, and if nothing is left.
    """
    actor.require(Perm.ORDER_MANAGE, order.account)
    fixed = edit_obstacle(order)
    if fixed is not None:
        raise fixed
    demand_orderable(order.account)
    lines = list(order.lines.select_related("plan__product", "parent").order_by("position"))
    if set(quantities) - {line.public_id for line in lines}:
        raise NotVisible("line_missing", _("This line is no longer in the order."))
    wanted = {line.pk: quantities.get(line.public_id, line.quantity) for line in lines}
    kept = [line for line in lines if wanted[line.pk] and wanted.get(line.parent_id or line.pk)]
    if not kept:
        raise BusinessError("order_empty", _("Nothing would be left: cancel the order instead."))
    if len(kept) == len(lines) and all(wanted[line.pk] == line.quantity for line in lines):
        raise BusinessError("nothing_changed", _("Change a quantity first."))
    for line in kept:
        check_quantity(line.plan.product, wanted[line.pk])
    pairs = [(line, wanted[line.pk]) for line in kept]
    prices, total, plans = quote_lines(order, pairs)
    items = [(str(line.public_id), line.product_name, line.plan, quantity) for line, quantity in pairs]
    is_sold = order.purchase_mode == PurchaseMode.END_CUSTOMER
    sold = quote_customer(order.account, items, plans, prices) if is_sold else None
    return Edited(pairs, [line for line in lines if line not in kept], prices, total, sold)


def quote_lines(order: Order, pairs: Sequence[tuple[OrderLine, int]]) -> tuple[PriceList, Quote, dict[int, PricedPlan]]:
    """What the payer would be charged for lines with these quantities today, by his price list.

    Raises ``no_price_list``, and ``withdrawn`` for what is no longer sold.
    """
    prices = price_list_of(order.account)
    if prices is None or prices.currency != order.currency:
        raise BusinessError("no_price_list", _("There is no valid price list for this account. Assign one first."))
    rows = Plan.objects.filter(pk__in=[line.plan_id for line, _quantity in pairs]).select_related("product")
    plans = {item.plan.pk: item for item in price_plans(rows, prices) if item.plan.is_sellable}
    gone = ", ".join(line.product_name for line, _quantity in pairs if line.plan_id not in plans)
    if gone:
        raise BusinessError("withdrawn", _("No longer available: %(names)s. Remove it to go on.") % {"names": gone})
    tax = tax_for(order.payer)
    asked = [
        QuoteLine(
            key=str(line.public_id),
            label=f"{line.product_name}, {line.plan.label}",
            quantity=quantity,
            price=plans[line.plan_id].price,
            cost=plans[line.plan_id].cost,
        )
        for line, quantity in pairs
    ]
    return prices, quote(asked, currency=prices.currency, tax_percent=tax.percent, tax_label=tax.label), plans


@transaction.atomic
def edit_order(
    actor: Actor, *, order: Order, quantities: Mapping[uuid.UUID, int], seen_total: Decimal, reason: str
) -> Order:
    """Store new quantities of an order that waits, at today's prices; it goes on waiting and is not executed.

    Raises what :func:`preview_edit` raises, :class:`PriceChanged` if ``seen_total`` (gross) is no longer the total,
    and ``reason_short`` below 5 characters.
    """
    if len(reason.strip()) < 5:
        raise BusinessError("reason_short", _("Say in a few words why."), field="reason")
    row = Order.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=order.pk).first()
    if row is None:
        raise NotVisible("order_missing", _("This order does not exist."))
    lock_payer(row.payer_id)
    edited = preview_edit(actor, order=row, quantities=quantities)
    total = edited.quote
    if total.gross != seen_total:
        raise PriceChanged("price_changed", _("A price has changed. Check the new total and confirm again."))
    before = _shown(row)
    _store_lines(edited)
    row.net, row.tax, row.gross, row.price_list = total.net, total.tax, total.gross, edited.price_list
    if row.hold_reason == NO_CREDIT and not order_credit(row).exceeds:
        row.hold_reason = ""
    sums = edited.sold.sums if edited.sold else {}
    for name, amount in sums.items():
        setattr(row, name, amount)
    row.save(update_fields=["net", "tax", "gross", "price_list", "hold_reason", "updated_at", *sums])
    audit.record(actor, "order.edited", row, before=before, after=_shown(row), reason=reason.strip())
    return row


def _store_lines(edited: Edited) -> None:
    # Add-ons first: their product protects itself from being taken away under them.
    for line in sorted(edited.removed, key=lambda item: item.parent_id is None):
        line.delete()
    quoted = {item.key: item for item in edited.quote.lines}
    for line, quantity in edited.lines:
        item = quoted[str(line.public_id)]
        line.quantity, line.unit_price, line.vendor_cost = quantity, item.unit_price, item.cost
        line.net, line.tax_percent, line.tax, line.gross = item.net, item.tax_percent, item.tax, item.gross
        line.trace = list(item.trace)
        leg = edited.sold.columns(str(line.public_id), line.plan_id) if edited.sold else {}
        for name, value in leg.items():
            setattr(line, name, value)
        line.save()


def _shown(order: Order) -> dict[str, object]:
    lines = OrderLine.objects.filter(order=order).order_by("position")
    return {"total": order.gross, "lines": "; ".join(str(line) for line in lines)}
