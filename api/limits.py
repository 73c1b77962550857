"""How often an application user may call (``api.md`` 4.4): counted per minute in the cache; without it calls pass.

The counters are kept in windows of a minute, so that two requests to the cache are enough for a call.
"""

import logging
import time
from dataclasses import dataclass

from django.core.cache import cache

from api.errors import ApiError

logger = logging.getLogger(__name__)
WINDOW = 60
USER_CALLS = 600
USER_WRITES = 120
ORGANIZATION_CALLS = 6000
TOKEN_CALLS = 30
POLICY = f'"user";q={USER_CALLS};w={WINDOW}'


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of the minute."""

    left: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of every answer."""
        return {"RateLimit-Policy": POLICY, "RateLimit": f'"user";r={max(self.left, 0)};t={self.seconds}'}


def count(name: str, *, limit: int) -> Allowance:
    """Count one call under ``name``; ``left`` below 0 means too many. If the cache is away, nothing is counted."""
    now = time.time()
    window, seconds = int(now) // WINDOW, WINDOW - int(now) % WINDOW
    key = f"api-calls:{name}:{window}"
    try:
        try:
            calls = cache.incr(key)
        except ValueError:
            cache.add(key, 0, WINDOW * 2)
            calls = cache.incr(key)
    except Exception:  # Whatever the store raises when it is away: a counter must not stop the API.
        logger.warning("calls of the API are not counted: the cache does not answer", exc_info=True)
        return Allowance(limit, seconds)
    return Allowance(limit - calls, seconds)


def demand_allowance(client_id: int, organization_id: int, *, writes: bool) -> Allowance:
    """Count a call of an application user; raises 429 with ``Retry-After`` above any of the limits."""
    allowance = count(f"user:{client_id}", limit=USER_CALLS)
    others = [count(f"organization:{organization_id}", limit=ORGANIZATION_CALLS)]
    if writes:
        others.append(count(f"writes:{client_id}", limit=USER_WRITES))
    if min(item.left for item in (allowance, *others)) < 0:
        raise too_many(allowance)
    return allowance


def too_many(allowance: Allowance) -> ApiError:
    """429 of a limit."""
    return ApiError(
        429,
        "rate_limit_reached",
        f"Too many calls. Try again in {allowance.seconds} seconds.",
        headers={"Retry-After": str(allowance.seconds), **allowance.headers},
    )
