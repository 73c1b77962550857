"""The life of assets: ordered, ready, refused, given up, read again, taken back (``esd.md`` 7).

Nothing here calls a vendor or moves money; ``provisioning`` applies a vendor's answers through these functions. An
asset shows *Unsynchronised* while an operation runs, *Failed* while a person must look, else *Synchronized*.
"""

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock, crypto
from core.errors import BusinessError, Conflict
from core.events import emit, emit_all
from core.tenancy import Actor
from subscriptions.asset_enums import (
    ASSET_MACHINE,
    TOKEN_MACHINE,
    AssetEvent,
    AssetStatus,
    DeliveryNote,
    ReturnStatus,
    TokenStatus,
)
from subscriptions.models import Asset, AssetKey
from subscriptions.models.asset import TAIL
from subscriptions.services.life import moment
from subscriptions.services.perpetual import new_ids, next_look, other_id, vendor_ids
from vendors.models import SyncStatus

REFRESH_EVERY = dt.timedelta(days=1)
REFRESH_AFTER_WINDOW = dt.timedelta(days=5)


def create_asset(actor: Actor, **values: Any) -> Asset:
    """Store a new, pending asset; the caller opens the operation that provisions it, and tells of it with the others.

    See :func:`tell_created`.
    """
    row = Asset.objects.create(purchased_at=clock.now(), **values)
    audit.record(actor, "asset.created", row, after={"quantity": row.quantity, "order": row.order_number})
    return row


def tell_created(rows: Iterable[Asset], *, organization_id: int, account_id: int, order_id: uuid.UUID) -> None:
    """Emit ``asset.created`` for each of an order's new assets, in one statement; ``order_id`` is its public id."""
    payloads = [_plain_payload(row) | {"order": str(order_id)} for row in rows]
    if payloads:
        emit_all("asset.created", payloads, organization_id=organization_id, account_id=account_id)


def set_asset_sync(row: Asset, status: str, note: str = "") -> None:
    """Say how far the vendor knows the asset."""
    _write(row, sync_status=status, sync_note=note[:500])


def _write(row: Asset, **values: Any) -> None:
    Asset.objects.filter(pk=row.pk).update(updated_at=clock.real_now(), **values)
    for name, value in values.items():
        setattr(row, name, value)


def confirm_asset(
    actor: Actor, row: Asset, *, origin: uuid.UUID, external_id: str, data: Mapping[str, Any], token: str, window: int
) -> None:
    """The vendor has given the licence: Active, with its key, which is written once. Emits ``asset.activated``.

    A perpetual licence has no key, but the vendor's ids. ``data`` is ``provisioning.ports.Result.data`` of an asset;
    ``window`` the days in which the vendor takes a licence back if he names no date. Raises BusinessError ``contract``
    if the key is missing, or the licence is known already.
    """
    now = clock.now()
    until = moment(data.get("returnable_until")) or row.purchased_at + dt.timedelta(days=window)
    changes: dict[str, Any] = {
        "external_id": external_id,
        "transaction_id": str(data.get("transaction_id") or "")[:255],
        "origin": origin,
        "links": _safe_links(data.get("links")),
        "returnable_until": until if row.is_returnable else None,
        "activated_at": now,
        "vendor_read_at": now,
        "delivery_note": DeliveryNote.QUEUED,
        "sync_status": SyncStatus.SYNCHRONIZED,
        "sync_note": "",
        **(vendor_ids(data, now) if row.is_perpetual else _key(token, now)),
    }
    try:
        with transaction.atomic():
            ASSET_MACHINE.fire(row, AssetEvent.CONFIRM, **changes)
    except IntegrityError as error:
        raise BusinessError(
            "contract", _("The vendor gave a licence that another asset has already. Compare both at the vendor.")
        ) from error
    audit.record(actor, "asset.activated", row, after={"status": row.status, "licence": external_id})
    tell_asset(row, "activated")


def _key(token: str, now: dt.datetime) -> dict[str, Any]:
    """The key as it is stored."""
    if not token:
        raise BusinessError("contract", _("The vendor gave the licence without its key. Compare it at the vendor."))
    return {
        "token_cipher": crypto.encrypt(token),
        "token_tail": token[-TAIL:],
        "token_status": TokenStatus.ACTIVATED,
        "refresh_at": now + REFRESH_EVERY,
    }


def _safe_links(rows: object) -> list[dict[str, str]]:
    """The vendor's links that may be shown: https only."""
    found = []
    for item in rows if isinstance(rows, list | tuple) else ():
        uri = str(item.get("uri") or "")
        if uri.lower().startswith("https://"):
            found.append(
                {
                    "type": str(item.get("type") or ""),
                    "description": str(item.get("description") or "")[:255],
                    "uri": uri,
                    "expires_at": str(item.get("expires_at") or ""),
                }
            )
    return found


def refuse_asset(actor: Actor, row: Asset, *, message: str, code: str) -> None:
    """The vendor refused to provision it: it stays Pending and shows Failed. Emits ``asset.refused``."""
    set_asset_sync(row, SyncStatus.FAILED, message)
    audit.record(actor, "asset.refused", row, reason=message)
    tell_asset(row, "refused", message=message, code=code)


def retry_asset(actor: Actor, row: Asset) -> None:
    """A refused asset is provisioned again."""
    if row.status != AssetStatus.PENDING:
        raise Conflict("asset_not_pending", _("Only a licence that was not provisioned can be tried again."))
    set_asset_sync(row, SyncStatus.UNSYNCHRONISED)
    audit.record(actor, "asset.retried", row)


def give_up_asset(actor: Actor, row: Asset, *, reason: str) -> None:
    """Nobody will provision it any more: Cancelled, final."""
    ASSET_MACHINE.fire(row, AssetEvent.GIVE_UP, cancelled_at=clock.now(), sync_status=SyncStatus.FAILED)
    audit.record(actor, "asset.given_up", row, after={"status": row.status}, reason=reason)
    tell_asset(row, "given_up", reason=reason)


def note_status(actor: Actor, row: Asset, data: Mapping[str, Any]) -> None:
    """What the vendor says of the licence now; only what the table allows is applied, the rest becomes a warning."""
    if row.is_perpetual:
        _note_ids(actor, row, data)
        return
    now = clock.now()
    said = str(data.get("token_status") or "")
    changes: dict[str, Any] = {"vendor_read_at": now, "warning": ""}
    until = moment(data.get("returnable_until"))
    if until is not None and row.is_returnable and row.return_status == ReturnStatus.NONE:
        changes["returnable_until"] = until
    if row.token_status == TokenStatus.ACTIVATED and said == TokenStatus.REDEEMED:
        TOKEN_MACHINE.fire(
            row,
            TokenStatus.REDEEMED,
            redeemed_at=moment(data.get("redeemed_at")) or now,
            refresh_at=None,
            **changes,
        )
        audit.record(actor, "asset.redeemed", row, after={"key_status": row.token_status})
        return
    if said and said != row.token_status:
        changes["warning"] = _warning(row, said)
    _write(row, refresh_at=next_refresh(row, now), **changes)


def _note_ids(actor: Actor, row: Asset, data: Mapping[str, Any]) -> None:
    """The vendor's ids that are known by now; the licence's own state stays as it is."""
    now = clock.now()
    found = new_ids(row, data)
    warning = other_id(row, data)
    if data.get("return_status") == ReturnStatus.SUCCESSFUL and row.return_status == ReturnStatus.NONE:
        warning = _warning(row, TokenStatus.RETURN_ACCEPTED)
    try:
        with transaction.atomic():
            _write(row, vendor_read_at=now, warning=warning, **found)
    except IntegrityError:
        words = _("The vendor names a Perpetual ID that another asset has already. Compare both at the vendor.")
        _write(row, vendor_read_at=now, warning=words)
        found = {}
    _write(row, refresh_at=next_look(row, now))
    if found.get("perpetual_id"):
        audit.record(actor, "asset.perpetual_id_assigned", row, after={"perpetual_id": row.perpetual_id})


def _warning(row: Asset, said: str) -> str:
    shown = dict(TokenStatus.choices).get(said, said)
    if said == TokenStatus.RETURN_ACCEPTED and row.token_status in ("", TokenStatus.ACTIVATED):
        return _("At the vendor this licence is returned. Cancel it here too, so that it is credited.")
    return _("The vendor says that the key is '%(status)s', which does not fit. Compare it at the vendor.") % {
        "status": shown
    }


def next_refresh(row: Asset, now: dt.datetime) -> dt.datetime | None:
    """When the vendor is asked next; never again once the key is used or returned, or the window is long over."""
    if row.is_perpetual:
        return next_look(row, now)
    if row.token_status != TokenStatus.ACTIVATED or row.status != AssetStatus.ACTIVE:
        return None
    end = (row.returnable_until or row.purchased_at) + REFRESH_AFTER_WINDOW
    return now + REFRESH_EVERY if now < end else None


def finish_return(actor: Actor, row: Asset, data: Mapping[str, Any]) -> None:
    """The vendor has taken it back: Cancelled, Return Accepted, Successful. Emits ``asset.returned``.

    The keys that staff entered for a perpetual licence are deactivated with it.
    """
    now = clock.now()
    changes: dict[str, Any] = {} if row.is_perpetual else {"token_status": _accepted(row)}
    ASSET_MACHINE.fire(
        row,
        AssetEvent.RETURN,
        return_status=ReturnStatus.SUCCESSFUL,
        cancelled_at=moment(data.get("returned_at")) or now,
        sync_status=SyncStatus.SYNCHRONIZED,
        sync_note="",
        warning="",
        refresh_at=None,
        **changes,
    )
    AssetKey.objects.filter(asset=row, deactivated_at=None).update(deactivated_at=now, updated_at=clock.real_now())
    audit.record(actor, "asset.returned", row, after={"status": row.status, "key_status": row.token_status})
    tell_asset(row, "returned")


def _accepted(row: Asset) -> str:
    return TOKEN_MACHINE.target(row.token_status, TokenStatus.RETURN_ACCEPTED)


def note_not_returnable(actor: Actor, row: Asset) -> None:
    """The vendor says for sure that he does not take this licence back: nobody asks him again."""
    if row.is_returnable:
        _write(row, is_returnable=False, returnable_until=None)
        audit.record(actor, "asset.not_returnable", row)


def tell_asset(row: Asset, what: str, **more: str) -> None:
    """Emit ``asset.<what>`` with what every event of an asset carries: ids and plain values, never the key."""
    emit(
        f"asset.{what}",
        asset_payload(row) | more,
        organization_id=row.organization_id,
        account_id=row.account_id,
    )


def asset_payload(row: Asset) -> dict[str, Any]:
    """Ids and plain values of an asset for an event."""
    line = row.order_lines.select_related("order").order_by("pk").first()
    return _plain_payload(row) | {"order": str(line.order.public_id) if line else ""}


def _plain_payload(row: Asset) -> dict[str, Any]:
    return {
        "asset": str(row.public_id),
        "name": row.name,
        "quantity": row.quantity,
        "order_number": row.order_number,
        "subscription": "",
    }


def without_key(row: Asset, text: str) -> str:
    """``text`` with the asset's keys masked, however they were spaced: what people type is kept and shown."""
    if not text:
        return text
    known = [(row.token_cipher, row.masked_token)] if row.token_cipher else []
    known += [(key.cipher, key.masked) for key in (AssetKey.objects.filter(asset=row) if row.is_perpetual else ())]
    for cipher, shown in known:
        signs = [sign for sign in crypto.decrypt(cipher) if sign.isalnum()]
        if signs:
            text = re.sub(r"[^A-Za-z0-9]*".join(map(re.escape, signs)), shown, text, flags=re.IGNORECASE)
    return text
