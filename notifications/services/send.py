"""Sends queued mails. A mail whose sending was recorded is never sent again; one that was cut off may be, once."""

import logging
from smtplib import SMTPException, SMTPRecipientsRefused

from django.core.mail import EmailMultiAlternatives

from core import clock, outbox
from notifications.models import MailState, OutgoingMail

logger = logging.getLogger(__name__)
CLAIM_SECONDS = 120
MAX_ATTEMPTS = 8


def send_mail(mail_id: int) -> None:
    """Send one mail; its Message-ID stays the same over retries, so that mailboxes recognise a repeat."""
    mail = outbox.claim(OutgoingMail, mail_id, field="state", due=OutgoingMail.DUE, seconds=CLAIM_SECONDS)
    if mail is None:
        return
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=mail.sender,
        to=[mail.recipient],
        headers={"Message-ID": f"<{mail.public_id}@{mail.sender.rpartition('@')[2].strip('>')}>"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        outbox.release(mail, state=MailState.FAILED, last_error=f"Recipient refused: {type(error).__name__}")
    except (SMTPException, OSError) as error:
        logger.warning("mail not sent", extra={"mail": str(mail.public_id), "error": type(error).__name__})
        state = MailState.FAILED if mail.attempts >= MAX_ATTEMPTS else MailState.QUEUED
        outbox.release(
            mail,
            state=state,
            last_error=f"{type(error).__name__}: {error}"[:500],
            not_before=clock.now() + outbox.back_off(mail.attempts),
        )
    else:
        erased = {"text": ERASED, "html": ""} if mail.is_secret else {}
        outbox.release(mail, state=MailState.SENT, sent_at=clock.now(), last_error="", **erased)


ERASED = "The text held a personal link and was erased after sending."
