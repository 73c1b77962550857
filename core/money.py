"""Money: ``Decimal`` amounts with four stored decimals, rounded half-up to the currency's minor unit on documents."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

ZERO = Decimal("0.0000")
STORED = Decimal("0.0001")

_MINOR_UNITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "HUF": 2, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "DKK", "SEK", "NOK", "PLN", "CZK", "HUF", "RON", "BGN", "JPY")


class MoneyField(models.DecimalField[Any, Any]):
    """A decimal column for an amount: 19 digits, 4 after the point; the currency stands on the document."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


class CurrencyField(models.CharField[Any, Any]):
    """An ISO 4217 code in capitals."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        super().__init__(*args, **kwargs)


def minor_units(currency: str) -> int:
    """How many decimals an amount of this currency shows."""
    return _MINOR_UNITS.get(currency, 2)


def unusual_units() -> dict[int, list[str]]:
    """The currencies whose amounts do not show two decimals, by how many they show."""
    found: dict[int, list[str]] = {}
    for currency, units in _MINOR_UNITS.items():
        if units != 2:
            found.setdefault(units, []).append(currency)
    return found


_COINS = {units: Decimal(1).scaleb(-units) for units in (0, 2, 3)}


def to_minor(amount: Decimal, currency: str) -> Decimal:
    """Round half-up to the currency's minor unit: 10.005 EUR is 10.01 EUR."""
    return amount.quantize(_COINS[minor_units(currency)], rounding=ROUND_HALF_UP)


def to_stored(amount: Decimal) -> Decimal:
    """Round half-up to the four decimals that are stored."""
    return amount.quantize(STORED, rounding=ROUND_HALF_UP)


def show(amount: Decimal, currency: str) -> str:
    """An amount in plain words for traces and mails, such as ``1,234.50 EUR``; pages format by locale instead."""
    return f"{to_minor(amount, currency):,} {currency}"
