"""The outbox: claims, races between threads, heartbeat, release, sweep, and a broker that is down."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from core import clock, jobs, outbox
from core.jobs import Job
from core.tenancy import Actor, system_actor
from tests import factories

SECONDS = 5


def job(actor: Actor, **values: Any) -> Job:
    return jobs.start_job(actor, "test.nothing", title="Nothing", params={}, **values)


def claim(row: Job, seconds: int = SECONDS) -> Job | None:
    return outbox.claim(Job, row.pk, field="state", due=Job.OPEN, seconds=seconds)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """What the broker was told."""
    told: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(outbox.current_app, "send_task", lambda task, args, **rest: told.append((task, args)))
    return told


@pytest.fixture
def actor() -> Actor:
    return system_actor(factories.organization().pk)


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """Run ``work`` in real threads that begin together, each with its own connection."""
    results: list[Any] = []
    barrier = threading.Barrier(count)

    def body() -> None:
        try:
            barrier.wait(10)
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == count
    return results


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_one_gets_the_row(actor: Actor, sent: list[Any]):
    row = job(actor)
    taken = [found for found in in_threads(8, lambda: claim(row)) if found is not None]
    assert len(taken) == 1
    row.refresh_from_db()
    assert (row.attempts, row.claim_token) == (1, taken[0].claim_token)


@pytest.mark.django_db
def test_claimed_row_is_not_given_again_until_it_expires(actor: Actor, sent: list[Any]):
    row = job(actor)
    first = claim(row)
    assert first is not None
    assert claim(row) is None
    Job.objects.filter(pk=row.pk).update(claimed_until=clock.real_now() - dt.timedelta(seconds=1))
    second = claim(row)
    assert second is not None
    assert second.claim_token != first.claim_token
    assert second.attempts == 2


@pytest.mark.django_db
def test_row_is_not_due_before_its_time_or_in_an_end_state(actor: Actor, sent: list[Any]):
    early, done = job(actor), job(actor)
    Job.objects.filter(pk=early.pk).update(not_before=clock.now() + dt.timedelta(minutes=1))
    Job.objects.filter(pk=done.pk).update(state="done")
    assert claim(early) is None
    assert claim(done) is None


@pytest.mark.django_db
def test_lost_claim_writes_nothing(actor: Actor, sent: list[Any]):
    row = job(actor)
    first = claim(row)
    assert first is not None
    Job.objects.filter(pk=row.pk).update(claimed_until=clock.real_now() - dt.timedelta(seconds=1))
    second = claim(row)
    assert second is not None
    assert outbox.still_claimed(first) is False
    assert outbox.release(first, state="failed") is False
    row.refresh_from_db()
    assert (row.state, row.claim_token) == ("queued", second.claim_token)
    assert outbox.release(second, state="done") is True
    row.refresh_from_db()
    assert (row.state, row.claim_token, row.claimed_until) == ("done", None, None)


@pytest.mark.django_db(transaction=True)
def test_heartbeat_renews_the_claim_until_the_block_ends(actor: Actor, sent: list[Any]):
    taken = claim(job(actor), seconds=1)
    assert taken is not None
    with outbox.heartbeat(taken, 1):
        time.sleep(1.6)
        assert claim(taken) is None
    time.sleep(1.2)
    assert claim(taken) is not None


@pytest.mark.django_db(transaction=True)
def test_heartbeat_does_not_renew_a_lost_claim(actor: Actor, sent: list[Any]):
    taken = claim(job(actor), seconds=1)
    assert taken is not None
    Job.objects.filter(pk=taken.pk).update(claim_token=None, claimed_until=None)
    with outbox.heartbeat(taken, 1):
        time.sleep(0.8)
    taken.refresh_from_db()
    assert taken.claimed_until is None


@pytest.mark.django_db(transaction=True)
def test_broker_hears_after_the_commit_and_not_of_a_rollback(actor: Actor, sent: list[Any]):
    with transaction.atomic():
        row = job(actor)
        assert sent == []
    assert sent == [(jobs.RUN_TASK, [row.pk])]
    with pytest.raises(RuntimeError), transaction.atomic():
        job(actor)
        raise RuntimeError
    assert sent == [(jobs.RUN_TASK, [row.pk])]
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_row_survives_a_broker_that_is_down(actor: Actor, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def down(task: str, **values: Any) -> None:
        asked.append(task)
        raise OperationalError("no broker")

    monkeypatch.setattr(outbox.current_app, "send_task", down)
    monkeypatch.setattr(outbox._broker, "quiet_until", 0.0)
    rows = [job(actor), job(actor)]
    assert {row.state for row in Job.objects.filter(pk__in=[row.pk for row in rows])} == {"queued"}
    assert len(asked) == 1, "whoever waits for a page pays for one failure, not for each row"


@pytest.mark.django_db
def test_sweep_sends_due_rows_to_their_own_task(actor: Actor, sent: list[Any], settings: LazySettings):
    due, vendor = job(actor), job(actor, queue_task=jobs.RUN_VENDOR_TASK)
    busy, early, over = job(actor), job(actor), job(actor)
    assert claim(busy) is not None
    Job.objects.filter(pk=early.pk).update(not_before=clock.now() + dt.timedelta(minutes=1))
    Job.objects.filter(pk=over.pk).update(state="done")
    sent.clear()
    assert outbox.sweep() == 2
    assert sorted(sent) == [(jobs.RUN_TASK, [due.pk]), (jobs.RUN_VENDOR_TASK, [vendor.pk])]


@pytest.mark.django_db
def test_sweep_is_limited_and_takes_the_oldest_first(actor: Actor, sent: list[Any]):
    rows = [job(actor) for _ in range(3)]
    for age, row in enumerate(rows):
        Job.objects.filter(pk=row.pk).update(not_before=clock.now() - dt.timedelta(minutes=age + 1))
    sent.clear()
    assert outbox.sweep(limit=2) == 2
    assert sent == [(jobs.RUN_TASK, [rows[2].pk]), (jobs.RUN_TASK, [rows[1].pk])]
