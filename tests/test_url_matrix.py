"""Every address with every role: what is not declared here fails, so a new page cannot be forgotten.

GET with every role: open, sign-in, forbidden or not there; and that a GET changes nothing.
"""

import datetime as dt
from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from catalog.models import PriceList
from clients.services.clients import create_client
from core import clock
from core.audit import AuditEntry
from core.custom_fields import CustomField
from core.jobs import start_job
from notifications.services.webhooks import create_webhook
from notifications.services.webhooks import test_webhook as send_test
from orders.models import Order
from resellers.models import Account, Membership, PermissionRule, StaffGroup
from sso.models import Registration
from subscriptions.models import (
    AssetReturn,
    CancellationRequest,
    Operation,
    StampRun,
    Subscription,
    SubscriptionAddOn,
)
from tenants.models import CatalogueUpdate, ProfessionalTenant
from tests import factories
from tests.shop import Shop, fill_basket, make_shop, place
from ui.pages.export import EXPORT_LIST
from users.models import User
from users.permissions import Perm, StaffRole, StorefrontRole
from vendors.models import Certificate

pytestmark = pytest.mark.django_db
DOORS = ("storefront", "bss", "ui", "sso")
ROLES = (
    "visitor",
    "stranger",
    "buyer",
    "admin",
    "reseller",
    "foreign_reseller",
    "sales",
    "read_only",
    "administrator",
    "superuser",
)


def named_patterns(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every named address of our doors."""
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from named_patterns(item, item.namespace or namespace)
        elif item.name and namespace in DOORS:
            yield f"{namespace}:{item.name}", item


PATTERNS = dict(named_patterns(get_resolver()))


@pytest.fixture(scope="module")
def made(module_rows: None) -> tuple[Shop, Order]:
    shop = make_shop()
    return shop, place(shop.customer_admin, fill_basket(shop, shop.customer_admin))


@pytest.fixture
def shop(made: tuple[Shop, Order]) -> Shop:
    return deepcopy(made[0])


@pytest.fixture
def order(made: tuple[Shop, Order]) -> Order:
    return deepcopy(made[1])


def client_of(shop: Shop, role: str) -> Client:
    """A browser signed in as somebody of this role."""
    client = Client(headers={"host": shop.site.host})
    if role == "visitor":
        return client
    row = shop.organization
    user: User
    match role:
        case "stranger":
            user = factories.user(row, of=factories.account(row))
        case "buyer":
            user = factories.user(row, of=shop.customer, roles=[StorefrontRole.BUYER.value])
        case "admin":
            user = factories.user(row, of=shop.customer)
        case "reseller":
            user = factories.user(row, of=shop.reseller)
        case "foreign_reseller":
            user = factories.user(row, of=factories.account(row, "reseller"))
        case "sales":
            user = factories.user(row, roles=[StaffRole.SALES.value])
        case "read_only":
            user = factories.user(row, roles=[StaffRole.READ_ONLY.value])
        case "administrator":
            user = factories.user(row)
        case _:
            user = User.objects.create_superuser(f"root@people.test|{row.public_id}", factories.PASSWORD)
    client.force_login(user)
    return client


def professional_of(account: Account) -> ProfessionalTenant:
    """The account as a Professional reseller whose organization is not made yet."""
    known = ProfessionalTenant.objects.filter(account=account).first()
    return known or ProfessionalTenant.objects.create(
        organization=account.organization,
        account=account,
        name="Own",
        host=f"own{account.pk}.test",
        price_list=PriceList.objects.filter(organization=account.organization).first()
        or factories.price_list(account.organization),
        admin_email="ada@own.test",
    )


def ids_of(shop: Shop, order: Order) -> dict[str, str]:
    """An existing object for every address that names one, always of the direct customer or of the organization."""
    subscription = Subscription.objects.filter(account=shop.customer).first()
    operation = Operation.objects.filter(account=shop.customer).first()
    job = start_job(shop.staff, "test", title="A job", params={})
    export = start_job(shop.staff, EXPORT_LIST, title="A list", params={"perm": Perm.BSS_VIEW.value})
    entry = AuditEntry.objects.filter(account=shop.customer).latest("id")
    member = Membership.objects.filter(account=shop.customer).latest("id")
    employee = Membership.objects.filter(organization=shop.organization, account=None).latest("id")
    rule, _made = PermissionRule.objects.get_or_create(organization=shop.organization, name="A rule")
    group, _made = StaffGroup.objects.get_or_create(organization=shop.organization, name="A group")
    assert subscription is not None
    assert operation is not None
    request = CancellationRequest.objects.create(
        organization=shop.organization, subscription=subscription, kind="reduce", quantity=1, requested_by="Ada"
    )
    addon = SubscriptionAddOn.objects.create(
        organization=shop.organization,
        subscription=subscription,
        product=shop.product,
        plan=shop.plan,
        name="Audio",
        quantity=1,
        status="active",
    )
    certificate = Certificate.objects.create(
        organization=shop.organization,
        label=f"A certificate {Certificate.objects.count()}",
        thumbprint=f"{Certificate.objects.count():040X}",
        currency="EUR",
        host_name="esd.example.com",
        valid_from=clock.now(),
        valid_to=clock.now() + dt.timedelta(days=90),
    )
    asset = factories.asset(shop.product, account=shop.customer)
    field, _made = CustomField.objects.get_or_create(
        organization=shop.organization, entity="account", code="segment", name="Segment", field_type="text"
    )
    registration = Registration.objects.create(
        organization=shop.organization,
        site=shop.site,
        kind="direct",
        state="pending",
        company="Fir Foods",
        email=f"fay{Registration.objects.count()}@fir.test",
        submitted_at=clock.now(),
        expires_at=clock.now() + dt.timedelta(days=30),
    )
    program, _secret = create_client(shop.staff, account=None, name="A program")
    endpoint, _hidden = create_webhook(
        shop.staff, client=program, url="https://erp.example.com/hooks", events=["account.updated"]
    )
    stamp = StampRun.objects.create(
        organization=shop.organization,
        account=shop.customer,
        kind="relationship",
        state="done",
        kind_to="end_customer",
        requested_by="Ada",
        started_at=clock.now(),
    )
    update = {"organization": shop.organization, "mode": "full", "requested_by": "Ada", "finished_at": clock.now()}
    give_back = AssetReturn.objects.create(organization=shop.organization, asset=asset, requested_by="Ada")
    return {
        "order": str(order.public_id),
        "asset": str(asset.public_id),
        "stamp": str(stamp.public_id),
        "partner": str(shop.reseller.public_id),
        "return": str(give_back.public_id),
        "subscription": str(subscription.public_id),
        "service": str(subscription.public_id),
        "operation": str(operation.public_id),
        "request": str(request.public_id),
        "addon_id": str(addon.public_id),
        "type": str(shop.product.product_type.public_id),
        "job": str(job.public_id),
        "export": str(export.public_id),
        "audit": str(entry.public_id),
        "member": str(member.public_id),
        "staff": str(employee.public_id),
        "product": str(shop.product.public_id),
        "account": str(shop.customer.public_id),
        "customer": str(shop.customer.public_id),
        "instance": str(shop.instance.public_id),
        "rule": str(rule.public_id),
        "certificate": str(certificate.public_id),
        "group": str(group.public_id),
        "professional": str(professional_of(shop.customer).public_id),
        "update": str(CatalogueUpdate.objects.create(**update).public_id),
        "field": str(field.public_id),
        "registration": str(registration.public_id),
        "api": str(program.public_id),
        "webhook": str(endpoint.public_id),
        "delivery_id": str(send_test(shop.staff, endpoint=endpoint).public_id),
    }


def statuses(client: Client, names: list[str], ids: dict[str, str]) -> dict[str, int]:
    """The status of a GET of each address."""
    found = {}
    for name in names:
        kind = name.partition(":")[2].split("_")[0]
        arguments = {key: ids.get(key) or ids.get(kind, ids["order"]) for key in PATTERNS[name].pattern.converters}
        arguments |= {key: "nothing" for key in arguments if key in ("slug", "token", "verb", "kind")}
        found[name] = client.get(reverse(name, kwargs=arguments)).status_code
    return found


BSS = [name for name in PATTERNS if name.startswith("bss:")]
SHOP = [name for name in PATTERNS if name.startswith("storefront:")]
OPEN = {
    "storefront:home",
    "storefront:brand_css",
    "storefront:site_icon",
    "storefront:terms",
    "storefront:product_list",
    "storefront:product_detail",
    "storefront:basket",
}
POST_ONLY = {
    "storefront:view_as_stop",
    "storefront:set_consent",
    "storefront:set_language",
    "storefront:basket_add",
    "storefront:basket_change",
    "storefront:basket_target",
    "storefront:checkout_check",
    "storefront:checkout_live",
    "storefront:order_cancel",
    "storefront:plan_choose",
}
_BELOW = ("storefront:asset_", "storefront:subscription_")
OWN = {"storefront:order_detail"} | {
    name for name in SHOP if name.startswith(_BELOW) and "public_id" in PATTERNS[name].pattern.converters
}


def test_matrix_covers_every_door():
    assert {name.partition(":")[0] for name in PATTERNS} == set(DOORS)
    assert set(SHOP) >= OPEN | POST_ONLY | OWN


@pytest.mark.parametrize("role", ["visitor", "stranger", "buyer", "admin", "reseller", "foreign_reseller"])
def test_bss_is_closed_to_everybody_but_employees(shop, order, role):
    found = statuses(client_of(shop, role), BSS, ids_of(shop, order))
    allowed = {302, 405} if role == "visitor" else {403, 405}
    assert {name: status for name, status in found.items() if status not in allowed} == {}


@pytest.mark.parametrize("role", ["administrator", "superuser"])
def test_bss_is_open_to_administrators(shop, order, role):
    found = statuses(client_of(shop, role), BSS, ids_of(shop, order))
    assert {name: status for name, status in found.items() if status in (403, 500)} == {}
    assert found["bss:dashboard"] == found["bss:order_detail"] == found["bss:operation_detail"] == 200


@pytest.mark.parametrize("role", ["sales", "read_only"])
def test_bss_shows_other_employees_only_what_their_role_gives(shop, order, role):
    found = statuses(client_of(shop, role), BSS, ids_of(shop, order))
    assert {name: status for name, status in found.items() if status == 500} == {}
    assert (found["bss:dashboard"], found["bss:account_list"]) == (200, 200)
    assert (found["bss:staff_list"], found["bss:instance_list"]) == (403, 403)
    assert (found["bss:operation_list"], found["bss:mail_list"]) == (200, 403)


def test_bss_of_another_organization_is_not_there(shop, order):
    ids = ids_of(shop, order)
    client = client_of(make_shop(), "administrator")
    details = [name for name in BSS if "public_id" in PATTERNS[name].pattern.converters]
    found = statuses(client, details, ids)
    assert {name: status for name, status in found.items() if status not in (404, 405)} == {}


def test_visitor_sees_only_what_the_site_opens(shop, order):
    type(shop.site).objects.filter(pk=shop.site.pk).update(anonymous_access=True)
    found = statuses(client_of(shop, "visitor"), SHOP, ids_of(shop, order))
    assert {name for name, status in found.items() if status == 200} == OPEN
    assert {name: status for name, status in found.items() if status not in (200, 302, 404, 405)} == {}


def test_visitor_of_a_closed_site_signs_in_first(shop, order):
    type(shop.site).objects.filter(pk=shop.site.pk).update(anonymous_access=False)
    found = statuses(client_of(shop, "visitor"), SHOP, ids_of(shop, order))
    assert {name for name, status in found.items() if status == 200} == {
        "storefront:brand_css",
        "storefront:site_icon",
        "storefront:terms",
    }


@pytest.mark.parametrize("role", ["stranger", "foreign_reseller", "reseller"])
def test_orders_and_services_of_others_are_not_there(shop, order, role):
    found = statuses(client_of(shop, role), sorted(OWN | {"storefront:customer_detail"}), ids_of(shop, order))
    assert set(found.values()) <= {403, 404}


@pytest.mark.parametrize("role", ["admin", "buyer"])
def test_own_orders_are_there(shop, order, role):
    found = statuses(client_of(shop, role), SHOP, ids_of(shop, order))
    assert found["storefront:order_detail"] == 200
    assert found["storefront:subscription_detail"] == (200 if role == "admin" else 403)
    assert {name: status for name, status in found.items() if status >= 500} == {}
    assert {name for name in POST_ONLY if found[name] != 405} == set()


@pytest.mark.parametrize("role", ["stranger", "buyer", "admin", "reseller", "foreign_reseller"])
def test_own_shop_is_closed_without_an_edition_that_has_one(shop, order, role):
    names = [name for name in SHOP if name.startswith("storefront:shop_") and name != "storefront:shop_alias"]
    assert set(statuses(client_of(shop, role), names, ids_of(shop, order)).values()) == {403}


def test_own_shop_is_open_to_a_standard_reseller(shop, order):
    Account.objects.filter(pk=shop.reseller.pk).update(edition="standard")
    names = [name for name in SHOP if name.startswith("storefront:shop_")]
    found = statuses(client_of(shop, "reseller"), names, ids_of(shop, order))
    missing = {
        "storefront:shop_alias",
        "storefront:shop_product",
        "storefront:shop_product_picture",
        "storefront:shop_rule_edit",
        "storefront:shop_import_job",
        "storefront:shop_rule_delete",
    }
    assert {name for name, status in found.items() if status != 200} == missing | {"storefront:shop_product_state"}


def test_style_guide_is_for_employees(shop):
    address = reverse("ui:styleguide")
    assert [client_of(shop, role).get(address).status_code for role in ("visitor", "admin", "administrator")] == [
        302,
        403,
        200,
    ]


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_get_changes_nothing_for_a_visitor(shop, order, name):
    before = (Order.objects.count(), Operation.objects.count(), Subscription.objects.count())
    statuses(client_of(shop, "visitor"), [name], ids_of(shop, order))
    assert (Order.objects.count(), Operation.objects.count(), Subscription.objects.count()) == before
