"""The throttle that all workers of an instance share, in Redis (``partner-center.md`` 2.8).

It may vanish with Redis: then calls go unthrottled and the vendor's own 429 speaks.
"""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import redis
from django.conf import settings
from django.utils.translation import gettext as _

from provisioning.ports import ErrorKind, VendorError

logger = logging.getLogger(__name__)

AT_ONCE = 8
AT_ONCE_PER_CUSTOMER = 4
PLACE_SECONDS = 150
PATIENCE_SECONDS = 20.0

_TAKE = """
local now = tonumber(ARGV[1])
for i = 1, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
if ARGV[5] == '1' and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 0 end
if tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[7]) then return -1 end
redis.call('INCR', KEYS[3]); redis.call('EXPIRE', KEYS[3], 120)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[6])
redis.call('EXPIRE', KEYS[1], 300)
if ARGV[5] == '1' then
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[6])
  redis.call('EXPIRE', KEYS[2], 300)
end
return 1
"""


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)


class SharedBudget:
    """The budget of one instance: so many calls a minute, so many at once, fewer for one customer.

    A family may have a smaller number of calls a minute than the rest; all calls of the instance count towards it.
    """

    def __init__(self, instance_id: str) -> None:
        self.prefix = f"budget:{instance_id}"

    @contextmanager
    def acquire(self, family: str, customer: str = "") -> Iterator[None]:
        """Hold a place while calling; raises VendorError(THROTTLED) after 20 s without one, or while paused."""
        token = uuid.uuid4().hex
        held = self._take(family, customer, token)
        try:
            yield
        finally:
            if held:
                self._give_back(customer, token)

    def _take(self, family: str, customer: str, token: str) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while True:
                paused = int(str(_client().pttl(f"{self.prefix}:pause:{family}")))
                if paused > 0:
                    raise _throttled(paused / 1000)
                answer = self._try(family, customer, token)
                if answer == 1:
                    return True
                if answer == -1 or time.monotonic() > deadline:
                    raise _throttled(60 - time.time() % 60 if answer == -1 else 10)
                time.sleep(0.05)
        except redis.RedisError as error:
            logger.warning("budget unreachable, calling without it", extra={"error": str(error)})
            return False

    def _try(self, family: str, customer: str, token: str) -> int:
        now = time.time()
        keys = [
            f"{self.prefix}:places",
            f"{self.prefix}:places:{customer or '-'}",
            f"{self.prefix}:minute:{int(now // 60)}",
        ]
        limits = [
            now,
            PLACE_SECONDS,
            AT_ONCE,
            AT_ONCE_PER_CUSTOMER,
            "1" if customer else "0",
            token,
            settings.VENDOR_FAMILY_CALLS_PER_MINUTE.get(family, settings.VENDOR_CALLS_PER_MINUTE),
        ]
        return int(str(_client().eval(_TAKE, 3, *keys, *[str(item) for item in limits])))

    def _give_back(self, customer: str, token: str) -> None:
        try:
            _client().zrem(f"{self.prefix}:places", token)
            _client().zrem(f"{self.prefix}:places:{customer or '-'}", token)
        except redis.RedisError as error:
            logger.warning("budget unreachable", extra={"error": str(error)})

    def pause(self, family: str, delay: dt.timedelta) -> None:
        """Nobody calls this family for ``delay``, in any worker."""
        try:
            milliseconds = max(1, int(delay.total_seconds() * 1000))
            _client().set(f"{self.prefix}:pause:{family}", "1", px=milliseconds)
        except redis.RedisError as error:
            logger.warning("budget unreachable", extra={"error": str(error)})


def _throttled(seconds: float) -> VendorError:
    return VendorError(
        ErrorKind.THROTTLED,
        _("Too many calls at the moment; this goes on by itself."),
        code="throttled",
        retry_after=dt.timedelta(seconds=max(1.0, seconds)),
    )
