"""The operations desk."""

import pytest
from django.urls import reverse

from core.audit import AuditEntry
from subscriptions.enums import OperationState, SubscriptionStatus, Verb
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.bss.staff import actions_of, count_queries, customer_client, rows_of, said, staff_client
from tests.shop import Shop
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LIST = reverse("bss:operation_list")


def operation(shop: Shop, state: str = OperationState.ATTENTION, **values) -> Operation:
    """A creation in some state, with its inactive subscription."""
    subscription = Subscription.objects.create(
        organization=shop.organization,
        name=values.pop("name", "Business Basic"),
        account=shop.customer,
        bill_to=shop.customer,
        instance=shop.instance,
        product=shop.product,
        plan=shop.plan,
        term="P1Y",
        billing_cycle="monthly",
        quantity=5,
        currency="EUR",
        unit_price=12,
        sync_status="in_progress",
        status=SubscriptionStatus.FAILED if state == OperationState.REFUSED else SubscriptionStatus.INACTIVE,
    )
    defaults = {
        "verb": Verb.CREATE,
        "state": state,
        "instance": shop.instance,
        "account": shop.customer,
        "subscription": subscription,
        "desired": {"quantity": 5, "admin_password": "hush"},
        "code": "outcome_unknown",
        "message": "Microsoft did not answer in time.",
        "order_number": "ORD-77",
    }
    return Operation.objects.create(organization=shop.organization, **(defaults | values))


def page(name: str, row: Operation) -> str:
    return reverse(f"bss:operation_{name}", args=[row.public_id])


def test_list_shows_what_needs_a_person_first(shop):
    stuck, refused = operation(shop), operation(shop, OperationState.REFUSED)
    waiting, done = operation(shop, OperationState.WAITING), operation(shop, OperationState.DONE)
    client = staff_client(shop.organization)
    assert rows_of(client.get(LIST)) == [refused, stuck]
    assert rows_of(client.get(LIST, {"scope": "unfinished"})) == [waiting, refused, stuck]
    assert rows_of(client.get(LIST, {"scope": "all"})) == [done, waiting, refused, stuck]
    assert rows_of(client.get(LIST, {"state": "done"})) == [done]


def test_list_filters_and_searches(shop):
    row = operation(shop, name="Visio", code="consent_lost")
    other = operation(shop)
    client = staff_client(shop.organization)
    assert rows_of(client.get(LIST, {"code": "consent"})) == [row]
    assert rows_of(client.get(LIST, {"q": "visio"})) == [row]
    assert rows_of(client.get(LIST, {"verb": "cancel"})) == []
    instance = str(shop.instance.public_id)
    assert rows_of(client.get(LIST, {"instance": instance})) == [other, row]


def test_list_needs_as_many_queries_for_three_rows(shop):
    client = staff_client(shop.organization)
    operation(shop)
    few = count_queries(client, LIST)
    operation(shop)
    operation(shop, OperationState.REFUSED)
    assert count_queries(client, LIST) == few


def test_list_is_for_those_who_may_look(shop):
    operation(shop)
    assert staff_client(shop.organization, StaffRole.SALES).get(LIST).status_code == 200
    assert staff_client(shop.organization, StaffRole.BILLING).get(LIST).status_code == 403
    assert customer_client(shop.organization, shop.customer).get(LIST).status_code == 403


def test_detail_shows_what_it_wants_without_secrets(shop):
    row = operation(shop)
    response = staff_client(shop.organization).get(page("detail", row))
    text = response.content.decode()
    assert "Microsoft did not answer in time." in text
    assert "ORD-77" in text
    assert "hush" not in text
    assert response.context["desired"] == {"quantity": 5, "admin_password": "•••"}


def test_detail_of_another_organization_is_not_there(shop):
    row = operation(shop)
    stranger = staff_client(factories.organization())
    for name in ("detail", "retry", "check", "mark_done", "give_up"):
        assert stranger.get(page(name, row)).status_code == 404
    assert stranger.post(page("retry", row)).status_code == 404
    row.refresh_from_db()
    assert row.state == OperationState.ATTENTION


def test_detail_offers_what_is_possible(shop):
    client = staff_client(shop.organization)
    open_ones = actions_of(client.get(page("detail", operation(shop))))
    assert open_ones == {"Retry": "", "Check now": "", "Mark as done": "", "Give up": ""}
    assert actions_of(client.get(page("detail", operation(shop, OperationState.DONE)))) == {}
    refused = actions_of(client.get(page("detail", operation(shop, OperationState.REFUSED))))
    assert refused == {
        "Retry": "",
        "Mark as done": "Only what needs attention can be marked as done.",
        "Give up": "",
    }


def test_actions_are_for_those_who_may_act(shop):
    row = operation(shop)
    sales = staff_client(shop.organization, StaffRole.SALES)
    assert actions_of(sales.get(page("detail", row))) == {}
    for name in ("retry", "check", "mark_done", "give_up"):
        assert sales.post(page(name, row), {"reason": "because I say", "external_id": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.state == OperationState.ATTENTION


def test_retry_puts_it_back_into_the_queue_once(shop):
    row = operation(shop)
    client = staff_client(shop.organization, StaffRole.SUPPORT)
    asked = client.get(page("retry", row))
    assert "asked again under the same id" in asked.content.decode()
    row.refresh_from_db()
    assert row.state == OperationState.ATTENTION
    response = client.post(page("retry", row))
    assert (response.status_code, response["Location"]) == (302, page("detail", row))
    row.refresh_from_db()
    assert row.state == OperationState.QUEUED
    again = client.post(page("retry", row))
    assert again.status_code == 400
    assert "Only what needs attention" in again.content.decode()
    assert AuditEntry.objects.filter(action="operation.retried", object_id=row.public_id).count() == 1


def test_bulk_retry_tells_what_did_not_go(shop):
    rows = [operation(shop), operation(shop)]
    done = operation(shop, OperationState.DONE)
    client = staff_client(shop.organization)
    chosen = [str(row.public_id) for row in [*rows, done]]
    response = client.post(f"{LIST}?scope=all", {"action": "retry", "row": chosen}, follow=True)
    assert [row.state for row in Operation.objects.order_by("id")] == ["queued", "queued", "done"]
    assert said(response)[-1] == "Retry: 2 rows done."
    assert len(said(response)) == 2


def test_check_brings_the_next_try_forward(shop):
    row = operation(shop, OperationState.WAITING, not_before="2099-01-01T00:00:00Z")
    client = staff_client(shop.organization)
    assert client.post(page("check", row)).status_code == 302
    row.refresh_from_db()
    assert row.not_before.year < 2099


def test_mark_done_wants_id_and_reason(shop):
    row = operation(shop)
    client = staff_client(shop.organization)
    short = client.post(page("mark_done", row), {"external_id": "sub-1", "reason": "ok"})
    assert short.status_code == 400
    assert dict(short.context["form"].errors) == {"reason": ["Say in a few words why."]}
    row.refresh_from_db()
    assert row.state == OperationState.ATTENTION
    data = {"external_id": "sub-1", "reason": "Seen in Partner Center"}
    assert client.post(page("mark_done", row), data).status_code == 302
    row.refresh_from_db()
    assert row.state == OperationState.DONE
    assert row.subscription is not None
    assert (row.subscription.external_id, row.subscription.status) == ("sub-1", SubscriptionStatus.ACTIVE)


def test_give_up_says_what_follows_and_cancels(shop):
    row = operation(shop)
    client = staff_client(shop.organization)
    assert "the amount held for it is released" in client.get(page("give_up", row)).content.decode()
    assert client.post(page("give_up", row), {"reason": "Customer no longer wants it"}).status_code == 302
    row.refresh_from_db()
    assert row.state == OperationState.GIVEN_UP
    assert row.subscription is not None
    assert row.subscription.status == SubscriptionStatus.CANCELLED
    entry = AuditEntry.objects.get(action="operation.given_up")
    assert entry.reason == "Customer no longer wants it"
