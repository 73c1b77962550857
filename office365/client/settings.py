"""An instance's settings as the client needs them, with Microsoft's addresses as defaults (``partner-center.md`` 1)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.utils.translation import gettext as _

from office365.errors import PartnerCenterError
from provisioning.ports import ErrorKind

SALES_AUDIENCE = "https://api.partner.microsoft.com"


@dataclass(frozen=True)
class Cloud:
    """One of Microsoft's clouds: the API's host, which is also the tokens' resource, and the sign-in authority."""

    api: str
    login: str


CLOUDS: dict[str, Cloud] = {
    "global": Cloud("https://api.partnercenter.microsoft.com", "https://login.microsoftonline.com"),
    "china": Cloud("https://partner.partnercenterapi.microsoftonline.cn", "https://login.partner.microsoftonline.cn"),
    "us_government": Cloud("https://api.partnercenter.microsoft.com", "https://login.microsoftonline.us"),
}
DEFAULT_SALES = "https://api.partner.microsoft.com/v1.0/sales"


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate, both PEM."""

    private_key: str
    certificate: str

    @property
    def x5t_sha256(self) -> str:
        """base64url of the certificate's SHA-256, as the assertion's header carries it."""
        found = load_pem_x509_certificates(self.certificate.encode())[0]
        return x5t(found.fingerprint(hashes.SHA256()))


def x5t(fingerprint: bytes) -> str:
    """base64url without padding of a certificate's fingerprint (``partner-center.md`` 3.4)."""
    return base64.urlsafe_b64encode(fingerprint).decode().rstrip("=")


def read_certificate(value: object) -> KeyPair | None:
    """Read the certificate setting: PEM with key and certificate, or ``{"pfx": base64, "password"}``; empty is
    ``None``.

    Raises ``PartnerCenterError(MISCONFIGURED)`` if it is unreadable.
    """
    if not value:
        return None
    try:
        if isinstance(value, Mapping):
            return _from_mapping(value)
        return _from_pem(str(value))
    except (ValueError, TypeError, KeyError):
        raise PartnerCenterError(
            ErrorKind.MISCONFIGURED,
            _("The certificate cannot be read. Upload a PFX file with its private key."),
            code="certificate_invalid",
            field_errors={"certificate": _("The certificate cannot be read.")},
        ) from None


def _from_mapping(value: Mapping[str, Any]) -> KeyPair | None:
    if value.get("private_key") and value.get("certificate"):
        return _from_pem(f"{value['private_key']}\n{value['certificate']}")
    if not value.get("pfx"):
        return None
    content = value["pfx"]
    raw = content if isinstance(content, bytes) else base64.b64decode(str(content))
    password = str(value.get("password") or "")
    key, certificate, chain = pkcs12.load_key_and_certificates(raw, password.encode() or None)
    if key is None or certificate is None:
        raise ValueError("no private key in the file")
    return _pair(key, [certificate, *chain])


def _from_pem(content: str) -> KeyPair:
    key = serialization.load_pem_private_key(content.encode(), password=None)
    return _pair(key, load_pem_x509_certificates(content.encode()))


def _pair(key: Any, certificates: list[Certificate]) -> KeyPair:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = _public_bytes(key.public_key())
    own = next((item for item in certificates if _public_bytes(item.public_key()) == public), None)
    if own is None:
        raise ValueError("the certificate does not belong to the key")
    return KeyPair(private.decode(), own.public_bytes(serialization.Encoding.PEM).decode())


def _public_bytes(key: Any) -> bytes:
    raw: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return raw


@dataclass(frozen=True)
class InstanceSettings:
    """The settings by meaning; ``fingerprint`` changes whenever a credential or an address of sign-in does."""

    api_url: str
    login_url: str
    sales_url: str
    resource: str
    partner_tenant: str
    application_id: str
    application_key: str
    certificate: object
    is_microsoft_login: bool
    language: str
    fingerprint: str

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "InstanceSettings":
        """Read the decrypted values by field id; absent addresses are Microsoft's for the chosen cloud."""
        cloud = CLOUDS.get(str(values.get("cloud") or "global"), CLOUDS["global"])
        login = str(values.get("login_url") or cloud.login).rstrip("/")
        secrets = [
            login,
            values.get("partner_tenant"),
            values.get("application_id"),
            values.get("application_key"),
            str(values.get("certificate") or ""),
            values.get("cloud"),
        ]
        return cls(
            api_url=api_root(str(values.get("api_url") or cloud.api)),
            login_url=login,
            sales_url=str(values.get("sales_url") or DEFAULT_SALES).rstrip("/"),
            resource=cloud.api,
            partner_tenant=str(values.get("partner_tenant") or "").strip(),
            application_id=str(values.get("application_id") or "").strip(),
            application_key=str(values.get("application_key") or ""),
            certificate=values.get("certificate"),
            is_microsoft_login=login in {item.login for item in CLOUDS.values()},
            language=str(values.get("language") or "en-US"),
            fingerprint=hashlib.sha256(json.dumps(secrets, default=str).encode()).hexdigest(),
        )

    @property
    def authority(self) -> str:
        """The token authority of the partner's own tenant."""
        return f"{self.login_url}/{self.partner_tenant}"


def api_root(url: str) -> str:
    """The API's base without its version: the version is ours to add."""
    base = url.rstrip("/")
    return base[: -len("/v1")] if base.lower().endswith("/v1") else base
