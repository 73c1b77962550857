"""The orders room: what an order waits for, and executing or cancelling it by hand."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import Charge
from core.audit import AuditEntry
from orders.enums import OrderStatus
from orders.models import Order, OrderLine
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.bss.staff import actions_of, count_queries, customer_client, last_cell, rows_of, said, staff_client
from tests.shop import Shop, fill_basket, make_shop, place
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LIST = reverse("bss:order_list")


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    """The customer's credit is 100; five units cost 60."""
    return make_shop(customer=Decimal(100))


def order(shop: Shop, quantity: int = 5) -> Order:
    """An order of the direct customer."""
    return place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=quantity))


def page(name: str, row: Order) -> str:
    return reverse(f"bss:order_{name}", args=[row.public_id])


def untouched(row: Order) -> bool:
    """Whether the order still waits, with nothing charged and nothing made."""
    row.refresh_from_db()
    nothing = not Charge.objects.filter(order_number=row.number).exists()
    return row.status == OrderStatus.SUBMITTED and nothing and not Subscription.objects.exists()


def test_list_says_what_each_order_waits_for(shop):
    executed, waiting = order(shop), order(shop, 20)
    client = staff_client(shop.organization)
    response = client.get(LIST)
    assert rows_of(response) == [waiting, executed]
    assert [last_cell(line["cells"]) for line in response.context["lines"]] == ["Credit", "The vendor"]
    assert rows_of(client.get(LIST, {"waits": "execution"})) == [waiting]
    assert rows_of(client.get(LIST, {"waits": "vendor"})) == [executed]
    assert rows_of(client.get(LIST, {"waits": "desk"})) == []
    OrderLine.objects.filter(order=executed).update(delivery_status="failed")
    assert rows_of(client.get(LIST, {"waits": "desk"})) == [executed]


def test_list_filters_searches_and_exports(shop):
    executed, waiting = order(shop), order(shop, 20)
    client = staff_client(shop.organization)
    assert rows_of(client.get(LIST, {"status": "executed"})) == [executed]
    assert rows_of(client.get(LIST, {"q": waiting.number})) == [waiting]
    assert rows_of(client.get(LIST, {"account": "nobody"})) == []
    lines = b"".join(client.get(LIST, {"format": "csv"}).streaming_content).decode().splitlines()
    assert len(lines) == 3
    assert lines[1].split(",")[0] == waiting.number


def test_list_needs_as_many_queries_for_three_rows(shop):
    client = staff_client(shop.organization)
    order(shop, 1)
    few = count_queries(client, LIST)
    order(shop, 1)
    order(shop, 20)
    assert count_queries(client, LIST) == few


def test_rooms_are_for_employees_of_the_organization(shop):
    row = order(shop, 20)
    assert customer_client(shop.organization, shop.customer).get(LIST).status_code == 403
    assert staff_client(shop.organization, StaffRole.READ_ONLY).get(LIST).status_code == 200
    stranger = staff_client(factories.organization())
    assert rows_of(stranger.get(LIST)) == []
    for name in ("detail", "execute", "cancel"):
        assert stranger.get(page(name, row)).status_code == 404
    assert stranger.post(page("execute", row), {"reason": "because I can"}).status_code == 404
    assert untouched(row)


def test_detail_shows_amounts_costs_and_margin_to_those_who_may(shop):
    row = order(shop)
    response = staff_client(shop.organization).get(page("detail", row))
    (work,) = response.context["work_lines"]
    assert (work.line.net, work.cost, work.margin) == (Decimal(60), Decimal(50), Decimal(10))
    assert work.operation == Operation.objects.get(subscription=work.line.subscription)
    text = response.content.decode()
    assert "How the price came about" in text
    assert reverse("bss:operation_detail", args=[work.operation.public_id]) in text
    plain = staff_client(shop.organization, StaffRole.READ_ONLY).get(page("detail", row)).content.decode()
    assert "Margin" not in plain
    assert "How the price came about" not in plain
    assert "Order Executed" in staff_client(shop.organization).get(page("detail", row)).content.decode().title()


def test_detail_needs_as_many_queries_for_three_lines(shop):
    row = order(shop, 1)
    client = staff_client(shop.organization)
    few = count_queries(client, page("detail", row))
    line = OrderLine.objects.get(order=row)
    for position in (2, 3):
        line.pk, line.public_id, line.position, line._state.adding = None, None, position, True
        line.public_id = factories.uuid4()
        line.save()
    assert count_queries(client, page("detail", row)) == few


def test_execute_above_credit_needs_a_reason(shop):
    row = order(shop, 20)
    client = staff_client(shop.organization)
    shown = client.get(page("execute", row))
    assert "available 100.00 EUR" in shown.content.decode()
    assert client.post(page("execute", row), {"reason": "ok"}).status_code == 400
    assert client.post(page("execute", row), {}).status_code == 400
    assert untouched(row)
    response = client.post(page("execute", row), {"reason": "Paid in advance"}, follow=True)
    assert said(response) == ["The order is executed; its services are on their way."]
    row.refresh_from_db()
    assert (row.status, row.hold_reason) == (OrderStatus.EXECUTED, "")
    assert Charge.objects.get(order_number=row.number).gross == Decimal(240)
    assert Subscription.objects.filter(order_number=row.number).count() == 1
    assert AuditEntry.objects.get(action="order.executed").reason == "Paid in advance"


def test_execute_twice_charges_once(shop):
    row = order(shop, 20)
    client = staff_client(shop.organization)
    client.post(page("execute", row), {"reason": "Paid in advance"})
    again = client.post(page("execute", row), {"reason": "Paid in advance"})
    assert again.status_code == 400
    assert Charge.objects.filter(order_number=row.number).count() == 1
    assert Operation.objects.filter(order_number=row.number, verb="create").count() == 1


def test_execute_within_credit_asks_nothing(shop):
    row = order(shop, 20)
    type(shop.customer).objects.filter(pk=shop.customer.pk).update(credit_limit=1000)
    client = staff_client(shop.organization, StaffRole.SALES)
    assert list(client.get(page("execute", row)).context["form"].fields) == []
    assert client.post(page("execute", row)).status_code == 302
    row.refresh_from_db()
    assert row.status == OrderStatus.EXECUTED


def test_execute_by_role(shop):
    row = order(shop, 20)
    sales = staff_client(shop.organization, StaffRole.SALES)
    assert actions_of(sales.get(page("detail", row))) == {
        "Execute": "The total is over the credit. Ask somebody of Billing.",
        "Change": "",
        "Cancel order": "",
    }
    assert sales.post(page("execute", row), {"reason": "Please do"}).status_code == 403
    assert staff_client(shop.organization, StaffRole.SUPPORT).get(page("execute", row)).status_code == 403
    assert untouched(row)
    billing = staff_client(shop.organization, StaffRole.BILLING)
    assert actions_of(billing.get(page("detail", row))) == {"Execute": ""}
    assert billing.post(page("execute", row), {"reason": "Paid in advance"}).status_code == 302


def test_cancel_keeps_the_reason(shop):
    row = order(shop, 20)
    client = staff_client(shop.organization)
    assert client.post(page("cancel", row), {}).status_code == 400
    assert untouched(row)
    response = client.post(page("cancel", row), {"reason": "Ordered by mistake"}, follow=True)
    assert said(response) == ["The order is cancelled."]
    row.refresh_from_db()
    assert (row.status, row.reason) == (OrderStatus.CANCELLED, "Ordered by mistake")
    assert actions_of(client.get(page("detail", row))) == {}


def test_cancel_is_refused_for_an_executed_order(shop):
    row = order(shop)
    client = staff_client(shop.organization)
    response = client.post(page("cancel", row), {"reason": "Too late"})
    assert response.status_code == 400
    assert "An executed order is undone by cancelling its services." in response.content.decode()
    row.refresh_from_db()
    assert row.status == OrderStatus.EXECUTED
    assert staff_client(shop.organization, StaffRole.BILLING).get(page("cancel", row)).status_code == 403
