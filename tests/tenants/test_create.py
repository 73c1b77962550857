"""Making a reseller Professional: form, steps, failures, holds."""

from decimal import Decimal

import pytest

from catalog.models import AddOnRelation, Plan, PlanCost, PriceList, UpgradeRelation
from catalog.selectors import price_list_of, price_plans
from core.errors import BusinessError, Conflict, PermissionRefused
from core.jobs import Job
from notifications.models import OutgoingMail
from resellers.models import Membership, Organization, Site
from resellers.routing import site_for_host
from resellers.selectors import actor_for
from tenants.enums import TenantStatus
from tenants.models import ProfessionalTenant
from tenants.selectors import source_product, tenants_for
from tenants.services import create, state
from tenants.services.create import make_professional
from tests import factories
from tests.drain import drain
from tests.tenants.professional import form_values, make
from vendors.models import Instance

pytestmark = pytest.mark.django_db


def test_everything_is_made_once(shop):
    addon = factories.product(shop.instance, is_addon=True)
    target = factories.product(shop.instance, cost="20.00")
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=addon)
    UpgradeRelation.objects.create(organization=shop.organization, source=shop.product, target=target)
    pro = make(shop)
    assert (pro.tenant.status, pro.own.name, pro.own.currency) == ("active", "Delta Cloud", "EUR")
    assert (pro.own.time_zone, pro.own.language) == ("Europe/Athens", "en")
    assert site_for_host(pro.tenant.host) == pro.site
    copies = {row.code: row for row in pro.instance.product_types.get().products.all()}
    assert set(copies) == {shop.product.code, addon.code, target.code}
    assert {code: source_product(row) for code, row in copies.items()} == {
        row.code: row for row in (shop.product, addon, target)
    }
    assert not any(row.is_published for row in copies.values())
    relation = AddOnRelation.objects.get(organization=pro.own)
    assert (relation.parent.code, relation.addon.code) == (shop.product.code, addon.code)
    upgrade = UpgradeRelation.objects.get(organization=pro.own)
    assert (upgrade.source.code, upgrade.target.code) == (shop.product.code, target.code)
    assert [row.roles for row in Membership.objects.filter(organization=pro.own)] == [["administrator"]]
    assert [row.recipient for row in OutgoingMail.objects.filter(organization=pro.own)] == ["dora@delta.test"]


def test_prices_of_the_list_are_the_cost(shop):
    pro = make(shop)
    cost = PlanCost.objects.get(organization=pro.own)
    assert (cost.cost, cost.retail, cost.currency) == (Decimal("12.0000"), Decimal("20.0000"), "EUR")
    prices = PriceList.objects.get(organization=pro.own)
    [priced] = price_plans(Plan.objects.filter(organization=pro.own), prices)
    assert (prices.is_default, priced.price.amount) == (True, Decimal("20.00"))
    customer = factories.account(pro.own)
    assert price_list_of(customer) == prices


def test_a_failed_step_says_why_and_is_tried_again(shop, monkeypatch):
    def broken(*args, **values):
        raise BusinessError("broken", "The mail room is closed.")

    monkeypatch.setattr(create, "invite_user", broken)
    tenant = make_professional(shop.staff, account=shop.reseller, values=form_values(shop))
    drain()
    tenant.refresh_from_db()
    assert (tenant.status, tenant.note) == (TenantStatus.FAILED, "The mail room is closed.")
    monkeypatch.undo()
    create.retry_making(shop.staff, tenant=tenant)
    drain()
    tenant.refresh_from_db()
    assert (tenant.status, tenant.note) == (TenantStatus.ACTIVE, "")
    assert Organization.objects.filter(name="Delta Cloud").count() == 1
    assert Instance.objects.filter(organization=tenant.own).count() == 1
    assert Membership.objects.filter(organization=tenant.own).count() == 1


def test_a_killed_run_goes_on(shop, monkeypatch):
    class Killed(BaseException):
        pass

    def die(tenant):
        raise Killed

    tenant = make_professional(shop.staff, account=shop.reseller, values=form_values(shop))
    monkeypatch.setattr(create, "invite_administrator", die)
    with pytest.raises(Killed):
        drain()
    tenant.refresh_from_db()
    assert tenant.status == TenantStatus.PREPARING
    monkeypatch.undo()
    Job.objects.update(claimed_until=None)  # The dead worker's claim is over.
    drain()
    tenant.refresh_from_db()
    assert tenant.status == TenantStatus.ACTIVE
    assert Organization.objects.filter(name="Delta Cloud").count() == 1
    assert Membership.objects.filter(organization=tenant.own).count() == 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"host": "no host"}, "host_invalid"),
        ({"host": "localhost"}, "host_invalid"),
        ({"time_zone": "Mars/Base"}, "time_zone_unknown"),
        ({"language": "xx"}, "language_unknown"),
        ({"licence": "gold"}, "licence_unknown"),
        ({"name": " "}, "text_missing"),
        ({"admin_email": "dora"}, "email_invalid"),
        ({"price_list": None}, "price_list_currency"),
    ],
)
def test_wrong_values_are_refused(shop, values, code):
    with pytest.raises(BusinessError) as caught:
        make_professional(shop.staff, account=shop.reseller, values=form_values(shop, **values))
    assert caught.value.code == code
    assert not ProfessionalTenant.objects.exists()


def test_a_taken_host_is_refused(shop):
    with pytest.raises(BusinessError) as caught:
        make_professional(shop.staff, account=shop.reseller, values=form_values(shop, host=shop.site.host))
    assert caught.value.code == "host_taken"


def test_only_an_administrator_and_only_a_reseller(shop):
    sales = factories.actor(shop.organization, roles=["sales"])
    with pytest.raises(PermissionRefused):
        make_professional(sales, account=shop.reseller, values=form_values(shop))
    with pytest.raises(Conflict) as caught:
        make_professional(shop.staff, account=shop.customer, values=form_values(shop))
    assert caught.value.code == "not_reseller"
    foreign = factories.actor(factories.organization())
    with pytest.raises(PermissionRefused):
        make_professional(foreign, account=shop.reseller, values=form_values(shop))
    make(shop)
    with pytest.raises(Conflict) as caught:
        make_professional(shop.staff, account=shop.reseller, values=form_values(shop, host="other.delta.test"))
    assert caught.value.code == "professional_already"


def test_a_hold_closes_the_site_and_opens_it_again(shop):
    pro = make(shop)
    tenant = state.suspend_tenant(shop.staff, tenant=pro.tenant, reason="has not paid")
    assert (tenant.status, pro.site.status) == (TenantStatus.SUSPENDED, "suspended")
    tenant = state.activate_tenant(shop.staff, tenant=tenant)
    assert (tenant.status, pro.site.status) == (TenantStatus.ACTIVE, "live")
    with pytest.raises(Conflict):
        state.activate_tenant(shop.staff, tenant=tenant)
    tenant = state.mark_deleted(shop.staff, tenant=tenant, reason="has left us")
    assert (tenant.status, Site.objects.get(organization=pro.own).status) == (TenantStatus.DELETED, "closed")


def test_neither_side_sees_the_other(shop):
    pro = make(shop)
    assert list(tenants_for(shop.staff)) == [pro.tenant]
    assert list(tenants_for(pro.staff)) == []
    with pytest.raises(PermissionRefused):
        state.set_options(pro.staff, tenant=pro.tenant, values={"annual_monthly": True})
    user = factories.user(shop.organization)
    assert actor_for(user, pro.site, as_staff=True).is_anonymous


def test_back_ordering_waits_for_going_live(shop):
    pro = make(shop)
    with pytest.raises(BusinessError) as caught:
        state.set_options(shop.staff, tenant=pro.tenant, values={"back_ordering": True})
    assert caught.value.code == "not_live"
