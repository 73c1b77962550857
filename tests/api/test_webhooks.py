"""``/api/webhooks`` by programs of the distributor and of a Standard reseller."""

import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.contract import own_calls
from clients.models import ApiReply
from clients.scopes import Scope
from core import crypto
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services.webhook_send import send_delivery
from notifications.topics import TOPICS
from resellers.enums import Edition
from tests.api.caller import Program, program
from tests.api.conftest import set_edition
from tests.api.contract import check
from tests.notifications.hooks import happen
from tests.notifications.receiver import receiving
from tests.shop import Shop

pytestmark = pytest.mark.django_db
ALL = "/api/webhooks"
ONE = "/api/webhooks/{webhookId}"
NEW = {"url": "https://erp.example.com/hooks", "events": ["order.executed", "account.updated"]}


def made(caller: Program, **more: object) -> dict[str, object]:
    answer = caller.post("/api/Webhooks", {**NEW, **more})
    assert answer.status_code == 201, answer.content
    return check(answer, ALL, method="post")


def test_make_read_change_delete(distributor: Program):
    answer = distributor.post("/API/Webhooks/", NEW)
    body = check(answer, ALL, method="post")
    assert answer["Cache-Control"] == "no-store"
    assert body["events"] == ["order.executed", "account.updated"]
    assert (body["apiVersion"], body["isActive"], body["failingSince"]) == ("3.0", True, None)
    row = WebhookEndpoint.objects.get()
    assert crypto.decrypt(row.secret) == body["secret"]
    where = answer["Location"].partition("test")[2]
    read = distributor.get(where)
    kept = {name: value for name, value in body.items() if name != "secret"}
    assert check(read, ONE) == kept
    assert distributor.get(where, if_none_match=read["ETag"]).status_code == 304
    assert check(distributor.get(ALL), ALL)["data"] == [kept]
    changed = distributor.call("PATCH", where, {"isActive": False})
    assert check(changed, ONE, method="patch") == kept | {"isActive": False, "offReason": "SwitchedOff"}
    assert distributor.call("PATCH", where, {"events": ["asset.created"]}).json()["events"] == ["asset.created"]
    gone = distributor.call("DELETE", where)
    assert (gone.status_code, gone.content) == (204, b"")
    assert distributor.get(where).status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"events": ["order.executed"]}, "required", "/url"),
        ({"url": "https://a.example.com"}, "required", "/events"),
        (NEW | {"url": "http://a.example.com"}, "webhook_url", "/url"),
        (NEW | {"url": "https://127.0.0.1"}, "webhook_url", "/url"),
        (NEW | {"events": []}, "webhook_events", "/events"),
        (NEW | {"events": "order.executed"}, "invalid_body", "/events"),
        (NEW | {"events": ["order.nothing"]}, "webhook_events", "/events"),
        (NEW | {"isActive": "yes"}, "invalid_boolean", "/isActive"),
        (NEW | {"nonsense": 1}, "unknown_member", "/nonsense"),
        (NEW | {"name": "x"}, "member_not_allowed", "/name"),
    ],
)
def test_what_is_wrong_is_named(distributor: Program, body: object, code: str, pointer: str):
    answer = distributor.post(ALL, body)
    found = check(answer, ALL, method="post")
    assert (answer.status_code, found["code"]) == (400, code)
    assert found["errors"][0]["pointer"] == pointer
    assert WebhookEndpoint.objects.count() == 0


def test_ten_and_no_more(distributor: Program):
    for _number in range(10):
        made(distributor)
    answer = distributor.post(ALL, NEW)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_limit")
    page = check(distributor.get(f"{ALL}?pageSize=4&pageIndex=3&$orderBy=createdAt desc"), ALL)
    assert (len(page["data"]), page["paging"]["totalRecords"]) == (2, 10)


def test_the_secret_is_told_to_a_repeat_and_kept_encrypted(distributor: Program):
    first = distributor.post(ALL, NEW, idempotency_key="one")
    again = distributor.post(ALL, NEW, idempotency_key="one")
    assert (again.status_code, again.content) == (201, first.content)
    assert WebhookEndpoint.objects.count() == 1
    assert first.json()["secret"] not in str(list(ApiReply.objects.values()))
    rotated = distributor.post(f"{ALL}/{first.json()['id']}/rotate")
    body = check(rotated, f"{ONE}/rotate", method="post")
    assert body["secret"] != first.json()["secret"]
    row = WebhookEndpoint.objects.get()
    assert (crypto.decrypt(row.secret), crypto.decrypt(row.previous_secret)) == (
        body["secret"],
        first.json()["secret"],
    )


def test_test_deliveries_replay(distributor: Program, shop: Shop, settings):
    settings.WEBHOOK_LOOPBACK = True
    with receiving() as receiver:
        hook = made(distributor, url=f"{receiver.url}/200")
        one = f"{ALL}/{hook['id']}"
        answer = distributor.post(f"{one}/test")
        tested = check(answer, f"{ONE}/test", method="post")
        assert (answer.status_code, tested["event"], tested["status"]) == (202, "webhook.test", "Pending")
        happen("account.updated", shop.customer)
        for row in WebhookDelivery.objects.order_by("pk"):
            send_delivery(row.pk)
        page = check(distributor.get(f"{one}/deliveries"), f"{ONE}/deliveries")
        assert [row["event"] for row in page["data"]] == ["account.updated", "webhook.test"]
        first = page["data"][0]
        assert (first["status"], first["responseStatus"], first["error"]) == ("Delivered", 200, None)
        assert [attempt["answer"] for attempt in first["attempts"]] == ["thank you"]
        found = distributor.get(f"{one}/deliveries?$filter=status eq 'delivered' and event eq 'webhook.test'").json()
        assert [row["id"] for row in found["data"]] == [tested["id"]]
        again = distributor.post(f"{one}/deliveries/{first['id']}/replay")
        body = check(again, f"{ONE}/deliveries/{{deliveryId}}/replay", method="post")
        assert (again.status_code, body["status"], body["webhookId"]) == (202, "Pending", first["webhookId"])
        send_delivery(WebhookDelivery.objects.get(public_id=first["id"]).pk)
        ids = [headers["webhook-id"] for _path, headers, _body in receiver.seen]
        assert ids == [tested["webhookId"], first["webhookId"], first["webhookId"]]
        distributor.call("PATCH", one, {"isActive": False})
        refused = distributor.post(f"{one}/test")
        assert (refused.status_code, refused.json()["code"]) == (400, "webhook_off")


def test_topics_with_samples(reseller: Program):
    found = check(reseller.get(f"{ALL}/topics"), f"{ALL}/topics")
    assert [row["name"] for row in found] == [*TOPICS, "webhook.test"]
    for row in found:
        assert row["sample"]["type"] == row["name"]
        assert row["sample"]["data"]["links"]["self"].startswith("http")


def test_another_programs_webhook_is_not_there(distributor: Program, reseller: Program, shop: Shop):
    hook = made(reseller)
    row = WebhookEndpoint.objects.get()
    paths = [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", f"/deliveries/{uuid.uuid4()}/replay"),
    ]
    for caller in (distributor, program(shop, of=shop.reseller)):
        assert caller.get(ALL).json()["data"] == []
        for method, path in paths:
            body = {"isActive": False} if method == "PATCH" else None
            foreign = caller.call(method, f"{ALL}/{hook['id']}{path}", body)
            missing = caller.call(method, f"{ALL}/{uuid.uuid4()}{path}", body)
            assert (foreign.status_code, foreign.json()["code"]) == (404, "webhook_not_found")
            assert missing.json()["code"] == "webhook_not_found"
    malformed = distributor.get(f"{ALL}/1")
    assert (malformed.status_code, malformed.json()["code"]) == (400, "invalid_parameter")
    row.refresh_from_db()
    assert row.is_active


def test_who_may(shop: Shop, reseller: Program):
    narrow = program(shop, scopes=("orders:read",))
    for path in (ALL, f"{ALL}/topics", f"{ALL}/{uuid.uuid4()}"):
        assert narrow.get(path).json()["code"] == "scope_missing"
    only = program(shop, scopes=(Scope.WEBHOOKS_MANAGE.value,))
    assert only.get(ALL).status_code == 200
    set_edition(shop.reseller, Edition.FREE)
    assert reseller.get(ALL).json()["code"] == "edition_required"


def test_the_number_of_queries_is_constant(distributor: Program, shop: Shop):
    hook = made(distributor)
    path = f"{ALL}/{hook['id']}/deliveries"
    counts = []
    for number in (1, 4):
        for _n in range(number):
            happen("account.updated", shop.customer)
        with CaptureQueriesContext(connection) as queries:
            assert distributor.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_document_says_what_is_served():
    paths, schemas = own_calls()
    text = json.dumps([paths, schemas])
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert {name for name in names if name.startswith("Webhook")} <= set(schemas)
    assert {path for path in paths if path.startswith(ALL)} == {
        ALL,
        f"{ALL}/topics",
        ONE,
        f"{ONE}/rotate",
        f"{ONE}/test",
        f"{ONE}/deliveries",
        f"{ONE}/deliveries/{{deliveryId}}/replay",
    }
