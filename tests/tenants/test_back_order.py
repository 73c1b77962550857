"""Back ordering over real HTTP against the Partner Center twin: one order here is one subscription there."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from billing.models import Charge
from catalog.models import Plan, UpgradeRelation
from core.errors import Conflict
from core.tenancy import system_actor
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import giveback, more
from orders.services.execute import execute_by_staff
from orders.services.place import cancel_order
from provisioning.context import context_for
from provisioning.registry import connector_for
from provisioning.requests import state_request
from provisioning.services import desk
from resellers.models import Account
from resellers.services.accounts import update_account
from subscriptions.enums import OperationState, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from subscriptions.services import schedule, switch
from tenants.models import ManagedAccount, ManagedSubscription, ProfessionalTenant
from tenants.services import sides, state
from tenants.services.follow import follow_accounts
from tests import factories
from tests.api.caller import program
from tests.bss.running import running
from tests.drain import drain
from tests.provisioning.flows import TARGET
from tests.provisioning.life import buy, connected_shop, fresh
from tests.shop import Shop, fill_basket, place
from tests.tenants.professional import Professional, make_live, shop_of
from tests.twins import Twins
from vendors.models import AccountLink
from vendors.services.links import set_mpn_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(twins: Twins) -> Shop:
    made = connected_shop(twins)
    system = system_actor(made.organization.pk)
    set_mpn_id(
        system, account=made.reseller, instance=made.instance, mpn_id=twins.credentials()["mpn_ids"][0], tenant_id=""
    )
    return made


@pytest.fixture
def pro(shop) -> Professional:
    return make_live(shop)


@pytest.fixture
def his(pro) -> Shop:
    return shop_of(pro)


def ordered(his: Shop, twins: Twins | None, quantity: int = 5) -> Subscription:
    order = place(his.customer_admin, fill_basket(his, his.customer_admin, quantity=quantity))
    if twins is not None:
        drain(twins)
    return Subscription.objects.select_related("account").get(order_number=order.number, organization=his.organization)


def managed(own: Subscription) -> Subscription:
    return Subscription.objects.select_related("account", "bill_to", "plan", "product__product_type").get(
        managed_as__own=own
    )


def live(twins: Twins) -> list[tuple[str, int]]:
    rows = twins.state()["subscriptions"]
    return [(row["status"], row["quantity"]) for row in rows if row["status"] != "deleted"]


def due(account: Account) -> list[Decimal]:
    rows = Charge.objects.filter(payer=account, state="due").order_by("id")
    return [row.net for row in rows]


def test_one_order_is_one_vendor_subscription(shop, pro, his, twins):
    own = ordered(his, twins)
    theirs = managed(own)
    assert (own.status, own.quantity, own.sync_status) == ("active", 5, "synchronized")
    assert live(twins) == [("active", 5)]
    assert (own.external_id, theirs.external_id) == (twins.state()["subscriptions"][0]["id"],) * 2
    assert theirs.name == f"{his.customer.name} - {shop.product.name}"
    assert (theirs.account.kind, theirs.bill_to, theirs.unit_price) == ("managed_copy", shop.reseller, Decimal("12"))
    assert (theirs.account.name, theirs.account.email) == (his.customer.name, his.customer.email)
    assert (theirs.purchase_mode, theirs.mpn_id) == ("end_customer", twins.credentials()["mpn_ids"][0])
    assert own.term_ends_at == theirs.term_ends_at
    # The distributor charges the reseller by his list, the reseller his customer by his own.
    assert (due(shop.reseller), due(his.customer)) == ([Decimal("60.0000")], [Decimal("100.0000")])
    link = AccountLink.objects.get(account=his.customer)
    assert (link.state, link.external_id) == ("synchronized", str(theirs.account.public_id))


def test_a_second_order_finds_the_managed_copy(pro, his, twins):
    first, second = ordered(his, twins), ordered(his, twins, quantity=2)
    assert ManagedAccount.objects.count() == 3  # The two transferred, and this one.
    assert managed(first).account_id == managed(second).account_id
    assert sorted(live(twins)) == [("active", 2), ("active", 5)]


@pytest.mark.parametrize("point", ["tenants.connector.back_order._told", "tenants.services.back_order._service_of"])
def test_killed_in_the_middle_it_orders_once(shop, pro, his, twins, point, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*args):
        raise Killed

    place(his.customer_admin, fill_basket(his, his.customer_admin))
    monkeypatch.setattr(point, die)
    with pytest.raises(Killed):
        drain(twins)
    monkeypatch.undo()
    Operation.objects.update(claimed_until=None)
    drain(twins)
    own = Subscription.objects.get(organization=pro.own)
    assert (own.status, live(twins)) == ("active", [("active", 5)])
    assert Order.objects.filter(organization=shop.organization).count() == 1
    assert ManagedSubscription.objects.count() == 1


def test_a_refusal_is_shown_in_cleaned_words_and_tried_again(shop, pro, his, twins):
    twins.fault("checkout_cart", "error", code="800009", status=400)
    own = ordered(his, twins)
    theirs = managed(own)
    operation = Operation.objects.filter(subscription=own).latest("id")
    assert (own.status, theirs.status, operation.state) == ("failed", "failed", OperationState.REFUSED)
    upstream = Operation.objects.filter(subscription=theirs).latest("id")
    assert operation.message != upstream.message
    assert shop.organization.name not in operation.message
    with pytest.raises(Conflict) as caught:
        desk.retry(shop.staff, operation=upstream)
    assert caught.value.code == "managed_by_reseller"
    desk.retry(pro.staff, operation=operation)
    drain(twins)
    own.refresh_from_db()
    assert (own.status, live(twins)) == ("active", [("active", 5)])
    assert Order.objects.filter(organization=shop.organization).count() == 1


def test_over_the_resellers_credit_it_waits_until_staff_release_it(shop, pro, his, twins):
    Account.objects.filter(pk=shop.reseller.pk).update(credit_limit=Decimal(10))
    own = ordered(his, twins)
    order = Order.objects.get(organization=shop.organization)
    waiting = Operation.objects.get(subscription=own)
    assert (own.status, order.status, waiting.state) == ("inactive", OrderStatus.SUBMITTED, OperationState.WAITING)
    assert waiting.flag == sides.AT_DISTRIBUTOR
    execute_by_staff(shop.staff, order=order, reason="paid by telephone")
    drain(twins)
    own.refresh_from_db()
    assert (own.status, live(twins), managed(own).status) == ("active", [("active", 5)], "active")


def test_an_order_the_distributor_cancels_is_refused_and_can_be_tried_anew(shop, pro, his, twins):
    Account.objects.filter(pk=shop.reseller.pk).update(credit_limit=Decimal(10))
    own = ordered(his, twins)
    cancel_order(shop.staff, order=Order.objects.get(organization=shop.organization), reason="no credit")
    drain(twins)
    own.refresh_from_db()
    operation = Operation.objects.get(subscription=own)
    assert (own.status, operation.code) == ("failed", "order_cancelled")
    Account.objects.filter(pk=shop.reseller.pk).update(credit_limit=Decimal(100000))
    desk.retry(pro.staff, operation=operation)
    drain(twins)
    own.refresh_from_db()
    assert (own.status, live(twins)) == ("active", [("active", 5)])


def test_quantity_renewal_suspension_and_cancelling_follow_his_side(shop, pro, his, twins):
    own = ordered(his, twins)
    buy(his.customer_admin, own, 8)
    drain(twins)
    assert (fresh(own).quantity, managed(own).quantity, live(twins)) == (8, 8, [("active", 8)])
    giveback.reduce(pro.staff, subscription=fresh(own), quantity=6)
    drain(twins)
    assert (fresh(own).quantity, managed(own).quantity, live(twins)) == (6, 6, [("active", 6)])
    switch.set_auto_renew(pro.staff, subscription=fresh(own), auto_renew=False)
    drain(twins)
    assert (fresh(own).auto_renew, managed(own).auto_renew) == (False, False)
    switch.set_auto_renew(pro.staff, subscription=fresh(own), auto_renew=True)
    drain(twins)
    schedule.schedule_change(pro.staff, subscription=fresh(own), quantity=4, plan=own.plan)
    drain(twins)
    assert managed(own).scheduled_changes.get().quantity == 4
    schedule.revoke_schedule(pro.staff, subscription=fresh(own))
    drain(twins)
    assert managed(own).scheduled_changes.get().status == "revoked"
    switch.suspend(pro.staff, subscription=fresh(own), reason="has not paid")
    drain(twins)
    assert (fresh(own).status, managed(own).status, live(twins)) == ("suspended", "suspended", [("suspended", 6)])
    assert (fresh(own).suspend_reason, managed(own).suspend_reason) == ("staff", "customer")
    switch.activate(pro.staff, subscription=fresh(own))
    drain(twins)
    giveback.cancel(pro.staff, subscription=fresh(own))
    drain(twins)
    assert (fresh(own).status, managed(own).status, live(twins)) == ("cancelled", "cancelled", [])


@pytest.mark.parametrize("quantity", [5, 2])
def test_an_upgrade_follows_on_both_sides_whole_and_in_part(shop, twins, quantity):
    target = factories.product(shop.instance, code=TARGET, cost="20.00")
    UpgradeRelation.objects.create(organization=shop.organization, source=shop.product, target=target)
    pro = make_live(shop)
    his = shop_of(pro)
    own = ordered(his, twins)
    plan = Plan.objects.get(organization=pro.own, product__code=TARGET)
    total = more.wish_upgrade(fresh(own), plan=plan, quantity=quantity).preview.amount.gross
    more.upgrade(his.customer_admin, subscription=own, plan=plan, quantity=quantity, key=uuid.uuid4(), seen_total=total)
    # Microsoft is asked after 1, 5 and 15 minutes; the reseller's side looks again after each.
    drain(twins, patience=dt.timedelta(hours=2))
    expected = {TARGET: 5} if quantity == 5 else {shop.product.code: 3, TARGET: 2}
    for organization in (pro.own, shop.organization):
        rows = Subscription.objects.filter(organization=organization, status="active").select_related("product")
        assert {row.product.code: row.quantity for row in rows} == expected
    assert sorted(live(twins)) == sorted(("active", count) for count in expected.values())


def test_a_refused_change_leaves_both_sides_as_they_were(pro, his, twins):
    own = ordered(his, twins)
    twins.fault("update_subscription", "error", code="800009", status=400)
    buy(his.customer_admin, own, 8)
    drain(twins)
    assert (fresh(own).quantity, fresh(own).sync_status) == (5, "failed")
    assert (managed(own).quantity, managed(own).sync_status) == (5, "synchronized")
    assert live(twins) == [("active", 5)]


def test_off_or_on_hold_nothing_is_ordered(shop, pro, his, twins):
    state.set_options(shop.staff, tenant=pro.tenant, values={"back_ordering": False})
    own = ordered(his, twins)
    codes = Operation.objects.filter(organization=pro.own).values_list("code", flat=True)
    assert "back_ordering_off" in set(codes)
    assert (own.status, live(twins)) == ("inactive", [])
    assert not Order.objects.filter(organization=shop.organization).exists()
    state.set_options(shop.staff, tenant=pro.tenant, values={"back_ordering": True})
    ProfessionalTenant.objects.update(status="suspended")
    desk.retry(pro.staff, operation=Operation.objects.filter(organization=pro.own, state="refused").latest("id"))
    drain(twins)
    assert "tenant_suspended" in set(Operation.objects.filter(organization=pro.own).values_list("code", flat=True))
    assert live(twins) == []


def test_without_his_mpn_id_nothing_is_ordered(shop, pro, his, twins):
    AccountLink.objects.filter(account=shop.reseller).update(mpn_id="")
    shop.instance.refresh_from_db()
    own = ordered(his, twins)
    if shop.instance.read_settings().get("partner_type") == "indirect":
        assert (own.status, Operation.objects.get(subscription=own).code) == ("failed", "mpn_missing")
        assert live(twins) == []
    else:
        assert own.status == "active"


def test_the_managed_copy_follows_his_customer(pro, his, twins):
    own = ordered(his, twins)
    update_account(pro.staff, account=his.customer, values={"name": "Renamed", "city": "Athens"})
    assert follow_accounts() == 1
    assert follow_accounts() == 0
    copy = managed(own).account
    assert (copy.name, copy.city) == ("Renamed", "Athens")


def test_a_term_renews_on_both_sides(pro, his, twins):
    own = ordered(his, twins)
    ends = own.term_ends_at
    drain(twins, patience=dt.timedelta(0))
    assert ends is not None
    row = managed(own)
    Subscription.objects.filter(pk=row.pk).update(term_ends_at=ends + dt.timedelta(days=365))
    result = read_state(own)
    assert result.data["ends_at"] == (ends + dt.timedelta(days=365)).isoformat()
    assert (result.data["status"], result.external_id) == ("active", own.external_id)


def read_state(own: Subscription):

    row = Subscription.objects.select_related("instance__application", "account__organization", "product").get(
        pk=own.pk
    )
    return connector_for(row.instance.application.code).read_state(context_for(row.instance), state_request(row))


def test_cancelled_there_is_cancelled_here_at_the_renewal(pro, his, twins):
    own = ordered(his, twins)
    Subscription.objects.filter(pk=managed(own).pk).update(status=SubscriptionStatus.CANCELLED)
    assert read_state(own).data["status"] == "cancelled"


def test_an_order_key_is_the_operation(shop, pro, his, twins):
    own = ordered(his, twins)
    operation = Operation.objects.get(subscription=own)
    order = Order.objects.get(organization=shop.organization)
    assert (order.idempotency_key, order.buyer, order.buyer_label) == (operation.public_id, None, "Delta Cloud")
    total = more.wish_licences(fresh(own), quantity=6).preview.amount.gross
    with pytest.raises(Conflict):
        more.buy_licences(shop.staff, subscription=managed(own), quantity=6, key=uuid.uuid4(), seen_total=total)


def test_programs_are_told_what_follows_the_reseller(shop, pro, his, twins):
    theirs = managed(ordered(his, twins))
    own, before = running(shop), running(shop)
    # What a customer ordered by himself, before his reseller took him over, follows nobody.
    earlier = Order.objects.get(number=before.order_number)
    Order.objects.filter(pk=earlier.pk).update(account=theirs.account)
    caller = program(shop)

    def told(path: str, name: str) -> dict[str, bool]:
        rows = caller.get(f"/api/{path}?pageSize=50").json()["data"]
        found = {str(row["id"]): row[name] for row in rows}
        for word in (True, False):
            filtered = caller.get(f"/api/{path}?pageSize=50&$filter={name} eq {str(word).lower()}").json()["data"]
            assert {str(row["id"]) for row in filtered} == {key for key, value in found.items() if value is word}
            assert caller.get(f"/api/{path}/{filtered[0]['id']}").json()[name] is word
        return found

    services, orders, accounts = (
        told("subscriptions", "isBackordering"),
        told("orders", "isBackOrder"),
        told("accounts", "isBackordering"),
    )
    assert services == {str(theirs.public_id): True, str(own.public_id): False, str(before.public_id): False}
    follows = Order.objects.get(number=theirs.order_number, organization=shop.organization)
    assert (orders[str(follows.public_id)], orders[str(earlier.public_id)]) == (True, False)
    assert (accounts[str(theirs.account_id)], accounts[str(shop.customer.pk)]) == (True, False)
    patch = [{"op": "test", "path": "/isBackordering", "value": True}]
    assert caller.call("PATCH", f"/api/accounts/{theirs.account_id}", patch).status_code == 200
