"""In a real browser: an end customer orders at his reseller's site, the reseller decides, both read what is theirs."""

from typing import Any

import pytest

from orders.enums import OrderStatus
from orders.models import Order
from resellers.models import Site
from tests.browser.test_walk import Walk
from tests.legs.running import make_running
from tests.legs.world import World, basket_of, make_world
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def world(live_server: Any) -> World:
    """A reseller's shop at the address of the test server."""
    made = make_world()
    Site.objects.filter(pk=made.site.pk).update(host="localhost")
    return made


def see(walk: Walk, name: str) -> None:
    """Nothing sticks out at the side, on a desk and on a phone; keeps pictures of both."""
    desk = walk.page.viewport_size
    for size, tag in ((desk, "desk"), (PHONE, "phone")):
        walk.page.set_viewport_size(size)
        width = walk.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], f"{name} is wider than its window ({tag}): {width}"
        walk.shot(f"legs-{name}-{tag}")
    walk.page.set_viewport_size(desk)


def email(user_id: int | None) -> str:
    return User.objects.get(pk=user_id).email


def test_customer_orders_and_the_reseller_decides(browser, live_server, world):
    service = make_running(world)
    basket_of(world, quantity=3)
    customer = Walk(browser, live_server.url)
    customer.sign_in(email(world.buyer.user_id))
    customer.go("/basket/")
    see(customer, "basket")
    customer.go("/checkout/review/")
    see(customer, "review")
    customer.page.check("#terms")
    customer.page.click("text=Order now")
    customer.page.wait_for_url("**/orders/**")
    assert "Pending approval" in customer.page.inner_text("main")
    assert "297.00" in customer.page.inner_text("main")
    see(customer, "order")
    customer.go(f"/services/{service.public_id}/")
    assert "77.77" not in customer.page.content()
    see(customer, "service")
    customer.go(f"/services/{service.public_id}/licences/?quantity=7")
    see(customer, "licences")

    reseller = Walk(browser, live_server.url)
    reseller.sign_in(email(world.decider.user_id))
    reseller.page.click("nav >> text=Approvals")
    see(reseller, "queue")
    reseller.page.locator("tbody a").first.click()
    reseller.page.wait_for_selector("text=If you approve it")
    see(reseller, "decide")
    reseller.page.click("button:has-text('Approve')")
    reseller.page.wait_for_url("**/approvals/")
    order = Order.objects.get(sell_net=297)
    assert (order.status, order.decided_by) == (OrderStatus.EXECUTED, world.decider.label)
    see(reseller, "decided")
    reseller.go(f"/services/{service.public_id}/")
    see(reseller, "service-reseller")
    reseller.go("/approvals/customers/")
    see(reseller, "switches")
    assert (customer.problems, reseller.problems) == ([], [])
