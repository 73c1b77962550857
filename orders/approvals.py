"""Reads of the orders that wait, or waited, for a reseller (``channel.md`` 4.4)."""

from django.db.models import F

from core.tenancy import Actor, TenantQuerySet
from orders.enums import OrderStatus
from orders.models import Order
from orders.selectors import orders_for, orders_with_lines


def approvals_for(actor: Actor) -> TenantQuerySet[Order]:
    """What the actor's customers asked him to approve, with ``sell_margin`` before tax; nothing for anybody else."""
    return _asked(actor, orders_for(actor)).annotate(sell_margin=F("sell_net") - F("net"))


def approvals_with_lines(actor: Actor) -> TenantQuerySet[Order]:
    """The same with their lines."""
    return _asked(actor, orders_with_lines(actor))


def waiting_approvals(actor: Actor) -> TenantQuerySet[Order]:
    """Those he has not decided about yet."""
    return approvals_for(actor).filter(status=OrderStatus.SUSPENDED)


def _asked(actor: Actor, rows: TenantQuerySet[Order]) -> TenantQuerySet[Order]:
    if not actor.sells:
        return rows.none()
    return rows.filter(payer_id=actor.account_id, approval_asked_at__isnull=False)
