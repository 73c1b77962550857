"""Reads of one shape that programs ask for all day, compiled once for each process.

Django compiles a query set anew for each use; with the expressions of a list that takes longer than PostgreSQL needs
to answer (``bench/README.md``). Which rows may be seen is asked for by an ordinary query set; what is then read of
these rows, by their keys, always has the same statement, and only that is kept here.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from core import clock

# Stand in the compiled statement for what changes from read to read.
_KEYS: tuple[list[int]] = ([-1],)
NOW = dt.datetime(1, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
ATTEMPTS = 3


class PreparedRead:
    """Values of rows by key. ``make`` gives the query set, with :data:`NOW` where it compares with the time."""

    def __init__(self, make: Callable[[], QuerySet[Any]], columns: Sequence[str]) -> None:
        self.make = make
        self.columns = tuple(columns)
        self._compiled: tuple[str, tuple[Any, ...], list[tuple[int, Any]], str] | None = None

    def read(self, keys: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Key to a dictionary by column, as ``values()`` gives it; a row that is gone meanwhile is left out."""
        wanted = list(keys)
        if not wanted:
            return {}
        sql, params, converters, using = self._compiled or self._compile()
        given = [wanted if param is _KEYS[0] else clock.now() if param == NOW else param for param in params]
        with connections[using].cursor() as cursor:
            cursor.execute(sql, given)
            rows = cursor.fetchall()
        found: dict[int, dict[str, Any]] = {}
        for row in rows:
            values = dict(zip(self.columns, row[1:], strict=True))
            for position, convert in converters:
                name = self.columns[position]
                values[name] = convert(values[name])
            found[row[0]] = values
        return found

    def page(self, rows: QuerySet[Any], part: slice, *more: str) -> list[dict[str, Any]]:
        """A part of ``rows`` with ``pk``, these columns and ``more``; only the rows of the part cost anything.

        A part is only short where ``rows`` end: if a row went away between the two statements, both are made again.
        """
        for _time in range(ATTEMPTS):
            keys = list(rows.values("pk", *more)[part])
            details = self.read(key["pk"] for key in keys)
            if len(details) == len(keys):
                break
        return [key | details[key["pk"]] for key in keys if key["pk"] in details]

    def _compile(self) -> tuple[str, tuple[Any, ...], list[tuple[int, Any]], str]:
        rows = self.make().order_by().filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", _KEYS))
        query = rows.values_list("pk", *self.columns).query
        compiler = query.get_compiler(rows.db)
        sql, params = compiler.as_sql()
        converters = []
        for position, (chain, expression) in compiler.get_converters([item[0] for item in compiler.select]).items():
            converters.append((position - 1, _chained(chain, expression, compiler.connection)))
        self._compiled = (sql, tuple(params), converters, rows.db)
        return self._compiled


def _chained(chain: Sequence[Callable[..., Any]], expression: Any, connection: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        for step in chain:
            value = step(value, expression, connection)
        return value

    return convert
