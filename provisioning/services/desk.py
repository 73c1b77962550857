"""The operations desk: what a person may do about an operation (``service-manager.md`` 8.2)."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core import audit, clock, outbox
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor, ActorKind, system_actor
from orders.services import settle
from provisioning.ports import Outcome, Result
from provisioning.services import apply
from provisioning.services.answers import SECRETS_STEP
from subscriptions import services as life
from subscriptions.enums import OPEN_STATES, OperationEvent, OperationState, Verb
from subscriptions.models import RUN_TASK, Asset, Operation, OperationStep, Subscription
from subscriptions.preconditions import Action, demand, is_managed, managed_elsewhere
from subscriptions.services import changes
from subscriptions.services.assets import give_up_asset, retry_asset, set_asset_sync, without_key
from subscriptions.services.returns import refuse_return
from subscriptions.services.switch import require_manage
from users.permissions import Perm
from vendors.models import LinkState, SyncStatus
from vendors.services.links import LINK_MACHINE

REASON_LENGTH = 5
KEY_WORDS = gettext_noop("A licence is ready with its key only, which the vendor must give. Try it again.")
PERSON_WORDS = gettext_noop("Only what needs attention can be marked as done.")
OVER_WORDS = gettext_noop("It is over, or the vendor may be at it already.")
BULK_LIMIT = 100


def _locked(actor: Actor, operation: Operation) -> Operation:
    actor.require(Perm.OPERATION_ACT)
    row = (
        Operation.objects.visible_to(actor)
        .select_for_update(of=("self",))
        .select_related("subscription", "asset", "account_link", "account")
        .filter(pk=operation.pk)
        .first()
    )
    if row is None:
        raise NotVisible("operation_missing", _("This operation does not exist."))
    actor.require(Perm.OPERATION_ACT, row.account)
    if row.claimed_until is not None and row.claimed_until > clock.real_now():
        raise Conflict("operation_running", _("A worker is busy with it. Try again in a moment."))
    return row


def obstacles(row: Operation) -> dict[str, str]:
    """Why each action of the desk is not possible now, in words; the empty string where it is."""
    sent = row.first_sent_at is not None
    refused = row.state == OperationState.REFUSED and not row.retries.exists()
    retriable = row.state == OperationState.ATTENTION or (refused and row.verb != Verb.ASSET_CANCEL)
    waiting = row.state in (OperationState.WAITING, OperationState.QUEUED) and row.depends_on_id is None
    unknown = row.state == OperationState.ATTENTION and row.code == "outcome_unknown"
    needs_person = row.state == OperationState.ATTENTION
    keyless = row.verb == Verb.ASSET_CREATE
    unsent = row.state in (OperationState.QUEUED, OperationState.WAITING) and not sent
    ends = needs_person or unsent or refused
    return {
        "retry": "" if retriable else _("Only what needs attention or was refused can be tried again."),
        "check": "" if waiting or unknown else _("This operation is not waiting for the vendor."),
        "mark_done": _(KEY_WORDS) if keyless else "" if needs_person else _(PERSON_WORDS),
        "give_up": "" if ends else _(OVER_WORDS),
    }


def _reason(row: Operation, reason: str) -> str:
    if len(reason.strip()) < REASON_LENGTH:
        raise BusinessError("reason_short", _("Say in a few words why."), field="reason")
    return without_key(row.asset, reason.strip()) if row.asset is not None else reason.strip()


@transaction.atomic
def retry(actor: Actor, *, operation: Operation) -> Operation:
    """Try again: the same id if it needed attention, a new operation if the vendor had refused.

    A refused service is charged again; without credit for it nothing happens. Raises Conflict in every other state.
    """
    row = _locked(actor, operation)
    if row.state == OperationState.ATTENTION:
        life.fire_operation(row, OperationEvent.RETRY, not_before=clock.now(), first_sent_at=None, reason_kind="")
        audit.record(actor, "operation.retried", row, account=row.account)
        outbox.dispatch(RUN_TASK, row.pk)
        return row
    if actor.kind != ActorKind.SYSTEM and row.subscription is not None and is_managed(row.subscription):
        raise managed_elsewhere(row.subscription)
    if row.state != OperationState.REFUSED or row.retries.exists():
        raise Conflict("not_retriable", _("Only what needs attention or was refused can be tried again."))
    setup = None
    if row.subscription is not None and row.verb == Verb.CREATE:
        settle.hold_payer(row)
        life.retry(actor, row.subscription)
        settle.start_again(row)
        setup = row.depends_on if row.depends_on and row.depends_on.state in OPEN_STATES else None
    elif row.subscription is not None:
        settle.hold_payer(row)
        changes.retry_change(row.subscription, row)
        settle.start_again(row)
    elif row.asset is not None:
        _retry_asset(actor, row, row.asset)
    if row.account_link is not None and LINK_MACHINE.allows(row.account_link.state, "start"):
        LINK_MACHINE.fire(row.account_link, "start", state_note="")
    fresh = life.open_operation(
        actor,
        verb=row.verb,
        purpose=row.purpose,
        instance_id=row.instance_id,
        account_id=row.account_id,
        organization_id=row.organization_id,
        subscription=row.subscription,
        asset=row.asset,
        account_link=row.account_link,
        depends_on=setup,
        retry_of=row,
        desired=row.desired,
        order_number=row.order_number,
    )
    life.hand_over_dependants(row, fresh)
    audit.record(actor, "operation.retried", row, after={"new": str(fresh.public_id)}, account=row.account)
    return fresh


def _retry_asset(actor: Actor, row: Operation, asset: Asset) -> None:
    """A refused purchase is charged again; a refused return ended its request, and is asked for anew."""
    if row.verb != Verb.ASSET_CREATE:
        raise Conflict("return_refused", _("The vendor refused this return for good. Request it anew if it changed."))
    settle.hold_payer(row)
    retry_asset(actor, asset)
    settle.start_again(row)


@transaction.atomic
def check_now(actor: Actor, *, operation: Operation) -> Operation:
    """Look at a waiting operation at once instead of at its next time."""
    row = _locked(actor, operation)
    waiting = row.state in (OperationState.WAITING, OperationState.QUEUED) and row.depends_on_id is None
    unknown = row.state == OperationState.ATTENTION and row.code == "outcome_unknown"
    if not (waiting or unknown):
        raise Conflict("not_waiting", _("This operation is not waiting for the vendor."))
    Operation.objects.filter(pk=row.pk).update(not_before=clock.now())
    outbox.dispatch(RUN_TASK, row.pk)
    return row


@transaction.atomic
def mark_done(actor: Actor, *, operation: Operation, external_id: str, reason: str) -> Operation:
    """Staff have seen it done at the vendor: store the vendor's id and go on as if he had answered."""
    row = _locked(actor, operation)
    reason = _reason(row, reason)
    if row.state != OperationState.ATTENTION:
        raise Conflict("not_attention", _(PERSON_WORDS))
    if row.verb == Verb.ASSET_CREATE:
        raise Conflict("key_missing", _(KEY_WORDS))
    if not external_id.strip():
        raise BusinessError("external_id_missing", _("Type the id the vendor gave it."), field="external_id")
    if row.account_link is not None and row.account_link.state != LinkState.IN_PROGRESS:
        LINK_MACHINE.fire(row.account_link, "start")
    apply.mark_done(actor, row, Result(Outcome.DONE, external_id=external_id.strip()))
    audit.record(actor, "operation.marked_done", row, reason=reason, account=row.account)
    return row


@transaction.atomic
def give_up(actor: Actor, *, operation: Operation, reason: str) -> Operation:
    """Stop for good: a service that was to be made is cancelled and its charge released; waiting ones go with it."""
    row = _locked(actor, operation)
    reason = _reason(row, reason)
    sent = row.first_sent_at is not None
    if row.state in (OperationState.QUEUED, OperationState.WAITING) and sent:
        raise Conflict("operation_sent", _("The vendor may be at it already. Wait for the answer first."))
    _demand_not_retried(row)
    life.fire_operation(
        row, OperationEvent.GIVE_UP, finished_at=clock.now(), message=row.message or reason, claim_token=None
    )
    _release(actor, row, reason)
    if row.account_link is not None:
        LINK_MACHINE.fire(row.account_link, "give_up", state_note=reason[:500])
        waiting = Operation.objects.filter(depends_on=row, state__in=OPEN_STATES)
        # All of them before the first one's order, for whoever gives one of them up at this moment wants that order.
        waiting = waiting.select_for_update(of=("self",)).select_related("subscription", "asset")
        for dependant in list(waiting.order_by("pk")):
            life.fire_operation(dependant, OperationEvent.GIVE_UP, finished_at=clock.now(), message=reason)
            _release(actor, dependant, reason)
    audit.record(actor, "operation.given_up", row, reason=reason, account=row.account)
    return row


def _demand_not_retried(row: Operation) -> None:
    """A refused operation that was tried again is over: what is released now would be what its successor buys."""
    if row.retries.exists():
        raise Conflict("operation_retried", _(OVER_WORDS))


def _release(actor: Actor, row: Operation, reason: str) -> None:
    if row.asset is not None:
        if row.verb == Verb.ASSET_CREATE:
            give_up_asset(actor, row.asset, reason=reason)
            settle.give_up(row, reason=reason)
            OperationStep.objects.filter(operation=row, name=SECRETS_STEP).delete()
        else:
            set_asset_sync(row.asset, SyncStatus.SYNCHRONIZED)
            refuse_return(actor, row, message=reason)
    if row.subscription is None:
        return
    if row.verb == Verb.CREATE:
        life.give_up(actor, row.subscription, reason=reason)
    else:
        changes.abandon_change(actor, row.subscription, row, reason=reason)
    settle.give_up(row, reason=reason)


@transaction.atomic
def dismiss(actor: Actor, *, subscription: Subscription) -> Operation:
    """Who may change a service sets a refused change aside, so that it can be changed again; nothing was changed."""
    # The operation before the subscription, as everywhere (docs/architecture.md, Locks).
    refused = Operation.objects.visible_to(system_actor(actor.tenant_id)).select_for_update(of=("self",))
    rows = refused.filter(subscription_id=subscription.pk, state=OperationState.REFUSED, retries=None)
    operation = rows.select_related("subscription", "account").order_by("-id").first()
    row = changes.lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.DISMISS)
    if operation is None:
        raise Conflict("nothing_refused", _("There is no refused change to set aside."))
    _demand_not_retried(operation)
    reason = _("Set aside by %(who)s") % {"who": actor.label}
    life.fire_operation(operation, OperationEvent.GIVE_UP, finished_at=clock.now())
    _release(actor, operation, reason)
    audit.record(actor, "operation.given_up", operation, reason=reason, account=operation.account)
    return operation


def for_many(actor: Actor, action: Callable[..., Operation], ids: Sequence[UUID]) -> tuple[int, list[str]]:
    """Do one action for up to 100 operations, each on its own; returns how many went, and why the others did not."""
    actor.require(Perm.OPERATION_ACT)
    if len(ids) > BULK_LIMIT:
        raise BusinessError("bulk_limit", _("Choose %(n)s operations at most.") % {"n": BULK_LIMIT})
    done, refused = 0, []
    for row in Operation.objects.visible_to(actor).filter(public_id__in=ids).order_by("pk"):
        try:
            action(actor, operation=row)
            done += 1
        except BusinessError as error:
            refused.append(f"{row}: {error.message}")
    return done, refused
