"""The subscriptions room."""

import pytest
from django.urls import reverse

from subscriptions.enums import OperationState
from subscriptions.models import Operation, Subscription, SubscriptionAddOn
from subscriptions.services import confirm, set_sync
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of, staff_client
from tests.shop import Shop, fill_basket, place
from users.permissions import StaffRole
from vendors.models import SyncStatus

pytestmark = pytest.mark.django_db
LIST = reverse("bss:subscription_list")


def subscription(shop: Shop, *, active: bool = False) -> Subscription:
    """A subscription of the direct customer, by order."""
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    row = Subscription.objects.get(order_number=order.number)
    if active:
        set_sync(row, SyncStatus.IN_PROGRESS)
        confirm(shop.staff, row, external_id=f"vendor-{row.pk}", data={"ends_at": "2031-05-01T00:00:00Z"})
        row.refresh_from_db()
    return row


def page(row: Subscription) -> str:
    return reverse("bss:subscription_detail", args=[row.public_id])


def test_list_filters_and_searches(shop):
    active, fresh = subscription(shop, active=True), subscription(shop)
    client = staff_client(shop.organization)
    assert rows_of(client.get(LIST)) == [fresh, active]
    assert rows_of(client.get(LIST, {"status": "active"})) == [active]
    assert rows_of(client.get(LIST, {"sync": "synchronized"})) == [active]
    assert rows_of(client.get(LIST, {"q": active.external_id})) == [active]
    assert rows_of(client.get(LIST, {"term_to": "2031-05-02"})) == [active]
    assert rows_of(client.get(LIST, {"trial": "yes"})) == []
    assert rows_of(client.get(LIST, {"instance": str(shop.instance.public_id), "sort": "term_ends_at"})) == [
        active,
        fresh,
    ]


def test_list_needs_as_many_queries_for_three_rows(shop):
    client = staff_client(shop.organization)
    subscription(shop)
    few = count_queries(client, LIST)
    subscription(shop)
    subscription(shop, active=True)
    assert count_queries(client, LIST) == few


def test_room_is_for_employees_of_the_organization(shop):
    row = subscription(shop)
    assert customer_client(shop.organization, shop.customer).get(LIST).status_code == 403
    assert staff_client(shop.organization, StaffRole.BILLING).get(page(row)).status_code == 200
    stranger = staff_client(factories.organization())
    assert rows_of(stranger.get(LIST)) == []
    assert stranger.get(page(row)).status_code == 404


def test_detail_shows_ids_addons_and_operations(shop):
    row = subscription(shop, active=True)
    SubscriptionAddOn.objects.create(
        organization=shop.organization,
        subscription=row,
        product=shop.product,
        plan=shop.plan,
        name="Audio Conferencing",
        quantity=2,
        unit_price=3,
    )
    Operation.objects.filter(subscription=row).update(state=OperationState.DONE, message="All went well.")
    response = staff_client(shop.organization).get(page(row))
    text = response.content.decode()
    assert [addon.name for addon in response.context["addons"]] == ["Audio Conferencing"]
    assert response.context["operations"] == list(Operation.objects.filter(subscription=row))
    for words in (row.external_id, row.order_number, "All went well.", "Audio Conferencing", str(row.public_id)):
        assert words in text
    assert [entry.action for entry in response.context["history"]] == [
        "subscription.activated",
        "subscription.created",
    ]


def test_detail_hides_costs_and_operations_from_those_who_may_not(shop):
    row = subscription(shop)
    text = staff_client(shop.organization, StaffRole.SUPPORT).get(page(row)).content.decode()
    assert "How the price came about" not in text
    assert "Service ordered" in text
    operation = Operation.objects.get(subscription=row)
    url = reverse("bss:operation_detail", args=[operation.public_id])
    assert url in text
    assert url not in staff_client(shop.organization, StaffRole.BILLING).get(page(row)).content.decode()
