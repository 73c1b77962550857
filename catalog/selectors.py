"""Reads of the catalogue: what is sold to whom, and at what price."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.models import (
    SOLD_CHARGE_TYPES,
    Category,
    Cycle,
    Plan,
    PlanCost,
    Price,
    PriceList,
    PriceListAssignment,
    PriceRule,
    Product,
    ProductType,
)
from catalog.pricing import PriceInput, UnitPrice, unit_price
from core import clock
from core.tenancy import Actor, TenantQuerySet
from resellers.models import Account, Site
from users.permissions import Perm


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """What a list says about a plan: the rule, whose it is, the price it gives, and what the plan costs us."""

    rule: str
    value: Decimal
    is_own: bool
    price: UnitPrice | None
    cost: Decimal | None
    retail: Decimal | None

    @property
    def margin(self) -> Decimal | None:
        """Per cent of the price that stays with us, with one decimal; None if price or cost is not known."""
        if self.price is None or self.cost is None or not self.price.amount:
            return None
        return ((self.price.amount - self.cost) * 100 / self.price.amount).quantize(Decimal("0.1"))

    @property
    def is_below_cost(self) -> bool:
        """Whether we would lose money."""
        return self.price is not None and self.cost is not None and self.price.amount < self.cost


@dataclass(frozen=True, slots=True)
class PricedPlan:
    """A plan with its price for somebody; ``cost`` is the vendor's per unit, for those who may see it."""

    plan: Plan
    price: UnitPrice
    cost: Decimal | None


def _valid(price_list: PriceList, day: dt.date) -> bool:
    starts = price_list.valid_from is None or price_list.valid_from <= day
    return starts and (price_list.valid_to is None or day <= price_list.valid_to)


def is_valid(price_list: PriceList) -> bool:
    """Whether a list may be bought from today."""
    return _valid(price_list, clock.now().date())


def price_list_of(account: Account) -> PriceList | None:
    """The price list an account buys from today: its own or its Bill To's, else the organization's default.

    Sub accounts take their Bill To's (``channel.md`` 2.2). None if nothing valid is there: then nothing is sold.
    """
    day = clock.now().date()
    rows = PriceListAssignment.objects.select_related("price_list").filter(account_id=account.payer_id)
    assigned = rows.first()
    if assigned is not None:
        return assigned.price_list if _valid(assigned.price_list, day) else None
    return default_price_list(account.organization_id, account.currency)


def price_lists_of(accounts: Collection[Account]) -> dict[int, PriceList]:
    """What :func:`price_list_of` finds for many payers, by account id, in two statements; without entry: nothing."""
    day = clock.now().date()
    rows = PriceListAssignment.objects.select_related("price_list").filter(account__in=accounts)
    assigned = {row.account_id: row.price_list for row in rows}
    general = PriceList.objects.filter(is_default=True, organization__in={row.organization_id for row in accounts})
    defaults = [row for row in general.order_by("id") if _valid(row, day)]

    def default(account: Account) -> PriceList | None:
        fitting = (row for row in defaults if row.organization_id == account.organization_id)
        return next((row for row in fitting if account.currency in ("", row.currency)), None)

    found = {row.pk: assigned.get(row.pk) or default(row) for row in accounts}
    return {pk: row for pk, row in found.items() if row is not None and _valid(row, day)}


def with_price_list(accounts: TenantQuerySet[Account]) -> TenantQuerySet[Account]:
    """Accounts with ``has_price_list``: whether :func:`price_list_of` finds a list today, in the same statement."""
    day = clock.now().date()
    own = PriceListAssignment.objects.filter(account_id=OuterRef("list_payer"))
    starts = Q(price_list__valid_from=None) | Q(price_list__valid_from__lte=day)
    ends = Q(price_list__valid_to=None) | Q(price_list__valid_to__gte=day)
    general = PriceList.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=day),
        Q(valid_to=None) | Q(valid_to__gte=day),
        organization=OuterRef("organization"),
        is_default=True,
    )
    in_currency = general.filter(currency=OuterRef("currency"))
    found = Q(Exists(own.filter(starts, ends))) | (
        ~Q(Exists(own)) & (Q(Exists(in_currency)) | (Q(currency="") & Q(Exists(general))))
    )
    return accounts.annotate(list_payer=Coalesce("bill_to_id", "pk")).annotate(has_price_list=found)


def default_price_list(organization_id: int, currency: str = "") -> PriceList | None:
    """The organization's default list in this currency (any, if none is said), valid today."""
    rows = PriceList.objects.filter(organization_id=organization_id, is_default=True)
    rows = rows.filter(currency=currency) if currency else rows
    day = clock.now().date()
    return next((row for row in rows.order_by("id") if _valid(row, day)), None)


def price_list_for(actor: Actor, site: Site, account: Account | None) -> PriceList | None:
    """The list whose prices ``actor`` sees: the account's; for visitors the default one if the site shows prices.

    None for whoever may not see prices: what a sub account's reseller pays is not for its people, nor for visitors of
    his own site. What they pay is a selling price (:mod:`catalog.shop`).
    """
    if actor.is_customer and not actor.has(Perm.SHOP_PRICES_VIEW):
        return None
    if site.account_id is not None and actor.account_id != site.account_id:
        return None
    if account is not None:
        return price_list_of(account)
    if actor.is_anonymous and not site.anonymous_prices:
        return None
    return default_price_list(site.organization_id, site.organization.currency)


def sold_products(actor: Actor, price_list: PriceList | None, *, foreign: Collection[int] = ()) -> QuerySet[Product]:
    """Published base products the list has a price for; without a list, all published ones (their prices hidden).

    ``foreign`` instances sell in other markets (:func:`catalog.markets.foreign_instances`).
    """
    rows = Product.objects.visible_to(actor).filter(
        is_addon=False, is_published=True, discontinued_at=None, charge_type__in=SOLD_CHARGE_TYPES
    )
    if foreign:
        rows = rows.exclude(product_type__instance__in=foreign)
    # Only the search itself looks at its column, which is as long as the description.
    rows = rows.defer("search")
    return rows if price_list is None else _priced(rows, price_list)


def _priced(rows: QuerySet[Product], price_list: PriceList) -> QuerySet[Product]:
    """Those the list has a price for. Looked up product by product: of two EXISTS joined by OR, PostgreSQL would
    make lists of every priced product in the database, for each page anew.
    """
    own = Price.objects.filter(price_list=price_list, plan__product=OuterRef("pk"), plan__is_offered=True)
    if not price_list.default_rule:
        return rows.filter(Exists(own))
    column = "cost" if price_list.default_rule == PriceRule.MARKUP else "retail"
    known = PlanCost.objects.filter(
        plan__product=OuterRef("pk"), plan__is_offered=True, currency=price_list.currency, **{f"{column}__gt": 0}
    )
    first = Coalesce(Subquery(known.order_by().values("pk")[:1]), Subquery(own.order_by().values("pk")[:1]))
    return rows.alias(first_price=first).filter(first_price__isnull=False)


def search_products(rows: QuerySet[Product], words: str, *, also: Q | None = None) -> QuerySet[Product]:
    """Full-text search, best first: whole words in any language, stems in English, prefixes while typing.

    ``also`` finds what the words do not, such as products under another name.
    """
    terms = [term for term in "".join(c if c.isalnum() else " " for c in words).split() if term][:8]
    if not terms:
        return rows
    prefix = SearchQuery(" & ".join(f"{term}:*" for term in terms), search_type="raw", config="simple")
    query = prefix | SearchQuery(" ".join(terms), search_type="plain", config="english")
    found = Q(search=query) | also if also is not None else Q(search=query)
    return rows.filter(found).annotate(rank=SearchRank(F("search"), query)).order_by("-rank", "name", "id")


def categories_for(actor: Actor) -> QuerySet[Category]:
    """The shelves that have something on them, in their order."""
    stocked = Product.objects.filter(category=OuterRef("pk"), is_published=True, discontinued_at=None, is_addon=False)
    rows = Category.objects.filter(organization_id=actor.tenant_id)
    return rows.filter(Exists(stocked))


def priced_plans(products: Iterable[Product], price_list: PriceList | None) -> dict[int, list[PricedPlan]]:
    """The offered plans of these products with their prices, by product id: one statement whatever their number."""
    known = {product.pk: product for product in products}
    found: dict[int, list[PricedPlan]] = {pk: [] for pk in known}
    if price_list is None or not known:
        return found
    for priced in price_plans(Plan.objects.filter(product_id__in=list(known), is_offered=True), price_list):
        priced.plan.product = known[priced.plan.product_id]
        found[priced.plan.product_id].append(priced)
    return found


def price_plans(plans: QuerySet[Plan], price_list: PriceList) -> list[PricedPlan]:
    """Price plans from one list; plans without a price are left out. Sorted by term and cycle."""
    return priced_rows(with_price_inputs(plans, price_list), price_list)


def with_price_inputs(plans: QuerySet[Plan], price_list: PriceList) -> QuerySet[Plan]:
    """Plans read with all that :func:`priced_rows` needs, by product, term and cycle."""
    # Each join finds one row at most: a plan has one price in a list and one cost in a currency.
    rows = plans.annotate(
        own=FilteredRelation("prices", condition=Q(prices__price_list=price_list)),
        vendor=FilteredRelation("costs", condition=Q(costs__currency=price_list.currency)),
    ).annotate(
        own_rule=F("own__rule"),
        own_value=F("own__value"),
        vendor_cost=F("vendor__cost"),
        vendor_retail=F("vendor__retail"),
    )
    return rows.order_by("product_id", "term", "billing_cycle", "id")


def priced_rows(plans: Iterable[Plan], price_list: PriceList) -> list[PricedPlan]:
    """Price plans of :func:`with_price_inputs`; reads nothing."""
    priced = []
    for plan in plans:
        price = _price(plan, price_list)
        if price is not None:
            priced.append(PricedPlan(plan, price, plan.vendor_cost))  # type: ignore[attr-defined]
    return priced


def _price(plan: Plan, price_list: PriceList) -> UnitPrice | None:
    rule = plan.own_rule or price_list.default_rule  # type: ignore[attr-defined]
    if not rule:
        return None
    value = plan.own_value if plan.own_rule else price_list.default_value  # type: ignore[attr-defined]
    given = PriceInput(
        rule=rule,
        value=value,
        source=price_list.name,
        cost=plan.vendor_cost,  # type: ignore[attr-defined]
        retail=plan.vendor_retail,  # type: ignore[attr-defined]
    )
    return unit_price(given, price_list.currency)


def price_lists_for(actor: Actor) -> TenantQuerySet[PriceList]:
    """The organization's price lists for its employees, with the number of own prices and of accounts."""
    if not actor.is_staff:
        return PriceList.objects.none()

    def number(rows: QuerySet[Any]) -> Coalesce:
        rows = rows.filter(price_list=OuterRef("pk")).order_by().values("price_list")
        return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)

    return PriceList.objects.visible_to(actor).annotate(
        own_prices=number(Price.objects.all()), accounts=number(PriceListAssignment.objects.visible_to(actor))
    )


def plans_in(actor: Actor, price_list: PriceList) -> TenantQuerySet[Plan]:
    """The offered plans of the organization with what :func:`listed_price` needs for this list, already read."""
    own = Price.objects.filter(price_list=price_list)
    costs = PlanCost.objects.filter(currency=price_list.currency)
    rows = Plan.objects.visible_to(actor).filter(is_offered=True, product__discontinued_at=None)
    rows = rows.annotate(has_own=Exists(own.filter(plan=OuterRef("pk")))).select_related("product")
    return rows.prefetch_related(
        Prefetch("prices", queryset=own, to_attr="own_prices"), Prefetch("costs", queryset=costs, to_attr="list_costs")
    )


def own_price(plan: Plan) -> Price | None:
    """The own price of a plan of :func:`plans_in`."""
    return next(iter(plan.own_prices), None)  # type: ignore[attr-defined]


def listed_price(plan: Plan, price_list: PriceList) -> ListedPrice:
    """What the list says about a plan of :func:`plans_in`; reads nothing."""
    own, cost = own_price(plan), next(iter(plan.list_costs), None)  # type: ignore[attr-defined]
    rule = own.rule if own else price_list.default_rule
    value = own.value if own else price_list.default_value
    known, retail = (cost.cost, cost.retail) if cost else (None, None)
    given = PriceInput(rule=rule, value=value, source=price_list.name, cost=known, retail=retail)
    return ListedPrice(rule, value, own is not None, unit_price(given, price_list.currency), known, retail)


def payers_with_lists(actor: Actor) -> TenantQuerySet[Account]:
    """The accounts that pay themselves, each with the price list it is assigned to."""
    rows = Account.objects.visible_to(actor).filter(bill_to=None)
    return rows.select_related("price_list_assignment__price_list")


def addons_of(product: Product, actor: Actor) -> QuerySet[Product]:
    """Published add-ons that may be bought with ``product``."""
    rows = Product.objects.visible_to(actor).filter(parent_relations__parent=product, is_published=True)
    return rows.filter(discontinued_at=None).order_by("name", "id")


def upgrades_of(product: Product, actor: Actor) -> QuerySet[Product]:
    """Published products that subscriptions to ``product`` may be upgraded to."""
    rows = Product.objects.visible_to(actor).filter(downgrade_relations__source=product, is_published=True)
    return rows.filter(discontinued_at=None).order_by("name", "id")


def category_of(actor: Actor, slug: str) -> Category | None:
    """The shelf with this slug in the actor's organization."""
    return Category.objects.filter(organization_id=actor.tenant_id, slug=slug).first()


def products_for(actor: Actor) -> TenantQuerySet[Product]:
    """All products of the organization for its employees, with category, type, plans and costs."""
    rows = Product.objects.visible_to(actor).select_related("category", "product_type__instance", "organization")
    return (rows if actor.is_staff else rows.none()).prefetch_related("plans__costs")


def product_types_for(actor: Actor) -> TenantQuerySet[ProductType]:
    """The product types of the organization for its employees, with ``stock``, the number of their products."""
    rows = ProductType.objects.visible_to(actor).select_related("instance").annotate(stock=Count("products"))
    return rows if actor.is_staff else rows.none()


def offered_plans(product: Product) -> list[Plan]:
    """The plans a product can be bought with; reads nothing if they are prefetched."""
    return [plan for plan in product.plans.all() if plan.is_offered]


def renewal_plans(product: Product) -> list[Plan]:
    """The offered plans a subscription to ``product`` may renew to: those billed again and again, by term."""
    rows = Plan.objects.filter(product=product, is_offered=True).exclude(billing_cycle__in=(Cycle.ONE_TIME, Cycle.NONE))
    return list(rows.order_by("term", "billing_cycle", "id"))


def lowest_cost(product: Product, currency: str) -> Decimal | None:
    """What the cheapest offered plan costs us per unit and cycle in ``currency``; reads nothing if prefetched."""
    costs = [row.cost for plan in offered_plans(product) for row in plan.costs.all() if row.currency == currency]
    return min(costs, default=None)


def plans_of(product: Product) -> list[Plan]:
    """All plans of a product with their costs, offered ones first."""
    rows = Plan.objects.filter(product=product).prefetch_related("costs")
    return list(rows.order_by("-is_offered", "term", "billing_cycle", "id"))


def relations_of(actor: Actor, product: Product) -> tuple[list[Product], list[Product]]:
    """The add-ons of a product, and the products it is an add-on of."""
    rows = Product.objects.visible_to(actor).order_by("name", "id")
    return list(rows.filter(parent_relations__parent=product)), list(rows.filter(addon_relations__addon=product))


def all_categories(actor: Actor) -> TenantQuerySet[Category]:
    """Every shelf of the organization, also empty ones, with the number of their products."""
    products = Product.objects.filter(category=OuterRef("pk")).order_by().values("category")
    stock = Subquery(products.annotate(n=Count("pk")).values("n"))
    return Category.objects.visible_to(actor).annotate(stock=Coalesce(stock, 0))


def category_choices(actor: Actor) -> list[tuple[str, str]]:
    """The shelves as choices of a filter, by public id."""
    return [(str(row.public_id), row.name) for row in Category.objects.visible_to(actor)]


def segment_choices(actor: Actor) -> list[tuple[str, str]]:
    """The segments that occur in the organization's catalogue."""
    rows = Product.objects.visible_to(actor).order_by("segment").values_list("segment", flat=True).distinct()
    return [(row, row.replace("_", " ").capitalize()) for row in rows if row]


def plan_of(actor: Actor, public_id: str) -> Plan | None:
    """The plan with this public id in the actor's organization, with its product; a malformed id is not there."""
    try:
        key = uuid.UUID(public_id)
    except ValueError:
        return None
    rows = Plan.objects.filter(organization_id=actor.tenant_id, public_id=key)
    return rows.select_related("product").first()


@dataclass(frozen=True)
class CatalogueProgress:
    """How far an organization is on its way to its first sale."""

    has_products: bool
    has_price_list: bool
    has_published: bool


def catalogue_progress(actor: Actor) -> CatalogueProgress:
    """Whether there are products, a price list, and a product that can be bought."""
    products = Product.objects.visible_to(actor)
    return CatalogueProgress(
        has_products=products.exists(),
        has_price_list=PriceList.objects.visible_to(actor).exists(),
        has_published=products.filter(is_published=True, discontinued_at=None).exists(),
    )


def assigned_price_list(actor: Actor, account: Account) -> PriceList | None:
    """The list that was assigned to an account itself, valid or not; see ``price_list_of`` for the one it uses."""
    rows = PriceListAssignment.objects.visible_to(actor).select_related("price_list").filter(account=account)
    found = rows.first()
    return found.price_list if found else None


def lists_for_account(actor: Actor, account: Account) -> TenantQuerySet[PriceList]:
    """The price lists an account may be given: those in its currency; employees only."""
    if not actor.is_staff:
        return PriceList.objects.none()
    rows = PriceList.objects.visible_to(actor)
    return (rows.filter(currency=account.currency) if account.currency else rows).order_by("name", "id")
