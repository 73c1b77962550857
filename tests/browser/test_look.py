"""A reseller makes his storefront his own in a real browser: types, watches the preview, publishes."""

from typing import Any

import pytest

from catalog.models import Product
from resellers.enums import Edition
from resellers.models import Account, Site, StorefrontAlias
from resellers.services import design
from tests import factories
from tests.browser.test_walk import SHOTS, Walk
from tests.look.sites import picture
from tests.shop import Shop, make_shop

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = (
    "Microsoft 365 Business Standard",
    "Exchange Online (Plan 1)",
    "Dynamics 365 Sales Enterprise",
    "Power BI Pro",
    "Azure Active Directory P1",
)


@pytest.fixture
def shop(live_server: Any) -> Shop:
    """A shop at the address of the test server, with a Standard reseller below an alias and some products."""
    made = make_shop()
    Site.objects.filter(pk=made.site.pk).update(host="localhost", anonymous_access=True)
    Product.objects.filter(pk=made.product.pk).update(name=NAMES[0], is_featured=True)
    for name in NAMES[1:]:
        factories.product(made.instance, name=name, is_featured=True)
    site = factories.reseller_site(made.reseller, Edition.STANDARD)
    Site.objects.filter(pk=site.pk).update(host="", alias="cedar", anonymous_access=True, name="Cedar Cloud")
    StorefrontAlias.objects.filter(account=made.reseller).update(alias="cedar")
    Account.objects.filter(pk=made.reseller.pk).update(name="Cedar Cloud")
    return made


def at_cedar(walk: Walk, email: str) -> None:
    """Sign in below the alias."""
    walk.go("/cedar/accounts/login/?next=/cedar/my-shop/design/")
    walk.page.fill("input[name=login]", email)
    walk.page.fill("input[name=password]", factories.PASSWORD)
    walk.page.click("main button[type=submit]")
    walk.page.wait_for_selector("form.editor")


def preview_of(page: Any) -> Any:
    return page.frame_locator("[data-look-preview]")


def test_typing_shows_in_the_preview_and_publishing_shows_it_to_all(shop, browser, live_server, tmp_path):
    user = factories.user(shop.organization, of=shop.reseller)
    walk = Walk(browser, live_server.url)
    page = walk.page
    page.set_viewport_size({"width": 1500, "height": 950})
    at_cedar(walk, user.email)
    walk.shot("look_editor_fresh")
    page.locator("li[data-section]", has_text="Welcome").locator("summary > .strong").click()
    page.fill("input[name=tagline]", "Clouds that simply work")
    preview_of(page).get_by_text("Clouds that simply work").wait_for()
    page.select_option("select[name=skin]", "bold")
    page.fill("input[name=brand_color]", "#f5c211")
    page.wait_for_selector("text=has a contrast of")
    logo = tmp_path / "logo.png"
    logo.write_bytes(picture(size=(220, 60), colour="#124488"))
    page.set_input_files("input[name=logo]", logo)
    preview_of(page).locator(".logo img").wait_for()
    page.locator("li[data-section]", has_text="Categories").locator("[data-move='-1']").click()
    page.wait_for_function("document.querySelector('[data-section] summary').textContent.includes('Categories')")
    walk.shot("look_editor")
    page.click("button[data-device=phone]")
    walk.shot("look_editor_phone_preview")
    page.click("button[value=publish]")
    page.wait_for_selector("text=is live")
    site = Site.objects.get(alias="cedar")
    assert (site.tagline, site.brand_color, site.look["skin"]) == ("Clouds that simply work", "#f5c211", "bold")
    assert site.look["sections"][0][0] == "categories"
    page.set_viewport_size({"width": 390, "height": 844})
    walk.go("/cedar/my-shop/design/")
    walk.shot("look_editor_on_a_phone")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    assert walk.problems == []


@pytest.mark.parametrize("skin", ["calm", "crisp", "bold", "warm"])
def test_each_skin_fits_every_window_in_light_and_dark(shop, browser, live_server, skin):
    values = {
        "skin": skin,
        "brand_color": {"calm": "#0f766e", "crisp": "#1d4ed8", "bold": "#6d28d9", "warm": "#b45309"}[skin],
        "accent_color": {"calm": "#f59e0b", "crisp": "#ef4444", "bold": "#22d3ee", "warm": "#15803d"}[skin],
        "tagline": "Your people, your cloud, one bill.",
        "introduction": "We set up Microsoft 365 for companies around Thessaloniki since 2009, and pick up the phone.",
        "sections": [[name, True] for name in ("hero", "categories", "featured", "text", "new", "banner", "promises")],
        "text_title": "Twelve people who know your name",
        "text_body": "We move your mail on a **weekend**.\n\n- No downtime\n- One invoice\n- A person on the phone",
        "banner_title": "Ask for a free check-up",
        "banner_text": "An hour with one of us, and a list of what you pay for twice.",
        "banner_button": "Book an hour",
        "footer_text": "Cedar Cloud GmbH, Tsimiski 1, Thessaloniki",
        "footer_links": "Imprint | /terms/",
    }
    owner = factories.actor(shop.organization, of=Account.objects.get(pk=shop.reseller.pk))
    images = {"banner_image": picture("JPEG", (800, 500), "#5588aa")} if skin in ("warm", "bold") else {}
    design.publish_design(owner, site=Site.objects.get(alias="cedar"), values=values, files=images)
    for scheme in ("light", "dark") if SHOTS else ("light",):
        walk = Walk(browser, live_server.url, color_scheme=scheme)
        for width in (1280, 390, 320):
            walk.page.set_viewport_size({"width": width, "height": 850})
            walk.go("/cedar/")
            assert walk.page.evaluate("document.documentElement.scrollWidth") <= width
            if width != 320:
                walk.shot(f"skin_{skin}_{scheme}_{width}")
        walk.go("/cedar/accounts/login/")
        walk.shot(f"skin_{skin}_{scheme}_login")
        assert walk.problems == []
