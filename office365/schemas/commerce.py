"""Carts, checkouts, orders and entitlements (``partner-center.md`` 8, 9.4)."""

# ruff: noqa: RUF009 - the functions of ``common`` declare fields, as ``dataclasses.field`` does.

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from office365.schemas.catalogue import CYCLE
from office365.schemas.common import (
    Resource,
    Word,
    contract_error,
    flag,
    integer,
    lookup,
    many,
    moment,
    number,
    one,
    open_map,
    read_text,
    read_word,
    text,
    word,
)

TRANSACTION = read_word(("new", "renew", "add_quantity", "remove_quantity", "cancel", "convert", "customer_credit"))


@dataclass(frozen=True, kw_only=True)
class LineError(Resource):
    """An error inside a cart line of a 201 answer: such a cart is never checked out."""

    code: str = text("errorCode|code")
    description: str = text("errorDescription|description")


@dataclass(frozen=True, kw_only=True)
class CartLine(Resource):
    """A line of a cart, with its add-ons."""

    id: int | None = integer()
    catalog_item_id: str = text(required=True)
    friendly_name: str = text()
    quantity: int | None = integer()
    currency_code: str = text()
    billing_cycle: Word = word(CYCLE)
    term_duration: str = text()
    promotion_id: str = text()
    order_group: str = text()
    provisioning_context: Mapping[str, Any] = open_map()
    addon_items: "tuple[CartLine, ...]" = many(lambda: CartLine)
    error: LineError | None = one(LineError)

    @property
    def errors(self) -> tuple[LineError, ...]:
        """The line's own error and those of its add-ons."""
        own = (self.error,) if self.error and (self.error.code or self.error.description) else ()
        return own + tuple(error for line in self.addon_items for error in line.errors)


@dataclass(frozen=True, kw_only=True)
class Cart(Resource):
    """A cart; it lives until ``expires_at`` (usually 7 days, once 15 minutes)."""

    id: str = text(required=True)
    created_at: dt.datetime | None = moment("creationTimestamp")
    modified_at: dt.datetime | None = moment("lastModifiedTimestamp")
    expires_at: dt.datetime | None = moment("expirationTimestamp")
    status: Word = word(read_word(("active", "ordered")))
    line_items: tuple[CartLine, ...] = many(CartLine)

    @property
    def errors(self) -> tuple[LineError, ...]:
        """All line errors."""
        return tuple(error for line in self.line_items for error in line.errors)


@dataclass(frozen=True, kw_only=True)
class OrderPricing(Resource):
    """Prices of an order line, in the order's currency."""

    list_price: Decimal | None = number()
    discounted_price: Decimal | None = number()
    prorated_price: Decimal | None = number()
    price: Decimal | None = number()
    extended_price: Decimal | None = number()


@dataclass(frozen=True, kw_only=True)
class OrderLine(Resource):
    """A line of an order; ``subscription_id`` often comes only later."""

    line_item_number: int | None = integer()
    offer_id: str = text(required=True)
    subscription_id: str = text()
    parent_subscription_id: str = text()
    term_duration: str = text()
    transaction_type: Word = word(TRANSACTION)
    friendly_name: str = text()
    quantity: int | None = integer()
    partner_id_on_record: str = text()
    promotion_id: str = text()
    pricing: OrderPricing | None = one(OrderPricing)


@dataclass(frozen=True, kw_only=True)
class Order(Resource):
    """An order of a customer; ids come as GUID, as 12 hex digits or as about 33 signs."""

    id: str = text(required=True)
    alternate_id: str = text()
    reference_customer_id: str = text()
    billing_cycle: Word = word(CYCLE)
    currency_code: str = text()
    line_items: tuple[OrderLine, ...] = many(OrderLine)
    created_at: dt.datetime | None = moment("creationDate")
    status: Word = word(read_word(("completed", "pending", "cancelled")))
    transaction_type: Word = word(read_word(("user_purchase", "system_purchase", "system_billing")))
    total_price: Decimal | None = number()


@dataclass(frozen=True, kw_only=True)
class OrderError(Resource):
    """A part of a checkout that was refused."""

    order_group_id: str = text()
    code: str = text()
    description: str = text("description|message")


@dataclass(frozen=True, kw_only=True)
class Checkout(Resource):
    """The answer of a checkout; both lists must be read, part success is normal."""

    orders: tuple[Order, ...] = many(Order)
    order_errors: tuple[OrderError, ...] = many(OrderError)

    def __post_init__(self) -> None:
        if lookup(self.raw, "orders") is None and lookup(self.raw, "orderErrors") is None:
            raise contract_error("Checkout.orders", "is missing")


@dataclass(frozen=True, kw_only=True)
class QuantityStatus(Resource):
    """How many units are in which state."""

    quantity: int | None = integer()
    status: str = text()


@dataclass(frozen=True, kw_only=True)
class LineProvisioning(Resource):
    """How far the provisioning of an order line is; refreshed about every 15 minutes."""

    line_item_number: int | None = integer("lineItemNumber|orderLineItemId", required=True)
    status: Word = word(read_word(("fulfilled", "unfulfilled", "prefulfillment_pending")), required=True)
    quantities: tuple[QuantityStatus, ...] = many(QuantityStatus, "quantityProvisioningInformation")


@dataclass(frozen=True, kw_only=True)
class ActivationLink(Resource):
    """Where the customer activates a marketplace product."""

    line_item_number: int | None = integer()
    link: Mapping[str, Any] = open_map()

    @property
    def uri(self) -> str:
        """The address to open, ``""`` while there is none."""
        return read_text(lookup(self.link, "uri"))


@dataclass(frozen=True, kw_only=True)
class ReferenceOrder(Resource):
    """The order line an entitlement came from."""

    id: str = text()
    line_item_id: str = text()
    alternate_id: str = text()


@dataclass(frozen=True, kw_only=True)
class Artifact(Resource):
    """A thing an entitlement gives; no call returns keys or download links."""

    artifact_type: str = text()
    resource_id: str = text()
    link: Mapping[str, Any] = open_map()


@dataclass(frozen=True, kw_only=True)
class Entitlement(Resource):
    """What a customer owns: perpetual software or a reservation, with what is included in it."""

    reference_order: ReferenceOrder | None = one(ReferenceOrder)
    product_id: str = text(required=True)
    sku_id: str = text()
    quantity: int | None = integer()
    quantity_details: tuple[QuantityStatus, ...] = many(QuantityStatus)
    entitlement_type: Word = word(read_word(("software", "reservedinstance", "virtual_machine_reserved_instance")))
    fulfillment_state: str = text()
    expiry_date: dt.datetime | None = moment()
    entitled_artifacts: tuple[Artifact, ...] = many(Artifact)
    included_entitlements: "tuple[Entitlement, ...]" = many(lambda: Entitlement)
    is_active: bool | None = flag()
