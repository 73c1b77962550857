"""The frame of every call: tokens, versions, the error body of every layer, paging, limits."""

import base64
import datetime as dt
import json
from typing import Any

import pytest
import redis
from django.conf import LazySettings, settings
from django.core.cache.backends.redis import RedisCache
from django.test import Client

from api import limits
from api.views import oauth, subscriptions
from clients.models import ApiClient, ApiToken
from clients.services import tokens
from clients.services.clients import drop_shared_key, make_shared_key, revoke_client, rotate_client, save_policy
from cloudbss.settings import base
from core import clock
from resellers.enums import Edition
from resellers.models import Account
from subscriptions.models import Subscription
from tests import factories
from tests.api.caller import Program, program
from tests.api.conftest import set_edition
from tests.api.contract import check, faults
from tests.bss.running import running
from tests.shop import Shop

pytestmark = pytest.mark.django_db
LIST = "/api/subscriptions"
MEMBERS = {"type", "code", "developerMessage", "isRetriableError", "message", "title", "status", "detail", "instance"}


def refusal(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, whole."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert set(body) >= MEMBERS | {"requestId"}
    assert body["requestId"] == answer["X-Request-Id"]
    assert faults({"$ref": "#/components/schemas/ServiceError"}, body) == []
    return body


# --- Tokens -----------------------------------------------------------------------------------------------------------
def test_a_token_for_the_scopes_that_were_asked(distributor: Program):
    answer = distributor.fetch_token({"grant_type": "client_credentials", "scope": "subscriptions:read"})
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "subscriptions:read")
    assert answer["Cache-Control"] == "no-store"
    assert "cost:read" in distributor.fetch_token().json()["scope"].split()


def test_a_reseller_never_gets_cost(reseller: Program):
    assert "cost:read" not in reseller.fetch_token().json()["scope"].split()
    answer = reseller.fetch_token({"grant_type": "client_credentials", "scope": "cost:read"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_what_is_wrong_with_a_token_request_is_said_by_the_standard(shop: Shop, distributor: Program):
    assert distributor.fetch_token(secret="wrong").status_code == 401
    assert distributor.fetch_token(secret="wrong").json()["error"] == "invalid_client"
    assert distributor.fetch_token(key="nobody").json()["error"] == "invalid_client"
    assert distributor.fetch_token({"grant_type": "magic"}).json()["error"] == "unsupported_grant_type"
    in_form = {"grant_type": "client_credentials", "client_secret": distributor.secret}
    assert distributor.fetch_token(in_form).json()["error"] == "invalid_request"
    bare = Client(headers={"host": shop.site.host}).post("/oauth/token", {"grant_type": "client_credentials"})
    assert (bare.status_code, bare.json()["error"]) == (401, "invalid_client")
    assert Client(headers={"host": shop.site.host}).get("/oauth/token").status_code == 405


def test_the_secret_is_not_kept(distributor: Program):
    row = ApiClient.objects.values().get(pk=distributor.client.pk)
    assert distributor.secret not in json.dumps(row, default=str)
    assert distributor.token not in json.dumps(list(ApiToken.objects.values()), default=str)
    assert len(distributor.secret) == 40


def test_rotation_overlaps_a_day(shop: Shop, distributor: Program, monkeypatch: pytest.MonkeyPatch):
    secret = rotate_client(shop.staff, client=distributor.client)
    assert distributor.fetch_token().status_code == distributor.fetch_token(secret=secret).status_code == 200
    later = clock.real_now() + dt.timedelta(hours=24, minutes=1)
    monkeypatch.setattr(clock, "real_now", lambda: later)
    assert distributor.fetch_token().status_code == 401
    assert distributor.fetch_token(secret=secret).status_code == 200


def test_revoking_ends_tokens_at_once(shop: Shop, distributor: Program, service: Subscription):
    assert distributor.get(LIST).status_code == 200
    revoke_client(shop.staff, client=distributor.client)
    refusal(distributor.get(LIST), 401, "token_invalid")
    assert distributor.fetch_token().status_code == 401


def test_the_password_flow_is_off_without_a_shared_key(shop: Shop, reseller: Program):
    user = {"grant_type": "password", "username": reseller.client.user_name, "password": reseller.secret}
    assert reseller.fetch_token(user).json()["error"] == "unsupported_grant_type"
    policy, secret = make_shared_key(shop.staff)
    answer = reseller.fetch_token(user, key=policy.shared_key, secret=secret)
    assert answer.status_code == 200
    reseller.token = answer.json()["access_token"]
    assert reseller.get(LIST).status_code == 200
    wrong = reseller.fetch_token(user | {"password": "no"}, key=policy.shared_key, secret=secret)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    for _try in range(9):
        assert wrong.status_code == 400
        wrong = reseller.fetch_token(user | {"password": "no"}, key=policy.shared_key, secret=secret)
    blocked = reseller.fetch_token(user, key=policy.shared_key, secret=secret)
    assert (blocked.status_code, blocked["Retry-After"]) == (429, "600")
    # The ten minutes begin with the tenth failure, however long ago the first one was.
    store = redis.Redis.from_url(settings.REDIS_URL)
    assert [590 < store.ttl(key) <= 600 for key in store.keys("*api-failed:*")] == [True]
    drop_shared_key(shop.staff)
    refusal(reseller.get(LIST), 401, "token_invalid")


def test_a_basic_reseller_has_no_api(shop: Shop, reseller: Program):
    set_edition(shop.reseller, Edition.BASIC)
    assert reseller.fetch_token().json()["error"] == "invalid_grant"
    refusal(reseller.get(LIST), 403, "edition_required")
    Account.objects.filter(pk=shop.reseller.pk).update(status="closed")
    refusal(reseller.get(LIST), 401, "token_invalid")


def test_tokens_of_another_organization_are_none(distributor: Program):
    other = factories.site_of(factories.organization())
    refusal(distributor.get(LIST, host=other.host), 401, "token_invalid")


def test_tokens_end(distributor: Program):
    ApiToken.objects.update(expires_at=clock.real_now() - dt.timedelta(seconds=1))
    body = refusal(distributor.get(LIST), 401, "token_expired")
    assert body["type"] == "AuthenticationError"
    distributor.token = ""
    answer = distributor.get(LIST, authorization="")
    refusal(answer, 401, "token_missing")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    refusal(distributor.get(LIST, authorization="Basic eDp5"), 401, "token_invalid")


# --- Versions, paths, errors ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["3", "3.0", "latest", "LATEST"])
def test_versions(distributor: Program, version: str):
    assert distributor.get(LIST, x_api_version=version)["X-Api-Version"] == "3.0"


def test_other_versions_are_refused(shop: Shop, distributor: Program):
    refusal(distributor.get(LIST, x_api_version="2.2"), 400, "unsupported_api_version")
    assert distributor.get(LIST).status_code == 200
    save_policy(shop.staff, values={"require_version": True})
    refusal(distributor.get(LIST), 400, "missing_api_version")


@pytest.mark.parametrize("path", ["/API/Subscriptions/", "/api/SUBSCRIPTIONS", "/Api/subscriptions/?PAGEINDEX=1"])
def test_paths_and_names_in_any_case(distributor: Program, service: Subscription, path: str):
    assert distributor.get(path).json()["paging"]["totalRecords"] == 1
    assert distributor.get(f"/Api/Subscriptions/{str(service.public_id).upper()}/").status_code == 200


def test_every_layer_refuses_in_one_form(shop: Shop, distributor: Program, monkeypatch: pytest.MonkeyPatch):
    refusal(distributor.get("/api/nowhere"), 404, "not_found")
    refusal(distributor.get("/api"), 404, "not_found")
    refusal(Client(headers={"host": shop.site.host}).get("/oauth/nothing"), 404, "not_found")
    answer = distributor.call("DELETE", LIST)
    refusal(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD"
    refusal(distributor.get(f"{LIST}/123"), 400, "invalid_parameter")
    monkeypatch.setattr(subscriptions.SubscriptionList, "read", lambda self: 1 / 0)
    body = refusal(distributor.get(LIST), 500, "internal_error")
    assert (body["isRetriableError"], "division" in json.dumps(body)) == (True, False)


def test_a_refusal_before_the_door_has_the_form_too(shop: Shop, distributor: Program, settings: Any):
    settings.ALLOWED_HOSTS = ["shop.test"]
    answer = distributor.get(LIST, host="evil.test")
    assert answer.status_code == 400
    assert set(answer.json()) >= MEMBERS


@pytest.mark.parametrize(
    ("accept", "is_problem"),
    [
        ("application/problem+json", True),
        ("application/json, application/problem+json", True),
        ("application/json;q=0.5, application/problem+json;q=0.4", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/xml", False),
    ],
)
def test_the_type_of_an_error_by_accept(distributor: Program, accept: str, is_problem: bool):
    answer = distributor.get("/api/nowhere", accept=accept)
    assert (answer["Content-Type"] == "application/problem+json") == is_problem
    assert answer.json()["type"].endswith("/apidocs/errors#NotFoundError" if is_problem else "NotFoundError")


def test_head_has_no_body(distributor: Program, service: Subscription):
    answer = distributor.call("HEAD", f"{LIST}/{service.public_id}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"]


# --- Paging -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        ("pageSize=0", "invalid_parameter", "pageSize"),
        ("pageSize=501", "invalid_parameter", "pageSize"),
        ("pageSize=abc", "invalid_parameter", "pageSize"),
        ("pageIndex=0", "invalid_parameter", "pageIndex"),
        ("pageIndex=%C2%B2", "invalid_parameter", "pageIndex"),
        ("pageIndex=10002", "page_too_deep", "pageIndex"),
        ("pageIndex=1&cursor=x", "cursor_with_page", "cursor"),
        ("cursor=forged", "invalid_cursor", "cursor"),
        ("count=maybe", "invalid_parameter", "count"),
        ("$top=5", "unsupported_option", "$top"),
        ("include=foo", "unknown_include", "include"),
        ("pageSize=1&PAGESIZE=2", "invalid_parameter", "PAGESIZE"),
        ("$orderBy=creditLimit", "unknown_orderby_field", "$orderBy"),
        ("$orderBy=name,name", "unknown_orderby_field", "$orderBy"),
        ("$orderBy=name down", "unknown_orderby_field", "$orderBy"),
        ("$orderBy=name,status,quantity,createdAt", "unknown_orderby_field", "$orderBy"),
    ],
)
def test_what_is_wrong_is_named(distributor: Program, query: str, code: str, parameter: str):
    body = refusal(distributor.get(f"{LIST}?{query}"), 400, code)
    assert body.get("errors", [{"parameter": parameter}])[0]["parameter"] == parameter


def test_unknown_names_are_ignored(distributor: Program):
    assert distributor.get(f"{LIST}?foo=1").status_code == 200


def ids(body: dict[str, Any]) -> list[str]:
    return [row["id"] for row in body["data"]]


@pytest.mark.parametrize("order", ["", "name", "renewalDate desc", "quantity,createdAt desc", "subscriptionAmount"])
def test_pages_and_cursors_meet_every_row_once(shop: Shop, distributor: Program, order: str):
    rows = [running(shop, quantity=number % 2 + 1) for number in range(5)]
    Subscription.objects.filter(pk=rows[2].pk).update(term_ends_at=None)
    query = f"pageSize=2&$orderBy={order}" if order else "pageSize=2"
    whole = ids(distributor.get(f"{LIST}?{query.replace('=2', '=500', 1)}").json())
    by_number, path = [], f"{LIST}?{query}"
    while path:
        body = check(distributor.get(path.partition(".test")[2] if "://" in path else path), LIST)
        by_number += ids(body)
        path = body["links"]["next"]
    first = distributor.get(f"{LIST}?{query}&count=false").json()
    by_cursor, cursor = ids(first), first["paging"]["nextCursor"]
    assert first["paging"]["totalRecords"] is None
    last = cursor
    while cursor:
        last = cursor
        body = distributor.get(f"{LIST}?{query}&cursor={cursor}").json()
        by_cursor += ids(body)
        cursor = body["paging"]["nextCursor"]
    assert whole == by_number == by_cursor
    body, back = distributor.get(f"{LIST}?{query}&cursor={last}").json(), []
    while body["links"]["previous"]:
        body = distributor.get(body["links"]["previous"].partition(".test")[2]).json()
        back.append(ids(body))
    assert back == [whole[2:4], whole[:2]]
    assert len(set(whole)) == 5


def test_a_cursor_belongs_to_its_caller_and_query(shop: Shop, distributor: Program):
    for _number in range(3):
        running(shop)
    cursor = distributor.get(f"{LIST}?pageSize=1").json()["paging"]["nextCursor"]
    refusal(distributor.get(f"{LIST}?pageSize=2&cursor={cursor}"), 400, "cursor_mismatch")
    refusal(distributor.get(f"{LIST}?pageSize=1&$filter=isTrial eq true&cursor={cursor}"), 400, "cursor_mismatch")
    refusal(program(shop).get(f"{LIST}?pageSize=1&cursor={cursor}"), 400, "invalid_cursor")


def test_beyond_the_last_page_is_empty(distributor: Program, service: Subscription):
    body = check(distributor.get(f"{LIST}?pageIndex=9"), LIST)
    assert (body["data"], body["paging"]["totalRecords"], body["links"]["next"]) == ([], 1, None)


# --- Limits -----------------------------------------------------------------------------------------------------------
def test_too_many_calls(distributor: Program, settings: LazySettings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits.time, "time", lambda: 1_800_000_015.0)  # No minute ends between the calls.
    settings.API_CALLS_PER_MINUTE = 2
    first = distributor.get(LIST)
    assert first["RateLimit"].startswith('"user";r=1;t=')
    distributor.get(LIST)
    answer = distributor.get(LIST)
    assert refusal(answer, 429, "rate_limit_reached")["isRetriableError"] is True
    assert 0 < int(answer["Retry-After"]) <= 60


def test_writes_have_a_limit_of_their_own(
    distributor: Program, service: Subscription, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits.time, "time", lambda: 1_800_000_015.0)
    settings.API_WRITES_PER_MINUTE = 1
    path = f"{LIST}/{service.public_id}/autoRenewalSettings"
    codes = [distributor.post(path, {"autoRenewalEnabled": True}).status_code for _call in range(2)]
    assert (codes, distributor.get(LIST).status_code) == ([200, 429], 200)


def test_an_organization_has_a_limit_for_all_its_programs(
    shop: Shop, distributor: Program, reseller: Program, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits.time, "time", lambda: 1_800_000_015.0)
    settings.API_ORGANIZATION_CALLS_PER_MINUTE = 2
    assert [caller.get(LIST).status_code for caller in (distributor, reseller, distributor)] == [200, 200, 429]


def test_tokens_are_fetched_thirty_times_a_minute(distributor: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits.time, "time", lambda: 1_800_000_015.0)
    monkeypatch.setattr(oauth, "TOKEN_CALLS", 2)
    codes = [distributor.fetch_token(secret="wrong").status_code for _call in range(3)]
    assert codes == [401, 401, 429]


def test_limits_are_those_of_the_documentation():
    calls, writes = base.API_CALLS_PER_MINUTE, base.API_WRITES_PER_MINUTE
    assert (calls, writes, base.API_ORGANIZATION_CALLS_PER_MINUTE, limits.TOKEN_CALLS) == (600, 120, 6000, 30)
    assert (tokens.FAILURES, tokens.FAILURE_WINDOW) == (10, 600)


def test_a_store_that_is_away_stops_nothing(shop: Shop, distributor: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "_store", lambda: redis.Redis(port=1))  # Nobody listens there.
    assert distributor.get(LIST).status_code == 200
    policy, secret = make_shared_key(shop.staff)
    monkeypatch.setattr(tokens, "cache", RedisCache("redis://127.0.0.1:1", {}))
    user = {"grant_type": "password", "username": distributor.client.user_name, "password": distributor.secret}
    assert distributor.fetch_token(user, key=policy.shared_key, secret=secret).status_code == 200
    wrong = distributor.fetch_token(user | {"password": "no"}, key=policy.shared_key, secret=secret)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")


# --- Bodies -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body", [b"{", b'{"quantity":1,"Quantity":2}', b"[" * 40 + b"]" * 40, b"\xff", b'{"a":NaN}', b'{"a":"\\u0000"}']
)
def test_bodies_that_are_no_json(distributor: Program, service: Subscription, body: bytes):
    headers = {"host": distributor.shop.site.host, "authorization": f"Bearer {distributor.token}"}
    path = f"{LIST}/{service.public_id}/quantity"
    answer = Client(headers=headers).post(path, body, content_type="application/json")
    refusal(answer, 400, "invalid_body")
    answer = Client(headers=headers).post(path, body, content_type="text/plain")
    refusal(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 3_000_000])
@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "large"}])
def test_bodies_above_a_mebibyte(distributor: Program, service: Subscription, size: int, headers: dict[str, str]):
    sent = {"quantity": 2, "name": "x" * size}
    answer = distributor.post(f"{LIST}/{service.public_id}/quantity", sent, **headers)
    body = refusal(answer, 400, "invalid_body")
    assert (body["isRetriableError"], body["detail"]) == (False, "The body is larger than 1 MiB.")


def test_basic_of_nonsense(shop: Shop):
    for text in (b"nocolon", b"\xff:\xff", b"a\x00:b"):
        given = base64.b64encode(text).decode()
        client = Client(headers={"host": shop.site.host, "authorization": f"Basic {given}"})
        answer = client.post(
            "/oauth/token", "grant_type=client_credentials", content_type="application/x-www-form-urlencoded"
        )
        assert answer.json()["error"] == "invalid_client"
