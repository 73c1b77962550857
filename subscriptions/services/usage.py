"""Loading what a vendor tells of usage: one statement for any number of records (``api.md`` 9.2, ``office365.md`` 10).

A load brings one view of one month, whole or some days of it: what is there already gets its new values under its old
id, what the vendor no longer tells goes. A final month takes no load.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Any

import orjson
from django.db import DataError, IntegrityError, ProgrammingError, transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from catalog.models import Price, PriceRule
from catalog.selectors import price_list_of
from core import clock
from core.bulk import Value, upsert
from core.errors import BusinessError, Conflict
from core.events import emit
from core.money import ZERO, to_stored
from subscriptions.models import Subscription, UsageKind, UsagePeriod, UsageRecord, UsageView
from subscriptions.services.life import event_payload
from subscriptions.services.usage_months import make_month
from subscriptions.usage_rules import (
    PATHS,
    NoUnitPrice,
    Terms,
    amounts,
    kind_of,
    midnight,
    month_of,
    record_id,
    rounded_quantity,
)
from subscriptions.usage_rules import totals_agree as agree

VIEWS = {
    UsageKind.AZURE: (UsageView.DAY,),
    UsageKind.AZURE_PLAN: (UsageView.METER, UsageView.RESOURCE),
}
# What is copied from the vendor's row as it stands, under the same name.
TEXTS = (
    "vendor_subscription_id",
    "category",
    "subcategory",
    "meter_id",
    "meter_name",
    "meter_region",
    "resource_group",
    "resource_name",
    "resource_id",
    "resource_type",
    "location",
    "entitlement_id",
    "entitlement_name",
    "unit",
)
KEY = ("month", "public_id")
REST = (
    "day",
    "starts_at",
    "ends_at",
    "load",
    *TEXTS,
    "tags",
    "quantity",
    "unit_price",
    "total_original",
    "discount_percent",
    "total",
    "currency",
    "cost",
    "cost_usd",
    "modified_at",
)
_Bounds = tuple[str, dt.datetime | None, dt.datetime | None]
FIELDS = (*KEY, "organization", "period", "view", *REST)


def terms_of(row: Subscription, *, vendor_currency: str, rate: Decimal | None) -> Terms:
    """What the Bill To pays for usage: the percentage of his price list, for the plan or for everything.

    Raises ``usage_rate`` if the vendor bills in another currency and no rate is given.
    """
    if vendor_currency == row.currency:
        rate = Decimal(1)
    if rate is None or rate <= 0:
        words = _("The vendor bills in %(vendor)s, the service is paid in %(own)s, and there is no rate between them.")
        raise BusinessError("usage_rate", words % {"vendor": vendor_currency, "own": row.currency})
    prices = price_list_of(row.bill_to)
    if prices is None:
        return Terms(row.currency, rate)
    own = Price.objects.filter(price_list=prices, plan_id=row.plan_id).exclude(rule=PriceRule.FIXED).first()
    rule, percent = (own.rule, own.value) if own else (prices.default_rule, prices.default_value)
    if rule == PriceRule.MARKUP:
        return Terms(row.currency, rate, markup=percent)
    return Terms(row.currency, rate, discount=percent if rule == PriceRule.DISCOUNT else None)


def open_period(row: Subscription, month: dt.date) -> UsagePeriod:
    """The head of a service's month, made if there is none. Raises ``usage_none`` for a service without usage."""
    kind = kind_of(row.product.attributes)
    if not kind:
        raise BusinessError("usage_none", _("%(name)s is not billed by use.") % {"name": row.name})
    values = {"organization_id": row.organization_id, "kind": kind, "currency": row.currency}
    return UsagePeriod.objects.get_or_create(subscription=row, month=month, defaults=values)[0]


@transaction.atomic
def load_usage(
    row: Subscription,
    *,
    month: dt.date,
    view: UsageView,
    rows: Iterable[Any],
    currency: str,
    rate: Decimal | None = None,
    data_until: dt.datetime | None = None,
    days: tuple[dt.date, dt.date] | None = None,
    closed: bool = False,
) -> int:
    """Write one view of a month; returns the number of records that were told.

    ``rows`` have the shape of ``provisioning.ports.UsageRow``, amounts in ``currency``; ``rate`` turns that into the
    service's. ``days`` (the end exclusive) says that only these were read; otherwise the whole month was. ``closed``:
    the vendor changes nothing any more. All or nothing: raises ``usage_final`` for a final month, ``usage_invalid`` for
    rows that cannot be, ``usage_rate`` without a rate.
    """
    terms = terms_of(row, vendor_currency=currency, rate=rate)
    make_month(month)
    period = UsagePeriod.objects.select_for_update().get(pk=open_period(row, month).pk)
    if period.is_final:
        raise Conflict("usage_final", _("%(month)s is final; its usage never changes.") % {"month": f"{month:%Y-%m}"})
    if view not in VIEWS[UsageKind(period.kind)] or period.currency != terms.currency:
        raise BusinessError("usage_invalid", _("This is not how the usage of %(name)s is told.") % {"name": row.name})
    number = period.loads + 1
    lines = record_lines(row, period, view, terms, number, rows)
    written = _write(lines)
    gone = UsageRecord.objects.filter(month=month, period=period, view=view).exclude(load=number)
    (gone.filter(day__gte=days[0], day__lt=days[1]) if days is not None else gone).delete()
    changes: dict[str, Any] = {"vendor_currency": currency, "rate": terms.rate, "loads": number}
    if data_until is not None:
        changes["data_until"] = data_until
    _note(row, period, view, closed=closed, **changes)
    return written


def close_period(row: Subscription, month: dt.date) -> UsagePeriod:
    """The vendor changes nothing of this month any more; it is final if its views agree."""
    with transaction.atomic():
        period = UsagePeriod.objects.select_for_update().get(pk=open_period(row, month).pk)
        if not period.is_final:
            _note(row, period, VIEWS[UsageKind(period.kind)][0], closed=True)
    return period


def _note(row: Subscription, period: UsagePeriod, view: UsageView, *, closed: bool, **changes: Any) -> None:
    """Keep what a load told of the month, and tell those who wait for it."""
    if changes:
        changes["loaded_at"] = clock.now()
    for name, value in changes.items():
        setattr(period, name, value)
    period.is_closed = period.is_closed or closed
    # Only who says that nothing more comes can make it final: between two views of one reading they differ.
    period.is_final = closed and _views_agree(period)
    period.save()
    name = "subscription.usage.closed" if period.is_final else "subscription.usage.updated"
    payload = {**event_payload(row), "usage": PATHS[view], "month": f"{period.month:%Y-%m}"}
    emit(name, payload, organization_id=row.organization_id, account_id=row.account_id)


def _views_agree(period: UsagePeriod) -> bool:
    """Whether all views of a month add up to the same; a month of one view agrees with itself."""
    rows = UsageRecord.objects.filter(month=period.month, period=period).order_by().values("view")
    found = {row["view"]: (row["sum"], row["count"]) for row in rows.annotate(sum=Sum("total"), count=Count("pk"))}
    told = [found.get(str(view), (ZERO, 0)) for view in VIEWS[UsageKind(period.kind)]]
    sums = [total for total, _count in told]
    return agree(min(sums), max(sums), max(count for _total, count in told))


def _write(lines: Iterator[tuple[Value, ...]]) -> int:
    try:
        return upsert(UsageRecord, lines, fields=FIELDS, key=KEY, update=REST)
    except (DataError, IntegrityError, ProgrammingError) as error:
        # A thing told twice, a number or text the columns cannot hold: the vendor's rows, not ours, are wrong.
        words = _("The vendor's usage cannot be taken over: %(reason)s")
        raise BusinessError("usage_invalid", words % {"reason": str(error).splitlines()[0][:200]}) from error


def record_lines(
    row: Subscription, period: UsagePeriod, view: UsageView, terms: Terms, number: int, rows: Iterable[Any]
) -> Iterator[tuple[Value, ...]]:
    """The records as the columns of ``FIELDS``."""
    owner, month, by_day = row.public_id, period.month, view == UsageView.DAY
    label, texts, bounds = f"{month:%Y-%m}", attrgetter(*TEXTS), dict[dt.date | None, _Bounds]()
    start = (row.organization_id, period.pk, str(view))
    for item in rows:
        day = item.day
        if day not in bounds:
            bounds[day] = _bounds(day, month, by_day=by_day)
        quantity = None if item.quantity is None else rounded_quantity(item.quantity)
        try:
            paid = amounts(terms, quantity=quantity, retail=item.retail, cost=item.cost)
        except (ArithmeticError, NoUnitPrice) as error:
            words = _("No price fits a row of usage: %(reason)s")
            raise BusinessError("usage_invalid", words % {"reason": error}) from error
        meter = "" if view == UsageView.RESOURCE else item.meter_id
        resource = "" if view == UsageView.METER else f"{item.entitlement_id}/{item.resource_id or item.resource_name}"
        yield (
            month,
            record_id(owner, label, meter, resource, bounds[day][0]),
            *start,
            day,
            *bounds[day][1:],
            number,
            *texts(item),
            orjson.dumps(item.tags).decode() if item.tags else "{}",
            quantity,
            paid.unit_price,
            paid.total_original,
            paid.discount_percent,
            paid.total,
            terms.currency,
            paid.cost,
            None if item.cost_usd is None else to_stored(item.cost_usd),
            item.modified_at,
        )


def _bounds(day: dt.date | None, month: dt.date, *, by_day: bool) -> _Bounds:
    """A row's day as text, its beginning and its end; raises ``usage_invalid`` for a day that is none of the view's."""
    if (day is not None) != by_day or (day is not None and month_of(day) != month):
        raise BusinessError("usage_invalid", _("A row of usage lies outside its month."))
    if day is None:
        return "", None, None
    return day.isoformat(), midnight(day), midnight(day + dt.timedelta(days=1))


def note_asked(row: Subscription, month: dt.date) -> None:
    """Somebody wanted this month fresh: until it is, nobody asks the vendor again soon."""
    period = open_period(row, month)
    UsagePeriod.objects.filter(pk=period.pk).update(asked_at=clock.real_now())
