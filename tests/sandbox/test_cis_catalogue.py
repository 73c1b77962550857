"""The CIS catalogue: pages, versions, languages, changes, tags, generated products."""

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.sandbox.esd import GERMANY, GREECE, OFFICE, STATES, Distributor, fault, refused
from tests.twins import Twins


@pytest.fixture
def shop(twin: Twins) -> Distributor:
    return Distributor(twin)


def change(twin: Twins, *changes: dict[str, Any], country: str = "GR", **values: Any) -> dict[str, Any]:
    return dict(twin.call("POST", "/_twin/cis/catalog", json={"country": country, "changes": list(changes), **values}))


def read(shop: Distributor, lang: str = "", since: str = "") -> dict[str, dict[str, Any]]:
    """The whole catalogue, all pages of one version."""
    found: dict[str, dict[str, Any]] = {}
    first = shop.catalogue(lang, since=since).json()
    for number in range(1, first["PageCount"] + 1):
        page = shop.catalogue(lang, number, since).json()
        assert (page["Page"], page["PageCount"]) == (number, first["PageCount"])
        assert page["CatalogVersion"] == first["CatalogVersion"]
        found |= {product["Sku"]: product for product in page["Products"]}
    return found


def just_before() -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)).strftime("%m/%d/%Y %H:%M:%S")


@pytest.mark.parametrize("client", [GREECE, STATES, GERMANY], ids=lambda client: client.country)
def test_each_country_sells_about_sixty_products(twin: Twins, client: Any) -> None:
    shop = Distributor(twin, client)
    products = read(shop)
    assert len(products) == 59
    assert {product["Country"] for product in products.values()} == {client.country}
    assert {product["Language"] for product in products.values()} == {client.languages[0]}
    assert {row["Currency"] for product in products.values() for row in product["Prices"]} == set(client.currencies)
    assert {product["ReturnType"] for product in products.values()} == {"Returnable", "NotReturnable"}
    assert {product["FulfillmentType"] for product in products.values()} == {"Token", "TokenAndDownload"}
    assert {product["ReturnWindowDays"] for product in products.values()} == {None, 14, 30}
    assert len({product["OfferId"] for product in products.values()}) == 59
    assert len({product["Name"] for product in products.values()}) == 59


def test_shape_of_a_product(shop: Distributor) -> None:
    assert read(shop, "en-US")[OFFICE] == {
        "Sku": OFFICE,
        "OfferId": f"ESD-GR-{OFFICE}",
        "Name": "Office Home & Business 2024, 1 PC or Mac, all languages, download",
        "Description": "Electronic licence; the key is sent by e-mail. Invented description and price of the "
        "demonstration vendor.",
        "OfferUri": "https://offers.esd.example/t5d-06798",
        "Country": "GR",
        "Language": "en-US",
        "FulfillmentType": "TokenAndDownload",
        "ReturnType": "Returnable",
        "ReturnWindowDays": 30,
        "MinQuantity": 1,
        "MaxQuantity": 50,
        "Status": "Unchanged",
        "Version": 1,
        "UpdatedUtc": "2025-11-01T00:00:00Z",
        "Prices": [
            {
                "Amount": amount,
                "Currency": currency,
                "PriceType": kind,
                "ValidFrom": "2025-11-01T00:00:00Z",
                "ValidTo": None,
            }
            for currency, kind, amount in (
                ("EUR", "Cost", "263.12"),
                ("EUR", "ERP", "299.00"),
                ("USD", "Cost", "284.23"),
                ("USD", "ERP", "322.99"),
            )
        ],
    }


def test_names_follow_the_language_and_offers_do_not(shop: Distributor) -> None:
    greek, english, any_ = (read(shop, lang) for lang in ("el-gr", "en-US", "ww-WW"))
    german = read(Distributor(shop.twin, GERMANY))
    assert greek[OFFICE]["Name"] == "Office Home & Business 2024, 1 υπολογιστής ή Mac, όλες οι γλώσσες, λήψη"
    assert german[OFFICE]["Name"] == "Office Home & Business 2024, 1 PC oder Mac, alle Sprachen, Download"
    assert any_[OFFICE] == english[OFFICE] | {"Language": "ww-WW"}
    assert {sku: row["OfferId"] for sku, row in greek.items()} == {sku: row["OfferId"] for sku, row in english.items()}


@pytest.mark.parametrize(
    "query",
    [
        {"lang": "de-DE"},
        {"lang": ""},
        {"lang": "el-GR", "pg": "0"},
        {"lang": "el-GR", "pg": "x"},
        {"lang": "el-GR", "utcUpdatesFrom": "2025-12-01"},
    ],
)
def test_bad_questions_are_refused(shop: Distributor, query: dict[str, str]) -> None:
    assert refused(shop.send("GET", "catalog?" + "&".join(f"{k}={v}" for k, v in query.items()))) == (
        400,
        "InvalidRequest",
    )


def test_pages_hold_every_product_once(shop: Distributor) -> None:
    change(shop.twin, page_size=7)
    pages = [shop.catalogue(page=number).json() for number in range(1, 10)]
    assert {(page["PageCount"], page["CatalogVersion"]) for page in pages} == {(9, 101)}
    skus = [product["Sku"] for page in pages for product in page["Products"]]
    assert (len(skus), len(set(skus)), [len(page["Products"]) for page in pages]) == (59, 59, [7] * 8 + [3])
    assert shop.catalogue(page=10).json()["Products"] == []


def test_tag_answers_304_until_the_version_moves(shop: Distributor) -> None:
    tag = shop.catalogue().headers["ETag"]
    for since in ("", just_before()):
        answer = shop.catalogue(since=since, **{"If-None-Match": tag})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert shop.catalogue("en-US", **{"If-None-Match": tag}).status_code == 200
    change(shop.twin, {"sku": OFFICE, "op": "discontinue"}, country="DE")
    assert shop.catalogue(**{"If-None-Match": tag}).status_code == 304
    change(shop.twin, {"sku": OFFICE, "op": "discontinue"})
    fresh = shop.catalogue(**{"If-None-Match": f'W/"old", {tag}'})
    assert (fresh.status_code, fresh.json()["CatalogVersion"]) == (200, 101)
    shop.twin.reset()
    change(shop.twin)
    assert shop.catalogue(**{"If-None-Match": fresh.headers["ETag"]}).status_code == 200


def test_version_can_move_between_pages(shop: Distributor) -> None:
    change(shop.twin, page_size=30)
    fault(shop.twin, "list_catalog", "version_moves")
    assert [shop.catalogue(page=number).json()["CatalogVersion"] for number in (1, 2, 1)] == [101, 102, 102]


def test_changes_only(shop: Distributor) -> None:
    since = just_before()
    assert read(shop, since=since) == {}
    change(
        shop.twin,
        {"sku": "NEW-1", "op": "add", "name": "New thing", "amount": "12.50"},
        {"sku": "KW9-00664", "op": "rename", "names": {"el-GR": "Παράθυρα 11"}},
        {"sku": "FQC-10572", "op": "price", "amount": "199.00", "currency": "EUR"},
        {"sku": OFFICE, "op": "discontinue"},
        {"sku": "QQ2-01897", "op": "drop"},
        {"sku": "6GQ-01895", "op": "set", "members": {"ReturnType": "NotReturnable"}},
    )
    found = read(shop, since=since)
    assert {sku: row["Status"] for sku, row in found.items()} == {
        "NEW-1": "New",
        "KW9-00664": "Updated",
        "FQC-10572": "Updated",
        OFFICE: "Discontinued",
        "6GQ-01895": "Updated",
    }
    assert (found["NEW-1"]["Name"], found["NEW-1"]["Version"]) == ("New thing", 1)
    assert (found["KW9-00664"]["Name"], found["KW9-00664"]["Version"]) == ("Παράθυρα 11", 2)
    prices = {(row["Currency"], row["PriceType"]): Decimal(row["Amount"]) for row in found["FQC-10572"]["Prices"]}
    assert (prices["EUR", "ERP"], prices["EUR", "Cost"], prices["USD", "ERP"]) == (
        199,
        Decimal("175.12"),
        Decimal("279.99"),
    )
    full = read(shop)
    assert len(full) == 58
    assert {OFFICE, "QQ2-01897"} & set(full) == set()
    assert read(Distributor(shop.twin, GERMANY), since=since) == {}
    change(shop.twin, {"sku": OFFICE, "op": "restore"}, {"sku": "QQ2-01897", "op": "restore"})
    assert len(read(shop)) == 60


def test_old_moment_gives_everything(shop: Distributor) -> None:
    assert len(read(shop, since="10/01/2025 00:00:00")) == 59


def test_changes_are_all_or_none(shop: Distributor) -> None:
    bad: list[dict[str, Any]] = [
        {"country": "GR", "changes": [{"sku": OFFICE, "op": "drop"}, {"sku": "NOPE", "op": "drop"}]},
        {"country": "GR", "changes": [{"sku": OFFICE, "op": "burn"}]},
        {"country": "GR", "changes": [{"sku": OFFICE, "op": "add"}]},
        {"country": "GR", "changes": [{"sku": OFFICE, "op": "price", "amount": "much"}]},
        {"country": "FR"},
        {"country": "GR", "fill": -1},
        {},
    ]
    for body in bad:
        assert requests.post(f"{shop.twin.url}/_twin/cis/catalog", json=body, timeout=10).status_code == 400
    state = shop.twin.call("GET", "/_twin/cis/catalog")["countries"]
    assert [(row["country"], row["version"], row["products"]) for row in state] == [
        ("GR", 100, 59),
        ("US", 100, 59),
        ("DE", 100, 59),
    ]


def test_many_generated_products_are_made_and_read_fast(shop: Distributor) -> None:
    started = time.monotonic()
    assert change(shop.twin, fill=20_000)["products"] == 20_059
    assert time.monotonic() - started < 1
    started = time.monotonic()
    assert shop.buy("GEN-019999")["State"] == "Completed"
    assert time.monotonic() - started < 1
    first = shop.catalogue().json()
    assert (first["PageCount"], len(first["Products"])) == (101, 200)
    last = shop.catalogue(page=101).json()["Products"]
    assert [last[-1][name] for name in ("Sku", "Name")] == ["GEN-020000", "Παραγόμενο προϊόν 20000, όλες οι γλώσσες"]
    assert shop.catalogue(since=just_before()).json()["PageCount"] == 100
    change(shop.twin, {"sku": "GEN-000001", "op": "rename", "name": "Renamed"})
    assert read(shop, since=just_before())["GEN-000001"]["Name"] == "Renamed"
    assert change(shop.twin, fill=0)["products"] == 59


def test_foreign_products_and_styles_of_answers(shop: Distributor) -> None:
    twin, page = shop.twin, lambda: shop.catalogue().json()
    fault(twin, "list_catalog", "foreign_product")
    assert page()["Products"][0]["Country"] == "FR"
    fault(twin, "list_catalog", "foreign_product", language="fr-FR")
    assert (page()["Products"][0]["Country"], shop.catalogue().json()["Products"][0]["Language"]) == ("GR", "el-GR")
    checks: dict[str, Callable[[dict[str, Any]], bool]] = {
        "camel_case": lambda body: "catalogVersion" in body and "sku" in body["products"][0],
        "missing_optional": lambda body: "Description" not in body["Products"][0],
        "unknown_enum": lambda body: body["Products"][0]["Status"] == "Reviewed",
    }
    for kind, check in checks.items():
        fault(twin, "list_catalog", kind)
        assert check(page()), kind
    assert page()["Products"][0]["Status"] == "Unchanged"
