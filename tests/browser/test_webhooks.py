"""Webhooks in a real browser: an employee makes one, tests it, replays a delivery; a reseller on his phone too."""

from typing import Any

import pytest

from clients.services.clients import create_client
from notifications.models import WebhookDelivery
from notifications.services.webhook_send import send_delivery
from resellers.enums import Edition
from resellers.models import Account, Site
from tests.browser.test_lists import see
from tests.browser.test_walk import Walk, email_of
from tests.notifications.hooks import hook, with_edition
from tests.notifications.receiver import receiving
from tests.shop import make_shop

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 800}


def send_all() -> None:
    """Send what waits, as the worker does."""
    for pk in WebhookDelivery.objects.filter(state="pending").values_list("pk", flat=True):
        send_delivery(pk)


@pytest.mark.parametrize("door", ["bss", "storefront"])
def test_made_tested_replayed_and_deleted(browser: Any, live_server: Any, settings: Any, door: str):
    settings.WEBHOOK_LOOPBACK = True
    shop = make_shop()
    Site.objects.filter(organization=shop.organization).update(host="localhost")
    with_edition(shop.reseller, Edition.STANDARD)
    of: Account | None = shop.reseller if door == "storefront" else None
    hook(shop, of, url="https://erp.example.com/cloud/hooks/of/the/main/system", events=("order.executed",))
    create_client(shop.staff, account=of, name="Warehouse")
    walk = Walk(browser, live_server.url)
    page = walk.page
    if door == "storefront":
        page.set_viewport_size(PHONE)
    walk.sign_in(email_of(of))
    walk.go("/bss/setup/api-clients/" if door == "bss" else "/my-shop/api/")
    page.click("main a:has-text('Webhooks')")
    see(walk, f"webhooks-list-{door}")
    with receiving() as receiver:
        page.click("text=New webhook")
        see(walk, f"webhooks-new-{door}")
        page.select_option("select[name=client]", label="Warehouse")
        page.fill("input[name=url]", f"{receiver.url}/500")
        page.check("input[value='account.updated']")
        page.click("main form button[type=submit]")
        assert "whsec_" in page.content()
        see(walk, f"webhooks-secret-{door}")
        page.click("text=I have copied it")
        page.click("text=Send a test")
        see(walk, f"webhooks-test-{door}")
        page.click("main form button[type=submit]")
        send_all()
        page.reload()
        see(walk, f"webhooks-one-{door}")
        assert page.locator("text=webhook.test").count()
        page.click("text=All deliveries")
        see(walk, f"webhooks-deliveries-{door}")
        page.click("main a:has-text('webhook.test')")
        see(walk, f"webhooks-delivery-{door}")
        page.click("main a:has-text('Replay')")
        page.click("main form button[type=submit]")
        WebhookDelivery.objects.update(not_before="2020-01-01T00:00:00Z")
        send_all()
        ids = [headers["webhook-id"] for _path, headers, _body in receiver.seen]
        assert (len(ids), len(set(ids))) == (2, 1)
    page.reload()
    see(walk, f"webhooks-replayed-{door}")
    page.click("main a:has-text('Replay') >> nth=0")
    page.click("main a:has-text('Cancel')")
    see(walk, f"webhooks-back-{door}")
    page.click(f"text=127.0.0.1:{receiver.url.rpartition(':')[2]}/500 >> nth=0")
    page.click("text=Edit")
    page.uncheck("input[name=is_active]")
    see(walk, f"webhooks-edit-{door}")
    page.click("main form button[type=submit]")
    page.click("main a:has-text('Delete')")
    page.click("main form button[type=submit]")
    page.locator("main table tbody tr").wait_for()
    assert page.locator("main table tbody tr").count() == 1
    assert walk.problems == []
