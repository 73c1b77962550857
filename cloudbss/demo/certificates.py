"""Certificates of the demo and of the tests: made on the spot, signed by themselves, good for nothing else."""

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from core import clock


@dataclass(frozen=True)
class MadeCertificate:
    """A PFX with its code, and the public part as PEM."""

    pfx: bytes
    code: str
    pem: str


def make_certificate(host: str, *, code: str = "demo", days: int = 365) -> MadeCertificate:
    """A certificate for ``host``, valid from yesterday on for so many days from the business clock's present on.

    Who gives tokens for it goes by the real time.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    start = min(clock.now(), clock.real_now()) - dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(clock.now() + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pfx = pkcs12.serialize_key_and_certificates(
        host.encode(), key, certificate, None, serialization.BestAvailableEncryption(code.encode())
    )
    return MadeCertificate(pfx, code, certificate.public_bytes(serialization.Encoding.PEM).decode())
