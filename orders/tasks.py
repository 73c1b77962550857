"""Celery tasks of orders: envelopes only."""

from celery import shared_task

from orders.services import approve, drafts


@shared_task(name="orders.decide_overdue")
def decide_overdue() -> None:
    """Remind of orders that wait for a reseller, and end those that waited too long."""
    approve.decide_overdue()


@shared_task(name="orders.erase_drafts")
def erase_drafts() -> None:
    """Erase what programs began to order and never checked out."""
    drafts.erase_drafts()
