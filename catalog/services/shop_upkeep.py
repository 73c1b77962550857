"""What the clock does for resellers' shops: withdraws what left their price list, and tells whose cost changed.

Purchase prices are compared once for each price list, with what they were (:class:`KnownCost`), not once for each
reseller: only what changed is looked up in the shops.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from catalog.models import (
    LISTING_MACHINE,
    SOLD_CHARGE_TYPES,
    CostChange,
    KnownCost,
    Listing,
    ListingPicture,
    ListingState,
    Plan,
    PriceList,
    Product,
    SellingPolicy,
    SellingRule,
)
from catalog.selectors import price_lists_of, price_plans
from core import audit, clock
from core.events import emit
from core.tenancy import system_actor
from resellers.editions import Capability, has_capability
from resellers.enums import AccountStatus, SiteStatus
from resellers.models import Account, Site

NAMED = 20
CHUNK = 2000
SYSTEM = "catalogue"


@dataclass(frozen=True, slots=True)
class Moves:
    """What changed in one price list since it was last looked at: purchase prices, and products that came or went."""

    changes: tuple[CostChange, ...]
    gone: frozenset[int]
    back: frozenset[int]


def keep_shops() -> int:
    """Bring every shop up to date, price list by price list, each in a transaction; the number of lists.

    Shops whose reseller has no valid price list, or whose plan has no listing, rest as they are; what is left of a
    shop whose site was deleted goes.
    """
    forget_shops()
    rows = Account.objects.filter(selling_policy__isnull=False).exclude(status=AccountStatus.CLOSED).order_by("pk")
    resellers = [row for row in rows if has_capability(row.edition, Capability.LISTING)]
    lists = price_lists_of(resellers)
    shops: dict[int, list[Account]] = defaultdict(list)
    for reseller in resellers:
        if reseller.pk in lists:
            shops[lists[reseller.pk].pk].append(reseller)
    for price_list in {row.pk: row for row in lists.values()}.values():
        keep_list(price_list, shops[price_list.pk])
    return len(shops)


def forget_shops() -> int:
    """Erase catalogue, pictures, rules and price settings of resellers whose only site is deleted; how many."""
    deleted = Site.objects.filter(account=OuterRef("pk"), status=SiteStatus.DELETED)
    there = Site.objects.filter(account=OuterRef("pk")).exclude(status=SiteStatus.DELETED)
    rows = Account.objects.filter(Exists(deleted), ~Exists(there), selling_policy__isnull=False).order_by("pk")
    resellers = list(rows[:CHUNK])
    for reseller in resellers:
        with transaction.atomic():
            for kind in (Listing, ListingPicture, SellingRule, SellingPolicy):
                kind.objects.filter(account=reseller).delete()
            actor = system_actor(reseller.organization_id, label=SYSTEM)
            audit.record(actor, "listing.forgotten", reseller, account=reseller)
    return len(resellers)


@transaction.atomic
def keep_list(price_list: PriceList, resellers: Collection[Account]) -> None:
    """Compare one price list with what is known of it, and bring the shops of those who buy from it up to date."""
    PriceList.objects.select_for_update(of=("self",)).get(pk=price_list.pk)
    sold, moves = _compare(price_list)
    fresh = SellingPolicy.objects.filter(account__in=resellers).exclude(list_seen=price_list.pk)
    moved = set(fresh.values_list("account_id", flat=True))
    for reseller in resellers:
        if reseller.pk in moved:
            _recheck(reseller, sold)
    usual = {row.pk: row for row in resellers if row.pk not in moved}
    if moves.gone:
        rows = Listing.objects.filter(account__in=usual, product__in=moves.gone)
        _withdraw(usual, rows.exclude(state=ListingState.WITHDRAWN).select_related("product"))
    if moves.back:
        _offer_again(Listing.objects.filter(account__in=usual, product__in=moves.back))
    if moves.changes:
        _tell_costs(usual, moves.changes)
    fresh.update(list_seen=price_list.pk)
    names = Listing.objects.filter(account__in=resellers, name="").exclude(sort_name=F("product__name"))
    for row in list(names.select_related("product")[:CHUNK]):
        Listing.objects.filter(pk=row.pk).update(sort_name=row.product.name)


def _compare(price_list: PriceList) -> tuple[set[int], Moves]:
    """The base products the list sells now, and what moved; keeps what is known for the next time."""
    plans = Plan.objects.filter(organization_id=price_list.organization_id, is_offered=True)
    plans = plans.filter(product__is_published=True, product__discontinued_at=None)
    plans = plans.filter(product__charge_type__in=SOLD_CHARGE_TYPES)
    priced = price_plans(plans, price_list)
    now = {item.plan.pk: item.price.amount for item in priced}
    known_rows = list(KnownCost.objects.filter(price_list=price_list).values_list("plan_id", "amount", "plan__product"))
    known = {plan: amount for plan, amount, _product in known_rows}
    sold, before = {item.plan.product_id for item in priced}, {product for _plan, _amount, product in known_rows}
    changes = _remember(price_list, known, now) if known else ()
    if not known:
        _keep(price_list, now)
    return sold, Moves(changes, frozenset(before - sold), frozenset(sold - before))


def _remember(
    price_list: PriceList, known: Mapping[int, Decimal], now: Mapping[int, Decimal]
) -> tuple[CostChange, ...]:
    moved = [plan for plan in known.keys() | now.keys() if known.get(plan) != now.get(plan)]
    rows = [
        CostChange(
            organization_id=price_list.organization_id,
            price_list=price_list,
            plan_id=plan,
            before=known.get(plan),
            after=now.get(plan),
            seen_at=clock.now(),
        )
        for plan in sorted(moved)
    ]
    CostChange.objects.bulk_create(rows, batch_size=1000)
    KnownCost.objects.filter(price_list=price_list, plan__in=[plan for plan in moved if plan not in now]).delete()
    _keep(price_list, {plan: now[plan] for plan in moved if plan in now})
    return tuple(rows)


def _keep(price_list: PriceList, amounts: Mapping[int, Decimal]) -> None:
    KnownCost.objects.bulk_create(
        [
            KnownCost(organization_id=price_list.organization_id, price_list=price_list, plan_id=plan, amount=amount)
            for plan, amount in amounts.items()
        ],
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["price_list", "plan"],
        update_fields=["amount", "updated_at"],
    )


def _recheck(reseller: Account, sold: Collection[int]) -> None:
    """Compare one whole shop with what its price list sells: the list is new to it."""
    rows = Listing.objects.filter(account=reseller)
    known = list(rows.order_by().values_list("pk", "product_id", "state"))
    # A list sells tens of thousands of products: they are compared here, and only what moves is read and written.
    gone = [pk for pk, product, state in known if state != ListingState.WITHDRAWN and product not in sold]
    back = [pk for pk, product, state in known if state == ListingState.WITHDRAWN and product in sold]
    if gone:
        _withdraw({reseller.pk: reseller}, rows.filter(pk__in=gone).select_related("product"))
    if back:
        _offer_again(rows.filter(pk__in=back))


def _withdraw(resellers: Mapping[int, Account], rows: Iterable[Listing]) -> None:
    """Withdraw listings; whoever had them in his shop is told. Subscriptions run on."""
    told: dict[int, list[Product]] = defaultdict(list)
    chosen = []
    for row in rows:
        if LISTING_MACHINE.allows(row.state, "withdraw"):
            chosen.append(row.pk)
            if row.state == ListingState.LISTED:
                told[row.account_id].append(row.product)
    for start in range(0, len(chosen), CHUNK):
        still = Listing.objects.filter(pk__in=chosen[start : start + CHUNK]).exclude(state=ListingState.WITHDRAWN)
        still.update(state=ListingState.WITHDRAWN, updated_at=clock.real_now())
    for account_id, products in told.items():
        reseller = resellers[account_id]
        names = sorted(product.name for product in products)
        payload = {"number": len(names), "products": names[:NAMED]}
        actor = system_actor(reseller.organization_id, label=SYSTEM)
        after = {"number": len(names), "products": "; ".join(names[:NAMED])}
        audit.record(actor, "listing.withdrawn", reseller, after=after, account=reseller)
        emit("listing.withdrawn", payload, organization_id=reseller.organization_id, account_id=reseller.pk)


def _offer_again(rows: QuerySet[Listing]) -> None:
    """What was withdrawn is offered again: unlisted, for the reseller to decide."""
    withdrawn = rows.filter(state=ListingState.WITHDRAWN)
    target = LISTING_MACHINE.target(ListingState.WITHDRAWN, "offer_again")
    withdrawn.update(state=target, updated_at=clock.real_now())


def _tell_costs(resellers: Mapping[int, Account], changes: Collection[CostChange]) -> None:
    """One event to each reseller who lists a product whose purchase price changed; it comes to apply by itself."""
    changed = [row for row in changes if row.before is not None and row.after is not None]
    plans = dict(Plan.objects.filter(pk__in=[row.plan_id for row in changed]).values_list("pk", "product_id"))
    listings = Listing.objects.filter(
        account__in=resellers, state=ListingState.LISTED, product__in=set(plans.values())
    ).values_list("account_id", "product_id", "sort_name")
    told: dict[int, set[str]] = defaultdict(set)
    for account_id, _product, name in listings.iterator(chunk_size=CHUNK):
        told[account_id].add(name)
    for account_id, names in told.items():
        reseller = resellers[account_id]
        payload = {"number": len(names), "products": sorted(names)[:NAMED]}
        emit("listing.cost_changed", payload, organization_id=reseller.organization_id, account_id=account_id)
