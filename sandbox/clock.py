"""The vendors' clock: real time plus an offset that ``/_twin/clock`` moves and the state keeps."""

import datetime as dt
import re

from sandbox.state import State

_DURATION = re.compile(
    r"^(?P<sign>-)?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$"
)


def real_now() -> dt.datetime:
    """The real moment in UTC; token endpoints stay on it."""
    return dt.datetime.now(dt.UTC)


def parse_moment(text: str) -> dt.datetime:
    """Read an ISO 8601 moment; without a zone it is UTC. Raises ``ValueError``."""
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def add_months(moment: dt.datetime, months: int) -> dt.datetime:
    """The same day some months later, or the last day of a shorter month."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    return first.replace(day=min(moment.day, last.day))


def add_duration(moment: dt.datetime, text: str) -> dt.datetime:
    """A moment plus an ISO 8601 duration such as ``P1M``, ``P10DT2H`` or ``-P1D``. Raises ``ValueError``."""
    match = _DURATION.match(text.strip().upper())
    parts = {name: value for name, value in (match.groupdict() if match else {}).items() if value and name != "sign"}
    if match is None or not parts:
        raise ValueError(f"not an ISO 8601 duration: {text}")
    sign = -1 if match["sign"] else 1
    months = int(parts.pop("years", 0)) * 12 + int(parts.pop("months", 0))
    moved = add_months(moment, sign * months)
    return moved + sign * dt.timedelta(**{name: float(value) for name, value in parts.items()})


def iso(moment: dt.datetime) -> str:
    """A UTC moment as vendors write it, with six fraction digits and ``Z``."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Clock:
    """Real time plus an offset."""

    def __init__(self, state: State) -> None:
        self._table = state.table("_twin", "clock")

    @property
    def offset(self) -> dt.timedelta:
        """How far the vendors' clock is ahead of the real one."""
        return dt.timedelta(seconds=float((self._table.get("offset") or {}).get("seconds", 0)))

    def now(self) -> dt.datetime:
        """The vendors' present moment, in UTC."""
        return real_now() + self.offset

    def set(self, moment: dt.datetime) -> None:
        """Move the clock to a moment; it goes on from there."""
        self._table.put("offset", {"seconds": (moment - real_now()).total_seconds()})

    def advance(self, duration: str) -> None:
        """Move the clock by an ISO 8601 duration. Raises ``ValueError``."""
        self.set(add_duration(self.now(), duration))

    def reset(self) -> None:
        """Back to real time."""
        self._table.clear()
