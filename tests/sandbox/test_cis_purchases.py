"""Buying, looking up and returning at CIS: one token per transaction, and every error of the contract."""

import re
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.sandbox.esd import (
    FOURTEEN_DAYS,
    GERMANY,
    NOT_RETURNABLE,
    NOT_TOLD,
    OFFICE,
    STATES,
    Distributor,
    licences,
    refused,
)
from tests.twins import Twins

KEY = re.compile(r"^([BCDFGHJKMPQRTVWXY2346789]{5}-){4}[BCDFGHJKMPQRTVWXY2346789]{5}$")


@pytest.fixture
def shop(twin: Twins) -> Distributor:
    return Distributor(twin)


def redeem(shop: Distributor, **spec: str) -> requests.Response:
    return requests.post(f"{shop.twin.url}/_twin/cis/redeem", json=spec, timeout=10)


def pending(shop: Distributor, **spec: Any) -> None:
    shop.twin.call("POST", "/_twin/cis/pending", json=spec)


def test_shape_of_a_purchase(shop: Distributor) -> None:
    order = shop.order()
    answer = shop.send("POST", "purchase", order)
    body = answer.json()
    line = body["LineItems"][0]
    assert (answer.status_code, body["State"], body["ErrorCode"]) == (200, "Completed", None)
    assert body["ClientTransactionId"] == order["ClientTransactionId"]
    assert {name: line[name] for name in ("LineNumber", "Sku", "FulfillmentType")} == {
        "LineNumber": 1,
        "Sku": OFFICE,
        "FulfillmentType": "TokenAndDownload",
    }
    [token] = line["Tokens"]
    assert (token["SequenceNumber"], token["Type"]) == ("1", "ProductKey")
    assert KEY.match(token["Code"])
    assert [(link["Type"], link["ExpirationDateSpecified"]) for link in line["Links"]] == [
        ("Activation", False),
        ("Download", True),
    ]
    assert all(link["Uri"].startswith("https://") for link in line["Links"])
    assert [link["Type"] for link in shop.buy("R18-90001")["LineItems"][0]["Links"]] == ["Activation"]
    assert shop.send("GET", f"transactions/{order['ClientTransactionId']}").json() == body


def test_same_id_and_body_is_the_same_answer_and_no_second_token(shop: Distributor) -> None:
    order = shop.order()
    answers = [shop.send("POST", "purchase", order).json() for _ in range(2)]
    lower = {name[:1].lower() + name[1:]: value for name, value in order.items()} | {"unknown": 1}
    answers.append(shop.send("POST", "purchase", lower).json())
    assert answers[0] == answers[1] == answers[2]
    assert [row["client_reference"] for row in licences(shop.twin)] == [order["ClientTransactionId"]]
    entries = [entry for entry in shop.twin.journal("cis") if entry["operation"] == "purchase"]
    assert [(entry["client_reference"], entry["effect"]) for entry in entries] == [
        (order["ClientTransactionId"], effect) for effect in (True, False, False)
    ]


def test_same_id_with_another_body_is_refused(shop: Distributor) -> None:
    bought = shop.buy()
    reference = bought["ClientTransactionId"]
    other = shop.send("POST", "purchase", shop.order("KW9-00664", ClientTransactionId=reference))
    assert (refused(other), other.json()["TransactionId"]) == ((409, "DuplicateTransaction"), reference)
    assert refused(shop.give_back(bought, ClientTransactionId=reference)) == (409, "DuplicateTransaction")
    assert [row["Sku"] for row in licences(shop.twin)] == [OFFICE]


def test_transactions_belong_to_their_client(shop: Distributor) -> None:
    bought = shop.buy()
    germany = Distributor(shop.twin, GERMANY)
    path = f"transactions/{bought['ClientTransactionId']}"
    assert refused(germany.send("GET", path)) == (404, "TransactionNotFound")
    assert refused(germany.send("GET", f"licenses/{bought['LineItems'][0]['LicenseId']}")) == (404, "LicenseNotFound")
    assert refused(germany.give_back(bought)) == (404, "LicenseNotFound")
    assert refused(shop.send("GET", f"transactions/{uuid4()}")) == (404, "TransactionNotFound")


def test_refusals_leave_no_trace(shop: Distributor) -> None:
    twin = shop.twin
    twin.call("POST", "/_twin/cis/catalog", json={"country": "GR", "changes": [{"sku": "059-06798", "op": "drop"}]})
    changes = [{"sku": "065-06798", "op": "discontinue"}]
    twin.call("POST", "/_twin/cis/catalog", json={"country": "GR", "changes": changes})
    twin.call("POST", "/_twin/cis/stock", json={"sku": "079-06798", "country": "GR"})
    orders = [
        (shop.order("NOPE"), (400, "InvalidSku")),
        (shop.order("U4T-00031"), (422, "SkuNotAvailableInCountry")),
        (shop.order(Currency="GBP"), (422, "SkuNotAvailableInCountry")),
        (shop.order("059-06798"), (410, "Discontinued")),
        (shop.order("065-06798"), (410, "Discontinued")),
        (shop.order("079-06798"), (409, "OutOfStock")),
        (shop.order(ChannelId="ESD-DE-100400"), (403, "ChannelNotAuthorized")),
        (shop.order(Country="DE"), (403, "ChannelNotAuthorized")),
    ]
    assert [refused(shop.send("POST", "purchase", order)) for order, _code in orders] == [code for _o, code in orders]
    for order, _code in orders:
        assert shop.send("GET", f"transactions/{order['ClientTransactionId']}").status_code == 404
    assert licences(twin) == []
    twin.call("POST", "/_twin/cis/stock", json={"sku": "079-06798", "available": True})
    assert shop.send("POST", "purchase", orders[5][0]).status_code == 200


def test_malformed_purchases_are_refused(shop: Distributor) -> None:
    line = {"LineNumber": 1, "Sku": OFFICE, "Quantity": 1}
    flaws: list[dict[str, Any]] = [
        {"ClientTransactionId": "1"},
        {"ClientTransactionId": None},
        {"PurchaseOrder": "123456789012"},
        {"Language": "xx"},
        {"LineItems": []},
        {"LineItems": [line, line]},
        {"LineItems": [line | {"Quantity": 2}]},
        {"LineItems": [line | {"Quantity": True}]},
        {"LineItems": [line | {"LineNumber": 2}]},
        {"LineItems": [line | {"Sku": 5}]},
    ]
    for flaw in flaws:
        assert refused(shop.send("POST", "purchase", shop.order(**flaw))) == (400, "InvalidRequest"), flaw
    for text in (b"{", b"[]", b"\xff"):
        headers = {"Authorization": f"Bearer {shop.token}"}
        answer = requests.post(f"{shop.base}/purchase", data=text, headers=headers, timeout=10)
        assert refused(answer) == (400, "InvalidRequest")
    assert licences(shop.twin) == []


def test_two_currencies_in_greece(shop: Distributor) -> None:
    shop.buy(Currency="USD")
    shop.buy(Currency="EUR")
    assert [row["Currency"] for row in licences(shop.twin)] == ["USD", "EUR"]
    assert Distributor(shop.twin, STATES).buy("CFQ-00042")["State"] == "Completed"


@pytest.mark.parametrize("form", ["202", "state"])
def test_pending_purchase_ends(shop: Distributor, form: str) -> None:
    pending(shop, seconds=60, form=form)
    order = shop.order()
    path = f"transactions/{order['ClientTransactionId']}"
    for _ in range(2):
        answer = shop.send("POST", "purchase", order)
        if form == "202":
            assert (answer.status_code, set(answer.json())) == (202, {"ClientTransactionId", "RetryAfterSeconds"})
            assert 1 <= answer.json()["RetryAfterSeconds"] <= 60
        else:
            assert (answer.status_code, answer.json()["State"], answer.json()["LineItems"]) == (200, "Pending", [])
    assert shop.send("GET", path).json()["State"] == "Pending"
    assert licences(shop.twin) == []
    shop.twin.advance("PT61S")
    done = shop.send("GET", path).json()
    assert (done["State"], len(done["LineItems"][0]["Tokens"])) == ("Completed", 1)
    assert shop.send("POST", "purchase", order).json() == done
    pending(shop, seconds=0)
    assert shop.buy()["State"] == "Completed"


def test_pending_purchase_can_be_rejected(shop: Distributor) -> None:
    pending(shop, seconds=5, outcome="rejected", error_code="OutOfStock")
    order = shop.order()
    assert shop.send("POST", "purchase", order).status_code == 202
    shop.twin.advance("PT6S")
    body = shop.send("GET", f"transactions/{order['ClientTransactionId']}").json()
    assert (body["State"], body["ErrorCode"], body["LineItems"]) == ("Rejected", "OutOfStock", [])


def test_licence_is_redeemed(shop: Distributor) -> None:
    bought = shop.buy()
    key = bought["LineItems"][0]["LicenseId"]
    before = shop.licence(bought)
    assert (before["LicenseId"], before["Sku"], before["TokenStatus"]) == (key, OFFICE, "Activated")
    assert (before["ReturnStatus"], before["RedeemedUtc"]) == ("None", None)
    assert before["ReturnableUntilUtc"] > before["UpdatedUtc"]
    assert redeem(shop, license_id=key).json()["status"] == "Redeemed"
    after = shop.licence(bought)
    assert (after["TokenStatus"], after["RedeemedUtc"]) == ("Redeemed", after["UpdatedUtc"])
    assert refused(shop.give_back(bought)) == (409, "AlreadyRedeemed")
    assert redeem(shop, client_reference=bought["ClientTransactionId"]).status_code == 409
    assert redeem(shop, license_id="x").status_code == 404


def test_return(shop: Distributor) -> None:
    bought = shop.buy()
    reference = str(uuid4())
    answers = [shop.give_back(bought, ClientTransactionId=reference).json() for _ in range(2)]
    body = answers[0]
    assert answers[1] == body
    assert (body["ReturnStatus"], body["ClientTransactionId"]) == ("Successful", reference)
    licence = shop.licence(bought)
    assert (licence["TokenStatus"], licence["ReturnStatus"]) == ("ReturnAccepted", "Successful")
    looked_up = shop.send("GET", f"transactions/{reference}").json()
    assert (looked_up["State"], looked_up["ReturnStatus"], looked_up["LicenseId"]) == (
        "Completed",
        "Successful",
        body["LicenseId"],
    )
    assert refused(shop.give_back(bought)) == (409, "AlreadyReturned")
    assert refused(shop.give_back(bought, ClientTransactionId=reference, Comment="x")) == (409, "DuplicateTransaction")
    assert [row["client_reference"] for row in shop.twin.state("cis")["returns"]] == [reference]


def test_return_by_the_service_transaction_of_the_purchase(shop: Distributor) -> None:
    bought = shop.buy()
    answer = shop.give_back(bought, OriginalTransactionId=bought["ServiceTransactionId"], ReasonCode="ordererror")
    assert answer.json()["ReturnStatus"] == "Successful"


@pytest.mark.parametrize(
    ("sku", "days", "told"), [(OFFICE, 30, True), (FOURTEEN_DAYS, 14, True), (NOT_TOLD, 30, False)]
)
def test_return_window_closes(shop: Distributor, sku: str, days: int, told: bool) -> None:
    bought, late = shop.buy(sku), shop.buy(sku)
    assert bool(shop.licence(bought)["ReturnableUntilUtc"]) is told
    shop.twin.advance(f"P{days - 1}DT23H")
    assert shop.give_back(bought).status_code == 200
    shop.twin.advance("PT2H")
    assert refused(shop.give_back(late)) == (409, "ReturnWindowClosed")


def test_what_cannot_be_returned(shop: Distributor) -> None:
    bought = shop.buy(NOT_RETURNABLE)
    assert shop.licence(bought)["ReturnableUntilUtc"] is None
    assert refused(shop.give_back(bought)) == (409, "NotReturnable")
    other = shop.buy()
    assert refused(shop.give_back(other, LicenseId=str(uuid4()))) == (404, "LicenseNotFound")
    assert refused(shop.give_back(other, OriginalTransactionId=bought["ClientTransactionId"])) == (
        404,
        "LicenseNotFound",
    )
    for flaw in ({"SequenceNumber": "2"}, {"ReasonCode": "Mood"}, {"Comment": "x" * 251}, {"LicenseId": "x"}):
        assert refused(shop.give_back(other, **flaw)) == (400, "InvalidRequest")
    assert [row["status"] for row in licences(shop.twin)] == ["Activated", "Activated"]


def test_state_and_journal_tell_no_token(shop: Distributor) -> None:
    codes = [shop.buy()["LineItems"][0]["Tokens"][0]["Code"] for _ in range(20)]
    assert len(set(codes)) == 20
    state = shop.twin.call("GET", "/_twin/state/cis")
    shown = requests.get(f"{shop.twin.url}/_twin/journal", timeout=10).text + repr(state)
    assert [code for code in codes if code in shown] == []
    assert [row["token_end"] for row in state["licences"]] == [code[-5:] for code in codes]
    row = state["licences"][0]
    assert {name: row[name] for name in ("kind", "status", "quantity")} == {
        "kind": "licence",
        "status": "Activated",
        "quantity": 1,
    }
    assert [order["client_reference"] for order in state["orders"]] == [
        row["client_reference"] for row in state["licences"]
    ]
    assert (shop.twin.home / "journal.jsonl").read_text().count(codes[0]) == 0
