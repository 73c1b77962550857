"""Returns of assets: submit, withdraw, reject, and what the vendor's answer makes of them (``esd.md`` 8).

Accepting is in ``orders``, for it says what will be credited.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor
from subscriptions.asset_rules import AssetAction, demand_action
from subscriptions.enums import OPEN_STATES, REQUEST_MACHINE, RequestEvent, RequestStatus
from subscriptions.models import Asset, AssetReturn, Operation
from subscriptions.services.assets import tell_asset, without_key
from subscriptions.services.switch import said
from users.permissions import Perm

COMMENT_LENGTH = 500


def require_asset_manage(actor: Actor, row: Asset) -> None:
    """Raise unless the actor may give this asset back or resend its mail."""
    actor.require(Perm.SERVICE_MANAGE if actor.is_staff else Perm.SHOP_SERVICES_MANAGE, row.account)


def lock_asset(actor: Actor, asset: Asset) -> Asset:
    """The row under a lock; somebody else's does not exist."""
    rows = Asset.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.select_related("account", "bill_to", "instance", "product").filter(pk=asset.pk).first()
    if row is None:
        raise NotVisible("asset_missing", _("This licence does not exist."))
    return row


@transaction.atomic
def submit_return(actor: Actor, *, asset: Asset, comment: str = "", quantity: int | None = None) -> AssetReturn:
    """Ask for an asset to be taken back; raises BusinessError with the reason why it cannot be.

    An asset goes back as a whole: a ``quantity`` that is not all of it is refused.
    """
    row = lock_asset(actor, asset)
    require_asset_manage(actor, row)
    demand_action(row, AssetAction.RETURN)
    if quantity not in (None, row.quantity):
        raise BusinessError("return_whole", _("A perpetual licence can only be returned as a whole."), field="quantity")
    try:
        with transaction.atomic():
            found = AssetReturn.objects.create(
                organization_id=row.organization_id,
                asset=row,
                comment=without_key(row, comment.strip())[:COMMENT_LENGTH],
                requested_by=actor.label,
                requested_by_user_id=actor.user_id,
            )
    except IntegrityError as error:
        raise Conflict("return_pending", _("A cancellation is already requested.")) from error
    audit.record(actor, "asset_return.submitted", found, reason=found.comment, account=row.account)
    if not actor.is_staff:
        tell_return(found, "submitted")
    return found


def lock_return(actor: Actor, request: AssetReturn) -> AssetReturn:
    """The row under a lock; somebody else's does not exist."""
    rows = AssetReturn.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.select_related("asset__account").filter(pk=request.pk).first()
    if row is None:
        raise NotVisible("request_missing", _("This request does not exist."))
    return row


@transaction.atomic
def withdraw_return(actor: Actor, *, request: AssetReturn) -> AssetReturn:
    """The requester changed his mind before anybody decided."""
    row = lock_return(actor, request)
    require_asset_manage(actor, row.asset)
    REQUEST_MACHINE.fire(row, RequestEvent.WITHDRAW, decided_by=actor.label, decided_at=clock.now())
    audit.record(actor, "asset_return.withdrawn", row, account=row.asset.account)
    return row


@transaction.atomic
def reject_return(actor: Actor, *, request: AssetReturn, reason: str) -> AssetReturn:
    """Staff refuse, with a reason the requester reads; nothing changes.

    Raises Conflict while the vendor, who was asked already, may still take it back.
    """
    row = lock_return(actor, request)
    actor.require(Perm.SERVICE_MANAGE, row.asset.account)
    if row.operation is not None and row.operation.state in OPEN_STATES:
        words = _(
            "The vendor was asked and may still take it back. Give its operation up at the operations desk first."
        )
        raise Conflict("operation_open", words)
    reason = without_key(row.asset, said(reason))
    REQUEST_MACHINE.fire(row, RequestEvent.REJECT, decided_by=actor.label, decided_at=clock.now(), reason=reason)
    audit.record(actor, "asset_return.rejected", row, reason=reason, account=row.asset.account)
    tell_return(row, "rejected", reason=reason)
    return row


def move_return(operation: Operation, event: RequestEvent, **changes: Any) -> AssetReturn | None:
    """Take the return that an operation carries out along with what came of it."""
    row = AssetReturn.objects.select_related("asset").filter(operation=operation).first()
    if row is None or not REQUEST_MACHINE.allows(row.status, event):
        return None
    REQUEST_MACHINE.fire(row, event, **changes)
    return row


def refuse_return(actor: Actor, operation: Operation, *, message: str) -> None:
    """The vendor says no for sure: the request is Rejected with his reason, in one step from Accepted."""
    move_return(operation, RequestEvent.FAIL)
    row = move_return(operation, RequestEvent.REJECT, reason=message, decided_at=clock.now())
    if row is not None:
        audit.record(actor, "asset_return.rejected", row, reason=message, account=operation.account)
        tell_return(row, "rejected", reason=message)


def fail_return(operation: Operation) -> None:
    """The outcome is not clear, or settings are wrong: the request shows Failed until the operation goes on."""
    move_return(operation, RequestEvent.FAIL)


def resume_return(operation: Operation) -> None:
    """The operation goes on: a Failed request is Accepted again."""
    row = AssetReturn.objects.filter(operation=operation, status=RequestStatus.FAILED).first()
    if row is not None:
        REQUEST_MACHINE.fire(row, RequestEvent.RETRY)


def tell_return(row: AssetReturn, what: str, **more: str) -> None:
    """Emit ``asset.return_<what>``."""
    tell_asset(row.asset, f"return_{what}", request=str(row.public_id), comment=row.comment, **more)
