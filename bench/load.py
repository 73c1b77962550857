"""COPY by column name: rows as mappings into a model's table, with the model's own defaults for what they leave out.

A column that a later migration adds does not break a loader as long as it may be null or its field has a default.
Otherwise :func:`load` says which column of which table has no value, before the first row is sent.
"""

import datetime as dt
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import IO, Any

from django.db import connection, models
from django.db.models import Field
from django.db.models.fields import NOT_PROVIDED

from core import clock

Row = Mapping[str, Any]
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class MissingColumn(RuntimeError):
    """A column must not be null, and neither the rows nor the model say what stands in it."""


def cell(value: Any) -> str:
    """One value in PostgreSQL's text format of COPY."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":")).translate(_ESCAPES)
    return str(value)


def array(values: Iterable[str]) -> str:
    """A text array in PostgreSQL's notation."""
    return "{" + ",".join(f'"{value}"' for value in values) + "}"


class _Stream:
    """Lines as the file that ``copy_expert`` reads from, without holding them all."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.rest = ""

    def read(self, size: int = 65_536) -> str:
        parts = [self.rest]
        length = len(self.rest)
        while length < size:
            line = "".join(itertools.islice(self.lines, 200))
            if not line:
                break
            parts.append(line)
            length += len(line)
        text = "".join(parts)
        self.rest = text[size:]
        return text[:size]


def _defaults(model: type[models.Model], given: set[str], now: dt.datetime) -> dict[str, Any]:
    """Column to value, or to a callable, for what the rows leave out; the key is left to its sequence."""
    found: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        column = str(field.column)
        if column in given or field.primary_key or getattr(field, "generated", False):
            continue
        default: Any = field.default
        stamps = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
        if stamps or default is clock.now:
            found[column] = now
        elif default is not NOT_PROVIDED:
            found[column] = default
        elif _has_database_default(field) or field.null:
            continue
        elif field.empty_strings_allowed and field.blank:
            found[column] = ""
        else:
            raise MissingColumn(
                f"{model._meta.label}: column {column} must not be null and has no default; "
                "give it a value in bench/rows.py."
            )
    return found


def _has_database_default(field: "Field[Any, Any]") -> bool:
    return getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED


def load(model: type[models.Model], rows: Iterable[Row], *, now: dt.datetime, random: Random) -> int:
    """COPY ``rows`` (column name to value, all with the same columns) into the model's table; returns how many.

    UUID defaults come from ``random``, so that the same seed gives the same data. Sequences are moved on if the rows
    bring their own keys. Raises :class:`MissingColumn` before anything is sent.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return 0
    unknown = set(first) - {field.column for field in model._meta.concrete_fields}
    if unknown:
        raise MissingColumn(f"{model._meta.label} has no column {', '.join(sorted(unknown))}.")
    defaults = _defaults(model, set(first), now)
    given = list(first)
    columns = [*given, *defaults]
    makers = [_maker(value, random) for value in defaults.values()]
    count = 0

    def lines() -> Iterator[str]:
        nonlocal count
        for row in itertools.chain([first], rows):
            count += 1
            yield "\t".join([*(cell(row[name]) for name in given), *(make() for make in makers)]) + "\n"

    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    with connection.cursor() as cursor:
        stream: IO[str] | Any = _Stream(lines())
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", stream)
    _move_sequence(model, given)
    return count


def _maker(default: Any, random: Random) -> Any:
    """A function that gives the cell of a default."""
    if default is uuid.uuid4:
        return lambda: str(uuid.UUID(int=random.getrandbits(128), version=4))
    if callable(default):
        return lambda: cell(default())
    text = cell(default)
    return lambda: text


def _move_sequence(model: type[models.Model], given: list[str]) -> None:
    key = model._meta.pk
    if key is None or key.column not in given:
        return
    column = connection.ops.quote_name(key.column)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, %s), (SELECT max({column}) FROM {table}))",
            [model._meta.db_table, key.column],
        )


def next_id(model: type[models.Model]) -> int:
    """The first free key of a table."""
    return int(model._base_manager.aggregate(last=models.Max("pk"))["last"] or 0) + 1
