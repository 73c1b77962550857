"""Mails about a custom domain, to the Admins of the reseller whose storefront it is (``channel.md`` 4.1)."""

from collections.abc import Callable

from django.urls import reverse

from core.events import Event
from notifications.services.compose import absolute, queue_mail
from resellers.models import Membership
from resellers.routing import site_of_reseller
from users.permissions import StorefrontRole


def _domain_notice(event: Event) -> None:
    """One mail to each Admin of the account who can sign in, from his own storefront."""
    account = event.account
    site = site_of_reseller(account.pk) if account is not None else None
    if account is None or site is None:
        return
    members = Membership.objects.filter(account=account, roles__contains=[StorefrontRole.ADMIN], user__is_active=True)
    for member in members.select_related("user").order_by("pk"):
        queue_mail(
            "domain_notice",
            organization=event.organization,
            site=site,
            account=account,
            recipient=member.user.email,
            language=member.user.language,
            dedupe_key=f"{event.public_id}:{member.user.email}",
            context={
                "kind": event.name.partition(".")[2],
                "host": event.payload.get("host", ""),
                "own": bool(event.payload.get("own")),
                "days": event.payload.get("days", 0),
                "first_name": member.user.get_short_name(),
                "link": absolute(reverse("storefront:domain"), site),
            },
        )


NAMES = ("domain.live", "domain.failed", "domain.expiring")
DOMAINS: dict[str, Callable[[Event], None]] = dict.fromkeys(NAMES, _domain_notice)
