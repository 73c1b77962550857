"""The Partner Center twin's own faults, drift, and its memory after it was killed."""

import signal
from typing import Any

import pytest

from tests.sandbox.partner import Partner
from tests.twins import Twins


@pytest.fixture
def partner(twin: Twins) -> Partner:
    return Partner(twin).mid_hour()


def test_conflict_with_and_without_effect(partner: Partner) -> None:
    customer = partner.customer()
    for after, orders in ((False, 0), (True, 1)):
        partner.twin.fault("checkout_cart", "conflict_409", code=800064, after=after)
        answer = partner.checkout(customer, partner.cart(customer, partner.line(customer)))
        assert partner.refused(answer) == (409, 800064)
        assert len(partner.twin.state()["orders"]) == orders


def test_stale_etag_and_error(partner: Partner) -> None:
    customer = partner.customer()
    row = partner.buy(customer)
    partner.twin.fault("update_subscription", "stale_etag", quantity=9)
    assert partner.refused(partner.patch(customer, row, quantity=4)) == (400, 2055)
    assert partner.subscription(row, customer)["quantity"] == 9
    partner.twin.fault("update_subscription", "error", status=400, code=900279, description="Too many.")
    assert partner.refused(partner.patch(customer, row, quantity=4)) == (400, 900279)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("no_relationship", (403, 20002)),
        ("no_delegation", (403, 900308)),
        ("mfa_required", (403, 10001)),
        ("under_review", (403, 800073)),
    ],
)
def test_refusals(partner: Partner, kind: str, expected: tuple[int, int]) -> None:
    customer = partner.customer()
    partner.twin.fault("get_customer", kind)
    assert partner.refused(partner.send("GET", f"/customers/{customer}")) == expected
    assert partner.get(f"/customers/{customer}")["id"] == customer


def test_vetting_under_review(partner: Partner) -> None:
    customer = partner.customer()
    path = f"/customers/{customer}/validationStatus?type=account"
    partner.twin.fault("get_validation_status", "under_review")
    assert [partner.get(path)["status"] for _ in range(2)] == ["UnderReview", "Allowed"]


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("slash", "/customers?"),
        ("bare", "customers?"),
        ("v1", "/v1/customers?"),
        ("absolute", "http://127.0.0.1"),
        ("foreign_host", "https://elsewhere.example/v1/customers?"),
    ],
)
def test_link_forms(partner: Partner, form: str, begins: str) -> None:
    for number in range(2):
        partner.customer(f"bakery{number}", agreement=False)
    partner.twin.fault("list_customers", "link_form", form=form)
    assert partner.get("/customers?size=1")["links"]["next"]["uri"].startswith(begins)


@pytest.mark.parametrize("form", ["404", "204", "same_token"])
def test_lost_page(partner: Partner, form: str) -> None:
    for number in range(3):
        partner.customer(f"bakery{number}", agreement=False)
    link = partner.get("/customers?size=1")["links"]["next"]
    headers = {item["key"]: item["value"] for item in link["headers"]}
    partner.twin.fault("list_customers", "page_lost", form=form)
    answer = partner.send("GET", link["uri"], headers=headers)
    if form == "same_token":
        assert answer.json()["links"]["next"]["headers"][0]["value"] == headers["MS-ContinuationToken"]
    else:
        assert answer.status_code == int(form)


def test_patch_taken_for_later_and_patch_ignored(partner: Partner) -> None:
    customer = partner.customer()
    row = partner.buy(customer)
    partner.twin.fault("update_subscription", "patch_202", seconds=60)
    answer = partner.patch(customer, row, quantity=5)
    assert (answer.status_code, answer.content) == (202, b"")
    assert partner.subscription(row, customer)["quantity"] == 3
    partner.twin.advance("PT61S")
    assert partner.subscription(row, customer)["quantity"] == 5
    partner.twin.fault("update_subscription", "patch_ignored")
    assert partner.patch(customer, row, quantity=7).status_code == 200
    assert partner.subscription(row, customer)["quantity"] == 5


def test_lag_of_a_write_and_of_a_read(partner: Partner) -> None:
    customer = partner.customer()
    cart = partner.cart(customer, partner.line(customer))
    partner.twin.fault("checkout_cart", "lag", seconds=600)
    order = partner.checkout(customer, cart).json()["orders"][0]
    path = f"/customers/{customer}/orders/{order['id']}"
    assert partner.refused(partner.send("GET", path)) == (404, 20000)
    partner.twin.advance("PT601S")
    assert partner.get(path)["status"] == "completed"
    assert len(partner.get(f"/customers/{customer}/subscriptions")["items"]) == 1
    partner.twin.fault("list_subscriptions", "lag", seconds=3600)
    assert partner.get(f"/customers/{customer}/subscriptions")["items"] == []


def test_styles(partner: Partner) -> None:
    customer = partner.customer()
    row = partner.buy(customer)
    path = f"/customers/{customer}/subscriptions/{row['id']}"

    def styled(kind: str) -> dict[str, Any]:
        partner.twin.fault("get_subscription", kind)
        return dict(partner.get(path))

    assert styled("pascal_case")["Quantity"] == 3
    assert styled("string_numbers")["quantity"] == "3"
    assert "links" not in styled("missing_optional")
    unknown = styled("unknown_enum")
    assert (unknown["status"], unknown["billingCycle"]) == ("in_grace_period", "quadrennial")
    partner.twin.fault("get_subscription", "html_error")
    answer = partner.send("GET", path)
    assert (answer.status_code, answer.text[:6]) == (502, "<html>")


def test_rotated_availability(partner: Partner) -> None:
    customer = partner.customer()
    partner.twin.fault("list_availabilities_for_customer", "availability_rotated")
    line = partner.line(customer)
    cart = partner.cart(customer, line).json()
    assert cart["lineItems"][0]["error"]["errorCode"] == "10001"
    assert "error" not in partner.cart(customer, partner.line(customer)).json()["lineItems"][0]


def test_drift_says_what_it_changed(partner: Partner) -> None:
    customer = partner.customer()
    for _ in range(3):
        partner.buy(customer)
    spec = {"vendor": "partner_center", "count": 4, "kinds": ["seats", "status", "auto_renew", "price"], "seed": 7}
    changed = partner.twin.call("POST", "/_twin/drift", json=spec)["changed"]
    assert [row["kind"] for row in changed] == ["seats", "status", "auto_renew", "price"]
    for row in changed[:3]:
        now = partner.get(f"/customers/{customer}/subscriptions/{row['id']}")
        assert now[row["field"]] == row["new"] != row["old"]
    assert changed[3]["new"] == "1.0500"


def test_everything_survives_a_kill(partner: Partner) -> None:
    customer = partner.customer()
    row = partner.buy(customer)
    cart = partner.cart(customer, partner.line(customer))
    order = partner.checkout(customer, cart).json()["orders"][0]
    before = partner.twin.state()
    twin = partner.twin
    twin.process.send_signal(signal.SIGKILL)
    twin.process.wait(10)
    again = Twins.start(twin.home)
    try:
        assert again.state() == before
        fresh = Partner(again)
        again.advance("PT6S")
        assert fresh.get(f"/customers/{customer}/orders/{order['id']}")["status"] == "completed"
        assert fresh.subscription(row, customer)["id"] == row["id"]
        again.advance("P1Y2D")
        renewed = fresh.subscription(row, customer)
        assert renewed["effectiveStartDate"] > row["effectiveStartDate"]
    finally:
        # The worker's fixture goes on with the new process.
        twin.go_on_as(again)
        if twin.process.stdout:
            twin.process.stdout.close()
