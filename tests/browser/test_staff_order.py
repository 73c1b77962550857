"""An employee's walk in a real browser: order for an account, once with JavaScript and once without any."""

from typing import Any

import pytest

from orders.models import Order
from resellers.models import Account
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from tests.browser.test_walk import Walk, email_of, fill_details, shop, worker

__all__ = ["shop", "worker"]  # The fixtures of the walks, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "plain"])
def test_employee_orders_for_an_account(browser: Any, live_server: Any, shop: Any, worker: Any, with_scripts: bool):
    Account.objects.filter(pk=shop.customer.pk).update(name="Dune Logistics")
    walk = Walk(browser, live_server.url, java_script_enabled=with_scripts)
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go("/bss/orders/")
    page.click("text=New order")
    page.fill("#list-search", "dune")
    page.press("#list-search", "Enter")
    page.click("text=Dune Logistics")
    page.fill("#offer-search", "standard")
    page.press("#offer-search", "Enter")
    # The results replace what is there; what is typed before they come would go with it.
    page.wait_for_load_state("networkidle")
    page.fill("#offers input[name=quantity]", "4")
    page.locator("#offers button", has_text="Add").first.click()
    page.wait_for_selector("text=is in the order.")
    walk.shot(f"staff_lines_{with_scripts}")
    page.locator("aside a.button-primary").click()
    page.locator("main form.card button[type=submit]").click()
    fill_details(walk, "byemployee")
    page.click("text=Check and continue")
    page.wait_for_url("**/review/", timeout=40_000)
    page.check("input[name=terms]")
    walk.shot(f"staff_review_{with_scripts}")
    page.click("text=Place and execute")
    page.wait_for_selector("text=The order is executed")
    order = Order.objects.get()
    assert (order.account, order.buyer_account) == (shop.customer, None)
    for _second in range(60):
        if Subscription.objects.get().status == SubscriptionStatus.ACTIVE:
            break
        page.wait_for_timeout(500)
    row = Subscription.objects.get()
    assert (row.account, row.status, row.quantity) == (shop.customer, SubscriptionStatus.ACTIVE, 4)
    assert walk.problems == []
