"""Licences in a real browser: the key shown in place, a return asked for, and staff who decide about it."""

from typing import Any

import pytest

from orders.models import OrderLine
from subscriptions.asset_enums import DeliveryNote, TokenStatus
from subscriptions.models import Asset, AssetReturn, Operation
from subscriptions.services.returns import submit_return
from tests import factories
from tests.browser.test_walk import Walk, email_of
from tests.shop import Shop, fill_basket, make_shop, place
from users.permissions import StaffRole
from vendors.models import SyncStatus

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "W269N-WFGWX-YVC9B-4J6C9-T83GX"
OFFICE = "Office Home & Business 2024"


@pytest.fixture
def shop(live_server: Any) -> Shop:
    """A shop at the address of the test server, with licences in several states."""
    made = make_shop()
    type(made.site).objects.filter(pk=made.site.pk).update(host="localhost")
    factories.asset(made.product, account=made.customer, name="Windows 11 Pro", token_status=TokenStatus.REDEEMED)
    factories.asset(
        made.product,
        account=made.customer,
        name="Visio Standard 2024",
        key="",
        sync_status=SyncStatus.FAILED,
        sync_note="InvalidSku",
    )
    sold = factories.asset(made.product, account=made.end_customer, name="Project Standard 2024")
    submit_return(made.reseller_admin, asset=sold, comment="The customer bought it twice.")
    factories.asset(
        made.product, account=made.customer, name=OFFICE, key=KEY, delivery_note=DeliveryNote.SENT, warning=""
    )
    return made


def order_of_licences(shop: Shop) -> str:
    """The address of an order with five licences in several states."""
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    first = order.lines.get()
    Operation.objects.filter(order_number=order.number).update(order_number="")
    for number, state in enumerate(["delivered", "delivered", "delivered", "failed", "in_progress"], start=101):
        key = KEY if state == "delivered" else ""
        row = factories.asset(shop.product, account=shop.customer, name=OFFICE, key=key, order_number=order.number)
        OrderLine.objects.create(
            organization_id=order.organization_id,
            order=order,
            position=number,
            plan=first.plan,
            product_name=OFFICE,
            product_code="ESD",
            billing_cycle="one_time",
            quantity=1,
            unit_price=149,
            net=149,
            tax=0,
            gross=149,
            delivery_status=state,
            asset=row,
        )
    OrderLine.objects.filter(pk=first.pk).delete()
    return f"orders/{order.public_id}/"


def test_customer_shows_the_key_and_asks_for_a_return(browser, live_server, shop):
    walk = Walk(browser, live_server.url)
    walk.sign_in(email_of(shop.customer))
    walk.go("/licences/")
    assert KEY not in walk.page.content()
    walk.shot("shop-list")
    walk.page.click(f"text={OFFICE}")
    walk.page.wait_for_selector("text=Show the key")
    walk.shot("shop-detail")
    walk.page.click("text=Show the key")
    walk.page.wait_for_selector(f"text={KEY}")
    walk.shot("shop-reveal")
    walk.page.click("text=Hide the key")
    walk.page.wait_for_selector("text=Show the key")
    assert KEY not in walk.page.content()
    walk.page.click("text=Cancel the licence")
    walk.page.fill("textarea[name=comment]", "Bought twice")
    walk.shot("shop-cancel")
    walk.page.click("main form button[type=submit]")
    walk.page.wait_for_selector("text=Cancellation requested: your provider decides")
    walk.shot("shop-requested")
    walk.go("/" + order_of_licences(shop))
    walk.page.wait_for_selector("text=3 of 5 licences are ready.")
    walk.shot("shop-order")
    assert walk.problems == []


def test_key_is_shown_without_scripts(browser, live_server, shop):
    walk = Walk(browser, live_server.url, java_script_enabled=False)
    walk.sign_in(email_of(shop.customer))
    row = Asset.objects.get(name=OFFICE)
    walk.go(f"/licences/{row.public_id}/")
    walk.page.click("text=Show the key")
    assert KEY in walk.page.inner_text("#key")
    assert walk.problems == []


def test_staff_look_at_licences_and_decide(browser, live_server, shop):
    walk = Walk(browser, live_server.url)
    walk.sign_in(factories.user(shop.organization, roles=[StaffRole.SUPPORT.value]).email)
    walk.go("/bss/assets/")
    walk.shot("bss-list")
    walk.page.click(f"text={OFFICE}")
    walk.page.click("text=Reveal")
    walk.page.wait_for_selector(f"text={KEY}")
    walk.shot("bss-reveal")
    walk.go(f"/bss/assets/{Asset.objects.get(name='Visio Standard 2024').public_id}/")
    walk.shot("bss-failed")
    walk.go("/bss/returns/")
    walk.shot("bss-returns")
    walk.page.click("text=Project Standard 2024")
    walk.page.wait_for_selector("text=If you accept it now")
    walk.shot("bss-return")
    walk.page.click("main >> text=Accept")
    walk.page.click("main form button[type=submit]")
    walk.page.wait_for_selector("text=It is on its way to the vendor.")
    assert AssetReturn.objects.get().status == "accepted"
    walk.go("/bss/" + order_of_licences(shop))
    walk.shot("bss-order")
    walk.go("/bss/")
    walk.shot("bss-overview")
    assert walk.problems == []
