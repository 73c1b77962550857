"""The file a job leaves, for the person who started it: kept for a day, in pieces, in PostgreSQL.

PostgreSQL and not a folder, because web and workers may run on different machines and it is the only store they share
that must not lose anything: a file is there or not in the same transaction as its job, is backed up or forgotten with
it, and needs no volume, no bucket and no further secret. Pieces of at most 1 MB keep memory flat on both sides and rows
small enough for the database; a list of a million rows is some sixty of them.
"""

import datetime as dt
from collections.abc import Iterator
from typing import IO

from django.db import models, transaction

from core import clock
from core.jobs import Job
from core.tenancy import Actor, TenantOwned

PIECE = 1_000_000
KEPT = dt.timedelta(hours=24)


class JobFile(TenantOwned):
    """A finished file: its name, what it is, and its size in bytes. After ``expires_at`` it does not exist."""

    tenant_account = "job__account"

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="file")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["expires_at"], name="job_file_expiry")]

    def __str__(self) -> str:
        return self.name


class JobFilePiece(TenantOwned):
    """Up to 1 MB of a file, counted from 0."""

    tenant_account = "file__job__account"

    file = models.ForeignKey(JobFile, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField(max_length=PIECE)

    class Meta:
        ordering = ["file", "number"]
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="job_file_piece_once")]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.number}"


@transaction.atomic
def keep_file(job: Job, source: IO[bytes], *, name: str, content_type: str) -> JobFile:
    """Keep everything ``source`` gives as the job's file for a day; what an earlier try of the job left is replaced."""
    JobFile.objects.filter(job=job).delete()
    file = JobFile.objects.create(
        organization_id=job.organization_id,
        job=job,
        name=name,
        content_type=content_type,
        size=0,
        expires_at=clock.now() + KEPT,
    )
    number = 0
    while data := source.read(PIECE):
        JobFilePiece.objects.create(organization_id=job.organization_id, file=file, number=number, data=data)
        file.size += len(data)
        number += 1
    file.save(update_fields=["size", "updated_at"])
    return file


def own_file(actor: Actor, job: Job) -> JobFile | None:
    """The file of the actor's own job, while it is kept; nobody else's, whatever his rights are."""
    if actor.user_id is None or job.user_id != actor.user_id:
        return None
    return JobFile.objects.visible_to(actor).filter(job=job, expires_at__gt=clock.now()).first()


def read_file(file: JobFile) -> Iterator[bytes]:
    """The file's bytes, one piece in memory at a time."""
    number = 0
    while data := JobFilePiece.objects.filter(file=file, number=number).values_list("data", flat=True).first():
        yield bytes(data)
        number += 1


def forget_files() -> int:
    """Delete the files whose day is over; returns how many. Their jobs stay."""
    _pieces, deleted = JobFile.objects.filter(expires_at__lte=clock.now()).delete()
    return deleted.get("core.JobFile", 0)
