"""Background jobs in the BSS."""

import pytest
from django.urls import reverse

from core.jobs import Job, JobState, start_job
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of, staff_client
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LIST = reverse("bss:job_list")


@pytest.fixture
def here():
    return factories.organization()


def job(row, **values) -> Job:
    made = start_job(factories.actor(row), "tests.nothing", title=values.pop("title", "Count stars"), params={})
    Job.objects.filter(pk=made.pk).update(**values)
    made.refresh_from_db()
    return made


def page(row: Job) -> str:
    return reverse("bss:job_detail", args=[row.public_id])


def test_list_shows_own_jobs_with_progress(here):
    first, second = job(here, title="First"), job(here, state=JobState.DONE)
    job(factories.organization())
    response = staff_client(here, StaffRole.READ_ONLY).get(LIST)
    assert rows_of(response) == [second, first]
    assert "100 %" in response.content.decode()
    assert rows_of(staff_client(here).get(LIST, {"state": "queued"})) == [first]
    assert customer_client(here, factories.account(here)).get(LIST).status_code == 403


def test_list_as_csv(here):
    job(here, title="=danger")
    response = staff_client(here).get(LIST, {"format": "csv"})
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].split(",")[0] == "Job"
    assert lines[1].startswith("'=danger,,queued,0 %,Uma")


def test_list_needs_as_many_queries_for_three_rows(here):
    client = staff_client(here)
    job(here)
    few = count_queries(client, LIST)
    job(here)
    job(here)
    assert count_queries(client, LIST) == few


def test_job_page_shows_only_its_moving_part_to_htmx(here):
    row = job(here)
    client = staff_client(here)
    assert "<html" in client.get(page(row)).content.decode()
    part = client.get(page(row), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'hx-trigger="every 1s"' in part


def test_cancel_stops_a_waiting_job(here):
    row = job(here)
    assert staff_client(here, StaffRole.SALES).post(page(row)).status_code == 403
    assert staff_client(factories.organization()).post(page(row)).status_code == 404
    row.refresh_from_db()
    assert row.state == JobState.QUEUED
    assert staff_client(here).post(page(row)).status_code == 302
    row.refresh_from_db()
    assert row.state == JobState.CANCELLED


def test_ended_job_cannot_be_cancelled(here):
    row = job(here, state=JobState.DONE)
    response = staff_client(here).post(page(row), follow=True)
    assert [str(message) for message in response.context["messages"]] == ["This job has already ended."]
    row.refresh_from_db()
    assert (row.state, row.cancel_requested) == (JobState.DONE, False)
