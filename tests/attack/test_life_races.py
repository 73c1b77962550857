"""Two people change the same subscription at the same moment: one is told or waits, and every effect happens once."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from billing.models import Charge
from core.errors import BusinessError, Conflict
from orders.models import Order
from orders.services import decide, giveback, more
from provisioning.services import desk, renewals
from subscriptions.enums import OPEN_STATES, OperationState, RequestStatus, SubscriptionStatus
from subscriptions.models import CancellationRequest, Operation, Subscription
from subscriptions.services import requests, schedule, switch
from tests.attack.test_races import at_once
from tests.drain import drain
from tests.provisioning.life import active, assert_all_holds, at_vendor, buy, connected_shop, fresh, ledger, move

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(twins):
    """A connected shop; at the end the ledger holds."""
    yield connected_shop(twins)
    assert_all_holds(twins)


@pytest.fixture
def row(shop, twins):
    """Five active licences."""
    return active(shop, twins)


def test_two_changes_at_once_are_one_and_the_other_is_told(shop, twins, row):
    found = at_once(
        lambda: buy(shop.customer_admin, row, 8),
        lambda: giveback.reduce(shop.staff, subscription=row, quantity=3),
    )
    refused = [item for item in found if isinstance(item, BusinessError)]
    assert [error.code for error in refused] == ["operation_open"]
    assert Operation.objects.filter(subscription=row, state__in=OPEN_STATES).count() == 1
    drain(twins)
    # The one who was told tries again, and both effects are right.
    if isinstance(found[0], Conflict):
        buy(shop.customer_admin, row, 6)
        wanted = 6
    else:
        giveback.reduce(shop.staff, subscription=row, quantity=7)
        wanted = 7
    drain(twins)
    assert (fresh(row).quantity, at_vendor(twins, row)["quantity"]) == (wanted, wanted)


def test_the_same_key_at_once_is_one_order(shop, twins, row):
    key, total = uuid.uuid4(), more.wish_licences(fresh(row), quantity=8).preview.amount.gross
    found = at_once(
        *[lambda: more.buy_licences(shop.customer_admin, subscription=row, quantity=8, key=key, seen_total=total)] * 4
    )
    assert len({item.pk for item in found}) == 1
    assert Order.objects.count() == 2
    drain(twins)
    assert (fresh(row).quantity, ledger(row)) == (8, [Decimal(60), Decimal(36)])


def test_the_last_licence_of_a_window_is_given_back_once(shop, twins, row):
    move(twins, dt.timedelta(days=8))
    buy(shop.customer_admin, row, 6)
    drain(twins)
    assert giveback.window_of(fresh(row)).quantity == 1
    found = at_once(
        lambda: giveback.reduce(shop.customer_admin, subscription=row, quantity=5),
        lambda: giveback.reduce(shop.staff, subscription=row, quantity=5),
    )
    assert sum(isinstance(item, Operation) for item in found) == 1
    drain(twins)
    assert (fresh(row).quantity, at_vendor(twins, row)["quantity"]) == (5, 5)
    assert Charge.objects.filter(kind="credit").count() == 1


def test_cancelling_twice_at_once_credits_once(shop, twins, row):
    found = at_once(
        lambda: giveback.cancel(shop.customer_admin, subscription=row),
        lambda: giveback.cancel(shop.staff, subscription=row),
        lambda: switch.set_auto_renew(shop.staff, subscription=row, auto_renew=False),
    )
    assert sum(isinstance(item, Operation) for item in found) == 1
    drain(twins)
    assert Charge.objects.filter(kind="credit").count() <= 1
    if not isinstance(found[2], Operation):
        assert fresh(row).status == SubscriptionStatus.CANCELLED


def test_a_request_is_decided_once(shop, twins, row):
    kind = row.product.product_type
    kind.auto_cancel_subscriptions = False
    kind.save()
    asked = giveback.cancel(shop.customer_admin, subscription=row)
    assert isinstance(asked, CancellationRequest)
    found = at_once(
        lambda: decide.accept_request(shop.staff, request=asked),
        lambda: requests.reject_request(shop.staff, request=asked, reason="not allowed"),
        lambda: requests.withdraw_request(shop.customer_admin, request=asked),
    )
    assert sum(not isinstance(item, BusinessError) for item in found) == 1
    drain(twins)
    asked.refresh_from_db()
    ended = {RequestStatus.COMPLETED: SubscriptionStatus.CANCELLED}
    assert fresh(row).status == ended.get(RequestStatus(asked.status), SubscriptionStatus.ACTIVE)


def test_two_requests_at_once_are_one(shop, row):
    kind = row.product.product_type
    kind.auto_cancel_limit = 0
    kind.save()
    found = at_once(*[lambda: giveback.cancel(shop.customer_admin, subscription=row)] * 3)
    assert sum(isinstance(item, CancellationRequest) for item in found) == 1
    assert CancellationRequest.objects.count() == 1


def test_two_schedules_at_once_are_one(shop, twins, row):
    found = at_once(
        lambda: schedule.schedule_change(shop.customer_admin, subscription=row, quantity=3, plan=row.plan),
        lambda: schedule.schedule_change(shop.staff, subscription=row, quantity=4, plan=row.plan),
    )
    assert sum(isinstance(item, Operation) for item in found) == 1
    drain(twins)
    assert row.scheduled_changes.count() == 1


def test_the_clock_twice_at_once_charges_a_month_once(shop, twins, row):
    move(twins, dt.timedelta(days=31))
    at_once(*[renewals.run_clock] * 3)
    assert ledger(fresh(row)) == [Decimal(60)] * 2


def test_a_renewal_and_a_change_at_once(shop, twins, row):
    move(twins, dt.timedelta(days=366))
    for _month in range(11):
        renewals.run_clock()
    at_once(renewals.run_clock, lambda: buy(shop.customer_admin, row, 8))
    drain(twins)
    renewals.run_clock()
    drain(twins)
    assert fresh(row).term_ends_at.year == row.term_ends_at.year + 1
    assert Subscription.objects.get().quantity == at_vendor(twins, row)["quantity"]


def test_set_aside_and_retry_at_once(shop, twins, row):
    move(twins, dt.timedelta(days=8))
    Subscription.objects.filter(pk=row.pk).update(refundable=[], cancel_until=None)
    operation = giveback.reduce(shop.customer_admin, subscription=row, quantity=3)
    drain(twins)
    operation.refresh_from_db()
    assert operation.state == OperationState.REFUSED
    found = at_once(
        lambda: desk.dismiss(shop.customer_admin, subscription=row), lambda: desk.retry(shop.staff, operation=operation)
    )
    assert sum(not isinstance(item, BusinessError) for item in found) == 1
    drain(twins)
