"""Tokens, certificates, addresses and throttles (``esd.md`` 10)."""

import base64
import datetime as dt
import json
from typing import Any

import jwt
import pytest
from cryptography.x509 import load_pem_x509_certificate

from core import clock
from core.http import Answer, NotSent
from microsoft_esd.client import ChannelInclusion, retry_after
from microsoft_esd.client.tokens import x5t
from microsoft_esd.connector import EsdConnector
from provisioning.ports import ErrorKind, VendorError
from tests.microsoft_esd.conftest import EsdContext, make_certificate, make_request
from tests.microsoft_esd.fake_server import FakeServer, reply


def client_of(ctx: EsdContext, server: FakeServer) -> ChannelInclusion:
    return ChannelInclusion(ctx, server)  # type: ignore[arg-type]


def test_x5t_vector() -> None:
    assert x5t("84E05C1D98BCE3A5421D225B140B36E86A3D5534") == "hOBcHZi846VCHSJbFAs26Go9VTQ"


def test_token_request(ctx: EsdContext, server: FakeServer) -> None:
    before = int(clock.real_now().timestamp())
    client_of(ctx, server).make_ready()

    url = "https://login.example/retail.example/oauth2/token"
    [form] = server.forms
    certificate = make_certificate()
    public = load_pem_x509_certificate(certificate.certificate_pem.encode()).public_key()
    claims = jwt.decode(form["client_assertion"], public, algorithms=["RS256"], audience=url)  # type: ignore[arg-type]
    header = jwt.get_unverified_header(form["client_assertion"])
    padded = header.pop("x5t") + "="
    assert server.urls == [url]
    assert {name: form[name] for name in form if name != "client_assertion"} == {
        "grant_type": "client_credentials",
        "resource": "https://sandbox.esd.channelinclusion.example/",
        "client_id": ctx.settings["client_id"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert header == {"alg": "RS256", "typ": "JWT"}
    assert base64.urlsafe_b64decode(padded).hex().upper() == certificate.thumbprint
    assert claims["iss"] == claims["sub"] == ctx.settings["client_id"]
    assert claims["exp"] == claims["nbf"] + 600
    assert 0 <= claims["nbf"] - before < 10
    assert len(claims["jti"]) == 36


def test_token_is_kept_until_five_minutes_before_its_end(
    ctx: EsdContext, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = clock.real_now()
    for minutes, asked in ((0, 1), (54, 1), (55, 2)):
        monkeypatch.setattr(clock, "real_now", lambda: start + dt.timedelta(minutes=minutes))  # noqa: B023
        client_of(ctx, server).make_ready()
        assert len(server.forms) == asked


def test_other_certificate_and_other_instance_get_their_own_token(ctx: EsdContext, server: FakeServer) -> None:
    client_of(ctx, server).make_ready()
    client_of(EsdContext(), server).make_ready()
    ctx.bound = type(make_certificate())(
        "AB" * 20, make_certificate().certificate_pem, make_certificate().key_pem, "EUR", ctx.bound.expires_at  # type: ignore[union-attr]
    )  # fmt: skip
    client_of(ctx, server).make_ready()
    assert len(server.forms) == 3


def test_refused_token_is_replaced_once(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("purchase", "answer", reply(401))
    connector.asset_create(ctx, make_request())
    assert (server.headers[-1]["Authorization"], len(server.forms)) == ("Bearer at-2", 2)


def test_twice_refused_token_is_misconfigured(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("purchase", "answer", reply(401), times=2)
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, caught.value.flag) == (ErrorKind.MISCONFIGURED, "credentials_refused")
    assert (server.count("purchase"), server.licences) == (2, {})


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_resource", "invalid_grant"])
def test_refused_assertion_is_misconfigured(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, error: str
) -> None:
    server.token_answer = reply(401, {"error": error, "error_description": "AADSTS700027: no.\r\nTrace: 1"})
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, caught.value.flag) == (ErrorKind.MISCONFIGURED, "credentials_refused")
    assert caught.value.message.endswith("(Microsoft: AADSTS700027: no.)")
    assert (server.count("purchase"), ctx.steps.values) == (0, {})


@pytest.mark.parametrize("answer", [reply(503), reply(500, {"error": "server_error"}), Answer(200, {}, b"<html>")])
def test_sign_in_away_waits(connector: EsdConnector, ctx: EsdContext, server: FakeServer, answer: Answer) -> None:
    server.token_answer = answer
    result: Any = None
    try:
        result = connector.asset_create(ctx, make_request())
    except VendorError as error:
        result = error
    assert (result.code, result.retry_after) == ("identity_unavailable", dt.timedelta(minutes=1))
    assert server.count("purchase") == 0


def test_sign_in_cannot_be_reached(ctx: EsdContext, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(options: object) -> Answer:
        raise NotSent("refused")

    monkeypatch.setattr(server, "_token", refuse)
    with pytest.raises(VendorError) as caught:
        client_of(ctx, server).make_ready()
    assert (caught.value.kind, caught.value.code) == (ErrorKind.WAITING, "identity_unavailable")


def test_expired_certificate_sends_nothing(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    connector.asset_create(ctx, make_request())
    server.requests.clear()
    ctx.clock = make_certificate().expires_at
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx.again(), make_request())
    assert (caught.value.kind, caught.value.code) == (ErrorKind.MISCONFIGURED, "certificate_expired")
    assert caught.value.message.startswith("The certificate expired on ")
    assert "2027" in caught.value.message
    assert server.requests == []


def test_missing_certificate_sends_nothing(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    ctx.bound = None
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, caught.value.code) == (ErrorKind.MISCONFIGURED, "certificate_missing")
    assert (server.requests, ctx.steps.values) == ([], {})


def test_paths_are_the_instance_own(ctx: EsdContext, server: FakeServer) -> None:
    ctx.settings = {
        **ctx.settings,
        "service_url": "https://cis.example",
        "catalog_path": "/v9/catalog?kind=esd",
        "licenses_path": "v9/licenses/{LicenseId}",
    }
    client = client_of(ctx, server)
    client.catalog_page(1, since=dt.datetime(2025, 12, 1, 0, 0, tzinfo=dt.UTC))
    with pytest.raises(VendorError):
        client.licence("a/../b")
    base = "https://cis.example/"
    assert server.urls[1:] == [
        f"{base}v9/catalog?kind=esd&lang=el-GR&pg=1&utcUpdatesFrom=12%2F01%2F2025%2000%3A00%3A00",
        f"{base}v9/licenses/a%2F..%2Fb",
    ]


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [(429, "30", 30), (429, None, 60), (503, "7", 7), (429, "99999999", 3600), (429, "0", 1), (429, "soon", 60)],
)
def test_throttle(ctx: EsdContext, server: FakeServer, status: int, header: str | None, seconds: int) -> None:
    headers = {"Retry_After": header} if header else {}
    server.fail("get_license", "answer", reply(status, None, **headers))
    with pytest.raises(VendorError) as caught:
        client_of(ctx, server).licence("x")
    assert (caught.value.kind, caught.value.retry_after) == (ErrorKind.THROTTLED, dt.timedelta(seconds=seconds))
    assert ctx.budget.pauses == [("esd", dt.timedelta(seconds=seconds))]


def test_retry_after_as_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "real_now", lambda: dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC))
    assert retry_after({"RETRY-AFTER": "Sat, 21 Nov 2026 09:02:00 GMT"}) == 120
    assert retry_after({}) is None


def test_unreadable_read_is_repeated_then_a_contract_error(ctx: EsdContext, server: FakeServer) -> None:
    server.fail("get_license", "answer", Answer(200, {}, b"<html>"), times=3)
    with pytest.raises(VendorError) as caught:
        client_of(ctx, server).licence("x")
    assert (caught.value.kind, caught.value.code, server.count("get_license")) == (
        ErrorKind.CONTRACT,
        "unreadable",
        3,
    )


def test_repeat_is_the_same_to_the_byte(ctx: EsdContext, server: FakeServer) -> None:
    sent: list[bytes] = []
    plain = server.request

    def keep(method: str, url: str, **options: Any) -> Answer:
        if options.get("data") and "purchase" in url:
            sent.append(options["data"])
        return plain(method, url, **options)

    server.request = keep  # type: ignore[method-assign]
    body = {"ClientTransactionId": "1", "LineItems": [{"Sku": "s", "Quantity": 1}]}
    client_of(ctx, server).purchase(body)
    client_of(ctx, server).purchase(json.loads(json.dumps(dict(reversed(body.items())))))
    assert sent[0] == sent[1]
