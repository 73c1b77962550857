"""Keys of the sign-in service: its own signing key, and the check of client assertions (``partner-center.md`` 3.4)."""

import base64
import hashlib
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.tls import write_private

ASSERTION_ALGORITHMS = ("RS256", "PS256")
ASSERTION_SECONDS = 24 * 3600
_REMEMBERED = 2000


class AssertionRefused(ValueError):
    """A client assertion that is no good; ``code`` is the AADSTS number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def b64url(value: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def digest(value: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(value.encode()).hexdigest()


def kept_secret(path: Path) -> str:
    """A random text, made once and kept in a file that only we can read."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


class SigningKey:
    """The RSA key that signs all tokens, made once and kept below the home folder."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            fresh = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            content = fresh.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_private(path, content)
        known = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(known, rsa.RSAPrivateKey):
            raise ValueError(f"{path} holds no RSA key")
        self._private = known
        self._public = known.public_key()
        self.kid = b64url(hashlib.sha256(self._public.public_numbers().n.to_bytes(256, "big")).digest())[:27]
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A signed JWT."""
        return jwt.encode(dict(claims), self._private, algorithm="RS256", headers={"kid": self.kid, "x5t": self.kid})

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token of ours; signature and times checked. Raises ``jwt.InvalidTokenError``."""
        claims = self._known.get(token)
        if claims is None:
            claims = jwt.decode(token, self._public, algorithms=["RS256"], options={"verify_aud": False})
            self._known[token] = claims
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if time.time() >= float(claims["exp"]):
            raise jwt.ExpiredSignatureError("Signature has expired")
        return dict(claims)

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        numbers = self._public.public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "x5t": self.kid,
            "n": b64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": b64url(numbers.e.to_bytes(3, "big")),
        }
        return {"keys": [key]}


def thumbprints(pem: str) -> dict[str, str]:
    """The two thumbprints of a certificate, as assertion headers carry them. Raises ``ValueError``."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return {
        # SHA-1 is what the older header is defined with; nothing is protected by it.
        "x5t": b64url(certificate.fingerprint(hashes.SHA1())),  # noqa: S303
        "x5t#S256": b64url(certificate.fingerprint(hashes.SHA256())),
    }


def check_assertion(
    assertion: str,
    *,
    client_id: str,
    audiences: Collection[str],
    certificates: Iterable[str],
    longest: int | None = None,
) -> dict[str, Any]:
    """Check a client assertion against the certificates (PEM) registered for an application; returns its claims.

    Signature, algorithm, thumbprint, audience, issuer, subject and times are checked; the caller checks that ``jti`` is
    new. With ``longest`` (seconds) ``nbf`` must be given, and ``exp`` may be that much later. Raises
    ``AssertionRefused``.
    """
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise AssertionRefused(50027, f"JWT token is invalid or malformed: {error}") from error
    if header.get("alg") not in ASSERTION_ALGORITHMS:
        raise AssertionRefused(
            5002738, f"Invalid JWT token. '{header.get('alg')}' is not a supported signature algorithm."
        )
    certificate = _registered(header, certificates)
    try:
        claims: dict[str, Any] = jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]  # Only RSA keys are registered.
            algorithms=[str(header["alg"])],
            audience=list(audiences),
            options={"require": ["exp", "aud", "iss", "sub", "jti", *(["nbf"] if longest else [])]},
        )
    except jwt.InvalidAudienceError as error:
        raise AssertionRefused(50052, "The client assertion's audience is not the token endpoint.") from error
    except jwt.ExpiredSignatureError as error:
        raise AssertionRefused(700024, "Client assertion is not within its valid time range.") from error
    except jwt.ImmatureSignatureError as error:
        raise AssertionRefused(700024, "Client assertion is not within its valid time range.") from error
    except jwt.InvalidTokenError as error:
        raise AssertionRefused(700027, f"Client assertion failed signature validation: {error}.") from error
    if claims["iss"] != client_id or claims["sub"] != client_id:
        raise AssertionRefused(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
    if float(claims["exp"]) - time.time() > ASSERTION_SECONDS:
        raise AssertionRefused(700024, "Client assertion's lifetime is too long.")
    if longest and float(claims["exp"]) - float(claims["nbf"]) > longest:
        raise AssertionRefused(700024, f"Client assertion's lifetime is longer than {longest} seconds.")
    return claims


def _registered(header: Mapping[str, Any], certificates: Iterable[str]) -> x509.Certificate:
    given = {name: str(header[name]).rstrip("=") for name in ("x5t", "x5t#S256") if header.get(name)}
    if not given:
        raise AssertionRefused(700027, "The client assertion names no certificate: 'x5t' or 'x5t#S256' is missing.")
    for pem in certificates:
        known = thumbprints(pem)
        if all(known[name] == value for name, value in given.items()):
            found = x509.load_pem_x509_certificate(pem.encode())
            if not found.not_valid_before_utc.timestamp() <= time.time() < found.not_valid_after_utc.timestamp():
                raise AssertionRefused(
                    700027, "The certificate with which the client assertion is signed is not valid now."
                )
            return found
    shown = json.dumps(given)
    raise AssertionRefused(700027, f"The certificate with identifier {shown} is not registered on the application.")
