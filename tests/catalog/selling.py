"""Rules and listings of a reseller, for tests."""

import datetime as dt
from decimal import Decimal
from typing import Any

from catalog.models import Listing, ListingState, SellingRule
from catalog.selectors import price_list_of, priced_plans
from catalog.shop import selling_prices
from resellers.models import Account
from tests.shop import Shop

SINCE = dt.date(2020, 1, 1)


def rule(reseller: Account, kind: str = "margin", value: str = "20", **scope: Any) -> SellingRule:
    """A rule in effect."""
    currency = "EUR" if kind in ("fixed", "amount") else ""
    return SellingRule.objects.create(
        organization_id=reseller.organization_id,
        account=reseller,
        kind=kind,
        value=Decimal(value),
        currency=currency,
        **({"valid_from": SINCE} | scope),
    )


def listing(reseller: Account, product: Any, state: str = ListingState.LISTED, **values: Any) -> Listing:
    """A product in the reseller's shop."""
    return Listing.objects.create(
        organization_id=reseller.organization_id,
        account=reseller,
        product=product,
        state=state,
        **({"sort_name": values.get("name") or product.name} | values),
    )


def amounts(shop: Shop, customer: Account | None = None) -> list[Decimal]:
    """The selling prices of the shop's one product."""
    prices = price_list_of(shop.reseller)
    assert prices is not None
    plans = priced_plans([shop.product], prices)[shop.product.pk]
    found = selling_prices(shop.reseller, plans, price_list=prices, customer=customer)
    return [found[item.plan.pk].amount for item in plans if item.plan.pk in found]
