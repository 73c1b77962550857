"""Billing periods and terms: pure date arithmetic on aware UTC moments.

A period begins at its anchor (the start of the term) plus a whole number of cycles, so that months of different length
never shift it. The last period of a term ends with the term, which the vendor renews at midnight UTC.
"""

import calendar
import datetime as dt
from typing import Any

MONTHS_OF_CYCLE = {"monthly": 1, "annual": 12, "biennial": 24, "triennial": 36}
DAY = dt.timedelta(days=1)


def add_months(moment: dt.datetime, months: int) -> dt.datetime:
    """``moment`` that many months later; the 31st becomes the last day of a shorter month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def renewal_at(term_ends_at: dt.datetime) -> dt.datetime:
    """When the next term begins: the first midnight UTC after the vendor's last moment of the term."""
    midnight = term_ends_at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + DAY


def renews_on(row: Any) -> dt.date | None:
    """The day a subscription renews or ends, as it is said to people: that of :func:`renewal_at`, in UTC."""
    return renewal_at(row.term_ends_at).date() if row.term_ends_at else None


def period_end(anchor: dt.datetime, cycle: str, after: dt.datetime, term_ends_at: dt.datetime | None) -> dt.datetime:
    """The end of the billing period that begins at ``after``; never beyond the term.

    ``anchor`` is where the term began. A cycle without months (one-time, not billed) lasts as long as the term.
    """
    last = renewal_at(term_ends_at) if term_ends_at else None
    months = MONTHS_OF_CYCLE.get(cycle, 0)
    if not months:
        return last or add_months(after, 12)
    number = 1
    end = add_months(anchor, months)
    while end <= after:
        number += 1
        end = add_months(anchor, months * number)
    return min(end, last) if last and last > after else end
