"""What the clock does for shops: withdraws what left the price list, offers it again, tells of changed costs."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import (
    CostChange,
    KnownCost,
    Listing,
    ListingPicture,
    Plan,
    PlanCost,
    PriceListAssignment,
    Product,
    SellingPolicy,
    SellingRule,
)
from catalog.services.listings import list_products
from catalog.services.pictures import keep_picture
from catalog.services.shop_upkeep import forget_shops, keep_shops
from catalog.tasks import keep_shops as task
from core import clock
from core.events import Event
from notifications.models import OutgoingMail
from notifications.services import events
from resellers.models import Site
from tests import factories
from tests.catalog.selling import rule
from tests.look.sites import picture
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(shop: Shop) -> Shop:
    """A shop with its one product listed, looked at once."""
    rule(shop.reseller)
    list_products(shop.reseller_admin, reseller=shop.reseller, products=[shop.product])
    keep_shops()
    Event.objects.all().delete()
    return shop


def state(shop: Shop) -> str:
    """Of the one listing."""
    return str(Listing.objects.get(account=shop.reseller).state)


def told(name: str) -> list[tuple[Any, dict[str, Any]]]:
    """The events of a name, with whom they are about."""
    return [(row.account, row.payload) for row in Event.objects.filter(name=name).order_by("id")]


def leave(shop: Shop, how: str) -> None:
    """Take the product away from the reseller."""
    if how == "discontinued":
        Product.objects.filter(pk=shop.product.pk).update(discontinued_at=clock.now())
    elif how == "unpublished":
        Product.objects.filter(pk=shop.product.pk).update(is_published=False)
    elif how == "plan":
        Plan.objects.filter(product=shop.product).update(is_offered=False)
    elif how == "cost":
        PlanCost.objects.filter(plan__product=shop.product).delete()
    else:
        empty = factories.price_list(shop.organization, default_rule="")
        PriceListAssignment.objects.filter(account=shop.reseller).update(price_list=empty)


@pytest.mark.parametrize("how", ["discontinued", "unpublished", "plan", "cost", "other list"])
def test_product_that_left_the_list_is_withdrawn_and_the_admins_hear_of_it(kept: Shop, how: str) -> None:
    leave(kept, how)
    task()
    assert state(kept) == "withdrawn"
    payload = {"number": 1, "products": [kept.product.name]}
    assert told("listing.withdrawn") == [(kept.reseller, payload)]
    keep_shops()
    assert len(told("listing.withdrawn")) == 1
    events.process_event(Event.objects.get(name="listing.withdrawn").pk)
    mail = OutgoingMail.objects.get(recipient=kept.reseller_admin.email)
    assert mail.template == "listing_withdrawn"
    assert mail.subject == "1 product was withdrawn from your shop"
    assert (kept.product.name in mail.text, kept.product.name in mail.html) == (True, True)


def test_product_offered_again_is_unlisted_and_never_relisted(kept: Shop) -> None:
    leave(kept, "unpublished")
    keep_shops()
    Product.objects.filter(pk=kept.product.pk).update(is_published=True)
    keep_shops()
    assert state(kept) == "unlisted"


def test_shop_without_a_valid_list_or_plan_rests(kept: Shop) -> None:
    leave(kept, "discontinued")
    type(kept.reseller).objects.filter(pk=kept.reseller.pk).update(edition="free")
    keep_shops()
    assert state(kept) == "listed"
    type(kept.reseller).objects.filter(pk=kept.reseller.pk).update(edition="standard")
    keep_shops()
    assert state(kept) == "withdrawn"


def test_shops_of_others_are_left_alone(kept: Shop) -> None:
    other = factories.account(kept.organization, "reseller")
    type(other).objects.filter(pk=other.pk).update(edition="standard")
    other.refresh_from_db()
    factories.price_list(kept.organization, to=other)
    rule(other)
    list_products(factories.actor(kept.organization, of=other), reseller=other, products=[kept.product])
    leave(kept, "other list")
    keep_shops()
    assert (state(kept), Listing.objects.get(account=other).state) == ("withdrawn", "listed")


def test_changed_cost_is_kept_and_told_once(kept: Shop) -> None:
    PlanCost.objects.update(cost=Decimal("20.00"))
    keep_shops()
    change = CostChange.objects.get()
    assert (change.plan, change.before, change.after) == (kept.plan, Decimal("12.0000"), Decimal("24.0000"))
    assert KnownCost.objects.get().amount == Decimal("24.0000")
    assert told("listing.cost_changed") == [(kept.reseller, {"number": 1, "products": [kept.product.name]})]
    keep_shops()
    assert (CostChange.objects.count(), len(told("listing.cost_changed"))) == (1, 1)
    events.process_event(Event.objects.get(name="listing.cost_changed").pk)
    mail = OutgoingMail.objects.get(recipient=kept.reseller_admin.email)
    assert mail.template == "purchase_prices_changed"


def test_renamed_product_is_sorted_under_its_new_name(kept: Shop) -> None:
    Product.objects.filter(pk=kept.product.pk).update(name="Another name")
    keep_shops()
    assert Listing.objects.get(account=kept.reseller).sort_name == "Another name"


def test_statements_do_not_grow_with_products(kept: Shop) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            keep_shops()
        return len(seen)

    one = count()
    for _number in range(4):
        factories.product(kept.instance)
    keep_shops()
    assert (count(), SellingPolicy.objects.count()) == (one, 1)


def test_catalogue_and_prices_of_a_deleted_site_are_erased(kept: Shop) -> None:
    site = Site.objects.create(
        organization=kept.organization, account=kept.reseller, name="Cedar", alias="cedar", status="suspended"
    )
    Listing.objects.update(picture=keep_picture(kept.reseller, picture()))
    assert (forget_shops(), Listing.objects.count()) == (0, 1)
    Site.objects.filter(pk=site.pk).update(status="deleted")
    task()
    for kind in (Listing, ListingPicture, SellingRule, SellingPolicy):
        assert not kind.objects.exists(), kind
    assert forget_shops() == 0
