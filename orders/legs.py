"""The customer's leg of baskets and orders: worked out, frozen, and shown (``channel.md`` 4.3, 6.1, 10.3).

Amounts are in the order's currency. Who sees which leg is decided in :mod:`subscriptions.legs`; here it is carried out
for what is ordered. None of it moves money: the ledger knows the reseller's cost alone.
"""

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing.services import Tax, tax_for
from catalog.models import Listing, ListingState, Plan, PriceList, Product
from catalog.pricing import Quote, QuotedLine, QuoteLine, UnitPrice, quote
from catalog.selectors import PricedPlan
from catalog.selling import SellingPrice, margin_of, words_of
from catalog.shop import selling_prices, shares_prices
from core import money
from core.tenancy import Actor
from orders.models import BasketLine, Order, OrderLine
from orders.selectors import PricedBasket
from resellers.editions import Capability, has_capability
from resellers.enums import AccountKind
from resellers.models import Account, Site
from subscriptions.legs import reads_selling_prices, sold_name
from subscriptions.models import Asset, Subscription
from users.permissions import Perm


def has_leg(account: Account) -> bool:
    """Whether what is sold to this account has a customer's leg: an end customer of a reseller who sets prices."""
    reseller = account.bill_to
    is_customer = account.kind == AccountKind.END_CUSTOMER and reseller is not None
    return is_customer and reseller is not None and has_capability(reseller.edition, Capability.LISTING)


def customer_prices(account: Account, plans: Sequence[PricedPlan], prices: PriceList) -> dict[int, SellingPrice]:
    """What an account is asked for these plans by its reseller, by plan id; empty without a customer's leg.

    ``plans`` carry what the reseller pays, from his price list ``prices``. Of each plan the product must be known.
    """
    if not has_leg(account) or account.bill_to is None:
        return {}
    return selling_prices(account.bill_to, plans, price_list=prices, customer=account)


def customer_tax(account: Account) -> Tax:
    """The tax of an end customer: his country's, his reseller's where he has no address of his own."""
    return tax_for(account if account.country or account.bill_to is None else account.bill_to)


def terms_of(price: SellingPrice) -> dict[str, Any]:
    """How a selling price came about, as it is frozen: rule, level, rounding and trace, in words where people read.

    ``name`` is what the reseller calls the product, if it is not the distributor's name.
    """
    return {
        "rule": words_of(price.rule, price.currency),
        "rule_id": price.rule.id,
        "level": price.rule.level.value,
        "rounding": price.rounding,
        "trace": [str(step) for step in price.trace],
        **({"name": price.name} if price.name else {}),
    }


def plain_trace(price: SellingPrice) -> tuple[str, ...]:
    """All that a customer is told of how his price came about: the price."""
    return (_("Price: %(amount)s per unit") % {"amount": money.show(price.amount, price.currency)},)


def listed_names(seller_id: int | None, products: Iterable[int]) -> dict[int, str]:
    """What a reseller calls these products today, by product id; without those that keep the distributor's name."""
    rows = Listing.objects.filter(account_id=seller_id or 0, product__in=list(products)).exclude(name="")
    return dict(rows.order_by().values_list("product_id", "name"))


def read_name(actor: Actor, product: Product, site: Site) -> str:
    """What ``product`` is called for this reader of ``site`` today: by his reseller, or at the reseller's site."""
    seller_id = site.account_id if actor.is_anonymous else None
    if reads_selling_prices(actor):
        seller_id = Account.objects.filter(pk=actor.account_id or 0).values_list("bill_to_id", flat=True).first()
    return listed_names(seller_id, [product.pk]).get(product.pk, product.name) if seller_id else product.name


def on_leg(row: Subscription, plans: Sequence[PricedPlan], prices: PriceList) -> list[PricedPlan]:
    """These plans at the prices of the leg that ``row`` shows; on the customer's without those that are not sold."""
    if not row.is_customers_view:
        return list(plans)
    sold = customer_prices(row.account, plans, prices)
    return [
        PricedPlan(_named(item.plan, found.name), UnitPrice(found.amount, found.currency, plain_trace(found)), None)
        for item in plans
        if (found := sold.get(item.plan.pk)) is not None
    ]


@dataclass(frozen=True)
class CustomerQuote:
    """What a reseller's customer pays: ``prices`` by plan id, ``quoted`` by key; ``unsold`` keys have no price.

    ``pictures`` are the names of the reseller's own, by product id, of a basket the customer looks at.
    """

    quote: Quote
    prices: Mapping[int, SellingPrice]
    quoted: Mapping[str, QuotedLine] = field(default_factory=dict)
    unsold: Collection[str] = ()
    pictures: Mapping[int, str] = field(default_factory=dict)

    @property
    def sums(self) -> dict[str, Decimal | None]:
        """The columns of an order; empty as long as one line has no price."""
        if self.unsold:
            return {"sell_net": None, "sell_tax": None, "sell_gross": None}
        return {"sell_net": self.quote.net, "sell_tax": self.quote.tax, "sell_gross": self.quote.gross}

    def columns(self, key: str, plan_id: int) -> dict[str, Any]:
        """The columns of a line."""
        line = self.quoted.get(key)
        if line is None:
            return no_leg()
        return {
            "sell_unit_price": line.unit_price,
            "sell_net": line.net,
            "sell_tax_percent": line.tax_percent,
            "sell_tax": line.tax,
            "sell_gross": line.gross,
            "sell_terms": terms_of(self.prices[plan_id]),
        }


def no_leg() -> dict[str, Any]:
    """The columns of a line that has no customer's leg."""
    names = ("unit_price", "net", "tax_percent", "tax", "gross")
    return {f"sell_{name}": None for name in names} | {"sell_terms": {}}


Item = tuple[str, str, Plan, int]


def quote_customer(
    account: Account,
    items: Iterable[Item],
    plans: Mapping[int, PricedPlan],
    prices: PriceList,
    *,
    leave_out: Collection[str] = (),
) -> CustomerQuote | None:
    """What ``account`` is asked for items of key, label, plan and quantity; None if it has no customer's leg.

    ``leave_out`` are keys of what is not sold to him whatever its price.
    """
    if not has_leg(account):
        return None
    wanted = list(items)
    found = customer_prices(account, [plans[item[2].pk] for item in wanted if item[2].pk in plans], prices)
    sold = [item for item in wanted if item[2].pk in found and item[0] not in leave_out]
    tax = customer_tax(account)
    lines = [
        QuoteLine(
            key=key,
            label=f"{found[plan.pk].name}, {plan.label}" if found[plan.pk].name else label,
            quantity=quantity,
            price=UnitPrice(found[plan.pk].amount, prices.currency, plain_trace(found[plan.pk])),
        )
        for key, label, plan, quantity in sold
    ]
    total = quote(lines, currency=prices.currency, tax_percent=tax.percent, tax_label=tax.label)
    unsold = {item[0] for item in wanted} - {item[0] for item in sold}
    return CustomerQuote(total, found, {line.key: line for line in total.lines}, unsold)


def basket_quote(priced: PricedBasket, *, listed_only: bool = False) -> CustomerQuote | None:
    """What the customer would pay for a priced basket; ``listed_only``: without products that are not in the shop."""
    account = priced.basket.target_account or priced.basket.buyer_account
    if account is None or priced.price_list is None:
        return None
    items = [
        (str(line.public_id), f"{line.plan.product.name}, {line.plan.label}", line.plan, line.quantity)
        for line in priced.lines
        if line not in priced.withdrawn
    ]
    if not listed_only:
        return quote_customer(account, items, priced.plans, priced.price_list)
    rows = Listing.objects.filter(account_id=account.bill_to_id or 0, state=ListingState.LISTED)
    rows = rows.filter(product__in=[line.plan.product_id for line in priced.lines])
    listed = dict(rows.order_by().values_list("product_id", "picture"))
    hidden = _unlisted(listed, priced.lines)
    found = quote_customer(account, items, priced.plans, priced.price_list, leave_out=hidden)
    return found and replace(found, pictures=listed)


def _unlisted(listed: Collection[int], lines: Sequence[BasketLine]) -> set[str]:
    """The lines, with their add-ons, of products that the reseller does not list (any more)."""
    gone = {line.pk for line in lines if line.parent_id is None and line.plan.product_id not in listed}
    return {str(line.public_id) for line in lines if (line.parent_id or line.pk) in gone}


def shown_basket(actor: Actor, priced: PricedBasket) -> PricedBasket:
    """A priced basket as this actor reads it: an end customer sees his own prices, and no credit of his reseller's."""
    if not reads_selling_prices(actor):
        return priced
    found = basket_quote(priced, listed_only=True)
    account = priced.basket.target_account or priced.basket.buyer_account
    if found is None or account is None:
        return replace(priced, price_list=None, quote=None, plans={}, quoted={}, credit=None, payer=account)
    unsold = [line for line in priced.lines if line in priced.withdrawn or str(line.public_id) in found.unsold]
    # What is not sold any more has no price to bring its name along.
    names = listed_names(account.bill_to_id, [line.plan.product_id for line in unsold]) if unsold else {}
    lines = [_named_line(line, found, names) for line in priced.lines]
    return replace(
        priced,
        lines=lines,
        quote=found.quote,
        quoted=found.quoted,
        plans={},
        withdrawn=[line for line in lines if line in unsold],
        credit=None,
        payer=account,
    )


def _named(plan: Plan, name: str) -> Plan:
    """A plan whose product is called ``name``, for showing; the plan itself without a name."""
    if not name:
        return plan
    view = copy.copy(plan)
    view.product = copy.copy(plan.product)
    view.product.name = name
    return view


def _named_line(line: BasketLine, found: CustomerQuote, names: Mapping[int, str]) -> BasketLine:
    price = found.prices.get(line.plan_id)
    view = copy.copy(line)
    view.plan = _named(line.plan, price.name if price else names.get(line.plan.product_id, ""))
    view.picture = found.pictures.get(line.plan.product_id, "")  # type: ignore[attr-defined]
    return view


def shown_order(actor: Actor, order: Order) -> Order:
    """An order with its lines as this actor reads it: an end customer's own amounts; never to be saved.

    ``is_priced`` is False where he has no price; all amounts are 0 then, and no page shows them.
    """
    return customers_order(order) if reads_selling_prices(actor) else order


def ordered_by(order: Order) -> str:
    """Who ordered, as an end customer reads it: the distributor's people do not exist for him, his reseller does."""
    return order.buyer_label if order.buyer_account_id is not None else order.payer.name


def customers_order(order: Order) -> Order:
    """A copy of an order with the customer's amounts and names in place of the reseller's, on its lines too."""
    view = copy.copy(order)
    view.is_priced = order.sell_gross is not None
    view.payer = order.account
    view.hold_reason, view.buyer_label = "", ordered_by(order)
    _replace(view, ("net", "tax", "gross"), is_priced=view.is_priced)
    known = order.lines.all()
    lines = [copy.copy(line) for line in known]
    for line in lines:
        line.vendor_cost, line.trace = None, []
        line.product_name = sold_name(line) or line.product_name
        _replace(line, ("unit_price", "net", "tax", "gross"), is_priced=view.is_priced)
    done = known._chain()  # type: ignore[attr-defined]
    done._result_cache, done._prefetch_done = lines, True
    view._prefetched_objects_cache = {**getattr(order, "_prefetched_objects_cache", {}), "lines": done}  # type: ignore[attr-defined]
    return view


def _replace(row: Order | OrderLine, names: Sequence[str], *, is_priced: bool) -> None:
    for name in names:
        amount = getattr(row, f"sell_{name}") if is_priced else None
        setattr(row, name, money.ZERO if amount is None else amount)


@dataclass(frozen=True)
class Both:
    """The two legs of one thing before tax, for the reseller: what he pays, what he is paid, and what is left.

    ``percent`` is the margin as a part of the selling price; None if that is 0.
    """

    cost: Decimal
    sell: Decimal

    @property
    def margin(self) -> Decimal:
        """What is left."""
        return self.sell - self.cost

    @property
    def percent(self) -> Decimal | None:
        """The margin in per cent, one decimal."""
        return margin_of(self.sell, self.cost)


def shared_legs(actor: Actor, row: Order | Subscription | Asset) -> Both | None:
    """Both legs for an employee who may see costs, if the reseller shares his selling prices; before tax, else None.

    Of an order its sums, of a service the price of one unit.
    """
    cost, sell = (row.net, row.sell_net) if isinstance(row, Order) else (row.unit_price, row.sell_unit_price)
    if sell is None or not actor.is_staff or not actor.has(Perm.COST_VIEW):
        return None
    return both_of(cost, sell) if shares_prices(row.account.bill_to) else None


def both_of(cost: Decimal, sell: Decimal | None) -> Both | None:
    """Both legs; None where there is no customer's leg."""
    return None if sell is None else Both(cost, sell)
