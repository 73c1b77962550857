"""Carts, checkouts and orders at the Partner Center twin: rules, errors of lines, repeats, returns."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sandbox.partner import STANDARD, Partner
from tests.twins import Twins


@pytest.fixture
def partner(twin: Twins) -> Partner:
    return Partner(twin).mid_hour()


def by_title(partner: Partner, title: str, view: str = "OnlineServices") -> str:
    rows = partner.get(f"/products?country=US&targetView={view}")["items"]
    return next(row["id"] for row in rows if row["title"] == title) + ":0001"


def line_error(partner: Partner, customer: str, line: dict[str, Any], **values: Any) -> str:
    answer = partner.cart(customer, line, **values)
    assert answer.status_code == 201, answer.text
    error = answer.json()["lineItems"][0].get("error") or {}
    if error:
        assert partner.refused(partner.checkout(customer, answer)) == (400, 800009)
    return str(error.get("errorCode", ""))


def test_order_is_pending_then_completed(partner: Partner) -> None:
    customer = partner.customer()
    cart = partner.cart(customer, partner.line(customer, friendlyName="Mine [12345678]"))
    answer = partner.checkout(customer, cart)
    order = answer.json()["orders"][0]
    assert (order["status"], "subscriptionId" in order["lineItems"][0]) == ("pending", False)
    assert answer.headers["X-Locale"] == "en-US,en-US"
    path = f"/customers/{customer}/orders/{order['id']}"
    assert partner.get(f"{path}/provisioningstatus")["items"][0]["status"] == "prefulfillment_pending"
    assert partner.get(f"/customers/{customer}/subscriptions")["items"] == []
    partner.twin.advance("PT6S")
    done = partner.get(path)
    row = partner.get(f"/customers/{customer}/subscriptions")["items"][0]
    assert (done["status"], done["lineItems"][0]["subscriptionId"]) == ("completed", row["id"])
    assert (row["friendlyName"], row["orderId"], row["status"]) == ("Mine [12345678]", order["id"], "active")
    assert partner.get(f"/customers/{customer}/carts/{cart.json()['id']}")["status"] == "Ordered"
    assert "pricing" not in done["lineItems"][0]
    priced = partner.get(f"{path}?include_price=true")["lineItems"][0]["pricing"]
    assert (priced["price"], priced["extendedPrice"]) == (10.0, 30.0)


def test_line_errors_come_inside_the_cart(partner: Partner) -> None:
    customer = partner.customer()
    line = partner.line(customer)
    assert line_error(partner, customer, line) == ""
    assert line_error(partner, customer, line | {"catalogItemId": f"{STANDARD}:CFQ7TTC0AAAA"}) == "10001"
    assert line_error(partner, customer, line | {"quantity": 301}) == "10002"
    assert line_error(partner, customer, line | {"billingCycle": "triennial"}) == "10013"
    assert line_error(partner, customer, line | {"termDuration": "P1M"}) == "10013"
    assert line_error(partner, customer, line | {"currencyCode": "EUR"}) == "10000"
    assert line_error(partner, customer, line | {"promotionId": "unknown"}) == "10014"
    offer = partner.get("/offers?country=US&size=1&offset=3")["items"][0]["id"]
    assert line_error(partner, customer, line | {"catalogItemId": offer}) == "500600"
    wrong = [{"key": "transaction_reseller", "value": "1"}]
    assert (
        line_error(partner, customer, line | {"participants": wrong}, partnerOnRecordAttestationAccepted=True)
        == "10004"
    )
    assert partner.twin.state()["orders"] == []


def test_attestation_of_a_product(partner: Partner) -> None:
    customer = partner.customer()
    code = by_title(partner, "Windows 365 Business 4 vCPU 16 GB 128 GB (with Windows Hybrid Benefit)")
    assert partner.get(f"/products/{code.split(':')[0]}/skus?country=US")["items"][0]["attestationProperties"] == {
        "enforceAttestation": True,
        "attestationType": "WindowsHybridBenefit",
    }
    line = partner.line(customer, code)
    assert line_error(partner, customer, line) == "10012"
    assert line_error(partner, customer, line | {"attestationAccepted": True}) == ""


def test_reservation_needs_an_azure_subscription(partner: Partner) -> None:
    customer = partner.customer()
    code = by_title(partner, "Reserved VM Instance, Dsv5 Series", "AzureReservationsVM")
    line = partner.line(customer, code, term="P1Y", billingCycle="one_time")
    assert line_error(partner, customer, line) == "10003"
    plan = partner.buy(customer, "DZH318Z0BPS6:0001", term="P1M", quantity=1)
    azure = partner.get(f"/customers/{customer}/subscriptions/{plan['id']}/azureEntitlements")["items"][0]
    context = {"subscriptionId": azure["id"], "scope": "shared"}
    order = partner.buy(customer, code, term="P1Y", billingCycle="one_time", provisioningContext=context)
    assert order["status"] == "completed"
    owned = partner.get(f"/customers/{customer}/entitlements")["items"]
    assert [row["entitlementType"] for row in owned] == ["reservedinstance"]


def test_cart_refused_as_a_whole(partner: Partner) -> None:
    customer = partner.customer()
    line = partner.line(customer)
    assert partner.refused(partner.cart(customer)) == (400, 800002)
    assert partner.refused(partner.cart(customer, line, line)) == (400, 800071)
    reseller = {"participants": [{"key": "transaction_reseller", "value": "4100001"}]}
    assert partner.refused(partner.cart(customer, line | reseller)) == (400, 900206)
    unsigned = {"participants": [{"key": "transaction_reseller", "value": "4100003"}]}
    answer = partner.cart(customer, line | unsigned, partnerOnRecordAttestationAccepted=True)
    assert partner.refused(answer) == (403, 900123)
    addon = by_title(partner, "Microsoft 365 Audio Conferencing")
    assert partner.refused(partner.cart(customer, partner.line(customer, addon))) == (400, 800029)


def test_reseller_stays_with_order_and_subscription(partner: Partner) -> None:
    customer = partner.customer()
    reseller = {"participants": [{"key": "transaction_reseller", "value": "4100001"}]}
    cart = partner.cart(customer, partner.line(customer) | reseller, partnerOnRecordAttestationAccepted=True)
    order = partner.checkout(customer, cart).json()["orders"][0]
    assert order["lineItems"][0]["partnerIdOnRecord"] == "4100001"
    partner.twin.advance("PT6S")
    assert len(partner.get(f"/customers/{customer}/subscriptions?mpn_id=4100001")["items"]) == 1
    assert partner.get(f"/customers/{customer}/subscriptions?mpn_id=4100002")["items"] == []


def test_without_agreement_nothing_is_ordered(partner: Partner) -> None:
    customer = partner.customer(agreement=False)
    cart = partner.cart(customer, partner.line(customer))
    assert partner.refused(partner.checkout(customer, cart)) == (403, 13605)
    assert partner.twin.state()["orders"] == []
    assert partner.accept(customer).status_code == 201
    assert partner.refused(partner.accept(customer)) == (409, 600061)
    assert partner.checkout(customer, cart).status_code == 201


def test_availability_id_is_good_for_the_hour(partner: Partner) -> None:
    customer = partner.customer()
    line = partner.line(customer)
    partner.twin.advance("PT1H")
    assert line_error(partner, customer, line) == "10001"
    assert line_error(partner, customer, partner.line(customer)) == ""


def test_cart_expires_after_seven_days(partner: Partner) -> None:
    customer = partner.customer()
    cart = partner.cart(customer, partner.line(customer))
    partner.twin.advance("P7DT1S")
    assert partner.refused(partner.checkout(customer, cart)) == (404, 800008)
    assert partner.twin.state()["orders"] == []


def test_same_request_id_is_the_same_answer_without_effect(partner: Partner) -> None:
    customer = partner.customer()
    cart = partner.cart(customer, partner.line(customer)).json()["id"]
    path = f"/customers/{customer}/carts/{cart}/checkout"
    headers = {"MS-RequestId": str(uuid.uuid4()), "MS-CorrelationId": str(uuid.uuid4())}
    first, again = (partner.send("POST", path, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert [row["client_reference"] for row in partner.twin.state()["orders"]] == [headers["MS-CorrelationId"]]
    entries = [row for row in partner.twin.journal() if row["operation"] == "checkout_cart"]
    assert [row["effect"] for row in entries] == [True, False]
    assert partner.refused(partner.send("POST", path, {"other": 1}, headers=headers)) == (400, 800002)
    assert partner.refused(partner.send("POST", path)) == (400, 800008)
    audited = [row for row in partner.get("/auditrecords")["items"] if row["operationType"] == "create_order"]
    assert [row["originalCorrelationId"] for row in audited] == [headers["MS-CorrelationId"]]


def test_same_request_twenty_times_at_once(partner: Partner) -> None:
    customer = partner.customer()
    cart = partner.cart(customer, partner.line(customer)).json()["id"]
    headers = {"MS-RequestId": str(uuid.uuid4())}
    path = f"/customers/{customer}/carts/{cart}/checkout"
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: partner.send("POST", path, headers=headers), range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(partner.twin.state()["orders"]) == 1


def test_request_id_is_forgotten_after_a_day(partner: Partner) -> None:
    headers = {"MS-RequestId": str(uuid.uuid4())}
    partner.send("POST", "/customers", partner.customer_body(), headers=headers)
    partner.twin.advance("P1DT1S")
    again = partner.send("POST", "/customers", partner.customer_body(), headers=headers)
    assert partner.refused(again) == (400, 27002)
    assert len(partner.twin.state()["customers"]) == 1


def test_base_and_addon_in_one_cart(partner: Partner) -> None:
    customer = partner.customer()
    addon = by_title(partner, "Microsoft 365 Audio Conferencing")
    below = partner.line(customer, addon, id=1, quantity=2)
    too_many = partner.cart(customer, partner.line(customer, addonItems=[below | {"quantity": 9}]))
    assert too_many.json()["lineItems"][0]["addonItems"][0]["error"]["errorCode"] == "10018"
    cart = partner.cart(customer, partner.line(customer, addonItems=[below]))
    assert len(partner.checkout(customer, cart).json()["orders"]) == 1
    partner.twin.advance("PT6S")
    base, top = partner.get(f"/customers/{customer}/subscriptions")["items"]
    assert (top["parentSubscriptionId"], top["quantity"], base["quantity"]) == (base["id"], 2, 3)
    assert base["hasPurchasableAddons"] is True
    path = f"/customers/{customer}/subscriptions/{base['id']}/addons"
    assert [row["id"] for row in partner.get(path)["items"]] == [top["id"]]


def test_addon_to_an_existing_subscription(partner: Partner) -> None:
    customer = partner.customer()
    base = partner.buy(customer)
    addon = by_title(partner, "Microsoft 365 Audio Conferencing")
    wrong = by_title(partner, "Power BI Premium Per User Add-On")
    context = {"provisioningContext": {"parentSubscriptionId": base["id"]}}
    assert line_error(partner, customer, partner.line(customer, wrong, **context)) == "10007"
    top = partner.buy(customer, addon, quantity=1, **context)
    assert top["parentSubscriptionId"] == base["id"]


def test_partial_checkout(partner: Partner) -> None:
    customer = partner.customer()
    lines = (partner.line(customer), partner.line(customer, by_title(partner, "Visio Plan 2"), id=1, term="P1M"))
    cart = partner.cart(customer, *lines)
    partner.twin.fault("checkout_cart", "partial_checkout", line=1)
    answer = partner.checkout(customer, cart).json()
    assert [row["lineItems"][0]["offerId"] for row in answer["orders"]] == [lines[0]["catalogItemId"]]
    assert [row["orderGroupId"] for row in answer["orderErrors"]] == [cart.json()["lineItems"][1]["orderGroup"]]


def test_perpetual_software_is_an_entitlement_and_can_be_returned(partner: Partner) -> None:
    customer = partner.customer()
    code = by_title(partner, "Office LTSC Standard 2024", "Software")
    order = partner.buy(customer, code, term="", billingCycle="one_time")
    assert (order["status"], order["billingCycle"], len(order["id"])) == ("completed", "one_time", 33)
    owned = partner.get(f"/customers/{customer}/entitlements?entitlementType=software")["items"]
    assert [(row["productId"], row["quantity"]) for row in owned] == [(code.split(":")[0], 3)]
    path = f"/customers/{customer}/orders/{order['id']}"
    body = {"id": order["id"], "status": "cancelled", "lineItems": [{"lineItemNumber": 0}]}
    back = partner.send("PATCH", path, body).json()
    assert (back["status"], back["lineItems"][0]["quantity"]) == ("cancelled", 0)
    assert partner.get(f"/customers/{customer}/entitlements")["items"] == []
    late = partner.buy(customer, code, term="", billingCycle="one_time")
    partner.twin.advance("P30DT1M")
    path = f"/customers/{customer}/orders/{late['id']}"
    assert partner.refused(partner.send("PATCH", path, {"status": "cancelled"})) == (400, 900117)


def test_seats_cannot_be_returned_as_an_order(partner: Partner) -> None:
    customer = partner.customer()
    row = partner.buy(customer)
    answer = partner.send("PATCH", f"/customers/{customer}/orders/{row['orderId']}", {"status": "cancelled"})
    assert partner.refused(answer) == (403, 800019)


def test_order_without_cart(partner: Partner) -> None:
    customer = partner.customer()
    line = {"lineItemNumber": 0, "offerId": partner.item(customer, STANDARD), "quantity": 1, "termDuration": "P1Y"}
    body = {"billingCycle": "annual", "referenceCustomerId": customer, "lineItems": [line]}
    answer = partner.send("POST", f"/customers/{customer}/orders", body)
    assert (answer.status_code, answer.json()["billingCycle"]) == (201, "annual")


def test_azure_plan_has_an_azure_subscription(partner: Partner) -> None:
    customer = partner.customer()
    row = partner.buy(customer, "DZH318Z0BPS6:0001", term="P1M", quantity=1)
    assert (row["billingType"], row["unitType"], row["commitmentEndDate"][:4]) == ("usage", "Usage-based", "9999")
    one = f"/customers/{customer}/subscriptions/{row['id']}"
    azure = partner.get(f"{one}/azureEntitlements")["items"]
    assert partner.refused(partner.patch(customer, row, status="deleted")) == (400, 900115)
    partner.send("POST", f"{one}/azureEntitlements/{azure[0]['id']}/cancel")
    assert partner.patch(customer, row, status="deleted").status_code == 200
