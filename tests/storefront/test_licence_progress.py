"""An order of licences: each on its own line, one sentence for all, and constant statements for many."""

import pytest
from django.urls import reverse

from orders.enums import DeliveryStatus
from orders.models import Order, OrderLine
from orders.selectors import order_with_lines
from storefront.licence_progress import amounts_of
from storefront.progress import order_progress
from subscriptions.enums import OperationState, Purpose, Verb
from subscriptions.models import Asset, Operation
from tests import factories
from tests.bss.staff import count_queries, staff_client
from tests.shop import Shop, fill_basket, place
from tests.storefront.services import browser, text_of

pytestmark = pytest.mark.django_db


def licences(shop: Shop, *states: str, code: str = "discontinued") -> Order:
    """An executed order whose only lines are licences in these delivery states."""
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    first = order.lines.get()
    Operation.objects.filter(order_number=order.number).update(order_number="")
    for position, state in enumerate(states, start=1):
        key = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE" if state == DeliveryStatus.DELIVERED else ""
        row = factories.asset(shop.product, account=shop.customer, order_number=order.number, key=key)
        OrderLine.objects.create(
            organization_id=order.organization_id,
            order=order,
            position=100 + position,
            plan=first.plan,
            product_name=row.name,
            product_code="ESD",
            billing_cycle="one_time",
            quantity=1,
            unit_price=149,
            net=149,
            tax=0,
            gross=149,
            delivery_status=state,
            asset=row,
        )
        operation(row, OperationState.REFUSED if state == DeliveryStatus.FAILED else OperationState.WAITING, code)
    OrderLine.objects.filter(pk=first.pk).delete()
    return order


def operation(row: Asset, state: str, code: str) -> None:
    Operation.objects.create(
        organization_id=row.organization_id,
        asset=row,
        account=row.account,
        instance=row.instance,
        verb=Verb.ASSET_CREATE,
        purpose=Purpose.PROVISION,
        state=state,
        code=code if state == OperationState.REFUSED else "",
        message="The vendor's own words",
        order_number=row.order_number,
        requested_by="Ada",
        attempts=1,
    )


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("delivered", "delivered"), "2 of 2 licences are ready."),
        (("in_progress",), "0 of 1 licence is ready. 1 is still being checked."),
        (
            ("delivered", "delivered", "failed"),
            "2 of 3 licences are ready. 1 was refused: This product is no longer sold.",
        ),
        (
            ("delivered", "in_progress", "in_progress", "failed", "failed"),
            "1 of 5 licences are ready. 2 are still being checked; 2 were refused: This product is no longer sold.",
        ),
        (("delivered", "cancelled"), "1 of 2 licences are ready. 1 was given up."),
    ],
)
def test_sentence_counts_what_became_of_them(shop, states, words):
    order = licences(shop, *states)
    found = order_progress(shop.customer_admin, order_with_lines(shop.customer_admin, order.public_id))
    assert found.licence_words == words
    (amount,) = amounts_of(order_with_lines(shop.customer_admin, order.public_id))
    assert (amount.quantity, amount.net) == (len(states), 149 * len(states))
    assert [item.number for item in found.licences[0].lines] == list(range(1, len(states) + 1))
    assert found.is_over == ("in_progress" not in states)


def test_page_names_each_licence_and_not_the_vendors_words(shop):
    order = licences(shop, "delivered", "failed", "in_progress")
    page = browser(shop, shop.customer).get(reverse("storefront:order_detail", args=[order.public_id]))
    text = text_of(page)
    for words in ("Licence 1 : Ready", "•••••-EEEEE", "Licence 2 : Refused", "Not confirmed yet; we are checking."):
        assert words in text
    assert ("own words" in text, "Customer set up" in text) == (False, False)


def test_fifty_licences_need_as_many_statements_as_one(shop):
    few, many = licences(shop, "delivered"), licences(shop, *["in_progress"] * 50)
    client, staff = browser(shop, shop.customer), staff_client(shop.organization)

    def statements(order: Order) -> tuple[int, int]:
        shown = count_queries(client, reverse("storefront:order_detail", args=[order.public_id]))
        return shown, count_queries(staff, reverse("bss:order_detail", args=[order.public_id]))

    assert statements(many) == statements(few)


def test_staff_retry_all_failed_of_an_order(shop):
    order = licences(shop, "failed", "delivered", code="misconfigured")
    row = Asset.objects.get(order_lines__order=order, token_tail="")
    Operation.objects.filter(asset=row).update(state=OperationState.ATTENTION)
    client = staff_client(shop.organization)
    page = reverse("bss:order_detail", args=[order.public_id])
    retry = reverse("bss:order_retry", args=[order.public_id])
    assert retry in client.get(page).content.decode()
    answer = client.post(retry, follow=True)
    assert "1 licence is on its way." in text_of(answer)
    assert Operation.objects.get(asset=row).state == OperationState.QUEUED
    assert retry not in client.get(page).content.decode()


def test_waiting_for_a_licence_of_the_vendor_is_said(shop):
    order = licences(shop, "in_progress")
    Operation.objects.filter(order_number=order.number).update(flag="out_of_stock")
    found = order_progress(shop.customer_admin, order_with_lines(shop.customer_admin, order.public_id))
    assert found.licences[0].lines[0].words == "Waiting for Microsoft to release a licence."
