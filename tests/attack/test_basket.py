"""The basket: whose it is, what may lie in it, and that an order is exactly what was reviewed."""

from decimal import Decimal

import pytest
from django.urls import reverse

from catalog.models import Plan, Price, Product
from core.errors import BusinessError, Conflict, NotVisible
from orders.models import Basket, Order
from orders.services.basket import adopt_basket, open_basket, set_billing_address, set_service_details, set_target
from orders.services.place import place_order
from resellers.enums import AccountKind, AccountStatus, PurchaseMode
from resellers.models import Account, Membership
from resellers.selectors import actor_for
from resellers.services.accounts import billing_address
from tests import factories
from tests.attack.browser import user_of
from tests.shop import fill_basket, make_shop, place

pytestmark = pytest.mark.django_db


def refused(shop, basket, actor=None, **changes):
    with pytest.raises(BusinessError) as caught:
        place(actor or shop.customer_admin, basket, **changes)
    assert Order.objects.count() == 0
    return caught.value.code


@pytest.mark.parametrize("loss", ["membership", "account"])
def test_former_member_sees_no_prices_of_his_former_account(shop, loss):
    shop.site.anonymous_access = True
    shop.site.save()
    user, client = user_of(shop, shop.customer)
    fill_basket(shop, actor_for(user, shop.site, as_staff=False))
    assert "12.00" in client.get(reverse("storefront:basket")).content.decode()
    if loss == "membership":
        Membership.objects.filter(user=user).delete()
    else:
        Account.objects.filter(pk=shop.customer.pk).update(status=AccountStatus.CLOSED)

    page = client.get(reverse("storefront:basket")).content.decode()

    assert "12.00" not in page
    assert "60.00" not in page
    kept = Basket.objects.get(user=user)
    assert (kept.buyer_account, kept.target_account, kept.billing_address) == (None, None, {})


def test_basket_of_somebody_else_cannot_be_ordered(shop):
    basket = fill_basket(shop, shop.customer_admin)
    colleague = factories.actor(shop.organization, of=shop.customer)
    with pytest.raises(NotVisible):
        place(colleague, basket)
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda shop: Plan.objects.update(is_offered=False),
        lambda shop: Product.objects.update(is_published=False),
        lambda shop: Product.objects.update(charge_type="usage"),
    ],
    ids=["plan withdrawn", "unpublished", "other charge type"],
)
def test_what_is_no_longer_sold_cannot_be_ordered(shop, change):
    basket = fill_basket(shop, shop.customer_admin)
    change(shop)
    assert refused(shop, basket, total=Decimal(60)) == "withdrawn"


@pytest.mark.parametrize("values", [{"is_published": False}, {"charge_type": "usage"}])
def test_hidden_product_cannot_be_put_into_a_basket(shop, values):
    hidden = factories.product(shop.instance, name="Secret launch", **values)
    _user, client = user_of(shop, shop.customer)
    data = {"plan": str(hidden.plans.get().public_id), "quantity": "1"}
    page = client.post(reverse("storefront:basket_add"), data, follow=True).content.decode()
    assert "Secret launch" not in page
    assert not Basket.objects.filter(lines__isnull=False).exists()


def test_plan_of_a_foreign_organization_does_not_exist(shop):
    other = make_shop()
    _user, client = user_of(shop, shop.customer)
    data = {"plan": str(other.plan.public_id), "quantity": "1"}
    page = client.post(reverse("storefront:basket_add"), data, follow=True).content.decode()
    assert other.product.name not in page
    detail = client.get(reverse("storefront:product_detail", args=[other.product.public_id]))
    assert detail.status_code == 404


def test_line_of_another_basket_is_not_changed(shop):
    basket = fill_basket(shop, shop.customer_admin)
    line = basket.lines.get()
    _user, client = user_of(shop, shop.customer)
    client.post(reverse("storefront:basket_change"), {"line": str(line.public_id), "quantity": "0"})
    line.refresh_from_db()
    assert line.quantity == 5


def test_addon_of_another_product_or_alone_is_refused(shop):
    addon = factories.product(shop.instance, is_addon=True)
    _user, client = user_of(shop, shop.customer)
    plan = str(addon.plans.get().public_id)
    client.post(reverse("storefront:basket_add"), {"plan": plan, "quantity": "1"})
    client.post(
        reverse("storefront:basket_add"), {"plan": str(shop.plan.public_id), "quantity": "1", "addon": [plan, "x"]}
    )
    assert not Basket.objects.filter(lines__plan__product=addon).exists()


def test_target_changed_after_the_review_needs_a_new_review(shop):
    second = factories.account(shop.organization, AccountKind.END_CUSTOMER, bill_to=shop.reseller)
    mode = PurchaseMode.END_CUSTOMER
    reviewed = fill_basket(shop, shop.reseller_admin, mode=mode, target=shop.end_customer).checkout_key
    basket = fill_basket(shop, shop.reseller_admin, mode=mode, target=second)
    assert refused(shop, basket, shop.reseller_admin, key=reviewed) == "basket_changed"


@pytest.mark.parametrize("what", ["target", "address", "details"])
def test_every_change_makes_another_order_of_it(shop, what):
    basket = fill_basket(shop, shop.reseller_admin)
    reviewed = basket.checkout_key
    actor = shop.reseller_admin
    if what == "target":
        set_target(actor, basket=basket, mode=PurchaseMode.AFFILIATE, account=shop.affiliate)
    elif what == "address":
        set_billing_address(actor, basket=basket, address=billing_address(shop.reseller) | {"name": "Other Ltd"})
    else:
        details = basket.service_details[str(shop.instance.public_id)]
        changed = details | {"options": {"domain_prefix": "elsewhere", "username": "admin"}}
        set_service_details(actor, basket=basket, instance_id=str(shop.instance.public_id), details=changed)
    basket.refresh_from_db()
    assert basket.checkout_key != reviewed


def test_visitors_basket_adopted_after_the_review_needs_a_new_review(shop):
    free = factories.product(shop.instance)
    for price_list in shop.customer.price_list_assignment.price_list, shop.reseller.price_list_assignment.price_list:
        Price.objects.create(
            organization=shop.organization, price_list=price_list, plan=free.plans.get(), rule="fixed", value=0
        )
    basket = fill_basket(shop, shop.customer_admin)
    visitor = Basket.objects.create(organization=shop.organization, site=shop.site)
    visitor.lines.create(organization=shop.organization, plan=free.plans.get(), quantity=1)
    adopt_basket(shop.customer_admin, site=shop.site, visitor_key=str(visitor.public_id))
    assert refused(shop, basket, key=basket.checkout_key) == "basket_changed"


def test_visitor_key_of_a_users_basket_opens_nothing(shop):
    mine = fill_basket(shop, shop.customer_admin)
    stranger = factories.actor(shop.organization, of=factories.account(shop.organization))
    adopt_basket(stranger, site=shop.site, visitor_key=str(mine.public_id))
    assert mine.lines.count() == 1
    assert open_basket(stranger, site=shop.site).lines.count() == 0


@pytest.mark.parametrize("total", ["0", "-60", "59.99", "60.0001", "6000"])
def test_total_of_the_form_is_compared_never_used(shop, total):
    assert refused(shop, fill_basket(shop, shop.customer_admin), total=Decimal(total)) == "price_changed"


def test_price_list_changed_after_the_review_asks_again(shop):
    basket = fill_basket(shop, shop.customer_admin)
    price_list = shop.customer.price_list_assignment.price_list
    price_list.default_value = Decimal(30)
    price_list.save()
    assert refused(shop, basket, total=Decimal(60)) == "price_changed"


def test_terms_are_accepted_or_nothing_happens(shop):
    basket = fill_basket(shop, shop.customer_admin)
    with pytest.raises(BusinessError) as caught:
        place_order(
            shop.customer_admin, basket=basket, key=basket.checkout_key, seen_total=Decimal(60), terms_accepted=False
        )
    assert caught.value.code == "terms_missing"
    assert Order.objects.count() == 0


def test_key_of_a_foreign_order_gives_nothing_away(shop):
    theirs = place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin))
    with pytest.raises(Conflict):
        place(shop.customer_admin, fill_basket(shop, shop.customer_admin), key=theirs.idempotency_key)


def test_target_of_another_reseller_is_no_choice(shop):
    foreign = factories.account(
        shop.organization, AccountKind.END_CUSTOMER, bill_to=factories.account(shop.organization, AccountKind.RESELLER)
    )
    _user, client = user_of(shop, shop.reseller)
    client.post(reverse("storefront:basket_add"), {"plan": str(shop.plan.public_id), "quantity": "1"})
    data = {"purchase_mode": "end_customer", "end_customer": str(foreign.public_id)}
    response = client.post(reverse("storefront:basket_target"), data)
    assert response.status_code == 400
    assert foreign.name not in response.content.decode()
    assert not Basket.objects.filter(target_account=foreign).exists()


def test_trial_is_ordered_once(shop):
    Product.objects.update(is_trial=True)
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=1))
    with pytest.raises(BusinessError) as caught:
        place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=1))
    assert caught.value.code == "trial_used"


def test_two_plans_of_a_product_that_is_sold_once_are_refused(shop):
    Product.objects.update(is_trial=True)
    basket = fill_basket(shop, shop.customer_admin, quantity=1)
    row, price_list = shop.organization, shop.customer.price_list_assignment.price_list
    other = Plan.objects.create(organization=row, product=shop.product, term="P1Y", billing_cycle="annual")
    Price.objects.create(organization=row, price_list=price_list, plan=other, rule="fixed", value=1)
    basket.lines.create(organization=row, plan=other, quantity=1)
    assert refused(shop, basket) == "trial_used"
