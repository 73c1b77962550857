"""Orders that a program fills line by line before it checks them out (``api.md`` 10.3). Nothing is charged or reserved.

A draft is an order in its first state, with lines at the prices of the moment they were put in. Only programs of the
account that began it see it; it can be checked out for seven days and is erased after thirty.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from catalog.markets import market_for, refuse_foreign
from catalog.models import Plan
from catalog.selectors import addons_of, price_list_of, price_plans
from core import audit, clock, money
from core.custom_fields import CustomValues, Entity
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor
from orders.enums import LineKind, OrderStatus
from orders.models import Order, OrderLine
from orders.services.basket import MAX_LINES, MAX_QUANTITY, check_quantity
from orders.services.draft_prices import price_lines, sum_up, wish_of
from orders.targets import mode_of
from resellers.enums import ORDERING_KINDS
from resellers.models import Account, Site
from resellers.services.accounts import billing_address
from subscriptions.models import Subscription, SubscriptionAddOn
from subscriptions.services.changes import lock_subscription
from users.permissions import Perm

KEPT = dt.timedelta(days=7)
ERASED_AFTER = dt.timedelta(days=30)
MOST_DRAFTS = 500


def demand_drafting(actor: Actor, account: Account) -> None:
    """Raise unless the actor may order for ``account``: an employee's program, or the reseller's for his own."""
    if actor.is_staff:
        actor.require(Perm.ORDER_MANAGE, account)
    else:
        actor.require(Perm.SHOP_ORDER, account)
    if account.kind not in ORDERING_KINDS:
        raise BusinessError("target_invalid", _("Nothing is ordered for an account of this kind."), field="accountId")
    if actor.is_customer and actor.account_id not in (account.pk, account.bill_to_id):
        raise BusinessError("target_invalid", _("You cannot order for this account."), field="accountId")


@transaction.atomic
def begin_draft(actor: Actor, *, account: Account, reference: str = "", bill_to_id: int | None = None) -> Order:
    """Begin an order for ``account``, in the purchase mode that follows from its kind; it has no lines yet.

    Raises ``target_invalid``, ``bill_to_mismatch`` if ``bill_to_id`` is not who is billed, ``no_price_list``, and
    ``too_many_drafts``.
    """
    demand_drafting(actor, account)
    payer = account.bill_to or account
    if bill_to_id is not None and bill_to_id != payer.pk:
        words = _("This account is billed to another one. Leave billingToId out.")
        raise BusinessError("bill_to_mismatch", words, field="billingToId")
    prices = price_list_of(account)
    if prices is None:
        raise BusinessError("no_price_list", _("There is no valid price list for this account. Assign one first."))
    begun = Order.objects.filter(organization_id=account.organization_id, status=OrderStatus.DRAFT)
    if begun.filter(buyer_account_id=actor.account_id, expires_at__gt=clock.now()).count() >= MOST_DRAFTS:
        words = _("There are %(n)s drafts already. Check some out, or let them expire.")
        raise BusinessError("too_many_drafts", words % {"n": MOST_DRAFTS})
    key = uuid.uuid4()
    draft = Order.objects.create(
        organization_id=account.organization_id,
        number=f"draft-{key.hex}",  # The number is given at checkout, so that erased drafts leave no gaps.
        reference=reference[:200],
        account=account,
        payer=payer,
        buyer_account_id=actor.account_id,
        buyer_id=actor.user_id,
        buyer_label=actor.label,
        site=Site.objects.get(organization_id=account.organization_id, account=None),
        purchase_mode=mode_of(account),
        price_list=prices,
        currency=prices.currency,
        net=money.ZERO,
        tax=money.ZERO,
        gross=money.ZERO,
        billing_address=billing_address(payer),
        idempotency_key=key,
        expires_at=clock.now() + KEPT,
    )
    audit.record(actor, "order.drafted", draft, after={"account": account, "mode": draft.purchase_mode})
    return draft


def lock_draft(actor: Actor, order: Order) -> Order:
    """The draft under a lock, with what its checkout reads.

    Raises NotVisible for another's, Conflict ``order_is_not_draft`` for a placed one.
    """
    rows = Order.objects.visible_to(actor).select_for_update(of=("self",))
    rows = rows.select_related("account__bill_to", "payer", "site", "price_list")
    row = rows.filter(pk=order.pk, buyer_account_id=actor.account_id).first()
    if row is None:
        raise NotVisible("order_not_found", _("This order does not exist."))
    demand_drafting(actor, row.account)
    if row.status != OrderStatus.DRAFT:
        raise Conflict("order_is_not_draft", _("This order is placed; only a draft can be changed."))
    return row


def demand_fresh(draft: Order) -> None:
    """Raise ``order_expired`` for a draft that was begun too long ago."""
    if draft.expires_at is not None and draft.expires_at <= clock.now():
        raise BusinessError("order_expired", _("This draft has expired. Begin another order."))


@transaction.atomic
def add_plan(actor: Actor, *, order: Order, plan: Plan, quantity: int, parent: OrderLine | None = None) -> OrderLine:
    """Put a new service into a draft, or an add-on of one of its lines (``parent``); it is priced at once.

    Of a product that is provisioned unit by unit every unit becomes a line; the last is returned. Raises ``not_sold``,
    ``addon_foreign``, ``quantity_limit``, ``market_country``, ``order_full``.
    """
    draft = _open(actor, order)
    product = plan.product
    _demand_sold(draft, plan)
    if product.is_addon != (parent is not None):
        words = _("An add-on is ordered with its product or for a running subscription.")
        raise BusinessError("addon_foreign", words, field="productId")
    # Below anything else nothing would be made of it, though it is charged.
    is_below_new = parent is None or (parent.kind == LineKind.NEW and parent.parent_id is None)
    if not is_below_new:
        words = _("An add-on is ordered with its product or for a running subscription.")
        raise BusinessError("addon_foreign", words, field="relatedItemId")
    if parent is not None and not addons_of(parent.plan.product, actor).filter(pk=product.pk).exists():
        words = _("This add-on does not belong to that product.")
        raise BusinessError("addon_foreign", words, field="relatedItemId")
    is_split = product.product_type.split_quantity
    check_quantity(product, min(quantity, 1) if is_split else quantity)
    number, each = (quantity, 1) if is_split else (1, quantity)
    lines = [_new_line(draft, plan, each, position, parent) for position in _places(draft, number)]
    OrderLine.objects.bulk_create(lines)
    price_lines(actor, draft, lines)
    sum_up(draft)
    return lines[-1]


@transaction.atomic
def add_to_service(
    actor: Actor,
    *,
    order: Order,
    subscription: Subscription,
    quantity: int,
    plan: Plan | None = None,
    addon: SubscriptionAddOn | None = None,
) -> OrderLine:
    """Put more of a running service into a draft: licences, an add-on (``plan``), or more of one it has (``addon``).

    Priced at once for what is left of the billing period. Raises the first precondition that fails, ``quantity_limit``,
    ``subscription_foreign`` for a service of another account, ``subscription_twice`` for a second change of one.
    """
    draft = _open(actor, order)
    row = lock_subscription(actor, subscription)
    if (row.account_id, row.bill_to_id, row.currency) != (draft.account_id, draft.payer_id, draft.currency):
        words = _("This subscription belongs to another account than the order.")
        raise BusinessError("subscription_foreign", words, field="relatedSubscriptionId")
    if draft.lines.filter(subscription=row).exists():
        words = _("An order changes a subscription once. Remove the other item, or order again.")
        raise BusinessError("subscription_twice", words, field="relatedSubscriptionId")
    chosen = addon.plan if addon is not None else plan
    line = _new_line(draft, chosen or row.plan, quantity, _places(draft, 1)[0], None)
    line.kind = LineKind.LICENCES if chosen is None else LineKind.ADDON
    line.subscription = row
    if quantity > MAX_QUANTITY:
        raise BusinessError("quantity_limit", _("Between 1 and %(n)s.") % {"n": MAX_QUANTITY}, field="quantity")
    wish = wish_of(line, row)
    line.kind, line.addon = wish.kind, wish.addon
    line.save(force_insert=True)
    price_lines(actor, draft, [line])
    sum_up(draft)
    return line


@transaction.atomic
def remove_line(actor: Actor, *, order: Order, line: OrderLine) -> None:
    """Take an item out of a draft, with the add-ons that hang on it."""
    draft = lock_draft(actor, order)
    draft.lines.filter(parent_id=line.pk).delete()
    draft.lines.filter(pk=line.pk).delete()
    sum_up(draft)


@transaction.atomic
def set_answers(actor: Actor, *, order: Order, instance_id: str, values: Mapping[str, Any]) -> Order:
    """Keep what a vendor asks about the account; items of one instance share the answers."""
    draft = _open(actor, order)
    kept = {"account": str(draft.account.public_id), "values": dict(values)}
    draft.service_details = {**draft.service_details, instance_id: kept}
    draft.save(update_fields=["service_details", "updated_at"])
    return draft


def erase_drafts() -> int:
    """Erase what was begun more than thirty days ago and never checked out; returns how many."""
    old = Order.objects.filter(status=OrderStatus.DRAFT, expires_at__lte=clock.now() + KEPT - ERASED_AFTER)
    done = 0
    for key in list(old.values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            rows = Order.objects.select_for_update(of=("self",), skip_locked=True)
            row = rows.filter(pk=key, status=OrderStatus.DRAFT).first()
            if row is None:
                continue
            CustomValues.objects.filter(entity=Entity.ORDER, object_id=key).delete()
            row.lines.exclude(parent=None).delete()
            row.lines.all().delete()
            row.delete()
            done += 1
    return done


def _open(actor: Actor, order: Order) -> Order:
    draft = lock_draft(actor, order)
    demand_fresh(draft)
    return draft


def _demand_sold(draft: Order, plan: Plan) -> None:
    """Refuse what the account's price list does not sell, or what is sold in another market."""
    prices, product = draft.price_list, plan.product
    is_offered = plan.is_sellable and product.is_published and product.discontinued_at is None
    if prices is None or not is_offered or not price_plans(Plan.objects.filter(pk=plan.pk), prices):
        raise BusinessError("not_sold", _("This product is not sold to this account."), field="productId")
    instance = product.product_type.instance
    if instance.country:
        market = market_for(draft.organization, draft.account, prices)
        refuse_foreign(instance, countries=market.countries, currency=market.currency)


def _places(draft: Order, number: int) -> list[int]:
    """The positions of new lines; a draft holds as many as a basket."""
    if number > MAX_LINES or draft.lines.count() + number > MAX_LINES:
        words = _("An order holds %(n)s items at most. Check this one out first.") % {"n": MAX_LINES}
        raise BusinessError("order_full", words)
    last = draft.lines.aggregate(top=Max("position"))["top"] or 0
    return list(range(last + 1, last + number + 1))


def _new_line(draft: Order, plan: Plan, quantity: int, position: int, parent: OrderLine | None) -> OrderLine:
    return OrderLine(
        organization_id=draft.organization_id,
        order=draft,
        position=position,
        parent=parent,
        plan=plan,
        product_name=plan.product.name,
        product_code=plan.product.code,
        term=plan.term,
        billing_cycle=plan.billing_cycle,
        quantity=quantity,
        unit_price=money.ZERO,
        net=money.ZERO,
        tax=money.ZERO,
        gross=money.ZERO,
    )
