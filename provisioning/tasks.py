"""Celery tasks of the process manager: envelopes only."""

from celery import shared_task

from provisioning.services.assets import refresh_due
from provisioning.services.plans import age_sites as age
from provisioning.services.renewals import run_clock as move_on
from provisioning.services.run import run_operation as run
from provisioning.services.schedules import pull_due
from subscriptions.models import RUN_TASK


@shared_task(name=RUN_TASK)
def run_operation(operation_id: int) -> None:
    """Run one operation."""
    run(operation_id)


@shared_task(name="provisioning.refresh_assets")
def refresh_assets() -> None:
    """Read the licences that are due at their vendors."""
    refresh_due()


@shared_task(name="provisioning.pull_catalogues")
def pull_catalogues() -> None:
    """Pull the catalogues that are due."""
    pull_due()


@shared_task(name="provisioning.run_clock")
def run_clock() -> None:
    """Do what is due by the clock: billing periods, renewals, reminders."""
    move_on()


@shared_task(name="provisioning.age_sites")
def age_sites() -> None:
    """Remind of closed storefronts whose data will be erased, and erase it."""
    age()
