"""Celery tasks of the vendors: envelopes only."""

from celery import shared_task

from vendors.services import certificates


@shared_task(name="vendors.warn_of_expiry")
def warn_of_expiry() -> None:
    """Tell administrators of certificates that expire."""
    certificates.warn_of_expiry()
