"""Filters: what is understood narrows the list, what is not is said and changes nothing."""

import datetime as dt

import pytest
from django.urls import reverse

from core.jobs import Job, JobState
from tests import factories
from tests.bss.staff import rows_of, staff_client
from ui.filters import Choice, Filter, FilterForm, Flag, Period

pytestmark = pytest.mark.django_db
LIST = reverse("bss:job_list")
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def here():
    return factories.organization()


def make_job(here, title: str = "A job", created_at: dt.datetime = NOON, **values) -> Job:
    row = Job.objects.create(organization=here, kind="test", title=title, **values)
    Job.objects.filter(pk=row.pk).update(created_at=created_at)
    return row


def titles(form: FilterForm, *search: str) -> list[str]:
    return list(form.apply(Job.objects.all(), search).order_by("title").values_list("title", flat=True))


def form(*filters: Filter, **data: str) -> FilterForm:
    return FilterForm(data, filters=filters, actor=None)


def test_words(here):
    make_job(here, "Count stars")
    make_job(here, "Count 100%")
    words = Filter("title", "Title", "title")
    assert titles(form(words, title="STAR")) == ["Count stars"]
    assert titles(form(words, title="%")) == ["Count 100%"]
    assert titles(form(words, title="")) == ["Count 100%", "Count stars"]
    assert form(words, title="star").chips() == [("title", "Title: star")]


def test_choice_with_its_words_as_chip(here):
    make_job(here, "a", state=JobState.DONE)
    make_job(here, "b")
    choice = Choice("state", "State", "state", JobState.choices)
    assert titles(form(choice, state="done")) == ["a"]
    assert form(choice, state="done").chips() == [("state", "State: Done")]
    assert form(choice).chips() == []


def test_choices_of_the_actor(here):
    choice = Choice("state", "State", "state", lambda actor: [(actor, actor)])
    shown = FilterForm({"state": "done"}, filters=[choice], actor="queued")
    assert shown.values().get("state") is None
    assert [value for value, _words in shown.fields["state"].choices] == ["", "queued"]


def test_flag_says_yes_no_or_nothing(here):
    make_job(here, "asked", cancel_requested=True)
    make_job(here, "not asked")
    flag = Flag("asked", "Asked to stop", "cancel_requested")
    assert titles(form(flag, asked="yes")) == ["asked"]
    assert titles(form(flag, asked="no")) == ["not asked"]
    assert titles(form(flag)) == ["asked", "not asked"]
    assert form(flag, asked="no").chips() == [("asked", "Asked to stop: No")]


def test_period_includes_both_days(here):
    for day, title in enumerate("abcd"):
        make_job(here, title, NOON + dt.timedelta(days=day, hours=11, minutes=59))
    period = Period("made", "Made", "created_at")
    assert titles(form(period, made_from="2026-03-02", made_to="2026-03-03")) == ["b", "c"]
    assert titles(form(period, made_from="2026-03-04")) == ["d"]
    assert titles(form(period, made_to="2026-03-01")) == ["a"]
    assert titles(form(period, made_from="2026-03-03", made_to="2026-03-02")) == []
    assert form(period, made_to="2026-03-01").chips() == [("made_to", "Made to: March 1, 2026")]


def test_search_wants_every_word_somewhere(here):
    make_job(here, "Count stars", error="no telescope")
    make_job(here, "Count sheep")
    assert titles(form(q="count telescope"), "title", "error") == ["Count stars"]
    assert titles(form(q="count"), "title", "error") == ["Count sheep", "Count stars"]
    assert titles(form(q="count telescope"), "title") == []
    assert titles(form(q="   "), "title") == ["Count sheep", "Count stars"]
    assert form(q=" stars ").chips() == [("q", "“stars”")]


def test_search_looks_at_six_words_at_most(here):
    make_job(here, "one two three four five six")
    assert titles(form(q="one two three four five six seven"), "title") == ["one two three four five six"]


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ({"state": "nonsense"}, "#id_state"),
        ({"state": "\x00"}, "#id_state"),
        ({"requested_from": "yesterday"}, "#id_requested_from"),
        ({"requested_to": "2026-02-30"}, "#id_requested_to"),
        ({"requested_from": "10000-01-01"}, "#id_requested_from"),
        ({"q": "x" * 101}, "#list-search"),
        ({"q": "\x00"}, "#list-search"),
    ],
)
def test_garbage_is_said_and_narrows_nothing(here, asked, at):
    row = make_job(here)
    response = staff_client(here).get(LIST, asked)
    assert response.status_code == 200
    assert rows_of(response) == [row]
    page = response.content.decode()
    assert f'<a href="{at}">' in page
    assert f'id="{at[1:]}"' in page
    assert response.context["chips"] == []


def test_garbage_beside_a_good_filter_leaves_the_good_one(here):
    make_job(here, "a")
    row = make_job(here, "b", state=JobState.DONE)
    response = staff_client(here).get(LIST, {"state": "done", "requested_from": "??"})
    assert rows_of(response) == [row]
    assert [words for words, _url in response.context["chips"]] == ["State: Done"]


@pytest.mark.parametrize(
    "asked",
    [
        {"size": "²"},
        {"size": "9" * 5000},
        {"size": "-25"},
        {"sort": "--title"},
        {"sort": "-"},
        {"sort": "organization__name"},
        {"sort": "\x00"},
        {"after": "x", "before": "y"},
        {"format": "xml"},
        {"requested_from": "0001-01-01", "requested_to": "9999-12-31"},
    ],
)
def test_odd_addresses_show_the_list(here, asked):
    row = make_job(here)
    client = staff_client(here)
    response = client.get(LIST, asked)
    assert (response.status_code, rows_of(response)) == (200, [row])
    if "format" not in asked:
        lines = b"".join(client.get(LIST, asked | {"format": "csv"}).streaming_content).decode().splitlines()
        assert len(lines) == 2


def test_chip_leads_to_the_list_without_it(here):
    make_job(here, state=JobState.DONE)
    client = staff_client(here)
    response = client.get(LIST, {"q": "job", "state": "done", "sort": "title", "after": "x"})
    assert response.context["chips"] == [
        ("“job”", "?state=done&sort=title"),
        ("State: Done", "?q=job&sort=title"),
    ]


def test_nothing_matches_is_not_nothing_yet(here):
    make_job(here)
    client = staff_client(here)
    assert "Nothing matches" in client.get(LIST, {"q": "zebra"}).content.decode()
    assert "No jobs yet" in staff_client(factories.organization()).get(LIST).content.decode()
