"""Reads of subscriptions: as the contract says, with what the caller may see."""

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Plan
from clients.services.clients import save_policy
from core import clock
from subscriptions.models import Subscription, SubscriptionAddOn
from tests import factories
from tests.api.caller import Program, program
from tests.api.contract import check
from tests.bss.running import running
from tests.shop import Shop, fill_basket, place

pytestmark = pytest.mark.django_db
LIST = "/api/subscriptions"
ONE = "/api/subscriptions/{subscriptionId}"
PARTS = ("addons", "characteristics", "pricinginfo", "synchronization")


def add_addon(row: Subscription, **values: object) -> SubscriptionAddOn:
    product = factories.product(row.instance, is_addon=True)
    plan = Plan.objects.get(product=product)
    defaults = {"quantity": 2, "unit_price": Decimal("1.5"), "status": "active", "name": product.name}
    return SubscriptionAddOn.objects.create(
        organization=row.organization, subscription=row, product=product, plan=plan, **(defaults | values)
    )


def test_list_is_as_the_contract_says(distributor: Program, service: Subscription):
    body = check(distributor.get(LIST), LIST)
    row = body["data"][0]
    assert body["paging"]["totalRecords"] == 1
    assert row["id"] == str(service.public_id)
    assert row["status"] == "Active"
    assert row["subscriptionAmount"] == 60.0
    assert row["account"] == {"id": service.account_id, "name": service.account.name}
    assert row["order"]["code"] == service.order_number
    assert row["billToContact"]["firstName"] == "Ada"
    assert row["commitment"]["unitType"] == "Year"


def test_every_include_is_as_the_contract_says(distributor: Program, service: Subscription):
    add_addon(service)
    include = "characteristics,addons,pricingInfo,SYNCHRONIZATIONINFO"
    row = check(distributor.get(f"{LIST}?include={include}"), LIST)["data"][0]
    assert len(row["addons"]) == 1
    assert row["pricingInfo"]["finalUnitPrice"] == 12
    assert row["pricingInfo"]["unitCost"] == 10
    assert row["synchronizationInfo"]["status"] == "Synchronized"
    names = [item["name"] for item in row["characteristics"][0]["characteristics"]]
    assert sorted(names) == ["domain_prefix", "username"]


@pytest.mark.parametrize("part", PARTS)
def test_parts_are_as_the_contract_says(distributor: Program, service: Subscription, part: str):
    add_addon(service)
    check(distributor.get(f"{LIST}/{service.public_id}/{part}"), f"{ONE}/{part}")


@pytest.mark.parametrize("part", ["pricinginfo", "synchronization"])
def test_parts_of_addons(distributor: Program, service: Subscription, part: str):
    addon = add_addon(service)
    path = f"{LIST}/{service.public_id}/addons/{addon.public_id}/{part}"
    check(distributor.get(path), f"{ONE}/addons/{{addonId}}/{part}")
    missing = check(
        distributor.get(f"{LIST}/{service.public_id}/addons/{uuid.uuid4()}/{part}"), f"{ONE}/addons/{{addonId}}/{part}"
    )
    assert missing["type"] == "SubscriptionAddonNotFoundError"


def test_detail_has_an_etag(distributor: Program, service: Subscription):
    answer = distributor.get(f"{LIST}/{service.public_id}")
    check(answer, ONE)
    again = distributor.get(f"{LIST}/{service.public_id}", if_none_match=answer["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    Subscription.objects.filter(pk=service.pk).update(quantity=6)
    assert distributor.get(f"{LIST}/{service.public_id}", if_none_match=answer["ETag"]).status_code == 200


DAY = dt.timedelta(days=1)
BEGUN = dt.datetime.now(dt.UTC)
OVER = {"status": "cancelled", "cancelled_at": BEGUN, "term_ends_at": BEGUN}
STATUS_WORDS = [
    ({"status": "inactive", "starts_at": BEGUN + 400 * DAY}, "Inactive", "ScheduledStart"),
    ({"status": "inactive"}, "Inactive", "PendingActivation"),
    ({"status": "failed"}, "Inactive", "ProvisioningFailed"),
    ({"status": "active"}, "Active", None),
    ({"status": "suspended", "suspend_reason": "non_payment"}, "Suspended", "NonPayment"),
    ({"status": "suspended", "suspend_reason": "staff"}, "Suspended", "StaffAction"),
    ({"status": "suspended", "suspend_reason": "customer"}, "Suspended", "CustomerRequest"),
    ({"status": "suspended"}, "Suspended", "VendorAction"),
    ({"status": "pending_cancel"}, "PendingCancellation", "CustomerRequest"),
    ({"status": "cancelled", "cancelled_at": BEGUN}, "Cancelled", "CustomerRequest"),
    ({**OVER, "is_trial": False}, "Cancelled", "Expired"),
    ({**OVER, "is_trial": True}, "Cancelled", "TrialEnded"),
]


@pytest.mark.parametrize(("values", "status", "reason"), STATUS_WORDS)
def test_every_status_has_a_word(
    distributor: Program, service: Subscription, values: dict[str, Any], status: str, reason: str | None
):
    Subscription.objects.filter(pk=service.pk).update(**values)
    row = check(distributor.get(LIST), LIST)["data"][0]
    assert (row["status"], row["statusReason"]) == (status, reason)
    word = f"'{reason}'" if reason else "null"
    for wanted in (f"status eq '{status.lower()}'", f"statusReason eq {word}"):
        found = distributor.get(f"{LIST}?$filter={wanted}").json()
        assert [item["id"] for item in found["data"]] == [str(service.public_id)], wanted


# A planned start and a planned end are the service's alone.
@pytest.mark.parametrize(
    ("values", "status", "reason"),
    [row for row in STATUS_WORDS if row[2] != "ScheduledStart" and row[1] != "PendingCancellation"],
)
def test_addons_have_the_words_of_their_service(
    distributor: Program, service: Subscription, values: dict[str, Any], status: str, reason: str | None
):
    Subscription.objects.filter(pk=service.pk).update(**values)
    shared = {name: value for name, value in values.items() if name in ("status", "cancelled_at")}
    begun = {} if shared["status"] in ("inactive", "failed") else {"first_activated_at": clock.now() - DAY}
    add_addon(service, **shared, **begun)
    path = f"{LIST}/{service.public_id}/addons"
    addon = check(distributor.get(path), f"{ONE}/addons")[0]
    assert (addon["status"], addon["statusReason"]) == (status, reason)


def test_what_was_given_up_has_a_word_too(shop: Shop, distributor: Program):
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    Subscription.objects.filter(order_number=order.number).update(status="cancelled", cancelled_at=clock.now())
    row = check(distributor.get(LIST), LIST)["data"][0]
    assert (row["status"], row["statusReason"]) == ("Cancelled", "ProvisioningFailed")


def test_a_service_that_never_ran_has_every_date(distributor: Program, service: Subscription):
    dates = ("period_starts_at", "period_ends_at", "starts_at", "first_activated_at", "term_ends_at", "cancel_until")
    # The first activation is written once by a trigger's rule, so the row is made to look new around it.
    values = dict.fromkeys(set(dates) - {"first_activated_at"})
    Subscription.objects.filter(pk=service.pk).update(status="inactive", **values)
    row = check(distributor.get(LIST), LIST)["data"][0]
    assert row["endDate"] > row["startDate"]
    assert row["commitment"] is None


def test_a_reseller_sees_his_own_alone(reseller: Program, service: Subscription, resold: Subscription):
    body = check(reseller.get(LIST), LIST, reseller=True)
    assert [row["id"] for row in body["data"]] == [str(resold.public_id)]
    assert body["paging"]["totalRecords"] == 1
    assert body["data"][0]["reseller"]["id"] == resold.bill_to_id
    foreign = reseller.get(f"{LIST}/{service.public_id}")
    unknown = reseller.get(f"{LIST}/{uuid.uuid4()}")
    same = ("requestId", "instance")
    strip = [{k: v for k, v in answer.json().items() if k not in same} for answer in (foreign, unknown)]
    assert (foreign.status_code, strip[0]) == (404, strip[1])
    for part in PARTS[:2]:
        assert reseller.get(f"{LIST}/{service.public_id}/{part}").status_code == 404


def test_switches_open_more_to_resellers(shop: Shop, reseller: Program, resold: Subscription):
    for part in PARTS[2:]:
        answer = reseller.get(f"{LIST}/{resold.public_id}/{part}")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_enabled")
    assert reseller.get(f"{LIST}?include=pricingInfo").json()["code"] == "not_enabled"
    save_policy(shop.staff, values={"resellers_pricing": True, "resellers_synchronization": True})
    for part in PARTS[2:]:
        check(reseller.get(f"{LIST}/{resold.public_id}/{part}"), f"{ONE}/{part}", reseller=True)
    body = reseller.get(f"{LIST}?include=pricingInfo,synchronizationInfo").json()["data"][0]
    assert "unitCost" not in body["pricingInfo"]
    assert "vendorRequestId" not in json.dumps(body)


def test_cost_is_shown_with_its_scope_alone(shop: Shop, service: Subscription):
    path = f"{LIST}/{service.public_id}/pricinginfo"
    without = program(shop, scopes=("subscriptions:read", "pricing:read"))
    assert "unitCost" not in without.get(path).json()
    assert program(shop).get(path).json()["margin"] == 10
    assert without.get("/api/subscriptions").status_code == 200


def test_compatible_only_leaves_ours_out(shop: Shop, service: Subscription, distributor: Program):
    add_addon(service)
    distributor.client.__class__.objects.filter(pk=distributor.client.pk).update(compatible_only=True)
    check(distributor.get(f"{LIST}/{service.public_id}"), ONE, compatible=True)
    check(distributor.get(f"{LIST}/{service.public_id}/addons"), f"{ONE}/addons", compatible=True)
    body = check(distributor.get(f"{LIST}?include=pricingInfo"), LIST, compatible=True)
    assert "statusReason" not in body["data"][0]


def test_decimals_are_exact_and_may_be_text(distributor: Program, service: Subscription):
    Subscription.objects.filter(pk=service.pk).update(unit_price=Decimal("6.8765"))
    path = f"{LIST}/{service.public_id}/pricinginfo"
    assert b'"finalUnitPrice":6.8765,' in distributor.get(path).content
    as_text = distributor.get(path, accept="application/json;IEEE754Compatible=true").json()
    assert (as_text["finalUnitPrice"], as_text["quantity"]) == ("6.8765", "5")
    add_addon(service)
    addon = distributor.get(f"{LIST}/{service.public_id}/addons", accept="application/json;IEEE754Compatible=true")
    assert addon.json()[0]["quantity"] == "2"


def test_amounts_are_found_by_what_is_shown(distributor: Program, service: Subscription):
    values = {"currency": "JPY", "unit_price": Decimal("100.30"), "quantity": 5}
    Subscription.objects.filter(pk=service.pk).update(**values)
    assert distributor.get(LIST).json()["data"][0]["subscriptionAmount"] == 502
    found = distributor.get(f"{LIST}?$filter=subscriptionAmount eq 502").json()
    assert found["paging"]["totalRecords"] == 1


def test_a_page_costs_the_same_however_long(shop: Shop, distributor: Program):
    for _number in range(3):
        add_addon(running(shop))
    include = "?include=characteristics,addons,pricingInfo,synchronizationInfo"
    counts = []
    distributor.get(LIST)  # The first call notes the use.
    for size in (1, 3):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert distributor.get(f"{LIST}{include}&pageSize={size}").status_code == 200
        counts.append(len([q for q in queries.captured_queries if "SAVEPOINT" not in q["sql"]]))
    assert counts[0] == counts[1]
    with CaptureQueriesContext(connection) as queries:
        distributor.get(f"{LIST}?pageSize=3")
    assert len(queries.captured_queries) <= 6, [q["sql"][:80] for q in queries.captured_queries]
