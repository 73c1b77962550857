"""Celery tasks of the platform: envelopes only."""

from celery import shared_task

from core import job_files, jobs, outbox


@shared_task(name=jobs.RUN_TASK)
def run_job(job_id: int) -> None:
    """Run one background job."""
    jobs.run_job(job_id)


@shared_task(name=jobs.RUN_BULK_TASK)
def run_job_bulk(job_id: int) -> None:
    """Run one background job in the queue of long work."""
    jobs.run_job(job_id)


@shared_task(name=jobs.RUN_VENDOR_TASK)
def run_job_vendor(job_id: int) -> None:
    """Run one background job in the queue of vendor calls."""
    jobs.run_job(job_id)


@shared_task(name="core.sweep_outboxes")
def sweep_outboxes() -> None:
    """Send forgotten outbox rows to the broker again."""
    outbox.sweep()


@shared_task(name="core.forget_job_files")
def forget_job_files() -> None:
    """Delete the files of jobs whose day is over."""
    job_files.forget_files()
