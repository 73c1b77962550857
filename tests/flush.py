"""Emptying the database after a test with real transactions, in milliseconds instead of a quarter of a second.

TRUNCATE makes new files for every table and index, empty or not. A test fills few tables with few rows, so these rows
are deleted instead, with triggers and foreign keys off for that transaction. What Django itself fills after ``migrate``
stays, so that it need not be made again. That takes a superuser, which the suite's own PostgreSQL has; any other gets
Django's way.
"""

from functools import cache

from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}
_with_truncate = TransactionTestCase._fixture_teardown


def _with_delete(self: TransactionTestCase) -> None:
    if not _is_superuser():
        _with_truncate(self)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_which_are_filled())
        if filled := [name for (name,) in cursor.fetchall()]:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("; ".join(f"DELETE FROM {name}" for name in filled))  # noqa: S608


@cache
def _which_are_filled() -> str:
    """A statement over our own tables; their names are quoted."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    names = [connection.ops.quote_name(table) for table in sorted(tables)]
    return " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in names)  # noqa: S608


@cache
def _is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        return bool(cursor.fetchone()[0])


def be_quick() -> None:
    """From now on tests are cleaned up this way."""
    TransactionTestCase._fixture_teardown = _with_delete  # type: ignore[method-assign]
