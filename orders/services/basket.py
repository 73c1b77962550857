"""The basket: find or make it, fill it, say for whom, and hand a visitor's basket over at sign-in."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from catalog.markets import market_for, refuse_foreign
from catalog.models import Plan, Product
from catalog.selectors import addons_of, price_list_for, price_list_of, price_plans
from catalog.shop import is_sold_at, shop_window
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor, ActorKind
from orders.legs import read_name
from orders.models import Basket, BasketLine
from orders.targets import demand_orderable, mode_of
from resellers.enums import PurchaseMode
from resellers.models import Account, Site
from resellers.selectors import own_account, purchase_targets
from users.permissions import Perm

MAX_LINES = 50
MAX_QUANTITY = 100_000


def open_basket(actor: Actor, *, site: Site, visitor_key: str = "") -> Basket:
    """The actor's basket at this site, made if there is none; a visitor's is found by the key in his session."""
    if actor.user_id is None:
        return _visitor_basket(actor, site, visitor_key)
    found = Basket.objects.filter(user_id=actor.user_id, site=site, by_staff=False).first()
    account = own_account(actor)
    if found is None:
        try:
            with transaction.atomic():
                found = Basket.objects.create(
                    organization_id=site.organization_id,
                    site=site,
                    user_id=actor.user_id,
                    buyer_account=account,
                    **_default_target(account),
                )
        except IntegrityError:
            found = Basket.objects.get(user_id=actor.user_id, site=site, by_staff=False)
    if found.buyer_account_id != (account.pk if account else None):
        # Also for nobody's user any more: the prices of his former account are not his to see.
        Basket.objects.filter(pk=found.pk).update(
            buyer_account=account,
            service_details={},
            billing_address={},
            checkout_key=uuid.uuid4(),
            **_default_target(account),
        )
        found.refresh_from_db()
    return found


def demand_ordering(actor: Actor, basket: Basket) -> None:
    """Raise unless the actor may order with this basket: his own in the shop, or the one he keeps as an employee."""
    if not basket.by_staff:
        actor.require(Perm.SHOP_ORDER)
        return
    actor.require(Perm.ORDER_MANAGE, basket.target_account)
    if actor.kind != ActorKind.SYSTEM and actor.user_id != basket.user_id:
        raise NotVisible("basket_missing", _("This basket does not exist."))


@transaction.atomic
def open_staff_basket(actor: Actor, *, account: Account) -> Basket:
    """What the employee is about to order for ``account``, made if there is nothing yet.

    Raises BusinessError with what stands in the way: ``account_on_hold``, ``no_price_list``, ``target_invalid``.
    """
    actor.require(Perm.ORDER_MANAGE, account)
    demand_orderable(account)
    site = Site.objects.get(organization_id=account.organization_id, account=None)
    owner = {"user_id": actor.user_id, "site": site, "target_account": account, "by_staff": True}
    made = {"organization_id": account.organization_id, "purchase_mode": mode_of(account)}
    return Basket.objects.get_or_create(**owner, defaults=made)[0]


def _default_target(account: Account | None) -> dict[str, Any]:
    if account is None or account.is_reseller:
        return {"target_account": None, "purchase_mode": ""}
    return {"target_account": account, "purchase_mode": mode_of(account)}


def _visitor_basket(actor: Actor, site: Site, visitor_key: str) -> Basket:
    try:
        key = uuid.UUID(visitor_key)
    except ValueError:
        key = None
    found = Basket.objects.filter(public_id=key, user=None, site=site).first() if key else None
    return found or Basket.objects.create(organization_id=site.organization_id, site=site)


@transaction.atomic
def adopt_basket(actor: Actor, *, site: Site, visitor_key: str) -> None:
    """After sign-in: what the visitor put into his basket moves to the user's; the larger quantity of a plan wins."""
    try:
        key = uuid.UUID(visitor_key)
    except ValueError:
        return
    old = Basket.objects.select_for_update(of=("self",)).filter(public_id=key, user=None, site=site).first()
    if old is None or actor.user_id is None:
        return
    basket = _locked(open_basket(actor, site=site))
    for line in old.lines.filter(parent=None).order_by("pk"):
        mine = basket.lines.filter(plan_id=line.plan_id, parent=None, unit=line.unit).first()
        if mine is None and basket.lines.count() > MAX_LINES - 1 - line.addon_lines.count():
            continue  # A full basket stays as it is; nobody orders more at once because he was not signed in.
        if mine is None:
            addon_lines = list(line.addon_lines.all())
            line.basket = basket
            line.save(update_fields=["basket"])
            for addon in addon_lines:
                addon.basket = basket
                addon.save(update_fields=["basket"])
        elif mine.quantity < line.quantity:
            mine.quantity = line.quantity
            mine.save(update_fields=["quantity"])
    old.delete()
    _touch(basket)


def _locked(basket: Basket) -> Basket:
    return Basket.objects.select_for_update(of=("self",)).get(pk=basket.pk)


def check_quantity(product: Product, quantity: int, *, reader: tuple[Actor, Site] | None = None) -> None:
    """Raise ``quantity_limit`` unless the vendor allows this many of ``product``; ``reader``: by the name he reads."""
    low, high = product.min_quantity, product.max_quantity or MAX_QUANTITY
    if not low <= quantity <= high:
        name = read_name(reader[0], product, reader[1]) if reader else product.name
        raise BusinessError(
            "quantity_limit",
            _("%(product)s: between %(low)s and %(high)s.") % {"product": name, "low": low, "high": high},
            field="quantity",
        )


@transaction.atomic
def add_line(
    actor: Actor, *, basket: Basket, site: Site, plan: Plan, quantity: int, parent: BasketLine | None = None
) -> BasketLine:
    """Put a plan into the basket; the same plan again sets the quantity. Refused if it is not sold to this account.

    Of a product that is provisioned unit by unit every unit becomes a line of its own, and the same plan again adds.
    """
    if basket.by_staff or not actor.is_anonymous:
        demand_ordering(actor, basket)
    basket = _locked(basket)
    product = plan.product
    if not _is_sold(actor, site, plan, basket) or (product.is_addon and parent is None):
        raise BusinessError("not_sold", _("This product is no longer available."))
    if parent is not None and (
        parent.basket_id != basket.pk or not addons_of(parent.plan.product, actor).filter(pk=product.pk).exists()
    ):
        raise BusinessError("addon_foreign", _("This add-on does not belong to that product."))
    _check_market(basket, plan, _buyer(actor, basket))
    if product.product_type.split_quantity:
        # Each line is one; how many lines there may be is said below.
        check_quantity(product, min(quantity, 1), reader=(actor, site))
        return _add_units(basket, plan, quantity)
    check_quantity(product, quantity, reader=(actor, site))
    if basket.lines.count() >= MAX_LINES:
        raise _full()
    row, created = BasketLine.objects.get_or_create(
        basket=basket,
        plan=plan,
        parent=parent,
        defaults={"organization_id": basket.organization_id, "quantity": quantity},
    )
    if not created:
        row.quantity = quantity
        row.save(update_fields=["quantity", "updated_at"])
    _touch(basket)
    return row


def _add_units(basket: Basket, plan: Plan, quantity: int) -> BasketLine:
    """A line of one for each unit, behind those that are there; returns the last."""
    known = basket.lines.count()
    if quantity > MAX_LINES:
        raise BusinessError("quantity_limit", _("At most %(n)s licences at once.") % {"n": MAX_LINES}, field="quantity")
    if known + quantity > MAX_LINES:
        raise _full()
    highest = basket.lines.filter(plan=plan, parent=None).aggregate(top=Max("unit"))["top"] or 0
    rows = BasketLine.objects.bulk_create(
        BasketLine(basket=basket, plan=plan, organization_id=basket.organization_id, unit=number)
        for number in range(highest + 1, highest + quantity + 1)
    )
    _touch(basket)
    return rows[-1]


def _full() -> BusinessError:
    return BusinessError("basket_full", _("A basket holds %(n)s lines at most. Order these first.") % {"n": MAX_LINES})


def _buyer(actor: Actor, basket: Basket) -> Account | None:
    return basket.target_account if basket.by_staff else own_account(actor)


def _check_market(basket: Basket, plan: Plan, account: Account | None) -> None:
    """Refuse what is sold in another market than the buyer's."""
    instance = plan.product.product_type.instance
    if not instance.country:
        return
    prices = price_list_of(account) if account else None
    market = market_for(basket.organization, account, prices)
    refuse_foreign(instance, countries=market.countries, currency=market.currency)


def _is_sold(actor: Actor, site: Site, plan: Plan, basket: Basket) -> bool:
    product = plan.product
    if not Product.objects.visible_to(actor).filter(pk=product.pk).exists() or not plan.is_sellable:
        return False
    account = _buyer(actor, basket)
    if not basket.by_staff and site.account_id is not None:
        return is_sold_at(actor, shop_window(actor, site, account), plan)
    prices = price_list_for(actor, site, account)
    if prices is None:
        return actor.is_anonymous and site.anonymous_access
    return bool(price_plans(Plan.objects.filter(pk=plan.pk), prices))


@transaction.atomic
def change_line(actor: Actor, *, basket: Basket, line_id: uuid.UUID, quantity: int) -> None:
    """Set a line's quantity; 0 removes it with its add-ons."""
    if basket.by_staff:
        demand_ordering(actor, basket)
    basket = _locked(basket)
    row = basket.lines.select_related("plan__product").filter(public_id=line_id).first()
    if row is None:
        raise NotVisible("line_missing", _("This line is no longer in the basket."))
    if quantity == 0:
        row.delete()
    elif row.unit:
        raise BusinessError(
            "quantity_fixed", _("Each licence is a line. Remove lines for fewer, buy again for more."), field="quantity"
        )
    else:
        check_quantity(row.plan.product, quantity, reader=(actor, basket.site))
        row.quantity = quantity
        row.save(update_fields=["quantity", "updated_at"])
    _touch(basket)


@transaction.atomic
def set_target(actor: Actor, *, basket: Basket, mode: str, account: Account | None) -> Basket:
    """Say for whom the basket is; a new target asks for its billing and service details anew.

    A direct customer buys for himself without a mode, an end customer as such. A reseller chooses a mode and, for
    others, one of his accounts.
    """
    actor.require(Perm.SHOP_ORDER)
    own = own_account(actor)
    if own is None:
        raise BusinessError("no_account", _("Sign in as a user of an account to order."))
    if not own.is_reseller:
        mode, account = mode_of(own), own
    elif mode not in PurchaseMode.values:
        raise BusinessError("mode_missing", _("Choose for whom you order."), field="purchase_mode")
    else:
        target = own if mode == PurchaseMode.PERSONAL_USE else account
        if target is None:
            raise BusinessError("target_missing", _("Choose an account."), field="target_account")
        account = purchase_targets(actor, mode).filter(pk=target.pk).first()
        if account is None:
            raise BusinessError("target_invalid", _("You cannot order for this account."), field="target_account")
    row = _locked(basket)
    if row.target_account_id != account.pk or row.purchase_mode != mode:
        row.billing_address, row.service_details, row.checked_job = {}, {}, None
        row.checkout_key = uuid.uuid4()
    row.target_account, row.purchase_mode, row.buyer_account = account, mode, own
    row.save()
    return row


@transaction.atomic
def set_billing_address(actor: Actor, *, basket: Basket, address: Mapping[str, str]) -> Basket:
    """Keep the billing address that the documents of this order will show."""
    demand_ordering(actor, basket)
    missing = [name for name in ("name", "address_line1", "city", "country") if not address.get(name, "").strip()]
    if missing:
        raise BusinessError("address_incomplete", _("Complete the billing address."), field=missing[0])
    row = _locked(basket)
    if row.billing_address != dict(address):
        row.billing_address, row.checkout_key = dict(address), uuid.uuid4()
        row.save(update_fields=["billing_address", "checkout_key", "updated_at"])
    return row


@transaction.atomic
def set_service_details(actor: Actor, *, basket: Basket, instance_id: str, details: Mapping[str, Any]) -> Basket:
    """Keep what the vendor of one instance asked, and what its checks said."""
    demand_ordering(actor, basket)
    row = _locked(basket)
    if row.service_details.get(instance_id) != dict(details):
        row.service_details = {**row.service_details, instance_id: dict(details)}
        row.checkout_key = uuid.uuid4()
        row.save(update_fields=["service_details", "checkout_key", "updated_at"])
    return row


def _touch(basket: Basket) -> None:
    """Changed contents are another order and get a key of their own, so that only what was reviewed is ordered."""
    Basket.objects.filter(pk=basket.pk).update(checkout_key=uuid.uuid4())
