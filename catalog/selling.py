"""Selling prices: pure functions from a purchase price and a reseller's rules to what his customers pay.

Amounts are ``Decimal`` in one currency, per unit and billing cycle. Percentages are per cent: 12.5 means 12.5 %.
Nothing here reads the database. The rules are those of ``channel.md`` 4.3.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from enum import StrEnum

from django.utils.translation import gettext as _

from catalog.models import FixedKeeps, Rounding, RoundingWay, SellingKind
from catalog.pricing import percent
from core import money

HUNDRED = Decimal(100)
TENTH = Decimal("0.1")
TYPING_MARKUP = Decimal(300)
TYPING_MOVE = Decimal(50)
STALE_MOVE = Decimal(5)
_STEPS = {
    Rounding.STEP_5.value: Decimal("0.05"),
    Rounding.STEP_10.value: Decimal("0.10"),
    Rounding.STEP_50.value: Decimal("0.50"),
    Rounding.STEP_100.value: Decimal(1),
}
_ENDINGS = {Rounding.END_99.value: Decimal("0.99"), Rounding.END_95.value: Decimal("0.95")}
PERCENT_KINDS = frozenset({SellingKind.MARKUP.value, SellingKind.MARGIN.value})


class Level(StrEnum):
    """Where a rule was found; the first counts, and rules do not stack."""

    CUSTOMER_PRODUCT = "customer_product"
    CUSTOMER = "customer"
    PRODUCT = "product"
    CATEGORY = "category"
    DEFAULT = "default"

    @property
    def label(self) -> str:
        """In words, as the trace says it."""
        return {
            Level.CUSTOMER_PRODUCT: _("Rule for this customer and product"),
            Level.CUSTOMER: _("Rule for this customer"),
            Level.PRODUCT: _("Rule for this product"),
            Level.CATEGORY: _("Rule for this category"),
            Level.DEFAULT: _("Rule for the whole shop"),
        }[self]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in effect: its scope by ids (None: any), its kind and value; ``cost_seen`` as in ``SellingRule``."""

    id: int
    kind: str
    value: Decimal
    customer_id: int | None = None
    product_id: int | None = None
    plan_id: int | None = None
    category_id: int | None = None
    currency: str = ""
    cost_seen: Decimal | None = None

    @property
    def level(self) -> Level:
        """The level its scope makes it."""
        of_product = self.product_id is not None or self.plan_id is not None
        if self.customer_id is not None:
            return Level.CUSTOMER_PRODUCT if of_product else Level.CUSTOMER
        if of_product:
            return Level.PRODUCT
        return Level.CATEGORY if self.category_id is not None else Level.DEFAULT

    def fits(self, currency: str, *, is_metered: bool) -> bool:
        """Whether it can price this: amounts in their own currency only, and what is metered by percentages only."""
        return self.kind in PERCENT_KINDS or (self.currency == currency and not is_metered)


@dataclass(frozen=True, slots=True)
class Ware:
    """What is to be priced: ids of plan, product and category, and whether its quantity is measured afterwards."""

    plan_id: int
    product_id: int
    category_id: int | None = None
    is_metered: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Rounding, the least margin in per cent, and what a fixed price keeps when the purchase price changes."""

    rounding: str = Rounding.MINOR.value
    way: str = RoundingWay.UP.value
    floor: Decimal = Decimal(0)
    fixed_keeps: str = FixedKeeps.PRICE.value


@dataclass(frozen=True, slots=True)
class SellingPrice:
    """What one unit is sold at for one billing cycle, and how that came about.

    ``cost``, ``margin`` and ``trace`` are for the reseller's eyes; a customer is told amount and currency. ``name`` is
    what the reseller calls the product, empty if he says the distributor's.
    """

    amount: Decimal
    currency: str
    cost: Decimal
    rule: Rule
    raw: Decimal
    rounding: str
    way: str
    name: str = ""

    @property
    def trace(self) -> tuple[str, ...]:
        """How it came about, in words; put together only when somebody asks."""
        made = f"{self.rule.level.label}: {words_of(self.rule, self.currency)} = {money.show(self.raw, self.currency)}"
        return (
            _("Purchase price: %(amount)s per unit") % {"amount": money.show(self.cost, self.currency)},
            made,
            *_rounding_words(self),
        )

    @property
    def margin(self) -> Decimal | None:
        """Per cent of the price that stays with the reseller, one decimal; None if it is free."""
        return margin_of(self.amount, self.cost)

    @property
    def is_below_cost(self) -> bool:
        """Whether the reseller would lose money."""
        return self.amount < self.cost


@dataclass(frozen=True, slots=True)
class Warn:
    """A reason to ask before a rule is saved; ``percent`` is the figure it is about, with one decimal."""

    code: str
    message: str
    percent: Decimal | None = None


class Rules:
    """Rules in effect, found by scope: one per scope."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_scope = {(row.customer_id, row.plan_id, row.product_id, row.category_id): row for row in rules}

    def changed(self, rule: Rule | None, removed: Collection[int] = ()) -> "Rules":
        """The same rules without those of ``removed`` ids, and with ``rule`` in its scope."""
        kept = [row for row in self._by_scope.values() if row.id not in removed]
        return Rules([*kept, rule] if rule else kept)

    def find(self, ware: Ware, currency: str, *, customer_id: int | None = None) -> Rule | None:
        """The first rule that fits, from the narrowest level to the widest; a plan's before its product's."""
        for scope in _scopes(ware, customer_id):
            row = self._by_scope.get(scope)
            if row is not None and row.fits(currency, is_metered=ware.is_metered):
                return row
        return None


Scope = tuple[int | None, int | None, int | None, int | None]


def _scopes(ware: Ware, customer_id: int | None) -> Iterator[Scope]:
    """Customer, plan, product and category of the rules that may be about a ware, the narrowest first."""
    if customer_id is not None:
        yield customer_id, ware.plan_id, None, None
        yield customer_id, None, ware.product_id, None
        yield customer_id, None, None, None
    yield None, ware.plan_id, None, None
    yield None, None, ware.product_id, None
    if ware.category_id is not None:
        yield None, None, None, ware.category_id
    yield None, None, None, None


def margin_of(amount: Decimal, cost: Decimal) -> Decimal | None:
    """Per cent of ``amount`` that is above ``cost``, with one decimal; None if nothing is asked."""
    return ((amount - cost) * HUNDRED / amount).quantize(TENTH, ROUND_HALF_UP) if amount else None


def apply_rule(rule: Rule, cost: Decimal, *, fixed_keeps: str = FixedKeeps.PRICE.value) -> Decimal:
    """The price before rounding, with four decimals."""
    if rule.kind == SellingKind.FIXED:
        if fixed_keeps == FixedKeeps.MARGIN and rule.cost_seen:
            return money.to_stored(rule.value * cost / rule.cost_seen)
        return money.to_stored(rule.value)
    if rule.kind == SellingKind.MARKUP:
        return money.to_stored(cost * (1 + rule.value / HUNDRED))
    if rule.kind == SellingKind.AMOUNT:
        return money.to_stored(cost + rule.value)
    return money.to_stored(cost / (1 - rule.value / HUNDRED))


def round_price(amount: Decimal, currency: str, rounding: str, way: str = RoundingWay.UP.value) -> Decimal:
    """Round a price; what is not free never becomes free. Steps and endings exist for currencies with two decimals."""
    minor = money.to_minor(amount, currency)
    step, ending = _STEPS.get(rounding), _ENDINGS.get(rounding)
    if amount <= 0 or money.minor_units(currency) < 2 or (step is None and ending is None):
        return minor
    size, offset = step or Decimal(1), ending or Decimal(0)
    mode = ROUND_HALF_UP if way == RoundingWay.NEAREST else ROUND_CEILING
    found = ((amount - offset) / size).quantize(Decimal(1), mode) * size + offset
    return money.to_minor(max(found, offset or size), currency)


def price_from(rule: Rule, cost: Decimal, currency: str, policy: Policy, *, name: str = "") -> SellingPrice:
    """The selling price a rule makes of a purchase price. A fixed price stands as typed unless it keeps its margin."""
    raw = apply_rule(rule, cost, fixed_keeps=policy.fixed_keeps)
    is_typed = rule.kind == SellingKind.FIXED and raw == rule.value
    rounding = Rounding.MINOR.value if is_typed else policy.rounding
    amount = round_price(raw, currency, rounding, policy.way)
    return SellingPrice(amount, currency, cost, rule, raw, rounding, policy.way, name)


def words_of(rule: Rule, currency: str) -> str:
    """A rule in words."""
    if rule.kind == SellingKind.FIXED:
        return _("fixed price %(amount)s") % {"amount": money.show(rule.value, rule.currency or currency)}
    if rule.kind == SellingKind.AMOUNT:
        return _("mark-up of %(amount)s") % {"amount": money.show(rule.value, rule.currency or currency)}
    if rule.kind == SellingKind.MARKUP:
        return _("mark-up of %(percent)s") % {"percent": percent(rule.value)}
    return _("margin of %(percent)s") % {"percent": percent(rule.value)}


def _rounding_words(price: SellingPrice) -> Sequence[str]:
    if price.raw == price.amount:
        return ()
    amount = money.show(price.amount, price.currency)
    if price.rounding == Rounding.MINOR:
        return (_("Rounded: %(amount)s") % {"amount": amount},)
    words = {"step": Rounding(price.rounding).label, "way": RoundingWay(price.way).label, "amount": amount}
    return (_("Rounded %(way)s (%(step)s): %(amount)s") % words,)


def warnings_of(price: SellingPrice, policy: Policy, *, before: Decimal | None = None) -> list[Warn]:
    """What must be confirmed before this price is saved; ``before`` is the fixed price it replaces, if it is one.

    Below cost, under the floor and free of charge exclude each other: the strongest is said.
    """
    found: list[Warn] = []
    amount, cost = price.amount, price.cost
    if amount == 0 < cost:
        found.append(Warn("free", _("This is free of charge.")))
    elif amount < cost:
        share = ((cost - amount) * HUNDRED / cost).quantize(TENTH, ROUND_HALF_UP)
        words = _("%(percent)s below your purchase price.") % {"percent": percent(share)}
        found.append(Warn("below_cost", words, share))
    elif amount and (amount - cost) * HUNDRED < policy.floor * amount:
        margin = price.margin or Decimal(0)
        words = _("The margin of %(margin)s is under your floor of %(floor)s.")
        found.append(Warn("under_floor", words % {"margin": percent(margin), "floor": percent(policy.floor)}, margin))
    found += _typing_warnings(price, before)
    return found


def _typing_warnings(price: SellingPrice, before: Decimal | None) -> list[Warn]:
    if price.cost and (price.amount - price.cost) * HUNDRED > TYPING_MARKUP * price.cost:
        share = ((price.amount - price.cost) * HUNDRED / price.cost).quantize(TENTH, ROUND_HALF_UP)
        words = _("This is %(percent)s above your purchase price. A typing error?") % {"percent": percent(share)}
        return [Warn("typing", words, share)]
    if before and price.rule.kind == SellingKind.FIXED and abs(price.amount - before) * HUNDRED > TYPING_MOVE * before:
        share = ((price.amount - before) * HUNDRED / before).quantize(TENTH, ROUND_HALF_UP)
        words = _("The fixed price moves by %(percent)s. A typing error?") % {"percent": percent(share)}
        return [Warn("typing", words, share)]
    return []


def is_stale(rule: Rule, cost: Decimal) -> bool:
    """Whether the purchase price moved by more than 5 % since the fixed price was typed."""
    seen = rule.cost_seen
    if rule.kind != SellingKind.FIXED or not seen:
        return False
    return abs(cost - seen) * HUNDRED > STALE_MOVE * seen
