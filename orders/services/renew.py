"""The money of renewals: each billing period is charged once, whatever the credit says (``channel.md`` 8.2)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing import services as billing
from billing.services import Amount, NewCharge, tax_for
from catalog.models import Plan
from catalog.selectors import price_list_of, price_plans
from core.tenancy import Actor
from orders.legs import customer_prices, terms_of
from orders.services.preview import period_price
from resellers.enums import PurchaseMode
from subscriptions.legs import sold_name
from subscriptions.models import Subscription
from subscriptions.services import renew as terms


def charge_period(actor: Actor, row: Subscription) -> None:
    """Charge the billing period that has just begun; a second call for the same period changes nothing."""
    if row.period_starts_at is None or row.period_ends_at is None:
        return
    amount = Amount.of(period_price(row), tax_for(row.bill_to).percent, row.currency)
    description = _("%(name)s: %(n)s from %(start)s to %(end)s") % {
        "name": row.name,
        "n": row.quantity,
        "start": f"{row.period_starts_at:%Y-%m-%d}",
        "end": f"{row.period_ends_at:%Y-%m-%d}",
    }
    billing.post(
        actor,
        payer=row.bill_to,
        row=NewCharge(
            source=f"period:{row.public_id}:{row.period_starts_at:%Y-%m-%d}",
            account_id=row.account_id,
            subscription_id=row.pk,
            description=description,
            currency=row.currency,
            net=amount.net,
            tax_percent=amount.tax_percent,
            tax=amount.tax,
            gross=amount.gross,
            order_number=row.order_number,
        ),
    )


def next_period(actor: Actor, row: Subscription) -> None:
    """Go on to the next billing period of the term and charge it."""
    terms.next_period(row)
    charge_period(actor, row)


def renewal_price(row: Subscription, plan: Plan) -> tuple[Decimal, list[str]]:
    """The unit price of the next term: today's of the account's price list; without one the old price goes on.

    A price that staff set for the next period of this plan goes before the list.
    """
    if row.is_customers_view:
        price, _terms = renewal_leg(row, plan)
        return price if price is not None else row.unit_price, []
    if row.next_unit_price is not None and plan.pk == row.plan_id:
        return row.next_unit_price, [_("Set by hand")]
    prices = price_list_of(row.account)
    if prices is None or prices.currency != row.currency:
        return row.unit_price, row.price_trace
    found = price_plans(Plan.objects.filter(pk=plan.pk).select_related("product"), prices)
    if not found:
        return row.unit_price, row.price_trace
    return found[0].price.amount, list(found[0].price.trace)


def renewal_leg(row: Subscription, plan: Plan) -> tuple[Decimal | None, dict[str, Any]]:
    """The customer's unit price of the next term: today's; without one the old price goes on. None without a leg."""
    if row.purchase_mode != PurchaseMode.END_CUSTOMER:
        return None, {}
    prices = price_list_of(row.account)
    if prices is not None and prices.currency == row.currency:
        found = price_plans(Plan.objects.filter(pk=plan.pk).select_related("product"), prices)
        sold = customer_prices(row.account, found, prices).get(plan.pk)
        if sold is not None:
            # The name it was bought under stays, whatever the reseller calls it by now.
            kept = {"name": name} if (name := sold_name(row)) else {}
            return sold.amount, terms_of(replace(sold, name="")) | kept
    return row.sell_unit_price, row.sell_terms


def renew(actor: Actor, row: Subscription, data: Mapping[str, Any]) -> None:
    """The vendor began a new term: write it with today's price, and charge its first period."""
    plan = terms.renewed_plan(row, data)
    price, trace = renewal_price(row, plan)
    sell, how = renewal_leg(row, plan)
    leg = {"sell_unit_price": sell, "sell_terms": how}
    terms.renew(actor, row, data, plan=plan, unit_price=price, trace=trace, leg=leg)
    charge_period(actor, row)
