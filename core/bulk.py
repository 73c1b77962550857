"""Many rows at once: COPY into a temporary table, then one INSERT that updates what is there already.

Five to ten times as fast as objects written in batches, and the memory does not grow with the rows. Nothing of a
model's own code runs: the rows must be complete, and the constraints of the database are what refuses a bad one.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import DatabaseError, connection, models, transaction

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]")
_LINES = 500
Value = str | int | Decimal | bool | dt.date | dt.datetime | None


def _cell(value: Value) -> str:
    """One value in the text format of COPY."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES) if _SPECIAL.search(value) else value
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


class _Text:
    """Rows as the file that COPY reads from, without holding them all."""

    def __init__(self, rows: Iterable[Sequence[Value]]) -> None:
        self.lines: Iterator[str] = ("\t".join(map(_cell, row)) + "\n" for row in rows)
        self.rest = ""
        self.failure: Exception | None = None

    def read(self, size: int = 65_536) -> str:
        """The next ``size`` characters; empty at the end."""
        while len(self.rest) < size:
            try:
                more = "".join(islice(self.lines, _LINES))
            except Exception as error:
                self.failure = error
                raise
            if not more:
                break
            self.rest += more
        text, self.rest = self.rest[:size], self.rest[size:]
        return text


def _copy(cursor: Any, statement: str, text: _Text) -> None:
    """Send the rows; what their maker raises comes out as it is, what the database does as Django's errors."""
    try:
        with connection.wrap_database_errors:
            cursor.copy_expert(statement, text)
    except DatabaseError:
        if text.failure is not None:
            raise text.failure from None
        raise


@transaction.atomic
def upsert(
    model: type[models.Model],
    rows: Iterable[Sequence[Value]],
    *,
    fields: Sequence[str],
    key: Sequence[str],
    update: Sequence[str],
) -> int:
    """Insert ``rows`` (values in the order of ``fields``), or update ``update`` where ``key`` is there already.

    The model is a ``BaseModel``: its time stamps are filled in, its public id too unless it is one of ``fields``. A
    key may stand once in the rows. Returns the number of rows; raises what the rows raise, or a DatabaseError, and
    then nothing is written.
    """
    meta, quote = model._meta, connection.ops.quote_name
    names = {name: quote(str(meta.get_field(name).column)) for name in {*fields, *key, *update}}  # type: ignore[union-attr]
    columns = ", ".join(names[name] for name in fields)
    table, stage = quote(meta.db_table), quote(f"stage_{meta.db_table}")
    changes = ", ".join(f"{names[name]} = excluded.{names[name]}" for name in update)
    keys = ", ".join(names[name] for name in key)
    made = ("", "") if "public_id" in fields else ("public_id, ", "gen_random_uuid(), ")
    with connection.cursor() as cursor:
        # Table and columns are the model's own names, quoted; nothing of the outside is in a statement's text.
        cursor.execute(f"CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA")  # noqa: S608
        _copy(cursor, f"COPY {stage} ({columns}) FROM STDIN", _Text(rows))
        cursor.execute(
            f"INSERT INTO {table} ({made[0]}created_at, updated_at, {columns}) "  # noqa: S608
            f"SELECT {made[1]}now(), now(), {columns} FROM {stage} "
            f"ON CONFLICT ({keys}) DO UPDATE SET {changes}, updated_at = excluded.updated_at"
        )
        written = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {stage}")
    return written
