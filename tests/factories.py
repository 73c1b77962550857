"""Test objects, made through the services wherever a rule is involved."""

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any
from uuid import uuid4

from catalog.models import Category, Plan, PlanCost, PriceList, PriceListAssignment, Product, ProductType
from core import clock, crypto
from core.tenancy import Actor, system_actor
from resellers.enums import AccountKind, Edition
from resellers.models import Account, Contact, Membership, Organization, Site, realm_of
from resellers.routing import site_of_reseller
from resellers.selectors import actor_for
from resellers.services.accounts import create_account
from resellers.services.sites import open_plan, prepare_site
from sso.services.people import confirm_address
from subscriptions.asset_enums import AssetStatus, TokenStatus
from subscriptions.models import Asset
from users.models import User
from users.permissions import StaffRole, StorefrontRole
from vendors.models import Application, ConsentState, Instance, InstanceState, SyncStatus
from vendors.services.instances import save_instance

_numbers = itertools.count(1)
PASSWORD = "correct-horse-battery"


def organization(**values: Any) -> Organization:
    """A distributor with its site."""
    number = next(_numbers)
    defaults = {
        "name": f"Distributor {number}",
        "slug": f"distributor-{number}",
        "country": "DE",
        "currency": "EUR",
        "email": f"desk{number}@distributor.test",
    }
    row = Organization.objects.create(**(defaults | values))
    Site.objects.create(organization=row, name=row.name, host=f"shop{number}.test", support_email=row.email)
    return row


def site_of(row: Organization) -> Site:
    """The organization's own site."""
    return Site.objects.get(organization=row, account=None)


def account(
    row: Organization, kind: str = AccountKind.DIRECT, *, bill_to: Account | None = None, **values: Any
) -> Account:
    """An account with a full address, a primary contact and, unless it is a sub account, plenty of credit."""
    number = next(_numbers)
    defaults = {
        "name": f"Account {number}",
        "email": f"office{number}@account.test",
        "phone": "+49 30 1234567",
        "address_line1": "Unter den Linden 1",
        "city": "Berlin",
        "postal_code": "10117",
        "country": "DE",
    }
    credit = values.pop("credit_limit", Decimal("100000"))
    made = create_account(system_actor(row.pk), kind=kind, values=defaults | values, bill_to=bill_to, organization=row)
    if bill_to is None:
        Account.objects.filter(pk=made.pk).update(credit_limit=credit)
    Contact.objects.create(
        organization=row,
        account=made,
        first_name="Ada",
        last_name=f"Contact{number}",
        email=f"ada{number}@account.test",
        phone="+49 30 1234567",
        is_primary=True,
    )
    made.refresh_from_db()
    return made


def user(row: Organization, *, of: Account | None = None, roles: list[str] | None = None, **values: Any) -> User:
    """A user of an account (Admin unless said otherwise), or an employee (Administrator) without one."""
    number = next(_numbers)
    email = values.pop("email", f"user{number}@people.test")
    made = User.objects.create_user(
        realm_of(home_of(row, of), row), email, PASSWORD, first_name="Uma", last_name=f"User{number}", **values
    )
    confirm_address(made)
    default = [StorefrontRole.ADMIN.value] if of else [StaffRole.ADMINISTRATOR.value]
    Membership.objects.create(organization=row, user=made, account=of, roles=default if roles is None else roles)
    return made


def actor(row: Organization, *, of: Account | None = None, roles: list[str] | None = None) -> Actor:
    """The actor of a fresh user of ``of``, or of an employee, at the site where he is at home."""
    return actor_for(user(row, of=of, roles=roles), home_of(row, of), as_staff=of is None)


def home_of(row: Organization, of: Account | None) -> Site:
    """Where the users of ``of`` sign in: an end customer's at his reseller's site, a Free one if there is none."""
    if of is not None and of.kind == AccountKind.END_CUSTOMER and of.bill_to is not None:
        return reseller_site(of.bill_to)
    return site_of(row)


def reseller_site(reseller: Account, edition: str = Edition.FREE) -> Site:
    """The reseller's own site with a host of its own, opened with this edition if there is none yet."""
    known = site_of_reseller(reseller.pk)
    if known is not None:
        return known
    number = next(_numbers)
    site = prepare_site(reseller.pk, f"reseller{number}")
    open_plan(reseller.pk, plan_id=uuid4(), edition=edition, ends_at=clock.now() + dt.timedelta(days=365))
    Site.objects.filter(pk=site.pk).update(host=f"reseller{number}.test")
    reseller.refresh_from_db()
    return Site.objects.get(pk=site.pk)


def instance(row: Organization, *, settings: dict[str, Any] | None = None, name: str = "") -> Instance:
    """An active Microsoft instance with the given settings and consent."""
    application, _made = Application.objects.get_or_create(
        code="microsoft_cloud", defaults={"name": "Microsoft Cloud Services"}
    )
    made = save_instance(
        actor(row),
        application=application,
        instance=None,
        system_name=name or f"Partner Center {next(_numbers)}",
        values=settings or {"application_id": str(uuid4())},
        complete=True,
    )
    Instance.objects.filter(pk=made.pk).update(state=InstanceState.ACTIVE, consent=ConsentState.GIVEN)
    made.refresh_from_db()
    return made


def product(of: Instance, *, code: str = "", cost: str = "10.00", currency: str = "EUR", **values: Any) -> Product:
    """A published product with a yearly plan billed monthly, which costs us ``cost`` a month."""
    number = next(_numbers)
    kind, _made = ProductType.objects.get_or_create(
        instance=of,
        external_id="microsoft_365",
        defaults={"organization_id": of.organization_id, "name": f"Microsoft 365 {number}"},
    )
    category, _made = Category.objects.get_or_create(
        organization_id=of.organization_id, slug="productivity", defaults={"name": "Productivity"}
    )
    defaults = {"name": f"Product {number}", "is_published": True, "max_quantity": 300, "category": category}
    made = Product.objects.create(
        organization_id=of.organization_id,
        product_type=kind,
        code=code or f"CFQ7TTC0{number:04d}:0001",
        **(defaults | values),
    )
    row = Plan.objects.create(organization_id=of.organization_id, product=made, term="P1Y", billing_cycle="monthly")
    PlanCost.objects.create(
        organization_id=of.organization_id, plan=row, currency=currency, cost=Decimal(cost), retail=Decimal(cost) * 2
    )
    Product.objects.filter(pk=made.pk).update(search=Product.search_vector())
    return made


def asset(of: Product, *, account: Account, key: str = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", **values: Any) -> Asset:
    """A licence of ``account``, active with ``key`` and a month to return it; with an empty key still pending."""
    number = next(_numbers)
    now = clock.now()
    plan = of.plans.order_by("pk").first()
    ready: dict[str, Any] = {
        "status": AssetStatus.ACTIVE,
        "sync_status": SyncStatus.SYNCHRONIZED,
        "token_status": TokenStatus.ACTIVATED,
        "token_cipher": crypto.encrypt(key),
        "token_tail": key[-5:],
        "activated_at": now,
        "vendor_read_at": now - dt.timedelta(hours=1),
        "external_id": f"licence-{number}",
        "transaction_id": f"transaction-{number}",
        "returnable_until": now + dt.timedelta(days=30),
        "links": [{"type": "download", "description": "", "uri": "https://vendor.test/get", "expires_at": ""}],
    }
    defaults: dict[str, Any] = {
        "name": of.name,
        "bill_to": account.bill_to or account,
        "instance": of.product_type.instance,
        "plan": plan,
        "unit_price": Decimal("149.00"),
        "currency": "EUR",
        "order_number": f"A-{number}",
        "purchased_at": now,
    }
    return Asset.objects.create(
        organization_id=account.organization_id,
        account=account,
        product=of,
        **(defaults | (ready if key else {}) | values),
    )


def perpetual_asset(of: Product, *, account: Account, **values: Any) -> Asset:
    """An active perpetual licence of three units, ordered at the vendor, whose Perpetual ID is not known yet."""
    number = next(_numbers)
    ready: dict[str, Any] = {
        "status": AssetStatus.ACTIVE,
        "sync_status": SyncStatus.SYNCHRONIZED,
        "activated_at": clock.now(),
        "external_id": f"order-{number}:0",
        "vendor_order_id": f"order-{number}",
        "vendor_order_line": "0",
        "vendor_order_alias": f"alias-{number}",
        "returnable_until": clock.now() + dt.timedelta(days=30),
    }
    return asset(of, account=account, key="", is_perpetual=True, quantity=3, **(ready | values))


def price_list(row: Organization, *, to: Account | None = None, **values: Any) -> PriceList:
    """A list with 20 % on the vendor's cost for everything, assigned to ``to``."""
    defaults = {
        "name": f"List {next(_numbers)}",
        "currency": "EUR",
        "default_rule": "markup",
        "default_value": Decimal(20),
    }
    made = PriceList.objects.create(organization=row, **(defaults | values))
    if to is not None:
        PriceListAssignment.objects.create(organization=row, account=to, price_list=made)
    return made
