"""What a reseller's shop shows: what he lists, under his names, at his prices, and to whom; what it costs to read."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.selling import page_of, statements
from catalog.models import Category, Listing, ListingState, PriceListAssignment, SellingPolicy, SellingRule
from catalog.selectors import price_list_of
from catalog.shop import SellingBook, shop_window, window_lowest, window_plans, window_products
from resellers.models import Account, Site
from resellers.selectors import actor_for
from tests import factories
from tests.attack.browser import user_of
from tests.catalog.selling import amounts, listing, rule
from tests.shop import Shop, make_shop
from users.models import User

pytestmark = pytest.mark.django_db


def test_price_comes_from_the_purchase_price_by_the_first_rule_found(shop: Shop) -> None:
    assert amounts(shop) == []
    rule(shop.reseller)
    assert amounts(shop) == [Decimal("15.00")]
    rule(shop.reseller, value="40", category=shop.product.category)
    assert amounts(shop) == [Decimal("20.00")]
    rule(shop.reseller, "markup", "50", product=shop.product)
    assert amounts(shop) == [Decimal("18.00")]
    rule(shop.reseller, "amount", "1", customer=shop.end_customer)
    rule(shop.reseller, "fixed", "13.37", customer=shop.end_customer, plan=shop.plan)
    assert amounts(shop) == [Decimal("18.00")]
    assert amounts(shop, shop.end_customer) == [Decimal("13.37")]
    assert amounts(shop, shop.affiliate) == [Decimal("18.00")]


def test_rule_counts_from_its_day_and_the_latest_one_wins(shop: Shop, still_clock: Any) -> None:
    still_clock(dt.datetime(2030, 5, 1, 12, tzinfo=dt.UTC))
    rule(shop.reseller, value="20", valid_from=dt.date(2030, 4, 1))
    rule(shop.reseller, value="40", valid_from=dt.date(2030, 5, 2))
    assert amounts(shop) == [Decimal("15.00")]
    still_clock(dt.datetime(2030, 5, 2, 12, tzinfo=dt.UTC))
    assert amounts(shop) == [Decimal("20.00")]


def test_category_rule_follows_the_shelf_the_reseller_chose(shop: Shop) -> None:
    other = Category.objects.create(organization=shop.organization, name="Mail", slug="mail")
    rule(shop.reseller, value="40", category=other)
    assert amounts(shop) == []
    listing(shop.reseller, shop.product, category=other)
    assert amounts(shop) == [Decimal("20.00")]


def test_policy_rounds(shop: Shop) -> None:
    rule(shop.reseller, value="30")
    assert amounts(shop) == [Decimal("17.14")]
    SellingPolicy.objects.create(organization=shop.organization, account=shop.reseller, rounding=".99")
    assert amounts(shop) == [Decimal("17.99")]


def test_rules_of_another_reseller_price_nothing(shop: Shop) -> None:
    other = make_shop()
    rule(other.reseller, value="50")
    assert amounts(shop) == []
    prices = price_list_of(shop.reseller)
    assert prices is not None
    with pytest.raises(ValueError, match="another account"):
        SellingBook.load(shop.reseller, [], price_list=prices, customer=other.end_customer)


def test_what_is_the_resellers_own_is_seen_by_his_users_alone(shop: Shop) -> None:
    mine, theirs = rule(shop.reseller), listing(shop.reseller, shop.product)
    policy = SellingPolicy.objects.create(organization=shop.organization, account=shop.reseller)
    rival = factories.account(shop.organization, "reseller")
    rows = ((SellingRule, mine), (Listing, theirs), (SellingPolicy, policy))
    others = (
        shop.staff,
        shop.customer_admin,
        factories.actor(shop.organization, of=rival),
        factories.actor(shop.organization, of=shop.end_customer),
    )
    for model, row in rows:
        assert list(model.objects.visible_to(shop.reseller_admin)) == [row]
        assert [list(model.objects.visible_to(actor)) for actor in others] == [[], [], [], []]


def test_shop_shows_what_is_listed_in_the_resellers_order_and_words(shop: Shop, at_site: Site, client: Any) -> None:
    rule(shop.reseller)
    first = factories.product(shop.instance, name="Aardvark")
    second = factories.product(shop.instance, name="Zebra")
    factories.product(shop.instance, name="Nobody lists me")
    withdrawn = factories.product(shop.instance, name="Gone away")
    listing(shop.reseller, withdrawn, ListingState.WITHDRAWN)
    listing(shop.reseller, first, name="Mighty Mail", summary="Ours")
    listing(shop.reseller, second, position=1)
    response = client.get(reverse("storefront:product_list"))
    tiles = response.context["tiles"]
    assert [tile["product"].name for tile in tiles] == ["Zebra", "Mighty Mail"]
    assert [tile["from"].price.amount for tile in tiles] == [Decimal("15.00")] * 2
    body = response.content.decode()
    assert "Aardvark" not in body
    assert "12.00" not in body
    found = client.get(reverse("storefront:product_list"), {"q": "mighty"})
    assert [tile["product"].pk for tile in found.context["tiles"]] == [first.pk]
    detail = client.get(reverse("storefront:product_detail", args=[first.public_id]))
    assert detail.context["product"].name == "Mighty Mail"
    assert "12.00" not in detail.content.decode()
    gone = client.get(reverse("storefront:product_detail", args=[withdrawn.public_id]))
    assert gone.status_code == 404


def test_pages_follow_each_other_in_the_shops_order(shop: Shop, at_site: Site, client: Any) -> None:
    rule(shop.reseller)
    for number in range(30):
        row = factories.product(shop.instance, name=f"Same {number % 3}")
        listing(shop.reseller, row, position=number % 2)
    first = client.get(reverse("storefront:product_list"))
    second = client.get(reverse("storefront:product_list"), {"after": first.context["next"]})
    shown = [tile["product"] for tile in [*first.context["tiles"], *second.context["tiles"]]]
    assert [len(first.context["tiles"]), len(second.context["tiles"]), second.context["next"]] == [24, 6, ""]
    keys = [(row.listing.position, row.listing.sort_name, row.pk) for row in shown]
    assert keys == sorted(keys)
    assert len(set(keys)) == 30


def test_who_sees_which_price(shop: Shop, site: Site) -> None:
    rule(shop.reseller)
    listing(shop.reseller, shop.product)
    rival = factories.account(shop.organization, "reseller")

    def seen(account: Account | None, roles: list[str] | None = None, *, staff: bool = False) -> list[Any]:
        nobody = AnonymousUser()
        who = factories.user(shop.organization, of=account, roles=roles) if account or staff else nobody
        actor = actor_for(who, site, as_staff=staff)
        window = shop_window(actor, site, account)
        plans = window_plans(window, list(window_products(actor, window)))[shop.product.pk]
        return [(item.price.amount, item.cost, item.margin) for item in plans]

    sold, cost = Decimal("15.00"), Decimal("12.00")
    assert seen(shop.reseller) == [(sold, cost, Decimal("20.0"))]
    assert seen(shop.reseller, ["cloud_administrator"]) == [(sold, None, None)]
    assert seen(shop.end_customer) == [(sold, None, None)]
    assert seen(None) == [(sold, None, None)]
    assert seen(None, staff=True) == [(sold, None, None)]  # At a reseller's site an employee is a stranger.
    # Strangers here are as visitors.
    assert seen(rival) == seen(shop.customer) == [(sold, None, None)]
    site.anonymous_prices = False
    assert seen(None) == []
    shop.reseller.edition = "free"
    site.account = shop.reseller
    assert [seen(shop.reseller), seen(shop.end_customer)] == [[], []]


def test_end_customer_sees_his_own_price_and_no_cost(shop: Shop, at_site: Site) -> None:
    rule(shop.reseller)
    rule(shop.reseller, value="50", customer=shop.end_customer)
    listing(shop.reseller, shop.product)
    user, client = user_of(shop, shop.end_customer)
    User.objects.filter(pk=user.pk).update(realm=at_site.public_id)
    body = client.get(reverse("storefront:product_detail", args=[shop.product.public_id])).content.decode()
    assert "24.00" in body
    assert [text for text in ("12.00", "15.00", shop.organization.name) if text in body] == []


@pytest.mark.parametrize("page", ["home", "product_list"])
def test_statements_do_not_grow_with_products_and_rules(shop: Shop, at_site: Site, client: Any, page: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get(reverse(f"storefront:{page}"))
        return len(seen)

    rule(shop.reseller)
    listing(shop.reseller, shop.product)
    count()
    one = count()
    for _number in range(5):
        row = factories.product(shop.instance)
        listing(shop.reseller, row, category=row.category)
        rule(shop.reseller, product=row)
    assert count() == one


def buys_from_the_same_list(shop: Shop, account: Account) -> None:
    """The account has the price list that the shop's reseller has."""
    values = {"organization": shop.organization, "price_list": price_list_of(shop.reseller)}
    PriceListAssignment.objects.get_or_create(account=account, defaults=values)


def test_catalogue_page_takes_one_statement_more_than_the_distributors(shop: Shop, site: Site, settings: Any) -> None:
    settings.BRIEF_SECONDS = 60
    settings.CLOCK_MOVABLE = False
    rule(shop.reseller)
    listing(shop.reseller, shop.product)
    shop.site.anonymous_access = shop.site.anonymous_prices = True
    factories.price_list(shop.organization, is_default=True)
    buys_from_the_same_list(shop, shop.reseller)

    def stated(at: Site) -> int:
        page = page_of(at)
        page()
        return statements(page)

    assert (stated(shop.site), stated(site)) == (4, 5)


def test_a_changed_rule_or_setting_shows_on_the_next_page_and_nowhere_else(shop: Shop, site: Site) -> None:
    def tile(at: Site) -> list[Any]:
        actor = actor_for(AnonymousUser(), at, as_staff=False)
        window = shop_window(actor, at, None)
        shown = window_lowest(window, list(window_products(actor, window)))
        return [item and item.price.amount for item in shown.values()]

    rival = factories.account(shop.organization, "reseller")
    rival.edition = "standard"
    other = Site.objects.create(organization=shop.organization, account=rival, name="Rival", anonymous_prices=True)
    buys_from_the_same_list(shop, rival)
    made = rule(shop.reseller)
    for account in (shop.reseller, rival):
        listing(account, shop.product)
    assert (tile(site), tile(other)) == ([Decimal("15.00")], [None])
    made.value = Decimal(40)
    made.save()
    rule(rival, "markup", "50")
    assert (tile(site), tile(other)) == ([Decimal("20.00")], [Decimal("18.00")])
    SellingPolicy.objects.create(organization=shop.organization, account=rival, rounding=".99")
    assert (tile(site), tile(other)) == ([Decimal("20.00")], [Decimal("18.99")])
