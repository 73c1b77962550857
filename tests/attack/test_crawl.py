"""Whoever signs in wherever, and follows every link he finds, reads nothing of another reseller's business."""

import html
import re
from collections import deque
from decimal import Decimal
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from catalog.models import Price, PriceListAssignment
from orders.models import Order
from resellers.enums import AccountKind, Edition, PurchaseMode
from resellers.models import Account, Site
from tests import factories
from tests.catalog.selling import listing, rule
from tests.legs.world import World, make_world, order_of
from tests.shop import fill_basket, place

pytestmark = pytest.mark.django_db
MOST_PAGES = 250
LINK = re.compile(r'href="([^"#]+)"')
# The other reseller, his customer, his alias and host, what he pays and what he takes.
FOREIGN = ("Quartz", "Zebra", "55.55", "66.66", "277.75", "333.30")
WHO = (
    ("visitor", "own"),
    ("end_customer", "own"),
    ("reseller", "own"),
    ("buyer", "own"),
    ("visitor", "distributor"),
    ("reseller", "distributor"),
    ("affiliate", "distributor"),
    ("direct", "distributor"),
)


@pytest.fixture
def world() -> World:
    made = make_world()
    shop = made.shop
    rival = factories.account(shop.organization, AccountKind.RESELLER, name="Quartz Systems")
    prices = factories.price_list(shop.organization, to=rival, name="Quartz wholesale")
    Price.objects.update_or_create(
        organization=shop.organization,
        price_list=prices,
        plan=shop.plan,
        defaults={"rule": "fixed", "value": Decimal("55.55")},
    )
    assert PriceListAssignment.objects.filter(account=rival).exists()
    site = factories.reseller_site(rival, Edition.STANDARD)
    Site.objects.filter(pk=site.pk).update(name="Quartz Systems", tagline="Quartz for all", anonymous_access=True)
    rival.refresh_from_db()
    listing(rival, shop.product, name="Quartz product", summary="By Quartz")
    rule(rival, "fixed", "66.66", plan=shop.plan)
    zoo = factories.account(shop.organization, AccountKind.END_CUSTOMER, bill_to=rival, name="Zebra Zoo")
    admin = factories.actor(shop.organization, of=rival)
    shop.reseller, mine = rival, shop.reseller
    place(admin, fill_basket(shop, admin, mode=PurchaseMode.END_CUSTOMER, target=zoo, mpn_id="7654321"))
    shop.reseller = mine
    made.site.anonymous_access = made.site.anonymous_prices = True
    made.site.save()
    Site.objects.filter(organization=shop.organization, account=None).update(anonymous_access=True)
    order_of(made)
    return made


def browser(world: World, role: str, where: str) -> Client:
    host = world.site.host if where == "own" else world.shop.site.host
    client = Client(headers={"host": host})
    account: Account | None = {
        "end_customer": world.customer,
        "reseller": world.shop.reseller,
        "buyer": world.shop.reseller,
        "affiliate": world.shop.affiliate,
        "direct": world.shop.customer,
    }.get(role)
    if account is not None:
        roles = ["buyer", "my_storefront_manager"] if role == "buyer" else None
        user = factories.user(world.shop.organization, of=account, roles=roles)
        client.force_login(user, "sso.backends.RealmBackend")
    return client


def crawl(client: Client) -> dict[str, str]:
    """The text of every page that can be reached by links, files included."""
    waiting, seen = deque(["/"]), {}
    while waiting and len(seen) < MOST_PAGES:
        url = waiting.popleft()
        if url in seen:
            continue
        response = client.get(url)
        assert response.status_code < 500, url
        body = b"".join(response.streaming_content) if response.streaming else response.content
        seen[url] = body.decode(errors="replace") + str(response.headers)
        if response.status_code in (301, 302):
            links = [response["Location"]]
        else:
            links = [html.unescape(link) for link in LINK.findall(seen[url])]
        for link in links:
            target = urlsplit(urljoin(url, link))
            if not target.netloc and target.path.startswith("/") and not target.path.startswith("/static/"):
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return seen


@pytest.mark.parametrize(("role", "where"), WHO)
def test_nothing_of_another_reseller_can_be_read(world, role, where):
    pages = crawl(browser(world, role, where))
    found = {url: [word for word in FOREIGN if word in text] for url, text in pages.items()}
    assert {url: words for url, words in found.items() if words} == {}
    assert len(pages) > (5 if role == "visitor" else 15)
    assert Order.objects.count() == 2


def test_the_words_are_there_for_whom_they_are(world):
    rival = Account.objects.get(name="Quartz Systems")
    site = Site.objects.get(account=rival)
    client = Client(headers={"host": site.host})
    client.force_login(factories.user(world.shop.organization, of=rival), "sso.backends.RealmBackend")
    text = "".join(crawl(client).values())
    assert [word for word in FOREIGN if word not in text] == []
