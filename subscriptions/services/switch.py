"""Turning a subscription on and off: suspend, reactivate, automatic renewal, ending with the term, keeping it."""

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import BusinessError, PermissionRefused
from core.tenancy import Actor, ActorKind
from subscriptions.enums import Purpose, SuspendReason
from subscriptions.models import Operation, Subscription
from subscriptions.preconditions import Action, demand, is_managed, managed_elsewhere
from subscriptions.services.changes import lock_subscription, open_change
from users.permissions import Perm, StaffRole

REASON_LENGTH = 5


def require_manage(actor: Actor, row: Subscription) -> None:
    """Raise unless the actor may change this service: staff by role, users of the account or of who pays for it."""
    actor.require(Perm.SERVICE_MANAGE if actor.is_staff else Perm.SHOP_SERVICES_MANAGE, row.account)
    if actor.kind != ActorKind.SYSTEM and is_managed(row):
        raise managed_elsewhere(row)


def require_suspend(actor: Actor, row: Subscription) -> None:
    """Raise unless the actor may suspend this service: Billing and Support, or the reseller of its account."""
    if actor.is_staff:
        actor.require(Perm.SERVICE_SUSPEND, row.account)
        return
    actor.require(Perm.SHOP_SERVICES_MANAGE, row.account)
    if actor.is_customer and (not actor.sells or row.account_id == actor.account_id):
        raise PermissionRefused("suspend_foreign", _("Ask your provider to suspend or reactivate this."))


def said(reason: str) -> str:
    """The reason a person gave; raises ``reason_short`` if it says nothing."""
    if len(reason.strip()) < REASON_LENGTH:
        raise BusinessError("reason_short", _("Say in a few words why."), field="reason")
    return reason.strip()


@transaction.atomic
def suspend(actor: Actor, *, subscription: Subscription, reason: str, by: SuspendReason | None = None) -> Operation:
    """Ask the vendor to suspend; the term goes on being billed. ``reason`` of 5 characters or more.

    ``by`` is whose wish it is, where that is not the actor's own.
    """
    row = lock_subscription(actor, subscription)
    require_suspend(actor, row)
    reason = said(reason)
    demand(row, Action.SUSPEND)
    return open_change(actor, row, purpose=Purpose.SUSPEND, desired={"reason": reason, "by": by or _wish_of(actor)})


def _wish_of(actor: Actor) -> SuspendReason:
    """Whoever has but the role Billing suspends what is not paid."""
    if actor.is_customer:
        return SuspendReason.CUSTOMER
    return SuspendReason.NON_PAYMENT if actor.roles == {StaffRole.BILLING} else SuspendReason.STAFF


@transaction.atomic
def activate(actor: Actor, *, subscription: Subscription) -> Operation:
    """Ask the vendor to reactivate a suspended service."""
    row = lock_subscription(actor, subscription)
    require_suspend(actor, row)
    demand(row, Action.ACTIVATE)
    return open_change(actor, row, purpose=Purpose.ACTIVATE, desired={})


@transaction.atomic
def set_auto_renew(actor: Actor, *, subscription: Subscription, auto_renew: bool) -> Operation | None:
    """Turn automatic renewal on or off; off means that the service ends with its term. None if it is so already."""
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    if row.auto_renew == auto_renew:
        return None
    demand(row, Action.AUTO_RENEW)
    return open_change(actor, row, purpose=Purpose.AUTO_RENEW, desired={"auto_renew": auto_renew})


@transaction.atomic
def cancel_at_end(
    actor: Actor, *, subscription: Subscription, reason: str, accepted_request: bool = False
) -> Operation:
    """Let the service end with its term; it is billed until then, and nothing is credited."""
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.CANCEL_AT_END, ignore_request=accepted_request)
    desired = {"auto_renew": False, "reason": reason.strip()}
    return open_change(actor, row, purpose=Purpose.CANCEL_AT_END, desired=desired)


@transaction.atomic
def revoke_cancel(actor: Actor, *, subscription: Subscription) -> Operation:
    """Keep a service that was to end: automatic renewal is turned on again at the vendor."""
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.REVOKE_CANCEL)
    return open_change(actor, row, purpose=Purpose.REVOKE_CANCEL, desired={"auto_renew": True})
