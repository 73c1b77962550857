"""A shop whose programs have webhooks, and what is told of an event there."""

import json
from typing import Any

from clients.models import ApiClient
from clients.services.clients import create_client
from core import outbox
from core.events import Event, emit
from core.tenancy import Actor
from notifications.models import SEND_WEBHOOK_TASK, WebhookDelivery, WebhookEndpoint
from notifications.services.events import process_event
from notifications.services.webhook_send import send_delivery
from notifications.services.webhooks import create_webhook
from notifications.topics import TOPICS
from resellers.enums import Edition
from resellers.models import Account
from subscriptions.models import Subscription
from tests.shop import Shop

URL = "https://erp.example.com/hooks"


def with_edition(account: Account, edition: str = Edition.STANDARD) -> Account:
    """The account with this edition."""
    Account.objects.filter(pk=account.pk).update(edition=edition)
    account.refresh_from_db()
    return account


def program_of(shop: Shop, of: Account | None = None, *, scopes: tuple[str, ...] = (), email: str = "") -> ApiClient:
    """An application user."""
    return create_client(shop.staff, account=of, name="Sync", email=email, scopes=scopes)[0]


def hook(
    shop: Shop,
    of: Account | None = None,
    *,
    url: str = URL,
    events: tuple[str, ...] = tuple(TOPICS),
    scopes: tuple[str, ...] = (),
    actor: Actor | None = None,
    email: str = "",
) -> WebhookEndpoint:
    """An endpoint of a new program; of all events unless some are named."""
    client = program_of(shop, of, scopes=scopes, email=email)
    return create_webhook(actor or shop.staff, client=client, url=url, events=events)[0]


def happen(name: str, row: Subscription | Account, **payload: Any) -> Event:
    """An event about a subscription or an account, processed as the worker does."""
    account = row if isinstance(row, Account) else row.account
    about = {"account": row.pk} if isinstance(row, Account) else {"subscription": str(row.public_id)}
    event = emit(name, about | payload, organization_id=account.organization_id, account_id=account.pk)
    process_event(event.pk)
    return event


def process_all() -> None:
    """Process every event that waits."""
    for pk in Event.objects.filter(state="pending").order_by("pk").values_list("pk", flat=True):
        process_event(pk)


def told(endpoint: WebhookEndpoint) -> list[str]:
    """The topics of an endpoint's deliveries, oldest first."""
    return list(WebhookDelivery.objects.filter(endpoint=endpoint).order_by("pk").values_list("topic", flat=True))


def bodies(endpoint: WebhookEndpoint) -> list[dict[str, Any]]:
    """Their bodies."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).order_by("pk")
    return [json.loads(row.body) for row in rows]


def send_due() -> int:
    """Send what is due, as the workers would."""
    source = next(row for row in outbox.sources() if row.task == SEND_WEBHOOK_TASK)
    ids = list(outbox.due_rows(source).values_list("pk", flat=True))
    for pk in ids:
        send_delivery(pk)
    return len(ids)
