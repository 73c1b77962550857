"""Ordering: exactly one order, whatever happens in between."""

import uuid

import pytest

from core.http import Answer
from office365.connector import Office365Connector
from provisioning.ports import AddOnLine, ErrorKind, Outcome, Result, VendorError
from tests.office365.conftest import TENANT, make_account, make_request
from tests.office365.fake_server import FakeServer, reply
from tests.office365.memory import Killed, MemoryContext

LATER = {ErrorKind.UNKNOWN, ErrorKind.NOT_SENT, ErrorKind.THROTTLED, ErrorKind.WAITING}


def drive(
    connector: Office365Connector, ctx: MemoryContext, *, rounds: int = 12, minutes: float = 1, **changes: object
) -> Result:
    """Call create() as the platform does, until it answers something final."""
    result = Result(Outcome.UNKNOWN)
    for _ in range(rounds):
        try:
            result = connector.create(ctx, make_request(**changes))
        except Killed:
            ctx.killer.at = -1
        except VendorError as error:
            if error.kind not in LATER:
                raise
        if result.outcome in {Outcome.DONE, Outcome.REFUSED, Outcome.ATTENTION}:
            return result
        ctx.later(minutes=minutes)
    return result


def test_create_done_with_documented_data(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    result = drive(connector, ctx)
    assert result.outcome is Outcome.DONE
    (subscription,) = server.subscriptions.values()
    assert result.external_id == subscription["id"]
    assert result.data["order_id"] == subscription["orderId"]
    assert (result.data["status"], result.data["quantity"], result.data["auto_renew"]) == ("active", 3, True)
    assert result.data["cancel_until"] == "2026-11-28T09:00:00+00:00"
    assert subscription["friendlyName"] == f"Microsoft 365 Business Basic [{ctx.operation_id.hex[:8]}]"
    assert all(item["MS-CorrelationId"] == str(ctx.operation_id) for item in server.headers)


def test_create_numbers_requests_by_step(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    drive(connector, ctx)
    sent = {name: request_id for name, request_id, _body in server.requests}
    assert sent["create_cart"] == str(uuid.uuid5(ctx.operation_id, "purchase:create_cart:0"))
    assert sent["checkout_cart"] == str(uuid.uuid5(ctx.operation_id, "purchase:checkout_cart:0"))


@pytest.mark.parametrize(
    "operation", ["create_cart", "checkout_cart", "get_order", "list_subscriptions", "list_agreements"]
)
@pytest.mark.parametrize("kind", ["before", "after", "not_sent"])
def test_create_transport_fault_orders_once(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, operation: str, kind: str
) -> None:
    server.fail(operation, kind)
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert len(server.orders) == len(server.subscriptions) == 1


def test_create_killed_anywhere_orders_once(ctx: MemoryContext) -> None:
    point = 0
    while True:
        context = MemoryContext()
        server = FakeServer(context.killer)
        server.agreements.add(TENANT)
        context.killer.at = point
        result = drive(Office365Connector(http=server), context)  # type: ignore[arg-type]
        assert result.outcome is Outcome.DONE, point
        assert len(server.orders) == len(server.subscriptions) == 1, point
        if context.killer.at != -1:
            break
        point += 1
    assert point > 20


@pytest.mark.parametrize("code", [800014, 800060, 800064, 900104])
@pytest.mark.parametrize("kind", ["answer", "after_answer"])
def test_create_conflict_answer_orders_once(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, code: int, kind: str
) -> None:
    server.fail("checkout_cart", kind, reply(409, {"code": code, "description": "being processed"}))
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert len(server.orders) == 1


def test_create_active_cart_repeats_same_id_then_waits_half_an_hour(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("checkout_cart", "before", times=3)
    for minutes in (5, 5, 10, 15):
        try:
            assert connector.create(ctx, make_request()).outcome is Outcome.WAITING
        except VendorError as error:
            assert error.kind is ErrorKind.UNKNOWN
        ctx.later(minutes=minutes)
    ids = [request_id for name, request_id, _body in server.requests if name == "checkout_cart"]
    assert len(ids) == 2 and len(set(ids)) == 1
    server.faults.clear()
    assert drive(connector, ctx).outcome is Outcome.DONE
    ids = [request_id for name, request_id, _body in server.requests if name == "checkout_cart"]
    assert len(ids) == 3 and ids[2] != ids[0]
    assert len(server.orders) == 1


def test_create_lag_of_reads_stays_waiting(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.lag = 4
    outcomes = []
    for _ in range(6):
        result = connector.create(ctx, make_request())
        outcomes.append(result.outcome)
        ctx.later(minutes=3)
    assert outcomes == [Outcome.WAITING] * 4 + [Outcome.DONE] * 2
    assert len(server.orders) == 1


def test_create_availability_rotated_once_succeeds(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    real = server._create_cart

    def rotate(path: str, query: dict[str, str], body: object) -> object:
        del server.overrides["create_cart"]
        server.rotation += 1
        return real(path.strip("/").split("/"), query, body)

    server.overrides["create_cart"] = rotate  # type: ignore[assignment]
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert server.count("create_cart") == 2


def test_create_availability_rotated_twice_is_refused(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    real = server._create_cart

    def rotate(path: str, query: dict[str, str], body: object) -> object:
        server.rotation += 1
        return real(path.strip("/").split("/"), query, body)

    server.overrides["create_cart"] = rotate  # type: ignore[assignment]
    result = drive(connector, ctx)
    assert (result.outcome, result.code) == (Outcome.REFUSED, "availability_changed")
    assert server.count("checkout_cart") == 0


def test_create_without_agreement_sends_no_cart(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.agreements.clear()
    result = connector.create(ctx, make_request(account=make_account(external_id=TENANT, agreement=None)))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "agreement_missing")
    assert server.count("create_cart") == server.count("checkout_cart") == 0


def test_create_confirms_the_acceptance_that_came_along(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.agreements.clear()
    assert connector.precheck(ctx, make_request()).ok
    assert server.agreements == set()
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert server.agreements == {TENANT}


def test_create_refused_checkout_can_be_retried(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("checkout_cart", "answer", reply(403, {"code": 13605, "description": "agreement"}))
    result = connector.create(ctx, make_request())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "agreement_missing")
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert len(server.orders) == 1


def test_create_customer_under_review_waits(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("checkout_cart", "answer", reply(403, {"code": 800073, "description": "under review"}))
    with pytest.raises(VendorError) as caught:
        connector.create(ctx, make_request())
    assert (caught.value.kind, caught.value.flag) == (ErrorKind.WAITING, "customer_under_review")
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert len(server.orders) == 1


def test_create_order_errors_only_is_refused(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    error = {"orderGroupId": "0", "code": "800010", "description": "no inventory"}
    server.fail("checkout_cart", "answer", reply(201, {"orders": [], "orderErrors": [error]}))
    result = connector.create(ctx, make_request())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "inventory")
    assert "no inventory" in result.message


def test_create_with_addons_returns_their_ids(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    addon = AddOnLine("a-1", "CFQ7TTC0ADD1:0002", "Audio", 2)
    result = drive(connector, ctx, addons=(addon,))
    assert result.outcome is Outcome.DONE
    below = [row for row in server.subscriptions.values() if row["parentSubscriptionId"] == result.external_id]
    assert result.data["addons"] == {"a-1": below[0]["id"]}
    assert len(server.orders) == 1


@pytest.mark.parametrize(
    ("mode", "sent"), [("end_customer", True), ("personal_use", False), ("affiliate_account", False), ("direct", False)]
)
def test_create_sends_mpn_id_for_end_customers_only(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, mode: str, sent: bool
) -> None:
    account = make_account(external_id=TENANT, mpn_id="4847383", purchase_mode=mode)
    drive(connector, ctx, account=account)
    cart = next(body for name, _id, body in server.requests if name == "create_cart")
    assert ("4847383" in str(server.requests)) is sent
    assert cart.get("partnerOnRecordAttestationAccepted") is (True if sent else None)


def test_create_throttled_checkout_pauses_and_orders_later(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("checkout_cart", "answer", reply(429, {"statusCode": 429}, Retry_After="57"))
    with pytest.raises(VendorError) as caught:
        connector.create(ctx, make_request())
    assert caught.value.kind is ErrorKind.THROTTLED
    assert caught.value.retry_after is not None and caught.value.retry_after.total_seconds() == 57
    assert [family for family, _delay in ctx.budget.pauses] == ["orders"]
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert len(server.orders) == 1


def test_lookup_tells_without_ordering(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    assert connector.lookup(ctx, make_request()).code == "not_sent"
    server.fail("checkout_cart", "after")
    with pytest.raises(VendorError):
        connector.create(ctx, make_request())
    assert connector.lookup(ctx, make_request()).outcome is Outcome.DONE
    assert server.count("checkout_cart") == 1


def test_create_unreadable_checkout_answer_is_looked_up(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("checkout_cart", "after_answer", Answer(201, {}, b'{"orders": [{"id'))
    assert drive(connector, ctx).outcome is Outcome.DONE
    assert len(server.orders) == 1
