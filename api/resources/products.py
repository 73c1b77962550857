"""Products on the wire (``api.md`` 10.4): those of the caller's price list, at the price he pays."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from api.fields import Column, Columns, truth
from api.wire import moment
from catalog.models import ChargeType
from catalog.selectors import PricedPlan
from subscriptions.periods import MONTHS_OF_CYCLE

CHARGES = {
    ChargeType.ONE_TIME.value: "OneTimeCharge",
    ChargeType.PREPAID.value: "Prepaid",
    ChargeType.PAY_PER_USE.value: "PayPerUse",
}


def _type() -> Combinable:
    return Case(When(is_addon=True, then=Value("Addon")), default=Value("Primary"), output_field=CharField())


COLUMNS = Columns(
    (
        Column("id", "guid", "public_id"),
        Column("name", "text", "name", orders=True),
        Column("code", "text", "code", orders=True),
        Column("type", "word", "wire_type", words={"Primary": ("Primary",), "Addon": ("Addon",)}, expression=_type),
        Column("chargeType", "word", "charge_type", words={word: (stored,) for stored, word in CHARGES.items()}),
        Column("categoryId", "guid", "category__public_id", nullable=True),
        Column("categoryName", "text", "category__name", nullable=True, orders=True),
        Column("unitGroupId", "integer", "pk"),
        Column("unitGroupName", "text", "name"),
        Column("productGroupId", "guid", "product_type__public_id"),
        Column("productGroupName", "text", "product_type__name"),
        Column("unitOfMeasureId", "guid"),
        Column("createdAt", "moment", "created_at", orders=True),
        Column("updatedAt", "moment", "updated_at", orders=True),
        Column("isActive", "bool", "still_sold", expression=truth(Q(discontinued_at=None)), staff=True),
        Column("isDeleted", "bool", always=False, staff=True),
        Column("isStorefrontEnabled", "bool", "is_published", staff=True),
    ),
    default_order=("name", False),
)
_READ = (
    "pk",
    "public_id",
    "name",
    "code",
    "is_addon",
    "charge_type",
    "category__public_id",
    "category__name",
    "product_type__public_id",
    "product_type__name",
    "is_published",
    "discontinued_at",
    "product_type__auto_cancel_subscriptions",
    "created_at",
    "updated_at",
)


def read(rows: QuerySet[Any], part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the rows as values."""
    return list(rows.values(*_READ, *more)[part])


def product(row: Mapping[str, Any], *, staff: bool) -> dict[str, Any]:
    """A product."""
    category = row["category__public_id"]
    found = {
        "id": row["public_id"],
        "name": row["name"],
        "code": row["code"],
        "type": "Addon" if row["is_addon"] else "Primary",
        "category": {"id": category, "name": row["category__name"]} if category else None,
        "unitOfMeasure": None,
        "industries": [],
        "chargeType": CHARGES[row["charge_type"]],
        "unitGroup": {"id": row["pk"], "name": row["name"]},
        "productGroup": {"id": row["product_type__public_id"], "name": row["product_type__name"]},
        "createdAt": moment(row["created_at"]),
        "updatedAt": moment(row["updated_at"]),
    }
    if not staff:
        return found
    return found | {
        "isTaxable": True,
        "isManualCancellationEnabled": not row["product_type__auto_cancel_subscriptions"],
        "isActive": row["discontinued_at"] is None,
        "isDeleted": False,
        "isStorefrontEnabled": row["is_published"],
        "allowsCustomEndDate": False,
    }


def addon(row: Mapping[str, Any], *, staff: bool) -> dict[str, Any]:
    """An add-on that may be bought with a product."""
    names = ("id", "name", "code", "category", "unitOfMeasure", "industries", "createdAt", "updatedAt")
    more = ("isTaxable", "isActive", "isManualCancellationEnabled") if staff else ()
    whole = product(row, staff=staff)
    return {name: whole[name] for name in (*names, *more)}


def prices(plans: Iterable[PricedPlan], currency: str, *, staff: bool, cost: bool) -> dict[str, Any]:
    """What a product costs the caller, by billing unit; the vendor's cost for those who may see it."""
    units = []
    for item in plans:
        unit: dict[str, Any] = {"id": item.plan.public_id, "name": item.plan.label, "sellPrice": item.price.amount}
        if cost:
            unit["purchasePrice"] = item.cost if item.cost is not None else Decimal(0)
        if staff:
            unit |= {"autoCalculated": True, "term": MONTHS_OF_CYCLE.get(item.plan.billing_cycle, 0)}
        units.append(unit)
    found: dict[str, Any] = {"freePeriod": False, "prices": [{"currency": currency, "units": units}] if units else []}
    if not staff:
        return found
    more = {"decimals": 2, "upfrontBilling": True, "hasExternalPricing": False, "isBillingFrequencyEnabled": False}
    return found | more
