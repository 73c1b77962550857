"""Custom fields and characteristics in lists: embedded for a fixed price, filtered by what the caller may see."""

from typing import Any
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.custom_fields import CustomField
from orders.models import Order
from resellers.models import Account
from resellers.services.custom_fields import set_custom_values
from subscriptions.models import Asset, Subscription
from tests import factories
from tests.api.caller import Program
from tests.api.contract import check
from tests.shop import Shop

pytestmark = pytest.mark.django_db
ENTITIES = {"subscriptions": "subscription", "accounts": "account", "orders": "order", "assets": "asset",
            "products": "product"}  # fmt: skip
INCLUDES = {
    "subscriptions": "customFields,addons,characteristics,pricingInfo,synchronizationInfo",
    "accounts": "customFields,billingAddress",
    "orders": "customFields,items",
    "assets": "customFields,characteristics",
    "products": "customFields,characteristics,addons",
}


def make(shop: Shop, entity: str, code: str, kind: str, number: int, **more: Any) -> CustomField:
    names = {"entity": entity, "code": code, "name": code.title(), "field_type": kind, "provisioning_code": number}
    return CustomField.objects.create(organization=shop.organization, **(names | {"is_search": True} | more))


@pytest.fixture
def licence(shop: Shop) -> Asset:
    return factories.asset(shop.product, account=shop.customer)


def rows_of(shop: Shop, service: Subscription, licence: Asset) -> dict[str, Any]:
    order = Order.objects.get(number=service.order_number)
    return {"subscriptions": service, "accounts": shop.customer, "orders": order, "assets": licence,
            "products": shop.product}  # fmt: skip


@pytest.mark.parametrize("name", ENTITIES)
def test_fields_are_embedded_and_found(
    shop: Shop, distributor: Program, service: Subscription, licence: Asset, name: str
):
    row, entity = rows_of(shop, service, licence)[name], ENTITIES[name]
    make(shop, entity, "colour", "text", 11, group="Looks")
    make(shop, entity, "size", "number", 12, default="7")
    path = f"/api/{name}"
    before = distributor.get(f"{path}?include=customFields").json()["data"]
    assert all(item["customFields"] for item in before)
    set_custom_values(shop.staff, row, {"colour": "Deep blue"})
    key = row.pk if name == "accounts" else str(row.public_id)
    one = next(item for item in distributor.get(f"{path}?include={INCLUDES[name]}").json()["data"] if item["id"] == key)
    groups = {
        field["name"]: [v["value"] for v in field["values"]] for g in one["customFields"] for field in g["groupFields"]
    }
    assert groups == {"Colour": ["Deep blue"], "Size": ["7"]}
    single = distributor.get(f"{path}/{key}?include={INCLUDES[name]}").json()
    assert single["customFields"] == one["customFields"]
    if name != "assets":
        assert distributor.get(f"{path}/{key}/customfields").json() == one["customFields"]
    for text, count in (
        ("customFields/11 eq 'deep BLUE'", 1),
        ("contains(customFields/11,'blue') and CUSTOMFIELDS/12 eq 7", 1),
        ("customFields/11 eq null", len(before) - 1),
        ("customFields/11 ne 'deep blue'", len(before) - 1),
        ("customFields/12 gt 7", 0),
    ):
        answer = distributor.get(f"{path}?$filter={quote(text)}")
        assert answer.status_code == 200, answer.content
        assert answer.json()["paging"]["totalRecords"] == count, text


@pytest.mark.parametrize(
    ("kind", "value", "hits", "misses"),
    [
        ("date", "2026-03-31", ("eq 2026-03-31", "gt '2026-03-01'", "le 2026-03-31"), ("lt 2026-03-31", "eq null")),
        ("flag", True, ("eq true", "ne false"), ("eq false", "eq null")),
        ("number", "12.5", ("eq 12.5", "ge 12", "in (1,12.5)"), ("lt 12.5", "eq 1")),
        ("list", "Gold", ("eq 'gold'", "in ('x','Gold')"), ("eq 'silver'",)),
        ("multi", ["Gold", "Tin"], ("eq 'gold'", "eq 'TIN'", "in ('silver','tin')"), ("eq 'silver'", "ne 'gold'")),
        ("text", "it's", ("eq 'it''s'", "ne null", "gt 'a'"), ("eq null", "eq 'its'")),
    ],
)
def test_each_type_is_compared(
    shop: Shop, distributor: Program, kind: str, value: Any, hits: tuple[str, ...], misses: tuple[str, ...]
):
    make(shop, "account", "what", kind, 5, options=["Gold", "Silver", "Tin"] if kind in ("list", "multi") else [])
    set_custom_values(shop.staff, shop.customer, {"what": value})

    def found(text: str) -> set[int]:
        query = quote(f"customFields/5 {text} and id eq {shop.customer.pk}")
        answer = distributor.get(f"/api/accounts?$filter={query}")
        assert answer.status_code == 200, answer.content
        return {row["id"] for row in answer.json()["data"]}

    assert [text for text in hits if found(text) != {shop.customer.pk}] == []
    assert [text for text in misses if found(text)] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("customFields/8 eq 'x'", "unknown_filter_field"),
        ("customFields/9 eq 'x'", "unknown_filter_field"),
        ("customFields/99999999999999999999 eq 'x'", "unknown_filter_field"),
        ("customFields/7 eq 'x'", "filter_type"),
        ("customFields/colour eq 'x'", "filter_syntax"),
        ("customFields/7 gt 1 or customFields/8 gt 1", "unknown_filter_field"),
    ],
)
def test_what_is_no_criterion_is_no_name(shop: Shop, distributor: Program, text: str, code: str):
    make(shop, "account", "size", "number", 7)
    make(shop, "account", "hidden", "text", 8, is_search=False)
    make(shop, "order", "other", "text", 9)
    answer = distributor.get(f"/api/accounts?$filter={quote(text)}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_reseller_sees_what_the_storefront_shows(shop: Shop, reseller: Program, resold: Subscription):
    make(shop, "subscription", "shown", "text", 1, shop_visible=True)
    make(shop, "subscription", "inner", "text", 2)
    set_custom_values(shop.staff, resold, {"shown": "a", "inner": "b"})
    path = "/api/subscriptions"
    row = check(reseller.get(f"{path}?include=customFields"), path, reseller=True)["data"][0]
    assert [field["name"] for group in row["customFields"] for field in group["groupFields"]] == ["Shown"]
    assert len(reseller.get(f"{path}?$filter=customFields/1 eq 'a'").json()["data"]) == 1
    refused = reseller.get(f"{path}?$filter=customFields/2 eq 'b'").json()
    assert (
        refused["code"] == "unknown_filter_field" and "customFields/2" not in refused["detail"].split("Use one of")[1]
    )


def test_fields_shown_by_the_customer(shop: Shop, distributor: Program):
    make(shop, "account", "vat", "text", 1, shown_attribute="country", shown_values=["GR"])
    Account.objects.filter(pk=shop.reseller.pk).update(country="GR")
    rows = distributor.get("/api/accounts?include=customFields&pageSize=50").json()["data"]
    assert {row["id"] for row in rows if row["customFields"]} == {shop.reseller.pk}


@pytest.mark.parametrize("name", ["accounts", "assets", "products"])
def test_includes_cost_the_same_for_many(
    shop: Shop, distributor: Program, licence: Asset, name: str, settings: LazySettings
):
    settings.CLOCK_MOVABLE = False  # As in production: how far the clock was moved is not asked for.
    make(shop, ENTITIES[name], "colour", "text", 1, shown_attribute="country", shown_values=["DE"])
    path = f"/api/{name}?pageSize=500&include={INCLUDES[name]}&$filter=customFields/1 eq null"
    counts = []
    for number in (0, 25):
        for _ in range(number):
            if name == "accounts":
                factories.account(shop.organization)
            else:
                product = factories.product(shop.instance)
                factories.asset(product, account=shop.customer) if name == "assets" else None
        distributor.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert distributor.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_characteristics_of_licences_and_products(
    shop: Shop, distributor: Program, service: Subscription, licence: Asset
):
    Order.objects.filter(number=service.order_number).update(
        service_details={str(shop.instance.public_id): {"options": {"domain": "elm", "admin_password": "x"}}}
    )
    Asset.objects.filter(pk=licence.pk).update(order_number=service.order_number)
    row = check(distributor.get("/api/assets?include=characteristics"), "/api/assets")["data"][0]
    items = {item["name"]: item for item in row["characteristics"][0]["groups"][0]["characteristics"]}
    assert (items["domain"]["value"], items["admin_password"]["value"]) == ("elm", None)


def test_what_is_asked_when_a_product_is_ordered(shop: Shop, distributor: Program, reseller: Program):
    path = f"/api/products/{shop.product.public_id}/characteristics"
    contracted = "/api/products/{productId}/characteristics"
    groups = check(distributor.get(path), contracted)["groups"]
    asked = {item["externalId"]: item for group in groups for item in group["characteristics"]}
    assert (asked["domain_prefix"]["isCompulsory"], asked["domain_prefix"]["valueType"]) == (True, "Text")
    assert asked["domain_prefix"]["value"] is None
    rows = check(distributor.get("/api/products?include=characteristics"), "/api/products")["data"]
    assert next(row for row in rows if row["id"] == str(shop.product.public_id))["characteristics"]["groups"] == groups
    # The ids are those of an item of an order, so the answers can be sent with it.
    order = reseller.post("/api/orders", {"accountId": shop.end_customer.pk}).json()["id"]
    mine = check(reseller.get(path), contracted, reseller=True)["groups"]
    answer = {"id": asked["domain_prefix"]["id"], "value": "elmtree"}
    assert answer["id"] in {item["id"] for group in mine for item in group["characteristics"]}
    body = {"productId": str(shop.product.public_id), "quantity": 1, "characteristics": [answer]}
    item = reseller.post(f"/api/orders/{order}/items", body)
    assert item.status_code == 201, item.content
    kept = reseller.get(f"/api/orders/{order}/items/{item.json()['id']}/characteristics").json()["groups"]
    values = {row["id"]: row["value"] for group in kept for row in group["characteristics"]}
    assert values[answer["id"]] == "elmtree"
    assert set(values) == {item["id"] for group in mine for item in group["characteristics"]}


def test_what_goes_with_a_service_is_not_asked_again(shop: Shop, distributor: Program):
    addon = factories.product(shop.instance, is_addon=True)
    path = f"/api/products/{addon.public_id}/characteristics"
    assert check(distributor.get(path), "/api/products/{productId}/characteristics")["groups"] == []
    queries = []
    for size in (1, 2):
        with CaptureQueriesContext(connection) as captured:
            distributor.get(f"/api/products?include=characteristics&pageSize={size}")
        queries.append(len(captured))
        factories.product(shop.instance)
    assert queries[0] == queries[1]
