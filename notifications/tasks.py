"""Envelopes of the mail queue."""

from celery import shared_task

from core.events import PROCESS_TASK
from notifications.models import SEND_TASK
from notifications.services import events, send, site_mail


@shared_task(name=PROCESS_TASK)
def process_event(event_id: int) -> None:
    """Queue the mails of one event."""
    events.process_event(event_id)


@shared_task(name=SEND_TASK)
def send_mail(mail_id: int) -> None:
    """Send one mail."""
    send.send_mail(mail_id)


@shared_task(name="notifications.drop_held")
def drop_held() -> None:
    """Give up mails that were held for a week."""
    site_mail.drop_held()
