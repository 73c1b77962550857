"""The business clock. It can be moved in demo and test only; claims and token life times use the real time."""

import datetime as dt
import re
import time

from django.conf import settings
from django.core.cache import cache
from django.db import models
from django.utils import timezone

from core.errors import BusinessError

KEPT_SECONDS = 0.05
_CACHE_KEY = "core.clock.offset"
_kept = (0.0, 0)  # Until when this process keeps the offset, by its monotonic clock, and the offset in seconds.
_DURATION = re.compile(r"^(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")


class ClockOffset(models.Model):
    """The one row that says how far the business clock is ahead of the real one, in seconds."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seconds = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="clock_single_row")]
        verbose_name = "clock offset"

    def __str__(self) -> str:
        return f"{self.seconds} s"


def parse_duration(text: str) -> dt.timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds, such as ``P1D`` or ``-PT2H``."""
    match = _DURATION.match(text)
    if not match or text.lstrip("-") in {"P", "PT"}:
        raise BusinessError("duration_invalid", f"'{text}' is not a duration such as P1D or PT12H.")
    sign, days, hours, minutes, seconds = match.groups()
    span = dt.timedelta(
        days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0)
    )
    return -span if sign else span


def offset() -> dt.timedelta:
    """How far the business clock is ahead; zero wherever it may not be moved.

    A process asks the cache every ``KEPT_SECONDS`` at most: one page wants to know the time a hundred times.
    """
    global _kept
    if not settings.CLOCK_MOVABLE:
        return dt.timedelta()
    until, seconds = _kept
    if until < time.monotonic():
        seconds = _read()
        _kept = (time.monotonic() + KEPT_SECONDS, seconds)
    return dt.timedelta(seconds=seconds)


def _read() -> int:
    seconds = cache.get(_CACHE_KEY)
    if seconds is None:
        seconds = ClockOffset.objects.filter(pk=1).values_list("seconds", flat=True).first() or 0
        cache.set(_CACHE_KEY, seconds, 5)
    return int(seconds)


def forget() -> None:
    """Ask for the offset anew the next time."""
    global _kept
    _kept = (0.0, 0)


def now() -> dt.datetime:
    """The present moment of the business, aware, in UTC."""
    return timezone.now() + offset()


def midnight(day: dt.date) -> dt.datetime:
    """When a day begins where the reader is.

    A moment compared with it can be found by an index, unlike a day that is worked out of each row's moment.
    """
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def real_now() -> dt.datetime:
    """The machine's present moment: for claims, locks and anything that measures waiting."""
    return timezone.now()


def advance(span: dt.timedelta) -> dt.datetime:
    """Move the business clock and return its new time; refused where ``CLOCK_MOVABLE`` is off."""
    if not settings.CLOCK_MOVABLE:
        raise BusinessError("clock_fixed", "The clock can be moved in a demo or a test only.")
    ClockOffset.objects.get_or_create(pk=1)
    ClockOffset.objects.filter(pk=1).update(seconds=models.F("seconds") + int(span.total_seconds()))
    cache.delete(_CACHE_KEY)
    forget()
    return now()
