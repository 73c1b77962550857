"""Browsers and answers for tests of self-registration."""

import re
import uuid
from typing import Any

from django.test import Client

from core import clock
from notifications.models import OutgoingMail
from resellers.enums import AccountKind, Edition
from resellers.models import Account, Site
from resellers.services import sites
from tests import factories

PASSWORD = "a-fresh-horse-battery"


def reseller_with_site(alias: str = "cedar", edition: str = Edition.STANDARD, **values: Any) -> tuple[Account, Site]:
    """A reseller whose site below an alias takes registrations; ``organization`` may be given."""
    organization = values.pop("organization", None) or factories.organization()
    account = factories.account(organization, AccountKind.RESELLER, name=f"{alias.title()} Cloud")
    sites.prepare_site(account.pk, alias)
    ends = clock.now() + sites.KEPT_FOR
    site = sites.open_plan(account.pk, plan_id=uuid.uuid4(), edition=edition, ends_at=ends)
    Site.objects.filter(pk=site.pk).update(**({"self_registration": True} | values))
    account.refresh_from_db()
    return account, Site.objects.get(pk=site.pk)


def own_site(**values: Any) -> Site:
    """A distributor's storefront that takes registrations."""
    site = factories.site_of(factories.organization())
    Site.objects.filter(pk=site.pk).update(**({"self_registration": True, "anonymous_access": True} | values))
    return Site.objects.get(pk=site.pk)


def browser(site: Site, ip: str = "10.0.0.1") -> Client:
    """A stranger's browser at the host of the site's organization."""
    host = factories.site_of(site.organization).host
    return Client(headers={"host": host}, REMOTE_ADDR=ip)


def base_of(site: Site) -> str:
    """What addresses of the site begin with."""
    return f"/{site.alias}" if site.account_id else ""


def answers(email: str = "fay@fir.test", **values: Any) -> dict[str, Any]:
    """A form that is filled in."""
    return {
        "company": "Fir Foods",
        "first_name": "Fay",
        "last_name": "Fir",
        "email": email,
        "phone": "+30 210 1234567",
        "address_line1": "Stadiou 1",
        "city": "Athens",
        "postal_code": "10562",
        "country": "GR",
        "tax_id": "EL123456789",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "terms": "on",
        "privacy": "on",
    } | values


def register(site: Site, email: str = "fay@fir.test", *, client: Client | None = None, **values: Any) -> Any:
    """Send the form."""
    return (client or browser(site)).post(f"{base_of(site)}/accounts/register/", answers(email, **values))


def link_to(email: str) -> str:
    """The path of the activation link in the newest mail to this address."""
    mail = OutgoingMail.objects.filter(
        recipient=email, template__in=("registration_confirm", "registration_approved")
    ).latest("id")
    return re.findall(r"https?://[^/\s]+(/\S*accounts/register/\S+/)", mail.text)[0]


def follow(site: Site, path: str, password: str = PASSWORD, client: Client | None = None) -> Any:
    """Open the link and type the password."""
    client = client or browser(site)
    opened = client.get(path)
    if opened.status_code != 302:
        return opened
    return client.post(opened["Location"], {"password": password})


def templates() -> list[tuple[str, str]]:
    """Template and recipient of every mail, oldest first."""
    return list(OutgoingMail.objects.order_by("id").values_list("template", "recipient"))
