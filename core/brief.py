"""Rows that hardly ever change and that every page reads, kept in the process for a few seconds.

Only for what everybody may see in the same way, and where a change may be noticed late: each process keeps its own copy
for ``settings.BRIEF_SECONDS``, and 0 reads every time. Whoever gets a row must not change it, for others hold it too.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings

MAX_KEPT = 1000
P = ParamSpec("P")
R = TypeVar("R")


def briefly(read: Callable[P, R]) -> Callable[P, R]:
    """Keep what ``read`` returned for these arguments; None is kept too."""
    kept: dict[object, tuple[float, R]] = {}

    @wraps(read)
    def found(*args: P.args, **kwargs: P.kwargs) -> R:
        if not settings.BRIEF_SECONDS:
            return read(*args, **kwargs)
        key, now = (args, *sorted(kwargs.items())), time.monotonic()
        known = kept.get(key)
        if known is not None and known[0] > now:
            return known[1]
        value = read(*args, **kwargs)
        if len(kept) >= MAX_KEPT:
            kept.clear()
        kept[key] = (now + settings.BRIEF_SECONDS, value)
        return value

    return found
