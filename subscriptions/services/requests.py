"""Cancellation requests: submit, withdraw, reject (``channel.md`` 9.3). Accepting is in ``orders``, it moves money."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import Conflict, NotVisible
from core.tenancy import Actor
from resellers.models import Account
from resellers.selectors import needs_approval
from subscriptions.enums import REQUEST_MACHINE, Execution, RequestEvent, RequestKind, RequestStatus
from subscriptions.models import CancellationRequest, Subscription, SubscriptionAddOn
from subscriptions.services.changes import tell_request, touch
from subscriptions.services.switch import require_manage, said
from users.permissions import Perm


@transaction.atomic
def submit_request(
    actor: Actor,
    *,
    row: Subscription,
    kind: RequestKind,
    quantity: int,
    execution: Execution,
    comment: str,
    addon: SubscriptionAddOn | None = None,
) -> CancellationRequest:
    """Ask the provider to cancel; the caller has checked that the action is possible. One open request per service."""
    try:
        with transaction.atomic():
            found = CancellationRequest.objects.create(
                organization_id=row.organization_id,
                subscription=row,
                addon=addon,
                kind=kind,
                quantity=quantity,
                was=(addon or row).quantity,
                execution=execution,
                comment=comment.strip()[:2000],
                requested_by=actor.label,
                requested_by_user_id=actor.user_id,
                asks_reseller=is_under_approval(actor, row.account),
            )
    except IntegrityError as error:
        raise Conflict("cancellation_pending", _("A cancellation request waits for a decision.")) from error
    audit.record(
        actor,
        "cancellation_request.submitted",
        found,
        after={"kind": kind, "quantity": quantity, "execution": execution},
        reason=comment.strip(),
        account=row.account,
    )
    touch(row)
    tell_request(found, "asked_reseller" if found.asks_reseller else "submitted")
    return found


def is_under_approval(actor: Actor, account: Account) -> bool:
    """Whether the reseller decides first about what this actor wants for ``account``: his own, under approval."""
    return actor.account_id == account.pk and needs_approval(account)


@transaction.atomic
def forward_request(actor: Actor, *, request: CancellationRequest) -> CancellationRequest:
    """The reseller agrees, and the provider's staff decide next; raises Conflict if it does not wait for him."""
    row = lock_request(actor, request)
    actor.require(Perm.SHOP_APPROVE, row.subscription.account)
    _demand_asked(row)
    row.asks_reseller = False
    row.save(update_fields=["asks_reseller", "updated_at"])
    audit.record(actor, "cancellation_request.forwarded", row, account=row.subscription.account)
    tell_request(row, "submitted", forwarded=True)
    return row


@transaction.atomic
def refuse_request(actor: Actor, *, request: CancellationRequest, reason: str) -> CancellationRequest:
    """The reseller refuses what his customer asked for, with a reason that he reads; nothing changes."""
    row = lock_request(actor, request)
    actor.require(Perm.SHOP_APPROVE, row.subscription.account)
    _demand_asked(row)
    return _reject(actor, row, said(reason))


def _demand_asked(row: CancellationRequest) -> None:
    if row.status != RequestStatus.SUBMITTED or not row.asks_reseller:
        words = (
            _("Already decided by %(name)s.") % {"name": row.decided_by} if row.decided_by else _("Already decided.")
        )
        raise Conflict("already_decided", words)


def demand_forwarded(row: CancellationRequest) -> None:
    """Raise Conflict ``request_at_reseller`` while the reseller has not looked at it."""
    if row.asks_reseller and row.status == RequestStatus.SUBMITTED:
        raise Conflict("request_at_reseller", _("The customer's reseller decides about it first."))


def lock_request(actor: Actor, request: CancellationRequest) -> CancellationRequest:
    """The row under a lock, after its service, as whoever asks does; somebody else's does not exist."""
    rows = CancellationRequest.objects.visible_to(actor).filter(pk=request.pk)
    services = Subscription.objects.filter(pk__in=rows.values("subscription")).order_by()
    list(services.select_for_update(of=("self",)).values_list("pk"))
    row = rows.select_for_update(of=("self",)).select_related("subscription__account", "addon").first()
    if row is None:
        raise NotVisible("request_missing", _("This request does not exist."))
    return row


@transaction.atomic
def withdraw_request(actor: Actor, *, request: CancellationRequest) -> CancellationRequest:
    """The requester changed his mind before anybody decided."""
    row = lock_request(actor, request)
    require_manage(actor, row.subscription)
    REQUEST_MACHINE.fire(row, RequestEvent.WITHDRAW, decided_by=actor.label, decided_at=clock.now())
    touch(row.subscription)
    audit.record(actor, "cancellation_request.withdrawn", row, account=row.subscription.account)
    tell_request(row, "withdrawn")
    return row


@transaction.atomic
def reject_request(actor: Actor, *, request: CancellationRequest, reason: str) -> CancellationRequest:
    """Staff refuse, with a reason the requester reads; nothing changes."""
    row = lock_request(actor, request)
    actor.require(Perm.SERVICE_MANAGE, row.subscription.account)
    demand_forwarded(row)
    return _reject(actor, row, said(reason))


def _reject(actor: Actor, row: CancellationRequest, reason: str) -> CancellationRequest:
    REQUEST_MACHINE.fire(row, RequestEvent.REJECT, decided_by=actor.label, decided_at=clock.now(), reason=reason)
    touch(row.subscription)
    audit.record(actor, "cancellation_request.rejected", row, reason=reason, account=row.subscription.account)
    tell_request(row, "rejected")
    return row
