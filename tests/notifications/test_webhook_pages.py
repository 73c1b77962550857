"""Webhooks on the pages of both doors: who opens them, the secret shown once, and that nobody sees another's."""

import pytest
from django.test import Client
from django.urls import reverse

from core import crypto
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.services.webhooks import test_webhook as send_test
from resellers.enums import Edition
from resellers.models import Account
from tests import factories
from tests.notifications.hooks import hook, program_of, with_edition
from tests.shop import Shop, make_shop
from users.permissions import StorefrontRole

pytestmark = pytest.mark.django_db
ONE = ("webhook", "webhook_edit", "webhook_rotate", "webhook_test", "webhook_delete", "webhook_deliveries")


@pytest.fixture
def shop() -> Shop:
    found = make_shop()
    with_edition(found.reseller)
    return found


def browser(shop: Shop, *, of: Account | None = None, roles: list[str] | None = None) -> Client:
    client = Client(headers={"host": shop.site.host})
    client.force_login(factories.user(shop.organization, of=of, roles=roles))
    return client


@pytest.mark.parametrize("door", ["bss", "storefront"])
def test_a_secret_is_shown_once(shop: Shop, door: str):
    of = shop.reseller if door == "storefront" else None
    page, client = browser(shop, of=of), program_of(shop, of)
    values = {"client": client.pk, "url": "https://erp.example.com/hooks", "events": ["order.executed"]}
    answer = page.post(reverse(f"{door}:webhook_new"), values)
    row = WebhookEndpoint.objects.get()
    secret = crypto.decrypt(row.secret)
    assert (answer.status_code, answer["Cache-Control"], secret in answer.content.decode()) == (200, "no-store", True)
    for name in ONE:
        shown = page.get(reverse(f"{door}:{name}", args=[row.public_id]))
        assert (name, shown.status_code, secret in shown.content.decode()) == (name, 200, False)
    again = page.post(reverse(f"{door}:webhook_rotate", args=[row.public_id]))
    row.refresh_from_db()
    assert crypto.decrypt(row.secret) in again.content.decode()
    refused = page.post(reverse(f"{door}:webhook_new"), values | {"url": "https://10.0.0.1/"})
    assert (refused.status_code, WebhookEndpoint.objects.count()) == (400, 1)


def test_another_resellers_is_not_there(shop: Shop):
    mine = hook(shop, shop.reseller)
    row = send_test(shop.staff, endpoint=mine)
    other = with_edition(factories.account(shop.organization, "reseller"))
    stranger = browser(shop, of=other)
    assert b"erp.example.com" not in stranger.get(reverse("storefront:webhook_list")).content
    for name in ONE:
        address = reverse(f"storefront:{name}", args=[mine.public_id])
        assert (name, {stranger.get(address).status_code, stranger.post(address).status_code} - {405}) == (name, {404})
    for name in ("webhook_delivery", "webhook_replay"):
        address = reverse(f"storefront:{name}", args=[mine.public_id, row.public_id])
        assert (name, {stranger.get(address).status_code, stranger.post(address).status_code} - {405}) == (name, {404})
    theirs = hook(shop, other)
    # A delivery is found below its own endpoint alone.
    address = reverse("storefront:webhook_delivery", args=[theirs.public_id, row.public_id])
    assert stranger.get(address).status_code == 404
    foreign = program_of(shop, shop.reseller)
    values = {"client": foreign.pk, "url": "https://a.example.com/", "events": ["order.executed"]}
    assert stranger.post(reverse("storefront:webhook_new"), values).status_code == 400
    assert WebhookEndpoint.objects.filter(client=foreign).count() == 0


def test_rows_are_replayed_together(shop: Shop):
    endpoint = hook(shop)
    rows = [send_test(shop.staff, endpoint=endpoint) for _n in range(3)]
    WebhookDelivery.objects.update(state="failed")
    address = reverse("bss:webhook_deliveries", args=[endpoint.public_id])
    chosen = [str(row.public_id) for row in rows[:2]]
    assert browser(shop).post(address, {"action": "replay", "row": chosen}).status_code == 302
    assert WebhookDelivery.objects.filter(state="pending").count() == 2


@pytest.mark.parametrize("edition", [Edition.BASIC, Edition.FREE])
def test_who_has_no_webhooks(shop: Shop, edition: str):
    address = reverse("storefront:webhook_list")
    assert browser(shop, of=shop.customer).get(address).status_code == 403
    assert browser(shop, of=shop.reseller, roles=[StorefrontRole.BUYER.value]).get(address).status_code == 403
    assert browser(shop, roles=["sales"]).get(reverse("bss:webhook_list")).status_code == 403
    with_edition(shop.reseller, edition)
    assert browser(shop, of=shop.reseller).get(address).status_code == 403
