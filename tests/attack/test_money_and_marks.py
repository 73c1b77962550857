"""Marks and money that belong to others: partner ids, the desk of another house, secrets in what is kept."""

import json
from decimal import Decimal

import pytest
from django.urls import reverse

from core.audit import AuditEntry
from core.errors import BusinessError, NotVisible
from core.jobs import Job
from orders.models import Order
from orders.services.execute import execute_by_staff
from orders.services.place import cancel_order
from provisioning.services import desk
from resellers.enums import PurchaseMode
from resellers.models import Account
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.attack.browser import user_of
from tests.shop import fill_basket, make_shop, place
from vendors.services.links import ensure_link

pytestmark = pytest.mark.django_db


def test_old_basket_does_not_replace_the_partner_id_of_the_reseller(shop):
    basket = fill_basket(
        shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer, mpn_id="4847383"
    )
    link = ensure_link(shop.reseller, shop.instance)
    type(link).objects.filter(pk=link.pk).update(mpn_id="1111111")

    place(shop.reseller_admin, basket)

    link.refresh_from_db()
    assert link.mpn_id == "1111111"
    assert Subscription.objects.get().mpn_id == "1111111"


def test_staff_of_another_house_reach_no_order_and_no_operation(shop):
    Account.objects.filter(pk=shop.customer.pk).update(credit_limit=0)
    waiting = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    Account.objects.filter(pk=shop.customer.pk).update(credit_unlimited=True)
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    operation = Operation.objects.first()
    foreign = make_shop().staff
    for action in (desk.retry, desk.check_now):
        with pytest.raises(NotVisible):
            action(foreign, operation=operation)
    with pytest.raises(NotVisible):
        desk.give_up(foreign, operation=operation, reason="because we can")
    with pytest.raises(NotVisible):
        desk.mark_done(foreign, operation=operation, external_id="x", reason="because we can")
    for action in (execute_by_staff, cancel_order):
        with pytest.raises((BusinessError, Order.DoesNotExist)):
            action(foreign, order=waiting)
    waiting.refresh_from_db()
    assert waiting.status == "submitted"
    assert desk.for_many(foreign, desk.retry, [operation.public_id]) == (0, [])


def test_customers_act_on_no_desk(shop):
    Account.objects.filter(pk=shop.customer.pk).update(credit_limit=0)
    waiting = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    for reason in ("", "because I want it"):
        with pytest.raises(BusinessError):
            execute_by_staff(shop.customer_admin, order=waiting, reason=reason)
    _user, client = user_of(shop, shop.customer)
    assert client.get("/bss/").status_code in (302, 403, 404)


def test_markup_in_names_stays_text(shop):
    evil = "<script>alert(1)</script>"
    type(shop.product).objects.filter(pk=shop.product.pk).update(name=evil)
    Account.objects.filter(pk=shop.customer.pk).update(name=evil, website="javascript:alert(1)")
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    _user, client = user_of(shop, shop.customer)
    for page in ("home", "product_list", "order_list", "subscription_list", "profile"):
        body = client.get(reverse(f"storefront:{page}")).content.decode()
        assert evil not in body
        assert 'href="javascript:' not in body
    assert evil not in client.get(reverse("storefront:order_detail", args=[order.public_id])).content.decode()


def test_company_form_takes_company_data_only(shop):
    _user, client = user_of(shop, shop.customer)
    row = shop.customer
    data = {
        "name": "New name",
        "country": "DE",
        "credit_limit": "9999999",
        "credit_unlimited": "on",
        "is_taxable": "",
        "kind": "reseller",
        "status": "active",
        "bill_to": str(shop.reseller.pk),
        "accounting_number": "1",
        "currency": "USD",
    }
    assert client.post(reverse("storefront:profile"), data).status_code == 302
    changed = Account.objects.get(pk=row.pk)
    assert changed.name == "New name"
    kept = ("credit_limit", "credit_unlimited", "is_taxable", "kind", "bill_to_id", "accounting_number", "currency")
    assert [getattr(changed, name) for name in kept] == [getattr(row, name) for name in kept]


def test_company_form_is_for_roles_that_may_change_it(shop):
    _user, client = user_of(shop, shop.customer, "buyer")
    assert client.post(reverse("storefront:profile"), {"name": "Hijacked", "country": "DE"}).status_code == 403
    assert not Account.objects.filter(name="Hijacked").exists()


def test_nothing_that_is_kept_of_an_order_holds_a_secret(shop):
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    kept = [json.dumps(row.service_details) for row in Order.objects.all()]
    kept += [json.dumps([row.before, row.after], default=str) for row in AuditEntry.objects.all()]
    kept += [json.dumps([row.params, row.result]) for row in Job.objects.all()]
    kept += [json.dumps([row.desired, row.result]) for row in Operation.objects.all()]
    assert not [text for text in kept if "password" in text.lower() or factories.PASSWORD in text]


def test_unlimited_quantity_and_tiny_credit_never_cross_the_limit(shop):
    Account.objects.filter(pk=shop.customer.pk).update(credit_limit=Decimal("11.99"))
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=1))
    assert order.status == "submitted"
    Account.objects.filter(pk=shop.customer.pk).update(credit_limit=Decimal("12.00"))
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=1))
    assert order.status == "executed"
