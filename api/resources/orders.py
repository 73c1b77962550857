"""Orders and their items on the wire (``api.md`` 7.3, 10.3): amounts are those of the Bill To."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from api.fields import Column, Columns, truth
from api.reads import wire_read
from api.resources.subscriptions import MODE_WORDS, MODES, lite, unit_of
from api.wire import ready
from core.prepared import Kept
from orders import order_values as values
from orders.enums import NO_CREDIT
from orders.enums import OrderStatus as S
from orders.models import OrderLine

# The contract's word, our own name, and the number of each state the wire tells.
WORDS = {
    "Locked": (1, "Pending Reseller Approval"),
    "Submitted": (2, "Submitted"),
    "Executing": (3, "In Progress"),
    "Executed": (4, "Executed"),
    "Cancelled": (5, "Cancelled"),
}
STATUS_WORDS = {**{word: (word,) for word in WORDS}, "Delivered": (), "Scheduled": ()}
COLUMNS = Columns(
    (
        Column("id", "guid", "public_id"),
        Column("code", "text", "number", orders=True),
        Column("status", "word", "wire_status", words=STATUS_WORDS, expression=values.wire_status),
        Column("statusId", "integer", "wire_number", expression=lambda: values.wire_number(WORDS), nullable=True),
        Column("statusName", "text", "wire_name", expression=lambda: values.wire_name(WORDS)),
        Column("orderDate", "moment", "order_date", expression=values.order_date, orders=True),
        Column("accountId", "integer", "account_id"),
        Column("accountName", "text", "account__name", orders=True),
        Column("billingToId", "integer", "payer_id"),
        Column("billingToName", "text", "payer__name", orders=True),
        Column("currency", "text", "currency"),
        Column("total", "number", "gross", orders=True),
        Column("isBackOrder", "bool", always=False),
        Column("creditLimitExceeded", "bool", "over_credit", expression=truth(values.OVER_CREDIT)),
        Column("awaitingPayment", "bool", always=False),
        Column("purchaseMode", "word", "purchase_mode", words=MODE_WORDS),
        Column("createdAt", "moment", "created_at", orders=True),
        Column("updatedAt", "moment", "updated_at", orders=True),
    ),
    default_order=("orderDate", True),
)
_READ = (
    "public_id",
    "number",
    "status",
    "wire_status",
    "order_date",
    "account_id",
    "account__name",
    "payer_id",
    "payer__name",
    "contact",
    "currency",
    "net",
    "tax",
    "gross",
    "purchase_mode",
    "hold_reason",
    "reason",
    "expires_at",
    "vendor_total",
    "created_at",
    "updated_at",
)
_DETAILS = wire_read(values.shown_orders, _READ)


def read(rows: QuerySet[Any] | Kept, part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the rows as values."""
    return _DETAILS.page(rows, part, *more)


def order(row: Mapping[str, Any], *, cost: bool) -> dict[str, Any]:
    """An order; a draft has no status yet."""
    word = row["wire_status"]
    found = {
        "id": row["public_id"],
        "code": row["number"] if word else None,
        "status": {"id": WORDS[word][0], "name": WORDS[word][1], "type": word} if word else None,
        "orderDate": row["order_date"],
        "account": lite(row["account_id"], row["account__name"]),
        "billingTo": lite(row["payer_id"], row["payer__name"]),
        "contact": ready(row["contact"]),
        "paymentMethod": None,
        "currency": row["currency"],
        "totalOriginal": row["net"],
        "discount": None,
        "totalBeforeTax": row["net"],
        "totalTaxes": [{"id": 1, "name": "Tax", "amount": row["tax"]}] if row["tax"] else [],
        "total": row["gross"],
        "isBackOrder": False,
        "creditLimitExceeded": row["status"] == S.SUBMITTED and row["hold_reason"] == NO_CREDIT,
        "awaitingPayment": False,
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "stage": "Draft" if row["status"] == S.DRAFT else "Confirmed",
        "expirationDate": row["expires_at"],
        "purchaseMode": MODES.get(row["purchase_mode"]),
    }
    if cost and row["vendor_total"] is not None:
        profit = row["net"] - row["vendor_total"]
        percent = round(profit * 100 / row["net"], 4) if row["net"] else profit * 0
        found |= {"totalCost": row["vendor_total"], "totalProfit": profit, "percentageProfit": percent}
    return found


def items(lines: Iterable[OrderLine], *, staff: bool) -> list[dict[str, Any]]:
    """The items of an order, in their order."""
    known = {line.pk: line.public_id for line in lines}
    return [_item(line, known, staff) for line in lines]


def _item(line: OrderLine, known: Mapping[int, uuid.UUID], staff: bool) -> dict[str, Any]:
    service, asset = line.subscription, line.asset
    price: dict[str, Any] = {"value": line.unit_price}
    item: dict[str, Any] = {
        "id": line.public_id,
        "position": line.position,
        "type": "Product",
        "product": {
            "id": line.plan.product.public_id,
            "name": line.product_name,
            "code": line.product_code,
            "isBundle": False,
        },
        "subscription": _lite_service(service) if service else None,
        "asset": _lite_service(asset) if asset else None,
        "unit": unit_of(line.plan.public_id, line.term, line.billing_cycle),
        "unitPrice": price | {"isUserDefined": False} if staff else price,
        "quantity": line.quantity,
        "userDefinedDiscount": None,
        "volumeDiscount": [],
        "promotion": None,
        "total": line.net,
        "totalDiscountAmount": 0,
        "relatedSubscription": service.public_id if service and line.kind != "new" else None,
        "relatedItem": known.get(line.parent_id or 0),
        "billingFrequencyOption": None,
    }
    return item | {"isBillOnStart": True} if staff else item


def _lite_service(row: Any) -> dict[str, Any]:
    return {"id": row.public_id, "name": row.name, "account": lite(row.account_id, row.account.name)}


def include_items(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the items."""
    found = values.lines_of(view.caller.actor, [row["pk"] for row in rows])
    for row, item in zip(rows, objects, strict=True):
        item["items"] = items(found.get(row["pk"], []), staff=not view.caller.is_reseller)
