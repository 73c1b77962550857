"""The life of a service in a real browser: more licences, a planned renewal, and the end, as its customer."""

from typing import Any

import pytest

from catalog.models import UpgradeRelation
from orders.enums import DeliveryStatus
from orders.models import OrderLine
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from tests import factories
from tests.browser.test_walk import Walk, email_of, shop, worker  # noqa: F401 - fixtures
from tests.provisioning.life import active, assert_all_holds
from tests.storefront.services import address

pytestmark = pytest.mark.django_db(transaction=True)
SLOW = 40_000


@pytest.fixture
def row(shop: Any, twins: Any) -> Subscription:  # noqa: F811 - the fixture
    """Seven licences of the direct customer, with a product it can be upgraded to."""
    found = active(shop, twins, quantity=7)
    better = factories.product(shop.instance, cost="20.00", name="Microsoft 365 Business Premium")
    UpgradeRelation.objects.create(organization=shop.organization, source=shop.product, target=better)
    return found


def settled(walk: Walk, words: str) -> None:
    """Wait until the page has drawn itself anew with what has come of the change."""
    walk.page.wait_for_selector(f"text={words}", timeout=SLOW)
    walk.page.wait_for_selector("#change:not([hx-get])", state="attached", timeout=SLOW)
    walk.page.wait_for_load_state("networkidle")


def type_number(walk: Walk, number: int, words: str) -> None:
    """A new number of licences; the meaning appears by itself."""
    walk.page.fill("#id_quantity", str(number))
    walk.page.wait_for_selector(f"#meaning >> text={words}")


def test_buy_schedule_revoke_cancel_and_read_the_history(browser, live_server, shop, row, worker, twins):  # noqa: F811
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(shop.customer))
    walk.go(address("detail", row))
    walk.shot("service")
    page.click("text=Change the number of licences")
    walk.shot("licences")
    type_number(walk, 9, "7 become 9")
    walk.shot("licences-more")
    page.click("text=Order 2 licences")
    page.wait_for_selector("text=Everything is active. Enjoy!", timeout=SLOW)
    walk.shot("licences-order")
    page.click("text=Open service")
    assert page.inner_text(".figure b") == "9"

    page.click("text=Plan the renewal")
    type_number(walk, 12, "At the renewal: 12 licences")
    walk.shot("renewal")
    page.click("#meaning >> text=Schedule it for the renewal")
    settled(walk, "At the renewal on")
    assert "12 licences" in page.inner_text(".ribbons")
    walk.shot("scheduled")
    page.click("text=Revoke")
    walk.shot("revoke")
    page.click("#meaning button")
    settled(walk, "The scheduled change is revoked.")
    page.wait_for_selector("a.deed >> text=Cancel the service", timeout=SLOW)

    page.click("text=Cancel the service")
    page.check("input[name=execution][value=now]")
    page.wait_for_selector("#meaning >> text=You get back now")
    page.fill("#id_reason", "We close the office")
    walk.shot("cancel")
    page.click("#meaning button")
    page.wait_for_selector("text=This service ended on", timeout=SLOW)
    history = page.inner_text(".history")
    walk.shot("cancelled")
    assert "Cancel the service: done" in history
    assert "We close the office" in history
    row.refresh_from_db()
    assert row.status == SubscriptionStatus.CANCELLED
    assert {line.delivery_status for line in OrderLine.objects.all()} == {DeliveryStatus.DELIVERED}
    assert walk.problems == []
    assert_all_holds(twins)


def test_every_page_of_a_service_fits_a_phone(browser, live_server, shop, row):  # noqa: F811
    walk = Walk(browser, live_server.url, color_scheme="dark")
    walk.page.set_viewport_size({"width": 390, "height": 800})
    walk.sign_in(email_of(shop.customer))
    pages = ("detail", "licences", "upgrade", "renewal", "auto_renew", "cancel", "keep")
    for name in pages:
        walk.go(address(name, row))
        wide = walk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than a phone"
        walk.shot(f"phone-service-{name}")
    assert walk.problems == []


def test_without_scripts_the_price_is_shown_by_a_button(browser, live_server, shop, row, worker):  # noqa: F811
    walk = Walk(browser, live_server.url, java_script_enabled=False)
    walk.sign_in(email_of(shop.customer))
    walk.go(address("licences", row))
    walk.page.fill("#id_quantity", "4")
    walk.page.click("text=Show price")
    assert "3 licences are given back: 7 become 4." in walk.page.inner_text("#meaning")
    walk.shot("service-without-scripts")
    walk.page.click("text=Give 3 licences back")
    assert "Licences are being given back." in walk.page.inner_text("main")
