"""Custom domains of storefronts: their states and which names may be one (``channel.md`` 4.1); asks nobody."""

import datetime as dt
import ipaddress
import re
from collections.abc import Collection

import idna
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BusinessError
from core.states import Machine

CHECK_EVERY = dt.timedelta(minutes=5)
LOOK_AGAIN = dt.timedelta(hours=24)
TIME_LIMIT = dt.timedelta(hours=72)
RECORD = "_storefront-verify"
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# Last labels that nobody outside can ask for.
_PRIVATE = frozenset({"localhost", "local", "internal", "lan", "home", "arpa", "onion", "invalid"})


class DomainStatus(models.TextChoices):
    """How far a domain is."""

    REQUESTED = "requested", gettext_lazy("Requested")
    VERIFYING = "verifying", gettext_lazy("Waiting for the DNS records")
    CERTIFYING = "certifying", gettext_lazy("Waiting for the certificate")
    LIVE = "live", gettext_lazy("Live")
    FAILED = "failed", gettext_lazy("Failed")
    REMOVED = "removed", gettext_lazy("Removed")


class DomainEvent(models.TextChoices):
    """What happens to a domain."""

    VERIFY = "verify"
    PROVE = "prove"
    CERTIFY = "certify"
    FAIL = "fail"
    RETRY = "retry"
    REMOVE = "remove"


_LEAVES = (
    DomainStatus.REQUESTED,
    DomainStatus.VERIFYING,
    DomainStatus.CERTIFYING,
    DomainStatus.LIVE,
    DomainStatus.FAILED,
)
# A live domain fails too: whoever loses the name in the DNS for three days must not keep it here.
DOMAIN_MACHINE = Machine(
    gettext_lazy("domain"),
    "status",
    {
        (DomainStatus.REQUESTED, DomainEvent.VERIFY): DomainStatus.VERIFYING,
        (DomainStatus.VERIFYING, DomainEvent.PROVE): DomainStatus.CERTIFYING,
        (DomainStatus.CERTIFYING, DomainEvent.CERTIFY): DomainStatus.LIVE,
        (DomainStatus.VERIFYING, DomainEvent.FAIL): DomainStatus.FAILED,
        (DomainStatus.CERTIFYING, DomainEvent.FAIL): DomainStatus.FAILED,
        (DomainStatus.LIVE, DomainEvent.FAIL): DomainStatus.FAILED,
        (DomainStatus.FAILED, DomainEvent.RETRY): DomainStatus.VERIFYING,
        **{(state, DomainEvent.REMOVE): DomainStatus.REMOVED for state in _LEAVES},
    },
)


def _refused(code: str, words: str) -> BusinessError:
    return BusinessError(code, words, field="host")


def clean_host(text: str, *, own_hosts: Collection[str]) -> str:
    """The host name in the form the DNS has it: lower case, letters of other scripts as punycode, no last dot.

    ``own_hosts`` are those of the installation: neither they nor names below them may be taken.
    Raises BusinessError ``host_invalid``, ``host_private`` or ``host_ours`` with the field ``host``.
    """
    typed = text.strip().rstrip(".")
    try:
        host = idna.encode(typed, uts46=True, transitional=False).decode() if typed else ""
    except (idna.IDNAError, UnicodeError) as error:
        raise _refused("host_invalid", _("This is no host name. Type one such as shop.example.com.")) from error
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or _is_address(host):
        raise _refused("host_invalid", _("This is no host name. Type one such as shop.example.com."))
    if labels[-1] in _PRIVATE or labels[-1].isdigit():
        raise _refused("host_private", _("This name cannot be reached from outside."))
    if any(host == own or host.endswith(f".{own}") or own.endswith(f".{host}") for own in own_hosts if own):
        raise _refused("host_ours", _("This name belongs to your provider. Use one of your own."))
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def readable_host(host: str) -> str:
    """The name as people write it; the DNS form if it cannot be shown so."""
    try:
        return idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return host
