"""What was used of a service and what it costs: one head for each month, the records in monthly partitions.

A usage period is a calendar month, as Microsoft counts it (``docs/decisions/0008-usage-records.md``). Records are
loaded by :mod:`subscriptions.services.usage` alone; the table is partitioned by ``month`` in PostgreSQL, which Django
does not know, so its key there is (``month``, ``public_id``) and no other column can be unique.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.money import CurrencyField, MoneyField
from core.tenancy import TenantOwned
from subscriptions.models.subscription import Subscription


class UsageKind(models.TextChoices):
    """How a vendor tells what was used; the words of the API."""

    AZURE = "Azure", _("Azure")
    AZURE_PLAN = "AzurePlan", _("Azure plan")


class UsageView(models.TextChoices):
    """What a record stands for: a meter of a resource on a day, a meter in the month, or a resource in the month."""

    DAY = "day", _("By day")
    METER = "meter", _("By meter")
    RESOURCE = "resource", _("By resource")


class UsagePeriod(TenantOwned):
    """A month of a service: when it was read last, until when the vendor's data reach, and whether it is final.

    ``currency`` is the service's, ``vendor_currency`` the one the vendor bills in, ``rate`` what one unit of that cost.
    ``is_closed``: the vendor will change nothing any more. ``is_final``: besides, both views have the same total, and
    nothing may change; a trigger holds that. ``loads`` counts the loads; records carry the number of theirs.
    """

    tenant_account = "subscription__account"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="usage_periods")
    month = models.DateField(_("month"))
    kind = models.CharField(max_length=20, choices=UsageKind.choices)
    currency = CurrencyField()
    vendor_currency = CurrencyField(blank=True)
    rate = models.DecimalField(max_digits=19, decimal_places=8, default=1)
    loads = models.PositiveIntegerField(default=0)
    loaded_at = models.DateTimeField(_("read from the vendor"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked for"), null=True, blank=True)
    data_until = models.DateTimeField(_("the vendor's data reach until"), null=True, blank=True)
    is_closed = models.BooleanField(_("closed"), default=False)
    is_final = models.BooleanField(_("final"), default=False)

    class Meta:
        ordering = ["-month", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "month"], name="usage_period_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="usage_period_is_a_month"),
            models.CheckConstraint(condition=Q(is_final=False) | Q(is_closed=True), name="usage_final_is_closed"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="usage_rate_positive"),
        ]
        indexes = [models.Index(fields=["month"], name="usage_period_month")]

    def __str__(self) -> str:
        return f"{self.subscription}, {self.month:%Y-%m}"


class UsageRecord(TenantOwned):
    """What was used of one thing. ``public_id`` follows from what it is (:func:`subscriptions.usage_rules.record_id`).

    ``total`` is ``total_original`` less ``discount_percent``, at the level of the Bill To, in the period's currency;
    ``unit_price`` is after the discount and has as many decimals as ``total`` needs. ``cost`` is what the vendor asks,
    in the period's currency, ``cost_usd`` the same in US dollars as he told it.
    """

    tenant_account = "period__subscription__account"

    public_id = models.UUIDField(primary_key=True, editable=False)
    # The period's: neither index nor check of its own, for both cost at every one of many rows.
    organization = models.ForeignKey(
        "resellers.Organization", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    month = models.DateField()
    period = models.ForeignKey(UsagePeriod, on_delete=models.PROTECT, related_name="records", db_index=False)
    load = models.PositiveIntegerField()
    view = models.CharField(max_length=10, choices=UsageView.choices)
    day = models.DateField(null=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    vendor_subscription_id = models.TextField(blank=True)
    category = models.TextField(blank=True)
    subcategory = models.TextField(blank=True)
    meter_id = models.TextField(blank=True)
    meter_name = models.TextField(blank=True)
    meter_region = models.TextField(blank=True)
    resource_group = models.TextField(blank=True)
    resource_name = models.TextField(blank=True)
    resource_id = models.TextField(blank=True)
    resource_type = models.TextField(blank=True)
    location = models.TextField(blank=True)
    entitlement_id = models.TextField(blank=True)
    entitlement_name = models.TextField(blank=True)
    tags = models.JSONField(default=dict)
    unit = models.TextField(blank=True)
    quantity = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    unit_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    total_original = MoneyField()
    discount_percent = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    total = MoneyField()
    currency = CurrencyField()
    cost = MoneyField(null=True)
    cost_usd = MoneyField(null=True)
    modified_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["public_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(view="day", day__isnull=False) | (~Q(view="day") & Q(day=None)),
                name="usage_day_of_its_view",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at__gt=F("starts_at")), name="usage_record_ends_later"
            ),
        ]
        indexes = [models.Index(fields=["period", "view"], name="usage_record_period")]

    def __str__(self) -> str:
        return f"{self.meter_name or self.resource_name}, {self.total} {self.currency}"
