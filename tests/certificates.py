"""PFX files for tests: certificates with their keys, made on the spot."""

import datetime as dt
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

from core import clock
from core.tenancy import Actor
from vendors.models import Certificate
from vendors.services.certificates import upload_certificate

PASSPHRASE = "open sesame"
HOST = "esd.example.com"


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """A key; making one takes long, so each is made once."""
    return rsa.generate_private_key(65537, bits)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def make_pfx(
    *hosts: str,
    bits: int = 2048,
    days: int = 365,
    starts: int = -1,
    passphrase: str = PASSPHRASE,
    has_key: bool = True,
    issuer: str = "",
    chain: bool = False,
) -> bytes:
    """A PFX with a certificate for ``hosts``, valid from ``starts`` to ``days`` days from now by the business clock.

    With ``issuer`` it says that another has signed it; ``chain`` adds that one's certificate.
    """
    key = rsa_key(bits)
    now = clock.now()
    maker = (
        x509.CertificateBuilder()
        .subject_name(_name(hosts[0] if hosts else "nobody"))
        .issuer_name(_name(issuer or (hosts[0] if hosts else "nobody")))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=starts))
        .not_valid_after(now + dt.timedelta(days=days))
    )
    if hosts:
        maker = maker.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False)
    certificate = maker.sign(rsa_key(), hashes.SHA256())
    others = [_authority(issuer)] if chain else None
    locked = BestAvailableEncryption(passphrase.encode())
    return pkcs12.serialize_key_and_certificates(b"esd", key if has_key else None, certificate, others, locked)


def _authority(name: str) -> x509.Certificate:
    now = clock.now()
    maker = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(name)).serial_number(7)
    maker = maker.public_key(rsa_key().public_key()).not_valid_before(now - dt.timedelta(days=1))
    return maker.not_valid_after(now + dt.timedelta(days=3650)).sign(rsa_key(), hashes.SHA256())


def installed(
    actor: Actor, label: str = "ESD EUR", *, currency: str = "EUR", host: str = HOST, **values: Any
) -> Certificate:
    """A certificate of the actor's organization, uploaded as a person would; ``values`` go to :func:`make_pfx`."""
    return upload_certificate(
        actor,
        label=label,
        content=make_pfx(host, **values),
        passphrase=PASSPHRASE,
        host_name=host,
        currency=currency,
    )
