"""Changing the MPN ID of several services, one operation each (``channel.md`` 6.4).

No vendor is called here: every row becomes an :class:`Operation` of the verb ``stamp``, whose outcome comes back
through :func:`apply_stamp` and :func:`refuse_stamp`. The last row that is settled ends the run.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import Conflict
from core.events import emit
from core.tenancy import Actor
from resellers.enums import MODES, AccountKind
from resellers.models import Account
from resellers.services.kinds import turn_account
from subscriptions.enums import (
    LIVE_STATUSES,
    OPEN_ROWS,
    STAMP_MACHINE,
    STAMP_ROW_MACHINE,
    Purpose,
    StampEvent,
    StampKind,
    StampRowState,
    StampState,
    SubscriptionStatus,
    Verb,
)
from subscriptions.models import Asset, Operation, StampRow, StampRun, Subscription
from subscriptions.services.life import open_operation, set_sync
from vendors.models import Instance, SyncStatus

STAMPED_STATUSES = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PENDING_CANCEL)


def obstacle_of(row: Subscription) -> str:
    """Why the vendor cannot be told now, in words; empty if he can."""
    if row.sync_status != SyncStatus.SYNCHRONIZED or not row.external_id:
        return _("Not synchronized with the vendor. Settle its last change first.")
    if row.status not in STAMPED_STATUSES:
        return _("Suspended: the vendor changes nothing about it. Reactivate it first.")
    return ""


@transaction.atomic
def open_run(
    actor: Actor,
    *,
    kind: str,
    account: Account,
    rows: Iterable[tuple[Subscription, str]],
    instance: Instance | None = None,
    mpn_before: str = "",
    mpn_id: str = "",
    kind_to: str = "",
    bill_to: Account | None = None,
) -> StampRun:
    """Write a run and its rows (service, new MPN ID); what the vendor cannot be told of now is left out with a reason.

    Raises Conflict ``stamp_running`` if one is at work already.
    """
    try:
        with transaction.atomic():
            run = StampRun.objects.create(
                organization_id=account.organization_id,
                kind=kind,
                account=account,
                instance=instance,
                mpn_before=mpn_before,
                mpn_id=mpn_id,
                kind_to=kind_to,
                bill_to=bill_to,
                requested_by=actor.label,
                requested_by_user_id=actor.user_id,
                started_at=clock.now(),
            )
    except IntegrityError as error:
        raise Conflict("stamp_running", _("A run is already in progress. Wait until it has ended.")) from error
    made = StampRow.objects.bulk_create(_new_row(run, row, wanted) for row, wanted in rows)
    words = {
        "kind": kind,
        "mpn_id": mpn_id,
        "for": kind_to,
        "rows": sum(row.state == StampRowState.PENDING for row in made),
    }
    audit.record(actor, "stamp.started", run, after=words, account=account)
    return run


def _new_row(run: StampRun, row: Subscription, wanted: str) -> StampRow:
    note = obstacle_of(row)
    return StampRow(
        organization_id=run.organization_id,
        run=run,
        subscription=row,
        state=StampRowState.SKIPPED if note else StampRowState.PENDING,
        note=note,
        mpn_before=row.mpn_id,
        mpn_id=wanted,
    )


def note_job(run: StampRun, job_id: int) -> None:
    """Remember the job that drives a run."""
    StampRun.objects.filter(pk=run.pk).update(job_id=job_id, updated_at=clock.real_now())


@transaction.atomic
def send_row(actor: Actor, row: StampRow) -> Operation | None:
    """Open the operation of a waiting row; one that cannot be told now fails with its reason. None if none was opened.

    A row whose last operation was refused gets its successor, so that the desk does not ask for a decision any more.
    """
    row = StampRow.objects.select_for_update(of=("self",)).select_related("subscription", "operation").get(pk=row.pk)
    if row.state != StampRowState.PENDING:
        return None
    service = row.subscription
    note = obstacle_of(service)
    if service.status not in LIVE_STATUSES:
        STAMP_ROW_MACHINE.fire(row, "skip", note=_("It has ended meanwhile."))
        return None
    last = row.operation if row.operation is not None and not row.operation.retries.exists() else None
    try:
        if note:
            raise Conflict("not_synchronized", note)
        operation = open_operation(
            actor,
            verb=Verb.STAMP,
            purpose=Purpose.STAMP,
            instance_id=service.instance_id,
            account_id=service.account_id,
            organization_id=service.organization_id,
            subscription=service,
            retry_of=last if last is not None and last.state == "refused" else None,
            desired={"mpn_id": row.mpn_id},
        )
    except Conflict as error:
        STAMP_ROW_MACHINE.fire(row, "fail", note=str(error.message)[:500])
        return None
    STAMP_ROW_MACHINE.fire(row, "send", operation=operation, note="")
    return operation


def _row_of(operation: Operation) -> StampRow | None:
    """The row an operation, or the one it retries, was opened for."""
    ids = [operation.pk, operation.retry_of_id or operation.pk]
    return StampRow.objects.filter(operation_id__in=ids).select_related("run__account").order_by("-id").first()


def hold_run(operation: Operation) -> None:
    """Lock the run that an answer belongs to, before the service is written; see :func:`_locked`."""
    row = _row_of(operation)
    if row is not None:
        _locked(row.run)


def _locked(run: StampRun) -> StampRun:
    """The run under a lock; of a change of relationship first the accounts, whose services turn with its last row.

    An account goes before its services everywhere, and a run before its rows (``docs/architecture.md``, Locks).
    """
    if run.kind == StampKind.RELATIONSHIP:
        kept = Account.objects.filter(pk__in=[run.account_id, run.account.payer_id])
        list(kept.select_for_update(of=("self",), no_key=True).order_by("pk"))
    return StampRun.objects.select_for_update(of=("self",)).select_related("account", "bill_to").get(pk=run.pk)


def apply_stamp(actor: Actor, row: Subscription, operation: Operation, data: Mapping[str, Any]) -> None:
    """The vendor has it: write the MPN ID here and settle the row. ``data`` may carry his windows, kept elsewhere."""
    hold_run(operation)
    before = row.mpn_id
    row.mpn_id = str(operation.desired.get("mpn_id", ""))
    Subscription.objects.filter(pk=row.pk).update(mpn_id=row.mpn_id, updated_at=clock.real_now())
    set_sync(row, SyncStatus.SYNCHRONIZED)
    audit.record(actor, "subscription.stamp_done", row, before={"mpn_id": before}, after={"mpn_id": row.mpn_id})
    _settle_row(actor, operation, "finish")


def refuse_stamp(actor: Actor, row: Subscription, operation: Operation, message: str) -> None:
    """The vendor refused: the service is as it was, so it stays synchronized; its row failed."""
    set_sync(row, SyncStatus.SYNCHRONIZED)
    audit.record(actor, "subscription.stamp_refused", row, reason=message)
    _settle_row(actor, operation, "fail", note=message[:500])


def abandon_stamp(actor: Actor, row: Subscription, operation: Operation, *, reason: str) -> None:
    """Staff gave the operation up: nothing was changed."""
    hold_run(operation)
    if row.sync_status != SyncStatus.SYNCHRONIZED:
        set_sync(row, SyncStatus.SYNCHRONIZED)
    audit.record(actor, "subscription.stamp_given_up", row, reason=reason)
    _settle_row(actor, operation, "fail", note=reason[:500])


def _settle_row(actor: Actor, operation: Operation, event: str, **changes: Any) -> None:
    row = _row_of(operation)
    if row is None or not STAMP_ROW_MACHINE.allows(row.state, event):
        return
    STAMP_ROW_MACHINE.fire(row, event, operation=operation, **changes)
    settle_run(actor, row.run)


@transaction.atomic
def settle_run(actor: Actor, run: StampRun) -> StampRun:
    """End the run if no row is open any more: the relationship flips, or it stops short; people are told."""
    run = _locked(run)
    if run.state == StampState.PARTLY and not run.rows.filter(state=StampRowState.FAILED).exists():
        STAMP_MACHINE.fire(run, StampEvent.RETRY)  # The desk settled what had failed.
    if run.state != StampState.RUNNING or run.rows.filter(state__in=OPEN_ROWS).exists():
        return run
    failed = run.rows.filter(state=StampRowState.FAILED).exists()
    if run.kind == StampKind.RELATIONSHIP and not failed:
        turn_services(actor, account=run.account, kind=run.kind_to, bill_to=run.bill_to)
    STAMP_MACHINE.fire(run, StampEvent.STOP_SHORT if failed else StampEvent.FINISH, finished_at=clock.now())
    _tell(actor, run)
    return run


def turn_services(actor: Actor, *, account: Account, kind: str, bill_to: Account | None) -> None:
    """Change the account's kind, and with it the mode and the payer of what it runs; orders and charges keep theirs."""
    changed = turn_account(actor, account=account, kind=kind, bill_to=bill_to)
    values = {"purchase_mode": MODES.get(changed.kind, ""), "bill_to": changed.bill_to or changed}
    for model in (Subscription, Asset):
        rows = model._base_manager.filter(account=changed).exclude(status=SubscriptionStatus.CANCELLED)
        rows.update(updated_at=clock.real_now(), **values)
        for public_id in rows.order_by("pk").values_list("public_id", flat=True):
            what = str(model._meta.model_name)
            emit(
                f"{what}.updated",
                {what: str(public_id), "changed": ["billingTo", "purchaseMode"]},
                organization_id=changed.organization_id,
                account_id=changed.pk,
            )


def _tell(actor: Actor, run: StampRun) -> None:
    counts = {str(state): run.rows.filter(state=state).count() for state in StampRowState}
    audit.record(actor, "stamp.finished", run, after={"state": run.state, **counts}, account=run.account)
    emit(
        "stamp.finished",
        {"run": str(run.public_id), "state": run.state, **counts},
        organization_id=run.organization_id,
        account_id=run.account_id,
    )


@transaction.atomic
def reopen_run(actor: Actor, run: StampRun) -> StampRun:
    """The failed rows once more; a run whose driver died before all were sent goes on with these."""
    run = _locked(run)
    if run.state == StampState.PARTLY:
        try:
            with transaction.atomic():
                STAMP_MACHINE.fire(run, StampEvent.RETRY, finished_at=None)
        except IntegrityError as error:
            raise Conflict("stamp_running", _("A run is already in progress. Wait until it has ended.")) from error
    elif run.state != StampState.RUNNING:
        raise Conflict("stamp_over", _("This run has ended. Start a new one."))
    for row in run.rows.filter(state=StampRowState.FAILED).order_by("pk"):
        STAMP_ROW_MACHINE.fire(row, "retry", note="")
    audit.record(actor, "stamp.retried", run, account=run.account)
    return run


@transaction.atomic
def stop_run(actor: Actor, run: StampRun) -> StampRun:
    """Stop sending. What was sent is settled by itself; a restamp, or an untouched change of relationship, is over.

    A change of relationship that has reached the vendor stops short instead: it can only be finished.
    """
    run = _locked(run)
    if run.state not in (StampState.RUNNING, StampState.PARTLY):
        raise Conflict("stamp_over", _("This run has ended. Start a new one."))
    touched = run.rows.filter(state__in=[StampRowState.SENT, StampRowState.DONE]).exists()
    is_bound = run.kind == StampKind.RELATIONSHIP and touched
    if is_bound and run.state == StampState.PARTLY:
        raise Conflict("stamp_bound", _("Some services are changed at the vendor already. Retry the others."))
    for row in run.rows.filter(state=StampRowState.PENDING).order_by("pk"):
        STAMP_ROW_MACHINE.fire(row, "fail" if is_bound else "skip", note=_("Stopped by %(who)s") % {"who": actor.label})
    if is_bound:
        return settle_run(actor, run)
    STAMP_MACHINE.fire(run, StampEvent.CANCEL, finished_at=clock.now())
    _tell(actor, run)
    return run


def end_customer_services(reseller: Account, instance: Instance) -> list[Subscription]:
    """The live services of a reseller's end customers at an instance; nobody else's carry his MPN ID."""
    rows = Subscription.objects.filter(account__bill_to=reseller, instance=instance, status__in=LIVE_STATUSES)
    rows = rows.filter(account__kind=AccountKind.END_CUSTOMER).select_related("account")
    return list(rows.order_by("pk"))


def services_of(account: Account, instances: Iterable[int]) -> list[Subscription]:
    """The live services of an account at these instances."""
    rows = Subscription.objects.filter(account=account, instance__in=list(instances), status__in=LIVE_STATUSES)
    return list(rows.select_related("account", "instance").order_by("pk"))
