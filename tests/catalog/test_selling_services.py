"""Listing, rules and policy through the services: what is refused, warned about, replaced and written down."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import LISTING_MACHINE, Category, Listing, PlanCost, SellingPolicy, SellingRule
from catalog.services.listings import list_products, save_listing, unlist_products
from catalog.services.selling import RuleDraft, delete_rule, preview_rule, save_policy, save_rule
from core.audit import AuditEntry
from core.errors import BusinessError, NotVisible, PermissionRefused
from tests import factories
from tests.catalog.selling import amounts, listing, rule
from tests.shop import Shop, make_shop

pytestmark = pytest.mark.django_db


def draft(kind: str = "margin", value: str = "20", **scope: Any) -> RuleDraft:
    """A rule as typed."""
    return RuleDraft(kind, Decimal(value), **scope)


def states(shop: Shop) -> list[tuple[str, str]]:
    """The reseller's listings, by name."""
    return list(Listing.objects.filter(account=shop.reseller).order_by("sort_name").values_list("sort_name", "state"))


def test_listing_needs_purchase_and_selling_price(shop: Shop) -> None:
    unpriced = factories.product(shop.instance, name="Unpriced")
    PlanCost.objects.filter(plan__product=unpriced).delete()
    products = [shop.product, unpriced]
    found = list_products(shop.reseller_admin, reseller=shop.reseller, products=products)
    assert (found.done, {row.pk: words for row, words in found.refused}) == (
        0,
        {
            shop.product.pk: "No selling price: make a price rule for it, or one for the whole shop.",
            unpriced.pk: "No purchase price in your price list.",
        },
    )
    assert states(shop) == []
    rule(shop.reseller)
    found = list_products(shop.reseller_admin, reseller=shop.reseller, products=products)
    assert (found.done, [row.name for row, _words in found.refused]) == (1, ["Unpriced"])
    assert states(shop) == [(shop.product.name, "listed")]
    assert list_products(shop.reseller_admin, reseller=shop.reseller, products=products).done == 0
    assert unlist_products(shop.reseller_admin, reseller=shop.reseller, products=products).done == 1
    assert states(shop) == [(shop.product.name, "unlisted")]
    entries = AuditEntry.objects.filter(action__startswith="listing.").order_by("id")
    assert list(entries.values_list("action", "after")) == [
        ("listing.listed", {"number": 1, "products": shop.product.name}),
        ("listing.unlisted", {"number": 1, "products": shop.product.name}),
    ]


def test_withdrawn_product_is_not_listed_by_hand(shop: Shop) -> None:
    rule(shop.reseller)
    listing(shop.reseller, shop.product, "withdrawn")
    found = list_products(shop.reseller_admin, reseller=shop.reseller, products=[shop.product])
    assert found.done == 0
    assert [words for _row, words in found.refused] == [
        "The product was withdrawn; it can be listed when it is offered again."
    ]
    assert states(shop) == [(shop.product.name, "withdrawn")]


def test_statements_of_bulk_listing_do_not_grow(shop: Shop) -> None:
    rule(shop.reseller)
    SellingPolicy.objects.create(organization=shop.organization, account=shop.reseller)

    def count(number: int) -> int:
        products = [factories.product(shop.instance) for _number in range(number)]
        with CaptureQueriesContext(connection) as seen:
            assert list_products(shop.reseller_admin, reseller=shop.reseller, products=products).done == number
        return len(seen)

    count(1)  # The first time also finds out what the later ones know.
    assert count(1) == count(3)


@pytest.mark.parametrize("edition", ["basic", "free"])
def test_shop_belongs_to_editions_that_have_one(shop: Shop, edition: str) -> None:
    shop.reseller.edition = edition
    with pytest.raises(PermissionRefused) as caught:
        save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft())
    assert caught.value.code == "edition_required"
    assert not SellingRule.objects.exists()


def test_nobody_else_touches_the_shop(shop: Shop) -> None:
    rival = make_shop()
    buyer = factories.actor(shop.organization, of=shop.reseller, roles=["buyer"])
    for actor in (shop.staff, shop.customer_admin, rival.reseller_admin, buyer):
        with pytest.raises(PermissionRefused):
            save_rule(actor, reseller=shop.reseller, draft=draft())
        with pytest.raises(PermissionRefused):
            list_products(actor, reseller=shop.reseller, products=[shop.product])
        with pytest.raises(PermissionRefused):
            save_policy(actor, reseller=shop.reseller, values={"floor": Decimal(5)})
    assert (SellingRule.objects.count(), Listing.objects.count(), SellingPolicy.objects.count()) == (0, 0, 0)


def test_rules_name_only_what_is_the_resellers(shop: Shop) -> None:
    other = make_shop()
    for scope in ({"customer": other.end_customer}, {"product": other.product}, {"customer": shop.customer}):
        with pytest.raises(NotVisible):
            save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft(**scope))
    foreign = rule(other.reseller)
    with pytest.raises(NotVisible):
        delete_rule(shop.reseller_admin, reseller=shop.reseller, rule=foreign)
    assert list(SellingRule.objects.all()) == [foreign]


def test_below_cost_saves_only_with_the_tick_and_the_audit_says_the_percentage(shop: Shop) -> None:
    PlanCost.objects.update(cost=Decimal("8.3333"))
    cheap = draft("fixed", "9.00", plan=shop.plan)
    with pytest.raises(BusinessError) as caught:
        save_rule(shop.reseller_admin, reseller=shop.reseller, draft=cheap)
    assert (caught.value.code, str(caught.value.message)) == (
        "price_warning",
        "10 % below your purchase price. Tick it to save all the same.",
    )
    assert not SellingRule.objects.exists()
    row = save_rule(shop.reseller_admin, reseller=shop.reseller, draft=cheap, accepted=["below_cost"])
    assert (row.value, row.cost_seen, row.currency, amounts(shop)) == (9, 10, "EUR", [Decimal("9.00")])
    entry = AuditEntry.objects.get(action="selling_rule.saved")
    assert entry.after["warnings"] == "10 % below your purchase price."
    assert (entry.account, "9.00" in str(entry.after)) == (shop.reseller, False)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("markup", "1000.01", "rule_value"),
        ("margin", "100", "rule_value"),
        ("amount", "-1", "rule_value"),
        ("fixed", "1", "fixed_of_plan"),
        ("gift", "1", "rule_kind"),
    ],
)
def test_values_out_of_range_are_refused(shop: Shop, kind: str, value: str, code: str) -> None:
    with pytest.raises(BusinessError) as caught:
        save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft(kind, value), accepted=["typing"])
    assert (caught.value.code, SellingRule.objects.exists()) == (code, False)


def test_metered_products_take_percentages_only(shop: Shop) -> None:
    metered = factories.product(shop.instance, charge_type="recurring_pay_per_use")
    with pytest.raises(BusinessError) as caught:
        save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft("amount", "1", product=metered))
    assert caught.value.code == "metered_percent"


def test_new_rule_replaces_the_old_one_and_a_future_one_waits(shop: Shop, still_clock: Any) -> None:
    still_clock(dt.datetime(2030, 5, 1, 12, tzinfo=dt.UTC))
    save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft(value="20"))
    later = draft(value="40", valid_from=dt.date(2030, 6, 1))
    save_rule(shop.reseller_admin, reseller=shop.reseller, draft=later)
    assert amounts(shop) == [Decimal("15.00")]
    still_clock(dt.datetime(2030, 5, 20, 12, tzinfo=dt.UTC))
    save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft(value="25"))
    assert list(SellingRule.objects.order_by("valid_from").values_list("value", "valid_from")) == [
        (Decimal(25), dt.date(2030, 5, 20)),
        (Decimal(40), dt.date(2030, 6, 1)),
    ]
    still_clock(dt.datetime(2030, 6, 1, 12, tzinfo=dt.UTC))
    assert amounts(shop) == [Decimal("20.00")]
    delete_rule(shop.reseller_admin, reseller=shop.reseller, rule=SellingRule.objects.get(value=40))
    assert (SellingRule.objects.count(), amounts(shop)) == (0, [])


def test_preview_counts_what_the_rule_decides(shop: Shop) -> None:
    save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft(value="20"))
    same = factories.product(shop.instance, cost="100")
    save_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft("markup", "5", product=same))
    save_policy(shop.reseller_admin, reseller=shop.reseller, values={"floor": Decimal(15)})
    found = preview_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft("margin", "10"))
    assert (found.plans, found.up, found.down, found.new) == (1, 0, 1, 0)
    assert [(warn.code, warn.message) for warn in found.warnings] == [
        ("under_floor", "The margin of 10 % is under your floor of 15 %.")
    ]
    third = factories.product(shop.instance, cost="50")
    found = preview_rule(shop.reseller_admin, reseller=shop.reseller, draft=draft("margin", "10"))
    assert [warn.message for warn in found.warnings] == [
        "2 prices, the worst: The margin of 10 % is under your floor of 15 %."
    ]
    assert third.pk


def test_overrides_keep_the_state_and_the_order_by_name(shop: Shop) -> None:
    mail = Category.objects.create(organization=shop.organization, name="Mail", slug="mail")
    values = {"name": "Mighty Mail", "summary": "Ours", "category": mail, "position": 3}
    row = save_listing(shop.reseller_admin, reseller=shop.reseller, product=shop.product, values=values)
    assert (row.state, row.sort_name, row.category, row.position) == ("unlisted", "Mighty Mail", mail, 3)
    row = save_listing(shop.reseller_admin, reseller=shop.reseller, product=shop.product, values={"name": ""})
    assert (row.sort_name, row.summary) == (shop.product.name, "Ours")


def test_every_event_of_a_listing_has_one_source_for_bulk() -> None:
    sources = [event for _state, event in LISTING_MACHINE.transitions]
    assert [sources.count(event) for event in ("list", "unlist", "offer_again")] == [1, 1, 1]
