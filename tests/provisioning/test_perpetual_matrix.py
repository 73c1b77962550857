"""Each call of a perpetual licence's order and return with each fault: one order, one credit, one line given back."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.conf import LazySettings

from core import http
from office365.calls import CALLS
from office365.connector import accounts
from orders.services.asset_return import return_asset
from subscriptions.enums import OperationState
from subscriptions.models import Asset, Operation
from tests.drain import drain
from tests.provisioning.faults import FAULTS, cases
from tests.provisioning.life import assert_all_holds
from tests.provisioning.perpetual import asset_of, bought, fresh, order, orders_there, perpetual_shop
from tests.shop import Shop
from tests.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Flow:
    """What a person does, which calls it makes, and a fault that comes before, so that a look-up is made."""

    calls: tuple[str, ...]
    returns: bool = False
    before: tuple[str, str] = ("", "")


BOUGHT = (
    "list_agreements",
    "get_validation_status",
    "list_availabilities_for_customer",
    "create_cart",
    "checkout_cart",
    "get_order",
    "list_subscriptions",
)
FLOWS = {
    "buy": Flow(BOUGHT),
    "buy, after no answer": Flow(("list_orders",), before=("checkout_cart", "timeout_after")),
    "return": Flow(("get_order", "update_order"), returns=True),
    "return, after no answer": Flow(("get_order",), returns=True, before=("update_order", "timeout_after")),
}


CASES = cases(FLOWS, lambda call: not CALLS[call].repeat_safe, each_anew=True)


@pytest.fixture
def shop(twins: Twins, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop with one licence bought already, which waits neither long for an answer nor before it asks again."""
    monkeypatch.setattr(accounts, "_rules", {})
    monkeypatch.setattr(http, "READ_REPEATS", (0.02, 0.05, 0.1))
    made = perpetual_shop(twins)
    bought(made, twins)
    settings.VENDOR_READ_TIMEOUT = settings.VENDOR_WRITE_TIMEOUT = 0.8
    yield made


def settle(twins: Twins) -> None:
    drain(twins, patience=dt.timedelta(hours=3))


@pytest.mark.parametrize(("flow", "fault"), CASES)
def test_one_fault_changes_nothing_in_the_end(shop, twins, flow, fault):
    one, wrong = FLOWS[flow], {}
    for call in CASES[flow, fault]:
        asset = bought(shop, twins) if one.returns else None
        known = {row["id"] for row in orders_there(twins)}
        if one.before[0]:
            twins.fault(one.before[0], one.before[1])
        twins.fault(call, **FAULTS[fault])
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


def go_forth(shop: Shop, twins: Twins, known: set[str]) -> Callable[[], None]:
    placed = order(shop)

    def check() -> None:
        asset = asset_of(placed)
        assert (asset.status, asset.sync_status, asset.quantity) == ("active", "synchronized", 3)
        made = [(row["id"], row["quantity"]) for row in orders_there(twins) if row["id"] not in known]
        assert made == [(asset.vendor_order_id, 3)]

    return check


def go_back(shop: Shop, twins: Twins, asset: Asset) -> Callable[[], None]:
    return_asset(shop.staff, asset=asset, comment="")

    def check() -> None:
        row = fresh(asset)
        assert (row.status, row.return_status, row.sync_status) == ("cancelled", "successful", "synchronized")
        assert row.charges.filter(kind="credit").count() == 1
        there = next(found for found in orders_there(twins) if found["id"] == row.vendor_order_id)
        assert there["lineItems"][0]["quantity"] == 0

    return check


@pytest.mark.parametrize("returns", [False, True])
def test_the_flows_make_the_calls_they_say(shop, twins, returns):
    asset = bought(shop, twins) if returns else None
    before = len(twins.journal())
    if asset is not None:
        return_asset(shop.staff, asset=asset, comment="")
    else:
        order(shop)
    settle(twins)
    made = {str(row["operation"]).partition(":")[0] for row in twins.journal()[before:]} & set(CALLS)
    assert made == set(FLOWS["return" if returns else "buy"].calls)
