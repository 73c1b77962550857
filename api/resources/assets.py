"""Licences on the wire (``api.md`` 7.2, 10.4): never their keys."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from api.fields import Column, Columns
from api.reads import wire_read
from api.resources.subscriptions import MODE_WORDS, MODES, amount_of, lite
from api.wire import ready
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
        # Licences bought for ever are not inherited, so none of them follows a Professional reseller's side.
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


def asset(
    public_id: str,
    name: str,
    status: str,
    sync_status: str,
    unit_price: Decimal,
    quantity: int,
    currency: str,
    purchased_at: str,
    order_number: str,
    from_order: str | None,
    contact: str | None,
    account_id: int,
    account__name: str,
    bill_to_id: int,
    bill_to__name: str,
    product__public_id: str,
    product__name: str,
    product__code: str,
    product__unit: str,
    purchase_mode: str,
    perpetual_id: str,
    created_at: str,
    updated_at: str,
    *,
    staff: bool,
) -> dict[str, Any]:
    """A licence. The parameters name the columns that are read."""
    product = {"id": product__public_id, "name": product__name, "code": product__code}
    return {
        "id": public_id,
        "name": name,
        "status": STATUS[status],
        "provisioningStatus": SYNC[sync_status],
        "assetAmount": amount_of(unit_price, quantity, currency),
        "currency": currency,
        "unit": product__unit or None,
        "endDate": None,
        "isBackOrdering": False,
        "purchaseDate": purchased_at,
        "order": {"id": from_order, "code": order_number} if from_order else None,
        "billToContact": ready(contact),
        "customer": lite(account_id, account__name),
        "billingTo": lite(bill_to_id, bill_to__name),
        "product": product | {"quantity": Decimal(quantity)} if staff else product,
        "createdAt": created_at,
        "updatedAt": updated_at,
        "perpetualId": perpetual_id or None,
        "purchaseMode": MODES.get(purchase_mode),
    }


_DETAILS = wire_read(values.shown_licences, asset)


def read(rows: QuerySet[Any] | Kept, part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the rows as values, for :func:`asset`."""
    return _DETAILS.page(rows, part, *more)
