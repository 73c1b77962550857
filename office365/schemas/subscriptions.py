"""Subscriptions, their transitions and support contacts, and audit records (``partner-center.md`` 9, 13)."""

# ruff: noqa: RUF009 - the functions of ``common`` declare fields, as ``dataclasses.field`` does.

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from office365.schemas.catalogue import (
    BILLING_TYPE,
    CYCLE,
    Eligibility,
    EligibilityError,
    Offer,
    ProductType,
    RefundOption,
)
from office365.schemas.common import (
    Resource,
    Word,
    flag,
    integer,
    lookup,
    many,
    moment,
    one,
    open_map,
    read_text,
    read_word,
    text,
    texts,
    word,
)

STATUS = read_word(("none", "active", "suspended", "deleted", "expired", "pending", "disabled"))


@dataclass(frozen=True, kw_only=True)
class RefundableDetail(Resource):
    """Seats of one purchase and until when they can be given back."""

    quantity: int | None = integer()
    allowed_until: dt.datetime | None = moment("allowedUntilDateTime")


@dataclass(frozen=True, kw_only=True)
class RefundableQuantity(Resource):
    """Seats still in their cancellation windows, per purchase."""

    total_quantity: int | None = integer()
    details: tuple[RefundableDetail, ...] = many(RefundableDetail)


@dataclass(frozen=True, kw_only=True)
class ScheduledProduct(Resource):
    """The product of a scheduled change."""

    product_id: str = text()
    sku_id: str = text()
    availability_id: str = text()
    billing_cycle: Word = word(CYCLE)
    term_duration: str = text()
    promotion_id: str = text()


@dataclass(frozen=True, kw_only=True)
class ScheduledInstructions(Resource):
    """What becomes of the subscription at its next renewal; any mid-term change deletes it."""

    product: ScheduledProduct | None = one(ScheduledProduct)
    quantity: int | None = integer()
    custom_term_end_date: dt.datetime | None = moment()


@dataclass(frozen=True, kw_only=True)
class Subscription(Resource):
    """A subscription. ``offer_id`` is ``P:S:A`` (new commerce) or a legacy offer id; ``raw`` is what a PATCH sends."""

    id: str = text(required=True)
    offer_id: str = text()
    offer_name: str = text()
    friendly_name: str = text()
    product_type: ProductType | None = one(ProductType)
    quantity: int | None = integer(required=True)
    unit_type: str = text()
    parent_subscription_id: str = text()
    entitlement_id: str = text()
    created_at: dt.datetime | None = moment("creationDate")
    starts_at: dt.datetime | None = moment("effectiveStartDate")
    ends_at: dt.datetime | None = moment("commitmentEndDate")
    cancellation_allowed_until: dt.datetime | None = moment("cancellationAllowedUntilDate")
    billing_cycle_ends_at: dt.datetime | None = moment("billingCycleEndDate")
    status: Word = word(STATUS, required=True)
    auto_renew_enabled: bool | None = flag()
    billing_type: Word = word(BILLING_TYPE)
    billing_cycle: Word = word(CYCLE)
    has_purchasable_addons: bool | None = flag()
    is_trial: bool | None = flag(default=False)
    actions: tuple[str, ...] = texts()
    term_duration: str = text()
    renewal_term_duration: str = text()
    refund_options: tuple[RefundOption, ...] = many(RefundOption)
    refundable_quantity: RefundableQuantity | None = one(RefundableQuantity)
    partner_id: str = text()
    suspension_reasons: tuple[str, ...] = texts()
    contract_type: Word = word(read_word(("subscription", "product_key", "redemption_code")))
    promotion_id: str = text()
    migrated_from_subscription_id: str = text()
    scheduled_instructions: ScheduledInstructions | None = one(ScheduledInstructions, "scheduledNextTermInstructions")
    order_id: str = text()

    @property
    def is_new_commerce(self) -> bool:
        """Whether it is sold by product, SKU and availability, under the new rules."""
        return self.offer_id.count(":") == 2


@dataclass(frozen=True, kw_only=True)
class TransitionEvent(Resource):
    """A step of a transition."""

    name: str = text()
    status: Word = word(read_word(("started", "completed", "failed", "not_started")))
    timestamp: dt.datetime | None = moment()
    errors: tuple[EligibilityError, ...] = many(EligibilityError)


@dataclass(frozen=True, kw_only=True)
class Transition(Resource):
    """An upgrade of a new-commerce subscription."""

    operation_id: str = text()
    from_catalog_item_id: str = text()
    from_subscription_id: str = text()
    to_catalog_item_id: str = text(required=True)
    to_subscription_id: str = text()
    quantity: int | None = integer()
    term_duration: str = text()
    billing_cycle: Word = word(CYCLE)
    transition_type: Word = word(read_word(("transition_only", "transition_with_license_transfer")))
    events: tuple[TransitionEvent, ...] = many(TransitionEvent)


@dataclass(frozen=True, kw_only=True)
class TransitionEligibility(Resource):
    """A SKU to which a subscription may be upgraded, and how."""

    catalog_item_id: str = text(required=True)
    title: str = text()
    description: str = text()
    quantity: int | None = integer()
    eligibilities: tuple[Eligibility, ...] = many(Eligibility)


@dataclass(frozen=True, kw_only=True)
class Upgrade(Resource):
    """A legacy upgrade: possible or done."""

    target_offer: Offer | None = one(Offer)
    source_subscription_id: str = text()
    target_subscription_id: str = text()
    upgrade_type: Word = word(
        read_word(
            ("none", "upgrade_only", "upgrade_with_license_transfer"),
            {"1": "upgrade_only", "2": "upgrade_with_license_transfer"},
        )
    )
    is_eligible: bool | None = flag()
    quantity: int | None = integer()


@dataclass(frozen=True, kw_only=True)
class Conversion(Resource):
    """A conversion of a trial into a paid subscription: possible or done."""

    subscription_id: str = text()
    offer_id: str = text(required=True)
    target_offer_id: str = text()
    order_id: str = text()
    quantity: int | None = integer()
    billing_cycle: Word = word(CYCLE)


@dataclass(frozen=True, kw_only=True)
class SubscriptionProvisioning(Resource):
    """How far the provisioning of a subscription is."""

    sku_id: str = text()
    status: Word = word(read_word(("none", "success", "pending", "failed")), required=True)
    quantity: int | None = integer()
    end_date: dt.datetime | None = moment()


@dataclass(frozen=True, kw_only=True)
class SupportContact(Resource):
    """Who supports the customer for a subscription."""

    support_tenant_id: str = text(required=True)
    support_mpn_id: str = text()
    name: str = text()


@dataclass(frozen=True, kw_only=True)
class RegistrationStatus(Resource):
    """Whether a subscription is registered for reservations."""

    subscription_id: str = text()
    status: Word = word(read_word(("registered", "registering", "notregistered")), required=True)


@dataclass(frozen=True, kw_only=True)
class AzureEntitlement(Resource):
    """An Azure subscription below an Azure plan."""

    id: str = text(required=True)
    friendly_name: str = text()
    status: str = text()
    subscription_id: str = text()


@dataclass(frozen=True, kw_only=True)
class AuditRecord(Resource):
    """One write at Microsoft, ours or anybody's; new values are JSON as text in PascalCase."""

    id: str = text("id|operationId")
    partner_id: str = text()
    customer_id: str = text()
    customer_name: str = text()
    user_principal_name: str = text()
    application_id: str = text()
    resource_type: str = text()
    resource_old_value: str = text()
    resource_new_value: str = text()
    operation_type: str = text(required=True)
    operation_date: dt.datetime | None = moment()
    operation_status: Word = word(read_word(("succeeded", "failed", "progress", "decline")))
    original_correlation_id: str = text()
    details: Mapping[str, Any] = open_map("customizedDataMap")

    @property
    def custom(self) -> dict[str, str]:
        """The ``customizedData`` pairs, keys in lower case."""
        rows = lookup(self.raw, "customizedData")
        pairs = rows if isinstance(rows, list) else []
        return {read_text(lookup(row, "key")).lower(): read_text(lookup(row, "value")) for row in pairs}
