"""Two thousand resellers with shops of their own: finding a site, the rules of a page, and a cost change over all.

Twenty of them list 10,000 products (fewer if the catalogue has fewer), the others a hundred each; all buy from one
price list. Every fifth has a rule for each of fifty products besides the one for his whole shop. Loaded by INSERT ..
SELECT.
"""

import time
from collections.abc import Callable
from inspect import unwrap
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.dataset import Market
from catalog.models import CostChange, Listing, PlanCost, Product, SellingPolicy, SellingRule
from catalog.selectors import price_list_of
from catalog.services.shop_upkeep import keep_shops
from core import server_side
from core.events import Event
from resellers.enums import AccountKind, AliasState, Edition, SiteStatus
from resellers.models import Account, Site, StorefrontAlias
from resellers.routing import site_for_alias, site_for_host

SHOPS = 2_000
LARGE = 20
LISTED = 10_000
SMALL_LISTED = 100
WITH_RULES = 5
RULES = 50
LOOK_UPS = 300


def load(market: Market, shops: int) -> list[Account]:
    """Resellers with sites, aliases, listings, rules and settings; in the order of their ids."""
    organization = market.organization
    known = Account.objects.filter(organization=organization, kind=AccountKind.RESELLER).order_by("pk")
    model = known[0]
    made = Account.objects.bulk_create(
        [
            Account(
                organization=organization,
                kind=AccountKind.RESELLER,
                edition=Edition.STANDARD,
                name=f"Shop {number}",
                email=f"shop{number}@shops.example",
                country=model.country,
                currency=model.currency,
            )
            for number in range(shops - known.count())
        ],
        batch_size=1000,
    )
    assigned = model.price_list_assignment
    type(assigned).objects.bulk_create(
        [type(assigned)(organization=organization, account=row, price_list=assigned.price_list) for row in made],
        batch_size=1000,
    )
    sites = Site.objects.bulk_create(
        [
            Site(
                organization=organization,
                account=row,
                name=row.name,
                alias=f"shop-{row.pk}",
                status=SiteStatus.LIVE,
                anonymous_access=True,
                anonymous_prices=True,
            )
            for row in made
        ],
        batch_size=1000,
    )
    StorefrontAlias.objects.bulk_create(
        [
            StorefrontAlias(organization=organization, account=site.account, alias=site.alias, state=AliasState.LIVE)
            for site in sites
        ],
        batch_size=1000,
    )
    _fill(organization.pk, [row.pk for row in made])
    return list(known)


def _fill(organization: int, accounts: list[int]) -> None:
    """Listings, rules and settings of the new shops, by four statements of the database's own."""
    products = (
        "SELECT id, name, row_number() OVER (ORDER BY id) AS place FROM catalog_product "
        "WHERE organization_id = %(organization)s AND is_published AND NOT is_addon AND discontinued_at IS NULL"
    )
    base = "public_id, created_at, updated_at, organization_id, account_id"
    head = "gen_random_uuid(), now(), now(), %(organization)s, a.id"
    many = "SELECT id, row_number() OVER (ORDER BY id) AS nth FROM unnest(%(accounts)s::bigint[]) AS id"
    values: dict[str, Any] = {"organization": organization, "accounts": accounts, "large": LARGE, "listed": LISTED}
    values |= {"few": SMALL_LISTED, "each": WITH_RULES, "rules": RULES}
    statements = (
        f"INSERT INTO catalog_listing ({base}, product_id, state, name, summary, description, position, picture,"
        f" sort_name) SELECT {head}, p.id, 'listed', '', '', '', 100, '', p.name FROM ({many}) a JOIN ({products}) p"
        " ON p.place <= CASE WHEN a.nth <= %(large)s THEN %(listed)s ELSE %(few)s END",
        f"INSERT INTO catalog_sellingrule ({base}, kind, value, currency, valid_from)"
        f" SELECT {head}, 'margin', 20, '', current_date FROM ({many}) a",
        f"INSERT INTO catalog_sellingrule ({base}, product_id, kind, value, currency, valid_from)"
        f" SELECT {head}, p.id, 'markup', 30, '', current_date FROM ({many}) a JOIN ({products}) p"
        " ON p.place <= %(rules)s WHERE a.nth %% %(each)s = 0",
        f"INSERT INTO catalog_sellingpolicy ({base}, rounding, rounding_way, floor, cost_mode, fixed_keeps,"
        f" shares_prices, reviewed_to) SELECT {head}, '.99', 'up', 0, 'automatic', 'price', false, 0 FROM ({many}) a",
    )
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)
        for table in ("resellers_account", "resellers_site", "resellers_storefrontalias", "catalog_listing"):
            cursor.execute(f"ANALYZE {table}")
        cursor.execute("ANALYZE catalog_sellingrule, catalog_sellingpolicy, catalog_pricelistassignment")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 2)


def _statements(work: Callable[[], object]) -> list[str]:
    with server_side.switched_off(), CaptureQueriesContext(connection) as seen:
        work()
    return [str(row["sql"]) for row in seen]


def look_ups(sites: list[Site]) -> dict[str, Any]:
    """What finding a site by its alias costs, and one by a host, without what the process remembers."""
    chosen = sites[:: max(len(sites) // LOOK_UPS, 1)]
    fresh = [(row.organization_id, row.alias) for row in chosen if row.alias]
    began = time.perf_counter()
    for organization, alias in fresh:
        unwrap(site_for_alias)(organization, alias)
    each = (time.perf_counter() - began) / max(len(fresh), 1)
    return {
        "alias, ms": round(each * 1000, 2),
        "alias, statements": len(_statements(lambda: unwrap(site_for_alias)(*fresh[0]))),
        "host, statements": len(_statements(lambda: unwrap(site_for_host)("nobody.example"))),
    }


def _dearer(market: Market, products: int) -> int:
    """Raise what the first products cost by 5 %, as a price sheet does; how many plans that is."""
    chosen = Product.objects.filter(organization=market.organization, is_published=True, is_addon=False)
    ids = list(chosen.order_by("pk").values_list("pk", flat=True)[:products])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE catalog_plancost c SET cost = round(c.cost * 1.05, 4), retail = round(c.retail * 1.05, 4)"
            " FROM catalog_plan p WHERE p.id = c.plan_id AND p.product_id = ANY(%s)",
            [ids],
        )
        return int(cursor.rowcount)


def measure(market: Market, page: Callable[[Site], Callable[[], object]], *, shops: int = SHOPS) -> dict[str, Any]:
    """Everything about many shops; ``page`` draws a site's catalogue page."""
    loading = time.perf_counter()
    resellers = load(market, shops)
    found: dict[str, Any] = {"shops": len(resellers), "loaded, s": round(time.perf_counter() - loading, 1)}
    found["listings"] = Listing.objects.filter(organization=market.organization).count()
    found["rules"] = SellingRule.objects.filter(organization=market.organization).count()
    rows = Site.objects.select_related("organization", "account").filter(organization=market.organization)
    sites = list(rows.exclude(account=None).exclude(alias="").order_by("pk"))
    found["site"] = look_ups(sites)
    large, ruled = page(sites[0]), page(sites[LARGE + WITH_RULES - 1 - LARGE % WITH_RULES])
    for work in (large, ruled):
        work()
    of_rules = [sql for sql in _statements(ruled) if "catalog_sellingrule" in sql]
    found["page"] = {"statements": len(_statements(large)), "statements for rules": len(of_rules)}
    found["upkeep, first, s"] = _seconds(keep_shops)
    found["upkeep, nothing changed, s"] = _seconds(keep_shops)
    found["cost change"] = _cost_change(market, large)
    return found


def _cost_change(market: Market, page: Callable[[], object]) -> dict[str, Any]:
    """Purchase prices of 10,000 products rise: what is written, until the page shows it, until everybody was told."""
    plans = 0

    def change() -> None:
        nonlocal plans
        plans = _dearer(market, LISTED)

    costs = _seconds(change)
    shown = _seconds(page)
    before = Event.objects.filter(name="listing.cost_changed").count()
    statements: list[str] = []
    told = _seconds(lambda: statements.extend(_statements(keep_shops)))
    return {
        "plans": plans,
        "known plan costs": PlanCost.objects.filter(plan__organization=market.organization).count(),
        "vendor's costs written, s": costs,
        "next page with the new price, s": shown,
        "upkeep: compared, logged, told, s": told,
        "upkeep: statements": len(statements),
        "changes logged": CostChange.objects.filter(organization=market.organization).count(),
        "resellers told": Event.objects.filter(name="listing.cost_changed").count() - before,
        "selling prices written": 0,
        "settings": SellingPolicy.objects.filter(organization=market.organization).count(),
        "list": str(price_list_of(Account.objects.filter(organization=market.organization, kind="reseller")[0])),
    }
