"""Each step of the order and of each later change, with each fault at each of its calls.

Whatever happens once: the end state is right, the vendor has exactly one effect, and the ledger holds. A call that has
an effect is tried in every flow that makes it, a reading one in the first; with ``FAULTS=all`` (``make chaos``) each is
tried in each.
"""

import datetime as dt
import os
from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from core import http
from office365.calls import CALLS
from office365.connector import accounts
from subscriptions.enums import OperationState
from subscriptions.models import Operation
from tests.drain import drain as drain_for
from tests.provisioning.flows import FLOWS, NOT_IN_A_FLOW, begin
from tests.provisioning.life import assert_all_holds, connected_shop
from tests.shop import Shop
from tests.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True)
FAULTS: dict[str, dict[str, object]] = {
    "timeout before": {"kind": "timeout_before"},
    "timeout after": {"kind": "timeout_after"},
    "reset before": {"kind": "reset_before"},
    "reset after": {"kind": "reset_after"},
    "429 in seconds": {"kind": "http_429", "seconds": 1, "form": "seconds"},
    "429 with a date": {"kind": "http_429", "seconds": 1, "form": "date"},
    "500 before": {"kind": "http_500_before"},
    "500 after": {"kind": "http_500_after"},
    "malformed": {"kind": "malformed"},
    "byte order mark": {"kind": "bom"},
    "lag": {"kind": "lag", "seconds": 20},
    "expired token": {"kind": "auth_401"},
}


def calls_to_try(flow: str) -> list[str]:
    """The calls of a flow at which a fault is tried."""
    if os.environ.get("FAULTS") == "all":
        return list(FLOWS[flow].calls)
    before = set()
    for name, other in FLOWS.items():
        if name == flow:
            break
        before |= set(other.calls)
    return [call for call in FLOWS[flow].calls if not CALLS[call].repeat_safe or call not in before]


def drain(twins: Twins) -> None:
    """Until nothing is due for hours: an upgrade takes the vendor 36 minutes."""
    drain_for(twins, patience=dt.timedelta(hours=3))


@pytest.fixture
def shop(twins, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A connected shop that knows no rules yet, and waits neither long for an answer nor before it asks again."""
    monkeypatch.setattr(accounts, "_rules", {})
    monkeypatch.setattr(http, "READ_REPEATS", (0.02, 0.05, 0.1))
    settings.VENDOR_READ_TIMEOUT = settings.VENDOR_WRITE_TIMEOUT = 0.8
    yield connected_shop(twins)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("flow", FLOWS)
def test_one_fault_at_any_call_changes_nothing_in_the_end(shop, twins, flow, fault):
    wrong = {}
    for call in calls_to_try(flow):
        case = begin(flow, shop, twins, drain)
        twins.fault(call, **FAULTS[fault])
        try:
            FLOWS[flow].act(case)
            drain(twins)
            rows = Operation.objects.filter(account_id=case.actor.account_id).exclude(state=OperationState.DONE)
            assert list(rows.values_list("verb", "state", "code", "message")) == []
            FLOWS[flow].check(case)
            assert_all_holds(twins)
        except AssertionError as error:
            wrong[call] = str(error).strip()
        twins.no_faults()
    assert wrong == {}


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_makes_the_calls_it_says(shop, twins, flow):
    case = begin(flow, shop, twins, drain)
    known = len(twins.journal())
    FLOWS[flow].act(case)
    drain(twins)
    made = {str(row["operation"]).partition(":")[0] for row in twins.journal()[known:]} & set(CALLS)
    assert made - set(FLOWS[flow].calls) == set(), "calls that the flow does not name"
    assert set(FLOWS[flow].calls) - made == set(), "calls that the flow does not make"
    FLOWS[flow].check(case)
    assert_all_holds(twins)


def test_no_call_is_forgotten():
    in_a_flow = {call for flow in FLOWS.values() for call in flow.calls}
    assert set(CALLS) - in_a_flow == set(NOT_IN_A_FLOW)
    assert {call for flow in FLOWS for call in calls_to_try(flow)} == in_a_flow
