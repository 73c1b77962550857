"""What the demo's companies use of Azure: three months of two Azure plans and of one service of the older kind.

The shop does not sell yet what is billed by use, so these services are made without an order; the plans are provisioned
at the twin like any other. The older kind is sold nowhere any more: it ended this month and only its usage is left.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from random import Random

from catalog.models import Cycle, Plan, Product
from core import clock
from core.tenancy import Actor
from orders.targets import mode_of
from provisioning.ports import UsageRow
from resellers.models import Account, Organization
from subscriptions.enums import SubscriptionStatus, Verb
from subscriptions.models import Subscription, UsagePeriod, UsageView
from subscriptions.services import create_subscription, open_operation
from subscriptions.services.usage import load_usage
from subscriptions.usage_rules import midnight, month_after, month_of
from vendors.models import AccountLink, LinkState, SyncStatus

MONTHS = 3
# Who uses an Azure plan, and who the older kind: the keys of companies.
PLAN_USERS = ("dune", "elm")
LEGACY_USER = "dune"
LEGACY_NAME = "Microsoft Azure (MS-AZR-0145P)"
# Meters: category, sub-category, meter, unit, units a day, list price of one.
METERS = (
    ("Virtual Machines", "Dsv5 Series", "D2s v5", "1 Hour", "24", "0.1070"),
    ("Virtual Machines", "Bsv2 Series", "B2s v2", "1 Hour", "24", "0.0416"),
    ("Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "1/Month", "0.033333", "19.71"),
    ("Storage", "Tiered Block Blob", "Hot LRS Data Stored", "1 GB/Month", "8.25", "0.0184"),
    ("Bandwidth", "Inter-Region", "Intra Continent Data Transfer Out", "1 GB", "3.125", "0.02"),
    ("SQL Database", "General Purpose", "vCore", "1 Hour", "48", "0.1260"),
    ("Azure App Service", "Premium v3 Plan", "P0 v3 App", "1 Hour", "24", "0.0840"),
)
GROUPS = ("rg-prod", "rg-test")


def build_usages(actor: Actor, organization: Organization, accounts: Mapping[str, Account]) -> bool:
    """Make the services that are not there yet; True if the vendor has to be waited for."""
    plan = Plan.objects.filter(
        organization=organization, product__attributes__family="azure_plan", is_offered=True
    ).first()
    if plan is None:
        return False
    made = 0
    for key in PLAN_USERS:
        account = Account.objects.select_related("bill_to").get(pk=accounts[key].pk)
        made += _order_plan(actor, account, plan)
    _legacy(actor, accounts[LEGACY_USER], plan)
    return made > 0


def _order_plan(actor: Actor, account: Account, plan: Plan) -> int:
    instance = plan.product.product_type.instance
    link = AccountLink.objects.filter(account=account, instance=instance, state=LinkState.SYNCHRONIZED).first()
    if link is None or Subscription.objects.filter(account=account, product=plan.product).exists():
        return 0
    payer = account.bill_to or account
    seller = AccountLink.objects.filter(account=payer, instance=instance).first() if account.bill_to else None
    row = create_subscription(
        actor,
        organization_id=account.organization_id,
        name=plan.product.name,
        account=account,
        bill_to=payer,
        purchase_mode=mode_of(account) if account.bill_to else "",
        instance=instance,
        product=plan.product,
        plan=plan,
        term=plan.term,
        billing_cycle=plan.billing_cycle,
        quantity=1,
        currency=payer.currency or account.organization.currency,
        mpn_id=seller.mpn_id if seller else "",
    )
    open_operation(
        actor,
        verb=Verb.CREATE,
        instance_id=instance.pk,
        account_id=account.pk,
        organization_id=account.organization_id,
        subscription=row,
        desired={"quantity": 1},
    )
    return 1


def _legacy(actor: Actor, account: Account, plan: Plan) -> None:
    """The service that ended, with a product of the older kind that nobody can buy."""
    model = plan.product
    product, _made = Product.objects.get_or_create(
        product_type=model.product_type,
        code="MS-AZR-0145P",
        defaults={
            "organization_id": model.organization_id,
            "name": LEGACY_NAME,
            "charge_type": model.charge_type,
            "attributes": {"family": "azure_legacy"},
            "discontinued_at": clock.now(),
        },
    )
    old, _made = Plan.objects.get_or_create(
        product=product,
        term="",
        billing_cycle=Cycle.MONTHLY,
        defaults={"organization_id": model.organization_id, "is_offered": False},
    )
    if Subscription.objects.filter(product=product).exists():
        return
    begun, now = midnight(month_after(month_of(clock.now().date()), -MONTHS)), clock.now()
    create_subscription(
        actor,
        organization_id=account.organization_id,
        name=LEGACY_NAME,
        account=account,
        bill_to=account,
        instance=model.product_type.instance,
        product=product,
        plan=old,
        billing_cycle=Cycle.MONTHLY,
        quantity=1,
        currency=account.currency or account.organization.currency,
        status=SubscriptionStatus.CANCELLED,
        sync_status=SyncStatus.NOT_REQUIRED,
        auto_renew=False,
        starts_at=begun,
        first_activated_at=begun,
        cancelled_at=now,
        cancel_reason="The offer was retired",
    )


def load_usages(organization: Organization, say: Callable[[str], None]) -> None:
    """Three months of usage for every service billed by use, through the service that loads a vendor's."""
    rows = Subscription.objects.filter(organization=organization).select_related("product", "plan", "bill_to")
    families = {"azure_plan": _load_plan, "azure_legacy": _load_days}
    for row in rows.filter(product__attributes__family__in=families).order_by("pk"):
        if not UsagePeriod.objects.filter(subscription=row, loaded_at__isnull=False).exists():
            say(f"usage of {row.name}, {row.account}")
            for ago in range(MONTHS - 1, -1, -1):
                month = month_after(month_of(clock.now().date()), -ago)
                families[row.product.attributes["family"]](row, month, closed=ago > 0)


def _days(month: dt.date) -> list[dt.date]:
    """The days of a month until the vendor's last data, a day ago."""
    end = min(month_after(month), clock.now().date() - dt.timedelta(days=1))
    return [month + dt.timedelta(days=number) for number in range(max((end - month).days, 1))]


def _uses(row: Subscription, month: dt.date) -> Iterator[tuple[str, str, tuple[str, ...], Decimal, Decimal]]:
    """Group, resource, meter, units a day and price, the same each time for the same service and month."""
    dice = Random(f"{row.name} {row.account} {month}")  # noqa: S311 - makes demo data, keeps no secret.
    for group in GROUPS:
        for number, meter in enumerate(METERS):
            share = Decimal(dice.randint(60, 140)) / 100
            yield group, f"{group[3:]}-{number + 1:02}", meter, Decimal(meter[4]) * share, Decimal(meter[5])


def _load_plan(row: Subscription, month: dt.date, *, closed: bool) -> None:
    days = _days(month)
    resources, meters = [], dict[str, list[Decimal]]()
    for group, name, meter, units, price in _uses(row, month):
        retail = (units * len(days) * price).quantize(Decimal("0.0001"))
        total = meters.setdefault(meter[2], [Decimal(0), Decimal(0)])
        total[0] += units * len(days)
        total[1] += retail
        resources.append(
            UsageRow(
                retail,
                (retail * Decimal("0.85")).quantize(Decimal("0.0001")),
                retail,
                resource_group=group,
                resource_name=name,
                resource_id=f"/subscriptions/{row.external_id}/resourceGroups/{group}/providers/demo/{name}",
                resource_type=meter[0],
                entitlement_id=row.external_id,
                entitlement_name="Microsoft Azure",
            )
        )
    by_meter = [
        UsageRow(
            retail,
            sum(
                (item.cost or Decimal(0) for item in resources if item.resource_name.endswith(f"{place + 1:02}")),
                Decimal(0),
            ),
            retail,
            quantity,
            unit=METERS[place][3],
            vendor_subscription_id=row.external_id,
            category=METERS[place][0],
            subcategory=METERS[place][1],
            meter_id=f"meter-{place + 1}",
            meter_name=name,
            meter_region="EU West",
        )
        for place, (name, (quantity, retail)) in enumerate(meters.items())
    ]
    until = midnight(days[-1] + dt.timedelta(days=1))
    told = {"month": month, "currency": row.currency, "data_until": until}
    load_usage(row, view=UsageView.METER, rows=by_meter, **told)
    load_usage(row, view=UsageView.RESOURCE, rows=resources, closed=closed, **told)


def _load_days(row: Subscription, month: dt.date, *, closed: bool) -> None:
    days = _days(month)
    rows = [
        UsageRow(
            units * price,
            units * price * Decimal("0.85"),
            units * price,
            units,
            meter[3],
            day,
            category=meter[0],
            subcategory=meter[1],
            meter_id=f"meter-{meter[2]}",
            meter_name=meter[2],
            meter_region="EU West",
            resource_group=group,
            resource_name=name,
            resource_id=f"/subscriptions/{row.public_id}/resourceGroups/{group}/providers/demo/{name}",
            location="westeurope",
            tags={"env": group[3:]},
        )
        for group, name, meter, units, price in _uses(row, month)
        for day in days
    ]
    until = midnight(days[-1] + dt.timedelta(days=1))
    load_usage(row, month=month, view=UsageView.DAY, rows=rows, currency=row.currency, data_until=until, closed=closed)
