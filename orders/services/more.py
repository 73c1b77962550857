"""More of a service: licences, add-ons and upgrades are ordered, so that credit, charges and delivery are an order's.

Licences cost what the subscription costs for the rest of its term; add-ons and upgrades what the price list says today.
Whatever begins in the middle of a billing period is charged for what is left of it.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.services import lock_payer
from catalog.models import Plan, UpgradeRelation
from catalog.selectors import price_list_of, price_plans
from core import money
from core.errors import BusinessError, Conflict
from core.tenancy import Actor
from orders.enums import LineKind
from orders.legs import customer_prices, has_leg, plain_trace, terms_of
from orders.models import Order, OrderLine
from orders.services.outlook import preview_schedule
from orders.services.place import PriceChanged, submit, totals
from orders.services.preview import Preview, amount_words, charge_for, next_period_price, part_left, renews_at, taxed
from orders.services.renew import renewal_price
from orders.targets import demand_settled
from resellers.enums import PurchaseMode
from resellers.services.accounts import take_order_number
from subscriptions.enums import SubscriptionStatus
from subscriptions.legs import customers_view, reads_selling_prices
from subscriptions.models import Operation, Subscription, SubscriptionAddOn
from subscriptions.preconditions import Action, demand
from subscriptions.services.changes import lock_subscription
from subscriptions.services.requests import is_under_approval
from subscriptions.services.schedule import check_limits, schedule_change
from subscriptions.services.switch import require_manage


@dataclass(frozen=True)
class Wish:
    """What is to be ordered for a service: how many more of which plan, at which unit price, and what it means.

    ``terms`` say how a selling price came about, on the customer's leg.
    """

    kind: LineKind
    plan: Plan
    quantity: int
    unit_price: Decimal
    preview: Preview
    trace: tuple[str, ...]
    addon: SubscriptionAddOn | None = None
    terms: Mapping[str, Any] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """What an order line keeps of a wish on the customer's leg."""
        amount = self.preview.amount
        return {
            "sell_unit_price": self.unit_price,
            "sell_net": amount.net,
            "sell_tax_percent": amount.tax_percent,
            "sell_tax": amount.tax,
            "sell_gross": amount.gross,
            "sell_terms": {**self.terms, "reckoned": list(self.trace)},
        }


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
    terms: Mapping[str, Any] | None = None,
) -> Wish:
    if not row.is_priced:
        raise BusinessError("no_price", _("This service has no price for you. Ask your provider."))
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
    return Wish(kind, plan, quantity, unit_price, preview, trace, addon, terms or {})


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
        terms=row.sell_terms,
    )


Listed = tuple[Decimal, tuple[str, ...], Mapping[str, Any]]


def _listed(row: Subscription, plan: Plan) -> Listed:
    """Today's unit price of a plan on the leg of ``row``, with trace and terms; raises ``no_price`` without one."""
    prices = price_list_of(row.account)
    found = price_plans(Plan.objects.filter(pk=plan.pk).select_related("product"), prices) if prices else []
    if found and prices is not None and prices.currency == row.currency:
        if not row.is_customers_view:
            return found[0].price.amount, found[0].price.trace, {}
        sold = customer_prices(row.account, found, prices).get(plan.pk)
        if sold is not None:
            return sold.amount, plain_trace(sold), terms_of(sold)
    # Without its name, for the customer of a reseller reads another one than the reseller.
    raise BusinessError("no_price", _("This product has no price for this account."))


def wish_addon(row: Subscription, *, plan: Plan, quantity: int) -> Wish:
    """An add-on of the service's product, by one of its plans."""
    product = plan.product
    same = plan.billing_cycle == row.billing_cycle  # It is billed with its subscription, period by period.
    if not same or not product.parent_relations.filter(parent=row.product).exists() or not plan.is_sellable:
        raise BusinessError("addon_invalid", _("This add-on is not offered for the product."), field="plan")
    low, high = max(product.min_quantity, 1), product.max_quantity
    if quantity < low or (high is not None and quantity > high):
        raise BusinessError("quantity_limit", _("Type at least %(n)s.") % {"n": low}, field="quantity")
    if any(
        addon.status == SubscriptionStatus.PENDING_CANCEL and addon.plan_id == plan.pk for addon in row.addons.all()
    ):
        raise Conflict("addon_ending", _("This add-on ends with the billing period. Keep it first."))
    running = (addon for addon in row.addons.all() if addon.status == SubscriptionStatus.ACTIVE)
    known = next((addon for addon in running if addon.plan_id == plan.pk), None)
    price, trace, terms = (known.unit_price, (), known.sell_terms) if known else _listed(row, plan)
    net, how = charge_for(row, price, quantity)
    name = (terms.get("name") if row.is_customers_view else "") or product.name
    words = (
        _("%(n)s x %(name)s are added to the subscription.") % {"n": quantity, "name": name},
        _("An add-on ends with its subscription."),
    )
    kind = LineKind.ADDON_LICENCES if known else LineKind.ADDON
    after = next_period_price(row) + price * quantity
    return _wish(row, kind, plan, quantity, price, words, net, after, (*trace, how), known, terms)


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
    price, trace, terms = _listed(row, plan)
    part = part_left(row)
    fresh, old = part.of(price * quantity, row.currency), part.of(row.unit_price * quantity, row.currency)
    hows = (
        *trace,
        _("New: %(how)s") % {"how": amount_words(part, fresh, price * quantity, row.currency)},
        _("Given back: %(how)s") % {"how": amount_words(part, old, row.unit_price * quantity, row.currency)},
    )
    words = (
        ngettext("%(n)s licence of %(old)s becomes %(new)s.", "%(n)s licences of %(old)s become %(new)s.", quantity)
        % {"n": quantity, "old": row.product.name, "new": terms.get("name") or plan.product.name},
        _("The vendor does not take an upgrade back."),
    )
    rest = row.unit_price * (row.quantity - quantity)
    after = price * quantity + rest
    return _wish(row, LineKind.UPGRADE, plan, quantity, price, words, fresh - old, after, hows, terms=terms)


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


@transaction.atomic
def plan_renewal(
    actor: Actor, *, subscription: Subscription, quantity: int, plan: Plan, key: uuid.UUID
) -> Order | Operation:
    """Schedule quantity and plan of the next term; where the reseller approves first, that is an order of no amount.

    Less of the same plan is no increase and needs nobody's approval (``channel.md`` 4.4).
    """
    is_less = quantity <= subscription.quantity and plan.pk == subscription.plan_id
    if is_less or not is_under_approval(actor, subscription.account):
        return schedule_change(actor, subscription=subscription, quantity=quantity, plan=plan)
    return _order(
        actor,
        subscription,
        Action.MANAGE_RENEWAL,
        key,
        money.ZERO,
        lambda row: _wish_schedule(row, quantity=quantity, plan=plan),
    )


def _wish_schedule(row: Subscription, *, quantity: int, plan: Plan) -> Wish:
    price, trace = renewal_price(row, plan)
    preview = preview_schedule(row, quantity=quantity, plan=plan)
    return Wish(LineKind.SCHEDULE, plan, quantity, price, preview, tuple(str(step) for step in trace))


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
    wish, sold = make(row), customers_wish(row, make, is_needed=reads_selling_prices(actor))
    shown = sold if sold is not None and reads_selling_prices(actor) else wish
    if shown.preview.amount.gross != seen_total:
        raise PriceChanged("price_changed", _("A price has changed. Check the new total and confirm again."))
    order = _store(actor, row, wish, sold, key)
    submit(actor, order, audited=totals(order) | {"for": row.name, "what": wish.preview.what})
    return order


def customers_wish(row: Subscription, make: Callable[[Subscription], Wish], *, is_needed: bool) -> Wish | None:
    """The same wish on the customer's leg; None if there is none.

    Raises ``no_price`` if it ``is_needed``, because the customer himself orders and has to be told a price.
    """
    if row.purchase_mode != PurchaseMode.END_CUSTOMER or not has_leg(row.account):
        if is_needed:
            raise BusinessError("no_price", _("This service has no price for you. Ask your provider."))
        return None
    try:
        return make(customers_view(row))
    except BusinessError as error:
        if is_needed or error.code != "no_price":
            raise
        return None


def _store(actor: Actor, row: Subscription, wish: Wish, sold: Wish | None, key: uuid.UUID) -> Order:
    amount = wish.preview.amount
    total = {"net": amount.net, "tax": amount.tax, "gross": amount.gross}
    leg = sold.columns() if sold else {}
    sums = {name: leg[name] for name in ("sell_net", "sell_tax", "sell_gross") if name in leg}
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
                **sums,
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
        **leg,
    )
    return order
