"""Subscriptions and add-ons on the wire (``api.md`` 7.1, 9.1): one row of values in, one object out.

Amounts are what the payer pays; the vendor's cost is not read here at all.
"""

from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import override

from api.fields import Column, Columns
from api.reads import wire_read
from api.wire import ready
from catalog.models import ChargeType
from catalog.models.products import plan_label
from core.money import to_minor
from core.prepared import Kept
from orders import service_values as values
from resellers.enums import AccountKind, PurchaseMode
from subscriptions.enums import SubscriptionStatus as S

STATUS_WORDS = {
    "Active": (S.ACTIVE.value,),
    "Cancelled": (S.CANCELLED.value,),
    "Inactive": (S.INACTIVE.value, S.FAILED.value),
    "Suspended": (S.SUSPENDED.value,),
    "PendingCancellation": (S.PENDING_CANCEL.value,),
}
STATUS = {value: word for word, stored in STATUS_WORDS.items() for value in stored}
SYNC_WORDS = {
    "Unsynchronized": ("not_required", "unsynchronised"),
    "InProgress": ("in_progress",),
    "Synchronized": ("synchronized",),
    "Failed": ("failed",),
}
SYNC = {value: word for word, stored in SYNC_WORDS.items() for value in stored}
MODE_WORDS = {
    "PersonalUse": (PurchaseMode.PERSONAL_USE.value,),
    "AffiliateAccount": (PurchaseMode.AFFILIATE.value,),
    "EndCustomer": (PurchaseMode.END_CUSTOMER.value,),
}
MODES = {value: word for word, stored in MODE_WORDS.items() for value in stored}
USAGE_WORDS = {word: (word,) for word in ("None", "Azure", "AzurePlan", "PayPerUse")}
CYCLES = {"monthly": (1, "Month"), "annual": (1, "Year"), "biennial": (2, "Year"), "triennial": (3, "Year")}
TERMS = {"P1M": (1, "Month"), "P1Y": (1, "Year"), "P2Y": (2, "Year"), "P3Y": (3, "Year"), "P6Y": (6, "Year")}


def _text(name: str, path: str, **more: Any) -> Column:
    return Column(name, "text", path, **more)


def _date(name: str, path: str, *, orders: bool = False, nullable: bool = False, **more: Any) -> Column:
    return Column(name, "moment", path, orders=orders, nullable=nullable, **more)


COLUMNS = Columns(
    (
        Column("id", "guid", "public_id"),
        _text("name", "name", orders=True),
        _text("externalId", "external_id"),
        Column("status", "word", "status", words=STATUS_WORDS, orders=True),
        _text("statusReason", "said_why", expression=values.why),
        _text("currency", "currency"),
        Column("orderId", "guid", "from_order", expression=values.order_id, nullable=True),
        _text("orderCode", "order_number"),
        Column("accountId", "integer", "account_id"),
        _text("accountName", "account__name", orders=True),
        Column("billingToId", "integer", "bill_to_id"),
        _text("billingToName", "bill_to__name", orders=True),
        Column("resellerId", "integer", "reseller_key", expression=values.reseller_id, nullable=True),
        _text("resellerName", "reseller_name", expression=values.reseller_name, nullable=True),
        Column("productId", "guid", "product__public_id"),
        _text("productName", "product__name", orders=True),
        _text("productCode", "product__code"),
        Column("typeId", "integer", "product__product_type_id"),
        _text("typeName", "product__product_type__name"),
        Column("unitId", "guid", "plan__public_id"),
        Column("unitName", "text", "unit_name", expression=values.unit_name),
        Column("quantity", "integer", "quantity", orders=True),
        Column("subscriptionAmount", "number", "row_amount", expression=values.amount, orders=True),
        _date("startDate", "row_starts", expression=values.starts, orders=True),
        _date("endDate", "row_ends", expression=values.ends, orders=True),
        _date("activationDate", "row_activated", expression=values.activated, orders=True),
        _date("firstActivationDateTime", "first_activated_at", nullable=True),
        _date("cancelledAt", "cancelled_at", nullable=True),
        _date("renewalDate", "term_ends_at", nullable=True, orders=True),
        Column("automaticRenewal", "bool", "auto_renew"),
        Column("isUsageBased", "bool", "by_usage", expression=values.by_usage),
        Column("usageKind", "word", "wire_usage", words=USAGE_WORDS, expression=values.usage_kind),
        Column("isBackordering", "bool", "is_managed", expression=values.managed),
        Column("isTrial", "bool", "is_trial"),
        Column("isUnderPriceProtection", "bool", always=False),
        Column("purchaseMode", "word", "purchase_mode", words=MODE_WORDS),
        Column("synchronizationStatus", "word", "sync_status", words=SYNC_WORDS),
        Column("integrationId"),
        _date("createdAt", "created_at", orders=True),
        _date("updatedAt", "updated_at", orders=True),
    ),
    default_order=("createdAt", True),
)


@cache
def _unit_name(term: str, cycle: str) -> str:
    """Term and billing cycle in words; the API speaks plain English."""
    with override("en"):
        return plan_label(term, cycle)


def unit_of(public_id: Any, term: str, cycle: str) -> dict[str, Any]:
    """The billing unit: one way to buy a product."""
    return {"id": public_id, "name": _unit_name(term, cycle)}


@lru_cache(maxsize=10_000)
def amount_of(unit_price: Decimal, quantity: int, currency: str) -> Decimal:
    """What so many cost, rounded to the currency's minor unit; lists show few prices again and again."""
    return to_minor(unit_price * quantity, currency)


def lite(key: Any, name: str) -> dict[str, Any]:
    """An account or another thing by its id and name."""
    return {"id": key, "name": name}


def subscription(
    public_id: str,
    name: str,
    status: str,
    said_why: str,
    wire_usage: str,
    is_managed: bool,
    currency: str,
    order_number: str,
    from_order: str | None,
    account_id: int,
    account__name: str,
    bill_to_id: int,
    bill_to__name: str,
    bill_to__kind: str,
    contact: str | None,
    row_starts: str,
    row_ends: str,
    row_activated: str,
    first_activated_at: str | None,
    cancelled_at: str | None,
    cancel_until: str | None,
    term_ends_at: str | None,
    auto_renew: bool,
    is_trial: bool,
    product__public_id: str,
    product__name: str,
    product__code: str,
    product__charge_type: str,
    product__product_type_id: int,
    product__product_type__name: str,
    plan__public_id: str,
    term: str,
    billing_cycle: str,
    quantity: int,
    unit_price: Decimal,
    created_at: str,
    updated_at: str,
    external_id: str,
    purchase_mode: str,
    sync_status: str,
) -> dict[str, Any]:
    """A subscription as every caller sees it; what is embedded is added by the call.

    The parameters name the columns that are read.
    """
    payer = lite(bill_to_id, bill_to__name)
    cycle = CYCLES.get(billing_cycle)
    return {
        "id": public_id,
        "name": name,
        "status": STATUS[status],
        "currency": currency,
        "order": {"id": from_order, "code": order_number} if from_order else None,
        "account": lite(account_id, account__name),
        "billingTo": payer,
        "billToContact": ready(contact),
        "startDate": row_starts,
        "endDate": row_ends,
        "activationDate": row_activated,
        "automaticRenewal": auto_renew,
        "isUsageBased": product__charge_type == ChargeType.PAY_PER_USE,
        "isBackordering": is_managed,
        "isTrial": is_trial,
        "product": {
            "id": product__public_id,
            "name": product__name,
            "code": product__code,
            "isBundle": False,
        },
        "unit": unit_of(plan__public_id, term, billing_cycle),
        "quantity": quantity,
        "subscriptionAmount": amount_of(unit_price, quantity, currency),
        "createdAt": created_at,
        "updatedAt": updated_at,
        "externalId": external_id or None,
        "type": {"id": product__product_type_id, "name": product__product_type__name},
        "statusReason": said_why or None,
        "firstActivationDateTime": first_activated_at,
        "cancelledAt": cancelled_at,
        "renewalDate": term_ends_at,
        "billingCycle": {"duration": cycle[0], "unitType": cycle[1], "name": cycle[1]} if cycle else None,
        "commitment": _commitment(term, term_ends_at, cancel_until),
        "purchaseMode": MODES.get(purchase_mode),
        "reseller": payer if bill_to__kind == AccountKind.RESELLER else None,
        "parentSubscription": None,
        "usageKind": wire_usage,
        "synchronizationStatus": SYNC[sync_status],
        "isUnderPriceProtection": False,
        "integrationId": None,
    }


def _commitment(term: str, ends: str | None, cancel_until: str | None) -> dict[str, Any] | None:
    """The vendor's term, if there is one and its end is known."""
    length = TERMS.get(term)
    if length is None or ends is None:
        return None
    return {"duration": length[0], "unitType": length[1], "endDate": ends, "cancellableUntil": cancel_until}


_DETAILS = wire_read(values.shown_services, subscription)


def read(rows: QuerySet[Any] | Kept, part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the rows as values, for :func:`subscription`; ``more`` names what else to read of them."""
    return _DETAILS.page(rows, part, *more)
