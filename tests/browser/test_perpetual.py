"""Perpetual licences in a real browser: keys entered and shown, on a desk and on a phone."""

from typing import Any

import pytest

from subscriptions.models import Asset
from subscriptions.services.keys import add_keys
from tests import factories
from tests.browser.test_walk import Walk, email_of
from tests.shop import Shop, make_shop

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = ("NKWF6-TP4MQ-7HXVB-92CDR-GJ8TY", "B7PXD-4QKNM-RV8TC-2WHYF-9JG63", "C8QYF-5RLPN-SW9VD-3XJZG-AKH74")
OFFICE = "Office LTSC Standard 2024"
PHONE = {"width": 390, "height": 844}
ORDER = "q7tB3kX9v0nPzR5sWmY2aLdF8hJcUeG41"


@pytest.fixture
def shop(live_server: Any) -> Shop:
    """A shop at the address of the test server, with a perpetual licence whose Perpetual ID is not known yet."""
    made = make_shop()
    type(made.site).objects.filter(pk=made.site.pk).update(host="localhost")
    factories.perpetual_asset(
        made.product,
        account=made.customer,
        name=OFFICE,
        vendor_order_id=ORDER,
        vendor_order_alias="4f1c09ab77d2",
        external_id=f"{ORDER}:0",
    )
    return made


def is_too_wide(walk: Walk) -> bool:
    """Whether the page scrolls sideways."""
    wide: bool = walk.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return wide


def test_staff_enter_the_keys(browser, live_server, shop):
    walk = Walk(browser, live_server.url)
    walk.sign_in(email_of(None))
    row = Asset.objects.get()
    walk.go(f"/bss/assets/{row.public_id}/")
    walk.page.wait_for_selector("text=not yet assigned by Microsoft")
    walk.shot("perpetual-bss")
    walk.page.click("text=Add keys")
    walk.page.fill("textarea[name=keys]", "\n".join(KEYS))
    walk.shot("perpetual-bss-add")
    walk.page.click("main form button[type=submit]")
    walk.page.wait_for_selector("text=3 keys are stored.")
    walk.shot("perpetual-bss-keys")
    walk.page.click("text=Reveal")
    walk.page.wait_for_selector(f"text={KEYS[0]}")
    walk.shot("perpetual-bss-reveal")
    walk.go("/bss/assets/")
    walk.shot("perpetual-bss-list")
    walk.page.set_viewport_size(PHONE)
    walk.go(f"/bss/assets/{row.public_id}/")
    walk.shot("perpetual-bss-phone")
    assert not is_too_wide(walk)
    assert walk.problems == []


def test_the_customer_shows_them_on_a_phone(browser, live_server, shop):
    row = Asset.objects.get()
    add_keys(shop.staff, asset=row, keys=KEYS)
    Asset.objects.filter(pk=row.pk).update(perpetual_id="7a1b3c5d-0000-4000-8000-000000000001")
    walk = Walk(browser, live_server.url)
    walk.sign_in(email_of(shop.customer))
    walk.go(f"/licences/{row.public_id}/")
    walk.shot("perpetual-shop")
    walk.page.set_viewport_size(PHONE)
    walk.go(f"/licences/{row.public_id}/")
    walk.page.click("text=Show the keys")
    walk.page.wait_for_selector(f"text={KEYS[2]}")
    walk.shot("perpetual-shop-phone")
    assert not is_too_wide(walk)
    walk.go("/licences/")
    walk.shot("perpetual-shop-list-phone")
    assert not is_too_wide(walk)
    assert walk.problems == []
