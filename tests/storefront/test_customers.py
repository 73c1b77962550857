"""A reseller's customers: made at the basket and in My Customers, edited, and what they are to him (channel.md 6.2)."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, PermissionRefused
from orders.enums import OrderStatus
from orders.models import Basket, Order
from orders.services.basket import add_line, open_basket
from provisioning.services.kinds import change_kind
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account
from resellers.services.customers import create_customer
from tests import factories
from tests.bss.staff import rows_of, said, staff_client
from tests.shop import fill_basket, place
from tests.storefront.services import browser
from users.permissions import StorefrontRole
from vendors.services.links import ensure_link

pytestmark = pytest.mark.django_db
LIST = reverse("storefront:customer_list")


def company(**values: Any) -> dict[str, Any]:
    """Everything that is asked."""
    asked = {
        "name": "Fig Garage", "first_name": "Grace", "last_name": "Hopper", "email": "grace@fig.test",
        "phone": "+49 30 5550", "address_line1": "Torstrasse 1", "city": "Berlin", "postal_code": "10119",
        "country": "DE", "state": "", "tax_id": "", "notes": "",
    }  # fmt: skip
    return asked | values


def new(kind: str, *, at_basket: bool = False) -> str:
    return reverse("storefront:basket_customer" if at_basket else "storefront:customer_create", args=[kind])


class TestAtTheBasket:
    def test_buyer_makes_an_affiliate_and_its_bill_goes_to_the_reseller(self, shop):
        client = browser(shop, shop.reseller, StorefrontRole.BUYER.value)
        client.post(reverse("storefront:basket_add"), {"plan": str(shop.plan.public_id), "quantity": 2})
        page = client.get(reverse("storefront:basket")).content.decode()
        assert new("affiliate", at_basket=True) in page
        answer = client.post(new("affiliate", at_basket=True), company(notes="Their second office"))
        assert answer["Location"] == reverse("storefront:checkout_billing")
        made = Account.objects.get(name="Fig Garage")
        assert (made.kind, made.bill_to, made.currency) == (
            AccountKind.AFFILIATE,
            shop.reseller,
            shop.reseller.currency,
        )
        assert (made.notes, str(made.contacts.get())) == ("Their second office", "Grace Hopper")
        basket = Basket.objects.get(buyer_account=shop.reseller)
        assert (basket.target_account, basket.purchase_mode) == (made, PurchaseMode.AFFILIATE)
        assert AuditEntry.objects.filter(action="account.created", account=made).count() == 1

    def test_affiliate_order_is_billed_to_the_reseller(self, shop):
        order = place(
            shop.reseller_admin,
            fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.AFFILIATE, target=shop.affiliate),
        )
        assert (order.account, order.payer, order.status) == (shop.affiliate, shop.reseller, OrderStatus.EXECUTED)

    def test_it_survives_an_abandoned_basket(self, shop):
        client = browser(shop, shop.reseller)
        client.post(new("end_customer", at_basket=True), company())
        Basket.objects.all().delete()
        names = [row.name for row in rows_of(client.get(f"{LIST}?kind=end_customer"))]
        assert names == sorted([shop.end_customer.name, "Fig Garage"])

    def test_choice_is_searched_without_losing_the_chosen_one(self, shop):
        create_customer(shop.reseller_admin, kind=AccountKind.END_CUSTOMER, values=company())
        basket = open_basket(shop.reseller_admin, site=shop.site)
        add_line(shop.reseller_admin, basket=basket, site=shop.site, plan=shop.plan, quantity=1)
        client = browser(shop, shop.reseller)
        client.post(reverse("storefront:basket_add"), {"plan": str(shop.plan.public_id), "quantity": 1})
        shown = client.get(reverse("storefront:basket"), {"find": "fig"}).context["target_form"]
        assert [row.name for row in shown.fields["end_customer"].queryset] == ["Fig Garage"]

    def test_posted_mode_that_does_not_fit_is_refused(self, shop):
        client = browser(shop, shop.reseller)
        client.post(reverse("storefront:basket_add"), {"plan": str(shop.plan.public_id), "quantity": 1})
        wrong = {"purchase_mode": "affiliate_account", "affiliate": str(shop.end_customer.public_id)}
        assert client.post(reverse("storefront:basket_target"), wrong).status_code == 400
        assert Basket.objects.get(buyer_account=shop.reseller).target_account is None


class TestMyCustomers:
    def test_tabs_list_each_kind(self, shop):
        client = browser(shop, shop.reseller)
        assert rows_of(client.get(f"{LIST}?kind=affiliate")) == [shop.affiliate]
        assert "Affiliate accounts" in client.get(LIST).content.decode()

    @pytest.mark.parametrize("name", ["name", "first_name", "email", "phone", "address_line1", "city", "postal_code"])
    def test_what_is_starred_is_required(self, shop, name):
        answer = browser(shop, shop.reseller).post(new("affiliate"), company(**{name: " "}))
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, [name])
        with pytest.raises(BusinessError) as missing:
            create_customer(shop.reseller_admin, kind=AccountKind.AFFILIATE, values=company(**{name: " "}))
        assert missing.value.field == name
        assert not Account.objects.filter(name="Fig Garage").exists()

    def test_same_name_and_tax_id_only_warn(self, shop):
        client = browser(shop, shop.reseller)
        first = company(tax_id="DE123456789")
        client.post(new("affiliate"), first)
        messages = said(client.post(new("affiliate"), first, follow=True))
        assert messages[-3:-1] == [
            "Another of your customers has the name Fig Garage.",
            "Another of your customers has the tax ID DE123456789.",
        ]
        assert Account.objects.filter(name="Fig Garage").count() == 2

    def test_edit_changes_company_and_contact(self, shop):
        client = browser(shop, shop.reseller)
        url = reverse("storefront:customer_edit", args=[shop.affiliate.public_id])
        assert client.get(url).context["form"].initial["name"] == shop.affiliate.name
        client.post(url, company(name="Fig Garage East", last_name="Murray"))
        shop.affiliate.refresh_from_db()
        assert (shop.affiliate.name, shop.affiliate.contacts.get().last_name) == ("Fig Garage East", "Murray")

    def test_others_customers_and_roles_without_the_right(self, shop):
        url = reverse("storefront:customer_edit", args=[shop.affiliate.public_id])
        foreign = browser(shop, factories.account(shop.organization, AccountKind.RESELLER))
        assert foreign.post(url, company()).status_code == 404
        cloud = browser(shop, shop.reseller, StorefrontRole.CLOUD_ADMINISTRATOR.value)
        assert (cloud.post(new("affiliate"), company()).status_code, cloud.post(url, company()).status_code) == (
            403,
            403,
        )
        assert browser(shop, shop.customer).post(new("affiliate"), company()).status_code == 403
        assert not Account.objects.filter(name="Fig Garage").exists()


class TestBillTo:
    def test_bill_to_with_a_bill_to_is_refused_everywhere(self, shop):
        for wrong in (shop.end_customer, shop.customer, None):
            with pytest.raises(BusinessError) as refused:
                create_customer(shop.staff, kind=AccountKind.AFFILIATE, values=company(), bill_to=wrong)
            assert str(refused.value.message) == "Choose a reseller."
        form = {"kind": "affiliate", "bill_to": str(shop.end_customer.public_id), "name": "X", "country": "DE"}
        assert staff_client(shop.organization).post(reverse("bss:account_create"), form).status_code == 400
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.filter(pk=shop.affiliate.pk).update(bill_to=shop.end_customer)

    def test_bss_makes_an_affiliate(self, shop):
        form = {"kind": "affiliate", "bill_to": str(shop.reseller.public_id), "name": "Gum Lab", "country": "DE"}
        staff_client(shop.organization).post(reverse("bss:account_create"), form)
        made = Account.objects.get(name="Gum Lab")
        assert (made.kind, made.bill_to) == (AccountKind.AFFILIATE, shop.reseller)


class TestKind:
    def test_reseller_admin_turns_an_unlinked_one_and_back(self, shop):
        url = reverse("storefront:customer_kind", args=[shop.affiliate.public_id])
        client = browser(shop, shop.reseller)
        assert "Make it an end customer" in client.get(url).content.decode()
        client.post(url)
        shop.affiliate.refresh_from_db()
        assert shop.affiliate.kind == AccountKind.END_CUSTOMER
        assert browser(shop, shop.reseller, StorefrontRole.BUYER.value).post(url).status_code == 403

    def test_linked_one_is_refused_in_the_words_of_the_rule(self, shop):
        link = ensure_link(shop.affiliate, shop.instance)
        type(link).objects.filter(pk=link.pk).update(state="synchronized", external_id="tenant-1")
        url = reverse("storefront:customer_kind", args=[shop.affiliate.public_id])
        page = browser(shop, shop.reseller).post(url).content.decode()
        assert "The vendor knows this account; use Change relationship." in page
        shop.affiliate.refresh_from_db()
        assert shop.affiliate.kind == AccountKind.AFFILIATE

    def test_prospect_becomes_anything_once_complete(self, shop):
        row = factories.account(shop.organization, AccountKind.PROSPECT, country="")
        with pytest.raises(BusinessError) as missing:
            change_kind(shop.staff, account=row, kind=AccountKind.DIRECT)
        assert str(missing.value.message) == "Complete the account first: country."
        Account.objects.filter(pk=row.pk).update(country="US", state="")
        with pytest.raises(BusinessError) as state:
            change_kind(shop.staff, account=row, kind=AccountKind.DIRECT)
        assert str(state.value.message) == "Complete the account first: state."
        Account.objects.filter(pk=row.pk).update(country="DE")
        row.refresh_from_db()
        with pytest.raises(BusinessError) as lists:
            change_kind(shop.staff, account=row, kind=AccountKind.RESELLER)
        assert str(lists.value.message) == "Assign a price list first."
        assert (
            change_kind(shop.staff, account=row, kind=AccountKind.AFFILIATE, bill_to=shop.reseller).bill_to
            == shop.reseller
        )

    def test_reseller_becomes_direct_only_without_customers(self, shop):
        with pytest.raises(Conflict) as left:
            change_kind(shop.staff, account=shop.reseller, kind=AccountKind.DIRECT)
        assert left.value.code == "customers_left"
        alone = factories.account(shop.organization, AccountKind.RESELLER)
        assert change_kind(shop.staff, account=alone, kind=AccountKind.DIRECT).edition == ""
        sales = factories.actor(shop.organization, roles=["sales"])
        with pytest.raises(PermissionRefused):
            change_kind(sales, account=factories.account(shop.organization, AccountKind.RESELLER), kind="direct")

    def test_direct_becomes_end_customer_and_its_services_follow(self, shop):
        place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
        with pytest.raises(Conflict) as busy:
            change_kind(shop.staff, account=shop.customer, kind=AccountKind.END_CUSTOMER, bill_to=shop.reseller)
        assert busy.value.code == "orders_open"
        order = Order.objects.get(account=shop.customer)
        order.lines.update(delivery_status="delivered")
        moved = change_kind(shop.staff, account=shop.customer, kind=AccountKind.END_CUSTOMER, bill_to=shop.reseller)
        service = moved.subscriptions.get()
        assert (moved.bill_to, service.bill_to, service.purchase_mode) == (shop.reseller, shop.reseller, "end_customer")
        order.refresh_from_db()
        assert (order.payer, order.purchase_mode) == (shop.customer, "")
        dollars = factories.account(shop.organization, AccountKind.RESELLER, currency="USD")
        other = factories.account(shop.organization)
        with pytest.raises(BusinessError) as currency:
            change_kind(shop.staff, account=other, kind=AccountKind.END_CUSTOMER, bill_to=dollars)
        assert currency.value.code == "currency_differs"

    def test_bss_page_offers_what_the_role_may(self, shop):
        url = reverse("bss:account_kind", args=[shop.customer.public_id])
        client = staff_client(shop.organization)
        kinds = [value for value, _label in client.get(url).context["form"].fields["kind"].choices]
        assert set(kinds) == {"reseller", "end_customer"}
        client.post(url, {"kind": "end_customer", "bill_to": str(shop.reseller.public_id)})
        shop.customer.refresh_from_db()
        assert shop.customer.bill_to == shop.reseller
