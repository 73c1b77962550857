"""The data set: three organizations beside each other in one database, so that every figure has its neighbour.

``main`` has the subscriptions, ``small`` a thousand of them (the same pages, a hundredth of the rows), ``wide`` a
catalogue of 100,000 products. What has rules of its own (organization, instance, price lists) is made by the services,
all the rest is loaded by COPY.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from uuid import uuid4
from zlib import crc32

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, transaction

from bench import rows, sales
from bench.load import load, next_id
from bench.rows import AccountRef, PlanRef
from bench.size import SEED, Scale
from billing.models import Charge, TaxRate
from catalog.models import Category, PlanCost, Price, PriceList, PriceListAssignment, Product, ProductType
from catalog.models import Plan as CatalogPlan
from catalog.services.price_lists import save_price_list
from core.audit import AuditEntry
from core.tenancy import Actor, system_actor
from orders.models import Basket, BasketLine, Order, OrderLine
from provisioning.services.setup import register_applications
from resellers.models import Account, Contact, Membership, Organization, Site
from resellers.services.accounts import billing_address
from subscriptions.models import Operation, Subscription
from users.models import User
from users.permissions import BSS_PERMS, SHOP_PERMS, StaffRole
from vendors.models import AccountLink, Application, ConsentState, Instance, InstanceState
from vendors.services.instances import fire_instance, note_consent, save_instance, write_secret

CATEGORIES = ("Productivity", "Security", "Collaboration", "Business apps")
Pull = Callable[[Actor, Instance], None]


@dataclass
class Market:
    """One organization with everything that was loaded for it."""

    key: str
    organization: Organization
    site: Site
    instance: Instance
    price_list: PriceList
    staff: User
    accounts: list[AccountRef]
    buyers: list[AccountRef]
    counts: dict[str, int]


@dataclass(frozen=True)
class Vendor:
    """The settings and the token of an instance that talks to a twin; ``pull`` reads its catalogue."""

    settings: dict[str, object]
    refresh_token: str
    pull: Pull


def midnight() -> dt.datetime:
    """The day of the run; only this differs between two loads with the same seed."""
    return dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def operator(organization: Organization) -> Actor:
    """The actor of the set-up: every right in this organization."""
    base = system_actor(organization.pk, label="Measurements")
    return Actor(base.kind, organization.pk, label=base.label, perms=frozenset(BSS_PERMS | SHOP_PERMS))


@transaction.atomic
def make_organization(key: str) -> tuple[Organization, Site, User]:
    """An organization whose shop shows its prices to everybody, on a host of its own, with one administrator."""
    row = Organization.objects.create(
        name=f"Bench {key}", slug=f"bench-{key}", country="DE", currency="EUR", email=f"desk@{key}.example"
    )
    site = Site.objects.create(
        organization=row,
        name=row.name,
        host=f"{key}.localhost",
        anonymous_access=True,
        anonymous_prices=True,
        terms="Nothing is sold here.",
    )
    TaxRate.objects.create(organization=row, country="DE", percent=Decimal(19))
    for name, rule, value in (("Retail", "discount", Decimal(0)), ("Partner", "markup", Decimal(12))):
        values = {"name": name, "currency": "EUR", "default_rule": rule, "default_value": value}
        save_price_list(operator(row), price_list=None, values=values | {"is_default": name == "Retail"})
    user = User.objects.create_user(row.public_id, f"ines@{key}.example", None, first_name="Ines", last_name="Abel")
    Membership.objects.create(organization=row, user=user, account=None, roles=[StaffRole.ADMINISTRATOR.value])
    return row, site, user


def make_instance(organization: Organization, vendor: Vendor | None) -> Instance:
    """An active Microsoft instance; without a vendor it only stands there."""
    register_applications()
    actor = operator(organization)
    row = save_instance(
        actor,
        application=Application.objects.get(code="microsoft_cloud"),
        instance=None,
        system_name="Partner Center (twin)",
        values=vendor.settings if vendor else {"application_id": str(uuid4())},
        complete=True,
    )
    if vendor is None:
        Instance.objects.filter(pk=row.pk).update(state=InstanceState.ACTIVE, consent=ConsentState.GIVEN)
        row.refresh_from_db()
        return row
    write_secret(row, "refresh_token", vendor.refresh_token)
    note_consent(actor, instance=row, state=ConsentState.GIVEN, note="bench")
    row.refresh_from_db()
    return fire_instance(actor, instance=row, event="activate") if row.state == InstanceState.READY else row


class Loader:
    """Loads one organization; ``counts`` says how many rows each table got."""

    def __init__(self, key: str, scale: Scale, *, seed: int = SEED) -> None:
        self.key, self.scale, self.seed = key, scale, seed
        self.random = Random(f"{seed}:{key}")
        self.today = midnight()
        self.counts: dict[str, int] = {}

    def copy(self, model: type, found: object) -> int:
        """COPY rows into a model's table and note how many."""
        number = load(model, found, now=self.today, random=self.random)  # type: ignore[arg-type]
        self.counts[model._meta.label] = self.counts.get(model._meta.label, 0) + number  # type: ignore[attr-defined]
        return number

    def build(self, *, vendor: Vendor | None = None, buyers: int = 0) -> Market:
        """Make the organization and load everything; ``buyers`` customers get a user and a basket that is ready."""
        organization, site, staff = make_organization(self.key)
        instance = make_instance(organization, vendor)
        if vendor is not None:
            vendor.pull(operator(organization), instance)
        else:
            self.catalogue(organization, instance)
        plans = plan_refs(organization)
        lists = list(PriceList.objects.filter(organization=organization).order_by("pk"))
        self.own_prices(organization, lists[-1], plans)
        accounts = self.people(organization, instance, lists, buyers)
        ordering = [ref for ref in accounts if ref.kind == "direct"][:buyers]
        market = Market(self.key, organization, site, instance, lists[-1], staff, accounts, ordering, self.counts)
        if self.scale.subscriptions:
            self.sell(market, plans)
        return market

    def catalogue(self, organization: Organization, instance: Instance) -> None:
        """Products, plans and costs; the search column is filled as the services do."""
        kind = ProductType.objects.create(
            organization=organization, instance=instance, external_id="microsoft_365", name="Microsoft 365"
        )
        shelves = [
            Category.objects.create(organization=organization, name=name, slug=f"shelf-{number}", position=number).pk
            for number, name in enumerate(CATEGORIES)
        ]
        first, first_plan = next_id(Product), next_id(CatalogPlan)
        count, pk = self.scale.products, organization.pk
        self.copy(Product, rows.products(pk, first_id=first, count=count, type_id=kind.pk, categories=shelves))
        made = self.copy(CatalogPlan, rows.plans(pk, first_id=first_plan, first_product=first, products=count))
        self.copy(PlanCost, rows.costs(pk, first_plan=first_plan, plans=made))
        Product.objects.filter(organization=organization).update(search=Product.search_vector())

    def own_prices(self, organization: Organization, price_list: PriceList, plans: Sequence[PlanRef]) -> None:
        """Every tenth plan has a price of its own in the retail list."""
        found = (
            {
                "organization_id": organization.pk,
                "price_list_id": price_list.pk,
                "plan_id": plan.id,
                "rule": "fixed",
                "value": plan.price,
            }
            for plan in plans[::10]
        )
        self.copy(Price, found)

    def people(
        self, organization: Organization, instance: Instance, lists: Sequence[PriceList], buyers: int
    ) -> list[AccountRef]:
        """Accounts, contacts, assignments, links; a user for each reseller and each buyer."""
        pk = organization.pk
        size = self.scale
        refs = rows.account_refs(
            self.random, first_id=next_id(Account), accounts=size.accounts, resellers=size.resellers
        )
        self.copy(Account, rows.accounts(pk, refs))
        self.copy(Contact, rows.contacts(pk, refs))
        self.copy(PriceListAssignment, rows.assignments(pk, refs, [row.pk for row in lists]))
        self.copy(AccountLink, rows.links(self.random, pk, instance.pk, refs))
        signed = [ref for ref in refs if ref.kind == "reseller"]
        signed += [ref for ref in refs if ref.kind == "direct"][: max(buyers, 20)]
        first = next_id(User)
        nobody = UNUSABLE_PASSWORD_PREFIX + "0" * 40
        self.copy(User, rows.users(str(organization.public_id), signed, first_id=first, password=nobody))
        self.copy(Membership, rows.memberships(pk, signed, first_user=first))
        return refs

    def sell(self, market: Market, plans: Sequence[PlanRef]) -> None:
        """Orders with their lines, subscriptions, charges, operations and log."""
        sold = sales.Sales(
            organization_id=market.organization.pk,
            site_id=market.site.pk,
            instance_id=market.instance.pk,
            price_list_id=market.price_list.pk,
            accounts=market.accounts,
            plans=plans,
            count=self.scale.subscriptions,
            first_order=next_id(Order),
            first_line=next_id(OrderLine),
            first_subscription=next_id(Subscription),
            today=self.today,
            seed=self.seed + crc32(self.key.encode()),
        )
        self.copy(Order, sales.orders(sold))
        self.copy(Subscription, sales.subscriptions(sold))
        self.copy(OrderLine, sales.order_lines(sold))
        self.copy(Charge, sales.charges(sold))
        self.copy(Operation, sales.operations(sold))
        self.copy(AuditEntry, sales.audit(sold, count=self.scale.audit))


def plan_refs(organization: Organization) -> list[PlanRef]:
    """The plans that are sold in EUR, in a stable order; the vendor's retail price is the price."""
    found = PlanCost.objects.filter(
        plan__organization=organization,
        plan__is_offered=True,
        plan__product__is_published=True,
        plan__product__is_addon=False,
        plan__product__is_trial=False,
        plan__product__charge_type="recurring_prepaid",
        plan__product__qualification="",
        currency="EUR",
        retail__gt=0,
    )
    names = ("plan_id", "plan__product_id", "plan__product__name", "plan__product__code", "plan__term")
    values = found.order_by("plan__product__code", "plan__term", "plan__billing_cycle", "pk").values_list(
        *names, "plan__billing_cycle", "retail"
    )
    return [PlanRef(*row) for row in values]


def fill_baskets(market: Market, accounts: Sequence[AccountRef], *, round_number: int = 0) -> list[Basket]:
    """A basket of two lines for the user of each account, ready to be ordered; the same for the same round."""
    sold = CatalogPlan.objects.filter(pk__in=[ref.id for ref in plan_refs(market.organization)])
    # Products that everybody may buy a few of, as often as he likes, and without a declaration of his own.
    plans = list(
        sold.filter(product__min_quantity=1, product__product_type__allow_multiple_subscriptions=True)
        .exclude(product__max_quantity__lt=20)
        .exclude(product__name__contains="Hybrid Benefit")
        .order_by("pk")
    )
    users = {
        row.account_id: row.user_id
        for row in Membership.objects.filter(account_id__in=[ref.id for ref in accounts]).order_by("-pk")
    }
    owners = Account.objects.in_bulk([ref.id for ref in accounts])
    Basket.objects.filter(user_id__in=users.values()).delete()
    details = {"state": "ok", "options": {}}
    baskets = Basket.objects.bulk_create(
        [
            Basket(
                organization=market.organization,
                site=market.site,
                user_id=users[ref.id],
                buyer_account_id=ref.id,
                target_account_id=ref.id,
                billing_address=billing_address(owners[ref.id]),
                service_details={str(market.instance.public_id): details | {"account": ref.public_id}},
            )
            for ref in accounts
        ]
    )
    BasketLine.objects.bulk_create(
        [
            BasketLine(
                organization=market.organization,
                basket=basket,
                plan=plans[(number + offset + round_number) * 7 % len(plans)],
                quantity=1 + number % 20,
            )
            for number, basket in enumerate(baskets)
            for offset in range(2)
        ]
    )
    return baskets


def analyze() -> None:
    """Bring the planner's statistics and the visibility map up to date, as autovacuum would in time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
