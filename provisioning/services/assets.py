"""What came of an operation on an asset: the licence, its order line, its return and the money (``esd.md`` 5-8)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.services.products import withdraw_product
from core import clock
from core.errors import BusinessError
from core.tenancy import Actor, system_actor
from orders.services import settle
from provisioning.context import context_for
from provisioning.ports import ErrorKind, Outcome, Result, VendorError
from provisioning.registry import connector_for
from provisioning.requests import asset_state
from subscriptions.enums import RequestEvent, Verb
from subscriptions.models import Asset, Operation
from subscriptions.refusals import cleaned
from subscriptions.services.assets import (
    REFRESH_EVERY,
    confirm_asset,
    finish_return,
    next_refresh,
    note_not_returnable,
    note_status,
    refuse_asset,
    set_asset_sync,
)
from subscriptions.services.returns import fail_return, move_return, refuse_return, resume_return, tell_return
from vendors.models import Instance, SyncStatus
from vendors.services.instances import note_credentials

DEFAULT_WINDOW = 30
REFRESH_BATCH = 50
NO_LONGER_SOLD = "discontinued"
NOT_TAKEN_BACK = "not_returnable"
KEPT_REFUSALS = {"already_redeemed": "redeemed"}


def begin(operation: Operation, asset: Asset) -> None:
    """An operation on the asset runs, for the first time or again: nobody knows yet what comes of it."""
    if asset.sync_status != SyncStatus.UNSYNCHRONISED:
        set_asset_sync(asset, SyncStatus.UNSYNCHRONISED)
    if operation.verb != Verb.ASSET_CREATE:
        resume_return(operation)


def apply_done(actor: Actor, operation: Operation, asset: Asset, result: Result) -> None:
    """The vendor has given the licence, or taken it back."""
    if operation.verb == Verb.ASSET_CREATE:
        confirm_asset(
            actor,
            asset,
            origin=operation.public_id,
            external_id=result.external_id,
            data=result.data,
            token=result.secrets.get("token", ""),
            window=window_of(asset),
        )
        settle.deliver(operation)
        return
    finish_return(actor, asset, result.data)
    settle.credit(actor, operation)
    resume_return(operation)  # Staff who saw it done at the vendor mark it so while the request shows Failed.
    request = move_return(operation, RequestEvent.COMPLETE, decided_at=clock.now())
    if request is not None:
        tell_return(request, "completed")


def window_of(asset: Asset) -> int:
    """Days in which the vendor takes the licence back: the product's, else the instance's setting."""
    own = asset.product.attributes.get("return_window_days")
    days = own if own is not None else asset.instance.read_settings().get("return_window_days")
    text = "" if days is None else str(days).strip()
    return int(text) if text.isdecimal() else DEFAULT_WINDOW  # 0 is a window too: the vendor takes nothing back.


def apply_refused(actor: Actor, operation: Operation, asset: Asset, result: Result) -> None:
    """The vendor says no for sure: nothing is charged; a return leaves the licence as it was."""
    if operation.verb == Verb.ASSET_CREATE:
        refuse_asset(actor, asset, message=result.message, code=result.code)
        settle.fail(operation, reason=result.message)
        if result.code == NO_LONGER_SOLD:
            withdraw_product(actor, product=asset.product, reason=result.message)
        return
    set_asset_sync(asset, SyncStatus.SYNCHRONIZED)
    if result.code == NOT_TAKEN_BACK:
        note_not_returnable(actor, asset)
    status = KEPT_REFUSALS.get(result.code)
    if status:
        note_status(actor, asset, {"token_status": status, **result.data})
    # The requester reads it, so it is ours and not the vendor's; his own words stand at the operation.
    refuse_return(actor, operation, message=cleaned(result.code) or _("The vendor refused it."))


def apply_attention(operation: Operation, asset: Asset, result: Result) -> None:
    """A person must look: a purchase shows Failed, a return stays unconfirmed and its request shows Failed."""
    if operation.verb == Verb.ASSET_CREATE:
        set_asset_sync(asset, SyncStatus.FAILED, result.message)
    else:
        fail_return(operation)


def read_asset(asset: Asset) -> Result:
    """Ask the vendor how the licence stands; raises BusinessError with his words if he does not say."""
    instance = Instance.objects.select_related("application", "certificate").get(pk=asset.instance_id)
    connector: Any = connector_for(instance.application.code)
    if "asset_status" not in connector.verbs:
        raise BusinessError("verb_missing", _("%(vendor)s cannot do this.") % {"vendor": connector.name})
    try:
        result: Result = connector.asset_status(context_for(instance), asset_state(asset))
        note_credentials(instance.pk, refused=False)
    except VendorError as error:
        if error.kind == ErrorKind.MISCONFIGURED:
            note_credentials(instance.pk, refused=True)
        raise BusinessError(error.code or str(error.kind), error.message) from error
    if result.outcome != Outcome.DONE:
        raise BusinessError(result.code or "not_read", result.message)
    return result


def refresh_asset(asset: Asset) -> None:
    """Read one licence at the vendor and write what he says."""
    _note(asset, read_asset(asset).data)


@transaction.atomic
def _note(asset: Asset, data: Mapping[str, Any]) -> None:
    row = Asset.objects.select_for_update(of=("self",)).get(pk=asset.pk)
    note_status(system_actor(row.organization_id), row, data)


def refresh_due(limit: int = REFRESH_BATCH) -> int:
    """Read the licences that are due; each is put off by a day before it is asked, so that two workers share them."""
    done = 0
    for asset in _claim_due(limit):
        try:
            refresh_asset(asset)
            done += 1
        except BusinessError as error:
            again = next_refresh(asset, clock.now())
            Asset.objects.filter(pk=asset.pk).update(warning=str(error.message)[:500], refresh_at=again)
    return done


@transaction.atomic
def _claim_due(limit: int) -> list[Asset]:
    now = clock.now()
    due = Asset.objects.filter(refresh_at__lte=now).order_by("refresh_at", "id")
    rows = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("product", "instance")[:limit])
    Asset.objects.filter(pk__in=[row.pk for row in rows]).update(refresh_at=now + REFRESH_EVERY)
    return rows
