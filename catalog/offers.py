"""What a program may order: the products of the caller's price list with their prices (``api.md`` 10.4)."""

from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from catalog.models import SOLD_CHARGE_TYPES, AddOnRelation, ChargeType, Plan, PriceList, Product
from catalog.selectors import PricedPlan, addons_of, default_price_list, price_list_of, price_plans, sold_products
from core.tenancy import Actor
from resellers.models import Account
from resellers.selectors import own_account
from vendors.models import Instance, InstanceState


def list_of(actor: Actor) -> PriceList | None:
    """The list the actor buys from; of the organization's programs the default one."""
    account = own_account(actor)
    return price_list_of(account) if account is not None else default_price_list(actor.tenant_id)


def offered_products(actor: Actor, *, with_addons: bool = False) -> QuerySet[Product]:
    """All products of the organization for its own programs; for a reseller those his price list sells.

    ``with_addons`` also finds the published add-ons, which are bought with their product alone.
    """
    if actor.is_staff:
        return Product.objects.visible_to(actor).order_by()
    prices = list_of(actor)
    if prices is None:
        return Product.objects.none()
    sold = sold_products(actor, prices).order_by()
    if not with_addons:
        return sold
    addons = Product.objects.visible_to(actor).filter(is_addon=True, charge_type__in=SOLD_CHARGE_TYPES).order_by()
    return Product.objects.visible_to(actor).filter(pk__in=sold.values("pk").union(addons.values("pk"))).order_by()


def addon_products(actor: Actor, product: Product) -> QuerySet[Product]:
    """The add-ons that may be bought with a product."""
    return addons_of(product, actor)


def addons_by_product(actor: Actor, ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """The published add-ons of products by product, as id, name and code."""
    rows = AddOnRelation.objects.filter(parent_id__in=list(ids), addon__in=Product.objects.visible_to(actor))
    rows = rows.filter(addon__is_published=True, addon__discontinued_at=None).order_by("addon__name", "addon_id")
    found: dict[int, list[dict[str, Any]]] = {}
    for parent, key, name, code in rows.values_list("parent_id", "addon__public_id", "addon__name", "addon__code"):
        found.setdefault(parent, []).append({"id": key, "name": name, "code": code})
    return found


def asking_instances(actor: Actor, ids: Iterable[int]) -> dict[int, Instance]:
    """The vendor instances that must know the customer of products, by product; add-ons go with their service."""
    rows = Product.objects.visible_to(actor).filter(pk__in=list(ids), is_addon=False)
    rows = rows.filter(product_type__requires_account=True).order_by()
    rows = rows.select_related("product_type__instance__application", "product_type__instance__organization")
    return {row.pk: row.product_type.instance for row in rows}


def prices_of(actor: Actor, product: Product) -> tuple[list[PricedPlan], str]:
    """The offered plans of a product at the actor's prices, and their currency."""
    prices = list_of(actor)
    if prices is None:
        return [], ""
    return price_plans(Plan.objects.filter(product=product, is_offered=True), prices), prices.currency


def plans_for(account: Account, product: Product) -> list[Plan]:
    """The plans of a product that an account's price list sells, by term and cycle."""
    prices = price_list_of(account)
    if prices is None:
        return []
    rows = Plan.objects.filter(product=product, is_offered=True).select_related("product__product_type__instance")
    return [item.plan for item in price_plans(rows, prices) if item.plan.is_sellable]


def unit_groups(actor: Actor) -> QuerySet[Product]:
    """The products the actor may order as groups of the units they are sold in; ``is_recurring``: not once alone."""
    return offered_products(actor, with_addons=True).annotate(
        is_recurring=ExpressionWrapper(~Q(charge_type=ChargeType.ONE_TIME), output_field=BooleanField())
    )


def units_of(actor: Actor, ids: Iterable[int]) -> dict[int, list[Plan]]:
    """The offered plans of products the actor may order, by product, shortest term first."""
    rows = Plan.objects.filter(product_id__in=list(ids), is_offered=True, organization_id=actor.tenant_id)
    found: dict[int, list[Plan]] = {}
    for plan in rows.order_by("product_id", "term", "billing_cycle", "pk"):
        found.setdefault(plan.product_id, []).append(plan)
    return found


def vendor_systems(actor: Actor) -> list[Instance]:
    """The vendors' systems whose services the actor may order or has: all of the organization for its own programs."""
    rows = Instance.objects.select_related("application").filter(organization_id=actor.tenant_id)
    if not actor.is_staff:
        rows = rows.filter(pk__in=offered_products(actor).values("product_type__instance"))
    return list(rows.exclude(state=InstanceState.DELETED).order_by("pk"))
