"""From events to mails: who hears of what (``channel.md`` 12). Unknown events are simply done with."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.urls import reverse

from core import clock, outbox
from core.events import Event, EventState
from core.tenancy import system_actor
from notifications.services.approvals import handlers, to_deciders
from notifications.services.assets import ASSETS
from notifications.services.certificates import CERTIFICATES
from notifications.services.compose import absolute, queue_mail, site_of
from notifications.services.domains import DOMAINS
from notifications.services.life import LIFE, subscription_of
from notifications.services.plans import PLANS
from notifications.services.readers import is_end_customers, order_by_number, order_of, to_buyer
from notifications.services.shops import SHOPS
from notifications.services.stamps import STAMPS
from notifications.services.webhook_queue import queue_deliveries
from orders.models import Order
from resellers.selectors import manager_of
from subscriptions.refusals import cleaned

logger = logging.getLogger(__name__)
CLAIM_SECONDS = 60
MAX_ATTEMPTS = 10
SYSTEM = system_actor(label="mail")


def process_event(event_id: int) -> None:
    """Queue the webhooks and the mails of one event, once: the mails and the event's end are one transaction."""
    event = outbox.claim(Event, event_id, field="state", due=Event.DUE, seconds=CLAIM_SECONDS)
    if event is None:
        return
    try:
        # By itself, so that a mail that cannot be written keeps no webhook back; done twice it writes nothing more.
        queue_deliveries(event)
        with transaction.atomic():
            handle = HANDLERS.get(event.name)
            if handle is not None:
                handle(event)
            for listener in LISTENERS.get(event.name, ()):
                listener(event)
            outbox.release(event, state=EventState.PROCESSED, last_error="")
    except Exception as error:
        logger.exception("event could not be processed", extra={"event": event.name, "event_id": event.pk})
        state = EventState.FAILED if event.attempts >= MAX_ATTEMPTS else EventState.PENDING
        outbox.release(
            event,
            state=state,
            last_error=type(error).__name__,
            not_before=clock.now() + outbox.back_off(event.attempts),
        )


def _to_staff(event: Event, template: str, extra: dict[str, Any]) -> None:
    """One mail to the account's manager, or to the organization's own address, with the full reason."""
    manager = manager_of(event.account) if event.account else None
    address = manager.email if manager else event.organization.email
    if not address:
        return
    queue_mail(
        template,
        organization=event.organization,
        recipient=address,
        language=manager.language if manager else "",
        account=event.account,
        dedupe_key=f"{event.public_id}:staff",
        context={
            "account": event.account,
            "event": event.payload,
            "bss_url": absolute("/bss/", site_of(event.organization, None)),
            **extra,
        },
    )


def _to_manager(event: Event, order: Order | None) -> None:
    """The account's manager hears of orders, unless the order is his own; without one nobody of staff does."""
    manager = manager_of(order.account) if order is not None else None
    if order is None or manager is None or manager.pk == order.buyer_id:
        return
    link = absolute(reverse("bss:order_detail", args=[order.public_id]), site_of(event.organization, None))
    queue_mail(
        "order_for_manager",
        organization=event.organization,
        recipient=manager.email,
        language=manager.language,
        account=order.account,
        dedupe_key=f"{event.public_id}:manager",
        context={
            "order": order,
            "first_name": manager.get_short_name(),
            "is_cancelled": event.name == "order.cancelled",
            "reason": event.payload.get("reason", ""),
            "link": link,
        },
    )


def _order_placed(event: Event) -> None:
    order = order_of(event)
    to_buyer(event, "order_placed", order, {})
    _to_manager(event, order)


def _order_waiting(event: Event) -> None:
    order = order_of(event) or order_by_number(event)
    reason = event.payload.get("reason", "")
    if order is not None and reason == "no_credit" and is_end_customers(order):
        # The credit is his reseller's, who hears of it in the customer's place.
        to_deciders(event, "order_over_credit", order, "storefront:order_detail", {})
    else:
        to_buyer(event, "order_waiting", order, {"reason": reason, "message": event.payload.get("message", "")})
    if reason == "no_credit":
        _to_staff(event, "order_no_credit", {"order": order})


def _order_cancelled(event: Event) -> None:
    order = order_of(event)
    to_buyer(event, "order_cancelled", order, {"reason": event.payload.get("reason", "")})
    _to_manager(event, order)


def _subscription_activated(event: Event) -> None:
    row = subscription_of(event)
    order = order_by_number(event)
    if row is not None:
        site = order.site if order else None
        url = absolute(reverse("storefront:subscription_detail", args=[row.public_id]), site)
        to_buyer(event, "subscription_activated", order, {"subscription": row, "subscription_url": url})


def _subscription_refused(event: Event) -> None:
    row = subscription_of(event)
    extra = {"subscription": row, "reason": cleaned(str(event.payload.get("code", "")))}
    to_buyer(event, "subscription_refused", order_by_number(event), extra)
    _to_staff(event, "provisioning_refused", {"subscription": row})


HANDLERS: dict[str, Callable[[Event], None]] = {
    "order.placed": _order_placed,
    "order.waiting": _order_waiting,
    "order.cancelled": _order_cancelled,
    "subscription.activated": _subscription_activated,
    "subscription.refused": _subscription_refused,
    **handlers(_to_manager),
    **CERTIFICATES,
    **PLANS,
    **DOMAINS,
    **LIFE,
    **ASSETS,
    **SHOPS,
    **STAMPS,
}

# What apps above want to do when something has happened, in the event's transaction; they say so when they start.
LISTENERS: dict[str, list[Callable[[Event], None]]] = {}


def listen(name: str, listener: Callable[[Event], None]) -> None:
    """Have ``listener`` called, once however often this is said, for each event of this name."""
    known = LISTENERS.setdefault(name, [])
    if listener not in known:
        known.append(listener)
