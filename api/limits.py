"""How often an application user may call (``api.md`` 4.4): counted per minute in Valkey; without it calls pass.

The counters are kept in windows of a minute, so that one exchange with the store is enough for all of a call.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from redis.commands.core import Script

from api.errors import ApiError

logger = logging.getLogger(__name__)
WINDOW = 60
TOKEN_CALLS = 30


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of the minute."""

    left: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of every answer."""
        policy = f'"user";q={settings.API_CALLS_PER_MINUTE};w={WINDOW}'
        return {"RateLimit-Policy": policy, "RateLimit": f'"user";r={max(self.left, 0)};t={self.seconds}'}


# One command for all counters of a call; a counter goes by itself when its window is over.
_COUNT = """
local found = {}
for place, key in ipairs(KEYS) do
    found[place] = redis.call('INCR', key)
    if found[place] == 1 then redis.call('EXPIRE', key, ARGV[1]) end
end
return found
"""


@cache
def _store() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)


@cache
def _counter() -> Script:
    return _store().register_script(_COUNT)


def count(limits: Mapping[str, int]) -> list[Allowance]:
    """Count one call under each name; ``left`` below 0 means too many. If the store is away, nothing is counted."""
    now = time.time()
    window, seconds = int(now) // WINDOW, WINDOW - int(now) % WINDOW
    try:
        calls = _counter()(keys=[f"api-calls:{name}:{window}" for name in limits], args=[WINDOW * 2], client=_store())
    except redis.RedisError:  # A counter must not stop the API.
        logger.warning("calls of the API are not counted: the store does not answer", exc_info=True)
        calls = [0] * len(limits)
    return [Allowance(limit - done, seconds) for limit, done in zip(limits.values(), calls, strict=True)]


def demand_allowance(client_id: int, organization_id: int, *, writes: bool) -> Allowance:
    """Count a call of an application user; raises 429 with ``Retry-After`` above any of the limits."""
    limits = {
        f"user:{client_id}": settings.API_CALLS_PER_MINUTE,
        f"organization:{organization_id}": settings.API_ORGANIZATION_CALLS_PER_MINUTE,
    }
    if writes:
        limits[f"writes:{client_id}"] = settings.API_WRITES_PER_MINUTE
    allowances = count(limits)
    if min(item.left for item in allowances) < 0:
        raise too_many(allowances[0])
    return allowances[0]


def too_many(allowance: Allowance) -> ApiError:
    """429 of a limit."""
    return ApiError(
        429,
        "rate_limit_reached",
        f"Too many calls. Try again in {allowance.seconds} seconds.",
        headers={"Retry-After": str(allowance.seconds), **allowance.headers},
    )
