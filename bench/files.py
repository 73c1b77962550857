"""Files and bulk: a vendor's price sheet into the catalogue, a price list's copy, and a list as a workbook.

Floors: COPY into a temporary table with INSERT .. ON CONFLICT for the sheet, INSERT .. SELECT for the copy, and
XlsxWriter in constant memory fed by a raw cursor for the workbook.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import xlsxwriter
from django.conf import settings
from django.db import connection
from django.urls import reverse

from bench.client import fetch, target
from bench.dataset import Market, operator
from bench.pages import session_of
from bench.size import Plan
from bench.stack import Stack
from catalog.models import Plan as CatalogPlan
from catalog.models import Price, PriceList
from catalog.services.definition import apply_price_sheet
from catalog.services.price_lists import copy_price_list
from core.jobs import Job
from core.tenancy import Actor

ROUNDS = 3
WAIT = 300
SHEET_FLOOR = """
INSERT INTO catalog_plancost
    (public_id, created_at, updated_at, organization_id, plan_id, currency, cost, retail, source)
SELECT gen_random_uuid(), now(), now(), %s, pl.id, s.currency, s.cost, s.retail, 'floor'
FROM bench_sheet s JOIN catalog_product p ON p.code = s.code AND p.organization_id = %s
JOIN catalog_plan pl ON pl.product_id = p.id AND pl.term = s.term AND pl.billing_cycle = s.cycle
ON CONFLICT (plan_id, currency) DO UPDATE SET cost = excluded.cost, retail = excluded.retail, source = excluded.source
"""
COPY_FLOOR = """
INSERT INTO catalog_price (public_id, created_at, updated_at, organization_id, price_list_id, plan_id, rule, value)
SELECT gen_random_uuid(), now(), now(), organization_id, %s, plan_id, rule, value FROM catalog_price
WHERE price_list_id = %s
"""
LISTED = """
SELECT s.name, p.term, a.name, s.quantity, s.unit_price, s.currency, s.status, s.sync_status, s.term_ends_at,
    s.external_id
FROM subscriptions_subscription s JOIN resellers_account a ON a.id = s.account_id
JOIN catalog_plan p ON p.id = s.plan_id
WHERE s.organization_id = %s ORDER BY s.id DESC
"""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a price sheet."""

    product_code: str
    term: str
    billing_cycle: str
    currency: str
    cost: Decimal
    retail: Decimal


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def sheet(market: Market, count: int, *, turn: int) -> list[SheetRow]:
    """A price sheet of known plans; every turn changes the prices of every second row."""
    rows = CatalogPlan.objects.filter(organization=market.organization).order_by("pk")
    names = rows.values_list("product__code", "term", "billing_cycle")[:count]
    return [
        SheetRow(
            product_code=code,
            term=term,
            billing_cycle=cycle,
            currency="EUR",
            cost=Decimal(5 + number % 40 + (turn if number % 2 else 0)),
            retail=Decimal(2 * (5 + number % 40)),
        )
        for number, (code, term, cycle) in enumerate(names)
    ]


def _sheet_floor(market: Market, rows: Iterable[SheetRow]) -> None:
    """The same sheet by COPY and one statement, every row written."""
    pk = market.organization.pk
    columns = ("code", "term", "cycle", "currency", "cost", "retail")
    lines = (
        f"{row.product_code}\t{row.term}\t{row.billing_cycle}\t{row.currency}\t{row.cost}\t{row.retail}\n"
        for row in rows
    )
    raw = psycopg2.connect(os.environ["DATABASE_URL"])
    with raw, raw.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE bench_sheet (code text, term text, cycle text, currency text, cost numeric, "
            "retail numeric) ON COMMIT DROP"
        )
        with tempfile.TemporaryFile("w+") as file:
            file.writelines(lines)
            file.seek(0)
            cursor.copy_from(file, "bench_sheet", columns=columns)
        cursor.execute("ANALYZE bench_sheet")
        cursor.execute(SHEET_FLOOR, [pk, pk])
    raw.close()


def price_sheet(market: Market, count: int) -> dict[str, Any]:
    """A sheet of ``count`` rows, half of them changed, into the wide catalogue."""
    mine, floor = [], []
    for turn in range(1, ROUNDS + 1):
        rows = sheet(market, count, turn=turn)
        mine.append(_timed(lambda rows=rows: apply_price_sheet(market.instance, rows, source="bench")))  # type: ignore[misc]
        rows = sheet(market, count, turn=turn + 10)
        floor.append(_timed(lambda rows=rows: _sheet_floor(market, rows)))  # type: ignore[misc]
    return _figures(mine, floor, min(count, market.counts["catalog.Plan"]))


def list_copy(market: Market) -> dict[str, Any]:
    """The copy of a price list with thousands of prices of its own."""
    source = PriceList.objects.get(pk=market.price_list.pk)
    count = Price.objects.filter(price_list=source).count()
    mine, floor = [], []
    for turn in range(ROUNDS):

        def copy(actor: Actor = operator(market.organization), name: str = f"Copy {turn}") -> None:  # noqa: B008
            copy_price_list(actor, price_list=source, name=name)

        mine.append(_timed(copy))
        empty = PriceList.objects.create(
            organization=market.organization, name=f"Floor {turn}", currency="EUR", default_rule=""
        )

        def raw(pk: int = empty.pk) -> None:
            with connection.cursor() as cursor:
                cursor.execute(COPY_FLOOR, [pk, source.pk])

        floor.append(_timed(raw))
    return _figures(mine, floor, count)


def _workbook_floor(market: Market) -> int:
    """The same rows with XlsxWriter alone."""
    raw = psycopg2.connect(os.environ["DATABASE_URL"])
    with tempfile.TemporaryDirectory() as folder, raw, raw.cursor("bench") as cursor:
        book = xlsxwriter.Workbook(str(Path(folder) / "floor.xlsx"), {"constant_memory": True, "tmpdir": folder})
        page = book.add_worksheet()
        moment = book.add_format({"num_format": "yyyy-mm-dd"})
        cursor.itersize = 2000
        cursor.execute(LISTED, [market.organization.pk])
        count = 0
        for count, row in enumerate(cursor, start=1):
            for place, value in enumerate(row):
                if place == 8 and value is not None:
                    page.write_datetime(count, place, value.replace(tzinfo=None), moment)
                elif place in (3, 4):
                    page.write_number(count, place, value)
                else:
                    page.write_string(count, place, str(value or ""))
        book.close()
    raw.close()
    return count


def workbook(market: Market, stack: Stack, plan: Plan) -> dict[str, Any]:
    """The whole subscription list as a workbook, asked for at the list's page and made by a worker."""
    cookies = {settings.CSRF_COOKIE_NAME: "b" * 32, settings.SESSION_COOKIE_NAME: session_of(market.staff)}
    path, host = reverse("bss:subscription_list"), market.site.host
    form = {"csrfmiddlewaretoken": "b" * 32, "action": "export"}
    ask = target("export", stack.url, path, host=host, cookies=cookies, form=form, status=302)
    mine, floor, made = [], [], 0
    with stack.workers(1, queues="bulk"):
        for _turn in range(1 if plan.name == "1m" else ROUNDS):
            fetch(ask)
            job = _finished(market)
            if job.state != "done" or job.started_at is None or job.finished_at is None:
                raise RuntimeError(f"the workbook was not made: {job.state} {job.error}")
            mine.append((job.finished_at - job.started_at).total_seconds())
            made = job.result["rows"]
            floor.append(_timed(lambda: _workbook_floor(market)))
    return _figures(mine, floor, made) | {"worker_peak_mib": round(stack.peaks["worker 1 of 1"] / 1024, 1)}


def _finished(market: Market) -> Job:
    """The newest export job once it has ended."""
    rows = Job.objects.filter(organization=market.organization, kind="ui.export_list").order_by("-pk")
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        job = rows.first()
        if job is not None and not job.is_open:
            return job
        time.sleep(0.05)
    raise RuntimeError("the workbook took too long")


def _figures(mine: list[float], floor: list[float], count: int) -> dict[str, Any]:
    taken, least = statistics.median(mine), statistics.median(floor)
    return {
        "rows": count,
        "seconds": round(taken, 2),
        "rows_per_second": round(count / taken),
        "floor_seconds": round(least, 2),
        "of_floor": round(least / taken, 3),
    }


def measure(markets: dict[str, Market], stack: Stack, plan: Plan) -> dict[str, Any]:
    """All of them."""
    stack.peaks.pop("worker 1 of 1", None)
    return {
        "price sheet": price_sheet(markets["wide"], plan.sheet),
        "copy of a price list": list_copy(markets["wide"]),
        "workbook of all subscriptions": workbook(markets["main"], stack, plan),
    }
