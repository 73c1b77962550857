"""The pages of the Professional edition, at the distributor and in the reseller's own BSS."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import PlanCost
from resellers.models import Account
from tenants.models import CatalogueUpdate, ManagedAccount, ProfessionalTenant
from tests import factories
from tests.bss.staff import BACKEND
from tests.drain import drain
from tests.tenants.professional import Professional, form_values, make, make_live
from tests.tenants.test_transfer import running
from users.models import User

pytestmark = pytest.mark.django_db


def browser(host: str, user: User) -> Client:
    client = Client(headers={"host": host})
    client.force_login(user, BACKEND)
    return client


@pytest.fixture
def ours(shop) -> Client:
    """An Administrator of the distributor."""
    return browser(shop.site.host, factories.user(shop.organization))


def theirs(pro: Professional) -> Client:
    """The reseller's first administrator, on his own host."""
    return browser(pro.tenant.host, User.objects.get(pk=pro.staff.user_id))


def text(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()


def post(client: Client, page: str, *args: object, **data: object) -> str:
    answer = client.post(reverse(page, args=args), data)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def test_from_the_account_page_to_live(shop, ours):
    running(shop, shop.end_customer)
    assert "Make Professional" in text(ours, "bss:account_detail", shop.reseller.public_id)
    assert "Delta" not in text(ours, "bss:account_professional", shop.reseller.public_id)
    values = form_values(shop)
    values["price_list"] = str(values["price_list"].public_id)
    del values["separate_invoices"]
    page = post(ours, "bss:account_professional", shop.reseller.public_id, **values)
    tenant = ProfessionalTenant.objects.get()
    assert page == reverse("bss:professional_detail", args=[tenant.public_id])
    assert "In Progress" in text(ours, "bss:professional_detail", tenant.public_id)
    drain()
    body = text(ours, "bss:professional_detail", tenant.public_id)
    assert reverse("bss:professional_accounts", args=[tenant.public_id]) in body
    assert shop.end_customer.name in text(ours, "bss:professional_accounts", tenant.public_id)
    for step in ("accounts", "subscriptions"):
        job = post(ours, f"bss:professional_move_{step}", tenant.public_id)
        drain()
        assert "Done" in ours.get(job).content.decode()
    assert shop.end_customer.name in text(ours, "bss:professional_customers", tenant.public_id)
    assert shop.product.name in text(ours, "bss:professional_services", tenant.public_id)
    assert "Nothing is left" in text(ours, "bss:professional_subscriptions", tenant.public_id)
    post(ours, "bss:professional_go_live", tenant.public_id)
    tenant.refresh_from_db()
    assert tenant.live_at is not None
    assert "Professional" in text(ours, "bss:account_detail", shop.reseller.public_id)


def test_a_wrong_host_stands_at_its_field(shop, ours):
    values = form_values(shop, host="nothing")
    values["price_list"] = str(values["price_list"].public_id)
    answer = ours.post(reverse("bss:account_professional", args=[shop.reseller.public_id]), values)
    assert answer.status_code == 400
    assert "Type a host name" in answer.content.decode()
    assert not ProfessionalTenant.objects.exists()


def test_chosen_rows_are_transferred_at_once(shop, ours):
    pro = make(shop)
    address = reverse("bss:professional_accounts", args=[pro.tenant.public_id])
    ours.post(address, {"action": "move", "row": [str(shop.affiliate.public_id)]})
    assert [row.managed for row in ManagedAccount.objects.all()] == [shop.affiliate]


def test_what_stands_in_the_way_is_said(shop, ours):
    running(shop, shop.end_customer, sync_status="failed")
    pro = make(shop)
    post(ours, "bss:professional_move_accounts", pro.tenant.public_id)
    drain()
    body = text(ours, "bss:professional_subscriptions", pro.tenant.public_id)
    assert "the last one did not reach the vendor" in body
    body = text(ours, "bss:professional_go_live", pro.tenant.public_id)
    assert "stay with us" in body


def test_hold_options_and_deletion(shop, ours):
    pro = make_live(shop)
    one = pro.tenant.public_id
    post(ours, "bss:professional_options", one, licence="premium", separate_invoices="on", back_ordering="")
    post(ours, "bss:professional_suspend", one, reason="has not paid")
    pro.tenant.refresh_from_db()
    assert (pro.tenant.separate_invoices, pro.tenant.back_ordering, pro.tenant.status) == (True, False, "suspended")
    post(ours, "bss:professional_activate", one)
    post(ours, "bss:professional_delete", one, reason="has left us")
    pro.tenant.refresh_from_db()
    assert pro.tenant.status == "deleted"


def test_a_managed_copy_says_who_manages_it(shop, ours):
    make_live(shop)
    body = text(ours, "bss:account_detail", shop.end_customer.public_id)
    assert f"Managed by {shop.reseller.name}" in body


def test_the_reseller_updates_his_catalogue(shop, ours):
    pro = make(shop)
    client = theirs(pro)
    assert "Catalogue update" in text(client, "bss:dashboard")
    assert "No updates yet" in text(client, "bss:update_list")
    PlanCost.objects.filter(plan=shop.plan).update(cost=11)
    job = post(client, "bss:update_start", mode="full")
    drain()
    row = CatalogueUpdate.objects.get()
    assert reverse("bss:update_detail", args=[row.public_id]) in client.get(job).content.decode()
    assert "13.20" in text(client, "bss:update_detail", row.public_id)
    assert PlanCost.objects.get(organization=pro.own).cost == 12
    post(client, "bss:update_apply", row.public_id)
    drain()
    assert PlanCost.objects.get(organization=pro.own).cost == Decimal("13.2")
    post(client, "bss:update_nightly", nightly="on")
    pro.tenant.refresh_from_db()
    assert pro.tenant.nightly_update
    foreign = ours.get(reverse("bss:update_detail", args=[row.public_id]))
    started = ours.post(reverse("bss:update_start"), {"mode": "full"})
    assert (foreign.status_code, started.status_code) == (404, 404)
    assert "New update" not in text(ours, "bss:update_list")
    assert "Catalogue update" not in text(ours, "bss:dashboard")


def test_his_bss_shows_his_own_rows_alone(shop):
    pro = make_live(shop)
    client = theirs(pro)
    assert "Professional resellers" not in text(client, "bss:dashboard")
    own = set(Account.objects.filter(organization=pro.own).values_list("public_id", flat=True))
    body = text(client, "bss:account_list")
    assert all(str(key) in body for key in own)
    assert shop.customer.name not in body
    for name in ("bss:professional_detail", "bss:professional_accounts", "bss:professional_go_live"):
        assert client.get(reverse(name, args=[pro.tenant.public_id])).status_code == 404
    assert client.get(reverse("bss:account_detail", args=[shop.end_customer.public_id])).status_code == 404
    assert client.get(reverse("bss:product_list")).status_code == 200


def test_our_staff_do_not_reach_his_rows(shop, ours):
    pro = make_live(shop)
    copy = Account.objects.filter(organization=pro.own).first()
    assert copy is not None
    assert ours.get(reverse("bss:account_detail", args=[copy.public_id])).status_code == 404
    ours_there = browser(pro.tenant.host, factories.user(shop.organization))
    assert ours_there.get(reverse("bss:account_list")).status_code in (302, 403)


def test_sales_neither_sees_nor_makes(shop):
    client = browser(shop.site.host, factories.user(shop.organization, roles=["sales"]))
    pro = make(shop)
    for name in ("bss:professional_detail", "bss:professional_accounts", "bss:professional_move_accounts"):
        assert client.get(reverse(name, args=[pro.tenant.public_id])).status_code == 403
    assert client.post(reverse("bss:professional_move_accounts", args=[pro.tenant.public_id])).status_code == 403
    assert "Make Professional" not in text(client, "bss:account_detail", shop.reseller.public_id)


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_ask_as_much_for_many_rows(shop, ours, rows, django_assert_max_num_queries):
    pro = make(shop)
    for _number in range(rows):
        factories.account(shop.organization, "end_customer", bill_to=shop.reseller)
    with django_assert_max_num_queries(16):
        text(ours, "bss:professional_accounts", pro.tenant.public_id)
