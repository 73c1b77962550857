"""What the clock does to subscriptions: billing periods, renewals that the vendor makes, terms that end.

Within a term the next period is charged here. At its end the vendor decides: an operation reads his state until he
shows the new term or the end, which may take him a day.
"""

import datetime as dt

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from core import clock
from core.tenancy import Actor, system_actor
from orders.services import renew as money
from provisioning.ports import Connector, Context, Outcome, Result
from provisioning.requests import service_request
from subscriptions.enums import Purpose
from subscriptions.models import Operation, Subscription
from subscriptions.services import renew as terms
from subscriptions.services.changes import open_change

BATCH = 500
REMINDERS = (30, 7)
LOOK_AGAIN = dt.timedelta(hours=1)
RENEWING = "renewing"
BELIEVED_GONE = dt.timedelta(days=1)  # What is not shown once is not gone: it ends nothing before a day has passed.


def run_clock() -> int:
    """Everything that is due now; returns how many subscriptions moved on. Safe to run twice at once."""
    moved = 0
    for pk in terms.due_periods(clock.now(), BATCH):
        moved += _move_on(pk)
    for days in REMINDERS:
        for row in terms.due_reminders(clock.now(), days):
            terms.remind(row, days)
    return moved


@transaction.atomic
def _move_on(pk: int) -> bool:
    row = terms.lock_due(pk, clock.now())
    if row is None:
        return False
    actor = system_actor(row.organization_id, label=_("renewal"))
    addons = terms.ending_addons(row)
    # First the add-ons end, then the period goes on: so the next one is charged without them, or, where the vendor
    # refused, with them.
    if addons:
        if terms.is_busy(row):
            return False
        reason = _("The billing period has ended.")
        open_change(
            actor, row, purpose=Purpose.ADDON_CANCEL, desired={"addons": dict.fromkeys(addons, 0), "reason": reason}
        )
        return True
    if not terms.is_last_period(row):
        money.next_period(actor, row)
        return True
    if terms.is_busy(row):
        return False
    ends = row.term_ends_at.isoformat() if row.term_ends_at else ""
    open_change(actor, row, purpose=Purpose.RENEW, desired={"term_ends_at": ends})
    return True


def follow(connector: Connector, ctx: Context, operation: Operation) -> Result:
    """Read the vendor's state: DONE once he shows a later end or that it has ended, else WAITING for two days."""
    read = getattr(connector, "read_state", None)
    if read is None:
        return Result(Outcome.ATTENTION, code="renewal_unreadable", message=_("This vendor does not tell of renewals."))
    result: Result = read(ctx, service_request(operation))
    is_gone = result.outcome == Outcome.REFUSED and result.code == "subscription_gone"
    if is_gone and clock.now() - operation.created_at > BELIEVED_GONE:
        return Result(Outcome.DONE, external_id=result.external_id, data={"status": "cancelled"})
    if result.outcome != Outcome.DONE and not is_gone:
        return result
    known = parse_datetime(str(operation.desired.get("term_ends_at") or "")) or operation.created_at
    shown = parse_datetime(str(result.data.get("ends_at") or ""))
    if not is_gone and (result.data.get("status") == "cancelled" or (shown is not None and shown > known)):
        return result
    return Result(
        Outcome.WAITING,
        code=RENEWING,
        message=_("The term is over; the vendor is renewing."),
        flag=RENEWING,
        retry_after=LOOK_AGAIN,
    )


def apply_renewal(actor: Actor, row: Subscription, result: Result) -> None:
    """Write what the vendor made of the term's end; runs in the transaction that ends the operation."""
    if result.data.get("status") == "cancelled":
        terms.expire(actor, row)
    else:
        money.renew(actor, row, result.data)
