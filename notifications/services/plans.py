"""Mails about a reseller's plan, to his Admins: it runs, it has ended, its data goes soon (``channel.md`` 3.5, 12)."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime

from core.events import Event
from core.tenancy import system_actor
from notifications.services.compose import absolute, queue_mail, site_of
from resellers.models import Site
from resellers.routing import site_address
from resellers.selectors import admins_of


def _shop_of(event: Event) -> Site | None:
    return Site.objects.get_visible(system_actor(event.organization_id, label="mail"), event.payload.get("site"))


def _to_admins(event: Event, template: str, extra: dict[str, Any]) -> None:
    """One mail to each Admin of the reseller; without one, to the company's own address."""
    account = event.account
    shop = _shop_of(event)
    if account is None or shop is None:
        return
    readers = [(user.email, user.language, user.get_short_name()) for user in admins_of(account)]
    site = site_of(event.organization, account)
    for address, language, first_name in readers or [(account.email, "", "")]:
        if not address:
            continue
        queue_mail(
            template,
            organization=event.organization,
            site=site,
            account=account,
            recipient=address,
            language=language,
            dedupe_key=f"{event.public_id}:{address}",
            context={
                "first_name": first_name,
                "shop": shop,
                "shop_url": f"{site_address(shop)}/",
                "plans_url": absolute(reverse("storefront:plan_list"), site),
                **extra,
            },
        )


def _activated(event: Event) -> None:
    _to_admins(event, "plan_activated", {"edition": event.payload.get("edition", "")})


def _ended(event: Event) -> None:
    site = _shop_of(event)
    _to_admins(event, "plan_ended", {"until": site.kept_until if site else None})


def _erasing(event: Event) -> None:
    _to_admins(event, "plan_erasing", {"until": parse_datetime(str(event.payload.get("until") or ""))})


PLANS: dict[str, Callable[[Event], None]] = {
    "plan.activated": _activated,
    "plan.ended": _ended,
    "plan.erasing": _erasing,
}
