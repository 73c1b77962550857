"""Custom fields by API: who is blamed for what, ids that stay, what is written down, and what waits for what."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.audit import AuditEntry
from core.custom_fields import CustomField, CustomValues
from resellers.services.custom_fields import save_field
from subscriptions.models import Subscription
from tests.api.caller import Program
from tests.api.contract import check
from tests.shop import Shop

pytestmark = pytest.mark.django_db
SERVICE = "/api/subscriptions/{subscriptionId}/customfields"


def field(
    shop: Shop, code: str, number: int, kind: str = "text", entity: str = "account", **more: object
) -> CustomField:
    values = {"entity": entity, "code": code, "name": code.title(), "field_type": kind, "provisioning_code": number}
    return CustomField.objects.create(organization=shop.organization, **values | more)


@pytest.fixture
def path(shop: Shop) -> str:
    return f"/api/accounts/{shop.customer.pk}/customfields"


# --- Who is blamed ----------------------------------------------------------------------------------------------------
def test_a_field_that_was_not_sent_is_not_blamed(shop: Shop, distributor: Program, service: Subscription):
    field(shop, "must", 1, entity="subscription", is_required=True)
    field(shop, "may", 2, entity="subscription")
    put = distributor.call(
        "PUT", f"/api/subscriptions/{service.public_id}/customfields", [{"apiField": "2", "value": "x"}]
    )
    assert put.status_code == 200, put.content
    check(put, SERVICE, method="put")


@pytest.mark.parametrize("cleared", [{"value": None}, {"value": "  "}, {}])
def test_clearing_a_compulsory_field_is_blamed_at_its_place(shop: Shop, distributor: Program, path: str, cleared: dict):
    field(shop, "may", 1)
    field(shop, "must", 2, is_required=True)
    body = [{"apiField": "1", "value": "x"}, {"apiField": "2"} | cleared]
    refused = distributor.call("PUT", path, body).json()
    assert (refused["status"], refused["type"], refused["code"]) == (
        400,
        "CustomFieldsNotUpdatedError",
        "validation_failed",
    )
    assert [(item["code"], item["pointer"]) for item in refused["errors"]] == [("required", "/1/value")]
    assert not CustomValues.objects.exists()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *((name, "member_not_allowed") for name in ("name", "type", "isReadOnly", "valueType", "isCompulsory")),
        ("colour", "unknown_member"),
    ],
)
def test_members_that_are_read_are_told_from_unknown_ones(
    shop: Shop, distributor: Program, path: str, name: str, code: str
):
    field(shop, "may", 1)
    refused = distributor.call("PUT", path, [{"apiField": "1", "value": "x", name: "y"}]).json()
    assert [(item["code"], item["pointer"]) for item in refused["errors"]] == [(code, f"/0/{name.lower()}")]


# --- Written down, one after the other --------------------------------------------------------------------------------
def test_each_changed_field_is_written_down_by_itself(shop: Shop, distributor: Program, path: str):
    for number, code in enumerate(("first", "second", "third"), start=1):
        field(shop, code, number)
    distributor.call("PUT", path, [{"apiField": str(number), "value": "1"} for number in (1, 2)])
    distributor.call("PUT", path, [{"apiField": str(number), "value": "1"} for number in (1, 2, 3)])
    entries = AuditEntry.objects.filter(action="custom_values.set", account=shop.customer).order_by("pk")
    assert [row.after for row in entries] == [{"First": "1"}, {"Second": "1"}, {"Third": "1"}]


def test_what_was_read_is_compared_under_the_lock(shop: Shop, distributor: Program, path: str):
    field(shop, "may", 1)
    tag = distributor.get(path)["ETag"]
    with CaptureQueriesContext(connection) as queries:
        assert distributor.call("PUT", path, [{"apiField": "1", "value": "x"}], if_match=tag).status_code == 200
    asked = [query["sql"] for query in queries.captured_queries]
    locked = next(place for place, sql in enumerate(asked) if "resellers_account" in sql and "FOR UPDATE" in sql)
    compared = next(place for place, sql in enumerate(asked) if "core_customvalues" in sql)
    assert locked < compared
    stale = distributor.call("PUT", path, [{"apiField": "1", "value": "y"}], if_match=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "etag_mismatch")


# --- Ids that stay ----------------------------------------------------------------------------------------------------
def test_ids_of_list_values_and_groups_stay(shop: Shop, distributor: Program, path: str):
    row = field(shop, "tier", 1, "multi", options=["Gold", "Silver", "Iron"], group="Sales")
    ids = row.option_numbers
    body = [{"apiField": "1", "values": [str(ids["Silver"]), "iron"]}]

    def told() -> tuple[dict, dict]:
        found = distributor.get(path).json()[0]
        return found["group"], {item["value"]: item["id"] for item in found["groupFields"][0]["values"]}

    assert distributor.call("PUT", path, body).status_code == 200
    group, values = told()
    assert values == {"Silver": str(ids["Silver"]), "Iron": str(ids["Iron"])}
    listed = distributor.get("/api/organization/accounts/customfields").json()["data"][0]
    assert listed["group"] == group
    assert [(item["id"], item["positionInList"]) for item in listed["valueDetails"]["listValues"]] == [
        (ids[option], place) for place, option in enumerate(row.options, start=1)
    ]
    changes = {"options": ["Lead", "Argent", "Gold"], "option_ids": {"Argent": ids["Silver"]}, "group": "Revenue"}
    save_field(shop.staff, field=row, values=changes | {"rename_group": True})
    # Iron is gone from the list, but not from what was chosen.
    assert told() == (group | {"name": "Revenue"}, {"Argent": str(ids["Silver"]), "Iron": str(ids["Iron"])})
    refused = distributor.call("PUT", path, [{"apiField": "1", "values": [str(ids["Iron"])]}]).json()
    assert refused["errors"][0]["code"] == "invalid_option"
    assert distributor.call("PUT", path, [{"apiField": "1", "values": [str(ids["Gold"])]}]).status_code == 200
    assert told()[1] == {"Gold": str(ids["Gold"])}
