"""Sends queued mails. A mail whose sending was recorded is never sent again; one that was cut off may be, once."""

import logging
from smtplib import SMTPRecipientsRefused

from django.core.mail import EmailMultiAlternatives

from core import clock, outbox
from notifications.models import ERASED, MailState, OutgoingMail

logger = logging.getLogger(__name__)
CLAIM_SECONDS = 120
MAX_ATTEMPTS = 8


def send_mail(mail_id: int) -> None:
    """Send one mail; its Message-ID stays the same over retries, so that mailboxes recognise a repeat.

    Nothing is raised: whatever goes wrong is written into the row, which is tried again after 1, 5, 15 and then 60
    minutes, eight times in all. A mail with a personal link loses its body as soon as it is not sent any more.
    """
    mail = outbox.claim(OutgoingMail, mail_id, field="state", due=OutgoingMail.DUE, seconds=CLAIM_SECONDS)
    if mail is None:
        return
    try:
        with outbox.heartbeat(mail, CLAIM_SECONDS):
            _message(mail).send()
    except SMTPRecipientsRefused as error:
        _failed(mail, f"Recipient refused: {type(error).__name__}", is_final=True)
    except Exception as error:
        # Servers and mail libraries fail in many ways; none of them may leave the row to be tried for ever.
        logger.warning("mail not sent", extra={"mail": str(mail.public_id), "error": type(error).__name__})
        _failed(mail, f"{type(error).__name__}: {error}"[:500], is_final=mail.attempts >= MAX_ATTEMPTS)
    else:
        outbox.release(mail, state=MailState.SENT, sent_at=clock.now(), last_error="", **_erased(mail))


def _message(mail: OutgoingMail) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=mail.sender,
        to=[mail.recipient],
        headers={"Message-ID": f"<{mail.public_id}@{mail.sender.rpartition('@')[2].strip('>')}>"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _failed(mail: OutgoingMail, reason: str, *, is_final: bool) -> None:
    if is_final:
        outbox.release(mail, state=MailState.FAILED, last_error=reason, **_erased(mail))
    else:
        again = clock.now() + outbox.back_off(mail.attempts)
        outbox.release(mail, state=MailState.QUEUED, last_error=reason, not_before=again)


def _erased(mail: OutgoingMail) -> dict[str, str]:
    return {"text": str(ERASED), "html": ""} if mail.is_secret else {}
