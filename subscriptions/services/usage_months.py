"""The monthly partitions of usage records: made ahead of time, dropped with their periods when they are archived.

An answer about an older month is 410 before anything is looked up (``api.md`` 9.2), so dropping needs no date.
"""

import datetime as dt

from django.db import connection, transaction

from core import clock
from subscriptions.models import UsagePeriod, UsageRecord
from subscriptions.usage_rules import KEPT_MONTHS, month_after, months_between

AHEAD = 3
# One number for all who make or drop partitions, so that two never do at once.
LOCK = 7_305_101


def _name(month: dt.date) -> str:
    return f"{UsageRecord._meta.db_table}_{month:%Y_%m}"


def known_months() -> list[dt.date]:
    """The months that have a partition, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = %s::regclass",
            [UsageRecord._meta.db_table],
        )
        names = [name.rsplit("_", 2) for (name,) in cursor.fetchall()]
    return sorted(dt.date(int(year), int(month), 1) for _table, year, month in names)


@transaction.atomic
def make_month(month: dt.date) -> bool:
    """Make the partition of a month; False if it is there already."""
    name, table, quote = _name(month), UsageRecord._meta.db_table, connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is not None:
            return False
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        # The name is made of the model's own and of a date, quoted.
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {quote(name)} PARTITION OF {quote(table)} FOR VALUES FROM (%s) TO (%s)",
            [month, month_after(month)],
        )
    return True


def make_months(today: dt.date) -> int:
    """Make the partitions of this month, the one before, and those ahead; returns how many were missing."""
    return sum(make_month(month_after(today.replace(day=1), number)) for number in range(-1, AHEAD + 1))


def drop_months(today: dt.date) -> int:
    """Drop what is older than the months that are kept, periods too; returns how many partitions."""
    dropped = 0
    for month in known_months():
        if months_between(month, today) > KEPT_MONTHS:
            _drop(month)
            dropped += 1
    return dropped


@transaction.atomic
def _drop(month: dt.date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(_name(month))}")
    UsagePeriod.objects.filter(month=month).delete()


def keep_months() -> None:
    """The daily round: months ahead are there, those past keeping are gone."""
    today = clock.now().date()
    make_months(today)
    drop_months(today)
