"""Reads of the ledger."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, IntegerField, OuterRef, Prefetch, Subquery, Sum, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from billing.models import COUNTS, Charge, ChargeKind, ChargeState
from core import clock, money
from core.tenancy import Actor, TenantQuerySet
from resellers.enums import AccountKind, AccountStatus, SiteStatus
from resellers.models import Account, Site
from resellers.selectors import accounts_for
from subscriptions.enums import BILLED_STATUSES, SubscriptionStatus
from subscriptions.models import Subscription
from vendors.models import SyncStatus


def charged_by_day(actor: Actor, currency: str, *, days: int = 30) -> list[tuple[dt.date, Decimal]]:
    """What was charged on each of the last ``days`` days, before tax in ``currency``, oldest first; today is the last.

    Reserved and due charges count on the day they were made, released ones do not. Days without any are zero.
    """
    today = timezone.localdate(clock.now())
    first = today - dt.timedelta(days=days - 1)
    rows = (
        Charge.objects.visible_to(actor)
        .filter(currency=currency, state__in=(ChargeState.RESERVED, ChargeState.DUE))
        .filter(created_at__gte=clock.midnight(first), created_at__lt=clock.midnight(today + dt.timedelta(days=1)))
        .annotate(day=TruncDate("created_at"))
        .order_by("day")
        .values("day")
        .annotate(total=Sum("net"))
    )
    found: dict[dt.date, Decimal] = {row["day"]: row["total"] for row in rows}
    every = (first + dt.timedelta(days=number) for number in range(days))
    return [(day, found.get(day, money.ZERO)) for day in every]


def charges_for(actor: Actor) -> TenantQuerySet[Charge]:
    """Charges and credits the actor may see, newest first, with who owes them, for whom, and the service."""
    rows = Charge.objects.visible_to(actor).select_related("payer", "account", "subscription", "asset")
    return rows.order_by("-id")


def charges_of(actor: Actor, subscription: Subscription, *, limit: int = 50) -> list[Charge]:
    """The last charges and credits of one service, newest first."""
    return list(charges_for(actor).filter(subscription=subscription)[:limit])


def accounts_with_credit(actor: Actor) -> TenantQuerySet[Account]:
    """Accounts the actor may see, with ``available_credit`` in their own currency (None: unlimited, or a sub account).

    The arithmetic is that of ``billing.services.credit_of``, for many rows at once.
    """
    open_charges = Charge.objects.filter(COUNTS, payer=OuterRef("pk"))
    balance = open_charges.order_by().values("payer").annotate(total=Sum("gross")).values("total")
    available = F("credit_limit") - Coalesce(Subquery(balance), Decimal(0))
    return accounts_for(actor).annotate(
        available_credit=Case(
            When(credit_unlimited=True, then=None),
            When(bill_to__isnull=False, then=None),
            default=available,
            output_field=DecimalField(max_digits=19, decimal_places=4),
        )
    )


def credit_of_asset(asset_id: int) -> str:
    """What was credited for a returned asset, tax included, as people read it; empty if nothing was."""
    row = Charge.objects.filter(asset_id=asset_id, kind=ChargeKind.CREDIT).order_by("-id").first()
    return money.show(-row.gross, row.currency) if row is not None else ""


def charge_of_asset(actor: Actor, asset_id: int) -> Charge | None:
    """What an asset was charged with, which is what its return credits; None if nothing was."""
    rows = charges_for(actor).filter(asset_id=asset_id, kind=ChargeKind.CHARGE, state=ChargeState.DUE)
    return rows.first()


def resellers_with_figures(actor: Actor) -> TenantQuerySet[Account]:
    """Resellers with what a distributor asks first, in one statement and one for their sites.

    ``available_credit`` as above; ``customers``: open sub accounts; ``services``: active subscriptions of theirs and
    the reseller's own; ``spend``: what was charged to him in the last 30 days before tax, in his currency; ``failed``:
    services that could not be provisioned or changed; ``own_sites``: his storefront, if it is not deleted.
    """
    since = clock.now() - dt.timedelta(days=30)
    charges = Charge.objects.filter(COUNTS, payer=OuterRef("pk"), created_at__gte=since)
    spend = charges.order_by().values("payer").annotate(total=Sum("net")).values("total")
    services = Subscription.objects.filter(bill_to=OuterRef("pk"))
    money_field = DecimalField(max_digits=19, decimal_places=4)
    sites = Site.objects.exclude(status=SiteStatus.DELETED)
    customers = Account.objects.filter(bill_to=OuterRef("pk")).exclude(status=AccountStatus.CLOSED)
    return (
        accounts_with_credit(actor)
        .filter(kind=AccountKind.RESELLER)
        .annotate(
            customers=_count(customers),
            services=_count(services.filter(status__in=BILLED_STATUSES)),
            failed=_count(services.filter(sync_status=SyncStatus.FAILED).exclude(status=SubscriptionStatus.CANCELLED)),
            spend=Coalesce(Subquery(spend), Decimal(0), output_field=money_field),
        )
        .prefetch_related(Prefetch("sites", queryset=sites, to_attr="own_sites"))
    )


def _count(rows: TenantQuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("bill_to").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
