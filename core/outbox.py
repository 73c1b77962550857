"""The outbox: durable rows that say what still has to be done, and the claim that lets exactly one worker do it.

The row is written in the transaction of the business change; the broker only hears of it after the commit and may be
down, for :func:`sweep` finds what nobody picked up. A claim expires, so a killed worker's row is taken by the next one.
"""

import datetime as dt
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

from celery import current_app
from django.db import connection, models, transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from kombu.exceptions import OperationalError

from core import clock

logger = logging.getLogger(__name__)
R = TypeVar("R", bound="OutboxRow")
QUIET_SECONDS = 5


class OutboxRow(models.Model):
    """The columns of a row that a worker claims. ``not_before`` is on the business clock, claims on the real one."""

    not_before = models.DateTimeField(default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    claim_token = models.UUIDField(null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


@dataclass(frozen=True)
class Source:
    """One outbox: its model, the states in which rows are due, and the name of the task that handles one row.

    ``whose`` is a column whose values take turns in the sweep, so that the many rows of one keep no other's waiting.
    """

    model: type[OutboxRow]
    field: str
    due: frozenset[str]
    task: str
    task_field: str = ""
    whose: str = ""


class _Broker:
    """Until when this process leaves the broker alone."""

    quiet_until = 0.0


_sources: dict[str, Source] = {}
_broker = _Broker()


def register(
    model: type[OutboxRow], *, field: str, due: frozenset[str], task: str, task_field: str = "", whose: str = ""
) -> None:
    """Declare an outbox, so that the sweep finds forgotten rows; ``task_field`` is a column that holds the task."""
    _sources[model.__name__] = Source(model, field, due, task, task_field, whose)


def sources() -> list[Source]:
    """All declared outboxes."""
    return list(_sources.values())


def dispatch(task: str, row_id: int, *, countdown: float = 0) -> None:
    """Tell the broker about a row after the present transaction has committed; a broker that is down is no error."""
    transaction.on_commit(partial(_send, task, row_id, countdown), robust=True)


def _send(task: str, row_id: int, countdown: float) -> None:
    # A broker that is down takes seconds to say so; whoever waits for a page shall not pay for each row.
    if time.monotonic() < _broker.quiet_until:
        return
    try:
        current_app.send_task(task, args=[row_id], countdown=countdown or None, retry=False)
    except (OperationalError, OSError) as error:
        _broker.quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("broker unreachable, the sweep will find the row", extra={"task": task, "error": str(error)})


def due_rows(source: Source) -> models.QuerySet[Any]:
    """Rows that somebody should take now, oldest first; one of each whose they are, then the next of each."""
    free = models.Q(claimed_until__isnull=True) | models.Q(claimed_until__lt=clock.real_now())
    rows = source.model._base_manager.filter(
        free, **{f"{source.field}__in": source.due, "not_before__lte": clock.now()}
    )
    if not source.whose:
        return rows.order_by("not_before", "pk")
    turn = Window(RowNumber(), partition_by=F(source.whose), order_by=["not_before", "pk"])
    return rows.annotate(turn=turn).order_by("turn", "not_before", "pk")


def sweep(limit: int = 500) -> int:
    """Send due rows to the broker again; returns how many. Runs every minute and is only the net."""
    sent = 0
    for source in sources():
        names = ("pk", source.task_field) if source.task_field else ("pk",)
        for pk, *task in due_rows(source).values_list(*names)[:limit]:
            _send(task[0] if task else source.task, pk, 0)
            sent += 1
    return sent


@cache
def _load_tasks() -> None:
    """Have Celery find the tasks of all apps, once in a process: each time it also runs Django's system checks."""
    current_app.loader.import_default_modules()


def run_due() -> int:
    """Run every row that is due, here and now, as the workers would; for set-up commands and tests."""
    ran = 0
    _load_tasks()
    for source in sources():
        names = ("pk", source.task_field) if source.task_field else ("pk",)
        for pk, *task in list(due_rows(source).values_list(*names)):
            current_app.tasks[task[0] if task else source.task].run(pk)
            ran += 1
    return ran


def claim(model: type[R], pk: int, *, field: str, due: frozenset[str], seconds: int) -> R | None:
    """Take the row if it is due and free, count the attempt, and return it; None if somebody else has it."""
    token = uuid.uuid4()
    real = clock.real_now()
    free = models.Q(claimed_until__isnull=True) | models.Q(claimed_until__lt=real)
    taken = model._base_manager.filter(free, pk=pk, not_before__lte=clock.now(), **{f"{field}__in": due}).update(
        claim_token=token, claimed_until=real + dt.timedelta(seconds=seconds), attempts=models.F("attempts") + 1
    )
    return model._base_manager.get(pk=pk) if taken else None


def back_off(attempts: int) -> dt.timedelta:
    """How long to wait after so many attempts: 1, 5, 15 minutes, then an hour."""
    return dt.timedelta(minutes=(1, 5, 15, 60)[min(max(attempts, 1), 4) - 1])


def still_claimed(row: OutboxRow) -> bool:
    """Whether the claim that ``row`` was taken with is still the stored one."""
    return type(row)._base_manager.filter(pk=row.pk, claim_token=row.claim_token).exists()


def release(row: OutboxRow, **changes: Any) -> bool:
    """Give the row back with ``changes``; False if the claim was lost meanwhile (then nothing is written)."""
    values = {"claim_token": None, "claimed_until": None, **changes}
    done = type(row)._base_manager.filter(pk=row.pk, claim_token=row.claim_token).update(**values)
    return bool(done)


@contextmanager
def heartbeat(row: OutboxRow, seconds: int) -> Iterator[None]:
    """Renew the claim every third of ``seconds`` from a thread with its own connection, until the block ends."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(seconds / 3):
                until = clock.real_now() + dt.timedelta(seconds=seconds)
                type(row)._base_manager.filter(pk=row.pk, claim_token=row.claim_token).update(claimed_until=until)
        except Exception:
            logger.exception("heartbeat ended; the claim will expire")
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{row.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
