"""Transferring customers and subscriptions: once, without a vendor, and never at two places (check 39)."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from billing.models import Charge
from core.errors import BusinessError, Conflict, NotVisible
from core.jobs import Job
from orders.enums import OrderStatus
from orders.models import Order
from resellers.enums import AccountKind
from resellers.models import Account, Contact, Site
from resellers.services.accounts import update_account
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription, SubscriptionAddOn
from subscriptions.preconditions import Action, refusal
from subscriptions.services import switch
from tenants import jobs
from tenants.models import ManagedAccount, ManagedSubscription
from tenants.selectors import accounts_to_move, subscriptions_to_move
from tenants.services.state import go_live
from tenants.services.transfer import ACCOUNTS, SUBSCRIPTIONS, move_account, move_subscription, start_transfer
from tests import factories
from tests.drain import drain
from tests.shop import Shop, fill_basket, make_shop, place
from tests.tenants.professional import Professional, make, make_live, own_of
from vendors.models import AccountLink, LinkState, SyncStatus

pytestmark = pytest.mark.django_db
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def running(shop: Shop, account: Account, **values: object) -> Subscription:
    """An active subscription of one of the reseller's customers, as the vendor confirmed it."""
    facts = {
        "name": shop.product.name,
        "purchase_mode": "end_customer",
        "term": "P1Y",
        "billing_cycle": "monthly",
        "quantity": 7,
        "unit_price": Decimal("12.00"),
        "status": SubscriptionStatus.ACTIVE,
        "sync_status": SyncStatus.SYNCHRONIZED,
        "external_id": f"vendor-{Subscription.objects.count()}",
        "starts_at": START,
        "first_activated_at": START,
        "term_ends_at": END,
        "period_starts_at": dt.datetime(2026, 2, 1, tzinfo=dt.UTC),
        "period_ends_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        "auto_renew": False,
    } | values
    return Subscription.objects.create(
        organization=shop.organization,
        account=account,
        bill_to=shop.reseller,
        instance=shop.instance,
        product=shop.product,
        plan=shop.plan,
        currency="EUR",
        **facts,
    )


def move_all(shop: Shop, pro: Professional, kind: str) -> dict[str, object]:
    job = start_transfer(shop.staff, tenant=pro.tenant, kind=kind)
    drain()
    job.refresh_from_db()
    assert job.state == "done", job.error
    return job.result


def test_customers_are_copied_with_contacts_and_relationship(shop):
    pro = make(shop)
    AccountLink.objects.create(
        organization=shop.organization,
        account=shop.end_customer,
        instance=shop.instance,
        external_id="tenant-1",
        state=LinkState.SYNCHRONIZED,
    )
    assert move_all(shop, pro, ACCOUNTS) == {"done": 2, "refused": []}
    for source, relationship in ((shop.end_customer, "end_customer"), (shop.affiliate, "affiliate_account")):
        source.refresh_from_db()
        copy = own_of(source)
        assert (source.kind, source.bill_to_id) == (AccountKind.MANAGED_COPY, shop.reseller.pk)
        assert (copy.organization_id, copy.kind, copy.name, copy.city) == (pro.own.pk, "direct", source.name, "Berlin")
        assert [row.email for row in copy.contacts.all()] == [row.email for row in source.contacts.all()]
        assert ManagedAccount.objects.get(managed=source).relationship == relationship
    link = AccountLink.objects.get(organization=pro.own)
    assert (link.account, link.state) == (own_of(shop.end_customer), LinkState.SYNCHRONIZED)
    assert list(accounts_to_move(shop.staff, pro.tenant)) == []


def test_subscriptions_are_copied_without_a_vendor_or_a_charge(shop):
    row = running(shop, shop.end_customer)
    addon = factories.product(shop.instance, is_addon=True)
    SubscriptionAddOn.objects.create(
        organization=shop.organization,
        subscription=row,
        product=addon,
        plan=addon.plans.get(),
        name="Audio",
        quantity=2,
        status="active",
        external_id="vendor-addon",
    )
    pro = make(shop)
    move_all(shop, pro, ACCOUNTS)
    assert move_all(shop, pro, SUBSCRIPTIONS) == {"done": 1, "refused": []}
    copy = Subscription.objects.get(organization=pro.own)
    names = ("name", "quantity", "term", "billing_cycle", "auto_renew", "external_id", "first_activated_at")
    names += ("starts_at", "term_ends_at", "period_starts_at", "period_ends_at")
    assert {name: getattr(copy, name) for name in names} == {name: getattr(row, name) for name in names}
    assert (copy.status, copy.sync_status, copy.unit_price) == ("active", "synchronized", Decimal("20.0000"))
    assert (copy.product.code, copy.plan.term, copy.account) == (shop.product.code, "P1Y", own_of(shop.end_customer))
    assert [(a.name, a.quantity, a.external_id) for a in copy.addons.all()] == [("Audio", 2, "vendor-addon")]
    assert (Operation.objects.count(), Charge.objects.count()) == (0, 0)
    row.refresh_from_db()
    assert (row.bill_to_id, row.unit_price, row.status) == (shop.reseller.pk, Decimal("12.0000"), "active")


def test_transfer_twice_copies_once(shop):
    row = running(shop, shop.end_customer)
    pro = make(shop)
    for _time in range(2):
        move_all(shop, pro, ACCOUNTS)
        move_all(shop, pro, SUBSCRIPTIONS)
    move_account(shop.staff, pro.tenant, shop.end_customer)
    move_subscription(shop.staff, pro.tenant, row)
    assert Account.objects.filter(organization=pro.own).count() == 2
    assert Contact.objects.filter(organization=pro.own).count() == 2
    assert Subscription.objects.filter(organization=pro.own).count() == 1
    assert (ManagedAccount.objects.count(), ManagedSubscription.objects.count()) == (2, 1)
    assert Operation.objects.count() == 0


def places_of(account: Account) -> tuple[str, int]:
    account.refresh_from_db()
    return account.kind, Account.objects.filter(managed_by__managed=account).count()


@pytest.mark.parametrize("kind", [ACCOUNTS, SUBSCRIPTIONS])
def test_killed_in_the_middle_it_goes_on(shop, kind, monkeypatch):
    class Killed(BaseException):
        pass

    rows = [running(shop, shop.end_customer), running(shop, shop.affiliate)]
    pro = make(shop)
    if kind == SUBSCRIPTIONS:
        move_all(shop, pro, ACCOUNTS)
    name = "move_account" if kind == ACCOUNTS else "move_subscription"
    real, seen = getattr(jobs, name), []

    def move(actor, tenant, row):
        if seen:
            raise Killed
        seen.append(row)
        return real(actor, tenant, row)

    monkeypatch.setattr(jobs, name, move)
    start_transfer(shop.staff, tenant=pro.tenant, kind=kind)
    with pytest.raises(Killed):
        drain()
    half = [places_of(account) for account in (shop.end_customer, shop.affiliate)]
    if kind == ACCOUNTS:  # Here and billed as before, or there with its managed copy: never both, never neither.
        assert sorted(half) in ([("affiliate", 0), ("managed_copy", 1)], [("end_customer", 0), ("managed_copy", 1)])
    assert Subscription.objects.filter(organization=pro.own).count() == (1 if kind == SUBSCRIPTIONS else 0)
    monkeypatch.undo()
    Job.objects.update(claimed_until=None)
    drain()
    assert [places_of(account) for account in (shop.end_customer, shop.affiliate)] == [("managed_copy", 1)] * 2
    move_all(shop, pro, SUBSCRIPTIONS)
    assert Subscription.objects.filter(organization=pro.own).count() == len(rows)
    assert Account.objects.filter(organization=pro.own).count() == 2


def test_a_row_that_fails_in_the_middle_leaves_nothing(shop, monkeypatch):
    pro = make(shop)

    def broken(*args):
        raise RuntimeError

    monkeypatch.setattr("tenants.services.transfer._copy_links", broken)
    with pytest.raises(RuntimeError):
        move_account(shop.staff, pro.tenant, shop.end_customer)
    assert places_of(shop.end_customer) == ("end_customer", 0)
    assert not Account.objects.filter(organization=pro.own).exists()


def test_rows_at_work_are_refused_one_by_one(shop):
    fine = running(shop, shop.end_customer)
    failed = running(shop, shop.end_customer, name="Failed", sync_status=SyncStatus.FAILED)
    ending = running(shop, shop.end_customer, name="Ending", status=SubscriptionStatus.PENDING_CANCEL)
    scheduled = running(shop, shop.end_customer, name="Scheduled")
    ScheduledChange.objects.create(
        organization=shop.organization, subscription=scheduled, plan=shop.plan, quantity=2, requested_by="Ada"
    )
    asked = running(shop, shop.end_customer, name="Asked")
    CancellationRequest.objects.create(
        organization=shop.organization, subscription=asked, kind="reduce", quantity=1, requested_by="Ada"
    )
    pro = make(shop)
    move_all(shop, pro, ACCOUNTS)
    result = move_all(shop, pro, SUBSCRIPTIONS)
    assert result["done"] == 1
    assert [text.partition(":")[0] for text in result["refused"]] == ["Asked", "Ending", "Failed", "Scheduled"]
    assert list(subscriptions_to_move(shop.staff, pro.tenant)) == [asked, ending, failed, scheduled]
    assert ManagedSubscription.objects.get().managed == fine
    with pytest.raises(Conflict) as caught:
        go_live(shop.staff, tenant=pro.tenant)
    assert caught.value.code == "subscriptions_left"


def test_an_account_with_a_waiting_order_is_refused(shop):
    order = place(
        shop.reseller_admin, fill_basket(shop, shop.reseller_admin, mode="end_customer", target=shop.end_customer)
    )
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.SUBMITTED)
    pro = make(shop)
    result = move_all(shop, pro, ACCOUNTS)
    assert (result["done"], len(result["refused"])) == (1, 1)
    assert places_of(shop.end_customer) == ("end_customer", 0)


def test_going_live_closes_the_old_site(shop):
    old = Site.objects.create(
        organization=shop.organization, account=shop.reseller, name="Old", alias="old", plan_id=uuid.uuid4()
    )
    pro = make(shop)
    with pytest.raises(Conflict) as caught:
        go_live(shop.staff, tenant=pro.tenant)
    assert caught.value.code == "accounts_left"
    move_all(shop, pro, ACCOUNTS)
    tenant = go_live(shop.staff, tenant=pro.tenant)
    again = go_live(shop.staff, tenant=pro.tenant)
    old.refresh_from_db()
    shop.reseller.refresh_from_db()
    assert (old.status, shop.reseller.edition, tenant.back_ordering) == ("closed", "professional", True)
    assert again.live_at == tenant.live_at


def test_managed_copies_are_partly_locked(shop):
    row = running(shop, shop.end_customer)
    make_live(shop)
    shop.end_customer.refresh_from_db()
    row = Subscription.objects.select_related("account", "bill_to", "product__product_type", "plan").get(pk=row.pk)
    with pytest.raises(BusinessError) as caught:
        update_account(shop.staff, account=shop.end_customer, values={"name": "Other"})
    assert (caught.value.code, caught.value.field) == ("managed_by_reseller", "name")
    update_account(shop.staff, account=shop.end_customer, values={"notes": "Ours"})
    with pytest.raises(Conflict) as conflict:
        switch.set_auto_renew(shop.staff, subscription=row, auto_renew=True)
    assert conflict.value.code == "managed_by_reseller"
    closed = {action for action in Action if (found := refusal(row, action)) and found.code == "managed_by_reseller"}
    assert closed == set(Action) - {Action.SUSPEND, Action.ACTIVATE, Action.EDIT_PRICE}


def test_nobody_else_transfers(shop):
    pro = make(shop)
    foreign = make_shop()
    with pytest.raises((NotVisible, BusinessError)):
        move_account(foreign.staff, pro.tenant, shop.end_customer)
    with pytest.raises((NotVisible, BusinessError)):
        move_account(shop.staff, pro.tenant, foreign.end_customer)
    with pytest.raises((NotVisible, BusinessError)):
        move_account(pro.staff, pro.tenant, shop.end_customer)
    assert places_of(shop.end_customer) == ("end_customer", 0)
    assert places_of(foreign.end_customer) == ("end_customer", 0)
