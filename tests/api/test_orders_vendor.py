"""A program's order over real HTTP against the vendor's twin; two checkouts at once; a worker that dies."""

import pytest

from billing.models import Charge
from core.audit import AuditEntry
from core.jobs import Job, JobState, run_job
from notifications.models import OutgoingMail
from orders.models import Order
from orders.services import draft_place
from resellers.enums import Edition
from subscriptions.models import Subscription
from tests.api.caller import Program, program
from tests.api.conftest import set_edition
from tests.api.ordering import ORDERS, added, answer_all, ask_nothing, begin, checkout, filled, progress, refused
from tests.attack.test_races import at_once
from tests.drain import drain
from tests.shop import Shop, make_shop
from tests.twins import Twins
from vendors.services.instances import write_secret

BUSINESS_STANDARD = "CFQ7TTC0LDPB:0001"


@pytest.fixture
def connected(twins: Twins, db: None) -> Shop:
    """A shop that is connected to the twin, with a Standard reseller."""
    made = make_shop(settings=twins.instance_settings(), code=BUSINESS_STANDARD)
    write_secret(made.instance, "refresh_token", twins.credentials()["refresh_token"])
    set_edition(made.reseller, Edition.STANDARD)
    return made


def ordered(shop: Shop, caller: Program, **answers: str) -> str:
    """A checked-out order of ten licences with every question answered."""
    order = begin(caller, shop.affiliate)
    answer_all(caller, order, added(caller, order, shop.product), **answers)
    assert checkout(caller, order).status_code == 202
    return order


@pytest.mark.django_db
def test_from_draft_to_executed(twins: Twins, connected: Shop):
    caller = program(connected, of=connected.reseller)
    order = ordered(connected, caller)
    assert (progress(caller, order)["status"], twins.state()["subscriptions"]) == ("Submitted", [])
    drain(twins)
    found = progress(caller, order)
    assert (found["status"], len(found["subscriptions"]), found["error"]) == ("Executed", 1, None)
    assert [row["quantity"] for row in twins.state()["subscriptions"]] == [10]
    caller.sign_in()
    more = begin(caller, connected.affiliate)
    body = {"relatedSubscriptionId": found["subscriptions"][0]["id"], "quantity": 3}
    assert caller.post(f"{ORDERS}/{more}/items", body).status_code == 201
    assert checkout(caller, more).status_code == 202
    drain(twins)
    assert Subscription.objects.get().quantity == 13
    assert [row["quantity"] for row in twins.state()["subscriptions"]] == [13]


@pytest.mark.django_db
def test_a_refused_check_holds_the_order(twins: Twins, connected: Shop):
    caller = program(connected, of=connected.reseller)
    first = ordered(connected, caller)
    drain(twins)
    caller.sign_in()
    order = begin(caller, connected.reseller)
    item = added(caller, order, connected.product)
    answer_all(caller, order, item)  # The same prefix, which is the first customer's by now.
    assert checkout(caller, order).status_code == 202
    drain(twins)
    found = progress(caller, order)
    assert (found["status"], found["error"]["code"]) == ("Submitted", "check_refused")
    assert "prefix" in found["error"]["message"]
    assert caller.get(f"{ORDERS}/{order}").json()["creditLimitExceeded"] is False
    assert progress(caller, first)["status"] == "Executed"
    assert Charge.objects.count() == 1
    mail = OutgoingMail.objects.filter(template="order_waiting").get()
    assert "refused" in mail.text
    assert not mail.recipient.endswith(".invalid")


@pytest.mark.django_db
def test_a_vendor_out_of_reach_is_no_obstacle(twins: Twins, connected: Shop):
    caller = program(connected, of=connected.reseller)
    order = ordered(connected, caller)
    twins.fault("*", "http_500_before", times=50)
    run_job(Job.objects.get(kind="provisioning.check_order").pk)
    twins.no_faults()
    assert AuditEntry.objects.filter(action="order.check_skipped").count() == 1
    drain(twins)
    assert progress(caller, order)["status"] == "Executed"


@pytest.mark.django_db(transaction=True)
def test_two_checkouts_at_once_are_one_order():
    shop = make_shop()
    set_edition(shop.reseller, Edition.STANDARD)
    ask_nothing(shop)
    caller = program(shop, of=shop.reseller)
    order = filled(caller, shop.end_customer, shop.product)
    found = at_once(*[lambda: checkout(caller, order)] * 3)
    assert sorted(answer.status_code for answer in found) == [202, 400, 400]
    assert {answer.json()["type"] for answer in found if answer.status_code == 400} == {"OrderIsNotDraftError"}
    assert (Charge.objects.count(), Subscription.objects.count()) == (1, 1)
    again = filled(caller, shop.end_customer, shop.product)
    same = at_once(*[lambda: checkout(caller, again, idempotency_key="k")] * 2)
    assert {answer.status_code for answer in same} <= {202, 409}
    assert checkout(caller, again, idempotency_key="k").status_code == 202
    assert Subscription.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_checkout_that_dies_leaves_no_half(monkeypatch: pytest.MonkeyPatch):
    shop = make_shop()
    set_edition(shop.reseller, Edition.STANDARD)
    ask_nothing(shop)
    caller = program(shop, of=shop.reseller)
    order = filled(caller, shop.end_customer, shop.product)

    def die(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the worker is gone")

    with monkeypatch.context() as patched:
        patched.setattr(draft_place, "submit", die)
        assert checkout(caller, order, idempotency_key="k").status_code == 500
    row = Order.objects.get()
    assert (row.status, row.number[:6], Charge.objects.count()) == ("draft", "draft-", 0)
    assert checkout(caller, order, idempotency_key="k").status_code == 202
    assert Order.objects.get().number == "ORD-000001"


@pytest.mark.django_db
def test_a_check_that_runs_twice_executes_once(twins: Twins, connected: Shop):
    caller = program(connected, of=connected.reseller)
    ordered(connected, caller)
    job = Job.objects.get(kind="provisioning.check_order")
    run_job(job.pk)
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED, claim_token=None, claimed_until=None)
    run_job(job.pk)
    assert (Subscription.objects.count(), Charge.objects.count()) == (1, 1)
    job.refresh_from_db()
    assert job.result == {"state": "over"}
    assert refused(caller, str(Order.objects.get().public_id)) == "order_is_not_draft"
