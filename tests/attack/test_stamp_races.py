"""A new MPN ID while other things happen: one run, and an order carries the ID that was in force when it was taken."""

import pytest

from core.errors import BusinessError
from core.jobs import Job, JobState
from orders.models import Order
from provisioning.services import kinds, stamps
from provisioning.services.stamps import CHECK
from resellers.enums import AccountKind, PurchaseMode
from subscriptions.models import StampRun, Subscription
from tests import factories
from tests.attack.test_races import at_once
from tests.shop import Shop, fill_basket, make_shop, place
from vendors.models import AccountLink
from vendors.services.links import ensure_link, set_mpn_id

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "4100001", "4100002"


@pytest.fixture
def shop() -> Shop:
    made = make_shop(settings={"partner_type": "indirect"})
    set_mpn_id(made.staff, account=made.reseller, instance=made.instance, mpn_id=OLD)
    for account, actor, mode in ((made.end_customer, made.reseller_admin, PurchaseMode.END_CUSTOMER),):
        place(actor, fill_basket(made, actor, mode=mode, target=account))
    Subscription.objects.update(
        status="active", sync_status="synchronized", external_id="vendor-1", first_activated_at="2026-01-01T00:00:00Z"
    )
    Order.objects.get().lines.update(delivery_status="delivered")
    Subscription.objects.get().operations.update(state="done")
    return made


def checked(shop: Shop, number: str = NEW) -> Job:
    """A check that found the ID good."""
    job = stamps.start_partner_check(shop.reseller_admin, account=shop.reseller, instance=shop.instance, mpn_id=number)
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE, result={"ok": True, "tenant_id": ""})
    job.refresh_from_db()
    assert job.kind == CHECK
    return job


def test_two_runs_at_once_are_one(shop):
    jobs = [checked(shop), checked(shop, "4100004")]
    found = at_once(
        *[lambda job=job: stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=job) for job in jobs]
    )
    refused = [item for item in found if isinstance(item, BusinessError)]
    assert [error.code for error in refused] == ["stamp_running"]
    run = StampRun.objects.get()
    assert AccountLink.objects.get(account=shop.reseller).mpn_id == run.mpn_id


def test_order_beside_a_run_has_the_new_id_or_is_in_the_list(shop):
    basket = fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer)
    job = checked(shop)
    at_once(
        lambda: place(shop.reseller_admin, basket),
        lambda: stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=job),
    )
    made = Subscription.objects.latest("pk")
    listed = StampRun.objects.get().rows.filter(subscription=made).exists()
    assert (made.mpn_id == NEW) is not listed


def test_order_beside_a_change_of_relationship(shop):
    link = ensure_link(shop.end_customer, shop.instance)
    type(link).objects.filter(pk=link.pk).update(state="synchronized", external_id="tenant-1")
    basket = fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer)
    found = at_once(
        lambda: place(shop.reseller_admin, basket),
        lambda: kinds.change_relationship(shop.staff, account=shop.end_customer, kind=AccountKind.AFFILIATE),
    )
    refused = [item.code for item in found if isinstance(item, BusinessError)]
    assert refused in (["relationship_changing"], ["orders_open"])


def test_others_see_neither_check_nor_run(shop):
    job = checked(shop)
    foreign = factories.account(shop.organization, AccountKind.RESELLER)
    stranger = factories.actor(shop.organization, of=foreign)
    with pytest.raises(BusinessError):
        stamps.start_restamp(stranger, account=shop.reseller, check=job)
    with pytest.raises(BusinessError):
        stamps.checked(stranger, job.public_id, account=foreign)
    run = stamps.start_restamp(shop.reseller_admin, account=shop.reseller, check=job)
    assert run is not None
    with pytest.raises(BusinessError):
        stamps.cancel_run(stranger, run=run)
    assert StampRun.objects.get().state == "running"
