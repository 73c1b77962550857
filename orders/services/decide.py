"""Accepting a cancellation request: what the customer asked for is done by who accepts (``channel.md`` 9.3)."""

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import Conflict
from core.tenancy import Actor
from orders.services.giveback import (
    Given,
    cancel,
    end_addon,
    preview_addon,
    preview_cancel,
    preview_end_addon,
    preview_reduce,
    reduce,
    reduce_addon,
)
from orders.services.preview import Preview
from subscriptions.enums import REQUEST_MACHINE, Execution, RequestEvent, RequestKind, RequestStatus
from subscriptions.models import CancellationRequest, Operation
from subscriptions.services.changes import tell_request, tell_wish
from subscriptions.services.requests import demand_forwarded, lock_request
from users.permissions import Perm


@transaction.atomic
def accept_request(actor: Actor, *, request: CancellationRequest) -> CancellationRequest:
    """Run what was asked; the request is Completed or Failed by what the vendor answers.

    Raises Conflict if the service changed so that it is no longer possible; then nothing changes.
    """
    row = lock_request(actor, request)
    actor.require(Perm.SERVICE_MANAGE, row.subscription.account)
    if row.status != RequestStatus.SUBMITTED:
        raise Conflict("request_decided", _("This request is decided already."))
    demand_forwarded(row)
    REQUEST_MACHINE.fire(row, RequestEvent.ACCEPT, decided_by=actor.label, decided_at=clock.now())
    given = _run(actor, row)
    if isinstance(given, Operation):
        CancellationRequest.objects.filter(pk=row.pk).update(operation=given)
        row.operation = given
    if given is None:  # Nothing is asked of the vendor now.
        REQUEST_MACHINE.fire(row, RequestEvent.COMPLETE)
        tell_request(row, "completed")
    tell_wish(row.subscription, row)
    audit.record(actor, "cancellation_request.accepted", row, account=row.subscription.account)
    return row


def _run(actor: Actor, row: CancellationRequest) -> Given | None:
    subscription = row.subscription
    if row.kind == RequestKind.CANCEL:
        return cancel(
            actor,
            subscription=subscription,
            execution=Execution(row.execution),
            reason=row.comment,
            accepted=row,
        )
    if row.kind == RequestKind.REDUCE:
        left = subscription.quantity - row.quantity
        return reduce(actor, subscription=subscription, quantity=left, reason=row.comment, accepted=row)
    if row.addon is None:
        raise Conflict("addon_missing", _("This add-on does not run."))
    if row.execution == Execution.PERIOD_END:
        return end_addon(actor, subscription=subscription, addon=row.addon, reason=row.comment, accepted=row)
    left = row.addon.quantity - row.quantity
    return reduce_addon(
        actor, subscription=subscription, addon=row.addon, quantity=left, reason=row.comment, accepted=row
    )


def preview_request(actor: Actor, request: CancellationRequest) -> Preview:
    """What accepting a request would do and credit now; raises BusinessError if it is no longer possible."""
    row = request.subscription
    if request.kind == RequestKind.CANCEL:
        return preview_cancel(actor, row, execution=Execution(request.execution))
    if request.kind == RequestKind.REDUCE:
        return preview_reduce(actor, row, quantity=row.quantity - request.quantity)
    if request.addon is None:
        raise Conflict("addon_missing", _("This add-on does not run."))
    if request.execution == Execution.PERIOD_END:
        return preview_end_addon(actor, row, request.addon)
    return preview_addon(actor, row, request.addon, quantity=request.addon.quantity - request.quantity)
