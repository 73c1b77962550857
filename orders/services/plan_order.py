"""Ordering a reseller plan in one step: *Upgrade reseller* of an employee (``channel.md`` 3.2)."""

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Plan
from catalog.selectors import price_list_of
from core import money
from core.errors import Conflict
from core.tenancy import Actor
from orders.models import Basket, Order
from orders.selectors import live_plans, priced_basket
from orders.services.basket import (
    add_line,
    open_basket,
    open_staff_basket,
    set_billing_address,
    set_service_details,
    set_target,
)
from orders.services.giveback import cancel
from orders.services.place import place_order
from resellers.editions import EDITION_RANKS
from resellers.enums import PurchaseMode
from resellers.models import Account, Site
from resellers.routing import site_of_reseller
from resellers.services.accounts import billing_address
from resellers.services.sites import check_alias, demand_plan
from subscriptions.enums import Execution, SubscriptionStatus


@transaction.atomic
def order_plan(actor: Actor, *, account: Account, plan: Plan, alias: str = "") -> Order:
    """Order a reseller plan in one step, as an employee does: the order is placed and, within the credit, executed.

    ``alias`` is needed unless the reseller's storefront is still kept. Raises Conflict ``order_begun`` if an order for
    this account lies half-made, and what stops any plan order.
    """
    basket = open_staff_basket(actor, account=account)
    if basket.lines.exists():
        raise Conflict("order_begun", _("Finish or empty the order you began for this account first."))
    return _place(actor, basket, account, plan, alias)


@transaction.atomic
def switch_down(actor: Actor, *, account: Account, plan: Plan, site: Site) -> Order:
    """Let the present plan end with its paid period and order a smaller one to follow it, as the reseller himself.

    The terms have been accepted. Raises Conflict ``basket_full`` if something else lies in his basket, and what stops
    a cancellation or a plan order.
    """
    basket = open_basket(actor, site=site)
    if basket.lines.exists():
        raise Conflict("basket_full", _("A plan is ordered on its own. Order or empty your basket first."))
    rank = EDITION_RANKS.get(plan.product.code, 0)
    for running in live_plans(account.pk):
        is_larger = EDITION_RANKS.get(running.product.code, 0) > rank
        if is_larger and running.status != SubscriptionStatus.PENDING_CANCEL:
            cancel(actor, subscription=running, execution=Execution.PERIOD_END)
            running.refresh_from_db()
    basket = set_target(actor, basket=basket, mode=PurchaseMode.PERSONAL_USE, account=account)
    return _place(actor, basket, account, plan, "")


def _place(actor: Actor, basket: Basket, account: Account, plan: Plan, alias: str) -> Order:
    demand_plan(account, has_price_list=price_list_of(account) is not None)
    add_line(actor, basket=basket, site=basket.site, plan=plan, quantity=1)
    instance = plan.product.product_type.instance
    details: dict[str, object] = {"state": "ok", "account": str(account.public_id)}
    if site_of_reseller(account.pk) is None:
        details["options"] = {"alias": check_alias(account.organization_id, alias, account_id=account.pk)}
    set_billing_address(actor, basket=basket, address=billing_address(account))
    set_service_details(actor, basket=basket, instance_id=str(instance.public_id), details=details)
    basket.refresh_from_db()
    quote = priced_basket(basket).quote
    total = quote.gross if quote else money.ZERO
    return place_order(actor, basket=basket, key=basket.checkout_key, seen_total=total, terms_accepted=True)
