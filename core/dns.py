"""Questions to the domain name system: where a name points to, and what text stands at it.

The resolvers are those of ``DNS_RESOLVERS`` (``address`` or ``address:port``), else the system's. A question is over
within :data:`SECONDS`; an error is told as such and is never taken for "missing".
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from django.conf import settings
from django.utils.translation import gettext as _

SECONDS = 5.0
PORT = 53


class Found(StrEnum):
    """How a question ended."""

    FOUND = "found"
    MISSING = "missing"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the domain name system said: ``values`` are targets in lower case without the last dot, or texts.

    ``message`` says in words why there is none: that the name does not exist, or what went wrong.
    """

    found: Found
    values: tuple[str, ...] = ()
    message: str = ""

    @property
    def target(self) -> str:
        """The first value; empty if there is none."""
        return self.values[0] if self.values else ""


def lookup_cname(host: str) -> Answer:
    """The name that ``host`` is an alias of, by its own CNAME record; the alias is not followed further."""
    return _ask(host, "CNAME", lambda record: str(record.target).rstrip(".").lower())


def lookup_txt(host: str) -> Answer:
    """The texts at ``host``, each put together from its parts, in alphabetical order."""
    return _ask(host, "TXT", lambda record: b"".join(record.strings).decode("utf-8", "replace"))


def lookup_addresses(host: str) -> Answer:
    """The IPv4 addresses of ``host``, aliases followed, in alphabetical order."""
    return _ask(host, "A", lambda record: str(record.address))


def _ask(host: str, kind: str, read: Callable[..., str]) -> Answer:
    try:
        name = dns.name.from_text(host.strip())
        answer = _resolver().resolve(name, kind, search=False, lifetime=SECONDS)
    except dns.resolver.NXDOMAIN:
        return Answer(Found.MISSING, message=_("%(host)s does not exist in the DNS.") % {"host": host})
    except dns.resolver.NoAnswer:
        words = _("%(host)s has no %(kind)s record.") % {"host": host, "kind": kind}
        return Answer(Found.MISSING, message=words)
    except dns.exception.Timeout:
        return Answer(Found.ERROR, message=_("The DNS did not answer in time. Try again."))
    except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel, dns.name.BadEscape, UnicodeError):
        return Answer(Found.ERROR, message=_("%(host)s is not a host name.") % {"host": host})
    except (dns.exception.DNSException, OSError):
        return Answer(Found.ERROR, message=_("The DNS could not be asked. Try again later."))
    return Answer(Found.FOUND, tuple(sorted(read(record) for record in answer)))


def _resolver() -> dns.resolver.Resolver:
    addresses: list[str] = settings.DNS_RESOLVERS
    resolver = dns.resolver.Resolver(configure=not addresses)
    resolver.timeout = SECONDS / 2
    resolver.lifetime = SECONDS
    if addresses:
        resolver.nameservers = [_nameserver(address) for address in addresses]
    return resolver


def _nameserver(address: str) -> dns.nameserver.Nameserver:
    """The server of ``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``."""
    host, port = address, PORT
    if address.startswith("["):
        host, _bracket, rest = address[1:].partition("]")
        port = int(rest[1:]) if rest.startswith(":") else PORT
    elif address.count(":") == 1:
        host, _colon, rest = address.partition(":")
        port = int(rest)
    return dns.nameserver.Do53Nameserver(host, port)
