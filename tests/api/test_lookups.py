"""Look-ups, vendors' prices and invoices: as the contract says, with every name of its filters and orders."""

import datetime as dt
import uuid
from urllib.parse import quote, urlencode

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.contract import contract, own_calls
from api.fields import Columns
from api.resources import invoices, organization
from catalog.models import PlanCost
from core.custom_fields import CustomField
from tests import factories
from tests.api.caller import Program, program
from tests.api.contract import check
from tests.shop import Shop

pytestmark = pytest.mark.django_db
HERE = "/api/organization"
COUNTRIES = f"{HERE}/countries"
SYSTEMS = f"{HERE}/externalSystems"
GROUPS = f"{HERE}/unitGroups"
PRICES = "/api/products/{productId}/externalprices"
TABLES = {
    COUNTRIES: organization.COUNTRY_COLUMNS,
    GROUPS: organization.UNIT_GROUP_COLUMNS,
    f"{HERE}/accounts/customfields": organization.FIELD_COLUMNS,
    f"{HERE}/products/customfields": organization.FIELD_COLUMNS,
    f"{HERE}/invoices/customfields": organization.FIELD_COLUMNS,
    f"{HERE}/subscriptions/customfields": organization.FIELD_COLUMNS,
    "/api/invoices": invoices.COLUMNS,
}


@pytest.mark.parametrize("path", TABLES)
def test_the_names_are_those_of_the_contract(path: str):
    call, table = (contract()["paths"] | own_calls()[0])[path]["get"], TABLES[path]
    fields = [name for name in call["x-filter-fields"] if not name.startswith("customFields")]
    assert table.names(staff=True) == fields
    assert set(table.names(staff=True, orders=True)) == set(call["x-orderby-fields"])


@pytest.mark.parametrize("path", [*TABLES, SYSTEMS])
def test_who_may_read(shop: Shop, distributor: Program, reseller: Program, path: str):
    check(distributor.get(path), path)
    check(reseller.get(path), path, reseller=True)
    blind = program(shop, scopes=("subscriptions:read",))
    assert blind.get(path).json()["code"] == "scope_missing"


@pytest.mark.parametrize("path", TABLES)
def test_every_name_filters_and_orders(distributor: Program, path: str):
    table: Columns = TABLES[path]
    literals = {"integer": "1", "number": "1.5", "bool": "true", "guid": str(uuid.uuid4()), "moment": "2026-01-01"}
    for column in table.all:
        word = next(iter(column.words or {"x": 0}))
        text = f"{column.name} eq {literals.get(column.kind) or repr(word)} or {column.name} eq null"
        assert distributor.get(f"{path}?$filter={quote(text)}").status_code == 200, text
    for name in table.names(staff=True, orders=True):
        assert distributor.get(f"{path}?$orderBy={name} desc").status_code == 200
    for wrong, code in (("$filter=secret eq 1", "unknown_filter_field"), ("$orderBy=secret", "unknown_orderby_field"),
                        ("include=secret", "unknown_include"), ("pageSize=0", "invalid_parameter"),
                        ("$top=5", "unsupported_option"), ("$filter=name", "filter_syntax")):  # fmt: skip
        assert distributor.get(f"{path}?{wrong}").json()["code"] == code, wrong


def names(caller: Program, path: str) -> list[str]:
    return [row["name"] for row in caller.get(path).json()["data"]]


# --- Countries --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("code eq 'de'", ["Germany"]),
        ("id eq 405", ["Germany"]),
        ("isDefault eq true", ["Germany"]),
        ("isDefault ne false and isActive eq 'true'", ["Germany"]),
        ("contains(name,'GER')", ["Germany"]),
        ("contains(name,'ger') eq false and startswith(code,'D')", ["Denmark"]),
        ("not (id gt 405) and id ge 405", ["Germany"]),
        ("name in ('germany','Denmark')", ["Denmark", "Germany"]),
        ("code eq null", []),
        ("endswith(name,'many')", ["Germany"]),
        ("id lt 200 and id le 105", ["United Arab Emirates"]),
        ("id eq 4.05", []),
    ],
)
def test_countries_are_filtered(distributor: Program, text: str, found: list[str]):
    assert names(distributor, f"{COUNTRIES}?$filter={quote(text)}") == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("id eq 'x'", "filter_type"),
        ("contains(id,'4')", "filter_type"),
        ("name gt null", "filter_type"),
        ("isActive eq 1", "filter_type"),
        (" or ".join(["id eq 1"] * 51), "filter_too_complex"),
    ],
)
def test_filters_of_plain_rows_are_refused_alike(distributor: Program, text: str, code: str):
    assert distributor.get(f"{COUNTRIES}?$filter={quote(text)}").json()["code"] == code


def test_countries_are_paged(distributor: Program, reseller: Program):
    whole = names(distributor, f"{COUNTRIES}?pageSize=500")
    assert whole == sorted(whole, key=str.lower) and len(whole) > 40
    walked, path = [], f"{COUNTRIES}?pageSize=7"
    while path:
        body = check(distributor.get(path), COUNTRIES)
        walked += [row["name"] for row in body["data"]]
        path = body["links"]["next"] and "/" + body["links"]["next"].split("/", 3)[3]
    assert walked == whole
    walked, cursor = [], ""
    while cursor is not None:
        body = distributor.get(f"{COUNTRIES}?pageSize=20&$orderBy=name desc&cursor={cursor}".rstrip("=")).json()
        walked += [row["name"] for row in body["data"]]
        cursor, last = body["paging"]["nextCursor"], cursor
    assert walked == whole[::-1]
    assert reseller.get(f"{COUNTRIES}?pageSize=20&$orderBy=name desc&cursor={last}").json()["code"] == "invalid_cursor"
    assert distributor.get(f"{COUNTRIES}?pageSize=9&cursor={last}").json()["code"] == "cursor_mismatch"
    assert distributor.get(f"{COUNTRIES}?count=false").json()["paging"]["totalRecords"] is None
    assert distributor.get(f"{COUNTRIES}?pageIndex=99").json()["data"] == []


def test_ids_of_countries_are_those_of_addresses(shop: Shop, distributor: Program):
    place = distributor.get(f"/api/accounts/{shop.customer.pk}/billingaddress").json()["country"]
    row = distributor.get(f"{COUNTRIES}?$filter=id eq {place['id']}&include=states").json()["data"][0]
    assert (row["code"], row["states"]) == (place["code"], [])
    states = "/api/organization/countries/{countryId}/states"
    assert check(distributor.get(f"{COUNTRIES}/{place['id']}/states"), states) == []
    missing = check(distributor.get(f"{COUNTRIES}/1/states"), states)
    assert (missing["type"], missing["entity"]) == ("OrganizationCountryNotFoundError", "Country")
    assert distributor.get(f"{COUNTRIES}/x/states").status_code == 400


# --- Units, systems, fields -------------------------------------------------------------------------------------------
def test_units_are_those_of_products(shop: Shop, distributor: Program, reseller: Program):
    hidden = factories.product(shop.instance, is_published=False)
    body = check(reseller.get(f"{GROUPS}?include=units"), GROUPS, reseller=True)
    unit = body["data"][0]["units"][0]
    assert (unit["id"], unit["name"], unit["isDefault"]) == (str(shop.plan.public_id), shop.plan.label, True)
    product = distributor.get(f"/api/products/{shop.product.public_id}").json()
    assert product["unitGroup"] == {"id": body["data"][0]["id"], "name": shop.product.name}
    assert len(body["data"]) == 1 and hidden.name in names(distributor, GROUPS)
    found = distributor.get(f"/api/products?$filter=unitGroupId eq {hidden.pk}").json()["data"]
    assert [row["id"] for row in found] == [str(hidden.public_id)]
    assert names(distributor, f"{GROUPS}?$filter=isRecurringChargeUnit eq false") == []


def test_units_of_many_groups_cost_what_one_costs(shop: Shop, distributor: Program, settings: LazySettings):
    settings.CLOCK_MOVABLE = False  # As in production: how far the clock was moved is not asked for.
    counts = []
    for number in (0, 30):
        for _ in range(number):
            factories.product(shop.instance)
        with CaptureQueriesContext(connection) as queries:
            distributor.get(f"{GROUPS}?include=units&pageSize=500")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_systems_are_those_of_synchronizations(shop: Shop, distributor: Program, reseller: Program):
    other = factories.instance(shop.organization, name="Another")
    mine = check(reseller.get(SYSTEMS), SYSTEMS, reseller=True)["data"]
    assert [row["id"] for row in mine] == [shop.instance.pk]
    assert {row["id"] for row in distributor.get(SYSTEMS).json()["data"]} == {shop.instance.pk, other.pk}
    assert distributor.get(f"{SYSTEMS}?$filter=id eq 1").json()["code"] == "unsupported_option"


def test_definitions_of_custom_fields(shop: Shop, distributor: Program, reseller: Program):
    base = {"organization": shop.organization, "entity": "account", "provisioning_code": None}
    listed = CustomField.objects.create(
        **base | {"provisioning_code": 7}, code="size", name="Size", field_type="list", group="Sales",
        options=["S", "M"], default="M", shop_visible=True, shop_editable=True, is_required=True,
    )  # fmt: skip
    CustomField.objects.create(**base, code="inner", name="Inner", field_type="flag", default=True)
    path = f"{HERE}/accounts/customfields"
    rows = {row["name"]: row for row in check(distributor.get(path), path)["data"]}
    size = rows["Size"]
    assert (size["id"], size["type"], size["isCompulsory"], size["isReadOnly"]) == (
        listed.pk,
        "ListOfValues",
        True,
        False,
    )
    assert (size["group"]["name"], size["editableInStorefront"], size["showInStorefront"]) == ("Sales", True, True)
    details = size["valueDetails"]
    assert (details["apiField"], details["defaultValue"], details["type"]) == ("7", "M", "Text")
    assert [(row["value"], row["isDefault"]) for row in details["listValues"]] == [("S", False), ("M", True)]
    assert (rows["Inner"]["isReadOnly"], rows["Inner"]["valueDetails"]["defaultValue"]) == (True, "true")
    mine = check(reseller.get(path), path, reseller=True)["data"]
    assert [row["name"] for row in mine] == ["Size"]
    group = size["group"]["id"]
    for text in (f"groupId eq {group}", "groupName eq 'sales'", "type eq 'ListOfValues'", "isReadOnly eq false"):
        assert names(distributor, f"{path}?$filter={text}") == ["Size"]
    assert names(distributor, f"{path}?$orderBy=groupName desc") == ["Size", "Inner"]
    assert distributor.get(f"{HERE}/products/customfields").json()["data"] == []
    assert distributor.get(f"{HERE}/subscriptions/customfields").json()["data"] == []
    check(distributor.get(f"{HERE}/invoices/customfields"), f"{HERE}/invoices/customfields")


# --- Vendors' prices --------------------------------------------------------------------------------------------------
def price_path(shop: Shop, *more: str) -> str:
    """The question for the plan's price in its currency, and more of the query."""
    query = "&".join([f"unitId={shop.plan.public_id}", "currency=EUR", *more])
    return f"/api/products/{shop.product.public_id}/externalprices?{query}"


def test_the_vendors_last_quote(shop: Shop, distributor: Program, reseller: Program):
    PlanCost.objects.filter(plan=shop.plan).delete()
    path = price_path(shop)
    missing = check(distributor.get(path), PRICES)
    assert (missing["status"], missing["code"], missing["type"]) == (400, "price_unavailable", "BusinessRuleError")
    PlanCost.objects.create(organization=shop.organization, plan=shop.plan, currency="EUR", cost=10, retail=12)
    own = check(reseller.get(path), PRICES, reseller=True)
    prices = reseller.get(f"/api/products/{shop.product.public_id}/pricing").json()["prices"]
    assert own["sellPrice"] == float(prices[0]["units"][0]["sellPrice"])
    mine = price_path(shop, f"accountId={shop.reseller.pk}", "countryId=405").replace("EUR", "eur")
    body = check(distributor.get(mine), PRICES)
    assert (body["sellPrice"], body["purchasePrice"]) == (own["sellPrice"], 10)
    blind = program(shop, scopes=("products:read",))
    assert "purchasePrice" not in blind.get(mine).json()
    assert distributor.get(path.replace("EUR", "JPY")).json()["code"] == "price_unavailable"
    PlanCost.objects.update(updated_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=24, minutes=1))
    assert distributor.get(mine).json()["code"] == "price_unavailable"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("unitId=3f1c2a10-0000-4000-8000-0000000000ff", "unitId"),
        ("unitId=x", "unitId"),
        ("unitId=", "unitId"),
        ("currency=", "currency"),
        ("accountId=2000000000", "accountId"),
        ("accountId=x", "accountId"),
        ("countryId=1", "countryId"),
        ("billingFrequencyOptionId=3f1c2a10-0000-4000-8000-0000000000ff", "billingFrequencyOptionId"),
    ],
)
def test_wrong_questions_for_a_price(shop: Shop, reseller: Program, query: str, parameter: str):
    given = {"unitId": str(shop.plan.public_id), "currency": "EUR"} | dict([query.split("=")])
    answer = reseller.get(f"/api/products/{shop.product.public_id}/externalprices?{urlencode(given)}")
    assert answer.status_code == 400
    assert check(answer, PRICES)["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize("left_out", [["unitId"], ["currency"], ["unitId", "currency"]])
def test_a_price_is_asked_for_by_unit_and_currency(shop: Shop, distributor: Program, left_out: list[str]):
    given = {"unitId": str(shop.plan.public_id), "currency": "EUR"}
    given = {name: value for name, value in given.items() if name not in left_out}
    answer = distributor.get(f"/api/products/{shop.product.public_id}/externalprices?{urlencode(given)}")
    body = check(answer, PRICES)
    assert (answer.status_code, body["code"]) == (400, "invalid_parameter")
    assert [fault["parameter"] for fault in body["errors"]] == left_out


def test_prices_of_what_is_not_sold_to_the_caller(shop: Shop, reseller: Program):
    hidden = factories.product(shop.instance, is_published=False)
    path = price_path(shop).replace(str(shop.product.public_id), str(hidden.public_id))
    assert check(reseller.get(path), PRICES)["type"] == "ProductNotFoundError"
    foreign = reseller.get(price_path(shop, f"accountId={shop.customer.pk}"))
    assert foreign.json()["errors"][0]["parameter"] == "accountId"


# --- Invoices ---------------------------------------------------------------------------------------------------------
def test_there_are_no_invoices_and_that_is_said(distributor: Program):
    query = "transactionCurrency=true&skipRounding=TRUE&include=items,analysisItems,customFields"
    body = check(distributor.get(f"/api/invoices?{query}&$filter=status eq 'paid'"), "/api/invoices")
    assert (body["data"], body["paging"]["totalRecords"]) == ([], 0)
    key = str(uuid.uuid4())
    for part in ("", "/items", "/orders", "/customfields"):
        missing = check(distributor.get(f"/api/invoices/{key}{part}"), f"/api/invoices/{{invoiceId}}{part}")
        assert (missing["type"], missing["entity"], missing["value"]) == ("InvoiceNotFoundError", "Invoice", key)
        assert distributor.get(f"/api/invoices/x{part}").status_code == 400


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("?transactionCurrency=1", "invalid_parameter"),
        ("?skipRounding=maybe", "invalid_parameter"),
        ("?$filter=status eq 'Draft'", "unknown_word"),
        ("?$filter=total eq 'x'", "filter_type"),
        ("/3f1c2a10-0000-4000-8000-0000000000ff/items?analysis=2", "invalid_parameter"),
        ("/3f1c2a10-0000-4000-8000-0000000000ff?include=orders", "unknown_include"),
    ],
)
def test_wrong_questions_about_invoices(distributor: Program, path: str, code: str):
    assert distributor.get(f"/api/invoices{path}").json()["code"] == code
