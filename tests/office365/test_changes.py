"""Seats, renewal, suspension, cancellation: read, change one thing, read again."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from core.http import Answer
from office365.connector import Office365Connector
from office365.mapping import Resolved, cart_body, changed_resource
from office365.schemas.common import read
from office365.schemas.subscriptions import Subscription
from provisioning.ports import AddOnLine, ErrorKind, Outcome, Result, Schedule, VendorError
from tests.office365.conftest import TENANT, make_account, make_request
from tests.office365.fake_server import FakeServer, reply
from tests.office365.memory import Killed, MemoryContext

FIXTURES = Path(__file__).parent / "fixtures" / "doc_samples"
SUBSCRIPTION = "s-known"


@pytest.fixture(autouse=True)
def _subscription(server: FakeServer) -> None:
    server.subscriptions[SUBSCRIPTION] = subscription_row()


def subscription_row(**changes: Any) -> dict[str, Any]:
    """An active new-commerce subscription of three seats, with a schedule."""
    return {
        "id": SUBSCRIPTION, "offerId": "CFQ7TTC0LH18:0001:A0", "quantity": 3, "status": "active", "orderId": "o-1",
        "friendlyName": "Basic [00000000]", "autoRenewEnabled": True, "termDuration": "P1Y", "billingCycle": "monthly",
        "billingType": "none", "unitType": "Licenses", "parentSubscriptionId": None,
        "cancellationAllowedUntilDate": "2026-11-28T09:00:00Z",
        "attributes": {"objectType": "Subscription", "etag": "abc"}, **changes,
    }  # fmt: skip


def wanted(**changes: Any) -> Any:
    """The wanted state of that subscription."""
    return make_request(external_id=SUBSCRIPTION, confirmed_quantity=3, **changes)


def drive(connector: Office365Connector, ctx: MemoryContext, verb: str, request: Any, rounds: int = 8) -> Result:
    """Call a verb as the platform does."""
    result = Result(Outcome.UNKNOWN)
    for _ in range(rounds):
        try:
            result = getattr(connector, verb)(ctx, request)
        except Killed:
            ctx.killer.at = -1
        except VendorError as error:
            if error.kind not in {ErrorKind.UNKNOWN, ErrorKind.NOT_SENT}:
                raise
        if result.outcome in {Outcome.DONE, Outcome.REFUSED}:
            return result
        ctx.later(minutes=1)
    return result


def patches(server: FakeServer) -> list[Any]:
    """Bodies of all changes sent."""
    return [body for name, _id, body in server.requests if name == "update_subscription"]


def test_change_quantity_sends_whole_resource_with_etag(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    result = drive(connector, ctx, "change", wanted(quantity=5))
    assert (result.outcome, result.data["quantity"]) == (Outcome.DONE, 5)
    (body,) = patches(server)
    expected = {key: value for key, value in subscription_row(quantity=5).items() if value is not None}
    del expected["billingType"]
    assert body == expected
    sent = [
        row
        for row, (name, _id, _body) in zip(server.headers, server.requests, strict=True)
        if name == "update_subscription"
    ]
    assert sent[0]["If-Match"] == '"abc"'


def test_change_of_nothing_sends_nothing(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    assert drive(connector, ctx, "change", wanted(quantity=3)).outcome is Outcome.DONE
    assert patches(server) == []


@pytest.mark.parametrize("kind", ["before", "after", "not_sent"])
def test_change_transport_fault_ends_right(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, kind: str
) -> None:
    server.fail("update_subscription", kind)
    assert drive(connector, ctx, "change", wanted(quantity=5)).outcome is Outcome.DONE
    assert server.subscriptions[SUBSCRIPTION]["quantity"] == 5


def test_change_accepted_for_later_is_polled(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.overrides["update_subscription"] = lambda **_: reply(202, None, Location="/x")
    assert connector.change(ctx, wanted(quantity=5)).outcome is Outcome.WAITING
    ctx.later(seconds=10)
    assert connector.change(ctx, wanted(quantity=5)).outcome is Outcome.WAITING
    server.subscriptions[SUBSCRIPTION]["quantity"] = 5
    assert connector.change(ctx, wanted(quantity=5)).outcome is Outcome.DONE
    assert len(patches(server)) == 1


def test_change_ignored_is_refused_after_a_quarter_of_an_hour(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.overrides["update_subscription"] = lambda **_: reply(200, subscription_row())
    assert connector.change(ctx, wanted(quantity=5)).outcome is Outcome.WAITING
    ctx.later(minutes=16)
    result = connector.change(ctx, wanted(quantity=5))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "change_ignored")


def test_change_stale_etag_is_repeated_once(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.fail("update_subscription", "answer", reply(400, {"code": 2055, "description": "Etag is no longer valid"}))
    assert drive(connector, ctx, "change", wanted(quantity=5)).outcome is Outcome.DONE
    server.fail("update_subscription", "answer", reply(412), times=2)
    result = drive(connector, ctx, "change", wanted(quantity=6))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "changed_meanwhile")


def test_change_does_not_overwrite_a_foreign_change_of_the_same_field(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    def foreign(path: str, query: dict[str, str], body: object) -> Answer:
        server.subscriptions[SUBSCRIPTION]["quantity"] = 9
        return reply(400, {"code": 2055, "description": "Etag is no longer valid"})

    server.overrides["update_subscription"] = foreign
    result = connector.change(ctx, wanted(quantity=5))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "changed_meanwhile")
    assert server.subscriptions[SUBSCRIPTION]["quantity"] == 9


def forget_schedules(server: FakeServer) -> None:
    """From now on the server drops the schedule with every other change, as Microsoft does."""
    real = server._update_subscription

    def drops(path: str, query: dict[str, str], body: Any) -> Answer:
        now = server.subscriptions[path.strip("/").split("/")[3]]
        if any(body.get(key) != now.get(key) for key in ("quantity", "autoRenewEnabled")):
            body = {**body, "scheduledNextTermInstructions": None}
        return real(path.strip("/").split("/"), query, body)

    server.overrides["update_subscription"] = drops


def instructions(product: str = "CFQ7TTC0LH18", quantity: int = 2, availability: str = "A0") -> dict[str, Any]:
    """A schedule as Microsoft keeps it."""
    plan = {"productId": product, "skuId": "0001", "availabilityId": availability, "termDuration": "P1Y"}
    return {"product": {**plan, "billingCycle": "monthly"}, "quantity": quantity}


PLAN = Schedule("CFQ7TTC0LH18:0001", 2, "P1Y", "monthly")


def test_change_sends_the_wanted_schedule_again_when_a_change_dropped_it(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.subscriptions[SUBSCRIPTION]["scheduledNextTermInstructions"] = instructions()
    forget_schedules(server)
    result = drive(connector, ctx, "change", wanted(quantity=5, schedule=PLAN))
    assert (result.outcome, result.data["schedule"]) == (Outcome.DONE, asdict(PLAN))
    assert server.subscriptions[SUBSCRIPTION]["scheduledNextTermInstructions"] == instructions()
    assert [body["quantity"] for body in patches(server)] == [5, 5]


def test_change_sets_replaces_and_removes_the_schedule(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    plans = [PLAN, Schedule("CFQ7TTC0LDPB:0001", 9, "P1Y", "annual"), None]
    for plan in plans:
        result = drive(connector, MemoryContext(), "change", wanted(schedule=plan))
        assert (result.outcome, result.data["schedule"]) == (Outcome.DONE, asdict(plan) if plan else None)
    sent = [body["scheduledNextTermInstructions"] for body in patches(server)]
    replaced = instructions("CFQ7TTC0LDPB", 9)
    replaced["product"]["billingCycle"] = "annual"
    assert sent == [instructions(), replaced, None]


def test_change_reads_the_availability_anew_once(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    refusal = reply(400, {"code": 800004, "description": "The availability is not valid."})
    server.fail("update_subscription", "answer", refusal)
    assert connector.change(ctx, wanted(schedule=PLAN)).outcome is Outcome.DONE
    assert server.count("list_availabilities_for_customer") == 2
    server.fail("update_subscription", "answer", refusal, times=2)
    result = connector.change(ctx, wanted(schedule=replace(PLAN, quantity=7)))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "availability_changed")
    assert len(patches(server)) == 4


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"schedule": PLAN, "auto_renew": False}, "schedule_needs_renewal"),
        ({"schedule": Schedule("91FD106F", 2, "P1Y", "monthly")}, "schedule_not_supported"),
        ({"product_code": "CFQ7TTC0LDPB:0001"}, "product_changed"),
    ],
)
def test_change_refused_before_anything_is_sent(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, changes: dict[str, Any], code: str
) -> None:
    result = connector.change(ctx, wanted(quantity=5, **changes))
    assert (result.outcome, result.code) == (Outcome.REFUSED, code)
    assert patches(server) == []


def test_change_refused_in_plain_words(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    sample = json.loads((FIXTURES / "E_change-the-quantity-of-a-subscription_5.json").read_text(encoding="utf-8"))
    server.fail("update_subscription", "answer", reply(400, sample["body"]["body"]))
    result = connector.change(ctx, wanted(quantity=1))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "decrease_not_allowed")
    assert "Subscription quantity cannot be decreased." in result.message


def addon(server: FakeServer, key: str, product: str, quantity: int = 1, **changes: Any) -> None:
    """An add-on at Microsoft."""
    server.subscriptions[key] = subscription_row(
        id=key, offerId=f"{product}:0001:A0", parentSubscriptionId=SUBSCRIPTION, quantity=quantity, **changes
    )


def test_change_addons_bought_changed_and_dropped(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    addon(server, "add-1", "ADD1")
    addon(server, "add-2", "ADD2")
    addon(server, "add-3", "ADD3")
    lines = (
        AddOnLine("a1", "ADD1:0001", "One", 4, "add-1"),
        AddOnLine("a2", "ADD2:0001", "Two", 0, "add-2"),
        # Somebody else sold the same product below this subscription: it is not ours to change.
        AddOnLine("a3", "ADD3:0001", "Three", 2),
    )
    result = drive(connector, ctx, "change", wanted(quantity=3, addons=lines))
    assert result.outcome is Outcome.DONE
    assert server.subscriptions["add-1"]["quantity"] == 4
    assert server.subscriptions["add-2"]["status"] == "deleted"
    assert (server.subscriptions["add-3"]["quantity"], server.subscriptions["add-3"]["status"]) == (1, "active")
    new = server.subscriptions[result.data["addons"]["a3"]]
    assert (new["parentSubscriptionId"], new["quantity"]) == (SUBSCRIPTION, 2)
    assert result.data["addons"] == {"a1": "add-1", "a3": new["id"]}
    assert len(server.orders) == 1


def test_change_leaves_addons_alone_that_we_did_not_sell(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    addon(server, "foreign", "ADD1")
    assert drive(connector, ctx, "change", wanted(quantity=5)).outcome is Outcome.DONE
    assert server.subscriptions["foreign"]["status"] == "active"


def test_change_gives_back_addons_before_the_base_and_buys_after_it(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    addon(server, "add-1", "ADD1", quantity=3)
    addon(server, "add-2", "ADD2", quantity=1)
    lines = (AddOnLine("a1", "ADD1:0001", "One", 2, "add-1"), AddOnLine("a2", "ADD2:0001", "Two", 2, "add-2"))
    assert drive(connector, ctx, "change", wanted(quantity=2, addons=lines)).outcome is Outcome.DONE
    assert [(body["id"], body["quantity"]) for body in patches(server)] == [
        ("add-1", 2),
        (SUBSCRIPTION, 2),
        ("add-2", 2),
    ]


def test_change_tells_until_when_an_addon_could_be_cancelled(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    addon(server, "add-1", "ADD1")
    error = {"code": 900117, "description": "You have passed your 7-day cancellation window."}
    server.fail("update_subscription", "answer", reply(400, error))
    line = AddOnLine("a1", "ADD1:0001", "One", 0, "add-1")
    result = connector.change(ctx, wanted(addons=(line,)))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "window_closed")
    assert "The window ended on Nov. 28, 2026, 9 a.m. UTC." in result.message


def test_change_tells_what_can_still_be_given_back(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    rows = [
        {"quantity": 1, "allowedUntilDateTime": "2026-11-25T09:00:00Z"},
        {"quantity": 2, "allowedUntilDateTime": "2026-11-20T09:00:00Z"},
    ]
    server.subscriptions[SUBSCRIPTION]["refundableQuantity"] = {"totalQuantity": 3, "details": rows}
    error = {"code": 800090, "description": "Subscription quantity cannot be decreased."}
    server.fail("update_subscription", "answer", reply(400, error))
    result = connector.change(ctx, wanted(quantity=1))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "decrease_not_allowed")
    assert "still takes back: 1 until Nov. 25, 2026, 9 a.m. UTC." in result.message


def test_change_refused_half_way_tells_what_holds_now(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    addon(server, "add-1", "ADD1")
    real = server._update_subscription

    def refuses_addons(path: str, query: dict[str, str], body: Any) -> Answer:
        if path.endswith("add-1"):
            return reply(400, {"code": 2002, "description": "The quantity is out of range."})
        return real(path.strip("/").split("/"), query, body)

    server.overrides["update_subscription"] = refuses_addons
    lines = (AddOnLine("a1", "ADD1:0001", "One", 900, "add-1"),)
    result = connector.change(ctx, wanted(quantity=5, addons=lines))
    assert (result.outcome, result.code, result.data["quantity"]) == (Outcome.REFUSED, "quantity_limit", 5)
    assert result.message.endswith("Other parts of this change were already carried out at Microsoft.")


def test_read_state_tells_of_schedule_windows_and_addons(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    addon(server, "add-1", "ADD1", quantity=2, status="suspended")
    rows = [{"quantity": 3, "allowedUntilDateTime": "2026-11-28T09:00:00Z"}]
    server.subscriptions[SUBSCRIPTION] |= {
        "refundableQuantity": {"totalQuantity": 3, "details": rows},
        "scheduledNextTermInstructions": {"quantity": 2},
    }
    lines = (AddOnLine("a1", "ADD1:0001", "One", 2, "add-1"), AddOnLine("a2", "ADD2:0001", "Two", 1, "add-2"))
    data = connector.read_state(ctx, wanted(addons=lines)).data
    until = "2026-11-28T09:00:00+00:00"
    assert data["product_code"] == "CFQ7TTC0LH18:0001"
    assert data["schedule"] == asdict(PLAN)
    assert (data["cancel_until"], data["refundable"]) == (until, [{"quantity": 3, "until": until}])
    assert data["addons"] == {"a1": "add-1", "a2": "add-2"}
    assert data["addons_state"] == {
        "a1": {"external_id": "add-1", "quantity": 2, "status": "suspended", "cancel_until": until, "refundable": []},
        "a2": {"external_id": "add-2", "quantity": 0, "status": "unknown", "cancel_until": "", "refundable": []},
    }


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [("suspend", "active", "suspended"), ("activate", "suspended", "active"), ("cancel", "active", "deleted")],
)
def test_status_verbs(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, verb: str, before: str, after: str
) -> None:
    server.subscriptions[SUBSCRIPTION]["status"] = before
    assert drive(connector, ctx, verb, wanted()).outcome is Outcome.DONE
    assert server.subscriptions[SUBSCRIPTION]["status"] == after
    assert drive(connector, ctx, verb, wanted()).outcome is Outcome.DONE
    assert len(patches(server)) == 1


def test_cancel_after_the_window_is_refused(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    error = {"code": 900117, "description": "You have passed your 7-day cancellation window."}
    server.fail("update_subscription", "answer", reply(400, error))
    result = connector.cancel(ctx, wanted())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "window_closed")
    assert "7-day" in result.message


def test_relationship_lost_is_flagged(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    server.overrides["get_subscription"] = lambda **_: reply(403, {"code": 20002, "description": "No relationship."})
    result = connector.read_state(ctx, wanted())
    assert (result.outcome, result.flag) == (Outcome.REFUSED, "relationship_lost")


def test_read_state_of_an_unknown_status_cancels_nothing(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.subscriptions[SUBSCRIPTION]["status"] = "in_grace_period"
    result = connector.read_state(ctx, wanted())
    assert (result.outcome, result.data["status"], result.data["vendor_status"]) == (
        Outcome.DONE,
        "unknown",
        "in_grace_period",
    )


def lowered(value: Any) -> Any:
    """A body with lower-case keys, without etag and links."""
    if isinstance(value, dict):
        return {key.lower(): lowered(item) for key, item in value.items() if item is not None}
    return [lowered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("E_change-the-quantity-of-a-subscription_3", {"quantity": 2}),
        ("E_suspend-a-subscription_2", {"status": "suspended"}),
        ("E_reactivate-a-suspended-a-subscription_2", {"status": "active"}),
        ("E_update-the-nickname-for-a-subscription", {"friendlyName": None}),
    ],
)
def test_change_equals_documented_request(name: str, changes: dict[str, Any]) -> None:
    sample = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))["request"]["body"]
    theirs = lowered(sample)
    changes = {key: theirs[key.lower()] if value is None else value for key, value in changes.items()}
    body = lowered(changed_resource(read(Subscription, {**sample, "Status": "suspended"}), changes))
    without = {key: value for key, value in theirs.items() if value != "none"}
    assert {key: body[key] for key in without if key != "status"} == {k: v for k, v in without.items() if k != "status"}
    assert set(body) - set(without) <= {"status"}


def test_cart_equals_documented_request(ctx: MemoryContext) -> None:
    sample = json.loads((FIXTURES / "D_create-a-cart-with-add-ons.json").read_text(encoding="utf-8"))["request"]["body"]
    addons = tuple(
        AddOnLine(str(n), row["CatalogItemId"], "x", row["Quantity"])
        for n, row in enumerate(sample["LineItems"][0]["AddonItems"])
    )
    request = make_request(
        account=make_account(external_id=TENANT), product_code="91FD106F-4B2C-4938-95AC-F54F74E9A239", quantity=3,
        term="", addons=addons,
    )  # fmt: skip
    items = Resolved("91FD106F-4B2C-4938-95AC-F54F74E9A239", {line.id: line.product_code for line in addons})
    ours = lowered(cart_body(request, items, ctx.operation_id))

    def without_names(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                key: without_names(value) if key == "addonitems" else value
                for key, value in row.items()
                if key != "friendlyname"
            }
            for row in rows
        ]

    assert without_names(ours["lineitems"]) == without_names(lowered(sample)["lineitems"])
    assert set(ours) == {"lineitems"}
