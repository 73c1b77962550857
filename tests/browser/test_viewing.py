"""Support looks at a customer's shop in a real browser: reason, banner, refusal, the end of it."""

from typing import Any

import pytest

from tests import factories
from tests.browser.test_walk import Walk, email_of
from tests.shop import Shop, make_shop
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(live_server: Any) -> Shop:
    """A shop at the address of the test server."""
    made = make_shop()
    type(made.site).objects.filter(pk=made.site.pk).update(host="localhost")
    return made


def test_support_looks_and_the_customer_reads_it(browser, live_server, shop):
    support = factories.user(shop.organization, roles=[StaffRole.SUPPORT.value])
    walk = Walk(browser, live_server.url)
    walk.sign_in(support.email)
    walk.go(f"/bss/accounts/{shop.customer.public_id}/")
    walk.page.click("text=View as customer")
    walk.page.fill("textarea[name=reason]", "Ticket 4711: cannot find the order")
    walk.page.click("main button[type=submit]")
    walk.page.wait_for_selector(".viewing")
    assert shop.customer.name in walk.page.inner_text(".viewing")
    assert walk.problems == []
    walk.go(f"/products/{shop.product.public_id}/")
    walk.page.click("text=Add to basket")
    walk.page.wait_for_selector("text=can only read. Do it in the BSS")
    walk.page.click("main >> text=Back")
    walk.page.wait_for_selector("text=Add to basket")
    walk.page.click(".viewing button")
    walk.page.wait_for_url(f"**/bss/accounts/{shop.customer.public_id}/")
    walk.go("/")
    assert walk.page.query_selector(".viewing") is None
    customer = Walk(browser, live_server.url)
    customer.sign_in(email_of(shop.customer))
    customer.go("/company/")
    customer.page.click("text=Who looked at your account")
    customer.page.wait_for_selector("text=Ticket 4711: cannot find the order")
    assert customer.problems == []
