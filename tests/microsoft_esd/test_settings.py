"""The instance's fields and their rules (``esd.md`` 3)."""

from typing import Any

import pytest

from core.http import NotSent
from microsoft_esd.connector import EsdConnector
from provisioning.ports import Connector, FieldKind
from tests.microsoft_esd.conftest import SETTINGS, EsdContext
from tests.microsoft_esd.fake_server import FakeServer, problem, reply

FIRST = ["resource_api", "service_url", "tenant", "channel_id", "client_id"]
MARKET = ["thumbprint", "country", "language"]
OPTIONS = [
    "authority",
    "return_window_days",
    "catalog_path",
    "purchase_path",
    "transactions_path",
    "licenses_path",
    "return_path",
    "present_certificate",
    "catalogue_schedule",
]


def test_connector_is_one(connector: EsdConnector, ctx: EsdContext) -> None:
    assert isinstance(connector, Connector)
    assert (connector.code, connector.name) == ("microsoft_esd", "Microsoft ESD")
    assert all(callable(getattr(connector, verb)) for verb in connector.verbs)
    assert not {verb for verb in connector.verbs if verb.startswith("account")}


def test_fields_in_their_order(connector: EsdConnector) -> None:
    fields = connector.describe_settings()
    assert [field.id for field in fields] == [*FIRST, *MARKET, *OPTIONS]
    assert [field.id for field in fields if not field.additional] == FIRST
    assert [field.id for field in fields if field.required] == FIRST + MARKET
    assert {field.role: field.id for field in fields if field.role} == {
        "client": "client_id",
        "certificate": "thumbprint",
        "country": "country",
        "language": "language",
    }
    by_id = {field.id: field for field in fields}
    assert by_id["thumbprint"].kind is FieldKind.INSTALLED_CERTIFICATE
    assert by_id["channel_id"].max_length == 50
    assert by_id["return_window_days"].initial == 30
    assert [value for value, _label in by_id["catalogue_schedule"].choices] == ["daily", "weekly", "off"]
    assert ("GR", "GR") in by_id["country"].choices
    assert ("el-GR", "el-GR") in by_id["language"].choices


def test_initial_values_are_valid(connector: EsdConnector, ctx: EsdContext) -> None:
    initial = {field.id: field.initial for field in connector.describe_settings() if field.initial is not None}
    ctx.settings = {**SETTINGS, **initial, "thumbprint": "AB" * 20}
    assert connector.validate_settings(ctx).ok is True
    ctx.settings = {}
    assert connector.validate_settings(ctx).ok is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("resource_api", "http://esd.example/"),
        ("service_url", "ftp://esd.example/"),
        ("service_url", "https://user:pw@esd.example/"),
        ("service_url", "https://esd.example/?a=b"),
        ("authority", "login.example"),
        ("tenant", "no tenant"),
        ("client_id", "123"),
        ("channel_id", "x" * 51),
        ("country", "XX"),
        ("language", "el"),
        ("return_window_days", "366"),
        ("return_window_days", "-1"),
        ("catalog_path", "https://elsewhere.example/catalog"),
        ("catalog_path", "../catalog"),
        ("purchase_path", "purchase/{LicenseId}"),
        ("transactions_path", "transactions"),
        ("licenses_path", "licenses/{ClientTransactionId}"),
        ("licenses_path", "licenses/{LicenseId}/{LicenseId}"),
        ("return_path", "return{"),
    ],
)
def test_wrong_values(connector: EsdConnector, ctx: EsdContext, field: str, value: str) -> None:
    ctx.settings = {**SETTINGS, field: value}
    result = connector.validate_settings(ctx)
    assert (result.ok, list(result.field_errors)) == (False, [field])


def test_loopback_may_speak_plain_http(connector: EsdConnector, ctx: EsdContext, settings: Any) -> None:
    ctx.settings = {**SETTINGS, "service_url": "http://127.0.0.1:8010/cis/v3_1/"}
    assert connector.validate_settings(ctx).ok is True
    settings.LOOPBACK_HOSTS = []
    assert connector.validate_settings(ctx).ok is False


def test_connection(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    result = connector.test_connection(ctx)
    assert (result.ok, dict(result.data)) == (True, {"token": True, "catalogue": True})
    connector.test_connection(ctx)
    assert len(server.forms) == 2


def test_connection_without_certificate(connector: EsdConnector, ctx: EsdContext) -> None:
    ctx.bound = None
    result = connector.test_connection(ctx)
    assert (result.ok, result.code) == (False, "certificate_missing")
    assert list(result.field_errors) == ["thumbprint"]


def test_connection_that_is_refused(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.token_answer = reply(400, {"error": "unauthorized_client", "error_description": "AADSTS700016: who?"})
    result = connector.test_connection(ctx)
    assert (result.ok, result.code) == (False, "credentials_refused")
    assert "AADSTS700016" in result.message


def test_connection_without_catalogue(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("list_catalog", "answer", problem(403, "ChannelNotAuthorized"))
    result = connector.test_connection(ctx)
    assert (result.ok, result.code, dict(result.data)) == (False, "channel_not_authorized", {"token": True})
    assert result.message.startswith("A token was given, but the catalogue could not be read: ")


def test_connection_nobody_answers(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(options: object) -> None:
        raise NotSent("refused")

    monkeypatch.setattr(server, "_token", refuse)
    assert connector.test_connection(ctx).code == "identity_unavailable"


def test_nothing_is_asked_at_checkout(connector: EsdConnector, ctx: EsdContext) -> None:
    assert connector.account_options(ctx, None) == []  # type: ignore[arg-type]
