"""What a reseller reads when he looks after his shop: his catalogue with costs, prices and margins, rules, to-dos."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from catalog.models import (
    SOLD_CHARGE_TYPES,
    Category,
    CostChange,
    CostMode,
    Listing,
    ListingState,
    Plan,
    PriceList,
    Product,
    SellingKind,
    SellingPolicy,
    SellingRule,
)
from catalog.selectors import PricedPlan, price_list_of, priced_rows, with_price_inputs
from catalog.selling import Policy, SellingPrice, Warn, is_stale, warnings_of
from catalog.shop import SellingBook, not_for, policy_of, rule_of
from core import clock
from core.tenancy import Actor, TenantQuerySet
from resellers.models import Account
from resellers.selectors import own_account

LOGGED = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DeskPrice:
    """One plan on the reseller's desk: what he pays, and what he asks for it (None: no rule prices it)."""

    plan: Plan
    cost: Decimal
    sold: SellingPrice | None


@dataclass(frozen=True, slots=True)
class Desk:
    """A reseller's shop as he looks after it: his price list (None: nothing can be sold) and his rules."""

    reseller: Account
    price_list: PriceList | None
    policy: Policy
    book: SellingBook | None

    @property
    def currency(self) -> str:
        """Of all prices; empty without a price list."""
        return self.price_list.currency if self.price_list else ""

    def prices(self, product: Product) -> list[DeskPrice]:
        """The plans of a product of :func:`desk_products` that the reseller can buy; reads nothing."""
        if self.price_list is None or self.book is None:
            return []
        plans: list[Plan] = product.offered  # type: ignore[attr-defined]
        return [self._price(item, product) for item in priced_rows(plans, self.price_list)]

    def _price(self, item: PricedPlan, product: Product) -> DeskPrice:
        item.plan.product = product
        cost = item.price.amount
        return DeskPrice(item.plan, cost, self.book.price(item.plan, cost) if self.book else None)

    def shown(self, product: Product) -> DeskPrice | None:
        """The price a list shows of a product: the cheapest monthly one, else the cheapest."""
        found = self.prices(product)
        monthly = [item for item in found if item.plan.billing_cycle == "monthly"]
        return min(monthly or found, key=lambda item: item.cost, default=None)


def desk_of(reseller: Account) -> Desk:
    """The desk of a reseller with all rules in effect, for what is read of :func:`desk_products`; five statements."""
    prices = price_list_of(reseller)
    if prices is None:
        return Desk(reseller, None, policy_of(reseller), None)
    book = SellingBook.load(reseller, None, price_list=prices)
    return Desk(reseller, prices, book.policy, book)


def desk_products(actor: Actor, desk: Desk) -> TenantQuerySet[Product]:
    """The base products the distributor sells, and whatever the reseller ever listed, with plans and ``own_listing``.

    ``is_listed`` and ``is_withdrawn`` tell the state; a product without a listing is unlisted.
    """
    own = Listing.objects.visible_to(actor).filter(account=desk.reseller)
    sold = Q(is_published=True, discontinued_at=None, charge_type__in=SOLD_CHARGE_TYPES)
    here = own.filter(product=OuterRef("pk"))
    rows = Product.objects.filter(organization_id=actor.tenant_id, is_addon=False).filter(sold | Exists(here))
    rows = rows.exclude(product_type__instance__in=not_for(desk.reseller, desk.price_list))
    rows = rows.annotate(
        is_listed=Exists(here.filter(state=ListingState.LISTED)),
        is_withdrawn=Exists(here.filter(state=ListingState.WITHDRAWN)),
    )
    plans = Plan.objects.filter(is_offered=True)
    priced = with_price_inputs(plans, desk.price_list) if desk.price_list else plans.none()
    found: TenantQuerySet[Product] = (
        rows.select_related("category")
        .defer("search", "description")
        .prefetch_related(
            Prefetch("plans", queryset=priced, to_attr="offered"),
            Prefetch("listings", queryset=own.select_related("category"), to_attr="own_listings"),
        )
    )
    return found


def own_listing(product: Product) -> Listing | None:
    """What the reseller says about a product of :func:`desk_products`."""
    return next(iter(product.own_listings), None)  # type: ignore[attr-defined]


def desk_counts(products: QuerySet[Product]) -> dict[str, int]:
    """How many of :func:`desk_products` there are: all, new, listed, unlisted, withdrawn; one statement."""
    return (
        products.prefetch_related(None)
        .order_by()
        .aggregate(
            all=Count("pk"),
            new=Count("pk", filter=Q(is_new=True)),
            listed=Count("pk", filter=Q(is_listed=True)),
            unlisted=Count("pk", filter=Q(is_listed=False, is_withdrawn=False)),
            withdrawn=Count("pk", filter=Q(is_withdrawn=True)),
        )
    )


def desk_product(actor: Actor, desk: Desk, public_id: UUID | str) -> Product | None:
    """One product of :func:`desk_products` by its public id."""
    return desk_products(actor, desk).defer(None).defer("search").filter(public_id=public_id).first()


def rules_for(actor: Actor) -> TenantQuerySet[SellingRule]:
    """The actor's own selling price rules with what they are about."""
    rows = SellingRule.objects.visible_to(actor).filter(account_id=actor.account_id or 0)
    return rows.select_related("account", "customer", "product", "plan__product", "category")


def policy_row(actor: Actor) -> SellingPolicy | None:
    """The actor's own price settings as stored; None: the defaults."""
    return SellingPolicy.objects.visible_to(actor).filter(account_id=actor.account_id or 0).first()


def rule_plans(actor: Actor) -> QuerySet[Plan]:
    """The plans a fixed price can be typed for, by product."""
    rows = Plan.objects.filter(organization_id=actor.tenant_id, is_offered=True)
    rows = rows.filter(product__is_published=True, product__discontinued_at=None)
    return rows.select_related("product").order_by("product__name", "term", "billing_cycle", "id")


def rule_products(actor: Actor) -> QuerySet[Product]:
    """The products, add-ons too, a rule can be about."""
    rows = Product.objects.filter(organization_id=actor.tenant_id, is_published=True, discontinued_at=None)
    return rows.defer("search", "description").order_by("name", "id")


def rule_categories(actor: Actor) -> QuerySet[Category]:
    """The shelves a rule can be about."""
    return Category.objects.filter(organization_id=actor.tenant_id)


@dataclass(frozen=True, slots=True)
class Stale:
    """A fixed price whose purchase price moved since it was typed."""

    rule: SellingRule
    cost: Decimal


def stale_rules(actor: Actor, desk: Desk) -> list[Stale]:
    """The fixed prices in effect whose cost moved by more than 5 % since they were typed; two statements."""
    if desk.price_list is None:
        return []
    rows = rules_for(actor).filter(kind=SellingKind.FIXED, valid_from__lte=clock.now().date())
    found = [row for row in rows.exclude(cost_seen=None) if row.plan_id]
    plans = with_price_inputs(Plan.objects.filter(pk__in=[row.plan_id for row in found]), desk.price_list)
    costs = {item.plan.pk: item.price.amount for item in priced_rows(plans, desk.price_list)}
    known = [(row, costs[row.plan_id]) for row in found if row.plan_id in costs]
    return [Stale(row, cost) for row, cost in known if is_stale(rule_of(row), cost)]


def reviews(policy: SellingPolicy | None) -> bool:
    """Whether the reseller looks at each change of a purchase price; the prices follow in either case."""
    return policy is not None and policy.cost_mode == CostMode.REVIEW


def cost_changes(actor: Actor, desk: Desk, policy: SellingPolicy | None) -> QuerySet[CostChange]:
    """Changes of purchase prices of listed products, newest first.

    For who reviews them those not marked as seen, for everybody else the log of the last thirty days.
    """
    if desk.price_list is None:
        return CostChange.objects.none()
    listed = Listing.objects.visible_to(actor).filter(account=desk.reseller, state=ListingState.LISTED)
    rows = CostChange.objects.filter(price_list=desk.price_list)
    if policy is not None and reviews(policy):
        rows = rows.filter(pk__gt=policy.reviewed_to)
    else:
        rows = rows.filter(seen_at__gte=clock.now() - LOGGED)
    rows = rows.filter(Exists(listed.filter(product=OuterRef("plan__product"))))
    return rows.exclude(before=None).exclude(after=None).select_related("plan__product").order_by("-pk")


@dataclass(frozen=True, slots=True)
class CostEffect:
    """A change of a purchase price with what it made of the selling price (None: no rule prices the plan)."""

    change: CostChange
    before: SellingPrice | None
    after: SellingPrice | None
    warnings: tuple[Warn, ...] = ()

    @property
    def follows(self) -> bool:
        """Whether customers pay another price since then."""
        return (self.before.amount if self.before else None) != (self.after.amount if self.after else None)


def cost_effects(desk: Desk, changes: Iterable[CostChange]) -> list[CostEffect]:
    """What changes of :func:`cost_changes` made of the prices of today's rules; reads nothing."""
    return [_effect(desk.book, row) for row in changes] if desk.book else []


def _effect(book: SellingBook, row: CostChange) -> CostEffect:
    old = book.price(row.plan, row.before) if row.before is not None else None
    new = book.price(row.plan, row.after) if row.after is not None else None
    return CostEffect(row, old, new, tuple(warnings_of(new, book.policy)) if new else ())


def withdrawn_listings(actor: Actor, desk: Desk) -> Sequence[Listing]:
    """What was withdrawn from the shop, newest first."""
    rows = Listing.objects.visible_to(actor).filter(account=desk.reseller, state=ListingState.WITHDRAWN)
    return list(rows.select_related("product").order_by("-updated_at")[:50])


def unpriced_listings(actor: Actor, desk: Desk) -> list[Product]:
    """What is listed and can be bought, but no rule prices it: customers see it without a price."""
    rows = desk_products(actor, desk).filter(is_listed=True)  # type: ignore[misc]
    return [row for row in rows if not any(item.sold for item in desk.prices(row))][:50]


def own_desk(actor: Actor) -> Desk | None:
    """The desk of the actor's own account, if it sells."""
    account = own_account(actor)
    return desk_of(account) if account is not None and account.is_reseller else None
