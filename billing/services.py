"""The ledger: reserve, settle and release charges against a payer's credit (``channel.md`` 8.2).

Only ``orders`` and ``provisioning`` call this. Every function runs inside the caller's transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing.models import CHARGE_MACHINE, COUNTS, Charge, ChargeKind, ChargeState, TaxRate
from core import audit, clock, money
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor
from resellers.models import Account


@dataclass(frozen=True, slots=True)
class Tax:
    """What is added to a net amount: per cent, and how documents call it."""

    percent: Decimal
    label: str


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount with its tax, in one currency that the holder knows: ``net + tax = gross``; a credit is negative."""

    net: Decimal
    tax_percent: Decimal
    tax: Decimal
    gross: Decimal

    @classmethod
    def of(cls, net: Decimal, tax_percent: Decimal, currency: str) -> "Amount":
        """Add the tax to ``net``; both are rounded half-up to the currency's minor unit."""
        net = money.to_minor(net, currency)
        tax = money.to_minor(net * tax_percent / 100, currency)
        return cls(net, tax_percent, tax, net + tax)


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A charge to be reserved; amounts in ``currency``, ``source`` unique for ever."""

    source: str
    account_id: int
    description: str
    currency: str
    net: Decimal
    tax_percent: Decimal
    tax: Decimal
    gross: Decimal
    order_number: str = ""
    subscription_id: int | None = None
    asset_id: int | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """A payer's credit: limit - balance = available. ``unlimited`` skips the check and hides the figures."""

    limit: Decimal
    balance: Decimal
    unlimited: bool
    currency: str

    @property
    def available(self) -> Decimal:
        """What may still be ordered."""
        return self.limit - self.balance


class CreditExceeded(BusinessError):
    """The total is over the available credit; nothing was reserved."""


def tax_for(payer: Account) -> Tax:
    """The tax a payer is charged: the organization's rate for his country; none if exempt or without a rate."""
    if not payer.is_taxable:
        return Tax(Decimal(0), _("No tax (exempt)"))
    rate = TaxRate.objects.filter(organization_id=payer.organization_id, country=payer.country).first()
    if rate is None:
        return Tax(Decimal(0), _("No tax"))
    return Tax(rate.percent, f"{rate.name} {rate.percent.normalize():f} %")


def credit_of(payer: Account) -> Credit:
    """The payer's credit as the ledger stands; see ``billing.models.COUNTS`` for what counts."""
    total = Charge.objects.filter(COUNTS, payer=payer).aggregate(total=Sum("gross"))["total"]
    return Credit(payer.credit_limit, total or money.ZERO, payer.credit_unlimited, payer.currency)


def lock_payer(payer_id: int) -> Account:
    """Take the payer's row, so that two orders cannot spend the same credit."""
    # Not the key: rows that only refer to the account are written meanwhile without waiting.
    return Account.objects.select_for_update(of=("self",), no_key=True).get(pk=payer_id)


@transaction.atomic
def reserve(actor: Actor, *, payer: Account, charges: Iterable[NewCharge], over_limit_reason: str = "") -> list[Charge]:
    """Reserve charges against the credit of ``payer``, whose row the caller has locked.

    Raises :class:`CreditExceeded` ``no_credit`` if their total is over what is available, unless staff give a reason.
    """
    rows = list(charges)
    total = sum((row.gross for row in rows), money.ZERO)
    credit = credit_of(payer)
    if not credit.unlimited and total > credit.available and not over_limit_reason:
        raise CreditExceeded(
            "no_credit",
            _("The order total of %(total)s is over the available credit of %(available)s.")
            % {
                "total": money.show(total, payer.currency),
                "available": money.show(credit.available, payer.currency),
            },
        )
    made = Charge.objects.bulk_create([Charge(**_values(payer, row)) for row in rows])
    audit.record(
        actor,
        "credit.reserved",
        payer,
        after={"total": total, "sources": ", ".join(row.source for row in rows)},
        reason=over_limit_reason,
        account=payer,
    )
    return made


def post(actor: Actor, *, payer: Account, row: NewCharge) -> Charge | None:
    """Write an amount that is owed at once, whatever the credit says: a renewal, or a credit (negative amounts).

    None if nothing is to be written: the amount is zero, or ``source`` was posted before.
    """
    if not row.gross or Charge.objects.filter(source=row.source).exists():
        return None
    charge = Charge.objects.create(**_values(payer, row), state=ChargeState.DUE, due_at=clock.now())
    audit.record(
        actor,
        "credit.charged" if row.gross > 0 else "credit.credited",
        payer,
        after={"total": row.gross, "source": row.source, "what": row.description},
        account=payer,
    )
    return charge


def asset_charge(asset_id: int) -> Charge | None:
    """What an asset was charged with, which is what a return credits; None if nothing was."""
    rows = Charge.objects.filter(asset_id=asset_id, kind=ChargeKind.CHARGE, state=ChargeState.DUE)
    return rows.order_by("-id").first()


def last_tax(subscription_id: int, payer: Account) -> Decimal:
    """The tax percentage a service was last charged with, so that a credit gives back the same; else today's."""
    last = Charge.objects.filter(subscription_id=subscription_id, kind=ChargeKind.CHARGE).order_by("-id").first()
    return last.tax_percent if last else tax_for(payer).percent


def _values(payer: Account, row: NewCharge) -> dict[str, Any]:
    return {
        "organization_id": payer.organization_id,
        "payer": payer,
        "account_id": row.account_id,
        "subscription_id": row.subscription_id,
        "asset_id": row.asset_id,
        "source": row.source,
        "kind": ChargeKind.CHARGE if row.gross >= 0 else ChargeKind.CREDIT,
        "order_number": row.order_number,
        "description": row.description[:400],
        "currency": row.currency,
        "net": row.net,
        "tax_percent": row.tax_percent,
        "tax": row.tax,
        "gross": row.gross,
    }


def settle(source: str, *, subscription_id: int | None = None, asset_id: int | None = None) -> None:
    """The vendor has provisioned: the reserved charge is due, of this service. Settling twice changes nothing."""
    row = _by_source(source)
    if row.state != ChargeState.DUE:
        service = {
            "subscription_id": subscription_id or row.subscription_id,
            "asset_id": asset_id or row.asset_id,
        }
        CHARGE_MACHINE.fire(row, "settle", due_at=clock.now(), **service)


def release(source: str, *, reason: str) -> None:
    """The vendor refused, or somebody gave up: the credit is free again. Releasing twice changes nothing."""
    row = _by_source(source)
    if row.state == ChargeState.RESERVED:
        CHARGE_MACHINE.fire(row, "release", released_at=clock.now(), reason=reason[:255])


def reserve_again(source: str) -> None:
    """A refused service is provisioned again: its released charge is reserved once more, if the credit allows."""
    row = _by_source(source)
    if row.state != ChargeState.RELEASED:
        return
    payer = lock_payer(row.payer_id)
    credit = credit_of(payer)
    if not credit.unlimited and row.gross > credit.available:
        raise CreditExceeded("no_credit", _("The account has no credit left for this. Raise its credit limit first."))
    CHARGE_MACHINE.fire(row, "reserve", released_at=None, reason="")


def _by_source(source: str) -> Charge:
    row = Charge.objects.select_for_update(of=("self",)).filter(source=source).first()
    if row is None:
        raise NotVisible("charge_missing", _("There is no charge for %(source)s.") % {"source": source})
    return row


def line_source(line_public_id: object) -> str:
    """The source key of an order line's charge."""
    return f"order-line:{line_public_id}"
