"""The life of subscriptions and of the operations that tell the vendor.

Nothing here calls a vendor or moves money; ``provisioning`` executes operations and applies what came of them through
these functions, inside its own transaction.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from core import audit, clock, outbox
from core.errors import Conflict
from core.events import emit
from core.tenancy import Actor
from subscriptions.enums import (
    OPEN_STATES,
    OPERATION_MACHINE,
    SUBSCRIPTION_MACHINE,
    OperationEvent,
    Purpose,
    SubscriptionEvent,
    SubscriptionStatus,
)
from subscriptions.models import RUN_TASK, Asset, Operation, Subscription, SubscriptionAddOn
from subscriptions.periods import period_end
from vendors.models import AccountLink, SyncStatus

FAR_FUTURE = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)

_SYNC_TABLE = {
    SyncStatus.UNSYNCHRONISED: {SyncStatus.IN_PROGRESS, SyncStatus.FAILED},
    SyncStatus.IN_PROGRESS: {SyncStatus.SYNCHRONIZED, SyncStatus.FAILED, SyncStatus.IN_PROGRESS},
    SyncStatus.FAILED: {SyncStatus.IN_PROGRESS, SyncStatus.SYNCHRONIZED, SyncStatus.FAILED},
    SyncStatus.SYNCHRONIZED: {SyncStatus.IN_PROGRESS, SyncStatus.SYNCHRONIZED},
    SyncStatus.NOT_REQUIRED: set[SyncStatus](),
}


_SYNC_EVENTS = {
    SyncStatus.IN_PROGRESS: "started",
    SyncStatus.SYNCHRONIZED: "succeeded",
    SyncStatus.FAILED: "failed",
}


def tell(row: Subscription, what: str, **more: Any) -> None:
    """Emit ``subscription.<what>`` with ids and plain values alone: no mail is written of it, webhooks tell it."""
    emit(
        f"subscription.{what}",
        {"subscription": str(row.public_id), **more},
        organization_id=row.organization_id,
        account_id=row.account_id,
    )


def tell_addon(row: Subscription, addon: SubscriptionAddOn, what: str = "") -> None:
    """Emit ``subscription.addon.<what>``: cancelled or updated, as it is by now, if nothing else is said."""
    what = what or ("cancelled" if addon.status == SubscriptionStatus.CANCELLED else "updated")
    tell(row, f"addon.{what}", addon=str(addon.public_id))


def open_operation(
    actor: Actor,
    *,
    verb: str,
    instance_id: int,
    account_id: int,
    organization_id: int,
    subscription: Subscription | None = None,
    asset: Asset | None = None,
    account_link: AccountLink | None = None,
    depends_on: Operation | None = None,
    retry_of: Operation | None = None,
    purpose: str = Purpose.PROVISION,
    desired: Mapping[str, Any] | None = None,
    order_number: str = "",
) -> Operation:
    """Write an operation and dispatch it after the commit; a dependent one sleeps until the other is done.

    Raises :class:`Conflict` ``operation_open`` if another change of the same service is in progress.
    """
    try:
        with transaction.atomic():
            row = Operation.objects.create(
                organization_id=organization_id,
                verb=verb,
                purpose=purpose,
                instance_id=instance_id,
                account_id=account_id,
                subscription=subscription,
                asset=asset,
                account_link=account_link,
                depends_on=depends_on,
                retry_of=retry_of,
                desired=dict(desired or {}),
                requested_by=actor.label,
                requested_by_user_id=actor.user_id,
                order_number=order_number,
                not_before=FAR_FUTURE if depends_on else clock.now(),
                message=_("Waits until the customer is set up.") if depends_on else "",
            )
    except IntegrityError as error:
        raise Conflict("operation_open", _("Another change of this subscription is in progress.")) from error
    if depends_on is None:
        outbox.dispatch(RUN_TASK, row.pk)
    return row


def open_operation_of_link(link: AccountLink) -> Operation | None:
    """The operation that is at work on an account link, if any."""
    return Operation.objects.filter(account_link=link, state__in=OPEN_STATES).first()


def hold_operation_of_link(link: AccountLink) -> Operation | None:
    """The operation at work on an account link, for one that is to wait for it; kept from ending until this commits.

    Without the lock it could end at this moment, and would wake nobody. ``link`` is read again if it has just ended.
    """
    found = open_operation_of_link(link)
    if found is None:
        return None
    rows = Operation.objects.select_for_update(of=("self",), no_key=True)
    held: Operation | None = rows.filter(pk=found.pk, state__in=OPEN_STATES).first()
    if held is None:
        link.refresh_from_db(fields=["state"])
    return held


def wake_dependants(operation: Operation) -> int:
    """The operation is done: what waited for it, or for an earlier try of it, may go. Returns how many were woken."""
    waiting = Operation.objects.filter(depends_on__isnull=False, state__in=OPEN_STATES)
    if operation.account_link_id:
        waiting = waiting.filter(depends_on__account_link_id=operation.account_link_id)
    else:
        waiting = waiting.filter(depends_on=operation)
    rows = list(waiting.order_by("pk"))
    for row in rows:
        Operation.objects.filter(pk=row.pk).update(not_before=clock.now(), message="", depends_on=None)
        outbox.dispatch(RUN_TASK, row.pk)
    return len(rows)


def hand_over_dependants(old: Operation, new: Operation) -> None:
    """What waited for a refused operation now waits for its retry."""
    Operation.objects.filter(depends_on=old, state__in=OPEN_STATES).update(depends_on=new)


def set_sync(row: Subscription, status: str, note: str = "") -> None:
    """Change how far the vendor knows; a pair outside the table is an error (``service-manager.md`` 8.1)."""
    if status not in _SYNC_TABLE[SyncStatus(row.sync_status)]:
        raise Conflict("illegal_sync", f"{row.sync_status} -> {status}")
    if status != row.sync_status:
        tell(row, f"synchronization.{_SYNC_EVENTS[SyncStatus(status)]}")
    Subscription.objects.filter(pk=row.pk).update(sync_status=status, sync_note=note[:500], updated_at=clock.real_now())
    row.sync_status, row.sync_note = status, note[:500]


def confirm(actor: Actor, row: Subscription, *, external_id: str, data: Mapping[str, Any]) -> None:
    """The vendor has it: Active, synchronized, with the vendor's ids and dates; first activation is stamped once.

    ``data`` is ``provisioning.ports.Result.data`` of a service. Emits ``subscription.activated``.
    """
    now = clock.now()
    starts = moment(data.get("starts_at")) or now
    ends = moment(data.get("ends_at"))
    changes: dict[str, Any] = {
        "external_id": external_id,
        "external_order_id": str(data.get("order_id", ""))[:255],
        "starts_at": starts,
        "term_ends_at": ends,
        "auto_renew": bool(data.get("auto_renew", row.auto_renew)),
        "quantity": int(data.get("quantity") or row.quantity),
        "period_starts_at": starts,
        "period_ends_at": period_end(starts, row.billing_cycle, starts, ends),
        **window_values(data),
    }
    if row.first_activated_at is None:
        changes["first_activated_at"] = now.replace(microsecond=0)
    before = SUBSCRIPTION_MACHINE.fire(row, SubscriptionEvent.CONFIRM, **changes)
    set_sync(row, SyncStatus.SYNCHRONIZED)
    _confirm_addons(row, data.get("addons") or {}, now)
    audit.record(
        actor,
        "subscription.activated",
        row,
        before={"status": before},
        after={"status": row.status, "external_id": external_id, "quantity": row.quantity},
    )
    emit(
        "subscription.activated",
        event_payload(row),
        organization_id=row.organization_id,
        account_id=row.account_id,
    )


def _confirm_addons(row: Subscription, ids: Mapping[str, str], now: dt.datetime) -> None:
    for addon in row.addons.filter(status__in=[SubscriptionStatus.INACTIVE, SubscriptionStatus.FAILED]).order_by("pk"):
        SUBSCRIPTION_MACHINE.fire(
            addon,
            SubscriptionEvent.CONFIRM,
            external_id=str(ids.get(str(addon.public_id), "")),
            first_activated_at=addon.first_activated_at or now.replace(microsecond=0),
        )
        tell_addon(row, addon)


def refuse(actor: Actor, row: Subscription, *, message: str, code: str) -> None:
    """The vendor refused to create it: Failed, with the vendor's words. Emits ``subscription.refused``."""
    before = SUBSCRIPTION_MACHINE.fire(row, SubscriptionEvent.REFUSE)
    set_sync(row, SyncStatus.FAILED, message)
    _fire_addons(row, SubscriptionEvent.REFUSE)
    audit.record(
        actor, "subscription.refused", row, before={"status": before}, after={"status": row.status}, reason=message
    )
    emit(
        "subscription.refused",
        event_payload(row) | {"message": message, "code": code},
        organization_id=row.organization_id,
        account_id=row.account_id,
    )


def retry(actor: Actor, row: Subscription) -> None:
    """A failed subscription is provisioned again."""
    SUBSCRIPTION_MACHINE.fire(row, SubscriptionEvent.RETRY)
    set_sync(row, SyncStatus.IN_PROGRESS)
    _fire_addons(row, SubscriptionEvent.RETRY)
    audit.record(actor, "subscription.retried", row)


def give_up(actor: Actor, row: Subscription, *, reason: str) -> None:
    """Nobody will provision it any more: Cancelled, final."""
    before = SUBSCRIPTION_MACHINE.fire(row, SubscriptionEvent.GIVE_UP, cancelled_at=clock.now())
    _fire_addons(row, SubscriptionEvent.GIVE_UP, cancelled_at=clock.now())
    audit.record(
        actor, "subscription.given_up", row, before={"status": before}, after={"status": row.status}, reason=reason
    )
    tell(row, "given_up")


def _fire_addons(row: Subscription, event: str, **changes: Any) -> None:
    for addon in row.addons.order_by("pk"):
        if SUBSCRIPTION_MACHINE.allows(addon.status, event):
            SUBSCRIPTION_MACHINE.fire(addon, event, **changes)
            tell_addon(row, addon)


def create_addons(rows: Iterable[SubscriptionAddOn]) -> list[SubscriptionAddOn]:
    """Store the add-ons of new subscriptions. Emits ``subscription.addon.created`` for each."""
    made = SubscriptionAddOn.objects.bulk_create(list(rows))
    for addon in made:
        tell_addon(addon.subscription, addon, "created")
    return made


def create_subscription(actor: Actor, **values: Any) -> Subscription:
    """Store a new, inactive subscription; the caller opens the operation that provisions it. Emits its creation."""
    row = Subscription.objects.create(**values)
    audit.record(actor, "subscription.created", row, after={"quantity": row.quantity, "order": row.order_number})
    tell(row, "created")
    return row


def fire_operation(row: Operation, event: OperationEvent, **changes: Any) -> str:
    """Move an operation along its table."""
    return OPERATION_MACHINE.fire(row, event, **changes)


def event_payload(row: Subscription) -> dict[str, Any]:
    """What every event of a subscription carries: ids and plain values."""
    line = row.order_lines.exclude(order__status="draft").select_related("order").order_by("pk").first()
    return {
        "subscription": str(row.public_id),
        "name": row.name,
        "sell_name": row.sell_terms.get("name", ""),
        "quantity": row.quantity,
        "order": str(line.order.public_id) if line else "",
        "order_number": row.order_number,
    }


def window_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the vendor says can still be given back, and until when; his dates, never ours."""
    return {
        "cancel_until": moment(data.get("cancel_until")),
        "refundable": list(data.get("refundable") or []),
        "vendor_read_at": clock.now(),
    }


def moment(value: object) -> dt.datetime | None:
    """A moment from a vendor's data (ISO string, aware), or None."""
    if isinstance(value, dt.datetime):
        return value
    return parse_datetime(str(value)) if value else None
