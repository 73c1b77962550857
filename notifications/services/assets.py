"""The mails about licences (``esd.md`` 8): the key to its reader, what became of orders and returns, and to staff.

The stored text of a mail with a key holds it masked; :mod:`notifications.services.send` puts the real one in. Customers
read a refusal as :func:`subscriptions.refusals.cleaned` leaves it, staff in the vendor's own words.
"""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

from django.urls import reverse

from billing.selectors import credit_of_asset
from core import money
from core.events import Event
from core.tenancy import system_actor
from notifications.services.compose import absolute, queue_mail, site_of
from notifications.services.readers import for_account, order_of, to_buyer
from resellers.models import Account, Contact, Membership
from resellers.selectors import manager_of
from subscriptions.asset_enums import DeliveryNote
from subscriptions.asset_selectors import delivery_account, delivery_addresses
from subscriptions.models import Asset, AssetReturn
from subscriptions.refusals import cleaned
from subscriptions.services.keys import note_delivery, shown_keys
from users.permissions import StaffRole

SYSTEM = system_actor(label="mail")


def asset_of(event: Event) -> Asset | None:
    """The licence an event is about; one of another organization is not there."""
    rows = Asset.objects.visible_to(system_actor(event.organization_id))
    rows = rows.select_related("account__bill_to", "account__account_manager", "bill_to", "product")
    return rows.get_visible(SYSTEM, event.payload.get("asset"))


def _return_of(event: Event) -> AssetReturn | None:
    rows = AssetReturn.objects.visible_to(system_actor(event.organization_id))
    return rows.select_related("requested_by_user").get_visible(SYSTEM, event.payload.get("request"))


def _facts(event: Event, row: Asset) -> dict[str, Any]:
    """What every mail about a licence can show; the last day of a return counts in UTC."""
    until = row.returnable_until.astimezone(dt.UTC).date() if row.returnable_until else None
    return {"asset": row, "event": event.payload, "returnable_day": until}


def _shop_link(event: Event, row: Asset, account: Account | None) -> tuple[Any, str]:
    """The site its reader uses, and the licence's page there."""
    site = site_of(event.organization, account)
    return site, absolute(reverse("storefront:asset_detail", args=[row.public_id]), site)


def _mail_key(event: Event, row: Asset, address: str, dedupe_key: str) -> None:
    account = delivery_account(row)
    contact = Contact.objects.filter(account=account, email__iexact=address).first()
    site, link = _shop_link(event, row, account)
    queue_mail(
        "perpetual_ready" if row.is_perpetual else "licence_ready",
        organization=event.organization,
        site=site,
        recipient=address,
        account=account,
        asset_id=row.pk,
        dedupe_key=dedupe_key,
        context={
            **_facts(event, for_account(row, account)),
            "first_name": contact.first_name if contact else "",
            "link": link,
            "keys": shown_keys(row) if row.is_perpetual else [],
        },
    )


def _activated(event: Event) -> None:
    """*Welcome Microsoft ESD customer*, once for each licence, however often its operation or this is repeated."""
    row = asset_of(event)
    if row is None:
        return
    known = delivery_addresses(row)
    if known:
        _mail_key(event, row, known[0], f"asset:{row.public_id}:key")
    else:
        note_delivery(row.pk, DeliveryNote.FAILED)


def _resent(event: Event) -> None:
    row, address = asset_of(event), str(event.payload.get("to") or "")
    # The address was checked when it was asked for; whoever left the account since then gets no key.
    if row is not None and address in delivery_addresses(row):
        _mail_key(event, row, address, f"{event.public_id}:key")
    elif row is not None:
        note_delivery(row.pk, DeliveryNote.FAILED)


def _order_news(template: str, event: Event) -> None:
    """Who ordered hears that a licence was refused or given up."""
    row = asset_of(event)
    if row is not None:
        reason = cleaned(str(event.payload.get("code", "")))
        to_buyer(event, template, order_of(event), {**_facts(event, row), "reason": reason})


def _refused(event: Event) -> None:
    _order_news("licence_refused", event)
    row = asset_of(event)
    if row is not None:
        _to_staff(event, "licence_failed_staff", row, reverse("bss:asset_detail", args=[row.public_id]))


def _to_staff(event: Event, template: str, row: Asset, path: str) -> None:
    """One mail to the account's manager, or to the organization's own address."""
    manager = manager_of(row.account)
    address = manager.email if manager else event.organization.email
    if address:
        queue_mail(
            template,
            organization=event.organization,
            recipient=address,
            language=manager.language if manager else "",
            account=row.account,
            dedupe_key=f"{event.public_id}:staff",
            context={**_facts(event, row), "link": absolute(path, site_of(event.organization, None))},
        )


def _return_news(template: str, event: Event) -> None:
    """Who asked for a return hears how it stands; one that staff began is told to who got the key."""
    row, request = asset_of(event), _return_of(event)
    if row is None or request is None:
        return
    user = request.requested_by_user
    by_customer = user is not None and user.is_active and user.memberships.filter(account__isnull=False).exists()
    addresses = [user.email] if by_customer and user is not None else delivery_addresses(row)[:1]
    reader = user if by_customer else None
    account = row.account if by_customer else delivery_account(row)
    site, link = _shop_link(event, row, account)
    for address in addresses:
        queue_mail(
            template,
            organization=event.organization,
            site=site,
            recipient=address,
            language=reader.language if reader else "",
            account=account,
            dedupe_key=f"{event.public_id}:requester",
            context={
                **_facts(event, for_account(row, account)),
                "first_name": reader.get_short_name() if reader else "",
                "credit": _credited(row, account),
                "link": link,
            },
        )


def _credited(row: Asset, account: Account | None) -> str:
    """What the reader is credited: what was charged to who pays, or what the reseller's customer paid him."""
    if account is None or account.pk == row.bill_to_id:
        return credit_of_asset(row.pk)
    line = row.order_lines.filter(sell_gross__isnull=False).first()
    return money.show(line.sell_gross, row.currency) if line is not None and line.sell_gross is not None else ""


def _return_submitted(event: Event) -> None:
    _return_news("return_submitted", event)
    row, request = asset_of(event), _return_of(event)
    if row is not None and request is not None:
        _to_staff(event, "return_submitted_staff", row, reverse("bss:return_detail", args=[request.public_id]))


def _reveal_limit(event: Event) -> None:
    """Somebody looked at very many keys: the organization's administrators hear of it."""
    row = asset_of(event)
    if row is None:
        return
    path = reverse("bss:asset_detail", args=[row.public_id])
    rows = Membership.objects.filter(
        organization=event.organization, account=None, roles__contains=[StaffRole.ADMINISTRATOR], user__is_active=True
    )
    for membership in rows.select_related("user").order_by("pk"):
        queue_mail(
            "reveal_limit",
            organization=event.organization,
            recipient=membership.user.email,
            language=membership.user.language,
            account=row.account,
            dedupe_key=f"{event.public_id}:{membership.pk}",
            context={**_facts(event, row), "link": absolute(path, site_of(event.organization, None))},
        )


ASSETS: dict[str, Callable[[Event], None]] = {
    "asset.activated": _activated,
    "asset.resent": _resent,
    "asset.refused": _refused,
    "asset.given_up": partial(_order_news, "licence_given_up"),
    "asset.return_submitted": _return_submitted,
    "asset.return_rejected": partial(_return_news, "return_refused"),
    "asset.return_completed": partial(_return_news, "return_completed"),
    "asset.reveal_limit": _reveal_limit,
}
