"""Does in-process, one after the other, what the workers would do: run every due outbox row until none is left."""

import datetime as dt
from typing import Any

from django.db.models import Min

from core import clock, outbox
from tests.twins import Twins

ROUNDS = 200


def drain(twins: Twins | None = None, *, patience: dt.timedelta = dt.timedelta(minutes=30)) -> None:
    """Run due rows until nothing is due; then move both clocks to the next one, as long as ``patience`` lasts."""
    end = clock.now() + patience
    for _round in range(ROUNDS):
        if outbox.run_due():
            continue
        upcoming = _next()
        if upcoming is None or upcoming > end:
            return
        seconds = max(1, int((upcoming - clock.now()).total_seconds()) + 1)
        clock.advance(dt.timedelta(seconds=seconds))
        if twins is not None:
            twins.advance(f"PT{seconds}S")
    raise AssertionError("the outboxes do not come to rest")


def _next() -> dt.datetime | None:
    moments: list[Any] = []
    for source in outbox.sources():
        rows = source.model._base_manager.filter(**{f"{source.field}__in": source.due, "not_before__year__lt": 9000})
        moments.append(rows.aggregate(first=Min("not_before"))["first"])
    found = [moment for moment in moments if moment is not None]
    return min(found) if found else None
