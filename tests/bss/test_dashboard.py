"""The overview."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import Charge
from core import clock
from orders.models import Order
from subscriptions.enums import OperationState
from subscriptions.models import Operation
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of, staff_client
from tests.shop import Shop, fill_basket, make_shop, place
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
HOME = reverse("bss:dashboard")


@pytest.fixture
def shop() -> Shop:
    return make_shop(customer=Decimal(100))


def order(shop: Shop, quantity: int = 1) -> Order:
    return place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=quantity))


def test_tiles_lead_to_the_rows_they_count(shop):
    order(shop)
    order(shop, 20)
    Operation.objects.filter(verb="create").update(state=OperationState.ATTENTION)
    client = staff_client(shop.organization)
    tiles = client.get(HOME).context["tiles"]
    assert [(tile.label, tile.value) for tile in tiles] == [
        ("Active subscriptions", 0),
        ("Orders waiting", 1),
        ("On the operations desk", 1),
        ("Active accounts", 4),
    ]
    assert [len(rows_of(client.get(tile.url))) for tile in tiles] == [tile.value for tile in tiles]


def test_chart_sums_thirty_days_without_what_was_released(shop):
    order(shop, 2)
    order(shop, 1)
    released, old, young = order(shop), order(shop), order(shop)
    Charge.objects.filter(order_number=released.number).update(state="released")
    Charge.objects.filter(order_number=old.number).update(created_at=clock.now() - dt.timedelta(days=31))
    Charge.objects.filter(order_number=young.number).update(created_at=clock.now() - dt.timedelta(days=3))
    context = staff_client(shop.organization).get(HOME).context
    assert (context["charged"], context["currency"], len(context["bars"])) == (Decimal(48), "EUR", 30)
    assert (context["bars"][-1], context["bars"][-4], sum(context["bars"])) == (36, 12, 48)


def test_overview_shows_newest_orders_and_the_desk(shop):
    rows = [order(shop) for _number in range(6)]
    Operation.objects.filter(order_number=rows[0].number, verb="create").update(
        state=OperationState.ATTENTION, message="No answer."
    )
    client = staff_client(shop.organization)
    response = client.get(HOME)
    assert [row for row, _waits in response.context["orders"]] == rows[:0:-1]
    assert [row.order_number for row in response.context["desk"]] == [rows[0].number]
    assert "No answer." in response.content.decode()
    billing = staff_client(shop.organization, StaffRole.BILLING).get(HOME)
    assert billing.context["desk"] is None
    assert [tile.label for tile in billing.context["tiles"]][2:] == ["Active accounts"]


def test_overview_needs_as_many_queries_for_more_rows(shop):
    client = staff_client(shop.organization)
    order(shop)
    few = count_queries(client, HOME)
    order(shop)
    order(shop, 20)
    assert count_queries(client, HOME) == few


def test_empty_organization_is_told_how_to_begin(shop):
    steps = staff_client(factories.organization()).get(HOME).context["steps"]
    assert [(step.label, step.is_done) for step in steps] == [
        ("Set up an instance", False),
        ("Pull the catalogue", False),
        ("Make a price list", False),
        ("Publish products", False),
    ]
    assert staff_client(shop.organization).get(HOME).context["steps"] == []


def test_overview_is_for_employees(shop):
    assert customer_client(shop.organization, shop.customer).get(HOME).status_code == 403
    order(shop)
    stranger = staff_client(factories.organization()).get(HOME)
    assert (stranger.context["orders"], stranger.context["desk"], stranger.context["charged"]) == ([], [], 0)
