"""Terms and periods by the clock: the next billing period, the renewal the vendor made, the end of a term."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from catalog.models import Plan, Product
from core import audit, clock
from core.errors import BusinessError
from core.events import emit
from core.tenancy import Actor
from subscriptions.enums import BILLED_STATUSES, OPEN_STATES, SCHEDULE_MACHINE, SubscriptionStatus
from subscriptions.models import Operation, ScheduledChange, Subscription
from subscriptions.periods import period_end, renewal_at
from subscriptions.services.changes import end, pending_schedule
from subscriptions.services.life import event_payload, moment, tell, window_values
from subscriptions.services.price import next_price_values


def due_periods(now: dt.datetime, limit: int) -> list[int]:
    """Subscriptions whose billing period is over, oldest first."""
    rows = Subscription.objects.filter(status__in=BILLED_STATUSES, period_ends_at__lte=now)
    return list(rows.order_by("period_ends_at", "id").values_list("pk", flat=True)[:limit])


def lock_due(pk: int, now: dt.datetime) -> Subscription | None:
    """One of them under a lock; None if somebody has it, or has done it."""
    rows = Subscription.objects.select_for_update(of=("self",), skip_locked=True)
    rows = rows.select_related("account", "bill_to", "plan", "product__product_type", "instance", "organization")
    return rows.filter(pk=pk, status__in=BILLED_STATUSES, period_ends_at__lte=now).first()


def is_last_period(row: Subscription) -> bool:
    """Whether the period that is over was the last of the term, so that the vendor decides how it goes on.

    It is the period that counts, not the day: periods that were missed while nothing ran are charged one by one.
    """
    if row.term_ends_at is None or row.period_ends_at is None:
        return True
    return row.period_ends_at >= renewal_at(row.term_ends_at)


def next_period(row: Subscription) -> None:
    """Go on to the next billing period of the same term."""
    start, priced = row.period_ends_at or clock.now(), next_price_values(row)
    _write(
        row,
        period_starts_at=start,
        period_ends_at=period_end(row.starts_at or start, row.billing_cycle, start, row.term_ends_at),
        **priced,
    )
    if priced:
        tell(row, "pricing_changed")


def ending_addons(row: Subscription) -> list[str]:
    """The ids of the add-ons that end with the billing period that is over.

    None while the service is suspended, for the vendor changes nothing then, and none where it ends itself.
    """
    is_over = is_last_period(row) and (row.status == SubscriptionStatus.PENDING_CANCEL or not row.auto_renew)
    if row.status == SubscriptionStatus.SUSPENDED or is_over:
        return []
    rows = row.addons.filter(status=SubscriptionStatus.PENDING_CANCEL).order_by("pk")
    return [str(public_id) for public_id in rows.values_list("public_id", flat=True)]


def is_busy(row: Subscription) -> bool:
    """Whether an operation of the subscription is open; its renewal is followed afterwards."""
    return Operation.objects.filter(subscription=row, state__in=OPEN_STATES).exists()


def renewed_plan(row: Subscription, data: Mapping[str, Any]) -> Plan:
    """The plan the vendor renewed to: what was scheduled, what a trial became, or the same as before.

    Raises BusinessError ``plan_unknown`` if our catalogue does not have it.
    """
    code = str(data.get("product_code") or "") or row.product.code
    term, cycle = str(data.get("term") or row.term), str(data.get("billing_cycle") or row.billing_cycle)
    if (code, term, cycle) == (row.product.code, row.term, row.billing_cycle):
        return row.plan
    product = Product.objects.filter(product_type__instance=row.instance, code=code).first()
    plan = Plan.objects.filter(product=product, term=term, billing_cycle=cycle).first() if product else None
    if plan is None:
        raise BusinessError(
            "plan_unknown",
            _("The vendor renewed it as %(code)s, %(term)s, %(cycle)s, which the catalogue lacks. Run the definition.")
            % {"code": code, "term": term, "cycle": cycle},
        )
    return plan


def renew(
    actor: Actor,
    row: Subscription,
    data: Mapping[str, Any],
    *,
    plan: Plan,
    unit_price: Decimal,
    trace: list[str],
    leg: Mapping[str, Any],
) -> None:
    """The vendor began a new term: its dates, quantity, plan and price. Emits ``subscription.renewed``.

    ``leg`` are the columns of the customer's leg: ``sell_unit_price`` and ``sell_terms``.
    """
    start = renewal_at(row.term_ends_at) if row.term_ends_at else clock.now()
    ends = moment(data.get("ends_at"))
    before = {"quantity": row.quantity, "term_ends_at": row.term_ends_at, "unit_price": row.unit_price}
    scheduled = pending_schedule(row)
    _write(
        row,
        plan=plan,
        product=plan.product,
        term=plan.term,
        billing_cycle=plan.billing_cycle,
        quantity=int(data.get("quantity") or row.quantity),
        unit_price=unit_price,
        next_unit_price=None,
        price_trace=trace,
        **leg,
        starts_at=start,
        term_ends_at=ends,
        period_starts_at=start,
        period_ends_at=period_end(start, plan.billing_cycle, start, ends),
        is_trial=plan.product.is_trial,
        auto_renew=bool(data.get("auto_renew", row.auto_renew)),
        **window_values(data),
    )
    if scheduled is not None:
        wish = str(scheduled.public_id) if scheduled.quantity < before["quantity"] else ""
        _close_schedule(row, scheduled, wish)
    after = {"quantity": row.quantity, "term_ends_at": ends, "unit_price": unit_price}
    audit.record(actor, "subscription.renewed", row, before=before, after=after)
    numbers = {"before": {"quantity": before["quantity"]}, "after": {"quantity": row.quantity}}
    _tell(row, "subscription.renewed", **numbers, is_repriced=before["unit_price"] != unit_price)


def _close_schedule(row: Subscription, scheduled: ScheduledChange, wish: str) -> None:
    """Applied if the new term is what was scheduled; otherwise the old values renewed, and all are told."""
    is_applied = row.quantity == scheduled.quantity and row.plan_id == scheduled.plan_id
    note = "" if is_applied else str(_("The vendor renewed the subscription as it was."))
    SCHEDULE_MACHINE.fire(scheduled, "apply" if is_applied else "fail", decided_at=clock.now(), note=note)
    _tell(
        row,
        "subscription.schedule_applied" if is_applied else "subscription.schedule_failed",
        message=note,
        schedule=wish,
    )


def expire(actor: Actor, row: Subscription) -> None:
    """The vendor let the term end: Cancelled, nothing is credited. Emits ``subscription.cancelled``."""
    before = row.status
    end(row, reason=row.cancel_reason or str(_("The term has ended.")))
    audit.record(actor, "subscription.expired", row, before={"status": before}, after={"status": row.status})
    _tell(row, "subscription.cancelled")


def due_reminders(now: dt.datetime, days: int) -> list[Subscription]:
    """Subscriptions that renew on the day that is ``days`` away and were not announced for it yet."""
    first = (now + dt.timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Subscription.objects.filter(
        status="active", auto_renew=True, term_ends_at__gte=first, term_ends_at__lt=first + dt.timedelta(days=1)
    ).exclude(billing_cycle="monthly", term="P1M")
    return list(rows.exclude(reminded_for=F("term_ends_at"), reminded_days__lte=days).order_by("pk")[:1000])


def remind(row: Subscription, days: int) -> None:
    """Announce a renewal once. Emits ``subscription.renewing``."""
    _write(row, reminded_for=row.term_ends_at, reminded_days=days)
    _tell(row, "subscription.renewing", days=days, term_ends_at=f"{row.term_ends_at:%Y-%m-%d}")


def _write(row: Subscription, **values: Any) -> None:
    Subscription.objects.filter(pk=row.pk).update(updated_at=clock.real_now(), **values)
    for name, value in values.items():
        setattr(row, name, value)


def _tell(row: Subscription, name: str, **more: Any) -> None:
    emit(name, event_payload(row) | more, organization_id=row.organization_id, account_id=row.account_id)
