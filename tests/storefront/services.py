"""A customer's browser at the pages of a service, for tests."""

import datetime as dt
import re
from typing import Any

from django.test import Client
from django.urls import reverse

from core import clock
from core.tenancy import Actor
from resellers.models import Account
from subscriptions.enums import OperationState, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.bss.staff import BACKEND
from tests.shop import Shop, fill_basket, place
from vendors.models import SyncStatus

DAY = dt.timedelta(days=1)
HTMX = {"HX-Request": "true"}


def browser(shop: Shop, of: Account, *roles: str) -> Client:
    """A browser of a user of ``of``: an Admin unless roles are named."""
    client = Client(headers={"host": factories.home_of(shop.organization, of).host})
    client.force_login(factories.user(shop.organization, of=of, roles=list(roles) or None), BACKEND)
    # The first page of a session writes when it began; later pages only read.
    client.get("/healthz")
    return client


def running(shop: Shop, actor: Actor | None = None, *, quantity: int = 5, **values: Any) -> Subscription:
    """A service as if the vendor had confirmed it today: 12.00 EUR a month and licence, a term of a year."""
    order = place(
        actor or shop.customer_admin, fill_basket(shop, actor or shop.customer_admin, quantity=quantity, **values)
    )
    row = Subscription.objects.get(order_number=order.number)
    now = clock.now()
    Operation.objects.filter(subscription=row).update(state=OperationState.DONE, finished_at=now - DAY)
    Subscription.objects.filter(pk=row.pk).update(
        status=SubscriptionStatus.ACTIVE,
        sync_status=SyncStatus.SYNCHRONIZED,
        external_id=f"vendor-{row.pk}",
        starts_at=now,
        first_activated_at=now,
        period_starts_at=now,
        period_ends_at=now + 30 * DAY,
        term_ends_at=now + 364 * DAY,
        cancel_until=now + 7 * DAY,
        vendor_read_at=now,
    )
    row.refresh_from_db()
    return row


def address(name: str, row: Subscription, *more: object) -> str:
    """The address of one of its pages."""
    return reverse(f"storefront:subscription_{name}", args=[row.public_id, *more])


def preview(client: Client, url: str, **values: Any) -> Any:
    """What htmx gets while somebody types."""
    return client.post(url, {**values, "preview": "1"}, headers=HTMX)


def confirm(client: Client, url: str, **values: Any) -> Any:
    """Look at the preview of ``values``, then press the button under it."""
    shown = client.post(url, {**values, "preview": "1"})
    assert shown.status_code == 200, text_of(shown)
    return client.post(url, {**values, "seen": shown.context["seen"], "key": key_of(shown)})


def key_of(response: Any) -> str:
    """The key of the form on a page."""
    return str(response.context["form"]["key"].value() or "")


def text_of(response: Any) -> str:
    """The words of a page or part, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())).replace("\xa0", " ")
