"""Sending: once, again after a failure, never after success, and without leaving links behind."""

import datetime as dt
import logging
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives

from core import clock, outbox
from core.errors import PermissionRefused
from notifications.models import ERASED, SEND_TASK, MailState, OutgoingMail
from notifications.selectors import mail_text, mails_for
from notifications.services.compose import queue_mail
from notifications.services.send import MAX_ATTEMPTS, send_mail
from notifications.tasks import send_mail as send_task
from resellers.models import Organization
from tests import factories

pytestmark = pytest.mark.django_db
LINK = "http://shop.test/accounts/invitation/very-private/"


@pytest.fixture
def here() -> Organization:
    return factories.organization(time_zone="Europe/Athens")


def queued(here: Organization, *, is_secret: bool = False, key: str = "k") -> OutgoingMail:
    return queue_mail(
        "user_invited",
        organization=here,
        recipient="nia@people.test",
        context={"first_name": "Nia", "invited_by": "Ada", "company": "Dune", "link": LINK},
        dedupe_key=key,
        is_secret=is_secret,
    )


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def send(self: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        raise error

    monkeypatch.setattr(EmailMultiAlternatives, "send", send)


def fresh(row: OutgoingMail) -> OutgoingMail:
    return OutgoingMail.objects.get(pk=row.pk)


def test_send_text_and_html_twins(here):
    row = queued(here)
    send_mail(row.pk)
    message: Any = django_mail.outbox[0]
    site = factories.site_of(here)
    assert (message.subject, message.to) == (f"Your access to {site.name}", ["nia@people.test"])
    assert (LINK in message.body, LINK in message.alternatives[0][0]) == (True, True)
    assert message.alternatives[0][1] == "text/html"
    assert message.extra_headers["Message-ID"] == f"<{row.public_id}@localhost>"
    row = fresh(row)
    assert (row.state, row.attempts, row.last_error, row.claim_token) == (MailState.SENT, 1, "", None)
    assert row.sent_at is not None
    assert row.text == message.body == mail_text(factories.actor(here), row)


def test_send_again_after_success_does_nothing(here):
    row = queued(here)
    send_mail(row.pk)
    before = fresh(row).updated_at
    send_mail(row.pk)
    assert (len(django_mail.outbox), fresh(row).updated_at, fresh(row).attempts) == (1, before, 1)


def test_send_while_another_worker_has_it_does_nothing(here):
    row = queued(here)
    outbox.claim(OutgoingMail, row.pk, field="state", due=OutgoingMail.DUE, seconds=60)
    send_mail(row.pk)
    assert (len(django_mail.outbox), fresh(row).state, fresh(row).attempts) == (0, MailState.QUEUED, 1)


def test_send_cut_off_before_recording_is_sent_again_under_the_same_id(here, monkeypatch):
    row = queued(here)

    def killed(*_args: Any, **_changes: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "release", killed)
        with pytest.raises(KeyboardInterrupt):
            send_mail(row.pk)
    assert fresh(row).state == MailState.QUEUED
    send_mail(row.pk)
    assert len(django_mail.outbox) == 1
    OutgoingMail.objects.filter(pk=row.pk).update(claimed_until=clock.real_now() - dt.timedelta(seconds=1))
    send_mail(row.pk)
    ids = [message.extra_headers["Message-ID"] for message in django_mail.outbox]
    assert (len(ids), len(set(ids)), fresh(row).state) == (2, 1, MailState.SENT)


@pytest.mark.parametrize("error", [SMTPServerDisconnected("gone"), ConnectionRefusedError("no"), ValueError("odd")])
def test_send_failure_waits_and_is_tried_again(here, monkeypatch, still_clock, error):
    row = queued(here)
    start = clock.now()
    waits = []
    with monkeypatch.context() as patch:
        failing(patch, error)
        for _attempt in range(4):
            still_clock(fresh(row).not_before + dt.timedelta(seconds=1))
            now = clock.now()
            send_mail(row.pk)
            waits.append((fresh(row).not_before - now).total_seconds() / 60)
            send_mail(row.pk)
    assert waits == [1, 5, 15, 60]
    assert (fresh(row).state, fresh(row).attempts) == (MailState.QUEUED, 4)
    assert fresh(row).last_error == f"{type(error).__name__}: {error}"
    still_clock(start + dt.timedelta(hours=3))
    send_mail(row.pk)
    assert (fresh(row).state, fresh(row).last_error, len(django_mail.outbox)) == (MailState.SENT, "", 1)


def test_send_gives_up_and_erases_the_link(here, monkeypatch):
    row = queued(here, is_secret=True)
    failing(monkeypatch, SMTPServerDisconnected("gone"))
    OutgoingMail.objects.filter(pk=row.pk).update(attempts=MAX_ATTEMPTS - 1)
    send_mail(row.pk)
    row = fresh(row)
    assert (row.state, row.attempts, row.text, row.html) == (MailState.FAILED, MAX_ATTEMPTS, str(ERASED), "")
    send_mail(row.pk)
    assert fresh(row).attempts == MAX_ATTEMPTS


def test_send_to_a_refused_recipient_ends_at_once(here, monkeypatch):
    row = queued(here)
    failing(monkeypatch, SMTPRecipientsRefused({"nia@people.test": (550, b"unknown")}))
    send_mail(row.pk)
    assert (fresh(row).state, fresh(row).attempts) == (MailState.FAILED, 1)


def test_secret_is_erased_once_sent_and_never_shown(here, caplog):
    row = queued(here, is_secret=True)
    assert (LINK in row.text, mail_text(factories.actor(here), row)) == (True, "")
    with caplog.at_level(logging.DEBUG):
        send_mail(row.pk)
    assert LINK in django_mail.outbox[0].body
    assert LINK not in str(list(OutgoingMail.objects.values()))
    assert "very-private" not in caplog.text


def test_queue_known_key_does_nothing(here):
    first, second = queued(here), queued(here)
    assert (first.pk, OutgoingMail.objects.count()) == (second.pk, 1)


def test_queue_speaks_the_recipients_language_and_the_sites_name(here):
    site = factories.site_of(here)
    site.name, site.mail_sender, site.brand_color = "Bäcker & Söhne\nBcc: x@evil.test", "shop@aster.test", "#aa0000"
    site.save()
    row = queued(here)
    send_mail(row.pk)
    message = django_mail.outbox[0].message()
    assert (row.subject, message["Bcc"]) == ("Your access to Bäcker & Söhne Bcc: x@evil.test", None)
    assert (message["Message-ID"], "#aa0000" in row.html) == (f"<{row.public_id}@aster.test>", True)
    assert ("Bäcker & Söhne" in row.text, "Bäcker &amp; Söhne" in row.html) == (True, True)


def test_queue_dispatches_after_commit(here, django_capture_on_commit_callbacks, monkeypatch):
    sent: list[Any] = []
    monkeypatch.setattr(outbox, "_send", lambda *values: sent.append(values))
    with django_capture_on_commit_callbacks(execute=True):
        row = queued(here)
        assert sent == []
    assert sent == [(SEND_TASK, row.pk, 0)]


def test_task_is_an_envelope(here):
    row = queued(here)
    send_task.run(row.pk)
    assert (send_task.name, fresh(row).state) == (SEND_TASK, MailState.SENT)


def test_mails_are_seen_by_their_own_tenant_only(here):
    row = queued(here)
    account = factories.account(here)
    OutgoingMail.objects.filter(pk=row.pk).update(account=account)
    stranger, foreign = factories.actor(here, of=factories.account(here)), factories.actor(factories.organization())
    assert list(mails_for(factories.actor(here))) == [row]
    assert (list(mails_for(stranger)), list(mails_for(foreign))) == ([], [])
    for other in (stranger, factories.actor(here, roles=["sales"])):
        with pytest.raises(PermissionRefused):
            mail_text(other, row)
