"""Loading usage: our service beside the bare COPY with its upsert, and beside objects written in batches.

All three write the same records of one legacy service and month, of which half are there already. The floor gets its
lines ready made: it is what PostgreSQL alone takes. Aim (``performance.md``): 0.6 of the floor, with the reading of
rows, prices, ids and checks.
"""

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from io import StringIO
from typing import Any

from django.db import connection, transaction

from bench.dataset import Market
from bench.load import cell
from catalog.models import Product
from provisioning.ports import UsageRow
from subscriptions.models import Subscription, UsagePeriod, UsageRecord, UsageView
from subscriptions.services import usage as service
from subscriptions.services.usage_months import make_month
from subscriptions.usage_rules import month_of

ROUNDS = 3
FULL, QUICK = 100_000, 4_000
# Objects written in batches are slow: a part of the rows tells their speed.
PART = 10
TABLE = UsageRecord._meta.db_table


def vendor_rows(number: int, month: dt.date) -> list[UsageRow]:
    """So many rows as a vendor tells them: meters of resources by day."""
    return [
        UsageRow(
            Decimal(place % 9973) / 100,
            Decimal(place % 9973) / 120,
            quantity=Decimal(place % 97 + 1) / 4,
            unit="1 Hour",
            day=month + dt.timedelta(days=place % 28),
            category="Virtual Machines",
            subcategory="Dsv5 Series",
            meter_id=f"{place % 50:08}-0000-4000-8000-0000000000e7",
            meter_name=f"D{place % 50}s v5",
            meter_region="EU West",
            resource_group=f"rg-{place % 40}",
            resource_name=f"vm-{place}",
            resource_id=f"/subscriptions/s/resourceGroups/rg-{place % 40}/providers/vm/vm-{place}",
            location="westeurope",
            tags={"env": "prod"},
        )
        for place in range(number)
    ]


class Ledger:
    """One service billed by use, and the three ways to write its records."""

    def __init__(self, market: Market, rows: int) -> None:
        related = ("organization", "account", "bill_to", "product", "plan")
        found = Subscription.objects.select_related(*related).filter(organization=market.organization).first()
        if found is None:
            raise LookupError("there is no subscription")
        Product.objects.filter(pk=found.product_id).update(attributes={"family": "azure_legacy"})
        found.product.attributes = {"family": "azure_legacy"}
        self.row = found
        self.month = month_of(dt.datetime.now(dt.UTC).date())
        make_month(self.month)
        self.rows = vendor_rows(rows, self.month)
        self.period = service.open_period(found, self.month)
        terms = service.terms_of(found, vendor_currency=found.currency, rate=None)
        self.lines = list(service.record_lines(found, self.period, UsageView.DAY, terms, 1, self.rows))
        self.text = _text(self.lines)
        self.half_text = _text(self.lines[::2])

    def half(self) -> None:
        """Every second record is there, the others are not."""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE subscriptions_usagerecord")
        UsagePeriod.objects.filter(pk=self.period.pk).update(is_final=False, is_closed=False)
        self._copy(self.half_text)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE subscriptions_usagerecord")

    def loaded(self) -> None:
        """As the product does it."""
        service.load_usage(self.row, month=self.month, view=UsageView.DAY, rows=self.rows, currency=self.row.currency)

    def floor(self) -> None:
        """COPY of ready lines, and one INSERT .. ON CONFLICT."""
        self._copy(self.text)

    def batches(self) -> None:
        """Objects written in batches, of a part of the rows."""
        names = _columns()
        part = self.lines[: len(self.lines) // PART]
        # Tags stand in the lines as text.
        objects = [UsageRecord(**dict(zip(names, line, strict=True)) | {"tags": {"env": "prod"}}) for line in part]
        UsageRecord.objects.bulk_create(
            objects,
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["month", "public_id"],
            update_fields=list(service.REST),
        )

    @transaction.atomic
    def _copy(self, text: str) -> None:
        columns = ", ".join(_columns())
        changes = ", ".join(f"{name} = excluded.{name}" for name in service.REST)
        with connection.cursor() as cursor:
            # The model's own names; nothing of the outside is in a statement's text.
            cursor.execute(f"CREATE TEMPORARY TABLE floor ON COMMIT DROP AS SELECT {columns} FROM {TABLE} WITH NO DATA")
            cursor.copy_expert(f"COPY floor ({columns}) FROM STDIN", StringIO(text))
            cursor.execute(
                f"INSERT INTO {TABLE} (created_at, updated_at, {columns}) SELECT now(), now(), {columns} FROM floor "
                f"ON CONFLICT (month, public_id) DO UPDATE SET {changes}, updated_at = excluded.updated_at"
            )


def _columns() -> list[str]:
    known = {field.name: field.column for field in UsageRecord._meta.concrete_fields}
    return [str(known[name]) for name in service.FIELDS]


def _text(lines: Iterable[tuple[Any, ...]]) -> str:
    return "".join("\t".join(map(cell, line)) + "\n" for line in lines)


def _rate(ledger: Ledger, work: Callable[[], None], rows: int) -> float:
    """Rows a second, half of them there already."""
    ledger.half()
    began = time.perf_counter()
    work()
    return rows / (time.perf_counter() - began)


def measure(market: Market, *, quick: bool) -> dict[str, Any]:
    """Rows a second of each way, and the medians of the rounds' ratios to the floor."""
    number = QUICK if quick else FULL
    ledger = Ledger(market, number)
    rounds = []
    for _number in range(ROUNDS):
        floor = _rate(ledger, ledger.floor, number)
        ours = _rate(ledger, ledger.loaded, number)
        batches = _rate(ledger, ledger.batches, number // PART)
        rounds.append((floor, ours, batches))
    floors, loads, objects = zip(*rounds, strict=True)
    return {
        "rows": number,
        "half there": True,
        "rows per second": {
            "floor": round(statistics.median(floors)),
            "product": round(statistics.median(loads)),
            "bulk_create": round(statistics.median(objects)),
        },
        "of the floor": round(statistics.median(load / floor for floor, load, _objects in rounds), 2),
        "bulk_create of the floor": round(statistics.median(slow / floor for floor, _load, slow in rounds), 2),
    }
