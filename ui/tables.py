"""Tables: declared columns, sorting, and pages found by the last row seen instead of by counting (keyset paging)."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, IntegerField, Model, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from core.keyset import beyond
from ui.templatetags import kit
from ui.tones import tone_of

SALT = "ui.tables"
SIZES = (25, 50, 100)
COUNT_CAP = 10_000
PAYERS = ("payer", "bill_to")
CLIP = 120
# A name of so many characters, such as an order number, is never broken.
SHORT = 14
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Row = Any


def value_at(row: Row, path: str) -> Any:
    """Follow a dotted path of attributes; a method without arguments is called, a missing link gives None."""
    value = row
    for name in path.split("."):
        if value is None:
            return None
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if callable(value) and not isinstance(value, type):
            value = value()
    return value


def plain_text(value: object) -> str:
    """A value as text of a CSV: times in UTC, amounts unrounded, and an apostrophe before what looks like a formula."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    return "'" + text if text.startswith(FORMULA) and not isinstance(value, int) else text


@dataclass(frozen=True)
class Column:
    """One column: where its value is, how it looks, and by which field it sorts (none: not sortable).

    ``kind`` is text, main (the row's name, linked), money, number, percent, date, when, ago, status, flag, warning,
    code or clip (long text, cut in the page and whole in a spreadsheet). ``sub`` is a path whose value is shown below
    in small, and in a spreadsheet in a column of its own under ``sub_label``; ``currency`` is the path of a money
    column's currency, or a function of the row. What stands in files alone (``in_files_only``) keeps the page narrow.
    """

    path: str
    label: Any
    kind: str = "text"
    sort: str = ""
    sub: str = ""
    sub_label: Any = ""
    currency: str | Callable[[Row], str] = "currency"
    show: Callable[[Row], Any] | None = None
    in_files_only: bool = False

    @property
    def is_end(self) -> bool:
        """Whether the column is flush right: figures are."""
        return self.kind in ("money", "number", "percent")

    def raw(self, row: Row) -> Any:
        """The value itself."""
        return self.show(row) if self.show else value_at(row, self.path)

    def below(self, row: Row) -> Any:
        """The small print's value."""
        return value_at(row, self.sub) if self.sub else ""

    def currency_of(self, row: Row) -> str:
        """The currency of a row's amount; empty if there is none."""
        return str((self.currency(row) if callable(self.currency) else value_at(row, self.currency)) or "")

    def words(self, row: Row, value: Any) -> str:
        """A state in words: the model's, or its code as it is read aloud."""
        shown = value_at(row, f"get_{self.path}_display") if "." not in self.path else value
        return str(shown or value).replace("_", " ")

    def cell(self, row: Row, url: str = "") -> SafeString | str:
        """The cell as HTML."""
        body = self._body(row, url)
        below = self.below(row)
        return format_html('{}<span class="cell-sub">{}</span>', body, below) if below else body

    def _body(self, row: Row, url: str) -> SafeString | str:
        value = self.raw(row)
        match self.kind:
            case "money":
                return kit.money(value, self.currency_of(row))
            case "percent":
                return "—" if value is None else f"{value} %"
            case "when":
                return kit.when(value)
            case "date":
                return kit.when(timezone.localdate(value) if isinstance(value, dt.datetime) else value)
            case "ago":
                return kit.ago(value)
            case "status":
                return kit.badge(self.words(row, value), tone_of(value)) if value else "—"
            case "flag":
                return kit.yes_no(value)
            case "clip" if value:
                return Truncator(str(value)).chars(CLIP)
            case "warning":
                return kit.badge(value, "danger") if value else ""
            case "code":
                return format_html('<span class="mono">{}</span>', value or "—")
            case "main" if url:
                name = str(value or "—")
                short = " nowrap" if len(name) <= SHORT else ""
                return format_html('<a class="cell-main{}" href="{}">{}</a>', short, url, name)
            case _:
                return "—" if value in (None, "") else str(value)

    def text(self, row: Row) -> str:
        """The cell of a CSV."""
        value = self.raw(row)
        return f"{value} %" if self.kind == "percent" and value is not None else plain_text(value)


def cell_openings(columns: Sequence[Column]) -> list[SafeString]:
    """The opening tag of each column's cells, the same for all rows of a page."""
    plain, end = '<td data-label="{}">', '<td class="end" data-label="{}">'
    return [format_html(end if column.is_end else plain, column.label) for column in columns]


def row_cells(columns: Sequence[Column], openings: Sequence[SafeString], row: Row, url: str = "") -> SafeString:
    """The cells of one row as HTML."""
    cells = ((opening, column.cell(row, url)) for opening, column in zip(openings, columns, strict=True))
    return format_html_join("", "{}{}</td>", cells)


@dataclass(frozen=True)
class Window:
    """One page of rows with the cursors of its neighbours (empty: there is none)."""

    rows: Sequence[Row]
    before: str
    after: str


def sort_field(model: type[Model], path: str) -> Field[Any, Any]:
    """The model field behind a sort path such as ``account__name``."""
    field: Any = None
    for name in path.split("__"):
        field = model._meta.get_field(name) if name != "pk" else model._meta.pk
        model = field.related_model or model
    if field is None:
        raise FieldDoesNotExist(path)
    return field  # type: ignore[no-any-return]


def _sort_field(rows: QuerySet[Any], path: str) -> Field[Any, Any]:
    """What the rows are sorted by: a column of theirs that was worked out, or a field of the model."""
    known = rows.query.annotations.get(path)
    return known.output_field if known is not None else sort_field(rows.model, path)


def _nullable(rows: QuerySet[Any], path: str) -> bool:
    model: Any = rows.model
    if path in rows.query.annotations:
        return bool(_sort_field(rows, path).null)
    for name in path.split("__"):
        field: Any = model._meta.get_field(name) if name != "pk" else model._meta.pk
        if field.null:
            return True
        model = field.related_model or model
    return False


def _write(pk: int, value: Any) -> str:
    plain = value.isoformat() if isinstance(value, dt.date) else None if value is None else str(value)
    return signing.dumps([plain, pk], salt=SALT, compress=False)


def _read(rows: QuerySet[Any], path: str, cursor: str) -> tuple[Any, int] | None:
    try:
        value, pk = signing.loads(cursor, salt=SALT)
        return (None if value is None else _sort_field(rows, path).to_python(value)), int(pk)
    except (signing.BadSignature, ValidationError, ValueError, TypeError):
        return None


def _beyond(path: str, value: Any, pk: int, *, up: bool, nulls_follow: bool, nullable: bool) -> Q:
    """Rows that come after (value, pk) when walking up or down; nulls come last when walking with the list's order."""
    step = "gt" if up else "lt"
    if path == "pk":
        return Q(**{f"pk__{step}": pk})
    if value is None:
        same = Q(**{f"{path}__isnull": True, f"pk__{step}": pk})
        return same if nulls_follow else same | Q(**{f"{path}__isnull": False})
    found = beyond([(path, value), ("pk", pk)], up=up)
    return found | Q(**{f"{path}__isnull": True}) if nulls_follow and nullable else found


def ordered(rows: QuerySet[Any], sort: str, *, back: bool = False) -> QuerySet[Any]:
    """The rows in a list's order (nulls last, the pk breaks ties), or exactly the other way round."""
    path, down = sort.removeprefix("-"), sort.startswith("-")
    up = down if back else not down
    nullable = _nullable(rows, path)
    nulls = {"nulls_first": True} if back and nullable else {"nulls_last": True} if nullable else {}
    key = F(path)
    return rows.order_by(key.asc(**nulls) if up else key.desc(**nulls), "pk" if up else "-pk")


@dataclass(frozen=True)
class _Place:
    """A page before its rows are read: what each is sorted by, by key, and whether there are rows before and after.

    ``whole`` are its rows, if they were read at once.
    """

    keys: dict[int, Any]
    has_before: bool
    has_after: bool
    whole: Sequence[Row] = ()

    def window(self, rows: Sequence[Row]) -> Window:
        """The page with its rows."""
        if not self.keys:
            return Window([], "", "")
        keys = list(self.keys.items())
        first, last = keys[0], keys[-1]
        return Window(rows, _write(*first) if self.has_before else "", _write(*last) if self.has_after else "")


def _in_order_of(rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    """The same rows, where they are sorted by a column of their account, so that it can be walked along an index.

    Whose something is and who pays for it are of its own organization; PostgreSQL does not know, and would sort all.
    """
    link, _, column = path.partition("__")
    model: Any = rows.model
    if not column or link in rows.query.annotations or link not in (model.tenant_account, *PAYERS):
        return rows
    if model._meta.get_field(link).null:
        return rows
    return rows.filter(**{f"{link}__organization": F("organization")})


def _place(
    rows: QuerySet[Any], *, sort: str, size: int, after: str = "", before: str = "", whole: bool = False
) -> _Place:
    path, down = sort.removeprefix("-"), sort.startswith("-")
    back = bool(before)
    cursor = _read(rows, path, before or after) if before or after else None
    if cursor is None:
        back = False
    up = down if back else not down
    if cursor is not None:
        nullable = _nullable(rows, path)
        rows = rows.filter(_beyond(path, *cursor, up=up, nulls_follow=not back, nullable=nullable))
    names = ("pk",) if path == "pk" else ("pk", path)
    if not whole:
        rows = _in_order_of(rows.prefetch_related(None), path)
    rows = ordered(rows, sort, back=back)
    found: list[Any] = list((rows if whole else rows.values_list(*names))[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    keys = {row.pk: row.pk for row in found} if whole else {row[0]: row[-1] for row in found}
    has_before, has_after = (more, True) if back else (cursor is not None, more)
    return _Place(keys, has_before, has_after, found if whole else ())


def window(rows: QuerySet[Any], **place: Any) -> Window:
    """One page of ``rows`` by ``sort`` (``-`` for descending), ``size`` rows ``after`` or ``before`` a cursor.

    A bad cursor means the start. The row's pk breaks ties, nulls come last, and the work is the same on the first page
    and on the thousandth. First the keys of the page are found, then what it shows of these rows: PostgreSQL would
    otherwise join and carry along everything that a row shows for each row of the list that it sorts.
    """
    found = _place(rows, **place)
    return found.window(_rows_of(rows, found))


def _rows_of(details: QuerySet[Any], place: _Place) -> list[Row]:
    """The rows of a page in its order; one that went away meanwhile is left out."""
    if not place.keys:
        return []
    by_key = {row.pk: row for row in details.order_by().filter(pk__in=list(place.keys))}
    return [by_key[key] for key in place.keys if key in by_key]


class _Counted(Subquery):
    """How many rows a subquery has, told beside each row of another; it is counted once."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counted_window(
    rows: QuerySet[Any], *, details: QuerySet[Any] | None = None, **place: Any
) -> tuple[Window, int, bool]:
    """One page as :func:`window` gives it, and with the same statements what :func:`capped_count` says.

    ``details`` are the rows before they were filtered, so that what was searched for is not compared once more; a list
    that is not filtered has none, and by its key it takes one statement. One that fits on its page is not counted.
    """
    total = _Counted(rows.order_by().values("pk")[: COUNT_CAP + 1])
    if details is None and place["sort"].removeprefix("-") == "pk":
        found = _place(rows.annotate(rows_counted=total), **place, whole=True)
        shown = found.whole
    else:
        found, details = _place(rows, **place), rows if details is None else details
        is_short = not found.has_before and not found.has_after
        shown = _rows_of(details if is_short else details.annotate(rows_counted=total), found)
    page = found.window(shown)
    if not found.has_before and not found.has_after:
        return page, len(found.keys), False
    if not shown:
        return page, *capped_count(rows)
    count: int = shown[0].rows_counted
    return page, min(count, COUNT_CAP), count > COUNT_CAP


def capped_count(rows: QuerySet[Any], cap: int = 0) -> tuple[int, bool]:
    """How many rows there are, counting no further than the cap; and whether there are more."""
    cap = cap or COUNT_CAP
    count = rows.order_by()[: cap + 1].count()
    return min(count, cap), count > cap
