"""The switch that says whether an end customer's orders wait for his reseller (``channel.md`` 4.4)."""

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor
from resellers.enums import AccountKind
from resellers.models import Account
from resellers.selectors import pays_by_card
from users.permissions import Perm


@transaction.atomic
def set_order_approval(actor: Actor, *, account: Account, needed: bool) -> Account:
    """Turn the switch of one end customer; nothing happens to orders that wait already.

    Raises ``approval_not_possible`` for an account that is no end customer, ``approval_locked`` while the reseller pays
    by card.
    """
    actor.require(Perm.SHOP_APPROVAL_SWITCH, account)
    rows = Account.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.filter(pk=account.pk).first()
    if row is None:
        raise NotVisible("account_missing", _("This account does not exist."))
    if row.kind != AccountKind.END_CUSTOMER or row.bill_to_id != actor.account_id:
        raise BusinessError("approval_not_possible", _("Only what your end customers order waits for you."))
    _demand_unlocked(actor)
    if row.order_approval != needed:
        row.order_approval = needed
        row.save(update_fields=["order_approval", "updated_at"])
        audit.record(
            actor,
            "account.order_approval",
            row,
            before={"order_approval": not needed},
            after={"order_approval": needed},
        )
    return row


def _demand_unlocked(actor: Actor) -> None:
    if pays_by_card(actor):
        words = _("You pay by card, so whatever your customers order waits for your approval.")
        raise Conflict("approval_locked", words)


@transaction.atomic
def set_all_order_approvals(actor: Actor, *, needed: bool) -> int:
    """Turn the switch of all end customers of the actor's reseller; returns how many were changed.

    Raises ``approval_locked`` while the reseller pays by card.
    """
    actor.require(Perm.SHOP_APPROVAL_SWITCH)
    _demand_unlocked(actor)
    rows = Account.objects.visible_to(actor).filter(kind=AccountKind.END_CUSTOMER, bill_to_id=actor.account_id or 0)
    found = list(rows.filter(order_approval=not needed).order_by("pk"))
    for row in found:
        set_order_approval(actor, account=row, needed=needed)
    return len(found)
