"""Sending webhooks: signed, at least once with one id, by the plan, and given up in the end."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connection

from clients.services.clients import revoke_client
from core import clock, crypto, outbox
from core.audit import AuditEntry
from notifications.delivery import Received
from notifications.models import (
    SEND_WEBHOOK_TASK,
    OutgoingMail,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookState,
)
from notifications.services import webhook_send
from notifications.services.webhook_send import PLAN, forget_deliveries, send_delivery, wait_after
from notifications.services.webhooks import replay_delivery, rotate_webhook, update_webhook
from notifications.services.webhooks import test_webhook as send_test
from resellers.enums import Edition
from tests import factories
from tests.notifications.hooks import happen, hook, send_due, with_edition
from tests.notifications.receiver import Receiver, receiving
from tests.shop import Shop, make_shop

pytestmark = pytest.mark.django_db
Sent = list[tuple[str, dict[str, str], bytes]]


@pytest.fixture
def shop() -> Shop:
    found = make_shop()
    with_edition(found.reseller)
    return found


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    settings.WEBHOOK_LOOPBACK = True
    with receiving() as found:
        yield found


def answering(monkeypatch: pytest.MonkeyPatch, *statuses: int | None, milliseconds: int = 5) -> Sent:
    """Receivers answer so, one after the other, the last for ever; returns what is sent."""
    sent: Sent = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> Received:
        status = statuses[min(len(sent), len(statuses) - 1)]
        sent.append((url, headers, body))
        good = status is not None and 200 <= status < 300
        return Received(status, milliseconds, "", "" if good else f"status {status}")

    monkeypatch.setattr(webhook_send, "post_once", post)
    return sent


def queued(shop: Shop, endpoint: WebhookEndpoint) -> WebhookDelivery:
    happen("account.updated", shop.customer)
    return WebhookDelivery.objects.get(endpoint=endpoint)


def verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """What a receiver does, by the text of Standard Webhooks."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(expected, given) for given in headers["webhook-signature"].split())


def secret_of(endpoint: WebhookEndpoint) -> str:
    endpoint.refresh_from_db()
    return crypto.decrypt(endpoint.secret)


def test_a_signature_known_from_elsewhere():
    # The example of the Standard Webhooks libraries.
    secret, stamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
    found = webhook_send.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", stamp, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_raw_verifies_and_written_again_fails(shop, receiver):
    endpoint = hook(shop, url=f"{receiver.url}/200")
    row = queued(shop, endpoint)
    send_delivery(row.pk)
    _path, headers, body = receiver.seen[0]
    assert verifies(secret_of(endpoint), headers, body)
    assert not verifies(secret_of(endpoint), headers, json.dumps(json.loads(body)).encode())
    assert abs(int(headers["webhook-timestamp"]) - clock.real_now().timestamp()) < 60
    found = json.loads(body)
    assert headers["webhook-id"] == found["id"] == row.message_id
    assert list(found) == ["id", "type", "timestamp", "apiVersion", "data", "changed"]
    assert found["data"]["id"] == shop.customer.pk
    assert found["data"]["links"]["self"].endswith(f"{shop.site.host}:8000/api/accounts/{shop.customer.pk}")
    row.refresh_from_db()
    assert (row.state, row.tries, row.last_status, row.claim_token) == (WebhookState.DELIVERED, 1, 200, None)
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, attempt.answer, attempt.error) == (200, "thank you", "")


def test_two_signatures_while_a_secret_is_rotated(shop, monkeypatch):
    sent = answering(monkeypatch, 200)
    endpoint = hook(shop)
    old = secret_of(endpoint)
    new = rotate_webhook(shop.staff, endpoint=endpoint)
    assert new != old
    send_delivery(queued(shop, endpoint).pk)
    _url, headers, body = sent[0]
    assert len(headers["webhook-signature"].split()) == 2
    assert (verifies(old, headers, body), verifies(new, headers, body)) == (True, True)
    over = clock.real_now() - dt.timedelta(seconds=1)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(previous_until=over)
    replay_delivery(shop.staff, endpoint=endpoint, public_id=WebhookDelivery.objects.get().public_id)
    assert send_due() == 1
    _url, headers, body = sent[1]
    assert (verifies(old, headers, body), verifies(new, headers, body)) == (False, True)


def test_the_plan_of_attempts(shop, monkeypatch, still_clock):
    sent = answering(monkeypatch, 500)
    monkeypatch.setattr(webhook_send, "FAILING", dt.timedelta(days=50))
    monkeypatch.setattr(webhook_send.random, "uniform", lambda low, high: low)
    row = queued(shop, hook(shop))
    waits = []
    for _attempt in range(len(PLAN)):
        now = row.not_before
        still_clock(now)
        send_delivery(row.pk)
        row.refresh_from_db()
        assert row.state == WebhookState.PENDING
        waits.append((row.not_before - now).total_seconds())
    hours = [h * 3600 for h in (2, 5, 10, 14, 20, 24)]
    assert waits == [5, 300, 1800, *hours]
    still_clock(row.not_before)
    send_delivery(row.pk)
    row.refresh_from_db()
    assert (row.state, row.tries, len(sent)) == (WebhookState.FAILED, 10, 10)
    assert len({headers["webhook-id"] for _url, headers, _body in sent}) == 1
    assert len({body for _url, _headers, body in sent}) == 1
    assert WebhookAttempt.objects.filter(delivery=row).count() == 10


def test_jitter_only_adds():
    for tries, step in enumerate(PLAN, start=1):
        found = {wait_after(tries) for _try in range(20)}
        assert all(wait is not None and step <= wait <= step * 1.2 for wait in found)
        assert len(found) > 1
    assert wait_after(len(PLAN) + 1) is None


def test_gone_switches_off_and_tells_the_owner(shop, monkeypatch):
    answering(monkeypatch, 410)
    endpoint = hook(shop, email="ops@erp.test")
    row = queued(shop, endpoint)
    waiting = send_test(shop.staff, endpoint=endpoint)
    send_delivery(row.pk)
    endpoint.refresh_from_db()
    row.refresh_from_db()
    waiting.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason, row.state) == (False, "gone", WebhookState.FAILED)
    assert (waiting.state, waiting.last_error) == (WebhookState.DROPPED, "endpoint_off")
    mail = OutgoingMail.objects.get(template="webhook_off")
    assert (mail.recipient, endpoint.url in mail.text, "410" in mail.text) == ("ops@erp.test", True, True)
    assert AuditEntry.objects.filter(action="webhook.switched_off").count() == 1
    happen("account.updated", shop.customer)
    assert WebhookDelivery.objects.filter(endpoint=endpoint).count() == 2


def test_five_days_of_failing_switch_off(shop, monkeypatch, still_clock):
    answering(monkeypatch, 500)
    endpoint = hook(shop, shop.reseller)
    begun = clock.now() + dt.timedelta(hours=1)
    for days in (0, 2, 4.9):
        still_clock(begun + dt.timedelta(days=days))
        tested = send_test(shop.staff, endpoint=endpoint)
        send_delivery(tested.pk)
        tested.refresh_from_db()
        endpoint.refresh_from_db()
        assert tested.last_error == "status 500"
        assert (endpoint.is_active, endpoint.failing_since) == (True, begun)
    still_clock(begun + dt.timedelta(days=5))
    send_delivery(send_test(shop.staff, endpoint=endpoint).pk)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason) == (False, "failing")
    assert OutgoingMail.objects.get(template="webhook_off").recipient == shop.reseller.email
    update_webhook(shop.staff, endpoint=endpoint, values={"is_active": True})
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason, endpoint.failing_since) == (True, "", None)


def test_a_success_ends_failing(shop, monkeypatch, still_clock):
    answering(monkeypatch, 500, 200)
    endpoint = hook(shop)
    row = queued(shop, endpoint)
    send_delivery(row.pk)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    still_clock(clock.now() + dt.timedelta(seconds=10))
    assert send_due() == 1
    endpoint.refresh_from_db()
    row.refresh_from_db()
    assert (endpoint.failing_since, row.state, row.tries) == (None, WebhookState.DELIVERED, 2)


def test_a_worker_killed_after_sending_sends_the_same_id_again(shop, receiver, monkeypatch):
    row = queued(shop, hook(shop, url=f"{receiver.url}/200"))

    def killed(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(webhook_send, "_settle", killed)
        with pytest.raises(KeyboardInterrupt):
            send_delivery(row.pk)
    send_delivery(row.pk)
    assert len(receiver.seen) == 1  # Its claim has not run out.
    over = clock.real_now() - dt.timedelta(seconds=1)
    WebhookDelivery.objects.filter(pk=row.pk).update(claimed_until=over)
    assert send_due() == 1
    ids = [headers["webhook-id"] for _path, headers, _body in receiver.seen]
    assert ids == [row.message_id, row.message_id]
    row.refresh_from_db()
    assert (row.state, row.tries) == (WebhookState.DELIVERED, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_a_row_once(shop, receiver):
    row = queued(shop, hook(shop, url=f"{receiver.url}/200"))
    together = threading.Barrier(4)

    def work() -> None:
        try:
            together.wait(5)
            send_delivery(row.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(receiver.seen) == 1
    assert WebhookAttempt.objects.count() == 1


def test_replay_keeps_id_and_text(shop, monkeypatch):
    sent = answering(monkeypatch, 200)
    endpoint = hook(shop)
    row = queued(shop, endpoint)
    send_delivery(row.pk)
    replay_delivery(shop.staff, endpoint=endpoint, public_id=row.public_id)
    assert send_due() == 1
    (_u, first, text), (_v, second, again) = sent
    assert (first["webhook-id"], text) == (second["webhook-id"], again)
    assert WebhookAttempt.objects.filter(delivery=row).count() == 2


@pytest.mark.parametrize("loss", ["edition", "revoked", "scope", "moved", "closed"])
def test_nothing_goes_out_that_the_owner_may_not_read_any_more(shop, monkeypatch, loss):
    sent = answering(monkeypatch, 200)
    endpoint = hook(shop, shop.reseller)
    happen("account.updated", shop.end_customer)
    row = WebhookDelivery.objects.get(endpoint=endpoint)
    client = endpoint.client
    match loss:
        case "edition":
            with_edition(shop.reseller, Edition.FREE)
        case "revoked":
            revoke_client(shop.staff, client=client)
        case "scope":
            type(client).objects.filter(pk=client.pk).update(scopes=["webhooks:manage", "orders:read"])
        case "moved":
            other = factories.account(shop.organization, "reseller")
            type(other).objects.filter(pk=shop.end_customer.pk).update(bill_to=other)
        case "closed":
            type(shop.reseller).objects.filter(pk=shop.reseller.pk).update(status="closed")
    send_delivery(row.pk)
    row.refresh_from_db()
    assert (sent, row.state, row.last_error) == ([], WebhookState.DROPPED, "not_readable")
    assert WebhookAttempt.objects.count() == 0


def test_a_slow_receiver_does_not_take_all_workers(shop, monkeypatch):
    sent = answering(monkeypatch, None, milliseconds=10_000)
    endpoint = hook(shop)
    rows = [send_test(shop.staff, endpoint=endpoint) for _n in range(5)]
    for row in rows:
        send_delivery(row.pk)
    # The first failure leaves one slot, and that one rests for a while.
    assert len(sent) == 1
    waiting = WebhookDelivery.objects.get(pk=rows[1].pk)
    assert (waiting.state, waiting.tries, waiting.not_before > clock.now()) == (WebhookState.PENDING, 0, True)
    cache.clear()
    WebhookDelivery.objects.filter(pk=rows[1].pk).update(not_before=clock.now())
    send_delivery(rows[1].pk)
    assert len(sent) == 2


def test_old_deliveries_are_forgotten(shop, monkeypatch):
    answering(monkeypatch, 200)
    endpoint = hook(shop)
    rotate_webhook(shop.staff, endpoint=endpoint)
    old, young = send_test(shop.staff, endpoint=endpoint), send_test(shop.staff, endpoint=endpoint)
    send_delivery(old.pk)
    send_delivery(young.pk)
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=clock.now() - dt.timedelta(days=31))
    WebhookEndpoint.objects.update(previous_until=clock.real_now() - dt.timedelta(seconds=1))
    assert (forget_deliveries(), forget_deliveries()) == (1, 0)
    assert list(WebhookDelivery.objects.values_list("pk", flat=True)) == [young.pk]
    assert WebhookAttempt.objects.count() == 1
    endpoint.refresh_from_db()
    assert (endpoint.previous_secret, endpoint.previous_until) == ("", None)


def test_secrets_are_kept_encrypted(shop):
    endpoint = hook(shop)
    assert secret_of(endpoint).startswith("whsec_")
    assert "whsec_" not in endpoint.secret
    assert "whsec_" not in str(list(AuditEntry.objects.values()))


def test_the_sweep_takes_turns(shop, monkeypatch):
    """What a receiver that is down has piled up keeps nobody else's retries waiting."""
    down, other = hook(shop), hook(shop, shop.reseller, url="https://other.example.com/hooks")
    rows = [send_test(shop.staff, endpoint=down) for _n in range(6)] + [send_test(shop.staff, endpoint=other)]
    for age, row in enumerate(rows):
        due = clock.now() - dt.timedelta(minutes=len(rows) - age)
        WebhookDelivery.objects.filter(pk=row.pk).update(not_before=due)
    swept: list[tuple[str, int]] = []
    monkeypatch.setattr(outbox, "_send", lambda task, pk, _countdown: swept.append((task, pk)))
    outbox.sweep(limit=3)
    assert [pk for task, pk in swept if task == SEND_WEBHOOK_TASK] == [rows[0].pk, rows[6].pk, rows[1].pk]
