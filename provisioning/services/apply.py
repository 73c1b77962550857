"""Applying what came of an operation: one transaction for the operation, the service, the order and the money."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock, outbox
from core.errors import BusinessError, Conflict
from core.events import emit
from core.tenancy import Actor
from orders.services import settle
from provisioning.ports import Outcome, Result
from provisioning.services import assets, plans, renewals
from provisioning.services.answers import SECRETS_STEP
from subscriptions import services as life
from subscriptions.enums import OPEN_STATES, OperationEvent, Purpose, Verb
from subscriptions.models import RUN_TASK, Operation, OperationStep, Subscription
from subscriptions.services import FAR_FUTURE, changes, fire_operation, set_sync, wake_dependants
from subscriptions.services.assets import refuse_asset
from vendors.models import AccountLink, LinkState, SyncStatus
from vendors.services.links import LINK_MACHINE, synchronize_link

PATIENCE = dt.timedelta(minutes=120)
PATIENCE_BY_FLAG = {
    "awaiting_relationship": dt.timedelta(days=30),
    "customer_under_review": dt.timedelta(days=14),
    "upgrading": dt.timedelta(days=1),
    "out_of_stock": dt.timedelta(days=1),
    "plan_queued": dt.timedelta(days=1200),
    renewals.RENEWING: dt.timedelta(days=2),
    "at_distributor": dt.timedelta(days=30),
}
LOOKUP_EVERY = dt.timedelta(hours=1)
LOOKUP_FOR = dt.timedelta(days=7)
FIRST_CHECK = dt.timedelta(seconds=5)
SLOWEST_CHECK = dt.timedelta(seconds=60)
TOLD_FLAGS = {"awaiting_relationship": "relationship", "customer_under_review": "review"}


@transaction.atomic
def apply_result(actor: Actor, operation: Operation, result: Result) -> None:
    """Write the outcome of a run, unless the claim was lost meanwhile (then the one who has it will)."""
    row = (
        Operation.objects.select_for_update(of=("self",))
        .select_related(
            "subscription", "asset__product", "asset__account", "account_link__account", "instance__application"
        )
        .filter(pk=operation.pk, claim_token=operation.claim_token)
        .first()
    )
    if row is None:
        return
    if result.outcome == Outcome.DONE:
        _done(actor, row, result)
    elif result.outcome == Outcome.REFUSED:
        _refused(actor, row, result)
    elif result.outcome == Outcome.ATTENTION:
        _attention(row, result, code=result.code or "contract", not_before=FAR_FUTURE)
    else:
        _wait(actor, row, result)


def _finish(row: Operation, event: OperationEvent, result: Result, **changes: Any) -> None:
    values: dict[str, Any] = {
        "code": result.code[:60],
        "message": result.message,
        "flag": result.flag[:40],
        "claim_token": None,
        "claimed_until": None,
    }
    fire_operation(row, event, **(values | changes))


def _done(actor: Actor, row: Operation, result: Result, event: OperationEvent = OperationEvent.SUCCEED) -> None:
    if row.account_link is not None:
        try:
            synchronize_link(
                actor,
                row.account_link,
                external_id=result.external_id,
                password=result.secrets.get("admin_password", ""),
            )
        except Conflict as error:
            _refused(actor, row, Result(Outcome.REFUSED, code=error.code, message=str(error.message)))
            return
        OperationStep.objects.filter(operation=row, name=SECRETS_STEP).delete()
    elif row.asset is not None:
        try:
            with transaction.atomic():
                assets.apply_done(actor, row, row.asset, result)
        except BusinessError as error:
            row.asset.refresh_from_db()
            over = Result(Outcome.ATTENTION, message=str(error.message))
            _attention(row, over, code=error.code, not_before=FAR_FUTURE)
            return
        OperationStep.objects.filter(operation=row, name=SECRETS_STEP).delete()
    elif row.subscription is not None and row.verb == Verb.CREATE:
        life.confirm(actor, row.subscription, external_id=result.external_id, data=result.data)
        settle.deliver(row)
        plans.after_create(actor, row.instance, row.subscription)
    elif row.subscription is not None:
        try:
            with transaction.atomic():
                _changed(actor, row, row.subscription, result)
        except BusinessError as error:
            # The vendor has done it; what is kept of his answer is settled once a person has mended the reason.
            over = Result(Outcome.ATTENTION, message=str(error.message))
            row.subscription.refresh_from_db()
            _attention(row, over, code=error.code, not_before=FAR_FUTURE)
            return
    _finish(row, event, result, finished_at=clock.now(), message="", code="")
    wake_dependants(row)


def _refused(actor: Actor, row: Operation, result: Result) -> None:
    if row.account_link is not None:
        note = result.message[:500]
        if LINK_MACHINE.allows(row.account_link.state, "fail"):
            LINK_MACHINE.fire(row.account_link, "fail", state_note=note)
        for waiting in _dependants(row):
            _blocked(actor, waiting, result)
    elif row.asset is not None:
        assets.apply_refused(actor, row, row.asset, result)
    elif row.subscription is not None and row.verb == Verb.CREATE:
        life.refuse(actor, row.subscription, message=result.message, code=result.code)
        settle.fail(row, reason=result.message)
    elif row.subscription is not None:
        changes.refuse_change(actor, row.subscription, row, result.message, result.code, result.data)
        settle.fail(row, reason=result.message)
    if result.flag == "relationship_lost":
        _lose_relationship(row, result)
    _finish(row, OperationEvent.REFUSE, result, finished_at=clock.now())


def _changed(actor: Actor, row: Operation, subscription: Subscription, result: Result) -> None:
    """A later change is done: the service, the order's lines, and the money that goes back."""
    if row.purpose == Purpose.RENEW:
        renewals.apply_renewal(actor, subscription, result)
        set_sync(subscription, SyncStatus.SYNCHRONIZED)
        return
    changes.apply_change(actor, subscription, row, {**result.data, "external_id": result.external_id})
    settle.deliver(row)
    settle.credit(actor, row)


def _dependants(row: Operation) -> list[Operation]:
    rows = Operation.objects.filter(depends_on=row, state__in=OPEN_STATES).select_related("subscription", "asset")
    return list(rows.order_by("pk"))


def _blocked(actor: Actor, waiting: Operation, result: Result) -> None:
    """The customer could not be set up: his services wait, their people are told, and staff decide at one place."""
    message = _("The customer could not be set up: %(reason)s") % {"reason": result.message}
    Operation.objects.filter(pk=waiting.pk).update(message=message, code=result.code[:60])
    if waiting.asset is not None:
        refuse_asset(actor, waiting.asset, message=message, code=result.code)
    if waiting.subscription is None:
        return
    set_sync(waiting.subscription, SyncStatus.FAILED, message)
    emit(
        "subscription.refused",
        life.event_payload(waiting.subscription) | {"message": message, "code": result.code},
        organization_id=waiting.organization_id,
        account_id=waiting.account_id,
    )


def _lose_relationship(row: Operation, result: Result) -> None:
    link = AccountLink.objects.filter(account_id=row.account_id, instance_id=row.instance_id).first()
    if link is not None and link.state == LinkState.SYNCHRONIZED:
        LINK_MACHINE.fire(link, "lose_relationship", state_note=result.message[:500])


def _attention(row: Operation, result: Result, *, code: str, not_before: dt.datetime) -> None:
    if row.subscription is not None:
        set_sync(row.subscription, SyncStatus.FAILED, result.message)
    if row.asset is not None:
        assets.apply_attention(row, row.asset, result)
    _finish(row, OperationEvent.NEED_ATTENTION, result, code=code[:60], reason_kind=code[:30], not_before=not_before)


def _wait(actor: Actor, row: Operation, result: Result) -> None:
    now = clock.now()
    since = row.first_sent_at or now
    patience = PATIENCE_BY_FLAG.get(result.flag, PATIENCE)
    message = result.message or _("Not confirmed yet; we are checking.")
    link = row.account_link
    is_awaited = link is not None and result.flag == "awaiting_relationship"
    if link is not None and is_awaited and LINK_MACHINE.allows(link.state, "await_relationship"):
        LINK_MACHINE.fire(link, "await_relationship", state_note=message[:500])
    if now - since > patience:
        over = Result(result.outcome, message=message, flag=result.flag)
        again = now + LOOKUP_EVERY if now - since < patience + LOOKUP_FOR else FAR_FUTURE
        _attention(row, over, code="outcome_unknown", not_before=again)
        return
    _tell_once(actor, row, result, message)
    delay = result.retry_after or min(FIRST_CHECK * 2 ** min(row.attempts, 8), SLOWEST_CHECK)
    _finish(row, OperationEvent.WAIT, result, message=message, not_before=now + delay, wait_until=since + patience)
    outbox.dispatch(RUN_TASK, row.pk, countdown=max(delay.total_seconds(), 0.1))


def _tell_once(actor: Actor, row: Operation, result: Result, message: str) -> None:
    """People are told once that the vendor waits for something, not at every check."""
    reason = TOLD_FLAGS.get(result.flag)
    if reason is None or row.flag == result.flag:
        return
    payload = {"order": "", "order_number": row.order_number, "subscription": "", "reason": reason, "message": message}
    subscription: Subscription | None = row.subscription
    if subscription is not None:
        payload |= life.event_payload(subscription)
    emit("order.waiting", payload, organization_id=row.organization_id, account_id=row.account_id)
    audit.record(actor, "operation.waiting", row, after={"reason": reason, "message": message}, account=None)


def mark_done(actor: Actor, row: Operation, result: Result) -> None:
    """Staff know that the vendor has done it: apply it as if the vendor had said so."""
    _done(actor, row, result, OperationEvent.MARK_DONE)
