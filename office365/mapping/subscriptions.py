"""Microsoft's subscriptions as the platform stores them, and the bodies that change them. No call is made."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from office365.mapping.codes import code_of, same_item, strip_tag
from office365.schemas.common import lookup, squeeze
from office365.schemas.subscriptions import Subscription
from provisioning.ports import AddOnLine, Schedule

STATUS_WORDS = {
    "active": "active",
    "suspended": "suspended",
    "pending": "in_progress",
    "none": "in_progress",
    "deleted": "cancelled",
    "expired": "cancelled",
    "disabled": "cancelled",
}


def cancel_until(subscription: Subscription) -> dt.datetime | None:
    """Until when Microsoft lets it be cancelled: its own date, else the refund options', else start + 168 h."""
    if subscription.cancellation_allowed_until is not None:
        return subscription.cancellation_allowed_until
    dates = [item.expires_at for item in subscription.refund_options if item.expires_at is not None]
    if dates:
        return max(dates)
    if subscription.is_new_commerce and subscription.starts_at is not None:
        return subscription.starts_at + dt.timedelta(hours=168)
    return None


def subscription_data(subscription: Subscription, addons: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the platform stores of a subscription; datetimes as ISO strings, absent ones as ``""``."""
    planned = schedule_of(subscription)
    return {
        "order_id": subscription.order_id,
        "status": STATUS_WORDS.get(subscription.status, "unknown"),
        "vendor_status": subscription.status.raw,
        "quantity": subscription.quantity,
        "starts_at": _iso(subscription.starts_at),
        "ends_at": _iso(subscription.ends_at),
        "cancel_until": _iso(cancel_until(subscription)),
        "auto_renew": subscription.auto_renew_enabled,
        "term": subscription.term_duration,
        "billing_cycle": str(subscription.billing_cycle),
        "offer_id": subscription.offer_id,
        "product_code": code_of(subscription.offer_id),
        "schedule": asdict(planned) if planned else None,
        "name": strip_tag(subscription.friendly_name),
        "mpn_id": subscription.partner_id,
        "is_trial": bool(subscription.is_trial),
        "created_at": _iso(subscription.created_at),
        "refundable": _refundable(subscription),
        "addons": dict(addons or {}),
    }


def schedule_of(subscription: Subscription) -> Schedule | None:
    """What is scheduled for the renewal; whatever the instructions leave out stays as the subscription has it."""
    plan = subscription.scheduled_instructions
    if plan is None or (plan.product is None and plan.quantity is None):
        return None
    product = plan.product
    ids = [product.product_id, product.sku_id] if product else []
    return Schedule(
        product_code=":".join(ids) if ids and all(ids) else code_of(subscription.offer_id),
        quantity=int(subscription.quantity or 0) if plan.quantity is None else plan.quantity,
        term=(product.term_duration if product else "") or subscription.term_duration,
        billing_cycle=str((product.billing_cycle if product else "") or subscription.billing_cycle),
    )


def same_schedule(one: Schedule | None, other: Schedule | None) -> bool:
    """Whether two schedules mean the same; None is no schedule."""
    if one is None or other is None:
        return one is other
    return _comparable(one) == _comparable(other)


def _comparable(plan: Schedule) -> tuple[str, int, str, str]:
    return plan.product_code.lower(), plan.quantity, plan.term.upper(), squeeze(plan.billing_cycle)


def schedule_body(plan: Schedule, catalog_item: str) -> dict[str, Any]:
    """The instructions for the renewal; ``catalog_item`` is the product's ``P:S:A`` as just read."""
    product, sku, availability = catalog_item.split(":")
    return {
        "product": {
            "productId": product,
            "skuId": sku,
            "availabilityId": availability,
            "billingCycle": plan.billing_cycle,
            "termDuration": plan.term,
        },
        "quantity": plan.quantity,
    }


def addons_state(subscriptions: Sequence[Subscription], lines: Sequence[AddOnLine]) -> dict[str, dict[str, Any]]:
    """The add-ons we sold, by our line ids, as Microsoft has them; of one it does not list nothing is known."""
    by_id = {row.id.lower(): row for row in subscriptions}
    state: dict[str, dict[str, Any]] = {}
    for line in lines:
        if not line.external_id:
            continue
        row = by_id.get(line.external_id.lower())
        state[line.id] = {
            "external_id": line.external_id,
            "quantity": int(row.quantity or 0) if row else 0,
            "status": STATUS_WORDS.get(row.status, "unknown") if row else "unknown",
            "cancel_until": _iso(cancel_until(row)) if row else "",
            "refundable": _refundable(row) if row else [],
        }
    return state


def changed_resource(subscription: Subscription, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The whole resource as read with some fields changed, without the values Microsoft refuses to take back.

    Key spelling is kept as read; enum fields that read ``none`` are left out (``partner-center.md`` 9.1).
    """
    wanted = {key.lower(): (key, value) for key, value in changes.items()}
    body: dict[str, Any] = {}
    for key, value in subscription.raw.items():
        low = key.lower()
        if low in wanted:
            continue
        refuses = low in {"status", "unittype", "billingtype", "billingcycle", "contracttype"}
        if value is None or (refuses and squeeze(str(value)) in {"none", "unknown", ""}):
            continue
        body[key] = value
    for key, value in wanted.values():
        body[key] = value
    return body


def addon_ids(subscriptions: Sequence[Subscription], parent: str, lines: Sequence[AddOnLine]) -> dict[str, str]:
    """The add-on subscriptions below ``parent`` by our line ids."""
    below = [item for item in subscriptions if item.parent_subscription_id.lower() == parent.lower()]
    found: dict[str, str] = {}
    for line in lines:
        for item in below:
            if same_item(line.product_code, item.offer_id) and item.id not in found.values():
                found[line.id] = item.id
                break
    return found


def _refundable(subscription: Subscription) -> list[dict[str, Any]]:
    detail = subscription.refundable_quantity
    return [{"quantity": row.quantity, "until": _iso(row.allowed_until)} for row in (detail.details if detail else ())]


def lookup_raw(subscription: Subscription, key: str) -> Any:
    """A field of a subscription as it came, by its wire name in any case; ``None`` if absent."""
    return lookup(subscription.raw, key)


def plain_json(value: Any) -> Any:
    """A JSON value without Decimals, as a step may hold it."""
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return str(value)


def _iso(moment: dt.datetime | None) -> str:
    return moment.isoformat() if moment else ""
