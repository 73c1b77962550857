"""What programs ask for all day is found by an index, however many rows there are."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.caller import Program
from tests.bss.running import running
from tests.shop import Shop, fill_basket, place

pytestmark = pytest.mark.django_db


def plan_of(caller: Program, path: str) -> str:
    """How PostgreSQL would find the rows of a page in a table too long to be read through."""
    with CaptureQueriesContext(connection) as captured:
        assert caller.get(path).status_code == 200
    asked = next(row["sql"] for row in captured.captured_queries if '"mark_0"' in row["sql"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {asked}")
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/api/subscriptions", "subscription_newest"),
        ("/api/subscriptions?$orderBy=updatedAt&$filter=updatedAt ge 2026-01-01", "subscription_changed"),
        ("/api/orders", "order_newest"),
        ("/api/orders?$orderBy=updatedAt", "order_changed"),
        ("/api/assets", "asset_newest"),
        ("/api/assets?$orderBy=updatedAt", "asset_changed"),
        ("/api/accounts", "account_name"),
        ("/api/accounts?$orderBy=updatedAt", "account_changed"),
    ],
)
def test_pages_come_in_the_order_of_an_index(shop: Shop, distributor: Program, path: str, index: str):
    running(shop)
    plan = plan_of(distributor, path)
    assert index in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/api/subscriptions?pageSize=1", "subscription_newest"),
        ("/api/orders?pageSize=1&$orderBy=updatedAt", "order_changed"),
    ],
)
def test_a_cursor_goes_to_its_mark_along_the_index(shop: Shop, distributor: Program, path: str, index: str):
    """A deep page costs what the first one does: nothing before the mark is read and thrown away."""
    running(shop)
    running(shop)
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    cursor = distributor.get(path).json()["paging"]["nextCursor"]
    alone(index)
    plan = plan_of(distributor, f"{path}&cursor={quote(cursor)}")
    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    # The key too: a million rows may have come at the same moment, from another system for example.
    assert ("ROW(created_at, id) <" in condition) or ("ROW(updated_at, id) >" in condition)


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/api/subscriptions?$filter=contains(name,'usiness')", "subscription_name"),
        ("/api/subscriptions?$filter=externalId eq 'A-1'", "subscription_external_id"),
        ("/api/accounts?$filter=contains(name,'ster')", "account_name_parts"),
        ("/api/orders?$filter=code eq 'ORD-1'", "order_number"),
    ],
)
def test_names_and_numbers_are_found_by_an_index(shop: Shop, distributor: Program, path: str, index: str):
    running(shop)
    alone(index)
    with connection.cursor() as database:
        database.execute("SET LOCAL enable_indexscan = off")  # A bitmap is as good, and all that trigrams allow.
    assert index in plan_of(distributor, path)


def alone(index: str) -> None:
    """Take away what else the planner could use: with a handful of rows everything is equally cheap."""
    others = """
        SELECT CASE WHEN conname IS NULL THEN format('DROP INDEX %%s', other.indexrelid::regclass)
        ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', other.indrelid::regclass, conname) END
        FROM pg_index other
        JOIN pg_index wanted ON wanted.indrelid = other.indrelid AND wanted.indexrelid = %s::regclass
        LEFT JOIN pg_constraint ON conindid = other.indexrelid AND contype IN ('p', 'u')
        WHERE other.indexrelid <> wanted.indexrelid AND NOT other.indisprimary
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(others, [index])
        for (command,) in cursor.fetchall():
            cursor.execute(command)
