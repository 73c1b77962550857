"""End customers at the vendor twin: nothing is asked of the vendor before the reseller approves; then all of it is."""

from decimal import Decimal

import pytest

from billing.models import Charge
from core.errors import BusinessError
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import giveback, more
from orders.services.approve import approve_order, cost_today
from orders.services.preview import Preview
from resellers.models import Account
from subscriptions.enums import SubscriptionStatus
from subscriptions.legs import customers_view
from subscriptions.models import Operation, Subscription
from subscriptions.services.schedule import revoke_schedule
from tests.attack.test_races import at_once
from tests.drain import drain
from tests.legs.world import COST, SELL, World, actor_of, make_world, order_of
from tests.twins import Twins
from vendors.services.instances import write_secret
from vendors.services.links import ensure_link

BUSINESS_STANDARD = "CFQ7TTC0LDPB:0001"


@pytest.fixture
def world(twins: Twins) -> World:
    """A reseller's shop whose instance is connected to the twin, and his MPN ID."""
    made = make_world(settings=twins.instance_settings(), code=BUSINESS_STANDARD)
    write_secret(made.shop.instance, "refresh_token", twins.credentials()["refresh_token"])
    link = ensure_link(made.shop.reseller, made.shop.instance)
    type(link).objects.filter(pk=link.pk).update(mpn_id=twins.credentials()["mpn_ids"][0])
    return made


def approve(world: World, order: Order) -> Order:
    return approve_order(world.decider, order=order, seen_total=cost_today(order).gross)


def seen(wish: more.Wish) -> Decimal:
    return wish.preview.amount.gross


@pytest.mark.django_db(transaction=True)
def test_order_approval_provisioning_licences_and_cancellation(world, twins):
    calls = len(twins.state()["orders"]), len(twins.state()["customers"])
    order = order_of(world)
    drain(twins)
    assert (len(twins.state()["orders"]), len(twins.state()["customers"])) == calls
    assert not Operation.objects.exists()

    assert approve(world, order).status == OrderStatus.EXECUTED
    drain(twins)
    row = Subscription.objects.select_related("account__bill_to", "organization", "product__product_type").get()
    assert (row.status, row.unit_price, row.sell_unit_price) == (SubscriptionStatus.ACTIVE, COST, SELL)
    assert row.mpn_id == twins.credentials()["mpn_ids"][0]
    assert [found["quantity"] for found in twins.state()["subscriptions"]] == [5]

    wish = more.wish_licences(customers_view(row), quantity=7)
    key = order.public_id
    bought = more.buy_licences(world.buyer, subscription=row, quantity=7, key=key, seen_total=seen(wish))
    assert bought.status == OrderStatus.SUSPENDED
    assert (bought.net, bought.sell_net) == (2 * COST, 2 * SELL)
    drain(twins)
    assert [found["quantity"] for found in twins.state()["subscriptions"]] == [5]
    approve(world, bought)
    drain(twins)
    row.refresh_from_db()
    assert row.quantity == 7
    assert [found["quantity"] for found in twins.state()["subscriptions"]] == [7]

    given = giveback.cancel(world.buyer, subscription=row, reason="We close the shop")
    assert isinstance(given, Operation)
    own, customers = given.desired["credit"], given.desired["customer_credit"]
    assert Decimal(customers["net"]) / Decimal(own["net"]) == pytest.approx(SELL / COST, rel=Decimal("0.001"))
    drain(twins)
    row.refresh_from_db()
    assert row.status == SubscriptionStatus.CANCELLED
    assert {charge.payer_id for charge in Charge.objects.all()} == {world.shop.reseller.pk}


@pytest.mark.django_db(transaction=True)
def test_increase_at_the_renewal_waits_for_the_reseller(world, twins):
    approve(world, order_of(world))
    drain(twins)
    row = Subscription.objects.get()
    less = more.plan_renewal(world.buyer, subscription=row, quantity=3, plan=row.plan, key=row.public_id)
    assert isinstance(less, Operation)
    drain(twins)
    order = Order.objects.get()
    switch_back(world, row, twins)
    asked = more.plan_renewal(world.buyer, subscription=row, quantity=9, plan=row.plan, key=order.public_id)
    assert isinstance(asked, Order)
    assert (asked.status, asked.gross, asked.sell_gross) == (OrderStatus.SUSPENDED, 0, 0)
    assert not row.scheduled_changes.filter(status="pending").exists()
    assert approve(world, asked).status == OrderStatus.EXECUTED
    drain(twins)
    assert row.scheduled_changes.get(status="pending").quantity == 9
    asked.refresh_from_db()
    assert [line.delivery_status for line in asked.lines.all()] == ["delivered"]


def switch_back(world: World, row: Subscription, twins: Twins) -> None:
    """Take the first schedule back."""
    revoke_schedule(world.buyer, subscription=row)
    drain(twins)


@pytest.mark.django_db(transaction=True)
def test_of_two_deciders_at_once_one_reads_who_was_first():
    world = make_world()
    order = order_of(world)
    second = actor_of(world.shop, world.shop.reseller)
    total = cost_today(order).gross
    people = (world.decider, second)
    results = at_once(*[lambda by=by: approve_order(by, order=order, seen_total=total) for by in people])
    late = [item for item in results if isinstance(item, BusinessError)]
    order.refresh_from_db()
    assert [error.code for error in late] == ["already_decided"]
    assert str(late[0].message) == f"Already decided by {order.decided_by}."
    assert Charge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_approvals_share_the_credit():
    world = make_world()
    Account.objects.filter(pk=world.shop.reseller.pk).update(credit_limit=5 * COST + 1)
    orders = [order_of(world), order_of(world, actor_of(world.shop, world.other))]
    totals = [cost_today(order).gross for order in orders]
    pairs = zip(orders, totals, strict=True)
    at_once(*[lambda o=order, t=total: approve_order(world.decider, order=o, seen_total=t) for order, total in pairs])
    states = sorted(Order.objects.values_list("status", flat=True))
    assert states == [OrderStatus.EXECUTED, OrderStatus.SUBMITTED]


def test_preview_is_a_value():
    """A preview holds one leg alone, so that a page cannot show the other by mistake."""
    assert not [name for name in Preview.__dataclass_fields__ if name.startswith("sell")]
