"""Fixtures of the connector's own tests: a platform and a CIS in memory."""

import datetime as dt
import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from microsoft_esd.client.tokens import forget_tokens
from microsoft_esd.connector import EsdConnector
from provisioning.ports import AccountData, AssetRequest, ClientCertificate
from tests.microsoft_esd.fake_server import FakeServer
from tests.office365.memory import NOW, MemoryContext
from tests.twins import Twins

SETTINGS: dict[str, Any] = {
    "resource_api": "https://sandbox.esd.channelinclusion.example/",
    "service_url": "https://cis.example/channelinclusionREST.svc/v3_1",
    "tenant": "retail.example",
    "channel_id": "ESD-GR-100200",
    "client_id": "3c7e1f52-94ab-4d06-b8e1-5f20d9c6a701",
    "authority": "https://login.example/",
    "country": "GR",
    "language": "el-GR",
    "return_window_days": 30,
}


@cache
def make_certificate() -> ClientCertificate:
    """A self-signed certificate with its key, valid until 2027."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "esd.example.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2027, 6, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return ClientCertificate(
        thumbprint=made.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303
        certificate_pem=made.public_bytes(pem).decode(),
        key_pem=key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
        currency="EUR",
        expires_at=dt.datetime(2027, 6, 1, tzinfo=dt.UTC),
    )


class EsdContext(MemoryContext):
    """A context of one operation at an ESD instance; ``again()`` is the context of another operation there."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = {**SETTINGS, **settings}
        self.bound: ClientCertificate | None = make_certificate()

    def certificate(self) -> ClientCertificate | None:  # type: ignore[override]
        return self.bound

    def again(self) -> "EsdContext":
        other = EsdContext()
        other.settings, other.instance_id, other.killer = self.settings, self.instance_id, self.killer
        other.steps.killer, other.clock, other.bound = self.killer, self.clock, self.bound
        return other


@pytest.fixture(autouse=True)
def _fresh_tokens() -> Iterator[None]:
    forget_tokens()
    yield
    forget_tokens()


@pytest.fixture
def ctx() -> EsdContext:
    """A context of one operation."""
    return EsdContext()


@pytest.fixture
def server(ctx: EsdContext) -> FakeServer:
    """A CIS in memory."""
    return FakeServer(ctx.killer)


@pytest.fixture
def connector(server: FakeServer) -> EsdConnector:
    """The connector, speaking to the server in memory."""
    return EsdConnector(http=server)  # type: ignore[arg-type]


def make_request(**changes: Any) -> AssetRequest:
    """An order of one licence."""
    values: dict[str, Any] = {
        "asset_id": str(uuid.uuid4()),
        "product_code": "OFFER-T5D-06798",
        "product_name": "Office",
        "currency": "EUR",
        "created_at": NOW,
        "purchased_at": NOW,
        "account": AccountData(id="7", name="Elm Bakery"),
        "order_number": "ORD-2026-000123",
        "attributes": {"sku": "T5D-06798", "is_returnable": True, "return_window_days": None},
    }
    return AssetRequest(**{**values, **changes})


@pytest.fixture
def twin(twin_process: Twins) -> Iterator[Twins]:
    """The worker's twin process with empty vendors and no faults."""
    if twin_process.process.stdout:
        # Its only line has been read; left to the collector it would be a warning.
        twin_process.process.stdout.close()
    twin_process.reset()
    yield twin_process
    twin_process.no_faults()
