"""Signing, paging, throttling, tokens."""

import base64
import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from core.http import Answer
from office365.calls import CALLS
from office365.client import PartnerCenter, quoted_etag, retry_after
from office365.client.settings import InstanceSettings, read_certificate, x5t
from office365.client.tokens import client_credential
from office365.errors import PartnerCenterError
from provisioning.ports import ErrorKind, VendorError
from tests.office365.conftest import TENANT
from tests.office365.fake_server import FakeServer, reply
from tests.office365.memory import MemoryContext


@pytest.fixture
def client(ctx: MemoryContext, server: FakeServer) -> PartnerCenter:
    """A client on the server in memory."""
    return PartnerCenter(ctx, server)  # type: ignore[arg-type]


def test_x5t_vector() -> None:
    assert x5t(bytes.fromhex("84E05C1D98BCE3A5421D225B140B36E86A3D5534")) == "hOBcHZi846VCHSJbFAs26Go9VTQ"


@pytest.mark.parametrize(
    "form", ["/customers", "customers", "/v1/customers", "https://pc.example/partner-center/v1/customers"]
)
def test_pages_follow_every_link_form_with_its_headers(client: PartnerCenter, server: FakeServer, form: str) -> None:
    seen: list[str] = []

    def page(path: str, query: dict[str, str], body: object) -> Answer:
        number = len(seen) + 1
        seen.append(server.headers[-1].get("MS-ContinuationToken", ""))
        headers = [{"key": "MS-ContinuationToken", "value": f"t{number}"}]
        link = {"next": {"uri": f"{form}?size=500&seekOperation=Next", "method": "GET", "headers": headers}}
        return reply(
            200, {"totalCount": 1, "items": [{"id": f"c{number}"}], "links": link if number < 3 else {"next": {}}}
        )

    server.overrides["list_customers"] = page
    rows = client.collect("list_customers", query={"size": "500"})
    assert [row.id for row in rows.items] == ["c1", "c2", "c3"]
    assert seen == ["", "t1", "t2"]


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ({"uri": "https://evil.example/v1/customers"}, "foreign_link"),
        ({"uri": "//evil.example/v1/customers"}, "foreign_link"),
        (
            {"uri": "/customers?seekOperation=Next", "headers": [{"key": "MS-ContinuationToken", "value": "same"}]},
            "paging_loop",
        ),
    ],
)
def test_pages_refuse_foreign_hosts_and_loops(
    client: PartnerCenter, server: FakeServer, link: dict[str, object], code: str
) -> None:
    server.overrides["list_customers"] = lambda **_: reply(200, {"items": [{"id": "c"}], "links": {"next": link}})
    with pytest.raises(VendorError) as caught:
        client.collect("list_customers")
    assert (caught.value.kind, caught.value.code) == (ErrorKind.CONTRACT, code)
    assert server.count("list_customers") <= 3


def test_pages_by_body_token_and_by_offset(client: PartnerCenter, server: FakeServer) -> None:
    urls: list[dict[str, str]] = []

    def by_token(path: str, query: dict[str, str], body: object) -> Answer:
        urls.append(query)
        more = {"continuationToken": "abc"} if len(urls) == 1 else {}
        return reply(200, {"items": [{"id": f"c{len(urls)}"}], **more})

    server.overrides["list_customers"] = by_token
    assert len(client.collect("list_customers", query={"size": "1"}).items) == 2
    assert urls[1] == {"size": "1", "seekOperation": "Next"}
    assert server.headers[-1]["MS-ContinuationToken"] == "abc"

    def by_offset(path: str, query: dict[str, str], body: object) -> Answer:
        rows = [{"id": str(n), "name": "n"} for n in range(5)][int(query["offset"]) :][:2]
        return reply(200, {"totalCount": len(rows), "items": rows})

    server.overrides["list_offers"] = by_offset
    offers = client.collect("list_offers", query={"country": "US", "size": "2", "offset": "0"})
    assert [row.id for row in offers.items] == ["0", "1", "2", "3", "4"]


def test_page_not_ready_waits(client: PartnerCenter, server: FakeServer) -> None:
    server.overrides["list_customers"] = lambda **_: reply(204)
    with pytest.raises(VendorError) as caught:
        client.collect("list_customers")
    assert caught.value.kind is ErrorKind.WAITING


@pytest.mark.parametrize(
    ("etag", "sent"), [("abc", '"abc"'), ('"abc"', '"abc"'), ('W/"1"', 'W/"1"'), ("-59203", '"-59203"')]
)
def test_quoted_etag(etag: str, sent: str) -> None:
    assert quoted_etag(etag) == sent


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "57"}, 57.0),
        ({"Retry-After": "57, 57"}, 57.0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:30 GMT", "Date": "Sat, 21 Nov 2026 09:00:00 GMT"}, 30.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_throttle_without_header_doubles(client: PartnerCenter, ctx: MemoryContext, server: FakeServer) -> None:
    server.overrides["get_customer"] = lambda **_: reply(429, {"statusCode": 429})
    for _ in range(8):
        with pytest.raises(VendorError):
            client.call("get_customer", params={"customer": "c"})
    waits = [delay.total_seconds() for _family, delay in ctx.budget.pauses]
    floors = [5, 10, 20, 40, 80, 160, 300, 300]
    assert all(floor <= wait <= floor * 1.2 for floor, wait in zip(floors, waits, strict=True))
    assert {family for family, _delay in ctx.budget.pauses} == {"customers"}


def test_unauthorized_gets_a_new_token_once(client: PartnerCenter, server: FakeServer) -> None:
    server.fail("get_customer", "answer", reply(401, {"code": 800001}), times=1)
    assert client.call("get_customer", params={"customer": TENANT}).id == TENANT
    server.fail("get_customer", "answer", reply(401, {"code": 800001}), times=5)
    with pytest.raises(VendorError) as caught:
        client.call("get_customer", params={"customer": TENANT})
    assert (caught.value.kind, caught.value.flag) == (ErrorKind.MISCONFIGURED, "credentials_refused")
    assert server.count("get_customer") == 4


def test_refresh_token_is_rotated_and_stored(client: PartnerCenter, ctx: MemoryContext, server: FakeServer) -> None:
    scope = "https://api.partnercenter.microsoft.com/user_impersonation"
    client.tokens.user_token(ctx, scope)
    first = ctx.secrets.get("refresh_token")
    assert first != "rt-1" and server.refresh_tokens == {first}
    client.tokens.user_token(ctx, scope)
    assert ctx.secrets.swaps == 1
    client.tokens.forget()
    client.tokens.user_token(ctx, scope)
    assert ctx.secrets.get("refresh_token") in server.refresh_tokens


def test_lost_refresh_token_says_consent_lost_and_does_not_loop(ctx: MemoryContext, server: FakeServer) -> None:
    ctx.secrets.put("refresh_token", "rotated away")
    asked: list[str] = []
    real = server._login

    def login(url: str, options: Mapping[str, Any]) -> Answer:
        asked.append(url)
        return real(url, options)

    server._login = login  # type: ignore[method-assign]
    client = PartnerCenter(ctx, server)  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(VendorError) as caught:
            client.call("get_billing_profile", params={"customer": TENANT})
        assert (caught.value.kind, caught.value.flag) == (ErrorKind.MISCONFIGURED, "consent_lost")
    assert sum(1 for url in asked if "token" in url) == 1
    # The application's own token is another matter: orders go on.
    assert client.call("get_customer", params={"customer": TENANT}).id == TENANT
    # A new consent unblocks at once.
    server.refresh_tokens = {"rt-2"}
    ctx.secrets.put("refresh_token", "rt-2")
    assert client.tokens.user_token(ctx, "https://api.partnercenter.microsoft.com/user_impersonation")


def test_write_keeps_its_id_until_a_definite_answer(client: PartnerCenter, server: FakeServer) -> None:
    params = {"customer": TENANT}
    body = {"lineItems": [{"catalogItemId": "x", "quantity": 1, "billingCycle": "monthly"}]}
    server.fail("create_cart", "before")
    with pytest.raises(VendorError):
        client.write("create_cart", "step", params=params, body=body)
    client.write("create_cart", "step", params=params, body=body)
    client.write("create_cart", "step", params=params, body=body)
    ids = [request_id for name, request_id, _body in server.requests if name == "create_cart"]
    assert ids[0] == ids[1] != ids[2]


def test_redirect_is_not_followed(client: PartnerCenter, server: FakeServer) -> None:
    server.overrides["get_customer"] = lambda **_: Answer(302, {"Location": "https://evil.example"}, b"")
    with pytest.raises(VendorError) as caught:
        client.call("get_customer", params={"customer": TENANT})
    assert caught.value.kind is ErrorKind.CONTRACT


def test_path_parameters_cannot_leave_their_place(client: PartnerCenter) -> None:
    url = client.url_of(CALLS["get_customer"], {"customer": "a/../../x?y#z"}, {})
    assert url == "https://pc.example/partner-center/v1/customers/a%2F..%2F..%2Fx%3Fy%23z"
    with pytest.raises(PartnerCenterError):
        client.url_of(CALLS["get_customer"], {"customer": ".."}, {})


def test_unreadable_read_is_repeated(client: PartnerCenter, server: FakeServer) -> None:
    server.fail("get_customer", "answer", Answer(200, {}, b'{"id": "'), times=2)
    assert client.call("get_customer", params={"customer": TENANT}).id == TENANT
    server.fail("get_customer", "answer", Answer(200, {}, b'{"id": "'), times=3)
    with pytest.raises(VendorError) as caught:
        client.call("get_customer", params={"customer": TENANT})
    assert caught.value.kind is ErrorKind.UNKNOWN


def make_certificate() -> tuple[str, bytes]:
    """A key pair as PEM, and the same as PFX with the password ``p``."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = private.decode() + certificate.public_bytes(serialization.Encoding.PEM).decode()
    pfx = pkcs12.serialize_key_and_certificates(
        b"n", key, certificate, None, serialization.BestAvailableEncryption(b"p")
    )
    return pem, pfx


def test_certificate_setting_in_both_forms(ctx: MemoryContext) -> None:
    pem, pfx = make_certificate()
    from_pem = read_certificate(pem)
    from_pfx = read_certificate({"pfx": base64.b64encode(pfx).decode(), "password": "p"})
    assert from_pem is not None and from_pfx is not None
    assert from_pem.x5t_sha256 == from_pfx.x5t_sha256
    settings = InstanceSettings.read({**ctx.settings, "application_key": "", "certificate": pem})
    credential = client_credential(settings)
    assert isinstance(credential, dict) and set(credential) == {"private_key", "public_certificate"}
    with pytest.raises(PartnerCenterError):
        read_certificate("no certificate")
