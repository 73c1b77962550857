"""Usage of a subscription: by day, by meter, by resource (``api.md`` 9.2). No vendor is asked here."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from api.errors import ApiError, invalid
from api.listing import not_found
from api.paging import OPTIONS, Pager, Rows, Wish, wish_of
from api.resources import usages as wire
from api.views.subscriptions import OfSubscription
from api.wire import moment
from clients.scopes import Right, Scope, Switch
from core import clock
from core.prepared import Kept
from provisioning.services.usage import start_usage_refresh
from subscriptions.models import Subscription, UsagePeriod, UsageView
from subscriptions.usage_rules import (
    KEPT_MONTHS,
    PATHS,
    estimated_total,
    is_archived,
    kind_of,
    midnight,
    month_after,
    month_of,
)
from subscriptions.usage_selectors import summed, usage_periods, usage_records

READ = Right(Scope.USAGES_READ, switch=Switch.USAGES)
MOST_DAYS = 366
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$", re.ASCII)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
_RETRY_SECONDS = "10"


@dataclass(frozen=True)
class Span:
    """The days that are asked for, the end exclusive, and the months they lie in."""

    first: dt.date
    end: dt.date

    @property
    def months(self) -> list[dt.date]:
        """The first days of the months it touches."""
        found = [month_of(self.first)]
        while month_after(found[-1]) < self.end:
            found.append(month_after(found[-1]))
        return found

    @property
    def is_whole(self) -> bool:
        """Whether it consists of whole months."""
        return self.first.day == self.end.day == 1


def _of_month(month: dt.date) -> Span:
    return Span(month, month_after(month))


def span_of(query: Mapping[str, str], today: dt.date) -> Span:
    """What a query asks for: the present month, the one that is named, or days; 400 ``invalid_period`` otherwise."""
    named, first, end = query.get("billingperiod"), query.get("from"), query.get("to")
    if named is not None:
        if first is not None or end is not None:
            raise _wrong("billingPeriod", "Send billingPeriod, or from and to, not both.")
        if not _MONTH.match(named) or not "0001" <= named[:4] < "9999":
            raise _wrong("billingPeriod", "billingPeriod is a month such as 2026-03.")
        return _of_month(dt.date(int(named[:4]), int(named[5:]), 1))
    if first is None and end is None:
        return _of_month(month_of(today))
    if first is None or end is None:
        alone, missing = ("to", "from") if first is None else ("from", "to")
        raise _wrong(alone, f"'{alone}' goes together with '{missing}'.")
    found = Span(_day("from", first), _day("to", end))
    if found.first >= found.end:
        raise _wrong("to", "'to' is the day after the last, so it is later than 'from'.")
    if (found.end - found.first).days > MOST_DAYS:
        raise _wrong("to", f"A span has at most {MOST_DAYS} days.")
    return found


def _day(name: str, text: str) -> dt.date:
    try:
        if not _DAY.match(text) or text[:4] == "9999":
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        raise _wrong(name, f"'{name}' is a day such as 2026-03-01.") from None


def _wrong(parameter: str, message: str) -> ApiError:
    return invalid(parameter, message, "invalid_period")


@dataclass(frozen=True)
class UsagePager(Pager):
    """A pager that sums what it counts: the total of all rows, not of the page."""

    sums: dict[str, Any] = field(default_factory=dict, compare=False)

    def total(self, rows: Rows, wish: Wish, kept: Kept | None = None) -> tuple[int | None, bool]:
        """The number of rows, always exact, and their sum beside it."""
        self.sums["total"], self.sums["recordCount"] = summed(rows())
        return (self.sums["recordCount"] if wish.wants_count else None), False


class Usages(OfSubscription):
    """One view of a subscription's usage."""

    rights: ClassVar[dict[str, Right]] = {"GET": READ}
    query_options = OPTIONS
    told: ClassVar[wire.Told]

    def get(self, request: Request, subscription_id: str) -> HttpResponse:
        """A page of rows and what all of them come to; an old month is asked for at the vendor, in the background."""
        self.wanted()
        wish = self._understood()
        today = clock.now().astimezone(ZoneInfo(self.caller.time_zone)).date()
        span = span_of(self.query, today)
        if self.told.view != UsageView.DAY and not span.is_whole:
            raise invalid("from", "This view has whole months only.", "period_not_whole")
        row = self.row(subscription_id)
        self._demand_kind(row)
        if is_archived(span.first, today):
            message = f"Usage is kept for {KEPT_MONTHS} months; this is older."
            raise ApiError(410, "usage_archived", message)
        known = usage_periods(self.caller.actor, row, span.months)
        pager = self._pager()
        cost = self.caller.sees_cost
        page = pager.page(
            lambda: self._rows(known, span),
            self.query,
            lambda rows, part, *more: wire.read(self.told, rows, part, *more, cost=cost),
        )
        body = page.envelope([wire.usage(self.told, item, cost=cost) for item in page.rows])
        body["summary"] = self._summary(row, span, known, pager.sums, today, is_filtered=bool(wish.filter))
        response = self.answer(body)
        if self._is_refreshed(row, span, known, today):
            response["Retry-After"] = _RETRY_SECONDS
        return response

    def _understood(self) -> Wish:
        """What is asked of the list; a wrong filter or order is told before anything is looked up."""
        wish = wish_of(self.query)
        staff, zone = not self.caller.is_reseller, self.caller.time_zone
        self.told.columns.order(wish.order, staff=staff)
        if wish.filter:
            nothing = usage_records(self.caller.actor, (), self.told.view)
            self.told.columns.filtered(nothing, wish.filter, staff=staff, time_zone=zone)
        return wish

    def _demand_kind(self, row: Subscription) -> None:
        kind = kind_of(row.product.attributes)
        if kind == self.told.kind:
            return
        base = f"/api/subscriptions/{row.public_id}/usages"
        right = [f"{base}/{PATHS[told.view]}" for told in ALL if told.kind == kind]
        where = f" Its usage is at {' and '.join(right)}." if right else " It is not billed by use."
        message = f"This is not how the usage of this subscription is told.{where}"
        raise not_found("UsageNotApplicableError", "usage_not_applicable", message)

    def _pager(self) -> UsagePager:
        caller = self.caller
        return UsagePager(self.raw, caller.client.pk, self.told.columns, not caller.is_reseller, caller.time_zone)

    def _rows(self, known: Mapping[dt.date, UsagePeriod], span: Span) -> QuerySet[Any]:
        rows = usage_records(self.caller.actor, known.values(), self.told.view)
        return rows if span.is_whole else rows.filter(day__gte=span.first, day__lt=span.end)

    def _summary(
        self,
        row: Subscription,
        span: Span,
        known: Mapping[dt.date, UsagePeriod],
        sums: Mapping[str, Any],
        today: dt.date,
        *,
        is_filtered: bool,
    ) -> dict[str, Any]:
        loaded = [period.loaded_at for period in known.values() if period.loaded_at is not None]
        present = known.get(month_of(today))
        estimate = None
        if present is not None and not present.is_closed and not is_filtered and span == _of_month(present.month):
            estimate = estimated_total(sums["total"], present.month, present.data_until, row.currency)
        return {
            "usageKind": str(self.told.kind),
            "billingPeriodStart": moment(midnight(span.first)),
            "billingPeriodEnd": moment(midnight(span.end)),
            "currency": row.currency,
            "total": sums["total"],
            "estimatedTotal": estimate,
            "recordCount": sums["recordCount"],
            "lastUpdatedAt": moment(min(loaded)) if loaded else None,
            "isFinal": all(month in known and known[month].is_final for month in span.months),
        }

    def _is_refreshed(
        self, row: Subscription, span: Span, known: Mapping[dt.date, UsagePeriod], today: dt.date
    ) -> bool:
        """Ask for what is old, if the service was there then; True if somebody is reading it."""
        begun = month_of(min(row.created_at, row.starts_at or row.created_at).date())
        months = [month for month in span.months if begun <= month <= today]
        return start_usage_refresh(self.caller.actor, row, months=months, known=known)


class AzureUsages(Usages):
    """``GET /api/subscriptions/{subscriptionId}/usages/azure``."""

    told = wire.OF_DAYS
    answers = "PagedResultDtoOfAzureUsage"


class MeterUsages(Usages):
    """``GET /api/subscriptions/{subscriptionId}/usages/azurePlanByMeter``."""

    told = wire.OF_METERS
    answers = "PagedResultDtoOfAzurePlanMeterUsage"


class ResourceUsages(Usages):
    """``GET /api/subscriptions/{subscriptionId}/usages/azurePlanByResource``."""

    told = wire.OF_RESOURCES
    answers = "PagedResultDtoOfAzurePlanResourceUsage"


ALL = (wire.OF_DAYS, wire.OF_METERS, wire.OF_RESOURCES)
