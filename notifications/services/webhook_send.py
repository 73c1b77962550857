"""Sends webhooks by Standard Webhooks 1.0: signed, tried by the plan, and given up in the end (``api.md`` 11).

A delivery goes out at least once: a worker that dies after sending leaves the row pending, and the next one sends it
again with the same ``webhook-id``, by which receivers drop it.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import logging
import random
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.urls import reverse

from clients.selectors import reader_of
from core import audit, clock, crypto, outbox
from core.errors import BusinessError
from core.tenancy import system_actor
from notifications.delivery import Received, post_once
from notifications.models import (
    SEND_WEBHOOK_TASK,
    OffReason,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookState,
)
from notifications.selectors import KEPT
from notifications.services.compose import absolute, queue_mail, site_of
from notifications.services.webhook_queue import may_read
from notifications.services.webhooks import PREFIX, drop_waiting
from notifications.topics import topic_of
from resellers.models import Account

logger = logging.getLogger(__name__)
CLAIM_SECONDS = 60
# When an attempt failed, the next one comes after so long; after the last of them the delivery has failed.
PLAN = (
    dt.timedelta(seconds=5),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    *(dt.timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
JITTER = 0.2
FAILING = dt.timedelta(days=5)
GONE = 410
# A receiver that answers has four requests at a time, one that fails has one; the others wait, so that nobody's mail
# stands behind a receiver that is slow.
SLOTS = 4
SLOT_SECONDS = 60
SLOW_MILLISECONDS = 2000
PAUSE = dt.timedelta(seconds=30)
SOON = dt.timedelta(minutes=1)
PURGED = 10_000


def signatures(row: WebhookEndpoint, message_id: str, stamp: int, body: bytes) -> str:
    """The header's value: one ``v1`` signature, and during a rotation another by the previous secret."""
    ciphers = [row.secret]
    if row.previous_secret and row.previous_until is not None and row.previous_until > clock.real_now():
        ciphers.append(row.previous_secret)
    return " ".join(sign(crypto.decrypt(cipher), message_id, stamp, body) for cipher in ciphers)


def sign(secret: str, message_id: str, stamp: int, body: bytes) -> str:
    """A signature by Standard Webhooks: HMAC-SHA256 over id, Unix time and the raw body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send_delivery(delivery_id: int) -> None:
    """Send one delivery if it is due and free; what comes of it is written into the row and its log.

    Nothing is raised for what a receiver does. A delivery whose owner may not read it any more, or whose endpoint is
    off, is not sent.
    """
    row = outbox.claim(WebhookDelivery, delivery_id, field="state", due=WebhookDelivery.DUE, seconds=CLAIM_SECONDS)
    if row is None:
        return
    endpoint = _endpoint(row.endpoint_id)
    if endpoint is None:
        return  # It was deleted just now, and the row with it.
    topic = topic_of(row.topic)
    if not endpoint.is_active or not may_read(reader_of(endpoint.client), topic, row.subject):
        why = "not_readable" if endpoint.is_active else "endpoint_off"
        outbox.release(row, state=WebhookState.DROPPED, last_error=why)
        return
    slot = _slot(endpoint)
    if not slot:
        outbox.release(row, not_before=clock.now() + PAUSE * random.uniform(0.5, 1))  # noqa: S311 - spreads load
        return
    try:
        received = _post(endpoint, row)
    except (BusinessError, binascii.Error):
        logger.exception("webhook cannot be signed", extra={"webhook": str(endpoint.public_id)})
        received = Received(None, 0, error="It could not be signed; see the worker's log.")
    if received.is_taken or received.milliseconds < SLOW_MILLISECONDS:
        cache.delete(slot)
    else:
        cache.touch(slot, int(PAUSE.total_seconds()))  # A slow one that fails waits for the others' sake.
    _settle(row, received)


def _endpoint(pk: int) -> WebhookEndpoint | None:
    return WebhookEndpoint.objects.select_related("client__account", "client__organization").filter(pk=pk).first()


def _slot(endpoint: WebhookEndpoint) -> str:
    """Take one of the endpoint's slots; empty if none is free. They lie in the cache and run out by themselves."""
    for number in range(SLOTS if endpoint.failing_since is None else 1):
        name = f"webhook-slot:{endpoint.pk}:{number}"
        if cache.add(name, 1, SLOT_SECONDS):
            return name
    return ""


def _post(endpoint: WebhookEndpoint, row: WebhookDelivery) -> Received:
    body, stamp = row.body.encode(), int(clock.real_now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "cloudbss-webhooks/1.0",
        "webhook-id": row.message_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": signatures(endpoint, row.message_id, stamp, body),
    }
    return post_once(endpoint.url, body, headers)


@transaction.atomic
def _settle(row: WebhookDelivery, received: Received) -> None:
    """Write down what came of an attempt; who lost the claim meanwhile only leaves his line in the log."""
    endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).filter(pk=row.endpoint_id).first()
    if endpoint is None:
        return
    WebhookAttempt.objects.create(
        organization_id=row.organization_id,
        delivery=row,
        status=received.status,
        milliseconds=received.milliseconds,
        error=received.error,
        answer=received.answer,
    )
    values: dict[str, Any] = {
        "tries": row.tries + 1,
        "last_status": received.status,
        "last_error": received.error,
        "last_milliseconds": received.milliseconds,
        "last_tried_at": clock.now(),
    }
    if received.is_taken:
        outbox.release(row, state=WebhookState.DELIVERED, **values)
        if endpoint.failing_since is not None:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=None)
        return
    wait = wait_after(row.tries + 1)
    if received.status == GONE or wait is None:
        outbox.release(row, state=WebhookState.FAILED, **values)
    else:
        outbox.release(row, state=WebhookState.PENDING, not_before=clock.now() + wait, **values)
        if wait <= SOON:
            outbox.dispatch(SEND_WEBHOOK_TASK, row.pk, countdown=wait.total_seconds())
    _note_failure(endpoint, received)


def wait_after(tries: int) -> dt.timedelta | None:
    """How long to wait after so many failed attempts, with jitter; None if there is no further one."""
    if tries > len(PLAN):
        return None
    return PLAN[tries - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load


def _note_failure(endpoint: WebhookEndpoint, received: Received) -> None:
    """The endpoint fails since the first attempt of a row that failed; after 5 days, or by 410, it is off."""
    now = clock.now()
    if endpoint.failing_since is None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=now)
        endpoint.failing_since = now
    if not endpoint.is_active:
        return
    if received.status == GONE:
        _switch_off(endpoint, OffReason.GONE)
    elif now - endpoint.failing_since >= FAILING:
        _switch_off(endpoint, OffReason.FAILING)


def _switch_off(endpoint: WebhookEndpoint, reason: OffReason) -> None:
    """Send nothing more, and tell the owner: the client's address, else the account's, else the organization's."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        is_active=False, off_reason=reason, updated_at=clock.real_now()
    )
    dropped = drop_waiting(endpoint)
    system = system_actor(endpoint.organization_id, label="webhooks")
    client = endpoint.client
    audit.record(system, "webhook.switched_off", endpoint, after={"why": reason.label}, account=client.account)
    account: Account | None = client.account
    recipient = client.email or (account.email if account is not None else endpoint.organization.email)
    if not recipient:
        return
    page = "storefront:webhook" if account is not None else "bss:webhook"
    queue_mail(
        "webhook_off",
        organization=endpoint.organization,
        recipient=recipient,
        account=account,
        dedupe_key=f"webhook-off:{endpoint.public_id}:{endpoint.failing_since}",
        context={
            "webhook": endpoint,
            "client": client,
            "is_gone": reason == OffReason.GONE,
            "dropped": dropped,
            "link": absolute(reverse(page, args=[endpoint.public_id]), site_of(endpoint.organization, None)),
        },
    )


def forget_deliveries() -> int:
    """Delete what was queued more than 30 days ago, and secrets that no longer sign; returns how many deliveries."""
    old = WebhookDelivery.objects.filter(created_at__lt=clock.now() - KEPT).exclude(state=WebhookState.PENDING)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:PURGED])
    WebhookAttempt.objects.filter(delivery_id__in=ids).delete()
    WebhookDelivery.objects.filter(pk__in=ids).delete()
    over = WebhookEndpoint.objects.filter(previous_until__lte=clock.real_now())
    over.update(previous_secret="", previous_until=None)
    return len(ids)
