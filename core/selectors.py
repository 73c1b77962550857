"""Reads of background jobs and of the audit log."""

from django.db import models

from core.audit import AuditEntry
from core.audit_words import PUBLIC_ACTIONS
from core.jobs import Job, JobLogLine
from core.tenancy import Actor, TenantQuerySet

LOG_LINES = 500
HISTORY_ROWS = 50


def jobs_for(actor: Actor) -> TenantQuerySet[Job]:
    """Background jobs the actor may see.

    An employee whom a permission rule restricts sees of those of no account only what he started himself: the name of
    a colleague's spreadsheet, say, may be that of an account he does not see.
    """
    rows = Job.objects.visible_to(actor).select_related("user", "account")
    if actor.rules is None:
        return rows
    return rows.filter(models.Q(account__isnull=False) | models.Q(user_id=actor.user_id))


def jobs_of_account(actor: Actor, account: models.Model, kinds: str, *, limit: int = 10) -> list[Job]:
    """The last jobs about an account whose kind begins with ``kinds``, newest first."""
    return list(jobs_for(actor).filter(account_id=account.pk, kind__startswith=kinds).order_by("-id")[:limit])


def open_job(actor: Actor, unique_key: str) -> Job | None:
    """The actor's unfinished job with this key."""
    if actor.user_id is None:
        return None
    rows = Job.objects.visible_to(actor).filter(user_id=actor.user_id, unique_key=unique_key, state__in=Job.OPEN)
    return rows.first()


def job_log(job: Job) -> list[JobLogLine]:
    """The last lines of a job's log, oldest first."""
    return list(job.log_lines.order_by("-id")[:LOG_LINES])[::-1]


def audit_log(actor: Actor) -> TenantQuerySet[AuditEntry]:
    """What the actor may read of the audit log: staff all of it, a customer what is declared public of his accounts."""
    rows = AuditEntry.objects.visible_to(actor).select_related("account", "actor_user")
    return rows.filter(action__in=PUBLIC_ACTIONS) if actor.is_customer else rows


def history_for(actor: Actor, *objects: models.Model, limit: int = HISTORY_ROWS) -> list[AuditEntry]:
    """The last entries about these objects (a subscription and its requests, say), newest first.

    For ``{% history_card %}``, which leaves out fields and reasons that are not for the actor. Whoever may open the
    object may read this; the page decides that.
    """
    ids = [public_id for row in objects if (public_id := getattr(row, "public_id", None)) is not None]
    return list(audit_log(actor).filter(object_id__in=ids).order_by("-id")[:limit]) if ids else []
