"""Each step of the order and of each later change, with each fault at each of its calls.

Whatever happens once: the end state is right, the vendor has exactly one effect, and the ledger holds. The first flow
that makes a call has it fail in each way that differs; later flows only lose the answers of what had an effect. With
``FAULTS=all`` (``make chaos``) each fault is tried at each call of each flow.
"""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from core import http
from office365.calls import CALLS
from office365.connector import accounts
from subscriptions.enums import OperationState
from subscriptions.models import Operation
from tests.drain import drain as drain_for
from tests.provisioning.faults import FAULTS, cases
from tests.provisioning.flows import FLOWS, NOT_IN_A_FLOW, begin
from tests.provisioning.life import assert_all_holds, connected_shop
from tests.shop import Shop
from tests.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True)

CASES = cases(FLOWS, lambda call: not CALLS[call].repeat_safe, each_anew=False)


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


@pytest.mark.parametrize(("flow", "fault"), CASES)
def test_one_fault_at_any_call_changes_nothing_in_the_end(shop, twins, flow, fault):
    wrong = {}
    for call in CASES[flow, fault]:
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
    assert {call for calls in CASES.values() for call in calls} == in_a_flow
