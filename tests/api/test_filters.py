"""The grammar of filters and the table of names: what works, what is refused by name, and that nothing else gets in."""

import os
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.contract import contract
from api.errors import ApiError
from api.grammar import parse
from api.resources import accounts, assets, orders, products, subscriptions
from subscriptions.models import Subscription
from tests.api.caller import Program
from tests.api.world import World, make_world

pytestmark = pytest.mark.django_db
LIST = "/api/subscriptions"
TABLES = {
    "subscriptions": subscriptions.COLUMNS,
    "accounts": accounts.COLUMNS,
    "assets": assets.COLUMNS,
    "orders": orders.COLUMNS,
    "products": products.COLUMNS,
}


def found(caller: Program, text: str, path: str = LIST) -> int:
    answer = caller.get(f"{path}?$filter={quote(text)}")
    assert answer.status_code == 200, answer.content
    total: int = answer.json()["paging"]["totalRecords"]
    return total


@pytest.mark.parametrize("name", TABLES)
def test_the_names_are_those_of_the_contract(name: str):
    operation = contract()["paths"][f"/api/{name}"]["get"]
    filters = [field for field in operation["x-filter-fields"] if not field.startswith("customFields")]
    assert TABLES[name].names(staff=True) == filters
    assert TABLES[name].names(staff=True, orders=True) == sorted(operation["x-orderby-fields"], key=filters.index)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("createdAt gt datetime'2020-12-25'", 1),
        ("createdAt gt datetime'2020-12-25T10:00:00.000'", 1),
        ("createdAt gt 2020-12-25", 1),
        ("createdAt gt '2020-12-25T10:00:00 02:00'", 1),
        ("createdAt gt 2020-12-25T10:00:00 02:00", 1),
        ("createdAt lt 2020-12-25T10:00:00Z", 0),
        ("contains(name,'it''s')", 1),
        ("contains(name,'IT''S') eq true", 1),
        ("contains(name,'it''s') eq false", 0),
        ("not contains(tolower(name),'it''s')", 0),
        ("STATUS eq 'active' AND Quantity GE 5", 1),
        ("status in ('Active','Suspended')", 1),
        ("quantity in (1,2)", 0),
        ("quantity eq 5.0", 1),
        ("quantity gt 4.5", 1),
        ("quantity lt 99999999999999999999999", 1),
        ("quantity eq 99999999999999999999999", 0),
        ("subscriptionAmount eq 60", 1),
        ("externalId eq 'x'", 0),
        ("externalId ne 'x'", 1),
        ("not (externalId eq 'x')", 1),
        ("externalId eq null", 1),
        ("externalId ne null", 0),
        ("resellerId eq null and integrationId eq null", 1),
        ("resellerName ne 'x'", 1),
        ("cancelledAt lt 2030-01-01", 0),
        ("not (cancelledAt lt 2030-01-01)", 1),
        ("usageKind eq 'none' and isBackordering eq false and isTrial eq 'false'", 1),
        ("statusReason eq null", 1),
        ("unitName eq '1 year, billed monthly'", 1),
        ("isUsageBased ne true and purchaseMode eq null", 1),
        ("(name eq 'x' or (quantity eq 5 and not (name eq 'x')))", 1),
    ],
)
def test_filters_find(distributor: Program, service: Subscription, text: str, count: int):
    Subscription.objects.filter(pk=service.pk).update(name="Now it's here", external_id="")
    assert found(distributor, text) == count


def test_ids_are_found(distributor: Program, service: Subscription):
    order = distributor.get(LIST).json()["data"][0]["order"]["id"]
    for text in (f"id eq {service.public_id}", f"id eq '{service.public_id}'", f"orderId eq {order}"):
        assert found(distributor, text) == 1
    assert found(distributor, f"orderId ne {order}") == 0
    assert found(distributor, f"id in ({uuid.uuid4()},{service.public_id})") == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("account__users__password eq 'x'", "filter_syntax"),
        ("user/password eq 'x'", "filter_syntax"),
        ("startswith(account/x,'p')", "filter_syntax"),
        ("password eq 'x'", "unknown_filter_field"),
        ("customFields/1 eq 'x'", "unknown_filter_field"),
        ("name eq", "filter_syntax"),
        ("name", "filter_syntax"),
        ("'x' eq name", "filter_syntax"),
        ("name eq 'x", "filter_syntax"),
        ("name eq 'x' name eq 'y'", "filter_syntax"),
        ("(name eq 'x'", "filter_syntax"),
        ("name eq 'x';drop", "filter_syntax"),
        (" ", "filter_syntax"),
        ("quantity eq 'five'", "filter_type"),
        ("name eq 5", "filter_type"),
        ("id eq 'nothing'", "filter_type"),
        ("isTrial eq 1", "filter_type"),
        ("createdAt eq 'soon'", "filter_type"),
        ("createdAt gt 0001-01-01T00:00:00+14:00", "filter_type"),
        ("createdAt gt 9999-99-99", "filter_type"),
        ("contains(quantity,'1')", "filter_type"),
        ("quantity gt null", "filter_type"),
        ("status gt 'Active'", "filter_type"),
        ("status eq 'Happy'", "unknown_word"),
        (" or ".join(["name eq 'x'"] * 51), "filter_too_complex"),
        ("(" * 11 + "name eq 'x'" + ")" * 11, "filter_too_complex"),
        ("name eq '" + "x" * 2000 + "'", "filter_too_complex"),
        ("contains(name,'" + "x" * 101 + "')", "filter_too_complex"),
        ("quantity in (" + ",".join(["1"] * 101) + ")", "filter_too_complex"),
    ],
)
def test_filters_are_refused_before_any_query(distributor: Program, text: str, code: str):
    distributor.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        answer = distributor.get(f"{LIST}?$filter={quote(text)}")
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.content
    assert answer.json()["errors"][0]["parameter"] == "$filter"
    assert not any("subscriptions_subscription" in query["sql"] for query in queries.captured_queries)
    assert "__" not in answer.json()["message"].replace("account__users__password", "")


@pytest.mark.parametrize("query", ["$filter=creditLimit gt 1", "$orderBy=creditLimit", "$filter=billToAccountId eq 1"])
def test_a_reseller_cannot_ask_for_what_he_cannot_read(reseller: Program, query: str):
    answer = reseller.get(f"/api/accounts?{query}")
    assert answer.json()["code"] in ("unknown_filter_field", "unknown_orderby_field")
    assert "creditLimit" not in answer.json()["message"].partition("Use one of")[2]


@pytest.mark.parametrize("name", TABLES)
def test_every_name_can_be_asked_of_the_database(distributor: Program, service: Subscription, name: str):
    literals = {
        "text": "'x'",
        "number": "1",
        "integer": "1",
        "bool": "true",
        "guid": str(uuid.uuid4()),
        "moment": "2026-01-01",
    }
    columns = TABLES[name].all
    for start in range(0, len(columns), 8):
        parts = []
        for column in columns[start : start + 8]:
            literal = f"'{next(iter(column.words))}'" if column.words else literals[column.kind]
            parts += [f"{column.name} {operator} {value}" for operator in ("eq", "ne") for value in (literal, "null")]
        found(distributor, " or not ".join(parts), f"/api/{name}")
    ordering = [column.name for column in columns if column.orders]
    for start in range(0, len(ordering), 3):
        order = " desc,".join(ordering[start : start + 3])
        assert distributor.get(f"/api/{name}?$orderBy={order}").status_code == 200


WORDS = st.sampled_from(
    [
        *("name", "status", "quantity", "createdAt", "id", "eq", "ne", "gt", "in", "and", "or", "not", "(", ")", ","),
        *("null", "'x'", "'%_'", "5", "-1.5", "true", "2026-01-01", "contains", "tolower", "'Active'"),
        "datetime'2026-01-01'",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
@settings(max_examples=200, deadline=None, database=None)
def test_any_text_is_a_tree_or_a_refusal(text: str):
    try:
        parse(text)
    except ApiError as refused:
        assert refused.status == 400


@given(st.lists(WORDS, min_size=3, max_size=9).map(" ".join))
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_filter_breaks_the_api(distributor: Program, text: str):
    assert distributor.get(f"{LIST}?$filter={quote(text)}").status_code in (200, 400, 429)


# --- Whole filters, over every table, with values that fit and values that do not ------------------------------------
FUZZ = int(os.environ.get("FUZZ", "15"))
MOST_STATEMENTS = 12
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
QUOTED = TEXTS.map(lambda text: "'" + text.replace("'", "''") + "'")
LITERALS = st.one_of(
    QUOTED,
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: f"{number:f}"[:40]),
    st.sampled_from(["null", "true", "FALSE", "'true'", "2026-02-30", "2026-02-28", "0001-01-01", "9999-12-31"]),
    st.datetimes().map(lambda moment: f"datetime'{moment.isoformat(timespec='milliseconds')}'"),
    st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='seconds')} 02:00"),
    st.uuids().map(str),
)
OPERATORS = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])


def comparisons(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One comparison of any kind."""
    tests = st.sampled_from(["contains", "startswith", "endswith"])
    return st.one_of(
        st.builds("{} {} {}".format, names, OPERATORS, LITERALS),
        st.builds("tolower({}) {} {}".format, names, OPERATORS, LITERALS),
        st.builds("{}({},{})".format, tests, names, QUOTED),
        st.builds("{} in ({})".format, names, st.lists(LITERALS, min_size=1, max_size=4).map(",".join)),
    )


def filters(name: str) -> st.SearchStrategy[str]:
    """Comparisons of a table's names, joined, turned round and nested."""
    names = st.sampled_from([column.name for column in TABLES[name].all])
    return st.recursive(
        comparisons(names),
        lambda part: st.one_of(
            st.builds("{} and {}".format, part, part),
            st.builds("{} OR {}".format, part, part),
            st.builds("not ({})".format, part),
        ),
        max_leaves=12,
    )


@given(asked=st.sampled_from(sorted(TABLES)).flatmap(lambda name: st.tuples(st.just(name), filters(name))))
@settings(
    max_examples=FUZZ, deadline=None, database=None, derandomize=FUZZ == 15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_a_filter_finds_or_is_refused_at_little_cost(world: World, asked: tuple[str, str]):
    name, text = asked
    for caller in (world.distributor, world.reseller):
        with CaptureQueriesContext(connection) as queries:
            answer = caller.get(f"/api/{name}?$filter={quote(text)}&pageSize=50")
        assert answer.status_code in (200, 400), (text, answer.content)
        statements = [query["sql"] for query in queries.captured_queries]
        assert len(statements) <= MOST_STATEMENTS
        if answer.status_code == 400:
            assert answer.json()["code"].startswith(("filter_", "unknown_")), (text, answer.content)
            assert not any(f'FROM "{MODELS[name]}"' in statement for statement in statements)
    if answer.status_code == 200:
        assert not {str(row["id"]) for row in answer.json()["data"]} & foreign_ids(world)


MODELS = {
    "subscriptions": "subscriptions_subscription",
    "accounts": "resellers_account",
    "assets": "subscriptions_asset",
    "orders": "orders_order",
    "products": "catalog_product",
}


@pytest.fixture
def world(settings: Any) -> World:
    """One of everything, and no limit on calls."""
    settings.API_CALLS_PER_MINUTE = settings.API_ORGANIZATION_CALLS_PER_MINUTE = 10**6
    return make_world()


def foreign_ids(world: World) -> set[str]:
    """What the reseller must never find."""
    return {world.foreign[name] for name in ("subscriptionId", "accountId", "orderId", "assetId")}
