"""A new user's walk in a real browser: buy, watch it become active; staff see it in the BSS."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from catalog.models import Product
from core import outbox
from orders.models import Order
from resellers.models import Membership
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from tests import factories
from tests.shop import Shop, make_shop
from tests.twins import Twins
from vendors.services.instances import write_secret
from vendors.services.links import set_mpn_id

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("SCREENSHOTS", "")


@pytest.fixture
def shop(twins: Twins, live_server: Any) -> Shop:
    """A shop at the address of the test server, connected to the twin."""
    made = make_shop(settings=twins.instance_settings(), code="CFQ7TTC0LDPB:0001")
    type(made.site).objects.filter(pk=made.site.pk).update(host="localhost", anonymous_access=True)
    Product.objects.filter(pk=made.product.pk).update(name="Microsoft 365 Business Standard")
    Product.objects.filter(pk=made.product.pk).update(search=Product.search_vector())
    write_secret(made.instance, "refresh_token", twins.credentials()["refresh_token"])
    return made


@pytest.fixture
def worker(shop: Shop) -> Iterator[None]:
    """A worker beside the web server: runs every due row until the test ends."""
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.wait(0.2):
                outbox.run_due()
        finally:
            connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(30)


class Walk:
    """One person's browser."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.problems: list[str] = []
        self.address = address.replace("127.0.0.1", "localhost")
        self.page = browser.new_page(viewport={"width": 1280, "height": 850}, **options)
        self._click = self.page.click
        self.page.click = self.click
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)

    def click(self, selector: str, **options: Any) -> None:
        """Click and let the page that comes be read whole: Playwright itself waits for its first byte only."""
        self._click(selector, **options)
        self.page.wait_for_load_state()

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.address + path)

    def sign_in(self, email: str) -> None:
        """Sign in with the password of all test users."""
        self.go("/accounts/login/")
        self.page.fill("input[name=login]", email)
        self.page.fill("input[name=password]", factories.PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state()
        assert "/accounts/login/" not in self.page.url

    def shot(self, name: str) -> None:
        """Keep a picture if somebody asked for them with SCREENSHOTS=folder."""
        if SHOTS:
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def email_of(account: Any) -> str:
    """The address of the first user of an account (None: of the employees)."""
    return Membership.objects.filter(account=account).order_by("id").first().user.email


def fill_details(walk: Walk, prefix: str) -> None:
    """The answers of a new customer for the vendor."""
    page = walk.page
    page.fill("main input[name$=domain_prefix]", prefix)
    for name, value in (("username", "admin"), ("agreement_first_name", "Ada"), ("agreement_last_name", "Byron")):
        page.fill(f"main input[name$={name}]", value)
    page.check("main input[name$=agreement_accepted]")


def buy(walk: Walk, prefix: str, *, mode: str = "", target: str = "") -> None:
    """From the product to the placed order."""
    page = walk.page
    walk.go("/products/?q=business")
    page.locator(".tile").first.click()
    page.fill("#quantity", "7")
    page.click("text=Add to basket")
    if mode:
        page.check(f"input[name=purchase_mode][value={mode}]")
        page.select_option(f"select[name={target}]", index=1)
    walk.shot(f"basket{prefix}")
    page.click("text=Go to checkout")
    page.locator("main form.card button[type=submit]").click()
    fill_details(walk, prefix)
    page.click("text=Check and continue")
    page.wait_for_url("**/checkout/review/", timeout=20_000)
    walk.shot(f"review{prefix}")
    page.check("#terms")
    page.click("text=Order now")
    page.wait_for_url("**/orders/**")
    page.wait_for_selector("text=Everything is active. Enjoy!", timeout=40_000)
    walk.shot(f"order{prefix}")


def test_direct_customer_buys_and_staff_see_it(browser, live_server, shop, worker, twins):
    walk = Walk(browser, live_server.url)
    walk.go("/")
    walk.shot("home")
    walk.sign_in(email_of(shop.customer))
    buy(walk, "direct")
    row = Subscription.objects.get()
    assert (row.account, row.status, row.quantity) == (shop.customer, SubscriptionStatus.ACTIVE, 7)
    assert [(found["id"], found["quantity"]) for found in twins.state()["subscriptions"]] == [(row.external_id, 7)]
    walk.page.click("text=Open service")
    assert "Business Standard" in walk.page.inner_text("h1")
    staff = Walk(browser, live_server.url)
    staff.sign_in(email_of(None))
    staff.go("/bss/subscriptions/")
    assert "Microsoft 365 Business Standard" in staff.page.inner_text("table")
    staff.shot("bss")
    assert (walk.problems, staff.problems) == ([], [])


@pytest.mark.parametrize(
    ("mode", "field", "kind"),
    [("end_customer", "end_customer", "end_customer"), ("affiliate_account", "affiliate", "affiliate")],
)
def test_reseller_buys_for_a_sub_account(browser, live_server, shop, worker, twins, mode, field, kind):
    link_mpn(shop, twins)
    walk = Walk(browser, live_server.url)
    walk.sign_in(email_of(shop.reseller))
    buy(walk, kind.replace("_", ""), mode=mode, target=field)
    row = Subscription.objects.get()
    assert (row.account, row.bill_to) == (getattr(shop, kind), shop.reseller)
    assert walk.problems == []


def link_mpn(shop: Shop, twins: Twins) -> None:
    """The reseller's MPN ID on its link, as staff enter it."""
    set_mpn_id(shop.staff, account=shop.reseller, instance=shop.instance, mpn_id=twins.credentials()["mpn_ids"][0])


def test_existing_tenant_waits_for_the_relationship(browser, live_server, shop, worker, twins):
    tenant = next(row for row in twins.credentials()["existing_tenants"] if row["country"] == "DE")
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(shop.customer))
    walk.go("/products/?q=business")
    page.locator(".tile").first.click()
    page.click("text=Add to basket")
    page.click("text=Go to checkout")
    page.locator("main form.card button[type=submit]").click()
    page.check("main input[name$=has_tenant]")
    page.fill("main input[name$='-domain']", tenant["domain"])
    page.fill("main input[name$=agreement_first_name]", "Ada")
    page.fill("main input[name$=agreement_last_name]", "Byron")
    page.check("main input[name$=agreement_accepted]")
    page.click("text=Check and continue")
    page.wait_for_selector("text=Open the invitation", timeout=20_000)
    walk.shot("relationship")
    walk.go("/checkout/review/")
    page.check("#terms")
    page.click("text=Order now")
    page.wait_for_load_state()
    assert Order.objects.count() == 0
    walk.go("/checkout/details/")
    (request,) = twins.call("GET", "/_twin/relationships")["relationships"]
    twins.call("POST", f"/_twin/relationships/{request['id']}/accept", json={"domain": tenant["domain"]})
    page.click("text=Check and continue")
    page.wait_for_url("**/checkout/review/", timeout=20_000)
    page.check("#terms")
    page.click("text=Order now")
    page.wait_for_selector("text=Everything is active. Enjoy!", timeout=40_000)
    assert Subscription.objects.get().status == SubscriptionStatus.ACTIVE
    assert walk.problems == []


def test_storefront_on_a_phone_in_the_dark(browser, live_server, shop, worker):
    walk = Walk(browser, live_server.url, color_scheme="dark")
    walk.page.set_viewport_size({"width": 390, "height": 800})
    for number, path in enumerate(("/", "/products/", "/accounts/login/", "/basket/")):
        walk.go(path)
        wide = walk.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is wider than a phone"
        walk.shot(f"phone{number}")
    assert walk.problems == []
