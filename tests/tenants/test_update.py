"""Catalogue updates: what full and partial take over, preview, log, one at a time, every night (check 39)."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from catalog.models import AddOnRelation, Plan, PlanCost, Price, PriceList, Product
from catalog.services.product_types import update_product_type
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.jobs import Job
from resellers.models import Site
from tenants.models import CatalogueUpdate, ProfessionalTenant
from tenants.selectors import updates_for
from tenants.services import update
from tests import factories
from tests.drain import drain
from tests.shop import Shop
from tests.tenants.professional import Professional, make
from vendors.services.instances import fire_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def pro(shop) -> Professional:
    return make(shop)


def run(pro: Professional, mode: str, **values: bool) -> CatalogueUpdate:
    row, job = update.start_update(pro.staff, mode=mode, preview=values.pop("preview", False), **values)
    drain()
    job.refresh_from_db()
    assert job.state == "done", job.error
    row.refresh_from_db()
    return row


def found(row: CatalogueUpdate) -> list[tuple[str, ...]]:
    return [tuple(change[key] for key in ("kind", "product", "plan", "before", "after")) for change in row.changes]


def change_everything(shop: Shop) -> Product:
    """A new product with its add-on relation, another price, a new plan, another name, and one that is gone."""
    PlanCost.objects.filter(plan=shop.plan).update(cost=Decimal("11.00"), retail=Decimal("22.00"))
    old_plan = shop.plan
    yearly = Plan.objects.create(
        organization=shop.organization, product=shop.product, term="P1Y", billing_cycle="annual"
    )
    PlanCost.objects.create(organization=shop.organization, plan=yearly, currency="EUR", cost=100, retail=200)
    addon = factories.product(shop.instance, is_addon=True, name="Audio")
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=addon)
    Product.objects.filter(pk=shop.product.pk).update(name="Renamed")
    assert old_plan != yearly
    return addon


def state_of(pro: Professional) -> list[object]:
    own = {"organization": pro.own}
    return [
        list(Product.objects.filter(**own).order_by("pk").values_list("code", "name", "discontinued_at")),
        list(Plan.objects.filter(**own).order_by("pk").values_list("pk", "is_offered")),
        list(PlanCost.objects.filter(**own).order_by("pk").values_list("plan", "cost")),
        list(Price.objects.filter(**own).order_by("pk").values_list("plan", "value")),
        list(AddOnRelation.objects.filter(**own).order_by("pk").values_list("parent", "addon")),
    ]


def test_nothing_changed_is_nothing_found(pro):
    assert (found(run(pro, "full")), found(run(pro, "partial"))) == ([], [])


def test_partial_touches_purchase_prices_only(shop, pro):
    before = state_of(pro)
    name = shop.product.name
    change_everything(shop)
    row = run(pro, "partial", overwrite_prices=True, overwrite_names=True)
    assert found(row) == [("cost", name, "1 year, billed monthly", "12.00 EUR", "13.20 EUR")]
    assert (row.overwrite_prices, row.overwrite_names, row.counts) == (False, False, {"cost": 1})
    after = state_of(pro)
    assert [before[0], before[1], *before[3:]] == [after[0], after[1], *after[3:]]
    assert after[2][0][1] == Decimal("13.2000")


def test_full_takes_over_all_differences_but_his_words_and_prices(shop, pro):
    name = shop.product.name
    change_everything(shop)
    row = run(pro, "full")
    assert found(row) == [
        ("new", "Audio", "", "", ""),
        ("addon_added", name, "", "", "Audio"),
        ("cost", name, "1 year, billed annually", "", "120.00 EUR"),
        ("cost", name, "1 year, billed monthly", "12.00 EUR", "13.20 EUR"),
        ("cycle_added", name, "1 year, billed annually", "", ""),
        ("price", name, "1 year, billed annually", "", "200.00 EUR"),
    ]
    assert Price.objects.get(plan__term="P1Y", plan__billing_cycle="monthly", plan__product__name=name).value == 20
    assert found(run(pro, "full")) == []


def test_boxes_overwrite_selling_prices_and_names(shop, pro):
    name = shop.product.name
    change_everything(shop)
    changes = found(run(pro, "full", overwrite_prices=True, overwrite_names=True))
    assert ("price", "Renamed", "1 year, billed monthly", "20.00 EUR", "22.00 EUR") in changes
    assert ("name", "Renamed", "", name, "Renamed") in changes


def test_what_left_the_price_list_is_discontinued_and_comes_back(shop, pro):
    Product.objects.filter(pk=shop.product.pk).update(is_published=False)
    assert found(run(pro, "full")) == [
        ("discontinued", shop.product.name, "", "", ""),
    ]
    Product.objects.filter(pk=shop.product.pk).update(is_published=True)
    assert [change["kind"] for change in run(pro, "full").changes] == ["restored"]


def test_preview_tells_the_same_and_changes_nothing(shop, pro):
    change_everything(shop)
    before = state_of(pro)
    seen = run(pro, "full", preview=True, overwrite_names=True)
    assert state_of(pro) == before
    done = run(pro, "full", overwrite_names=True)
    assert seen.changes == done.changes != []
    assert state_of(pro) != before


def test_the_log_says_who_how_and_what(shop, pro):
    PlanCost.objects.filter(plan=shop.plan).update(cost=Decimal("11.00"))
    run(pro, "partial")
    [row] = updates_for(pro.staff)
    assert (row.requested_by, row.mode, row.total, row.is_preview) == ("Dora Delta", "partial", 1, False)
    assert row.finished_at is not None
    entry = AuditEntry.objects.get(action="catalogue.updated")
    assert (entry.organization, entry.after) == (pro.own, {"mode": "partial", "cost": 1})
    assert list(updates_for(shop.staff)) == []


def test_one_run_at_a_time(pro):
    update.start_update(pro.staff, mode="full", preview=True)
    with pytest.raises(Conflict) as caught:
        update.start_update(pro.staff, mode="partial", preview=False)
    assert caught.value.code == "update_running"
    drain()
    update.start_update(pro.staff, mode="partial", preview=False)


def test_a_run_cancelled_before_it_began_stands_in_nobodys_way(pro):
    row, job = update.start_update(pro.staff, mode="full", preview=False)
    Job.objects.filter(pk=job.pk).update(state="cancelled")
    run(pro, "full")
    row.refresh_from_db()
    assert row.error == "Cancelled."


def test_a_run_that_breaks_leaves_nothing_and_says_so(shop, pro, monkeypatch):
    change_everything(shop)
    before = state_of(pro)

    def broken(*args, **values):
        raise RuntimeError

    monkeypatch.setattr("tenants.services.catalogue._selling_prices", broken)
    row, job = update.start_update(pro.staff, mode="full", preview=False)
    drain()
    row.refresh_from_db()
    job.refresh_from_db()
    assert (job.state, row.changes, bool(row.error)) == ("failed", [], True)
    assert state_of(pro) == before


def test_only_where_there_is_something_to_follow(shop, pro):
    with pytest.raises(NotVisible):
        update.start_update(shop.staff, mode="full", preview=False)
    sales = factories.actor(pro.own, roles=["sales"])
    with pytest.raises(PermissionRefused):
        update.start_update(sales, mode="full", preview=False)
    with pytest.raises(BusinessError):
        update.start_update(pro.staff, mode="some", preview=False)
    ProfessionalTenant.objects.update(status="suspended")
    with pytest.raises(Conflict) as caught:
        update.start_update(pro.staff, mode="full", preview=False)
    assert caught.value.code == "not_active"
    assert not CatalogueUpdate.objects.exists()


def test_every_night_the_purchase_prices(shop, pro):
    PlanCost.objects.filter(plan=shop.plan).update(cost=Decimal("11.00"))
    assert update.run_nightly() == 0
    update.set_nightly(pro.staff, is_on=True)
    assert update.run_nightly() == 1
    drain()
    row = CatalogueUpdate.objects.get()
    assert (row.mode, row.requested_by, row.counts) == ("partial", "every night", {"cost": 1})


def test_locks_on_inherited_types(pro):
    kind = pro.instance.product_types.get()
    with pytest.raises(Conflict) as caught:
        update_product_type(pro.staff, product_type=kind, values={"allow_multiple_subscriptions": False})
    assert caught.value.code == "inherited"
    assert update_product_type(pro.staff, product_type=kind, values={"auto_cancel_limit": 5}).auto_cancel_limit == 5
    with pytest.raises(Conflict):
        fire_instance(pro.staff, instance=pro.instance, event="deactivate")


def test_his_own_products_are_left_alone(pro):
    own = factories.product(factories.instance(pro.own))
    before = Product.objects.values_list("updated_at", flat=True).get(pk=own.pk)
    run(pro, "full", overwrite_names=True, overwrite_prices=True)
    assert Product.objects.values_list("updated_at", flat=True).get(pk=own.pk) == before
    assert Product.objects.get(pk=own.pk).discontinued_at is None
    assert not Price.objects.filter(plan__product=own).exists()


def test_cost_of_a_list_that_is_over_does_not_vanish(shop, pro):
    PriceList.objects.filter(pk=pro.tenant.price_list_id).update(valid_to=timezone.localdate() - dt.timedelta(days=1))
    assert found(run(pro, "full")) == []
    assert Site.objects.get(organization=pro.own).status == "live"
