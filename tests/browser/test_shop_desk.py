"""A reseller's shop in a real browser: catalogue, a rule with a warning, the effect, on a desk and on a phone."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import CostChange, Product
from catalog.selectors import price_list_of
from catalog.services.listings import list_products
from catalog.services.selling import RuleDraft, save_policy, save_rule
from core import clock
from resellers.models import Account, Site
from tests import factories
from tests.browser.test_lists import see
from tests.browser.test_walk import Walk
from tests.look.sites import picture
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


@pytest.mark.parametrize("look", ["desk", "phone"])
def test_reseller_imports_a_table_gives_a_picture_and_reviews_costs(here, browser, live_server, look, tmp_path):
    walk = Walk(browser, live_server.url, **LOOKS[look])
    page = walk.page
    if look == "phone":
        page.set_viewport_size({"width": 390, "height": 844})
    actor = factories.actor(here.organization, of=here.reseller)
    product = Product.objects.get(name="Microsoft 365 Business Standard")
    policy = {"cost_mode": "review", "floor": Decimal(15), "rounding": ".99"}
    save_policy(actor, reseller=here.reseller, values=policy)
    rows = {"price_list": price_list_of(here.reseller), "plan": product.plans.get(), "seen_at": clock.now()}
    CostChange.objects.create(organization=here.organization, before=Decimal(11), after=Decimal("14.88"), **rows)
    walk.sign_in(User.objects.filter(memberships__account=here.reseller).order_by("-id").first().email)
    walk.go("/my-shop/catalogue/import/")
    see(walk, f"shop-import-{look}")
    codes = list(Product.objects.order_by("name").values_list("code", flat=True))
    head = "product code,name,order,listed,price rule,colour"
    bad = tmp_path / "autumn.csv"
    bad.write_text(f"{head}\n{codes[0]},,,perhaps,,\nno-such,,,,,\n{codes[1]},Cedar Office,1,yes,margin 30 %,\n")
    page.set_input_files("#id_file", str(bad))
    page.click("text=Show what would change")
    page.locator("text=Row 2").first.wait_for()
    see(walk, f"shop-import-errors-{look}")
    good = tmp_path / "autumn.csv"
    good.write_text(
        f"{head}\n{codes[1]},Cedar Office,1,yes,margin 5 %,\n{codes[2]},Cedar Voice,2,no,mark-up 2.50 EUR,\n"
    )
    page.set_input_files("#id_file", str(good))
    page.click("text=Show what would change")
    page.locator("text=under your floor").first.wait_for()
    see(walk, f"shop-import-preview-{look}")
    page.locator("input[name=accepted]").first.check()
    page.click("text=Change all this")
    page.wait_for_url("**/my-shop/catalogue/")
    see(walk, f"shop-imported-{look}")
    walk.go("/my-shop/catalogue/table/")
    see(walk, f"shop-table-{look}")
    walk.go(f"/my-shop/catalogue/{product.public_id}/")
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture(size=(800, 400), colour="#3355aa"))
    page.set_input_files("#id_picture", str(photo))
    page.click("button:has-text('Save')")
    page.locator("img.shop-picture").wait_for()
    see(walk, f"shop-picture-{look}")
    walk.go("/my-shop/to-do/")
    see(walk, f"shop-review-{look}")
    page.click("text=All seen")
    walk.go("/my-shop/prices/settings/")
    see(walk, f"shop-settings-{look}")
