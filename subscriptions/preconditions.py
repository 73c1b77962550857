"""What must hold before somebody may change a subscription (``channel.md`` 9.2): one table for pages, API and services.

The first failing column refuses, with its code and a sentence that says what to do.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from catalog.models import ChargeType
from core.errors import Conflict
from resellers.enums import AccountKind, AccountStatus
from subscriptions.enums import OPEN_REQUESTS, OPEN_STATES, ScheduleStatus, SubscriptionStatus
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription
from subscriptions.periods import MONTHS_OF_CYCLE
from vendors.models import SyncStatus


class Action(StrEnum):
    """What a person may want to do with a subscription."""

    BUY_LICENCES = "buy_licences"
    REDUCE = "reduce"
    BUY_ADDON = "buy_addon"
    CANCEL_ADDON = "cancel_addon"
    CANCEL_NOW = "cancel_now"
    CANCEL_AT_END = "cancel_at_end"
    REVOKE_CANCEL = "revoke_cancel"
    UPGRADE = "upgrade"
    MANAGE_RENEWAL = "manage_renewal"
    REVOKE_SCHEDULE = "revoke_schedule"
    AUTO_RENEW = "auto_renew"
    SUSPEND = "suspend"
    ACTIVATE = "activate"
    DISMISS = "dismiss"
    EDIT_PRICE = "edit_price"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the table looks at beside the row itself: three existence questions, asked once."""

    is_busy: bool
    schedule: ScheduledChange | None
    request: CancellationRequest | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action is not possible now."""

    code: str
    message: str


_A, _S = Action, SubscriptionStatus
_NEEDS_ACTIVE = frozenset(_A) - {_A.CANCEL_NOW, _A.REVOKE_CANCEL, _A.REVOKE_SCHEDULE, _A.ACTIVATE, _A.DISMISS}
_NEEDS_NO_SCHEDULE = frozenset(_A) - {_A.REVOKE_CANCEL, _A.REVOKE_SCHEDULE, _A.ACTIVATE, _A.DISMISS, _A.EDIT_PRICE}
_NEEDS_NO_CANCEL = frozenset(_A) - {_A.CANCEL_NOW, _A.REVOKE_CANCEL, _A.REVOKE_SCHEDULE, _A.DISMISS}
_NEEDS_RECURRING = frozenset({_A.CANCEL_AT_END, _A.AUTO_RENEW, _A.MANAGE_RENEWAL, _A.EDIT_PRICE})
# What of a Professional reseller's service follows his side; suspending and pricing stay with the distributor.
_FOLLOWS = frozenset(_A) - {_A.SUSPEND, _A.ACTIVATE, _A.EDIT_PRICE}
_INCREASES = frozenset({_A.BUY_LICENCES, _A.BUY_ADDON, _A.UPGRADE, _A.ACTIVATE})


def facts_of(row: Subscription) -> Facts:
    """Ask the database what the table needs to know."""
    return Facts(
        is_busy=Operation.objects.filter(subscription=row, state__in=OPEN_STATES).exists(),
        schedule=ScheduledChange.objects.filter(subscription=row, status=ScheduleStatus.PENDING)
        .select_related("plan")
        .first(),
        request=CancellationRequest.objects.filter(subscription=row, status__in=OPEN_REQUESTS).first(),
    )


def refusal(row: Subscription, action: Action, facts: Facts | None = None) -> Refusal | None:
    """Why ``action`` is not possible for a person, or None. ``row`` comes with account, product and its type."""
    if action in _FOLLOWS and is_managed(row):
        error = managed_elsewhere(row)
        return Refusal(error.code, error.message)
    return _refusal(row, action, facts or facts_of(row))


def is_managed(row: Subscription) -> bool:
    """Whether a Professional reseller manages the service in his own organization."""
    return row.account.kind == AccountKind.MANAGED_COPY


def managed_elsewhere(row: Subscription) -> Conflict:
    """What people of the distributor are told who would change such a service."""
    words = _("%(name)s manages this service. Quantity, billing and renewal are changed there.")
    return Conflict("managed_by_reseller", words % {"name": row.bill_to.name})


def _refusal(row: Subscription, action: Action, known: Facts) -> Refusal | None:
    return (
        _not_active(row, action)
        or _not_synchronized(row, action, known)
        or _scheduled(action, known)
        or _cancelling(row, action, known)
        or _extra(row, action, known)
    )


def demand(row: Subscription, action: Action, *, ignore_request: bool = False) -> Facts:
    """Raise :class:`Conflict` with the first reason against ``action``; staff who accept a request ignore it."""
    facts = facts_of(row)
    if ignore_request:
        facts = Facts(facts.is_busy, facts.schedule, None)
    found = _refusal(row, action, facts)
    if found is not None:
        raise Conflict(found.code, found.message)
    return facts


def _not_active(row: Subscription, action: Action) -> Refusal | None:
    status = SubscriptionStatus(row.status)
    words = str(status.label)
    if status == _S.FAILED and row.sync_status == SyncStatus.FAILED:
        return None  # The vendor's refusal is what stands in the way; the next column says so.
    if action in _NEEDS_ACTIVE and status not in (_S.ACTIVE, _S.PENDING_CANCEL):
        return Refusal("not_active", _("This needs an active subscription; this one is '%(s)s'.") % {"s": words})
    if action == _A.CANCEL_NOW and status not in (_S.ACTIVE, _S.SUSPENDED, _S.PENDING_CANCEL):
        return Refusal(
            "not_active", _("Only a running subscription can be cancelled; this one is '%(s)s'.") % {"s": words}
        )
    if action == _A.ACTIVATE and status != _S.SUSPENDED:
        return Refusal("not_suspended", _("Only a suspended subscription can be reactivated."))
    if action == _A.REVOKE_CANCEL and status != _S.PENDING_CANCEL:
        return Refusal("not_pending_cancel", _("This subscription is not going to end."))
    return None


def _not_synchronized(row: Subscription, action: Action, facts: Facts) -> Refusal | None:
    if action == _A.DISMISS:
        if facts.is_busy or row.sync_status != SyncStatus.FAILED or not row.external_id:
            return Refusal("nothing_refused", _("There is no refused change to set aside."))
        return None
    if row.sync_status == SyncStatus.FAILED:
        return Refusal("synchronization_failed", _("The last change did not reach the vendor. Retry it first."))
    if facts.is_busy or row.sync_status == SyncStatus.IN_PROGRESS:
        return Refusal("operation_open", _("Another change of this subscription is in progress."))
    return None


def _scheduled(action: Action, facts: Facts) -> Refusal | None:
    if action in _NEEDS_NO_SCHEDULE and facts.schedule is not None:
        return Refusal("scheduled_change_pending", _("A change is scheduled for the renewal. Revoke it first."))
    if action == _A.REVOKE_SCHEDULE and facts.schedule is None:
        return Refusal("no_scheduled_change", _("Nothing is scheduled for the renewal."))
    return None


def _cancelling(row: Subscription, action: Action, facts: Facts) -> Refusal | None:
    if action in _NEEDS_NO_CANCEL and row.status == _S.PENDING_CANCEL:
        return Refusal("cancellation_pending", _("This subscription is going to end. Keep it first."))
    if action in _NEEDS_NO_CANCEL and facts.request is not None:
        return Refusal("cancellation_pending", _("A cancellation request waits for a decision."))
    return None


def _extra(row: Subscription, action: Action, facts: Facts) -> Refusal | None:
    if action in _INCREASES and row.bill_to.status != AccountStatus.ACTIVE:
        return Refusal("account_on_hold", _("This account is on hold."))
    if action in _INCREASES and row.account.status != AccountStatus.ACTIVE:
        return Refusal("account_on_hold", _("This account is on hold."))
    is_single = row.is_trial or row.product.max_quantity == 1
    if action in (_A.BUY_LICENCES, _A.MANAGE_RENEWAL) and is_single:
        return Refusal("quantity_fixed", _("The number of licences of this product is fixed."))
    if action == _A.REDUCE and row.quantity <= max(row.product.min_quantity, 1):
        return Refusal("last_licence", _("No fewer licences are possible. Cancel the subscription instead."))
    if action in _NEEDS_RECURRING and not is_recurring(row):
        return Refusal("not_recurring", _("This subscription does not renew."))
    if action == _A.MANAGE_RENEWAL and not row.auto_renew:
        return Refusal("auto_renew_off", _("Turn automatic renewal on first."))
    if action == _A.UPGRADE and row.is_trial:
        return Refusal("trial", _("A trial cannot be upgraded. Order the product instead."))
    return None


def is_recurring(row: Subscription) -> bool:
    """Whether the service is paid in advance again and again."""
    return row.billing_cycle in MONTHS_OF_CYCLE and row.product.charge_type == ChargeType.PREPAID
