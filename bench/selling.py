"""A reseller's shop: its catalogue page beside the distributor's, and what keeping many shops costs.

Both pages are rendered in this process, in turns, by the same view for a visitor who sees prices; what differs is the
site. The reseller lists 10,000 products (fewer if the catalogue has fewer), under a rule for the whole shop, one for
each of 200 products and ten for its customers.
"""

import csv
import io
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from bench import many_shops
from bench.dataset import Market, operator
from catalog.effects import Change, catalogue_plans, effect_lines, summed
from catalog.models import Listing, ListingState, Product, Rounding, SellingKind, SellingPolicy, SellingRule
from catalog.selectors import price_list_of
from catalog.selling import Rule
from catalog.services.listing_import import preview_import
from catalog.services.shop_upkeep import keep_shops
from core import clock
from core.tenancy import ActorKind, system_actor
from resellers.enums import AccountKind, Edition
from resellers.models import Account, Site
from resellers.selectors import actor_for
from storefront.views.catalogue import product_list
from ui.sheet_reader import read_table

LISTED = 10_000
PRODUCT_RULES = 200
CUSTOMER_RULES = 10
SHOPS = 20
WARM = 3
ROUNDS = 40


def open_shop(market: Market, reseller: Account) -> Site:
    """List products and make rules for one reseller; gives his site, open to visitors with prices."""
    organization = market.organization
    Account.objects.filter(pk=reseller.pk).update(edition=Edition.STANDARD)
    reseller.refresh_from_db()
    products = list(
        Product.objects.filter(organization=organization, is_published=True, is_addon=False).order_by("pk")[:LISTED]
    )
    Listing.objects.bulk_create(
        [
            Listing(
                organization=organization,
                account=reseller,
                product=product,
                state=ListingState.LISTED,
                sort_name=product.name,
            )
            for product in products
        ],
        batch_size=2000,
    )
    _rules(reseller, products)
    start = {"rounding": Rounding.END_99, "organization": organization}
    SellingPolicy.objects.get_or_create(account=reseller, defaults=start)
    site, _made = Site.objects.get_or_create(
        account=reseller,
        defaults={"organization": organization, "name": reseller.name, "anonymous_access": True},
    )
    site.anonymous_prices = True
    return site


def _rules(reseller: Account, products: Iterable[Product]) -> None:
    base = {"organization": reseller.organization, "account": reseller, "valid_from": clock.now().date()}
    rows = [SellingRule(kind=SellingKind.MARGIN, value=Decimal(20), **base)]
    for product in list(products)[:PRODUCT_RULES]:
        rows.append(SellingRule(kind=SellingKind.MARKUP, value=Decimal(30), product=product, **base))
    for customer in Account.objects.filter(bill_to=reseller).order_by("pk")[:CUSTOMER_RULES]:
        rows.append(SellingRule(kind=SellingKind.MARGIN, value=Decimal(15), customer=customer, **base))
    SellingRule.objects.bulk_create(rows)


def page_of(site: Site) -> Callable[[], object]:
    """A visitor's first catalogue page at a site, rendered anew with each call."""

    def show() -> object:
        request = cast(Any, RequestFactory().get("/products/"))
        request.user, request.session = AnonymousUser(), {}
        request.site, request.organization, request.viewing = site, site.organization, None
        request.actor = actor_for(request.user, site, as_staff=False)
        answer = product_list(cast(HttpRequest, request))
        if answer.status_code != 200:
            raise LookupError(f"the page answered {answer.status_code}")
        return answer

    return show


def compared(one: Callable[[], object], other: Callable[[], object], rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of both, in turns, and the median of the rounds' ratios (other to one)."""
    for _number in range(WARM):
        one()
        other()
    pairs = [(_timed(one), _timed(other)) for _number in range(rounds)]
    return {
        "distributor_ms": round(statistics.median(first for first, _second in pairs), 2),
        "reseller_ms": round(statistics.median(second for _first, second in pairs), 2),
        "ratio": round(statistics.median(second / first for first, second in pairs), 2),
    }


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def statements(work: Callable[[], object]) -> int:
    """How many statements a call takes."""
    with CaptureQueriesContext(connection) as seen:
        work()
    return len(seen)


def measure(market: Market) -> dict[str, Any]:
    """The page beside the distributor's, the effect of a rule over the catalogue, and the upkeep of many shops."""
    resellers = list(Account.objects.filter(organization=market.organization, kind=AccountKind.RESELLER)[:SHOPS])
    sites = [open_shop(market, reseller) for reseller in resellers]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_listing, catalog_sellingrule")
    own = Site.objects.select_related("organization").get(organization=market.organization, account=None)
    distributor, reseller = page_of(own), page_of(sites[0])
    found: dict[str, Any] = {"listed": Listing.objects.filter(account=resellers[0]).count(), "shops": len(sites)}
    found["catalogue page"] = compared(distributor, reseller) | {
        "distributor_statements": statements(distributor),
        "reseller_statements": statements(reseller),
    }
    found["effect over the catalogue, s"] = round(_timed(lambda: _effect(resellers[0])) / 1000, 2)
    found["import"] = imported(market, resellers[0])
    found["upkeep, first, s"] = round(_timed(keep_shops) / 1000, 2)
    found["upkeep, nothing changed, s"] = round(_timed(keep_shops) / 1000, 2)
    found["upkeep, statements"] = statements(keep_shops)
    found["many shops"] = many_shops.measure(market, page_of)
    return found


def _effect(reseller: Account) -> object:
    prices = price_list_of(reseller)
    if prices is None:
        raise LookupError("the reseller has no price list")
    actor = system_actor(reseller.organization_id)
    change = Change(Rule(0, SellingKind.MARGIN, Decimal(25)))
    return summed(effect_lines(reseller, catalogue_plans(actor), change, price_list=prices))


def imported(market: Market, reseller: Account) -> dict[str, Any]:
    """Seconds to look at a table that changes name, order and price rule of every listed product, as CSV and workbook.

    Looking does all of it and takes it back, so taking it over takes as long.
    """
    products = Product.objects.filter(listings__account=reseller).order_by("pk")
    heads = ("product id", "listed", "name", "order", "price rule")
    lines = [heads]
    for number, key in enumerate(products.values_list("public_id", flat=True)):
        lines.append((str(key), "yes", f"Own name {number}", str(number % 1000), "margin 25 %"))
    actor = replace(operator(market.organization), kind=ActorKind.CUSTOMER, account_id=reseller.pk, sells=True)
    found: dict[str, Any] = {"rows": len(lines) - 1}
    for kind, data in (("CSV", _csv(lines)), ("workbook", _workbook(lines))):
        began, worked = time.perf_counter(), time.process_time()
        rows = read_table(data).rows
        found[f"{kind}, read, s"] = round(time.perf_counter() - began, 2)
        with CaptureQueriesContext(connection) as seen:
            changes = len(preview_import(actor, reseller=reseller, rows=rows).changes)
        found[f"{kind}, read and looked at, s"] = round(time.perf_counter() - began, 2)
        found[f"{kind}, of it the processor's, s"] = round(time.process_time() - worked, 2)
        found |= {"changes": changes, "statements": len(seen)}
    return found


def _csv(lines: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def _workbook(lines: Iterable[Iterable[str]]) -> bytes:
    book, target = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for line in lines:
        sheet.append(list(line))
    book.save(target)
    return target.getvalue()
