"""What may be done with an asset now, and in plain words why not (``esd.md`` 7, 8)."""

import datetime as dt
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core import clock
from core.errors import BusinessError
from subscriptions.asset_enums import AssetStatus, TokenStatus
from subscriptions.enums import OPEN_REQUESTS, OPEN_STATES, OperationState, Verb
from subscriptions.models import Asset, AssetKey, AssetReturn, Operation
from vendors.models import SyncStatus

REFRESH_PAUSE = dt.timedelta(minutes=1)


class AssetAction(StrEnum):
    """What people do with an asset."""

    RETURN = "return"
    REFRESH = "refresh"
    RESEND = "resend"
    REVEAL = "reveal"
    ADD_KEYS = "add_keys"


def obstacle(row: Asset, action: AssetAction, *, deciding: AssetReturn | None = None) -> tuple[str, str]:
    """The code and the sentence of what stands in the way of ``action``; two empty strings if nothing does.

    ``deciding`` is the request that is being decided: it is no obstacle to itself.
    """
    return _return(row, deciding) if action == AssetAction.RETURN else _RULES[action](row)


def demand_action(row: Asset, action: AssetAction, *, deciding: AssetReturn | None = None) -> None:
    """Raise BusinessError with what stands in the way."""
    code, words = obstacle(row, action, deciding=deciding)
    if code:
        raise BusinessError(code, words)


def _return(row: Asset, deciding: AssetReturn | None) -> tuple[str, str]:
    if row.status == AssetStatus.CANCELLED:
        return "asset_cancelled", _("This licence is cancelled.")
    if row.status != AssetStatus.ACTIVE or not (row.token_tail or row.is_perpetual):
        return "token_missing", _("Wait until the licence is ready, or ask for the order line to be given up.")
    if row.token_status == TokenStatus.REDEEMED:
        return "already_redeemed", _("This licence has been used and cannot be returned.")
    if open_return(row) not in (None, deciding):
        return "return_pending", _("A cancellation is already requested.")
    if open_operation_of_asset(row) is not None:
        return "operation_open", _("Another change of this licence is in progress.")
    if not row.is_returnable:
        return "not_returnable", _("Microsoft does not take this licence back.")
    if row.returnable_until is not None and row.returnable_until < clock.now():
        day = date_format(row.returnable_until.astimezone(dt.UTC), "DATE_FORMAT")
        return "return_window_closed", _("The return period ended on %(date)s.") % {"date": day}
    return "", ""


def _refresh(row: Asset) -> tuple[str, str]:
    if not row.external_id:
        return "token_missing", _("The vendor has not given the licence yet.")
    if row.vendor_read_at is not None and clock.now() - row.vendor_read_at < REFRESH_PAUSE:
        return "refreshed_just_now", _("The status was read less than a minute ago. Wait a moment.")
    return "", ""


def _reveal(row: Asset) -> tuple[str, str]:
    if row.is_perpetual:
        is_there = AssetKey.objects.filter(asset=row, deactivated_at=None).exists()
        return ("", "") if is_there else ("keys_missing", _("No key of this licence has been entered."))
    if not row.token_tail:
        return "token_missing", _("The vendor has not given the licence yet.")
    return "", ""


def _resend(row: Asset) -> tuple[str, str]:
    if row.status != AssetStatus.ACTIVE:
        return "asset_not_active", _("Only the key of an active licence is sent.")
    return _reveal(row)


def _add_keys(row: Asset) -> tuple[str, str]:
    if not row.is_perpetual:
        return "key_from_vendor", _("The vendor gives the key of this licence himself.")
    if row.status != AssetStatus.ACTIVE:
        return "asset_not_active", _("Keys are entered for an active licence only.")
    return "", ""


_RULES = {
    AssetAction.REFRESH: _refresh,
    AssetAction.RESEND: _resend,
    AssetAction.REVEAL: _reveal,
    AssetAction.ADD_KEYS: _add_keys,
}


def open_return(row: Asset) -> AssetReturn | None:
    """The return that waits for a decision or for the vendor."""
    return AssetReturn.objects.filter(asset=row, status__in=OPEN_REQUESTS).order_by("-id").first()


def open_operation_of_asset(row: Asset) -> Operation | None:
    """The operation that is at work on an asset."""
    return Operation.objects.filter(asset=row, state__in=OPEN_STATES).order_by("-id").first()


def failed_creation(row: Asset) -> Operation | None:
    """The refused operation that Retry and Give up of a pending asset are about."""
    if row.status != AssetStatus.PENDING or row.sync_status != SyncStatus.FAILED:
        return None
    states = (OperationState.REFUSED, OperationState.ATTENTION)
    rows = Operation.objects.filter(asset=row, verb=Verb.ASSET_CREATE, state__in=states, retries=None)
    return rows.order_by("-id").first()
