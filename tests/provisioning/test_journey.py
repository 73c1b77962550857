"""The main job over real HTTP against the Partner Center twin: one order ends in one subscription."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from orders.enums import DeliveryStatus, OrderStatus
from orders.models import Order
from provisioning.services import desk
from resellers.enums import PurchaseMode
from subscriptions.enums import OperationState, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from tests.drain import drain
from tests.shop import Shop, fill_basket, make_shop, place
from tests.twins import Twins
from vendors.services.instances import write_secret
from vendors.services.links import ensure_link

LOST = ["timeout_after", "reset_after", "timeout_before", "http_500_after", "reset_before"]
BUSINESS_STANDARD = "CFQ7TTC0LDPB:0001"


@pytest.fixture
def shop(twins: Twins) -> Shop:
    """A shop whose instance is connected to the twin, with consent given."""
    made = make_shop(settings=twins.instance_settings(), code=BUSINESS_STANDARD)
    write_secret(made.instance, "refresh_token", twins.credentials()["refresh_token"])
    return made


def ordered(shop: Shop, **values) -> Order:
    """An order of five seats by the direct customer."""
    actor = values.pop("actor", shop.customer_admin)
    return place(actor, fill_basket(shop, actor, **values))


def at_vendor(twins: Twins) -> list[dict]:
    """The subscriptions that exist at the vendor."""
    return twins.state()["subscriptions"]


def assert_one_active(twins: Twins, order: Order, *, quantity: int = 5) -> Subscription:
    """The order is delivered, ours is active, and exactly one subscription and one order exist at the vendor."""
    order.refresh_from_db()
    row = Subscription.objects.get(order_number=order.number)
    assert (order.status, [line.delivery_status for line in order.lines.all()]) == (
        OrderStatus.EXECUTED,
        [DeliveryStatus.DELIVERED],
    )
    assert (row.status, row.quantity) == (SubscriptionStatus.ACTIVE, quantity)
    assert row.first_activated_at is not None
    assert [(found["id"], found["quantity"]) for found in at_vendor(twins)] == [(row.external_id, quantity)]
    assert len(twins.state()["orders"]) == 1
    return row


@pytest.mark.django_db(transaction=True)
class TestJourney:
    """Each test has its own vendor and database state."""

    def test_direct_customer_gets_an_active_subscription(self, shop, twins):
        order = ordered(shop)
        assert at_vendor(twins) == []
        drain(twins)
        row = assert_one_active(twins, order)
        assert row.account == shop.customer
        assert {item.state for item in Operation.objects.all()} == {OperationState.DONE}

    def test_second_order_of_a_known_customer_creates_no_second_customer(self, shop, twins):
        ordered(shop)
        drain(twins)
        place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=2))
        drain(twins)
        assert sorted(found["quantity"] for found in at_vendor(twins)) == [2, 5]
        assert len(twins.state()["customers"]) == 1

    @pytest.mark.parametrize("mode", [PurchaseMode.END_CUSTOMER, PurchaseMode.AFFILIATE])
    def test_reseller_buys_for_a_sub_account(self, shop, twins, mode):
        mpn_id = twins.credentials()["mpn_ids"][0]
        link = ensure_link(shop.reseller, shop.instance)
        type(link).objects.filter(pk=link.pk).update(mpn_id=mpn_id)
        stamped = mpn_id if mode == PurchaseMode.END_CUSTOMER else ""  # A rebate is due for end customers only.
        target = shop.end_customer if mode == PurchaseMode.END_CUSTOMER else shop.affiliate
        order = ordered(shop, actor=shop.reseller_admin, mode=mode, target=target, mpn_id=mpn_id)
        drain(twins)
        row = assert_one_active(twins, order)
        assert (row.account, row.bill_to, row.mpn_id) == (target, shop.reseller, stamped)

    @pytest.mark.parametrize("operation", ["create_customer", "create_cart", "checkout_cart"])
    @pytest.mark.parametrize("kind", LOST)
    def test_lost_answer_ends_in_one_subscription(self, shop, twins, operation, kind):
        twins.fault(operation, kind, seconds=4)
        order = ordered(shop)
        drain(twins)
        assert_one_active(twins, order)
        assert len(twins.state()["customers"]) == 1

    def test_refusal_waits_for_staff_and_retry_delivers(self, shop, twins):
        twins.fault("checkout_cart", "error", code="800009", status=400)
        order = ordered(shop)
        drain(twins)
        refused = Operation.objects.get(verb="create", subscription__isnull=False)
        assert refused.state in (OperationState.REFUSED, OperationState.ATTENTION)
        assert at_vendor(twins) == []
        desk.retry(shop.staff, operation=refused)
        drain(twins)
        assert_one_active(twins, order)

    def test_worker_killed_in_the_middle_ends_in_one_subscription(self, shop, twins, settings):
        order = ordered(shop)
        twins.fault("checkout_cart", "timeout_after", seconds=60)
        self._work_until_killed(twins, settings)
        assert len(at_vendor(twins)) == 1
        assert Subscription.objects.get().status == SubscriptionStatus.INACTIVE
        twins.no_faults()
        time.sleep(settings.OPERATION_CLAIM_SECONDS + 0.5)
        drain(twins, patience=dt.timedelta(hours=2))
        assert_one_active(twins, order)

    def _work_until_killed(self, twins: Twins, settings) -> None:
        """A real worker process that is killed without warning while it waits for the answer to the checkout."""
        code = (
            "import django; django.setup();"
            f"from django.conf import settings; settings.EXTRA_CA_FILE = {str(twins.ca_file)!r};"
            "from core import outbox; import time\n"
            "while True:\n outbox.run_due(); time.sleep(0.1)"
        )
        database = connection.settings_dict
        address = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
        worker = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            env=os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "cloudbss.settings.test"},
            cwd=Path(__file__).resolve().parents[2],
        )
        try:
            end = time.monotonic() + 40
            while not at_vendor(twins) and time.monotonic() < end:
                assert worker.poll() is None
                time.sleep(0.1)
            assert at_vendor(twins), "the checkout was never sent"
        finally:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait(10)
