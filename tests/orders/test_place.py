"""Placing and executing orders: once, at the seen price, within the payer's credit."""

from decimal import Decimal

import pytest

from billing.models import Charge, ChargeState, TaxRate
from billing.services import credit_of
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, PermissionRefused
from core.events import Event
from orders.enums import DeliveryStatus, OrderStatus
from orders.models import Order, TermsAcceptance
from orders.services.execute import execute_by_staff
from orders.services.place import PriceChanged, cancel_order
from resellers.enums import AccountStatus, PurchaseMode
from resellers.models import Account
from subscriptions.enums import OperationState, SubscriptionStatus, Verb
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.shop import fill_basket, make_shop, place

pytestmark = pytest.mark.django_db


def test_order_within_credit_is_executed_and_reserves_its_charge() -> None:
    shop = make_shop()
    TaxRate.objects.create(organization=shop.organization, country="DE", percent=Decimal(19))

    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=5))

    line = order.lines.get()
    assert (order.status, order.number) == (OrderStatus.EXECUTED, "ORD-000001")
    assert (order.net, order.tax, order.gross) == (Decimal("60.0000"), Decimal("11.4000"), Decimal("71.4000"))
    assert (line.unit_price, line.delivery_status) == (Decimal("12.0000"), DeliveryStatus.IN_PROGRESS)
    assert line.trace == [
        f"{order.price_list}: vendor's cost plus 20 % = 12.00 EUR per unit",
        "5 x 12.00 EUR = 60.00 EUR",
        "VAT 19 % on 60.00 EUR = 11.40 EUR; total 71.40 EUR",
    ]
    assert list(Charge.objects.values_list("state", "gross", "payer")) == [
        (ChargeState.RESERVED, Decimal("71.4000"), shop.customer.pk)
    ]
    subscription = Subscription.objects.get()
    assert (subscription.status, subscription.quantity, subscription.mpn_id) == (SubscriptionStatus.INACTIVE, 5, "")
    setup, create = Operation.objects.order_by("id")
    assert (setup.verb, setup.state, create.verb, create.depends_on_id) == (
        Verb.ACCOUNT_SYNC,
        OperationState.QUEUED,
        Verb.CREATE,
        setup.pk,
    )
    assert list(Event.objects.filter(name__startswith="order.").order_by("id").values_list("name", flat=True)) == [
        "order.placed",
        "order.executed",
    ]
    assert TermsAcceptance.objects.get().product_name == shop.product.name
    assert AuditEntry.objects.filter(action="order.placed", object_label=order.number).count() == 1


def test_same_key_twice_gives_one_order() -> None:
    shop = make_shop()
    basket = fill_basket(shop, shop.customer_admin)
    key = basket.checkout_key

    first = place(shop.customer_admin, basket, key=key)
    second = place(shop.customer_admin, basket, key=key)

    assert first.pk == second.pk
    assert (Order.objects.count(), Subscription.objects.count(), Charge.objects.count()) == (1, 1, 1)


def test_old_key_after_the_basket_changed_is_refused() -> None:
    shop = make_shop()
    basket = fill_basket(shop, shop.customer_admin)
    old = basket.checkout_key
    basket = fill_basket(shop, shop.customer_admin, quantity=7)

    with pytest.raises(Conflict) as caught:
        place(shop.customer_admin, basket, key=old)

    assert caught.value.code == "basket_changed"
    assert Order.objects.count() == 0


def test_credit_is_used_to_the_cent_and_not_beyond() -> None:
    shop = make_shop(customer=Decimal("60.00"))

    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=5))
    assert order.status == OrderStatus.EXECUTED
    assert credit_of(shop.customer).available == Decimal(0)

    second = place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=1))
    assert (second.status, second.hold_reason) == (OrderStatus.SUBMITTED, "no_credit")
    assert Charge.objects.count() == 1
    waiting = Event.objects.get(name="order.waiting")
    assert waiting.payload["reason"] == "no_credit"


def test_billing_executes_above_credit_with_a_reason() -> None:
    shop = make_shop(customer=Decimal(0))
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    sales = factories.actor(shop.organization, roles=["sales"])
    billing = factories.actor(shop.organization, roles=["billing"])

    with pytest.raises(BusinessError) as caught:
        execute_by_staff(sales, order=order)
    assert caught.value.code == "no_credit"
    with pytest.raises(PermissionRefused):
        execute_by_staff(sales, order=order, reason="Paid by wire")
    with pytest.raises(BusinessError) as caught:
        execute_by_staff(billing, order=order, reason="ok")
    assert caught.value.code == "reason_short"
    assert Charge.objects.count() == 0

    executed = execute_by_staff(billing, order=order, reason="Paid by wire")
    assert executed.status == OrderStatus.EXECUTED
    with pytest.raises(Conflict):
        execute_by_staff(billing, order=order, reason="Paid by wire")
    assert Charge.objects.count() == 1


def test_reseller_owes_for_his_end_customer_and_its_services_carry_his_mpn_id() -> None:
    shop = make_shop()
    basket = fill_basket(
        shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer, mpn_id="4847383"
    )

    order = place(shop.reseller_admin, basket)

    subscription = Subscription.objects.get()
    assert (order.account, order.payer, order.purchase_mode) == (shop.end_customer, shop.reseller, "end_customer")
    assert (subscription.account, subscription.bill_to, subscription.mpn_id) == (
        shop.end_customer,
        shop.reseller,
        "4847383",
    )
    assert Charge.objects.get().payer == shop.reseller


@pytest.mark.parametrize("kind", ["affiliate", "personal"])
def test_own_and_affiliate_services_carry_no_mpn_id(kind: str) -> None:
    shop = make_shop()
    target = shop.affiliate if kind == "affiliate" else shop.reseller
    mode = PurchaseMode.AFFILIATE if kind == "affiliate" else PurchaseMode.PERSONAL_USE
    basket = fill_basket(shop, shop.reseller_admin, mode=mode, target=target, mpn_id="4847383")

    place(shop.reseller_admin, basket)

    assert Subscription.objects.get().mpn_id == ""
    assert shop.reseller.vendor_links.exclude(mpn_id="").count() == 0


def test_changed_price_asks_for_a_second_confirmation() -> None:
    shop = make_shop()
    basket = fill_basket(shop, shop.customer_admin)

    with pytest.raises(PriceChanged):
        place(shop.customer_admin, basket, total=Decimal("59.99"))

    assert Order.objects.count() == 0


def test_account_on_hold_orders_nothing() -> None:
    shop = make_shop()
    basket = fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.AFFILIATE, target=shop.affiliate)
    Account.objects.filter(pk=shop.reseller.pk).update(status=AccountStatus.SUSPENDED)

    with pytest.raises(BusinessError) as caught:
        place(shop.reseller_admin, basket)

    assert caught.value.code == "account_on_hold"
    assert (Order.objects.count(), Operation.objects.count()) == (0, 0)


def test_foreign_customer_cannot_be_the_target() -> None:
    shop = make_shop()
    with pytest.raises(BusinessError) as caught:
        fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.customer)
    assert caught.value.code == "target_invalid"


def test_submitted_order_can_be_cancelled_an_executed_one_cannot() -> None:
    shop = make_shop(customer=Decimal(0))
    waiting = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))

    assert cancel_order(shop.customer_admin, order=waiting).status == OrderStatus.CANCELLED
    with pytest.raises(Conflict):
        cancel_order(shop.customer_admin, order=waiting)

    Account.objects.filter(pk=shop.customer.pk).update(credit_unlimited=True)
    done = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    with pytest.raises(Conflict) as caught:
        cancel_order(shop.customer_admin, order=done)
    assert caught.value.code == "order_executed"
