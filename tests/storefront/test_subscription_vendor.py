"""A service's pages over the vendor's twin: what was confirmed happens there once, and the pages tell how it went."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from orders.models import Order
from subscriptions.models import Subscription
from tests.drain import drain
from tests.provisioning.life import active, assert_all_holds, at_vendor, connected_shop, fresh, ledger, move
from tests.shop import Shop
from tests.storefront.services import DAY, address, browser, confirm, text_of
from tests.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(twins: Twins) -> Iterator[Shop]:
    """A connected shop; at the end of each test nothing is lost and nothing doubled."""
    yield connected_shop(twins)
    assert_all_holds(twins)


@pytest.fixture
def row(shop: Shop, twins: Twins) -> Subscription:
    """Five active licences of the direct customer."""
    return active(shop, twins)


@pytest.fixture
def client(shop: Shop):
    """The direct customer's Admin."""
    return browser(shop, shop.customer)


def test_more_then_fewer_licences_are_there_charged_and_credited(client, row, twins):
    done = confirm(client, address("licences", row), quantity=8)
    assert "Ordering at the vendor" in text_of(client.get(done["Location"]))
    drain(twins)
    assert "Everything is active. Enjoy!" in text_of(client.get(done["Location"]))
    confirm(client, address("licences", row), quantity=6)
    drain(twins)
    assert (fresh(row).quantity, at_vendor(twins, row)["quantity"]) == (6, 6)
    assert [amount > 0 for amount in ledger(row)] == [True, True, False]
    text = text_of(client.get(address("detail", row)))
    assert "The licences are given back." in text
    assert "Quantity 8 → 6" in text


def test_the_vendor_is_read_for_the_window(client, row, twins):
    move(twins, 8 * DAY)
    assert "The vendor could not be asked" not in text_of(client.get(address("cancel", row)))
    client.post(address("refresh", row))
    drain(twins)
    part = client.get(address("refresh", row), headers={"HX-Request": "true"})
    assert "the vendor's window is closed" in text_of(part)
    assert [bool(way.reason) for way in client.get(address("cancel", row)).context["ways"]] == [True, False]


def test_a_refused_change_is_set_aside_and_nothing_is_charged(client, row, twins):
    twins.fault("update_subscription", "error", code="800090", status=400)
    done = confirm(client, address("licences", row), quantity=8)
    drain(twins)
    assert "The vendor did not accept it. The service is as it was" in text_of(client.get(done["Location"]))
    detail = text_of(client.get(address("detail", row)))
    assert "The vendor takes licences back only at the next renewal." in detail
    assert "Set it aside" in detail
    confirm(client, address("dismiss", row))
    drain(twins)
    assert ledger(row) == [Decimal(60)]
    twins.no_faults()
    again = confirm(client, address("licences", row), quantity=8)
    drain(twins)
    assert (again.status_code, fresh(row).quantity, Order.objects.count()) == (302, 8, 3)


def test_cancelled_at_the_end_then_kept(client, row, twins):
    confirm(client, address("cancel", row), execution="period_end", reason="Maybe")
    drain(twins)
    assert "Ends on" in text_of(client.get(address("detail", row)))
    confirm(client, address("keep", row))
    drain(twins)
    text = text_of(client.get(address("detail", row)))
    assert "The service goes on." in text
    assert (fresh(row).status, at_vendor(twins, row)["autoRenewEnabled"]) == ("active", True)
