"""Orders and their items on the wire (``api.md`` 7.3, 10.3): amounts are those of the Bill To."""

import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
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
from subscriptions.refusals import cleaned

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
        Column("isBackOrder", "bool", "is_back_order", expression=values.back_order),
        Column("creditLimitExceeded", "bool", "over_credit", expression=truth(values.OVER_CREDIT)),
        Column("awaitingPayment", "bool", always=False),
        Column("purchaseMode", "word", "purchase_mode", words=MODE_WORDS),
        Column("createdAt", "moment", "created_at", orders=True),
        Column("updatedAt", "moment", "updated_at", orders=True),
    ),
    default_order=("orderDate", True),
)


def order(
    public_id: str,
    number: str,
    status: str,
    wire_status: str,
    failed: bool,
    order_date: str,
    is_back_order: bool,
    account_id: int,
    account__name: str,
    payer_id: int,
    payer__name: str,
    contact: str | None,
    currency: str,
    net: Decimal,
    tax: Decimal,
    gross: Decimal,
    purchase_mode: str,
    hold_reason: str,
    expires_at: str | None,
    vendor_total: Decimal | None,
    created_at: str,
    updated_at: str,
    *,
    cost: bool,
) -> dict[str, Any]:
    """An order; a draft has no status yet. The parameters name the columns that are read."""
    found = {
        "id": public_id,
        "code": number if wire_status else None,
        "status": _state(wire_status, failed),
        "orderDate": order_date,
        "account": lite(account_id, account__name),
        "billingTo": lite(payer_id, payer__name),
        "contact": ready(contact),
        "paymentMethod": None,
        "currency": currency,
        "totalOriginal": net,
        "discount": None,
        "totalBeforeTax": net,
        "totalTaxes": [{"id": 1, "name": "Tax", "amount": tax}] if tax else [],
        "total": gross,
        "isBackOrder": is_back_order,
        "creditLimitExceeded": status == S.SUBMITTED and hold_reason == NO_CREDIT,
        "awaitingPayment": False,
        "createdAt": created_at,
        "updatedAt": updated_at,
        "stage": "Draft" if status == S.DRAFT else "Confirmed",
        "expirationDate": expires_at,
        "purchaseMode": MODES.get(purchase_mode),
    }
    if cost and vendor_total is not None:
        profit = net - vendor_total
        percent = round(profit * 100 / net, 4) if net else profit * 0
        found |= {"totalCost": vendor_total, "totalProfit": profit, "percentageProfit": percent}
    return found


def _state(word: str, failed: bool) -> dict[str, Any] | None:
    if not word:
        return None
    number, name = WORDS[word]
    return {"id": number, "name": values.PARTIALLY_FAILED if failed and word == "Executed" else name, "type": word}


def progress(
    wire_status: str, status: str, hold_reason: str, reason: str, *, services: list[dict[str, Any]]
) -> dict[str, Any]:
    """How far an order is, why it waits if it does, and the services it made."""
    return {
        "status": wire_status or "Submitted",
        "stage": "Confirmed" if wire_status else "Draft",
        "subscriptions": services,
        "error": _hold(hold_reason, reason) if status == S.SUBMITTED and hold_reason else None,
    }


def _hold(code: str, reason: str) -> dict[str, Any]:
    if code == NO_CREDIT:
        message = "The order is above the available credit and waits for the distributor."
    else:
        message = reason or cleaned(code) or "The vendor's check refused the order."
    return {"code": code, "message": message, "isRetriableError": False}


_DETAILS = wire_read(values.shown_orders, order)
_PROGRESS = wire_read(values.shown_orders, progress)


def read(rows: QuerySet[Any] | Kept, part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the rows as values, for :func:`order`."""
    return _DETAILS.page(rows, part, *more)


def read_progress(rows: QuerySet[Any], part: slice) -> list[dict[str, Any]]:
    """A part of the rows as values, for :func:`progress`."""
    return _PROGRESS.page(rows, part)


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
        "quantity": Decimal(line.quantity),
        "userDefinedDiscount": None,
        "volumeDiscount": [],
        "promotion": None,
        "total": line.net,
        "totalDiscountAmount": Decimal(0),
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
