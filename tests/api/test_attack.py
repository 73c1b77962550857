"""Attacks on the API: lines that are charged and never delivered, terms of another shop, absurd numbers and texts."""

import pytest

from catalog.models import AddOnRelation, Product
from core.custom_fields import CustomField, CustomValues
from core.errors import BusinessError
from orders.models import Order, OrderLine, TermsAcceptance
from orders.services.execute import execute_by_staff
from resellers.enums import Edition
from resellers.models import Site
from subscriptions.models import Subscription, SubscriptionAddOn
from tests import factories
from tests.api.caller import Program
from tests.api.ordering import (
    ORDERS,
    add,
    added,
    addon_of,
    answer_all,
    ask_nothing,
    begin,
    checkout,
    filled,
    refused,
    services,
)
from tests.shop import Shop
from vendors.services.links import set_mpn_id

pytestmark = pytest.mark.django_db


def test_an_addon_hangs_on_a_new_service_alone(shop: Shop, reseller: Program, resold: Subscription):
    """Below an increase or another add-on it would be charged, and nobody would deliver it."""
    ask_nothing(shop)
    addon = addon_of(shop)
    order = begin(reseller, shop.end_customer)
    more = add(reseller, order, relatedSubscriptionId=str(resold.public_id), quantity=2).json()["id"]
    answer = add(reseller, order, productId=str(addon.public_id), relatedItemId=more, quantity=4)
    assert (answer.status_code, answer.json().get("code")) == (400, "addon_foreign")

    below = factories.product(shop.instance, is_addon=True, cost="1.00")
    AddOnRelation.objects.create(organization=shop.organization, parent=addon, addon=below)
    base = added(reseller, order, shop.product)
    first = added(reseller, order, addon, 4, relatedItemId=base)
    answer = add(reseller, order, productId=str(below.public_id), relatedItemId=first, quantity=4)
    assert (answer.status_code, answer.json().get("code")) == (400, "addon_foreign")

    assert checkout(reseller, order).status_code == 202
    assert not OrderLine.objects.filter(delivery_status="waiting").exists()
    assert SubscriptionAddOn.objects.count() == 1


def test_a_service_billed_to_somebody_else(shop: Shop, distributor: Program, resold: Subscription):
    Subscription.objects.filter(pk=resold.pk).update(bill_to=shop.customer)
    order = begin(distributor, shop.end_customer)
    answer = add(distributor, order, relatedSubscriptionId=str(resold.public_id), quantity=2)
    assert (answer.status_code, answer.json().get("code")) == (400, "subscription_foreign")


def test_the_same_addon_twice_below_one_item(shop: Shop, reseller: Program):
    """Two lines of one add-on are one add-on in the end, or refused; never a failure."""
    ask_nothing(shop)
    addon = addon_of(shop)
    order = begin(reseller, shop.end_customer)
    base = added(reseller, order, shop.product)
    for _time in (1, 2):
        added(reseller, order, addon, 4, relatedItemId=base)
    assert checkout(reseller, order).status_code == 202
    assert services(shop.end_customer)[-1].addons.count() == 2


def test_terms_of_a_resellers_shop_are_not_the_distributors(shop: Shop, reseller: Program):
    ask_nothing(shop)
    Site.objects.filter(pk=shop.site.pk).update(terms="Pay.", terms_version=3)
    own = factories.reseller_site(shop.reseller, Edition.STANDARD)
    Site.objects.filter(pk=own.pk).update(terms="Our own.", terms_version=3)
    placed = Order.objects.get(public_id=filled(reseller, shop.end_customer, shop.product))
    Order.objects.filter(pk=placed.pk).update(site=own, buyer_account=shop.end_customer)
    TermsAcceptance.objects.create(
        organization=shop.organization,
        order=placed,
        account=shop.end_customer,
        product_name=shop.product.name,
        terms_version=3,
        email="carl@customer.test",
        accepted_at="2026-01-15T10:00:00Z",
    )
    order = filled(reseller, shop.end_customer, shop.product)
    assert refused(reseller, order) == "terms_not_accepted"


@pytest.mark.parametrize("quantity", [2**31 - 1, 2**31 - 3, 100_001])
def test_more_than_anybody_has(shop: Shop, reseller: Program, resold: Subscription, quantity: int):
    addon = addon_of(shop)
    Product.objects.update(max_quantity=None)
    order = begin(reseller, shop.end_customer)
    base = {"relatedSubscriptionId": str(resold.public_id), "quantity": quantity}
    for body in (base, {**base, "productId": str(addon.public_id)}):
        answer = add(reseller, order, **body)
        assert (answer.status_code, answer.json()["code"]) == (400, "quantity_out_of_range"), answer.content


def test_items_of_an_empty_draft_with_everything(shop: Shop, reseller: Program):
    order = begin(reseller, shop.end_customer)
    assert reseller.get(f"{ORDERS}/{order}/items?include=characteristics").json() == []
    added(reseller, order, shop.product)
    assert reseller.get(f"{ORDERS}/{order}/items?include=characteristics").status_code == 200


def test_half_a_character_is_no_text(shop: Shop, reseller: Program):
    answer = reseller.post(ORDERS, {"accountId": shop.end_customer.pk, "name": "\ud800"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    assert reseller.post(ORDERS, {"accountId": shop.end_customer.pk, "name": "\U0001f600"}).status_code == 201


@pytest.mark.parametrize("country", ["²", "9" * 5000, "-1", "1e3"])
def test_odd_countries(shop: Shop, reseller: Program, country: str):
    body = [{"op": "replace", "path": "/billingAddress/countryId", "value": country}]
    answer = reseller.call("PATCH", f"/api/accounts/{shop.end_customer.pk}", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_option"), answer.content


@pytest.mark.parametrize("value", ["1e-400000", "0.12345678901", "-1e-30"])
def test_a_number_is_kept_with_ten_decimals_at_most(shop: Shop, reseller: Program, value: str):
    """Written out, a small exponent would fill the database, and no filter could compare the text any more."""
    names = {"entity": "account", "code": "size", "name": "Size", "field_type": "number"}
    more = {"provisioning_code": 11, "is_search": True, "shop_visible": True, "shop_editable": True}
    field = CustomField.objects.create(organization=shop.organization, **names, **more)
    path = f"/api/accounts/{shop.end_customer.pk}/customfields"
    answer = reseller.call("PUT", path, [{"id": field.pk, "value": value}])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_number")
    assert not CustomValues.objects.filter(data__has_key=field.key).exists()
    assert reseller.call("PUT", path, [{"id": field.pk, "value": "0.0000000001"}]).status_code == 200
    found = reseller.get("/api/accounts?$filter=customFields/11 gt 0")
    assert (found.status_code, found.json()["paging"]["totalRecords"]) == (200, 1)


def test_nobody_executes_with_an_unchecked_mpn_id(shop: Shop, reseller: Program):
    """By hand neither: the service would carry none, and the reseller would get no rebate."""
    instance = factories.instance(shop.organization, settings={"partner_type": "indirect"})
    order = begin(reseller, shop.end_customer)
    answer_all(reseller, order, added(reseller, order, factories.product(instance)), mpn_id="1234567")
    assert checkout(reseller, order).status_code == 202
    row = Order.objects.get()
    with pytest.raises(BusinessError) as error:
        execute_by_staff(shop.staff, order=row)
    assert (error.value.code, Subscription.objects.count()) == ("mpn_unchecked", 0)
    set_mpn_id(shop.staff, account=shop.reseller, instance=instance, mpn_id="1234567", tenant_id="")
    execute_by_staff(shop.staff, order=row)
    assert Subscription.objects.get().mpn_id == "1234567"
