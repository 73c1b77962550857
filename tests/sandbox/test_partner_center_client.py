"""The product's connector against the Partner Center twin over real HTTP: from nothing to an active subscription."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from office365.client.tokens import forget_tokens
from office365.connector import Office365Connector, accounts
from provisioning.ports import AddOnLine, Outcome, Result, VendorError
from tests.office365.conftest import make_account, make_request
from tests.office365.memory import MemoryContext, MemoryProgress
from tests.twins import Twins

STANDARD = {"product_code": "CFQ7TTC0LDPB:0001", "product_name": "Microsoft 365 Business Standard"}


@pytest.fixture(autouse=True)
def _fresh(twins: Twins) -> Iterator[None]:
    forget_tokens()
    accounts._rules.clear()
    # In the middle of the hour no availability id changes during a test.
    now = dt.datetime.now(dt.UTC).replace(minute=30, second=0, microsecond=0)
    twins.call("POST", "/_twin/clock", json={"now": now.isoformat()})
    yield
    forget_tokens()
    if twins.process.stdout:
        twins.process.stdout.close()


@pytest.fixture
def connector() -> Office365Connector:
    return Office365Connector()


def context(twins: Twins, **settings: Any) -> MemoryContext:
    ctx = MemoryContext(twins.instance_settings(**settings))
    ctx.clock = dt.datetime.fromisoformat(twins.call("GET", "/_twin/clock")["now"])
    ctx.secrets.put("refresh_token", twins.credentials()["refresh_token"])
    return ctx


def order(connector: Office365Connector, ctx: MemoryContext, twins: Twins, customer: str, **changes: Any) -> Result:
    """Call create() as the platform does, moving both clocks, until it is final."""
    account = make_account(external_id=customer)
    request = make_request(account=account, created_at=ctx.clock, **changes)
    result = Result(Outcome.UNKNOWN)
    for _ in range(20):
        try:
            result = connector.create(ctx, request)
        except VendorError as error:
            result = Result(Outcome.WAITING, code=error.code, message=error.message)
        if result.outcome in (Outcome.DONE, Outcome.REFUSED, Outcome.ATTENTION):
            break
        twins.advance("PT1M")
        ctx.later(minutes=1)
    return result


def new_customer(connector: Office365Connector, ctx: MemoryContext) -> str:
    result = connector.account_sync(ctx, make_account())
    assert result.outcome is Outcome.DONE, result
    return result.external_id


def test_new_customer_buys_and_has_an_active_subscription(connector: Office365Connector, twins: Twins) -> None:
    ctx = context(twins)
    created = connector.account_sync(ctx, make_account())
    assert created.outcome is Outcome.DONE
    assert created.secrets["admin_password"]
    assert created.data["agreement"] == "accepted"

    buying = context(twins)
    result = order(connector, buying, twins, created.external_id, **STANDARD)

    assert (result.outcome, result.data["status"], result.data["quantity"]) == (Outcome.DONE, "active", 3)
    state = twins.state()
    assert [row["id"] for row in state["subscriptions"]] == [result.external_id]
    assert [row["client_reference"] for row in state["orders"]] == [str(buying.operation_id)]
    assert state["orders"][0]["status"] == "completed"
    assert [row["id"] for row in state["customers"]] == [created.external_id]


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "http_500_after", "timeout_before"])
@pytest.mark.parametrize("operation", ["create_cart", "checkout_cart"])
def test_one_order_whatever_becomes_of_an_answer(
    connector: Office365Connector, twins: Twins, operation: str, kind: str
) -> None:
    customer = new_customer(connector, context(twins))
    ctx = context(twins)
    twins.fault(operation, kind, seconds=0.3)
    result = order(connector, ctx, twins, customer, **STANDARD)
    assert result.outcome is Outcome.DONE, result
    state = twins.state()
    assert len(state["orders"]) == len(state["subscriptions"]) == 1
    assert state["orders"][0]["client_reference"] == str(ctx.operation_id)


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("code", [800060, 800064])
def test_conflict_never_orders_twice(connector: Office365Connector, twins: Twins, code: int, after: bool) -> None:
    customer = new_customer(connector, context(twins))
    twins.fault("checkout_cart", "conflict_409", code=code, after=after)
    result = order(connector, context(twins), twins, customer, **STANDARD)
    assert result.outcome is Outcome.DONE, result
    assert len(twins.state()["orders"]) == 1


def test_lag_never_fails_and_never_doubles(connector: Office365Connector, twins: Twins) -> None:
    customer = new_customer(connector, context(twins))
    twins.fault("checkout_cart", "lag", seconds=900)
    result = order(connector, context(twins), twins, customer, **STANDARD)
    assert result.outcome is Outcome.DONE, result
    assert len(twins.state()["orders"]) == 1


def test_rotated_once_succeeds_rotated_twice_refused(connector: Office365Connector, twins: Twins) -> None:
    customer = new_customer(connector, context(twins))
    twins.fault("list_availabilities_for_customer", "availability_rotated")
    assert order(connector, context(twins), twins, customer, **STANDARD).outcome is Outcome.DONE
    twins.fault("list_availabilities_for_customer", "availability_rotated", times=2)
    refused = order(connector, context(twins), twins, customer, **STANDARD)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "availability_changed")
    assert len(twins.state()["orders"]) == 1


@pytest.mark.parametrize("kind", ["pascal_case", "string_numbers", "missing_optional", "bom"])
def test_style_of_answers_changes_no_result(connector: Office365Connector, twins: Twins, kind: str) -> None:
    customer = new_customer(connector, context(twins))
    for operation in ("create_cart", "checkout_cart", "get_order", "list_subscriptions"):
        twins.fault(operation, kind, times=10)
    result = order(connector, context(twins), twins, customer, **STANDARD)
    assert (result.outcome, result.data["quantity"]) == (Outcome.DONE, 3)


def test_quantity_autorenewal_and_cancellation(connector: Office365Connector, twins: Twins) -> None:
    customer = new_customer(connector, context(twins))
    result = order(connector, context(twins), twins, customer, **STANDARD)
    account = make_account(external_id=customer)

    def request(**changes: Any) -> Any:
        return make_request(account=account, external_id=result.external_id, **{**STANDARD, **changes})

    changed = connector.change(context(twins), request(quantity=5))
    assert (changed.outcome, changed.data["quantity"]) == (Outcome.DONE, 5)
    suspended = connector.suspend(context(twins), request(quantity=5))
    assert (suspended.outcome, suspended.data["status"]) == (Outcome.DONE, "suspended")
    assert connector.activate(context(twins), request(quantity=5)).outcome is Outcome.DONE
    twins.advance("P8D")
    late = connector.cancel(context(twins), request(quantity=5))
    assert (late.outcome, late.code) == (Outcome.REFUSED, "window_closed")
    fewer = connector.change(context(twins), request(quantity=4))
    assert fewer.outcome is Outcome.REFUSED
    assert twins.state()["subscriptions"][0]["quantity"] == 5


def test_service_definition_and_price_sheet(connector: Office365Connector, twins: Twins) -> None:
    families = ["microsoft_365", "dynamics", "azure_plan", "perpetual_software", "software_subscriptions"]
    ctx = context(twins, markets=["GR"], currencies=["EUR"], segments=["commercial"], families=families)
    definition = connector.service_definition(ctx, MemoryProgress())
    assert definition.problems == ()
    products = {row.code: row for kind in definition.product_types for row in kind.products}
    assert len(products) > 250
    standard = products["CFQ7TTC0LDPB:0001"]
    assert {(plan.term, plan.billing_cycle) for plan in standard.plans} == {
        ("P1M", "monthly"),
        ("P1Y", "monthly"),
        ("P1Y", "annual"),
    }
    rows = list(connector.price_sheet(ctx, MemoryProgress()))
    assert {row.currency for row in rows} == {"EUR"}
    priced = {row.product_code for row in rows}
    assert set(products) - priced <= {"DZH318Z0BPS6:0001"}


def test_reseller_must_have_signed(connector: Office365Connector, twins: Twins) -> None:
    ctx = context(twins, partner_type="indirect")
    known = twins.credentials()
    good = connector.check_partner_id(ctx, known["mpn_ids"][0])
    assert good.ok
    assert good.data["tenant_id"]
    assert connector.check_partner_id(ctx, known["mpn_id_without_agreement"]).code == "mpa_missing"
    assert connector.check_partner_id(ctx, known["mpn_id_unknown"]).code == "mpn_invalid"


def test_existing_tenant_comes_by_invitation(connector: Office365Connector, twins: Twins) -> None:
    ctx = context(twins)
    domain = "existingbakery.onmicrosoft.com"
    account = make_account(options={"has_tenant": "true", "domain": domain}, agreement=None)
    assert not connector.check_domain(ctx, {"domain_prefix": "existingbakery"}).ok
    link = connector.relationship_link(ctx, account)
    waiting = twins.call("GET", "/_twin/relationships")["relationships"]
    assert [row["status"] for row in waiting] == ["pending"]
    assert waiting[0]["id"] in link
    twins.call("POST", f"/_twin/relationships/{waiting[0]['id']}/accept", json={"domain": domain})
    assert [row["companyProfile"]["domain"] for row in twins.state()["customers"]] == [domain]


def test_end_customer_of_a_reseller_buys_with_addon(connector: Office365Connector, twins: Twins) -> None:
    reseller = twins.credentials()["resellers"][0]
    ctx = context(twins, partner_type="indirect")
    buyer = {"purchase_mode": "end_customer", "mpn_id": reseller["mpn_id"], "reseller_tenant_id": reseller["id"]}
    customer = connector.account_sync(ctx, make_account(**buyer)).external_id
    definition = connector.service_definition(context(twins, markets=["US"], currencies=["USD"]), MemoryProgress())
    products = {row.name: row for kind in definition.product_types for row in kind.products}
    audio = products["Microsoft 365 Audio Conferencing"]
    assert STANDARD["product_code"] in audio.parents
    line = AddOnLine(id="a-1", product_code=audio.code, name=audio.name, quantity=2)
    account = make_account(external_id=customer, **buyer)
    request = make_request(account=account, addons=(line,), created_at=ctx.clock, **STANDARD)
    buying = context(twins)
    for _ in range(5):
        result = connector.create(buying, request)
        if result.outcome is Outcome.DONE:
            break
        twins.advance("PT1M")
        buying.later(minutes=1)
    assert result.outcome is Outcome.DONE, result
    rows = {row["id"]: row for row in twins.state()["subscriptions"]}
    top = rows[result.data["addons"]["a-1"]]
    assert (top["parentSubscriptionId"], top["quantity"]) == (result.external_id, 2)
    assert {row["partnerId"] for row in rows.values()} == {reseller["mpn_id"]}
    assert twins.state()["customers"][0]["associatedPartnerId"] == reseller["id"]


def test_a_trial(connector: Office365Connector, twins: Twins) -> None:
    customer = new_customer(connector, context(twins))
    trial = order(
        connector, context(twins), twins, customer,
        product_code="CFQ7TTC0LDPB:0002", product_name="Trial", quantity=25, is_trial=True,
    )  # fmt: skip
    assert (trial.outcome, trial.data["is_trial"]) == (Outcome.DONE, True)


def test_partial_checkout_leaves_one_active(connector: Office365Connector, twins: Twins) -> None:
    customer = new_customer(connector, context(twins))
    twins.fault("checkout_cart", "partial_checkout", line=0)
    refused = order(connector, context(twins), twins, customer, **STANDARD)
    assert refused.outcome is Outcome.REFUSED
    assert twins.state()["subscriptions"] == []


def test_stale_etag_and_slow_changes(connector: Office365Connector, twins: Twins) -> None:
    customer = new_customer(connector, context(twins))
    bought = order(connector, context(twins), twins, customer, **STANDARD)
    account = make_account(external_id=customer)

    def wanted(quantity: int) -> Any:
        return make_request(account=account, external_id=bought.external_id, quantity=quantity, **STANDARD)

    twins.fault("update_subscription", "stale_etag")
    assert connector.change(context(twins), wanted(5)).outcome is Outcome.DONE
    twins.fault("update_subscription", "patch_202", seconds=30)
    ctx = context(twins)
    assert connector.change(ctx, wanted(6)).outcome is Outcome.WAITING
    twins.advance("PT31S")
    assert connector.change(ctx, wanted(6)).outcome is Outcome.DONE
    twins.fault("update_subscription", "patch_ignored", times=5)
    ctx = context(twins)
    assert connector.change(ctx, wanted(7)).outcome is Outcome.WAITING
    ctx.later(minutes=16)
    ignored = connector.change(ctx, wanted(7))
    assert (ignored.outcome, ignored.code) == (Outcome.REFUSED, "change_ignored")
    assert twins.state()["subscriptions"][0]["quantity"] == 6


def test_create_customer_without_an_answer_makes_one_tenant(connector: Office365Connector, twins: Twins) -> None:
    ctx = context(twins)
    twins.fault("create_customer", "timeout_after", seconds=0.3)
    with pytest.raises(VendorError):
        connector.account_sync(ctx, make_account())
    result = connector.account_sync(ctx, make_account())
    assert (result.outcome, result.data["password_lost"]) == (Outcome.DONE, "true")
    assert len(twins.state()["customers"]) == 1
