"""Two services that want the same rows: one stands still in the middle while the other comes, and both finish.

PostgreSQL ends a deadlock after a second by an error in one of the two, which ``at_once`` does not forgive. What the
order of locks is stands in ``docs/architecture.md``.
"""

import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Charge, ChargeState
from core.errors import BusinessError
from core.events import Event
from core.tenancy import system_actor
from orders.enums import DeliveryStatus, OrderStatus
from orders.models import Basket, OrderLine
from orders.services import approve, giveback, more
from orders.services.approve import approve_order, cost_today
from orders.services.basket import add_line
from orders.services.place import cancel_order
from provisioning.ports import Outcome, Result
from provisioning.services import apply, desk, run
from resellers.enums import AccountKind
from resellers.models import Account
from subscriptions.enums import OperationState, Purpose, StampKind, StampState, SubscriptionStatus, Verb
from subscriptions.models import Operation, Subscription
from subscriptions.services import FAR_FUTURE, open_operation, stamps
from tests import factories
from tests.attack.test_races import at_once
from tests.bss.running import running
from tests.legs.running import make_running
from tests.legs.world import make_world
from tests.shop import Shop, fill_basket, make_shop, place
from vendors.models import AccountLink, LinkState, SyncStatus

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 10
WHILE = 1.0  # Seconds that the first one stands still; the other one waits for its rows by then, or has finished.


class Halt:
    """The first thread that comes by stands still until the other one has finished, or surely waits for a row."""

    def __init__(self) -> None:
        self.reached, self.over = threading.Event(), threading.Event()

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Stand still before ``call``, the first time."""
        return lambda *args, **kwargs: (self.stand(), call(*args, **kwargs))[1]

    def after(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Stand still after ``call``, the first time."""
        return lambda *args, **kwargs: (call(*args, **kwargs), self.stand())[0]

    def stand(self) -> None:
        """Let the other one come."""
        if not self.reached.is_set():
            self.reached.set()
            self.over.wait(WHILE)

    def second(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """``call``, once the first one stands."""

        def wrapped() -> Any:
            assert self.reached.wait(WAIT), "the first one never came to where it stands still"
            try:
                return call()
            finally:
                self.over.set()

        return wrapped


def opened(row: Subscription, purpose: Purpose, verb: Verb, **values: Any) -> Operation:
    """An operation of a running service that nobody ordered."""
    operation = open_operation(
        system_actor(row.organization_id),
        verb=verb,
        purpose=purpose,
        instance_id=row.instance_id,
        account_id=row.account_id,
        organization_id=row.organization_id,
        subscription=row,
        desired={"quantity": row.quantity},
    )
    Operation.objects.filter(pk=operation.pk).update(**values)
    operation.refresh_from_db()
    return operation


def test_order_is_approved_while_another_change_of_its_service_is_given_up(monkeypatch):
    world = make_world()
    row = make_running(world, with_addon=False)
    wish = more.customers_wish(row, lambda view: more.wish_licences(view, quantity=7), is_needed=True)
    order = more.buy_licences(
        world.buyer, subscription=row, quantity=7, key=uuid.uuid4(), seen_total=wish.preview.amount.gross
    )
    operation = opened(row, Purpose.REDUCE, Verb.CHANGE, state=OperationState.ATTENTION)
    total = cost_today(order).gross
    halt = Halt()
    monkeypatch.setattr(approve, "cost_today", halt.before(cost_today))

    approved, given_up = at_once(
        lambda: approve_order(world.decider, order=order, seen_total=total),
        halt.second(lambda: desk.give_up(world.shop.staff, operation=operation, reason="no longer wanted")),
    )

    assert given_up.state == OperationState.GIVEN_UP
    assert approved.status == OrderStatus.EXECUTED
    assert order.lines.get().delivery_status == DeliveryStatus.IN_PROGRESS


def test_giving_up_a_change_leaves_the_lines_of_other_orders_alone():
    shop = make_shop()
    row = running(shop)
    Account.objects.filter(pk=shop.customer.pk).update(credit_limit=Decimal(0))
    wish = more.wish_licences(row, quantity=7)
    waiting = more.buy_licences(
        shop.customer_admin, subscription=row, quantity=7, key=uuid.uuid4(), seen_total=wish.preview.amount.gross
    )
    assert waiting.status == OrderStatus.SUBMITTED
    told = Event.objects.filter(name="order.finished").count()
    desk.give_up(
        shop.staff,
        operation=opened(row, Purpose.REDUCE, Verb.CHANGE, state=OperationState.ATTENTION),
        reason="no longer wanted",
    )
    assert waiting.lines.get().delivery_status == DeliveryStatus.WAITING
    assert Event.objects.filter(name="order.finished").count() == told
    cancel_order(shop.customer_admin, order=waiting)
    desk.give_up(
        shop.staff,
        operation=opened(row, Purpose.REDUCE, Verb.CHANGE, state=OperationState.ATTENTION),
        reason="no longer wanted",
    )
    assert {line.delivery_status for line in OrderLine.objects.filter(subscription=row)} == {"waiting", "delivered"}


def test_giving_up_a_refused_stamp_does_not_make_licences_free():
    shop = make_shop()
    row = running(shop)
    stamp = opened(row, Purpose.STAMP, Verb.STAMP, state=OperationState.REFUSED)
    wish = more.wish_licences(row, quantity=7)
    order = more.buy_licences(
        shop.customer_admin, subscription=row, quantity=7, key=uuid.uuid4(), seen_total=wish.preview.amount.gross
    )
    assert order.status == OrderStatus.EXECUTED
    desk.give_up(shop.staff, operation=stamp, reason="no longer wanted")
    assert order.lines.get().delivery_status == DeliveryStatus.IN_PROGRESS
    assert Charge.objects.get(order_number=order.number).state == ChargeState.RESERVED


def test_customer_and_one_of_his_services_are_given_up_at_once(monkeypatch):
    shop = make_shop()
    order_of_two(shop)
    setup, _first, second = Operation.objects.order_by("pk")
    Operation.objects.filter(pk=setup.pk).update(state=OperationState.ATTENTION)
    halt = Halt()
    monkeypatch.setattr(desk.settle, "give_up", halt.after(desk.settle.give_up))

    at_once(
        lambda: desk.give_up(shop.staff, operation=setup, reason="no longer wanted"),
        halt.second(lambda: desk.give_up(shop.staff, operation=second, reason="no longer wanted")),
    )

    assert set(Operation.objects.values_list("state", flat=True)) == {OperationState.GIVEN_UP}
    assert set(OrderLine.objects.values_list("delivery_status", flat=True)) == {DeliveryStatus.CANCELLED}


def order_of_two(shop: Shop) -> None:
    """An order of two services, both of which wait for the customer to be set up."""
    basket = fill_basket(shop, shop.customer_admin)
    plan = factories.product(shop.instance, name="Second").plans.get()
    add_line(shop.customer_admin, basket=basket, site=shop.site, plan=plan, quantity=1)
    place(shop.customer_admin, Basket.objects.get(pk=basket.pk))


def test_order_placed_while_its_customer_becomes_known_does_not_wait_for_ever(monkeypatch):
    shop = make_shop()
    order_of_two(shop)
    setup = Operation.objects.get(verb=Verb.ACCOUNT_SYNC)
    basket = fill_basket(shop, shop.customer_admin)
    halt = Halt()
    monkeypatch.setattr(apply, "wake_dependants", halt.after(apply.wake_dependants))

    _nothing, order = at_once(
        lambda: answered(shop, setup, secrets={"admin_password": "x"}),
        halt.second(lambda: place(shop.customer_admin, basket)),
    )

    assert Operation.objects.filter(verb=Verb.CREATE, order_number=order.number).count() == 1
    assert not Operation.objects.filter(not_before=FAR_FUTURE).exists()


def test_refused_change_is_retried_while_the_renewal_begins(monkeypatch):
    shop = make_shop()
    row = running(shop)
    refused = opened(row, Purpose.REDUCE, Verb.CHANGE, state=OperationState.REFUSED)
    renewal = opened(row, Purpose.RENEW, Verb.RENEW)
    Subscription.objects.filter(pk=row.pk).update(sync_status=SyncStatus.FAILED)
    renewal = Operation.objects.select_related("subscription").get(pk=renewal.pk)
    halt = Halt()
    monkeypatch.setattr(run, "fire_operation", halt.after(run.fire_operation))

    found = at_once(
        lambda: run._begin(renewal),
        halt.second(lambda: desk.retry(shop.staff, operation=refused)),
    )

    assert isinstance(found[1], BusinessError)
    assert found[1].code == "operation_open"
    renewal.refresh_from_db()
    assert renewal.state == OperationState.RUNNING


@pytest.mark.parametrize("other", ["order", "reduction"])
def test_relationship_turns_while_the_customer_changes_a_service(monkeypatch, other):
    shop = make_shop()
    Account.objects.filter(pk=shop.customer.pk).update(country="DE", state="", payment_method="invoice")
    row, second = running(shop), running(shop)
    run_ = stamps.open_run(
        shop.staff,
        kind=StampKind.RELATIONSHIP,
        account=shop.customer,
        rows=[(row, "")],
        kind_to=AccountKind.END_CUSTOMER,
        bill_to=shop.reseller,
    )
    operation = stamps.send_row(shop.staff, run_.rows.get())
    turned = row if other == "order" else second
    halt = Halt()
    if other == "order":
        monkeypatch.setattr(stamps, "set_sync", halt.after(stamps.set_sync))
    else:
        monkeypatch.setattr(stamps, "turn_account", halt.after(stamps.turn_account))
    wish = more.wish_licences(turned, quantity=7)

    def change() -> Any:
        if other == "order":
            total = wish.preview.amount.gross
            key = uuid.uuid4()
            return more.buy_licences(shop.customer_admin, subscription=turned, quantity=7, key=key, seen_total=total)
        return giveback.reduce(shop.customer_admin, subscription=turned, quantity=4)

    at_once(lambda: answered(shop, operation), halt.second(change))

    run_.refresh_from_db()
    assert run_.state == StampState.DONE
    assert Account.objects.get(pk=shop.customer.pk).bill_to_id == shop.reseller.pk
    kept = Subscription.objects.exclude(status=SubscriptionStatus.CANCELLED)
    assert set(kept.values_list("bill_to_id", flat=True)) == {shop.reseller.pk}


def answered(shop: Shop, operation: Operation, **values: Any) -> None:
    """The vendor has done it."""
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.RUNNING)
    AccountLink.objects.filter(pk=operation.account_link_id).update(state=LinkState.IN_PROGRESS)
    operation.refresh_from_db()
    apply.apply_result(shop.staff, operation, Result(Outcome.DONE, external_id="vendor", **values))
