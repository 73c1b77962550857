"""Orders that an employee places for an account: every step, its refusals, and that it happens once."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Charge
from catalog.models import AddOnRelation, PriceList, Product
from catalog.selectors import price_list_of
from core.audit import AuditEntry
from core.errors import BusinessError, NotVisible, PermissionRefused
from core.events import Event
from notifications.models import OutgoingMail
from notifications.services.events import process_event
from orders.enums import OrderStatus
from orders.models import Basket, BasketLine, Order, TermsAcceptance
from orders.selectors import priced_basket
from orders.services.basket import open_basket, open_staff_basket, set_billing_address
from orders.services.execute import execute_by_staff
from orders.targets import order_targets
from provisioning.services.checkout import skip_details_check
from resellers.enums import AccountKind, AccountStatus, PurchaseMode
from resellers.models import Account
from resellers.selectors import actor_for
from resellers.services.accounts import billing_address
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.bss.staff import actions_of, count_queries, customer_client, rows_of, said, staff_client
from tests.drain import drain
from tests.shop import Shop, make_shop
from users.permissions import StaffRole
from vendors.services.instances import write_secret

pytestmark = pytest.mark.django_db
NEW = reverse("bss:order_new")
ANSWERS = {
    "domain_prefix": "staffordered",
    "username": "admin",
    "agreement_first_name": "Ada",
    "agreement_last_name": "Byron",
    "agreement_email": "ada@account.test",
    "agreement_accepted": "on",
    "agreement_date": "2026-01-15",
}


@pytest.fixture
def shop() -> Shop:
    """The customer's credit is 100; five units cost 60."""
    return make_shop(customer=Decimal(100))


def url(account: Account, step: str = "", *more: object) -> str:
    return reverse(f"bss:account_order{step}", args=[account.public_id, *more])


def add(client: Client, shop: Shop, account: Account, quantity: int = 5) -> Any:
    return client.post(url(account, "_add"), {"plan": shop.plan.public_id, "quantity": quantity}, follow=True)


def ready(client: Client, shop: Shop, account: Account, quantity: int = 5) -> Basket:
    """An order that only has to be placed: lines, address and details are there."""
    add(client, shop, account, quantity)
    assert client.post(url(account, "_billing"), billing_address(account.bill_to or account)).status_code == 302
    row = Basket.objects.get(by_staff=True, target_account=account)
    options = {"domain_prefix": "known", "username": "admin"}
    good = {"state": "ok", "account": str(account.public_id), "options": options}
    row.service_details = {str(shop.instance.public_id): good}
    row.save()
    return row


def confirmed(client: Client, account: Account, **changes: Any) -> dict[str, Any]:
    """What the form of the review sends, with the customer's acceptance confirmed."""
    form = client.get(url(account, "_review")).context["form"]
    values = {name: form[name].value() for name in ("key", "total", "terms_version")}
    return values | {"terms": "on", "then": "execute"} | changes


def with_addon(shop: Shop, parent: Product) -> Product:
    """An add-on that may be bought with ``parent``."""
    made = factories.product(shop.instance, is_addon=True)
    AddOnRelation.objects.create(organization=shop.organization, parent=parent, addon=made)
    return made


def nothing_ordered() -> bool:
    return not (Order.objects.exists() or Charge.objects.exists() or Subscription.objects.exists())


# For which account


def test_accounts_to_choose_from_say_what_stands_in_the_way(shop):
    factories.account(shop.organization, AccountKind.PROSPECT)
    factories.account(factories.organization())
    unlisted = factories.account(shop.organization)
    Account.objects.filter(pk=shop.reseller.pk).update(status=AccountStatus.SUSPENDED)
    response = staff_client(shop.organization).get(NEW)
    words = {line["row"]: (str(line["cells"][-1][1]), bool(line["url"])) for line in response.context["lines"]}
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


# Placing


def test_order_is_the_employees_for_the_account_and_happens_once(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    values = confirmed(client, shop.customer)
    first, second = (client.post(url(shop.customer, "_review"), values) for _time in range(2))
    order = Order.objects.get()
    assert first.url == second.url == reverse("bss:order_detail", args=[order.public_id])
    employee = AuditEntry.objects.get(action="order.placed").actor_label
    assert (order.status, order.account, order.payer) == (OrderStatus.EXECUTED, shop.customer, shop.customer)
    assert (order.buyer_account, order.buyer_label, order.purchase_mode) == (None, employee, "")
    assert (Charge.objects.count(), Operation.objects.filter(verb="create").count()) == (1, 1)
    terms = TermsAcceptance.objects.get()
    assert (terms.by_staff, terms.email, terms.account) == (True, order.buyer.email, shop.customer)
    assert "terms" in AuditEntry.objects.get(action="order.placed").after
    assert not BasketLine.objects.exists()
    assert said(client.get(url(shop.customer, "_review"), follow=True))[-1] == "Choose a product first."


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("reseller", PurchaseMode.PERSONAL_USE),
        ("end_customer", PurchaseMode.END_CUSTOMER),
        ("affiliate", PurchaseMode.AFFILIATE),
    ],
)
def test_purchase_mode_follows_from_the_account(shop, name, mode):
    client = staff_client(shop.organization, StaffRole.SALES)
    account = getattr(shop, name)
    ready(client, shop, account)
    client.post(url(account, "_review"), confirmed(client, account))
    order = Order.objects.get()
    assert (order.account, order.payer, order.purchase_mode) == (account, shop.reseller, mode)
    assert order.status == OrderStatus.EXECUTED


def test_customer_is_told_not_the_employee(shop):
    """For a sub account its reseller is: it never hears of the distributor."""
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.end_customer)
    client.post(url(shop.end_customer, "_review"), confirmed(client, shop.end_customer))
    process_event(Event.objects.get(name="order.placed").pk)
    assert OutgoingMail.objects.get().recipient == shop.reseller.contacts.get().email


def test_customers_acceptance_must_be_confirmed(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    response = client.post(url(shop.customer, "_review"), confirmed(client, shop.customer, terms=""))
    assert response.context["form"].errors == {"terms": ["Confirm that the customer accepted the terms."]}
    assert nothing_ordered()


def test_over_credit_it_stays_submitted_for_billing(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer, 9)
    page = client.get(url(shop.customer, "_review"))
    assert page.context["priced"].over_credit
    response = client.post(url(shop.customer, "_review"), confirmed(client, shop.customer), follow=True)
    order = Order.objects.get()
    assert (order.status, order.hold_reason) == (OrderStatus.SUBMITTED, "no_credit")
    assert said(response) == ["The total is over the credit: the order stays Submitted."]
    assert not (Charge.objects.exists() or Subscription.objects.exists())


def test_saved_as_submitted_it_charges_nothing_until_executed(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    client.post(url(shop.customer, "_review"), confirmed(client, shop.customer, then="submit"))
    order = Order.objects.get()
    assert (order.status, order.hold_reason) == (OrderStatus.SUBMITTED, "")
    assert not (Charge.objects.exists() or Subscription.objects.exists())
    client.post(reverse("bss:order_execute", args=[order.public_id]))
    order.refresh_from_db()
    assert (order.status, Charge.objects.count()) == (OrderStatus.EXECUTED, 1)


def test_changed_price_is_confirmed_again(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    row = ready(client, shop, shop.customer)
    values = confirmed(client, shop.customer)
    prices = priced_basket(row).price_list
    PriceList.objects.filter(pk=prices.pk).update(default_value=30)
    response = client.post(url(shop.customer, "_review"), values, follow=True)
    assert said(response) == ["A price has changed. Check the new total and confirm again."]
    assert response.context["form"]["total"].value() == Decimal(65)
    assert nothing_ordered()
    client.post(url(shop.customer, "_review"), confirmed(client, shop.customer, total="0.01"))
    assert nothing_ordered()  # No price is taken from the form.
    client.post(url(shop.customer, "_review"), confirmed(client, shop.customer))
    assert Order.objects.get().gross == Decimal(65)


def test_changed_contents_are_confirmed_again(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    values = confirmed(client, shop.customer)
    client.post(url(shop.customer, "_change"), {"line": BasketLine.objects.get().public_id, "quantity": 6})
    response = client.post(url(shop.customer, "_review"), values, follow=True)
    assert said(response) == ["The basket has changed meanwhile. Check it and confirm again."]
    assert nothing_ordered()


def test_withdrawn_product_stops_the_order(shop):
    client = staff_client(shop.organization, StaffRole.SALES)
    ready(client, shop, shop.customer)
    values = confirmed(client, shop.customer)
    Product.objects.filter(pk=shop.product.pk).update(is_published=False)
    assert client.get(url(shop.customer)).context["priced"].withdrawn
    assert client.post(url(shop.customer, "_review"), values).status_code == 400
    assert nothing_ordered()


def test_baskets_of_employees_are_apart(shop):
    """One per employee and account; neither a colleague's nor what the same person puts into the shop's basket."""
    first, second = (staff_client(shop.organization, StaffRole.SALES) for _number in range(2))
    add(first, shop, shop.customer)
    add(first, shop, shop.reseller, 2)
    assert second.get(url(shop.customer)).context["rows"] == []
    assert [(row.target_account, row.size) for row in first.get(NEW).context["begun"]] == [
        (shop.reseller, 1),
        (shop.customer, 1),
    ]
    assert second.get(NEW).context["begun"] == []
    values = {"line": BasketLine.objects.first().public_id, "quantity": 1}
    assert said(second.post(url(shop.customer, "_change"), values, follow=True)) == [
        "This line is no longer in the basket."
    ]
    assert sorted(BasketLine.objects.values_list("quantity", flat=True)) == [2, 5]
    staff = Basket.objects.filter(lines__quantity=5).get().user
    actor = actor_for(staff, shop.site, as_staff=False)
    assert open_basket(actor, site=shop.site).lines.count() == 0
    assert Basket.objects.filter(user=staff, by_staff=False).count() == 1


def test_waiting_order_of_an_account_on_hold_is_not_executed(shop):
    client = staff_client(shop.organization)
    for account in (shop.customer, shop.end_customer):
        ready(client, shop, account)
        client.post(url(account, "_review"), confirmed(client, account, then="submit"))
    Account.objects.filter(pk__in=[shop.customer.pk, shop.reseller.pk]).update(status=AccountStatus.SUSPENDED)
    for order in Order.objects.all():
        with pytest.raises(BusinessError) as refused:
            execute_by_staff(shop.staff, order=order)
        assert refused.value.code == "account_on_hold"
        page = reverse("bss:order_execute", args=[order.public_id])
        assert client.post(page).status_code == 400
        order.refresh_from_db()
        assert order.status == OrderStatus.SUBMITTED
    assert not Charge.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_walk_from_the_account_to_an_active_subscription(twins):
    """Every step over real HTTP to the vendor, for a customer the vendor does not know yet."""
    shop = make_shop(settings=twins.instance_settings(), code="CFQ7TTC0LDPB:0001")
    write_secret(shop.instance, "refresh_token", twins.credentials()["refresh_token"])
    client = staff_client(shop.organization, StaffRole.SALES)
    assert rows_of(client.get(NEW, {"q": shop.customer.name})) == [shop.customer]
    add(client, shop, shop.customer)
    client.post(url(shop.customer, "_billing"), billing_address(shop.customer))
    (section,) = client.get(url(shop.customer, "_details")).context["sections"]
    answers = {f"{section.form.prefix}-{name}": value for name, value in ANSWERS.items()}
    asked = client.post(section.check_url, answers)
    assert "Checking with the vendor" in client.get(asked.url).content.decode()
    drain(twins)
    assert client.get(asked.url).url == url(shop.customer, "_review")
    client.post(url(shop.customer, "_review"), confirmed(client, shop.customer))
    drain(twins)
    row = Subscription.objects.get()
    assert (row.account, row.status, row.quantity) == (shop.customer, SubscriptionStatus.ACTIVE, 5)
    assert [(found["id"], found["quantity"]) for found in twins.state()["subscriptions"]] == [(row.external_id, 5)]
    assert [customer["companyProfile"]["domain"].partition(".")[0] for customer in twins.state()["customers"]] == [
        "staffordered"
    ]


@pytest.mark.django_db(transaction=True)
def test_vendor_that_does_not_answer_is_told_and_can_be_skipped(twins):
    shop = make_shop(settings=twins.instance_settings(), code="CFQ7TTC0LDPB:0001")
    write_secret(shop.instance, "refresh_token", twins.credentials()["refresh_token"])
    client = staff_client(shop.organization, StaffRole.SALES)
    add(client, shop, shop.customer)
    client.post(url(shop.customer, "_billing"), billing_address(shop.customer))
    (section,) = client.get(url(shop.customer, "_details")).context["sections"]
    answers = {f"{section.form.prefix}-{name}": value for name, value in ANSWERS.items()}
    twins.fault("check_domain", "reset_before", times=20)
    asked = client.post(section.check_url, answers)
    drain(twins)
    twins.no_faults()
    page = client.get(asked.url, follow=True)
    (section,) = page.context["sections"]
    assert (section.state["state"], section.skip_url) == (
        "unreachable",
        url(shop.customer, "_skip", shop.instance.public_id),
    )
    client.post(section.skip_url, {"reason": "Agreed by phone"})
    client.post(url(shop.customer, "_review"), confirmed(client, shop.customer))
    drain(twins)
    assert Subscription.objects.get().status == SubscriptionStatus.ACTIVE
