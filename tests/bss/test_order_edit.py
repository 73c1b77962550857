"""Changing an order that waits: seen first, then stored at today's prices, never once it is executed."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Charge
from catalog.models import AddOnRelation, PriceList
from core.audit import AuditEntry
from core.errors import BusinessError, NotVisible, PermissionRefused
from orders.enums import OrderStatus
from orders.models import Order, OrderLine
from orders.services.basket import add_line
from orders.services.edit import edit_order
from orders.services.execute import execute_by_staff
from resellers.enums import AccountStatus
from resellers.models import Account
from tests import factories
from tests.bss.staff import actions_of, staff_client
from tests.shop import Shop, fill_basket, make_shop, place
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
WHY = "Agreed by phone"


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    """The customer's credit is 100; ten units cost 120 and wait."""
    return make_shop(customer=Decimal(100))


@pytest.fixture
def order(shop: Shop) -> Order:
    """A customer's order of ten units with ten add-ons, which waits for credit: 240."""
    addon = factories.product(shop.instance, is_addon=True)
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=addon)
    basket = fill_basket(shop, shop.customer_admin, quantity=10)
    line = basket.lines.get()
    add_line(shop.customer_admin, basket=basket, site=shop.site, plan=addon.plans.get(), quantity=10, parent=line)
    basket.refresh_from_db()
    return place(shop.customer_admin, basket)


def page(row: Order) -> str:
    return reverse("bss:order_edit", args=[row.public_id])


def send(client: Client, row: Order, quantities: list[int], total: str = "") -> Any:
    lines = row.lines.order_by("position")
    values = {f"quantity_{line.public_id}": number for line, number in zip(lines, quantities, strict=True)}
    return client.post(page(row), values | {"total": total, "reason": WHY})


def figures(row: Order) -> tuple[Any, ...]:
    row.refresh_from_db()
    lines = OrderLine.objects.filter(order=row).order_by("position")
    return (row.status, row.gross, [(line.quantity, line.gross) for line in lines])


AS_PLACED = (OrderStatus.SUBMITTED, Decimal(240), [(10, Decimal(120)), (10, Decimal(120))])


def test_new_total_is_seen_before_it_is_stored(shop, order):
    client = staff_client(shop.organization, StaffRole.SALES)
    shown = send(client, order, [5, 3])
    assert (shown.status_code, shown.context["edited"].quote.gross) == (200, Decimal(96))
    assert shown.context["form"]["total"].value() == "96.0000"
    assert figures(order) == AS_PLACED
    assert send(client, order, [5, 3], "96.00").url == reverse("bss:order_detail", args=[order.public_id])
    assert figures(order) == (OrderStatus.SUBMITTED, Decimal(96), [(5, Decimal(60)), (3, Decimal(36))])
    assert order.hold_reason == ""  # The credit suffices now.
    assert not Charge.objects.exists()
    entry = AuditEntry.objects.get(action="order.edited")
    assert (entry.reason, entry.before["total"], entry.after["total"]) == (WHY, "240.0000", "96.0000")
    execute_by_staff(shop.staff, order=order)
    assert Charge.objects.filter(order_number=order.number).count() == 2


def test_another_quantity_than_the_one_seen_is_shown_again(shop, order):
    client = staff_client(shop.organization, StaffRole.SALES)
    shown = send(client, order, [5, 4], "96.00")
    assert shown.context["edited"].quote.gross == Decimal(108)
    assert figures(order) == AS_PLACED


def test_line_goes_with_its_addons(shop, order):
    other = factories.product(shop.instance)
    basket = fill_basket(shop, shop.customer_admin, quantity=10)
    parent = basket.lines.get()
    addon = order.lines.get(position=2).plan
    add_line(shop.customer_admin, basket=basket, site=shop.site, plan=addon, quantity=10, parent=parent)
    add_line(shop.customer_admin, basket=basket, site=shop.site, plan=other.plans.get(), quantity=1)
    basket.refresh_from_db()
    row = place(shop.customer_admin, basket)
    client = staff_client(shop.organization, StaffRole.SALES)
    assert send(client, row, [0, 10, 1], "12.00").status_code == 302
    assert figures(row) == (OrderStatus.SUBMITTED, Decimal(12), [(1, Decimal(12))])
    assert figures(order) == AS_PLACED


def test_nothing_left_is_a_cancellation(shop, order):
    client = staff_client(shop.organization, StaffRole.SALES)
    assert send(client, order, [10, 0], "120.00").status_code == 302
    assert figures(order) == (OrderStatus.SUBMITTED, Decimal(120), [(10, Decimal(120))])
    refused = send(client, order, [0])
    words = "Nothing would be left: cancel the order instead."
    assert (refused.status_code, refused.context["form"].non_field_errors()) == (400, [words])


def test_todays_prices_count(shop, order):
    PriceList.objects.update(default_value=30)
    client = staff_client(shop.organization, StaffRole.SALES)
    assert send(client, order, [5, 5]).context["edited"].quote.gross == Decimal(130)
    with pytest.raises(BusinessError) as refused:
        edit_order(shop.staff, order=order, quantities=first(order, 5), seen_total=Decimal(180), reason=WHY)
    assert refused.value.code == "price_changed"
    assert figures(order) == AS_PLACED


def first(row: Order, quantity: int) -> dict[Any, int]:
    """A new quantity for the first line."""
    return {row.lines.order_by("position")[0].public_id: quantity}


@pytest.mark.parametrize(("quantity", "code"), [(301, "quantity_limit"), (10, "nothing_changed")])
def test_limits_hold(shop, order, quantity, code):
    with pytest.raises(BusinessError) as refused:
        edit_order(shop.staff, order=order, quantities=first(order, quantity), seen_total=Decimal(1), reason=WHY)
    assert refused.value.code == code
    assert figures(order) == AS_PLACED


def test_foreign_lines_and_short_reasons_are_refused(shop, order):
    with pytest.raises(NotVisible):
        edit_order(shop.staff, order=order, quantities={uuid4(): 1}, seen_total=Decimal(1), reason=WHY)
    with pytest.raises(BusinessError) as refused:
        edit_order(shop.staff, order=order, quantities=first(order, 5), seen_total=Decimal(180), reason="no")
    assert refused.value.field == "reason"
    assert figures(order) == AS_PLACED


def test_executed_and_cancelled_orders_stay_as_they_are(shop, order):
    execute_by_staff(shop.staff, order=order, reason="Paid in advance")
    client = staff_client(shop.organization, StaffRole.SALES)
    assert client.get(page(order)).status_code == 409
    for status, code in ((OrderStatus.EXECUTED, "order_executed"), (OrderStatus.CANCELLED, "order_not_submitted")):
        Order.objects.filter(pk=order.pk).update(status=status)
        with pytest.raises(BusinessError) as refused:
            edit_order(shop.staff, order=order, quantities=first(order, 5), seen_total=Decimal(180), reason=WHY)
        assert refused.value.code == code
        assert figures(order) == (status, *AS_PLACED[1:])


def test_account_on_hold_is_not_edited(shop, order):
    Account.objects.filter(pk=shop.customer.pk).update(status=AccountStatus.SUSPENDED)
    client = staff_client(shop.organization, StaffRole.SALES)
    assert send(client, order, [5, 5]).context["form"].non_field_errors() == ["This account is on hold."]
    actions = actions_of(client.get(reverse("bss:order_detail", args=[order.public_id])))
    assert actions["Execute"] == "This account is on hold."
    assert figures(order) == AS_PLACED


def test_only_sales_and_administrators_change_orders(shop, order):
    for role in (StaffRole.BILLING, StaffRole.SUPPORT, StaffRole.READ_ONLY):
        client = staff_client(shop.organization, role)
        assert client.get(page(order)).status_code == 403
        assert send(client, order, [5, 5], "120.00").status_code == 403
        assert "Change" not in actions_of(client.get(reverse("bss:order_detail", args=[order.public_id])))
    assert send(staff_client(factories.organization()), order, [5, 5], "120.00").status_code == 404
    with pytest.raises(PermissionRefused):
        edit_order(shop.customer_admin, order=order, quantities=first(order, 5), seen_total=Decimal(180), reason=WHY)
    assert figures(order) == AS_PLACED
