"""The same proof for assets: licences that are bought once, their charges and credits, and the twin of CIS."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q

from billing.models import Charge, ChargeKind, ChargeState
from subscriptions.asset_enums import AssetStatus, ReturnStatus, TokenStatus
from subscriptions.enums import OPEN_REQUESTS, OPEN_STATES, OperationState, RequestStatus, Verb
from subscriptions.models import Asset, AssetReturn, Operation
from vendors.models import SyncStatus

TOKEN_THERE = {"activated": TokenStatus.ACTIVATED, "redeemed": TokenStatus.REDEEMED, "returnaccepted": "returned"}


def assets() -> Iterator[str]:
    """What an asset's states promise: a key once it is active, somebody at work while it is not, one charge.

    A perpetual licence has the vendor's order instead of a key.
    """
    nameless = Q(external_id="") | Q(is_perpetual=False, token_cipher="") | Q(is_perpetual=True, vendor_order_id="")
    for row in Asset.objects.filter(status=AssetStatus.ACTIVE).filter(nameless):
        yield f"{name_of(row)} is active without the vendor's id or its key"
    for row in Asset.objects.filter(return_status=ReturnStatus.SUCCESSFUL, keys__deactivated_at=None).exclude(
        keys=None
    ):
        yield f"{name_of(row)} is returned, but a key of it is not deactivated"
    for row in Asset.objects.filter(status=AssetStatus.PENDING).exclude(token_cipher=""):
        yield f"{name_of(row)} has a key, but is still pending"
    busy = set(_at_work().values_list("asset", flat=True))
    unsettled = Q(status=AssetStatus.PENDING) | Q(status=AssetStatus.ACTIVE, sync_status=SyncStatus.UNSYNCHRONISED)
    for row in Asset.objects.filter(unsettled).exclude(pk__in=busy):
        yield f"{name_of(row)} is {row.status} and {row.sync_status}, but nobody works on it and the desk is silent"
    due = Counter(
        Charge.objects.filter(kind=ChargeKind.CHARGE, state=ChargeState.DUE)
        .exclude(asset=None)
        .values_list("asset", flat=True)
    )
    for row in Asset.objects.exclude(activated_at=None):
        if due[row.pk] > 1 or (row.unit_price and due[row.pk] != 1):
            yield f"{name_of(row)} was charged {due[row.pk]} times"
    for row in Asset.objects.filter(activated_at=None, pk__in=due):
        yield f"{name_of(row)} was charged and never ready"


def _at_work() -> Any:
    waits = Q(state__in=OPEN_STATES) | Q(state=OperationState.REFUSED, retries=None)
    return Operation.objects.exclude(asset=None).filter(waits)


def returns() -> Iterator[str]:
    """A returned licence is credited once, in full; nothing else is; a decided return is being carried out."""
    credits = dict(Charge.objects.filter(source__startswith="asset-return:").values_list("asset", "gross"))
    paid = dict(
        Charge.objects.filter(kind=ChargeKind.CHARGE, state=ChargeState.DUE)
        .exclude(asset=None)
        .values_list("asset", "gross")
    )
    for row in Asset.objects.filter(return_status=ReturnStatus.SUCCESSFUL):
        given = credits.pop(row.pk, None)
        if -(given or 0) != paid.get(row.pk, 0):
            yield f"{name_of(row)} is returned; {given} was credited of {paid.get(row.pk)}"
    for pk in credits:
        yield f"asset {pk} was credited, but not returned"
    running = AssetReturn.objects.filter(status__in=OPEN_REQUESTS).exclude(status=RequestStatus.SUBMITTED)
    busy = set(_at_work().values_list("asset", flat=True))
    for request in running.exclude(asset__in=busy).select_related("asset"):
        yield f"the return of {name_of(request.asset)} is {request.status}, but nobody works on it"


def at_vendor(application: str, state: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Each licence exists there once, as we know it; nothing was bought there by us that is not known here."""
    theirs = {str(row["id"]).lower(): row for row in state.get("licences", [])}
    mine = {row.external_id.lower(): row for row in Asset.objects.filter(instance__application__code=application)}
    busy = set(_at_work().values_list("asset", flat=True))
    for key, row in mine.items():
        if key and row.pk not in busy:
            yield from _compare(row, theirs.get(key))
    creations = Operation.objects.filter(verb=Verb.ASSET_CREATE)
    ours = {str(pk): state for pk, state in creations.values_list("public_id", "state")}
    made = Counter(str(row.get("client_reference") or "").lower() for row in theirs.values())
    for key, found in theirs.items():
        reference = str(found.get("client_reference") or "").lower()
        if reference in ours and key not in mine and ours[reference] not in OPEN_STATES:
            yield f"the vendor has the licence {key} of operation {reference}, which is not known here"
    for reference, count in made.items():
        if reference in ours and count > 1:
            yield f"operation {reference} bought {count} licences at the vendor"


def _compare(row: Asset, found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is None:
        yield f"{name_of(row)} does not exist at the vendor as {row.external_id}"
        return
    status = TOKEN_THERE.get(str(found["status"]).replace("_", "").lower())
    is_returned = row.return_status == ReturnStatus.SUCCESSFUL
    if is_returned != (status == "returned"):
        yield f"{name_of(row)} is {row.return_status} here and {found['status']} at the vendor"


def orders_at_vendor(application: str, state: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Each perpetual licence is one line of an order there, as we know it; each purchase of ours is one order."""
    theirs = {str(row["id"]).lower(): row for row in state.get("orders", [])}
    rows = Asset.objects.filter(instance__application__code=application, is_perpetual=True)
    mine = {row.vendor_order_id.lower(): row for row in rows if row.vendor_order_id}
    busy = set(_at_work().values_list("asset", flat=True))
    for key, row in mine.items():
        if row.pk not in busy:
            yield from _compare_order(row, theirs.get(key))
    creations = Operation.objects.filter(verb=Verb.ASSET_CREATE)
    ours = {str(pk): state for pk, state in creations.values_list("public_id", "state")}
    made: Counter[str] = Counter()
    for key, found in theirs.items():
        reference = str(found.get("client_reference") or "").lower()
        if reference not in ours:
            continue
        made[reference] += 1
        if key not in mine and ours[reference] not in OPEN_STATES:
            yield f"the vendor has the order {key} of operation {reference}, which is not known here"
    for reference, count in made.items():
        if count > 1:
            yield f"operation {reference} made {count} orders at the vendor"


def _compare_order(row: Asset, found: Mapping[str, Any] | None) -> Iterator[str]:
    lines = {str(line["lineItemNumber"]): line for line in (found or {}).get("lineItems", [])}
    line = lines.get(row.vendor_order_line)
    if line is None:
        yield f"{name_of(row)} does not exist at the vendor as {row.external_id}"
        return
    wanted = 0 if row.return_status == ReturnStatus.SUCCESSFUL else row.quantity
    if line["quantity"] != wanted:
        yield f"{name_of(row)} is {row.return_status} of {row.quantity} here, the vendor has {line['quantity']}"
    if row.perpetual_id and row.perpetual_id != line.get("subscriptionId"):
        yield f"{name_of(row)} has the Perpetual ID {row.perpetual_id}, the vendor {line.get('subscriptionId')}"


def name_of(row: Asset) -> str:
    """How a sentence calls an asset."""
    return f"asset {row.public_id} ({row.name})"
