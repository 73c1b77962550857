"""Orders that an employee places for an account: for whom, what, and what the vendors ask."""

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from catalog.models import PriceList
from catalog.selectors import price_list_of
from core.audit import AuditEntry
from core.errors import NotVisible, PermissionRefused
from orders.enums import OrderStatus
from orders.models import Basket, BasketLine, Order
from orders.services.basket import open_basket, open_staff_basket, set_billing_address
from orders.targets import order_targets
from provisioning.services.checkout import skip_details_check
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account
from resellers.services.accounts import billing_address
from tests import factories
from tests.bss.ordering import ANSWERS, NEW, add, confirmed, nothing_ordered, ready, url, with_addon
from tests.bss.staff import actions_of, count_queries, customer_client, last_cell, said, staff_client
from tests.shop import Shop, make_shop
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    """The customer's credit is 100; five units cost 60."""
    return make_shop(customer=Decimal(100))


# For which account


def test_accounts_to_choose_from_say_what_stands_in_the_way(shop):
    factories.account(shop.organization, AccountKind.PROSPECT)
    factories.account(factories.organization())
    unlisted = factories.account(shop.organization)
    Account.objects.filter(pk=shop.reseller.pk).update(status=AccountStatus.SUSPENDED)
    response = staff_client(shop.organization).get(NEW)
    words = {line["row"]: (last_cell(line["cells"]), bool(line["url"])) for line in response.context["lines"]}
    assert words == {
        shop.customer: ("—", True),
        unlisted: ("There is no valid price list for this account. Assign one first.", False),
        shop.reseller: ("This account is on hold.", False),
        shop.end_customer: (f"{shop.reseller.name}, which is billed, is on hold.", False),
        shop.affiliate: (f"{shop.reseller.name}, which is billed, is on hold.", False),
    }


def test_accounts_need_as_many_queries_for_more_rows(shop):
    client = staff_client(shop.organization)
    few = count_queries(client, NEW)
    for _number in range(3):
        factories.account(shop.organization, AccountKind.END_CUSTOMER, bill_to=shop.reseller)
    assert count_queries(client, NEW) == few


def test_list_knows_the_price_list_that_pricing_uses(shop):
    row = shop.organization
    general = factories.price_list(row, is_default=True)
    old = factories.price_list(row, valid_to="2020-01-01")
    factories.price_list(row, to=factories.account(row), valid_from="2099-01-01")
    ended = factories.account(row)
    type(shop.customer.price_list_assignment).objects.create(organization=row, account=ended, price_list=old)
    factories.account(row, currency="USD")
    factories.account(row)

    def agree() -> list[bool]:
        rows = list(order_targets(shop.staff))
        assert [(item, item.has_price_list) for item in rows] == [
            (item, price_list_of(item) is not None) for item in rows
        ]
        return [item.has_price_list for item in rows]

    assert set(agree()) == {True, False}
    PriceList.objects.filter(pk=general.pk).update(is_default=False)
    assert agree().count(False) > 2


@pytest.mark.parametrize("role", [StaffRole.BILLING, StaffRole.SUPPORT, StaffRole.READ_ONLY])
def test_only_sales_and_administrators_order(shop, role):
    client = staff_client(shop.organization, role)
    pages = [NEW, *(url(shop.customer, step) for step in ("", "_billing", "_details", "_review"))]
    assert {client.get(page).status_code for page in pages} == {403}
    assert add(client, shop, shop.customer).status_code == 403
    assert client.post(url(shop.customer, "_review"), {}).status_code == 403
    assert "New order" not in actions_of(client.get(reverse("bss:order_list")))
    account = reverse("bss:account_detail", args=[shop.customer.public_id])
    assert "Order for this account" not in actions_of(client.get(account))
    assert not Basket.objects.exists()


def test_customers_and_strangers_do_not_get_in(shop):
    assert customer_client(shop.organization, shop.customer).get(NEW).status_code == 403
    stranger = staff_client(factories.organization())
    instance = shop.instance.public_id
    for step in ("", "_billing", "_details", "_review"):
        assert stranger.get(url(shop.customer, step)).status_code == 404
    assert add(stranger, shop, shop.customer).status_code == 404
    for step, more in (("_change", ()), ("_billing", ()), ("_check", (instance,)), ("_skip", (instance,))):
        assert stranger.post(url(shop.customer, step, *more), {}).status_code == 404
    assert stranger.post(url(shop.customer, "_review"), {}).status_code == 404
    assert not Basket.objects.exists()


def test_account_page_leads_to_the_order_or_says_why_not(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    page = reverse("bss:account_detail", args=[shop.end_customer.public_id])
    assert actions_of(client.get(page))["Order for this account"] == ""
    Account.objects.filter(pk=shop.reseller.pk).update(status=AccountStatus.CLOSED)
    words = f"{shop.reseller.name}, which is billed, is closed."
    assert actions_of(client.get(page))["Order for this account"] == words


# What


def test_lines_show_the_accounts_prices_cost_and_margin(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    page = client.get(url(shop.customer), {"q": shop.product.name})
    (offer,) = page.context["offers"]
    assert [(item.price.amount, item.cost) for item in offer.plans] == [(Decimal(12), Decimal(10))]
    assert not Basket.objects.exists()  # Looking makes nothing.
    page = add(client, shop, shop.customer)
    assert said(page) == [f"{shop.product.name} is in the order."]
    (row,) = page.context["rows"]
    assert (row.line.quantity, row.quoted.net, row.cost, row.margin) == (5, Decimal(60), Decimal(50), Decimal(10))
    part = client.get(url(shop.customer), {"q": "nothing like this"}, headers={"HX-Request": "true"}).content.decode()
    assert "Nothing found" in part
    assert "<html" not in part


def test_lines_need_as_many_queries_for_three_products(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    with_addon(shop, shop.product)
    add(client, shop, shop.customer)
    few = count_queries(client, url(shop.customer))
    for _number in range(2):
        made = factories.product(shop.instance)
        with_addon(shop, made)
        client.post(url(shop.customer, "_add"), {"plan": made.plans.get().public_id, "quantity": 1})
    assert BasketLine.objects.count() == 3
    assert count_queries(client, url(shop.customer)) == few


def test_quantity_is_changed_and_a_line_taken_out(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    add(client, shop, shop.customer)
    line = BasketLine.objects.get()
    page = url(shop.customer, "_change")
    client.post(page, {"line": line.public_id, "quantity": 7})
    line.refresh_from_db()
    assert line.quantity == 7
    refused = client.post(page, {"line": line.public_id, "quantity": 301}, follow=True)
    assert said(refused) == [f"{shop.product.name}: between 1 and 300."]
    client.post(page, {"line": line.public_id, "quantity": 0})
    assert not BasketLine.objects.exists()
    assert client.post(page, {"line": line.public_id, "quantity": 0}).status_code == 302
    assert said(client.get(url(shop.customer, "_billing"), follow=True))[-1] == "Choose a product first."


def test_addon_hangs_on_its_product(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    addon = with_addon(shop, shop.product)
    (row,) = add(client, shop, shop.customer).context["rows"]
    assert [item.plan for item in row.addons] == [addon.plans.get()]
    values = {"plan": addon.plans.get().public_id, "parent": row.line.public_id, "quantity": 5}
    page = client.post(url(shop.customer, "_add"), values, follow=True)
    assert [(item.line.plan.product, item.line.parent, list(item.addons)) for item in page.context["rows"]] == [
        (shop.product, None, []),
        (addon, row.line, []),
    ]


def test_unpriced_foreign_and_unpublished_products_are_refused(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    hidden = factories.product(shop.instance, is_published=False)
    foreign = make_shop().product
    for product in (hidden, foreign):
        page = client.post(
            url(shop.customer, "_add"), {"plan": product.plans.get().public_id, "quantity": 1}, follow=True
        )
        assert said(page) == ["This product is no longer available."]
    assert not BasketLine.objects.exists()


@pytest.mark.parametrize(("status", "words"), [("suspended", "on hold"), ("closed", "closed")])
def test_account_on_hold_gets_no_order(shop, status, words):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    values = confirmed(client, shop.customer)
    Account.objects.filter(pk=shop.customer.pk).update(status=status)
    page = client.get(url(shop.customer))
    assert (page.status_code, page.context["obstacle"]) == (200, f"This account is {words}.")
    assert said(add(client, shop, shop.customer, 9)) == [f"This account is {words}."]
    response = client.post(url(shop.customer, "_review"), values)
    assert (response.status_code, response.context["form"].non_field_errors()) == (400, [f"This account is {words}."])
    assert BasketLine.objects.get().quantity == 5
    assert nothing_ordered()


# Billing, service details


def test_billing_address_is_the_payers_until_it_is_typed(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    add(client, shop, shop.end_customer)
    page = url(shop.end_customer, "_billing")
    assert client.get(page).context["form"].initial["name"] == shop.reseller.name
    refused = client.post(page, {"name": "Elm"})
    assert (refused.status_code, set(refused.context["form"].errors)) == (400, {"address_line1", "city", "country"})
    assert client.post(page, billing_address(shop.reseller) | {"city": "Ulm"}).url == url(shop.end_customer, "_details")
    assert client.get(page).context["form"].initial["city"] == "Ulm"


def test_details_of_another_vendor_and_of_a_colleague_are_not_there(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    other = factories.instance(shop.organization)
    prefix = str(shop.instance.public_id)[:8]
    assert client.post(url(shop.customer, "_check", other.public_id), {}).status_code == 404
    answers = {f"{prefix}-{name}": value for name, value in ANSWERS.items()}
    asked = client.post(url(shop.customer, "_check", shop.instance.public_id), answers)
    assert asked.status_code == 302
    assert client.get(asked.url).status_code == 200
    assert staff_client(shop.organization, StaffRole.SALES).get(asked.url).status_code == 404


def test_answers_with_mistakes_are_shown_at_their_fields(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    response = client.post(url(shop.customer, "_check", shop.instance.public_id), {})
    (section,) = response.context["sections"]
    assert response.status_code == 400
    assert "domain_prefix" in section.form.errors


def unreachable(shop: Shop, account: Account, **values: Any) -> None:
    """What the check leaves when the vendor does not answer."""
    row = Basket.objects.get(by_staff=True, target_account=account)
    answers = ANSWERS | values
    options = {"domain_prefix": "staffordered", "username": "admin"}
    state = {"account": str(account.public_id), "options": options, "state": "unreachable", "values": answers}
    row.service_details = {str(shop.instance.public_id): state | {"message": "Could not be reached."}}
    row.save()


def test_unknown_outcome_is_skipped_with_a_reason_that_is_kept(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    page = url(shop.customer, "_skip", shop.instance.public_id)
    assert said(client.post(page, {"reason": "Vendor is down"}, follow=True)) == []
    assert not AuditEntry.objects.filter(action="order.check_skipped").exists()  # The check had an outcome.
    unreachable(shop, shop.customer)
    assert page in client.get(url(shop.customer, "_details")).content.decode()
    refused = client.post(url(shop.customer, "_review"), confirmed(client, shop.customer))
    assert refused.status_code == 400
    assert nothing_ordered()
    assert client.post(page, {"reason": "no"}).status_code == 400
    assert client.post(page, {"reason": "Vendor is down"}).url == url(shop.customer, "_details")
    assert AuditEntry.objects.get(action="order.check_skipped").reason == "Vendor is down"
    review = client.get(url(shop.customer, "_review"))
    assert review.context["unchecked"] == [("Microsoft Cloud Services", "Vendor is down")]
    client.post(url(shop.customer, "_review"), confirmed(client, shop.customer))
    order = Order.objects.get()
    details = order.service_details[str(shop.instance.public_id)]
    assert (order.status, details["unchecked"]) == (OrderStatus.EXECUTED, "Vendor is down")
    assert details["agreement"]["date_agreed"] == "2026-01-15"
    assert AuditEntry.objects.get(action="order.placed").after["without_check"] == "Vendor is down"


def test_new_mpn_id_is_never_taken_unchecked(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.end_customer)
    unreachable(shop, shop.end_customer, mpn_id="1234567")
    page = url(shop.end_customer, "_skip", shop.instance.public_id)
    response = client.post(page, {"reason": "Vendor is down"})
    assert response.context["form"].non_field_errors() == ["A new MPN ID has to be checked once. Try again later."]
    assert not AuditEntry.objects.filter(action="order.check_skipped").exists()


def test_customer_skips_no_check(shop):
    """The way round is for employees: a customer's basket knows it not, whatever is asked."""
    basket = open_basket(shop.customer_admin, site=shop.site)
    with pytest.raises(PermissionRefused):
        skip_details_check(shop.customer_admin, basket=basket, instance=shop.instance, reason="Vendor is down")
    mine = open_staff_basket(shop.staff, account=shop.customer)
    with pytest.raises(PermissionRefused):
        skip_details_check(shop.customer_admin, basket=mine, instance=shop.instance, reason="Vendor is down")
    with pytest.raises(NotVisible):
        set_billing_address(factories.actor(shop.organization), basket=mine, address={})
