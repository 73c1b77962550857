"""Mails about licences: the key only in what is sent, one mail each, to whom the reseller wants, and texts."""

from decimal import Decimal
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest

from billing.models import Charge, ChargeKind, ChargeState
from core.events import Event, EventState, emit
from notifications.models import MailState, OutgoingMail
from notifications.services import events, send
from resellers.enums import PurchaseMode
from resellers.models import Account, Membership
from subscriptions.asset_enums import AssetStatus, DeliveryNote
from subscriptions.models import Asset
from subscriptions.services.assets import asset_payload, tell_asset
from subscriptions.services.keys import resend_token, reveal_token
from subscriptions.services.returns import reject_return, submit_return, tell_return
from tests import factories
from tests.shop import Shop, fill_basket, place

pytestmark = pytest.mark.django_db
KEY = "W269N-<&GX-YVC9B-4J6C9-T83GX"


@pytest.fixture
def row(shop: Shop) -> Asset:
    return factories.asset(shop.product, account=shop.customer, key=KEY, delivery_note=DeliveryNote.QUEUED)


def work() -> list[OutgoingMail]:
    """Process every event that waits; the mails that were written."""
    before = set(OutgoingMail.objects.values_list("pk", flat=True))
    for event in Event.objects.filter(state=EventState.PENDING).order_by("id"):
        events.process_event(event.pk)
        event.refresh_from_db()
        assert event.state == EventState.PROCESSED, event.last_error
    return list(OutgoingMail.objects.exclude(pk__in=before).order_by("id"))


def tell(row: Asset, what: str, **more: str) -> list[OutgoingMail]:
    Event.objects.filter(state=EventState.PENDING).update(state=EventState.PROCESSED)
    tell_asset(row, what, **more)
    return work()


def contact_of(account: Account) -> str:
    return account.contacts.get(is_primary=True).email


def test_key_is_in_what_is_sent_and_in_nothing_that_is_stored(shop, row, mailoutbox):
    (mail,) = tell(row, "activated")
    assert (mail.template, mail.recipient) == ("licence_ready", contact_of(shop.customer))
    assert mail.subject == f"Welcome Microsoft ESD customer: {row.name}"
    assert not any(KEY in text for text in (mail.text, mail.html, mail.subject, mail.dedupe_key))
    for words in (row.name, row.order_number, "•••••-T83GX", "https://vendor.test/get", "How to activate"):
        assert (words in mail.text, words in mail.html) == (True, True)
    assert f"can be returned until {row.returnable_until:%Y-%m-%d}" in mail.text
    send.send_mail(mail.pk)
    (sent,) = mailoutbox
    assert (KEY in sent.body, "•••••" in sent.body) == (True, False)
    assert "W269N-&lt;&amp;GX-YVC9B-4J6C9-T83GX" in sent.alternatives[0][0]
    mail.refresh_from_db()
    row.refresh_from_db()
    assert (mail.state, row.delivery_note) == (MailState.SENT, DeliveryNote.SENT)
    assert not any(KEY in text for text in (mail.text, mail.html, mail.last_error))


def test_one_mail_however_often_it_is_repeated(shop, row, mailoutbox):
    (mail,) = tell(row, "activated")
    assert tell(row, "activated") == []
    for _number in range(3):
        send.send_mail(mail.pk)
        events.process_event(Event.objects.latest("id").pk)
    assert len(mailoutbox) == 1


def test_mail_that_is_refused_marks_the_licence(shop, row, monkeypatch):
    (mail,) = tell(row, "activated")

    def refuse(_message: Any) -> None:
        raise SMTPRecipientsRefused({})

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    send.send_mail(mail.pk)
    row.refresh_from_db()
    assert row.delivery_note == DeliveryNote.FAILED


def test_error_that_quotes_the_mail_is_not_kept(shop, row, monkeypatch):
    (mail,) = tell(row, "activated")

    def refuse(message: Any) -> None:
        raise OSError(message.body)

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", lambda self: refuse(self))
    send.send_mail(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.last_error) == (MailState.QUEUED, "OSError")


def test_key_of_a_licence_that_is_over_is_not_sent(shop, row, mailoutbox):
    (mail,) = tell(row, "activated")
    Asset.objects.filter(pk=row.pk).update(status=AssetStatus.CANCELLED)
    send.send_mail(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mailoutbox) == (MailState.FAILED, [])


def test_nobody_to_write_to_marks_the_licence(shop, row):
    shop.customer.contacts.all().delete()
    Account.objects.filter(pk=shop.customer.pk).update(email="")
    shop.customer.memberships.all().delete()
    assert tell(row, "activated") == []
    row.refresh_from_db()
    assert row.delivery_note == DeliveryNote.FAILED


@pytest.mark.parametrize(
    ("mode", "mails", "reader"),
    [
        (PurchaseMode.END_CUSTOMER, True, "end_customer"),
        (PurchaseMode.END_CUSTOMER, False, "reseller"),
        (PurchaseMode.AFFILIATE, True, "reseller"),
    ],
)
def test_resale_follows_the_resellers_wish(shop, mode, mails, reader):
    Account.objects.filter(pk=shop.reseller.pk).update(mail_licences=mails)
    account = shop.end_customer if mode == PurchaseMode.END_CUSTOMER else shop.affiliate
    (mail,) = tell(factories.asset(shop.product, account=account, purchase_mode=mode), "activated")
    assert mail.recipient == contact_of(getattr(shop, reader))


def test_resend_goes_where_it_was_asked_to(shop, row, mailoutbox):
    person = factories.user(shop.organization, of=shop.customer)
    resend_token(shop.customer_admin, asset=row, email=person.email)
    (mail,) = work()
    send.send_mail(mail.pk)
    assert (mailoutbox[0].to, KEY in mailoutbox[0].body) == ([person.email], True)


def test_refused_line_is_told_cleaned_and_to_staff_in_full(shop):
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    row = factories.asset(shop.product, account=shop.customer, key="", order_number=order.number)
    order.lines.update(asset=row)
    Event.objects.update(state=EventState.PROCESSED)
    emit(
        "asset.refused",
        asset_payload(row) | {"message": "SKU 4711 is gone at Redmond", "code": "discontinued"},
        organization_id=row.organization_id,
        account_id=row.account_id,
    )
    buyer, staff = work()
    assert (buyer.template, staff.template) == ("licence_refused", "licence_failed_staff")
    assert ("This product is no longer sold." in buyer.text, "Redmond" in buyer.text) == (True, False)
    assert (f"/orders/{order.public_id}/" in buyer.text, "Redmond" in staff.text) == (True, True)
    assert staff.recipient == shop.organization.email
    (given_up,) = tell(row, "given_up", reason="Internal words")
    assert (given_up.template, "Internal words" in given_up.text) == ("licence_given_up", False)


def test_return_is_told_to_who_asked(shop, row):
    request = submit_return(shop.customer_admin, asset=row, comment="Bought twice")
    customer, staff = work()
    assert (customer.template, customer.recipient) == ("return_submitted", shop.customer_admin.email)
    assert (customer.subject, "Bought twice" in customer.text) == (f"Cancellation requested: {row.name}", True)
    assert (staff.template, f"/returns/{request.public_id}/" in staff.text) == ("return_submitted_staff", True)
    reject_return(shop.staff, request=request, reason="It was used")
    (refused,) = work()
    assert (refused.template, "Reason: It was used" in refused.text) == ("return_refused", True)


def test_completed_return_says_what_was_credited(shop, row):
    request = submit_return(shop.customer_admin, asset=row)
    work()
    Charge.objects.create(
        organization_id=row.organization_id,
        payer=row.bill_to,
        account=row.account,
        asset=row,
        source="asset-return:1",
        kind=ChargeKind.CREDIT,
        state=ChargeState.DUE,
        description="licence returned",
        currency="EUR",
        net=Decimal("-149.00"),
        tax=Decimal("-28.31"),
        gross=Decimal("-177.31"),
    )
    tell_return(request, "completed")
    (mail,) = work()
    assert (mail.template, "177.31" in mail.text, "-177.31" in mail.text) == ("return_completed", True, False)


def test_administrators_hear_of_many_reveals(shop, row):
    for _number in range(30):
        reveal_token(shop.customer_admin, row)
    with pytest.raises(Exception, match="Too many reveals"):
        reveal_token(shop.customer_admin, row)
    mails = work()
    assert {mail.template for mail in mails} == {"reveal_limit"}
    administrators = Membership.objects.filter(organization=shop.organization, account=None)
    assert {mail.recipient for mail in mails} == {row.user.email for row in administrators.select_related("user")}
    assert all((shop.customer_admin.label in mail.text, KEY in mail.text) == (True, False) for mail in mails)
