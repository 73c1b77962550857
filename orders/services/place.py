"""Placing and executing an order (``channel.md`` 7, 8). No vendor is called here; operations say what is to be done."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.services import lock_payer
from catalog.markets import country_of, refuse_foreign
from catalog.models import PriceList
from catalog.pricing import QuotedLine
from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.events import emit
from core.tenancy import Actor
from orders.enums import ORDER_MACHINE, OrderEvent, OrderStatus
from orders.legs import CustomerQuote, basket_quote, no_leg, shown_basket
from orders.models import Basket, BasketLine, Order, OrderLine, TermsAcceptance
from orders.selectors import PricedBasket, basket_instances, instances_of, priced_basket
from orders.services.basket import check_quantity, demand_ordering
from orders.services.execute import check_single, execute_within_credit
from orders.services.plans import check_plans, hold_alias_of, let_go
from orders.targets import demand_orderable, demand_settled, mode_of
from resellers.enums import AccountStatus
from resellers.models import Account
from resellers.selectors import purchase_targets
from resellers.services.accounts import take_order_number
from subscriptions.services.requests import is_under_approval
from users.permissions import Perm
from vendors.models import InstanceState
from vendors.selectors import certificate_problem


class PriceChanged(Conflict):
    """A price or the terms changed since the buyer saw them; he confirms the new ones."""


@transaction.atomic
def place_order(
    actor: Actor,
    *,
    basket: Basket,
    key: uuid.UUID,
    seen_total: Decimal,
    terms_accepted: bool,
    terms_version: int | None = None,
    browser: str = "",
    execute: bool = True,
) -> Order:
    """Turn the basket into an order, and execute it if the payer's credit allows. Calls no vendor.

    An employee's basket (``by_staff``) becomes an order for its target under his own name, without a buyer's account;
    ``terms_accepted`` then means that he confirms that the customer accepted. ``execute`` False leaves it Submitted.

    The same ``key`` twice, at once or later, gives the same order. Within one transaction: prices are frozen with their
    trace, the number is given, accepted terms are logged, the charge is reserved under a lock on the payer, services
    and operations are written, the basket is emptied. Over the credit the order stays Submitted, nothing is reserved.

    Raises BusinessError for everything the buyer can mend (empty basket, missing details, terms unticked, account on
    hold) and :class:`PriceChanged` if ``seen_total`` is no longer the total, or the terms in force no longer those of
    ``terms_version`` (None: not compared).
    """
    demand_ordering(actor, basket)
    before = Order.objects.visible_to(actor).filter(idempotency_key=key).first()
    if before is not None:
        return before
    basket = _own_basket(actor, basket)
    before = Order.objects.visible_to(actor).filter(idempotency_key=key).first()
    if before is not None:
        return before
    account = _target(actor, basket)
    _check_active(account, lock_payer(account.payer_id))
    demand_settled(account)
    priced = priced_basket(basket)
    shown = shown_basket(actor, priced)
    _check_basket(basket, account, shown, key, terms_accepted)
    price_list = _check_seen(basket, priced, shown, seen_total, terms_version)
    order = _store(actor, basket, account, priced, price_list, key)
    hold_alias_of(order, basket_instances(priced.lines))
    _log_terms(actor, order, basket, priced, browser)
    submit(actor, order, audited=_audited(order, by_staff=basket.by_staff), execute=execute)
    basket.lines.all().delete()
    Basket.objects.filter(pk=basket.pk).update(checkout_key=uuid.uuid4(), service_details={}, checked_job=None)
    return order


def _check_seen(
    basket: Basket, priced: PricedBasket, shown: PricedBasket, seen_total: Decimal, terms_version: int | None
) -> PriceList:
    """The price list in force, if the prices as the buyer sees them, and the terms, are still those that he saw."""
    if priced.quote is None or priced.price_list is None or shown.quote is None:
        raise BusinessError("no_price_list", _("There are no prices for this account. Ask your provider."))
    if terms_version is not None and terms_version != basket.site.terms_version:
        raise PriceChanged("terms_changed", _("The terms of use have changed. Read them and confirm again."))
    if shown.quote.gross != seen_total:
        raise PriceChanged("price_changed", _("A price has changed. Check the new total and confirm again."))
    return priced.price_list


def _own_basket(actor: Actor, basket: Basket) -> Basket:
    """The basket under a lock; somebody else's does not exist."""
    rows = Basket.objects.select_for_update(of=("self",)).filter(organization_id=actor.tenant_id)
    # What the order needs of them is read along; only the basket's own row is locked.
    rows = rows.select_related("target_account__bill_to", "buyer_account", "site", "user")
    row = rows.filter(pk=basket.pk, user_id=actor.user_id or 0).first()
    if row is None:
        raise NotVisible("basket_missing", _("This basket does not exist."))
    return row


def _target(actor: Actor, basket: Basket) -> Account:
    if basket.target_account is None:
        raise BusinessError("target_missing", _("Choose for whom you order."))
    if basket.by_staff:
        actor.require(Perm.ORDER_MANAGE, basket.target_account)
        demand_orderable(basket.target_account)
        basket.purchase_mode = mode_of(basket.target_account)
        return basket.target_account
    if actor.reaches(basket.target_account):
        _check_active(basket.target_account, basket.target_account)
    targets = purchase_targets(actor, basket.purchase_mode).select_related("bill_to")
    account = targets.filter(pk=basket.target_account.pk).first()
    if account is None:
        raise BusinessError("target_invalid", _("You cannot order for this account."))
    if not actor.sells:
        basket.purchase_mode = mode_of(account)
    return account


def _check_active(account: Account, payer: Account) -> None:
    """Refuse while either is on hold; the payer's row is locked, so that a hold of this very moment counts."""
    if account.status != AccountStatus.ACTIVE or payer.status != AccountStatus.ACTIVE:
        raise BusinessError("account_on_hold", _("This account is on hold. Ask your provider."))


def _check_basket(basket: Basket, account: Account, priced: PricedBasket, key: uuid.UUID, terms_accepted: bool) -> None:
    if priced.is_empty:
        raise BusinessError("basket_empty", _("The basket is empty."))
    if basket.checkout_key != key:
        raise Conflict("basket_changed", _("The basket has changed meanwhile. Check it and confirm again."))
    if priced.withdrawn:
        names = ", ".join(line.plan.product.name for line in priced.withdrawn)
        raise BusinessError("withdrawn", _("No longer available: %(names)s. Remove it to go on.") % {"names": names})
    if not terms_accepted:
        words = (
            _("Confirm that the customer accepted the terms.")
            if basket.by_staff
            else _("Accept the terms of use to order.")
        )
        raise BusinessError("terms_missing", words, field="terms")
    for line in priced.lines:
        check_quantity(line.plan.product, line.quantity)
    check_single(account.pk, [line.plan.product for line in priced.lines if line.parent_id is None])
    check_plans(account, basket.purchase_mode, [line.plan.product for line in priced.lines])
    if not basket.billing_address:
        raise BusinessError("address_incomplete", _("Complete the billing address."))
    check_instances(account, priced.lines, priced.quote.currency if priced.quote else "")
    for instance in basket_instances(priced.lines):
        details = basket.service_details.get(str(instance.public_id), {})
        if details.get("state") != "ok" or details.get("account") != str(account.public_id):
            raise BusinessError(
                "service_details_open", _("Complete the service details for %(name)s.") % {"name": instance}
            )


def check_instances(account: Account, lines: Sequence[BasketLine | OrderLine], currency: str) -> None:
    """Refuse what an instance does not sell now: it is closed, or sells in another country or currency."""
    for instance in instances_of(lines):
        if instance.state != InstanceState.ACTIVE:
            raise BusinessError("instance_closed", _("%(name)s takes no orders at the moment.") % {"name": instance})
        problem = certificate_problem(instance, clock.now())
        if problem:
            raise BusinessError("instance_closed", problem)
        if instance.currency not in ("", currency):
            raise BusinessError(
                "currencies_mixed",
                _("Pay %(a)s and %(b)s products in separate orders.") % {"a": currency, "b": instance.currency},
            )
        refuse_foreign(instance, countries=[country_of(account)], currency=currency)


def _store(
    actor: Actor, basket: Basket, account: Account, priced: PricedBasket, price_list: PriceList, key: uuid.UUID
) -> Order:
    quoted, sold = priced.quote, basket_quote(priced)
    if quoted is None:  # The caller has checked it; this narrows the type.
        raise BusinessError("no_price_list", _("There are no prices for this account. Ask your provider."))
    try:
        with transaction.atomic():
            order = Order.objects.create(
                organization_id=account.organization_id,
                number=take_order_number(account.organization_id),
                account=account,
                payer=account.bill_to or account,
                buyer_account_id=actor.account_id,
                buyer_id=actor.user_id,
                buyer_label=actor.label,
                site=basket.site,
                purchase_mode=basket.purchase_mode,
                price_list=price_list,
                currency=quoted.currency,
                net=quoted.net,
                tax=quoted.tax,
                gross=quoted.gross,
                **(sold.sums if sold else {}),
                billing_address=basket.billing_address,
                service_details=basket.service_details,
                idempotency_key=key,
                request_digest=digest({"basket": str(basket.public_id), "total": str(quoted.gross)}),
            )
    except IntegrityError as error:
        raise Conflict("order_twice", _("This order is being placed already. Open My orders.")) from error
    _store_lines(order, priced, sold)
    return order


def _store_lines(order: Order, priced: PricedBasket, sold: CustomerQuote | None) -> None:
    made: dict[int, OrderLine] = {}
    for position, line in enumerate(priced.lines, start=1):
        quoted = priced.quoted[str(line.public_id)]
        parent = made.get(line.parent_id) if line.parent_id else None
        leg = sold.columns(str(line.public_id), line.plan_id) if sold else no_leg()
        made[line.pk] = OrderLine.objects.create(**_line_values(order, position, line, quoted), **leg, parent=parent)


def _line_values(order: Order, position: int, line: BasketLine, quoted: QuotedLine) -> dict[str, Any]:
    return {
        "organization_id": order.organization_id,
        "order": order,
        "position": position,
        "plan": line.plan,
        "product_name": line.plan.product.name,
        "product_code": line.plan.product.code,
        "term": line.plan.term,
        "billing_cycle": line.plan.billing_cycle,
        "quantity": line.quantity,
        "unit_price": quoted.unit_price,
        "vendor_cost": quoted.cost,
        "net": quoted.net,
        "tax_percent": quoted.tax_percent,
        "tax": quoted.tax,
        "gross": quoted.gross,
        "trace": list(quoted.trace),
    }


def totals(order: Order) -> dict[str, Any]:
    """The totals of an order as the audit log keeps them; who may read which is said in ``ui.history``."""
    sold = {} if order.sell_gross is None else {"sell_total": order.sell_gross}
    return {"total": order.gross, **sold}


def _audited(order: Order, *, by_staff: bool) -> dict[str, Any]:
    """What the audit log keeps of a placed order; for an employee's also what he answers for."""
    shown: dict[str, Any] = totals(order) | {"mode": order.purchase_mode}
    if by_staff:
        skipped = [details["unchecked"] for details in order.service_details.values() if details.get("unchecked")]
        shown["terms"] = "the employee confirmed that the customer accepted them"
        shown |= {"without_check": "; ".join(skipped)} if skipped else {}
    return shown


def _log_terms(actor: Actor, order: Order, basket: Basket, priced: PricedBasket, browser: str) -> None:
    user = basket.user
    names = sorted({line.plan.product.name for line in priced.lines})
    TermsAcceptance.objects.bulk_create(
        [
            TermsAcceptance(
                organization_id=order.organization_id,
                order=order,
                account=order.account,
                product_name=name,
                first_name=user.first_name if user else "",
                last_name=user.last_name if user else "",
                email=actor.email,
                terms_version=basket.site.terms_version,
                basket_url="/bss/" if basket.by_staff else "/basket/",
                ip=actor.ip,
                browser=browser[:255],
                accepted_at=clock.now(),
                by_staff=basket.by_staff,
            )
            for name in names
        ]
    )


def submit(actor: Actor, order: Order, *, audited: Mapping[str, Any], execute: bool = True) -> None:
    """A stored order begins its way: it is executed if the credit allows, or waits for the reseller first."""
    asks = needs_approval(actor, order)
    event = OrderEvent.ASK_APPROVAL if asks else OrderEvent.SUBMIT
    now = clock.now()
    ORDER_MACHINE.fire(order, event, placed_at=now, **({"approval_asked_at": now} if asks else {}))
    audit.record(actor, "order.placed", order, after=audited)
    name = "order.approval_asked" if asks else "order.placed"
    emit(name, order_payload(order), organization_id=order.organization_id, account_id=order.account_id)
    if execute and not asks:
        execute_within_credit(actor, order)


def needs_approval(actor: Actor, order: Order) -> bool:
    """Whether the reseller decides first: an end customer's own order, if the switch is on (``channel.md`` 4.4)."""
    return is_under_approval(actor, order.account)


def digest(values: Mapping[str, Any]) -> str:
    """A short, stable fingerprint of a request, to tell a repeat from another request with the same key."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def order_payload(order: Order) -> dict[str, Any]:
    """What every event of an order carries."""
    return {"order": str(order.public_id), "order_number": order.number, "subscription": ""}


@transaction.atomic
def cancel_order(actor: Actor, *, order: Order, reason: str = "") -> Order:
    """End a submitted order that was not executed: nothing was charged, nothing is provisioned."""
    row = Order.objects.visible_to(actor).select_for_update(of=("self",)).get(pk=order.pk)
    if actor.is_staff:
        actor.require(Perm.ORDER_MANAGE, row.account)
    else:
        actor.require(Perm.SHOP_ORDER, row.account)
    if row.status == OrderStatus.SUSPENDED and actor.account_id != row.account_id:
        raise Conflict("order_awaits_decision", _("This order waits for the reseller, who approves or rejects it."))
    if row.status == OrderStatus.EXECUTED:
        raise Conflict("order_executed", _("An executed order is undone by cancelling its services."))
    ORDER_MACHINE.fire(row, OrderEvent.CANCEL, cancelled_at=clock.now(), reason=reason)
    let_go(row.public_id)
    audit.record(actor, "order.cancelled", row, reason=reason)
    emit(
        "order.cancelled",
        order_payload(row) | {"reason": reason},
        organization_id=row.organization_id,
        account_id=row.account_id,
    )
    return row
