"""The catalogue of a Professional reseller's organization: the distributor's, with his price list as cost.

Each of the distributor's instances appears as an instance of "Back ordering", and what of it stands in the reseller's
price list is applied like a vendor's services definition: new products come unpublished, missing ones are discontinued,
nothing is deleted, and a second run on the same catalogue writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.models import (
    AddOnRelation,
    ChargeType,
    Plan,
    PlanCost,
    Price,
    PriceList,
    PriceRule,
    Product,
    ProductType,
    UpgradeRelation,
)
from catalog.selectors import PricedPlan, price_list_of, price_plans
from catalog.services.definition import apply_definition, apply_price_sheet
from core import crypto, money
from provisioning.ports import PlanDef, PriceRow, ProductDef, ProductTypeDef
from resellers.models import Organization
from subscriptions.periods import MONTHS_OF_CYCLE
from tenants.models import ProfessionalTenant
from tenants.selectors import inherited_instances, own_organization
from vendors.inherited import BACK_ORDERING
from vendors.models import Application, Instance, InstanceState

ALL_CHANGES = frozenset({"name"})
NOT_PASSED_ON = (BACK_ORDERING, "reseller_plans")
LICENCES = "LICENSE"  # Types of licences bought for ever; back ordering knows subscriptions only.


@dataclass(frozen=True)
class Wish:
    """What an update takes over: everything or purchase prices alone, and whether his own words and prices give way."""

    partial: bool = False
    overwrite_prices: bool = False
    overwrite_names: bool = False


def price_list(tenant: ProfessionalTenant) -> PriceList:
    """The list he buys from today, which a back order is charged by; the first one while none is valid."""
    return price_list_of(tenant.account) or tenant.price_list


def offered_here(tenant: ProfessionalTenant) -> list[PricedPlan]:
    """The distributor's plans that the reseller can buy by his price list: published, recurring, no trials."""
    plans = Plan.objects.filter(
        organization_id=tenant.organization_id,
        is_offered=True,
        billing_cycle__in=list(MONTHS_OF_CYCLE),
        product__is_published=True,
        product__is_trial=False,
        product__discontinued_at=None,
        product__charge_type=ChargeType.PREPAID,
        product__product_type__is_orderable=True,
        product__product_type__instance__state=InstanceState.ACTIVE,
    ).exclude(product__product_type__derivative=LICENCES)
    # Storefront plans are for resellers below; what is inherited here itself has another distributor.
    plans = plans.exclude(product__product_type__instance__application__code__in=NOT_PASSED_ON)
    plans = plans.select_related("product__category", "product__product_type__instance")
    return price_plans(plans, price_list(tenant))


def apply_catalogue(tenant: ProfessionalTenant, wish: Wish) -> None:
    """Make the inherited catalogue what the distributor's is, as far as ``wish`` says; writes nothing twice."""
    own = own_organization(tenant)
    by_instance: dict[Instance, list[PricedPlan]] = defaultdict(list)
    for priced in offered_here(tenant):
        by_instance[priced.plan.product.product_type.instance].append(priced)
    known = {str(row.read_settings()["source"]): row for row in inherited_instances(tenant)}
    if not wish.partial:
        known |= {
            str(source.public_id): known.get(str(source.public_id)) or _make_instance(own, source)
            for source in by_instance
        }
    rows = {str(source.public_id): plans for source, plans in by_instance.items()}
    for source_id, instance in known.items():
        plans = rows.get(source_id, [])
        if not wish.partial:
            apply_definition(instance, _types(plans, wish))
            _follow_rules(instance, plans)
        apply_price_sheet(instance, _prices(tenant, plans), source=_("distributor"))
    if not wish.partial:
        _selling_prices(own, tenant, overwrite=wish.overwrite_prices)


def _make_instance(own: Organization, source: Instance) -> Instance:
    """The instance that stands for the distributor's; its only setting says for which."""
    application, _made = Application.objects.get_or_create(
        code=BACK_ORDERING, defaults={"name": "Back ordering", "is_enabled": False}
    )
    name = source.system_name
    taken = Instance.objects.filter(organization=own, application=application, system_name=name)
    if taken.exists():
        name = f"{name} ({str(source.public_id)[:8]})"
    return Instance.objects.create(
        organization=own,
        application=application,
        system_name=name[:100],
        state=InstanceState.ACTIVE,
        settings_cipher=crypto.encrypt_json({"source": str(source.public_id)}),
        settings_version=1,
    )


def _types(plans: Iterable[PricedPlan], wish: Wish) -> list[ProductTypeDef]:
    by_product: dict[Product, list[Plan]] = defaultdict(list)
    for priced in plans:
        by_product[priced.plan.product].append(priced.plan)
    ids = [product.pk for product in by_product]
    parents, upgrades = _relations(ids)
    by_type: dict[ProductType, list[ProductDef]] = defaultdict(list)
    for product, offered in by_product.items():
        by_type[product.product_type].append(_product(product, offered, parents, upgrades, wish))
    return [
        ProductTypeDef(
            id=str(kind.public_id),
            name=kind.name,
            description=kind.description,
            derivative=kind.derivative,
            products=products,
            account_sync=kind.requires_account,
            split_quantity=kind.split_quantity,
        )
        for kind, products in sorted(by_type.items(), key=lambda item: item[0].pk)
    ]


def _follow_rules(instance: Instance, plans: Iterable[PricedPlan]) -> None:
    """What the distributor rules for everybody: whether a customer may have several subscriptions of a type."""
    for kind in {priced.plan.product.product_type for priced in plans}:
        copies = ProductType.objects.filter(instance=instance, external_id=str(kind.public_id))
        copies.exclude(allow_multiple_subscriptions=kind.allow_multiple_subscriptions).update(
            allow_multiple_subscriptions=kind.allow_multiple_subscriptions
        )


def _relations(ids: list[int]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """By product: the codes of the products it is an add-on of, and of those it can be upgraded to."""
    parents: dict[int, list[str]] = defaultdict(list)
    for addon, code in AddOnRelation.objects.filter(addon__in=ids, parent__in=ids).values_list("addon", "parent__code"):
        parents[addon].append(code)
    upgrades: dict[int, list[str]] = defaultdict(list)
    rows = UpgradeRelation.objects.filter(source__in=ids, target__in=ids)
    for source, code in rows.values_list("source", "target__code"):
        upgrades[source].append(code)
    return parents, upgrades


def _product(
    row: Product, plans: list[Plan], parents: dict[int, list[str]], upgrades: dict[int, list[str]], wish: Wish
) -> ProductDef:
    return ProductDef(
        code=row.code,
        name=row.name,
        description=row.description,
        charge_type=row.charge_type,
        unit=row.unit,
        category=row.category.name if row.category else row.family,
        min_quantity=row.min_quantity,
        max_quantity=row.max_quantity,
        is_addon=row.is_addon,
        qualification=row.qualification,
        segment=row.segment,
        plans=[PlanDef(plan.term, plan.billing_cycle) for plan in plans],
        parents=parents.get(row.pk, []),
        upgrades=upgrades.get(row.pk, []),
        licence_sku_id=row.licence_sku_id,
        update_options=ALL_CHANGES if wish.overwrite_names else frozenset(),
    )


def _prices(tenant: ProfessionalTenant, plans: list[PricedPlan]) -> list[PriceRow]:
    """The price list's prices as cost, and the vendor's recommended ones beside them."""
    currency = tenant.price_list.currency
    costs = PlanCost.objects.filter(plan__in=[priced.plan.pk for priced in plans], currency=currency)
    retail = dict(costs.values_list("plan", "retail"))
    return [
        PriceRow(
            product_code=priced.plan.product.code,
            term=priced.plan.term,
            billing_cycle=priced.plan.billing_cycle,
            market="",
            currency=currency,
            cost=priced.price.amount,
            retail=retail.get(priced.plan.pk, money.ZERO),
        )
        for priced in plans
    ]


def selling_list(own: Organization, tenant: ProfessionalTenant) -> PriceList:
    """The list his customers buy from unless he gives them another; made once."""
    row = PriceList.objects.filter(organization=own, is_default=True, currency=tenant.price_list.currency).first()
    return row or PriceList.objects.create(
        organization=own, name=_("Selling prices"), currency=tenant.price_list.currency, is_default=True
    )


def _selling_prices(own: Organization, tenant: ProfessionalTenant, *, overwrite: bool) -> None:
    """A selling price for each inherited plan that has none: the recommended one, but never below cost."""
    prices = selling_list(own, tenant)
    known = dict(Price.objects.filter(price_list=prices).values_list("plan", "pk"))
    fresh, stale = [], []
    costs = PlanCost.objects.filter(
        organization=own,
        currency=prices.currency,
        plan__is_offered=True,
        plan__product__product_type__instance__application__code=BACK_ORDERING,
    )
    for plan_id, cost, retail in costs.values_list("plan", "cost", "retail"):
        value: Decimal = max(cost, retail)
        if plan_id not in known:
            fresh.append(Price(organization=own, price_list=prices, plan_id=plan_id, value=value))
        elif overwrite:
            stale.append(Price(pk=known[plan_id], rule=PriceRule.FIXED, value=value))
    Price.objects.bulk_create(fresh, batch_size=500)
    Price.objects.bulk_update(stale, ["rule", "value"], batch_size=500)
