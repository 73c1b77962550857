"""A list as a spreadsheet: what each column becomes there, and the workbook itself.

A workbook holds values, not pictures of them: amounts and quantities are numbers, times are Excel dates in the zone
that the head names, yes and no are booleans. Its text is never a formula. What stands in small print below another
value on the screen, and the currency of amounts, have columns of their own. The CSV is for machines: it has the same
columns, with states as their codes and times in UTC.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import IO, Any

import xlsxwriter
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from core import clock
from ui.tables import FORMULA, Column, Row, plain_text

# Excel's own limits: rows of a sheet with its head, characters of a cell, digits of a number, the first day it knows.
MAX_ROWS = 1_048_576
MAX_TEXT = 32_767
MAX_DIGITS = 15
FIRST_YEAR = 1900
MIN_WIDTH, MAX_WIDTH = 9, 60
REPORT_EVERY = 2000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Value = str | int | Decimal | bool | dt.date | dt.datetime | None
Progress = Callable[[int], None]


@dataclass(frozen=True)
class SheetColumn:
    """One column of a spreadsheet: its head, how its values are read, and the column of the page it comes from."""

    label: str
    kind: str
    raw: Callable[[Row], Any]
    column: Column
    is_own: bool = True

    def text(self, row: Row) -> str:
        """The cell of a CSV."""
        return self.column.text(row) if self.is_own else plain_text(self.raw(row))

    def value(self, row: Row) -> Value:
        """The cell of a workbook: a number, a boolean, a date, a time in the active zone, text, or nothing."""
        found = self.raw(row)
        if found is None or found == "":
            return None
        if self.kind == "status":
            return self.column.words(row, found)
        if self.kind == "date" and isinstance(found, dt.datetime):
            return timezone.localdate(found)
        if self.kind == "flag":
            return bool(found)
        if isinstance(found, dt.datetime):
            return (timezone.make_naive(found) if timezone.is_aware(found) else found).replace(microsecond=0)
        if isinstance(found, bool):
            return _("Yes") if found else _("No")
        if self.kind == "percent":
            return Decimal(found) / 100
        # A choice of a model is a text or a number to Python, but here it is only its own code.
        if isinstance(found, int | Decimal | dt.date) and not isinstance(found, models.Choices):
            return found
        return str(found)


def sheet_columns(columns: Sequence[Column]) -> list[SheetColumn]:
    """The columns of a spreadsheet: each of the page, its small print, and behind amounts their currency, once each."""
    found: list[SheetColumn] = []
    money = [column for column in columns if column.kind == "money"]
    sources = list(dict.fromkeys(column.currency for column in money))
    for column in columns:
        found.append(SheetColumn(str(column.label), column.kind, column.raw, column))
        if column.sub:
            found.append(SheetColumn(str(column.sub_label or column.label), "text", column.below, column, is_own=False))
        if column.kind == "money" and column is [item for item in money if item.currency == column.currency][-1]:
            label = _("Currency") if len(sources) == 1 else _("Currency of %(name)s") % {"name": column.label}
            found.append(SheetColumn(label, "code", column.currency_of, column, is_own=False))
    return found


def sheet_name(title: str, number: int = 1) -> str:
    """A name Excel takes for a sheet: at most 31 characters, none of them special to it, and not its own "History"."""
    tail = f" ({number})" if number > 1 else ""
    name = re.sub(r"[\[\]:*?/\\\x00-\x1f]+", " ", title).strip(" '")[: 31 - len(tail)].strip(" '")
    return ("Sheet" if name.lower() in ("", "history") else name) + tail


def _head(column: SheetColumn) -> str:
    if column.kind in ("when", "ago"):
        return _("%(label)s (%(zone)s)") % {"label": column.label, "zone": timezone.get_current_timezone_name()}
    return column.label


class _Book:
    """A workbook that is written row by row and kept in temporary files, never in memory."""

    def __init__(self, target: IO[bytes], folder: str, title: str, columns: Sequence[SheetColumn]) -> None:
        self.title, self.columns, self.count = title, columns, 0
        self.book = xlsxwriter.Workbook(target, {"constant_memory": True, "tmpdir": folder})
        self.book.use_zip64()
        self.formats = {
            "head": self._format(bold=True, bg_color="#EDEDF5", bottom=1, valign="vcenter"),
            "date": self._format(num_format="yyyy-mm-dd", align="left"),
            "time": self._format(num_format="yyyy-mm-dd hh:mm", align="left"),
            "money": self._format(num_format="#,##0.00"),
            "fine": self._format(num_format="#,##0.0000"),
            "whole": self._format(num_format="0"),
            "percent": self._format(num_format="0.##%"),
            "plain": self._format(),
            # Excel keeps such a cell as text even when somebody edits it.
            "quoted": self._format(quote_prefix=True),
        }
        self.sheets = 0
        self._open_sheet()

    def _format(self, **values: Any) -> Any:
        return self.book.add_format({"valign": "top"} | values)

    def _open_sheet(self) -> None:
        self.sheets += 1
        self.sheet = self.book.add_worksheet(sheet_name(self.title, self.sheets))
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_row(0, 20)
        self.sheet.repeat_rows(0)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        self.row = 0
        heads = [_head(column) for column in self.columns]
        # The button of the filter stands over the end of the head.
        self.widths = [len(head) + 4 for head in heads]
        for place, head in enumerate(heads):
            self.sheet.write_string(0, place, head, self.formats["head"])

    def close_sheet(self) -> None:
        """Give the sheet what is known only at its end: widths, and the filter over all rows."""
        for place, width in enumerate(self.widths):
            self.sheet.set_column(place, place, min(max(width, MIN_WIDTH), MAX_WIDTH))
        if self.columns:
            self.sheet.autofilter(0, 0, self.row, len(self.columns) - 1)

    def finish(self, about: str) -> None:
        """Put the workbook together in its target."""
        self.close_sheet()
        now = timezone.make_naive(clock.now(), dt.UTC)
        self.book.set_properties({"title": self.title, "comments": about, "created": now})
        self.book.close()

    def let_go(self) -> None:
        """Close the temporary files of a workbook that was not finished."""
        for sheet in self.book.worksheets():
            sheet.row_data_fh.close()

    def add(self, row: Row) -> None:
        """Write one row, on a further sheet if this one is full."""
        if self.row + 1 >= MAX_ROWS:
            self.close_sheet()
            self._open_sheet()
        self.row += 1
        for place, column in enumerate(self.columns):
            width = self._write(place, column, column.value(row))
            self.widths[place] = max(self.widths[place], width)

    def _write(self, place: int, column: SheetColumn, value: Value) -> int:
        """Write one cell; returns how many characters wide it is."""
        line, sheet = self.row, self.sheet
        if value is None:
            return 0
        if isinstance(value, bool):
            sheet.write_boolean(line, place, value, self.formats["plain"])
            return 6
        if isinstance(value, dt.date) and value.year >= FIRST_YEAR:
            timed = isinstance(value, dt.datetime)
            sheet.write_datetime(line, place, value, self.formats["time" if timed else "date"])
            return 17 if timed else 12
        if isinstance(value, int | Decimal) and len(str(value).strip("-").replace(".", "")) <= MAX_DIGITS:
            sheet.write_number(line, place, value, self.formats[_number_format(column, value)])
            return len(f"{value:,}") + 1
        text = str(value)[:MAX_TEXT]
        sheet.write_string(line, place, text, self.formats["quoted" if text.startswith(FORMULA) else "plain"])
        return max(len(part) for part in text.split("\n")) + 1


def _number_format(column: SheetColumn, value: int | Decimal) -> str:
    if column.kind == "money":
        return "money" if value == Decimal(value).quantize(Decimal("0.01")) else "fine"
    if column.kind == "percent":
        return "percent"
    return "whole" if isinstance(value, int) else "plain"


def write_xlsx(
    target: IO[bytes],
    *,
    title: str,
    columns: Sequence[SheetColumn],
    rows: Iterable[Row],
    about: str = "",
    progress: Progress | None = None,
) -> int:
    """Write ``rows`` as a workbook to ``target`` and return how many there are; ``about`` says what was filtered.

    Memory does not grow with the rows. ``progress`` hears the number of rows done now and then; what it raises ends the
    work. Times are shown in the active time zone, words in the active language.
    """
    with TemporaryDirectory(prefix="cloudbss-sheet-") as folder:
        book = _Book(target, folder, title, columns)
        try:
            for row in rows:
                book.add(row)
                book.count += 1
                if progress and book.count % REPORT_EVERY == 0:
                    progress(book.count)
            book.finish(about)
        finally:
            book.let_go()
    target.seek(0)
    return book.count
