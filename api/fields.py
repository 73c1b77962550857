"""The table of public names: what may be filtered and ordered by, and the column behind it (``api.md`` 3.2, 3.3).

A filter's tree becomes a query here and nowhere else. Comparisons are two-valued: with an empty column they are false,
``ne`` is the opposite of ``eq``, ``not`` flips.
"""

import datetime as dt
import math
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Expression, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf

from api.errors import ApiError
from api.grammar import Both, Literal, Node, Not, Test, parse

NOTHING = Q(pk__in=())
MILLISECOND = dt.timedelta(milliseconds=1)
MAX_ORDERS = 3
KINDS: dict[str, tuple[str, ...]] = {
    "text": ("eq", "ne", "gt", "ge", "lt", "le", "in", "contains", "startswith", "endswith"),
    "word": ("eq", "ne", "in"),
    "number": ("eq", "ne", "gt", "ge", "lt", "le", "in"),
    "integer": ("eq", "ne", "gt", "ge", "lt", "le", "in"),
    "bool": ("eq", "ne"),
    "guid": ("eq", "ne", "in"),
    "moment": ("eq", "ne", "gt", "ge", "lt", "le"),
    "day": ("eq", "ne", "gt", "ge", "lt", "le"),
    "several": ("eq", "ne", "in"),
}
_LOOKUPS = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}
_TEXT_LOOKUPS = {"contains": "icontains", "startswith": "istartswith", "endswith": "iendswith", "eq": "iexact"}


@dataclass(frozen=True)
class Column:
    """A public name. ``path`` is one column, or the alias of ``expression``; without either it is always empty.

    ``words`` are the words of the wire with the stored values behind each; ``several`` is a list of words, of which eq
    finds one; ``day`` is an ISO date as text. ``always`` is the value of a column that is the same in every row.
    ``staff`` columns exist for the organization's programs alone. An empty text means null.
    """

    name: str
    kind: str = "text"
    path: str = ""
    expression: Callable[[], Combinable] | None = None
    words: Mapping[str, Sequence[Any]] | None = None
    always: Any = None
    filters: bool = True
    orders: bool = False
    staff: bool = False
    nullable: bool = False


def truth(condition: Q) -> Callable[[], Combinable]:
    """The expression of a column that is true where the condition holds."""
    return lambda: ExpressionWrapper(condition, output_field=BooleanField())


def null_if_empty(path: str) -> Callable[[], Combinable]:
    """The expression of a text column that lists put last where it is empty, as the wire tells null."""
    return lambda: NullIf(F(path), Value(""))


class Columns:
    """The names of one resource, and the order of its lists."""

    def __init__(self, columns: Iterable[Column], *, default_order: tuple[str, bool]) -> None:
        self.all = tuple(columns)
        self.by_name = {column.name.lower(): column for column in self.all}
        self.default_order = default_order

    def plus(self, more: Iterable[Column]) -> "Columns":
        """These and more."""
        return Columns((*self.all, *more), default_order=self.default_order)

    def names(self, *, staff: bool, orders: bool = False) -> list[str]:
        """The names a caller may use, in the order of the table."""
        return [
            column.name
            for column in self.all
            if (column.orders if orders else column.filters) and (staff or not column.staff)
        ]

    def find(self, name: str, *, staff: bool, orders: bool = False) -> Column:
        """The column of a name; raises 400 with the names there are."""
        column = self.by_name.get(name.lower())
        usable = column is not None and (column.orders if orders else column.filters)
        if column is None or not usable or (column.staff and not staff):
            code, parameter = ("unknown_orderby_field", "$orderBy") if orders else ("unknown_filter_field", "$filter")
            known = ", ".join(self.names(staff=staff, orders=orders))
            message = f"'{name[:60]}' is not a name of {parameter} here. Use one of: {known}."
            raise ApiError(400, code, message, errors=[{"code": code, "detail": message, "parameter": parameter}])
        return column

    def needed(self, rows: QuerySet[Any], columns: Iterable[Column]) -> QuerySet[Any]:
        """``rows`` with the expressions of these columns."""
        made = {column.path: column.expression() for column in columns if column.expression and column.path}
        missing = {name: made[name] for name in made if name not in rows.query.annotations}
        return rows.alias(**missing) if missing else rows

    def filtered(self, rows: QuerySet[Any], text: str, *, staff: bool, time_zone: str) -> QuerySet[Any]:
        """``rows`` that a filter lets through."""
        builder = Builder(self, staff, ZoneInfo(time_zone))
        condition = builder.query(parse(text))
        return self.needed(rows, builder.used).filter(condition)

    def order(self, text: str, *, staff: bool) -> list[tuple[Column, bool]]:
        """What an order names, as (column, descending); at most three, each once."""
        if not text.strip():
            name, descending = self.default_order
            return [(self.by_name[name.lower()], descending)]
        parts = [part.split() for part in text.split(",")]
        if len(parts) > MAX_ORDERS:
            raise _bad_order(f"At most {MAX_ORDERS} names order a list.")
        found: list[tuple[Column, bool]] = []
        for part in parts:
            if not 1 <= len(part) <= 2 or (len(part) == 2 and part[1].lower() not in ("asc", "desc")):
                raise _bad_order("Write a name, and asc or desc behind it.")
            column = self.find(part[0], staff=staff, orders=True)
            if any(column is known for known, _descending in found):
                raise _bad_order(f"'{column.name}' stands there twice.")
            found.append((column, len(part) == 2 and part[1].lower() == "desc"))
        return found


def _bad_order(message: str) -> ApiError:
    code = "unknown_orderby_field"
    return ApiError(400, code, message, errors=[{"code": code, "detail": message, "parameter": "$orderBy"}])


def order_expressions(order: Sequence[tuple[Column, bool]]) -> list[Expression]:
    """The order for the database: empty last, whichever way, and the key at the end."""
    found: list[Expression] = []
    for column, descending in order:
        last = True if column.nullable else None
        term = F(column.path)
        found.append(term.desc(nulls_last=last) if descending else term.asc(nulls_last=last))
    found.append(F("pk").desc() if order[0][1] else F("pk").asc())
    return found


def wrong(literal: Literal, message: str, code: str = "filter_type") -> ApiError:
    """400 for a value that does not fit its field."""
    text = f"$filter, position {literal.position + 1}: {message}"
    return ApiError(400, code, text, errors=[{"code": code, "detail": text, "parameter": "$filter"}])


class Builder:
    """From tree to query; ``used`` collects the columns whose expressions are needed."""

    def __init__(self, columns: Columns, staff: bool, zone: ZoneInfo) -> None:
        self.columns = columns
        self.staff = staff
        self.zone = zone
        self.used: list[Column] = []

    def query(self, node: Node) -> Q:
        """The condition of a tree."""
        match node:
            case Not():
                return ~self.query(node.part)
            case Both():
                found = self.query(node.parts[0])
                for part in node.parts[1:]:
                    found = found & self.query(part) if node.word == "and" else found | self.query(part)
                return found
            case Test():
                condition = self.test(node)
                return ~condition if node.negated else condition

    def fitting(self, node: Test) -> Column:
        """The column of a comparison; 400 if its operator does not fit."""
        column = self.columns.find(node.field, staff=self.staff)
        first = node.values[0]
        if node.operator not in KINDS[column.kind]:
            raise wrong(first, f"'{node.operator}' does not fit {column.name}.")
        if any(value.kind == "null" for value in node.values) and node.operator not in ("eq", "ne"):
            raise wrong(first, "null goes with eq and ne only.")
        self.used.append(column)
        return column

    def test(self, node: Test) -> Q:
        """The condition of one comparison."""
        column, first = self.fitting(node), node.values[0]
        if node.operator == "ne":
            return ~self.one(column, "eq", first)
        if node.operator == "in":
            found = NOTHING
            for value in node.values:
                found = found | self.one(column, "eq", value)
            return found
        return self.one(column, node.operator, first)

    def one(self, column: Column, operator: str, literal: Literal) -> Q:
        """The condition with one value."""
        if literal.kind == "null":
            return _is_empty(column)
        value = self.value(column, literal)
        if not column.path:
            return _constant(column, operator, value)
        condition = _condition(column, operator, value)
        return condition & ~_is_empty(column) if column.nullable or column.kind == "text" else condition

    def value(self, column: Column, literal: Literal) -> Any:
        """A literal as a value of the column; 400 if it is none."""
        match column.kind:
            case "text":
                return _expect(literal, "string", column).text
            case "word" | "several":
                return _word(column, _expect(literal, "string", column))
            case "day":
                return _day(column, literal)
            case "number" | "integer":
                return Decimal(_expect(literal, "number", column).text)
            case "bool":
                return _boolean(column, literal)
            case "guid":
                return _guid(column, literal)
            case _:
                return self.moment(column, literal)

    def moment(self, column: Column, literal: Literal) -> dt.datetime:
        """A moment in UTC; without an offset in the organization's time zone."""
        if literal.kind not in ("moment", "date", "string"):
            raise wrong(literal, f"{column.name} is compared with a date or a moment.")
        text = literal.text.strip()
        if len(text) > 10 and text[10] == "T" and len(text) > 6 and text[-6] == " ":
            text = f"{text[:-6]}+{text[-5:]}"  # The sign of an offset that was lost in an address.
        try:
            found = dt.datetime.fromisoformat(text)
            found = found if found.tzinfo else found.replace(tzinfo=self.zone)
            return found.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise wrong(literal, f"'{literal.text[:40]}' is no date.") from None


def _expect(literal: Literal, kind: str, column: Column) -> Literal:
    if literal.kind != kind:
        what = {"string": "a text in single quotes", "number": "a number"}[kind]
        raise wrong(literal, f"{column.name} is compared with {what}.")
    return literal


def _word(column: Column, literal: Literal) -> tuple[Any, ...]:
    known = {word.lower(): values for word, values in (column.words or {}).items()}
    if literal.text.lower() not in known:
        words = ", ".join(column.words or {})
        raise wrong(literal, f"{column.name} knows the words: {words}.", "unknown_word")
    return tuple(known[literal.text.lower()])


def _day(column: Column, literal: Literal) -> str:
    try:
        if literal.kind not in ("date", "string") or len(literal.text) != 10:
            raise ValueError
        return dt.date.fromisoformat(literal.text).isoformat()
    except ValueError:
        raise wrong(literal, f"{column.name} is compared with a day such as 2026-12-31.") from None


def _boolean(column: Column, literal: Literal) -> bool:
    if literal.kind not in ("bool", "string") or literal.text.lower() not in ("true", "false"):
        raise wrong(literal, f"{column.name} is true or false.")
    return literal.text.lower() == "true"


def _guid(column: Column, literal: Literal) -> uuid.UUID:
    try:
        if literal.kind not in ("guid", "string") or len(literal.text) != 36:
            raise ValueError
        return uuid.UUID(literal.text)
    except ValueError:
        raise wrong(literal, f"{column.name} is compared with a GUID.") from None


def _is_empty(column: Column) -> Q:
    """Whether the column has no value in a row."""
    if not column.path:
        return ~NOTHING if column.always is None else NOTHING
    found = Q(**{f"{column.path}__isnull": True}) if column.nullable else NOTHING
    if column.kind in ("text", "word"):
        found = found | Q(**{column.path: ""})
    return found


def _constant(column: Column, operator: str, value: Any) -> Q:
    """A comparison with a value that is the same in every row, or in none."""
    if column.always is None:
        return NOTHING
    given = column.always
    if column.kind == "word":
        return ~NOTHING if given in value else NOTHING
    if operator == "eq":
        return ~NOTHING if given == value else NOTHING
    return NOTHING


def _condition(column: Column, operator: str, value: Any) -> Q:
    path = column.path
    match column.kind:
        case "text":
            return Q(**{f"{path}__{_TEXT_LOOKUPS.get(operator) or _LOOKUPS[operator]}": value})
        case "word":
            return Q(**{f"{path}__in": value})
        case "several":
            return Q(**{f"{path}__contains": list(value)})
        case "bool" | "guid":
            return Q(**{path: value})
        case "integer":
            return _integer(path, operator, value)
        case "moment":
            return _moment(path, operator, value)
        case _:
            return Q(**{path if operator == "eq" else f"{path}__{_LOOKUPS[operator]}": value})


def _integer(path: str, operator: str, value: Decimal) -> Q:
    whole = math.floor(value)
    if abs(whole) >= 2**62:  # Beyond every column: the comparison has one answer for all rows.
        return ~NOTHING if (operator in ("lt", "le")) == (whole > 0) and operator != "eq" else NOTHING
    if whole != value:
        operator = {"gt": "gt", "ge": "gt", "lt": "le", "le": "le"}.get(operator, "none")
        if operator == "none":
            return NOTHING
    return Q(**{path if operator == "eq" else f"{path}__{_LOOKUPS[operator]}": whole})


def _moment(path: str, operator: str, value: dt.datetime) -> Q:
    """The wire tells milliseconds, so a moment stands for the whole of its millisecond."""
    try:
        after = value + MILLISECOND
    except OverflowError:
        after = value
    match operator:
        case "eq":
            return Q(**{f"{path}__gte": value, f"{path}__lt": after})
        case "gt":
            return Q(**{f"{path}__gte": after})
        case "le":
            return Q(**{f"{path}__lt": after})
        case _:
            return Q(**{f"{path}__{_LOOKUPS[operator]}": value})
