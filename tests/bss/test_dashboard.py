"""The overview."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import Charge
from bss import widgets
from core import clock
from core.tenancy import Actor
from orders.models import Order
from subscriptions.enums import OperationState, ScheduleStatus
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription
from tests import factories
from tests.bss.running import running
from tests.bss.staff import count_queries, customer_client, rows_of, staff_client
from tests.shop import Shop, fill_basket, make_shop, place
from users.permissions import StaffRole
from vendors.models import ConsentState, Instance

pytestmark = pytest.mark.django_db
HOME = reverse("bss:dashboard")


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
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
    assert [(widget.name, widget.count) for widget in response.context["busy"]] == [("desk", 1)]
    assert "No answer." in response.content.decode()
    billing = staff_client(shop.organization, StaffRole.BILLING).get(HOME)
    assert [widget.name for widget in billing.context["calm"]] == [
        "requests",
        "returns",
        "orders",
        "schedules",
        "ending",
    ]
    assert [tile.label for tile in billing.context["tiles"]][2:] == ["Active accounts"]


def everything_waits(shop: Shop) -> None:
    """One more row in every widget."""
    row = running(shop, quantity=1)
    order(shop, 20)
    Operation.objects.filter(subscription=row).update(state=OperationState.ATTENTION)
    CancellationRequest.objects.create(
        organization=shop.organization, subscription=row, kind="cancel", quantity=1, requested_by="Ada"
    )
    ScheduledChange.objects.create(
        organization=shop.organization,
        subscription=row,
        plan=row.plan,
        quantity=8,
        status=ScheduleStatus.FAILED,
        decided_at=clock.now(),
        note="The vendor renewed the subscription as it was.",
    )
    Subscription.objects.filter(pk=row.pk).update(auto_renew=False, term_ends_at=clock.now() + dt.timedelta(days=20))
    Instance.objects.filter(pk=shop.instance.pk).update(consent=ConsentState.LOST)
    bought_at = clock.now() - dt.timedelta(days=2)
    factories.perpetual_asset(shop.product, account=shop.customer, activated_at=bought_at)


def test_what_needs_a_hand_comes_first_in_its_order(shop):
    assert staff_client(shop.organization).get(HOME).context["busy"] == []
    everything_waits(shop)
    client = staff_client(shop.organization)
    found = client.get(HOME)
    assert [(widget.name, widget.count, len(widget.lines)) for widget in found.context["busy"]] == [
        ("desk", 1, 1),
        ("requests", 1, 1),
        ("keys", 1, 1),
        ("orders", 1, 1),
        ("instances", 1, 1),
        ("schedules", 1, 1),
        ("ending", 1, 1),
    ]
    for widget in found.context["busy"]:
        assert client.get(widget.lines[0].url).status_code == 200
        assert len(rows_of(client.get(widget.url))) == widget.count
    sales = staff_client(shop.organization, StaffRole.SALES).get(HOME)
    assert "instances" not in [widget.name for widget in sales.context["busy"]]


def test_nothing_to_do_is_said_calmly(shop):
    assert "Nothing needs you." in staff_client(shop.organization).get(HOME).content.decode()


def test_widget_fails_alone(shop, monkeypatch):
    everything_waits(shop)

    def broken(actor: Actor) -> None:
        raise RuntimeError("no")

    kinds = tuple(replace(kind, rows=broken) if kind.name == "requests" else kind for kind in widgets.KINDS)
    monkeypatch.setattr(widgets, "KINDS", kinds)
    found = staff_client(shop.organization).get(HOME)
    assert found.status_code == 200
    shown = [(widget.name, widget.is_broken) for widget in found.context["busy"]]
    assert shown[:3] == [("desk", False), ("requests", True), ("keys", False)]
    assert "could not be read just now" in found.content.decode()


def test_overview_needs_as_many_queries_for_more_rows(shop):
    client = staff_client(shop.organization)
    everything_waits(shop)
    few = count_queries(client, HOME)
    everything_waits(shop)
    everything_waits(shop)
    assert count_queries(client, HOME) == few <= 18


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
    assert (stranger.context["orders"], stranger.context["busy"], stranger.context["charged"]) == ([], [], 0)
