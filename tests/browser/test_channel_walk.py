"""The channel on three host names: staff upgrade a reseller, a stranger registers at his shop and buys, he approves.

The distributor is at localhost, the reseller's shop at cedar.localhost, another reseller's at birch.localhost.
"""

import re
import time
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from catalog.models import Price, Product
from core.tenancy import Actor, system_actor
from orders.enums import OrderStatus
from orders.models import Order
from provisioning.services.plans import set_up_plans
from resellers.enums import AccountKind, Edition
from resellers.models import Account, Site
from resellers.routing import site_of_reseller
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from tests import factories
from tests.browser.test_walk import Walk, fill_details, link_mpn, shop, worker
from tests.catalog.selling import listing, rule
from tests.sso import registering as kit
from users.models import User
from users.permissions import BSS_PERMS

__all__ = ["shop", "worker"]  # The fixtures of that walk, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


class HostWalk(Walk):
    """One person's browser at one of the host names."""

    def __init__(self, browser: Any, address: str, host: str) -> None:
        super().__init__(browser, address)
        self.address = self.address.replace("localhost", host)

    def see(self, name: str) -> None:
        """Nothing sticks out at the side, on a desk and on a phone; keeps pictures of both."""
        desk = self.page.viewport_size
        for size, tag in ((desk, "desk"), (PHONE, "phone")):
            self.page.set_viewport_size(size)
            widths = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert widths[0] <= widths[1], f"{name} is wider than its window ({tag}): {widths}"
            self.shot(f"channel-{name}-{tag}")
        self.page.set_viewport_size(desk)

    def sign_in_with(self, email: str, password: str) -> None:
        """Sign in with a password of one's own."""
        self.go("/accounts/login/")
        self.page.fill("input[name=login]", email)
        self.page.fill("input[name=password]", password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state()


def sell_plans(shop: Any) -> None:
    """The distributor's plans, priced for the reseller."""
    base = system_actor(shop.organization.pk)
    operator = Actor(kind=base.kind, organization_id=shop.organization.pk, label="set-up", perms=frozenset(BSS_PERMS))
    instance = set_up_plans(operator)
    Product.objects.filter(product_type__instance=instance).update(is_published=True)
    prices = shop.reseller.price_list_assignment.price_list
    for product in Product.objects.filter(product_type__instance=instance):
        for plan in product.plans.all():
            value = Decimal(0) if product.code == "free" else Decimal(49)
            Price.objects.create(
                organization=shop.organization, price_list=prices, plan=plan, rule="fixed", value=value
            )


def upgrade(staff: HostWalk, shop: Any) -> Site:
    """From the list of resellers to the live storefront."""
    staff.go("/bss/resellers/")
    staff.see("resellers")
    staff.page.click("text=Cedar Cloud")
    staff.page.click("text=Upgrade reseller")
    staff.page.fill("input[name=alias]", "Cedar")
    staff.see("upgrade")
    staff.page.click("text=Order and execute")
    staff.page.wait_for_url("**/bss/orders/**")
    for _try in range(100):
        site = site_of_reseller(shop.reseller.pk)
        if site is not None and site.plan_id is not None:
            return site
        staff.page.wait_for_timeout(200)
    raise AssertionError("the storefront did not open")


def register(stranger: HostWalk) -> None:
    """From the front page to the request."""
    stranger.go("/")
    stranger.see("front")
    stranger.page.click("main >> text=Register")
    for name, value in kit.answers(country="DE", city="Berlin", postal_code="10117", tax_id="").items():
        field = stranger.page.locator(f"[name={name}]")
        if name in ("terms", "privacy"):
            field.check()
        elif name == "country":
            field.select_option(value)
        else:
            field.fill(value)
    stranger.see("register")
    stranger.page.click("main button[type=submit]")
    stranger.page.wait_for_selector("text=Request submitted")


def admit(reseller: HostWalk) -> None:
    """The reseller lets the stranger in."""
    reseller.go("/registrations/")
    reseller.see("registrations")
    reseller.page.click("main >> text=Fir Foods")
    reseller.page.click("main >> text=Approve")
    reseller.page.click("main button[type=submit]")
    reseller.page.wait_for_selector("text=Approved")


def sent_link(address: str) -> str:
    """The path of the activation link as it was sent: what is kept of such a mail has lost its text."""
    for _try in range(100):
        for letter in mail.outbox:
            found = re.findall(r"https?://[^/\s]+(/accounts/register/\S+/)", str(letter.body))
            if address in letter.to and found:
                return str(found[0])
        time.sleep(0.2)
    raise AssertionError("no link was sent")


def activate(customer: HostWalk) -> None:
    """By the link of the mail, then in with the own password."""
    customer.go(sent_link("fay@fir.test"))
    customer.page.fill("input[name=password]", kit.PASSWORD)
    customer.page.click("main button[type=submit]")
    customer.page.wait_for_selector("text=Your account is active")
    customer.sign_in_with("fay@fir.test", kit.PASSWORD)


def order(customer: HostWalk) -> None:
    """At the reseller's prices, up to the reseller's approval."""
    page = customer.page
    customer.go("/products/")
    customer.see("shelf")
    page.locator(".tile").first.click()
    page.fill("#quantity", "5")
    page.click("text=Add to basket")
    customer.see("basket")
    page.click("text=Go to checkout")
    page.locator("main form.card button[type=submit]").click()
    fill_details(customer, "firfoods")
    page.click("text=Check and continue")
    page.wait_for_url("**/checkout/review/", timeout=20_000)
    customer.see("review")
    page.check("#terms")
    page.click("text=Order now")
    page.wait_for_url("**/orders/**")
    assert "Pending" in page.inner_text("main")
    customer.see("waiting")


def test_from_the_upgrade_to_the_customers_service(browser, live_server, shop, worker, twins):
    Account.objects.filter(pk=shop.reseller.pk).update(name="Cedar Cloud")
    sell_plans(shop)
    link_mpn(shop, twins)
    rival = factories.account(shop.organization, AccountKind.RESELLER, name="Birch IT")
    other = factories.reseller_site(rival, Edition.STANDARD)
    Site.objects.filter(pk=other.pk).update(host="birch.localhost", name="Birch IT", anonymous_access=True)
    staff = HostWalk(browser, live_server.url, "localhost")
    staff.sign_in(factories.user(shop.organization, roles=["sales"]).email)
    site = upgrade(staff, shop)
    Site.objects.filter(pk=site.pk).update(
        host="cedar.localhost", anonymous_access=True, self_registration=True, terms="Be kind."
    )
    shop.reseller.refresh_from_db()
    listing(shop.reseller, shop.product)
    rule(shop.reseller, "fixed", "99.00", plan=shop.plan)
    stranger = HostWalk(browser, live_server.url, "cedar.localhost")
    register(stranger)
    reseller = HostWalk(browser, live_server.url, "cedar.localhost")
    reseller.sign_in(User.objects.filter(memberships__account=shop.reseller).first().email)
    admit(reseller)
    activate(stranger)
    order(stranger)
    assert twins.state()["subscriptions"] == []
    reseller.page.click("nav >> text=Approvals")
    reseller.page.locator("tbody a").first.click()
    reseller.page.wait_for_selector("text=If you approve it")
    reseller.see("decide")
    reseller.page.click("button:has-text('Approve')")
    reseller.page.wait_for_url("**/approvals/")
    placed = Order.objects.get(account__name="Fir Foods")
    stranger.go(f"/orders/{placed.public_id}/")
    stranger.page.wait_for_selector("text=Everything is active. Enjoy!", timeout=40_000)
    stranger.see("active")
    placed.refresh_from_db()
    row = Subscription.objects.get(account=placed.account)
    assert (placed.status, row.status) == (OrderStatus.EXECUTED, SubscriptionStatus.ACTIVE)
    assert (row.bill_to, len(twins.state()["subscriptions"])) == (shop.reseller, 1)
    everything = stranger.page.content()
    assert ("12.00" in everything, shop.organization.name in everything) == (False, False)
    lost = HostWalk(browser, live_server.url, "birch.localhost")
    lost.sign_in_with("fay@fir.test", kit.PASSWORD)
    assert "/accounts/login/" in lost.page.url
    assert (staff.problems, reseller.problems, stranger.problems) == ([], [], [])
