"""The accounts room: list, one account, and what can be changed about it."""

from decimal import Decimal

import pytest
from django.urls import reverse

from core.audit import AuditEntry
from resellers.enums import AccountKind, AccountStatus, Edition
from resellers.models import Account
from subscriptions.models import Operation
from tests import factories
from tests.bss.staff import actions_of, count_queries, customer_client, rows_of, said, staff_client
from tests.shop import Shop, fill_basket, make_shop, place
from users.permissions import StaffRole
from vendors.models import AccountLink, LinkState
from vendors.services.links import ensure_link, save_options, synchronize_link

pytestmark = pytest.mark.django_db
LIST, NEW = reverse("bss:account_list"), reverse("bss:account_create")


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    return make_shop(customer=Decimal(100))


def page(name: str, row: Account) -> str:
    return reverse(f"bss:account_{name}", args=[row.public_id])


def company(**values: str) -> dict[str, str]:
    return {"kind": "direct", "name": "Elm Bakery", "currency": "EUR", "country": "DE"} | values


def fresh(row: Account) -> Account:
    return Account.objects.get(pk=row.pk)


def test_list_filters_searches_and_shows_available_credit(shop):
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    client = staff_client(shop.organization)
    rows = {row.pk: row for row in rows_of(client.get(LIST))}
    assert set(rows) == {shop.customer.pk, shop.reseller.pk, shop.end_customer.pk, shop.affiliate.pk}
    assert rows[shop.customer.pk].available_credit == Decimal(40)
    assert rows[shop.end_customer.pk].available_credit is None
    assert rows_of(client.get(LIST, {"kind": "reseller"})) == [shop.reseller]
    assert rows_of(client.get(LIST, {"edition": "basic"})) == [shop.reseller]
    assert rows_of(client.get(LIST, {"status": "closed"})) == []
    assert set(rows_of(client.get(LIST, {"bill_to": shop.reseller.name}))) == {shop.end_customer, shop.affiliate}
    assert rows_of(client.get(LIST, {"q": shop.customer.email})) == [shop.customer]


def test_list_needs_as_many_queries_for_three_rows():
    organization = factories.organization()
    client = staff_client(organization)
    reseller = factories.account(organization, AccountKind.RESELLER)
    few = count_queries(client, LIST)
    factories.account(organization, AccountKind.END_CUSTOMER, bill_to=reseller)
    factories.account(organization)
    assert count_queries(client, LIST) == few


def test_room_is_for_employees_of_the_organization(shop):
    assert customer_client(shop.organization, shop.customer).get(LIST).status_code == 403
    assert staff_client(shop.organization, StaffRole.READ_ONLY).get(page("detail", shop.customer)).status_code == 200
    stranger = staff_client(factories.organization())
    names = ("detail", "edit", "credit", "price_list", "reselling", "hold", "release", "close", "reopen")
    assert [stranger.get(page(name, shop.customer)).status_code for name in names] == [404] * len(names)
    assert stranger.post(page("close", shop.customer), {"reason": "because I can"}).status_code == 404
    assert fresh(shop.customer).status == AccountStatus.ACTIVE


def test_pages_by_role(shop):
    allowed = {
        StaffRole.SALES: {"edit", "price_list", "reselling"},
        StaffRole.BILLING: {"credit", "hold", "release"},
        StaffRole.READ_ONLY: set(),
    }
    for role, names in allowed.items():
        client = staff_client(shop.organization, role)
        every = ("edit", "price_list", "reselling", "credit", "hold", "release", "close", "reopen")
        got = {name for name in every if client.get(page(name, shop.customer)).status_code == 200}
        assert got == names


def test_detail_shows_everything_that_hangs_on_it(shop):
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    response = staff_client(shop.organization).get(page("detail", shop.customer))
    context = response.context
    assert (context["credit"].balance, context["credit"].available) == (Decimal(60), Decimal(40))
    assert [row for row, _waits in context["orders"]] == [order]
    assert [row.order_number for row in context["subscriptions"]] == [order.number]
    assert len(context["memberships"]) == len(context["contacts"]) == 1
    assert [(instance, link.options["username"]) for instance, link in context["links"]] == [(shop.instance, "admin")]
    assert context["price_list"] == context["assigned_list"]
    every = (
        "Order for this account",
        "View as customer",
        "Edit",
        "Enable reselling",
        "Change kind",
        "Put on hold",
        "Close",
    )
    assert actions_of(response) == dict.fromkeys(every, "")
    reseller = staff_client(shop.organization).get(page("detail", shop.reseller))
    assert set(reseller.context["sub_accounts"]) == {shop.end_customer, shop.affiliate}


def test_detail_needs_as_many_queries_for_more_of_everything(shop):
    client = staff_client(shop.organization)
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=1))
    few = count_queries(client, page("detail", shop.customer))
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=1))
    factories.user(shop.organization, of=shop.customer)
    assert count_queries(client, page("detail", shop.customer)) == few


def test_create_makes_one_account(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    response = client.post(NEW, company())
    made = Account.objects.get(name="Elm Bakery")
    assert response["Location"] == page("detail", made)
    assert (made.kind, made.currency, made.country, made.credit_limit) == (AccountKind.DIRECT, "EUR", "DE", 0)


def test_create_sub_account_names_its_reseller(shop):
    client = staff_client(shop.organization)
    refused = client.post(NEW, company(kind="end_customer"))
    assert refused.status_code == 400
    assert refused.context["form"].errors["bill_to"] == ["Choose a reseller."]
    assert not Account.objects.filter(name="Elm Bakery").exists()
    client.post(NEW, company(kind="end_customer", bill_to=str(shop.reseller.public_id)))
    assert Account.objects.get(name="Elm Bakery").bill_to == shop.reseller
    assert staff_client(shop.organization, StaffRole.BILLING).get(NEW).status_code == 403


def test_edit_keeps_what_is_not_in_the_form(shop):
    client = staff_client(shop.organization)
    values = client.get(page("edit", shop.customer)).context["form"].initial
    client.post(page("edit", shop.customer), {**values, "name": "Oak Bakery"})
    row = fresh(shop.customer)
    assert (row.name, row.email, row.credit_limit) == ("Oak Bakery", shop.customer.email, Decimal(100))
    assert client.post(page("edit", shop.customer), {**values, "name": ""}).status_code == 400


def test_credit_changes_by_billing(shop):
    client = staff_client(shop.organization, StaffRole.BILLING)
    values = {"credit_limit": "250.50", "payment_method": "invoice", "payment_days": "14", "billing_day": "3"}
    refused = client.post(page("credit", shop.customer), values)
    assert refused.context["form"].errors["tax_exempt_reason"] == ["Say why this account is exempt."]
    assert fresh(shop.customer).credit_limit == Decimal(100)
    assert client.post(page("credit", shop.customer), values | {"is_taxable": "on"}).status_code == 302
    row = fresh(shop.customer)
    assert (row.credit_limit, row.payment_days, row.billing_day) == (Decimal("250.5"), 14, 3)
    sub = client.post(page("credit", shop.end_customer), values | {"is_taxable": "on"})
    assert sub.status_code == 400
    assert fresh(shop.end_customer).credit_limit == 0


def test_price_list_of_the_right_currency_is_assigned(shop):
    client = staff_client(shop.organization)
    ours = factories.price_list(shop.organization, name="Friends")
    dollars = factories.price_list(shop.organization, currency="USD")
    assert client.post(page("price_list", shop.customer), {"price_list": str(dollars.public_id)}).status_code == 400
    client.post(page("price_list", shop.customer), {"price_list": str(ours.public_id)})
    assert client.get(page("detail", shop.customer)).context["price_list"] == ours
    assert AuditEntry.objects.filter(action="account.price_list").count() == 1
    kept = client.post(page("price_list", shop.reseller), {"price_list": ""})
    assert "A reseller needs a price list." in kept.content.decode()


def test_reselling_needs_a_price_list(shop):
    client = staff_client(shop.organization)
    poor = factories.account(shop.organization)
    assert client.post(page("reselling", poor)).status_code == 400
    assert fresh(poor).kind == AccountKind.DIRECT
    assert actions_of(client.get(page("detail", poor)))["Enable reselling"] == "Assign a price list first."
    client.post(page("reselling", shop.customer))
    row = fresh(shop.customer)
    assert (row.kind, row.edition) == (AccountKind.RESELLER, Edition.BASIC)


def test_status_goes_round_with_reasons(shop):
    client = staff_client(shop.organization)
    assert client.post(page("hold", shop.customer), {"reason": ""}).status_code == 400
    for name, status in (("hold", "suspended"), ("release", "active"), ("close", "closed"), ("reopen", "active")):
        assert client.post(page(name, shop.customer), {"reason": f"{name} it"}).status_code == 302
        assert fresh(shop.customer).status == status
    reasons = AuditEntry.objects.filter(action="account.status").order_by("id").values_list("reason", flat=True)
    assert list(reasons) == ["hold it", "release it", "close it", "reopen it"]


def test_close_is_refused_while_services_live(shop):
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    response = staff_client(shop.organization).post(page("close", shop.customer), {"reason": "No more business"})
    assert "Cancel its services and open orders before closing the account." in response.content.decode()
    assert fresh(shop.customer).status == AccountStatus.ACTIVE


def test_mpn_id_of_a_reseller(shop):
    client = staff_client(shop.organization)
    url = reverse("bss:link_mpn", args=[shop.reseller.public_id, shop.instance.public_id])
    assert client.post(url, {"mpn_id": "12ab"}).context["form"].errors["mpn_id"] == ["An MPN ID has 4 to 10 digits."]
    client.post(url, {"mpn_id": "1234567"})
    assert AccountLink.objects.get(account=shop.reseller).mpn_id == "1234567"
    assert staff_client(factories.organization()).post(url, {"mpn_id": "7654321"}).status_code == 404
    assert staff_client(shop.organization, StaffRole.BILLING).get(url).status_code == 403


def test_set_up_now_opens_one_operation(shop):
    link = ensure_link(shop.customer, shop.instance)
    url = reverse("bss:link_set_up", args=[link.public_id])
    client = staff_client(shop.organization)
    assert "What the vendor asks is answered with the first order." in client.post(url).content.decode()
    save_options(shop.staff, link=link, options={"domain_prefix": "elm", "username": "admin"})
    assert said(client.post(url, follow=True)) == ["The customer is being set up at the vendor."]
    assert "The set-up is on its way." in client.post(url).content.decode()
    (made,) = Operation.objects.all()
    assert (made.verb, made.account_link, made.requested_by_user_id is not None) == ("account_sync", link, True)


def test_first_password_is_shown_once(shop):
    link = ensure_link(shop.customer, shop.instance)
    AccountLink.objects.filter(pk=link.pk).update(state=LinkState.IN_PROGRESS)
    link.refresh_from_db()
    synchronize_link(shop.staff, link, external_id="tenant-1", password="Zebra-42")
    url = reverse("bss:link_password", args=[link.public_id])
    client = staff_client(shop.organization, StaffRole.SUPPORT)
    assert "Zebra-42" not in client.get(url).content.decode()
    assert AuditEntry.objects.filter(action="link.password_revealed").count() == 0
    assert staff_client(shop.organization, StaffRole.BILLING).post(url).status_code == 403
    first = client.post(url)
    assert "Zebra-42" in first.content.decode()
    assert first["Cache-Control"] == "no-store"
    assert "Zebra-42" not in client.post(url).content.decode()
    assert "Zebra-42" not in str(list(AuditEntry.objects.values_list("after", flat=True)))
