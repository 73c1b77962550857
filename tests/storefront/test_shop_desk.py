"""The pages of a reseller's shop: his catalogue, rules, effect and to-dos; nobody else's."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import CostChange, Listing, PlanCost, SellingPolicy, SellingRule
from catalog.selectors import price_list_of
from core import clock
from tests import factories
from tests.attack.browser import user_of
from tests.catalog.conftest import made_shop  # noqa: F401 - the fixture
from tests.catalog.selling import listing, rule
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(shop: Shop) -> Client:
    """The reseller's Admin."""
    return user_of(shop, shop.reseller)[1]


def test_catalogue_counts_and_prices(shop: Shop, browser: Client) -> None:
    rule(shop.reseller)
    other = factories.product(shop.instance, name="Other", is_new=False)
    listing(shop.reseller, shop.product, name="Mine")
    listing(shop.reseller, other, "withdrawn")
    response = browser.get(reverse("storefront:shop_catalogue"))
    assert [(str(words), number) for words, number, _url, _now in response.context["groups"]] == [
        ("All products", 2),
        ("New", 1),
        ("Listed", 1),
        ("Unlisted", 0),
        ("Withdrawn", 1),
    ]
    body = response.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert [text for text in ("Mine", "12.00 EUR", "15.00 EUR", "20.0 %", "Withdrawn") if text not in body] == []
    found = browser.get(reverse("storefront:shop_catalogue"), {"show": "listed"})
    assert [row.pk for row in found.context["window"].rows] == [shop.product.pk]
    file = browser.get(reverse("storefront:shop_catalogue"), {"format": "csv"})
    assert "15.00" in b"".join(file.streaming_content).decode()


def test_catalogue_reads_the_same_statements_for_one_and_for_many(shop: Shop, browser: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get(reverse("storefront:shop_catalogue"))
        return len(seen)

    rule(shop.reseller)
    count()
    one = count()
    for _number in range(4):
        rule(shop.reseller, product=factories.product(shop.instance))
    assert count() == one


def test_bulk_lists_ticked_and_all_found(shop: Shop, browser: Client) -> None:
    rule(shop.reseller)
    other = factories.product(shop.instance, name="Unpriced")
    PlanCost.objects.filter(plan__product=other).delete()
    url = reverse("storefront:shop_catalogue")
    body = browser.post(url, {"action": "list", "row": str(shop.product.public_id)}, follow=True).content.decode()
    assert "1 product changed." in body
    assert list(Listing.objects.values_list("product", "state")) == [(shop.product.pk, "listed")]
    body = browser.post(url, {"action": "list_all"}, follow=True).content.decode()
    assert "Unpriced: No purchase price in your price list." in body
    browser.post(url + "?show=listed", {"action": "unlist_all"})
    assert list(Listing.objects.values_list("state", flat=True)) == ["unlisted"]


def test_product_page_saves_words_and_lists(shop: Shop, browser: Client) -> None:
    rule(shop.reseller)
    url = reverse("storefront:shop_product", args=[shop.product.public_id])
    assert "Purchase price: 12.00 EUR per unit" in browser.get(url).content.decode()
    assert browser.post(url, {"name": "Mine", "position": "5"}).status_code == 302
    assert Listing.objects.get().sort_name == "Mine"
    browser.post(reverse("storefront:shop_product_state", args=[shop.product.public_id, "list"]))
    assert Listing.objects.get().state == "listed"
    browser.post(reverse("storefront:shop_product_state", args=[shop.product.public_id, "unlist"]))
    assert Listing.objects.get().state == "unlisted"


def test_rule_is_warned_about_ticked_and_saved(shop: Shop, browser: Client) -> None:
    url = reverse("storefront:shop_rule_new") + f"?product={shop.product.public_id}"
    given = {"kind": "fixed", "value": "9", "plan": str(shop.plan.public_id)}
    response = browser.post(url, given)
    assert response.status_code == 400
    assert "25 % below your purchase price." in response.content.decode()
    assert not SellingRule.objects.exists()
    assert browser.post(url, given | {"accepted": "below_cost"}).status_code == 302
    row = SellingRule.objects.get()
    assert (row.plan, row.value, row.account) == (shop.plan, Decimal(9), shop.reseller)
    edit = reverse("storefront:shop_rule_edit", args=[row.public_id])
    assert browser.get(edit).status_code == 200
    assert browser.post(edit, {"kind": "fixed", "value": "13"}).status_code == 302
    assert SellingRule.objects.get().value == Decimal(13)
    assert "Fixed price 13.00 EUR" in browser.get(reverse("storefront:shop_rules")).content.decode()
    browser.post(reverse("storefront:shop_rule_delete", args=[row.public_id]))
    assert not SellingRule.objects.exists()


def test_effect_of_a_rule_is_told_while_typing(shop: Shop, browser: Client) -> None:
    rule(shop.reseller)
    url = reverse("storefront:shop_rule_new")
    body = browser.post(url, {"kind": "margin", "value": "40"}, headers={"HX-Request": "true"}).content.decode()
    assert ("Go up" in body, SellingRule.objects.count()) == (True, 1)
    page = browser.get(reverse("storefront:shop_effect"), {"kind": "margin", "value": "40"})
    assert [(line.before.amount, line.after.amount) for line in page.context["page_of"]] == [
        (Decimal("15.00"), Decimal("20.00"))
    ]


def test_policy_is_saved(shop: Shop, browser: Client) -> None:
    url = reverse("storefront:shop_policy")
    given = {"rounding": ".99", "rounding_way": "up", "floor": "5", "cost_mode": "review", "fixed_keeps": "margin"}
    assert browser.get(url).status_code == 200
    assert browser.post(url, given).status_code == 302
    row = SellingPolicy.objects.get()
    assert (row.rounding, row.floor, row.cost_mode, row.fixed_keeps) == (".99", 5, "review", "margin")


def test_todo_shows_changes_until_they_are_seen(shop: Shop, browser: Client) -> None:
    url = reverse("storefront:shop_todo")
    assert "Nothing to do" in browser.get(url).content.decode()
    listing(shop.reseller, shop.product)
    rule(shop.reseller, "fixed", "15", plan=shop.plan, cost_seen=Decimal(10))
    change = CostChange.objects.create(
        organization=shop.organization,
        price_list=price_list_of(shop.reseller),
        plan=shop.plan,
        before=Decimal(10),
        after=Decimal(12),
        seen_at=clock.now(),
    )
    response = browser.get(url)
    assert (list(response.context["page_of"]), len(response.context["stale"])) == ([change], 1)
    assert browser.post(url, {"newest": response.context["newest"]}).status_code == 302
    assert list(browser.get(url).context["page_of"]) == []


NAMES = ("shop_catalogue", "shop_rules", "shop_rule_new", "shop_effect", "shop_policy", "shop_todo")


def test_pages_are_for_a_standard_resellers_managers_alone(shop: Shop) -> None:
    def seen(account: Any, *roles: str) -> set[int]:
        client = user_of(shop, account, *roles)[1]
        return {client.get(reverse(f"storefront:{name}")).status_code for name in NAMES}

    assert seen(shop.reseller) == {200}
    assert seen(shop.reseller, "my_storefront_manager") == {200}
    assert seen(shop.reseller, "buyer") == {403}
    assert seen(shop.end_customer) == {403}
    assert seen(shop.customer) == {403}
    type(shop.reseller).objects.filter(pk=shop.reseller.pk).update(edition="free")
    assert seen(shop.reseller) == {403}


def test_another_resellers_rule_is_not_there(shop: Shop, browser: Client) -> None:
    rival = factories.account(shop.organization, "reseller")
    foreign = rule(rival, valid_from=dt.date(2020, 1, 1))
    for name in ("shop_rule_edit", "shop_rule_delete"):
        url = reverse(f"storefront:{name}", args=[foreign.public_id])
        assert [browser.get(url).status_code, browser.post(url, {"kind": "margin", "value": "1"}).status_code] == [
            404,
            404,
        ]
    assert SellingRule.objects.get().value == Decimal(20)
