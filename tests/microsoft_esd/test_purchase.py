"""Buying a licence: one key per operation, whatever happens on the way (``esd.md`` 10)."""

import datetime as dt
import logging
from typing import Any

import pytest

from core.http import Answer
from microsoft_esd.connector import EsdConnector
from provisioning.ports import ErrorKind, Outcome, VendorError
from tests.microsoft_esd.conftest import EsdContext, make_request
from tests.microsoft_esd.fake_server import CODE, FakeServer, problem, reply
from tests.office365.memory import Killed

REFUSALS = [
    (400, "InvalidSku", "discontinued"),
    (422, "SkuNotAvailableInCountry", "discontinued"),
    (410, "Discontinued", "discontinued"),
]


def test_purchase_gives_licence_and_key(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    result = connector.asset_create(ctx, make_request())

    [(licence, _row)] = server.licences.items()
    _body, made = server.transactions[str(ctx.operation_id)]
    assert (result.outcome, result.external_id) == (Outcome.DONE, licence)
    assert dict(result.secrets) == {"token": CODE}
    assert dict(result.data) == {
        "transaction_id": made["ServiceTransactionId"],
        "token_status": "activated",
        "return_status": "none",
        "links": [
            {
                "type": "activation",
                "description": "Activate",
                "uri": "https://setup.example/a",
                "expires_at": None,
            },
            {
                "type": "download",
                "description": "Installer",
                "uri": "https://download.example/d",
                "expires_at": "2027-11-21T00:00:00+00:00",
            },
        ],
    }


def test_purchase_sends_contract_body_once(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    connector.asset_create(ctx, make_request())

    assert server.requests[1:] == [
        (
            "purchase",
            {
                "ClientTransactionId": str(ctx.operation_id),
                "ChannelId": "ESD-GR-100200",
                "Country": "GR",
                "Language": "el-GR",
                "Currency": "EUR",
                "PurchaseOrder": "2026-000123",
                "LineItems": [{"LineNumber": 1, "Sku": "T5D-06798", "Quantity": 1}],
            },
        )
    ]
    assert server.urls[-1] == "https://cis.example/channelinclusionREST.svc/v3_1/purchase"
    assert server.headers[-1]["Authorization"] == "Bearer at-1"
    assert ctx.budget.taken == [("esd", "esd")]


@pytest.mark.parametrize("point", range(12))
def test_kill_at_each_point_never_buys_twice(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, point: int
) -> None:
    ctx.killer.at = point
    try:
        connector.asset_create(ctx, make_request())
        assert point >= 4
    except Killed:
        assert point < 4
    ctx.killer.at = -1

    result = connector.asset_create(ctx, make_request())

    assert result.outcome == Outcome.DONE
    assert list(server.licences) == [result.external_id]


def test_lost_answer_is_found_again(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("purchase", "after")
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert caught.value.kind is ErrorKind.UNKNOWN

    result = connector.asset_create(ctx, make_request())

    assert (result.outcome, list(server.licences)) == (Outcome.DONE, [result.external_id])
    assert (server.count("purchase"), server.count("get_transaction")) == (1, 1)


def test_request_that_never_arrived_is_sent_again_as_it_was(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer
) -> None:
    server.fail("purchase", "before")
    with pytest.raises(VendorError):
        connector.asset_create(ctx, make_request())
    ctx.settings = {**ctx.settings, "language": "en-US"}

    result = connector.asset_create(ctx, make_request())

    assert result.outcome == Outcome.DONE
    bodies = [what for name, what in server.requests if name == "purchase"]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


def test_late_visible_purchase_is_repeated_without_effect(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer
) -> None:
    server.fail("purchase", "after")
    server.hidden = 1
    with pytest.raises(VendorError):
        connector.asset_create(ctx, make_request())

    result = connector.asset_create(ctx, make_request())

    assert (result.outcome, list(server.licences)) == (Outcome.DONE, [result.external_id])
    assert server.count("purchase") == 2


@pytest.mark.parametrize("body", [b"<html>", b'{"State":"Comp', b"", b"[1]", b'{"State":"Completed"}'])
def test_unreadable_answer_to_purchase_is_unknown(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, body: bytes
) -> None:
    server.fail("purchase", "after_answer", Answer(200, {}, body))
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert caught.value.kind is ErrorKind.UNKNOWN

    assert connector.asset_create(ctx, make_request()).outcome == Outcome.DONE
    assert len(server.licences) == 1


def test_server_error_is_unknown(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("purchase", "answer", reply(500, {"ErrorCode": "InvalidSku"}))
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, caught.value.code) == (ErrorKind.UNKNOWN, "vendor_unreachable")


def test_pending_purchase_waits_and_is_asked_for(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pending = True

    first = connector.asset_create(ctx, make_request())
    second = connector.asset_create(ctx, make_request())
    server.complete(str(ctx.operation_id))
    third = connector.asset_create(ctx, make_request())

    assert (first.outcome, first.code, first.retry_after) == (Outcome.WAITING, "in_progress", dt.timedelta(seconds=45))
    assert (second.outcome, second.retry_after) == (Outcome.WAITING, dt.timedelta(seconds=30))
    assert (third.outcome, server.count("purchase")) == (Outcome.DONE, 1)


@pytest.mark.parametrize(("status", "vendor_code", "code"), REFUSALS)
def test_refusals_of_purchase(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, status: int, vendor_code: str, code: str
) -> None:
    server.fail("purchase", "answer", problem(status, vendor_code.upper()))

    result = connector.asset_create(ctx, make_request())

    assert (result.outcome, result.code) == (Outcome.REFUSED, code)
    assert result.message == "Microsoft no longer sells this product here. Choose another one."
    assert server.licences == {}


def test_out_of_stock_waits_and_goes_on(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("purchase", "answer", problem(409, "OutOfStock"))

    first = connector.asset_create(ctx, make_request())
    second = connector.asset_create(ctx, make_request())

    assert (first.outcome, first.code, first.flag) == (Outcome.WAITING, "out_of_stock", "out_of_stock")
    assert first.retry_after == dt.timedelta(minutes=15)
    assert (second.outcome, server.count("get_transaction")) == (Outcome.DONE, 0)


@pytest.mark.parametrize(
    ("status", "vendor_code", "kind", "code"),
    [
        (403, "ChannelNotAuthorized", ErrorKind.MISCONFIGURED, "channel_not_authorized"),
        (409, "DuplicateTransaction", ErrorKind.CONTRACT, "duplicate_transaction"),
        (404, "LicenseNotFound", ErrorKind.CONTRACT, "license_not_found"),
        (409, "SomethingNew", ErrorKind.CONTRACT, "contract"),
        (400, "", ErrorKind.CONTRACT, "contract"),
        (302, "", ErrorKind.CONTRACT, "contract"),
        (403, "", ErrorKind.MISCONFIGURED, "credentials_refused"),
        (408, "", ErrorKind.UNKNOWN, "vendor_unreachable"),
        (502, "", ErrorKind.UNKNOWN, "vendor_unreachable"),
    ],
)
def test_troubles_of_purchase(
    connector: EsdConnector,
    ctx: EsdContext,
    server: FakeServer,
    status: int,
    vendor_code: str,
    kind: ErrorKind,
    code: str,
) -> None:
    server.fail("purchase", "answer", problem(status, vendor_code))
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, caught.value.code) == (kind, code)


def test_same_id_with_another_body_is_looked_at_by_a_person(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer
) -> None:
    server.transactions[str(ctx.operation_id)] = ({"other": True}, {})
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, server.licences) == (ErrorKind.CONTRACT, {})


@pytest.mark.parametrize(
    ("error_code", "outcome", "code"),
    [
        ("Discontinued", Outcome.REFUSED, "discontinued"),
        ("OutOfStock", Outcome.REFUSED, "out_of_stock"),
        ("", Outcome.REFUSED, "rejected"),
    ],
)
def test_rejected_state(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, error_code: str, outcome: Outcome, code: str
) -> None:
    body = {"ClientTransactionId": str(ctx.operation_id), "State": "Rejected", "ErrorCode": error_code}
    server.fail("purchase", "answer", reply(200, body))
    result = connector.asset_create(ctx, make_request())
    assert (result.outcome, result.code) == (outcome, code)


@pytest.mark.parametrize("tokens", [0, 2])
def test_exactly_one_token_or_a_person(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, tokens: int
) -> None:
    server.tokens = tokens
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert caught.value.kind is ErrorKind.CONTRACT
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, server.count("purchase")) == (ErrorKind.CONTRACT, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"LineItems": []},
        {"LineItems": [{"Sku": "T5D-06798"}, {"Sku": "T5D-06798"}]},
        {"LineItems": [{"Sku": "OTHER", "LicenseId": "l", "Tokens": [{"Code": CODE}]}]},
        {"LineItems": [{"Sku": "T5D-06798", "LicenseId": "", "Tokens": [{"Code": CODE}]}]},
        {"LineItems": [{"Sku": "T5D-06798", "LicenseId": "l", "Tokens": [{"Code": ""}]}]},
        {"LineItems": [{"Sku": "T5D-06798", "LicenseId": "l", "Tokens": [{"Code": CODE * 3}]}]},
        {"ClientTransactionId": "another"},
    ],
)
def test_other_licence_than_ordered_is_never_taken(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, change: dict[str, Any]
) -> None:
    body = {"ClientTransactionId": str(ctx.operation_id), "State": "Completed", "LineItems": [], **change}
    if "LineItems" not in change:
        body["LineItems"] = [{"Sku": "T5D-06798", "LicenseId": "l", "Tokens": [{"Code": CODE}]}]
    server.fail("purchase", "answer", reply(200, body))
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert caught.value.kind is ErrorKind.CONTRACT
    assert CODE not in f"{caught.value} {caught.value!r} {caught.value.__dict__}"


def test_names_are_read_in_any_casing(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    body = (
        b'\xef\xbb\xbf{"clienttransactionid":"%s","STATE":"completed","serviceTransactionId":"s","extra":1,"lineItems":'
        b'[{"licenseID":"l-1","tokens":[{"CODE":"k-1"}],"links":[{"TYPE":"Poster","uri":"https://a.example"}]}]}'
    ) % str(ctx.operation_id).encode()
    server.fail("purchase", "answer", Answer(200, {}, body))
    result = connector.asset_create(ctx, make_request())
    assert (result.external_id, dict(result.secrets), result.data["links"]) == ("l-1", {"token": "k-1"}, [])


@pytest.mark.parametrize(("lines", "outcome"), [(True, Outcome.DONE), (False, Outcome.WAITING)])
def test_state_nobody_knows(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, lines: bool, outcome: Outcome
) -> None:
    line = {"Sku": "T5D-06798", "LicenseId": "l-1", "Tokens": [{"Code": CODE}]}
    body = {"ClientTransactionId": str(ctx.operation_id), "State": "Escalated", "LineItems": [line] if lines else None}
    server.fail("purchase", "answer", reply(200, body))
    assert connector.asset_create(ctx, make_request()).outcome == outcome


def test_product_without_sku_is_not_sent(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request(attributes={}))
    assert (caught.value.code, server.count("purchase")) == ("sku_missing", 0)


def test_throttled_purchase_pauses_and_is_sent_again(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer
) -> None:
    server.fail("purchase", "answer", reply(429, None, Retry_After="90"))
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert (caught.value.kind, caught.value.retry_after) == (ErrorKind.THROTTLED, dt.timedelta(seconds=90))
    assert ctx.budget.pauses == [("esd", dt.timedelta(seconds=90))]

    assert connector.asset_create(ctx, make_request()).outcome == Outcome.DONE
    assert server.count("get_transaction") == 0


def test_not_sent_purchase_is_sent_again(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("purchase", "not_sent")
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    assert caught.value.kind is ErrorKind.NOT_SENT
    assert connector.asset_create(ctx, make_request()).outcome == Outcome.DONE


def test_key_shows_nowhere(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.fail("purchase", "after_answer", Answer(200, {}, f'{{"Tokens":["{CODE}"'.encode()))
    with pytest.raises(VendorError) as caught:
        connector.asset_create(ctx, make_request())
    chain: list[BaseException | None] = [caught.value]
    while chain[-1] is not None:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    assert CODE not in " ".join(f"{item} {item!r} {vars(item)}" for item in chain if item is not None)
    connector.asset_create(ctx, make_request())
    assert CODE not in caplog.text + "".join(str(vars(record)) for record in caplog.records) + "".join(ctx.logs)
    assert CODE not in str(ctx.steps.values)
