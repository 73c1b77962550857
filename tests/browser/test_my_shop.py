"""In a real browser, on a desk and on a phone: what a reseller sets about approvals, mails and his domain."""

from typing import Any

import pytest

from resellers.enums import PaymentMethod
from resellers.models import Account, Site
from resellers.services.domains import request_domain
from resellers.site_models import SiteMail, SiteMailText
from tests.browser.test_two_legs import email, see
from tests.browser.test_walk import Walk
from tests.legs.world import World, make_world, order_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live_server: Any) -> World:
    """A reseller's shop at the address of the test server, in a light colour."""
    made = make_world()
    Site.objects.filter(pk=made.site.pk).update(host="localhost", brand_color="#ffd84d")
    return made


def test_approvals_mails_and_domain(browser, live_server, world):
    order = order_of(world)
    reseller = Walk(browser, live_server.url)
    reseller.sign_in(email(world.decider.user_id))
    reseller.go(f"/customers/{world.customer.public_id}/")
    see(reseller, "customer")
    reseller.page.click("text=Order without approval")
    see(reseller, "customer-approval")
    reseller.page.click("button:has-text('Order without approval')")
    assert "is bought at once" in reseller.page.inner_text("main")
    reseller.go("/customers/")
    see(reseller, "customers")
    Account.objects.filter(pk=world.shop.reseller.pk).update(payment_method=PaymentMethod.CARD)
    reseller.go("/approvals/customers/")
    see(reseller, "switches-locked")
    reseller.go(f"/approvals/{order.public_id}/")
    assert "Store a card first." in reseller.page.inner_text("main")
    see(reseller, "decide-card")

    reseller.go("/my-shop/mail/")
    reseller.page.select_option("select[name=kind]", "google")
    assert reseller.page.is_visible("input[name=client_id]")
    assert not reseller.page.is_visible("input[name=server]")
    for name, value in {"name": "Cedar", "address": "shop@cedar.test", "client_id": "id", "secret": "s"}.items():
        reseller.page.fill(f"[name={name}]", value)
    reseller.page.click("button:has-text('Save')")
    reseller.page.wait_for_selector("text=Connect with Google")
    see(reseller, "mail-google")
    assert SiteMail.objects.get().kind == "google"
    reseller.page.click("text=Mail texts")
    see(reseller, "mail-texts")
    reseller.page.locator("a:has-text('English')").first.click()
    see(reseller, "mail-text")
    reseller.page.fill("[name=text]", "{{ user.greeting }}\n\n**Thank you.**\n\n{{ order.lines }}")
    reseller.page.click("button:has-text('Preview')")
    assert "Thank you." in reseller.page.inner_text(".mail-sheet")
    see(reseller, "mail-text-preview")
    assert not SiteMailText.objects.exists()
    reseller.page.click("button:has-text('Save')")
    reseller.page.wait_for_selector("text=Use the standard text")
    assert SiteMailText.objects.get().template == "order_placed"

    request_domain(world.decider, host="shop.cedar-test.com")
    reseller.go("/my-shop/domain/")
    see(reseller, "domain")
    reseller.page.click("text=Upload your own certificate")
    see(reseller, "domain-certificate")
    assert reseller.problems == []
