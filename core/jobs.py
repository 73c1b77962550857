"""Background jobs: long work with progress, cancel and a log, visible to the person who waits for it.

A job is an outbox row. Its kind names a handler declared with :func:`handler`; handlers are repeatable, for a killed
worker's job is run again from its start.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock, outbox
from core.errors import BusinessError, Conflict
from core.tenancy import Actor, TenantOwned

logger = logging.getLogger(__name__)
CLAIM_SECONDS = 60
RUN_TASK = "core.run_job"
RUN_BULK_TASK = "core.run_job_bulk"
RUN_VENDOR_TASK = "core.run_job_vendor"


class JobState(models.TextChoices):
    """The life of a job."""

    QUEUED = "queued", gettext_lazy("Queued")
    RUNNING = "running", gettext_lazy("Running")
    DONE = "done", gettext_lazy("Done")
    FAILED = "failed", gettext_lazy("Failed")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


class Job(TenantOwned, outbox.OutboxRow):
    """One piece of long work. ``result`` is what the page shows when it is done; ``error`` why it failed, in words."""

    tenant_account = "account"
    OPEN = frozenset({JobState.QUEUED.value, JobState.RUNNING.value})

    kind = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("resellers.Account", null=True, on_delete=models.PROTECT, related_name="+")
    queue_task = models.CharField(max_length=40, default=RUN_TASK)
    unique_key = models.CharField(max_length=120, blank=True)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=JobState.choices, default=JobState.QUEUED)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    progress_text = models.CharField(max_length=255, blank=True)
    cancel_requested = models.BooleanField(default=False)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "unique_key"],
                condition=models.Q(state__in=["queued", "running"]) & ~models.Q(unique_key=""),
                name="job_one_open_per_key",
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"], name="job_due", condition=models.Q(state__in=["queued", "running"])
            ),
            models.Index(fields=["organization", "-id"], name="job_org"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to finish it."""
        return self.state in self.OPEN

    @property
    def percent(self) -> int:
        """Progress in whole percent; 100 once done."""
        if self.state == JobState.DONE:
            return 100
        return min(99, self.progress_done * 100 // self.progress_total) if self.progress_total else 0


class JobLogLine(TenantOwned):
    """One line of a job's log."""

    tenant_account = "job__account"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines")
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


class JobCancelled(Exception):
    """Raised inside a handler when somebody asked to cancel."""


class JobRun:
    """What a handler gets: the job, progress, log, and the word that somebody wants it to stop."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.params: dict[str, Any] = dict(job.params)

    def report(self, done: int, total: int, text: str = "") -> None:
        """Show progress; raises :class:`JobCancelled` if a person asked for it."""
        Job.objects.filter(pk=self.job.pk).update(
            progress_done=done, progress_total=total, progress_text=text[:255], updated_at=clock.real_now()
        )
        self.check_cancelled()

    def check_cancelled(self) -> None:
        """Raise :class:`JobCancelled` if a person asked for it, or if the claim was lost to another worker."""
        if Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists() or not outbox.still_claimed(self.job):
            raise JobCancelled

    def log(self, text: str) -> None:
        """Append a line to the job's log, committed at once."""
        JobLogLine.objects.create(organization_id=self.job.organization_id, job=self.job, at=clock.now(), text=text)


Handler = Callable[[JobRun], Mapping[str, Any]]
_handlers: dict[str, Handler] = {}


def handler(kind: str, *, answers: bool = False) -> Callable[[Handler], Handler]:
    """Declare the function that does jobs of ``kind``; it returns the result as a JSON object.

    With ``answers`` its words are for whoever started it, as those of a check are, and come in his language; a job
    without writes what others read, too.
    """

    def declare(function: Handler) -> Handler:
        _handlers[kind] = _in_starters_language(function) if answers else function
        return function

    return declare


def _in_starters_language(function: Handler) -> Handler:
    def run_in_it(run: JobRun) -> Mapping[str, Any]:
        starter = run.job.user
        with translation.override((starter.language if starter else "") or settings.LANGUAGE_CODE):
            return function(run)

    return run_in_it


outbox.register(Job, field="state", due=Job.OPEN, task=RUN_TASK, task_field="queue_task")


def start_job(
    actor: Actor,
    kind: str,
    *,
    title: str,
    params: Mapping[str, Any],
    account_id: int | None = None,
    unique_key: str = "",
    queue_task: str = RUN_TASK,
) -> Job:
    """Write a job and dispatch it after the commit. Raises :class:`Conflict` ``job_running`` on an open twin."""
    try:
        with transaction.atomic():
            job = Job.objects.create(
                organization_id=actor.tenant_id,
                kind=kind,
                title=title,
                user_id=actor.user_id,
                account_id=account_id if account_id is not None else actor.account_id,
                unique_key=unique_key,
                params=dict(params),
                queue_task=queue_task,
            )
    except IntegrityError as error:
        raise Conflict("job_running", _("A run is already in progress.")) from error
    outbox.dispatch(queue_task, job.pk)
    return job


def job_of(actor: Actor, public_id: object) -> Job | None:
    """The job with this public id if the actor may see it."""
    return Job.objects.get_visible(actor, public_id)


def own_job(actor: Actor, public_id: object, kind: str) -> Job | None:
    """The job of this kind that the actor started himself; what a colleague asked and was told is not his to read."""
    if actor.user_id is None:
        return None
    return Job.objects.filter(user_id=actor.user_id, kind=kind).get_visible(actor, public_id)


def request_cancel(actor: Actor, job: Job) -> None:
    """Ask a job to stop; it ends at its next progress report, one that nobody took yet ends at once."""
    if not job.is_open:
        raise Conflict("job_finished", _("This job has already ended."))
    Job.objects.visible_to(actor).filter(pk=job.pk, state__in=Job.OPEN).update(cancel_requested=True)
    Job.objects.visible_to(actor).filter(pk=job.pk, state=JobState.QUEUED, claim_token=None).update(
        state=JobState.CANCELLED, finished_at=clock.now()
    )


def run_job(job_id: int) -> None:
    """Claim the job and run its handler; the outcome goes into the row. Does nothing if somebody else has it."""
    job = outbox.claim(Job, job_id, field="state", due=Job.OPEN, seconds=CLAIM_SECONDS)
    if job is None:
        return
    if job.cancel_requested:
        _finish(job, JobState.CANCELLED)
        return
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, started_at=job.started_at or clock.now())
    run = JobRun(job)
    function = _handlers.get(job.kind)
    try:
        with outbox.heartbeat(job, CLAIM_SECONDS):
            if function is None:
                raise BusinessError("job_unknown", _("Nothing here can run '%(kind)s'.") % {"kind": job.kind})
            result = function(run)
        _finish(job, JobState.DONE, result=dict(result))
    except JobCancelled:
        run.log(_("Cancelled."))
        _finish(job, JobState.CANCELLED)
    except BusinessError as error:
        run.log(str(error.message))
        _finish(job, JobState.FAILED, error=str(error.message), result={"code": error.code, **error.context})
    except Exception:
        logger.exception("job failed", extra={"job": str(job.public_id), "kind": job.kind})
        _finish(job, JobState.FAILED, error=_("Something went wrong inside; the log has the details. Try again."))


def _finish(job: Job, state: JobState, **changes: Any) -> None:
    outbox.release(job, state=state, finished_at=clock.now(), updated_at=clock.real_now(), **changes)
