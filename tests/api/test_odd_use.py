"""Odd but legal use of the API: what programs of other trades and older libraries send."""

import datetime as dt
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from clients.services.clients import make_shared_key
from core.custom_fields import CustomField
from resellers.models import Account
from subscriptions.models import Subscription
from tests.api.caller import Program, program
from tests.api.contract import check
from tests.bss.running import running
from tests.shop import Shop

pytestmark = pytest.mark.django_db
LIST = "/api/subscriptions"


def raw(caller: Program, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
    """A call with a body of any kind; ``content_type`` is one of the headers."""
    kind = headers.pop("content_type", "application/json")
    known = {"host": caller.shop.site.host, "authorization": f"Bearer {caller.token}"}
    known |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(headers=known).generic(method, path, body, content_type=kind)


def test_an_older_program_walks_the_whole_list(shop: Shop, distributor: Program):
    """``api.md`` 12, check 2: Basic, password, version 3, paths and names in any case, ``next`` to null."""
    made = {str(running(shop).public_id) for _number in range(3)}
    policy, secret = make_shared_key(shop.staff)
    user = {"grant_type": "password", "username": distributor.client.user_name, "password": distributor.secret}
    answer = distributor.fetch_token(user, key=policy.shared_key, secret=secret)
    distributor.token = answer.json()["access_token"]
    path, met = "/API/Subscriptions/?PageIndex=1&pageSize=2", []
    while path:
        body = check(distributor.get(path, x_api_version="3"), LIST)
        met += [row["id"] for row in body["data"]]
        assert body["paging"]["totalRecords"] == 3
        path = (body["links"]["next"] or "").partition(".test")[2]
    assert sorted(met) == sorted(made)


@pytest.mark.parametrize(
    "path", ["/api/%73ubscriptions/{id}", "/api/subscriptions/{coded}", "/api/subscriptions/{id}///", "/aPI/sUBS{rest}"]
)
def test_paths_are_read_as_addresses_are(distributor: Program, service: Subscription, path: str):
    key = str(service.public_id)
    coded, rest = key.replace("-", "%2D"), f"CRIPTIONS/{key.upper()}"
    answer = distributor.get(path.format(id=key, coded=coded, rest=rest))
    assert (answer.status_code, answer.json()["id"]) == (200, key)


@pytest.mark.parametrize("key", ["a" * 5000, "%00", "%ff", "{id}", "urn:uuid:1", "%D9%A1", "-1", "..%2f.."])
@pytest.mark.parametrize(
    "path", [LIST, "/api/accounts", "/api/orders", "/api/assets", "/api/products", "/api/invoices"]
)
def test_ids_that_are_none(distributor: Program, path: str, key: str):
    answer = distributor.get(f"{path}/{key}")
    assert (answer.status_code, answer.json()["code"]) in ((400, "invalid_parameter"), (404, "not_found"))


@pytest.mark.parametrize("query", ["foo=1&foo=2", "foo[]=1&foo[]=2", "Foo=1&foo=2", "utm=%00"])
def test_unknown_names_are_passed_over_however_often(distributor: Program, service: Subscription, query: str):
    answer = distributor.get(f"{LIST}?{query}")
    if "%00" in query:
        assert answer.status_code == 400
    else:
        assert check(answer, LIST)["paging"]["totalRecords"] == 1


@pytest.mark.parametrize(
    "query", ["pageSize=1&pagesize=1", "$filter=x&$filter=x", "$top=1&$top=1", "include=&INCLUDE="]
)
def test_known_names_stand_there_once(distributor: Program, query: str):
    assert distributor.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["$filter=", "$orderBy=", "include=", "cursor=", "%24filter=", "%24OrderBy=name%20asc"]
)
def test_empty_options_ask_for_nothing(distributor: Program, service: Subscription, query: str):
    assert distributor.get(f"{LIST}?{query}").json()["paging"]["totalRecords"] == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'\xef\xbb\xbf{"quantity": 5}', "application/json", 200),
        (b'{"QUANTITY": "5"}', "Application/JSON; charset=UTF-8", 200),
        (b'{"quantity": 5.0}', "application/json;charset=utf-8", 200),
        (b'{"quantity": 5, "effectiveDate": null}', "application/json", 200),
        ('{"quantity": 5}'.encode("utf-16"), "application/json; charset=utf-16", 400),
        (b"null", "application/json", 400),
        (b'{"quantity": 5}', "text/json", 415),
    ],
)
def test_bodies_as_libraries_write_them(
    distributor: Program, service: Subscription, body: bytes, kind: str, status: int
):
    answer = raw(distributor, "POST", f"{LIST}/{service.public_id}/quantity", body, content_type=kind)
    assert answer.status_code == status, answer.content


def test_a_compressed_body_is_refused_by_name(distributor: Program, service: Subscription):
    path, body = f"{LIST}/{service.public_id}/quantity", b'{"quantity": 5}'
    answer = raw(distributor, "POST", path, gzip.compress(body), content_encoding="gzip")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "Content-Encoding" in answer.json()["detail"]
    assert raw(distributor, "POST", path, body, content_encoding="identity").status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND", "PATCH", "DELETE"])
def test_methods_that_are_not_there(distributor: Program, service: Subscription, method: str):
    answer = raw(distributor, method, f"{LIST}/{service.public_id}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    override = raw(distributor, "POST", f"{LIST}/{service.public_id}", x_http_method_override="GET")
    assert override.status_code == 405


def test_tags_in_lists_and_what_they_answer(distributor: Program, service: Subscription):
    path = f"{LIST}/{service.public_id}"
    tag = distributor.get(path)["ETag"]
    for given in (f'"other", {tag}', f"W/{tag}", "*", f"{tag},{tag}"):
        answer = distributor.get(path, if_none_match=given)
        assert (answer.status_code, answer.content, "Content-Type" in answer) == (304, b"", False)
    for given in ("other", '"other"', ""):
        assert distributor.get(path, if_none_match=given).status_code == 200


def test_if_match_in_lists(shop: Shop, distributor: Program, service: Subscription):
    values = {"code": "r", "name": "R", "field_type": "text", "provisioning_code": 1}
    CustomField.objects.create(organization=shop.organization, entity="subscription", **values)
    path = f"{LIST}/{service.public_id}/customfields"

    def put(given: str) -> int:
        status: int = raw(distributor, "PUT", path, b'[{"apiField": "1", "value": "A"}]', if_match=given).status_code
        return status

    assert put("*") == put(f'"other", {distributor.get(path)["ETag"]}') == put("") == 200
    # A weak tag never matches where a strong one is asked for (RFC 9110, 13.1.1).
    assert put('"other"') == put(f"W/{distributor.get(path)['ETag']}") == 412


def test_a_key_is_of_one_program(shop: Shop, distributor: Program, service: Subscription):
    path, other = f"{LIST}/{service.public_id}/quantity", program(shop)
    first = distributor.post(path, {"quantity": 4}, idempotency_key="same")
    assert (first.status_code, "Idempotency-Replayed" in first) == (200, False)
    # Another program's call with this key is a call of its own, which the open request refuses.
    assert other.post(path, {"quantity": 3}, idempotency_key="same").status_code == 400
    again = distributor.call("POST", path.upper() + "/", {"quantity": 4}, idempotency_key="same")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")


@pytest.mark.parametrize("path", ["/api/nowhere", "/api", f"{LIST}/x"])
def test_refusals_of_every_layer_are_not_kept(distributor: Program, path: str):
    answer = distributor.get(path)
    assert answer["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Accept", "X-Api-Version"} <= {part.strip() for part in answer["Vary"].split(",")}
    assert answer["X-Request-Id"] == answer.json()["requestId"]


# --- Narrowing by the query -------------------------------------------------------------------------------------------
def test_accounts_whose_address_changed_since(shop: Shop, distributor: Program):
    old = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
    Account.objects.filter(organization=shop.organization).update(updated_at=old)
    Account.objects.filter(pk=shop.customer.pk).update(updated_at=old + dt.timedelta(hours=1))

    def found(text: str) -> int:
        body = check(distributor.get(f"/api/accounts?minbillingaddressupdatedat={quote(text)}"), "/api/accounts")
        total: int = body["paging"]["totalRecords"]
        return total

    assert (
        found("2026-01-05T13:00:00Z") == found("2026-01-05T14:00:00+01:00") == found("2026-01-05T14:00:00 01:00") == 1
    )
    assert found("2026-01-05T13:00:00.001Z") == 0
    assert found("2026-01-05") == Account.objects.filter(organization=shop.organization).count()


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "'2026-01-01'", "1"])
def test_a_moment_that_is_none_is_named(distributor: Program, text: str):
    body = check(distributor.get(f"/api/accounts?minBillingAddressUpdatedAt={text}"), "/api/accounts")
    assert (body["status"], body["errors"][0]["parameter"]) == (400, "minBillingAddressUpdatedAt")


def test_a_cursor_goes_on_with_the_same_question_alone(shop: Shop, distributor: Program):
    query = "pageSize=1&minBillingAddressUpdatedAt=2020-01-01"
    cursor = distributor.get(f"/api/accounts?{query}").json()["paging"]["nextCursor"]
    assert distributor.get(f"/api/accounts?{query}&foo=1&cursor={cursor}").status_code == 200
    for other in ("pageSize=1", query.replace("2020", "2021")):
        assert distributor.get(f"/api/accounts?{other}&cursor={cursor}").json()["code"] == "cursor_mismatch"


def test_json_numbers_and_texts_by_accept(distributor: Program, service: Subscription):
    for accept in (
        "application/json; odata.metadata=full; IEEE754Compatible=True",
        "application/json;ieee754compatible=true",
    ):
        assert isinstance(distributor.get(LIST, accept=accept).json()["data"][0]["subscriptionAmount"], str)
    for accept in ("text/html", "*/*", ";;,", "application/json;q=0"):
        body = json.loads(distributor.get(LIST, accept=accept).content)
        assert body["data"][0]["subscriptionAmount"] == 60
