"""A service of an end customer as if the vendor had confirmed it, for tests of the two legs."""

import datetime as dt
from decimal import Decimal
from typing import Any

from catalog.models import AddOnRelation
from core import clock
from orders.services.approve import approve_order, cost_today
from subscriptions.enums import OperationState, SubscriptionStatus
from subscriptions.models import Operation, Subscription, SubscriptionAddOn
from tests import factories
from tests.catalog.selling import rule
from tests.legs.world import World, order_of
from vendors.models import SyncStatus

DAY = dt.timedelta(days=1)


def make_running(world: World, *, with_addon: bool = True, **values: Any) -> Subscription:
    """Five licences at both prices, a billing period that began today, and an add-on of 1.11 for 2.22 EUR."""
    order = order_of(world)
    order = approve_order(world.decider, order=order, seen_total=cost_today(order).gross)
    row = Subscription.objects.get(order_number=order.number)
    now = clock.now()
    Operation.objects.filter(subscription=row).update(state=OperationState.DONE, finished_at=now - DAY)
    Operation.objects.filter(account_link__isnull=False).update(state=OperationState.DONE, finished_at=now - DAY)
    Subscription.objects.filter(pk=row.pk).update(
        **{
            "status": SubscriptionStatus.ACTIVE,
            "sync_status": SyncStatus.SYNCHRONIZED,
            "external_id": f"vendor-{row.pk}",
            "starts_at": now,
            "first_activated_at": now,
            "period_starts_at": now,
            "period_ends_at": now + 30 * DAY,
            "term_ends_at": now + 364 * DAY,
            "cancel_until": now + 7 * DAY,
            "vendor_read_at": now,
            **values,
        }
    )
    if with_addon:
        _addon(world, row)
    row.refresh_from_db()
    return row


def _addon(world: World, row: Subscription) -> None:
    product = factories.product(world.shop.instance, cost="1.11", is_addon=True, name="Audio")
    plan = product.plans.get()
    AddOnRelation.objects.create(organization=world.shop.organization, parent=row.product, addon=product)
    rule(world.shop.reseller, "fixed", "2.22", plan=plan)
    SubscriptionAddOn.objects.create(
        organization=world.shop.organization,
        subscription=row,
        product=product,
        plan=plan,
        name="Audio",
        quantity=2,
        unit_price=Decimal("1.11"),
        sell_unit_price=Decimal("2.22"),
        status=SubscriptionStatus.ACTIVE,
        first_activated_at=clock.now(),
    )
