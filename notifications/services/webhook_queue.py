"""From events to deliveries: which endpoints hear of an event, and the text they get (``api.md`` 11).

A delivery is written for an endpoint whose owner can read what the event is about; whether he still can is asked again
before each attempt. The rows of an event are written in one transaction, once: an event that is processed again finds
its rows.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q

from clients.scopes import Right, Scope
from clients.selectors import Caller, reader_of
from core import clock, outbox
from core.events import Event
from notifications.models import SEND_WEBHOOK_TASK, WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.topics import TEST_TOPIC, Message, Topic, body_of, messages_of
from orders.models import Order
from orders.order_values import order_rows
from orders.service_values import addon_rows, licence_rows, quantity_wish, service_rows
from resellers.models import Account
from resellers.selectors import accounts_for

MANAGE = Right(Scope.WEBHOOKS_MANAGE, writes=True)


@transaction.atomic
def queue_deliveries(event: Event) -> list[WebhookDelivery]:
    """Write what webhooks tell of an event, for all endpoints that may know; they go out after the commit."""
    messages = messages_of(event.name, event.payload)
    if not messages:
        return []
    rows: list[WebhookDelivery] = []
    for endpoint in _listening(event, [message.topic.name for message in messages]):
        reader = reader_of(endpoint.client)
        told = [message for message in messages if message.topic.name in endpoint.events]
        rows += [_row(endpoint, event, message) for message in told if may_read(reader, message.topic, message.subject)]
    known = WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True) if rows else []
    made = WebhookDelivery.objects.filter(public_id__in=[row.public_id for row in known])
    _dispatch(made.values_list("pk", flat=True))
    return rows


def _listening(event: Event, topics: Iterable[str]) -> Iterable[WebhookEndpoint]:
    """Live endpoints of the organization, and of resellers the event's account belongs to, that want one of these."""
    rows = WebhookEndpoint.objects.filter(organization_id=event.organization_id, is_active=True)
    concerned = Q(client__account=None)
    if event.account_id is not None:
        payer = Account.objects.filter(pk=event.account_id).values("bill_to_id")
        concerned |= Q(client__account_id=event.account_id) | Q(client__account_id__in=payer)
    order = event.payload.get("order")
    if order and _is_uuid(order):
        # An order stays its payer's, also if the account has another one by now.
        concerned |= Q(client__account_id__in=Order.objects.filter(public_id=order).values("payer_id"))
    related = ("client__account", "client__organization")
    return rows.filter(concerned, events__overlap=list(topics)).select_related(*related).order_by("pk")


def _is_uuid(text: object) -> bool:
    try:
        uuid.UUID(str(text))
    except ValueError:
        return False
    return True


def may_read(reader: Caller | None, topic: Topic, subject: Mapping[str, Any]) -> bool:
    """Whether the owner of an endpoint may have webhooks at all, and read what this message is about, now."""
    if reader is None or reader.refusal_of(MANAGE) or reader.refusal_of(topic.kind.right):
        return False
    return topic is TEST_TOPIC or _sees(reader, topic, subject)


def _sees(reader: Caller, topic: Topic, subject: Mapping[str, Any]) -> bool:
    """Whether the API shows him the object: by the very selectors its reads go through."""
    actor, about = reader.actor, subject.get(topic.kind.key)
    match topic.kind.key:
        case "account":
            return accounts_for(actor).filter(pk=int(about or 0)).exists()
        case "order":
            return order_rows(actor).get_visible(actor, about) is not None
        case "asset":
            return licence_rows(actor).get_visible(actor, about) is not None
        case "addon":
            return addon_rows(actor).get_visible(actor, about) is not None
    service = service_rows(actor).get_visible(actor, subject.get("subscription"))
    if topic.kind.key == "request":
        return service is not None and quantity_wish(actor, service.pk, about) is not None
    return service is not None


def _row(endpoint: WebhookEndpoint, event: Event, message: Message) -> WebhookDelivery:
    # The same event and topic has the same id at each endpoint, and when the event is processed again.
    made = uuid.uuid5(event.public_id, f"{message.topic.name}:{message.about}")
    message_id = f"evt_{made.hex}"
    return WebhookDelivery(
        organization_id=endpoint.organization_id,
        endpoint=endpoint,
        message_id=message_id,
        topic=message.topic.name,
        subject=dict(message.subject),
        body=_body(endpoint, message, message_id, event.happened_at),
    )


def _body(endpoint: WebhookEndpoint, message: Message, message_id: str, at: dt.datetime) -> str:
    version = endpoint.api_version
    return body_of(message, organization_id=endpoint.organization_id, version=version, message_id=message_id, at=at)


def queue_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Write the delivery of a test."""
    message = Message(TEST_TOPIC, {"webhook": str(endpoint.public_id)}, ())
    message_id = f"evt_{uuid.uuid4().hex}"
    row = WebhookDelivery.objects.create(
        organization_id=endpoint.organization_id,
        endpoint=endpoint,
        message_id=message_id,
        topic=TEST_TOPIC.name,
        subject=dict(message.subject),
        body=_body(endpoint, message, message_id, clock.now()),
    )
    _dispatch([row.pk])
    return row


def queue_again(row: WebhookDelivery) -> WebhookDelivery:
    """Send a delivery from the beginning of the plan; one that a worker has in hand is left to him."""
    values = {"state": WebhookState.PENDING, "tries": 0, "not_before": clock.now(), "last_error": ""}
    WebhookDelivery.objects.filter(pk=row.pk).update(updated_at=clock.real_now(), **values)
    for name, value in values.items():
        setattr(row, name, value)
    _dispatch([row.pk])
    return row


def _dispatch(ids: Iterable[int]) -> None:
    for pk in ids:
        outbox.dispatch(SEND_WEBHOOK_TASK, pk)
