"""Reads of outgoing mail and of webhooks."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q

from clients.models import ApiClient
from clients.selectors import clients_for
from core import clock
from core.tenancy import Actor, TenantQuerySet
from notifications.models import OutgoingMail, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from resellers.editions import CAPABILITIES, Capability
from users.permissions import Perm

KEPT = dt.timedelta(days=30)


def mails_for(actor: Actor) -> TenantQuerySet[OutgoingMail]:
    """Mails the actor may look at, newest first; pages show :func:`mail_text` of them."""
    return OutgoingMail.objects.visible_to(actor).select_related("account").order_by("-id")


def mail_text(actor: Actor, mail: OutgoingMail) -> str:
    """What a mail says; the empty string for one with a personal link, which is for its recipient only."""
    actor.require(Perm.MAIL_VIEW)
    return "" if mail.is_secret else mail.text


def template_choices(actor: Actor) -> list[tuple[str, str]]:
    """The kinds of mail that were written so far, as choices of a filter."""
    names = OutgoingMail.objects.visible_to(actor).order_by("template").values_list("template", flat=True).distinct()
    return [(name, name.replace("_", " ").capitalize()) for name in names]


# --- Webhooks ---------------------------------------------------------------------------------------------------------
def webhooks_for(actor: Actor) -> TenantQuerySet[WebhookEndpoint]:
    """Endpoints the actor may see: employees all, a reseller's people those of their own account's programs."""
    rows = WebhookEndpoint.objects.visible_to(actor).select_related("client__account")
    if actor.is_customer:
        rows = rows.filter(client__account_id=actor.account_id or 0)
    return rows.order_by("-id")


def webhooks_of(actor: Actor, client: ApiClient) -> TenantQuerySet[WebhookEndpoint]:
    """Endpoints of one program."""
    return webhooks_for(actor).filter(client=client)


def deliveries_of(actor: Actor, endpoint: WebhookEndpoint) -> TenantQuerySet[WebhookDelivery]:
    """What was sent to an endpoint in the last 30 days, or waits to be, newest first."""
    rows = WebhookDelivery.objects.visible_to(actor).filter(endpoint=endpoint)
    return rows.filter(created_at__gte=clock.now() - KEPT).order_by("-id")


def attempts_of(actor: Actor, delivery_ids: Iterable[int]) -> dict[int, list[WebhookAttempt]]:
    """The log of deliveries, by delivery, oldest attempt first."""
    found: dict[int, list[WebhookAttempt]] = {}
    rows = WebhookAttempt.objects.visible_to(actor).filter(delivery_id__in=list(delivery_ids))
    for row in rows.order_by("delivery_id", "id"):
        found.setdefault(row.delivery_id, []).append(row)
    return found


def programs_for(actor: Actor) -> TenantQuerySet[ApiClient]:
    """Live programs that can have webhooks."""
    rows = clients_for(actor).filter(revoked_at=None)
    able = [edition for edition, has in CAPABILITIES.items() if Capability.API_WRITE in has]
    return rows.filter(Q(account=None) | Q(account__edition__in=able)).order_by("name", "id")
