"""Licences on the wire (``api.md`` 7.2, 10.4): never their keys."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from api.fields import Column, Columns
from api.reads import wire_read
from api.resources.subscriptions import MODE_WORDS, MODES, lite
from api.wire import ready
from core.money import to_minor
from core.prepared import Kept
from orders import service_values as values

SYNC_WORDS = {
    "UnSynchronized": ("not_required", "unsynchronised"),
    "In progress": ("in_progress",),
    "Completed successfully": ("synchronized",),
    "Failed": ("failed",),
}
SYNC = {value: word for word, stored in SYNC_WORDS.items() for value in stored}
STATUS_WORDS = {"Active": ("active", "pending"), "Cancelled": ("cancelled",)}
STATUS = {value: word for word, stored in STATUS_WORDS.items() for value in stored}
COLUMNS = Columns(
    (
        Column("id", "guid", "public_id"),
        Column("name", "text", "name", orders=True),
        Column("status", "word", "status", words=STATUS_WORDS),
        Column("provisioningStatus", "word", "sync_status", words=SYNC_WORDS),
        Column("assetAmount", "number", "row_amount", expression=values.amount),
        Column("currency", "text", "currency"),
        Column("unit", "text", "product__unit"),
        Column("endDate", "moment"),
        Column("isBackOrdering", "bool", always=False),
        Column("purchaseDate", "moment", "purchased_at", orders=True),
        Column("orderId", "guid", "from_order", expression=values.order_id, nullable=True),
        Column("orderCode", "text", "order_number"),
        Column("customerId", "integer", "account_id"),
        Column("customerName", "text", "account__name", orders=True),
        Column("billingToId", "integer", "bill_to_id"),
        Column("billingToName", "text", "bill_to__name", orders=True),
        Column("productId", "guid", "product__public_id"),
        Column("productName", "text", "product__name", orders=True),
        Column("productCode", "text", "product__code"),
        Column("purchaseMode", "word", "purchase_mode", words=MODE_WORDS),
        Column("perpetualId", "text", "perpetual_id"),
        Column("createdAt", "moment", "created_at", orders=True),
        Column("updatedAt", "moment", "updated_at", orders=True),
    ),
    default_order=("createdAt", True),
)
_READ = (
    "public_id",
    "name",
    "status",
    "sync_status",
    "unit_price",
    "quantity",
    "currency",
    "purchased_at",
    "order_number",
    "from_order",
    "contact",
    "account_id",
    "account__name",
    "bill_to_id",
    "bill_to__name",
    "product__public_id",
    "product__name",
    "product__code",
    "product__unit",
    "purchase_mode",
    "perpetual_id",
    "created_at",
    "updated_at",
)
_DETAILS = wire_read(values.shown_licences, _READ)


def read(rows: QuerySet[Any] | Kept, part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the rows as values."""
    return _DETAILS.page(rows, part, *more)


def asset(row: Mapping[str, Any], *, staff: bool) -> dict[str, Any]:
    """A licence."""
    product = {"id": row["product__public_id"], "name": row["product__name"], "code": row["product__code"]}
    return {
        "id": row["public_id"],
        "name": row["name"],
        "status": STATUS[row["status"]],
        "provisioningStatus": SYNC[row["sync_status"]],
        "assetAmount": to_minor(row["unit_price"] * row["quantity"], row["currency"]),
        "currency": row["currency"],
        "unit": row["product__unit"] or None,
        "endDate": None,
        "isBackOrdering": False,
        "purchaseDate": row["purchased_at"],
        "order": {"id": row["from_order"], "code": row["order_number"]} if row["from_order"] else None,
        "billToContact": ready(row["contact"]),
        "customer": lite(row["account_id"], row["account__name"]),
        "billingTo": lite(row["bill_to_id"], row["bill_to__name"]),
        "product": product | {"quantity": row["quantity"]} if staff else product,
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "perpetualId": row["perpetual_id"] or None,
        "purchaseMode": MODES.get(row["purchase_mode"]),
    }
