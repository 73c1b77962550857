"""Celery tasks of the Professional edition: envelopes only."""

from celery import shared_task

from tenants.services import erase, follow, update


@shared_task(name="tenants.follow_accounts")
def follow_accounts() -> None:
    """Give managed copies the data of the resellers' accounts."""
    follow.follow_accounts()


@shared_task(name="tenants.update_catalogues")
def update_catalogues() -> None:
    """Take over purchase prices for everybody who wants it every night."""
    update.run_nightly()


@shared_task(name="tenants.erase_deleted")
def erase_deleted() -> None:
    """Erase the data of organizations that were marked as deleted 90 days ago."""
    erase.erase_due()
