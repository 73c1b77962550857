"""Reads of usage: the months of a service as they were loaded, and their records."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from core.money import ZERO
from core.tenancy import Actor, TenantQuerySet
from subscriptions.models import Subscription, UsagePeriod, UsageRecord


def usage_periods(actor: Actor, row: Subscription, months: Collection[dt.date]) -> dict[dt.date, UsagePeriod]:
    """What is known of these months of a service the actor may see; a month that was never loaded is left out."""
    found = UsagePeriod.objects.visible_to(actor).filter(subscription=row, month__in=months)
    return {period.month: period for period in found}


def usage_records(actor: Actor, periods: Collection[UsagePeriod], view: str) -> TenantQuerySet[UsageRecord]:
    """The records of one view of periods the actor may see; the months keep the reading to their partitions."""
    rows = UsageRecord.objects.visible_to(actor).order_by()
    keys = [period.pk for period in periods]
    return rows.filter(month__in=sorted({period.month for period in periods}), period_id__in=keys, view=view)


def summed(rows: QuerySet[UsageRecord]) -> tuple[Decimal, int]:
    """The sum of the totals of records, and how many they are."""
    found = rows.order_by().aggregate(sum=Sum("total"), number=Count("pk"))
    return found["sum"] or ZERO, found["number"]
