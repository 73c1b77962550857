"""Reads of a reseller's shop: what he lists there, and what he sells it at (``channel.md`` 4.2, 4.3).

Selling prices are worked out when they are read, from few rules and the reseller's own price list; none is stored. The
number of statements does not depend on the number of plans.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.markets import foreign_instances, market_for
from catalog.models import (
    Category,
    ChargeType,
    Cycle,
    Listing,
    ListingPicture,
    ListingState,
    Plan,
    PriceList,
    PriceListAssignment,
    Product,
    SellingPolicy,
)
from catalog.models import SellingRule as RuleRow
from catalog.pricing import UnitPrice
from catalog.selectors import (
    PricedPlan,
    is_valid,
    price_list_for,
    price_list_of,
    priced_plans,
    search_products,
    sold_products,
)
from catalog.selling import Policy, Rule, Rules, SellingPrice, Ware, price_from
from core import clock
from core.among import Among
from core.prepared import PreparedRows
from core.tenancy import Actor
from resellers.editions import Capability, has_capability
from resellers.models import Account, Site
from users.permissions import Perm

# The columns of a stored rule and of stored settings, in the order of :class:`Rule` and :class:`Policy`; all of a price
# list and of a category.
RULE_FIELDS = (
    "id", "kind", "value", "customer_id", "product_id", "plan_id", "category_id", "currency", "cost_seen",
)  # fmt: skip
LIST_FIELDS = tuple(column.attname for column in PriceList._meta.concrete_fields)
SHELF_FIELDS = tuple(column.attname for column in Category._meta.concrete_fields)
POLICY_FIELDS = ("rounding", "rounding_way", "floor", "fixed_keeps")
MONTHLY = Cycle.MONTHLY.value
NOBODY = 0  # No customer has this id.
NUMBER = re.compile(r"[0-9]{1,9}")


def not_for(reseller: Account, price_list: PriceList | None) -> list[int]:
    """The instances whose products a reseller cannot put on a shelf: other markets', and reseller plans."""
    return foreign_instances(reseller.organization_id, market_for(reseller.organization, reseller, price_list))


def policy_of(reseller: Account) -> Policy:
    """How a reseller's shop rounds and warns; the defaults if he has said nothing."""
    return _policy(SellingPolicy.objects.filter(account=reseller).first())


def _policy(row: SellingPolicy | None) -> Policy:
    return Policy(*(getattr(row, name) for name in POLICY_FIELDS)) if row else Policy()


def _terms(account: int) -> "QuerySet[PriceListAssignment, tuple[Any, ...]]":
    """The columns of an account's price list, and of its settings."""
    columns = [f"price_list__{name}" for name in LIST_FIELDS]
    columns += [f"account__selling_policy__{name}" for name in POLICY_FIELDS]
    return PriceListAssignment.objects.filter(account=account).order_by().values_list(*columns)


_TERMS = PreparedRows(_terms, account=-1)


def terms_of(reseller: Account) -> tuple[PriceList | None, Policy]:
    """The price list a reseller buys from today and his policy, in one statement; two if the list is the default."""
    for row in _TERMS.read(account=reseller.pk):
        price_list = PriceList.from_db(DEFAULT_DB_ALIAS, LIST_FIELDS, row[: len(LIST_FIELDS)])
        said = row[len(LIST_FIELDS) :]
        policy = Policy(*said) if said[0] is not None else Policy()
        return (price_list if is_valid(price_list) else None), policy
    return price_list_of(reseller), policy_of(reseller)


def shares_prices(reseller: Account | None) -> bool:
    """Whether a reseller lets the distributor's people see what his customers pay; nobody does unless he says so."""
    return reseller is not None and SellingPolicy.objects.filter(account=reseller, shares_prices=True).exists()


def rule_of(row: RuleRow) -> Rule:
    """A stored rule as the pure functions take it."""
    return Rule(*(getattr(row, name) for name in RULE_FIELDS))


def _rule_rows(
    account: int, customer: int, day: dt.date, plans: list[int] | None = None, products: list[int] | None = None
) -> "QuerySet[RuleRow, tuple[Any, ...]]":
    """The rules in effect on a day for all customers and this one, oldest first; of some plans those about them."""
    rows = RuleRow.objects.filter(Q(customer=None) | Q(customer=customer), account=account, valid_from__lte=day)
    if plans is not None:
        about = Q(Among(F("plan_id"), plans)) | Q(Among(F("product_id"), products)) | Q(plan=None, product=None)
        rows = rows.filter(about)
    return rows.order_by("valid_from", "id").values_list(*RULE_FIELDS)


_RULES_OF_PLANS = PreparedRows(_rule_rows, account=-1, customer=-2, day=dt.date(1, 2, 3), plans=[-3], products=[-4])


@dataclass(frozen=True, slots=True)
class SellingBook:
    """The rules of one reseller's shop that concern some plans, read once; ``price`` then reads nothing.

    ``shelves`` are the categories of the products he put on another shelf than the distributor's, ``names`` what he
    calls those he renamed.
    """

    currency: str
    policy: Policy
    rules: Rules
    shelves: Mapping[int, int]
    customer_id: int | None = None
    names: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        reseller: Account,
        plans: Iterable[Plan] | None,
        *,
        price_list: PriceList,
        customer: Account | None = None,
        shelves: Mapping[int, int] | None = None,
        policy: Policy | None = None,
    ) -> "SellingBook":
        """Read what prices these plans (None: every plan) for ``customer``, or for somebody unknown.

        ``price_list`` is the reseller's; ``shelves`` (of products read under his names already) and ``policy`` if they
        are known. At most three statements.
        Raises ValueError for a customer who is not billed to the reseller.
        """
        if customer is not None and customer.bill_to_id != reseller.pk:
            raise ValueError("the customer of another account has no selling price here")
        chosen = None if plans is None else list(plans)
        products = None if chosen is None else list({plan.product_id for plan in chosen})
        names: dict[int, str] = {}
        if shelves is None:
            said = Listing.objects.filter(account=reseller).exclude(category=None, name="").order_by()
            said = said if products is None else said.filter(Among(F("product_id"), products))
            rest = list(said.values_list("product_id", "category_id", "name"))
            shelves = {product: shelf for product, shelf, _name in rest if shelf is not None}
            names = {product: name for product, _shelf, name in rest if name}
        scope: dict[str, Any] = {
            "account": reseller.pk,
            "customer": customer.pk if customer else NOBODY,
            "day": clock.now().date(),
        }
        if chosen is None:
            rows: Iterable[tuple[Any, ...]] = _rule_rows(**scope)
        else:
            rows = _RULES_OF_PLANS.read(**scope, plans=[plan.pk for plan in chosen], products=products)
        # Of one scope the rule that came into effect last counts: a later one replaces it here.
        rules = Rules(Rule(*row) for row in rows)
        policy = policy or policy_of(reseller)
        return cls(price_list.currency, policy, rules, shelves, customer.pk if customer else None, names)

    def ware(self, plan: Plan) -> Ware:
        """What a plan (its product known) is for the rules."""
        product = plan.product
        shelf = self.shelves.get(product.pk, product.category_id)
        return Ware(plan.pk, product.pk, shelf, product.charge_type == ChargeType.PAY_PER_USE)

    def price(self, plan: Plan, cost: Decimal) -> SellingPrice | None:
        """The selling price of a plan that costs the reseller ``cost``; None if no rule prices it."""
        rule = self.rules.find(self.ware(plan), self.currency, customer_id=self.customer_id)
        name = self.names.get(plan.product_id, "")
        return price_from(rule, cost, self.currency, self.policy, name=name) if rule else None


def selling_prices(
    reseller: Account, plans: Sequence[PricedPlan], *, price_list: PriceList, customer: Account | None = None
) -> dict[int, SellingPrice]:
    """Selling prices by plan id, for plans with their purchase prices and products; three statements.

    A plan without an entry is not sold.
    """
    book = SellingBook.load(reseller, [item.plan for item in plans], price_list=price_list, customer=customer)
    found = ((item.plan.pk, book.price(item.plan, item.price.amount)) for item in plans)
    return {plan: price for plan, price in found if price is not None}


@dataclass(frozen=True, slots=True)
class ShopWindow:
    """What somebody sees of a shop: whose it is, for which customer, and which prices.

    In a reseller's shop ``prices`` is his own price list, from which everything is worked out and of which customers
    see nothing.
    """

    site: Site
    prices: PriceList | None
    reseller: Account | None = None
    customer: Account | None = None
    sees_prices: bool = False
    sees_cost: bool = False
    policy: Policy | None = None

    @property
    def lists_itself(self) -> bool:
        """Whether the reseller decides what stands in the shop and at what price."""
        return self.reseller is not None and has_capability(self.reseller.edition, Capability.LISTING)


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan with the price that is asked; ``cost`` and ``margin`` for a reseller's own people alone."""

    plan: Plan
    price: UnitPrice
    cost: Decimal | None = None
    margin: Decimal | None = None


def shop_window(actor: Actor, site: Site, account: Account | None) -> ShopWindow:
    """What ``actor``, of ``account``, sees at this site.

    On a reseller's site his customers see selling prices, visitors too where the site shows them, and his own people
    also what it costs them, if their role lets them. Everybody else, the distributor's employees too, sees no price.
    """
    reseller = site.account
    if reseller is None:
        prices = price_list_for(actor, site, account)
        return ShopWindow(site, prices, sees_prices=prices is not None)
    sells_here = has_capability(reseller.edition, Capability.LISTING) and not actor.viewing_as and not actor.is_staff
    is_own = actor.is_customer and actor.account_id == reseller.pk
    is_customer = actor.is_customer and account is not None and account.bill_to_id == reseller.pk
    sees = sells_here and (is_own or is_customer or (actor.is_anonymous and site.anonymous_prices))
    prices, policy = terms_of(reseller)
    return ShopWindow(
        site,
        prices,
        policy=policy,
        reseller=reseller,
        customer=account if is_customer else None,
        sees_prices=sees,
        sees_cost=sees and is_own and actor.has(Perm.SHOP_COST_VIEW),
    )


def window_products(actor: Actor, window: ShopWindow, *, foreign: Collection[int] = ()) -> QuerySet[Product]:
    """The base products of this shop with their categories; in a reseller's shop those he listed, as ``listing``."""
    if window.reseller is None:
        return sold_products(actor, window.prices, foreign=foreign).select_related("category")
    if window.prices is None:
        return Product.objects.none()
    rows = sold_products(actor, window.prices, foreign=foreign)
    return listed(rows, window.reseller) if window.lists_itself else rows.select_related("category")


def listed(rows: QuerySet[Product], reseller: Account) -> QuerySet[Product]:
    """Those of ``rows`` that the reseller lists, each with its ``listing``; :func:`in_order` sorts them."""
    rows = rows.annotate(listing=FilteredRelation("listings", condition=Q(listings__account=reseller)))
    rows = rows.filter(listing__state=ListingState.LISTED)
    return rows.select_related("category", "listing__category")  # type: ignore[misc]


def in_order(rows: QuerySet[Product], window: ShopWindow) -> QuerySet[Product]:
    """The products of a window in the order of its shop: the reseller's, else by name."""
    by_listing = window.lists_itself and window.prices is not None  # Without a price list there are no rows at all.
    order = ("listing__position", "listing__sort_name", "pk") if by_listing else ("name", "pk")
    return rows.order_by(*order)


def place_of(product: Product) -> str:
    """Where a product of :func:`in_order` stands, for :func:`after_place`: ``id:name`` or ``id:position:name``."""
    listing: Listing | None = getattr(product, "listing", None)
    return f"{product.pk}:{listing.position}:{listing.sort_name}" if listing else f"{product.pk}:{product.name}"


def after_place(rows: QuerySet[Product], window: ShopWindow, place: str) -> QuerySet[Product]:
    """Those of :func:`in_order` that come after a place; one that makes no sense is the beginning."""
    parts = place.replace("\x00", "").split(":", 2 if window.lists_itself else 1)
    if not all(NUMBER.fullmatch(part) for part in parts[:-1]) or len(parts) != (3 if window.lists_itself else 2):
        return rows
    key, name = int(parts[0]), parts[-1]
    if not window.lists_itself:
        return rows.filter(name__gte=name).exclude(name=name, pk__lte=key)
    here = Q(listing__position=int(parts[1]))
    before = Q(listing__sort_name__lt=name) | Q(listing__sort_name=name, pk__lte=key)
    rows = rows.filter(listing__position__gte=int(parts[1]))  # type: ignore[misc]
    return rows.exclude(here & before)


def on_shelf(rows: QuerySet[Product], window: ShopWindow, category: Category) -> QuerySet[Product]:
    """Those of :func:`window_products` that stand on this shelf."""
    if not window.lists_itself:
        return rows.filter(category=category)
    return rows.filter(Q(listing__category=category) | Q(listing__category=None, category=category))


def _stocked_shelves(organization: int, account: int) -> "QuerySet[Category, tuple[Any, ...]]":
    """The columns of the categories that have something on them in the shop of an account."""
    there = Listing.objects.filter(account=account, state=ListingState.LISTED).order_by().values("pk")
    usual = there.filter(category=None, product__category=OuterRef("pk"))[:1]
    moved = there.filter(category=OuterRef("pk"))[:1]
    rows = Category.objects.filter(organization_id=organization)
    rows = rows.alias(stock=Coalesce(Subquery(usual), Subquery(moved))).filter(stock__isnull=False)
    return rows.values_list(*SHELF_FIELDS)


_SHELVES = PreparedRows(_stocked_shelves, organization=-1, account=-2)


def shelves_of(actor: Actor, reseller: Account) -> list[Category]:
    """The shelves of a reseller's shop that have something on them, in their order."""
    rows = _SHELVES.read(organization=actor.tenant_id, account=reseller.pk)
    return [Category.from_db(DEFAULT_DB_ALIAS, SHELF_FIELDS, row) for row in rows]


def dressed(products: Iterable[Product]) -> list[Product]:
    """Products of :func:`listed` under the names, texts, shelves and pictures of the reseller; never to be saved."""
    found = list(products)
    for product in found:
        listing: Listing | None = getattr(product, "listing", None)
        if listing is None:
            continue
        product.name = listing.name or product.name
        product.summary = listing.summary or product.summary
        product.description = listing.description or product.description
        product.picture = listing.picture  # type: ignore[attr-defined]
        if listing.category_id is not None:
            product.category = listing.category
    return found


def picture_of(reseller_id: int, name: str) -> ListingPicture | None:
    """A picture of this very reseller's; those of others are not there."""
    return ListingPicture.objects.filter(account_id=reseller_id, name=name).first() if name else None


def window_plans(window: ShopWindow, products: Sequence[Product]) -> dict[int, list[ShownPlan]]:
    """The plans of these products with the prices this window shows, by product id; nothing where it shows none."""
    found, show = _plans_to_show(window, products)
    return {pk: show(plans) for pk, plans in found.items()}


def window_lowest(window: ShopWindow, products: Sequence[Product]) -> dict[int, ShownPlan | None]:
    """What :func:`lowest` finds of :func:`window_plans`, by product id; other plans are not priced."""
    found, show = _plans_to_show(window, products)
    monthly = {pk: show([item for item in plans if item.plan.billing_cycle == MONTHLY]) for pk, plans in found.items()}
    return {pk: lowest(shown or show(found[pk])) for pk, shown in monthly.items()}


def lowest(plans: Iterable[ShownPlan]) -> ShownPlan | None:
    """The plan a tile shows: the cheapest monthly one, else the cheapest."""
    return min(plans, key=lambda item: (item.plan.billing_cycle != MONTHLY, item.price.amount), default=None)


def _plans_to_show(
    window: ShopWindow, products: Sequence[Product]
) -> tuple[dict[int, list[PricedPlan]], Callable[[Sequence[PricedPlan]], list[ShownPlan]]]:
    """The plans of these products at the price list's prices, and what makes of them those this window shows."""
    if not window.sees_prices or window.prices is None:
        return {product.pk: [] for product in products}, _as_listed
    found = priced_plans(products, window.prices)
    if window.reseller is None:
        return found, _as_listed
    book = SellingBook.load(
        window.reseller,
        [item.plan for plans in found.values() for item in plans],
        price_list=window.prices,
        customer=window.customer,
        shelves=_known_shelves(products),
        policy=window.policy,
    )
    return found, partial(_shown, book=book, sees_cost=window.sees_cost)


def _as_listed(plans: Sequence[PricedPlan]) -> list[ShownPlan]:
    return [ShownPlan(item.plan, item.price) for item in plans]


def _known_shelves(products: Sequence[Product]) -> Mapping[int, int] | None:
    """The shelves of products read with their listings; None if one (such as an add-on) was read without."""
    if any(not hasattr(product, "listing") for product in products):
        return None
    listings = [product.listing for product in products]  # type: ignore[attr-defined]
    return {row.product_id: row.category_id for row in listings if row is not None and row.category_id is not None}


def _shown(plans: Sequence[PricedPlan], book: SellingBook, *, sees_cost: bool) -> list[ShownPlan]:
    found = []
    for item in plans:
        sold = book.price(item.plan, item.price.amount)
        if sold is None:
            continue
        # How the price came about is the reseller's own business.
        price = UnitPrice(sold.amount, sold.currency, ())
        cost, margin = (sold.cost, sold.margin) if sees_cost else (None, None)
        found.append(ShownPlan(item.plan, price, cost, margin))
    return found


def is_sold_at(actor: Actor, window: ShopWindow, plan: Plan) -> bool:
    """Whether somebody can put a plan into his basket at this shop.

    A visitor and a customer need a listed product (an add-on needs a price alone), the reseller's own people one that
    he can buy. In a shop without prices nobody buys but they.
    """
    product, own = plan.product, window.reseller is not None and actor.account_id == window.reseller.pk
    if window.prices is None or (not own and not window.lists_itself):
        return False
    if not own and not product.is_addon and not window_products(actor, window).filter(pk=product.pk).exists():
        return False
    if own:
        return any(item.plan.pk == plan.pk for item in priced_plans([product], window.prices)[product.pk])
    if not window.sees_prices:
        return actor.is_anonymous
    return any(item.plan.pk == plan.pk for item in window_plans(window, [product])[product.pk])


def search_window(rows: QuerySet[Product], window: ShopWindow, words: str) -> QuerySet[Product]:
    """Search :func:`window_products`, best first; a reseller's own names are found too."""
    if not window.lists_itself:
        return search_products(rows, words)
    own = Listing.objects.filter(account=window.reseller).exclude(name="").order_by()
    for word in words.split()[:8]:
        own = own.filter(name__icontains=word)
    return search_products(rows, words, also=Q(pk__in=own.values("product")))
