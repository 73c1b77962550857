"""The price of a running subscription, set by hand ("Edit Pricing Info", ``channel.md`` 9.2).

The billing period that runs was charged already, so a new price holds from the next one on; a renewal of the same plan
keeps it instead of the price list's.
"""

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, money
from core.errors import BusinessError
from core.tenancy import Actor
from subscriptions.models import Subscription
from subscriptions.preconditions import Action, demand
from subscriptions.services.changes import lock_subscription
from subscriptions.services.life import tell
from subscriptions.services.switch import said
from users.permissions import Perm

MAX_PRICE = Decimal(10) ** 9


@transaction.atomic
def set_next_price(actor: Actor, *, subscription: Subscription, unit_price: Decimal, reason: str) -> Subscription:
    """Set the price per unit and billing period, before tax, from the next period on. Charges and tells nothing.

    Raises Conflict while the service is not active and synchronized or is going to end; BusinessError for a price below
    zero, with more than four decimals, or the same as now, and for a reason that says nothing.
    """
    row = lock_subscription(actor, subscription)
    actor.require(Perm.PRICE_EDIT, row.account)
    demand(row, Action.EDIT_PRICE)
    reason = said(reason)
    if not 0 <= unit_price <= MAX_PRICE:
        raise BusinessError("price_invalid", _("Type a price of 0 or more."), field="unit_price")
    if money.to_stored(unit_price) != unit_price:
        raise BusinessError("price_invalid", _("Type four decimals at most."), field="unit_price")
    was = row.unit_price if row.next_unit_price is None else row.next_unit_price
    if unit_price == was:
        raise BusinessError("nothing_changes", _("This is the price already."), field="unit_price")
    row.next_unit_price = None if unit_price == row.unit_price else unit_price
    row.save(update_fields=["next_unit_price", "updated_at"])
    audit.record(
        actor,
        "subscription.price_set",
        row,
        before={"unit_price": was},
        after={"unit_price": unit_price, "from": row.period_ends_at},
        reason=reason,
    )
    tell(row, "pricing_changed")
    return row


def price_of_next_period(row: Subscription) -> Decimal:
    """What a unit costs from the next billing period of this plan on, before tax."""
    price: Decimal = row.unit_price if row.next_unit_price is None else row.next_unit_price
    return price


def next_price_values(row: Subscription) -> dict[str, object]:
    """What the beginning of a period changes: the price that was set by hand, if one was."""
    if row.next_unit_price is None:
        return {}
    return {"unit_price": row.next_unit_price, "next_unit_price": None, "price_trace": [str(_("Set by hand"))]}


def is_set_by_hand(row: Subscription) -> bool:
    """Whether the price of the present period is one that staff set, not one of a list."""
    return bool(row.price_trace == [str(_("Set by hand"))])
