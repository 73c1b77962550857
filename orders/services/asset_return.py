"""Accepting the return of an asset: the vendor is asked, and the whole price is credited once he took it back."""

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from billing.services import asset_charge
from core import audit, clock
from core.errors import Conflict
from core.tenancy import Actor
from subscriptions.asset_rules import AssetAction, demand_action
from subscriptions.enums import REQUEST_MACHINE, Purpose, RequestEvent, RequestStatus, Verb
from subscriptions.models import Asset, AssetReturn
from subscriptions.services import open_operation
from subscriptions.services.assets import set_asset_sync
from subscriptions.services.returns import lock_asset, lock_return, submit_return
from users.permissions import Perm
from vendors.models import SyncStatus


@transaction.atomic
def accept_return(actor: Actor, *, request: AssetReturn) -> AssetReturn:
    """Run a return that was asked for; it is Completed, Rejected or Failed by what the vendor answers."""
    row = lock_return(actor, request)
    actor.require(Perm.SERVICE_MANAGE, row.asset.account)
    if row.status != RequestStatus.SUBMITTED:
        raise Conflict("request_decided", _("This request is decided already."))
    return _run(actor, row)


@transaction.atomic
def return_asset(actor: Actor, *, asset: Asset, comment: str) -> AssetReturn:
    """Staff give an asset back at once: a request that is accepted as it is written."""
    actor.require(Perm.SERVICE_MANAGE, asset.account)
    return _run(actor, submit_return(actor, asset=asset, comment=comment))


def _run(actor: Actor, row: AssetReturn) -> AssetReturn:
    asset = lock_asset(actor, row.asset)
    demand_action(asset, AssetAction.RETURN, deciding=row)
    REQUEST_MACHINE.fire(row, RequestEvent.ACCEPT, decided_by=actor.label, decided_at=clock.now())
    operation = open_operation(
        actor,
        verb=Verb.ASSET_CANCEL,
        purpose=Purpose.RETURN,
        instance_id=asset.instance_id,
        account_id=asset.account_id,
        organization_id=asset.organization_id,
        asset=asset,
        desired={"comment": row.comment, "credit": _credit(asset)},
        order_number=asset.order_number,
    )
    AssetReturn.objects.filter(pk=row.pk).update(operation=operation)
    row.operation = operation
    set_asset_sync(asset, SyncStatus.UNSYNCHRONISED)
    after = {"operation": str(operation.public_id)}
    audit.record(actor, "asset_return.accepted", row, after=after, account=asset.account)
    return row


def _credit(asset: Asset) -> dict[str, str]:
    """What is credited: all that was charged for it."""
    charge = asset_charge(asset.pk)
    zero = Decimal(0)
    net, percent, tax, gross = (
        (charge.net, charge.tax_percent, charge.tax, charge.gross) if charge else (zero, zero, zero, zero)
    )
    return {
        "what": _("licence returned"),
        "net": str(-net),
        "tax_percent": str(percent),
        "tax": str(-tax),
        "gross": str(-gross),
    }
