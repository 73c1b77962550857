"""Reads of baskets and orders: lines with prices, what an order is made of and how far it is."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from billing.services import Credit, Tax, credit_of, tax_for
from catalog.markets import PLANS_APPLICATION, Market, foreign_instances
from catalog.models import AddOnRelation, Plan, PriceList, Product
from catalog.pricing import Quote, QuotedLine, QuoteLine, quote
from catalog.selectors import PricedPlan, price_list_of, price_plans, priced_plans, search_products, sold_products
from core import money
from core.errors import Conflict
from core.tenancy import Actor, TenantQuerySet
from orders.enums import NO_CREDIT, DeliveryStatus, LineKind, OrderStatus
from orders.models import Basket, BasketLine, Order, OrderLine
from resellers.editions import EDITION_RANKS
from resellers.models import Account, Site
from subscriptions.asset_selectors import asset_creations
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Operation, Subscription
from subscriptions.selectors import creations_of
from vendors.models import Instance


@dataclass(frozen=True)
class PricedBasket:
    """A basket with today's prices: ``quoted`` by line public id; ``withdrawn`` lines can no longer be bought."""

    basket: Basket
    lines: Sequence[BasketLine]
    price_list: PriceList | None
    quote: Quote | None
    plans: Mapping[int, PricedPlan]
    withdrawn: Sequence[BasketLine]
    payer: Account | None
    credit: Credit | None
    quoted: Mapping[str, QuotedLine] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to buy."""
        return not self.lines

    @property
    def over_credit(self) -> bool:
        """Whether the total is over the payer's available credit: the order will be stored, not executed."""
        if self.quote is None or self.credit is None or self.credit.unlimited:
            return False
        return self.quote.gross > self.credit.available


def basket_lines(basket: Basket) -> list[BasketLine]:
    """The lines in the order they were put in, each base line followed by its add-ons."""
    rows = list(
        basket.lines.select_related("plan__product__product_type__instance__application", "parent").order_by("id")
    )
    ordered = []
    for row in rows:
        if row.parent_id is None:
            ordered.append(row)
            ordered += [addon for addon in rows if addon.parent_id == row.pk]
    return ordered


def unpriced_basket(basket: Basket) -> PricedBasket:
    """The basket's lines for somebody who may see neither prices nor credit."""
    return PricedBasket(basket, basket_lines(basket), None, None, {}, [], None, None)


def priced_basket(basket: Basket, *, price_list: PriceList | None = None) -> PricedBasket:
    """Price a basket from its target's list (or the one given), for the account that will owe."""
    lines = basket_lines(basket)
    account = basket.target_account or basket.buyer_account
    prices = price_list or (price_list_of(account) if account else None)
    payer = account.bill_to if account and account.bill_to else account
    if prices is None:
        return PricedBasket(basket, lines, None, None, {}, [], payer, None)
    priced = price_plans(Plan.objects.filter(pk__in=[line.plan_id for line in lines]).select_related("product"), prices)
    plans = {item.plan.pk: item for item in priced}
    sellable = [line for line in lines if _sellable(line, plans)]
    withdrawn = [line for line in lines if line not in sellable]
    tax = tax_for(payer) if payer else Tax(percent=money.ZERO, label=_("No tax"))
    total = quote(
        [
            QuoteLine(
                key=str(line.public_id),
                label=f"{line.plan.product.name}, {line.plan.label}",
                quantity=line.quantity,
                price=plans[line.plan_id].price,
                cost=plans[line.plan_id].cost,
            )
            for line in sellable
        ],
        currency=prices.currency,
        tax_percent=tax.percent,
        tax_label=tax.label,
    )
    credit = credit_of(payer) if payer else None
    quoted = {item.key: item for item in total.lines}
    return PricedBasket(basket, lines, prices, total, plans, withdrawn, payer, credit, quoted)


def _sellable(line: BasketLine, plans: Mapping[int, PricedPlan]) -> bool:
    return line.plan_id in plans and line.plan.is_sellable


def basket_count(actor: Actor, site: Site, visitor_key: str) -> int:
    """How many products lie in the actor's basket here, and in the one he filled before he signed in."""
    mine = Q(pk=None)
    if actor.user_id is not None:
        mine |= Q(basket__user_id=actor.user_id, basket__by_staff=False)
    try:
        mine |= Q(basket__user=None, basket__public_id=uuid.UUID(visitor_key))
    except ValueError:
        pass
    return BasketLine.objects.filter(mine, basket__site=site, parent=None).count()


def staff_basket(actor: Actor, account: Account) -> Basket | None:
    """What the employee is about to order for an account, if he has begun."""
    rows = Basket.objects.visible_to(actor).filter(by_staff=True, user_id=actor.user_id or 0, target_account=account)
    return rows.select_related("target_account__bill_to", "site").first()


def begun_orders(actor: Actor) -> list[Basket]:
    """What the employee began to order and has not placed, newest first, each with ``size``, its number of products."""
    rows = Basket.objects.visible_to(actor).filter(by_staff=True, user_id=actor.user_id or 0, lines__parent=None)
    return list(rows.annotate(size=Count("lines")).filter(size__gt=0).select_related("target_account").order_by("-id"))


@dataclass(frozen=True)
class Offer:
    """A product that an account can buy, with its plans at that account's prices."""

    product: Product
    plans: Sequence[PricedPlan]


def offers_for(actor: Actor, prices: PriceList, words: str, *, market: Market, limit: int) -> list[Offer]:
    """Products of a price list that are sold in this market and match ``words``, best first.

    Without words the featured ones, then by name.
    """
    rows = sold_products(actor, prices, foreign=foreign_instances(prices.organization_id, market))
    rows = rows.select_related("product_type")
    found = search_products(rows, words) if words else rows.order_by("-is_featured", "name", "id")
    products = list(found[:limit])
    plans = priced_plans(products, prices)
    return [Offer(product, plans[product.pk]) for product in products if plans[product.pk]]


@dataclass(frozen=True)
class BasketRow:
    """A basket's line with its price and the add-ons that may still be put to it; amounts before tax.

    ``cost`` and ``margin`` are of the whole line, None if the vendor's cost is not known; doors show them to those who
    may see costs only.
    """

    line: BasketLine
    quoted: QuotedLine | None
    addons: Sequence[PricedPlan] = ()

    @property
    def cost(self) -> Decimal | None:
        """What the vendor takes for the line."""
        return None if self.quoted is None or self.quoted.cost is None else self.quoted.cost * self.line.quantity

    @property
    def margin(self) -> Decimal | None:
        """What is left of the line."""
        return None if self.quoted is None or self.cost is None else self.quoted.net - self.cost


def basket_rows(actor: Actor, priced: PricedBasket) -> list[BasketRow]:
    """The lines of a priced basket; three statements more whatever their number."""
    bases = [line for line in priced.lines if line.parent_id is None]
    relations = AddOnRelation.objects.visible_to(actor).filter(parent__in=[line.plan.product_id for line in bases])
    offered = relations.filter(addon__is_published=True, addon__discontinued_at=None).select_related("addon")
    addons: dict[int, list[Product]] = {}
    for relation in offered.order_by("addon__name", "pk"):
        addons.setdefault(relation.parent_id, []).append(relation.addon)
    plans = priced_plans({item for items in addons.values() for item in items}, priced.price_list)
    taken = {(line.parent_id, line.plan.product_id) for line in priced.lines}
    rows = []
    for line in priced.lines:
        free = [item for item in addons.get(line.plan.product_id, []) if (line.pk, item.pk) not in taken]
        fitting = [_fitting(line, plans[item.pk]) for item in free] if line.parent_id is None else []
        quoted = priced.quoted.get(str(line.public_id))
        rows.append(BasketRow(line, quoted, [item for item in fitting if item is not None]))
    return rows


def _fitting(line: BasketLine, plans: Sequence[PricedPlan]) -> PricedPlan | None:
    """The plan of an add-on with the rhythm of its base product, else the first; None if it has no price."""
    rhythm = (line.plan.term, line.plan.billing_cycle)
    same = [item for item in plans if (item.plan.term, item.plan.billing_cycle) == rhythm]
    return next(iter([*same, *plans]), None)


def basket_instances(lines: Sequence[BasketLine | OrderLine]) -> list[Instance]:
    """The vendor instances of these lines' products that must know the customer, in a stable order."""
    return instances_of([line for line in lines if line.plan.product.product_type.requires_account])


def instances_of(lines: Sequence[BasketLine | OrderLine]) -> list[Instance]:
    """The vendor instances whose products stand in these lines, in a stable order."""
    found = {line.plan.product.product_type.instance_id: line.plan.product.product_type.instance for line in lines}
    return [found[pk] for pk in sorted(found)]


def orders_for(actor: Actor) -> TenantQuerySet[Order]:
    """Orders the actor may see, newest first; what a program has only begun is none yet."""
    rows = Order.objects.visible_to(actor).exclude(status=OrderStatus.DRAFT)
    rows = rows.select_related("account", "payer", "buyer")
    return rows.order_by("-id")


def orders_at_work(actor: Actor) -> TenantQuerySet[Order]:
    """The same with ``open_lines`` and ``failed_lines``: how many lines are not delivered yet, and how many failed."""

    def lines_in(*states: str) -> Coalesce:
        rows = OrderLine.objects.filter(order=OuterRef("pk"), delivery_status__in=states).order_by()
        return Coalesce(Subquery(rows.values("order").annotate(n=Count("pk")).values("n")), 0)

    return orders_for(actor).annotate(
        open_lines=lines_in(DeliveryStatus.WAITING, DeliveryStatus.IN_PROGRESS),
        failed_lines=lines_in(DeliveryStatus.FAILED),
    )


def waits_for(order: Order) -> str:
    """What a row of ``orders_at_work`` waits for, in words; empty if for nothing."""
    if order.status == OrderStatus.SUBMITTED:
        if order.hold_reason and order.hold_reason != NO_CREDIT:
            return _("The vendor refused the check")
        return _("Credit") if order.hold_reason else _("Execution")
    if order.status == OrderStatus.SUSPENDED:
        return _("The reseller's approval")
    if order.status != OrderStatus.EXECUTED:
        return ""
    if getattr(order, "failed_lines", 0):
        return _("The operations desk")
    return _("The vendor") if getattr(order, "open_lines", 0) else ""


def edit_obstacle(order: Order) -> Conflict | None:
    """Why an order with its lines cannot be changed; None if it waits and its lines are new services."""
    if order.status == OrderStatus.EXECUTED:
        return Conflict("order_executed", _("An executed order is changed at its services."))
    if order.status != OrderStatus.SUBMITTED:
        return Conflict("order_not_submitted", _("Only a submitted order can be changed."))
    if any(line.kind != LineKind.NEW for line in order.lines.all()):
        return Conflict("order_of_service", _("An order about a running service is cancelled and placed anew."))
    return None


def orders_with_lines(actor: Actor) -> TenantQuerySet[Order]:
    """Orders with their lines and the lines' services."""
    lines = OrderLine.objects.select_related("subscription", "addon", "asset", "plan__product__product_type")
    lines = lines.defer("asset__token_cipher").order_by("position")
    rows = orders_for(actor).select_related("account", "payer", "buyer", "buyer_account", "price_list")
    return rows.prefetch_related(Prefetch("lines", lines))


def order_with_lines(actor: Actor, public_id: object) -> Order | None:
    """One order with its lines and their services, or None."""
    return orders_with_lines(actor).get_visible(actor, public_id)


@dataclass(frozen=True)
class OrderCredit:
    """An order's total against its payer's credit as the ledger stands now; amounts in the credit's currency."""

    total: Decimal
    credit: Credit

    @property
    def exceeds(self) -> bool:
        """Whether executing needs somebody who may go above the credit."""
        return not self.credit.unlimited and self.total > self.credit.available


def order_credit(order: Order) -> OrderCredit:
    """The figures a person looks at before he executes an order by hand."""
    return OrderCredit(order.gross, credit_of(order.payer))


@dataclass(frozen=True)
class WorkLine:
    """A line with the operation that creates its service; ``cost`` and ``margin`` of the whole line, before tax.

    Both are None if the vendor's cost is not known; the doors show them to those who may see costs only.
    """

    line: OrderLine
    operation: Operation | None

    @property
    def cost(self) -> Decimal | None:
        """What the vendor takes for the line."""
        return None if self.line.vendor_cost is None else self.line.vendor_cost * self.line.quantity

    @property
    def margin(self) -> Decimal | None:
        """What is left of the line."""
        return None if self.cost is None else self.line.net - self.cost


def work_lines(actor: Actor, order: Order) -> list[WorkLine]:
    """The lines of an order from ``orders_with_lines``, in order, with the operations the actor may see."""
    lines = list(order.lines.all())
    operations = creations_of(actor, [line.subscription_id for line in lines if line.subscription_id is not None])
    bought = asset_creations(actor, [line.asset_id for line in lines if line.asset_id is not None])
    return [
        WorkLine(line, operations.get(line.subscription_id or 0) or bought.get(line.asset_id or 0)) for line in lines
    ]


def is_busy(actor: Actor, account: Account) -> bool:
    """Whether an account, or one billed to it, has services that are not cancelled or orders that wait."""
    mine = Q(account=account) | Q(bill_to=account)
    services = Subscription.objects.visible_to(actor).filter(mine).exclude(status=SubscriptionStatus.CANCELLED)
    orders = Order.objects.visible_to(actor).filter(Q(account=account) | Q(payer=account))
    return services.exists() or orders.filter(status__in=(OrderStatus.SUBMITTED, OrderStatus.SUSPENDED)).exists()


def payer_credit(account: Account) -> Credit:
    """The credit an account orders against: its own, or that of the account it is billed to."""
    return credit_of(account.bill_to or account)


def plans_on_offer(account: Account) -> list[PricedPlan]:
    """The reseller plans that are published and priced for a reseller, the smaller first; empty for everybody else."""
    prices = price_list_of(account) if account.is_reseller else None
    if prices is None:
        return []
    rows = Plan.objects.filter(
        organization_id=account.organization_id,
        is_offered=True,
        product__is_published=True,
        product__discontinued_at=None,
        product__product_type__instance__application__code=PLANS_APPLICATION,
    )
    found = price_plans(rows.select_related("product__product_type"), prices)
    return sorted(found, key=lambda item: (EDITION_RANKS.get(item.plan.product.code, 0), item.plan.term, item.plan.pk))


def live_plans(account_id: int) -> list[Subscription]:
    """The reseller's plan subscriptions that have not ended, with their products."""
    rows = Subscription.objects.select_related("product").filter(
        account_id=account_id, instance__application__code=PLANS_APPLICATION
    )
    return list(rows.exclude(status=SubscriptionStatus.CANCELLED).order_by("pk"))
