"""Celery tasks of the channel: envelopes only."""

from celery import shared_task

from resellers.services import view_as


@shared_task(name="resellers.end_viewings")
def end_viewings() -> None:
    """End viewings of the storefront whose time or right is over."""
    view_as.end_overdue()
