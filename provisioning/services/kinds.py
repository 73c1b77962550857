"""Another kind for an account: who may, what stands in the way, what the vendor hears first (``channel.md`` 2.1).

A kind that changes whether services carry the reseller's MPN ID changes at the vendor first, service by service
(6.4); every other kind is written at once.
"""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.services import lock_payer
from catalog.selectors import assigned_price_list
from core.errors import BusinessError, Conflict
from core.tenancy import Actor
from orders.enums import DeliveryStatus, OrderStatus
from orders.models import Order, OrderLine
from orders.targets import demand_settled
from provisioning.services import stamps as runs
from resellers.enums import SUB_KINDS, AccountKind, Edition
from resellers.models import Account
from resellers.services.accounts import check_bill_to, enable_reselling
from resellers.services.kinds import missing_for_orders, turn_account
from subscriptions.models import StampRun, Subscription
from subscriptions.services import stamps
from users.permissions import Perm
from vendors.models import AccountLink
from vendors.selectors import is_known_at_vendor

_K = AccountKind
SALES = {(_K.PROSPECT, kind) for kind in (_K.DIRECT, _K.RESELLER, _K.END_CUSTOMER, _K.AFFILIATE)} | {
    (_K.DIRECT, _K.RESELLER)
}
ADMINISTRATOR = {(_K.RESELLER, _K.DIRECT), (_K.DIRECT, _K.END_CUSTOMER), (_K.END_CUSTOMER, _K.DIRECT)}
RELATIONSHIP = {(_K.END_CUSTOMER, _K.AFFILIATE), (_K.AFFILIATE, _K.END_CUSTOMER)}
OPEN_ORDERS = (OrderStatus.SUBMITTED, OrderStatus.SUSPENDED)
OPEN_LINES = (DeliveryStatus.WAITING, DeliveryStatus.IN_PROGRESS)


@dataclass
class Outlook:
    """What a change would do: services that get an MPN ID or lose it (service, new ID), and what stands in the way."""

    rows: list[tuple[Subscription, str]] = field(default_factory=list)
    blocked: list[tuple[Subscription, str]] = field(default_factory=list)


def kinds_for(actor: Actor, account: Account) -> list[str]:
    """The kinds the actor may give the account, whatever stands in the way now."""
    return [
        kind.value
        for kind in AccountKind
        if (account.kind, kind) in SALES | ADMINISTRATOR | RELATIONSHIP and _may(actor, account, kind)
    ]


def _may(actor: Actor, account: Account, kind: str) -> bool:
    return actor.has(_perm(actor, account, kind)) and actor.reaches(account)


def _perm(actor: Actor, account: Account, kind: str) -> str:
    pair = (account.kind, kind)
    if not actor.is_staff:
        # Only an Admin manages users, and only an Admin of the reseller says what an account is to him.
        return Perm.SHOP_USERS_MANAGE if pair in RELATIONSHIP else Perm.ACCOUNT_BILL_TO
    return Perm.ACCOUNT_BILL_TO if pair in ADMINISTRATOR else Perm.ACCOUNT_EDIT


@transaction.atomic
def change_kind(actor: Actor, *, account: Account, kind: str, bill_to: Account | None = None) -> Account:
    """Edit the kind of an account no vendor has to hear of; refused with what stands in the way (``channel.md`` 2.1).

    Direct to Reseller is :func:`resellers.services.accounts.enable_reselling`. What is linked changes by
    :func:`change_relationship`.
    """
    pair = (account.kind, kind)
    if pair not in SALES | ADMINISTRATOR | RELATIONSHIP:
        raise Conflict("kind_change", _("An account of this kind cannot become that."))
    actor.require(_perm(actor, account, kind), account)
    if pair == (_K.DIRECT, _K.RESELLER):
        has_list = assigned_price_list(actor, account) is not None
        return enable_reselling(actor, account=account, has_price_list=has_list)
    row = _locked(account, bill_to)
    if pair in RELATIONSHIP and is_known_at_vendor(row):
        raise Conflict("account_linked", _("The vendor knows this account; use Change relationship."))
    _demand(actor, row, kind, bill_to)
    if outlook(actor, row, kind=kind, bill_to=bill_to).rows:
        raise Conflict("account_linked", _("The vendor knows this account; use Change relationship."))
    if pair[0] == _K.PROSPECT:
        return turn_account(actor, account=row, kind=kind, bill_to=bill_to)
    stamps.turn_services(actor, account=row, kind=kind, bill_to=bill_to)
    row.refresh_from_db()
    return row


def _locked(account: Account, bill_to: Account | None) -> Account:
    """The account, read again under the locks an order takes: its payer's, and the future one's; in key order."""
    for pk in sorted({account.payer_id, account.pk, *([bill_to.pk] if bill_to else [])}):
        lock_payer(pk)
    return Account.objects.select_related("bill_to").get(pk=account.pk)


def _demand(actor: Actor, row: Account, kind: str, bill_to: Account | None) -> None:
    """Raise the first thing that stands in the way."""
    pair = (row.kind, kind)
    demand_settled(row)
    if kind in SUB_KINDS:
        check_bill_to(kind, bill_to or row.bill_to, row.organization_id)
    missing = missing_for_orders(row)
    if missing:
        raise BusinessError(
            "kind_data_missing", _("Complete the account first: %(missing)s.") % {"missing": ", ".join(missing)}
        )
    if kind == _K.RESELLER and assigned_price_list(actor, row) is None:
        raise BusinessError("price_list_missing", _("Assign a price list first."))
    if pair == (_K.RESELLER, _K.DIRECT):
        _demand_no_sub_accounts(row)
    if row.kind != _K.PROSPECT and _has_open_orders(row):
        raise Conflict("orders_open", _("Execute or cancel the open orders of this account first."))


def _demand_no_sub_accounts(row: Account) -> None:
    if row.edition != Edition.BASIC:
        raise Conflict("edition_not_basic", _("Only a Basic reseller becomes a direct customer. End the plan first."))
    count = row.sub_accounts.exclude(status="closed").count() or row.sub_accounts.count()
    if count:
        words = ngettext("Move or close the %(n)s customer first.", "Move or close the %(n)s customers first.", count)
        raise Conflict("customers_left", words % {"n": count})


def _has_open_orders(row: Account) -> bool:
    lines = OrderLine.objects.filter(order__account=row, order__status=OrderStatus.EXECUTED)
    return (
        Order.objects.filter(account=row, status__in=OPEN_ORDERS).exists()
        or lines.filter(delivery_status__in=OPEN_LINES).exists()
    )


def outlook(actor: Actor, account: Account, *, kind: str, bill_to: Account | None = None) -> Outlook:
    """What the change means for the account's services at instances with MPN IDs; asks no vendor.

    Raises ``mpn_missing`` if services would need an MPN ID their reseller does not have.
    """
    found = Outlook()
    links = AccountLink.objects.filter(account=account).select_related(
        "instance__application", "instance__organization"
    )
    instances = [link.instance for link in links if runs.uses_partner_id(link.instance)]
    payer = bill_to or account.bill_to
    for row in stamps.services_of(account, [instance.pk for instance in instances]):
        wanted = _mpn_of(payer, row) if kind == _K.END_CUSTOMER else ""
        if row.mpn_id == wanted:
            continue
        note = stamps.obstacle_of(row)
        if note:
            found.blocked.append((row, note))
        else:
            found.rows.append((row, wanted))
    return found


def _mpn_of(payer: Account | None, row: Subscription) -> str:
    link = AccountLink.objects.filter(account=payer, instance_id=row.instance_id).first() if payer else None
    if link is None or not link.mpn_id:
        raise BusinessError(
            "mpn_missing",
            _("The reseller has no MPN ID at %(instance)s. Set it first.") % {"instance": row.instance},
        )
    return link.mpn_id


@transaction.atomic
def change_relationship(actor: Actor, *, account: Account, kind: str, bill_to: Account | None = None) -> StampRun:
    """Change what a linked account is to its reseller: the vendor hears it first, new orders wait meanwhile."""
    pair = (account.kind, kind)
    actor.require(Perm.ACCOUNT_BILL_TO, account)
    if pair not in RELATIONSHIP | ADMINISTRATOR or kind == _K.RESELLER or account.kind == _K.RESELLER:
        raise Conflict("kind_change", _("An account of this kind cannot become that."))
    row = _locked(account, bill_to)
    _demand(actor, row, kind, bill_to)
    found = outlook(actor, row, kind=kind, bill_to=bill_to)
    if found.blocked:
        service, note = found.blocked[0]
        raise Conflict("service_not_ready", f"{service}: {note}")
    return runs.start_relationship(actor, account=row, kind=kind, bill_to=bill_to, rows=found.rows)
