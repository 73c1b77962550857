"""The vendor's last quote for a product, at what the caller pays (``api.md`` 10.4): what a price sheet brought."""

import datetime as dt
import uuid
from dataclasses import dataclass

from catalog.markets import refuse_foreign
from catalog.models import Plan, PlanCost, Product
from catalog.offers import list_of
from catalog.selectors import PricedPlan, price_list_of, price_plans
from core import clock
from core.tenancy import Actor
from resellers.models import Account

GOOD_FOR = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Quote:
    """A plan at what the caller pays, and when the vendor quoted it."""

    priced: PricedPlan
    quoted_at: dt.datetime


def offered_plan(product: Product, unit: uuid.UUID) -> Plan | None:
    """The plan of a product with this unit; None if it is not sold so."""
    return Plan.objects.filter(product=product, is_offered=True, public_id=unit).first()


def vendor_quote(
    actor: Actor, plan: Plan, *, currency: str, account: Account | None = None, country: str = ""
) -> Quote | None:
    """The last quote for a plan in a currency, for the account or else for the caller.

    None if it is too old, or none is known, or the price list is in another currency.

    Raises ``market_country`` or ``market_currency`` where the vendor does not sell it there.
    """
    prices = price_list_of(account) if account is not None else list_of(actor)
    if prices is None or currency != prices.currency:
        return None
    if country:
        instance = plan.product.product_type.instance
        refuse_foreign(instance, countries=[country], currency=prices.currency)
    cost = PlanCost.objects.filter(plan=plan, currency=prices.currency).first()
    # A price sheet is read by the machine's clock, which a demo does not move.
    if cost is None or clock.real_now() - cost.updated_at > GOOD_FOR:
        return None
    priced = price_plans(Plan.objects.filter(pk=plan.pk), prices)
    return Quote(priced[0], cost.updated_at) if priced else None
