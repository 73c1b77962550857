"""End customers order at their reseller's site: both legs are frozen, and the reseller decides first."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.models import Charge, TaxRate
from catalog.models import ProductType, SellingRule
from core import clock
from core.errors import BusinessError, Conflict, PermissionRefused
from core.events import Event, emit
from notifications.services.events import process_event
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import giveback
from orders.services.approve import approve_order, cost_today, decide_overdue, reject_order
from orders.services.basket import add_line, open_basket
from orders.services.decide import accept_request
from orders.services.place import PriceChanged, cancel_order
from orders.services.renew import renewal_leg
from resellers.enums import AccountKind, Edition, PurchaseMode
from resellers.models import Account
from subscriptions.enums import RequestStatus
from subscriptions.models import CancellationRequest, Operation, Subscription
from subscriptions.selectors import pending_requests, requests_at_reseller
from subscriptions.services.requests import forward_request, refuse_request, reject_request
from tests import factories
from tests.legs.running import make_running
from tests.legs.world import COST, SELL, World, actor_of, make_world, order_of
from tests.shop import fill_basket, place
from users.permissions import Perm

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def approve(world: World, order: Order, actor=None) -> Order:
    return approve_order(actor or world.decider, order=order, seen_total=cost_today(order).gross)


def test_rights_of_an_end_customer_follow_the_edition_of_his_reseller(world):
    ordering = {Perm.SHOP_PRICES_VIEW, Perm.SHOP_ORDER, Perm.SHOP_SERVICES_MANAGE}
    assert ordering <= world.buyer.perms
    assert not world.buyer.pays
    for edition in (Edition.FREE, Edition.BASIC, Edition.PROFESSIONAL):
        Account.objects.filter(pk=world.shop.reseller.pk).update(edition=edition)
        assert not ordering & actor_of(world.shop, world.customer).perms


def test_free_end_customer_cannot_fill_a_basket(world):
    Account.objects.filter(pk=world.shop.reseller.pk).update(edition=Edition.FREE)
    actor = actor_of(world.shop, world.customer)
    with pytest.raises(PermissionRefused):
        add_line(actor, basket=open_basket(actor, site=world.site), site=world.site, plan=world.shop.plan, quantity=1)


def test_order_freezes_both_legs_and_waits_for_the_reseller(world):
    order = order_of(world)
    assert order.status == OrderStatus.SUSPENDED
    assert (order.net, order.sell_net) == (5 * COST, 5 * SELL)
    line = order.lines.get()
    assert (line.unit_price, line.sell_unit_price) == (COST, SELL)
    assert line.sell_terms["level"] == "product"
    assert line.sell_terms["rounding"] == "minor"
    assert "fixed price" in line.sell_terms["rule"]
    assert order.purchase_mode == PurchaseMode.END_CUSTOMER
    assert not Charge.objects.exists()
    assert not Operation.objects.exists()
    assert Event.objects.filter(name="order.approval_asked").count() == 1


def test_customers_tax_is_that_of_his_country(world):
    TaxRate.objects.create(organization=world.shop.organization, country="DE", name="VAT", percent=Decimal(19))
    TaxRate.objects.create(organization=world.shop.organization, country="AT", name="VAT", percent=Decimal(20))
    Account.objects.filter(pk=world.customer.pk).update(country="AT")
    order = order_of(world, quantity=1)
    assert order.tax == Decimal("14.78")
    assert order.sell_tax == Decimal("19.80")


def test_approval_charges_the_reseller_and_provisions(world):
    order = approve(world, order_of(world))
    assert order.status == OrderStatus.EXECUTED
    charge = Charge.objects.get()
    assert (charge.payer_id, charge.net) == (world.shop.reseller.pk, 5 * COST)
    row = Subscription.objects.get()
    assert (row.unit_price, row.sell_unit_price) == (COST, SELL)
    assert row.account_id == world.customer.pk
    assert order.decided_by == world.decider.label


def test_switch_off_executes_at_once(world):
    Account.objects.filter(pk=world.customer.pk).update(order_approval=False)
    assert order_of(world).status == OrderStatus.EXECUTED


def test_risen_cost_is_shown_before_it_is_approved(world):
    order = order_of(world)
    seen = cost_today(order).gross
    world.shop.plan.costs.update(cost=Decimal("88.88"))
    with pytest.raises(PriceChanged) as changed:
        approve_order(world.decider, order=order, seen_total=seen)
    assert changed.value.code == "cost_changed"
    assert cost_today(order).is_risen
    order = approve(world, order)
    assert (order.net, order.sell_net) == (5 * Decimal("88.88"), 5 * SELL)


def test_second_decider_reads_who_was_first(world):
    order = order_of(world)
    reject_order(world.decider, order=order, reason="Too many licences")
    second = actor_of(world.shop, world.shop.reseller)
    for decide in (
        lambda: approve(world, order, second),
        lambda: reject_order(second, order=order, reason="Me too, please"),
    ):
        with pytest.raises(Conflict) as refused:
            decide()
        assert str(refused.value.message) == f"Already decided by {world.decider.label}."


def test_rejection_needs_a_reason_and_changes_nothing_else(world):
    order = order_of(world)
    with pytest.raises(BusinessError) as refused:
        reject_order(world.decider, order=order, reason=" no ")
    assert refused.value.code == "reason_short"
    row = reject_order(world.decider, order=order, reason="Over your budget")
    assert (row.status, row.reason) == (OrderStatus.CANCELLED, "Over your budget")
    assert not Operation.objects.exists()
    assert not Charge.objects.exists()


def test_nobody_else_decides(world):
    order = order_of(world)
    buyer = actor_of(world.shop, world.shop.reseller, "billing_agent")
    for actor in (world.buyer, buyer):
        with pytest.raises(PermissionRefused):
            approve_order(actor, order=order, seen_total=order.gross)
    with pytest.raises(Conflict):
        cancel_order(world.decider, order=order)
    assert cancel_order(world.buyer, order=order).status == OrderStatus.CANCELLED


def test_above_the_credit_it_waits_submitted(world):
    Account.objects.filter(pk=world.shop.reseller.pk).update(credit_limit=5 * COST - Decimal("0.01"))
    order = approve(world, order_of(world))
    assert (order.status, order.hold_reason) == (OrderStatus.SUBMITTED, "no_credit")
    assert not Operation.objects.exists()


def test_clock_reminds_on_days_2_and_5_and_rejects_on_day_14(world, monkeypatch):
    order = order_of(world)
    start = clock.now()
    told = []
    for day in (1, 2, 2, 4, 5, 6, 13, 14, 15):
        monkeypatch.setattr(clock, "now", lambda day=day: start + dt.timedelta(days=day, minutes=1))
        told.append(decide_overdue())
    assert told == [0, 1, 0, 0, 1, 0, 0, 1, 0]
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED
    assert "14 days" in order.reason
    names = list(Event.objects.filter(name__startswith="order.").order_by("id").values_list("name", flat=True))
    assert names == ["order.approval_asked", "order.approval_reminder", "order.approval_reminder", "order.rejected"]


def test_end_of_the_plan_cancels_what_waits(world):
    order = order_of(world)
    Account.objects.filter(pk=world.shop.reseller.pk).update(edition=Edition.BASIC)
    assert (decide_overdue(), decide_overdue()) == (1, 0)
    order.refresh_from_db()
    assert (order.status, order.reason) == (OrderStatus.CANCELLED, "The store is closed.")


def test_end_of_the_plan_is_heard_at_once(world):
    order, other = order_of(world), factories.account(world.shop.organization, AccountKind.RESELLER)
    Account.objects.filter(pk=world.shop.reseller.pk).update(edition=Edition.BASIC)
    for account, status in ((other, OrderStatus.SUSPENDED), (world.shop.reseller, OrderStatus.CANCELLED)):
        emit("plan.ended", {}, organization_id=world.shop.organization.pk, account_id=account.pk)
        process_event(Event.objects.get(name="plan.ended", account=account).pk)
        order.refresh_from_db()
        assert order.status == status
    assert order.reason == "The store is closed."


def test_unlisted_product_is_not_sold_to_customers(world):
    world.shop.product.listings.update(state="unlisted")
    basket = open_basket(world.buyer, site=world.site)
    with pytest.raises(BusinessError) as refused:
        add_line(world.buyer, basket=basket, site=world.site, plan=world.shop.plan, quantity=1)
    assert refused.value.code == "not_sold"


def test_resellers_own_order_for_his_customer_has_both_legs_and_no_approval(world):
    basket = fill_basket(
        world.shop, world.decider, mode=PurchaseMode.END_CUSTOMER, target=world.customer, mpn_id="1234567"
    )
    order = place(world.decider, basket)
    assert order.status == OrderStatus.EXECUTED
    assert (order.gross, order.sell_gross) == (5 * COST, 5 * SELL)


def test_request_of_a_customer_under_approval_goes_by_his_reseller(world):
    row = make_running(world, with_addon=False)
    ProductType.objects.filter(pk=row.product.product_type_id).update(auto_cancel_limit=1)
    asked = giveback.reduce(world.buyer, subscription=row, quantity=3, reason="Two people left")
    assert isinstance(asked, CancellationRequest)
    assert asked.asks_reseller
    assert list(requests_at_reseller(world.decider)) == [asked]
    assert not pending_requests(world.shop.staff).exists()
    for decide in (
        lambda: accept_request(world.shop.staff, request=asked),
        lambda: reject_request(world.shop.staff, request=asked, reason="Not before the reseller"),
    ):
        with pytest.raises(Conflict) as refused:
            decide()
        assert refused.value.code == "request_at_reseller"
    forward_request(world.decider, request=asked)
    assert list(pending_requests(world.shop.staff)) == [asked]
    with pytest.raises(Conflict):
        refuse_request(world.decider, request=asked, reason="Changed my mind")
    assert accept_request(world.shop.staff, request=asked).status == RequestStatus.ACCEPTED


def test_refused_request_changes_nothing(world):
    row = make_running(world, with_addon=False)
    ProductType.objects.filter(pk=row.product.product_type_id).update(auto_cancel_limit=1)
    asked = giveback.reduce(world.buyer, subscription=row, quantity=3, reason="Two people left")
    found = refuse_request(world.decider, request=asked, reason="Keep them, please")
    row.refresh_from_db()
    assert (found.status, found.reason, row.quantity) == (RequestStatus.REJECTED, "Keep them, please", 5)


def test_renewal_takes_the_selling_price_of_that_day(world):
    row = make_running(world, with_addon=False)
    SellingRule.objects.filter(account=world.shop.reseller).update(value=Decimal("111.00"))
    row = Subscription.objects.select_related("account__bill_to", "plan__product").get(pk=row.pk)
    assert renewal_leg(row, row.plan)[0] == Decimal("111.00")
    assert row.sell_unit_price == SELL
    SellingRule.objects.all().delete()
    assert renewal_leg(row, row.plan)[0] == SELL


def test_leg_belongs_to_end_customers_alone(world):
    order = order_of(world)
    for values in ({"purchase_mode": ""}, {"sell_tax": None}, {"sell_gross": Decimal(1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(**values)
