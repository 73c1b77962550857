"""Random failures and killed workers: one order, one subscription, every time, over real HTTP."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import pytest

from office365.client.tokens import forget_tokens
from office365.connector import Office365Connector, accounts
from provisioning.ports import Outcome, Result, VendorError
from tests.office365.conftest import make_account, make_request
from tests.office365.memory import Killed, Killer, MemoryContext
from tests.twins import Twins

RUNS = 30
BOTH: list[dict[str, Any]] = [
    {"kind": "timeout_before", "seconds": 0.1},
    {"kind": "timeout_after", "seconds": 0.1},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "http_500_before"},
    {"kind": "http_500_after"},
    {"kind": "http_429", "seconds": 1, "form": "seconds"},
    {"kind": "malformed"},
    {"kind": "truncated"},
    {"kind": "html_error"},
    {"kind": "html_error", "after": True},
]
WRITES: list[dict[str, Any]] = [
    *BOTH,
    {"kind": "conflict_409", "code": 800060, "after": True},
    {"kind": "conflict_409", "code": 800060},
    {"kind": "conflict_409", "code": 800064, "after": True},
    {"kind": "lag", "seconds": 300},
    {"kind": "lag", "seconds": 900},
]
OPERATIONS = {
    "create_cart": WRITES,
    "checkout_cart": WRITES,
    "get_cart": BOTH,
    "get_order": [*BOTH, {"kind": "lag", "seconds": 300}],
    "list_orders": BOTH,
    "list_subscriptions": [*BOTH, {"kind": "lag", "seconds": 300}],
    "list_availabilities_for_customer": [*BOTH, {"kind": "availability_rotated"}],
}


@pytest.fixture(autouse=True)
def _fresh(twins: Twins) -> Iterator[None]:
    forget_tokens()
    accounts._rules.clear()
    now = dt.datetime.now(dt.UTC).replace(minute=1, second=0, microsecond=0)
    twins.call("POST", "/_twin/clock", json={"now": now.isoformat()})
    yield
    forget_tokens()
    if twins.process.stdout:
        twins.process.stdout.close()


def context(twins: Twins, refresh_token: str) -> MemoryContext:
    ctx = MemoryContext(twins.instance_settings())
    ctx.clock = dt.datetime.fromisoformat(twins.call("GET", "/_twin/clock")["now"])
    ctx.secrets.put("refresh_token", refresh_token)
    return ctx


def drive(connector: Office365Connector, ctx: MemoryContext, twins: Twins, customer: str) -> Result:
    """Call create() as the platform does, with a new worker after each kill; two hours at most."""
    account = make_account(external_id=customer)
    request = make_request(account=account, created_at=ctx.clock)
    result = Result(Outcome.UNKNOWN)
    for _ in range(60):
        try:
            result = connector.create(ctx, request)
        except Killed:
            ctx.killer.at = -1
        except VendorError as error:
            result = Result(Outcome.WAITING, code=error.code, message=error.message)
        if result.outcome in (Outcome.DONE, Outcome.REFUSED, Outcome.ATTENTION):
            break
        twins.advance("PT2M")
        ctx.later(minutes=2)
    return result


def test_random_failures_never_order_twice(twins: Twins) -> None:
    connector = Office365Connector()
    token = twins.credentials()["refresh_token"]
    setup = context(twins, token)
    customer = connector.account_sync(setup, make_account()).external_id
    for seed in range(RUNS):
        chance = random.Random(seed)  # noqa: S311 - the failures are to be the same in every run.
        twins.no_faults()
        ctx = context(twins, setup.secrets.get("refresh_token"))
        planned = []
        for _ in range(chance.randint(1, 3)):
            operation = chance.choice(sorted(OPERATIONS))
            fault = dict(chance.choice(OPERATIONS[operation]))
            planned.append((operation, fault))
            twins.fault(operation, fault.pop("kind"), times=1, skip=chance.randint(0, 1), **fault)
        if chance.random() < 0.5:
            ctx.killer = Killer(chance.randint(0, 14))
            ctx.steps.killer = ctx.killer
        result = drive(connector, ctx, twins, customer)
        state = twins.state()
        mine = [row for row in state["orders"] if row["client_reference"] == str(ctx.operation_id)]
        seats = [row for row in state["subscriptions"] if row["client_reference"] == str(ctx.operation_id)]
        told = (seed, planned, result)
        assert result.outcome is Outcome.DONE, told
        assert (len(mine), len(seats)) == (1, 1), told
        assert seats[0]["id"] == result.external_id, told
    hit = {(row["operation"], row["fault"]) for row in twins.journal() if row.get("fault")}
    assert len(hit) > 15, hit
