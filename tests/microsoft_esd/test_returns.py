"""Giving a licence back: read first, refused in clear words, never credited on a guess (``esd.md`` 8)."""

import datetime as dt
from typing import Any

import pytest

from microsoft_esd.connector import EsdConnector
from provisioning.ports import AssetRequest, ErrorKind, Outcome, VendorError
from tests.microsoft_esd.conftest import NOW, EsdContext, make_request
from tests.microsoft_esd.fake_server import FakeServer, problem
from tests.office365.memory import Killed


@pytest.fixture
def bought(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> AssetRequest:
    """A licence that was bought by another operation."""
    other = ctx.again()
    request = make_request(origin_id=str(other.operation_id))
    result = connector.asset_create(other, request)
    server.requests.clear()
    ctx.killer.passed = 0
    return make_request(
        origin_id=str(other.operation_id),
        external_id=result.external_id,
        transaction_id=result.data["transaction_id"],
        comment="Not needed any more",
        reason="order_error",
    )


def with_attributes(request: AssetRequest, **attributes: Any) -> AssetRequest:
    values = {name: getattr(request, name) for name in ("origin_id", "external_id", "transaction_id")}
    return make_request(**values, attributes={**request.attributes, **attributes})


def test_return_is_done(connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest) -> None:
    result = connector.asset_cancel(ctx, bought)

    assert (result.outcome, result.external_id) == (Outcome.DONE, bought.external_id)
    assert dict(result.data) == {
        "token_status": "return_accepted",
        "return_status": "successful",
        "returned_at": "2026-11-21T09:05:00+00:00",
    }
    assert server.requests == [
        ("get_license", {}),
        (
            "return_license",
            {
                "ClientTransactionId": str(ctx.operation_id),
                "OriginalTransactionId": bought.origin_id,
                "LicenseId": bought.external_id,
                "SequenceNumber": "1",
                "ReasonCode": "OrderError",
                "Comment": "Not needed any more",
            },
        ),
    ]


def test_used_licence_is_refused(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest
) -> None:
    server.licences[bought.external_id] |= {"TokenStatus": "Redeemed", "RedeemedUtc": "2026-11-21T08:00:00Z"}
    result = connector.asset_cancel(ctx, bought)
    assert (result.outcome, result.code) == (Outcome.REFUSED, "already_redeemed")
    assert result.message == "This licence has been used and cannot be returned."
    assert (dict(result.data), server.count("return_license")) == ({"redeemed_at": "2026-11-21T08:00:00+00:00"}, 0)


@pytest.mark.parametrize("attributes", [{"is_returnable": False}, {"return_window_days": 0}])
def test_not_returnable_licence_is_refused(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest, attributes: dict[str, Any]
) -> None:
    result = connector.asset_cancel(ctx, with_attributes(bought, **attributes))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "not_returnable")
    assert (result.message, server.count("return_license")) == ("Microsoft does not take this licence back.", 0)


@pytest.mark.parametrize(
    ("told", "days", "setting", "allowed"),
    [(None, None, 30, 30), (None, 14, 30, 14), (None, None, 45, 45), ("2026-11-25T09:00:00Z", 14, 30, 4)],
)
def test_return_window(
    connector: EsdConnector,
    ctx: EsdContext,
    server: FakeServer,
    bought: AssetRequest,
    told: str | None,
    days: int | None,
    setting: int,
    allowed: int,
) -> None:
    server.licences[bought.external_id]["ReturnableUntilUtc"] = told
    ctx.settings = {**ctx.settings, "return_window_days": setting}
    request = with_attributes(bought, return_window_days=days)

    ctx.later(days=allowed, seconds=1)
    late = connector.asset_cancel(ctx, request)
    ctx.later(seconds=-1)
    in_time = connector.asset_cancel(ctx, request)

    assert (late.outcome, late.code) == (Outcome.REFUSED, "return_window_closed")
    assert late.message.startswith("The return period ended on ")
    assert (in_time.outcome, server.count("return_license")) == (Outcome.DONE, 1)


def test_returned_before_is_done_once(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest
) -> None:
    connector.asset_cancel(ctx.again(), bought)
    result = connector.asset_cancel(ctx, bought)
    assert (result.outcome, result.data["return_status"]) == (Outcome.DONE, "successful")
    assert server.count("return_license") == 1


def test_already_returned_answer_is_done(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest
) -> None:
    server.fail("return_license", "answer", problem(409, "AlreadyReturned"))
    result = connector.asset_cancel(ctx, bought)
    assert (result.outcome, result.data["token_status"]) == (Outcome.DONE, "return_accepted")


@pytest.mark.parametrize(
    ("vendor_code", "code"),
    [
        ("AlreadyRedeemed", "already_redeemed"),
        ("NotReturnable", "not_returnable"),
        ("ReturnWindowClosed", "return_window_closed"),
    ],
)
def test_refusals_by_microsoft(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest, vendor_code: str, code: str
) -> None:
    server.fail("return_license", "answer", problem(409, vendor_code))
    result = connector.asset_cancel(ctx, bought)
    assert (result.outcome, result.code, dict(result.data)) == (Outcome.REFUSED, code, {})


def test_rejected_return_is_refused(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest
) -> None:
    server.refuse_return = True
    server.fail("return_license", "after")
    with pytest.raises(VendorError):
        connector.asset_cancel(ctx, bought)

    found = connector.asset_cancel(ctx, bought)
    again = connector.asset_cancel(ctx.again(), bought)

    assert (found.outcome, found.code) == (Outcome.REFUSED, "return_rejected")
    assert (again.outcome, again.code) == (Outcome.REFUSED, "return_rejected")


@pytest.mark.parametrize("kind", ["before", "after"])
def test_unknown_return_is_looked_up(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest, kind: str
) -> None:
    server.fail("return_license", kind)
    with pytest.raises(VendorError) as caught:
        connector.asset_cancel(ctx, bought)
    assert caught.value.kind is ErrorKind.UNKNOWN

    # Over the midnight at which the window closes: what was sent in time is finished.
    ctx.later(days=31)
    result = connector.asset_cancel(ctx, bought)

    assert result.outcome == Outcome.DONE
    assert server.count("return_license") == (2 if kind == "before" else 1)
    assert server.count("get_transaction") == (1 if kind == "before" else 0)


@pytest.mark.parametrize("point", range(8))
def test_kill_at_each_point_returns_once(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest, point: int
) -> None:
    ctx.killer.at = point
    try:
        connector.asset_cancel(ctx, bought)
        assert point >= 6
    except Killed:
        assert point < 6
    ctx.killer.at = -1

    assert connector.asset_cancel(ctx, bought).outcome == Outcome.DONE
    assert [body for body, _made in server.transactions.values() if "ReasonCode" in body] == [
        server.transactions[str(ctx.operation_id)][0]
    ]


def test_undecided_return_waits(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest
) -> None:
    server.hidden = 0
    server.transactions[str(ctx.operation_id)] = ({}, {"ClientTransactionId": "x", "State": "Pending"})
    ctx.steps.put("return", {"sent": True, "body": {}})
    result = connector.asset_cancel(ctx, bought)
    assert (result.outcome, result.retry_after) == (Outcome.WAITING, dt.timedelta(seconds=30))


def test_unknown_licence_needs_a_person(connector: EsdConnector, ctx: EsdContext) -> None:
    old = NOW - dt.timedelta(minutes=16)
    for verb in (connector.asset_cancel, connector.asset_status):
        with pytest.raises(VendorError) as caught:
            verb(ctx, make_request(external_id="no-such", purchased_at=old))
        assert (caught.value.kind, caught.value.code) == (ErrorKind.CONTRACT, "license_not_found")
        with pytest.raises(VendorError) as caught:
            verb(ctx, make_request())
        assert caught.value.code == "id_missing"


def test_a_licence_bought_just_now_is_awaited(connector: EsdConnector, ctx: EsdContext) -> None:
    result = connector.asset_cancel(ctx, make_request(external_id="not-shown-yet"))
    assert (result.outcome, result.code) == (Outcome.WAITING, "license_late")
    with pytest.raises(VendorError) as caught:
        connector.asset_status(ctx, make_request(external_id="not-shown-yet"))
    assert caught.value.kind is ErrorKind.WAITING


def test_status_tells_what_microsoft_tells(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, bought: AssetRequest
) -> None:
    assert dict(connector.asset_status(ctx, bought).data) == {"token_status": "activated", "return_status": "none"}
    server.licences[bought.external_id] |= {
        "TokenStatus": "REDEEMED",
        "RedeemedUtc": "2026-11-21T10:00:00+02:00",
        "ReturnableUntilUtc": "2026-12-21",
        "ReturnStatus": "Perhaps",
    }
    assert dict(connector.asset_status(ctx, bought).data) == {
        "token_status": "redeemed",
        "redeemed_at": "2026-11-21T08:00:00+00:00",
        "returnable_until": "2026-12-21T00:00:00+00:00",
    }
