"""Emptying the database after a test with real transactions, in milliseconds instead of a fifth of a second.

TRUNCATE makes new files for every table and index, empty or not. A test fills few tables with few rows, so these rows
are deleted instead, with triggers and foreign keys off for that transaction. That takes a superuser, which the suite's
own PostgreSQL has; any other gets Django's way.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

_truncate = DatabaseOperations.sql_flush


def _sql_flush(
    self: DatabaseOperations, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, **options: Any
) -> list[str]:
    names = [self.quote_name(table) for table in tables]
    if reset_sequences or not names or not _is_superuser():
        return _truncate(self, style, tables, reset_sequences=reset_sequences, **options)
    with connection.cursor() as cursor:
        # The names are our own tables', quoted.
        cursor.execute(" UNION ALL ".join(f"(SELECT %s FROM {name} LIMIT 1)" for name in names), names)  # noqa: S608
        filled = [name for (name,) in cursor.fetchall()]
    return ["SET LOCAL session_replication_role = replica", *(f"DELETE FROM {name}" for name in filled)]  # noqa: S608


def _is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        return bool(cursor.fetchone()[0])


def be_quick() -> None:
    """From now on tests are cleaned up this way."""
    DatabaseOperations.sql_flush = _sql_flush  # type: ignore[method-assign]
