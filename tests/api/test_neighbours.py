"""Accounts, licences, orders, products and custom fields: as the contract says, and each caller his own."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import AddOnRelation
from clients.services.clients import save_policy
from core.custom_fields import CustomField
from orders.models import Order
from resellers.models import Account
from subscriptions.models import Subscription
from tests import factories
from tests.api.caller import Program, program
from tests.api.contract import check
from tests.shop import Shop, fill_basket, place

pytestmark = pytest.mark.django_db
FIELDS = "/api/subscriptions/{subscriptionId}/customfields"


@pytest.fixture
def sold(shop: Shop) -> Order:
    """An order of the reseller for his end customer."""
    basket = fill_basket(
        shop, shop.reseller_admin, mode="end_customer", target=shop.end_customer, quantity=2, mpn_id="1234567"
    )
    return place(shop.reseller_admin, basket)


# --- Accounts ---------------------------------------------------------------------------------------------------------
def test_accounts_of_the_distributor(shop: Shop, distributor: Program):
    body = check(distributor.get("/api/accounts?include=billingAddress&pageSize=50"), "/api/accounts")
    row = next(row for row in body["data"] if row["id"] == shop.reseller.pk)
    assert row["creditLimit"] == 100000
    assert row["billingAddress"]["country"] == {"id": 405, "name": "Germany", "code": "DE"}
    path = f"/api/accounts/{shop.reseller.pk}"
    assert check(distributor.get(path), "/api/accounts/{accountId}")["name"] == shop.reseller.name
    check(distributor.get(f"{path}/billingaddress"), "/api/accounts/{accountId}/billingaddress")


def test_accounts_of_a_reseller_are_his_and_tell_nothing_of_ours(shop: Shop, reseller: Program):
    body = check(reseller.get("/api/accounts?include=billingAddress"), "/api/accounts", reseller=True)
    mine = {shop.reseller.pk, shop.end_customer.pk, shop.affiliate.pk}
    assert {row["id"] for row in body["data"]} == mine
    for key in (shop.customer.pk, 2_000_000_000):
        answer = reseller.get(f"/api/accounts/{key}")
        found = check(answer, "/api/accounts/{accountId}")
        assert (found["type"], found["entity"], found["value"]) == ("AccountNotFoundError", "Account", str(key))
    for wrong in ("abc", "1.5", "99999999999", "-1"):
        assert reseller.get(f"/api/accounts/{wrong}").status_code == 400
    assert reseller.get("/api/accounts?$filter=isAffiliate eq true").json()["data"][0]["id"] == shop.affiliate.pk


def test_a_reseller_makes_his_customers(shop: Shop, reseller: Program):
    place_of = {"address": "Road 1", "city": "Bonn", "postCode": "53111", "countryId": 405}
    body = {"name": "Fern GmbH", "email": "a@fern.test", "billingAddress": place_of}
    answer = reseller.post("/api/accounts", body, idempotency_key="fern")
    made = check(answer, "/api/accounts", method="post", reseller=True)
    again = reseller.post("/api/accounts", body, idempotency_key="fern")
    assert (again.status_code, again.json(), again["Location"]) == (201, made, answer["Location"])
    row = Account.objects.get(name="Fern GmbH")
    assert (row.kind, row.bill_to_id, row.country) == ("end_customer", shop.reseller.pk, "DE")
    reseller.post("/api/accounts", body | {"name": "Fern Lab", "isAffiliate": True})
    assert Account.objects.get(name="Fern Lab").kind == "affiliate"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"creditLimit": 5}, "member_not_allowed"),
        ({"name": " "}, "required"),
        ({"name": "x" * 101}, "too_long"),
        ({"email": "nobody"}, "invalid_email"),
        ({"billingAddress": {"countryId": 1}}, "invalid_option"),
        ({"billingAddress": None}, "country_missing"),
        ({"customFields": [{"id": 1, "value": "x"}]}, "unknown_custom_field"),
        ({"kind": "reseller"}, "unknown_member"),
    ],
)
def test_accounts_are_refused_by_name(reseller: Program, more: dict, code: str):
    before = Account.objects.count()
    answer = reseller.post("/api/accounts", {"name": "X", "billingAddress": {"countryId": 405}} | more)
    assert (answer.status_code, check(answer, "/api/accounts", method="post")["code"]) == (400, code)
    assert Account.objects.count() == before


# --- Orders -----------------------------------------------------------------------------------------------------------
def test_orders(distributor: Program, reseller: Program, sold: Order, service: Subscription):
    assert len(check(distributor.get("/api/orders"), "/api/orders")["data"]) == 2
    row = check(distributor.get(f"/api/orders/{sold.public_id}"), "/api/orders/{orderId}")
    assert (row["status"]["type"], row["total"]) == ("Executing", float(sold.gross))
    assert row["totalCost"] == 20
    mine = check(reseller.get("/api/orders"), "/api/orders", reseller=True)
    assert [item["id"] for item in mine["data"]] == [str(sold.public_id)]
    assert "totalCost" not in mine["data"][0]
    items = check(reseller.get(f"/api/orders/{sold.public_id}/items"), "/api/orders/{orderId}/items", reseller=True)
    # The contract's order has no items of its own; embedded, they are those of their own address.
    assert reseller.get("/api/orders?include=items").json()["data"][0]["items"] == items
    path = f"/api/orders/{sold.public_id}/items/{items[0]['id']}"
    assert check(reseller.get(path), "/api/orders/{orderId}/items/{itemId}", reseller=True) == items[0]
    where = f"/api/orders/{sold.public_id}/execute/status"
    progress = check(reseller.get(where), "/api/orders/{orderId}/execute/status", reseller=True)
    assert (progress["status"], len(progress["subscriptions"])) == ("Executing", 1)
    foreign = Order.objects.exclude(pk=sold.pk).get()
    for path in ("", "/items", "/execute/status", "/customfields"):
        assert reseller.get(f"/api/orders/{foreign.public_id}{path}").json()["type"] == "OrderNotFoundError"
    assert reseller.get(f"/api/orders/{sold.public_id}/items/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("stage", ["Draft", "ALL", "confirmed", "nothing"])
def test_stages(distributor: Program, sold: Order, stage: str):
    answer = distributor.get(f"/api/orders?stage={stage}")
    assert answer.status_code == (400 if stage == "nothing" else 200)
    if answer.status_code == 200:
        assert len(answer.json()["data"]) == (0 if stage == "Draft" else 1)


def test_order_words_can_be_asked(distributor: Program, sold: Order):
    for text, count in (("status eq 'executing'", 1), ("statusName eq 'In Progress'", 1), ("statusId eq 3", 1),
                        ("status eq 'Scheduled'", 0), ("creditLimitExceeded eq false", 1)):  # fmt: skip
        assert len(distributor.get(f"/api/orders?$filter={text}").json()["data"]) == count


# --- Licences ---------------------------------------------------------------------------------------------------------
def test_licences_without_their_keys(shop: Shop, distributor: Program, reseller: Program):
    mine = factories.asset(shop.product, account=shop.end_customer, key="SECRE-TSECR-ETSEC-RETSE-CRETS")
    other = factories.asset(shop.product, account=shop.customer)
    body = check(distributor.get("/api/assets"), "/api/assets")
    assert len(body["data"]) == 2
    answer = reseller.get("/api/assets")
    assert [row["id"] for row in check(answer, "/api/assets", reseller=True)["data"]] == [str(mine.public_id)]
    assert b"CRETS" not in answer.content
    check(reseller.get(f"/api/assets/{mine.public_id}"), "/api/assets/{assetId}", reseller=True)
    missing = check(reseller.get(f"/api/assets/{other.public_id}"), "/api/assets/{assetId}")
    assert missing["type"] == "LeaseNotFoundError"


# --- Products ---------------------------------------------------------------------------------------------------------
def test_products_and_what_the_caller_pays(shop: Shop, distributor: Program, reseller: Program):
    addon = factories.product(shop.instance, is_addon=True)
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=addon)
    hidden = factories.product(shop.instance, is_published=False)
    body = check(reseller.get("/api/products?include=addons"), "/api/products", reseller=True)
    assert [row["id"] for row in body["data"]] == [str(shop.product.public_id)]
    assert body["data"][0]["addons"][0]["id"] == str(addon.public_id)
    path = f"/api/products/{shop.product.public_id}"
    check(reseller.get(path), "/api/products/{productId}", reseller=True)
    found = check(reseller.get(f"{path}/pricing"), "/api/products/{productId}/pricing", reseller=True)
    assert found["prices"][0]["units"][0]["sellPrice"] == 12
    addons = check(reseller.get(f"{path}/addons"), "/api/products/{productId}/addons", reseller=True)
    assert [row["id"] for row in addons] == [str(addon.public_id)]
    missing = check(reseller.get(f"/api/products/{hidden.public_id}"), "/api/products/{productId}")
    assert missing["type"] == "ProductNotFoundError"
    assert len(check(distributor.get("/api/products"), "/api/products")["data"]) == 3
    check(distributor.get(f"{path}/pricing"), "/api/products/{productId}/pricing")
    for part in ("customfields", "characteristics", "billingfrequencyoptions"):
        check(distributor.get(f"{path}/{part}"), f"/api/products/{{productId}}/{part}")


# --- Custom fields ----------------------------------------------------------------------------------------------------
def field(shop: Shop, code: str, kind: str, number: int | None, **values: object) -> CustomField:
    return CustomField.objects.create(
        organization=shop.organization,
        entity="subscription",
        code=code,
        name=code.title(),
        field_type=kind,
        provisioning_code=number,
        **values,
    )


@pytest.fixture
def fields(shop: Shop) -> dict[str, CustomField]:
    return {
        "cost": field(shop, "cost", "text", 1, group="Billing", is_required=True, default="none"),
        "seats": field(shop, "seats", "number", 2, shop_visible=True, shop_editable=True),
        "tags": field(shop, "tags", "multi", 3, options=["Gold", "Silver"], shop_visible=True),
        "tier": field(shop, "tier", "list", 4, options=["One", "Two"]),
        "note": field(shop, "note", "text", None),
    }


def values(body: list[dict], name: str) -> list[str]:
    known = [item for group in body for item in group["groupFields"] if item["name"] == name]
    return [value["value"] for value in known[0]["values"]]


def test_custom_fields_are_read_and_set(distributor: Program, service: Subscription, fields: dict[str, CustomField]):
    path = f"/api/subscriptions/{service.public_id}/customfields"
    answer = distributor.get(path)
    body = check(answer, FIELDS)
    assert (len(body), values(body, "Cost"), values(body, "Tags")) == (2, ["none"], [])
    sent = [
        {"id": fields["seats"].pk, "value": "12"},
        {"apiField": "3", "value": "gold"},
        {"id": fields["tags"].pk, "value": str(fields["tags"].option_numbers["Silver"])},
        {"apiField": "4", "id": fields["tier"].pk, "value": "TWO"},
    ]
    changed = distributor.call("PUT", path, sent, if_match=answer["ETag"])
    body = check(changed, FIELDS, method="put")
    assert (values(body, "Seats"), values(body, "Tags"), values(body, "Tier")) == (["12"], ["Gold", "Silver"], ["Two"])
    assert changed["ETag"] == distributor.get(path)["ETag"]
    stale = distributor.call("PUT", path, sent, if_match=answer["ETag"])
    assert check(stale, FIELDS, method="put")["code"] == "etag_mismatch"
    cleared = distributor.call("PUT", path, [{"apiField": "2", "value": None}])
    assert values(check(cleared, FIELDS, method="put"), "Seats") == []
    assert values(cleared.json(), "Tier") == ["Two"]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ([{"apiField": "2", "value": "x"}, {"apiField": "99", "value": "x"}, {"apiField": "4", "value": "Six"}],
         ["invalid_number", "unknown_custom_field", "invalid_option"]),
        ([{"apiField": "2", "value": "1"}, {"apiField": "2", "value": "2"}], ["duplicate_field"]),
        ([{"apiField": "3", "value": "Gold", "values": ["Gold"]}], ["value_and_values"]),
        ([{"apiField": "1", "value": None}], ["required"]),
        ([{"apiField": "2", "wrong": 1}], ["unknown_member"]),
        ([{"apiField": "2", "value": {"a": 1}}], ["invalid_number"]),
        ([{"apiField": "3", "values": [{"a": 1}]}], ["invalid_option"]),
        (["x"], ["invalid_body"]),
        ({"apiField": "2"}, []),
    ],
)  # fmt: skip
def test_faults_are_told_together_and_nothing_is_written(
    distributor: Program, service: Subscription, fields: dict[str, CustomField], body: object, codes: list[str]
):
    path = f"/api/subscriptions/{service.public_id}/customfields"
    before = distributor.get(path).content
    found = check(distributor.call("PUT", path, body), FIELDS, method="put")
    assert found["type"] == "CustomFieldsNotUpdatedError"
    assert [item["code"] for item in found.get("errors", [])] == codes
    assert distributor.get(path).content == before


def test_a_reseller_writes_what_he_is_let(
    shop: Shop, reseller: Program, resold: Subscription, fields: dict[str, CustomField]
):
    path = f"/api/subscriptions/{resold.public_id}/customfields"
    body = check(reseller.get(path), FIELDS, reseller=True)
    assert [item["name"] for group in body for item in group["groupFields"]] == ["Seats", "Tags"]
    sent = [{"apiField": "2", "value": 7}]
    assert reseller.call("PUT", path, sent).json()["code"] == "not_enabled"
    save_policy(shop.staff, values={"resellers_custom_fields": True})
    assert values(check(reseller.call("PUT", path, sent), FIELDS, method="put"), "Seats") == ["7"]
    found = reseller.call("PUT", path, [{"apiField": "3", "value": "Gold"}]).json()
    assert found["errors"][0]["code"] == "read_only"
    Subscription.objects.filter(pk=resold.pk).update(status="cancelled")
    assert reseller.call("PUT", path, sent).json()["code"] == "not_active"


# --- All --------------------------------------------------------------------------------------------------------------
def test_a_program_under_a_rule_sees_what_the_rule_lets(shop: Shop):
    from resellers.models import PermissionRule  # the rule of this test alone

    rule = PermissionRule.objects.create(organization=shop.organization, name="Others")
    mine = PermissionRule.objects.create(organization=shop.organization, name="Mine")
    Account.objects.filter(pk=shop.customer.pk).update(permission_rule=rule)
    caller = program(shop)
    type(caller.client).objects.filter(pk=caller.client.pk).update(permission_rule=mine)
    found = {row["id"] for row in caller.get("/api/accounts?pageSize=50").json()["data"]}
    assert shop.customer.pk not in found
    assert shop.reseller.pk in found
    assert caller.get(f"/api/accounts/{shop.customer.pk}").status_code == 404


@pytest.mark.parametrize(
    ("path", "most"),
    [("/api/accounts?include=billingAddress", 6), ("/api/orders?include=items", 7), ("/api/assets", 6)],
)
def test_pages_cost_the_same_however_long(shop: Shop, distributor: Program, sold: Order, path: str, most: int):
    factories.asset(shop.product, account=shop.customer)
    factories.asset(shop.product, account=shop.customer)
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    counts = []
    distributor.get(path)
    for size in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            distributor.get(f"{path}{'&' if '?' in path else '?'}pageSize={size}")
        counts.append(len(queries.captured_queries))
    assert counts[0] == counts[1] <= most


@pytest.mark.parametrize("order", ["code", "code desc", "email desc,code"])
def test_accounts_without_a_code_come_last(shop: Shop, distributor: Program, order: str):
    Account.objects.update(accounting_number="", email="")
    Account.objects.filter(pk=shop.customer.pk).update(accounting_number="A1", email="a@one.test")
    Account.objects.filter(pk=shop.reseller.pk).update(accounting_number="B2", email="b@two.test")
    codes, cursor = [], ""
    while True:
        body = distributor.get(f"/api/accounts?pageSize=1&$orderBy={order}&count=false{cursor}").json()
        codes += [row["code"] for row in body["data"]]
        if body["paging"]["nextCursor"] is None:
            break
        cursor = f"&cursor={body['paging']['nextCursor']}"
    assert codes[:2] == (["A1", "B2"] if order == "code" else ["B2", "A1"])
    assert (set(codes[2:]), len(codes)) == ({None}, Account.objects.count())
    found = distributor.get("/api/accounts?$filter=code eq null").json()
    assert found["paging"]["totalRecords"] == len(codes) - 2
