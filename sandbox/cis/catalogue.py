"""The catalogue by country: seeded, added and generated products, changes and versions (``esd.md`` 4 and 10).

What is seeded or generated is computed; only changes are stored, so twenty thousand generated products cost nothing
until somebody reads them.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.cis.answers import stamp
from sandbox.seed import esd
from sandbox.state import State

SEEDED = "2025-11-01T00:00:00Z"
FIRST_VERSION = 100
GENERATED = "GEN-"
MOST_GENERATED = 100_000
OPS = ("add", "rename", "price", "set", "discontinue", "restore", "drop")
CURRENCIES = {country: dict.fromkeys(c for x in esd.CLIENTS if x.country == country for c in x.currencies)
              for country in esd.EVERYWHERE}  # fmt: skip
Product = dict[str, Any]


def offer_uri(sku: str) -> str:
    """The page of an offer; the host exists nowhere."""
    return f"https://offers.esd.example/{sku.lower()}"


def prices_of(price: Decimal, currencies: tuple[str, ...]) -> list[dict[str, Any]]:
    """Cost and recommended price of an amount in EUR, in each currency."""
    rows = []
    for currency in currencies:
        full = price if currency == "EUR" else (price * esd.USD).quantize(Decimal(1)) - Decimal("0.01")
        for kind, amount in (("Cost", full * esd.COST), ("ERP", full)):
            rows.append(price_row(amount, currency, kind))
    return rows


def price_row(amount: Decimal, currency: str, kind: str, since: str = SEEDED) -> dict[str, Any]:
    """One price of a product."""
    text = str(amount.quantize(Decimal("0.01")))
    return {"Amount": text, "Currency": currency, "PriceType": kind, "ValidFrom": since, "ValidTo": None}


def _of_item(item: esd.Item, country: str) -> Product:
    """A seeded product, with its names by language under ``_names``."""
    return {
        "Sku": item.sku,
        "OfferId": f"ESD-{country}-{item.sku}",
        "OfferUri": offer_uri(item.sku),
        "FulfillmentType": "TokenAndDownload" if item.download else "Token",
        "ReturnType": "NotReturnable" if item.window == 0 else "Returnable",
        "ReturnWindowDays": item.window or None,
        "Prices": prices_of(item.price, tuple(CURRENCIES[country])),
        "_names": {language: esd.name_of(item, language) for language in esd.LANGUAGES},
    }


class Catalogue:
    """Products of three countries; documents that ``product`` and ``listing`` give out must not be changed."""

    def __init__(self, state: State) -> None:
        self._changes = state.table("cis", "_catalogue")
        self._settings = state.table("cis", "_countries")
        self._seeded = {
            country: {item.sku: _of_item(item, country) for item in esd.ITEMS if country in item.countries}
            for country in esd.EVERYWHERE
        }
        self._listings: dict[str, tuple[int, str, list[str]]] = {}

    def forget(self) -> None:
        """Drop what was computed, after a reset; a new mark keeps tags of before from fitting by chance."""
        self._listings.clear()
        if "*" not in self._settings:
            self._settings.put("*", {"mark": uuid.uuid4().hex[:8]})

    # --- Reading ---

    def tag(self, country: str, language: str) -> str:
        """The entity tag of a country's catalogue in a language: it changes with the version alone."""
        mark = (self._settings.get("*") or {}).get("mark", "")
        return f'"{country}-{language}-{self.version(country)}-{mark}"'

    def version(self, country: str) -> int:
        """The number that rises with each change of a country's catalogue."""
        return int(self._setting(country)["version"])

    def product(self, country: str, sku: str) -> Product | None:
        """A product without language, or ``None``; what was dropped or discontinued is still found."""
        base, changed = self._base(country, sku), self._changes.get(f"{country}:{sku}")
        if changed is None or (base is None and not changed.get("_added")):
            return base
        return (base or {}) | changed

    def exists_elsewhere(self, sku: str) -> bool:
        """Whether any country knows a SKU."""
        return any(self.product(country, sku) for country in esd.EVERYWHERE)

    def shown(self, country: str, sku: str, language: str) -> Product:
        """A product as the wire has it."""
        found = self.product(country, sku) or {}
        names = found["_names"]
        return {
            "Sku": sku,
            "OfferId": found["OfferId"],
            "Name": names.get(language) or names.get("en-US") or next(iter(names.values())),
            "Description": found.get("Description") or esd.DESCRIPTIONS[esd.LANGUAGES[language]],
            "OfferUri": found["OfferUri"],
            "Country": found.get("Country", country),
            "Language": found.get("Language", language),
            "FulfillmentType": found["FulfillmentType"],
            "ReturnType": found["ReturnType"],
            "ReturnWindowDays": found["ReturnWindowDays"],
            "MinQuantity": found.get("MinQuantity", 1),
            "MaxQuantity": found.get("MaxQuantity", 50),
            "Status": found.get("Status", "Unchanged"),
            "Version": found.get("Version", 1),
            "UpdatedUtc": found.get("UpdatedUtc", SEEDED),
            "Prices": found["Prices"],
        }

    def listing(self, country: str, since: str = "") -> list[str]:
        """SKUs in order: all that are sold, or all that changed since a moment (RFC 3339), ended ones included."""
        version = self.version(country)
        known = self._listings.get(country)
        if known is None or known[:2] != (version, since):
            known = (version, since, self._changed(country, since) if since else self._sold(country))
            self._listings[country] = known
        return known[2]

    def _sold(self, country: str) -> list[str]:
        skus = [*self._seeded[country], *self._added(country), *self._generated(country)]
        ended = {
            key.partition(":")[2]
            for key, row in self._changes.rows.items()
            if key.startswith(country) and (row.get("Status") == "Discontinued" or row.get("_dropped"))
        }
        return [sku for sku in skus if sku not in ended] if ended else skus

    def _changed(self, country: str, since: str) -> list[str]:
        changed = [
            key.partition(":")[2]
            for key, row in self._changes.rows.items()
            if key.startswith(country) and row.get("UpdatedUtc", SEEDED) >= since and not row.get("_dropped")
        ]
        known = set(changed)
        if since <= SEEDED:
            changed += [sku for sku in self._seeded[country] if f"{country}:{sku}" not in self._changes.rows]
        if str(self._setting(country).get("filled", "")) >= since:
            changed += [
                sku
                for sku in self._generated(country)
                if sku not in known and f"{country}:{sku}" not in self._changes.rows
            ]
        return changed

    def _added(self, country: str) -> list[str]:
        return [
            key.partition(":")[2]
            for key, row in self._changes.rows.items()
            if row.get("_added") and key.startswith(country)
        ]

    def _generated(self, country: str) -> list[str]:
        return [f"{GENERATED}{number:06}" for number in range(1, int(self._setting(country).get("fill", 0)) + 1)]

    def _base(self, country: str, sku: str) -> Product | None:
        found = self._seeded.get(country, {}).get(sku)
        if found is not None or not sku.startswith(GENERATED):
            return found
        digits, setting = sku.removeprefix(GENERATED), self._setting(country)
        if len(digits) != 6 or not digits.isdecimal() or not 1 <= int(digits) <= int(setting.get("fill", 0)):
            return None
        number = int(digits)
        return {
            "Sku": sku,
            "OfferId": f"ESD-{country}-{sku}",
            "OfferUri": offer_uri(sku),
            "FulfillmentType": "Token",
            "ReturnType": "Returnable",
            "ReturnWindowDays": 30,
            "Status": "New",
            "UpdatedUtc": setting["filled"],
            "Prices": prices_of(Decimal(10 + number % 490), tuple(CURRENCIES[country])),
            "_names": {language: esd.generated_name(number, language) for language in esd.LANGUAGES},
        }

    def _setting(self, country: str) -> dict[str, Any]:
        return self._settings.get(country) or {"version": FIRST_VERSION}

    # --- Changing ---

    def move(self, country: str) -> int:
        """The next version of a country's catalogue."""
        row = self._setting(country)
        self._settings.put(country, row | {"version": row["version"] + 1})
        return self.version(country)

    def fill(self, country: str, count: int, now: dt.datetime) -> None:
        """Let a country have a number of generated products. Raises ``ValueError``."""
        if not 0 <= count <= MOST_GENERATED:
            raise ValueError(f"fill is a number from 0 to {MOST_GENERATED}")
        self._settings.put(country, self._setting(country) | {"fill": count, "filled": stamp(now)})

    def change_all(self, country: str, specs: list[dict[str, Any]], now: dt.datetime) -> None:
        """Apply changes, all or none. Raises ``ValueError``."""
        before = {f"{country}:{spec['sku']}": self._changes.get(f"{country}:{spec['sku']}") for spec in specs}
        try:
            for spec in specs:
                self.change(country, spec, now)
        except Exception:
            for key, row in before.items():
                if row is None:
                    self._changes.delete(key)
                else:
                    self._changes.put(key, row)
            raise

    def change(self, country: str, spec: Mapping[str, Any], now: dt.datetime) -> None:
        """Apply one change (``sku``, ``op`` and what it needs). Raises ``ValueError``."""
        sku, op = str(spec.get("sku") or ""), str(spec.get("op") or "")
        if op not in OPS:
            raise ValueError(f"op is one of {', '.join(OPS)}")
        known = self.product(country, sku)
        if not sku or len(sku) > 32 or (known is None) != (op == "add"):
            raise ValueError(f"{sku or 'no sku'}: {'unknown' if known is None else 'known'} in {country}")
        row = dict(self._changes.get(f"{country}:{sku}") or {})
        row |= _changed_members(op, spec, known or self._fresh(country, sku), stamp(now))
        row |= {"Version": int((known or {}).get("Version", 0 if op == "add" else 1)) + 1, "UpdatedUtc": stamp(now)}
        self._changes.put(f"{country}:{sku}", row)

    def _fresh(self, country: str, sku: str) -> Product:
        item = esd.Item(sku, sku, ("all",), Decimal("99.00"))
        return _of_item(item, country) | {"_added": True}


def _changed_members(op: str, spec: Mapping[str, Any], known: Product, moment: str) -> dict[str, Any]:
    """What a change writes over a product."""
    if op == "discontinue":
        return {"Status": "Discontinued"}
    if op == "drop":
        return {"_dropped": True}
    if op == "restore":
        return {"Status": "Updated", "_dropped": False}
    if op == "price":
        return {"Status": "Updated", "Prices": _repriced(known["Prices"], spec, moment)}
    if op == "set":
        return {"Status": "Updated", **_members(spec)}
    fresh: dict[str, Any] = {"Status": "Updated", "_names": _names(spec, known["_names"], needed=op == "rename")}
    if op == "add":
        fresh = known | fresh | {"Status": "New"} | _members(spec)
        if spec.get("amount"):
            fresh["Prices"] = _repriced(fresh["Prices"], spec, moment)
    return fresh


def _members(spec: Mapping[str, Any]) -> dict[str, Any]:
    members = spec.get("members") or {}
    if not isinstance(members, dict):
        raise ValueError("members is an object with members of a product")
    return dict(members)


def _names(spec: Mapping[str, Any], known: Mapping[str, str], *, needed: bool) -> dict[str, str]:
    """Names by language: ``name`` for all of them, ``names`` for single ones."""
    if needed and not spec.get("name") and not spec.get("names"):
        raise ValueError("give 'name' or 'names' by language")
    base = dict.fromkeys(esd.LANGUAGES, str(spec["name"])) if spec.get("name") else dict(known)
    return base | {str(language): str(name) for language, name in (spec.get("names") or {}).items()}


def _repriced(known: list[dict[str, Any]], spec: Mapping[str, Any], moment: str) -> list[dict[str, Any]]:
    """Prices with a new recommended price (``amount``) in one currency, or in each; the cost follows or is given."""
    try:
        amount = Decimal(str(spec["amount"]))
        cost = Decimal(str(spec.get("cost") or amount * esd.COST))
    except (KeyError, InvalidOperation) as error:
        raise ValueError("give 'amount' as a decimal number in a text") from error
    currency = str(spec.get("currency") or "")
    kept = [row for row in known if currency and row["Currency"] != currency]
    fresh = dict.fromkeys(row["Currency"] for row in known if not currency) or {currency: None}
    made = (price_row(value, name, kind, moment) for name in fresh for kind, value in (("Cost", cost), ("ERP", amount)))
    return [*kept, *made]
