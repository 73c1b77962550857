"""Reads of one shape that programs or pages ask for all day, compiled once for each process.

Django compiles a query set anew for each use; with the expressions of a list that takes longer than PostgreSQL needs
to answer (``bench/README.md``). Only the statement is kept here, never what it found: what changes is given anew with
each read, what never does is written out in it. :class:`PreparedRead` reads rows by their keys, once an ordinary query
set has said which may be seen; :class:`PreparedRows` reads what a query set of the same shape would. :class:`Kept`
keeps statements that the same caller asks for again and again. PostgreSQL plans those of the first kinds once for each
connection (:mod:`core.server_side`).
"""

import datetime as dt
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import F, Field, Model, QuerySet
from django.db.models.expressions import Combinable, RawSQL

from core import clock, server_side

M = TypeVar("M", bound=Model)
Converters = list[tuple[int, Callable[[Any], Any]]]
Written = Callable[[F, Field[Any, Any]], Combinable]
# Stand in the compiled statement for what changes from read to read.
_KEYS: tuple[list[int]] = ([-1],)
NOW = dt.datetime(1, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
ATTEMPTS = 3
KEPT_AT_MOST = 500
_kept: "OrderedDict[Hashable, _KeptRows]" = OrderedDict()


@dataclass(frozen=True, slots=True)
class _Statement:
    """A compiled statement; only what changes from read to read is left open in it, by these names in this order."""

    sql: str
    open_names: tuple[str, ...]
    converters: Converters
    using: str
    has_moment: bool  # Whether a moment or a day stands fixed in it.
    is_for_all: bool  # One of the few that stand in the code, not one of a certain caller.

    def read(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        connection = connections[self.using]
        with connection.cursor() as cursor:
            params = [values[name] for name in self.open_names]
            if self.is_for_all:
                server_side.execute(connection, cursor, self.sql, params)
            else:
                cursor.execute(self.sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return [_converted(row, self.converters) for row in rows] if self.converters else rows


class PreparedRead:
    """Values of rows by key. ``make`` gives the query set, with :data:`NOW` where it compares with the time.

    ``written`` may say in which other form the database gives a column of a kind.
    """

    def __init__(
        self, make: Callable[[], QuerySet[Any]], columns: Sequence[str], *, written: Written | None = None
    ) -> None:
        self.make = make
        self.columns = tuple(columns)
        self.written = written
        self._compiled: _Statement | None = None

    def read(self, keys: Iterable[int]) -> dict[int, tuple[Any, ...]]:
        """Key to the values of the columns, as ``values_list()`` gives them, without rows that are gone meanwhile."""
        wanted = list(keys)
        if not wanted:
            return {}
        statement = self._compiled or self._compile()
        return {row[0]: row[1:] for row in statement.read({"keys": wanted, "now": clock.now()})}

    def page(self, rows: "QuerySet[Any] | Kept", part: slice, *more: str) -> list[dict[str, Any]]:
        """A part of ``rows``: ``pk``, ``more`` and the ``values`` of these columns; only the part's rows cost anything.

        A part is only short where ``rows`` end: if a row went away between the two statements, both are made again.
        """
        names = ("pk", *more)
        for _time in range(ATTEMPTS):
            found = rows.tuples(names, part) if isinstance(rows, Kept) else list(rows.values_list(*names)[part])
            details = self.read(row[0] for row in found)
            if len(details) == len(found):
                break
        names = (*names, "values")
        return [dict(zip(names, (*row, details[row[0]]), strict=True)) for row in found if row[0] in details]

    def _compile(self) -> _Statement:
        rows = self.make().order_by().filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", _KEYS))
        self._compiled = _compiled(
            rows.values_list("pk", *self._expressions(rows)),
            lambda param: "keys" if param is _KEYS[0] else "now" if param == NOW else "",
            is_for_all=True,
        )
        return self._compiled

    def _expressions(self, rows: QuerySet[Any]) -> list[Any]:
        if self.written is None:
            return list(self.columns)
        query = rows.query.clone()
        return [self.written(F(name), query.resolve_ref(name).output_field) for name in self.columns]


class PreparedRows:
    """The rows of a query set in which only values change, as its ``values_list()`` gives them.

    ``make`` gives the query set from values by name. It is asked once, with ``stand_ins``: for each name a value of
    the right type that stands nowhere else in the statement. A list is to be compared by :mod:`core.among`.
    """

    # What the statement stands between.
    before: ClassVar[str] = ""
    after: ClassVar[str] = ""
    is_for_all: ClassVar[bool] = True

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], **stand_ins: Any) -> None:
        self.make = make
        self.stand_ins = stand_ins
        self._compiled: _Statement | None = None

    def read(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows for these values; each name of the stand-ins needs one."""
        return (self._compiled or self._compile()).read(values)

    def _compile(self) -> _Statement:
        statement = _compiled(self.make(**self.stand_ins), self._name_of, is_for_all=self.is_for_all)
        missing = set(self.stand_ins) - set(statement.open_names)
        if missing:
            raise ValueError(f"the statement says nothing of {', '.join(sorted(missing))}")
        self._compiled = replace(statement, sql=f"{self.before}{statement.sql}{self.after}")
        return self._compiled

    def has_moment(self) -> bool:
        """Whether a moment or a day stands fixed in the statement."""
        return (self._compiled or self._compile()).has_moment

    def _name_of(self, param: Any) -> str:
        known = (name for name, value in self.stand_ins.items() if type(value) is type(param) and value == param)
        return next(known, "")


class _KeptRows(PreparedRows):
    is_for_all = False


class _KeptCount(_KeptRows):
    before, after = "SELECT COUNT(*) FROM (", ") counted"


class _KeptPlan(_KeptRows):
    before = "EXPLAIN (FORMAT JSON) "


class PreparedObjects(Generic[M]):
    """The objects of a query set in which only values change, each with the objects its ``related`` columns point to.

    As :class:`PreparedRows`, for what is read so often that making the objects shall be all it costs.
    """

    def __init__(self, make: Callable[..., QuerySet[M, Any]], *related: str, **stand_ins: Any) -> None:
        self.make = make
        self.related = related
        self.rows = PreparedRows(self._values, **stand_ins)
        self.parts: list[tuple[str, type[Model], tuple[str, ...]]] = []

    def read(self, **values: Any) -> list[M]:
        """The objects for these values; each name of the stand-ins needs one."""
        return [self._object(row) for row in self.rows.read(**values)]

    def _values(self, **values: Any) -> QuerySet[Any, Any]:
        rows = self.make(**values)
        pointed = [(name, cast(type[Model], rows.model._meta.get_field(name).related_model)) for name in self.related]
        kinds: list[tuple[str, type[Model]]] = [("", rows.model), *pointed]
        self.parts = [(name, kind, tuple(one.attname for one in kind._meta.concrete_fields)) for name, kind in kinds]
        paths = [f"{name}__{column}" if name else column for name, _kind, columns in self.parts for column in columns]
        return rows.values_list(*paths)

    def _object(self, row: tuple[Any, ...]) -> M:
        found: Any = None
        begin = 0
        for name, kind, columns in self.parts:
            values = row[begin : begin + len(columns)]
            begin += len(columns)
            is_there = values[columns.index(kind._meta.pk.attname)] is not None
            one = kind.from_db(DEFAULT_DB_ALIAS, columns, values) if is_there else None
            if found is None:
                found = one
            else:
                setattr(found, name, one)
        return cast(M, found)


@dataclass(frozen=True)
class Kept:
    """Rows whose statements are kept for whoever asks the very same again, with all but the ``values`` in them.

    ``by`` must name all else that the statement depends on: the function that makes it, whom it is made for, and every
    choice in it. ``make`` gives the query set from the values by name; of each the stand-in and the value are told. A
    process keeps the statements that were used last; one that has another moment in it is never kept, for that may be
    the moment of the first asking.
    """

    by: Hashable
    make: Callable[..., QuerySet[Any]]
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def tuples(self, columns: Sequence[str], part: slice) -> list[tuple[Any, ...]]:
        """These columns of a part of the rows."""
        key = (self.by, tuple(columns), part.start, part.stop)
        return self._asked(key, _KeptRows, lambda **given: self.make(**given).values_list(*columns)[part])

    def count(self, most: int) -> int:
        """How many rows there are, counted up to ``most``."""
        rows = self._asked(
            (self.by, "count", most),
            _KeptCount,
            lambda **given: self.make(**given).order_by().values_list("pk")[:most],
        )
        return int(rows[0][0]) if rows else 0

    def estimate(self) -> int:
        """How many rows the planner expects, without reading any."""
        rows = self._asked(
            (self.by, "estimate"), _KeptPlan, lambda **given: self.make(**given).order_by().values_list("pk")
        )
        return int(rows[0][0][0]["Plan"]["Plan Rows"])

    def _asked(
        self, key: Hashable, kind: type[_KeptRows], make: Callable[..., QuerySet[Any, Any]]
    ) -> list[tuple[Any, ...]]:
        statement = _kept.pop(key, None)
        if statement is None:
            statement = kind(make, **{name: stand_in for name, (stand_in, _value) in self.values.items()})
        try:
            rows = statement.read(**{name: value for name, (_stand_in, value) in self.values.items()})
        except EmptyResultSet:  # Django sees without asking that there can be no rows.
            return []
        # What made it holds the request of the first asking.
        statement.make = _made_already
        if not statement.has_moment():
            _kept[key] = statement
        while len(_kept) > KEPT_AT_MOST:
            _kept.popitem(last=False)
        return rows


def _made_already(**_given: Any) -> QuerySet[Any, Any]:
    raise LookupError("the statement is compiled already")


def _compiled(rows: QuerySet[Any, Any], name_of: Callable[[Any], str], *, is_for_all: bool) -> _Statement:
    """The statement of a ``values_list()``; a parameter that has a name stays open, all others are written out."""
    compiler = rows.query.get_compiler(rows.db)
    sql, params = compiler.as_sql()
    converters = []
    for place, (chain, expression) in compiler.get_converters([item[0] for item in compiler.select]).items():
        converters.append((place, _chained(chain, expression, compiler.connection)))
    named = [(name_of(param), param) for param in params]
    has_moment = any(not name and isinstance(param, dt.date) for name, param in named)
    names = tuple(name for name, _param in named if name)
    return _Statement(_written_out(sql, named, rows.db), names, converters, rows.db, has_moment, is_for_all)


def _written_out(sql: str, params: Iterable[tuple[str, Any]], using: str) -> str:
    """The statement with the literals of those parameters that have no name."""
    left = iter(params)
    with connections[using].cursor() as cursor:

        def text(place: re.Match[str]) -> str:
            name, param = ("", None) if place[0] == "%%" else next(left)
            if name or place[0] == "%%":
                return place[0]
            written: bytes = cursor.mogrify("%s", [param])
            return written.decode().replace("%", "%%")

        return server_side.PLACE.sub(text, sql)


def _converted(row: tuple[Any, ...], converters: Converters) -> tuple[Any, ...]:
    values = list(row)
    for place, convert in converters:
        values[place] = convert(values[place])
    return tuple(values)


def _chained(chain: Sequence[Callable[..., Any]], expression: Any, connection: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        for step in chain:
            value = step(value, expression, connection)
        return value

    return convert
