"""From events to mails: who is told what, once, also when a worker dies in between."""

import datetime as dt
import uuid
from typing import Any

import pytest

from core import clock, outbox
from core.events import PROCESS_TASK, Event, EventState, emit
from notifications.models import OutgoingMail
from notifications.services import events
from notifications.tasks import process_event as task
from orders.models import Order
from subscriptions.models import Subscription
from tests import factories
from tests.shop import Shop, fill_basket, place

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(shop) -> Order:
    made = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    Event.objects.all().delete()
    return made


@pytest.fixture
def service(order) -> Subscription:
    return Subscription.objects.get(order_lines__order=order)


def told(shop: Shop, name: str, order: Order, service: Subscription | None = None, **extra: Any) -> Event:
    payload = {
        "order": str(order.public_id),
        "order_number": order.number,
        "subscription": str(service.public_id) if service else "",
    }
    return emit(name, payload | extra, organization_id=shop.organization.pk, account_id=order.account_id)


def mails() -> list[tuple[str, str]]:
    return list(OutgoingMail.objects.order_by("id").values_list("template", "recipient"))


def text_to(recipient: str) -> str:
    return OutgoingMail.objects.get(recipient=recipient).text


def test_placed_tells_the_buyer_with_exact_total(shop, order):
    events.process_event(told(shop, "order.placed", order).pk)
    mail = OutgoingMail.objects.get()
    assert mails() == [("order_placed", shop.customer_admin.email)]
    assert mail.subject == f"We have your order {order.number}"
    assert (f"5 x {shop.product.name}" in mail.text, f"{order.gross:.2f} EUR" in mail.text) == (True, True)
    assert f"//{shop.site.host}:8000/" in mail.text
    assert (mail.account, mail.site, mail.is_secret) == (shop.customer, shop.site, False)


def test_no_credit_tells_buyer_and_account_manager(shop, order):
    events.process_event(told(shop, "order.waiting", order, reason="no_credit", message="9.00 too much").pk)
    assert mails() == [
        ("order_waiting", shop.customer_admin.email),
        ("order_no_credit", shop.organization.email),
    ]
    assert ("9.00 too much" in text_to(shop.organization.email)) is True
    assert ("9.00 too much" in text_to(shop.customer_admin.email)) is False


@pytest.mark.parametrize(
    ("reason", "words"), [("relationship", "accepts the invitation"), ("review", "is reviewing"), ("other", "waits")]
)
def test_waiting_says_what_for(shop, order, reason, words):
    events.process_event(told(shop, "order.waiting", order, reason=reason, message="").pk)
    mail = OutgoingMail.objects.get()
    assert (mails(), words in mail.subject + mail.text) == ([("order_waiting", shop.customer_admin.email)], True)


def test_waiting_for_the_relationship_says_who_has_to_act(shop, order):
    events.process_event(told(shop, "order.waiting", order, reason="relationship", message="").pk)
    mail = OutgoingMail.objects.get()
    words = ("You need not do anything", "An administrator of the customer accepts it there")
    assert [word in mail.text for word in words] == [word in mail.html for word in words] == [False, True]


def test_text_has_no_gaps_where_a_part_does_not_apply(shop, order):
    events.process_event(told(shop, "order.cancelled", order, reason="").pk)
    assert "\n\n\n" not in OutgoingMail.objects.get().text


def test_cancelled_gives_the_reason(shop, order):
    events.process_event(told(shop, "order.cancelled", order, reason="Ordered twice").pk)
    assert mails() == [("order_cancelled", shop.customer_admin.email)]
    assert "Reason: Ordered twice" in OutgoingMail.objects.get().text


def test_activated_shows_first_activation_in_the_recipients_zone(shop, order, service):
    shop.organization.time_zone = "Asia/Tokyo"
    shop.organization.save()
    moment = dt.datetime(2026, 3, 1, 20, 30, tzinfo=dt.UTC)
    Subscription.objects.filter(pk=service.pk).update(first_activated_at=moment)
    events.process_event(told(shop, "subscription.activated", order, service).pk)
    mail = OutgoingMail.objects.get()
    assert (mail.template, mail.recipient) == ("subscription_activated", shop.customer_admin.email)
    assert ("2026-03-02 05:30" in mail.text, "2026-03-02 05:30" in mail.html) == (True, True)


def test_refused_gives_staff_the_full_reason_and_the_buyer_a_clean_one(shop, order, service):
    event = told(
        shop,
        "subscription.refused",
        order,
        service,
        message="MPN 42 is unknown",
        code="product_unavailable",
    )
    events.process_event(event.pk)
    assert sorted(mails()) == sorted(
        [("provisioning_refused", shop.organization.email), ("subscription_refused", shop.customer_admin.email)]
    )
    for_staff, for_buyer = text_to(shop.organization.email), text_to(shop.customer_admin.email)
    assert "MPN 42 is unknown (product_unavailable)" in for_staff
    assert "The vendor no longer sells this product." in for_buyer
    assert [word in for_buyer for word in ("MPN 42", "product_unavailable")] == [False, False]


def test_html_escapes_what_people_typed(shop, order):
    events.process_event(told(shop, "order.cancelled", order, reason="<img src=x>").pk)
    mail = OutgoingMail.objects.get()
    assert ("<img" in mail.html, "&lt;img src=x&gt;" in mail.html, "<img src=x>" in mail.text) == (False, True, True)


def test_order_of_nobody_tells_nobody(shop, order):
    Order.objects.filter(pk=order.pk).update(buyer=None)
    event = told(shop, "order.placed", order)
    events.process_event(event.pk)
    assert (mails(), Event.objects.get(pk=event.pk).state) == ([], EventState.PROCESSED)


def test_order_of_another_organization_is_not_found(shop, order):
    other = factories.organization()
    payload = {"order": str(order.public_id), "order_number": order.number, "subscription": ""}
    event = emit("order.placed", payload, organization_id=other.pk)
    events.process_event(event.pk)
    assert mails() == []


def test_every_handled_event_survives_missing_objects(shop):
    for name in events.HANDLERS:
        payload = {"order": str(uuid.uuid4()), "order_number": "ORD-999999", "subscription": str(uuid.uuid4())}
        event = emit(name, payload, organization_id=shop.organization.pk, account_id=shop.customer.pk)
        events.process_event(event.pk)
        assert (name, Event.objects.get(pk=event.pk).state) == (name, EventState.PROCESSED)


def test_unknown_event_is_done_with(shop, order):
    event = told(shop, "somebody.elses", order)
    events.process_event(event.pk)
    assert (Event.objects.get(pk=event.pk).state, mails()) == (EventState.PROCESSED, [])


def test_event_twice_sends_once(shop, order):
    event = told(shop, "order.waiting", order, reason="no_credit", message="m")
    events.process_event(event.pk)
    before = mails()
    events.process_event(event.pk)
    Event.objects.filter(pk=event.pk).update(state=EventState.PENDING)
    events.process_event(event.pk)
    assert (mails(), len(before)) == (before, 2)


def test_event_in_other_hands_is_left_alone(shop, order):
    event = told(shop, "order.placed", order)
    outbox.claim(Event, event.pk, field="state", due=Event.DUE, seconds=60)
    events.process_event(event.pk)
    assert (mails(), Event.objects.get(pk=event.pk).state) == ([], EventState.PENDING)


def test_worker_killed_in_between_leaves_nothing_half_done(shop, order, monkeypatch):
    event = told(shop, "order.waiting", order, reason="no_credit", message="m")

    def killed(*_args: Any, **_values: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(events, "_to_staff", killed)
        with pytest.raises(KeyboardInterrupt):
            events.process_event(event.pk)
    assert (mails(), Event.objects.get(pk=event.pk).state) == ([], EventState.PENDING)
    events.process_event(event.pk)
    assert mails() == []
    Event.objects.filter(pk=event.pk).update(claimed_until=clock.real_now() - dt.timedelta(seconds=1))
    events.process_event(event.pk)
    assert [template for template, _recipient in mails()] == ["order_waiting", "order_no_credit"]


def test_failing_event_waits_then_fails_for_good(shop, order, monkeypatch, still_clock):
    event = told(shop, "order.placed", order)

    def broken(_event: Event) -> None:
        raise ValueError("no such thing as token=abc123")

    monkeypatch.setitem(events.HANDLERS, "order.placed", broken)
    waits = []
    for _attempt in range(events.MAX_ATTEMPTS):
        row = Event.objects.get(pk=event.pk)
        still_clock(row.not_before + dt.timedelta(seconds=1))
        now = clock.now()
        events.process_event(event.pk)
        waits.append((Event.objects.get(pk=event.pk).not_before - now).total_seconds() / 60)
    row = Event.objects.get(pk=event.pk)
    assert waits == [1, 5, 15, 60, 60, 60, 60, 60, 60, 60]
    assert (row.state, row.attempts, row.last_error, mails()) == (EventState.FAILED, 10, "ValueError", [])
    still_clock(row.not_before + dt.timedelta(days=1))
    events.process_event(event.pk)
    assert Event.objects.get(pk=event.pk).attempts == 10


def test_task_is_an_envelope(shop, order):
    event = told(shop, "order.placed", order)
    task.run(event.pk)
    assert (task.name, len(mails())) == (PROCESS_TASK, 1)
