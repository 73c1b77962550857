"""Background jobs: outcome, progress, cancel, log, one at a time, and a lost claim."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from core import jobs
from core.errors import BusinessError, Conflict
from core.jobs import Job, JobRun
from core.tenancy import Actor, system_actor
from tests import factories

KIND = "test.kind"


@pytest.fixture
def actor() -> Actor:
    return system_actor(factories.organization().pk)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Callable[[jobs.Handler], None]:
    """Declares the handler of this test's kind, for this test."""
    return lambda function: monkeypatch.setitem(jobs._handlers, KIND, function)


def run(actor: Actor, **values: Any) -> Job:
    row = jobs.start_job(actor, KIND, title="Work", params={"n": 2}, **values)
    jobs.run_job(row.pk)
    row.refresh_from_db()
    return row


def lines(row: Job) -> list[str]:
    return [line.text for line in row.log_lines.all()]


@pytest.mark.django_db
def test_job_runs_and_keeps_its_result(actor: Actor, handle: Any):
    def work(run: JobRun) -> Mapping[str, Any]:
        run.report(1, 4, "first")
        run.log("half way")
        return {"doubled": run.params["n"] * 2}

    handle(work)
    row = run(actor)
    assert (row.state, row.result, row.percent, row.error) == ("done", {"doubled": 4}, 100, "")
    assert (row.progress_done, row.progress_total, row.progress_text) == (1, 4, "first")
    assert (row.claim_token, row.claimed_until, row.attempts) == (None, None, 1)
    assert row.started_at is not None
    assert row.finished_at is not None
    assert lines(row) == ["half way"]


@pytest.mark.django_db
def test_job_that_is_over_does_not_run_again(actor: Actor, handle: Any):
    calls: list[int] = []
    handle(lambda run: calls.append(1) or {})
    row = run(actor)
    jobs.run_job(row.pk)
    assert calls == [1]


@pytest.mark.django_db
def test_business_error_is_shown_in_its_words(actor: Actor, handle: Any):
    def work(run: JobRun) -> Mapping[str, Any]:
        raise BusinessError("too_few", "There are too few.", context={"seen": 3})

    handle(work)
    row = run(actor)
    assert (row.state, row.error, row.result) == ("failed", "There are too few.", {"code": "too_few", "seen": 3})
    assert lines(row) == ["There are too few."]


@pytest.mark.django_db
def test_bug_is_logged_and_not_shown(actor: Actor, handle: Any, caplog: pytest.LogCaptureFixture):
    def work(run: JobRun) -> Mapping[str, Any]:
        raise ZeroDivisionError("password=hush")

    handle(work)
    row = run(actor)
    assert row.state == "failed"
    assert "hush" not in row.error
    assert [record.message for record in caplog.records] == ["job failed"]


@pytest.mark.django_db
def test_unknown_kind_fails_in_words(actor: Actor):
    row = run(actor)
    assert (row.state, row.result) == ("failed", {"code": "job_unknown"})


@pytest.mark.django_db
def test_cancel_before_the_start_ends_it_at_once(actor: Actor, handle: Any):
    calls: list[int] = []
    handle(lambda run: calls.append(1) or {})
    row = jobs.start_job(actor, KIND, title="Work", params={})
    jobs.request_cancel(actor, row)
    jobs.run_job(row.pk)
    row.refresh_from_db()
    assert (row.state, calls) == ("cancelled", [])
    with pytest.raises(Conflict) as caught:
        jobs.request_cancel(actor, row)
    assert caught.value.code == "job_finished"


@pytest.mark.django_db
def test_cancel_while_it_runs_ends_it_at_the_next_report(actor: Actor, handle: Any):
    reached: list[str] = []

    def work(run: JobRun) -> Mapping[str, Any]:
        jobs.request_cancel(actor, Job.objects.get(pk=run.job.pk))
        reached.append("before")
        run.report(1, 2)
        reached.append("after")
        return {}

    handle(work)
    row = run(actor)
    assert (row.state, row.result, reached) == ("cancelled", {}, ["before"])
    assert lines(row) == ["Cancelled."]


@pytest.mark.django_db
def test_worker_that_lost_its_claim_changes_nothing(actor: Actor, handle: Any):
    def work(run: JobRun) -> Mapping[str, Any]:
        Job.objects.filter(pk=run.job.pk).update(claim_token="4f4bc2e1-7a0a-4a4e-9a77-0c1c6a1d0b0e")
        return {"mine": True}

    handle(work)
    row = run(actor)
    assert (row.state, row.result, row.finished_at) == ("running", {}, None)


@pytest.mark.django_db
def test_one_open_job_per_key_and_organization(actor: Actor):
    first = jobs.start_job(actor, KIND, title="Work", params={}, unique_key="definition:1")
    with pytest.raises(Conflict) as caught:
        jobs.start_job(actor, KIND, title="Work", params={}, unique_key="definition:1")
    assert caught.value.code == "job_running"
    other = system_actor(factories.organization().pk)
    jobs.start_job(other, KIND, title="Work", params={}, unique_key="definition:1")
    jobs.request_cancel(actor, first)
    jobs.start_job(actor, KIND, title="Work", params={}, unique_key="definition:1")
    assert Job.objects.filter(unique_key="definition:1", state="queued").count() == 2


@pytest.mark.django_db
def test_job_of_another_organization_does_not_exist(actor: Actor):
    stranger = factories.actor(factories.organization())
    row = jobs.start_job(actor, KIND, title="Work", params={})
    assert jobs.job_of(stranger, row.public_id) is None
    assert jobs.job_of(actor, "not-an-id") is None
    jobs.request_cancel(stranger, row)
    row.refresh_from_db()
    assert (row.state, row.cancel_requested) == ("queued", False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "done", "total", "percent"),
    [("queued", 0, 0, 0), ("running", 1, 3, 33), ("running", 3, 3, 99), ("done", 0, 0, 100), ("failed", 1, 2, 50)],
)
def test_percent(state: str, done: int, total: int, percent: int):
    assert Job(state=state, progress_done=done, progress_total=total).percent == percent
