"""A reseller with a live site, his people, and pictures to upload."""

import datetime as dt
import io
import uuid
from typing import Any

from django.test import Client
from PIL import Image

from core import clock
from core.tenancy import Actor
from resellers.enums import AccountKind, Edition
from resellers.models import Account, Site
from resellers.services import sites
from tests import factories


def reseller_site(alias: str = "cedar", *, name: str = "Cedar Cloud", edition: str = Edition.STANDARD) -> Site:
    """A reseller's live site in an organization of its own."""
    account = factories.account(factories.organization(), AccountKind.RESELLER, name=name)
    sites.prepare_site(account.pk, alias)
    return sites.open_plan(
        account.pk, plan_id=uuid.uuid4(), edition=edition, ends_at=clock.now() + dt.timedelta(days=30)
    )


def owner(site: Site) -> Actor:
    """The reseller's Admin, or an employee who may do everything."""
    return factories.actor(site.organization, of=Account.objects.get(pk=site.account_id) if site.account_id else None)


def host(site: Site) -> str:
    """The host of the organization of a site."""
    return factories.site_of(site.organization).host


def browser(site: Site, *, user: Any = None) -> Client:
    """A browser at the organization's host, signed in as ``user`` at the site below its alias."""
    client = Client(headers={"host": host(site)})
    if user is not None:
        client.post(f"/{site.alias}/accounts/login/", {"login": user.email, "password": factories.PASSWORD})
    return client


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 32), colour: str = "#aa3322", **options: Any) -> bytes:
    """The bytes of a plain picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format=kind, **options)
    return buffer.getvalue()
