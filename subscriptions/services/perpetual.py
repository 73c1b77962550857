"""The vendor's ids of perpetual licences: what is stored of them, and when he is asked again (``esd.md`` 11).

The Perpetual ID may come later than the purchase, or never. It is written once and not replaced by another value, and
what becomes of it never changes the licence's state.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from subscriptions.asset_enums import AssetStatus
from subscriptions.models import Asset

FIRST_LOOKS = (dt.timedelta(minutes=5), dt.timedelta(minutes=15), dt.timedelta(minutes=60))
LATER_LOOKS, LOOK_FOR = dt.timedelta(days=1), dt.timedelta(days=30)
# Our fields, by the names of ``provisioning.ports.Result.data``.
FIELDS = {
    "perpetual_id": "perpetual_id",
    "vendor_order_id": "order_id",
    "vendor_order_line": "order_line",
    "vendor_order_alias": "alternate_id",
}


def vendor_ids(data: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """The ids of a licence that was just bought, and when the vendor is asked for a missing Perpetual ID."""
    found = {field: _text(data, name) for field, name in FIELDS.items()}
    return {**found, "refresh_at": None if found["perpetual_id"] else now + FIRST_LOOKS[0]}


def new_ids(row: Asset, data: Mapping[str, Any]) -> dict[str, str]:
    """Those of the vendor's ids that are not known yet; a known one stays whatever he says."""
    return {field: _text(data, name) for field, name in FIELDS.items() if not getattr(row, field) and _text(data, name)}


def other_id(row: Asset, data: Mapping[str, Any]) -> str:
    """What to tell staff if the vendor now names another Perpetual ID; empty if he does not."""
    said = _text(data, "perpetual_id")
    if not said or not row.perpetual_id or said == row.perpetual_id:
        return ""
    return _("The vendor names another Perpetual ID, %(other)s. It was not taken over; compare it at the vendor.") % {
        "other": said
    }


def next_look(row: Asset, now: dt.datetime) -> dt.datetime | None:
    """When a missing Perpetual ID is asked for next: 5, 15, 60 minutes after the purchase, then daily for 30 days."""
    if row.perpetual_id or row.status != AssetStatus.ACTIVE or row.activated_at is None:
        return None
    start = row.activated_at
    early = next((start + pause for pause in FIRST_LOOKS if start + pause > now), None)
    if early is not None:
        return early
    return now + LATER_LOOKS if now + LATER_LOOKS <= start + LOOK_FOR else None


def _text(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name) or "")[:255]
