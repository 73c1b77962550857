"""The web figures: pages of the product, in turns with their floors, on the same server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench import floor, pages
from bench.client import Series, Target, body_of, compared, fetch, interleaved, ratio, target
from bench.dataset import Market
from bench.pages import Page
from bench.size import Plan
from catalog.models import Product
from subscriptions.models import Subscription

LISTED = """
SELECT s.public_id, s.name, a.name, s.external_id FROM subscriptions_subscription s
JOIN resellers_account a ON a.id = s.account_id JOIN catalog_plan p ON p.id = s.plan_id
WHERE s.organization_id = %s AND s.id < %s ORDER BY s.id DESC LIMIT 25
"""
SHELF = """
SELECT p.public_id, p.name, (
    SELECT min(c.retail) FROM catalog_plancost c JOIN catalog_plan pl ON pl.id = c.plan_id
    WHERE pl.product_id = p.id AND pl.is_offered AND c.currency = 'EUR')
FROM catalog_product p
WHERE p.organization_id = %s AND p.is_published AND p.discontinued_at IS NULL AND NOT p.is_addon
  AND (p.name, p.id) > (%s, %s) ORDER BY p.name, p.id LIMIT 24
"""
ONE_PRODUCT = """
SELECT p.name, min(c.retail) FROM catalog_product p JOIN catalog_plan pl ON pl.product_id = p.id
JOIN catalog_plancost c ON c.plan_id = pl.id WHERE p.public_id = %s AND c.currency = 'EUR' GROUP BY p.id
"""
ONE_SUBSCRIPTION = """
SELECT s.name, a.name, s.external_id FROM subscriptions_subscription s JOIN resellers_account a ON a.id = s.account_id
WHERE s.public_id = %s
"""
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Measured:
    """One page of one organization with its two floors, as targets."""

    page: Page
    market: Market
    product: Target
    bare: Target
    plain: Target


def _statement(market: Market, page: Page, address: str) -> tuple[str, list[Any]]:
    """The floor's statement for a page, and its parameters."""
    pk = market.organization.pk
    if page in (pages.LIST, pages.LIST_DEEP):
        rows = Subscription.objects.filter(organization_id=pk).order_by("-pk").values_list("pk", flat=True)
        start = market.counts["subscriptions.Subscription"] * 9 // 10 if page is pages.LIST_DEEP else 0
        return LISTED, [pk, rows[start] + (page is pages.LIST)]
    if page is pages.DETAIL:
        return ONE_SUBSCRIPTION, UUID.findall(address)[:1]
    if page in (pages.PRODUCT, pages.PRODUCT_SIGNED):
        return ONE_PRODUCT, UUID.findall(address)[:1]
    if page is pages.CATALOGUE_DEEP:
        shelf = Product.objects.filter(organization_id=pk, is_published=True, is_addon=False).order_by("name", "pk")
        last = shelf[shelf.count() * 9 // 10]
        return SHELF, [pk, last.name, last.pk]
    return SHELF, [pk, "", 0]


def prepare(market: Market, page: Page, base: str) -> Measured:
    """Fetch the page once, cut its floors from it, and check that they send the same bytes."""
    key = re.sub(r"[^a-z0-9]+", "-", f"{market.key} {page.name}".lower()).strip("-")
    address = page.address(market)
    cookies = pages.cookies_of(market, page.who)
    host = market.site.host
    product = target(f"{market.key}: {page.name}", base, address, host=host, cookies=cookies)
    html = body_of(fetch(product)).decode()
    sql, params = _statement(market, page, address)
    floor.build(key, html, sql=sql, params=params, signed_in=bool(page.who))
    bare = target(f"{product.name} (floor)", base, f"/_floor/{key}/", host=host)
    plain = target(f"{product.name} (plain Django)", base, f"/_plain/{key}/", host=host, cookies=cookies)
    for item in (bare, plain):
        sent = body_of(fetch(item))
        if sent != html.encode():
            raise RuntimeError(f"{item.name} sends {len(sent)} bytes that differ from the page's {len(html.encode())}")
    return Measured(page, market, product, bare, plain)


def measure(markets: dict[str, Market], base: str, plan: Plan) -> dict[str, Any]:
    """Every page in ``main``, lists also in ``small``, the catalogue also in ``wide``."""
    wanted = [prepare(markets["main"], page, base) for page in pages.PAGES]
    wanted += [prepare(markets["small"], page, base) for page in (pages.LIST, pages.LIST_DEEP, pages.CATALOGUE)]
    wanted += [prepare(markets["wide"], page, base) for page in pages.CATALOGUE_PAGES]
    found: dict[str, Series] = {}
    targets = [target for item in wanted for target in (item.product, item.bare, item.plain)]
    found = interleaved(targets, rounds=plan.rounds, seconds=plan.seconds)
    report = {item.product.name: _row(item, found) for item in wanted}
    pairs = _pairs({item.product.name: item.product for item in wanted})
    return {"pages": report, "compared": compared(pairs, rounds=2 * plan.rounds, seconds=plan.seconds)}


def _row(item: Measured, found: dict[str, Series]) -> dict[str, Any]:
    product, bare, plain = (found[each.name] for each in (item.product, item.bare, item.plain))
    statements = pages.count_statements(item.market, item.page)
    return {
        "product": product.report(),
        "floor": bare.report(),
        "plain": plain.report(),
        "ratio_to_floor": ratio(product, bare),
        "ratio_to_plain": ratio(product, plain),
        "statements": len(statements),
        "statements_aim": item.page.aim,
        "bytes": len(body_of(fetch(item.product))),
    }


def _pairs(wanted: Mapping[str, Target]) -> dict[str, tuple[Target, Target]]:
    """What shows how little the size and the depth matter."""
    first, deep = wanted[f"main: {pages.LIST.name}"], wanted[f"main: {pages.LIST_DEEP.name}"]
    few, many = wanted[f"small: {pages.CATALOGUE.name}"], wanted[f"wide: {pages.CATALOGUE.name}"]
    return {
        "list: many rows against a thousand": (first, wanted[f"small: {pages.LIST.name}"]),
        "list: page at 90 % depth against the first": (deep, first),
        "catalogue: many products against 300": (many, few),
        "catalogue: page at 90 % depth against the first": (wanted[f"wide: {pages.CATALOGUE_DEEP.name}"], many),
    }
