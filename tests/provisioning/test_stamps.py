"""MPN IDs over real HTTP against the twin: who carries one, restamp, change of relationship (channel.md 6, 15.1-8)."""

import datetime as dt
from typing import Any

import pytest
import requests
from django.db import IntegrityError

from core import clock
from core.errors import BusinessError, Conflict
from core.jobs import Job, JobState, request_cancel
from orders.models import Order
from orders.services.basket import set_target
from provisioning.services import kinds, renewals, stamps
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account
from subscriptions.enums import OperationState, StampRowState, StampState
from subscriptions.models import Operation, StampRow, StampRun, Subscription
from subscriptions.services import switch
from tests import factories
from tests.drain import drain
from tests.provisioning.life import buy, move
from tests.shop import Shop, fill_basket, make_shop, place
from tests.twins import Twins
from vendors.models import AccountLink
from vendors.services.instances import write_secret
from vendors.services.links import set_mpn_id

pytestmark = pytest.mark.django_db(transaction=True)
BUSINESS_STANDARD = "CFQ7TTC0LDPB:0001"


@pytest.fixture
def shop(twins: Twins) -> Shop:
    """A shop at an indirect provider; its reseller has the first good MPN ID."""
    made = make_shop(settings=twins.instance_settings(), code=BUSINESS_STANDARD)
    write_secret(made.instance, "refresh_token", twins.credentials()["refresh_token"])
    set_mpn_id(made.staff, account=made.reseller, instance=made.instance, mpn_id=ids(twins)[0])
    return made


def ids(twins: Twins) -> list[str]:
    """MPN IDs the twin accepts."""
    return list(twins.credentials()["mpn_ids"])


def bought(shop: Shop, twins: Twins, target: Account | None = None, mode: str = "") -> Subscription:
    """A running service that the reseller bought for ``target``."""
    order = place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin, mode=mode, target=target))
    drain(twins)
    return Subscription.objects.get(order_number=order.number)


def town(shop: Shop, twins: Twins) -> dict[str, Subscription]:
    """Services of three end customers, one affiliate and the reseller himself."""
    more = [factories.account(shop.organization, AccountKind.END_CUSTOMER, bill_to=shop.reseller) for _ in range(2)]
    found = {
        f"end{number}": bought(shop, twins, account, PurchaseMode.END_CUSTOMER)
        for number, account in enumerate([shop.end_customer, *more])
    }
    found["affiliate"] = bought(shop, twins, shop.affiliate, PurchaseMode.AFFILIATE)
    found["own"] = bought(shop, twins)
    return found


def at_vendor(twins: Twins) -> dict[str, str]:
    """The MPN ID of every subscription at the vendor, by its id."""
    return {row["id"]: row["partnerId"] for row in twins.state()["subscriptions"]}


def checked(shop: Shop, twins: Twins, number: str) -> Job:
    """The vendor's word about an MPN ID."""
    actor = shop.reseller_admin
    job = stamps.start_partner_check(actor, account=shop.reseller, instance=shop.instance, mpn_id=number)
    drain(twins)
    job.refresh_from_db()
    return job


def restamped(shop: Shop, twins: Twins, number: str) -> StampRun:
    """A run to its end."""
    run = stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=checked(shop, twins, number))
    assert run is not None
    drain(twins)
    run.refresh_from_db()
    return run


class TestRestamp:
    def test_changes_the_end_customers_services_only_and_then_nothing(self, shop, twins):
        rows = town(shop, twins)
        old, new = ids(twins)[:2]
        assert [at_vendor(twins)[row.external_id] for row in rows.values()] == [old, old, old, "", ""]
        run = restamped(shop, twins, new)
        assert (run.state, run.mpn_before, run.mpn_id) == (StampState.DONE, old, new)
        assert sorted(run.rows.values_list("state", flat=True)) == ["done"] * 3
        assert [at_vendor(twins)[row.external_id] for row in rows.values()] == [new, new, new, "", ""]
        ours = dict(Subscription.objects.values_list("pk", "mpn_id"))
        assert [ours[row.pk] for row in rows.values()] == [new, new, new, "", ""]
        assert AccountLink.objects.get(account=shop.reseller, instance=shop.instance).mpn_id == new
        with pytest.raises(Conflict) as nothing:
            stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=checked(shop, twins, new))
        assert nothing.value.code == "nothing_to_do"

    def test_invalid_id_changes_no_row(self, shop, twins):
        row = bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        credentials = twins.credentials()
        for number in (credentials["mpn_id_unknown"], credentials["mpn_id_without_agreement"]):
            job = checked(shop, twins, number)
            assert job.result["ok"] is False
            with pytest.raises(BusinessError) as refused:
                stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=job)
            assert refused.value.code == "mpn_invalid"
        assert StampRun.objects.count() == 0
        assert AccountLink.objects.get(account=shop.reseller, instance=shop.instance).mpn_id == ids(twins)[0]
        assert at_vendor(twins) == {row.external_id: ids(twins)[0]}

    def test_vendor_out_of_reach_lets_a_once_valid_id_pass_and_no_other(self, shop, twins):
        old, new = ids(twins)[:2]
        for number, is_good in ((old, True), (new, False)):
            twins.fault("get_mpn_profile", "http_500_before", times=50)
            job = checked(shop, twins, number)
            assert (job.result["ok"], job.result["unreachable"]) == (is_good, True)
            twins.no_faults()

    def test_unsynchronized_services_are_listed_as_left_out(self, shop, twins):
        row = bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        Subscription.objects.filter(pk=row.pk).update(sync_status="failed")
        run = restamped(shop, twins, ids(twins)[1])
        (left,) = run.rows.all()
        assert (run.state, left.state) == (StampState.DONE, StampRowState.SKIPPED)
        assert left.note == "Not synchronized with the vendor. Settle its last change first."

    def test_refused_service_is_retried(self, shop, twins):
        first = bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        new = ids(twins)[1]
        twins.fault("update_subscription", "error", code="800098", status=400)
        run = restamped(shop, twins, new)
        (row,) = run.rows.all()
        assert (run.state, row.state) == (StampState.PARTLY, StampRowState.FAILED)
        first.refresh_from_db()
        assert (first.sync_status, first.mpn_id) == ("synchronized", ids(twins)[0])
        stamps.retry_run(shop.reseller_admin, run=run)
        drain(twins)
        run.refresh_from_db()
        assert (run.state, at_vendor(twins)[first.external_id]) == (StampState.DONE, new)
        assert Operation.objects.filter(verb="stamp", state=OperationState.REFUSED, retries=None).count() == 0

    @pytest.mark.parametrize("kind", ["timeout_after", "reset_before"])
    def test_lost_answer_ends_in_the_new_id(self, shop, twins, kind):
        row = bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        twins.fault("update_subscription", kind, seconds=4)
        run = restamped(shop, twins, ids(twins)[1])
        assert (run.state, at_vendor(twins)[row.external_id]) == (StampState.DONE, ids(twins)[1])

    def test_one_run_per_reseller_and_instance(self, shop, twins):
        bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        first, second = (checked(shop, twins, number) for number in ids(twins)[1:3])
        stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=first)
        with pytest.raises(Conflict) as running:
            stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=second)
        assert running.value.code == "stamp_running"
        assert AccountLink.objects.get(account=shop.reseller).mpn_id == ids(twins)[1]

    def test_killed_worker_goes_on(self, shop, twins, monkeypatch):
        rows = town(shop, twins)
        job = checked(shop, twins, ids(twins)[1])
        run = stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=job)
        real, calls = stamps._send, []

        def killed(actor, waiting, job_run):
            calls.append(waiting.pk)
            if len(calls) == 2:
                raise KeyboardInterrupt
            real(actor, waiting, job_run)

        monkeypatch.setattr(stamps, "_send", killed)
        with pytest.raises(KeyboardInterrupt):
            drain(twins)
        monkeypatch.setattr(stamps, "_send", real)
        Job.objects.filter(pk=run.job_id).update(claimed_until=clock.real_now())  # The dead worker's claim has expired.
        drain(twins)
        run.refresh_from_db()
        assert run.state == StampState.DONE
        assert [at_vendor(twins)[rows[name].external_id] for name in ("end0", "end1", "end2")] == [ids(twins)[1]] * 3
        assert Operation.objects.filter(verb="stamp").count() == 3

    def test_cancelled_run_leaves_the_rest(self, shop, twins):
        town(shop, twins)
        job = checked(shop, twins, ids(twins)[1])
        run = stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=job)
        stamps.cancel_run(shop.reseller_admin, run=run)
        drain(twins)
        run.refresh_from_db()
        assert run.state == StampState.CANCELLED
        assert set(run.rows.values_list("state", flat=True)) == {StampRowState.SKIPPED}
        assert set(at_vendor(twins).values()) == {ids(twins)[0], ""}

    def test_job_cancelled_before_it_began_can_be_taken_up(self, shop, twins):
        bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        job = checked(shop, twins, ids(twins)[1])
        run = stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=job)
        request_cancel(shop.staff, run.job)
        run.refresh_from_db()
        assert Job.objects.get(pk=run.job_id).state == JobState.CANCELLED
        stamps.retry_run(shop.reseller_admin, run=run)
        drain(twins)
        run.refresh_from_db()
        assert run.state == StampState.DONE


class TestWhoCarriesOne:
    @pytest.mark.parametrize("mode", list(PurchaseMode))
    def test_only_what_is_for_an_end_customer_sends_an_mpn_id(self, shop, twins, monkeypatch, mode):
        """Create, more licences, automatic renewal and the renewal itself, body by body."""
        bodies: list[str] = []
        real = requests.Session.send

        def noted(session: requests.Session, request: requests.PreparedRequest, **values: Any) -> requests.Response:
            if request.method != "GET" and "/partner-center/" in str(request.url):
                bodies.append(str(request.body))
            return real(session, request, **values)

        monkeypatch.setattr(requests.Session, "send", noted)
        target = {PurchaseMode.AFFILIATE: shop.affiliate, PurchaseMode.END_CUSTOMER: shop.end_customer}.get(mode)
        row = bought(shop, twins, target, mode)
        buy(shop.reseller_admin, row, row.quantity + 1)
        drain(twins)
        switch.set_auto_renew(shop.reseller_admin, subscription=row, auto_renew=False)
        drain(twins)
        switch.set_auto_renew(shop.reseller_admin, subscription=row, auto_renew=True)
        drain(twins)
        move(twins, dt.timedelta(days=367))
        renewals.run_clock()
        drain(twins)
        row.refresh_from_db()
        number, tenant = ids(twins)[0], twins.credentials()["resellers"][0]["id"]
        found = [body for body in bodies if number in body or tenant in body]
        assert (bool(found), len(bodies) > 5) == (mode == PurchaseMode.END_CUSTOMER, True)
        assert (row.purchase_mode, row.mpn_id) == (mode, number if mode == PurchaseMode.END_CUSTOMER else "")

    def test_the_mode_of_order_and_service_is_fixed_in_the_database(self, shop, twins):
        row = bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        for rows in (Order.objects.all(), Subscription.objects.filter(pk=row.pk)):
            with pytest.raises(IntegrityError):
                rows.update(purchase_mode=PurchaseMode.AFFILIATE)


class TestRelationship:
    def test_linked_account_is_not_edited_but_changed_at_the_vendor_first(self, shop, twins):
        row = bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        with pytest.raises(Conflict) as linked:
            kinds.change_kind(shop.staff, account=shop.end_customer, kind=AccountKind.AFFILIATE)
        assert linked.value.code == "account_linked"
        run = kinds.change_relationship(shop.staff, account=shop.end_customer, kind=AccountKind.AFFILIATE)
        shop.end_customer.refresh_from_db()
        assert (run.state, shop.end_customer.kind) == (StampState.RUNNING, AccountKind.END_CUSTOMER)
        basket = fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer)
        with pytest.raises(Conflict) as waits:
            place(shop.reseller_admin, basket)
        assert waits.value.code == "relationship_changing"
        drain(twins)
        run.refresh_from_db()
        row.refresh_from_db()
        shop.end_customer.refresh_from_db()
        assert (run.state, shop.end_customer.kind) == (StampState.DONE, AccountKind.AFFILIATE)
        assert (row.mpn_id, row.purchase_mode, at_vendor(twins)[row.external_id]) == ("", PurchaseMode.AFFILIATE, "")
        back = kinds.change_relationship(shop.staff, account=shop.end_customer, kind=AccountKind.END_CUSTOMER)
        drain(twins)
        back.refresh_from_db()
        assert (back.state, at_vendor(twins)[row.external_id]) == (StampState.DONE, ids(twins)[0])

    def test_refused_service_holds_the_relationship(self, shop, twins):
        bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        twins.fault("update_subscription", "error", code="800098", status=400)
        run = kinds.change_relationship(shop.staff, account=shop.end_customer, kind=AccountKind.AFFILIATE)
        drain(twins)
        run.refresh_from_db()
        shop.end_customer.refresh_from_db()
        assert (run.state, shop.end_customer.kind) == (StampState.PARTLY, AccountKind.END_CUSTOMER)
        stamps.retry_run(shop.staff, run=run)
        drain(twins)
        shop.end_customer.refresh_from_db()
        assert shop.end_customer.kind == AccountKind.AFFILIATE
        assert StampRow.objects.filter(run=run, state=StampRowState.DONE).count() == 1

    def test_open_order_is_settled_first(self, shop, twins):
        bought(shop, twins, shop.end_customer, PurchaseMode.END_CUSTOMER)
        place(
            shop.reseller_admin,
            fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer),
        )
        with pytest.raises(Conflict) as open_order:
            kinds.change_relationship(shop.staff, account=shop.end_customer, kind=AccountKind.AFFILIATE)
        assert open_order.value.code == "orders_open"
        assert StampRun.objects.count() == 0

    def test_sales_cannot(self, shop, twins):
        sales = factories.actor(shop.organization, roles=["sales"])
        with pytest.raises(BusinessError):
            kinds.change_relationship(sales, account=shop.end_customer, kind=AccountKind.AFFILIATE)


def test_set_target_keeps_the_mode_of_the_kind(shop):
    """A posted mode that does not fit the account is refused."""
    basket = fill_basket(shop, shop.reseller_admin)
    with pytest.raises(BusinessError):
        set_target(shop.reseller_admin, basket=basket, mode=PurchaseMode.AFFILIATE, account=shop.end_customer)
