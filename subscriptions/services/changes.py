"""Later changes: opening the operation that tells the vendor, and writing here what he has done (``channel.md`` 9).

A change is written only after the vendor did it; until then the confirmed state stands. Money is moved by ``orders``
and ``provisioning`` in the same transaction.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from catalog.models import Plan
from core import audit, clock
from core.errors import NotVisible
from core.events import emit
from core.tenancy import Actor
from subscriptions.enums import (
    OPEN_REQUESTS,
    REQUEST_MACHINE,
    SCHEDULE_MACHINE,
    SUBSCRIPTION_MACHINE,
    Purpose,
    RequestEvent,
    RequestKind,
    RequestStatus,
    ScheduleStatus,
    SubscriptionEvent,
    SubscriptionStatus,
    SuspendReason,
    Verb,
)
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription, SubscriptionAddOn
from subscriptions.services import stamps
from subscriptions.services.life import event_payload, open_operation, set_sync, tell, tell_addon, window_values
from vendors.models import SyncStatus

VERBS = {
    Purpose.SUSPEND: Verb.SUSPEND,
    Purpose.ACTIVATE: Verb.ACTIVATE,
    Purpose.CANCEL: Verb.CANCEL,
    Purpose.UPGRADE: Verb.UPGRADE,
    Purpose.RENEW: Verb.RENEW,
}


def lock_subscription(actor: Actor, subscription: Subscription) -> Subscription:
    """The row under a lock, with what the preconditions look at; somebody else's does not exist."""
    rows = Subscription.objects.visible_to(actor).select_for_update(of=("self",))
    row = (
        rows.select_related("account", "bill_to", "plan", "product__product_type", "instance", "organization")
        .filter(pk=subscription.pk)
        .first()
    )
    if row is None:
        raise NotVisible("subscription_missing", _("This subscription does not exist."))
    return row


def open_change(
    actor: Actor, row: Subscription, *, purpose: Purpose, desired: Mapping[str, Any], order_number: str = ""
) -> Operation:
    """Write the operation of a change and the audit entry of the wish. Raises Conflict ``operation_open``."""
    operation = open_operation(
        actor,
        verb=VERBS.get(purpose, Verb.CHANGE),
        purpose=purpose,
        instance_id=row.instance_id,
        account_id=row.account_id,
        organization_id=row.organization_id,
        subscription=row,
        desired=desired,
        order_number=order_number,
    )
    shown = {key: value for key, value in desired.items() if key in ("quantity", "auto_renew", "addons")}
    # Without what a reseller's customer pays: the log is the distributor's.
    wanted = {key: value for key, value in desired.get("upgrade", {}).items() if not key.startswith("sell_")}
    shown |= {"upgrade": wanted} if wanted else {}
    audit.record(
        actor,
        f"subscription.{purpose}_asked",
        row,
        before={"quantity": row.quantity, "status": row.status},
        after=shown | {"operation": str(operation.public_id)},
        reason=str(desired.get("reason", "")),
    )
    tell(row, "change_asked", purpose=str(purpose), operation=str(operation.public_id), by_request=_is_wished(row))
    return operation


def _is_wished(row: Subscription) -> bool:
    """Whether what is asked of the vendor now was asked for by a request before."""
    return CancellationRequest.objects.filter(subscription=row, status=RequestStatus.ACCEPTED).exists()


def apply_change(actor: Actor, row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    """The vendor has done what was asked: write it here. ``data`` is that of ``provisioning.ports.Result``."""
    purpose = Purpose(operation.purpose)
    if purpose == Purpose.STAMP:
        stamps.apply_stamp(actor, row, operation, data)
        return
    before = {"quantity": row.quantity, "status": row.status, "auto_renew": row.auto_renew}
    _APPLY.get(purpose, _apply_numbers)(row, operation, data)
    _write(row, **window_values(data) if data.get("status") else {})
    set_sync(row, SyncStatus.SYNCHRONIZED)
    after = {"quantity": row.quantity, "status": row.status, "auto_renew": row.auto_renew}
    audit.record(actor, f"subscription.{purpose}_done", row, before=before, after=after)
    emit(
        EVENTS.get(purpose, "subscription.changed"),
        event_payload(row)
        | {"purpose": str(purpose), "operation": str(operation.public_id), "before": before, "after": after},
        organization_id=row.organization_id,
        account_id=row.account_id,
    )
    _move_request(operation, RequestEvent.COMPLETE)


EVENTS = {
    Purpose.SUSPEND: "subscription.suspended",
    Purpose.ACTIVATE: "subscription.reactivated",
    Purpose.CANCEL: "subscription.cancelled",
    Purpose.CANCEL_AT_END: "subscription.ending",
    Purpose.SCHEDULE: "subscription.scheduled",
}


def touch(row: Subscription) -> None:
    """Let whoever asks for changed services find it: a word about it has changed that does not stand in its row."""
    Subscription.objects.filter(pk=row.pk).update(updated_at=clock.real_now())


def _write(row: Subscription, **values: Any) -> None:
    if not values:
        return
    Subscription.objects.filter(pk=row.pk).update(updated_at=clock.real_now(), **values)
    for name, value in values.items():
        setattr(row, name, value)


def _apply_numbers(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    """Quantities, add-ons and automatic renewal, as the vendor confirmed them."""
    values: dict[str, Any] = {}
    if "quantity" in operation.desired:
        values["quantity"] = int(data.get("quantity") or operation.desired["quantity"])
    if "auto_renew" in operation.desired:
        values["auto_renew"] = bool(operation.desired["auto_renew"])
    _write(row, **values)
    _apply_addons(row, operation.desired.get("addons") or {}, data.get("addons") or {})


def _apply_addons(row: Subscription, wanted: Mapping[str, int], ids: Mapping[str, str]) -> None:
    now = clock.now()
    for addon in row.addons.filter(public_id__in=list(wanted)).order_by("pk"):
        quantity = wanted[str(addon.public_id)]
        if not quantity:
            SUBSCRIPTION_MACHINE.fire(addon, SubscriptionEvent.CANCEL, cancelled_at=now)
        elif addon.status in (SubscriptionStatus.INACTIVE, SubscriptionStatus.FAILED):
            SUBSCRIPTION_MACHINE.fire(
                addon,
                SubscriptionEvent.CONFIRM,
                quantity=quantity,
                external_id=str(ids.get(str(addon.public_id), "")),
                first_activated_at=addon.first_activated_at or now.replace(microsecond=0),
            )
        else:
            SubscriptionAddOn.objects.filter(pk=addon.pk).update(quantity=quantity, updated_at=clock.real_now())
        tell_addon(row, addon)


def _apply_suspend(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    by = operation.desired.get("by", SuspendReason.STAFF)
    _fire_with_addons(row, SubscriptionEvent.SUSPEND)
    _write(row, suspend_reason=by)


def _apply_activate(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    _fire_with_addons(row, SubscriptionEvent.ACTIVATE)
    _write(row, suspend_reason="")


def _apply_cancel(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    end(row, reason=str(operation.desired.get("reason", "")))


def _apply_cancel_at_end(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    SUBSCRIPTION_MACHINE.fire(
        row,
        SubscriptionEvent.CANCEL_AT_END,
        resumes_as=row.status,
        auto_renew=False,
        cancel_reason=str(operation.desired.get("reason", ""))[:255],
    )


def _apply_revoke_cancel(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    event = SubscriptionEvent.REVOKE_CANCEL
    if row.resumes_as == SubscriptionStatus.SUSPENDED:
        event = SubscriptionEvent.REVOKE_CANCEL_SUSPENDED
    SUBSCRIPTION_MACHINE.fire(row, event, resumes_as="", cancel_reason="", auto_renew=True)


def _apply_revoke_schedule(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    found = pending_schedule(row)
    if found is not None:
        SCHEDULE_MACHINE.fire(found, "revoke", decided_at=clock.now())
        tell_wish(row, found)


def _apply_upgrade(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    wanted = operation.desired["upgrade"]
    plan = Plan.objects.select_related("product").get(public_id=wanted["plan"])
    values = {
        "product": plan.product,
        "plan": plan,
        "name": plan.product.name,
        "term": plan.term,
        "billing_cycle": plan.billing_cycle,
        "unit_price": wanted["unit_price"],
        "next_unit_price": None,
        "price_trace": wanted["trace"],
        "sell_unit_price": wanted.get("sell_unit_price"),
        "sell_terms": wanted.get("sell_terms") or {},
        "quantity": int(wanted["quantity"]),
        "external_id": str(data["external_id"]),
        "external_order_id": str(data.get("order_id", ""))[:255],
    }
    if int(wanted["quantity"]) >= row.quantity:
        _write(row, **values)
        return
    _write(row, quantity=row.quantity - int(wanted["quantity"]))
    copied = (
        "organization_id", "account_id", "bill_to_id", "purchase_mode", "instance_id", "currency", "mpn_id",
        "auto_renew", "starts_at", "term_ends_at", "period_starts_at", "period_ends_at",
    )  # fmt: skip
    rest = Subscription.objects.create(
        **{name: getattr(row, name) for name in copied},
        **values,
        **window_values(data),
        status=SubscriptionStatus.ACTIVE,
        sync_status=SyncStatus.SYNCHRONIZED,
        first_activated_at=clock.now().replace(microsecond=0),
        order_number=operation.order_number,
    )
    tell(rest, "created")


def _nothing(row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    """The vendor knows it now; nothing changes here before the renewal."""


_APPLY = {
    Purpose.SUSPEND: _apply_suspend,
    Purpose.ACTIVATE: _apply_activate,
    Purpose.CANCEL: _apply_cancel,
    Purpose.CANCEL_AT_END: _apply_cancel_at_end,
    Purpose.REVOKE_CANCEL: _apply_revoke_cancel,
    Purpose.SCHEDULE: _nothing,
    Purpose.REVOKE_SCHEDULE: _apply_revoke_schedule,
    Purpose.UPGRADE: _apply_upgrade,
}


def _fire_with_addons(row: Subscription, event: SubscriptionEvent, **values: Any) -> None:
    SUBSCRIPTION_MACHINE.fire(row, event, **values)
    for addon in row.addons.order_by("pk"):
        if SUBSCRIPTION_MACHINE.allows(addon.status, event):
            SUBSCRIPTION_MACHINE.fire(addon, event, **{k: v for k, v in values.items() if k == "cancelled_at"})
            tell_addon(row, addon)


def end(row: Subscription, *, reason: str) -> None:
    """Cancelled, final, with its add-ons; a pending schedule falls with it."""
    _fire_with_addons(
        row, SubscriptionEvent.CANCEL, cancelled_at=clock.now(), cancel_reason=reason[:255], auto_renew=False
    )
    _write(row, suspend_reason="")
    found = pending_schedule(row)
    if found is not None:
        SCHEDULE_MACHINE.fire(found, "fail", decided_at=clock.now(), note=str(_("The subscription has ended.")))


def wish_of(row: Subscription, found: ScheduledChange) -> str:
    """The id of a scheduled change that is a wish for fewer licences; empty for any other."""
    return str(found.public_id) if found.quantity < row.quantity else ""


def tell_wish(row: Subscription, found: ScheduledChange | CancellationRequest) -> None:
    """Emit ``subscription.quantityrequest.updated`` if this is a wish for fewer licences."""
    if found.kind == RequestKind.REDUCE if isinstance(found, CancellationRequest) else wish_of(row, found):
        tell(row, "quantityrequest.updated", request=str(found.public_id))


def pending_schedule(row: Subscription) -> ScheduledChange | None:
    """What is scheduled for the renewal, if anything."""
    rows = ScheduledChange.objects.filter(subscription=row, status=ScheduleStatus.PENDING)
    return rows.select_related("plan__product").first()


def refuse_change(
    actor: Actor, row: Subscription, operation: Operation, message: str, code: str, data: Mapping[str, Any]
) -> None:
    """The vendor refused a change: the confirmed state stands, marked as not synchronized, and people are told.

    ``data`` is the vendor's state if he told it with the refusal; his windows are kept.
    """
    if operation.purpose == Purpose.STAMP:
        stamps.hold_run(operation)
    if data.get("status"):
        _write(row, **window_values(data))
    if operation.purpose == Purpose.STAMP:
        stamps.refuse_stamp(actor, row, operation, message)
        return
    set_sync(row, SyncStatus.FAILED, message)
    _fire_new_addons(row, operation, SubscriptionEvent.REFUSE)
    _go_on_with_addons(row, operation)
    if operation.purpose == Purpose.SCHEDULE:
        _fail_schedule(row, message)
    _move_request(operation, RequestEvent.FAIL)
    audit.record(actor, f"subscription.{operation.purpose}_refused", row, reason=message)
    emit(
        "subscription.change_refused",
        event_payload(row)
        | {"purpose": operation.purpose, "operation": str(operation.public_id), "message": message, "code": code},
        organization_id=row.organization_id,
        account_id=row.account_id,
    )


def retry_change(row: Subscription, operation: Operation) -> None:
    """A refused change is asked for once more."""
    set_sync(row, SyncStatus.IN_PROGRESS)
    _fire_new_addons(row, operation, SubscriptionEvent.RETRY)
    if operation.purpose == Purpose.SCHEDULE and pending_schedule(row) is None:
        last = ScheduledChange.objects.filter(subscription=row).order_by("-id").first()
        if last is not None:
            ScheduledChange.objects.create(
                organization_id=row.organization_id,
                subscription=row,
                plan=last.plan,
                quantity=last.quantity,
                was=last.was or row.quantity,
                due_at=row.term_ends_at,
                requested_by=last.requested_by,
            )
    _move_request(operation, RequestEvent.RETRY)
    tell(row, "change_asked", purpose=operation.purpose, operation=str(operation.public_id), by_request=True)


def abandon_change(actor: Actor, row: Subscription, operation: Operation, *, reason: str) -> None:
    """Nobody asks for it any more: the confirmed state stands and counts as synchronized."""
    if operation.purpose == Purpose.STAMP:
        stamps.abandon_stamp(actor, row, operation, reason=reason)
        return
    if row.sync_status != SyncStatus.SYNCHRONIZED:
        set_sync(row, SyncStatus.SYNCHRONIZED)
    _fire_new_addons(row, operation, SubscriptionEvent.GIVE_UP, cancelled_at=clock.now())
    _go_on_with_addons(row, operation)
    if operation.purpose == Purpose.SCHEDULE:
        _fail_schedule(row, reason)
    for found in CancellationRequest.objects.filter(operation=operation, status__in=OPEN_REQUESTS):
        if REQUEST_MACHINE.allows(found.status, RequestEvent.FAIL):
            REQUEST_MACHINE.fire(found, RequestEvent.FAIL)
        REQUEST_MACHINE.fire(found, RequestEvent.REJECT, reason=reason, decided_at=clock.now())
        tell_wish(row, found)
    audit.record(actor, f"subscription.{operation.purpose}_given_up", row, reason=reason)
    tell(row, "change_given_up", purpose=operation.purpose, operation=str(operation.public_id))


def _fire_new_addons(row: Subscription, operation: Operation, event: SubscriptionEvent, **values: Any) -> None:
    """The add-ons this operation was to make."""
    for addon in row.addons.filter(public_id__in=list(operation.desired.get("addons") or {})).order_by("pk"):
        if addon.first_activated_at is None and SUBSCRIPTION_MACHINE.allows(addon.status, event):
            SUBSCRIPTION_MACHINE.fire(addon, event, **values)
            tell_addon(row, addon)


def _go_on_with_addons(row: Subscription, operation: Operation) -> None:
    """The add-ons that this operation did not end run on, and are charged as before."""
    for addon in row.addons.filter(public_id__in=list(operation.desired.get("addons") or {})).order_by("pk"):
        if addon.status == SubscriptionStatus.PENDING_CANCEL:
            SUBSCRIPTION_MACHINE.fire(addon, SubscriptionEvent.REVOKE_CANCEL)
            tell_addon(row, addon)


def _fail_schedule(row: Subscription, message: str) -> None:
    found = pending_schedule(row)
    if found is not None:
        SCHEDULE_MACHINE.fire(found, "fail", decided_at=clock.now(), note=message[:500])
        emit(
            "subscription.schedule_failed",
            event_payload(row) | {"message": message, "schedule": wish_of(row, found)},
            organization_id=row.organization_id,
            account_id=row.account_id,
        )


def _move_request(operation: Operation, event: RequestEvent) -> None:
    """A cancellation request follows its operation; a retried operation takes its request along."""
    ids = [operation.pk, operation.retry_of_id or operation.pk]
    for found in CancellationRequest.objects.filter(operation_id__in=ids, status__in=OPEN_REQUESTS):
        if REQUEST_MACHINE.allows(found.status, event):
            REQUEST_MACHINE.fire(found, event, operation_id=operation.pk, decided_at=clock.now())
            name = {RequestEvent.COMPLETE: "completed", RequestEvent.FAIL: "failed"}.get(event)
            if name:
                tell_request(found, name)


def tell_request(found: CancellationRequest, what: str, **more: Any) -> None:
    """Emit ``cancellation_request.<what>`` with what its mail needs."""
    row = found.subscription
    emit(
        f"cancellation_request.{what}",
        event_payload(row)
        | {
            "request": str(found.public_id),
            "kind": found.kind,
            "count": found.quantity,
            "reason": found.reason,
            "comment": found.comment,
        }
        | more,
        organization_id=row.organization_id,
        account_id=row.account_id,
    )


def note_vendor_state(row: Subscription, data: Mapping[str, Any]) -> None:
    """Keep the vendor's windows and dates as just read; differences in anything else change nothing here."""
    _write(row, **window_values(data))
