"""Reseller plans as products: from the order to the live site, to Standard, to the end of the plan."""

import datetime as dt

import pytest
from django.urls import reverse

from billing.models import Charge
from core import clock
from core.errors import BusinessError, Conflict
from orders.enums import OrderStatus
from orders.models import Order
from orders.services.basket import add_line, open_staff_basket
from orders.services.execute import execute_by_staff
from orders.services.giveback import cancel
from orders.services.place import cancel_order
from orders.services.plan_order import order_plan
from provisioning.services.plans import age_sites
from provisioning.services.renewals import run_clock
from resellers.enums import AccountKind, Edition, SiteStatus
from resellers.models import Account, Site, StorefrontAlias
from resellers.services.accounts import billing_address
from subscriptions.enums import Execution, SubscriptionStatus
from subscriptions.models import Subscription
from tests import factories
from tests.bss.staff import customer_client, said, staff_client
from tests.drain import drain
from tests.resellers.plans import fill_plan, make_plan_shop, order_plan_of
from tests.shop import place

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made_shop(module_rows: None):
    return make_plan_shop()


def state(shop):
    shop.reseller.refresh_from_db()
    site = Site.objects.exclude(status=SiteStatus.DELETED).filter(account=shop.reseller).first()
    return shop.reseller.edition, site.status if site else ""


def live(shop) -> Subscription:
    return Subscription.objects.exclude(status=SubscriptionStatus.CANCELLED).get(account=shop.reseller)


def test_plan_order_opens_the_site(shop):
    order = order_plan_of(shop)
    drain()
    order.refresh_from_db()
    assert order.status == OrderStatus.EXECUTED
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)
    row = live(shop)
    assert (row.status, row.first_activated_at is not None) == (SubscriptionStatus.ACTIVE, True)
    assert Charge.objects.get().net == 49
    assert Site.objects.get(account=shop.reseller).plan_id == row.public_id


def test_taken_alias_is_refused_when_placing_and_nothing_happens(shop):
    order_plan_of(shop)
    other = shop.another_reseller()
    actor = factories.actor(shop.organization, of=other)
    with pytest.raises(BusinessError) as refused:
        order_plan_of(shop, actor=actor)
    assert refused.value.code == "alias_taken"
    drain()
    other.refresh_from_db()
    assert (other.edition, Order.objects.filter(account=other).count()) == (Edition.BASIC, 0)
    assert order_plan_of(shop, actor=actor, alias="free-one").status == OrderStatus.EXECUTED
    drain()
    other.refresh_from_db()
    assert other.edition == Edition.STANDARD
    assert Site.objects.filter(account__isnull=False).count() == 2


def test_order_without_alias_is_not_placed(shop):
    with pytest.raises(BusinessError) as refused:
        order_plan_of(shop, alias="")
    assert refused.value.code == "alias_required"
    assert Order.objects.count() == 0


def test_cancelled_order_frees_the_alias(shop):
    Account.objects.filter(pk=shop.reseller.pk).update(credit_limit=0)
    order = order_plan_of(shop)
    assert (order.status, order.hold_reason) == (OrderStatus.SUBMITTED, "no_credit")
    assert StorefrontAlias.objects.get().state == "held"
    other = shop.another_reseller()
    actor = factories.actor(shop.organization, of=other)
    with pytest.raises(BusinessError):
        order_plan_of(shop, actor=actor)
    cancel_order(shop.admin, order=order)
    assert StorefrontAlias.objects.count() == 0
    order_plan_of(shop, actor=actor)


def test_lost_alias_stops_the_execution_and_the_order_stays(shop):
    Account.objects.filter(pk=shop.reseller.pk).update(credit_limit=0)
    order = order_plan_of(shop)
    other = shop.another_reseller()
    StorefrontAlias.objects.update(account=other, holder=order.idempotency_key)
    Account.objects.update(credit_limit=1000)
    with pytest.raises(BusinessError) as refused:
        execute_by_staff(factories.actor(shop.organization), order=order)
    assert refused.value.code == "alias_taken"
    order.refresh_from_db()
    assert (order.status, Subscription.objects.count()) == (OrderStatus.SUBMITTED, 0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": AccountKind.DIRECT, "edition": ""}, "reselling"),
        ({"edition": Edition.PROFESSIONAL}, "Professional"),
    ],
)
def test_account_that_cannot_take_a_plan(shop, change, word):
    basket = fill_plan(shop)
    Account.objects.filter(pk=shop.reseller.pk).update(**change)
    basket.refresh_from_db()
    with pytest.raises(Conflict, match=word) as refused:
        place(shop.admin, basket)
    assert refused.value.code == "plan_not_possible"


def test_free_then_standard_keeps_site_and_ends_free_at_once(shop):
    order_plan_of(shop, "free")
    drain()
    assert state(shop) == (Edition.FREE, SiteStatus.LIVE)
    Site.objects.filter(account=shop.reseller).update(tagline="Ours")
    first = live(shop)
    order_plan_of(shop, "standard", alias="")
    drain()
    first.refresh_from_db()
    assert first.status == SubscriptionStatus.CANCELLED
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)
    site = Site.objects.get(account=shop.reseller)
    assert (site.tagline, site.alias, site.plan_id) == ("Ours", "cedar", live(shop).public_id)


def test_same_or_smaller_plan_is_refused(shop):
    order_plan_of(shop)
    drain()
    for code, refusal in (("standard", "plan_running"), ("free", "plan_lower")):
        shop.admin = factories.actor(shop.organization, of=shop.reseller)
        with pytest.raises(Conflict) as refused:
            order_plan_of(shop, code, alias="")
        assert refused.value.code == refusal


def test_replaced_plan_that_was_busy_is_ended_by_the_clock(shop):
    order_plan_of(shop, "free")
    drain()
    first = live(shop)
    Subscription.objects.filter(pk=first.pk).update(sync_status="in_progress")
    order_plan_of(shop, "standard", alias="")
    drain()
    first.refresh_from_db()
    assert first.status == SubscriptionStatus.ACTIVE
    Subscription.objects.filter(pk=first.pk).update(sync_status="synchronized")
    age_sites()
    drain()
    first.refresh_from_db()
    assert first.status == SubscriptionStatus.CANCELLED
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)


def test_cancelled_plan_closes_the_site_and_customers_services_run_on(shop):
    customer = factories.account(shop.organization, AccountKind.END_CUSTOMER, bill_to=shop.reseller)
    order_plan_of(shop)
    drain()
    other = Subscription.objects.get()
    values = {field.attname: getattr(other, field.attname) for field in Subscription._meta.concrete_fields}
    for name in ("id", "public_id"):
        values.pop(name)
    values |= {"account_id": customer.pk, "bill_to_id": shop.reseller.pk, "external_id": "theirs"}
    theirs = Subscription.objects.create(**values)
    cancel(shop.admin, subscription=other, execution=Execution.NOW)
    drain()
    assert state(shop) == (Edition.BASIC, SiteStatus.CLOSED)
    theirs.refresh_from_db()
    assert (theirs.status, theirs.bill_to_id) == (SubscriptionStatus.ACTIVE, shop.reseller.pk)


def test_new_plan_within_90_days_asks_no_alias_and_later_asks_again(shop):
    order_plan_of(shop)
    drain()
    cancel(shop.admin, subscription=live(shop), execution=Execution.NOW)
    drain()
    clock.advance(dt.timedelta(days=60))
    order_plan_of(shop, alias="")
    drain()
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)
    assert Site.objects.get(account=shop.reseller).alias == "cedar"
    cancel(shop.admin, subscription=live(shop), execution=Execution.NOW)
    drain()
    clock.advance(dt.timedelta(days=91))
    assert age_sites() == 1
    with pytest.raises(BusinessError) as refused:
        order_plan_of(shop, alias="")
    assert refused.value.code == "alias_required"
    order_plan_of(shop, alias="cedar-again")
    drain()
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)


def test_standard_falls_to_free_at_the_end_of_its_period_without_closing(shop):
    order_plan_of(shop)
    drain()
    first = live(shop)
    client = customer_client(shop.organization, shop.reseller)
    page = reverse("storefront:plan_switch", args=[shop.plan("free").public_id])
    assert "no longer order" in client.get(page).content.decode()
    assert client.post(page, {}).status_code == 400
    assert client.post(page, {"terms": "on"}).status_code == 302
    drain()
    first.refresh_from_db()
    waiting = Subscription.objects.exclude(pk=first.pk).get()
    assert (first.status, waiting.status) == (SubscriptionStatus.PENDING_CANCEL, SubscriptionStatus.INACTIVE)
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)
    clock.advance(dt.timedelta(days=32))
    run_clock()
    drain()
    assert state(shop) == (Edition.FREE, SiteStatus.LIVE)
    clock.advance(dt.timedelta(hours=7))
    drain()
    waiting.refresh_from_db()
    first.refresh_from_db()
    assert (first.status, waiting.status) == (SubscriptionStatus.CANCELLED, SubscriptionStatus.ACTIVE)
    site = Site.objects.get(account=shop.reseller)
    assert (site.plan_id, site.next_plan_id, site.alias) == (waiting.public_id, None, "cedar")
    assert site.plan_ends_at > clock.now()


def test_plan_renews_by_itself_and_ends_without_automatic_renewal(shop):
    order_plan_of(shop)
    drain()
    row = live(shop)
    for _month in range(2):
        clock.advance(dt.timedelta(days=32))
        run_clock()
        drain()
    row.refresh_from_db()
    assert row.term_ends_at > clock.now()
    assert Charge.objects.filter(account=shop.reseller, net=49).count() == 3
    cancel(shop.admin, subscription=row, execution=Execution.PERIOD_END)
    drain()
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)
    clock.advance(dt.timedelta(days=32))
    run_clock()
    drain()
    assert state(shop) == (Edition.BASIC, SiteStatus.CLOSED)


def test_sales_upgrades_from_the_account_page_in_one_form(shop):
    client = staff_client(shop.organization, "sales")
    page = reverse("bss:account_upgrade", args=[shop.reseller.public_id])
    assert (
        "Upgrade reseller" in client.get(reverse("bss:account_detail", args=[shop.reseller.public_id])).content.decode()
    )
    assert client.get(page).status_code == 200
    refused = client.post(page, {"plan": shop.plan("standard").public_id, "alias": "api"})
    assert refused.status_code == 400
    assert "reserved" in refused.content.decode()
    done = client.post(page, {"plan": shop.plan("standard").public_id, "alias": "Cedar"}, follow=True)
    assert "is being executed" in " ".join(said(done))
    drain()
    assert state(shop) == (Edition.STANDARD, SiteStatus.LIVE)


def test_upgrade_does_not_order_what_else_lies_in_the_basket(shop):
    staff = factories.actor(shop.organization)
    basket = open_staff_basket(staff, account=shop.reseller)
    add_line(staff, basket=basket, site=basket.site, plan=shop.plan("free"), quantity=1)
    with pytest.raises(Conflict) as refused:
        order_plan(staff, account=shop.reseller, plan=shop.plan("standard"), alias="cedar")
    assert refused.value.code == "order_begun"


def test_page_of_plans_is_for_resellers_and_leads_to_the_checkout(shop):
    page = reverse("storefront:plan_list")
    customer = factories.account(shop.organization)
    assert customer_client(shop.organization, customer).get(page).status_code == 404
    client = customer_client(shop.organization, shop.reseller)
    text = client.get(page).content.decode()
    assert "Standard storefront" in text
    chosen = client.post(reverse("storefront:plan_choose"), {"plan": shop.plan("standard").public_id})
    assert chosen["Location"] == reverse("storefront:checkout_billing")
    client.post(chosen["Location"], {**_address(shop)})
    details = client.get(reverse("storefront:checkout_details")).content.decode()
    assert "Storefront alias" in details


def test_plans_are_on_no_shelf(shop):
    client = customer_client(shop.organization, shop.reseller)
    product = shop.plan("standard").product
    assert "Standard storefront" not in client.get(reverse("storefront:product_list")).content.decode()
    assert client.get(reverse("storefront:product_detail", args=[product.public_id])).status_code == 404


def _address(shop):
    return billing_address(shop.reseller)
