"""Keyset paging: every row once, in order, forwards and backwards, whatever happens to the rows meanwhile."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.utils.html import conditional_escape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.jobs import Job
from resellers.models import Account
from tests import factories
from ui import tables
from ui.tables import Column, capped_count, ordered, sort_field, value_at, window

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def here():
    return factories.organization()


def make_jobs(here, *ends: int | None, titles: str = "") -> list[Job]:
    """Jobs that ended so many minutes after noon (None: not yet), titled by one letter each."""
    letters = titles or "x" * len(ends)
    return [
        Job.objects.create(
            organization=here,
            kind="test",
            title=letter,
            finished_at=None if end is None else NOON + dt.timedelta(minutes=end),
        )
        for end, letter in zip(ends, letters, strict=True)
    ]


def walk(rows, sort: str, size: int = 2) -> list[list[Job]]:
    """All pages from the first to the last."""
    pages, after = [], ""
    while True:
        page = window(rows, sort=sort, size=size, after=after)
        pages.append(list(page.rows))
        if not page.after:
            return pages
        after = page.after


def flat(pages: list[list[Job]]) -> list[Job]:
    return [row for page in pages for row in page]


def walk_back(rows, sort: str, size: int = 2) -> list[Job]:
    """All rows but the last page's, by going to the end and back to the start."""
    page = window(rows, sort=sort, size=size)
    while page.after:
        page = window(rows, sort=sort, size=size, after=page.after)
    found = list(page.rows)
    while page.before:
        page = window(rows, sort=sort, size=size, before=page.before)
        found = [*page.rows, *found]
    return found


def test_pages_forwards_and_backwards(here):
    one, two, three, four, five = make_jobs(here, 1, 2, 3, 4, 5)
    assert walk(Job.objects.all(), "finished_at") == [[one, two], [three, four], [five]]
    assert walk(Job.objects.all(), "-finished_at") == [[five, four], [three, two], [one]]
    middle = window(Job.objects.all(), sort="pk", size=2, after=window(Job.objects.all(), sort="pk", size=2).after)
    assert (list(middle.rows), bool(middle.before), bool(middle.after)) == ([three, four], True, True)
    first = window(Job.objects.all(), sort="pk", size=2, before=middle.before)
    assert (list(first.rows), first.before, bool(first.after)) == ([one, two], "", True)


def test_page_that_is_exactly_full_has_no_next(here):
    make_jobs(here, 1, 2)
    page = window(Job.objects.all(), sort="pk", size=2)
    assert (page.before, page.after) == ("", "")


def test_no_rows():
    assert window(Job.objects.all(), sort="pk", size=2) == tables.Window([], "", "")


def test_ties_are_broken_by_pk_in_the_direction_of_the_list(here):
    one, two, three, four, five = make_jobs(here, 7, 7, 7, 7, 7)
    assert walk(Job.objects.all(), "finished_at") == [[one, two], [three, four], [five]]
    assert walk(Job.objects.all(), "-finished_at") == [[five, four], [three, two], [one]]
    assert walk_back(Job.objects.all(), "finished_at") == [one, two, three, four, five]


def test_nulls_come_last_in_both_directions(here):
    never, late, early, nor_ever = make_jobs(here, None, 9, 1, None)
    assert flat(walk(Job.objects.all(), "finished_at", 1)) == [early, late, never, nor_ever]
    assert flat(walk(Job.objects.all(), "-finished_at", 1)) == [late, early, nor_ever, never]
    assert walk_back(Job.objects.all(), "finished_at", 1) == [early, late, never, nor_ever]
    assert walk_back(Job.objects.all(), "-finished_at", 1) == [late, early, nor_ever, never]


def test_column_of_another_model_that_may_be_missing(here):
    with_account, without = make_jobs(here, 1, 2)
    Job.objects.filter(pk=with_account.pk).update(account=factories.account(here))
    rows = Job.objects.select_related("account")
    assert walk(rows, "account__name", 1) == [[with_account], [without]]
    assert walk_back(rows, "-account__name", 1) == [with_account, without]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ends=st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=9),
    size=st.integers(1, 4),
    sort=st.sampled_from(["finished_at", "-finished_at", "pk", "-pk", "title", "-title"]),
)
def test_every_row_is_seen_once_whatever_the_values(here, ends, size, sort):
    Job.objects.all().delete()
    make_jobs(here, *ends)
    expected = list(ordered(Job.objects.all(), sort))
    assert len(expected) == len(ends)
    assert flat(walk(Job.objects.all(), sort, size)) == expected
    assert walk_back(Job.objects.all(), sort, size) == expected
    assert list(ordered(Job.objects.all(), sort, back=True)) == expected[::-1]


def test_paging_goes_on_after_the_row_of_the_cursor_was_deleted(here):
    one, two, three, four = make_jobs(here, 1, 2, 3, 4)
    page = window(Job.objects.all(), sort="finished_at", size=2)
    two.delete()
    page = window(Job.objects.all(), sort="finished_at", size=2, after=page.after)
    assert list(page.rows) == [three, four]
    three.delete()
    assert list(window(Job.objects.all(), sort="finished_at", size=2, before=page.before).rows) == [one]


def test_new_rows_before_the_cursor_shift_nothing(here):
    make_jobs(here, 5, 6, 7)
    page = window(Job.objects.all(), sort="finished_at", size=2)
    make_jobs(here, 1, 2)
    assert [
        row.finished_at for row in window(Job.objects.all(), sort="finished_at", size=2, after=page.after).rows
    ] == [NOON + dt.timedelta(minutes=7)]


@pytest.mark.parametrize(
    "bad",
    ["x", "a:b:c", "\x00", "é:" * 90, signing.dumps(["2026", 1], salt="other")],
    ids=["word", "three parts", "null", "long", "another salt"],  # a signature holds the time: no stable name
)
def test_garbage_cursor_means_the_start(here, bad):
    rows = make_jobs(here, 1, 2, 3)
    for page in (
        window(Job.objects.all(), sort="finished_at", size=2, after=bad),
        window(Job.objects.all(), sort="finished_at", size=2, before=bad),
    ):
        assert (list(page.rows), page.before, bool(page.after)) == (rows[:2], "", True)


def test_tampered_cursor_means_the_start(here):
    rows = make_jobs(here, 1, 2, 3)
    good = window(Job.objects.all(), sort="finished_at", size=2).after
    head, _dot, tail = good.partition(":")
    forged = f"{head[:-2]}{'AA' if head[-2:] != 'AA' else 'BB'}:{tail}"
    assert list(window(Job.objects.all(), sort="finished_at", size=2, after=forged).rows) == rows[:2]


def test_cursor_of_another_column_means_the_start(here):
    rows = make_jobs(here, 1, 2, 3)
    other = window(Job.objects.all(), sort="title", size=2).after
    assert list(window(Job.objects.all(), sort="finished_at", size=2, after=other).rows) == rows[:2]


@pytest.mark.parametrize("many", [1, 3])
def test_two_statements_for_a_page_and_one_for_the_count(here, many, django_assert_num_queries):
    make_jobs(here, *range(many))
    with django_assert_num_queries(2):
        window(Job.objects.all(), sort="-finished_at", size=2)
    with django_assert_num_queries(1):
        assert capped_count(Job.objects.all()) == (many, False)


def test_count_stops_at_its_cap(here, monkeypatch):
    monkeypatch.setattr(tables, "COUNT_CAP", 3)
    make_jobs(here, 1, 2, 3)
    assert capped_count(Job.objects.all()) == (3, False)
    make_jobs(here, 4, 5)
    assert capped_count(Job.objects.all()) == (3, True)


def test_sort_field_follows_relations():
    assert sort_field(Job, "account__name").model is Account
    assert sort_field(Job, "pk").name == "id"
    with pytest.raises(FieldDoesNotExist):
        sort_field(Job, "account__nothing")


def test_value_at_follows_attributes_dicts_and_methods():
    row = type("Row", (), {"data": {"a": {"b": 4}}, "none": None, "shout": lambda self: "Hi"})()
    assert value_at(row, "data.a.b") == 4
    assert value_at(row, "data.x.b") is None
    assert value_at(row, "none.any.thing") is None
    assert value_at(row, "shout") == "Hi"


def row_of(**values):
    return type("Row", (), values)()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("plain = text", "plain = text"),
        (-5, "-5"),
        (Decimal("-5.50"), "-5.50"),
        (Decimal("1E+3"), "1000"),
        (None, ""),
        ("", ""),
        (dt.datetime(2026, 3, 1, 13, tzinfo=dt.timezone(dt.timedelta(hours=1))), "2026-03-01 12:00:00"),
        (dt.date(2026, 3, 1), "2026-03-01"),
    ],
)
def test_cell_as_text(value, text):
    assert Column("a", "A").text(row_of(a=value)) == text


def test_cells_escape_what_people_typed():
    bad = row_of(a="<script>", b="<b>")
    for kind in ("text", "main", "code", "status", "warning"):
        drawn = conditional_escape(Column("a", "A", kind, sub="b").cell(bad, "/x/?a=1&b=2"))
        assert ("<script>" in drawn, "<b>" in drawn, "&lt;script&gt;" in drawn) == (False, False, True)
    assert Column("a", "A", "main").cell(bad, "/x/") == '<a class="cell-main nowrap" href="/x/">&lt;script&gt;</a>'
    assert Column("a", "A", sub="b").cell(bad) == '&lt;script&gt;<span class="cell-sub">&lt;b&gt;</span>'


def test_money_takes_its_currency_from_a_path_or_a_function():
    row = row_of(a=Decimal(5), currency="EUR")
    assert "5.00\u00a0EUR" in Column("a", "A", "money").cell(row)
    assert "5.00\u00a0USD" in Column("a", "A", "money", currency=lambda row: "USD").cell(row)
    assert Column("a", "A", "money").is_end
    assert not Column("a", "A").is_end


@pytest.mark.parametrize("kind", ["text", "main", "money", "number", "date", "when", "ago", "status", "flag", "code"])
def test_missing_value_is_a_dash(kind):
    assert "—" in Column("a", "A", kind).cell(row_of(a=None, currency="EUR"), "")
