"""Pages of lists are found by indexes, however many rows there are; what they show is the same either way."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bss.views.subscriptions import SubscriptionList
from core import searching
from core.searching import with_word
from resellers.models import Account
from subscriptions.models import Subscription
from tests import factories
from tests.bss.running import running
from tests.bss.staff import count_queries, rows_of, staff_client
from tests.shop import Shop, fill_basket, make_shop, place
from ui import tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    found = make_shop()
    running(found)
    return found


def plan_of(shop: Shop, page: str, *switched_off: str, **asked: str) -> str:
    """How PostgreSQL would find the keys of a page in a table too long to be read through."""
    with CaptureQueriesContext(connection) as captured:
        response = staff_client(shop.organization).get(f"{reverse(page)}?{urlencode(asked)}")
        assert response.status_code == 200
    table = response.context["page"].rows().model._meta.db_table
    sql = next(row["sql"] for row in captured if f'SELECT "{table}"."id" AS "pk"' in row["sql"])
    assert sql.endswith("LIMIT 26")
    with connection.cursor() as cursor:
        for name in ("seqscan", *switched_off):
            cursor.execute(f"SET LOCAL enable_{name} = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


def without_tenants_indexes(*tables: str) -> None:
    """Take away the indexes that begin with the organization: with a handful of rows everything is equally cheap."""
    chosen = """
        SELECT CASE WHEN conname IS NULL THEN format('DROP INDEX %%s', indexrelid::regclass)
        ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', indrelid::regclass, conname) END
        FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
        WHERE indrelid = ANY(%s::regclass[]) AND attname = 'organization_id'
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(chosen, [list(tables)])
        for (command,) in cursor.fetchall():
            cursor.execute(command)


@pytest.mark.parametrize(
    ("page", "table", "indexes"),
    [
        (
            "bss:subscription_list",
            "subscriptions_subscription",
            ["subscription_name", "subscription_numbers", "account", "bill_to"],
        ),
        ("bss:order_list", "orders_order", ["order_words", "account", "payer"]),
        ("bss:charge_list", "billing_charge", ["charge_words", "account", "charge_balance"]),
        ("bss:asset_list", "subscriptions_asset", ["asset_words", "account", "bill_to"]),
        ("bss:audit_list", "core_auditentry", ["audit_words"]),
        ("bss:product_list", "catalog_product", ["product_words"]),
    ],
)
def test_what_is_searched_for_is_found_by_indexes(shop: Shop, page: str, table: str, indexes: list[str]):
    Account.objects.update(name="Northwind")
    without_tenants_indexes(table)
    plan = plan_of(shop, page, "indexscan", q="northwind")
    assert "BitmapOr" in plan
    assert "Join" not in plan and "Seq Scan" not in plan
    used = [line.split(" on ")[1].split()[0] for line in plan.splitlines() if "Bitmap Index Scan" in line]
    for index in indexes:
        assert any(index in name for name in used), (index, used)


@pytest.mark.parametrize("page", ["bss:subscription_list", "bss:order_list", "bss:charge_list", "bss:asset_list"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_order_by_account_walks_along_an_index(shop: Shop, page: str, direction: str):
    plan = plan_of(shop, page, "sort", "hashjoin", "mergejoin", "bitmapscan", sort=f"{direction}account__name")
    assert "account_name on resellers_account" in plan
    assert "Presorted Key: resellers_account.name" in plan


@pytest.mark.parametrize(("direction", "sign"), [("", ">="), ("-", "<=")])
def test_a_cursor_goes_to_its_account_along_the_index(shop: Shop, direction: str, sign: str):
    sort, after = f"{direction}account__name", tables._write(1, "Northwind")
    plan = plan_of(shop, "bss:order_list", "sort", "hashjoin", "mergejoin", "bitmapscan", sort=sort, after=after)
    _scan, _found, below = plan.partition("account_name on resellers_account")
    condition = next(line for line in below.splitlines() if "Index Cond" in line)
    assert f"name {sign} 'Northwind'" in condition


def test_a_cursor_goes_to_its_mark_along_the_index(shop: Shop):
    for number in range(26):
        factories.product(shop.instance, code=f"P{number}", name=f"Product {number:02}")
    page = staff_client(shop.organization).get(reverse("bss:product_list"))
    plan = plan_of(shop, "bss:product_list", "sort", "bitmapscan", after=page.context["window"].after)
    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert "name" in condition.partition("ROW(")[2].partition(" > ")[0]


def test_the_same_is_found_with_keys_and_without(shop: Shop, monkeypatch):
    running(shop)
    Account.objects.filter(pk=shop.customer.pk).update(name="Northwind")
    rows, paths = Subscription.objects.all(), SubscriptionList.search
    for word in ("north", "NORTHWIND", "usiness", "vendor-", "ORD", "zzz", "%", "_"):
        plain = Q()
        for path in paths:
            plain |= Q(**{f"{path}__icontains": word})
        wanted = set(rows.filter(plain))
        for many in (searching.MANY, 0):
            monkeypatch.setattr(searching, "MANY", many)
            assert set(with_word(rows, paths, word, shop.organization.pk)) == wanted, (word, many)
            monkeypatch.undo()


def test_others_accounts_do_not_count(shop: Shop, monkeypatch):
    Account.objects.filter(pk=shop.customer.pk).update(name="Northwind")
    for _number in range(3):
        factories.account(factories.organization(), name="Northwind")
    monkeypatch.setattr(searching, "MANY", 1)
    found = with_word(Subscription.objects.all(), ["account__name"], "north", shop.organization.pk)
    assert "ANY" in str(found.query) and found.count() == 1


@pytest.mark.parametrize("asked", ["", "?q=vendor", "?q=usi+a", "?sort=account__name"])
def test_more_rows_need_no_more_statements(shop: Shop, asked: str):
    client, url = staff_client(shop.organization), reverse("bss:subscription_list") + asked
    few = count_queries(client, url)
    for _number in range(4):
        running(shop)
    assert count_queries(client, url) == few


def test_a_list_on_one_page_is_counted_without_a_statement(shop: Shop):
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    response = staff_client(shop.organization).get(reverse("bss:order_list"))
    assert (len(rows_of(response)), response.context["count"], response.context["is_more"]) == (2, 2, False)
