"""Sends queued mails. A mail whose sending was recorded is never sent again; one that was cut off may be, once."""

import logging
from smtplib import SMTPRecipientsRefused

from django.core.mail import EmailMultiAlternatives
from django.utils.html import escape

from core import clock, outbox
from notifications.models import ERASED, MailState, OutgoingMail
from subscriptions.asset_enums import AssetStatus, DeliveryNote
from subscriptions.models import Asset
from subscriptions.services.keys import keys_for_mail, note_delivery

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
    except LicenceGone:
        _failed(mail, "The licence is not active any more.", is_final=True)
    except SMTPRecipientsRefused as error:
        _failed(mail, f"Recipient refused: {type(error).__name__}", is_final=True)
    except Exception as error:
        # Servers and mail libraries fail in many ways; none of them may leave the row to be tried for ever.
        logger.warning("mail not sent", extra={"mail": str(mail.public_id), "error": type(error).__name__})
        # A server may quote what it refused; of a mail with a key only the kind of the error is kept.
        said = type(error).__name__ if mail.asset_id is not None else f"{type(error).__name__}: {error}"
        _failed(mail, said[:500], is_final=mail.attempts >= MAX_ATTEMPTS)
    else:
        outbox.release(mail, state=MailState.SENT, sent_at=clock.now(), last_error="", **_erased(mail))
        _tell_asset(mail, DeliveryNote.SENT)


class LicenceGone(Exception):
    """The licence whose key a mail should bring was cancelled before it was sent."""


def _bodies(mail: OutgoingMail) -> tuple[str, str]:
    """Text and HTML as they are sent: with the keys where the stored ones have it masked."""
    asset = Asset.objects.filter(pk=mail.asset_id).first() if mail.asset_id is not None else None
    if asset is None:
        return mail.text, mail.html
    if asset.status != AssetStatus.ACTIVE:
        raise LicenceGone
    text, html = mail.text, mail.html
    for shown, key in keys_for_mail(asset):
        text, html = text.replace(shown, key), html.replace(shown, escape(key))
    return text, html


def _message(mail: OutgoingMail) -> EmailMultiAlternatives:
    text, html = _bodies(mail)
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=text,
        from_email=mail.sender,
        to=[mail.recipient],
        headers={"Message-ID": f"<{mail.public_id}@{mail.sender.rpartition('@')[2].strip('>')}>"},
    )
    if html:
        message.attach_alternative(html, "text/html")
    return message


def _failed(mail: OutgoingMail, reason: str, *, is_final: bool) -> None:
    if is_final:
        outbox.release(mail, state=MailState.FAILED, last_error=reason, **_erased(mail))
        _tell_asset(mail, DeliveryNote.FAILED)
    else:
        again = clock.now() + outbox.back_off(mail.attempts)
        outbox.release(mail, state=MailState.QUEUED, last_error=reason, not_before=again)


def _tell_asset(mail: OutgoingMail, note: DeliveryNote) -> None:
    """The licence shows whether its key arrived."""
    if mail.asset_id is not None:
        note_delivery(mail.asset_id, note)


def _erased(mail: OutgoingMail) -> dict[str, str]:
    return {"text": str(ERASED), "html": ""} if mail.is_secret else {}
