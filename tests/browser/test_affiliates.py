"""A reseller's affiliates and MPN ID in a real browser: made at the basket, changed with progress, on a phone too."""

import pytest
from django.urls import reverse

from orders.services.basket import add_line, open_basket
from resellers.enums import PurchaseMode
from resellers.models import Account, Membership
from resellers.selectors import actor_for
from subscriptions.models import StampRun, Subscription
from tests.browser.test_walk import Walk, email_of, link_mpn, shop, worker
from tests.shop import fill_basket, place

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["shop", "worker"]
PHONE = {"width": 390, "height": 844}
COMPANY = {
    "name": "Fig Garage", "first_name": "Grace", "last_name": "Hopper", "email": "grace@fig.test",
    "phone": "+49 30 5550", "address_line1": "Torstrasse 1", "city": "Berlin", "postal_code": "10119",
}  # fmt: skip


def both(walk: Walk, name: str) -> None:
    """A picture of the page as it is, and one as on a phone, where nothing may stick out."""
    walk.shot(f"{name}-desktop")
    before = walk.page.viewport_size
    walk.page.set_viewport_size(PHONE)
    walk.shot(f"{name}-phone")
    wide = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert (
        walk.page.evaluate(f"{wide}.filter(e => !e.closest('.table-wrap')).map(e => e.outerHTML.slice(0, 120))") == []
    )
    walk.page.set_viewport_size(before)


def test_affiliate_is_made_on_the_way_to_checkout(browser, live_server, shop):
    walk = Walk(browser, live_server.url)
    walk.sign_in(email_of(shop.reseller))
    user = Membership.objects.filter(account=shop.reseller).order_by("id")[0].user
    actor = actor_for(user, shop.site, as_staff=False)
    add_line(actor, basket=open_basket(actor, site=shop.site), site=shop.site, plan=shop.plan, quantity=3)
    walk.go("/basket/")
    walk.page.check("input[name=purchase_mode][value=affiliate_account]")
    walk.page.fill("#find", shop.affiliate.name)
    walk.page.wait_for_timeout(900)
    assert shop.affiliate.name in walk.page.inner_text("select[name=affiliate]")
    assert walk.page.is_checked("input[name=purchase_mode][value=affiliate_account]")
    both(walk, "basket-for-whom")
    walk.page.click("text=New affiliate account")
    for name, value in COMPANY.items():
        walk.page.fill(f"main [name={name}]", value)
    both(walk, "new-affiliate")
    walk.page.click("text=Save and go on")
    walk.page.wait_for_url("**/checkout/billing/")
    made = Account.objects.get(name="Fig Garage")
    assert (made.kind, made.bill_to) == ("affiliate", shop.reseller)
    walk.go("/customers/?kind=affiliate")
    assert "Fig Garage" in walk.page.inner_text("table")
    both(walk, "customers")
    walk.go(reverse("storefront:customer_detail", args=[made.public_id]))
    both(walk, "customer")
    assert walk.problems == []


def test_mpn_id_is_changed_everywhere(browser, live_server, shop, worker, twins):
    link_mpn(shop, twins)
    actor = shop.reseller_admin
    place(actor, fill_basket(shop, actor, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer))
    walk = Walk(browser, live_server.url)
    walk.sign_in(email_of(shop.reseller))
    for _second in range(60):
        if Subscription.objects.filter(status="active", sync_status="synchronized").exists():
            break
        walk.page.wait_for_timeout(500)
    walk.go("/company/microsoft/")
    both(walk, "microsoft-home")
    walk.page.click("text=Change MPN ID")
    walk.page.fill("main input[name=mpn_id]", twins.credentials()["mpn_ids"][1])
    both(walk, "mpn-change")
    walk.page.click("text=Check with the vendor")
    walk.page.wait_for_selector("text=Change it", timeout=30_000)
    both(walk, "mpn-preview")
    walk.page.click("text=Change it")
    walk.page.wait_for_selector("#stamp-run .badge:has-text('Done')", timeout=40_000)
    both(walk, "mpn-run")
    assert StampRun.objects.get().state == "done"
    staff = Walk(browser, live_server.url)
    staff.sign_in(email_of(None))
    staff.go("/bss/mpn-changes/")
    both(staff, "bss-runs")
    staff.go(reverse("bss:account_relationship", args=[shop.end_customer.public_id]))
    both(staff, "bss-relationship")
    staff.go(reverse("bss:account_kind", args=[shop.customer.public_id]))
    both(staff, "bss-kind")
    staff.go(reverse("bss:account_detail", args=[shop.end_customer.public_id]))
    both(staff, "bss-account")
    assert (walk.problems, staff.problems) == ([], [])
