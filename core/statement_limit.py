"""The longest a statement of the web process may take, so that one heavy page does not hold a connection for good.

PostgreSQL itself stops what takes longer. Workers and commands have no such limit: nobody waits for them.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# What PostgreSQL says of a statement that it stopped (``query_canceled``).
STOPPED = "57014"
_limit = 0


def limit_statements(seconds: float) -> None:
    """Let no statement of this process take longer, on every connection made from now on; 0 means no limit."""
    global _limit
    _limit = round(seconds * 1000)
    connection_created.connect(_set_limit, dispatch_uid="core.statement_limit")


def _set_limit(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if _limit:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(_limit)])


def was_stopped(error: BaseException) -> bool:
    """Whether an error of the database says that a statement took too long."""
    return getattr(error.__cause__, "pgcode", "") == STOPPED
