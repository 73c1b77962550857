"""Subscriptions at the Partner Center twin: changes, windows, schedules, renewal, end, upgrades, trials."""

import datetime as dt
from typing import Any

import pytest

from sandbox.clock import add_duration, parse_moment
from tests.sandbox.partner import STANDARD, Partner
from tests.twins import Twins

BASIC = "CFQ7TTC0LH18"


@pytest.fixture
def partner(twin: Twins) -> Partner:
    return Partner(twin).mid_hour()


@pytest.fixture
def customer(partner: Partner) -> str:
    return partner.customer()


def schedule(partner: Partner, customer: str, code: str, quantity: int, term: str = "P1Y") -> dict[str, Any]:
    product, sku, availability = partner.item(customer, code, term).split(":")
    wanted = {"productId": product, "skuId": sku, "availabilityId": availability}
    return {"product": wanted | {"billingCycle": "Annual", "termDuration": term}, "quantity": quantity}


def test_dates_of_a_year(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    start = parse_moment(row["effectiveStartDate"])
    last = add_duration(start, "P1Y") - dt.timedelta(days=1)
    assert parse_moment(row["commitmentEndDate"]) == last.replace(hour=0, minute=0, second=0, microsecond=0)
    assert parse_moment(row["cancellationAllowedUntilDate"]) == start + dt.timedelta(hours=168)
    assert row["refundableQuantity"] == {
        "totalQuantity": 3,
        "details": [{"quantity": 3, "allowedUntilDateTime": row["cancellationAllowedUntilDate"]}],
    }
    assert "etag" not in row["attributes"]


def test_each_purchase_of_seats_has_its_own_window(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    partner.twin.advance("P5D")
    assert partner.patch(customer, row, quantity=7).json()["quantity"] == 7
    partner.twin.advance("P3D")
    now = partner.subscription(row, customer)["refundableQuantity"]
    assert (now["totalQuantity"], len(now["details"])) == (4, 1)
    assert partner.refused(partner.patch(customer, row, quantity=2)) == (400, 800090)
    assert partner.patch(customer, row, quantity=5).json()["quantity"] == 5
    partner.twin.advance("P5D")
    assert partner.refused(partner.patch(customer, row, quantity=4)) == (400, 800090)
    assert partner.subscription(row, customer)["quantity"] == 5


def test_limits_of_quantity(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    assert partner.refused(partner.patch(customer, row, quantity=301)) == (400, 2002)
    assert partner.refused(partner.patch(customer, row, quantity=0)) == (400, 2002)


@pytest.mark.parametrize(("hours", "expected"), [(167, (200, 0)), (169, (400, 900117))])
def test_cancellation_window(partner: Partner, customer: str, hours: int, expected: tuple[int, int]) -> None:
    row = partner.buy(customer)
    partner.twin.advance(f"PT{hours}H")
    answer = partner.patch(customer, row, status="deleted")
    assert (answer.status_code, answer.json().get("code", 0)) == expected
    status = partner.subscription(row, customer)["status"]
    assert status == ("deleted" if expected[0] == 200 else "active")
    if status == "deleted":
        assert partner.refused(partner.patch(customer, row, status="active")) == (400, 2011)


def test_suspended_takes_no_other_change_and_takes_addons_along(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    titles = {p["title"]: p["id"] for p in partner.get("/products?country=US&targetView=OnlineServices")["items"]}
    code = f"{titles['Microsoft 365 Audio Conferencing']}:0001"
    top = partner.buy(customer, code, quantity=1, provisioningContext={"parentSubscriptionId": row["id"]})
    assert partner.patch(customer, row, status="suspended").json()["status"] == "suspended"
    assert partner.subscription(top, customer)["status"] == "suspended"
    assert partner.refused(partner.patch(customer, row, quantity=9)) == (400, 800091)
    assert partner.refused(partner.patch(customer, top, status="active")) == (409, 27009)
    partner.patch(customer, row, status="active")
    assert partner.subscription(top, customer)["status"] == "active"


def test_values_that_are_refused_back(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    for name in ("status", "unitType", "billingType"):
        assert partner.refused(partner.patch(customer, row, **{name: "none"})) == (400, 0)
    assert partner.refused(partner.patch(customer, row, billingCycle="annual")) == (400, 2054)
    assert partner.refused(partner.patch(customer, row, partnerId="1")) == (400, 800098)
    assert partner.patch(customer, row, friendlyName="Ours").json()["friendlyName"] == "Ours"


def test_pascal_case_is_taken(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    body = {"Id": row["id"], "Quantity": 4, "FriendlyName": None}
    answer = partner.send("PATCH", f"/customers/{customer}/subscriptions/{row['id']}", body)
    assert (answer.status_code, answer.json()["quantity"]) == (200, 4)


def test_schedule_takes_effect_at_renewal(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, f"{BASIC}:0001", term="P1M")
    plan = schedule(partner, customer, STANDARD, 8)
    assert partner.patch(customer, row, scheduledNextTermInstructions=plan).status_code == 200
    assert partner.subscription(row, customer)["scheduledNextTermInstructions"] == plan
    partner.twin.advance("P32D")
    renewed = partner.subscription(row, customer)
    assert (renewed["offerName"], renewed["quantity"]) == ("Microsoft 365 Business Standard", 8)
    assert (renewed["termDuration"], renewed["billingCycle"]) == ("P1Y", "annual")
    assert renewed["refundableQuantity"]["totalQuantity"] == 8
    assert "scheduledNextTermInstructions" not in renewed


def test_change_in_the_term_drops_the_schedule(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    plan = schedule(partner, customer, STANDARD, 1)
    partner.patch(customer, row, scheduledNextTermInstructions=plan)
    assert "scheduledNextTermInstructions" not in partner.patch(customer, row, quantity=6).json()
    partner.patch(customer, row, scheduledNextTermInstructions=plan)
    assert (
        "scheduledNextTermInstructions" not in partner.patch(customer, row, scheduledNextTermInstructions=None).json()
    )
    partner.patch(customer, row, autoRenewEnabled=False)
    refused = partner.patch(customer, row, scheduledNextTermInstructions=plan)
    assert partner.refused(refused) == (400, 800093)
    partner.patch(customer, row, autoRenewEnabled=True)
    outdated = plan | {"product": plan["product"] | {"availabilityId": "CFQ7TTC0AAAA"}}
    refused = partner.patch(customer, row, scheduledNextTermInstructions=outdated)
    assert partner.refused(refused) == (400, 800004)


def test_renewal_opens_a_new_window(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, term="P1M")
    partner.twin.advance("P20D")
    assert partner.refused(partner.patch(customer, row, quantity=2)) == (400, 800090)
    partner.twin.advance("P12D")
    renewed = partner.subscription(row, customer)
    assert parse_moment(renewed["effectiveStartDate"]) > parse_moment(row["effectiveStartDate"])
    assert (renewed["id"], renewed["status"]) == (row["id"], "active")
    assert partner.patch(customer, row, quantity=2).json()["quantity"] == 2


def test_end_without_renewal(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, term="P1M")
    partner.patch(customer, row, autoRenewEnabled=False)
    statuses = []
    for days in (33, 30, 61):
        partner.twin.advance(f"P{days}D")
        statuses.append(partner.subscription(row, customer)["status"])
    assert statuses == ["expired", "disabled", "deleted"]


def test_addon_ends_with_its_base(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, term="P1M")
    titles = {p["title"]: p["id"] for p in partner.get("/products?country=US&targetView=OnlineServices")["items"]}
    code = f"{titles['Microsoft 365 Audio Conferencing']}:0001"
    top = partner.buy(customer, code, quantity=1, provisioningContext={"parentSubscriptionId": row["id"]})
    partner.patch(customer, row, autoRenewEnabled=False)
    partner.twin.advance("P33D")
    assert partner.subscription(top, customer)["status"] == "expired"


def test_many_renewals_in_one_move_of_the_clock(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, term="P1M")
    partner.twin.advance("P1Y")
    end = parse_moment(partner.subscription(row, customer)["commitmentEndDate"])
    now = parse_moment(partner.twin.call("GET", "/_twin/clock")["now"])
    assert now - dt.timedelta(days=1) <= end < now + dt.timedelta(days=31)


def test_trial_once_then_paid(partner: Partner, customer: str) -> None:
    values: dict[str, Any] = {"term": "P1M", "billingCycle": "none", "renewsTo": {"termDuration": "P1Y"}}
    row = partner.buy(customer, "CFQ7TTC0LDPB:0002", quantity=25, **values)
    assert (row["isTrial"], row["termDuration"]) == (True, "P1M")
    again = partner.cart(customer, partner.line(customer, "CFQ7TTC0LDPB:0002", quantity=25, **values))
    assert again.json()["lineItems"][0]["error"]["errorCode"] == "10002"
    offers = partner.get(f"/customers/{customer}/subscriptions/{row['id']}/conversions")["items"]
    assert [offer["targetOfferId"].rsplit(":", 1)[0] for offer in offers] == [STANDARD]
    partner.twin.advance("P32D")
    paid = partner.subscription(row, customer)
    assert (paid["isTrial"], paid["termDuration"], paid["offerId"].rsplit(":", 1)[0]) == (False, "P1Y", STANDARD)


def test_trial_converted_before_its_end(partner: Partner, customer: str) -> None:
    values: dict[str, Any] = {"term": "P1M", "billingCycle": "none", "renewsTo": {"termDuration": "P1Y"}}
    row = partner.buy(customer, "CFQ7TTC0LDPB:0002", quantity=25, **values)
    path = f"/customers/{customer}/subscriptions/{row['id']}/conversions"
    offer = partner.get(path)["items"][0]
    assert partner.send("POST", path, offer | {"quantity": 10}).status_code == 200
    paid = partner.subscription(row, customer)
    assert (paid["isTrial"], paid["quantity"], paid["billingCycle"]) == (False, 10, "monthly")


def test_upgrade(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, f"{BASIC}:0001", quantity=5)
    one = f"/customers/{customer}/subscriptions/{row['id']}"
    targets = partner.get(f"{one}/transitionEligibilities?eligibilityType=immediate")["items"]
    target = next(item for item in targets if item["catalogItemId"].startswith(STANDARD))
    assert [item["isEligible"] for item in target["eligibilities"]] == [True, True]
    body = {
        "toCatalogItemId": target["catalogItemId"], "quantity": 5, "termDuration": "P1Y", "billingCycle": "Monthly",
        "transitionType": "transition_with_license_transfer",
    }  # fmt: skip
    answer = partner.send("POST", f"{one}/transitions", body).json()
    assert [event["status"] for event in answer["events"]] == ["Started "]
    partner.twin.advance("PT37M")
    found = partner.get(f"{one}/transitions?operationId={answer['operationId']}")["items"]
    assert [event["status"] for event in found[0]["events"]] == ["Started ", "Completed"]
    rows = partner.get(f"/customers/{customer}/subscriptions")["items"]
    assert [(item["offerName"], item["quantity"], item["status"]) for item in rows] == [
        ("Microsoft 365 Business Basic", 0, "deleted"),
        ("Microsoft 365 Business Standard", 5, "active"),
    ]


def transition(partner: Partner, customer: str, row: dict[str, Any], quantity: int, **changes: Any) -> Any:
    """Ask for an upgrade to Business Standard."""
    one = f"/customers/{customer}/subscriptions/{row['id']}"
    targets = partner.get(f"{one}/transitionEligibilities?eligibilityType=immediate")["items"]
    target = next(item for item in targets if item["catalogItemId"].startswith(STANDARD))
    body = {
        "toCatalogItemId": target["catalogItemId"], "quantity": quantity, "termDuration": "P1Y",
        "billingCycle": "Monthly", "transitionType": "transition_only",
    }  # fmt: skip
    return partner.send("POST", f"{one}/transitions", body | changes)


def test_upgrade_of_a_part_leaves_the_rest(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, f"{BASIC}:0001", quantity=5)
    partner.patch(customer, row, scheduledNextTermInstructions=schedule(partner, customer, STANDARD, 1))
    answer = transition(partner, customer, row, 2).json()
    source = partner.subscription(row, customer)
    target = partner.get(f"/customers/{customer}/subscriptions/{answer['toSubscriptionId']}")
    assert [(item["quantity"], item["status"]) for item in (source, target)] == [(3, "active"), (2, "active")]
    assert [item["refundableQuantity"]["totalQuantity"] for item in (source, target)] == [3, 2]
    assert source["commitmentEndDate"] == target["commitmentEndDate"]
    assert not {"scheduledNextTermInstructions"} & (set(source) | set(target))
    state = partner.twin.state()["transitions"]
    assert [(item["id"], item["status"], item["quantity"]) for item in state] == [
        (answer["operationId"], "started", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "changes", "code"),
    [
        (0, {}, 800017),
        (6, {}, 800017),
        (5, {"termDuration": "P3Y"}, 800097),
        (5, {"billingCycle": "triennial"}, 800097),
        (5, {"toCatalogItemId": "CFQ7TTC0LDPB:0001:X"}, 800004),
    ],
)
def test_upgrade_refused(partner: Partner, customer: str, quantity: int, changes: dict[str, Any], code: int) -> None:
    row = partner.buy(customer, f"{BASIC}:0001", quantity=5)
    assert partner.refused(transition(partner, customer, row, quantity, **changes)) == (400, code)
    assert partner.subscription(row, customer)["quantity"] == 5
    assert partner.twin.state()["transitions"] == []


def test_upgrade_that_fails_gives_the_licences_back(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, f"{BASIC}:0001", quantity=5)
    partner.twin.fault("create_transition", "transition_failed")
    answer = transition(partner, customer, row, 5).json()
    assert partner.subscription(row, customer)["status"] == "deleted"
    partner.twin.advance("PT37M")
    found = partner.get(f"/customers/{customer}/subscriptions/{row['id']}/transitions")["items"][0]
    assert [event["status"] for event in found["events"]] == ["Started ", "Failed"]
    assert found["events"][1]["errors"][0]["code"] == 12
    source = partner.subscription(row, customer)
    target = partner.get(f"/customers/{customer}/subscriptions/{answer['toSubscriptionId']}")
    assert [(item["quantity"], item["status"]) for item in (source, target)] == [(5, "active"), (0, "deleted")]


def test_upgrade_shows_late_under_lag(partner: Partner, customer: str) -> None:
    row = partner.buy(customer, f"{BASIC}:0001", quantity=5)
    partner.twin.fault("create_transition", "lag", seconds=300)
    answer = transition(partner, customer, row, 5).json()
    one = f"/customers/{customer}/subscriptions"
    assert partner.get(f"{one}/{row['id']}/transitions")["items"] == []
    assert partner.send("GET", f"{one}/{answer['toSubscriptionId']}").status_code == 404
    partner.twin.advance("PT6M")
    assert len(partner.get(f"{one}/{row['id']}/transitions")["items"]) == 1


def test_support_contact_and_registration(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    one = f"/customers/{customer}/subscriptions/{row['id']}"
    contact = partner.get(f"{one}/supportcontact")
    changed = partner.send("PUT", f"{one}/supportcontact", contact | {"name": "Ours", "supportMpnId": "4100001"})
    assert (changed.json()["name"], changed.json()["supportMpnId"]) == ("Ours", "4100001")
    assert partner.get(f"{one}/registrationstatus")["status"] == "NotRegistered"
    taken = partner.send("POST", f"{one}/registrations")
    assert (taken.status_code, taken.content) == (202, b"")
    assert partner.get(taken.headers["Location"])["status"] == "Registered"


def test_every_write_is_audited(partner: Partner, customer: str) -> None:
    row = partner.buy(customer)
    partner.patch(customer, row, quantity=4)
    rows = partner.get("/auditrecords")["items"]
    assert [item["operationType"] for item in rows] == [
        "update_subscription", "create_order", "create_customer_agreement", "add_customer",
    ]  # fmt: skip
    assert '"Quantity":4' in rows[0]["resourceNewValue"]
    assert '"Quantity":3' in rows[0]["resourceOldValue"]
    wanted = '{"Field":"ResourceType","Value":"order","Operator":"equals"}'
    assert len(partner.get(f"/auditrecords?filter={wanted}")["items"]) == 1
    first = partner.send("GET", "/auditrecords?size=3").json()
    link = first["links"]["next"]
    token = {item["key"]: item["value"] for item in link["headers"]}
    rest = partner.send("GET", link["uri"], headers=token).json()
    assert ([item["id"] for item in first["items"] + rest["items"]]) == [item["id"] for item in rows]
