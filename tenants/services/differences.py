"""What a catalogue update changes, told by what stands before and after it: the same words for preview and log."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.models import AddOnRelation, Plan, PlanCost, Price, Product
from core import money
from tenants.enums import ChangeKind
from tenants.models import ProfessionalTenant
from tenants.selectors import inherited_instances

Change = dict[str, str]


@dataclass(frozen=True)
class Snapshot:
    """The inherited catalogue at one moment, by our keys: products, plans, purchase and selling prices, add-ons."""

    products: dict[int, tuple[str, bool]]
    plans: dict[int, tuple[int, str, bool]]
    costs: dict[tuple[int, str], Decimal]
    prices: dict[tuple[int, str], Decimal]
    addons: dict[tuple[int, int], None]


def snapshot(tenant: ProfessionalTenant) -> Snapshot:
    """What stands now in the reseller's organization of what he inherits."""
    own = [row.pk for row in inherited_instances(tenant)]
    products = Product.objects.filter(product_type__instance__in=own)
    plans = Plan.objects.filter(product__product_type__instance__in=own).select_related("product")
    costs = PlanCost.objects.filter(plan__product__product_type__instance__in=own)
    prices = Price.objects.filter(plan__product__product_type__instance__in=own)
    addons = AddOnRelation.objects.filter(addon__product_type__instance__in=own)
    return Snapshot(
        products={row.pk: (row.name, row.discontinued_at is None) for row in products.defer("search", "description")},
        plans={row.pk: (row.product_id, row.label, row.is_offered) for row in plans},
        costs={(plan, currency): cost for plan, currency, cost in costs.values_list("plan", "currency", "cost")},
        prices={
            (plan, currency): value
            for plan, currency, value in prices.values_list("plan", "price_list__currency", "value")
        },
        addons=dict.fromkeys(addons.values_list("parent", "addon")),
    )


def differences(before: Snapshot, after: Snapshot) -> list[Change]:
    """Every difference in words, by product; plans and prices of a new product are not told again."""
    names = {pk: name for pk, (name, _sold) in (before.products | after.products).items()}
    fresh = after.products.keys() - before.products.keys()
    found = [
        *_of_products(before, after),
        *_of_plans(before, after, names, fresh),
        *_of_amounts(ChangeKind.COST, before.costs, after.costs, after, names, fresh),
        *_of_amounts(ChangeKind.PRICE, before.prices, after.prices, after, names, fresh),
        *_of_addons(before, after, names, fresh),
    ]
    return sorted(found, key=lambda row: (row["product"].lower(), row["kind"], row["plan"]))


def counts(changes: list[Change]) -> dict[str, int]:
    """How many there are of each kind."""
    return {kind.value: number for kind in ChangeKind if (number := sum(row["kind"] == kind.value for row in changes))}


def _row(kind: ChangeKind, product: str, plan: str = "", before: str = "", after: str = "") -> Change:
    return {"kind": kind.value, "product": product, "plan": plan, "before": before, "after": after}


def _of_products(before: Snapshot, after: Snapshot) -> list[Change]:
    found = []
    for pk, (name, sold) in after.products.items():
        if pk not in before.products:
            found.append(_row(ChangeKind.NEW, name))
            continue
        old_name, was_sold = before.products[pk]
        if old_name != name:
            found.append(_row(ChangeKind.NAME, name, before=old_name, after=name))
        if was_sold != sold:
            found.append(_row(ChangeKind.RESTORED if sold else ChangeKind.DISCONTINUED, name))
    return found


def _of_plans(before: Snapshot, after: Snapshot, names: dict[int, str], fresh: set[int]) -> list[Change]:
    found = []
    for pk, (product, label, offered) in after.plans.items():
        if product in fresh:
            continue
        was = before.plans[pk][2] if pk in before.plans else False
        if was != offered:
            kind = ChangeKind.CYCLE_ADDED if offered else ChangeKind.CYCLE_REMOVED
            found.append(_row(kind, names[product], plan=label))
    return found


def _of_amounts(
    kind: ChangeKind,
    before: dict[tuple[int, str], Decimal],
    after: dict[tuple[int, str], Decimal],
    now: Snapshot,
    names: dict[int, str],
    fresh: set[int],
) -> list[Change]:
    found = []
    for key, amount in after.items():
        plan, currency = key
        product, label, _offered = now.plans[plan]
        if product in fresh or before.get(key) == amount:
            continue
        old = money.show(before[key], currency) if key in before else ""
        found.append(_row(kind, names[product], plan=label, before=old, after=money.show(amount, currency)))
    return found


def _of_addons(before: Snapshot, after: Snapshot, names: dict[int, str], fresh: set[int]) -> list[Change]:
    added = [pair for pair in after.addons if pair not in before.addons and pair[0] not in fresh]
    removed = [pair for pair in before.addons if pair not in after.addons]
    return [
        *(_row(ChangeKind.ADDON_ADDED, names[parent], after=names[addon]) for parent, addon in added),
        *(_row(ChangeKind.ADDON_REMOVED, names[parent], before=names[addon]) for parent, addon in removed),
    ]
