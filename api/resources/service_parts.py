"""The parts of subscriptions on the wire: add-ons, characteristics, price, synchronization (``api.md`` 7.2, 9.1).

Each is made for many at once, with the same few statements however many there are.
"""

import re
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from api.resources.subscriptions import STATUS, SYNC, unit_of
from api.wire import moment
from clients.selectors import Caller
from core import clock
from core.money import to_minor
from core.tenancy import Actor
from orders import service_values as values
from subscriptions.enums import OPEN_STATES, OperationState, Purpose, SubscriptionStatus
from subscriptions.models import Operation, Subscription, SubscriptionAddOn
from subscriptions.refusals import cleaned
from subscriptions.services.price import is_set_by_hand, price_of_next_period
from vendors.models import SyncStatus

HISTORY = 20
SECRET = re.compile(r"password|secret|token|key", re.IGNORECASE)
ACTIONS = {
    Purpose.PROVISION: "Provision",
    Purpose.SUSPEND: "Suspend",
    Purpose.ACTIVATE: "Activate",
    Purpose.CANCEL: "Cancel",
}
STATES = {
    OperationState.DONE.value: "Synchronized",
    OperationState.REFUSED.value: "Failed",
    OperationState.GIVEN_UP.value: "Failed",
}
UNKNOWN_REASON = "The vendor did not carry this out. Ask your provider."


def _keys(rows: Iterable[dict[str, Any]]) -> list[int]:
    return [row["pk"] for row in rows]


# --- Add-ons ----------------------------------------------------------------------------------------------------------
def addons_of(actor: Actor, ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """The add-ons of services, by service."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in values.addon_values(actor, ids):
        found.setdefault(row["subscription_id"], []).append(_addon(row))
    return found


def _addon(row: dict[str, Any]) -> dict[str, Any]:
    has_order = row["order_public_id"] is not None
    return {
        "id": row["public_id"],
        "status": STATUS[row["status"]],
        "order": {"id": row["order_public_id"], "code": row["order_code"]} if has_order else None,
        "activationDate": moment(row["first_activated_at"] or row["created_at"]),
        "product": {"id": row["product__public_id"], "name": row["product__name"], "code": row["product__code"]},
        "quantity": Decimal(row["quantity"]),
        "createdAt": moment(row["created_at"]),
        "externalId": row["external_id"] or None,
        "name": row["name"],
        "unit": unit_of(row["plan__public_id"], row["plan__term"], row["plan__billing_cycle"]),
        "startDate": moment(row["row_starts"]),
        "endDate": moment(row["row_ends"]),
        "firstActivationDateTime": moment(row["first_activated_at"]),
        "cancelledAt": moment(row["cancelled_at"]),
        "statusReason": _addon_reason(row),
        "currency": row["subscription__currency"],
        "synchronizationStatus": SYNC[row["subscription__sync_status"]],
        "integrationId": None,
        "updatedAt": moment(row["updated_at"]),
    }


def _addon_reason(row: dict[str, Any]) -> str | None:
    match row["status"]:
        case SubscriptionStatus.INACTIVE:
            return "PendingActivation"
        case SubscriptionStatus.FAILED:
            return "ProvisioningFailed"
        case SubscriptionStatus.PENDING_CANCEL:
            return "CustomerRequest"
        case SubscriptionStatus.SUSPENDED:
            return values.SUSPENDED_WORDS.get(row["subscription__suspend_reason"], values.SUSPENDED_ELSEWHERE)
        case SubscriptionStatus.CANCELLED if not row["first_activated_at"]:
            return "ProvisioningFailed"
        case SubscriptionStatus.CANCELLED:
            end, cancelled = row["subscription__term_ends_at"], row["cancelled_at"]
            if end is None or cancelled is None or cancelled < end:
                return "CustomerRequest"
            return "TrialEnded" if row["subscription__is_trial"] else "Expired"
        case _:
            return None


def include_addons(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the add-ons."""
    found = addons_of(view.caller.actor, _keys(rows))
    for row, item in zip(rows, objects, strict=True):
        item["addons"] = found.get(row["pk"], [])


# --- Characteristics --------------------------------------------------------------------------------------------------
def characteristics(caller: Caller, ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """What was asked when services were ordered, by service, as groups; secrets are masked."""
    return {row["pk"]: characteristic_groups(row) for row in values.order_details(caller.actor, ids)}


def characteristic_groups(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups of what was asked for one service or licence."""
    details = (row["details"] or {}).get(str(row["instance__public_id"]), {})
    options = dict(details.get("options") or {})
    if row.get("mpn_id"):
        options["mpn_id"] = row["mpn_id"]
    items = [_characteristic(row["public_id"], name, value) for name, value in options.items()]
    return [{"name": "Service details", "characteristics": items}] if items else []


def _characteristic(owner: uuid.UUID, name: str, value: object) -> dict[str, Any]:
    is_secret = bool(SECRET.search(name))
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return {
        "id": uuid.uuid5(owner, name),
        "name": name,
        "type": "Order Characteristic",
        "isCompulsory": False,
        "value": None if is_secret else text,
        "valueCode": None,
        "valueType": "Boolean" if isinstance(value, bool) else "Text",
        "valueSuffix": None,
        "externalId": name,
        "isMasked": is_secret,
    }


def include_characteristics(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the groups of characteristics."""
    found = characteristics(view.caller, _keys(rows))
    for row, item in zip(rows, objects, strict=True):
        item["characteristics"] = found.get(row["pk"], [])


# --- Price ------------------------------------------------------------------------------------------------------------
def pricing(caller: Caller, services: Iterable[Subscription]) -> dict[int, dict[str, Any]]:
    """What the payer of each service pays for a billing period, by service."""
    rows = list(services)
    changes = values.planned_changes(caller.actor, [row.pk for row in rows])
    costs = values.vendor_costs([row.plan_id for row in rows]) if caller.sees_cost else {}
    found, now = {}, moment(clock.now())
    for row in rows:
        info = _price(row, row, now)
        change = changes.get(row.pk)
        # A change to another plan gets that plan's price on the day it happens.
        if change is not None and change.plan_id == row.plan_id and change.due_at is not None:
            price = price_of_next_period(row)
            info["nextBillingCycle"] = {
                "effectiveDate": moment(change.due_at),
                "finalUnitPrice": price,
                "quantity": Decimal(change.quantity),
                "total": to_minor(price * change.quantity, row.currency),
                "unit": info["unit"],
            }
        found[row.pk] = _with_cost(info, costs.get((row.plan_id, row.currency))) if caller.sees_cost else info
    return found


def addon_pricing(caller: Caller, addon: SubscriptionAddOn) -> dict[str, Any]:
    """The same of one add-on."""
    info = _price(addon.subscription, addon, moment(clock.now()))
    if not caller.sees_cost:
        return info
    return _with_cost(info, values.vendor_costs([addon.plan_id]).get((addon.plan_id, addon.subscription.currency)))


def _price(service: Subscription, row: Subscription | SubscriptionAddOn, now: str | None) -> dict[str, Any]:
    by_hand = isinstance(row, Subscription) and is_set_by_hand(row)
    return {
        "finalUnitPrice": row.unit_price,
        "billOnStart": True,
        "unitPrice": {"value": row.unit_price, "isUserDefined": by_hand},
        "discount": None,
        "promotion": None,
        "freePeriod": None,
        "priceProtection": None,
        "pricelist": None,
        "name": row.name,
        "quantity": Decimal(row.quantity),
        "total": to_minor(row.unit_price * row.quantity, service.currency),
        "currency": service.currency,
        "unit": unit_of(row.plan.public_id, row.plan.term, row.plan.billing_cycle),
        "billingFrequencyMarkup": None,
        "nextBillingCycle": None,
        "asOf": now,
        "priceSource": "UserDefined" if by_hand else "PriceList",
    }


def _with_cost(info: dict[str, Any], cost: Any) -> dict[str, Any]:
    total = None if cost is None else to_minor(cost * info["quantity"], info["currency"])
    return info | {
        "unitCost": cost,
        "totalCost": total,
        "margin": None if total is None else info["total"] - total,
    }


def include_pricing(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the price."""
    found = pricing(view.caller, values.priced_services(view.caller.actor, _keys(rows)))
    for row, item in zip(rows, objects, strict=True):
        item["pricingInfo"] = found.get(row["pk"])


# --- Synchronization --------------------------------------------------------------------------------------------------
def synchronization(caller: Caller, services: Iterable[Subscription]) -> dict[int, dict[str, Any]]:
    """How far the vendor knows of each service, by service; a reseller reads why in our words, never the vendor's."""
    rows = list(services)
    operations = values.latest_operations(caller.actor, [row.pk for row in rows], most=HISTORY)
    return {row.pk: _synchronization(caller, row, operations.get(row.pk, [])) for row in rows}


def _synchronization(caller: Caller, row: Subscription, operations: list[Operation]) -> dict[str, Any]:
    last = operations[0] if operations else None
    pending = next((item for item in operations if item.state in OPEN_STATES), None)
    done = next((item for item in operations if item.state == OperationState.DONE), None)
    is_required = row.sync_status != SyncStatus.NOT_REQUIRED
    instance = row.instance
    system = {"id": instance.pk, "name": str(instance), "code": instance.application.code} if is_required else None
    failed = row.sync_status == SyncStatus.FAILED
    return {
        "status": SYNC[row.sync_status],
        "provisioningSystem": system,
        "externalId": row.external_id or None,
        "comments": (row.sync_note or None) if not caller.is_reseller else None,
        "isProvisioningRequired": is_required,
        "pendingAction": "None" if pending is None else ACTIONS.get(Purpose(pending.purpose), "Update"),
        "error": operation_error(caller, last),
        "attempts": last.attempts if last else 0,
        "lastAttemptAt": moment(last.first_sent_at) if last else None,
        "lastSynchronizedAt": moment(done.finished_at) if done else None,
        "nextRetryAt": moment(pending.not_before) if pending and pending.state == OperationState.WAITING else None,
        "allowedActions": ["retry"] if failed and not caller.is_reseller else [],
        "history": [_event(caller, item) for item in operations],
    }


def operation_error(caller: Caller, operation: Operation | None) -> dict[str, Any] | None:
    """Why an operation waits or was refused: the whole text for the organization, our own sentence for resellers."""
    if operation is None or not operation.code:
        return None
    if operation.state not in (OperationState.WAITING, OperationState.ATTENTION, OperationState.REFUSED):
        return None
    is_known = bool(cleaned(operation.code))
    found = {
        "code": operation.code if is_known or not caller.is_reseller else "vendor_refused",
        "message": (cleaned(operation.code) or UNKNOWN_REASON) if caller.is_reseller else operation.message,
        "isRetriableError": operation.state != OperationState.REFUSED,
    }
    return found if caller.is_reseller else found | {"vendorRequestId": None}


def _event(caller: Caller, operation: Operation) -> dict[str, Any]:
    error = operation_error(caller, operation)
    return {
        "at": moment(operation.finished_at or operation.created_at),
        "action": ACTIONS.get(Purpose(operation.purpose), "Update"),
        "status": STATES.get(operation.state, "InProgress"),
        "comments": error["message"] if error else None,
    }


def include_synchronization(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the synchronization."""
    found = synchronization(view.caller, values.synchronized_services(view.caller.actor, _keys(rows)))
    for row, item in zip(rows, objects, strict=True):
        item["synchronizationInfo"] = found.get(row["pk"])
