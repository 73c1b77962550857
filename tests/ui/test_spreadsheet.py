"""The workbook: values of the right kind, nothing that Excel would run, and no memory that grows with the rows."""

import datetime as dt
import io
import tempfile
import tracemalloc
import zipfile
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from openpyxl import load_workbook

from core.jobs import JobState
from ui import spreadsheet
from ui.spreadsheet import sheet_columns, sheet_name, write_xlsx
from ui.tables import Column

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 7, 1, 12, 30, 15, 999, tzinfo=dt.UTC)


def book_of(columns: list[Column], rows: list[Any], **values: Any) -> Any:
    """The workbook as openpyxl reads it."""
    target = io.BytesIO()
    write_xlsx(target, title="Orders", columns=sheet_columns(columns), rows=rows, **values)
    return load_workbook(target)


def cell_of(value: object, kind: str = "text", **more: Any) -> Any:
    """The one cell of a workbook with one value."""
    return book_of([Column("a", "A", kind, **more)], [SimpleNamespace(a=value, currency="EUR")]).active["A2"]


@pytest.mark.parametrize("text", ["=1+1", "+49 30 1", "-5", "@SUM(A1)", "\t=1", "\n=1", '=HYPERLINK("http://a")'])
@pytest.mark.parametrize("kind", ["text", "main", "code", "clip", "warning", "number", "status"])
def test_text_is_never_a_formula(text, kind):
    cell = cell_of(text, kind)
    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", text, True)


@pytest.mark.parametrize("text", ["http://a.test/", "mailto:a@b.test", "007", "1e5", "2026-01-01", "TRUE"])
def test_text_stays_what_it_is(text):
    cell = cell_of(text)
    assert (cell.data_type, cell.value, cell.hyperlink, cell.quotePrefix) == ("s", text, None, False)


def test_text_with_signs_that_xml_cannot_hold_can_be_opened():
    assert cell_of("a\x01b\x0bc").value is not None
    assert len(cell_of("x" * 40_000).value) == spreadsheet.MAX_TEXT
    assert cell_of("Ωμέγα 😀\nsecond").value == "Ωμέγα 😀\nsecond"


@pytest.mark.parametrize(
    ("value", "kind", "found", "number_format"),
    [
        (Decimal("1234.50"), "money", 1234.5, "#,##0.00"),
        (Decimal("1234.5000"), "money", 1234.5, "#,##0.00"),
        (Decimal("0.0125"), "money", 0.0125, "#,##0.0000"),
        (Decimal("-7.25"), "money", -7.25, "#,##0.00"),
        (0, "money", 0, "#,##0.00"),
        (12, "number", 12, "0"),
        (-12, "text", -12, "0"),
        (Decimal("1.5"), "number", 1.5, "General"),
        (85, "percent", 0.85, "0.##%"),
        (Decimal("16.7"), "percent", 0.167, "0.##%"),
        (dt.date(2026, 7, 1), "date", dt.datetime(2026, 7, 1), "yyyy-mm-dd"),
        (NOON, "date", dt.datetime(2026, 7, 1), "yyyy-mm-dd"),
        (NOON, "when", dt.datetime(2026, 7, 1, 12, 30, 15), "yyyy-mm-dd hh:mm"),
        (NOON, "ago", dt.datetime(2026, 7, 1, 12, 30, 15), "yyyy-mm-dd hh:mm"),
        (True, "flag", True, "General"),
        (False, "flag", False, "General"),
        (True, "text", "Yes", "General"),
        (JobState.DONE, "text", "done", "General"),
        (10**15, "number", "1000000000000000", "General"),
        (10**15 - 1, "number", 10**15 - 1, "0"),
        (dt.date(1066, 10, 14), "date", "1066-10-14", "General"),
        (None, "money", None, "General"),
        ("", "text", None, "General"),
    ],
)
def test_value_has_its_kind(value, kind, found, number_format):
    cell = cell_of(value, kind)
    assert (cell.value, cell.number_format) == (found, number_format)


def test_times_are_in_the_active_zone_and_the_head_says_so():
    with timezone.override(ZoneInfo("Europe/Athens")):
        sheet = book_of([Column("a", "Placed", "when"), Column("a", "Day", "date")], [SimpleNamespace(a=NOON)]).active
    assert [cell.value for cell in sheet[1]] == ["Placed (Europe/Athens)", "Day"]
    assert sheet["A2"].value == dt.datetime(2026, 7, 1, 15, 30, 15)


def test_states_are_words_in_the_person_s_language():
    row = SimpleNamespace(state="sent_back", get_state_display=lambda: translation.gettext("Sent back"))
    columns = [Column("state", "State", "status"), Column("instance.state", "Other", "status")]
    row.instance = SimpleNamespace(state="not_yet")
    sheet = book_of(columns, [row]).active
    assert [cell.value for cell in sheet[2]] == ["Sent back", "not yet"]


def test_currency_has_a_column_behind_the_amounts():
    columns = [
        Column("net", "Net", "money"),
        Column("gross", "Gross", "money"),
        Column("cost", "Cost", "money", currency="cost_currency"),
        Column("name", "Name", sub="code", sub_label="Code"),
    ]
    row = SimpleNamespace(
        net=Decimal(1), gross=Decimal(2), cost=None, currency="EUR", cost_currency="USD", name="N", code="=C"
    )
    sheet = book_of(columns, [row]).active
    assert [cell.value for cell in sheet[1]] == [
        "Net", "Gross", "Currency of Gross", "Cost", "Currency of Cost", "Name", "Code",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[2]] == [1, 2, "EUR", None, "USD", "N", "=C"]
    one = [column.label for column in sheet_columns(columns[:2])]
    assert one == ["Net", "Gross", "Currency"]
    assert [column.text(row) for column in sheet_columns(columns)] == ["1", "2", "EUR", "", "USD", "N", "'=C"]


def test_head_stays_filters_and_fits():
    rows = [SimpleNamespace(a="x" * 30, b="y" * 300, c=1) for _number in range(3)]
    book = book_of([Column("a", "A"), Column("b", "B"), Column("c", "C")], rows, about="State: done")
    sheet = book.active
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:C4", "$1:$1")
    assert sheet["A1"].font.b
    assert [round(sheet.column_dimensions[name].width) for name in "ABC"] == [32, 61, 10]
    assert (book.properties.title, book.properties.description) == ("Orders", "State: done")


def test_list_without_rows_has_its_head():
    sheet = book_of([Column("a", "A")], []).active
    assert ([[cell.value for cell in row] for row in sheet], sheet.auto_filter.ref) == ([["A"]], "A1")


def test_rows_beyond_a_sheet_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 3)
    book = book_of([Column("a", "A")], [SimpleNamespace(a=number) for number in range(5)])
    assert {sheet.title: [cell.value for cell in sheet["A"]] for sheet in book} == {
        "Orders": ["A", 0, 1], "Orders (2)": ["A", 2, 3], "Orders (3)": ["A", 4],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Orders", "Orders"),
        ("a/b\\c?d*e[f]g:h", "a b c d e f g h"),
        ("'quoted'", "quoted"),
        ("x" * 40, "x" * 31),
        ("History", "Sheet"),
        ("  ", "Sheet"),
        ("Accounts of Standard's list, Germany", "Accounts of Standard's list, Ge"),
    ],
)
def test_sheet_has_a_name_excel_takes(title, name):
    assert sheet_name(title) == name
    assert len(sheet_name(title, 12)) <= 31
    assert sheet_name("x" * 40, 2) == "x" * 27 + " (2)"


def test_progress_may_end_the_work_and_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    heard: list[int] = []

    def stop(done: int) -> None:
        heard.append(done)
        if done == 4000:
            raise InterruptedError

    target = io.BytesIO()
    rows = (SimpleNamespace(a=number) for number in range(10_000))
    with pytest.raises(InterruptedError):
        write_xlsx(target, title="A", columns=sheet_columns([Column("a", "A")]), rows=rows, progress=stop)
    assert (heard, target.getvalue(), list(tmp_path.iterdir())) == ([2000, 4000], b"", [])


def peak(rows: int, path: Path) -> int:
    """How many bytes of memory a workbook of so many rows needs at most."""
    columns = sheet_columns([Column("a", "A"), Column("b", "B", "money"), Column("c", "C", "when")])
    with path.open("w+b") as target:
        tracemalloc.start()
        made = (SimpleNamespace(a=f"row {number}", b=Decimal(number), c=NOON, currency="EUR") for number in range(rows))
        write_xlsx(target, title="A", columns=columns, rows=made)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert zipfile.is_zipfile(path)
    return found


def test_memory_does_not_grow_with_the_rows(tmp_path):
    small, large = peak(500, tmp_path / "small.xlsx"), peak(5000, tmp_path / "large.xlsx")
    assert large < small + 300_000
