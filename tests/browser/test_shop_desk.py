"""A reseller's shop in a real browser: catalogue, a rule with a warning, the effect, on a desk and on a phone."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.services.listings import list_products
from catalog.services.selling import RuleDraft, save_rule
from resellers.models import Account, Site
from tests import factories
from tests.browser.test_lists import see
from tests.browser.test_walk import Walk
from tests.shop import Shop, make_shop
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = {
    "desk": {"color_scheme": "light"},
    "phone": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
}


@pytest.fixture
def here(live_server: Any) -> Shop:
    """A Standard reseller who lists some of twelve products."""
    shop = make_shop()
    Site.objects.filter(pk=shop.site.pk).update(host="localhost")
    Account.objects.filter(pk=shop.reseller.pk).update(edition="standard", name="Cedar Cloud")
    shop.reseller.refresh_from_db()
    actor = factories.actor(shop.organization, of=shop.reseller)
    products = [
        factories.product(shop.instance, name=f"Microsoft 365 Business {name}", cost=f"{10 + number}.40")
        for number, name in enumerate(("Basic", "Standard", "Premium", "Apps", "Voice", "Teams Rooms Pro"))
    ]
    save_rule(actor, reseller=shop.reseller, draft=RuleDraft("margin", Decimal(20)))
    save_rule(actor, reseller=shop.reseller, draft=RuleDraft("markup", Decimal(35), product=products[1]))
    list_products(actor, reseller=shop.reseller, products=products[:4])
    return shop


@pytest.mark.parametrize("look", LOOKS)
def test_reseller_lists_prices_and_is_warned(here, browser, live_server, look):
    walk = Walk(browser, live_server.url, **LOOKS[look])
    page = walk.page
    if look == "phone":
        page.set_viewport_size({"width": 390, "height": 844})
    user = User.objects.filter(memberships__account=here.reseller).order_by("-id").first()
    walk.sign_in(user.email)
    walk.go("/my-shop/catalogue/")
    see(walk, f"shop-catalogue-{look}")
    page.locator("tr", has_text="Business Premium").locator("a").click()
    see(walk, f"shop-product-{look}")
    page.click("text=Price rule for this product")
    page.fill("#id_value", "9")
    page.select_option("#id_plan", index=1)
    page.locator("aside", has_text="below your purchase price").wait_for()
    see(walk, f"shop-rule-{look}")
    page.click("button:has-text('Save')")
    page.locator("fieldset input[value=below_cost]").check()
    see(walk, f"shop-warned-{look}")
    page.click("button:has-text('Save')")
    page.wait_for_url("**/my-shop/prices/")
    see(walk, f"shop-rules-{look}")
    walk.go("/my-shop/prices/all/?kind=margin&value=30")
    see(walk, f"shop-effect-{look}")
    walk.go("/my-shop/prices/settings/")
    see(walk, f"shop-policy-{look}")
    walk.go("/my-shop/to-do/")
    see(walk, f"shop-todo-{look}")
