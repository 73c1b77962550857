"""The mails about the life of a subscription (``channel.md`` 12): the account and who pays for it, staff, requesters.

A vendor's own words go to staff only; others read what :func:`subscriptions.refusals.cleaned` leaves of a refusal.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core.events import Event
from core.tenancy import system_actor
from notifications.services.compose import absolute, queue_mail, site_of
from notifications.services.readers import for_account
from resellers.enums import AccountKind
from resellers.models import Account, Site
from resellers.selectors import manager_of
from subscriptions.enums import Purpose, RequestKind
from subscriptions.models import CancellationRequest, ScheduledChange, Subscription
from subscriptions.periods import renews_on
from subscriptions.refusals import cleaned

SYSTEM = system_actor(label="mail")


def subscription_of(event: Event) -> Subscription | None:
    """The subscription an event is about; one of another organization is not there."""
    rows = Subscription.objects.visible_to(system_actor(event.organization_id))
    rows = rows.select_related("account__bill_to", "account__account_manager", "plan", "product")
    return rows.get_visible(SYSTEM, event.payload.get("subscription"))


def _request_of(event: Event) -> CancellationRequest | None:
    rows = CancellationRequest.objects.visible_to(system_actor(event.organization_id))
    return rows.select_related("requested_by_user").get_visible(SYSTEM, event.payload.get("request"))


def _shop_of(event: Event, account: Account) -> Site | None:
    """Where the people of an account look after it: a sub account at its reseller's site, if he has one."""
    return site_of(event.organization, account)


def _shop_url(row: Subscription, site: Site | None) -> str:
    return absolute(reverse("storefront:subscription_detail", args=[row.public_id]), site)


def _bss_url(event: Event, page: str, public_id: object) -> str:
    return absolute(reverse(page, args=[public_id]), site_of(event.organization, None))


def _to_account(event: Event, template: str, row: Subscription, extra: dict[str, Any]) -> None:
    """One mail to the primary contact of the account, and one to the reseller who pays for it; each address once.

    A managed copy's people hear of it from their reseller's own organization, and never from here.
    """
    if row.account.kind == AccountKind.MANAGED_COPY:
        return
    told = set()
    for role, account in (("account", row.account), ("reseller", row.account.bill_to)):
        contact = account.contacts.first() if account is not None else None
        address = (contact.email if contact else "") or (account.email if account else "")
        if account is None or not address or address.lower() in told:
            continue
        told.add(address.lower())
        site, service = _shop_of(event, account), for_account(row, account)
        context = {
            "subscription": service,
            "event": event.payload,
            "first_name": contact.first_name if contact else "",
            "link": _shop_url(row, site),
            "renews_on": renews_on(row),
            **extra,
        }
        if service.is_customers_view and event.payload.get("sell_name"):
            context["event"] = context["event"] | {"name": event.payload["sell_name"]}
        queue_mail(
            template,
            organization=event.organization,
            site=site,
            recipient=address,
            account=account,
            dedupe_key=f"{event.public_id}:{role}",
            context=context,
        )


def _to_staff(event: Event, template: str, row: Subscription, link: str, extra: dict[str, Any]) -> None:
    """One mail to the account's manager, or to the organization's own address."""
    manager = manager_of(row.account)
    address = manager.email if manager else event.organization.email
    if not address:
        return
    queue_mail(
        template,
        organization=event.organization,
        recipient=address,
        language=manager.language if manager else "",
        account=row.account,
        dedupe_key=f"{event.public_id}:staff",
        context={"subscription": row, "event": event.payload, "link": link, **extra},
    )


def _news(template: str, event: Event) -> None:
    """The account and its reseller hear of it."""
    row = subscription_of(event)
    if row is not None:
        _to_account(event, template, row, {})


def _changed(event: Event) -> None:
    row = subscription_of(event)
    if row is not None:
        shown: dict[str, Any] = {"before": {}, "after": {}, "purpose": ""} | event.payload
        _to_account(event, "subscription_changed", row, {"event": shown})


def _scheduled(event: Event) -> None:
    row = subscription_of(event)
    found = ScheduledChange.objects.filter(subscription=row).select_related("plan").first() if row else None
    if row is not None and found is not None:
        _to_account(event, "schedule_set", row, {"schedule": found})


def _schedule_failed(event: Event) -> None:
    row = subscription_of(event)
    if row is None:
        return
    _to_account(event, "schedule_failed", row, {})
    link = _bss_url(event, "bss:subscription_detail", row.public_id)
    _to_staff(event, "schedule_failed_staff", row, link, {})


def _change_refused(event: Event) -> None:
    """The account reads what may be said of it, staff the vendor's own words."""
    row = subscription_of(event)
    if row is None:
        return
    purpose = str(event.payload.get("purpose", ""))
    what = Purpose(purpose).label if purpose in Purpose.values else _("Change")
    # A schedule that was refused has failed as well, and that mail says it; nobody reads the same twice.
    if purpose != Purpose.SCHEDULE:
        reason = cleaned(str(event.payload.get("code", "")))
        _to_account(event, "change_refused", row, {"what": what, "reason": reason, "event": {}})
    link = _bss_url(event, "bss:subscription_detail", row.public_id)
    _to_staff(event, "change_refused_staff", row, link, {"what": what})


def _what(event: Event) -> Any:
    kind = str(event.payload.get("kind", ""))
    return RequestKind(kind).label if kind in RequestKind.values else _("Change")


def _request_submitted(event: Event) -> None:
    """Notification 3: somebody has to decide."""
    row, request = subscription_of(event), _request_of(event)
    if row is None or request is None:
        return
    link = _bss_url(event, "bss:request_detail", request.public_id)
    _to_staff(event, "request_submitted", row, link, {"what": _what(event), "who": request.requested_by})


def _request_decided(template: str, event: Event) -> None:
    """Notifications 6 and 9: the requester hears what became of it."""
    row, request = subscription_of(event), _request_of(event)
    user = request.requested_by_user if request is not None else None
    if row is None or user is None or not user.is_active:
        return
    site = _shop_of(event, row.account)
    queue_mail(
        template,
        organization=event.organization,
        site=site,
        recipient=user.email,
        language=user.language,
        account=row.account,
        dedupe_key=f"{event.public_id}:requester",
        context={
            "subscription": for_account(
                row, row.account if user.memberships.filter(account=row.account).exists() else None
            ),
            "event": event.payload,
            "first_name": user.get_short_name(),
            "what": _what(event),
            "link": _shop_url(row, site),
        },
    )


LIFE: dict[str, Callable[[Event], None]] = {
    "subscription.changed": _changed,
    "subscription.suspended": partial(_news, "subscription_suspended"),
    "subscription.reactivated": partial(_news, "subscription_reactivated"),
    "subscription.ending": partial(_news, "subscription_ending"),
    "subscription.cancelled": partial(_news, "subscription_cancelled"),
    "subscription.renewed": partial(_news, "subscription_renewed"),
    "subscription.renewing": partial(_news, "subscription_renewing"),
    "subscription.scheduled": _scheduled,
    "subscription.schedule_applied": partial(_news, "schedule_applied"),
    "subscription.schedule_failed": _schedule_failed,
    "subscription.change_refused": _change_refused,
    "cancellation_request.submitted": _request_submitted,
    "cancellation_request.completed": partial(_request_decided, "request_completed"),
    "cancellation_request.rejected": partial(_request_decided, "request_rejected"),
}
