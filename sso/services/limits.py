"""How often a stranger may ask: counters in the cache, which may vanish; nothing else depends on them."""

import hashlib
import ipaddress

from django.core.cache import cache
from django.utils.translation import gettext as _

from core.errors import BusinessError

HOUR = 3600
PER_HOUR = 5


def is_too_many(what: str, key: str, *, limit: int = PER_HOUR) -> bool:
    """Count one more ``what`` for ``key`` and tell whether there were more than ``limit`` within an hour."""
    name = f"limit:{what}:{hashlib.sha256(key.lower().encode()).hexdigest()}"
    cache.add(name, 0, HOUR)
    try:
        return cache.incr(name) > limit
    except ValueError:
        # It ran out between the two; then this is the first one of a new hour.
        cache.set(name, 1, HOUR)
        return False


def network_of(ip: str) -> str:
    """The address that counts: of IPv6 the /64, because one customer has all of it."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    return str(ipaddress.ip_network(f"{ip}/64", strict=False)) if address.version == 6 else ip


def too_many() -> BusinessError:
    """The refusal of one request too many."""
    return BusinessError("too_many", _("There were too many requests from here. Try again in an hour."))
