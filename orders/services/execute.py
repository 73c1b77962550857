"""Executing an order: reserve its charges, make its services, and write the operations that provision them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from billing.services import CreditExceeded, NewCharge, line_source, lock_payer, reserve
from catalog.models import ChargeType, Cycle, Product
from core import audit, clock
from core.errors import BusinessError
from core.events import emit
from core.tenancy import Actor, system_actor
from orders.enums import DELIVERY_MACHINE, ORDER_MACHINE, DeliveryEvent, LineKind, OrderEvent
from orders.models import Order, OrderLine
from orders.services.change import start_change
from orders.services.plans import check_plans, hold_alias_of, is_plan
from orders.targets import hold_of
from resellers.enums import PurchaseMode
from subscriptions.enums import SubscriptionStatus, Verb
from subscriptions.models import Operation, Subscription, SubscriptionAddOn
from subscriptions.services import (
    create_addons,
    create_subscription,
    hold_operation_of_link,
    open_operation,
    open_operation_of_link,
)
from subscriptions.services.assets import create_asset, tell_created
from users.permissions import Perm
from vendors.models import AccountLink, Instance, LinkState
from vendors.services.links import ensure_link, record_agreement, save_options, set_mpn_id


def execute_within_credit(actor: Actor, order: Order) -> bool:
    """Execute a submitted order if the credit allows; otherwise it stays Submitted, and customer and staff are told."""
    try:
        with transaction.atomic():
            execute(actor, order)
    except CreditExceeded as error:
        Order.objects.filter(pk=order.pk).update(hold_reason=error.code)
        order.hold_reason = error.code
        emit(
            "order.waiting",
            {
                "order": str(order.public_id),
                "order_number": order.number,
                "subscription": "",
                "reason": "no_credit",
                "message": str(error.message),
            },
            organization_id=order.organization_id,
            account_id=order.account_id,
        )
        return False
    return True


@transaction.atomic
def execute_by_staff(actor: Actor, *, order: Order, reason: str = "") -> Order:
    """Execute a waiting order by hand; above the credit it needs the right and a reason of 5 characters or more.

    Raises ``account_on_hold`` while the account or the one that owes for it is on hold or closed, and ``mpn_unchecked``
    while a program's answer is all that is known of the reseller's MPN ID.
    """
    row = Order.objects.visible_to(actor).select_for_update(of=("self",)).get(pk=order.pk)
    if reason:
        actor.require(Perm.ORDER_EXECUTE_ABOVE_CREDIT, row.account)
        if len(reason.strip()) < 5:
            raise BusinessError("reason_short", _("Say in a few words why."), field="reason")
    else:
        actor.require(Perm.ORDER_MANAGE, row.account)
    payer = lock_payer(row.payer_id)
    held = hold_of(row.account, payer)
    if held is not None:
        raise held
    _demand_mpn(row)
    execute(actor, row, over_limit_reason=reason.strip())
    return row


def _demand_mpn(order: Order) -> None:
    """A service of an end customer always carries an MPN ID (``channel.md`` 6.1); what nobody checked is none yet."""
    if order.purchase_mode != PurchaseMode.END_CUSTOMER:
        return
    given = {key for key, told in order.service_details.items() if told.get("values", {}).get("mpn_id")}
    unchecked = [key for key in given if not order.service_details[key].get("mpn_id")]
    links = AccountLink.objects.filter(account_id=order.payer_id, instance__public_id__in=unchecked)
    if links.exclude(mpn_id="").count() < len(unchecked):
        raise BusinessError("mpn_unchecked", _("A new MPN ID has to be checked once. Try again later."))


def execute(actor: Actor, order: Order, *, over_limit_reason: str = "") -> None:
    """Charge and start: the payer is locked, his credit checked, charges reserved, services and operations written.

    Runs in the caller's transaction. Raises CreditExceeded if the total is over what is available and no reason given.
    """
    ORDER_MACHINE.target(order.status, OrderEvent.EXECUTE)
    payer = lock_payer(order.payer_id)
    products = "plan__product__product_type__instance__application"
    lines = list(order.lines.select_related(products, "parent").order_by("position"))
    fresh = [line for line in lines if line.kind == LineKind.NEW]
    check_single(order.account_id, [line.plan.product for line in fresh if line.parent_id is None])
    plans = [line.plan.product for line in fresh if is_plan(line.plan.product)]
    check_plans(order.account, order.purchase_mode, plans)
    hold_alias_of(order, [product.product_type.instance for product in plans])
    charges = [_charge(order, line) for line in lines]
    reserve(actor, payer=payer, charges=charges, over_limit_reason=over_limit_reason)
    ORDER_MACHINE.fire(order, OrderEvent.EXECUTE, executed_at=clock.now(), hold_reason="")
    for line in lines:
        if line.kind != LineKind.NEW:
            start_change(actor, order, line)
        elif line.parent_id is None:
            _start(actor, order, line, [addon for addon in lines if addon.parent_id == line.pk])
    tell_created(
        [line.asset for line in fresh if line.asset is not None],
        organization_id=order.organization_id,
        account_id=order.account_id,
        order_id=order.public_id,
    )
    audit.record(actor, "order.executed", order, after={"total": order.gross}, reason=over_limit_reason)
    emit(
        "order.executed",
        {"order": str(order.public_id), "order_number": order.number, "subscription": ""},
        organization_id=order.organization_id,
        account_id=order.account_id,
    )


def check_single(account_id: int, products: Sequence[Product]) -> None:
    """Refuse a second subscription where the vendor allows one, and a second trial (``channel.md`` 7).

    The caller holds the payer's lock, so that two orders of one account are looked at one after the other.
    """
    for product, count in Counter(products).items():
        if product.charge_type == ChargeType.ONE_TIME:
            continue  # A licence that is bought for ever may be bought again.
        known = Subscription.objects.filter(account_id=account_id, product=product)
        live = ~Q(status=SubscriptionStatus.CANCELLED)
        if product.is_trial and (count > 1 or known.filter(live | Q(first_activated_at__isnull=False)).exists()):
            raise BusinessError("trial_used", _("%(name)s can be tried once.") % {"name": product.name})
        if not product.product_type.allow_multiple_subscriptions and (count > 1 or known.filter(live).exists()):
            raise BusinessError(
                "one_subscription", _("Add licences to the existing one: %(name)s.") % {"name": product.name}
            )


def _charge(order: Order, line: OrderLine) -> NewCharge:
    return NewCharge(
        source=line_source(line.public_id),
        account_id=order.account_id,
        description=f"{order.number}: {line.quantity} x {line.product_name}",
        currency=order.currency,
        net=line.net,
        tax_percent=line.tax_percent,
        tax=line.tax,
        gross=line.gross,
        order_number=order.number,
        subscription_id=line.subscription_id,
    )


def _start(actor: Actor, order: Order, line: OrderLine, addon_lines: list[OrderLine]) -> None:
    instance = line.plan.product.product_type.instance
    if line.plan.billing_cycle == Cycle.ONE_TIME:
        _start_asset(actor, order, line, instance)
        return
    setup = _account_operation(actor, order, line, instance)
    subscription = _subscription(actor, order, line, instance)
    addons = create_addons(
        [
            SubscriptionAddOn(
                organization_id=order.organization_id,
                subscription=subscription,
                product=addon.plan.product,
                plan=addon.plan,
                name=addon.product_name,
                quantity=addon.quantity,
                unit_price=addon.unit_price,
                sell_unit_price=addon.sell_unit_price,
                sell_terms=addon.sell_terms,
            )
            for addon in addon_lines
        ]
    )
    _begin_line(line, subscription=subscription)
    for addon_line, addon in zip(addon_lines, addons, strict=True):
        _begin_line(addon_line, subscription=subscription, addon=addon)
    open_operation(
        actor,
        verb=Verb.CREATE,
        instance_id=instance.pk,
        account_id=order.account_id,
        organization_id=order.organization_id,
        subscription=subscription,
        depends_on=setup,
        desired={"quantity": line.quantity},
        order_number=order.number,
    )


def _account_operation(actor: Actor, order: Order, line: OrderLine, instance: Instance) -> Operation | None:
    """What makes the customer known at the vendor first, if the vendor must know him and does not yet."""
    if not line.plan.product.product_type.requires_account:
        return None
    return _setup_operation(actor, order, prepare_link(actor, order, instance))


def _start_asset(actor: Actor, order: Order, line: OrderLine, instance: Instance) -> None:
    product = line.plan.product
    setup = _account_operation(actor, order, line, instance)
    asset = create_asset(
        actor,
        organization_id=order.organization_id,
        name=line.product_name,
        account=order.account,
        bill_to=order.payer,
        purchase_mode=order.purchase_mode,
        instance=instance,
        product=product,
        plan=line.plan,
        quantity=line.quantity,
        unit_price=line.unit_price,
        sell_unit_price=line.sell_unit_price,
        sell_terms=line.sell_terms,
        currency=order.currency,
        price_trace=line.trace,
        is_perpetual=product.product_type.is_perpetual,
        is_returnable=bool(product.attributes.get("is_returnable", True)),
        order_number=order.number,
    )
    _begin_line(line, asset=asset)
    open_operation(
        actor,
        verb=Verb.ASSET_CREATE,
        instance_id=instance.pk,
        account_id=order.account_id,
        organization_id=order.organization_id,
        asset=asset,
        depends_on=setup,
        desired={"quantity": line.quantity},
        order_number=order.number,
    )


def _begin_line(line: OrderLine, **targets: Any) -> None:
    DELIVERY_MACHINE.fire(line, DeliveryEvent.START, **targets)


def _subscription(actor: Actor, order: Order, line: OrderLine, instance: Instance) -> Subscription:
    return create_subscription(
        actor,
        organization_id=order.organization_id,
        name=line.product_name,
        account=order.account,
        bill_to=order.payer,
        purchase_mode=order.purchase_mode,
        instance=instance,
        product=line.plan.product,
        plan=line.plan,
        term=line.term,
        billing_cycle=line.billing_cycle,
        quantity=line.quantity,
        unit_price=line.unit_price,
        sell_unit_price=line.sell_unit_price,
        sell_terms=line.sell_terms,
        currency=order.currency,
        price_trace=line.trace,
        is_trial=line.plan.product.is_trial,
        mpn_id=stamped_mpn(order, instance),
        order_number=order.number,
    )


def stamped_mpn(order: Order, instance: Instance) -> str:
    """The MPN ID a service carries: the reseller's for an end customer, none for anybody else (``channel.md`` 6.1)."""
    if order.purchase_mode != PurchaseMode.END_CUSTOMER:
        return ""
    link = AccountLink.objects.filter(account_id=order.payer_id, instance=instance).first()
    return link.mpn_id if link else ""


def prepare_link(actor: Actor, order: Order, instance: Instance) -> AccountLink:
    """The account's link at an instance, with the answers given at checkout, agreement and reseller's MPN ID."""
    details = order.service_details.get(str(instance.public_id), {})
    system = system_actor(order.organization_id, label=actor.label)
    link = ensure_link(order.account, instance)
    options = dict(details.get("options", {}))
    agreement = dict(details.get("agreement", {}))
    mpn_id = str(details.get("mpn_id", ""))
    if options and link.state != LinkState.SYNCHRONIZED and open_operation_of_link(link) is None:
        link = save_options(system, link=link, options=options)
    if agreement:
        record_agreement(
            actor,
            account=order.account,
            instance=instance,
            values=agreement | {"date_agreed": parse_date(str(agreement["date_agreed"]))},
        )
    # Asked for only while there is none; an answer from an old basket does not replace what was set since.
    if mpn_id and order.purchase_mode == PurchaseMode.END_CUSTOMER and not stamped_mpn(order, instance):
        tenant = str(details.get("reseller_tenant_id", ""))
        set_mpn_id(system, account=order.payer, instance=instance, mpn_id=mpn_id, tenant_id=tenant)
    return link


def _setup_operation(actor: Actor, order: Order, link: AccountLink) -> Operation | None:
    """The operation that makes the account known at the vendor: the open one, a new one, or none if it is known."""
    running = None if link.state == LinkState.SYNCHRONIZED else hold_operation_of_link(link)
    if running is not None or link.state == LinkState.SYNCHRONIZED:
        return running
    return open_operation(
        actor,
        verb=Verb.ACCOUNT_SYNC,
        instance_id=link.instance_id,
        account_id=link.account_id,
        organization_id=link.organization_id,
        account_link=link,
        order_number=order.number,
    )
