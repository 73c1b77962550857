"""What the people of a sub account may not learn or do: the reseller's purchase price and credit are not theirs."""

import pytest
from django.urls import reverse

from orders.models import Basket, Order
from resellers.enums import PurchaseMode
from resellers.models import Site
from resellers.selectors import actor_for
from subscriptions.models import Subscription
from tests.attack.browser import user_of
from tests.shop import fill_basket, make_shop, place
from users.permissions import Perm

pytestmark = pytest.mark.django_db
PRICES = ("12.00", "60.00")


@pytest.fixture(params=["end_customer", "affiliate"])
def case(request):
    shop = make_shop()
    account = getattr(shop, request.param)
    mode = PurchaseMode.END_CUSTOMER if request.param == "end_customer" else PurchaseMode.AFFILIATE
    place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin, mode=mode, target=account))
    user, client = user_of(shop, account)
    return shop, user, client


def test_purchase_price_is_on_no_page_of_a_sub_account(case):
    shop, _user, client = case
    order, subscription = Order.objects.get(), Subscription.objects.get()
    pages = [
        reverse("storefront:home"),
        reverse("storefront:product_list"),
        reverse("storefront:product_detail", args=[shop.product.public_id]),
        reverse("storefront:basket"),
        reverse("storefront:order_list"),
        reverse("storefront:order_list") + "?format=csv",
        reverse("storefront:order_detail", args=[order.public_id]),
        reverse("storefront:subscription_list"),
        reverse("storefront:subscription_detail", args=[subscription.public_id]),
    ]
    for page in pages:
        response = client.get(page)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code == 200, page
        assert not [price for price in PRICES if price in body.decode()], page
    assert order.number in client.get(pages[4]).content.decode()


def test_sub_account_cannot_order_on_the_resellers_credit(case):
    shop, user, client = case
    added = client.post(reverse("storefront:basket_add"), {"plan": str(shop.plan.public_id), "quantity": "1"})
    assert added.status_code == 403
    assert client.get(reverse("storefront:checkout_review")).status_code == 403
    assert not actor_for(user, shop.site, as_staff=False).has(Perm.SHOP_ORDER)
    assert not Basket.objects.filter(user=user, lines__isnull=False).exists()


def test_visitors_basket_shows_no_price_after_a_sub_account_signs_in(case):
    shop, user, client = case
    client.logout()
    Site.objects.update(anonymous_access=True)
    client.post(reverse("storefront:basket_add"), {"plan": str(shop.plan.public_id), "quantity": "5"})
    key = client.session["visitor_basket"]
    client.force_login(user, backend="sso.backends.RealmBackend")
    session = client.session
    session["visitor_basket"] = key
    session.save()

    page = client.get(reverse("storefront:basket")).content.decode()

    # At the site of a reseller whose plan sells nothing, nothing goes into a basket.
    assert (shop.product.name in page) == (user.realm == shop.organization.public_id)
    assert not [price for price in PRICES if price in page]


def test_sub_account_cannot_cancel_an_order_of_its_reseller():
    shop = make_shop(reseller=0)
    order = place(
        shop.reseller_admin,
        fill_basket(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer),
    )
    _user, client = user_of(shop, shop.end_customer)
    assert client.post(reverse("storefront:order_cancel", args=[order.public_id])).status_code == 403
    order.refresh_from_db()
    assert order.status == "submitted"


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("subscriptions_manager", False),
        ("cloud_administrator", False),
        ("billing_agent", True),
        ("buyer", True),
        ("admin", True),
    ],
)
def test_purchase_price_of_a_reseller_is_for_the_roles_that_may_see_it(role, sees):
    shop = make_shop()
    place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin))
    _user, client = user_of(shop, shop.reseller, role)
    pages = [reverse("storefront:product_detail", args=[shop.product.public_id])]
    if role in ("subscriptions_manager", "buyer", "admin", "billing_agent"):
        pages.append(reverse("storefront:order_detail", args=[Order.objects.get().public_id]))
    for page in pages:
        assert any(price in client.get(page).content.decode() for price in PRICES) is sees, page
