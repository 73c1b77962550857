"""The documentation of the API in a real browser: it is drawn, a call opens, and is tried out with a typed token."""

from typing import Any

import pytest

from tests.api.caller import program
from tests.browser.test_walk import Walk
from tests.shop import Shop, make_shop

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}
CALL = "#operations-Accounts-Accounts_GetAccounts"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def shop(live_server: Any) -> Shop:
    """A shop at the address of the test server."""
    made = make_shop()
    type(made.site).objects.filter(pk=made.site.pk).update(host="localhost")
    made.site.host = "localhost"
    return made


@pytest.mark.parametrize("size", [{"width": 1280, "height": 850}, PHONE], ids=["desktop", "phone"])
def test_a_call_is_tried_out(browser, live_server, shop, size):
    token = program(shop).token
    walk = Walk(browser, live_server.url)
    asked: list[str] = []
    walk.page.on("request", lambda request: asked.append(request.url))
    walk.page.set_viewport_size(size)
    walk.go("/apidocs/")
    walk.page.wait_for_selector(CALL, timeout=30_000)
    walk.shot(f"apidocs-{size['width']}")
    assert walk.page.evaluate(WIDE) <= 0
    walk.page.click("button.authorize")
    own = walk.page.locator(".auth-container", has_text="access_token")
    own.locator("input[type=text], input[type=password]").first.fill(token)
    own.locator("button.authorize").click()
    walk.page.click(".auth-container .btn-done >> nth=0")
    walk.page.click(f"{CALL} .opblock-summary-control")
    walk.page.wait_for_selector(f"{CALL} button.execute")
    walk.shot(f"apidocs-call-{size['width']}")
    assert walk.page.evaluate(WIDE) <= 0
    walk.page.click(f"{CALL} button.execute")
    walk.page.wait_for_selector(f"{CALL} .live-responses-table .response-col_status:has-text('200')", timeout=30_000)
    assert shop.customer.name in walk.page.inner_text(f"{CALL} .live-responses-table")
    walk.shot(f"apidocs-answer-{size['width']}")
    assert {url.split("/")[2].partition(":")[0] for url in asked if not url.startswith(("data:", "blob:"))} == {
        "localhost"
    }
    assert walk.problems == []


def test_resellers_have_a_part_of_their_own(browser, live_server, shop):
    walk = Walk(browser, live_server.url)
    walk.go("/apidocs/")
    walk.page.click("nav.tabs >> text=For resellers")
    walk.page.wait_for_selector(CALL, timeout=30_000)
    assert "API credentials" in walk.page.inner_text("main")
    assert "creditLimit" not in walk.page.inner_text("main")
    walk.page.click("text=Errors")
    assert walk.page.inner_text("#NotFoundError") == "NotFoundError"
    assert walk.problems == []
