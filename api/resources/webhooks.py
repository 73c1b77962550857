"""Webhooks on the wire (``api.md`` 11): endpoints, deliveries with their attempts, and topics with a sample each."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from api.fields import Column, Columns
from api.wire import moment
from notifications.models import OffReason, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.topics import TEST_TOPIC, TOPICS, Message, Topic, body_of, sample_subject

STATES = {state: str(state.value).capitalize() for state in WebhookState}
STATE_WORDS = {word: (state.value,) for state, word in STATES.items()}
OFF_WORDS = {OffReason.BY_HAND: "SwitchedOff", OffReason.GONE: "Gone", OffReason.FAILING: "Failing"}
SAMPLE_ID = "evt_3f1c2a1000004000800000000000ff01"
SAMPLE_MOMENT = dt.datetime(2026, 1, 31, 10, 0, tzinfo=dt.UTC)
COLUMNS = Columns(
    (
        Column("id", "guid", "public_id"),
        Column("url", "text", "url", orders=True),
        Column("isActive", "bool", "is_active"),
        Column("failingSince", "moment", "failing_since", orders=True, nullable=True),
        Column("createdAt", "moment", "created_at", orders=True),
    ),
    default_order=("createdAt", True),
)
_READ = ("pk", "public_id", "url", "events", "api_version", "is_active", "off_reason", "created_at", "failing_since")
DELIVERY_COLUMNS = Columns(
    (
        Column("id", "guid", "public_id"),
        Column("webhookId", "text", "message_id"),
        Column("event", "text", "topic", orders=True),
        Column("status", "word", "state", words=STATE_WORDS),
        Column("responseStatus", "integer", "last_status", nullable=True),
        Column("lastAttemptAt", "moment", "last_tried_at", orders=True, nullable=True),
        Column("createdAt", "moment", "created_at", orders=True),
    ),
    default_order=("createdAt", True),
)
_READ_DELIVERY = (
    "pk",
    "public_id",
    "message_id",
    "topic",
    "state",
    "not_before",
    "last_status",
    "last_error",
    "last_milliseconds",
    "last_tried_at",
    "created_at",
)


def read(rows: QuerySet[Any], part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the endpoints as values."""
    return list(rows.values(*_READ, *more)[part])


def webhook(row: Mapping[str, Any]) -> dict[str, Any]:
    """An endpoint, without its secret."""
    return {
        "id": row["public_id"],
        "url": row["url"],
        "events": row["events"],
        "apiVersion": row["api_version"],
        "isActive": row["is_active"],
        "offReason": OFF_WORDS[row["off_reason"]] if row["off_reason"] else None,
        "createdAt": moment(row["created_at"]),
        "failingSince": moment(row["failing_since"]),
    }


def webhook_of(row: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint just written."""
    return webhook({name: getattr(row, name) for name in _READ})


def read_deliveries(rows: QuerySet[Any], part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the deliveries as values."""
    return list(rows.values(*_READ_DELIVERY, *more)[part])


def delivery(row: Mapping[str, Any], log: Iterable[WebhookAttempt]) -> dict[str, Any]:
    """A delivery with every attempt."""
    is_open = row["state"] == WebhookState.PENDING
    return {
        "id": row["public_id"],
        "webhookId": row["message_id"],
        "event": row["topic"],
        "status": STATES[WebhookState(row["state"])],
        "responseStatus": row["last_status"],
        "milliseconds": row["last_milliseconds"],
        "error": row["last_error"] or None,
        "createdAt": moment(row["created_at"]),
        "lastAttemptAt": moment(row["last_tried_at"]),
        "nextAttemptAt": moment(row["not_before"]) if is_open else None,
        "attempts": [
            {
                "at": moment(attempt.created_at),
                "responseStatus": attempt.status,
                "milliseconds": attempt.milliseconds,
                "error": attempt.error or None,
                "answer": attempt.answer or None,
            }
            for attempt in log
        ],
    }


def delivery_of(row: WebhookDelivery, log: Iterable[WebhookAttempt] = ()) -> dict[str, Any]:
    """A delivery just written."""
    return delivery({name: getattr(row, name) for name in _READ_DELIVERY}, log)


def topics(organization_id: int) -> list[dict[str, Any]]:
    """Every event with a sample body, the test at the end."""
    return [_topic(topic, organization_id) for topic in (*TOPICS.values(), TEST_TOPIC)]


def _topic(topic: Topic, organization_id: int) -> dict[str, Any]:
    message = Message(topic, sample_subject(topic), topic.changed)
    text = body_of(message, organization_id=organization_id, version="3.0", message_id=SAMPLE_ID, at=SAMPLE_MOMENT)
    return {"name": topic.name, "description": str(topic.words), "sample": json.loads(text)}
