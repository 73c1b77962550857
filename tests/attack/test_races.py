"""Two at once, in real threads with connections of their own: one effect, never two, and nobody waits for ever."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.models import Charge, ChargeState
from billing.services import credit_of, lock_payer
from catalog.models import ProductType
from core.errors import BusinessError
from core.jobs import start_job
from orders.enums import OrderStatus
from orders.models import Order
from orders.services.execute import execute_by_staff
from orders.services.place import cancel_order
from provisioning.services import desk
from resellers.enums import AccountStatus
from resellers.models import Account
from resellers.services.accounts import set_status, take_order_number
from subscriptions.enums import OperationState, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.shop import fill_basket, make_shop, place

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 30


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run the actions in threads that start together; what each returned, or the error it raised."""
    gate = threading.Barrier(len(actions))
    found: list[Any] = [None] * len(actions)

    def run(number: int) -> None:
        try:
            gate.wait(WAIT)
            found[number] = actions[number]()
        except Exception as error:
            found[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not [thread for thread in threads if thread.is_alive()], "a deadlock"
    foreign = [item for item in found if isinstance(item, Exception) and not isinstance(item, BusinessError)]
    assert not foreign, foreign
    return found


def test_order_form_sent_four_times_at_once_is_one_order():
    shop = make_shop()
    basket = fill_basket(shop, shop.customer_admin)
    total, key = Decimal(60), basket.checkout_key
    found = at_once(*[lambda: place(shop.customer_admin, basket, key=key, total=total)] * 4)
    assert {item.pk for item in found} == {Order.objects.get().pk}
    assert (Subscription.objects.count(), Charge.objects.count()) == (1, 1)


def test_credit_is_spent_once_by_orders_at_the_same_moment():
    shop = make_shop(customer=Decimal("60.00"))
    actors = [factories.actor(shop.organization, of=shop.customer) for _number in range(3)]
    baskets = [fill_basket(shop, actor) for actor in actors]
    pairs = zip(actors, baskets, strict=True)
    at_once(*[lambda a=actor, b=basket: place(a, b, total=Decimal(60)) for actor, basket in pairs])
    states = sorted(Order.objects.values_list("status", flat=True))
    assert states == [OrderStatus.EXECUTED, OrderStatus.SUBMITTED, OrderStatus.SUBMITTED]
    assert credit_of(shop.customer).available == 0
    assert sorted(Order.objects.values_list("number", flat=True)) == ["ORD-000001", "ORD-000002", "ORD-000003"]


def test_cancel_and_execute_at_the_same_moment_leave_one_of_both():
    shop = make_shop(customer=Decimal(0))
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    Account.objects.filter(pk=shop.customer.pk).update(credit_unlimited=True)
    at_once(
        lambda: cancel_order(shop.customer_admin, order=Order.objects.get(pk=order.pk)),
        lambda: execute_by_staff(shop.staff, order=Order.objects.get(pk=order.pk)),
    )
    order.refresh_from_db()
    charged = order.status == OrderStatus.EXECUTED
    assert order.status in (OrderStatus.EXECUTED, OrderStatus.CANCELLED)
    assert (Charge.objects.count(), Subscription.objects.count()) == ((1, 1) if charged else (0, 0))


def test_one_subscription_only_also_for_two_colleagues_at_once():
    shop = make_shop()
    ProductType.objects.update(allow_multiple_subscriptions=False)
    actors = [factories.actor(shop.organization, of=shop.customer) for _number in range(2)]
    baskets = [fill_basket(shop, actor) for actor in actors]
    pairs = zip(actors, baskets, strict=True)
    found = at_once(*[lambda a=actor, b=basket: place(a, b, total=Decimal(60)) for actor, basket in pairs])
    assert [item.code for item in found if isinstance(item, BusinessError)] == ["one_subscription"]
    assert (Order.objects.count(), Subscription.objects.count()) == (1, 1)


def test_one_subscription_only_also_of_an_order_that_waited_for_credit():
    shop = make_shop(customer=Decimal(0))
    ProductType.objects.update(allow_multiple_subscriptions=False)
    orders = [place(shop.customer_admin, fill_basket(shop, shop.customer_admin)) for _number in range(2)]
    Account.objects.filter(pk=shop.customer.pk).update(credit_unlimited=True)
    execute_by_staff(shop.staff, order=orders[0])
    with pytest.raises(BusinessError) as caught:
        execute_by_staff(shop.staff, order=orders[1])
    assert caught.value.code == "one_subscription"
    assert (Subscription.objects.count(), Charge.objects.count()) == (1, 1)


def test_hold_of_the_very_moment_stops_the_order():
    shop = make_shop()
    basket = fill_basket(shop, shop.customer_admin)
    found = at_once(
        lambda: set_status(shop.staff, account=shop.customer, status=AccountStatus.SUSPENDED, reason="unpaid"),
        lambda: place(shop.customer_admin, basket, total=Decimal(60)),
    )
    refused = [item.code for item in found if isinstance(item, BusinessError)]
    assert refused in ([], ["account_on_hold"])
    assert Order.objects.count() == 1 - len(refused)


def refused_operation(shop) -> Operation:
    """The create operation of a fresh order, refused by the vendor, its charge released."""
    from orders.services import settle  # Only this scenario needs the two services.
    from subscriptions import services as life

    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    subscription = Subscription.objects.get()
    with transaction.atomic():
        life.refuse(shop.staff, subscription, message="no", code="no")
        settle.fail(Operation.objects.get(verb="create"), reason="no")
    Operation.objects.filter(verb="create").update(state=OperationState.REFUSED, depends_on=None)
    Operation.objects.exclude(verb="create").update(state=OperationState.DONE)
    return Operation.objects.get(verb="create")


def test_two_retries_at_once_are_one():
    shop = make_shop()
    row = refused_operation(shop)
    found = at_once(*[lambda: desk.retry(shop.staff, operation=row)] * 2)
    assert len([item for item in found if isinstance(item, BusinessError)]) == 1
    assert Operation.objects.filter(verb="create", retry_of=row).count() == 1
    assert Charge.objects.get().state == ChargeState.RESERVED


def test_retry_and_give_up_at_once_agree_about_the_money():
    shop = make_shop()
    row = refused_operation(shop)
    at_once(
        lambda: desk.retry(shop.staff, operation=row),
        lambda: desk.give_up(shop.staff, operation=row, reason="no longer wanted"),
    )
    subscription, charge = Subscription.objects.get(), Charge.objects.get()
    retried = Operation.objects.filter(retry_of=row).exists()
    assert charge.state == (ChargeState.RESERVED if retried else ChargeState.RELEASED)
    assert (subscription.status == SubscriptionStatus.CANCELLED) is not retried


def test_retry_spends_no_credit_that_a_new_order_has_taken():
    shop = make_shop(customer=Decimal("60.00"))
    row = refused_operation(shop)
    basket = fill_basket(shop, shop.customer_admin)
    at_once(
        lambda: desk.retry(shop.staff, operation=row),
        lambda: place(shop.customer_admin, basket, total=Decimal(60)),
    )
    assert credit_of(shop.customer).available >= 0


def test_an_order_in_the_making_blocks_nobody_who_only_refers_to_its_account():
    shop = make_shop()
    held, done = threading.Event(), threading.Event()

    def order() -> None:
        with transaction.atomic():
            take_order_number(shop.organization.pk)
            lock_payer(shop.customer.pk)
            held.set()
            assert done.wait(5), "a job of the same account had to wait for the order"

    def job() -> None:
        held.wait(WAIT)
        start_job(shop.customer_admin, "attack.nothing", title="x", params={})
        done.set()

    at_once(order, job)
