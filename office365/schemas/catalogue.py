"""Products, SKUs, availabilities, inventory, promotions and legacy offers (``partner-center.md`` 7)."""

# ruff: noqa: RUF009 - the functions of ``common`` declare fields, as ``dataclasses.field`` does.

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from office365.schemas.common import (
    Resource,
    Word,
    flag,
    integer,
    lookup,
    many,
    moment,
    number,
    one,
    open_map,
    read_flag,
    read_text,
    read_texts,
    read_word,
    text,
    texts,
    word,
)

CYCLE = read_word(("monthly", "annual", "biennial", "triennial", "one_time", "none"))
SEGMENT = read_word(("commercial", "education", "government", "nonprofit"), {"charity": "nonprofit"})
BILLING_TYPE = read_word(("none", "usage", "license"))


@dataclass(frozen=True, kw_only=True)
class ProductSubType(Resource):
    """A finer kind of product, such as the reservation's machine family."""

    id: str = text()
    display_name: str = text()


@dataclass(frozen=True, kw_only=True)
class ProductType(Resource):
    """The kind of a product; new-commerce seats are ``OnlineServicesNCE``."""

    id: str = text()
    display_name: str = text()
    sub_type: ProductSubType | None = one(ProductSubType)


@dataclass(frozen=True, kw_only=True)
class Product(Resource):
    """A product of the new-commerce catalogue; what is sold are its SKUs."""

    id: str = text(required=True)
    title: str = text()
    description: str = text()
    product_type: ProductType | None = one(ProductType)
    is_microsoft_product: bool | None = flag()
    publisher_name: str = text()

    @property
    def type_id(self) -> str:
        """The id of the product's type, ``""`` if none came."""
        return self.product_type.id if self.product_type else ""


@dataclass(frozen=True, kw_only=True)
class Sku(Resource):
    """A SKU; ``dynamic_attributes`` is an open map, of which the properties below are read."""

    id: str = text(required=True)
    product_id: str = text()
    title: str = text()
    description: str = text()
    minimum_quantity: int | None = integer()
    maximum_quantity: int | None = integer()
    is_trial: bool | None = flag(default=False)
    supported_billing_cycles: tuple[str, ...] = texts()
    purchase_prerequisites: tuple[str, ...] = texts()
    inventory_variables: tuple[str, ...] = texts()
    provisioning_variables: tuple[str, ...] = texts()
    actions: tuple[str, ...] = texts()
    consumption_type: str = text()
    dynamic_attributes: Mapping[str, Any] = open_map()

    @property
    def is_addon(self) -> bool:
        """Whether it is sold only on top of another SKU."""
        return bool(read_flag(lookup(self.dynamic_attributes, "isAddon")))

    @property
    def prerequisite_skus(self) -> tuple[str, ...]:
        """``{productId}:{skuId}`` of what the customer must have first."""
        return read_texts(lookup(self.dynamic_attributes, "prerequisiteSkus"))

    @property
    def upgrade_targets(self) -> tuple[str, ...]:
        """``{productId}:{skuId}`` of what it may be upgraded to."""
        return read_texts(lookup(self.dynamic_attributes, "upgradeTargetOffers"))

    @property
    def provisioning_id(self) -> str:
        """The directory's SKU id: the join to licences."""
        return read_text(lookup(self.dynamic_attributes, "provisioningId"))


@dataclass(frozen=True, kw_only=True)
class RefundOption(Resource):
    """Until when a purchase can be taken back, and for how much of the price."""

    type: str = text()
    sequence_id: int | None = integer()
    expires_after: str = text()
    expires_at: dt.datetime | None = moment()


@dataclass(frozen=True, kw_only=True)
class CancellationPolicy(Resource):
    """The refund options of a term."""

    refund_options: tuple[RefundOption, ...] = many(RefundOption)


@dataclass(frozen=True, kw_only=True)
class Term(Resource):
    """One way to buy: duration (``P1Y``, ``""`` for perpetual) and billing cycle."""

    id: str = text()
    duration: str = text()
    description: str = text()
    billing_cycle: Word = word(CYCLE)
    cancellation_policies: tuple[CancellationPolicy, ...] = many(CancellationPolicy)


@dataclass(frozen=True, kw_only=True)
class Currency(Resource):
    """An ISO 4217 code and its sign."""

    code: str = text()
    symbol: str = text()


@dataclass(frozen=True, kw_only=True)
class Availability(Resource):
    """A SKU's offer in a country, segment and currency. Its id is ephemeral and never stored."""

    id: str = text(required=True)
    product_id: str = text()
    sku_id: str = text()
    catalog_item_id: str = text(required=True)
    default_currency: Currency | None = one(Currency)
    segment: Word = word(SEGMENT)
    country: str = text()
    is_purchasable: bool | None = flag(default=True)
    is_renewable: bool | None = flag()
    terms: tuple[Term, ...] = many(Term)

    @property
    def currency(self) -> str:
        """ISO 4217 code, ``""`` if none came."""
        return self.default_currency.code.upper() if self.default_currency else ""


@dataclass(frozen=True, kw_only=True)
class InventoryRestriction(Resource):
    """Why an item cannot be had."""

    reason_code: str = text()
    description: str = text()


@dataclass(frozen=True, kw_only=True)
class InventoryItem(Resource):
    """Whether an item can be had by a customer in a region."""

    product_id: str = text(required=True)
    sku_id: str = text()
    is_restricted: bool | None = flag(default=False)
    restrictions: tuple[InventoryRestriction, ...] = many(InventoryRestriction)


@dataclass(frozen=True, kw_only=True)
class PricingPolicy(Resource):
    """A discount; ``value`` is a fraction (0.05 = 5 %)."""

    policy_type: str = text()
    value: Decimal | None = number()


@dataclass(frozen=True, kw_only=True)
class PromotionProduct(Resource):
    """A SKU and term a promotion is for."""

    product_id: str = text()
    sku_id: str = text()
    term: Term | None = one(Term)
    pricing_policies: tuple[PricingPolicy, ...] = many(PricingPolicy)


@dataclass(frozen=True, kw_only=True)
class Promotion(Resource):
    """A promotion of a country and segment."""

    id: str = text(required=True)
    name: str = text()
    description: str = text()
    start_date: dt.datetime | None = moment()
    end_date: dt.datetime | None = moment()
    required_products: tuple[PromotionProduct, ...] = many(PromotionProduct)


@dataclass(frozen=True, kw_only=True)
class EligibilityError(Resource):
    """Why something is not possible: a promotion or a transition."""

    type: str = text()
    code: str = text()
    description: str = text()


@dataclass(frozen=True, kw_only=True)
class Eligibility(Resource):
    """Whether one promotion, or one kind of transition, is possible."""

    promotion_id: str = text()
    is_eligible: bool | None = flag(default=False)
    transition_type: Word = word(read_word(("transition_only", "transition_with_license_transfer")))
    errors: tuple[EligibilityError, ...] = many(EligibilityError)


@dataclass(frozen=True, kw_only=True)
class PromotionEligibility(Resource):
    """Which promotions a customer may use for one item."""

    catalog_item_id: str = text(required=True)
    quantity: int | None = integer()
    term_duration: str = text()
    billing_cycle: Word = word(CYCLE)
    eligibilities: tuple[Eligibility, ...] = many(Eligibility)


@dataclass(frozen=True, kw_only=True)
class OfferCategory(Resource):
    """A category of legacy offers."""

    id: str = text()
    name: str = text()
    rank: int | None = integer()


@dataclass(frozen=True, kw_only=True)
class OfferProduct(Resource):
    """The product behind a legacy offer; ``id`` is the directory's SKU id."""

    id: str = text()
    name: str = text()
    unit: str = text()


@dataclass(frozen=True, kw_only=True)
class Offer(Resource):
    """A legacy offer; its id is also the catalogue item id of a cart line."""

    id: str = text(required=True)
    name: str = text(required=True)
    description: str = text()
    minimum_quantity: int | None = integer()
    maximum_quantity: int | None = integer()
    category: OfferCategory | None = one(OfferCategory)
    prerequisite_offers: tuple[str, ...] = texts()
    is_add_on: bool | None = flag(default=False)
    is_available_for_purchase: bool | None = flag(default=True)
    billing: Word = word(BILLING_TYPE)
    supported_billing_cycles: tuple[str, ...] = texts()
    is_auto_renewable: bool | None = flag()
    is_trial: bool | None = flag(default=False)
    upgrade_target_offers: tuple[str, ...] = texts()
    resellee_qualifications: tuple[str, ...] = texts()
    product: OfferProduct | None = one(OfferProduct)
    unit_type: str = text()
    uri: str = text()
