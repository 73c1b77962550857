"""Endpoints of webhooks: make, change, switch off, delete, another secret, a test, and a delivery once more.

Nothing here speaks to a receiver: rows are written, and :mod:`notifications.services.webhook_send` sends them.
"""

import base64
import datetime as dt
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import ApiClient
from core import audit, clock, crypto
from core.errors import BusinessError, Conflict, NotVisible
from core.http import AddressRefused, is_public_address
from core.tenancy import Actor
from notifications.delivery import guard
from notifications.models import OffReason, WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.services.webhook_queue import queue_again, queue_test
from notifications.topics import TOPICS
from resellers.editions import Capability, require_capability
from resellers.models import Account, Organization
from users.permissions import Perm

MOST_ENDPOINTS = 10
OVERLAP = dt.timedelta(hours=24)
VERSION = "3.0"
PREFIX = "whsec_"
# Names that lead nowhere outside, whatever the resolver says.
INNER_ENDS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def new_secret() -> str:
    """A secret by Standard Webhooks: 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _require(actor: Actor, client: ApiClient) -> None:
    """Employees manage every endpoint, a reseller's Admin those of his account, a program its own."""
    if actor.is_customer and client.account_id != actor.account_id:
        raise NotVisible("webhook_missing", _("This webhook does not exist."))
    actor.require(Perm.SHOP_WEBHOOKS if actor.is_customer else Perm.WEBHOOK_MANAGE, client.account)


@transaction.atomic
def create_webhook(
    actor: Actor, *, client: ApiClient, url: str, events: Sequence[str], is_active: bool = True
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint of an application user; returns it with its secret, told only now.

    Raises BusinessError ``webhook_client`` for a revoked client, ``edition_required``, ``webhook_limit`` above ten of
    the account, ``webhook_url``, ``webhook_events``.
    """
    _require(actor, client)
    if not client.is_live:
        raise BusinessError("webhook_client", _("This API client is revoked. Choose another."), field="client")
    _lock_owner(client)
    if client.account is not None:
        require_capability(client.account, Capability.API_WRITE)
    same = {"client__organization": client.organization, "client__account": client.account}
    known = WebhookEndpoint.objects.filter(**same)
    if known.count() >= MOST_ENDPOINTS:
        raise BusinessError(
            "webhook_limit", _("There are %(n)s webhooks already. Delete one first.") % {"n": MOST_ENDPOINTS}
        )
    secret = new_secret()
    row = WebhookEndpoint.objects.create(
        organization_id=client.organization_id,
        client=client,
        url=_checked_url(url),
        events=_checked_events(events),
        api_version=VERSION,
        secret=crypto.encrypt(secret),
        is_active=is_active,
        off_reason="" if is_active else OffReason.BY_HAND,
    )
    audit.record(actor, "webhook.created", row, after=_shown(row), account=client.account)
    return row, secret


def _lock_owner(client: ApiClient) -> None:
    """One at a time counts the endpoints of an account."""
    if client.account_id is not None:
        Account.objects.select_for_update(of=("self",), no_key=True).get(pk=client.account_id)
    else:
        Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=client.organization_id)


@transaction.atomic
def update_webhook(actor: Actor, *, endpoint: WebhookEndpoint, values: Mapping[str, Any]) -> WebhookEndpoint:
    """Change address and events, switch it on or off; what still waits for one that is switched off is not sent."""
    row = _locked(actor, endpoint)
    before = _shown(row)
    if "url" in values:
        row.url = _checked_url(values["url"])
    if "events" in values:
        row.events = _checked_events(values["events"])
    wants = bool(values.get("is_active", row.is_active))
    if wants and not row.is_active:
        row.is_active, row.off_reason, row.failing_since = True, "", None
    elif row.is_active and not wants:
        row.is_active, row.off_reason = False, OffReason.BY_HAND
        drop_waiting(row)
    row.save()
    if _shown(row) != before:
        audit.record(actor, "webhook.updated", row, before=before, after=_shown(row), account=row.client.account)
    return row


@transaction.atomic
def delete_webhook(actor: Actor, *, endpoint: WebhookEndpoint) -> None:
    """Take the endpoint away with all its deliveries."""
    row = _locked(actor, endpoint)
    audit.record(actor, "webhook.deleted", row, before=_shown(row), account=row.client.account)
    row.delete()


@transaction.atomic
def rotate_webhook(actor: Actor, *, endpoint: WebhookEndpoint) -> str:
    """Give the endpoint another secret, told only now; for 24 hours what is sent has a signature of the old one too."""
    row = _locked(actor, endpoint)
    secret = new_secret()
    row.previous_secret, row.previous_until = row.secret, clock.real_now() + OVERLAP
    row.secret = crypto.encrypt(secret)
    row.save()
    audit.record(actor, "webhook.rotated", row, account=row.client.account)
    return secret


@transaction.atomic
def test_webhook(actor: Actor, *, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send ``webhook.test``; raises Conflict ``webhook_off`` for an endpoint that is off."""
    row = _locked(actor, endpoint)
    _demand_active(row)
    audit.record(actor, "webhook.tested", row, account=row.client.account)
    return queue_test(row)


@transaction.atomic
def replay_delivery(actor: Actor, *, endpoint: WebhookEndpoint, public_id: object) -> WebhookDelivery:
    """Send a delivery once more, with its ``webhook-id`` and its text as they were; one that still waits goes at once.

    Raises NotVisible ``delivery_missing`` for one that is not of this endpoint, Conflict ``webhook_off``.
    """
    row = _locked(actor, endpoint)
    rows = WebhookDelivery.objects.visible_to(actor).select_for_update(of=("self",)).filter(endpoint=row)
    found = rows.get_visible(actor, public_id)
    if found is None:
        raise NotVisible("delivery_missing", _("This delivery does not exist."))
    _demand_active(row)
    audit.record(actor, "webhook.replayed", row, after={"message": found.message_id}, account=row.client.account)
    return queue_again(found)


def drop_waiting(row: WebhookEndpoint) -> int:
    """What waits for an endpoint that is off is not sent any more; it can be replayed."""
    waiting = WebhookDelivery.objects.filter(endpoint=row, state=WebhookState.PENDING)
    return waiting.update(
        state=WebhookState.DROPPED, last_error="endpoint_off", claim_token=None, updated_at=clock.real_now()
    )


def _demand_active(row: WebhookEndpoint) -> None:
    if not row.is_active:
        raise Conflict("webhook_off", _("This webhook is off. Switch it on first."))


def _locked(actor: Actor, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.visible_to(actor).select_for_update(of=("self",)).select_related("client__account")
    row = rows.filter(pk=endpoint.pk).first()
    if row is None:
        raise NotVisible("webhook_missing", _("This webhook does not exist."))
    _require(actor, row.client)
    return row


def _checked_url(url: object) -> str:
    """The address if it can be one of the open internet; where its name leads is looked at when something is sent."""
    text = str(url).strip()
    words = _("Type an https address of the public internet, such as https://erp.example.com/hooks.")
    refused = BusinessError("webhook_url", words, field="url")
    if len(text) > 500 or not text.isascii() or any(character <= " " or character == "\\" for character in text):
        raise refused
    try:
        parts = urlsplit(text)
        rule, host, _port = guard(), (parts.hostname or "").rstrip("."), parts.port
        rule.check_url(text)
    except (AddressRefused, ValueError) as error:
        raise refused from error
    if parts.fragment or (not rule.is_listed(host) and _leads_inside(host)):
        raise refused
    return text


def _leads_inside(host: str) -> bool:
    try:
        return not is_public_address(host)
    except ValueError:
        pass  # It is a name, not an address.
    try:
        # Old forms of IPv4 such as 127.1 or 2130706433, which resolvers still understand.
        ipaddress.ip_address(int(host, 0))
        return True
    except ValueError:
        return "." not in host or host.endswith(INNER_ENDS) or host.rpartition(".")[2].isdigit()


def _checked_events(events: object) -> list[str]:
    names = [events] if isinstance(events, str) else list(events) if isinstance(events, Sequence) else []
    unknown = [str(name)[:60] for name in names if name not in TOPICS]
    if unknown or not names:
        words = (
            _("Choose at least one event.") if not names else _("There is no event %(name)s.") % {"name": unknown[0]}
        )
        raise BusinessError("webhook_events", words, field="events")
    return [name for name in TOPICS if name in set(names)]


def _shown(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "url": row.url,
        "events": ", ".join(row.events),
        "active": row.is_active,
        "client": row.client.name,
        "why off": row.off_reason,
    }
