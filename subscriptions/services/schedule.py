"""Changes that are to hold from the next renewal on (``channel.md`` 9.4, Manage Renewal)."""

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Plan
from core.errors import BusinessError
from core.tenancy import Actor
from subscriptions.enums import Purpose
from subscriptions.models import Operation, ScheduledChange, Subscription
from subscriptions.periods import MONTHS_OF_CYCLE
from subscriptions.preconditions import Action, demand
from subscriptions.services.changes import lock_subscription, open_change, pending_schedule, tell_wish
from subscriptions.services.switch import require_manage


@transaction.atomic
def schedule_change(
    actor: Actor, *, subscription: Subscription, quantity: int, plan: Plan, order_number: str = ""
) -> Operation:
    """Set quantity and plan (term, billing cycle) for the next term; the vendor is told at once.

    Raises BusinessError for a quantity outside the product's limits, a plan of another product or one not offered,
    and ``nothing_changes``; Conflict if something else is scheduled or in progress.
    """
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.MANAGE_RENEWAL)
    check_plan(row, plan)
    check_limits(row, quantity)
    if quantity == row.quantity and plan.pk == row.plan_id:
        raise BusinessError("nothing_changes", _("Change the quantity or the plan."), field="quantity")
    found = ScheduledChange.objects.create(
        organization_id=row.organization_id,
        subscription=row,
        plan=plan,
        quantity=quantity,
        was=row.quantity,
        due_at=row.term_ends_at,
        requested_by=actor.label,
    )
    tell_wish(row, found)
    return open_change(actor, row, purpose=Purpose.SCHEDULE, desired={"schedule": True}, order_number=order_number)


def check_plan(row: Subscription, plan: Plan) -> None:
    """Refuse a plan the service cannot renew to."""
    if plan.product_id != row.product_id or plan.billing_cycle not in MONTHS_OF_CYCLE:
        raise BusinessError("plan_invalid", _("Choose one of the product's plans."), field="plan")
    if not plan.is_offered and plan.pk != row.plan_id:
        raise BusinessError("plan_withdrawn", _("This plan is no longer offered."), field="plan")


def check_limits(row: Subscription, quantity: int) -> None:
    """Refuse a quantity outside the product's limits."""
    low, high = max(row.product.min_quantity, 1), row.product.max_quantity
    if quantity < low or (high is not None and quantity > high):
        words = _("Between %(low)s and %(high)s.") if high is not None else _("At least %(low)s.")
        raise BusinessError("quantity_limit", words % {"low": low, "high": high}, field="quantity")


@transaction.atomic
def revoke_schedule(actor: Actor, *, subscription: Subscription) -> Operation:
    """Take back what was scheduled: the service renews as it is."""
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.REVOKE_SCHEDULE)
    found = pending_schedule(row)
    label = str(found) if found else ""
    return open_change(actor, row, purpose=Purpose.REVOKE_SCHEDULE, desired={"schedule": False, "was": label})
