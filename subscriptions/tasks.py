"""Celery tasks of subscriptions: envelopes only."""

from celery import shared_task

from subscriptions.services import usage_months


@shared_task(name="subscriptions.keep_usage_months")
def keep_usage_months() -> None:
    """Make the partitions of usage ahead, and drop those past keeping."""
    usage_months.keep_months()
