"""Prices: pure functions from rules and costs to amounts, each with the trace of how it came about.

Amounts are ``Decimal`` in one currency. Percentages are per cent: 12.5 means 12.5 %. Nothing here reads the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.models import PriceRule
from core import money

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class PriceInput:
    """What decides the price of one plan: the rule found, and the vendor's cost and retail price if known."""

    rule: str
    value: Decimal
    source: str
    cost: Decimal | None = None
    retail: Decimal | None = None


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """The price of one unit for one billing cycle, rounded to the currency's minor unit.

    ``given`` is what made it, of a price from a list: its words are put together only when somebody asks.
    """

    amount: Decimal
    currency: str
    steps: tuple[str, ...] = ()
    given: PriceInput | None = None

    @property
    def trace(self) -> tuple[str, ...]:
        """How it came about, in words."""
        return self.steps if self.given is None else (_words(self.given, self.amount, self.currency),)


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line to be quoted: ``key`` is the caller's, ``price`` the unit price, ``cost`` the vendor's per unit."""

    key: str
    label: str
    quantity: int
    price: UnitPrice
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A quoted line: ``net + tax = gross``, for the first billing cycle."""

    key: str
    label: str
    quantity: int
    unit_price: Decimal
    net: Decimal
    tax_percent: Decimal
    tax: Decimal
    gross: Decimal
    cost: Decimal | None
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """All lines with their sums; every figure carries its trace in words."""

    currency: str
    lines: tuple[QuotedLine, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_label: str


def percent(value: Decimal) -> str:
    """A percentage in words without trailing zeros."""
    return f"{value.normalize():f} %"


def unit_price(given: PriceInput, currency: str) -> UnitPrice | None:
    """The price a rule gives, or None if it needs a cost or retail price that is not known (then it is not sold)."""
    if given.rule == PriceRule.FIXED:
        amount = given.value
    elif given.rule == PriceRule.MARKUP and given.cost:
        amount = given.cost * (1 + given.value / HUNDRED)
    elif given.rule == PriceRule.DISCOUNT and given.retail:
        amount = given.retail * (1 - given.value / HUNDRED)
    else:
        return None
    return UnitPrice(money.to_minor(amount, currency), currency, given=given)


def _words(given: PriceInput, amount: Decimal, currency: str) -> str:
    shown = {"source": given.source, "percent": percent(given.value), "amount": money.show(amount, currency)}
    if given.rule == PriceRule.FIXED:
        return _("Price from %(source)s: %(amount)s per unit") % shown
    if given.rule == PriceRule.MARKUP:
        return _("%(source)s: vendor's cost plus %(percent)s = %(amount)s per unit") % shown
    retail = money.show(given.retail or money.ZERO, currency)
    words = _("%(source)s: retail price %(retail)s less %(percent)s = %(amount)s per unit")
    return words % {**shown, "retail": retail}


def quote(lines: Sequence[QuoteLine], *, currency: str, tax_percent: Decimal, tax_label: str) -> Quote:
    """Price lines for the first billing cycle: quantity x unit price, tax per line, rounded half-up to the minor unit.

    Pure. The sums are sums of the rounded lines, so that a document adds up as it is printed.
    """
    done = tuple(_quote_line(line, currency, tax_percent, tax_label) for line in lines)
    net = sum((line.net for line in done), money.ZERO)
    tax = sum((line.tax for line in done), money.ZERO)
    return Quote(currency, done, net, tax, net + tax, tax_label)


def _quote_line(line: QuoteLine, currency: str, tax_percent: Decimal, tax_label: str) -> QuotedLine:
    net = money.to_minor(line.price.amount * line.quantity, currency)
    tax = money.to_minor(net * tax_percent / HUNDRED, currency)
    steps = (
        *line.price.trace,
        _("%(quantity)s x %(unit)s = %(net)s")
        % {
            "quantity": line.quantity,
            "unit": money.show(line.price.amount, currency),
            "net": money.show(net, currency),
        },
        _("%(label)s on %(net)s = %(tax)s; total %(gross)s")
        % {
            "label": tax_label,
            "net": money.show(net, currency),
            "tax": money.show(tax, currency),
            "gross": money.show(net + tax, currency),
        },
    )
    return QuotedLine(
        line.key,
        line.label,
        line.quantity,
        line.price.amount,
        net,
        tax_percent,
        tax,
        net + tax,
        line.cost,
        steps,
    )
