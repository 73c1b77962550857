"""Whether browsers would trust a certificate for a host: chain, name, time and use, by the rules of the web."""

import datetime as dt
import re
import warnings
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from django.conf import settings

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


@cache
def _store(extra: str) -> Store:
    """The roots browsers know, and those of ``EXTRA_CA_FILE``."""
    pems = [Path(certifi.where()).read_bytes()] + ([Path(extra).read_bytes()] if extra else [])
    return Store([part for pem in pems for part in map(_root, _PEM.findall(pem)) if part is not None])


def _root(pem: bytes) -> x509.Certificate | None:
    """One root; some old ones break a rule of today's, of which the library warns and which it will refuse one day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            return x509.load_pem_x509_certificate(pem)
        except ValueError:
            return None


def is_trusted(chain_pem: str, host: str, now: dt.datetime) -> bool:
    """Whether the first certificate of ``chain_pem`` leads over the others to a known root, for ``host`` at ``now``."""
    leaf, *others = x509.load_pem_x509_certificates(chain_pem.encode())
    verifier = PolicyBuilder().store(_store(settings.EXTRA_CA_FILE)).time(now).build_server_verifier(x509.DNSName(host))
    try:
        verifier.verify(leaf, others)
    except (VerificationError, ValueError):
        return False
    return True
