"""Reseller plans in an order: who may take one, which one, and the alias it holds (``channel.md`` 3.2 to 3.4).

A plan is an ordinary product of the built-in application *Reseller Plans*; what is special about it is here.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from catalog.markets import PLANS_APPLICATION
from catalog.models import Product
from catalog.selectors import price_list_of
from core.errors import BusinessError, Conflict
from orders.models import Order
from orders.selectors import live_plans
from resellers.editions import EDITION_RANKS
from resellers.enums import PurchaseMode
from resellers.models import Account, Site
from resellers.routing import site_of_reseller
from resellers.services.sites import demand_plan, free_alias, hold_alias
from subscriptions.enums import OPEN_STATES, Purpose, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from vendors.models import Instance


def is_plan(product: Product) -> bool:
    """Whether the product is a reseller plan; its type, instance and application must have been read along."""
    return product.product_type.instance.application.code == PLANS_APPLICATION


def replaced_plans() -> "list[Subscription]":
    """Active plan subscriptions whose reseller's site runs on another plan by now."""
    rows = Subscription.objects.filter(instance__application__code=PLANS_APPLICATION, status=SubscriptionStatus.ACTIVE)
    running = Site.objects.filter(account=OuterRef("account"), plan_id__isnull=False)
    running = running.exclude(plan_id=OuterRef("public_id"))
    return list(rows.filter(Exists(running)).order_by("pk"))


def check_plans(account: Account, mode: str, products: Iterable[Product]) -> None:
    """Refuse a plan that the account cannot take: not a reseller's own, a second one, or one below what he has.

    Raises ``plan_not_possible``, ``plan_twice``, ``plan_lower`` or ``plan_running``; asks nothing without a plan among
    the products.
    """
    wanted = [product for product in products if is_plan(product)]
    if not wanted:
        return
    if mode not in ("", PurchaseMode.PERSONAL_USE):
        raise BusinessError("plan_personal", _("A reseller plan is ordered for the reseller himself."))
    if len(wanted) > 1:
        raise BusinessError("plan_twice", _("Choose one reseller plan."))
    demand_plan(account, has_price_list=price_list_of(account) is not None)
    rank = EDITION_RANKS.get(wanted[0].code, 0)
    for running in live_plans(account.pk):
        known = EDITION_RANKS.get(running.product.code, 0)
        if known == rank:
            raise Conflict("plan_running", _("You have this plan already."))
        if known > rank and not _is_ending(running):
            words = _("Your present plan is larger. Let it end with its period, then order %(plan)s to follow it.")
            raise Conflict("plan_lower", words % {"plan": wanted[0].name})


def _is_ending(row: Subscription) -> bool:
    """Whether a plan ends with its period, or has just been asked to."""
    asked = Operation.objects.filter(subscription=row, purpose=Purpose.CANCEL_AT_END, state__in=OPEN_STATES)
    return row.status == SubscriptionStatus.PENDING_CANCEL or asked.exists()


def hold_alias_of(order: Order, instances: Iterable[Instance]) -> None:
    """Keep the alias that a placed order asks for, in the order's transaction; refused with ``alias_taken``."""
    for instance in instances:
        if instance.application.code == PLANS_APPLICATION:
            alias = alias_of(order, instance)
            if alias or site_of_reseller(order.account_id) is None:
                hold_alias(order.account, alias, holder=order.public_id)


def alias_of(order: Order, instance: Instance) -> str:
    """The alias typed for this order; empty if none was."""
    details = order.service_details.get(str(instance.public_id), {})
    return str(details.get("options", {}).get("alias", ""))


def let_go(order_id: UUID) -> None:
    """The order will not be executed: what it held is free."""
    free_alias(order_id)
