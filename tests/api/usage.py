"""Services billed by use, and what a vendor tells of them, for tests of usage."""

import datetime as dt
from decimal import Decimal
from typing import Any

from catalog.models import PriceList, PriceListAssignment, Product
from core import clock
from provisioning.ports import UsageRow
from subscriptions.models import Subscription, UsageView
from subscriptions.services.usage import load_usage
from subscriptions.usage_rules import month_after, month_of

PLAN, LEGACY = "azure_plan", "azure_legacy"


def this_month() -> dt.date:
    return month_of(clock.now().date())


def by_use(row: Subscription, family: str, **terms: Any) -> Subscription:
    """The service as one of this family; ``terms`` are the default rule of its payer's price list."""
    Product.objects.filter(pk=row.product_id).update(attributes={"family": family}, charge_type="recurring_pay_per_use")
    prices = PriceListAssignment.objects.get(account=row.bill_to).price_list
    PriceList.objects.filter(pk=prices.pk).update(**({"default_rule": "discount", "default_value": 0} | terms))
    related = ("account", "bill_to", "product", "plan", "instance__application")
    return Subscription.objects.select_related(*related).get(pk=row.pk)


def line(number: int = 1, *, retail: str = "10", quantity: str | None = "4", **values: Any) -> UsageRow:
    """What was used of meter, resource and group ``number``."""
    names = {
        "category": f"Category {number % 3}",
        "subcategory": "D series",
        "meter_id": f"meter-{number}",
        "meter_name": f"Meter {number}",
        "meter_region": "EU West",
        "unit": "1 Hour",
        "resource_group": f"rg-{number % 4}",
        "resource_name": f"vm-{number}",
        "resource_id": f"/subscriptions/s/vm-{number}",
        "resource_type": "virtualMachines",
        "location": "westeurope",
        "entitlement_id": "e-1",
        "entitlement_name": "Main",
        "vendor_subscription_id": "plan-0001",
        "modified_at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    }
    amount = None if quantity is None else Decimal(quantity)
    return UsageRow(Decimal(retail), quantity=amount, **(names | values))


def load(row: Subscription, view: UsageView, rows: list[UsageRow], **more: Any) -> int:
    """Load them as the present month's, in euros."""
    return load_usage(row, **({"month": this_month(), "view": view, "rows": rows, "currency": "EUR"} | more))


def load_plan(row: Subscription, rows: list[UsageRow], **more: Any) -> None:
    """Load both views of a plan from the same rows."""
    without = [UsageRow(item.retail, item.cost, item.cost_usd, **_names(item)) for item in rows]
    load(row, UsageView.METER, rows, **{**more, "closed": False})
    load(row, UsageView.RESOURCE, without, **more)


def _names(item: UsageRow) -> dict[str, Any]:
    names = ("resource_group", "resource_name", "resource_id", "resource_type", "entitlement_id", "entitlement_name")
    return {name: getattr(item, name) for name in names}


def months_ago(number: int) -> dt.date:
    return month_after(this_month(), -number)
