"""Placing an order for an account by an employee: once, at the price seen, within the credit."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import Charge
from catalog.models import PriceList, Product
from core.audit import AuditEntry
from core.errors import BusinessError
from core.events import Event
from notifications.models import OutgoingMail
from notifications.services.events import process_event
from orders.enums import OrderStatus
from orders.models import Basket, BasketLine, Order, TermsAcceptance
from orders.selectors import priced_basket
from orders.services.basket import open_basket
from orders.services.execute import execute_by_staff
from resellers.enums import AccountStatus, PurchaseMode
from resellers.models import Account
from resellers.selectors import actor_for
from resellers.services.accounts import billing_address
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Operation, Subscription
from tests.bss.ordering import ANSWERS, NEW, add, confirmed, nothing_ordered, ready, url
from tests.bss.staff import rows_of, said, staff_client
from tests.drain import drain
from tests.shop import Shop, make_shop
from users.permissions import StaffRole
from vendors.services.instances import write_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """The customer's credit is 100; five units cost 60."""
    return make_shop(customer=Decimal(100))


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
