"""Bodies name every wrong member at once, by the names of the wire (``api.md`` 5.1)."""

from typing import Any

import pytest

from api.bodies import Body, Faults
from api.errors import ApiError, invalid_body, of_business_error
from core.errors import BusinessError
from subscriptions.models import Subscription
from tests.api.caller import Program
from tests.shop import Shop


def found(error: ApiError) -> list[tuple[str, str]]:
    """Pointers and codes of a refusal."""
    return [(item["pointer"], item["code"]) for item in error.errors]


def test_a_body_alone_refuses_at_once_and_names_all_unknown_members():
    with pytest.raises(ApiError) as caught:
        Body({"x": 1, "y": 2, "creditlimit": 3}, taken=("name",))
    assert found(caught.value) == [
        ("/x", "unknown_member"),
        ("/y", "unknown_member"),
        ("/creditLimit", "member_not_allowed"),
    ]
    body = Body({"quantity": "many"}, taken=("quantity",))
    with pytest.raises(ApiError, match="400 invalid_number"):
        body.whole("quantity")


def test_faults_are_told_at_the_end_of_the_block():
    with pytest.raises(ApiError) as caught, Faults() as faults:
        body = Body({"quantity": "many", "url": 5, "on": 1, "when": "x", "id": "1"}, taken=NAMES, faults=faults)
        assert (body.whole("quantity"), body.text("url"), body.flag("on")) == (None, "", None)
        assert (body.moment("when"), body.guid("id"), body.given("name", required=True)) == (None, None, None)
        raise invalid_body("/last", "Neither is this.", "account_not_found")
    assert found(caught.value) == [
        ("/quantity", "invalid_number"),
        ("/url", "invalid_text"),
        ("/on", "invalid_boolean"),
        ("/when", "invalid_date"),
        ("/id", "invalid_guid"),
        ("/name", "required"),
        ("/last", "account_not_found"),
    ]
    assert caught.value.code == "validation_failed"


NAMES = ("quantity", "url", "on", "when", "id", "name")


def test_after_the_block_a_body_refuses_at_once():
    with Faults() as faults:
        body = Body({"quantity": "many"}, taken=("quantity",), faults=faults)
    with pytest.raises(ApiError, match="400 invalid_number"):
        body.whole("quantity")


def test_one_fault_and_faults_of_one_kind_keep_their_code():
    for taken in (("a",), ("a", "b")):
        with pytest.raises(ApiError, match="400 required"), Faults() as faults:
            body = Body({}, taken=taken, faults=faults)
            for name in taken:
                body.text(name, required=True)
    with pytest.raises(ApiError, match="400 invalid_body"), Faults() as faults:
        Body([], taken=("a",), faults=faults).text("a", required=True)


def test_other_failures_pass_a_block():
    for error in (ApiError(404), ValueError("a bug")):
        with pytest.raises(type(error)) as caught, Faults() as faults:
            Body({"x": 1}, taken=(), faults=faults)
            raise error
        assert caught.value is error


@pytest.mark.parametrize(
    ("field", "pointers", "pointer"),
    [
        ("bill_to", {"bill_to": "/billingToId"}, "/billingToId"),
        ("bill_to", {}, None),
        ("address_line1", {}, None),
        ("accountId", {}, "/accountId"),
        ("country", {"country": "/billingAddress/countryId"}, "/billingAddress/countryId"),
        ("", {}, None),
    ],
)
def test_services_blame_members_of_the_wire(field: str, pointers: dict[str, str], pointer: str | None):
    error = of_business_error(BusinessError("wrong", "No.", field=field), pointers=pointers)
    assert [item["pointer"] for item in error.errors] == ([pointer] if pointer else [])


@pytest.mark.django_db
def test_calls_name_every_wrong_member(shop: Shop, distributor: Program, service: Subscription):
    draft = distributor.post("/api/orders", {"accountId": shop.customer.pk}).json()["id"]
    calls: list[tuple[str, dict[str, Any], set[str]]] = [
        ("/api/orders", {"accountId": "x", "name": 5, "billingToId": "y"}, {"/accountId", "/name", "/billingToId"}),
        (
            f"/api/orders/{draft}/items",
            {"quantity": 0, "productId": "x", "unitId": 5, "customEndDate": "2026-01-01", "nonsense": 1},
            {"/quantity", "/productId", "/unitId", "/customEndDate", "/nonsense"},
        ),
        (
            f"/api/subscriptions/{service.public_id}/quantity",
            {"quantity": "x", "effectiveDate": "soon", "nonsense": 1},
            {"/quantity", "/effectiveDate", "/nonsense"},
        ),
        ("/api/webhooks", {"events": "x", "isActive": "yes"}, {"/url", "/events", "/isActive"}),
        (f"/api/subscriptions/{service.public_id}/autoRenewalSettings", {"x": 1}, {"/autoRenewalEnabled", "/x"}),
        (
            f"/api/accounts/{shop.customer.pk}/syncoptions/{shop.instance.pk}",
            [{"alias": "nonsense"}, 5, {"x": 1}],
            {"/0/alias", "/1", "/2/alias", "/2/x"},
        ),
    ]
    for path, body, pointers in calls:
        answer = distributor.post(path, body)
        assert (answer.status_code, {item["pointer"] for item in answer.json()["errors"]}) == (400, pointers), path
