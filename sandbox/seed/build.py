"""Builds the twin's Partner Center catalogue from the list of product names: ``python -m sandbox.seed.build``.

Reads ``names.csv`` (see ``README.md`` for its origin and licence) and :mod:`sandbox.seed.known`, writes
``catalogue.json``. Names and directory SKU ids are Microsoft's; descriptions, limits and prices are invented.
Prices are recommended retail prices in US dollars: per licence and month for seats, per licence for software.
"""

import csv
import hashlib
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.seed import known

HERE = Path(__file__).parent
TARGET = HERE / "catalogue.json"
SIGNS = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
SKIPPED = re.compile(
    r"usgov|gcc|dod\b|government|telstra|preview|qualified offer|hub$|\(free\)|trial|\bg[135]\b|developer|legacy"
    r"|multi-factor|business center|portal$|ax7|store for business|lighthouse|imagine|adhoc|viral| e[24]$"
    r"|commercial cloud|exploratory|content protection|small business|midsize|partner sandbox|logic flows"
    r"|developer|automate free|workplace analytics|iws\b|app connect|experts on demand|business apps",
    re.IGNORECASE,
)
EDUCATION = re.compile(r"faculty|student|alumni|\bedu\b|education|microsoft 365 a\d", re.IGNORECASE)
ADDON = re.compile(
    r"add-?on|attach|calling plan|audio conferencing$|extra file storage|capacity|additional|addnl|addl|suite features"
    r"|communications credits|advanced communications|minutes\)$|add-in|subject rights|phone standard|multi-geo",
    re.IGNORECASE,
)
TERMS = [["P1M", "Monthly"], ["P1Y", "Monthly"], ["P1Y", "Annual"]]
LONG = [["P3Y", "Monthly"], ["P3Y", "Annual"], ["P3Y", "Triennial"]]


def make_id(prefix: str, text: str) -> str:
    """A product id: ``prefix`` and four signs that depend on ``text`` alone."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
    signs = ""
    for _ in range(4):
        number, rest = divmod(number, len(SIGNS))
        signs += SIGNS[rest]
    return prefix + signs


def price_of(name: str) -> Decimal:
    """An invented, plausible monthly retail price of a seat, in US dollars."""
    if name in known.PRICES:
        return Decimal(known.PRICES[name])
    machine = re.search(r"(\d+) vCPU (\d+) GB (\d+) GB", name)
    if machine:
        cores, memory, disk = (int(part) for part in machine.groups())
        return Decimal(cores * 8 + memory * 2 + disk // 32) + Decimal(6)
    base = next((Decimal(price) for word, price in known.PRICE_WORDS if word in name.lower()), Decimal("6.00"))
    digest = hashlib.sha256(name.encode()).digest()[0]
    return base + Decimal(digest % 8) / 4


def description_of(name: str) -> str:
    """An English description by the product's family."""
    if name in known.DESCRIPTIONS:
        return known.DESCRIPTIONS[name]
    return next((text for word, text in known.DESCRIPTION_WORDS if word in name.lower()), known.DESCRIPTION)


def parents_of(name: str) -> list[str]:
    """Names of the products an add-on is sold on top of."""
    low = name.lower()
    return next((list(names) for word, names in known.PARENTS if word in low), list(known.PARENTS[-1][1]))


def seat_product(name: str, guid: str) -> dict[str, Any]:
    """A new-commerce product with its base SKU and, for some, a trial SKU."""
    addon = bool(ADDON.search(name)) and name not in known.BASES
    education = bool(EDUCATION.search(name))
    segments = ["education"] if education else ["commercial", "nonprofit"]
    if name in known.IN_EVERY_SEGMENT:
        segments = ["commercial", "education", "nonprofit"]
    sku: dict[str, Any] = {
        "id": "0001",
        "title": name,
        "min": known.MINIMA.get(name, 10 if "10 unit min" in name else 50 if "50 unit min" in name else 1),
        "max": 300 if "Business" in name and ("365 Business" in name or "Apps for Business" in name) else 10_000_000,
        "addon": addon,
        "parents": parents_of(name) if addon else [],
        "upgrades": list(known.UPGRADES.get(name, ())),
        "provisioningId": guid,
        "segments": segments,
        "terms": TERMS + (LONG if name in known.THREE_YEARS else []),
        "price": str(price_of(name)),
    }
    if name in known.ATTESTED:
        sku["attestation"] = "WindowsHybridBenefit"
    skus = [sku]
    if name in known.TRIALS:
        trial = {**sku, "id": "0002", "title": f"{name} (Trial)", "max": 25, "trial": True, "upgrades": [name]}
        skus.append({**trial, "min": 1, "terms": [["P1M", "None"]], "price": "0", "segments": ["commercial"]})
    return {
        "id": known.IDS.get(name) or make_id("CFQ7TTC0", name),
        "title": name,
        "description": description_of(name),
        "type": "OnlineServicesNCE",
        "view": "OnlineServices",
        "skus": skus,
    }


def other_product(row: dict[str, Any]) -> dict[str, Any]:
    """A product that is no seat: Azure plan, reservation, perpetual or subscribed software."""
    prefix = "DG7GMGF0" if row["view"] == "Software" else "DZH318Z0"
    segments = ["commercial", "education", "nonprofit"] if row["view"] == "Software" else ["commercial"]
    skus = []
    for number, sku in enumerate(row["skus"], start=1):
        defaults = {"id": f"{number:04d}", "min": 1, "max": 10_000, "addon": False, "parents": [], "upgrades": []}
        skus.append({**defaults, "provisioningId": "", "segments": segments, **sku})
    return {**row, "id": row.get("id") or make_id(prefix, row["title"]), "skus": skus}


def resolve_names(products: list[dict[str, Any]]) -> None:
    """Replace product names in parents and upgrades by ``{productId}:{skuId}``."""
    codes = {product["title"]: f"{product['id']}:0001" for product in products}
    for product in products:
        for sku in product["skus"]:
            for key in ("parents", "upgrades"):
                sku[key] = [codes[name] for name in sku[key] if name in codes]


def build() -> list[dict[str, Any]]:
    """The whole catalogue, seats first, in the order of their names."""
    with (HERE / "names.csv").open(encoding="utf-8", newline="") as source:
        rows = [row for row in csv.DictReader(source) if not SKIPPED.search(row["name"])]
    products = [seat_product(row["name"], row["sku_guid"]) for row in rows]
    products += [other_product(row) for row in known.OTHERS]
    resolve_names(products)
    ids = [product["id"] for product in products]
    if len(ids) != len(set(ids)):
        raise SystemExit("Two products have the same id; change the signs or fix one in known.IDS.")
    return products


def main() -> None:
    """Write the catalogue, one product a line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in build())
    TARGET.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
