"""More of a service: licences, add-ons and upgrades are ordered, so that credit, charges and delivery are an order's.

Licences cost what the subscription costs for the rest of its term; add-ons and upgrades what the price list says today.
Whatever begins in the middle of a billing period is charged for what is left of it.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.services import lock_payer
from catalog.models import Plan, UpgradeRelation
from catalog.selectors import price_list_of, price_plans
from core import audit, clock, money
from core.errors import BusinessError, Conflict
from core.events import emit
from core.tenancy import Actor
from orders.enums import ORDER_MACHINE, LineKind, OrderEvent
from orders.models import Order, OrderLine
from orders.services.execute import execute_within_credit
from orders.services.place import PriceChanged, order_payload
from orders.services.preview import Preview, amount_words, charge_for, next_period_price, part_left, renews_at, taxed
from orders.targets import demand_settled
from resellers.services.accounts import take_order_number
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription, SubscriptionAddOn
from subscriptions.preconditions import Action, demand
from subscriptions.services.changes import lock_subscription
from subscriptions.services.schedule import check_limits
from subscriptions.services.switch import require_manage


@dataclass(frozen=True)
class Wish:
    """What is to be ordered for a service: how many more of which plan, at which unit price, and what it means."""

    kind: LineKind
    plan: Plan
    quantity: int
    unit_price: Decimal
    preview: Preview
    trace: tuple[str, ...]
    addon: SubscriptionAddOn | None = None


def _wish(
    row: Subscription,
    kind: LineKind,
    plan: Plan,
    quantity: int,
    unit_price: Decimal,
    words: tuple[str, str],
    net: Decimal,
    next_net: Decimal,
    trace: tuple[str, ...],
    addon: SubscriptionAddOn | None = None,
) -> Wish:
    what, irrevocable = words
    preview = Preview(
        what=what,
        when=_("At once."),
        amount=taxed(row, net),
        currency=row.currency,
        next_net=money.to_minor(next_net, row.currency),
        next_at=row.period_ends_at or renews_at(row),
        irrevocable=irrevocable,
        trace=trace,
    )
    return Wish(kind, plan, quantity, unit_price, preview, trace, addon)


def wish_licences(row: Subscription, *, quantity: int) -> Wish:
    """``quantity`` is the new total; raises ``quantity_limit`` outside the product's limits, and if it is not more."""
    check_limits(row, quantity)
    more = quantity - row.quantity
    if more < 1:
        raise BusinessError("not_more", _("Type more than %(n)s.") % {"n": row.quantity}, field="quantity")
    net, how = charge_for(row, row.unit_price, more)
    words = (
        ngettext(
            "%(more)s licence is added: %(old)s become %(new)s.",
            "%(more)s licences are added: %(old)s become %(new)s.",
            more,
        )
        % {"more": more, "old": row.quantity, "new": quantity},
        _("They can be given back within the vendor's window only; afterwards at the renewal."),
    )
    return _wish(
        row,
        LineKind.LICENCES,
        row.plan,
        more,
        row.unit_price,
        words,
        net,
        next_period_price(row, quantity=quantity),
        (how,),
    )


def _listed(row: Subscription, plan: Plan) -> tuple[Decimal, tuple[str, ...]]:
    """Today's unit price of a plan for the account of a service; raises ``no_price`` if his list has none."""
    prices = price_list_of(row.account)
    found = price_plans(Plan.objects.filter(pk=plan.pk).select_related("product"), prices) if prices else []
    if not found or prices is None or prices.currency != row.currency:
        raise BusinessError("no_price", _("%(name)s has no price for this account.") % {"name": plan.product.name})
    return found[0].price.amount, found[0].price.trace


def wish_addon(row: Subscription, *, plan: Plan, quantity: int) -> Wish:
    """An add-on of the service's product, by one of its plans."""
    product = plan.product
    same = plan.billing_cycle == row.billing_cycle  # It is billed with its subscription, period by period.
    if not same or not product.parent_relations.filter(parent=row.product).exists() or not plan.is_sellable:
        raise BusinessError("addon_invalid", _("This add-on is not offered for the product."), field="plan")
    low, high = max(product.min_quantity, 1), product.max_quantity
    if quantity < low or (high is not None and quantity > high):
        raise BusinessError("quantity_limit", _("Type at least %(n)s.") % {"n": low}, field="quantity")
    known = row.addons.filter(plan=plan, status=SubscriptionStatus.ACTIVE).first()
    price, trace = (known.unit_price, ()) if known else _listed(row, plan)
    net, how = charge_for(row, price, quantity)
    words = (
        _("%(n)s x %(name)s are added to the subscription.") % {"n": quantity, "name": product.name},
        _("An add-on ends with its subscription."),
    )
    kind = LineKind.ADDON_LICENCES if known else LineKind.ADDON
    return _wish(
        row, kind, plan, quantity, price, words, net, next_period_price(row) + price * quantity, (*trace, how), known
    )


def upgrade_plan(row: Subscription, target: Plan) -> Plan:
    """``target`` if the service may be upgraded to it: a known upgrade, with the same term and billing cycle."""
    known = UpgradeRelation.objects.filter(source=row.product, target=target.product).exists()
    same = (target.term, target.billing_cycle) == (row.term, row.billing_cycle)
    if not known or not same or not target.is_sellable:
        raise BusinessError("upgrade_invalid", _("This subscription cannot be upgraded to that plan."), field="plan")
    return target


def wish_upgrade(row: Subscription, *, plan: Plan, quantity: int) -> Wish:
    """``quantity`` licences, all or a part, go over to another product; the difference of the period is charged."""
    plan = upgrade_plan(row, plan)
    if not 1 <= quantity <= row.quantity:
        raise BusinessError("quantity_limit", _("Between 1 and %(n)s.") % {"n": row.quantity}, field="quantity")
    price, trace = _listed(row, plan)
    part = part_left(row)
    fresh, old = part.of(price * quantity, row.currency), part.of(row.unit_price * quantity, row.currency)
    hows = (
        *trace,
        _("New: %(how)s") % {"how": amount_words(part, fresh, price * quantity, row.currency)},
        _("Given back: %(how)s") % {"how": amount_words(part, old, row.unit_price * quantity, row.currency)},
    )
    words = (
        ngettext("%(n)s licence of %(old)s becomes %(new)s.", "%(n)s licences of %(old)s become %(new)s.", quantity)
        % {"n": quantity, "old": row.product.name, "new": plan.product.name},
        _("The vendor does not take an upgrade back."),
    )
    rest = row.unit_price * (row.quantity - quantity)
    return _wish(row, LineKind.UPGRADE, plan, quantity, price, words, fresh - old, price * quantity + rest, hows)


@transaction.atomic
def buy_licences(
    actor: Actor, *, subscription: Subscription, quantity: int, key: uuid.UUID, seen_total: Decimal
) -> Order:
    """Order more licences; ``quantity`` is the new total. The same ``key`` twice gives the same order.

    Raises Conflict with the first precondition that fails, :class:`PriceChanged` if ``seen_total`` (gross, now) is not
    the amount any more. Over the credit the order stays Submitted and nothing is changed.
    """
    return _order(
        actor, subscription, Action.BUY_LICENCES, key, seen_total, lambda row: wish_licences(row, quantity=quantity)
    )


@transaction.atomic
def buy_addon(
    actor: Actor, *, subscription: Subscription, plan: Plan, quantity: int, key: uuid.UUID, seen_total: Decimal
) -> Order:
    """Order an add-on of a service, or more of one it has; see :func:`buy_licences`."""
    return _order(
        actor,
        subscription,
        Action.BUY_ADDON,
        key,
        seen_total,
        lambda row: wish_addon(row, plan=plan, quantity=quantity),
    )


@transaction.atomic
def upgrade(
    actor: Actor, *, subscription: Subscription, plan: Plan, quantity: int, key: uuid.UUID, seen_total: Decimal
) -> Order:
    """Order an upgrade of all or some licences to another product; see :func:`buy_licences`."""
    return _order(
        actor,
        subscription,
        Action.UPGRADE,
        key,
        seen_total,
        lambda row: wish_upgrade(row, plan=plan, quantity=quantity),
    )


def _order(
    actor: Actor,
    subscription: Subscription,
    action: Action,
    key: uuid.UUID,
    seen_total: Decimal,
    make: Callable[[Subscription], Wish],
) -> Order:
    before = Order.objects.visible_to(actor).filter(idempotency_key=key).first()
    if before is not None:
        return before
    lock_payer(subscription.bill_to_id)
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    before = Order.objects.visible_to(actor).filter(idempotency_key=key).first()
    if before is not None:
        return before
    demand_settled(row.account)
    demand(row, action)
    wish = make(row)
    if wish.preview.amount.gross != seen_total:
        raise PriceChanged("price_changed", _("A price has changed. Check the new total and confirm again."))
    order = _store(actor, row, wish, key)
    ORDER_MACHINE.fire(order, OrderEvent.SUBMIT, placed_at=clock.now())
    audit.record(actor, "order.placed", order, after={"total": order.gross, "for": row.name, "what": wish.preview.what})
    emit("order.placed", order_payload(order), organization_id=order.organization_id, account_id=order.account_id)
    execute_within_credit(actor, order)
    return order


def _store(actor: Actor, row: Subscription, wish: Wish, key: uuid.UUID) -> Order:
    amount = wish.preview.amount
    total = {"net": amount.net, "tax": amount.tax, "gross": amount.gross}
    try:
        with transaction.atomic():
            order = Order.objects.create(
                organization_id=row.organization_id,
                number=take_order_number(row.organization_id),
                account=row.account,
                payer=row.bill_to,
                buyer_account_id=actor.account_id,
                buyer_id=actor.user_id,
                buyer_label=actor.label,
                site_id=actor.site_id,
                purchase_mode=row.purchase_mode,
                price_list=price_list_of(row.account),
                currency=row.currency,
                idempotency_key=key,
                **total,
            )
    except IntegrityError as error:
        raise Conflict("order_twice", _("This order is being placed already. Open My orders.")) from error
    OrderLine.objects.create(
        organization_id=order.organization_id,
        order=order,
        position=1,
        kind=wish.kind,
        plan=wish.plan,
        product_name=wish.plan.product.name,
        product_code=wish.plan.product.code,
        term=wish.plan.term,
        billing_cycle=wish.plan.billing_cycle,
        quantity=wish.quantity,
        unit_price=wish.unit_price,
        tax_percent=amount.tax_percent,
        trace=list(wish.trace),
        subscription=row,
        addon=wish.addon,
        **total,
    )
    return order
