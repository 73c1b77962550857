"""Usage on the wire (``api.md`` 9.2): three views of a month, at what the Bill To pays; cost for who may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from api.fields import Column, Columns
from api.wire import moment
from core.money import to_stored
from subscriptions.models import UsageKind, UsageView
from subscriptions.usage_rules import NoUnitPrice, unit_price

_TOTAL = Column("total", "number", "total", orders=True)
_QUANTITY = Column("quantity", "number", "quantity", orders=True)
_MOST_FIRST = ("total", True)


def _text(name: str, path: str, *, orders: bool = False) -> Column:
    return Column(name, "text", path, orders=orders)


DAYS = Columns(
    (
        _text("resourceGroup", "resource_group", orders=True),
        _text("resourceName", "resource_name", orders=True),
        _text("category", "category", orders=True),
        _text("subcategory", "subcategory"),
        _text("meterId", "meter_id"),
        _text("meterName", "meter_name", orders=True),
        _text("location", "location"),
        Column("usageStartTime", "moment", "starts_at", orders=True),
        Column("usageEndTime", "moment", "ends_at"),
        _QUANTITY,
        _TOTAL,
    ),
    default_order=_MOST_FIRST,
)
METERS = Columns(
    (
        _text("category", "category", orders=True),
        _text("subcategory", "subcategory", orders=True),
        _text("meterId", "meter_id"),
        _text("meterName", "meter_name", orders=True),
        _QUANTITY,
        _TOTAL,
    ),
    default_order=_MOST_FIRST,
)
RESOURCES = Columns(
    (
        _text("entitlementId", "entitlement_id"),
        _text("entitlementName", "entitlement_name", orders=True),
        _text("resourceGroupName", "resource_group", orders=True),
        _text("resourceType", "resource_type", orders=True),
        _text("name", "resource_name", orders=True),
        _TOTAL,
    ),
    default_order=_MOST_FIRST,
)
_METER = {
    "category": "category",
    "subcategory": "subcategory",
    "meterId": "meter_id",
    "meterName": "meter_name",
    "meterRegion": "meter_region",
    "unit": "unit",
}


@dataclass(frozen=True)
class Told:
    """How one view is told: the kind it is of, its names, and the texts of a row by member."""

    view: UsageView
    kind: UsageKind
    columns: Columns
    texts: Mapping[str, str]


OF_DAYS = Told(
    UsageView.DAY,
    UsageKind.AZURE,
    DAYS,
    {
        "resourceGroup": "resource_group",
        "resourceName": "resource_name",
        "resourceId": "resource_id",
        "location": "location",
        **_METER,
    },
)
OF_METERS = Told(
    UsageView.METER, UsageKind.AZURE_PLAN, METERS, {"vendorSubscriptionId": "vendor_subscription_id", **_METER}
)
OF_RESOURCES = Told(
    UsageView.RESOURCE,
    UsageKind.AZURE_PLAN,
    RESOURCES,
    {
        "entitlementId": "entitlement_id",
        "entitlementName": "entitlement_name",
        "name": "resource_name",
        "resourceGroupName": "resource_group",
        "resourceType": "resource_type",
        "resourceUri": "resource_id",
    },
)
_AMOUNTS = ("quantity", "unit_price", "total_original", "discount_percent", "total", "currency", "modified_at")
_OF_A_DAY = ("starts_at", "ends_at", "tags")
_COST = ("cost", "cost_usd")


def read(told: Told, rows: QuerySet[Any], part: slice, *more: str, cost: bool) -> list[dict[str, Any]]:
    """A part of the rows as values; the cost is read for who may see it alone."""
    by_day = _OF_A_DAY if told.view == UsageView.DAY else ()
    names = {"pk", *told.texts.values(), *_AMOUNTS, *by_day, *(_COST if cost else ()), *more}
    # The key is a GUID, which a cursor carries as text.
    return [{**row, "pk": str(row["pk"])} for row in rows.values(*names)[part]]


def usage(told: Told, row: Mapping[str, Any], *, cost: bool) -> dict[str, Any]:
    """One row."""
    discount = row["discount_percent"]
    made: dict[str, Any] = {"id": row["pk"], **{name: row[path] or None for name, path in told.texts.items()}}
    if told.view == UsageView.DAY:
        made |= {
            "usageStartTime": moment(row["starts_at"]),
            "usageEndTime": moment(row["ends_at"]),
            "tags": row["tags"],
        }
    if told.view != UsageView.RESOURCE:
        made |= {"quantity": row["quantity"], "unitPrice": row["unit_price"]}
    made |= {
        "totalOriginal": row["total_original"],
        "discount": None if discount is None else {"value": discount, "type": "Percentage"},
        "total": row["total"],
        "currency": row["currency"],
        "lastModifiedAt": moment(row["modified_at"]),
    }
    if not cost:
        return made
    if told.view != UsageView.RESOURCE:
        made["unitCost"] = _unit_cost(row)
    return made | {"totalCost": row["cost"], "totalCostUsd": row["cost_usd"]}


def _unit_cost(row: Mapping[str, Any]) -> Decimal | None:
    """What the vendor asks for one; None where he did not say what all of it costs."""
    if row["cost"] is None:
        return None
    try:
        return unit_price(to_stored(row["cost"]), row["quantity"], row["currency"])
    except NoUnitPrice:
        return None
