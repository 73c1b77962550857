"""Upgrades: eligibility, one transition, its end; whole and in part."""

import datetime as dt
from dataclasses import asdict
from typing import Any

import pytest

from office365.connector import Office365Connector
from office365.errors import PartnerCenterError
from office365.errors.transitions import SENTENCES, reason
from office365.schemas.catalogue import EligibilityError
from provisioning.ports import ErrorKind, Outcome, Result, UpgradeOption, UpgradeOrder, VendorError
from tests.office365.conftest import make_request
from tests.office365.fake_server import FakeServer, event, reply
from tests.office365.memory import NOW, Killed, MemoryContext

SOURCE, TARGET = "s-known", "CFQ7TTC0LDPB:0001"
ONLY, WITH_LICENCES = "transition_only", "transition_with_license_transfer"


def kind(name: str, *codes: object, possible: bool = False) -> dict[str, Any]:
    """One kind of transition: possible, or not for these reasons."""
    errors = [{"code": code, "description": f"Reason {code}."} for code in codes]
    return {"isEligible": possible, "transitionType": name, "errors": errors}


@pytest.fixture(autouse=True)
def _subscription(server: FakeServer) -> None:
    server.subscriptions[SOURCE] = {
        "id": SOURCE, "offerId": "CFQ7TTC0LH18:0001:A0", "quantity": 5, "status": "active", "orderId": "o-1",
        "autoRenewEnabled": True, "termDuration": "P1Y", "billingCycle": "monthly",
    }  # fmt: skip
    server.eligible[TARGET] = [kind(ONLY, possible=True), kind(WITH_LICENCES, possible=True)]


def wanted(quantity: int = 5, code: str = TARGET, **changes: Any) -> Any:
    """The wish to upgrade so many of five licences."""
    values = {"external_id": SOURCE, "quantity": 5, "confirmed_quantity": 5, **changes}
    return make_request(upgrade=UpgradeOrder(code, quantity, "P1Y", "monthly"), **values)


def drive(connector: Office365Connector, ctx: MemoryContext, server: FakeServer, request: Any) -> Result:
    """Upgrade as the platform does; the conversion ends after 36 minutes."""
    result = Result(Outcome.UNKNOWN)
    for _ in range(60):
        if (ctx.clock - NOW).total_seconds() > 36 * 60 and server.lag <= 0:
            server.finish()
        try:
            result = connector.upgrade(ctx, request)
        except Killed:
            ctx.killer.at = -1
        except VendorError as error:
            result = Result(Outcome.WAITING, code=error.code, message=error.message)
        if result.outcome in {Outcome.DONE, Outcome.REFUSED, Outcome.ATTENTION}:
            return result
        ctx.later(minutes=2)
    return result


@pytest.mark.parametrize(
    ("quantity", "source"), [(5, {"status": "cancelled", "quantity": 0}), (2, {"status": "active", "quantity": 3})]
)
def test_upgrade_whole_and_in_part(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, quantity: int, source: dict[str, Any]
) -> None:
    first = connector.upgrade(ctx, wanted(quantity))
    assert (first.outcome, first.code, first.flag) == (Outcome.WAITING, "upgrade_pending", "upgrading")
    result = drive(connector, ctx, server, wanted(quantity))
    (row,) = server.transitions
    assert (result.outcome, result.external_id) == (Outcome.DONE, row["toSubscriptionId"])
    assert (result.data["product_code"], result.data["quantity"], result.data["source"]) == (TARGET, quantity, source)
    (body,) = [body for name, _id, body in server.requests if name == "create_transition"]
    assert body == {
        "fromCatalogItemId": "CFQ7TTC0LH18:0001:A0", "fromSubscriptionId": SOURCE, "toCatalogItemId": f"{TARGET}:A0",
        "quantity": quantity, "termDuration": "P1Y", "billingCycle": "monthly", "transitionType": WITH_LICENCES,
    }  # fmt: skip


def test_upgrade_without_licence_transfer_where_only_that_is_possible(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.eligible[TARGET] = [kind(WITH_LICENCES, 3), kind(ONLY, possible=True)]
    assert drive(connector, ctx, server, wanted()).outcome is Outcome.DONE
    assert server.transitions[0]["transitionType"] == ONLY


def test_upgrade_is_polled_after_1_5_and_15_minutes(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    delays = []
    for _ in range(5):
        delay = connector.upgrade(ctx, wanted()).retry_after
        assert delay is not None
        delays.append(delay.total_seconds())
        ctx.clock += delay
    assert delays == [60, 300, 900, 900, 900]
    ctx.later(hours=24)
    result = connector.upgrade(ctx, wanted())
    assert (result.outcome, result.code) == (Outcome.ATTENTION, "upgrade_overdue")


@pytest.mark.parametrize("fault", ["before", "after", "not_sent"])
@pytest.mark.parametrize(
    "operation", ["create_transition", "list_transitions", "list_transition_eligibilities", "get_subscription"]
)
def test_upgrade_transport_fault_upgrades_once(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, operation: str, fault: str
) -> None:
    server.fail(operation, fault)
    assert drive(connector, ctx, server, wanted(2)).outcome is Outcome.DONE
    assert (len(server.transitions), server.subscriptions[SOURCE]["quantity"]) == (1, 3)


@pytest.mark.parametrize("point", range(24))
def test_upgrade_killed_anywhere_upgrades_once(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, point: int
) -> None:
    ctx.killer.at = point
    assert drive(connector, ctx, server, wanted(2)).outcome is Outcome.DONE
    assert (len(server.transitions), server.subscriptions[SOURCE]["quantity"]) == (1, 3)


def test_upgrade_is_not_repeated_while_the_source_shows_its_effect(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("create_transition", "after")
    with pytest.raises(VendorError) as caught:
        connector.upgrade(ctx, wanted(2))
    assert caught.value.kind is ErrorKind.UNKNOWN
    server.lag, server.answers = 10**6, {}
    for _ in range(20):
        ctx.later(minutes=5)
        assert connector.upgrade(ctx, wanted(2)).code == "unconfirmed"
    assert (server.count("create_transition"), len(server.transitions)) == (1, 1)


def test_upgrade_without_a_trace_for_half_an_hour_is_sent_anew(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("create_transition", "before", times=3)
    for minutes in (0, 5, 4):
        ctx.later(minutes=minutes)
        with pytest.raises(VendorError):
            connector.upgrade(ctx, wanted(2))
    ctx.later(minutes=2)
    assert connector.upgrade(ctx, wanted(2)).code == "unconfirmed"
    ctx.later(minutes=30)
    assert connector.upgrade(ctx, wanted(2)).code == "upgrade_pending"
    ids = [request_id for name, request_id, _body in server.requests if name == "create_transition"]
    assert (len(ids), len(set(ids)), len(server.transitions)) == (4, 2, 1)


def test_upgrade_refused_on_repeating_is_looked_up(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("create_transition", "before")
    server.fail("create_transition", "answer", reply(400, {"code": 800062, "description": "Not eligible."}), times=2)
    with pytest.raises(VendorError):
        connector.upgrade(ctx, wanted())
    assert connector.upgrade(ctx, wanted()).code == "unconfirmed"
    ctx.later(minutes=31)
    result = connector.upgrade(ctx, wanted())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "not_eligible")
    assert server.count("create_transition") == 3


def test_second_upgrade_is_not_taken_for_the_first(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    assert drive(connector, ctx, server, wanted(2)).outcome is Outcome.DONE
    for row in server.transitions:
        # Microsoft's published answer has neither of the ids.
        del row["operationId"], row["toSubscriptionId"]
        row["Events"] = [event("Started ", timestamp="2026-11-21T09:00:01Z"), event("Completed")]
    server.fail("create_transition", "before")
    second = MemoryContext(operation_id=None)
    with pytest.raises(VendorError):
        connector.upgrade(second, wanted(2))
    assert connector.upgrade(second, wanted(2)).code == "upgrade_pending"
    assert (len(server.transitions), server.subscriptions[SOURCE]["quantity"]) == (2, 1)


def test_upgrade_reads_the_availability_anew_once(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("create_transition", "answer", reply(400, {"code": 800089, "description": "Asset limit."}))
    assert drive(connector, ctx, server, wanted()).outcome is Outcome.DONE
    server.subscriptions[SOURCE] |= {"quantity": 5, "status": "active"}
    server.fail("create_transition", "answer", reply(400, {"code": 800004, "description": "Invalid."}), times=2)
    result = connector.upgrade(MemoryContext(), wanted())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "availability_changed")
    assert len(server.transitions) == 1


@pytest.mark.parametrize(
    ("request_changes", "row", "code"),
    [
        ({}, {"status": "suspended"}, "subscription_suspended"),
        ({}, {"status": "deleted"}, "subscription_gone"),
        ({}, {"offerId": "91FD106F-4B2C-4938-95AC-F54F74E9A239"}, "upgrade_legacy"),
        ({}, {"offerId": "CFQ7TTC0LCHC:0001:A0"}, "product_changed"),
        ({"quantity": 6}, {}, "upgrade_quantity"),
        ({"quantity": 0}, {}, "upgrade_quantity"),
        ({"code": "CFQ7TTC0LCHC:0001"}, {}, "upgrade_not_offered"),
        ({"external_id": "unknown", "created_at": NOW - dt.timedelta(hours=1)}, {}, "subscription_gone"),
    ],
)
def test_upgrade_refused_before_anything_is_sent(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, request_changes: Any, row: Any, code: str
) -> None:
    server.subscriptions[SOURCE] |= row
    result = connector.upgrade(ctx, wanted(**request_changes))
    assert (result.outcome, result.code) == (Outcome.REFUSED, code)
    assert result.message.count(".") >= 2
    assert server.count("create_transition") == 0


def test_upgrade_of_a_subscription_not_shown_yet_waits(connector: Office365Connector, ctx: MemoryContext) -> None:
    with pytest.raises(PartnerCenterError) as caught:
        connector.upgrade(ctx, wanted(external_id="unknown"))
    assert (caught.value.kind, caught.value.code) == (ErrorKind.WAITING, "subscription_late")


def test_upgrade_without_a_target_is_refused(connector: Office365Connector, ctx: MemoryContext) -> None:
    result = connector.upgrade(ctx, make_request(external_id=SOURCE))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "upgrade_target_missing")


def test_upgrade_not_eligible_says_why(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    server.eligible[TARGET] = [kind(ONLY, 6), kind(WITH_LICENCES, 6, "UserLicenseError")]
    result = connector.upgrade(ctx, wanted())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "upgrade_not_eligible")
    assert result.message == (
        f"Microsoft does not upgrade this subscription to Product {TARGET} now. The subscription has add-ons. Cancel "
        "them first, or wait until they have ended. The users' licences cannot be moved to the target. Check the "
        "assigned licences in the customer's tenant."
    )


def test_upgrade_that_fails_is_refused_with_its_reasons(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    connector.upgrade(ctx, wanted())
    server.conversion = "Failed"
    server.finish(errors=[{"code": 4, "description": "Conflict."}, {"code": 99, "description": "Something new."}])
    result = connector.upgrade(ctx, wanted())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "upgrade_failed")
    assert "Another change of the subscription is under way" in result.message
    assert "Microsoft says: Something new. Contact Microsoft partner support." in result.message


def test_upgrade_options_tell_what_is_possible_and_why_not(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.eligible["CFQ7TTC0LCHC:0001"] = [kind(ONLY, 2)]
    assert [asdict(row) for row in connector.upgrade_options(ctx, wanted())] == [
        asdict(UpgradeOption(TARGET, f"Product {TARGET}", True)),
        asdict(
            UpgradeOption(
                "CFQ7TTC0LCHC:0001",
                "Product CFQ7TTC0LCHC:0001",
                False,
                "The subscription is not active at Microsoft. Reactivate it first.",
            )
        ),
    ]
    assert connector.upgrade_options(ctx, wanted(product_code="91FD106F")) == ()


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_every_reason_is_two_sentences(code: str) -> None:
    text = reason(EligibilityError(code=code, description="x"))
    assert text.endswith(".") and ". " in text


def test_verbs_are_declared() -> None:
    assert {"upgrade", "upgrade_options"} <= Office365Connector.verbs
    assert all(callable(getattr(Office365Connector, verb)) for verb in Office365Connector.verbs)
