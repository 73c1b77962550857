"""Parts of a billing period: pure arithmetic for charges that begin, and credits that end, in the middle of one.

Days are those of the organization's time zone. The day of a purchase is charged, the day of a cancellation counts as
used: 30.00 for 30 days, cancelled on day 10, gives back 20.00 (``channel.md`` 9.3).
"""

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from core import money

HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Part:
    """So many of so many ``unit`` (days or hours) of a period; ``whole`` is at least 1."""

    part: int
    whole: int
    unit: str

    def of(self, amount: Decimal, currency: str) -> Decimal:
        """The part of ``amount``, rounded half-up to the currency's minor unit."""
        return money.to_minor(amount * self.part / self.whole, currency)


def _day(start: dt.datetime, end: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> tuple[int, int]:
    """Which day of the period it is, counted from 1, and how many days it has."""
    first, last, today = (moment.astimezone(zone).date() for moment in (start, end, now))
    whole = max((last - first).days, 1)
    return min(max((today - first).days + 1, 1), whole), whole


def remaining(start: dt.datetime, end: dt.datetime, now: dt.datetime, time_zone: str) -> Part:
    """What is left of a period for something that begins now; today is charged."""
    day, whole = _day(start, end, now, ZoneInfo(time_zone))
    return Part(whole - day + 1, whole, "days")


def unused(start: dt.datetime, end: dt.datetime, now: dt.datetime, time_zone: str, policy: str = "days") -> Part:
    """What is left of a period for something that ends now: by ``days`` or ``hours``, or nothing (``none``)."""
    if policy == "hours":
        whole = max(math.ceil((end - start) / HOUR), 1)
        used = min(max(math.ceil((now - start) / HOUR), 1), whole)
        return Part(whole - used, whole, "hours")
    day, whole = _day(start, end, now, ZoneInfo(time_zone))
    return Part(whole - day if policy == "days" else 0, whole, "days")
