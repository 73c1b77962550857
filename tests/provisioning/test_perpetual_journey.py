"""Perpetual licences from the basket to the Perpetual ID, the keys and back, against the twin (``esd.md`` 11, 13)."""

import datetime as dt

import pytest

from billing.models import Charge
from core.errors import BusinessError
from notifications.models import OutgoingMail
from orders.services.asset_return import accept_return, return_asset
from provisioning.services import desk
from provisioning.services.assets import refresh_due
from subscriptions.enums import OperationState, Verb
from subscriptions.models import Asset, Operation
from subscriptions.services.returns import submit_return
from tests.drain import drain
from tests.provisioning.life import assert_all_holds, move
from tests.provisioning.perpetual import asset_of, bought, fresh, order, orders_there, perpetual_shop

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def shop(twins):
    """A connected shop; at the end of each test nothing is lost and nothing doubled."""
    yield perpetual_shop(twins)
    assert_all_holds(twins)


def test_a_line_of_three_is_one_asset_one_order_and_one_charge(shop, twins):
    placed = order(shop, quantity=3)
    assert [line.quantity for line in placed.lines.all()] == [3]
    drain(twins)
    row = asset_of(placed)
    assert (row.status, row.sync_status, row.token_status, row.return_status) == ("active", "synchronized", "", "none")
    assert (row.quantity, row.is_perpetual, row.token_cipher) == (3, True, "")
    there = orders_there(twins)
    assert [(found["id"], found["status"], found["quantity"]) for found in there] == [
        (row.vendor_order_id, "completed", 3)
    ]
    assert (row.vendor_order_line, row.vendor_order_alias) == ("0", there[0]["alternateId"])
    assert row.external_id == f"{row.vendor_order_id}:0"
    assert row.returnable_until == row.purchased_at + 30 * DAY
    charges = Charge.objects.filter(order_number=placed.number, state="due")
    assert [charge.gross for charge in charges] == [placed.gross]


def test_check_20_the_perpetual_id_comes_later_and_touches_nothing_else(shop, twins):
    row = bought(shop, twins)
    assert row.perpetual_id == ""
    before = (row.status, row.sync_status, row.activated_at, row.returnable_until)
    mail = OutgoingMail.objects.get(asset=row)
    assert "not yet assigned by Microsoft" in mail.text and row.vendor_order_id in mail.text
    assert row.refresh_at == row.activated_at + 5 * MINUTE
    move(twins, row.refresh_at - row.activated_at)
    assert refresh_due() == 1
    row = fresh(row)
    assert (row.perpetual_id, row.refresh_at) == ("", row.activated_at + 15 * MINUTE)
    move(twins, 10 * MINUTE)
    assert refresh_due() == 1
    row = fresh(row)
    assert row.perpetual_id == orders_there(twins)[0]["lineItems"][0]["subscriptionId"]
    assert row.refresh_at is None
    assert (row.status, row.sync_status, row.activated_at, row.returnable_until) == before


def test_a_perpetual_id_is_never_replaced_by_another(shop, twins):
    row = bought(shop, twins)
    Asset.objects.filter(pk=row.pk).update(perpetual_id="11111111-1111-4111-8111-111111111111", refresh_at=None)
    move(twins, 20 * MINUTE)
    Asset.objects.filter(pk=row.pk).update(refresh_at=row.activated_at)
    assert refresh_due() == 1
    found = fresh(row)
    assert found.perpetual_id == "11111111-1111-4111-8111-111111111111"
    assert "names another Perpetual ID" in found.warning
    theirs = orders_there(twins)[0]["lineItems"][0]["subscriptionId"]
    Asset.objects.filter(pk=row.pk).update(perpetual_id=theirs, warning="")


def test_check_21_a_part_is_refused_and_the_whole_is_credited(shop, twins):
    row = bought(shop, twins)
    with pytest.raises(BusinessError, match="can only be returned as a whole"):
        submit_return(shop.customer_admin, asset=row, quantity=1)
    request = submit_return(shop.customer_admin, asset=row, comment="Not needed")
    accept_return(shop.staff, request=request)
    drain(twins)
    row = fresh(row)
    request.refresh_from_db()
    assert (row.status, row.return_status, row.token_status, request.status) == (
        "cancelled",
        "successful",
        "",
        "completed",
    )
    amounts = [charge.gross for charge in Charge.objects.filter(asset=row).order_by("pk")]
    assert len(amounts) == 2 and sum(amounts) == 0
    assert [(found["status"], found["lineItems"][0]["quantity"]) for found in orders_there(twins)] == [("cancelled", 0)]


def test_check_21_without_is_returnable_and_after_the_window_nothing_goes_back(shop, twins):
    row = bought(shop, twins)
    Asset.objects.filter(pk=row.pk).update(is_returnable=False)
    with pytest.raises(BusinessError, match="does not take this licence back"):
        return_asset(shop.staff, asset=fresh(row), comment="")
    Asset.objects.filter(pk=row.pk).update(is_returnable=True)
    move(twins, 31 * DAY)
    with pytest.raises(BusinessError, match="The return period ended on"):
        return_asset(shop.staff, asset=fresh(row), comment="")


def test_microsoft_refuses_a_late_return_and_nothing_is_credited(shop, twins):
    row = bought(shop, twins)
    twins.advance("P31D")
    request = return_asset(shop.staff, asset=row, comment="")
    drain(twins)
    row = fresh(row)
    request.refresh_from_db()
    assert (row.status, row.sync_status, row.return_status) == ("active", "synchronized", "none")
    assert (request.status, request.reason) == ("rejected", "The return period is over.")
    assert Charge.objects.filter(asset=row, kind="credit").count() == 0


def test_check_22_a_failed_asset_makes_one_new_order_and_links_it(shop, twins):
    twins.fault("checkout_cart", "partial_checkout", line=0)
    placed = order(shop)
    drain(twins)
    row = asset_of(placed)
    assert (row.status, row.sync_status, orders_there(twins)) == ("pending", "failed", [])
    refused = Operation.objects.get(asset=row)
    assert refused.state == OperationState.REFUSED
    twins.no_faults()
    desk.retry(shop.staff, operation=refused)
    drain(twins)
    row = fresh(row)
    assert (row.status, row.sync_status) == ("active", "synchronized")
    assert [found["id"] for found in orders_there(twins)] == [row.vendor_order_id]
    assert Operation.objects.filter(asset=row, verb=Verb.ASSET_CREATE).count() == 2


def test_a_checkout_without_an_answer_is_looked_up_first(shop, twins):
    twins.fault("checkout_cart", "timeout_after")
    placed = order(shop)
    drain(twins, patience=dt.timedelta(hours=3))
    row = asset_of(placed)
    assert (row.status, [found["id"] for found in orders_there(twins)]) == ("active", [row.vendor_order_id])


def test_check_23_the_price_never_rises_above_what_was_shown(shop, twins):
    placed = order(shop)
    shown = placed.gross
    shop.plan.costs.update(cost="9999.00")
    drain(twins)
    row = asset_of(placed)
    assert Charge.objects.get(asset=row).gross == shown
