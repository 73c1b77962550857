"""The distributor sees a reseller's selling prices and margins only if the reseller shares them."""

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import SellingPolicy
from orders.models import Order
from subscriptions.models import Asset
from tests import factories
from tests.bss.staff import BACKEND
from tests.legs.running import make_running
from tests.legs.test_leaks import browser_of, fill
from tests.legs.world import World, make_world
from tests.storefront.services import text_of
from users.permissions import Perm, StaffRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def pages(world: World, *roles: str) -> list[str]:
    """The order, the service and the licence, as an employee reads them."""
    client = Client(headers={"host": world.shop.site.host})
    client.force_login(factories.user(world.shop.organization, roles=list(roles) or None), BACKEND)
    order, asset = Order.objects.filter(sell_net__isnull=False).first(), Asset.objects.get()
    service = make_running(world, with_addon=False)
    addresses = {"order": order, "subscription": service, "asset": asset}
    found = [client.get(reverse(f"bss:{name}_detail", args=[row.public_id])) for name, row in addresses.items()]
    assert [response.status_code for response in found] == [200, 200, 200]
    return [text_of(response) for response in found]


def test_selling_prices_are_shared_by_the_resellers_word_alone(world):
    fill(world)
    assert not any("99.00" in text or "495.00" in text or "His margin" in text for text in pages(world))
    browser = browser_of(world, world.shop.reseller)
    given = {"rounding": "minor", "rounding_way": "up", "floor": "0", "cost_mode": "automatic", "fixed_keeps": "price"}
    saved = browser.post(reverse("storefront:shop_policy"), given | {"shares_prices": "on"})
    assert (saved.status_code, SellingPolicy.objects.get().shares_prices) == (302, True)
    order, service, asset = pages(world)
    assert all(word in order for word in ("495.00", "106.15", "21.4 %"))
    assert all("99.00" in text and "21.23" in text for text in (service, asset))
    without = [
        role
        for role in StaffRole.values
        if Perm.COST_VIEW not in factories.actor(world.shop.organization, roles=[role]).perms
    ]
    assert without
    assert not any("His margin" in text for text in pages(world, without[0]))
    browser.post(reverse("storefront:shop_policy"), given)
    assert not any("His margin" in text for text in pages(world))
