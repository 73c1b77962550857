"""The table of calls and ``parse()``."""

import json
from decimal import Decimal
from typing import Any

import pytest

from microsoft_esd.calls import CALLS, parse
from microsoft_esd.errors import TOPICS
from microsoft_esd.schemas.answers import (
    AccessToken,
    ApiError,
    CatalogPage,
    IdentityError,
    Licence,
    Returned,
    Transaction,
    Unchanged,
)
from microsoft_esd.schemas.reading import read_moment
from provisioning.ports import ErrorKind, VendorError
from tests.microsoft_esd.fake_server import CODE, product

HOST = "https://sandamericas.channelinclusiontest.microsoft.com/channelinclusionREST.svc/v3_1"


@pytest.mark.parametrize(
    ("method", "url", "status", "body", "kind"),
    [
        ("GET", f"{HOST}/catalog?lang=el-GR&pg=1", 200,
         {"CatalogVersion": 1, "PageCount": "1", "Products": [product("A")]}, CatalogPage),
        ("get", "/cis//v3_1/CATALOG", 304, None, Unchanged),
        ("GET", "catalog", 304, b"", Unchanged),
        ("POST", "/purchase", 200, {"ClientTransactionId": "1", "State": "Completed"}, Transaction),
        ("POST", f"{HOST}/purchase", 202, None, Transaction),
        ("GET", "https://a.example/transactions/1/", 200, {"clientTransactionId": "1"}, Transaction),
        ("GET", "/v3.1/licenses/1", 200, {"LicenseId": "1", "TokenStatus": "New"}, Licence),
        ("POST", "/return", 200, {"LicenseId": "1", "ReturnStatus": "none"}, Returned),
        ("POST", "https://l.example/base/t.example/oauth2/token", 200,
         '\ufeff{"access_token":"a","expires_in":"3599"}', AccessToken),
        ("POST", "/t/oauth2/token", 401, {"error": "invalid_client"}, IdentityError),
        ("POST", "/purchase", 409, {"errorcode": "OutOfStock", "MESSAGE": "m"}, ApiError),
        ("POST", "/purchase", 500, b"<html>", ApiError),
    ],
)  # fmt: skip
def test_answers(method: str, url: str, status: int, body: Any, kind: type[Any]) -> None:
    assert type(parse(method, url, status, body)) is kind
    if isinstance(body, dict):
        raw = b"\xef\xbb\xbf" + json.dumps(body).encode()
        assert parse(method, url, status, raw) == parse(method, url, status, body)


@pytest.mark.parametrize(
    ("method", "url"),
    [("DELETE", "/purchase"), ("GET", "/licenses"), ("GET", "/v3_1/orders"), ("GET", "/licenses/1/2"), ("GET", "")],
)
def test_foreign_calls(method: str, url: str) -> None:
    with pytest.raises(LookupError):
        parse(method, url, 200, {})


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/catalog", {"CatalogVersion": 1, "PageCount": 1}),
        ("/catalog", {"CatalogVersion": "x", "PageCount": 1, "Products": []}),
        ("/catalog", {"CatalogVersion": 1, "PageCount": 1.5, "Products": []}),
        ("/catalog", {"CatalogVersion": 1, "PageCount": 1, "Products": {}}),
        ("/licenses/1", {"LicenseId": "1"}),
        ("/licenses/1", {"LicenseId": "1", "TokenStatus": None}),
        ("/licenses/1", []),
        ("/licenses/1", None),
        ("/licenses/1", b"<html>"),
        ("/licenses/1", b"\xff\xfe"),
        ("/licenses/1", b"[" * 100_000),
        ("/transactions/1", {"ClientTransactionId": "1", "LineItems": [{"Tokens": ["x"]}]}),
    ],
)
def test_impossible_answers(url: str, body: Any) -> None:
    with pytest.raises(VendorError) as caught:
        parse("GET", url, 200, body)
    assert caught.value.kind is ErrorKind.CONTRACT


def test_unknown_words_are_tolerated() -> None:
    answer = parse("GET", "/licenses/1", 200, {"LicenseId": 7, "TokenStatus": "Frozen", "New": {"a": []}})
    assert answer == Licence(license_id="7", token_status="unknown")


def test_amounts_are_decimal() -> None:
    body = json.dumps({"CatalogVersion": 1, "PageCount": 1, "Products": [product("A", Prices=[
        {"Amount": 0.1, "Currency": "EUR", "PriceType": "Cost"}])]})  # fmt: skip
    page = parse("GET", "/catalog", 200, body)
    assert isinstance(page, CatalogPage)
    [row] = page.products
    assert not isinstance(row, str)
    assert row.prices[0].amount == Decimal("0.1")


def test_secrets_do_not_show() -> None:
    line = {"LicenseId": "1", "Tokens": [{"Code": CODE}], "Links": [{"Uri": f"https://a.example/{CODE}"}]}
    bought = parse("POST", "/purchase", 200, {"ClientTransactionId": "1", "LineItems": [line]})
    token = parse("POST", "/t/oauth2/token", 200, {"access_token": "at-secret", "expires_in": 1})
    assert CODE not in repr(bought)
    assert "at-secret" not in repr(token)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00+00:00"),
        ("2026-11-21T09:00:00.1234567Z", "2026-11-21T09:00:00.123456+00:00"),
        ("2026-11-21T09:00:00", "2026-11-21T09:00:00+00:00"),
        ("2026-11-21", "2026-11-21T00:00:00+00:00"),
        ("0001-01-01T00:00:00", None),
        ("9999-12-31T23:59:59Z", None),
        ("tomorrow", None),
        (7, None),
        ({}, None),
    ],
)
def test_moments(text: Any, iso: str | None) -> None:
    moment = read_moment(text)
    assert (moment.isoformat() if moment else None) == iso


def test_table_is_documented_and_topics_are_whole() -> None:
    assert all(call.documentation for call in CALLS.values())
    assert {topic.vendor_code for topic in TOPICS} == {
        "InvalidSku", "SkuNotAvailableInCountry", "Discontinued", "OutOfStock", "ChannelNotAuthorized",
        "DuplicateTransaction", "AlreadyRedeemed", "NotReturnable", "ReturnWindowClosed", "AlreadyReturned",
        "LicenseNotFound",
    }  # fmt: skip
