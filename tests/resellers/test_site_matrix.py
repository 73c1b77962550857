"""Every address of a reseller's site, by host and by alias, for each who might knock: the same answer by both ways."""

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import Order
from resellers.enums import AccountKind, Edition, PurchaseMode
from resellers.models import Site
from tests import factories
from tests.shop import fill_basket, make_shop, place
from tests.test_url_matrix import OPEN, PATTERNS, POST_ONLY, SHOP

pytestmark = pytest.mark.django_db
ROLES = ("visitor", "end_customer", "reseller", "foreign_reseller", "foreign_customer", "direct_customer", "employee")
BACKEND = "sso.backends.RealmBackend"


@pytest.fixture(params=[Edition.FREE, Edition.STANDARD])
def world(request):
    shop = make_shop()
    site = factories.reseller_site(shop.reseller, request.param)
    order = place(
        shop.reseller_admin,
        fill_basket(
            shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer, mpn_id="1234567"
        ),
    )
    return shop, site, order


def user_of(shop, role):
    row = shop.organization
    match role:
        case "end_customer":
            return factories.user(row, of=shop.end_customer)
        case "reseller":
            return factories.user(row, of=shop.reseller)
        case "foreign_reseller":
            return factories.user(row, of=factories.account(row, AccountKind.RESELLER))
        case "foreign_customer":
            other = factories.account(row, AccountKind.RESELLER)
            return factories.user(row, of=factories.account(row, AccountKind.END_CUSTOMER, bill_to=other))
        case "direct_customer":
            return factories.user(row, of=shop.customer)
        case _:
            return factories.user(row)


def answers(shop, site, order, role, *, by_alias: bool) -> dict[str, int]:
    host, prefix = site.host, ""
    if by_alias:
        host, prefix = shop.site.host, f"/{site.alias}"
        Site.objects.filter(pk=site.pk).update(host="")
    client = Client(headers={"host": host})
    if role != "visitor":
        user = user_of(shop, role)
        client.post(f"{prefix}{reverse('account_login')}", {"login": user.email, "password": factories.PASSWORD})
    found = {}
    for name in SHOP:
        arguments = dict.fromkeys(PATTERNS[name].pattern.converters, str(order.public_id))
        arguments |= {key: "nothing" for key in arguments if key in ("slug", "token", "verb")}
        found[name] = client.get(prefix + reverse(name, kwargs=arguments)).status_code
    return found


@pytest.mark.parametrize("role", ROLES)
def test_same_by_host_and_by_alias(world, role):
    shop, site, order = world
    by_host = answers(shop, site, order, role, by_alias=False)
    by_alias = answers(shop, site, order, role, by_alias=True)
    assert by_host == by_alias
    assert {name: status for name, status in by_host.items() if status >= 500} == {}
    if role in ("end_customer", "reseller"):
        assert by_host["storefront:home"] == by_host["storefront:order_detail"] == 200
    else:
        seen = {name for name, status in by_host.items() if status == 200}
        assert seen == {"storefront:brand_css", "storefront:site_icon", "storefront:terms"}


def test_open_site_shows_a_visitor_its_shelves_only(world):
    shop, site, order = world
    Site.objects.filter(pk=site.pk).update(anonymous_access=True)
    found = answers(shop, site, order, "visitor", by_alias=True)
    assert {name for name, status in found.items() if status == 200} <= OPEN
    assert {name for name in POST_ONLY if found[name] not in (302, 405)} == set()
    assert Order.objects.count() == 1
