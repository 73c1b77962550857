"""An uploaded table, CSV or workbook, as rows of text by their heads; read with suspicion.

A CSV may be separated by commas, semicolons or tabs, as spreadsheets of different countries write it, and begin with a
byte order mark. Of a workbook the first sheet is read, its values and no formulas. Heads are compared in lower case.
"""

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from core.errors import BusinessError

MAX_BYTES = 5 * 1024 * 1024
# A workbook is packed: this is how large it may become, in bytes, before anything of it is read.
MAX_UNPACKED = 100 * 1024 * 1024
MAX_ROWS = 10_000
# Empty lines between the rows count as lines; a workbook may claim any number of them.
MAX_LINES = 100_000
MAX_COLUMNS = 50
MAX_CELL = 2000
# All cells together, in characters: a small workbook can say a lot, and what was read is kept until it is confirmed.
MAX_TEXT = 10_000_000
ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of the file: its number there (the head is 1) and its cells by head; all text, trimmed."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The heads that were found, in lower case, and the rows that are not empty."""

    heads: tuple[str, ...]
    rows: tuple[TableRow, ...]


def read_table(data: bytes) -> Table:
    """Read an uploaded file; a workbook is known by its first bytes, all else is taken for a CSV.

    Raises BusinessError ``file_too_large``, ``file_unreadable``, ``file_empty`` or ``too_many_rows``.
    """
    if len(data) > MAX_BYTES:
        raise BusinessError("file_too_large", _("The file is larger than 5 MB. Split it and try again."), field="file")
    lines = _workbook(data) if data.startswith(ZIP) else _csv(data)
    numbered = ((number, row) for number, row in enumerate(lines, start=1) if any(row))
    _number, heads = next(numbered, (0, []))
    names = [head.lower() for head in heads[:MAX_COLUMNS]]
    found = [
        TableRow(number, {name: cell[:MAX_CELL] for name, cell in zip(names, row, strict=False) if name})
        for number, row in islice(numbered, MAX_ROWS + 1)
    ]
    if not found:
        raise BusinessError("file_empty", _("The file has no rows below its heads."), field="file")
    if len(found) > MAX_ROWS:
        words = _("The file has more than %(n)s rows. Split it and try again.") % {"n": f"{MAX_ROWS:,}"}
        raise BusinessError("too_many_rows", words, field="file")
    if sum(len(cell) for row in found for cell in row.cells.values()) > MAX_TEXT:
        raise BusinessError("file_too_large", _("The workbook is too large. Split it."), field="file")
    return Table(tuple(name for name in names if name), tuple(found))


def _unreadable() -> BusinessError:
    return BusinessError("file_unreadable", _("This is neither a CSV in UTF-8 nor an Excel workbook."), field="file")


def _csv(data: bytes) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable() from error
    head = text.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True):
            yield [_plain(cell) for cell in row]
    except csv.Error as error:
        raise _unreadable() from error


def _plain(cell: str) -> str:
    """A cell as it was typed: our own CSVs put an apostrophe before what looks like a formula."""
    cell = cell.replace("\x00", "").strip()
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell


def _workbook(data: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(item.file_size for item in packed.infolist()) > MAX_UNPACKED:
                raise BusinessError("file_too_large", _("The workbook is too large. Split it."), field="file")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            yield from _sheet(book.worksheets[0].iter_rows(values_only=True, max_col=MAX_COLUMNS, max_row=MAX_LINES))
        finally:
            book.close()
    except BusinessError:
        raise
    except Exception as error:
        # Damaged workbooks make the library fail in many ways; for whoever uploads they are all the same.
        raise _unreadable() from error


def _sheet(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    for row in rows:
        yield [_text(value) for value in row]


def _text(value: Any) -> str:
    """A cell of a workbook as text; a number without digits behind the point is written without one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{Decimal(repr(value)).normalize():f}"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value).replace("\x00", "").strip()
