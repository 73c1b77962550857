"""Reads a certificate with its key from a PFX or PEM file, in memory only (``esd.md`` 2). Nothing is stored here."""

import base64
import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TypeGuard

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.der import rounds_of
from core.errors import BusinessError

MAX_BYTES = 256 * 1024
RSA_BITS = 2048
MOST_ROUNDS = 5_000_000  # About two seconds of work; usual files ask for some thousands.
_PEM_KEY = re.compile(rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.+?-----END \1PRIVATE KEY-----", re.DOTALL)
Key = RSAPrivateKey | EllipticCurvePrivateKey
HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)+")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a PFX file holds; the key stays out of ``repr``. ``hosts`` are the DNS names of the certificate's SAN."""

    subject: str
    issuer: str
    thumbprint: str
    hosts: tuple[str, ...]
    valid_from: dt.datetime
    valid_to: dt.datetime
    chain_pem: str
    has_chain: bool
    key_pem: str = field(repr=False)

    @property
    def validity(self) -> str:
        """From when to when it is valid, in words."""
        return valid_words(self.valid_from, self.valid_to)


def open_file(content: bytes, passphrase: str) -> Opened:
    """A certificate for a web server, PFX or PEM; the key may also be on one of the curves that browsers know."""
    if b"-----BEGIN " in content[:MAX_BYTES]:
        return _open_pem(content, passphrase)
    return open_pfx(content, passphrase, has_curves=True)


def _open_pem(content: bytes, passphrase: str) -> Opened:
    """Certificates and key one after the other; the certificate of the key comes first, whatever the file's order."""
    if len(content) > MAX_BYTES:
        raise _too_large()
    found = _PEM_KEY.search(content)
    if found is None:
        raise _without_key()
    try:
        parts = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise _without_certificate() from error
    key = _pem_key(found.group(0), passphrase)
    if not is_strong(key, has_curves=True):
        raise _too_weak()
    leaf = next((part for part in parts if part.public_key() == key.public_key()), None)
    if leaf is None:
        raise _key_of_another()
    return _opened(leaf, [part for part in parts if part is not leaf], key)


def _pem_key(pem: bytes, passphrase: str) -> object:
    body = pem.split(b"-----")[2]
    try:
        rounds = rounds_of(base64.b64decode(body))
    except ValueError:
        rounds = 0  # The older form has lines of its own above the key, and always hashes once.
    try:
        if rounds > MOST_ROUNDS:
            raise ValueError(rounds)
        return load_pem_private_key(pem, passphrase.encode() or None)
    except TypeError as error:
        # The reader says so of a locked key without a passphrase, and of an open one with it.
        words = _("Leave it empty: the key is not locked.") if passphrase else _("This field is required.")
        raise BusinessError("passphrase_wrong", words, field="passphrase") from error
    except UnsupportedAlgorithm as error:
        raise _too_weak() from error
    except ValueError as error:
        if passphrase and rounds <= MOST_ROUNDS:
            raise _wrong_passphrase() from error
        words = _("The private key in this file cannot be read.")
        raise BusinessError("key_unreadable", words, field="file") from error


def is_strong(key: object, *, has_curves: bool) -> TypeGuard[Key]:
    """Whether a key is RSA with 2048 bits or more, or, with ``has_curves``, on P-256 or P-384."""
    if isinstance(key, EllipticCurvePrivateKey):
        return has_curves and isinstance(key.curve, SECP256R1 | SECP384R1)
    return isinstance(key, RSAPrivateKey) and key.key_size >= RSA_BITS


def open_pfx(content: bytes, passphrase: str, *, has_curves: bool = False) -> Opened:
    """The certificate, its chain and its key; raises BusinessError that names the field and says what is wrong."""
    if len(content) > MAX_BYTES:
        raise _too_large()
    if not passphrase:
        raise BusinessError("passphrase_missing", _("This field is required."), field="passphrase")
    if rounds_of(content) > MOST_ROUNDS:
        # Whoever writes the file says how often its passphrase is hashed: up to hours of a worker's time.
        raise BusinessError("pfx_unreadable", _("This is not a PFX file."), field="file")
    try:
        bundle = pkcs12.load_pkcs12(content, passphrase.encode())
    except UnsupportedAlgorithm as error:
        raise _too_weak() from error
    except ValueError as error:
        raise _unopened(error) from error
    key, leaf = bundle.key, bundle.cert
    if key is None:
        raise _without_key()
    if leaf is None:
        raise _without_certificate()
    if not is_strong(key, has_curves=has_curves):
        raise _too_weak()
    if leaf.certificate.public_key() != key.public_key():
        raise _key_of_another()
    return _opened(leaf.certificate, [extra.certificate for extra in bundle.additional_certs], key)


def _too_large() -> BusinessError:
    return BusinessError("pfx_too_large", _("This file is too large for a certificate."), field="file")


def _without_key() -> BusinessError:
    return BusinessError("pfx_without_key", _("The file holds no private key."), field="file")


def _without_certificate() -> BusinessError:
    return BusinessError("pfx_without_certificate", _("The file holds no certificate."), field="file")


def _wrong_passphrase() -> BusinessError:
    return BusinessError("passphrase_wrong", _("The passphrase does not open this file."), field="passphrase")


def _key_of_another() -> BusinessError:
    words = _("The private key belongs to none of the certificates in this file.")
    return BusinessError("key_of_another", words, field="file")


def _too_weak() -> BusinessError:
    return BusinessError("key_too_weak", _("Use RSA with 2048 bits or more."), field="file")


def _unopened(error: ValueError) -> BusinessError:
    """The reader tells a wrong passphrase from a file that is no PFX by its words alone."""
    if "password" in str(error).lower():
        return _wrong_passphrase()
    return BusinessError("pfx_unreadable", _("This is not a PFX file."), field="file")


def _opened(leaf: x509.Certificate, others: list[x509.Certificate], key: Key) -> Opened:
    parts = [leaf, *others]
    return Opened(
        subject=leaf.subject.rfc4514_string()[:255],
        issuer=leaf.issuer.rfc4514_string()[:255],
        thumbprint=leaf.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - the name by which vendors know it.
        hosts=_hosts(leaf),
        valid_from=leaf.not_valid_before_utc,
        valid_to=leaf.not_valid_after_utc,
        chain_pem="".join(part.public_bytes(Encoding.PEM).decode() for part in parts),
        has_chain=leaf.issuer == leaf.subject or any(other.subject == leaf.issuer for other in others),
        key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )


def _hosts(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))


def hosts_of(chain_pem: str) -> tuple[str, ...]:
    """The host names a stored certificate covers; wildcards as they are written."""
    return _hosts(x509.load_pem_x509_certificate(chain_pem.encode())) if chain_pem else ()


def is_host_name(host: str) -> bool:
    """Whether ``host`` (in lower case, without a last dot) can be the name of a host; a wildcard cannot."""
    return HOST_NAME.fullmatch(host) is not None


def covers(hosts: tuple[str, ...], host: str) -> bool:
    """Whether one of ``hosts`` is ``host``, or a wildcard for its first label: ``*.example.com`` is no deeper one."""
    host = host.lower().rstrip(".")
    _label, _dot, rest = host.partition(".")
    return bool(rest) and (host in hosts or f"*.{rest}" in hosts)


def valid_words(valid_from: dt.datetime, valid_to: dt.datetime) -> str:
    """From when to when something is valid, in words."""
    return _("Valid from %(a)s to %(b)s.") % {"a": day_words(valid_from), "b": day_words(valid_to)}


def day_words(moment: dt.datetime) -> str:
    """A moment as a day in UTC, in words."""
    return date_format(moment.astimezone(dt.UTC), "DATE_FORMAT", use_l10n=True)
