"""What a reseller calls a product is what his customer reads: in the shop, on orders, services, mails and files."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Listing
from core.events import Event
from notifications.models import OutgoingMail
from notifications.services import events
from orders.models import OrderLine
from orders.services.approve import approve_order, cost_today
from orders.services.renew import renewal_leg
from resellers.enums import PurchaseMode
from subscriptions.models import Asset, Subscription
from tests import factories
from tests.legs.running import make_running
from tests.legs.test_leaks import addresses, browser_of, fill, texts_of
from tests.legs.world import HIS, THEIRS, World, basket_of, make_named_world, order_of
from tests.storefront.services import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_named_world()


def test_no_page_or_file_of_a_customer_says_the_distributors_name(world):
    ids = fill(world)
    asset = Asset.objects.get(public_id=ids["asset"])
    Asset.objects.filter(pk=asset.pk).update(sell_terms={"name": HIS}, name=THEIRS)
    basket_of(world, quantity=2)
    client = browser_of(world, world.customer)
    seen, found = 0, []
    for address in addresses(world, ids):
        for query in ("", "?format=csv", "?format=xlsx"):
            response = client.get(address + query)
            if response.status_code == 200:
                text = texts_of(response)
                seen += HIS in text
                found += [address + query] if THEIRS in text else []
    assert sorted({address.partition("?")[0] for address in found}) == []
    assert seen > 10


def test_name_is_frozen_on_the_line_and_kept_at_the_renewal(world):
    row = make_running(world, with_addon=False)
    line = OrderLine.objects.get(subscription=row)
    assert (line.product_name, line.sell_terms["name"], row.name, row.sell_terms["name"]) == (THEIRS, HIS, THEIRS, HIS)
    Listing.objects.update(name="Cedar Desk")
    world.extra.clear()
    price, terms = renewal_leg(Subscription.objects.get(pk=row.pk), row.plan)
    assert (price, terms["name"]) == (Decimal("99.00"), HIS)
    text = text_of(
        browser_of(world, world.customer).get(reverse("storefront:subscription_detail", args=[row.public_id]))
    )
    assert HIS in text


def test_list_is_searched_and_sorted_by_what_the_customer_reads(world):
    make_running(world, with_addon=False)
    Listing.objects.update(name="Anchor")
    make_running(world, with_addon=False)
    client = browser_of(world, world.customer)
    url = reverse("storefront:subscription_list")

    def names(**query: str) -> list[str]:
        return [row.sold_name for row in client.get(url, query).context["window"].rows]

    assert names(sort="sold_name") == ["Anchor", HIS]
    assert names(sort="-sold_name") == [HIS, "Anchor"]
    assert (names(q="Anchor"), names(q="Zircon")) == (["Anchor"], [])
    first = client.get(url, {"sort": "sold_name", "size": "25"}).context["window"].rows
    assert len(first) == 2
    reseller = browser_of(world, world.shop.reseller).get(url, {"q": "Zircon", "sort": "name"})
    assert [row.name for row in reseller.context["window"].rows] == [THEIRS, THEIRS]


def test_mails_to_the_customer_say_his_resellers_name(world):
    order = order_of(world)
    approve_order(world.decider, order=order, seen_total=cost_today(order).gross)
    for event in Event.objects.order_by("id"):
        events.process_event(event.pk)
    reseller = {world.decider.email, world.shop.reseller.email}
    told = 0
    for mail in OutgoingMail.objects.filter(account=world.customer).exclude(recipient__in=reseller):
        if mail.template == "order_for_manager":
            continue
        whole = f"{mail.subject}\n{mail.text}\n{mail.html}"
        assert THEIRS not in whole, mail.template
        told += HIS in whole
    assert told >= 2


def test_distributor_and_reseller_read_the_distributors_name(world):
    row = make_running(world, with_addon=False)
    page = browser_of(world, world.shop.reseller).get(reverse("storefront:subscription_detail", args=[row.public_id]))
    assert THEIRS in text_of(page)
    licence = factories.asset(
        world.shop.product, account=world.customer, purchase_mode=PurchaseMode.END_CUSTOMER, sell_terms={"name": HIS}
    )
    page = browser_of(world, world.shop.reseller).get(reverse("storefront:asset_detail", args=[licence.public_id]))
    assert HIS not in text_of(page)


def test_names_take_no_statement_of_their_own(world):
    client = browser_of(world, world.customer)
    basket_of(world, quantity=2)

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("storefront:basket"))
        return len(seen)

    count()
    named = count()
    Listing.objects.update(name="")
    assert count() == named
