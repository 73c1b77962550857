"""The later life of a subscription over real HTTP against the twin: every change, its money and its refusals."""

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal

import pytest

from billing.models import Charge
from core import clock
from core.errors import BusinessError, Conflict, PermissionRefused
from orders.enums import DeliveryStatus, OrderStatus
from orders.services import decide, giveback, more
from orders.services.place import PriceChanged
from provisioning.services import desk, refresh, renewals
from resellers.enums import PurchaseMode
from subscriptions.enums import (
    Execution,
    OperationState,
    RequestStatus,
    ScheduleStatus,
    SubscriptionStatus,
    SuspendReason,
)
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription
from subscriptions.services import requests, schedule, switch
from tests import factories
from tests.drain import drain
from tests.provisioning.life import (
    active,
    assert_all_holds,
    at_vendor,
    buy,
    connected_shop,
    fresh,
    last_operation,
    ledger,
    move,
)
from tests.shop import Shop
from tests.twins import Twins
from vendors.models import SyncStatus

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(twins: Twins) -> Iterator[Shop]:
    """A connected shop; at the end of each test nothing is lost and nothing doubled."""
    yield connected_shop(twins)
    assert_all_holds(twins)


@pytest.fixture
def row(shop: Shop, twins: Twins) -> Subscription:
    """Five active licences of the direct customer."""
    return active(shop, twins)


class TestLicences:
    """More and fewer."""

    def test_more_licences_are_ordered_charged_and_confirmed(self, shop, twins, row):
        order = buy(shop.customer_admin, row, 8)
        assert (order.status, fresh(row).quantity) == (OrderStatus.EXECUTED, 5)
        drain(twins)
        row = fresh(row)
        assert (row.quantity, at_vendor(twins, row)["quantity"], row.sync_status) == (8, 8, SyncStatus.SYNCHRONIZED)
        assert [line.delivery_status for line in order.lines.all()] == [DeliveryStatus.DELIVERED]
        assert ledger(row) == [Decimal(60), Decimal(36)]
        assert len(twins.state()["subscriptions"]) == 1

    def test_more_licences_in_the_middle_cost_what_is_left(self, shop, twins, row):
        Subscription.objects.filter(pk=row.pk).update(
            period_starts_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
            period_ends_at=dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
        )
        wish = more.wish_licences(fresh(row), quantity=6)
        days = (dt.datetime(2026, 12, 1, tzinfo=dt.UTC).date() - dt.datetime.now(dt.UTC).date()).days
        assert wish.preview.amount.net == (Decimal(12) * max(1, min(days, 30)) / 30).quantize(Decimal("0.01"))
        assert wish.preview.next_net == Decimal(72)

    def test_the_same_key_twice_is_one_order(self, shop, twins, row):
        key, total = uuid.uuid4(), more.wish_licences(fresh(row), quantity=8).preview.amount.gross
        first = more.buy_licences(shop.customer_admin, subscription=row, quantity=8, key=key, seen_total=total)
        second = more.buy_licences(shop.customer_admin, subscription=row, quantity=8, key=key, seen_total=total)
        assert first.pk == second.pk
        assert Operation.objects.filter(subscription=row).count() == 2

    def test_another_price_than_seen_is_asked_again(self, shop, row):
        with pytest.raises(PriceChanged):
            more.buy_licences(
                shop.customer_admin, subscription=row, quantity=8, key=uuid.uuid4(), seen_total=Decimal(1)
            )

    def test_over_the_credit_the_order_waits_and_nothing_changes(self, shop, twins, row):
        type(shop.customer).objects.filter(pk=shop.customer.pk).update(credit_limit=Decimal(61))
        order = buy(shop.customer_admin, row, 8)
        drain(twins)
        assert (order.status, order.hold_reason, fresh(row).quantity) == (OrderStatus.SUBMITTED, "no_credit", 5)

    def test_fewer_licences_within_the_window_are_credited(self, shop, twins, row):
        operation = giveback.reduce(shop.customer_admin, subscription=row, quantity=3)
        assert isinstance(operation, Operation)
        drain(twins)
        row = fresh(row)
        assert (row.quantity, at_vendor(twins, row)["quantity"]) == (3, 3)
        part = giveback.part_unused(row)
        assert ledger(row) == [Decimal(60), -part.of(Decimal(24), "EUR")]

    def test_after_the_window_the_page_says_so_before_anybody_clicks(self, shop, twins, row):
        move(twins, 8 * DAY)
        row = fresh(row)
        with pytest.raises(BusinessError) as caught:
            giveback.preview_reduce(shop.customer_admin, row, quantity=3)
        assert caught.value.code == "window_closed"
        assert str(renewals.terms.renewal_at(row.term_ends_at).date()) in str(caught.value.message)

    def test_only_what_was_bought_lately_can_be_given_back(self, shop, twins, row):
        move(twins, 8 * DAY)
        buy(shop.customer_admin, row, 8)
        drain(twins)
        row = fresh(row)
        assert giveback.window_of(row).quantity == 3
        giveback.reduce(shop.customer_admin, subscription=row, quantity=5)
        drain(twins)
        assert fresh(row).quantity == 5
        with pytest.raises(BusinessError):
            giveback.preview_reduce(shop.customer_admin, fresh(row), quantity=4)

    def test_a_vendor_that_refuses_leaves_the_confirmed_state_and_the_desk_an_entry(self, shop, twins, row):
        move(twins, 8 * DAY)
        # Our copy of the window is older than the vendor's.
        Subscription.objects.filter(pk=row.pk).update(refundable=[], cancel_until=None)
        operation = giveback.reduce(shop.customer_admin, subscription=row, quantity=3)
        drain(twins)
        operation.refresh_from_db()
        row = fresh(row)
        assert (operation.state, row.quantity, row.sync_status) == (OperationState.REFUSED, 5, SyncStatus.FAILED)
        assert ledger(row) == [Decimal(60)]
        with pytest.raises(Conflict) as caught:
            buy(shop.customer_admin, row, 8)
        assert caught.value.code == "synchronization_failed"
        desk.dismiss(shop.customer_admin, subscription=row)
        assert fresh(row).sync_status == SyncStatus.SYNCHRONIZED
        buy(shop.customer_admin, row, 8)
        drain(twins)
        assert fresh(row).quantity == 8


class TestSwitches:
    """Suspend, reactivate, automatic renewal, the end."""

    def test_suspend_and_reactivate(self, shop, twins, row):
        switch.suspend(shop.staff, subscription=row, reason="not paid")
        drain(twins)
        assert (fresh(row).status, at_vendor(twins, row)["status"]) == (SubscriptionStatus.SUSPENDED, "suspended")
        switch.activate(shop.staff, subscription=row)
        drain(twins)
        assert (fresh(row).status, at_vendor(twins, row)["status"]) == (SubscriptionStatus.ACTIVE, "active")
        assert fresh(row).first_activated_at == row.first_activated_at

    def test_a_customer_does_not_suspend_himself_but_a_reseller_his_customer(self, shop, twins, row):
        with pytest.raises(PermissionRefused):
            switch.suspend(shop.customer_admin, subscription=row, reason="not paid")
        theirs = active(
            shop, twins, actor=shop.reseller_admin, mode=PurchaseMode.AFFILIATE, target=shop.affiliate,
            options={"domain_prefix": "affiliateone", "username": "admin"},
        )  # fmt: skip
        switch.suspend(shop.reseller_admin, subscription=theirs, reason="not paid")
        drain(twins)
        assert (fresh(theirs).status, fresh(theirs).suspend_reason) == ("suspended", SuspendReason.CUSTOMER)

    @pytest.mark.parametrize(("roles", "by"), [(["billing"], "non_payment"), (["billing", "support"], "staff")])
    def test_who_suspended_it_stands_with_the_service_until_it_runs_again(self, shop, twins, row, roles, by):
        clerk = factories.actor(shop.organization, roles=roles)
        switch.suspend(clerk, subscription=row, reason="not paid")
        drain(twins)
        assert fresh(row).suspend_reason == by
        switch.activate(clerk, subscription=row)
        drain(twins)
        assert fresh(row).suspend_reason == ""
        switch.suspend(clerk, subscription=row, reason="not paid")
        drain(twins)
        giveback.cancel(shop.staff, subscription=row, reason="too many")
        drain(twins)
        assert (fresh(row).status, fresh(row).suspend_reason) == (SubscriptionStatus.CANCELLED, "")

    def test_automatic_renewal_off_and_on(self, shop, twins, row):
        switch.set_auto_renew(shop.customer_admin, subscription=row, auto_renew=False)
        drain(twins)
        assert (fresh(row).auto_renew, at_vendor(twins, row)["autoRenewEnabled"]) == (False, False)
        assert switch.set_auto_renew(shop.customer_admin, subscription=row, auto_renew=False) is None
        switch.set_auto_renew(shop.customer_admin, subscription=row, auto_renew=True)
        drain(twins)
        assert fresh(row).auto_renew is True

    def test_cancel_now_ends_it_there_and_here_and_credits_the_rest(self, shop, twins, row):
        giveback.cancel(shop.customer_admin, subscription=row, reason="too many")
        drain(twins)
        row = fresh(row)
        assert (row.status, at_vendor(twins, row)["status"]) == (SubscriptionStatus.CANCELLED, "deleted")
        part = giveback.part_unused(row)
        assert ledger(row) == [Decimal(60), -part.of(Decimal(60), "EUR")]
        with pytest.raises(Conflict) as caught:
            buy(shop.customer_admin, row, 8)
        assert caught.value.code == "not_active"

    def test_cancel_at_the_end_runs_until_then_and_can_be_revoked(self, shop, twins, row):
        giveback.cancel(shop.customer_admin, subscription=row, execution=Execution.PERIOD_END)
        drain(twins)
        assert fresh(row).status == SubscriptionStatus.PENDING_CANCEL
        with pytest.raises(Conflict) as caught:
            buy(shop.customer_admin, row, 8)
        assert caught.value.code == "cancellation_pending"
        switch.revoke_cancel(shop.customer_admin, subscription=row)
        drain(twins)
        assert (fresh(row).status, fresh(row).auto_renew) == (SubscriptionStatus.ACTIVE, True)
        giveback.cancel(shop.customer_admin, subscription=row, execution=Execution.PERIOD_END)
        drain(twins)
        move(twins, 366 * DAY)
        for _month in range(14):
            renewals.run_clock()
        drain(twins)
        row = fresh(row)
        assert (row.status, at_vendor(twins, row)["status"]) == (SubscriptionStatus.CANCELLED, "expired")
        assert ledger(row) == [Decimal(60)] * 12

    def test_staff_cancel_from_an_earlier_day_of_the_period_never_a_later_one(self, shop, twins, row):
        move(twins, 5 * DAY)
        today = fresh(row).period_starts_at.date() + 5 * DAY
        with pytest.raises(BusinessError) as caught:
            giveback.cancel(shop.staff, subscription=row, effective_on=today + DAY)
        assert caught.value.code == "date_invalid"
        giveback.cancel(shop.staff, subscription=row, effective_on=today - 2 * DAY)
        drain(twins)
        row = fresh(row)
        part = giveback.part_unused(row)
        assert ledger(row)[-1] == -(Decimal(60) * (part.part + 2) / part.whole).quantize(Decimal("0.01"))


class TestRequests:
    """Above the product type's limit staff decide."""

    @pytest.fixture
    def limited(self, row):
        kind = row.product.product_type
        kind.auto_cancel_limit = 2
        kind.save()
        return fresh(row)

    def test_up_to_the_limit_it_runs_above_it_is_a_request(self, shop, twins, limited):
        assert isinstance(giveback.reduce(shop.customer_admin, subscription=limited, quantity=3), Operation)
        drain(twins)
        buy(shop.customer_admin, limited, 8)
        drain(twins)
        asked = giveback.reduce(shop.customer_admin, subscription=limited, quantity=5, reason="fewer people")
        assert isinstance(asked, CancellationRequest)
        assert (asked.quantity, fresh(limited).quantity) == (3, 8)
        with pytest.raises(Conflict) as caught:
            buy(shop.customer_admin, limited, 9)
        assert caught.value.code == "cancellation_pending"
        decide.accept_request(shop.staff, request=asked)
        drain(twins)
        asked.refresh_from_db()
        assert (asked.status, fresh(limited).quantity) == (RequestStatus.COMPLETED, 5)

    def test_rejecting_changes_nothing_and_needs_a_reason(self, shop, limited):
        asked = giveback.cancel(shop.customer_admin, subscription=limited, reason="closing")
        with pytest.raises(BusinessError):
            requests.reject_request(shop.staff, request=asked, reason="")
        requests.reject_request(shop.staff, request=asked, reason="you signed for a year")
        asked.refresh_from_db()
        assert (asked.status, fresh(limited).status) == (RequestStatus.REJECTED, SubscriptionStatus.ACTIVE)

    def test_the_requester_withdraws(self, shop, limited):
        asked = giveback.cancel(shop.customer_admin, subscription=limited)
        requests.withdraw_request(shop.customer_admin, request=asked)
        asked.refresh_from_db()
        assert asked.status == RequestStatus.WITHDRAWN
        with pytest.raises(Conflict):
            decide.accept_request(shop.staff, request=asked)

    def test_a_vendor_that_refuses_fails_the_request_and_a_retry_completes_it(self, shop, twins, limited):
        asked = giveback.cancel(shop.customer_admin, subscription=limited)
        move(twins, 8 * DAY)
        with pytest.raises(BusinessError) as caught:
            decide.accept_request(shop.staff, request=asked)
        assert caught.value.code == "window_closed"
        # Our copy of the window is older than the vendor's.
        Subscription.objects.filter(pk=limited.pk).update(refundable=[], cancel_until=None)
        decide.accept_request(shop.staff, request=asked)
        drain(twins)
        asked.refresh_from_db()
        assert asked.status == RequestStatus.FAILED
        desk.give_up(shop.staff, operation=last_operation(limited), reason="too late for the vendor")
        asked.refresh_from_db()
        assert (asked.status, fresh(limited).status) == (RequestStatus.REJECTED, SubscriptionStatus.ACTIVE)

    def test_staff_need_no_request(self, shop, twins, limited):
        assert isinstance(giveback.cancel(shop.staff, subscription=limited), Operation)


class TestClock:
    """Billing periods and renewals."""

    def test_each_month_of_the_term_is_charged_once(self, shop, twins, row):
        for _month in range(3):
            move(twins, 31 * DAY)
            renewals.run_clock()
            renewals.run_clock()
        assert ledger(fresh(row)) == [Decimal(60)] * 4
        assert Operation.objects.filter(subscription=row).count() == 1

    def test_the_vendor_renews_with_todays_price_and_a_new_window(self, shop, twins, row):
        move(twins, 366 * DAY)
        for _month in range(14):
            renewals.run_clock()
        plan = row.plan
        plan.costs.update(cost=Decimal(20))
        drain(twins)
        row = fresh(row)
        assert row.status == SubscriptionStatus.ACTIVE
        assert (row.unit_price, ledger(row)[-1], len(ledger(row))) == (Decimal(24), Decimal(120), 13)
        assert row.term_ends_at.year == row.starts_at.year + 1
        assert giveback.window_of(row).quantity == 5
        assert row.first_activated_at is not None

    def test_the_renewal_waits_for_a_vendor_who_is_slow(self, shop, twins, row):
        # Only our clock is there already.
        clock.advance(366 * DAY)
        for _month in range(14):
            renewals.run_clock()
        drain(None, patience=dt.timedelta(hours=2))
        assert last_operation(row).state == OperationState.WAITING
        twins.advance("P366D")
        drain(None, patience=dt.timedelta(hours=30))
        assert last_operation(row).state == OperationState.DONE
        assert len(ledger(fresh(row))) == 13

    def test_reading_anew_keeps_the_vendors_window(self, shop, twins, row):
        Subscription.objects.filter(pk=row.pk).update(refundable=[], cancel_until=None, vendor_read_at=None)
        assert refresh.is_stale(fresh(row))
        assert refresh.start_refresh(shop.customer_admin, fresh(row)) is not None
        assert refresh.start_refresh(shop.customer_admin, fresh(row)) is None
        drain(twins)
        assert giveback.window_of(fresh(row)).quantity == 5
        assert not refresh.is_stale(fresh(row))


class TestTogether:
    """Two people, foreigners, and the table of preconditions."""

    def test_a_second_change_waits(self, shop, twins, row):
        buy(shop.customer_admin, row, 8)
        with pytest.raises(Conflict) as caught:
            giveback.cancel(shop.staff, subscription=row)
        assert caught.value.code == "operation_open"
        drain(twins)
        giveback.cancel(shop.staff, subscription=row)

    def test_nobody_changes_what_is_not_his(self, shop, row):
        for call in (
            lambda: switch.set_auto_renew(shop.reseller_admin, subscription=row, auto_renew=False),
            lambda: giveback.cancel(shop.reseller_admin, subscription=row),
            lambda: giveback.reduce(shop.reseller_admin, subscription=row, quantity=3),
            lambda: buy(shop.reseller_admin, row, 8),
        ):
            with pytest.raises(BusinessError):
                call()
        assert Charge.objects.filter(subscription=row).count() == 1


class TestSchedule:
    """Changes for the renewal."""

    def test_a_scheduled_change_blocks_others_until_revoked_and_is_applied_by_the_vendor(self, shop, twins, row):
        schedule.schedule_change(shop.customer_admin, subscription=row, quantity=3, plan=row.plan)
        drain(twins)
        assert at_vendor(twins, row)["scheduledNextTermInstructions"]["quantity"] == 3
        calls = [
            lambda: buy(shop.customer_admin, row, 8),
            lambda: switch.set_auto_renew(shop.customer_admin, subscription=row, auto_renew=False),
            lambda: switch.suspend(shop.staff, subscription=row, reason="not paid"),
            lambda: giveback.cancel(shop.customer_admin, subscription=row),
        ]
        for call in calls:
            with pytest.raises(Conflict) as caught:
                call()
            assert caught.value.code == "scheduled_change_pending"
        schedule.revoke_schedule(shop.customer_admin, subscription=row)
        drain(twins)
        assert ScheduledChange.objects.get().status == ScheduleStatus.REVOKED
        assert not at_vendor(twins, row).get("scheduledNextTermInstructions")
        schedule.schedule_change(shop.customer_admin, subscription=row, quantity=4, plan=row.plan)
        drain(twins)
        move(twins, 366 * DAY)
        for _month in range(14):
            renewals.run_clock()
        drain(twins)
        assert (fresh(row).quantity, at_vendor(twins, row)["quantity"]) == (4, 4)
        assert ScheduledChange.objects.order_by("-id")[0].status == ScheduleStatus.APPLIED
        assert ledger(fresh(row))[-1] == Decimal(48)
