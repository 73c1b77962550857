"""Celery tasks of sign-in: envelopes only."""

from celery import shared_task

from sso.services import registration_ends


@shared_task(name="sso.end_registrations")
def end_registrations() -> None:
    """Erase registrations that nobody answered, or whose shop is gone."""
    registration_ends.end_overdue()
