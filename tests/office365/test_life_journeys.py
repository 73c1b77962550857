"""Later changes of a subscription against the Partner Center twin, with each kind of fault at each call they make."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest

from office365.client.tokens import forget_tokens
from office365.connector import Office365Connector, accounts
from provisioning.ports import AddOnLine, Outcome, Result, Schedule, ServiceRequest, UpgradeOrder, VendorError
from tests.office365.conftest import make_account, make_request
from tests.office365.memory import MemoryContext
from tests.twins import Twins

BASIC, STANDARD, ADDON = "CFQ7TTC0LH18:0001", "CFQ7TTC0LDPB:0001", "CFQ7TTC02TV5:0001"
FINAL = (Outcome.DONE, Outcome.REFUSED, Outcome.ATTENTION)
READS: list[dict[str, Any]] = [
    {"kind": "timeout_before", "seconds": 0.05},
    {"kind": "timeout_after", "seconds": 0.05},
    {"kind": "reset_after"},
    {"kind": "http_500_after"},
    {"kind": "http_429", "seconds": 1, "form": "seconds"},
    {"kind": "http_429", "seconds": 1, "form": "date"},
    {"kind": "malformed"},
    {"kind": "bom"},
    {"kind": "auth_401"},
]
WRITES: list[dict[str, Any]] = [
    *READS,
    {"kind": "http_500_before"},
    {"kind": "conflict_409", "code": 800060},
    {"kind": "conflict_409", "code": 800060, "after": True},
    {"kind": "lag", "seconds": 600},
    {"kind": "lag", "seconds": 2400},
]
LAGGING = [*READS, {"kind": "lag", "seconds": 600}]


class Shop:
    """A customer at the twin who buys, changes and upgrades, through the connector alone."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.connector = Office365Connector()
        self.refresh_token = twins.credentials()["refresh_token"]
        ctx = self.context()
        self.customer = self.connector.account_sync(ctx, make_account()).external_id
        self.account = make_account(external_id=self.customer)

    def context(self) -> MemoryContext:
        """A new operation, now."""
        ctx = MemoryContext(self.twins.instance_settings())
        ctx.clock = dt.datetime.fromisoformat(self.twins.call("GET", "/_twin/clock")["now"])
        ctx.secrets.put("refresh_token", self.refresh_token)
        return ctx

    def drive(self, verb: str, ctx: MemoryContext, request: ServiceRequest, minutes: int = 4) -> Result:
        """Call a verb as the platform does, moving both clocks, until it is final."""
        result = Result(Outcome.UNKNOWN)
        for _ in range(60):
            try:
                result = getattr(self.connector, verb)(ctx, request)
            except VendorError as error:
                result = Result(Outcome.WAITING, code=error.code, message=error.message)
            self.refresh_token = ctx.secrets.get("refresh_token")
            if result.outcome in FINAL:
                break
            self.twins.advance(f"PT{minutes}M")
            ctx.later(minutes=minutes)
        return result

    def buy(self, **changes: Any) -> ServiceRequest:
        """Five licences of Business Basic; the request as it stands afterwards."""
        ctx = self.context()
        values: dict[str, Any] = {"product_code": BASIC, "quantity": 5, **changes}
        request = make_request(account=self.account, created_at=ctx.clock, **values)
        result = self.drive("create", ctx, request, minutes=1)
        assert result.outcome is Outcome.DONE, result
        return replace(request, external_id=result.external_id, confirmed_quantity=request.quantity)

    def row(self, key: str) -> dict[str, Any]:
        """A subscription as the twin has it."""
        return next(item for item in self.twins.state()["subscriptions"] if item["id"] == key)

    def of_operation(self, kind: str, ctx: MemoryContext) -> list[dict[str, Any]]:
        """What came about at the twin because of an operation."""
        return [row for row in self.twins.state()[kind] if row["client_reference"] == str(ctx.operation_id)]


@pytest.fixture
def shop(twins: Twins) -> Iterator[Shop]:
    forget_tokens()
    accounts._rules.clear()
    now = dt.datetime.now(dt.UTC).replace(minute=30, second=0, microsecond=0)
    twins.call("POST", "/_twin/clock", json={"now": now.isoformat()})
    yield Shop(twins)
    forget_tokens()
    if twins.process.stdout:
        twins.process.stdout.close()


def under(shop: Shop, operation: str, faults: list[dict[str, Any]], journey: Callable[[], Any]) -> None:
    """Run a journey once for each fault, and make sure that the fault was met."""
    for fault in faults:
        values = dict(fault)
        shop.twins.no_faults()
        shop.twins.fault(operation, values.pop("kind"), times=1, **values)
        try:
            journey()
        except AssertionError as error:
            raise AssertionError(f"{operation} under {fault}: {error}") from error
    hit = {(row["operation"], row["fault"]) for row in shop.twins.journal() if row.get("fault")}
    assert {(operation, fault["kind"]) for fault in faults} <= hit


UPGRADE_CALLS = {
    "create_transition": WRITES,
    "list_transitions": LAGGING,
    "list_transition_eligibilities": READS,
    "list_availabilities_for_customer": [*READS, {"kind": "availability_rotated"}],
    "get_subscription": READS,
    "list_subscriptions": LAGGING,
}


@pytest.mark.parametrize(
    ("operation", "quantity"),
    [*((name, 2) for name in sorted(UPGRADE_CALLS)), ("create_transition", 5), ("list_transitions", 5)],
)
def test_upgrade_happens_once_whatever_goes_wrong(shop: Shop, operation: str, quantity: int) -> None:
    bought = [shop.buy() for _ in UPGRADE_CALLS[operation]]

    def journey() -> None:
        ctx = shop.context()
        order = UpgradeOrder(STANDARD, quantity, "P1Y", "monthly")
        request = replace(bought.pop(), upgrade=order, created_at=ctx.clock)
        result = shop.drive("upgrade", ctx, request)
        assert result.outcome is Outcome.DONE, result
        (transition,) = shop.of_operation("transitions", ctx)
        left = 5 - quantity
        source = {"status": "active" if left else "cancelled", "quantity": left}
        assert (result.data["product_code"], result.data["quantity"]) == (STANDARD, quantity)
        assert result.data["source"] == source
        assert (transition["status"], transition["toSubscriptionId"]) == ("completed", result.external_id)
        rows = [shop.row(request.external_id), shop.row(result.external_id)]
        assert [row["quantity"] for row in rows] == [left, quantity]
        assert len(shop.of_operation("subscriptions", ctx)) == 1

    under(shop, operation, UPGRADE_CALLS[operation], journey)


CHANGE_CALLS = {
    "update_subscription": [row for row in WRITES if row["kind"] != "lag"]
    + [{"kind": "patch_202", "seconds": 30}, {"kind": "stale_etag"}],
    "get_subscription": READS,
    "list_availabilities_for_customer": [*READS, {"kind": "availability_rotated"}],
    "create_cart": READS,
    "checkout_cart": WRITES,
    "get_order": LAGGING,
    "list_subscriptions": LAGGING,
    "list_agreements": READS,
    "get_validation_status": READS,
}


@pytest.mark.parametrize("operation", sorted(CHANGE_CALLS))
def test_change_of_everything_ends_right_whatever_goes_wrong(shop: Shop, operation: str) -> None:
    bought = [shop.buy() for _ in CHANGE_CALLS[operation]]
    plan = Schedule(STANDARD, 9, "P1Y", "annual")

    def journey() -> None:
        ctx = shop.context()
        line = AddOnLine("a1", ADDON, "AI Builder Capacity add-on", 3)
        request = replace(bought.pop(), quantity=7, schedule=plan, addons=(line,), created_at=ctx.clock)
        result = shop.drive("change", ctx, request)
        assert result.outcome is Outcome.DONE, result
        assert (result.data["quantity"], result.data["schedule"]) == (7, asdict(plan))
        row, (addon,) = shop.row(request.external_id), shop.of_operation("subscriptions", ctx)
        assert (row["quantity"], row["scheduledNextTermInstructions"]["quantity"]) == (7, 9)
        assert (addon["id"], addon["quantity"]) == (result.data["addons"]["a1"], 3)
        assert addon["parentSubscriptionId"] == request.external_id
        assert len(shop.of_operation("orders", ctx)) == 1

    under(shop, operation, CHANGE_CALLS[operation], journey)


def test_no_call_of_an_upgrade_or_a_change_is_forgotten(shop: Shop) -> None:
    def calls(ctx: MemoryContext) -> set[str]:
        entries = shop.twins.journal()
        return {row["operation"] for row in entries if row["client_reference"] == str(ctx.operation_id)}

    request = shop.buy()
    line = AddOnLine("a1", ADDON, "AI Builder Capacity add-on", 3)
    changing, upgrading = shop.context(), shop.context()
    plan = Schedule(STANDARD, 9, "P1Y", "annual")
    shop.drive("change", changing, replace(request, quantity=7, schedule=plan, addons=(line,)))
    shop.drive("upgrade", upgrading, replace(shop.buy(), upgrade=UpgradeOrder(STANDARD, 2, "P1Y", "monthly")))
    assert calls(changing) == set(CHANGE_CALLS)
    assert calls(upgrading) == set(UPGRADE_CALLS)


def test_schedule_and_addons_through_a_year(shop: Shop) -> None:
    line = AddOnLine("a1", ADDON, "AI Builder Capacity add-on", 3)
    request = shop.buy()
    bought = shop.drive("change", shop.context(), replace(request, addons=(line,)))
    line = replace(line, external_id=bought.data["addons"]["a1"])
    request = replace(request, addons=(line,))
    with_plan = replace(request, schedule=Schedule(STANDARD, 9, "P1Y", "annual"))
    assert shop.drive("change", shop.context(), with_plan).outcome is Outcome.DONE
    # More licences in the middle of the term: the schedule is still there afterwards.
    told = shop.drive("change", shop.context(), replace(with_plan, quantity=8)).data
    assert (told["quantity"], told["schedule"]["quantity"]) == (8, 9)
    told = shop.drive("change", shop.context(), replace(request, quantity=8)).data
    assert (told["quantity"], told["schedule"]) == (8, None)
    fewer = replace(request, quantity=3, addons=(replace(line, quantity=2),))
    assert shop.drive("change", shop.context(), fewer).data["quantity"] == 3
    state = shop.connector.read_state(shop.context(), fewer).data
    assert state["addons_state"]["a1"]["quantity"] == 2
    assert [item["quantity"] for item in state["refundable"]] == [3]
    shop.twins.advance("P8D")
    late = shop.drive("change", shop.context(), replace(fewer, addons=(replace(line, quantity=0),)))
    assert (late.outcome, late.code) == (Outcome.REFUSED, "window_closed")
    assert "The window ended on" in late.message
    assert shop.row(line.external_id)["status"] == "active"
    late = shop.drive("change", shop.context(), replace(fewer, quantity=2))
    assert (late.outcome, late.code) == (Outcome.REFUSED, "decrease_not_allowed")
    assert "takes back no licence of this subscription before the renewal" in late.message


def test_addon_dropped_within_its_window(shop: Shop) -> None:
    request = shop.buy()
    line = AddOnLine("a1", ADDON, "AI Builder Capacity add-on", 3)
    bought = shop.drive("change", shop.context(), replace(request, addons=(line,)))
    line = replace(line, external_id=bought.data["addons"]["a1"], quantity=0)
    result = shop.drive("change", shop.context(), replace(request, addons=(line,)))
    assert (result.outcome, result.data["addons"]) == (Outcome.DONE, {})
    assert shop.row(line.external_id)["status"] == "deleted"
    assert shop.row(request.external_id)["status"] == "active"


def test_upgrade_refused_for_addons_and_for_a_failed_conversion(shop: Shop) -> None:
    request = shop.buy()
    options = {row.product_code: row for row in shop.connector.upgrade_options(shop.context(), request)}
    assert options[STANDARD].eligible
    wish = replace(request, upgrade=UpgradeOrder(STANDARD, 5, "P1Y", "monthly"))
    shop.twins.fault("create_transition", "transition_failed")
    failed = shop.drive("upgrade", shop.context(), wish)
    assert (failed.outcome, failed.code) == (Outcome.REFUSED, "upgrade_failed")
    assert shop.row(request.external_id)["quantity"] == 5
    line = AddOnLine("a1", ADDON, "AI Builder Capacity add-on", 3)
    assert shop.drive("change", shop.context(), replace(request, addons=(line,))).outcome is Outcome.DONE
    refused = shop.drive("upgrade", shop.context(), wish)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "upgrade_not_eligible")
    assert "The subscription has add-ons." in refused.message
    (option,) = [row for row in shop.connector.upgrade_options(shop.context(), request) if row.product_code == STANDARD]
    assert (option.eligible, option.reason.startswith("The subscription has add-ons.")) == (False, True)
    assert len(shop.twins.state()["transitions"]) == 1


def test_read_verbs_under_each_fault(shop: Shop) -> None:
    request = shop.buy()

    def journey() -> None:
        result = shop.drive("read_state", shop.context(), request)
        assert (result.outcome, result.data["quantity"]) == (Outcome.DONE, 5)

    under(shop, "get_subscription", READS, journey)
