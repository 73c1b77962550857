"""The life of a service in a real browser, as staff: deeds with previews, a request, the overview, a phone."""

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from catalog.models import AddOnRelation, ProductType, UpgradeRelation
from orders.services import giveback
from subscriptions.enums import RequestStatus, SubscriptionStatus
from subscriptions.models import CancellationRequest, Subscription
from tests import factories
from tests.browser.test_walk import Walk, email_of, shop, worker
from tests.provisioning.life import active, assert_all_holds

__all__ = ["shop", "worker"]  # The fixtures of the walks, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)
SLOW = 40_000


@pytest.fixture
def row(shop: Any, twins: Any) -> Subscription:
    """Seven licences of the direct customer, with a product it can be upgraded to and an add-on."""
    found = active(shop, twins, quantity=7)
    better = factories.product(shop.instance, cost="20.00", name="Microsoft 365 Business Premium")
    UpgradeRelation.objects.create(organization=shop.organization, source=shop.product, target=better)
    addon = factories.product(shop.instance, cost="3.00", name="Audio Conferencing", is_addon=True)
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=addon)
    type(shop.customer).objects.filter(pk=shop.customer.pk).update(name="Dune Logistics")
    return found


def url(row: Any, name: str) -> str:
    return reverse(f"bss:subscription_{name}", args=[row.public_id])


def wait_for(walk: Walk, row: Subscription, **values: Any) -> None:
    """Until the row has these values; the page follows by itself."""
    for _second in range(80):
        row.refresh_from_db()
        if all(getattr(row, name) == value for name, value in values.items()):
            return
        walk.page.wait_for_timeout(500)
    raise AssertionError(f"never became {values}")


def test_staff_change_a_service(browser, live_server, shop, row, worker, twins):
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go(url(row, "detail"))
    walk.shot("life-detail")
    page.click(".deeds >> text=Buy licences")
    walk.shot("life-buy")
    page.fill("#id_quantity", "9")
    page.wait_for_selector("#preview >> text=7 become 9")
    page.click("form.card button.button-primary")
    page.wait_for_selector("text=is on its way to the vendor.")
    walk.shot("life-buy-order")
    wait_for(walk, row, quantity=9)

    walk.go(url(row, "suspend"))
    page.fill("#id_reason", "Has not paid")
    walk.shot("life-suspend")
    page.click("form.card button.button-danger")
    page.wait_for_selector("#change-progress")
    walk.shot("life-progress")
    page.wait_for_selector("#change-progress >> text=Done", timeout=SLOW)
    assert "Suspended" in page.inner_text("h1")
    walk.shot("life-suspended")
    page.click(".deeds >> text=Reactivate")
    page.click("form.card button.button-primary")
    wait_for(walk, row, status=SubscriptionStatus.ACTIVE)

    walk.go(url(row, "renewal"))
    page.fill("#id_quantity", "12")
    page.wait_for_selector("#preview >> text=12 licences")
    walk.shot("life-renewal")
    page.click("form.card button.button-primary")
    page.wait_for_selector("text=At the renewal on", timeout=SLOW)
    page.wait_for_selector("#change-progress >> text=Done", timeout=SLOW)
    walk.shot("life-scheduled")
    assert "Revoke it first." in page.inner_text(".closed")
    page.click("a:text-is('Revoke')")
    page.click("form.card button.button-primary")
    page.wait_for_selector("#change-progress >> text=Done", timeout=SLOW)

    walk.go(url(row, "price"))
    page.fill("#id_unit_price", "9.50")
    page.fill("#id_reason", "Agreed by phone")
    page.wait_for_selector("#preview >> text=becomes 9.50 EUR")
    walk.shot("life-price")
    page.click("form.card button.button-primary")
    page.wait_for_selector("text=a licence costs")

    walk.go(url(row, "cancel"))
    page.check("input[name=execution][value=now]")
    page.fill("#id_reason", "Moves away")
    page.wait_for_selector("#preview >> text=Credited now")
    walk.shot("life-cancel")
    page.click("form.card button.button-danger")
    wait_for(walk, row, status=SubscriptionStatus.CANCELLED)
    walk.go(url(row, "detail"))
    walk.shot("life-cancelled")
    row.refresh_from_db()
    assert row.next_unit_price == Decimal("9.50")
    assert walk.problems == []
    assert_all_holds(twins)


def test_staff_decide_what_customers_ask(browser, live_server, shop, row, worker, twins):
    ProductType.objects.update(auto_cancel_limit=1)
    giveback.reduce(shop.customer_admin, subscription=row, quantity=4, reason="Three people have left.")
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go("/bss/")
    walk.shot("life-dashboard")
    page.click("main >> text=Reduce licences: Microsoft 365")
    walk.shot("life-request")
    page.click("a:text-is('Accept')")
    walk.shot("life-request-accept")
    page.click("main form button[type=submit]")
    page.wait_for_selector("text=Accepted. It is on its way")
    wait_for(walk, row, quantity=4)
    assert CancellationRequest.objects.get().status == RequestStatus.COMPLETED
    walk.go(reverse("bss:request_list"))
    walk.shot("life-requests")
    for name in ("charge_list", "type_list"):
        walk.go(reverse(f"bss:{name}"))
        walk.shot(f"life-{name}")
    walk.go(reverse("bss:type_edit", args=[shop.product.product_type.public_id]))
    walk.shot("life-type")
    assert walk.problems == []
    assert_all_holds(twins)


def test_without_scripts_a_button_previews(browser, live_server, shop, row, worker):
    walk = Walk(browser, live_server.url, java_script_enabled=False)
    walk.sign_in(email_of(None))
    walk.go(url(row, "reduce"))
    walk.page.fill("#id_quantity", "4")
    walk.page.click("text=Show what it means")
    assert "3 licences are given back: 7 become 4." in walk.page.inner_text("#preview")
    walk.page.fill("#id_reason", "Fewer people")
    walk.page.click("form.card button.button-danger")
    walk.page.wait_for_url("**" + url(row, "detail"))


def test_every_page_fits_a_phone_in_the_dark(browser, live_server, shop, row):
    ProductType.objects.update(auto_cancel_limit=1)
    asked = giveback.reduce(shop.customer_admin, subscription=row, quantity=4, reason="Three people have left.")
    walk = Walk(browser, live_server.url, color_scheme="dark")
    walk.page.set_viewport_size({"width": 390, "height": 800})
    walk.sign_in(email_of(None))
    pages = {name: url(row, name) for name in ("detail", "buy", "buy_addon", "upgrade", "reduce", "cancel", "price")}
    pages |= {
        "dashboard": "/bss/",
        "request": reverse("bss:request_detail", args=[asked.public_id]),
        "accept": reverse("bss:request_accept", args=[asked.public_id]),
        "requests": reverse("bss:request_list"),
        "ledger": reverse("bss:charge_list"),
        "types": reverse("bss:type_list"),
        "type": reverse("bss:type_edit", args=[shop.product.product_type.public_id]),
    }
    for name, path in pages.items():
        walk.go(path)
        wide = walk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than a phone"
        walk.shot(f"phone-life-{name}")
    assert walk.problems == []
