"""Looks at the certificate a server shows for a host name, as a browser would: one handshake, nothing is sent."""

import datetime as dt
import socket
import ssl
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown: whether a browser would trust it for the name, until when, and what is wrong, in words."""

    is_good: bool
    valid_to: dt.datetime | None = None
    message: str = ""


def certificate_shown(server: str, host: str) -> Shown:
    """Ask ``server`` (``host:port``) for the certificate of ``host``; never raises."""
    address, _colon, port = server.rpartition(":")
    context = ssl.create_default_context()
    if settings.EXTRA_CA_FILE:
        context.load_verify_locations(settings.EXTRA_CA_FILE)
    try:
        with (
            socket.create_connection((address.strip("[]"), int(port)), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            peer = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Shown(False, message=_("The certificate is not trusted: %(reason)s.") % {"reason": error.verify_message})
    except (OSError, ValueError) as error:
        return Shown(False, message=_("No certificate yet (%(reason)s).") % {"reason": type(error).__name__})
    ends = ssl.cert_time_to_seconds(str(peer.get("notAfter", "Jan  1 00:00:00 1970 GMT")))
    return Shown(True, dt.datetime.fromtimestamp(ends, dt.UTC))
