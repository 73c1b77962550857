"""What a reseller lists in his shop: list and unlist in bulk, and what he says otherwise than the distributor."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import LISTING_MACHINE, Category, Listing, ListingState, Product, SellingPolicy
from catalog.selectors import price_list_of, priced_plans
from catalog.services.pictures import forget_pictures, keep_picture, take_down
from catalog.shop import not_for, selling_prices
from core import audit, clock
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor
from resellers.editions import Capability, require_capability
from resellers.models import Account
from users.permissions import Perm

FIELDS = ("name", "summary", "description", "position")
NAMED = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of a bulk deed: how many changed, and which products did not, each with its reason."""

    done: int
    refused: tuple[tuple[Product, str], ...] = ()


def require_shop(actor: Actor, reseller: Account) -> None:
    """Raise unless ``actor`` may look after the shop of ``reseller`` and his plan includes that."""
    actor.require(Perm.SHOP_LISTING, reseller)
    if reseller.pk != actor.account_id:
        raise NotVisible("shop_missing", _("This shop does not exist."))
    require_capability(reseller, Capability.LISTING)


def _chosen(actor: Actor, products: Collection[Product]) -> list[Product]:
    rows = Product.objects.visible_to(actor).filter(pk__in=[row.pk for row in products], is_addon=False)
    return list(rows.order_by("name", "pk"))


@transaction.atomic
def list_products(actor: Actor, *, reseller: Account, products: Collection[Product]) -> Listed:
    """List base products; those without a purchase or selling price for one billing cycle at least are refused.

    The number of statements does not grow with the products. What is listed already stays and is not counted.
    """
    require_shop(actor, reseller)
    chosen = _chosen(actor, products)
    reasons = {product.pk: reason for product, reason in unsellable(reseller, chosen)}
    known = _locked(reseller, chosen)
    changing = []
    for product in chosen:
        row = known.get(product.pk)
        if row is not None and not LISTING_MACHINE.allows(row.state, "list"):
            if row.state == ListingState.WITHDRAWN:
                reasons[product.pk] = _("The product was withdrawn; it can be listed when it is offered again.")
            continue
        if product.pk not in reasons:
            changing.append(product)
    _ensure(reseller, [product for product in changing if product.pk not in known])
    done = _move(reseller, changing, "list")
    _record(actor, reseller, changing, listed=True)
    return Listed(done, tuple((product, reasons[product.pk]) for product in chosen if product.pk in reasons))


@transaction.atomic
def unlist_products(actor: Actor, *, reseller: Account, products: Collection[Product]) -> Listed:
    """Take products out of the shop, their pictures too. Subscriptions run on and may grow; baskets say it is not sold.

    Names, texts, shelf and order are kept for the next time.
    """
    require_shop(actor, reseller)
    chosen = _chosen(actor, products)
    known = _locked(reseller, chosen)
    changing = [row for row in chosen if row.pk in known and LISTING_MACHINE.allows(known[row.pk].state, "unlist")]
    done = _move(reseller, changing, "unlist")
    take_down(reseller, changing)
    _record(actor, reseller, changing, listed=False)
    return Listed(done)


def unsellable(reseller: Account, products: Collection[Product]) -> list[tuple[Product, str]]:
    """Those of ``products`` that cannot be listed, each with the reason in words."""
    prices = price_list_of(reseller)
    foreign = Product.objects.filter(pk__in=[row.pk for row in products])
    foreign = foreign.filter(product_type__instance__in=not_for(reseller, prices))
    closed = set(foreign.values_list("pk", flat=True))
    plans = priced_plans(products, prices)
    flat = [item for found in plans.values() for item in found if item.plan.is_sellable]
    sold = selling_prices(reseller, flat, price_list=prices) if prices else {}
    found = []
    for product in products:
        bought = [item.plan.pk for item in plans[product.pk] if item.plan.is_sellable]
        if product.pk in closed:
            found.append((product, _("This product is not for your market.")))
        elif not bought:
            found.append((product, _("No purchase price in your price list.")))
        elif not any(plan in sold for plan in bought):
            found.append((product, _("No selling price: make a price rule for it, or one for the whole shop.")))
    return found


def _locked(reseller: Account, products: Collection[Product]) -> dict[int, Listing]:
    rows = Listing.objects.select_for_update(of=("self",)).filter(account=reseller, product__in=products)
    return {row.product_id: row for row in rows.order_by("pk")}


def _ensure(reseller: Account, products: Collection[Product]) -> None:
    """Rows for products that were never listed; whoever has a listing is looked after by the clock from now on."""
    rows = [
        Listing(organization_id=reseller.organization_id, account=reseller, product=row, sort_name=row.name)
        for row in products
    ]
    Listing.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    SellingPolicy.objects.get_or_create(account=reseller, defaults={"organization_id": reseller.organization_id})


def _move(reseller: Account, products: Collection[Product], event: str) -> int:
    """Fire one event for many listings at once, by a compare-and-set on the states that allow it."""
    source = next(state for state, name in LISTING_MACHINE.transitions if name == event)
    rows = Listing.objects.filter(account=reseller, product__in=products, state=source)
    return rows.update(state=LISTING_MACHINE.target(source, event), updated_at=clock.real_now())


def _record(actor: Actor, reseller: Account, products: Collection[Product], *, listed: bool) -> None:
    if not products:
        return
    names = [row.name for row in list(products)[:NAMED]]
    action = "listing.listed" if listed else "listing.unlisted"
    after = {"number": len(products), "products": "; ".join(names)}
    audit.record(actor, action, reseller, after=after, account=reseller)


@transaction.atomic
def save_listing(
    actor: Actor, *, reseller: Account, product: Product, values: Mapping[str, Any], picture: bytes | None = None
) -> Listing:
    """Give a product another name, texts, shelf, place or picture in the shop; empty values are the distributor's own.

    ``values`` are any of name, summary, description, position and category; ``picture`` is an uploaded file, or empty
    to take the present one away (None: it stays). The state of the product stays.
    Raises BusinessError of :func:`core.pictures.read_picture` for the field ``picture``.
    """
    require_shop(actor, reseller)
    if product.organization_id != reseller.organization_id or product.is_addon:
        raise NotVisible("product_missing", _("This product does not exist."))
    category: Category | None = values.get("category")
    if category is not None and category.organization_id != reseller.organization_id:
        raise BusinessError("category_missing", _("This category does not exist."), field="category")
    _ensure(reseller, [product])
    row: Listing = Listing.objects.select_for_update(of=("self",)).get(account=reseller, product=product)
    before = {name: getattr(row, name) for name in (*FIELDS, "category", "picture")}
    for name in (*FIELDS, "category"):
        if name in values:
            setattr(row, name, values[name])
    row.sort_name = row.name or product.name
    if picture is not None:
        row.picture = keep_picture(reseller, picture) if picture else ""
    row.save()
    if picture is not None:
        forget_pictures(reseller)
    after = {name: getattr(row, name) for name in (*FIELDS, "category", "picture")}
    audit.record(actor, "listing.saved", row, before=before, after=after)
    return row
