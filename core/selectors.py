"""Reads of background jobs and of the audit log."""

import uuid

from core.audit import AuditEntry
from core.jobs import Job, JobLogLine
from core.tenancy import Actor, TenantQuerySet

LOG_LINES = 500


def jobs_for(actor: Actor) -> TenantQuerySet[Job]:
    """Background jobs the actor may see."""
    return Job.objects.visible_to(actor).select_related("user", "account")


def open_job(actor: Actor, unique_key: str) -> Job | None:
    """The actor's unfinished job with this key."""
    if actor.user_id is None:
        return None
    rows = Job.objects.visible_to(actor).filter(user_id=actor.user_id, unique_key=unique_key, state__in=Job.OPEN)
    return rows.first()


def job_log(job: Job) -> list[JobLogLine]:
    """The last lines of a job's log, oldest first."""
    return list(job.log_lines.order_by("-id")[:LOG_LINES])[::-1]


def audit_of(actor: Actor, object_id: uuid.UUID) -> TenantQuerySet[AuditEntry]:
    """What happened to one object, newest first."""
    return AuditEntry.objects.visible_to(actor).filter(object_id=object_id).order_by("-id")
