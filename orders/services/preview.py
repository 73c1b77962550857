"""What a change of a subscription would mean, in words and money, before anybody confirms it (``channel.md`` 9.2).

Amounts are in the subscription's currency and before tax unless they say gross; a credit is negative.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.proration import Part, remaining, unused
from billing.services import Amount, last_tax
from catalog.models import RefundPolicy
from core import clock, money
from orders.legs import customer_tax
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from subscriptions.periods import renewal_at
from subscriptions.services.price import price_of_next_period

RUNNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Preview:
    """What happens, when, what it costs or gives back now, what is charged from then on, and what cannot be undone.

    ``amount`` is due now (negative: credited). ``next_net`` is charged per billing period from
    ``next_at`` on. ``deadline`` is the vendor's, until which the thing is possible. ``request`` says that staff decide.
    """

    what: str
    when: str
    amount: Amount
    currency: str
    next_net: Decimal | None
    next_at: dt.datetime | None
    irrevocable: str
    trace: tuple[str, ...]
    deadline: dt.datetime | None = None
    request: bool = False

    def credit(self) -> dict[str, str]:
        """The amounts as an operation keeps them until the vendor has done it."""
        return {
            "net": str(self.amount.net),
            "tax_percent": str(self.amount.tax_percent),
            "tax": str(self.amount.tax),
            "gross": str(self.amount.gross),
            "what": self.what,
        }


def period_of(row: Subscription) -> tuple[dt.datetime, dt.datetime]:
    """The billing period that was charged last; a subscription that never began has one that begins now."""
    start = row.period_starts_at or row.starts_at or clock.now()
    end = row.period_ends_at or start + dt.timedelta(days=30)
    return start, end


def part_left(row: Subscription) -> Part:
    """What is left of the billing period for something that begins today."""
    start, end = period_of(row)
    return remaining(start, end, clock.now(), row.organization.time_zone)


def part_unused(row: Subscription) -> Part:
    """What is given back of the billing period for something that ends today, as the product type says."""
    start, end = period_of(row)
    policy = row.product.product_type.refund_policy
    return unused(start, end, clock.now(), row.organization.time_zone, policy)


def amount_words(part: Part, amount: Decimal, whole: Decimal, currency: str) -> str:
    """How an amount came about: ``20 of 30 days of 30.00 EUR = 20.00 EUR``."""
    return _("%(part)s of %(whole)s %(unit)s of %(amount)s = %(result)s") % {
        "part": part.part,
        "whole": part.whole,
        "unit": _("days") if part.unit == "days" else _("hours"),
        "amount": money.show(whole, currency),
        "result": money.show(amount, currency),
    }


def period_price(row: Subscription, *, quantity: int | None = None, is_next: bool = False) -> Decimal:
    """What a billing period costs before tax: licences and live add-ons; the next one without those that are to end."""
    paid = RUNNING if is_next else (*RUNNING, SubscriptionStatus.PENDING_CANCEL)
    addons = sum(
        (addon.unit_price * addon.quantity for addon in row.addons.all() if addon.status in paid),
        money.ZERO,
    )
    count = row.quantity if quantity is None else quantity
    return money.to_minor(row.unit_price * count + addons, row.currency)


def next_period_price(row: Subscription, *, quantity: int | None = None) -> Decimal:
    """What the next billing period costs before tax: as :func:`period_price`, at the price that was set for it."""
    count = row.quantity if quantity is None else quantity
    more = (price_of_next_period(row) - row.unit_price) * count
    return money.to_minor(period_price(row, quantity=quantity, is_next=True) + more, row.currency)


def charge_for(row: Subscription, unit_price: Decimal, quantity: int) -> tuple[Decimal, str]:
    """The price of ``quantity`` more units for what is left of the period, and how it came about."""
    part = part_left(row)
    whole = unit_price * quantity
    amount = part.of(whole, row.currency)
    return amount, amount_words(part, amount, money.to_minor(whole, row.currency), row.currency)


def credit_for(row: Subscription, whole: Decimal) -> tuple[Decimal, str]:
    """What of a period's price is given back for something that ends now, and how it came about."""
    if row.product.product_type.refund_policy == RefundPolicy.NONE:
        return money.ZERO, _("Nothing is given back for the rest of the period.")
    part = part_unused(row)
    amount = part.of(whole, row.currency)
    return amount, amount_words(part, amount, money.to_minor(whole, row.currency), row.currency)


def taxed(row: Subscription, net: Decimal) -> Amount:
    """An amount with the tax the service is charged with; on the customer's leg that of his country."""
    if row.is_customers_view:
        return Amount.of(net, customer_tax(row.account).percent, row.currency)
    return Amount.of(net, last_tax(row.pk, row.bill_to), row.currency)


def renews_at(row: Subscription) -> dt.datetime | None:
    """When the next term begins, if the vendor has told an end."""
    return renewal_at(row.term_ends_at) if row.term_ends_at else None
