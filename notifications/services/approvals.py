"""The mails about orders that wait for a reseller (``channel.md`` 4.4): to those who decide, and to who ordered.

Who ordered reads his own price and nothing of the reseller's cost; the deciders read both on the page, not in the mail.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.urls import reverse

from core.events import Event
from notifications.services.compose import absolute, queue_mail, site_of
from notifications.services.life import subscription_of
from notifications.services.readers import Reader, order_of, to_buyer
from orders.models import Order
from resellers.models import Account, Contact, Membership, Site
from users.permissions import StorefrontRole

DECIDERS = (StorefrontRole.ADMIN.value, StorefrontRole.BUYER.value)


def deciders_of(payer: Account) -> list[Reader]:
    """The payer's people who decide about orders; his primary contact if none of them is there."""
    rows = Membership.objects.filter(account=payer, roles__overlap=list(DECIDERS), user__is_active=True)
    people = [row.user for row in rows.select_related("user").order_by("pk")]
    if people:
        return [Reader(person.email, person.language, person.get_short_name()) for person in people]
    contact = Contact.objects.filter(account=payer).order_by("-is_primary", "pk").first()
    email, name = (contact.email, contact.first_name) if contact else (payer.email, "")
    return [Reader(email, payer.organization.language, name)] if email else []


def to_deciders(event: Event, template: str, order: Order, page: str, extra: dict[str, Any]) -> None:
    """One mail to each of the reseller's deciders, with a link to ``page`` of the order at his own site."""
    link = absolute(reverse(page, args=[order.public_id]), order.site)
    _to_each(event, template, order.payer, order.site, {"order": order, "link": link, **extra})


def _to_each(event: Event, template: str, payer: Account, site: Site | None, context: dict[str, Any]) -> None:
    for reader in deciders_of(payer):
        queue_mail(
            template,
            organization=event.organization,
            site=site,
            recipient=reader.email,
            language=reader.language,
            account=payer,
            dedupe_key=f"{event.public_id}:decider:{reader.email.lower()}",
            context={"first_name": reader.first_name, **context},
        )


def _request_asked(event: Event) -> None:
    """A customer under approval asks for something to be cancelled: his reseller looks at it first."""
    row = subscription_of(event)
    if row is None or row.account.bill_to is None:
        return
    site = site_of(event.organization, row.account)
    link = absolute(reverse("storefront:approval_requests"), site)
    context = {"subscription": row, "event": event.payload, "link": link}
    _to_each(event, "request_for_reseller", row.account.bill_to, site, context)


def _asked(event: Event) -> None:
    order = order_of(event)
    if order is not None:
        to_buyer(event, "order_pending", order, {})
        to_deciders(event, "order_approval", order, "storefront:approval_decide", {"days": 0})


def _reminder(event: Event) -> None:
    order = order_of(event)
    if order is not None:
        extra = {"days": event.payload.get("days", 0)}
        to_deciders(event, "order_approval", order, "storefront:approval_decide", extra)


def _rejected(event: Event) -> None:
    to_buyer(event, "order_rejected", order_of(event), {"reason": event.payload.get("reason", "")})


APPROVALS: dict[str, Callable[[Event], None]] = {
    "order.approval_asked": _asked,
    "order.approval_reminder": _reminder,
    "order.rejected": _rejected,
    "cancellation_request.asked_reseller": _request_asked,
}


def approved(tell_manager: Callable[[Event, Order | None], None], event: Event) -> None:
    """Who ordered hears that it goes on, and so does the account's manager, as of any order that was placed."""
    order = order_of(event)
    to_buyer(event, "order_approved", order, {})
    tell_manager(event, order)


def handlers(tell_manager: Callable[[Event, Order | None], None]) -> dict[str, Callable[[Event], None]]:
    """The handlers by event; ``tell_manager`` is the mail to the account's manager."""
    return {**APPROVALS, "order.approved": partial(approved, tell_manager)}
