"""The arithmetic of usage: months, ids, amounts, estimates (``api.md`` 9.2, ``office365.md`` 10). Pure; no database."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from core.money import ZERO, minor_units, to_minor, to_stored

# How many months before the present one can still be read.
KEPT_MONTHS = 36
HUNDRED = Decimal(100)
DAY = dt.timedelta(days=1)
# The families of products (``Product.attributes``) that a vendor bills by use, with the word of the API for each.
KIND_OF_FAMILY = {"azure_legacy": "Azure", "azure_plan": "AzurePlan"}
# The last part of the address at which the API tells each view.
PATHS = {"day": "azure", "meter": "azurePlanByMeter", "resource": "azurePlanByResource"}
_PLACES = tuple(Decimal(1).scaleb(-places) for places in (4, 6, 8, 10, 12))
_QUANTITY = Decimal("0.000001")


def kind_of(attributes: Mapping[str, Any]) -> str:
    """How a product's usage is told, by its attributes: ``Azure``, ``AzurePlan``, or empty for one without usage."""
    return KIND_OF_FAMILY.get(str(attributes.get("family", "")), "")


# --- Months -----------------------------------------------------------------------------------------------------------
def month_of(day: dt.date) -> dt.date:
    """The first day of a day's month."""
    return day.replace(day=1)


def month_after(month: dt.date, number: int = 1) -> dt.date:
    """The first day of the month so many months later, or earlier."""
    year, place = divmod(month.year * 12 + month.month - 1 + number, 12)
    return dt.date(year, place + 1, 1)


def months_between(earlier: dt.date, later: dt.date) -> int:
    """How many months lie between the months of two days."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def is_archived(month: dt.date, today: dt.date) -> bool:
    """Whether a month is older than what is kept."""
    return months_between(month, today) > KEPT_MONTHS


def midnight(day: dt.date) -> dt.datetime:
    """The moment a day begins at the vendor, who counts in UTC."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


# --- Ids --------------------------------------------------------------------------------------------------------------
def record_id(subscription: uuid.UUID, month: str, meter: str, resource: str, day: str) -> str:
    """The id of a record: the same for the same thing however often it is read, as :func:`uuid.uuid5` makes it.

    Months and days in ISO form. Written out, for it is made for every one of many rows.
    """
    name = f"{month}\x1f{meter}\x1f{resource}\x1f{day}"
    found = hashlib.sha1(subscription.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(found[16], 16) & 3]
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"


# --- Amounts ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Terms:
    """What the payer pays for usage: the vendor's list price less ``discount``, or his cost plus ``markup``, per cent.

    ``rate`` is what one unit of the vendor's currency costs in ``currency``.
    """

    currency: str
    rate: Decimal = Decimal(1)
    discount: Decimal | None = None
    markup: Decimal | None = None


class Amounts(NamedTuple):
    """The amounts of one record; ``unit_price`` is None where there is no quantity."""

    unit_price: Decimal | None
    total_original: Decimal
    discount_percent: Decimal | None
    total: Decimal
    cost: Decimal | None


class NoUnitPrice(ValueError):
    """No unit price times this quantity gives this total."""


def rounded_quantity(quantity: Decimal) -> Decimal:
    """A quantity as it is stored: six decimals, half up."""
    return quantity.quantize(_QUANTITY, rounding=ROUND_HALF_UP)


def unit_price(total: Decimal, quantity: Decimal, currency: str) -> Decimal:
    """The price with the fewest decimals, at least four, that gives ``total`` within half a minor unit.

    Raises :class:`NoUnitPrice` if there is none: an amount without a quantity.
    """
    half = Decimal(5).scaleb(-minor_units(currency) - 1)
    if not quantity:
        if abs(total) > half:
            raise NoUnitPrice(f"{total} for a quantity of nothing")
        return ZERO
    exact = total / quantity
    for places in _PLACES:
        price = exact.quantize(places, rounding=ROUND_HALF_UP)
        if abs(price * quantity - total) <= half:
            return price
    raise NoUnitPrice(f"{total} for {quantity}")


def amounts(terms: Terms, *, quantity: Decimal | None, retail: Decimal, cost: Decimal | None) -> Amounts:
    """What the payer pays for what the vendor asks ``retail``, and ``cost`` of us, both in the vendor's currency."""
    if terms.markup is not None:
        base = retail if cost is None else cost
        original = to_stored(base * terms.rate * (1 + terms.markup / HUNDRED))
    else:
        original = to_stored(retail * terms.rate)
    discount = terms.discount or None
    total = original if discount is None else to_stored(original * (1 - discount / HUNDRED))
    price = None if quantity is None else unit_price(total, quantity, terms.currency)
    return Amounts(price, original, discount, total, None if cost is None else to_stored(cost * terms.rate))


def estimated_total(total: Decimal, month: dt.date, data_until: dt.datetime | None, currency: str) -> Decimal | None:
    """The month's total if it goes on as until the vendor's last data; None before a whole day has passed."""
    start, end = midnight(month), midnight(month_after(month))
    if data_until is None or data_until - start < DAY:
        return None
    passed = Decimal((min(data_until, end) - start) // dt.timedelta(seconds=1))
    whole = Decimal((end - start) // dt.timedelta(seconds=1))
    return to_minor(total * whole / passed, currency)


def totals_agree(one: Decimal, other: Decimal, rows: int) -> bool:
    """Whether the totals of two views of a month differ by rounding alone."""
    return abs(one - other) <= Decimal("0.0001") * rows
