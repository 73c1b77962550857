"""Who sees what: staff, customer, reseller, anonymous, system; and what is foreign does not exist."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import ForeignKey

from core.errors import BusinessError, PermissionRefused
from core.tenancy import Actor, ActorKind, TenantOwned, perms_of, system_actor
from orders.models import Order
from resellers.models import Account
from tests import factories
from tests.shop import Shop, fill_basket, make_shop, place
from users.permissions import (
    BSS_PERMS,
    RESELLER_ONLY,
    SHOP_PERMS,
    Perm,
    StaffRole,
    StorefrontRole,
    staff_perms,
    storefront_perms,
)

ANONYMOUS = Actor(ActorKind.ANONYMOUS)


def seen(actor: Actor) -> set[int]:
    return set(Account.objects.visible_to(actor).values_list("pk", flat=True))


def test_staff_see_their_organization_and_no_other(shop: Shop):
    other = make_shop()
    ours = {shop.customer.pk, shop.reseller.pk, shop.end_customer.pk, shop.affiliate.pk}
    assert seen(shop.staff) == ours
    assert seen(other.staff) & ours == set()


def test_customer_sees_himself_and_a_reseller_also_whom_he_pays_for(shop: Shop):
    end_customer = factories.actor(shop.organization, of=shop.end_customer)
    assert seen(shop.customer_admin) == {shop.customer.pk}
    assert seen(shop.reseller_admin) == {shop.reseller.pk, shop.end_customer.pk, shop.affiliate.pk}
    assert seen(end_customer) == {shop.end_customer.pk}


def test_anonymous_sees_nothing(shop: Shop):
    assert seen(ANONYMOUS) == set()
    assert seen(Actor(ActorKind.ANONYMOUS, organization_id=shop.organization.pk)) == set()


def test_system_sees_one_organization_or_all(shop: Shop):
    other = make_shop()
    assert seen(system_actor(shop.organization.pk)) == seen(shop.staff)
    assert seen(system_actor(None)) == seen(shop.staff) | seen(other.staff)


def test_customer_without_an_account_sees_nothing(shop: Shop):
    actor = Actor(ActorKind.CUSTOMER, organization_id=shop.organization.pk, sells=True)
    assert seen(actor) == set()


def test_foreign_missing_and_malformed_are_all_the_same(shop: Shop):
    other = make_shop()
    assert Account.objects.get_visible(shop.staff, shop.customer.public_id) == shop.customer
    assert Account.objects.get_visible(shop.staff, other.customer.public_id) is None
    assert Account.objects.get_visible(shop.staff, uuid4()) is None
    assert Account.objects.get_visible(shop.staff, "../../etc") is None
    assert Account.objects.get_visible(shop.customer_admin, shop.reseller.public_id) is None


def test_orders_follow_the_account(shop: Shop):
    own = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    assert set(Order.objects.visible_to(shop.customer_admin)) == {own}
    assert set(Order.objects.visible_to(shop.reseller_admin)) == set()
    assert set(Order.objects.visible_to(shop.staff)) == {own}
    assert set(Order.objects.visible_to(make_shop().staff)) == set()


def tenant_models() -> list[type[TenantOwned]]:
    models = [model for model in apps.get_models() if model.__module__.split(".")[0] in settings.LOCAL_APPS]
    return [model for model in models if issubclass(model, TenantOwned)]


@pytest.mark.django_db
@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)
def test_every_model_answers_every_kind_of_actor(model: type[TenantOwned]):
    # An empty database is enough: a wrong path to the account fails when the statement is built.
    row = factories.organization()
    customer = Actor(ActorKind.CUSTOMER, organization_id=row.pk, account_id=1)
    reseller = Actor(ActorKind.CUSTOMER, organization_id=row.pk, account_id=1, sells=True)
    for actor in (customer, reseller, ANONYMOUS):
        assert model._default_manager.visible_to(actor).count() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)
def test_path_to_the_account_ends_at_an_account(model: type[TenantOwned]):
    path = model.tenant_account
    if path is None or path == "pk":
        assert path is None or model is Account
        return
    target = model
    for part in path.split("__"):
        field = target._meta.get_field(part)
        assert isinstance(field, ForeignKey)
        target = field.related_model  # type: ignore[assignment]
    assert target is Account


def test_permission_is_asked_for(shop: Shop):
    reader = factories.actor(shop.organization, roles=[StaffRole.READ_ONLY.value])
    reader.require(Perm.BSS_VIEW)
    with pytest.raises(PermissionRefused):
        reader.require(Perm.OPERATION_ACT)
    system_actor(shop.organization.pk).require(Perm.OPERATION_ACT)
    with pytest.raises(PermissionRefused):
        ANONYMOUS.require(Perm.SHOP_VIEW)


def test_actor_reaches_exactly_the_accounts_he_sees(shop: Shop):
    other = make_shop()
    accounts = list(Account.objects.all())
    lost = Actor(ActorKind.CUSTOMER, organization_id=shop.organization.pk, sells=True)
    for actor in (shop.staff, shop.customer_admin, shop.reseller_admin, other.staff, ANONYMOUS, lost):
        assert {account.pk for account in accounts if actor.reaches(account)} == seen(actor)
    with pytest.raises(PermissionRefused) as caught:
        shop.staff.require(Perm.ACCOUNT_EDIT, other.customer)
    assert caught.value.code == "account_foreign"


def test_actor_of_no_organization_cannot_write():
    with pytest.raises(BusinessError) as caught:
        _ = ANONYMOUS.tenant_id
    assert caught.value.code == "organization_missing"


def test_roles_add_up_and_unknown_ones_give_nothing():
    table = {"a": frozenset({"one"}), "b": frozenset({"two"})}
    assert perms_of(table, ["a", "b", "unknown"]) == {"one", "two"}
    assert perms_of(table, []) == frozenset()


def test_staff_and_customers_never_share_a_permission():
    assert BSS_PERMS.isdisjoint(SHOP_PERMS)
    assert staff_perms(list(StaffRole.values)) <= BSS_PERMS
    assert storefront_perms(list(StorefrontRole.values), sells=True) <= SHOP_PERMS


def test_only_resellers_get_what_is_for_resellers():
    admin = [StorefrontRole.ADMIN.value]
    lost = storefront_perms(admin, sells=True) - storefront_perms(admin, sells=False)
    assert lost == RESELLER_ONLY
    assert {Perm.SHOP_CUSTOMER_CREATE, Perm.SHOP_CUSTOMERS_VIEW, Perm.SHOP_MPN, Perm.SHOP_COST_VIEW} <= lost
