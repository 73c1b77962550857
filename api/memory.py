"""Lists that are no table of the database: the same filters, orders, pages and cursors over a few plain rows.

A row is a mapping from public names to what the wire tells; a word is its own word. A filter is understood as a whole
before the first row is looked at, so what is wrong is refused with no rows as well.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from api.fields import Builder, Column
from api.grammar import Both, Literal, Node, Not, Test, parse
from api.paging import Page, Pager, wish_of

Row = Mapping[str, Any]
Predicate = Callable[[Row], bool]
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: one == other,
    "gt": lambda one, other: one > other,
    "ge": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
}


class _Sieve(Builder):
    """From tree to a question to ask of each row; two-valued like the queries of :mod:`api.fields`."""

    def predicate(self, node: Node) -> Predicate:
        """The question of a tree."""
        match node:
            case Not():
                inner = self.predicate(node.part)
                return lambda row: not inner(row)
            case Both():
                parts = [self.predicate(part) for part in node.parts]
                whole = all if node.word == "and" else any
                return lambda row: whole(part(row) for part in parts)
            case Test():
                asked = self.asked(node)
                return (lambda row: not asked(row)) if node.negated else asked

    def asked(self, node: Test) -> Predicate:
        """The question of one comparison."""
        column = self.fitting(node)
        if node.operator == "ne":
            same = self.compared(column, "eq", node.values[0])
            return lambda row: not same(row)
        if node.operator == "in":
            each = [self.compared(column, "eq", value) for value in node.values]
            return lambda row: any(part(row) for part in each)
        return self.compared(column, node.operator, node.values[0])

    def compared(self, column: Column, operator: str, literal: Literal) -> Predicate:
        """The question with one value."""
        name = column.name
        if literal.kind == "null":
            return lambda row: row.get(name) in (None, "")
        value = self.value(column, literal)
        if column.kind == "word":
            return lambda row: row.get(name) in value
        if column.kind == "text":
            value = value.lower()
            of_text = _TEXT.get(operator) or _ORDER[operator]
            return lambda row: bool(row.get(name)) and of_text(str(row[name]).lower(), value)
        of_value = _ORDER[operator]
        return lambda row: row.get(name) is not None and of_value(row[name], value)


class MemoryPager(Pager):
    """Cuts one page out of plain rows; each has an ``id``, which ends every order."""

    def page_of(self, rows: Sequence[Row], query: dict[str, str]) -> Page:
        """The page that the query asks for."""
        wish = wish_of(query)
        order = self.columns.order(wish.order, staff=self.staff)
        if wish.filter:
            sieve = _Sieve(self.columns, self.staff, ZoneInfo(self.time_zone))
            keeps = sieve.predicate(parse(wish.filter))
            rows = [row for row in rows if keeps(row)]
        found = sorted(rows, key=lambda row: str(row["id"]).rjust(36))
        for column, descending in reversed(order):
            empty = [row for row in found if row.get(column.name) in (None, "")]
            full = [row for row in found if row.get(column.name) not in (None, "")]
            name = column.name
            full.sort(key=lambda row: _key(row[name]), reverse=descending)
            found = full + empty
        binding = self.binding(wish)
        start = (wish.index - 1) * wish.size
        if wish.cursor:
            start, _values, key = self.opened_mark(wish.cursor, binding)
            # Rows may have come or gone meanwhile; as long as the last one is there, the page begins behind it.
            start = next((number for number, row in enumerate(found, start=1) if str(row["id"]) == key), start)
        part = found[start : start + wish.size]
        seen = start + len(part)
        cursor = self.sealed_mark(seen, [], str(part[-1]["id"]), binding) if part and seen < len(found) else None
        total = len(found) if wish.wants_count else None
        return Page(part, self.paging(wish, start, total, cursor), self.links(wish, total, cursor, start, len(part)))


def _key(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else Decimal(value) if isinstance(value, int) else value
