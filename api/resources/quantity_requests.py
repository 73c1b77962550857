"""Wishes for fewer licences on the wire: a request of staff's, an operation at the vendor, or a scheduled change."""

from typing import Any

from api.resources.service_parts import operation_error
from api.wire import moment
from clients.selectors import Caller
from core import clock
from subscriptions.enums import OPEN_STATES, OperationState, RequestStatus, ScheduleStatus
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription

NAMES = ("Pending", "InProgress", "Completed", "Failed", "Cancelled")
_REQUESTS = {
    RequestStatus.SUBMITTED: 0,
    RequestStatus.ACCEPTED: 1,
    RequestStatus.COMPLETED: 2,
    RequestStatus.FAILED: 3,
    RequestStatus.REJECTED: 4,
    RequestStatus.WITHDRAWN: 4,
}
_SCHEDULES = {
    ScheduleStatus.PENDING: 0,
    ScheduleStatus.APPLIED: 2,
    ScheduleStatus.FAILED: 3,
    ScheduleStatus.REVOKED: 4,
}


def quantity_request(
    caller: Caller, row: Subscription, found: CancellationRequest | Operation | ScheduledChange
) -> dict[str, Any]:
    """The wish with what became of it; ``createdBy`` 0 means that it is not known by whom."""
    operation = found.operation if isinstance(found, CancellationRequest) else None
    by = effective = None
    match found:
        case CancellationRequest():
            status, by = _REQUESTS[RequestStatus(found.status)], found.requested_by_user_id
            was, wanted = _numbers_of_request(row, found)
        case Operation():
            status, by, operation = _operation_status(found), found.requested_by_user_id, found
            wanted = int(found.desired.get("quantity", row.quantity))
            was = int(found.desired.get("was", row.quantity))
        case ScheduledChange():
            status, effective = _SCHEDULES[ScheduleStatus(found.status)], found.due_at
            was, wanted = found.was or row.quantity, found.quantity
    return {
        "requestId": found.public_id,
        "subscriptionId": row.public_id,
        "previousSubscriptionQuantity": was,
        "nextSubscriptionQuantity": wanted,
        "effectiveDate": moment(effective or found.created_at or clock.now()),
        "status": status,
        "createdAt": moment(found.created_at),
        "createdBy": by or 0,
        "updatedAt": moment(found.updated_at),
        "updatedBy": by or 0,
        "statusName": NAMES[status],
        "error": operation_error(caller, operation) if status == NAMES.index("Failed") else None,
    }


def _operation_status(row: Operation) -> int:
    if row.state in OPEN_STATES:
        return 1
    return 2 if row.state == OperationState.DONE else 3


def _numbers_of_request(row: Subscription, found: CancellationRequest) -> tuple[int, int]:
    """From how many to how many; once done the operation knows, for the subscription may have moved on."""
    if found.operation is not None:
        desired = found.operation.desired
        wanted = int(desired.get("quantity", row.quantity))
        return int(desired.get("was", wanted + found.quantity)), wanted
    was = found.was or row.quantity
    return was, was - found.quantity
