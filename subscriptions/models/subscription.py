"""Subscriptions, their add-ons, and what is scheduled for their renewal (``channel.md`` 9)."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from catalog.models import Cycle
from core.money import CurrencyField, MoneyField
from core.searching import trigrams
from core.tenancy import TenantOwned
from resellers.enums import PurchaseMode
from subscriptions.enums import (
    ScheduleStatus,
    SubscriptionStatus,
    SuspendReason,
)
from subscriptions.models.leg import CustomerLeg, sold_to_end_customers_only
from vendors.models import SyncStatus


class Subscription(TenantOwned, CustomerLeg):
    """A recurring service of an account at a vendor's instance.

    ``quantity`` is what the vendor confirmed (what was ordered, until then). ``unit_price`` is per unit and billing
    cycle in ``currency``, before tax; it holds for the term. ``first_activated_at`` is written once; a database trigger
    refuses any change. ``period_starts_at`` and ``period_ends_at`` bound the billing period that was charged last.
    ``refundable`` is the vendor's list of licences that can be given back: ``[{"quantity": 3, "until": ISO time}]``.
    ``next_unit_price`` is what staff set for the billing periods to come; the one that runs was charged already.
    """

    tenant_account = "account"

    name = models.CharField(_("name"), max_length=255)
    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="subscriptions")
    bill_to = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="billed_subscriptions")
    purchase_mode = models.CharField(_("purchase mode"), max_length=30, choices=PurchaseMode.choices, blank=True)
    instance = models.ForeignKey("vendors.Instance", on_delete=models.PROTECT, related_name="subscriptions")
    product = models.ForeignKey("catalog.Product", on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey("catalog.Plan", on_delete=models.PROTECT, related_name="subscriptions")
    term = models.CharField(_("term"), max_length=10, blank=True)
    billing_cycle = models.CharField(_("billing cycle"), max_length=20, choices=Cycle.choices)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = MoneyField(_("unit price"), default=0)
    currency = CurrencyField(_("currency"))
    price_trace = models.JSONField(default=list)
    status = models.CharField(
        _("status"), max_length=20, choices=SubscriptionStatus.choices, default=SubscriptionStatus.INACTIVE
    )
    sync_status = models.CharField(
        _("synchronization"), max_length=20, choices=SyncStatus.choices, default=SyncStatus.UNSYNCHRONISED
    )
    sync_note = models.CharField(max_length=500, blank=True)
    auto_renew = models.BooleanField(_("renews by itself"), default=True)
    is_trial = models.BooleanField(_("trial"), default=False)
    mpn_id = models.CharField(_("MPN ID"), max_length=10, blank=True)
    external_id = models.CharField(_("external id"), max_length=255, blank=True)
    external_order_id = models.CharField(_("vendor's order id"), max_length=255, blank=True)
    order_number = models.CharField(_("order"), max_length=40, blank=True)
    starts_at = models.DateTimeField(_("start"), null=True, blank=True)
    first_activated_at = models.DateTimeField(_("first activation"), null=True, blank=True)
    term_ends_at = models.DateTimeField(_("end of term"), null=True, blank=True)
    cancel_until = models.DateTimeField(_("may be cancelled until"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancel_reason = models.CharField(_("reason of the cancellation"), max_length=255, blank=True)
    suspend_reason = models.CharField(_("suspended"), max_length=20, choices=SuspendReason.choices, blank=True)
    resumes_as = models.CharField(max_length=20, choices=SubscriptionStatus.choices, blank=True)
    period_starts_at = models.DateTimeField(_("billing period from"), null=True, blank=True)
    period_ends_at = models.DateTimeField(_("billing period to"), null=True, blank=True)
    refundable = models.JSONField(default=list, blank=True)
    next_unit_price = MoneyField(_("unit price from the next billing period on"), null=True, blank=True)
    reminded_for = models.DateTimeField(null=True, blank=True, editable=False)
    reminded_days = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    vendor_read_at = models.DateTimeField(_("read from the vendor"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="subscription_quantity_positive"),
            sold_to_end_customers_only("subscription_sold_to_end_customer"),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(first_activated_at__isnull=False),
                name="subscription_active_is_stamped",
            ),
            models.UniqueConstraint(
                fields=["instance", "external_id"], condition=~Q(external_id=""), name="subscription_external_id_once"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="subscription_org"),
            models.Index(fields=["organization", "status", "-id"], name="subscription_status"),
            # What programs ask for: the newest, what changed since the last time, and one by a name of theirs.
            models.Index(fields=["organization", "-created_at", "-id"], name="subscription_newest"),
            models.Index(fields=["organization", "updated_at", "id"], name="subscription_changed"),
            models.Index("organization", Upper("external_id"), name="subscription_external_id"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="subscription_name"),
            # With it what is typed into the search box of the BSS's list.
            trigrams("external_id", "order_number", name="subscription_numbers"),
            models.Index(fields=["account", "-id"], name="subscription_account"),
            models.Index(fields=["bill_to", "-id"], name="subscription_bill_to"),
            models.Index(
                fields=["period_ends_at", "id"],
                name="subscription_period",
                condition=Q(status__in=["active", "suspended", "pending_cancel"]),
            ),
            models.Index(fields=["term_ends_at", "id"], name="subscription_term", condition=Q(status="active")),
        ]

    def __str__(self) -> str:
        return self.name


class SubscriptionAddOn(TenantOwned, CustomerLeg):
    """An add-on of a subscription; it follows its subscription's suspension and cancellation."""

    tenant_account = "subscription__account"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="addons")
    product = models.ForeignKey("catalog.Product", on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey("catalog.Plan", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=255)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = MoneyField(_("unit price"), default=0)
    price_trace = models.JSONField(default=list)
    status = models.CharField(
        _("status"), max_length=20, choices=SubscriptionStatus.choices, default=SubscriptionStatus.INACTIVE
    )
    external_id = models.CharField(_("external id"), max_length=255, blank=True)
    first_activated_at = models.DateTimeField(_("first activation"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=1), name="addon_quantity_positive")]

    def __str__(self) -> str:
        return self.name


class ScheduledChange(TenantOwned):
    """What is to hold from the next renewal on: quantity and plan (term and billing cycle); one at a time."""

    tenant_account = "subscription__account"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="scheduled_changes")
    plan = models.ForeignKey("catalog.Plan", on_delete=models.PROTECT, related_name="+", verbose_name=_("plan"))
    quantity = models.PositiveIntegerField(_("quantity"))
    was = models.PositiveIntegerField(_("quantity before"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=20, choices=ScheduleStatus.choices, default=ScheduleStatus.PENDING
    )
    due_at = models.DateTimeField(_("at the renewal of"), null=True, blank=True)
    requested_by = models.CharField(_("set by"), max_length=200)
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(status="pending"), name="scheduled_change_one_pending"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="scheduled_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.quantity} x {self.plan.label}"
