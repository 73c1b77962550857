"""Pages of lists: by number and by cursor, with totals that never cost a full scan (``api.md`` 3.1)."""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

import orjson
from django.core import signing
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest

from api.contract import known_options
from api.errors import invalid
from api.fields import Column, Columns, order_expressions
from core.keyset import beyond
from core.prepared import Kept

DEFAULT_SIZE = 10
LARGEST = 500
DEEPEST_ROW = 100_000
CURSOR_FROM_ROW = 10_000
EXACT_UP_TO = 100_000
CURSOR_SECONDS = 24 * 3600
LONGEST_CURSOR = 4000
SALT = "api.cursor"
# A list that was too long to be counted is not counted again for a while: its estimate is told at once.
LONG_SECONDS = 60
LONG_ONES = 1000
_long_until: dict[Hashable, float] = {}
OPTIONS = frozenset({"$filter", "$orderby"})
# What a cursor is bound to by itself, or what does not change which rows there are.
PLACE = frozenset({"pageindex", "pagesize", "cursor"})
HARMLESS = OPTIONS | PLACE | {"count", "include"}


Reader = Callable[..., list[dict[str, Any]]]
# Makes the rows of a list, if they are asked for.
Rows = Callable[[], QuerySet[Any]]


@dataclass(frozen=True)
class Wish:
    """What a caller asks of a list."""

    index: int
    size: int
    cursor: str
    wants_count: bool
    filter: str
    order: str


def wish_of(query: dict[str, str]) -> Wish:
    """Read the paging parameters; raises 400 naming the one that is wrong."""
    index, size = query.get("pageindex"), query.get("pagesize")
    cursor = query.get("cursor", "")
    if cursor and index is not None:
        raise invalid("cursor", "Send a cursor or a pageIndex, not both.", "cursor_with_page")
    count = query.get("count", "true").lower()
    if count not in ("true", "false"):
        raise invalid("count", "count is true or false.")
    found = Wish(
        _whole("pageIndex", index, 1, 10**9),
        _whole("pageSize", size, DEFAULT_SIZE, LARGEST),
        cursor,
        count == "true",
        query.get("$filter", ""),
        _order_text(query),
    )
    if (found.index - 1) * found.size >= DEEPEST_ROW:
        raise invalid("pageIndex", f"Pages end at row {DEEPEST_ROW:,}. Go on with the cursor.", "page_too_deep")
    return found


def _order_text(query: dict[str, str]) -> str:
    return query.get("$orderby", "")


def _whole(name: str, text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or text.startswith("0") or len(text) > 10 or int(text) > most:
        raise invalid(name, f"{name} is a whole number from 1 to {most}.")
    return int(text)


@dataclass(frozen=True)
class Page:
    """A page of values and the envelope around them."""

    rows: Sequence[Any]
    paging: dict[str, Any]
    links: dict[str, Any]

    def envelope(self, data: list[Any]) -> dict[str, Any]:
        """The answer of a list."""
        return {"data": data, "paging": self.paging, "links": self.links}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return ["t", value.isoformat()]
    if isinstance(value, Decimal):
        return ["d", str(value)]
    return value


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return dt.datetime.fromisoformat(value[1]) if value[0] == "t" else Decimal(value[1])
    return value


class _Json:
    """How cursors are written before they are signed."""

    dumps = staticmethod(orjson.dumps)
    loads = staticmethod(orjson.loads)


@dataclass(frozen=True)
class Pager:
    """Cuts one page out of ``rows``; ``owner`` binds cursors to the caller, ``read`` turns a query set into values."""

    request: HttpRequest
    owner: int
    columns: Columns
    staff: bool
    time_zone: str

    def page(self, rows: Rows, query: dict[str, str], read: Reader, kept_by: Hashable | None = None) -> Page:
        """The page that the query asks for; ``read`` gives one dictionary for each row, with ``pk`` and the marks.

        ``kept_by`` names all that ``rows`` depend on, if the statements of a page without a filter may be kept; then
        ``rows`` are only made if no statement is.
        """
        wish = wish_of(query)
        order = self.columns.order(wish.order, staff=self.staff)
        wanted = cache(lambda: self._wanted(rows(), wish, order))
        kept = None if wish.filter or kept_by is None else Kept(kept_by, wanted)
        total, estimated = self.total(wanted, wish, kept)
        binding = self.binding(wish)
        start = 0 if wish.cursor else (wish.index - 1) * wish.size
        row_number = start
        marks = {f"mark_{number}": F(column.path) for number, (column, _d) in enumerate(order)}
        behind: list[Any] = []
        if wish.cursor:
            row_number, *behind = self._opened(wish.cursor, binding)

        def ordered() -> QuerySet[Any]:
            found: QuerySet[Any] = wanted().order_by(*order_expressions(order)).annotate(**marks)
            return found

        source = _behind(ordered, order, behind, None if kept is None else (kept_by, wish.order))
        # One row more than the page tells whether there is another.
        found = read(source, slice(start, start + wish.size + 1), *marks)
        more, found = len(found) > wish.size, found[: wish.size]
        cursor = None
        if more and found:
            cursor = self._sealed(found[-1], len(order), binding, row_number + len(found))
        paging = self.paging(wish, row_number, total, cursor) | {"totalIsEstimate": estimated}
        return Page(found, paging, self.links(wish, total, cursor, row_number, len(found)))

    def _wanted(self, rows: QuerySet[Any], wish: Wish, order: Sequence[tuple[Column, bool]]) -> QuerySet[Any]:
        """``rows`` with what their order needs, that the filter lets through."""
        rows = self.columns.needed(rows, [column for column, _descending in order])
        if not wish.filter:
            return rows
        return self.columns.filtered(rows, wish.filter, staff=self.staff, time_zone=self.time_zone)

    def paging(self, wish: Wish, start: int, total: int | None, cursor: str | None) -> dict[str, Any]:
        """Where the page stands in the list."""
        return {
            "page": start // wish.size + 1,
            "size": wish.size,
            "totalPages": None if total is None else -(-total // wish.size),
            "totalRecords": total,
            "totalIsEstimate": False,
            "nextCursor": cursor,
        }

    def total(self, rows: Rows, wish: Wish, kept: Kept | None) -> tuple[int | None, bool]:
        """How many rows there are, if the caller wants to know, and whether that is an estimate."""
        return _total(rows, kept) if wish.wants_count else (None, False)

    def binding(self, wish: Wish) -> str:
        """What a cursor holds for: the same address, filter, order and size, and whatever else narrows the list."""
        asked = ((name.lower(), value) for name, value in self.request.GET.items())
        others = sorted(item for item in asked if item[0] in known_options() - HARMLESS)
        text = json.dumps([self.request.path_info, wish.filter, wish.order, wish.size, *others])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _sealed(self, row: Any, terms: int, binding: str, row_number: int) -> str:
        values = [_plain(row[f"mark_{number}"]) for number in range(terms)]
        return self.sealed_mark(row_number, values, row["pk"], binding)

    def _opened(self, text: str, binding: str) -> tuple[Any, ...]:
        """The row number, and the values and key of the row before."""
        row_number, values, key = self.opened_mark(text, binding)
        return row_number, *[_value(value) for value in values], key

    def opened_mark(self, text: str, binding: str) -> tuple[int, list[Any], Any]:
        """What a cursor says: the row it goes on at, and the values and key of the one before."""
        try:
            if len(text) > LONGEST_CURSOR:
                raise signing.BadSignature("longer than any of ours")
            owner, bound, row_number, values, key = signing.loads(
                text, salt=SALT, serializer=_Json, max_age=CURSOR_SECONDS
            )
        except (signing.BadSignature, ValueError, TypeError):
            raise invalid("cursor", "This cursor is too old, or none of ours.", "invalid_cursor") from None
        if owner != self.owner:
            raise invalid("cursor", "This cursor is too old, or none of ours.", "invalid_cursor")
        if bound != binding:
            raise invalid("cursor", "This cursor belongs to another list, filter, order or size.", "cursor_mismatch")
        return row_number, values, key

    def sealed_mark(self, row_number: int, values: list[Any], key: Any, binding: str) -> str:
        """A cursor that goes on behind a row."""
        return signing.dumps([self.owner, binding, row_number, values, key], salt=SALT, serializer=_Json)

    def links(self, wish: Wish, total: int | None, cursor: str | None, start: int, length: int) -> dict[str, Any]:
        """Absolute addresses of the pages around this one, which begins behind ``start`` rows."""
        others = [item for item in self.request.GET.items() if item[0].lower() not in PLACE]
        base = self.request.build_absolute_uri(self.request.path)
        size = wish.size
        end = f"&pageSize={size}" + ("&" + urlencode(others) if others else "")

        def page(index: int) -> str:
            return f"{base}?pageIndex={index}{end}"

        def behind(cursor: str) -> str:
            # Django's signatures are made of letters that an address takes as they are.
            return f"{base}?cursor={cursor}{end}"

        here = behind(wish.cursor) if wish.cursor else page(wish.index)
        # One page back there is always a page with a number, as deep as numbers go.
        index = wish.index if not wish.cursor else start // size + 1
        before = page(index - 1) if index > 1 and (index - 2) * size < DEEPEST_ROW else None
        follows = None
        if cursor is not None:
            by_number = not wish.cursor and start + length < CURSOR_FROM_ROW
            follows = page(wish.index + 1) if by_number else behind(cursor)
        pages = None if total is None else max(-(-total // size), 1)
        last = page(pages) if pages and (pages - 1) * size < DEEPEST_ROW else None
        return {
            "self": here,
            "first": page(1),
            "last": last,
            "next": follows,
            "previous": before,
        }


def _total(rows: Rows, kept: Kept | None) -> tuple[int, bool]:
    """How many rows, exact up to a limit; above it what the planner expects."""
    if kept is None:
        counted = rows().order_by()[: EXACT_UP_TO + 1].count()
        if counted <= EXACT_UP_TO:
            return counted, False
        plan = orjson.loads(rows().order_by().values("pk").explain(format="json"))
        return max(int(plan[0]["Plan"]["Plan Rows"]), counted), True
    now = time.monotonic()
    if _long_until.get(kept.by, 0) < now:
        counted = kept.count(EXACT_UP_TO + 1)
        if counted <= EXACT_UP_TO:
            return counted, False
        if len(_long_until) >= LONG_ONES:
            _long_until.clear()
        _long_until[kept.by] = now + LONG_SECONDS
    return max(kept.estimate(), EXACT_UP_TO + 1), True


# Stand for the values of the row before, by their types; each that a cursor may hold must be one of its own.
STAND_INS: dict[type, Callable[[int], Any]] = {
    dt.datetime: lambda number: dt.datetime(1, 1, 3 + number, tzinfo=dt.UTC),
    Decimal: lambda number: Decimal(-7_777_001 - number),
    int: lambda number: 1_999_777_001 + number,  # Django knows that no smaller whole number has room in a column.
    str: lambda number: f"the value of mark {number}",
}


def _behind(
    rows: Rows, order: Sequence[tuple[Column, bool]], mark: Sequence[Any], kept_by: Hashable | None
) -> QuerySet[Any] | Kept:
    """Those of ``rows`` that come behind a row with these values and key, or all; as kept ones, if they may be."""
    if kept_by is None or any(type(value) not in STAND_INS for value in mark if value is not None):
        return rows().filter(_after(order, mark[:-1], mark[-1])) if mark else rows()
    values = {
        f"value_{number}": (STAND_INS[type(value)](number), value)
        for number, value in enumerate(mark)
        if value is not None
    }

    def make(**given: Any) -> QuerySet[Any]:
        told = [given.get(f"value_{number}") for number in range(len(mark))]
        return rows().filter(_after(order, told[:-1], told[-1])) if told else rows()

    return Kept((kept_by, len(mark), *values), make, values)


def _after(order: Sequence[tuple[Column, bool]], values: Sequence[Any], key: Any) -> Q:
    """Rows behind a mark: the first column that differs decides; empty ones come last, whichever way."""
    terms = [
        (column.path, descending, column.nullable, value)
        for (column, descending), value in zip(order, values, strict=True)
    ]
    terms.append(("pk", order[0][1], False, key))
    path, descending, nullable, value = terms[0]
    if not any(term[2] or term[3] is None or term[1] != descending for term in terms):
        return beyond([(term[0], term[3]) for term in terms], up=not descending)
    # Otherwise the database goes to the mark along an index only by a bound that holds for all rows behind it.
    bound = Q() if nullable or value is None else Q(**{f"{path}__{'lte' if descending else 'gte'}": value})
    found, same = Q(pk__in=()), Q()
    for path, descending, nullable, value in terms:
        if value is None:
            same &= Q(**{f"{path}__isnull": True})
            continue
        behind = Q(**{f"{path}__{'lt' if descending else 'gt'}": value})
        if nullable:
            behind |= Q(**{f"{path}__isnull": True})
        found |= same & behind
        same &= Q(**{path: value})
    return bound & found
