"""What is refused to a reseller's customer, or asked of him, says the name that he reads in his reseller's shop."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse

from catalog.models import Listing, ListingState, Product
from core.errors import BusinessError
from core.tenancy import Actor, ActorKind
from orders.legs import read_name, shown_basket
from orders.selectors import priced_basket
from orders.services import giveback, more
from orders.services.basket import add_line, change_line, open_basket
from provisioning.ports import CheckResult
from provisioning.services import checkout
from resellers.models import Site
from subscriptions.legs import customers_view, shown_request
from subscriptions.models import CancellationRequest, Subscription, SubscriptionAddOn
from tests import factories
from tests.catalog.selling import listing
from tests.legs.running import make_running
from tests.legs.test_leaks import browser_of
from tests.legs.world import HIS, THEIRS, World, basket_of, make_named_world, place_own
from tests.storefront.services import text_of
from vendors.models import AccountLink, LinkState

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_named_world()


def words_of(call: Any) -> str:
    """The message of what is refused."""
    with pytest.raises(BusinessError) as refused:
        call()
    return str(refused.value.message)


def test_quantity_is_refused_by_the_shops_name(world):
    basket = basket_of(world)
    Product.objects.update(max_quantity=10)
    world.shop.product.refresh_from_db()
    line = basket.lines.get()
    plan = world.shop.product.plans.get()
    put = lambda actor: add_line(  # noqa: E731 - Asked of two.
        actor, basket=open_basket(actor, site=world.site), site=world.site, plan=plan, quantity=11
    )
    assert words_of(lambda: put(world.buyer)) == f"{HIS}: between 1 and 10."
    change = {"basket": basket, "line_id": line.public_id, "quantity": 11}
    assert words_of(lambda: change_line(world.buyer, **change)) == f"{HIS}: between 1 and 10."
    page = browser_of(world, world.customer).post(
        reverse("storefront:basket_add"), {"plan": plan.public_id, "quantity": 11}, follow=True
    )
    assert HIS in text_of(page)
    assert THEIRS not in text_of(page)


def test_name_is_the_readers(world):
    product = world.shop.product
    home = Site.objects.get(organization=world.shop.organization, account=None)
    nobody = Actor(ActorKind.ANONYMOUS, world.shop.organization.pk)
    assert read_name(world.buyer, product, world.site) == HIS
    assert read_name(nobody, product, world.site) == HIS
    assert read_name(nobody, product, home) == THEIRS
    assert read_name(world.decider, product, world.site) == THEIRS
    Listing.objects.update(name="")
    assert read_name(world.buyer, product, world.site) == THEIRS


def test_what_went_into_the_basket_is_said_by_the_shops_name(world):
    plan = world.shop.product.plans.get()
    page = browser_of(world, world.customer).post(
        reverse("storefront:basket_add"), {"plan": plan.public_id, "quantity": 2}, follow=True
    )
    assert f"{HIS} is in your basket." in text_of(page)


@pytest.mark.parametrize("gone", ["unlisted", "unpublished"])
def test_withdrawn_product_is_refused_by_the_shops_name(world, gone):
    basket = basket_of(world)
    if gone == "unlisted":
        Listing.objects.update(state=ListingState.UNLISTED)
    else:
        Product.objects.update(is_published=False)
    shown = shown_basket(world.buyer, priced_basket(basket))
    assert [line.plan.product.name for line in (*shown.withdrawn, *shown.lines)] == [HIS, HIS]
    assert HIS in words_of(lambda: place_own(world.buyer, basket))


def test_addon_is_called_as_in_the_shop(world):
    row = make_running(world)
    addon = row.addons.get()
    SubscriptionAddOn.objects.filter(pk=addon.pk).update(name=THEIRS, sell_terms={"name": HIS})
    Product.objects.filter(pk=addon.product_id).update(name=THEIRS)
    listing(world.shop.reseller, addon.product)
    row = Subscription.objects.select_related("account__bill_to", "plan", "product__product_type").get(pk=row.pk)
    view, plan = customers_view(row), row.addons.select_related("plan__product").get().plan
    bought = more.wish_addon(view, plan=plan, quantity=1)
    assert bought.preview.what == f"1 x {HIS} are added to the subscription."
    assert THEIRS in more.wish_addon(row, plan=plan, quantity=1).preview.what
    (shown,) = view.addons.all()
    assert HIS in giveback.preview_addon(world.buyer, view, shown, quantity=0).what
    wish = CancellationRequest.objects.create(
        organization=world.shop.organization, subscription=row, addon=addon, kind="addon_cancel", quantity=1
    )
    asked = shown_request(world.buyer, CancellationRequest.objects.select_related("addon").get(pk=wish.pk))
    assert asked.addon.name == HIS
    page = browser_of(world, world.customer).get(reverse("storefront:subscription_detail", args=[row.public_id]))
    assert THEIRS not in text_of(page)


def test_missing_price_is_refused_without_a_name(world):
    row = make_running(world, with_addon=False)
    other = factories.product(world.shop.instance, name=THEIRS)
    row = Subscription.objects.select_related("account__bill_to", "plan", "product__product_type").get(pk=row.pk)
    assert THEIRS not in words_of(lambda: more._listed(customers_view(row), other.plans.get()))


def test_vendors_refusal_at_the_checkout_says_the_shops_name(world, monkeypatch):
    basket = basket_of(world)
    vendor = SimpleNamespace(
        verbs={"precheck"}, name="Vendor", precheck=lambda ctx, request: CheckResult(False, message="not today")
    )
    monkeypatch.setattr(checkout, "connector_for", lambda code: vendor)
    instance = world.shop.instance
    AccountLink.objects.create(
        organization=world.shop.organization,
        account=world.customer,
        instance=instance,
        state=LinkState.SYNCHRONIZED,
        external_id="tenant",
    )
    run = SimpleNamespace(
        job=SimpleNamespace(organization_id=world.shop.organization.pk),
        params={"basket": str(basket.public_id), "account": str(world.customer.public_id), "values": {}},
        report=lambda *args: None,
    )
    assert checkout.check_details(run, instance)["message"] == f"{HIS}: not today"
