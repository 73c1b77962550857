"""The seeded catalogue: products, SKUs, terms, availability ids that change by the hour, and prices."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.partner_center.answers import squeezed

SEED = Path(__file__).parent.parent / "seed"
SIGNS = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
RATES = {"USD": Decimal(1), "EUR": Decimal("0.93"), "GBP": Decimal("0.80")}
EURO = (
    "AT",
    "BE",
    "BG",
    "CY",
    "DE",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "IE",
    "IT",
    "LU",
    "MT",
    "NL",
    "PT",
    "RO",
    "SI",
)
CURRENCIES = {"US": "USD", "GB": "GBP"} | dict.fromkeys(EURO, "EUR")
# What a segment pays of the commercial price; the price sheet calls the nonprofit segment "Charity".
SEGMENT_SHARES = {"commercial": Decimal(1), "education": Decimal("0.40"), "nonprofit": Decimal("0.40")}
SHEET_SEGMENTS = {"commercial": "Commercial", "education": "Education", "nonprofit": "Charity"}
OUR_SHARE = Decimal("0.80")
PROMOTION_TITLES = ("Microsoft 365 Business Premium", "Microsoft 365 E3", "Visio Plan 2", "Power BI Pro")


@dataclass(frozen=True)
class Item:
    """A catalogue item found by its id: product, SKU, segment, duration and the durations' billing cycles."""

    product: dict[str, Any]
    sku: dict[str, Any]
    segment: str
    duration: str
    cycles: tuple[str, ...]

    @property
    def code(self) -> str:
        """``{productId}:{skuId}``."""
        return f"{self.product['id']}:{self.sku['id']}"


class Catalogue:
    """All that is sold; read-only, so it is never part of the state.

    ``salt`` is part of every availability id: raising it outdates all of them before the hour is over. ``factors``
    are changed prices, by product id.
    """

    salt: int = 0

    def __init__(self) -> None:
        self.factors: dict[str, Decimal] = {}

    @cached_property
    def products(self) -> dict[str, dict[str, Any]]:
        """Products by id, SKUs inside."""
        rows: list[dict[str, Any]] = json.loads((SEED / "catalogue.json").read_text(encoding="utf-8"))
        return {row["id"]: row for row in rows}

    @cached_property
    def offers(self) -> dict[str, dict[str, Any]]:
        """The recorded legacy offers by id in lower case, as they came."""
        rows = json.loads((SEED / "recorded" / "offers_us.json").read_text(encoding="utf-8"))
        return {row["id"].lower(): row for row in rows}

    @cached_property
    def offer_categories(self) -> list[dict[str, Any]]:
        """The recorded categories of legacy offers."""
        rows: list[dict[str, Any]] = json.loads(
            (SEED / "recorded" / "offer_categories.json").read_text(encoding="utf-8")
        )
        return rows

    @cached_property
    def country_rules(self) -> dict[str, dict[str, Any]]:
        """The recorded rules of single countries."""
        rules: dict[str, dict[str, Any]] = json.loads(
            (SEED / "recorded" / "country_rules.json").read_text(encoding="utf-8")
        )
        return rules

    def sku(self, product_id: str, sku_id: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """A product and one of its SKUs."""
        product = self.products.get(product_id.upper())
        if product is None:
            return None
        found = next((sku for sku in product["skus"] if sku["id"] == sku_id.upper()), None)
        return (product, found) if found else None

    def by_code(self, code: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """A product and SKU by ``P:S`` or ``P:S:A``."""
        parts = code.split(":")
        return self.sku(parts[0], parts[1]) if len(parts) >= 2 else None

    @cached_property
    def _addons(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for product in self.products.values():
            for sku in product["skus"]:
                for parent in sku["parents"]:
                    found.setdefault(parent, []).append(f"{product['id']}:{sku['id']}")
        return found

    def addons_of(self, code: str) -> list[str]:
        """``P:S`` of the add-ons sold on top of a SKU."""
        return self._addons.get(code, [])

    def durations(self, sku: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        """The durations a SKU is sold for, each with its billing cycles."""
        found: dict[str, list[str]] = {}
        for duration, cycle in sku["terms"]:
            found.setdefault(duration, []).append(cycle)
        return {duration: tuple(cycles) for duration, cycles in found.items()}

    def availability_id(self, code: str, market: str, segment: str, duration: str, now: dt.datetime) -> str:
        """The availability's id of this hour."""
        hour = int(now.timestamp() // 3600)
        digest = hashlib.sha256(f"{code}|{market}|{segment}|{duration}|{hour}|{self.salt}".encode()).digest()
        number = int.from_bytes(digest[:6], "big")
        signs = ""
        for _ in range(4):
            number, rest = divmod(number, len(SIGNS))
            signs += SIGNS[rest]
        return code[:8] + signs

    def find_item(self, catalog_item: str, market: str, now: dt.datetime) -> Item | None:
        """What a catalogue item id of this hour means in a market, ``None`` for an unknown or outdated one."""
        parts = catalog_item.strip().upper().split(":")
        found = self.sku(parts[0], parts[1]) if len(parts) == 3 else None
        if found is None:
            return None
        product, sku = found
        code = f"{product['id']}:{sku['id']}"
        for segment in sku["segments"]:
            for duration, cycles in self.durations(sku).items():
                if self.availability_id(code, market, segment, duration, now) == parts[2]:
                    return Item(product, sku, segment, duration, cycles)
        return None

    def price(self, product: str, sku: dict[str, Any], market: str, segment: str, duration: str, cycle: str) -> Decimal:
        """The recommended retail price of one unit and billing cycle, in the market's currency (invented)."""
        monthly = Decimal(sku["price"]) * RATES[CURRENCIES[market]] * SEGMENT_SHARES[segment]
        months = {"P1M": 1, "P1Y": 12, "P3Y": 36}.get(duration, 1)
        billed = {"monthly": 1, "annual": 12, "triennial": 36, "onetime": months}.get(squeezed(cycle), 1)
        # A single month costs a fifth more; three years are a little cheaper.
        factor = {"P1M": Decimal("1.2"), "P3Y": Decimal("0.96")}.get(duration, Decimal(1))
        return (monthly * billed * factor * self.factors.get(product, Decimal(1))).quantize(
            Decimal("0.01"), ROUND_HALF_UP
        )

    def cost(self, product: str, sku: dict[str, Any], market: str, segment: str, duration: str, cycle: str) -> Decimal:
        """What the partner pays."""
        price = self.price(product, sku, market, segment, duration, cycle)
        return (price * OUR_SHARE).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def promotions(self, market: str, segment: str) -> Iterator[dict[str, Any]]:
        """Invented promotions of a market and segment: a tenth off the yearly term of some products."""
        if segment != "commercial" or market not in CURRENCIES:
            return
        for product in self.products.values():
            if product["title"] not in PROMOTION_TITLES:
                continue
            required = [
                {
                    "productId": product["id"],
                    "skuId": "0001",
                    "term": {"duration": "P1Y", "billingCycle": cycle},
                    "pricingPolicies": [{"policyType": "PercentDiscount", "value": "0.10"}],
                }
                for cycle in ("Monthly", "Annual")
            ]
            yield {
                "id": f"39NFJQT1{product['id'][-4:]}:0001:39NFJQT1{market}{product['id'][-2:]}",
                "name": f"{product['title']}: 10% off",
                "description": f"10% off the first year of {product['title']} for at least 5 seats.",
                "startDate": "2024-01-01T00:00:00+00:00",
                "endDate": "2030-12-31T23:59:59+00:00",
                "properties": {"isAutoApplicable": False},
                "requiredProducts": required,
            }
