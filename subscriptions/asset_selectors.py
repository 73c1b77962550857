"""Reads of assets and their returns. A list loads no key, not even an encrypted one."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet

from core import clock
from core.tenancy import Actor, TenantQuerySet
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account, Contact, Membership
from subscriptions.asset_enums import AssetStatus
from subscriptions.enums import OPEN_REQUESTS, OPEN_STATES, OperationState, RequestStatus, Verb
from subscriptions.models import Asset, AssetKey, AssetReturn, Operation
from subscriptions.selectors import SHOWN_FOR, operations_for

KEYS_WITHIN = dt.timedelta(days=1)
FAILED_STATES = (OperationState.REFUSED, OperationState.ATTENTION)


def assets_for(actor: Actor) -> TenantQuerySet[Asset]:
    """Licences the actor may see, newest first, with all that their pages look at."""
    rows = Asset.objects.visible_to(actor).defer("token_cipher")
    return rows.select_related("account", "bill_to", "product", "plan", "instance__application").order_by("-id")


def listed_assets(actor: Actor) -> TenantQuerySet[Asset]:
    """The same for lists: with what a row shows and nothing else."""
    rows = Asset.objects.visible_to(actor).defer("token_cipher", "price_trace", "links")
    return rows.select_related("account", "bill_to", "product", "instance").order_by("-id")


def returns_for(actor: Actor) -> TenantQuerySet[AssetReturn]:
    """Requests to take a licence back that the actor may see, newest first, with the licence."""
    rows = AssetReturn.objects.visible_to(actor).defer("asset__token_cipher")
    return rows.select_related("asset__account", "asset__bill_to", "operation", "requested_by_user").order_by("-id")


def pending_returns(actor: Actor) -> TenantQuerySet[AssetReturn]:
    """Those nobody has decided yet, oldest first."""
    return returns_for(actor).filter(status=RequestStatus.SUBMITTED).order_by("id")


def return_in_view(actor: Actor, asset: Asset) -> AssetReturn | None:
    """The return a licence's page tells of: the last, if it is open or was refused lately."""
    row = returns_for(actor).filter(asset=asset).first()
    if row is None or row.status in OPEN_REQUESTS:
        return row
    is_told = row.status == RequestStatus.REJECTED and row.decided_at is not None
    return row if is_told and row.decided_at and clock.now() - row.decided_at < SHOWN_FOR else None


def asset_creations(actor: Actor, asset_ids: Iterable[int]) -> dict[int, Operation]:
    """The operation that provisions each of these licences, by licence; the last try counts. One statement."""
    rows = Operation.objects.visible_to(actor).filter(asset_id__in=list(asset_ids), verb=Verb.ASSET_CREATE)
    return {row.asset_id: row for row in rows.select_related("depends_on").order_by("id") if row.asset_id is not None}


def asset_operations(actor: Actor, asset: Asset) -> TenantQuerySet[Operation]:
    """What was asked of the vendor for one licence, newest first; employees only."""
    return operations_for(actor).filter(asset=asset).order_by("-id")


def failed_assets(actor: Actor, order_number: str) -> TenantQuerySet[Operation]:
    """The refused or stuck purchases of an order's licences, oldest first; employees only."""
    rows = operations_for(actor).filter(verb=Verb.ASSET_CREATE, state__in=FAILED_STATES, retries=None)
    return rows.filter(order_number=order_number).order_by("id") if order_number else rows.none()


def is_moving(actor: Actor, asset: Asset) -> bool:
    """Whether an operation on the licence is under way."""
    return Operation.objects.visible_to(actor).filter(asset=asset, state__in=OPEN_STATES).exists()


def delivery_account(row: Asset) -> Account:
    """Whose people get the key by mail: a resale's customer if his reseller wants that, else who pays."""
    if row.bill_to_id == row.account_id:
        return row.account
    own_use = row.purchase_mode == PurchaseMode.AFFILIATE or row.account.kind == AccountKind.AFFILIATE
    return row.bill_to if own_use or not row.bill_to.mail_licences else row.account


def delivery_addresses(row: Asset) -> list[str]:
    """Addresses the key may be mailed to, the usual one first: the primary contact, else the account's own."""
    account = delivery_account(row)
    contacts = Contact.objects.filter(account=account).order_by("-is_primary", "last_name", "pk")
    people = Membership.objects.filter(account=account, user__is_active=True).select_related("user").order_by("pk")
    found = [*(contact.email for contact in contacts), account.email, *(person.user.email for person in people)]
    known: dict[str, str] = {}
    for address in found:
        if address:
            known.setdefault(address.lower(), address)
    return list(known.values())


def addresses_to_choose(actor: Actor, row: Asset) -> list[str]:
    """Those of them the actor may send the key to: an end customer is told nothing of his reseller's people."""
    return delivery_addresses(row) if actor.reaches(delivery_account(row)) else []


def keys_of(actor: Actor, asset: Asset) -> TenantQuerySet[AssetKey]:
    """The keys that were entered for a perpetual licence, in their order, without the keys themselves."""
    return AssetKey.objects.visible_to(actor).filter(asset=asset).defer("cipher").order_by("pk")


def lacking_keys(rows: QuerySet[Asset]) -> QuerySet[Asset]:
    """Those of the licences that are perpetual, older than a day, and still have no key."""
    ripe = rows.filter(is_perpetual=True, status=AssetStatus.ACTIVE, activated_at__lt=clock.now() - KEYS_WITHIN)
    return ripe.filter(keys=None)


def without_keys(actor: Actor) -> QuerySet[Asset]:
    """What the actor sees of them, the oldest first."""
    return lacking_keys(listed_assets(actor)).order_by("activated_at", "id")
