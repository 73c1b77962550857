"""Every life cycle: the whole matrix of (state, event), written down a second time, and the compare-and-set."""

import importlib
from typing import Any

import pytest

from billing.models import CHARGE_MACHINE, ChargeState
from catalog.models import LISTING_MACHINE, ListingState
from core.errors import Conflict
from core.states import Machine
from orders.enums import DELIVERY_MACHINE, ORDER_MACHINE, DeliveryStatus, OrderStatus
from orders.models import Order
from resellers.domain_rules import DOMAIN_MACHINE, DomainStatus
from resellers.enums import SITE_MACHINE, SiteStatus
from sso.enums import REGISTRATION_MACHINE, RegistrationState
from subscriptions.asset_enums import ASSET_MACHINE, TOKEN_MACHINE, AssetStatus, TokenStatus
from subscriptions.enums import (
    OPERATION_MACHINE,
    REQUEST_MACHINE,
    SCHEDULE_MACHINE,
    STAMP_MACHINE,
    STAMP_ROW_MACHINE,
    SUBSCRIPTION_MACHINE,
    OperationState,
    RequestStatus,
    ScheduleStatus,
    StampRowState,
    StampState,
    SubscriptionStatus,
)
from tenants.enums import TENANT_MACHINE, TenantStatus
from tests.house.rules import PACKAGES, python_files, relative
from tests.shop import fill_basket, make_shop, place
from vendors.models import InstanceState, LinkState
from vendors.services.instances import INSTANCE_MACHINE
from vendors.services.links import LINK_MACHINE

# machine, its states, and "state event target" lines; what is not listed must be refused.
TABLES: dict[str, tuple[Machine, Any, str]] = {
    "listing": (
        LISTING_MACHINE,
        ListingState,
        """
        unlisted list listed
        unlisted withdraw withdrawn
        listed unlist unlisted
        listed withdraw withdrawn
        withdrawn offer_again unlisted
        """,
    ),
    "order": (
        ORDER_MACHINE,
        OrderStatus,
        """
        draft submit submitted
        draft ask_approval suspended
        suspended approve submitted
        suspended reject cancelled
        suspended cancel cancelled
        submitted execute executed
        submitted cancel cancelled
        """,
    ),
    "site": (
        SITE_MACHINE,
        SiteStatus,
        """
        preparing open live
        live suspend suspended
        suspended resume live
        live close closed
        suspended close closed
        closed open live
        closed delete deleted
        """,
    ),
    "domain": (
        DOMAIN_MACHINE,
        DomainStatus,
        """
        requested verify verifying
        verifying prove certifying
        certifying certify live
        verifying fail failed
        certifying fail failed
        live fail failed
        failed retry verifying
        requested remove removed
        verifying remove removed
        certifying remove removed
        live remove removed
        failed remove removed
        """,
    ),
    "registration": (
        REGISTRATION_MACHINE,
        RegistrationState,
        """
        unconfirmed submit pending
        unconfirmed approve approved
        unconfirmed expire expired
        pending approve approved
        pending reject rejected
        pending expire expired
        """,
    ),
    "delivery": (
        DELIVERY_MACHINE,
        DeliveryStatus,
        """
        waiting start in_progress
        waiting cancel cancelled
        in_progress deliver delivered
        in_progress fail failed
        in_progress cancel cancelled
        failed retry in_progress
        failed cancel cancelled
        """,
    ),
    "MPN ID run": (
        STAMP_MACHINE,
        StampState,
        """
        running finish done
        running stop_short partly
        running cancel cancelled
        partly retry running
        partly cancel cancelled
        """,
    ),
    "MPN ID row": (
        STAMP_ROW_MACHINE,
        StampRowState,
        """
        pending send sent
        pending skip skipped
        pending fail failed
        sent finish done
        sent fail failed
        failed retry pending
        failed send sent
        failed finish done
        """,
    ),
    "subscription": (
        SUBSCRIPTION_MACHINE,
        SubscriptionStatus,
        """
        inactive confirm active
        inactive refuse failed
        inactive give_up cancelled
        inactive cancel cancelled
        failed retry inactive
        failed confirm active
        failed give_up cancelled
        active suspend suspended
        active cancel_at_end pending_cancel
        active cancel cancelled
        suspended activate active
        suspended cancel_at_end pending_cancel
        suspended cancel cancelled
        pending_cancel revoke_cancel active
        pending_cancel revoke_cancel_suspended suspended
        pending_cancel cancel cancelled
        """,
    ),
    "operation": (
        OPERATION_MACHINE,
        OperationState,
        """
        queued claim running
        waiting claim running
        running claim running
        attention claim running
        running succeed done
        running refuse refused
        running wait waiting
        running need_attention attention
        attention retry queued
        attention mark_done done
        attention give_up given_up
        refused give_up given_up
        queued give_up given_up
        waiting give_up given_up
        """,
    ),
    "scheduled change": (
        SCHEDULE_MACHINE,
        ScheduleStatus,
        """
        pending apply applied
        pending fail failed
        pending revoke revoked
        """,
    ),
    "cancellation request": (
        REQUEST_MACHINE,
        RequestStatus,
        """
        submitted accept accepted
        submitted reject rejected
        submitted withdraw withdrawn
        accepted complete completed
        accepted fail failed
        failed retry accepted
        failed reject rejected
        """,
    ),
    "charge": (
        CHARGE_MACHINE,
        ChargeState,
        """
        reserved settle due
        reserved release released
        released reserve reserved
        """,
    ),
    "asset": (
        ASSET_MACHINE,
        AssetStatus,
        """
        pending confirm active
        pending give_up cancelled
        active return cancelled
        """,
    ),
    "key": (
        TOKEN_MACHINE,
        TokenStatus,
        """
        activated redeemed redeemed
        activated return_accepted return_accepted
        """,
    ),
    "instance": (
        INSTANCE_MACHINE,
        InstanceState,
        """
        draft complete ready
        ready reopen draft
        ready activate active
        inactive activate active
        active deactivate inactive
        draft delete deleted
        ready delete deleted
        inactive delete deleted
        """,
    ),
    "link": (
        LINK_MACHINE,
        LinkState,
        """
        unsynchronised start in_progress
        failed start in_progress
        awaiting_relationship start in_progress
        relationship_lost start in_progress
        in_progress start in_progress
        in_progress await_relationship awaiting_relationship
        in_progress synchronize synchronized
        in_progress fail failed
        in_progress give_up unsynchronised
        awaiting_relationship give_up unsynchronised
        failed give_up unsynchronised
        unsynchronised give_up unsynchronised
        synchronized lose_relationship relationship_lost
        relationship_lost synchronize synchronized
        synchronized synchronize synchronized
        """,
    ),
    "professional": (
        TENANT_MACHINE,
        TenantStatus,
        """
        preparing succeed active
        preparing fail failed
        failed retry preparing
        active suspend suspended
        active mark_deleted deleted
        suspended activate active
        suspended mark_deleted deleted
        """,
    ),
}
# States nothing leads out of.
ENDS = {
    "registration": {"approved", "rejected", "expired"},
    "listing": set(),
    "site": {"deleted"},
    "domain": {"removed"},
    "order": {"executed", "cancelled"},
    "delivery": {"delivered", "cancelled"},
    "subscription": {"cancelled"},
    "operation": {"done", "given_up"},
    "scheduled change": {"applied", "failed", "revoked"},
    "cancellation request": {"completed", "rejected", "withdrawn"},
    "charge": {"due"},
    "asset": {"cancelled"},
    "key": {"redeemed", "return_accepted"},
    "instance": {"deleted"},
    "link": set(),
    "MPN ID run": {"done", "cancelled"},
    "MPN ID row": {"done", "skipped"},
    "professional": {"deleted"},
}
BEGINS = {
    "registration": "unconfirmed",
    "listing": "unlisted",
    "MPN ID run": "running",
    "MPN ID row": "pending",
    "site": "preparing",
    "domain": "requested",
    "order": "draft",
    "delivery": "waiting",
    "subscription": "inactive",
    "operation": "queued",
    "scheduled change": "pending",
    "cancellation request": "submitted",
    "charge": "reserved",
    "asset": "pending",
    "key": "activated",
    "instance": "draft",
    "link": "unsynchronised",
    "professional": "preparing",
}


def expected(table: str) -> dict[tuple[str, str], str]:
    rows = (line.split() for line in table.strip().splitlines())
    return {(state, event): target for state, event, target in rows}


def cells() -> list[tuple[str, str, str]]:
    return [
        (name, state, event)
        for name, (machine, states, _table) in TABLES.items()
        for state in states.values
        for event in sorted(machine.events)
    ]


@pytest.mark.parametrize(("name", "state", "event"), cells())
def test_event_fires_or_is_refused(name: str, state: str, event: str):
    machine, _states, table = TABLES[name]
    target = expected(table).get((state, event))
    assert machine.allows(state, event) is (target is not None)
    if target is None:
        with pytest.raises(Conflict) as caught:
            machine.target(state, event)
        assert caught.value.code == "illegal_transition"
    else:
        assert machine.target(state, event) == target


@pytest.mark.parametrize("name", TABLES)
def test_every_state_is_known_and_can_be_reached(name: str):
    _machine, states, table = TABLES[name]
    rows = expected(table)
    reached = {BEGINS[name]}
    while found := {target for (state, _event), target in rows.items() if state in reached} - reached:
        reached |= found
    assert reached == set(states.values)
    assert {state for state, _event in rows} <= set(states.values)


@pytest.mark.parametrize("name", TABLES)
def test_nothing_leads_out_of_an_end(name: str):
    machine, states, _table = TABLES[name]
    left = {state for state, _event in machine.transitions}
    assert set(states.values) - left == ENDS[name]


def test_no_machine_is_missing_here():
    files = [path for path in python_files(*PACKAGES) if "Machine(" in path.read_text()]
    modules = [relative(path).removesuffix(".py").replace("/", ".") for path in files]
    found = {
        id(value)
        for module in modules
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, Machine)
    }
    assert found == {id(machine) for machine, _states, _table in TABLES.values()}


@pytest.mark.django_db
def test_of_two_that_try_at_once_one_succeeds():
    shop = make_shop()
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    Order.objects.filter(pk=order.pk).update(status="submitted")
    first, second = Order.objects.get(pk=order.pk), Order.objects.get(pk=order.pk)
    assert ORDER_MACHINE.fire(first, "cancel") == "submitted"
    assert first.status == "cancelled"
    with pytest.raises(Conflict) as caught:
        ORDER_MACHINE.fire(second, "execute")
    assert caught.value.code == "changed_meanwhile"
    assert second.status == "submitted"
    assert Order.objects.get(pk=order.pk).status == "cancelled"
