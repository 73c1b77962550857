"""The seeded catalogue: it is what its script builds, complete, and consistent in itself."""

import datetime as dt
import json
from decimal import Decimal

from sandbox.partner_center.catalogue_data import CURRENCIES, Catalogue
from sandbox.seed.build import TARGET, build

NOW = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
MUST = {
    "Microsoft 365 Business Basic", "Microsoft 365 Business Standard", "Microsoft 365 Business Premium",
    "Microsoft 365 E3", "Microsoft 365 E5", "Exchange Online (Plan 1)", "Power BI Pro", "Visio Plan 2",
    "Project Plan 3", "Azure plan",
}  # fmt: skip


def test_catalogue_is_what_the_script_builds() -> None:
    assert json.loads(TARGET.read_text(encoding="utf-8")) == build()


def test_well_known_products_are_there() -> None:
    catalogue = Catalogue()
    assert {row["title"] for row in catalogue.products.values()} >= MUST
    seats = [row for row in catalogue.products.values() if row["type"] == "OnlineServicesNCE"]
    assert len(seats) > 280
    assert {"US", "GB", "DE", "GR", "FR"} <= set(CURRENCIES)
    assert len(catalogue.offers) == 274


def test_parents_and_upgrades_exist() -> None:
    catalogue = Catalogue()
    skus = [sku for row in catalogue.products.values() for sku in row["skus"]]
    named = {code for sku in skus for code in (*sku["parents"], *sku["upgrades"])}
    assert {code for code in named if catalogue.by_code(code) is None} == set()
    assert [sku["title"] for sku in skus if sku["addon"] and not sku["parents"]] == []
    bases = {code for sku in skus for code in sku["parents"]}
    assert [code for code in bases if (catalogue.by_code(code) or ({}, {}))[1].get("addon")] == []


def test_availability_ids_are_found_again_in_their_hour_only() -> None:
    catalogue = Catalogue()
    seen: set[str] = set()
    for row in catalogue.products.values():
        for sku in row["skus"]:
            code = f"{row['id']}:{sku['id']}"
            for segment in sku["segments"]:
                for duration in catalogue.durations(sku):
                    key = f"{code}:{catalogue.availability_id(code, 'GR', segment, duration, NOW)}"
                    found = catalogue.find_item(key, "GR", NOW)
                    assert found is not None
                    assert (found.code, found.segment, found.duration) == (code, segment, duration)
                    assert catalogue.find_item(key, "US", NOW) is None
                    assert catalogue.find_item(key, "GR", NOW + dt.timedelta(hours=1)) is None
                    seen.add(key)
    assert len(seen) > 1000


def test_prices() -> None:
    catalogue = Catalogue()
    product, sku = catalogue.by_code("CFQ7TTC0LDPB:0001") or ({}, {})
    terms = (sku, "US", "commercial")
    assert catalogue.price(product["id"], *terms, "P1Y", "Monthly") == Decimal("12.50")
    assert catalogue.price(product["id"], *terms, "P1Y", "Annual") == Decimal("150.00")
    assert catalogue.price(product["id"], *terms, "P1M", "Monthly") == Decimal("15.00")
    assert catalogue.cost(product["id"], *terms, "P1Y", "Monthly") == Decimal("10.00")
    free = [row["title"] for row in catalogue.products.values() for s in row["skus"] if s["price"] == "0"]
    assert "Azure plan" in free
