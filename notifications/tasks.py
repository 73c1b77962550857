"""Envelopes of the mail queue."""

from celery import shared_task

from core.events import PROCESS_TASK
from notifications.models import SEND_TASK, SEND_WEBHOOK_TASK
from notifications.services import events, send, site_mail, webhook_send


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


@shared_task(name=SEND_WEBHOOK_TASK)
def send_webhook(delivery_id: int) -> None:
    """Send one webhook."""
    webhook_send.send_delivery(delivery_id)


@shared_task(name="notifications.forget_webhooks")
def forget_webhooks() -> None:
    """Delete deliveries of webhooks that are older than 30 days."""
    webhook_send.forget_deliveries()
