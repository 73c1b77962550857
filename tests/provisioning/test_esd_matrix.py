"""Each call of a licence's order and return with each fault: one licence, one credit, never a second purchase."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.conf import LazySettings

from core import http
from microsoft_esd.calls import CALLS
from microsoft_esd.client.tokens import forget_tokens
from orders.services.asset_return import return_asset
from subscriptions.enums import OperationState
from subscriptions.models import Asset, Operation
from tests.drain import drain
from tests.provisioning.esd import EsdShop, assets_of, licences, make_esd_shop, order
from tests.provisioning.faults import FAULTS, cases
from tests.provisioning.life import assert_all_holds
from tests.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True)
NOT_IN_A_FLOW = {"list_catalog"}  # A definition run; what fails is simply run again (test_esd_catalogue).


@dataclass(frozen=True)
class Flow:
    """What a person does, which calls it makes, and a fault that comes before, so that a look-up is made."""

    calls: tuple[str, ...]
    returns: bool = False
    before: tuple[str, str] = ("", "")


EFFECTS = ("purchase", "return_license")
FLOWS = {
    "buy": Flow(("get_token_v1", "purchase")),
    "buy, after no answer": Flow(("get_transaction",), before=("purchase", "timeout_after")),
    "return": Flow(("get_token_v1", "get_license", "return_license"), returns=True),
    "return, after no answer": Flow(("get_transaction",), returns=True, before=("return_license", "timeout_before")),
}


CASES = cases(FLOWS, lambda call: call in EFFECTS, each_anew=True)


@pytest.fixture
def shop(twins: Twins, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[EsdShop]:
    """A shop that waits neither long for an answer nor before it asks again."""
    monkeypatch.setattr(http, "READ_REPEATS", (0.02, 0.05, 0.1))
    settings.VENDOR_FAMILY_CALLS_PER_MINUTE = {"esd": 10_000}
    shop = make_esd_shop()
    settings.VENDOR_READ_TIMEOUT = settings.VENDOR_WRITE_TIMEOUT = 0.8
    yield shop


def strike(twins: Twins, call: str, fault: str) -> None:
    """Switch the fault on; a token is given by the sign-in service."""
    vendor, operation = ("login", "token:app") if call == "get_token_v1" else ("cis", call)
    twins.fault(operation, **{**FAULTS[fault], "vendor": vendor})


def settle(twins: Twins) -> None:
    drain(twins, patience=dt.timedelta(hours=3))


@pytest.mark.parametrize(("flow", "fault"), [case for case in CASES if case[1] != "expired token"])
def test_one_fault_changes_nothing_in_the_end(shop, twins, flow, fault):
    one, wrong = FLOWS[flow], {}
    for call in CASES[flow, fault]:
        asset = begin(shop, twins, one.returns)
        known = {row["id"] for row in licences(twins)}
        forget_tokens(str(shop.instance.public_id))
        if one.before[0]:
            twins.fault(one.before[0], one.before[1], vendor="cis")
        strike(twins, call, fault)
        try:
            check = go_back(shop, twins, asset) if asset else go_forth(shop, twins, known)
            settle(twins)
            rows = Operation.objects.filter(account=shop.customer).exclude(state=OperationState.DONE)
            assert list(rows.values_list("verb", "state", "code", "message")) == []
            check()
            assert_all_holds(twins)
        except AssertionError as error:
            wrong[call] = str(error).strip()
        twins.no_faults()
    assert wrong == {}


def begin(shop: EsdShop, twins: Twins, with_asset: bool) -> Asset | None:
    if not with_asset:
        return None
    placed = order(shop)
    settle(twins)
    return assets_of(placed)[0]


def go_forth(shop: EsdShop, twins: Twins, known: set[str]) -> Callable[[], None]:
    placed = order(shop)

    def check() -> None:
        asset = assets_of(placed)[0]
        assert (asset.status, asset.token_status, asset.sync_status) == ("active", "activated", "synchronized")
        assert [row["id"] for row in licences(twins) if row["id"] not in known] == [asset.external_id]

    return check


def go_back(shop: EsdShop, twins: Twins, asset: Asset) -> Callable[[], None]:
    return_asset(shop.staff, asset=asset, comment="")

    def check() -> None:
        asset.refresh_from_db()
        assert (asset.status, asset.token_status, asset.return_status) == (
            "cancelled",
            "return_accepted",
            "successful",
        )
        assert asset.charges.filter(kind="credit").count() == 1

    return check


def test_an_expired_token_is_replaced_once(shop, twins):
    placed = order(shop)
    twins.fault("purchase", "auth_401", vendor="cis")
    settle(twins)
    assert assets_of(placed)[0].status == "active"
    assert_all_holds(twins)


def test_no_call_is_forgotten():
    assert set(CALLS) == {call for flow in FLOWS.values() for call in flow.calls} | NOT_IN_A_FLOW
