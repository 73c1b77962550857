"""Faults, drift and restarts of the CIS twin: what the caller sees, and what is there afterwards."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.esd import OFFICE, Distributor, fault, licences, refused
from tests.twins import Twins

OPERATIONS = ["list_catalog", "purchase", "get_transaction", "get_license", "return_license"]


@pytest.fixture
def shop(twin: Twins) -> Distributor:
    return Distributor(twin)


def call(shop: Distributor, operation: str, bought: dict[str, Any]) -> requests.Response:
    reference, licence = bought["ClientTransactionId"], bought["LineItems"][0]["LicenseId"]
    if operation == "list_catalog":
        return shop.catalogue()
    if operation == "purchase":
        return shop.send("POST", "purchase", shop.order())
    if operation == "return_license":
        return shop.give_back(bought)
    return shop.send("GET", f"transactions/{reference}" if operation == "get_transaction" else f"licenses/{licence}")


def test_operations_are_listed(shop: Distributor) -> None:
    listed = shop.twin.call("GET", "/_twin/operations")["cis"]
    assert sorted(listed["operations"]) == sorted(OPERATIONS)
    assert {"timeout_after", "http_429", "malformed", "bom", "lag", "unknown_enum", "pending"} <= set(
        listed["fault_kinds"]
    )
    assert {row["operation"] for row in listed["calls"] if row["write"]} == {"purchase", "return_license"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_general_faults_strike_each_operation(shop: Distributor, operation: str) -> None:
    bought, twin = shop.buy(), shop.twin
    for kind, wanted in (
        ("http_429", (429, "TooManyRequests")),
        ("auth_401", (401, "Unauthorized")),
        ("http_500_before", (500, "InternalError")),
    ):
        fault(twin, operation, kind, seconds=7)
        answer = call(shop, operation, bought)
        assert refused(answer) == wanted
        assert answer.headers.get("Retry-After") == ("7" if kind == "http_429" else None)
    fault(twin, operation, "reset_before")
    with pytest.raises(requests.ConnectionError):
        call(shop, operation, bought)
    fault(twin, operation, "malformed")
    with pytest.raises(requests.JSONDecodeError):
        call(shop, operation, bought).json()
    fresh = shop.buy()
    fault(twin, operation, "html_page")
    others = [name for name in OPERATIONS if name != operation]
    assert [call(shop, name, fresh).status_code for name in others] == [200] * 4
    assert call(shop, operation, fresh).status_code == 502


def test_purchase_that_is_answered_with_nothing_is_there(shop: Distributor) -> None:
    for kind in ("reset_after", "http_500_after", "drop_after"):
        order = shop.order()
        fault(shop.twin, "purchase", kind)
        try:
            assert shop.send("POST", "purchase", order).status_code == 500
        except requests.ConnectionError:
            assert kind != "http_500_after"
        found = shop.send("GET", f"transactions/{order['ClientTransactionId']}").json()
        assert shop.send("POST", "purchase", order).json() == found
    assert len(licences(shop.twin)) == 3


def test_purchase_that_never_arrived_is_not_there(shop: Distributor) -> None:
    order = shop.order()
    fault(shop.twin, "purchase", "timeout_before", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        shop.send("POST", "purchase", order)
    assert refused(shop.send("GET", f"transactions/{order['ClientTransactionId']}")) == (404, "TransactionNotFound")
    assert shop.send("POST", "purchase", order).json()["State"] == "Completed"


def test_fault_for_one_transaction_only(shop: Distributor) -> None:
    order = shop.order()
    fault(shop.twin, "purchase", "http_500_before", client_reference=order["ClientTransactionId"])
    assert shop.buy()["State"] == "Completed"
    assert shop.send("POST", "purchase", order).status_code == 500


def test_lag(shop: Distributor) -> None:
    fault(shop.twin, "purchase", "lag", seconds=30)
    bought = shop.buy()
    path = f"transactions/{bought['ClientTransactionId']}"
    licence = f"licenses/{bought['LineItems'][0]['LicenseId']}"
    assert [refused(shop.send("GET", name))[0] for name in (path, licence)] == [404, 404]
    assert len(licences(shop.twin)) == 1
    shop.twin.advance("PT31S")
    assert [shop.send("GET", name).status_code for name in (path, licence)] == [200, 200]
    fault(shop.twin, "get_license", "lag", seconds=600)
    assert [shop.send("GET", licence).status_code for _ in range(2)] == [404, 200]


def test_own_kinds(shop: Distributor) -> None:
    twin = shop.twin
    for count in (0, 2):
        fault(twin, "purchase", "tokens", count=count)
        assert len(shop.buy()["LineItems"][0]["Tokens"]) == count
    bought = shop.buy()
    fault(twin, "return_license", "return_rejected")
    answer = shop.give_back(bought).json()
    assert (answer["ReturnStatus"], answer["ReturnedUtc"]) == ("Rejected", None)
    licence = shop.licence(bought)
    assert (licence["TokenStatus"], licence["ReturnStatus"]) == ("Activated", "Rejected")
    fault(twin, "get_license", "unknown_enum")
    assert shop.licence(bought)["TokenStatus"] == "Quarantined"
    fault(twin, "purchase", "pending", seconds=10, form="state")
    assert shop.buy()["State"] == "Pending"
    fault(twin, "purchase", "error", code="ChannelNotAuthorized")
    assert refused(shop.send("POST", "purchase", shop.order())) == (403, "ChannelNotAuthorized")
    before = len(licences(twin))
    fault(twin, "purchase", "error", code="Oops", status=502, after=True)
    assert refused(shop.send("POST", "purchase", shop.order())) == (502, "Oops")
    assert len(licences(twin)) == before + 1


def test_drift(shop: Distributor) -> None:
    twin, bought = shop.twin, shop.buy()
    spec = {
        "vendor": "cis",
        "count": 4,
        "kinds": ["token", "price", "name", "discontinued"],
        "country": "GR",
        "seed": 1,
    }
    changed = twin.call("POST", "/_twin/drift", json=spec)["changed"]
    assert [(row["kind"], row["new"]) for row in changed[::3]] == [
        ("token", "Redeemed"),
        ("discontinued", "Discontinued"),
    ]
    assert changed[0]["id"] == bought["LineItems"][0]["LicenseId"]
    assert shop.licence(bought)["TokenStatus"] == "Redeemed"
    rows = {row["Sku"]: row for row in shop.catalogue("en-US").json()["Products"]}
    assert rows[changed[2]["id"]]["Name"] == changed[2]["new"]
    assert changed[1]["new"] in [price["Amount"] for price in rows[changed[1]["id"]]["Prices"]]
    assert changed[3]["id"] not in rows
    other = shop.buy("H30-06798")
    twin.call("POST", "/_twin/drift", json={"vendor": "cis", "kinds": ["returned"]})
    assert shop.licence(other)["ReturnStatus"] == "Successful"


def test_reset_empties_what_was_sold_and_changed(shop: Distributor) -> None:
    twin = shop.twin
    shop.buy()
    twin.call("POST", "/_twin/cis/catalog", json={"country": "GR", "fill": 10, "page_size": 5})
    twin.call("POST", "/_twin/cis/stock", json={"sku": OFFICE})
    twin.call("POST", "/_twin/reset?vendor=cis")
    assert twin.state("cis") == {"licences": [], "orders": [], "returns": [], "out_of_stock": []}
    page = shop.catalogue().json()
    assert (page["CatalogVersion"], page["PageCount"], len(page["Products"])) == (100, 1, 59)


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    first = Twins.start(tmp_path)
    shop = Distributor(first)
    try:
        bought, given = shop.buy(), shop.buy()
        shop.give_back(given)
        waiting = shop.order("KW9-00664")
        first.call("POST", "/_twin/cis/pending", json={"seconds": 60})
        assert shop.send("POST", "purchase", waiting).status_code == 202
        body = {"country": "GR", "changes": [{"sku": OFFICE, "op": "discontinue"}], "fill": 1000, "page_size": 100}
        first.call("POST", "/_twin/cis/catalog", json=body)
        before, tag = first.state("cis"), shop.catalogue().headers["ETag"]
    finally:
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(10)
        first.stop()
    second = Twins.start(tmp_path)
    try:
        again = Distributor(second)
        assert second.state("cis") == before
        assert again.send("GET", f"transactions/{bought['ClientTransactionId']}").json() == bought
        assert again.catalogue(**{"If-None-Match": tag}).status_code == 304
        assert again.catalogue().json()["PageCount"] == 11
        second.advance("PT2M")
        assert again.send("POST", "purchase", waiting).json()["State"] == "Completed"
        assert len(second.state("cis")["licences"]) == 3
    finally:
        second.stop()


def test_it_is_fast(shop: Distributor) -> None:
    """The real figure is far above; the bound allows for a busy machine."""
    shop.buy()
    session = requests.Session()
    headers = {"Authorization": f"Bearer {shop.token}"}
    path = f"{shop.base}/licenses/{licences(shop.twin)[0]['id']}"
    with session:
        started = time.monotonic()
        for _ in range(200):
            assert session.get(path, headers=headers, timeout=10).status_code == 200
        assert time.monotonic() - started < 4
