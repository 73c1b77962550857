"""Whether browsers would trust a certificate for a host: chain, name, time and use, by the rules of the web."""

import datetime as dt
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from django.conf import settings


@cache
def _store(extra: str) -> Store:
    """The roots browsers know, and those of ``EXTRA_CA_FILE``."""
    pems = [Path(certifi.where()).read_bytes()] + ([Path(extra).read_bytes()] if extra else [])
    return Store([part for pem in pems for part in x509.load_pem_x509_certificates(pem)])


def is_trusted(chain_pem: str, host: str, now: dt.datetime) -> bool:
    """Whether the first certificate of ``chain_pem`` leads over the others to a known root, for ``host`` at ``now``."""
    leaf, *others = x509.load_pem_x509_certificates(chain_pem.encode())
    verifier = PolicyBuilder().store(_store(settings.EXTRA_CA_FILE)).time(now).build_server_verifier(x509.DNSName(host))
    try:
        verifier.verify(leaf, others)
    except (VerificationError, ValueError):
        return False
    return True
