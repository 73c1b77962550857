"""For whom employees order: which accounts, in which mode, and what stands in the way (``channel.md`` 2.3, 6.1)."""

from django.utils.translation import gettext as _

from catalog.selectors import price_list_of, with_price_list
from core.errors import BusinessError, Conflict
from core.tenancy import Actor, TenantQuerySet
from resellers.enums import MODES, ORDERING_KINDS, AccountStatus
from resellers.models import Account
from subscriptions.selectors import relationship_run


def mode_of(account: Account) -> str:
    """The purchase mode that follows from the kind of an account; none for a direct customer."""
    return MODES.get(account.kind, "")


def order_targets(actor: Actor) -> TenantQuerySet[Account]:
    """Accounts of every kind, closed ones too, with their Bill To and ``has_price_list``; see :func:`obstacle`."""
    return with_price_list(Account.objects.visible_to(actor).select_related("bill_to"))


def ordering_accounts(actor: Actor) -> TenantQuerySet[Account]:
    """The same, of the kinds that order."""
    return order_targets(actor).filter(kind__in=ORDERING_KINDS)


def obstacle(account: Account, *, has_price_list: bool | None = None) -> BusinessError | None:
    """What stands in the way of an order for one of :func:`order_targets`; None if nothing does. Reads nothing."""
    if has_price_list is None:
        has_price_list = account.has_price_list  # type: ignore[attr-defined]
    if account.kind not in ORDERING_KINDS:
        return BusinessError("target_invalid", _("Nothing is ordered for an account of this kind."))
    refused = hold_of(account, account.bill_to)
    if refused is None and not has_price_list:
        return BusinessError("no_price_list", _("There is no valid price list for this account. Assign one first."))
    return refused


def hold_of(account: Account, payer: Account | None) -> BusinessError | None:
    """``account_on_hold`` if the account or its payer is on hold or closed; None if both are active. Reads nothing."""
    if account.status == AccountStatus.CLOSED:
        return BusinessError("account_on_hold", _("This account is closed."))
    if account.status != AccountStatus.ACTIVE:
        return BusinessError("account_on_hold", _("This account is on hold."))
    if payer is None or payer.status == AccountStatus.ACTIVE:
        return None
    words = (
        _("%(name)s, which is billed, is closed.")
        if payer.status == AccountStatus.CLOSED
        else _("%(name)s, which is billed, is on hold.")
    )
    return BusinessError("account_on_hold", words % {"name": payer.name})


def demand_orderable(account: Account) -> None:
    """Raise what stands in the way of an order for an account."""
    refused = obstacle(account, has_price_list=price_list_of(account) is not None)
    if refused is not None:
        raise refused


def demand_settled(account: Account) -> None:
    """Raise ``relationship_changing`` while the vendor is told what the account is to its reseller."""
    if relationship_run(account) is not None:
        words = _("The relationship of this account is being changed. Order again when that is done.")
        raise Conflict("relationship_changing", words)
