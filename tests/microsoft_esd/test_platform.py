"""What the platform lends: a certificate in TLS, and a budget of its own for this vendor's calls."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from core import clock
from core.http import ClientPair, HttpClient, HttpError, http_client
from provisioning.budget import SharedBudget
from provisioning.ports import ErrorKind, VendorError
from tests.microsoft_esd.conftest import EsdContext, make_certificate


def self_signed(folder: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, in one file."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = clock.real_now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(pem) + plain)
    return path


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        shown = self.connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        body = hashes_of(shown).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(HTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A refused handshake is what a test wants."""


def hashes_of(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server that lets in only who proves to be our certificate, and the file to trust it by."""
    path = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=make_certificate().certificate_pem)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/", str(path)
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_certificate_is_presented(address: tuple[str, str], settings: Any) -> None:
    url, settings.EXTRA_CA_FILE = address
    certificate = make_certificate()
    pair = ClientPair(certificate.certificate_pem, certificate.key_pem)
    proving = http_client(patience=30.0, client_pair=pair)
    plain = http_client(patience=30.0)
    plain.sleep = lambda seconds: None
    try:
        assert proving.request("GET", url).body.decode() == certificate.thumbprint
        with pytest.raises(HttpError):
            plain.request("GET", url)
    finally:
        proving.close()
        plain.close()


def test_pair_keeps_its_key() -> None:
    certificate = make_certificate()
    assert "PRIVATE" not in repr(ClientPair(certificate.certificate_pem, certificate.key_pem))
    other = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="does not belong"):
        HttpClient(client_pair=ClientPair(certificate.certificate_pem, other.decode()))


def test_patience_is_the_shorter_one(settings: Any) -> None:
    settings.VENDOR_READ_TIMEOUT, settings.VENDOR_WRITE_TIMEOUT = 60.0, 10.0
    limits = http_client(patience=30.0).timeouts
    assert (limits.read, limits.write) == (30.0, 10.0)


def test_client_presents_only_where_wanted(ctx: EsdContext) -> None:
    from microsoft_esd.client import ChannelInclusion  # The test is about what it makes, not about its import.

    assert ChannelInclusion(ctx)._client() is ChannelInclusion(ctx).login_http
    ctx.settings = {**ctx.settings, "present_certificate": True}
    assert ChannelInclusion(ctx)._client() is not ChannelInclusion(ctx).login_http


def test_family_has_its_own_calls_a_minute(settings: Any) -> None:
    settings.VENDOR_CALLS_PER_MINUTE = 9
    settings.VENDOR_FAMILY_CALLS_PER_MINUTE = {"esd": 3}
    budget = SharedBudget("test-esd-family")
    minute = clock.real_now().minute
    for _call in range(3):
        with budget.acquire("esd", "esd"):
            pass
    if clock.real_now().minute == minute:
        with pytest.raises(VendorError) as caught, budget.acquire("esd", "esd"):
            pass
        assert caught.value.kind is ErrorKind.THROTTLED
        with budget.acquire("other"):
            pass


def test_four_purchases_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.budget.PATIENCE_SECONDS", 0.1)
    budget = SharedBudget("test-esd-places")
    held = [budget.acquire("esd", "esd") for _place in range(4)]
    for place in held:
        place.__enter__()
    try:
        with pytest.raises(VendorError), budget.acquire("esd", "esd"):
            pass
        with budget.acquire("esd"):
            pass
    finally:
        for place in held:
            place.__exit__(None, None, None)
