"""Cancellation requests: the list, what accepting would do, the decision."""

from decimal import Decimal

import pytest
from django.urls import reverse

from catalog.models import ProductType
from orders.services import giveback
from subscriptions.enums import OperationState, Purpose, RequestStatus
from subscriptions.models import CancellationRequest, Operation, Subscription
from tests import factories
from tests.bss.running import running
from tests.bss.staff import actions_of, count_queries, rows_of, staff_client
from tests.shop import Shop, make_shop
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LIST = reverse("bss:request_list")


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    made = make_shop()
    ProductType.objects.update(auto_cancel_limit=1)
    return made


def asked(shop: Shop, quantity: int = 3) -> CancellationRequest:
    """The customer asks to have ``quantity`` of five licences left."""
    given = giveback.reduce(shop.customer_admin, subscription=running(shop), quantity=quantity, reason="Fewer people")
    assert isinstance(given, CancellationRequest)
    return given


def url(row: CancellationRequest, name: str = "detail") -> str:
    return reverse(f"bss:request_{name}", args=[row.public_id])


def test_list_says_who_asks_for_what(shop):
    row, other = asked(shop), asked(shop, 2)
    CancellationRequest.objects.filter(pk=other.pk).update(status=RequestStatus.REJECTED)
    client = staff_client(shop.organization)
    assert rows_of(client.get(LIST)) == [other, row]
    assert rows_of(client.get(LIST, {"status": "submitted"})) == [row]
    assert rows_of(client.get(LIST, {"kind": "cancel"})) == []
    assert rows_of(client.get(LIST, {"account": shop.customer.name})) == [other, row]
    assert rows_of(staff_client(factories.organization()).get(LIST)) == []
    few = count_queries(client, LIST)
    asked(shop)
    assert count_queries(client, LIST) == few


def test_navigation_counts_what_waits(shop):
    asked(shop)
    CancellationRequest.objects.filter(pk=asked(shop).pk).update(status=RequestStatus.WITHDRAWN)
    items = [item for _group, rows in staff_client(shop.organization).get(LIST).context["bss_nav"] for item in rows]
    assert [item.count for item in items if item.label == "Cancellation requests"] == [1]


def test_request_shows_what_accepting_credits_now(shop):
    row = asked(shop)
    found = staff_client(shop.organization).get(url(row))
    # 20 of 30 days of 2 x 12.00.
    assert found.context["preview"].amount.net == Decimal("-16.00")
    text = found.content.decode()
    assert [words in text for words in ("Fewer people", row.requested_by, "20 of 30 days")] == [True, True, True]
    assert actions_of(found) == {"Accept": "", "Reject": ""}
    assert actions_of(staff_client(shop.organization, StaffRole.BILLING).get(url(row))) == {}


def test_accepting_runs_it_under_the_name_of_who_accepts(shop):
    row = asked(shop)
    client = staff_client(shop.organization, StaffRole.SUPPORT)
    assert client.get(url(row, "accept")).context["preview"].amount.net == Decimal("-16.00")
    assert client.post(url(row, "accept")).url == url(row)
    row.refresh_from_db()
    change = Operation.objects.get(subscription=row.subscription, purpose=Purpose.REDUCE)
    assert (row.status, row.operation, change.desired["quantity"]) == (RequestStatus.ACCEPTED, change, 3)
    assert change.requested_by == row.decided_by != row.requested_by
    again = client.post(url(row, "accept"))
    assert (again.status_code, Operation.objects.filter(purpose=Purpose.REDUCE).count()) == (400, 1)


def test_what_is_no_longer_possible_says_so_and_changes_nothing(shop):
    row = asked(shop)
    Operation.objects.filter(subscription=row.subscription).update(state=OperationState.DONE)
    Subscription.objects.filter(pk=row.subscription_id).update(quantity=2)
    client = staff_client(shop.organization)
    assert (client.get(url(row)).context["preview"], client.get(url(row)).context["impossible"] != "") == (None, True)
    assert client.post(url(row, "accept")).status_code == 400
    row.refresh_from_db()
    assert (row.status, row.operation) == (RequestStatus.SUBMITTED, None)


def test_rejecting_takes_a_reason_and_leaves_the_service(shop):
    row = asked(shop)
    client = staff_client(shop.organization)
    assert client.post(url(row, "reject"), {"reason": "no"}).status_code == 400
    assert client.post(url(row, "reject"), {"reason": "The contract says a year"}).url == url(row)
    row.refresh_from_db()
    assert (row.status, row.reason) == (RequestStatus.REJECTED, "The contract says a year")
    assert Operation.objects.filter(subscription=row.subscription).count() == 1
    assert actions_of(client.get(url(row))) == {}


def test_only_sales_and_support_decide(shop):
    row = asked(shop)
    found = {
        role: staff_client(shop.organization, role).post(url(row, "accept")).status_code
        for role in (StaffRole.BILLING, StaffRole.READ_ONLY)
    }
    assert set(found.values()) == {403}
    assert staff_client(factories.organization()).post(url(row, "accept")).status_code == 404
    row.refresh_from_db()
    assert row.status == RequestStatus.SUBMITTED


def test_subscription_shows_the_request_as_a_ribbon(shop):
    row = asked(shop)
    page = reverse("bss:subscription_detail", args=[row.subscription.public_id])
    found = staff_client(shop.organization).get(page)
    assert (found.context["request_open"], url(row) in found.content.decode()) == (row, True)
