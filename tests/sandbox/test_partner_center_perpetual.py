"""Perpetual licences: the connector against the Partner Center twin, over real HTTP (``partner-center.md`` 9.4)."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from office365.client.tokens import forget_tokens
from office365.connector import Office365Connector, accounts
from provisioning.ports import AssetRequest, ErrorKind, Outcome, ProductTypeDef, Result, VendorError
from tests.office365.conftest import make_account
from tests.office365.memory import MemoryContext, MemoryProgress
from tests.sandbox.test_partner_center_client import context, new_customer
from tests.twins import Twins

OFFICE = "DG7GMGF0J7DR:0001"


@pytest.fixture(autouse=True)
def _fresh(twins: Twins) -> Iterator[None]:
    forget_tokens()
    accounts._rules.clear()
    now = dt.datetime.now(dt.UTC).replace(minute=30, second=0, microsecond=0)
    twins.call("POST", "/_twin/clock", json={"now": now.isoformat()})
    yield
    forget_tokens()


@pytest.fixture
def connector() -> Office365Connector:
    return Office365Connector()


def a_request(twins: Twins, connector: Office365Connector, **changes: Any) -> AssetRequest:
    """Three licences for a customer who is known there."""
    now = context(twins).clock
    values: dict[str, Any] = {
        "asset_id": "a-1",
        "product_code": OFFICE,
        "product_name": "Office LTSC Standard 2024",
        "currency": "USD",
        "created_at": now,
        "purchased_at": now,
        "account": make_account(external_id=new_customer(connector, context(twins))),
        "quantity": 3,
    }
    return AssetRequest(**{**values, **changes})


def until_final(
    verb: Callable[[Any, AssetRequest], Result], ctx: MemoryContext, twins: Twins, request: AssetRequest
) -> Result:
    """Call as the platform does, moving both clocks, until the answer is final."""
    result = Result(Outcome.UNKNOWN)
    for _ in range(45):
        try:
            result = verb(ctx, request)
        except VendorError as error:
            result = Result(Outcome.WAITING, code=error.code, message=error.message)
        if result.outcome in (Outcome.DONE, Outcome.REFUSED, Outcome.ATTENTION):
            break
        twins.advance("PT1M")
        ctx.later(minutes=1)
    return result


def buy(connector: Office365Connector, twins: Twins, request: AssetRequest) -> AssetRequest:
    """The same request, once it is bought."""
    result = until_final(connector.asset_create, context(twins), twins, request)
    assert result.outcome is Outcome.DONE, result
    values = {name: getattr(request, name) for name in request.__dataclass_fields__}
    return AssetRequest(**{**values, "external_id": result.external_id})


def test_the_catalogue_marks_perpetual_products(connector: Office365Connector, twins: Twins) -> None:
    ctx = context(twins, markets=["US"], currencies=["USD"], families=["perpetual_software", "reservations"])
    kinds = {kind.id: kind for kind in connector.service_definition(ctx, MemoryProgress()).product_types}
    kind: ProductTypeDef = kinds["microsoft_perpetual_licenses"]
    assert (kind.perpetual, kind.orderable, kind.split_quantity, kind.account_sync) == (True, True, False, True)
    office = next(row for row in kind.products if row.code == OFFICE)
    assert (office.charge_type, [(plan.term, plan.billing_cycle) for plan in office.plans]) == (
        "one_time",
        [("", "one_time")],
    )
    reservations = kinds["azure_reserved_instances"]
    assert (reservations.perpetual, reservations.orderable) == (False, False)


def test_the_order_is_its_name_and_the_id_comes_later(connector: Office365Connector, twins: Twins) -> None:
    request = a_request(twins, connector)
    result = until_final(connector.asset_create, context(twins), twins, request)
    there = twins.state()["orders"][0]
    assert (result.outcome, result.external_id) == (Outcome.DONE, f"{there['id']}:0")
    assert result.data == {
        "order_id": there["id"],
        "order_line": "0",
        "alternate_id": there["alternateId"],
        "perpetual_id": "",
    }
    owned = AssetRequest(
        **{**{name: getattr(request, name) for name in request.__dataclass_fields__}, "external_id": result.external_id}
    )
    twins.advance("PT10M")
    read = connector.asset_status(context(twins), owned)
    assert read.data["perpetual_id"] == twins.state()["orders"][0]["lineItems"][0]["subscriptionId"]
    assert "return_status" not in read.data


def test_a_line_goes_back_as_a_whole_and_only_once(connector: Office365Connector, twins: Twins) -> None:
    owned = buy(connector, twins, a_request(twins, connector))
    for _again in range(2):
        back = until_final(connector.asset_cancel, context(twins), twins, owned)
        assert (back.outcome, back.data) == (Outcome.DONE, {"return_status": "successful"})
    assert [row["operation"] for row in twins.journal() if row["operation"] == "update_order"] == ["update_order"]
    assert connector.asset_status(context(twins), owned).data["return_status"] == "successful"


def test_after_30_days_it_does_not(connector: Office365Connector, twins: Twins) -> None:
    owned = buy(connector, twins, a_request(twins, connector))
    twins.advance("P30DT1M")
    back = until_final(connector.asset_cancel, context(twins), twins, owned)
    assert (back.outcome, back.code) == (Outcome.REFUSED, "return_window_closed")


def test_what_cannot_be_returned_at_all(connector: Office365Connector, twins: Twins) -> None:
    owned = buy(connector, twins, a_request(twins, connector))
    twins.fault("update_order", "error", status=403, code=800019, description="This order cannot be cancelled.")
    back = until_final(connector.asset_cancel, context(twins), twins, owned)
    assert (back.outcome, back.code) == (Outcome.REFUSED, "not_returnable")


def test_without_a_tenant_nothing_is_ordered(connector: Office365Connector, twins: Twins) -> None:
    request = a_request(twins, connector, account=make_account(external_id=""))
    result = connector.asset_create(context(twins), request)
    assert (result.outcome, result.code) == (Outcome.REFUSED, "account_unknown")
    assert twins.state()["orders"] == []


@pytest.mark.parametrize(("minutes", "kind"), [(1, ErrorKind.WAITING), (20, ErrorKind.CONTRACT)])
def test_an_order_that_is_not_shown_is_waited_for_then_looked_at_by_a_person(
    connector: Office365Connector, twins: Twins, minutes: int, kind: ErrorKind
) -> None:
    owned = a_request(twins, connector, external_id="nothing:0")
    twins.advance(f"PT{minutes}M")
    with pytest.raises(VendorError) as found:
        connector.asset_status(context(twins), owned)
    assert found.value.kind is kind
