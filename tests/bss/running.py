"""A service that runs, without a vendor: confirmed with the dates he would have told."""

import datetime as dt
from typing import Any

from django.db import transaction

from core import clock
from orders.services import settle
from subscriptions.enums import OperationState
from subscriptions.models import Operation, Subscription
from subscriptions.services import confirm, set_sync
from tests.shop import Shop, fill_basket, place
from vendors.models import SyncStatus

DAY = dt.timedelta(days=1)


def running(shop: Shop, *, quantity: int = 5, **values: Any) -> Subscription:
    """An active, synchronized subscription of the direct customer, nine days into its first month, window open."""
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin, quantity=quantity))
    row = Subscription.objects.get(order_number=order.number)
    Operation.objects.filter(subscription=row).update(state=OperationState.DONE, finished_at=clock.now() - DAY)
    begun = clock.now() - 9 * DAY
    data = {
        "starts_at": begun.isoformat(),
        "ends_at": (begun + 364 * DAY).isoformat(),
        "cancel_until": (clock.now() + 2 * DAY).isoformat(),
        "status": "active",
        "auto_renew": True,
    }
    set_sync(row, SyncStatus.IN_PROGRESS)
    confirm(shop.staff, row, external_id=f"vendor-{row.pk}", data=data)
    with transaction.atomic():
        settle.deliver(Operation.objects.get(subscription=row))
    values = {
        "period_starts_at": begun,
        "period_ends_at": begun + 30 * DAY,
        "vendor_read_at": clock.now(),
        "cancel_until": clock.now() + 2 * DAY,
    } | values
    Subscription.objects.filter(pk=row.pk).update(**values)
    return Subscription.objects.select_related("account", "bill_to", "plan", "product__product_type").get(pk=row.pk)
