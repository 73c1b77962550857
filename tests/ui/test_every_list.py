"""Every list of every door: each sort, each filter and the spreadsheet work on real rows."""

import csv
import datetime as dt
import html
import io
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import formats
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from catalog.models import PriceList
from clients.services.clients import create_client
from core.jobs import start_job
from notifications.models import WebhookEndpoint
from notifications.services.webhooks import create_webhook
from notifications.services.webhooks import test_webhook as send_test
from resellers.enums import Edition
from resellers.models import Account, Organization, PermissionRule
from subscriptions.services.returns import submit_return
from tests import factories
from tests.bss.staff import customer_client, staff_client
from tests.shop import fill_basket, make_shop, place
from tests.test_url_matrix import professional_of
from ui.filters import FilterForm
from ui.pages import ListPage
from ui.spreadsheet import SheetColumn, sheet_columns, sheet_name
from ui.tables import Column, ordered, sort_field

pytestmark = pytest.mark.django_db


def lists(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, type[ListPage]]]:
    """Every list."""
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from lists(item, item.namespace or namespace)
        elif isinstance(item, URLPattern):
            page = getattr(item.callback, "view_class", None)
            if page and issubclass(page, ListPage):
                yield f"{namespace}:{item.name}", page


def tried_hook(here: Organization, of: Account | None) -> WebhookEndpoint:
    """A webhook of a program, with a delivery."""
    staff = factories.actor(here)
    client, _secret = create_client(staff, account=of, name="Sync")
    row, _secret = create_webhook(staff, client=client, url="https://erp.example.com/hooks", events=["order.executed"])
    send_test(staff, endpoint=row)
    return row


LISTS = sorted(lists(get_resolver()), key=lambda pair: pair[0])
# The object that a list below one is about, by the beginning of the list's name.
OBJECTS: dict[str, Callable[[Organization], Any]] = {
    "bss:account_": lambda here: Account.objects.filter(organization=here).first() or factories.account(here),
    "bss:price_list_": lambda here: PriceList.objects.filter(organization=here).first() or factories.price_list(here),
    "bss:professional_": lambda here: professional_of(factories.account(here, "reseller")),
    "bss:webhook_": lambda here: tried_hook(here, None),
    "storefront:webhook_": lambda here: tried_hook(here, Account.objects.get(organization=here, edition="standard")),
    "bss:rule_": lambda here: PermissionRule.objects.create(organization=here, name="A rule"),
}
PATTERNS = {
    f"{door}:{item.name}": item
    for door in ("bss", "storefront")
    for item in get_resolver(f"{door}.urls").url_patterns
    if isinstance(item, URLPattern)
}


def address(name: str, here: Organization) -> str:
    """The list's address; one below an object is that of an object of its kind in ``here``."""
    pattern = PATTERNS.get(name)
    if pattern is None or not pattern.pattern.converters:
        return reverse(name)
    made = next((make for start, make in OBJECTS.items() if name.startswith(start)), None)
    assert made is not None, f"teach this test which object {name} is about"
    return reverse(name, args=[made(here).public_id])


@pytest.fixture(scope="module")
def made(module_rows):
    """A shop with an order, a subscription, an operation and a job."""
    shop = make_shop()
    factories.reseller_site(shop.reseller, Edition.STANDARD)
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    start_job(shop.staff, "test", title="A job", params={})
    for account in (shop.customer, shop.end_customer):
        submit_return(shop.staff, asset=factories.asset(shop.product, account=account), comment="Bought twice")
    return shop


@pytest.fixture
def door(made):
    """The client of a door by its name, with the shop."""
    shop = deepcopy(made)
    clients = {
        "bss": staff_client(shop.organization),
        "storefront": customer_client(shop.organization, shop.reseller),
    }
    return lambda name: (shop, clients[name.partition(":")[0]])


def example(name: str, field: forms.Field) -> Any:
    """A value the field takes: the last choice, a day, or a word."""
    if isinstance(field, forms.ChoiceField):
        return list(field.choices)[-1][0]
    return "2026-01-15" if isinstance(field, forms.DateField) else "a"


def test_there_are_lists():
    assert {"bss:job_list", "bss:order_list", "bss:product_list", "storefront:order_list"} <= dict(LISTS).keys()


@pytest.mark.parametrize(("name", "page"), LISTS, ids=[name for name, _page in LISTS])
def test_list_sorts_filters_and_searches(door, name, page):
    shop, client = door(name)
    url = address(name, shop.organization)
    response = client.get(url)
    assert response.status_code == 200
    shown: ListPage = response.context["page"]
    rows = shown.rows()
    for sort in {shown.sort, *(column.sort for column in shown.shown_columns() if column.sort)}:
        path = sort.removeprefix("-")
        assert path in rows.query.annotations or sort_field(rows.model, path)
        for asked in (path, f"-{path}"):
            assert client.get(url, {"sort": asked}).status_code == 200
    form = FilterForm(
        {}, filters=shown.shown_filters(), actor=shop.staff if name.startswith("bss:") else shop.reseller_admin
    )
    for key, field in form.fields.items():
        found = client.get(url, {key: example(key, field)})
        assert (found.status_code, found.context["form"].errors) == (200, {})


def written(value: Any) -> Any:
    """A value as openpyxl finds it: numbers as numbers, times in UTC without an offset."""
    if isinstance(value, Decimal):
        return float(value)
    # A date alone is read back as its midnight.
    return dt.datetime(value.year, value.month, value.day) if type(value) is dt.date else value


def on_screen(column: Column, row: Any) -> str:
    """The words of a cell."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", str(column.cell(row))))).strip()


def said_by(column: SheetColumn, cell: Any, currency: str) -> str:
    """What the screen says where the workbook has this cell."""
    if cell.value in (None, ""):
        return "" if column.kind == "warning" else "—"
    match column.kind:
        case "money":
            return f"{cell.value:,.{2 if cell.number_format == '#,##0.00' else 4}f} {currency}"
        case "percent":
            return f"{(Decimal(str(cell.value)) * 100).normalize():f} %"
        case "flag":
            return "Yes" if cell.value else "—"
        case "when":
            return f"{formats.date_format(cell.value)}, {formats.time_format(cell.value)}"
        case "date":
            return formats.date_format(cell.value)
        case _:
            return re.sub(r"\s+", " ", str(cell.value)).strip()


@pytest.mark.parametrize(("name", "page"), LISTS, ids=[name for name, _page in LISTS])
def test_files_of_a_list_say_what_the_screen_says(door, name, page):
    shop, client = door(name)
    url = address(name, shop.organization)
    shown: ListPage = client.get(url).context["page"]
    rows = list(ordered(shown.filtered(), shown.chosen_sort))
    columns = sheet_columns(shown.shown_columns())
    labels = [column.label for column in columns]
    assert [column.path for column in shown.shown_columns() if column.sub and not str(column.sub_label)] == []
    assert len(set(labels)) == len(labels)
    plain = b"".join(client.get(url, {"format": "csv"}).streaming_content).decode("utf-8-sig")
    assert list(csv.reader(plain.splitlines(keepends=True))) == [
        labels,
        *([column.text(row) for column in columns] for row in rows),
    ]
    answer = client.get(url, {"format": "xlsx"})
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert (sheet.title, sheet.freeze_panes) == (sheet_name(shown.page_title()), "A2")
    assert sheet.auto_filter.ref == f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    cells = list(sheet.iter_rows(min_row=1))
    assert [cell.value.removesuffix(" (UTC)") for cell in cells[0]] == labels
    assert len(cells) == len(rows) + 1
    for row, line in zip(rows, cells[1:], strict=True):
        assert [cell.data_type for cell in line if cell.data_type == "f"] == []
        for column, cell in zip(columns, line, strict=True):
            assert cell.value == written(column.value(row))
            if column.is_own and column.kind != "ago" and not column.column.sub:
                currency = column.column.currency_of(row) if column.kind == "money" else ""
                expected = said_by(column, cell, currency)
                drawn = on_screen(column.column, row)
                if column.kind == "clip" and drawn.endswith("…"):
                    drawn, expected = drawn[:-1], expected[: len(drawn) - 1]
                assert drawn == expected, column.label


@pytest.mark.parametrize(("name", "page"), LISTS, ids=[name for name, _page in LISTS])
def test_list_says_what_to_do_when_it_is_empty(name, page):
    here = factories.organization()
    seller = factories.account(here, "reseller")
    if not name.startswith("bss:"):
        # Some lists of the storefront come with the edition only.
        factories.reseller_site(seller, Edition.STANDARD)
    client = staff_client(here) if name.startswith("bss:") else customer_client(here, seller)
    response = client.get(address(name, here))
    assert response.status_code == 200
    if not response.context["lines"]:
        assert str(page.empty_title)
        assert str(page.empty_title) in response.content.decode()


@pytest.mark.parametrize(("name", "page"), LISTS, ids=[name for name, _page in LISTS])
def test_list_can_be_sorted_and_searched(door, name, page):
    shop, client = door(name)
    shown: ListPage = client.get(address(name, shop.organization)).context["page"]
    sortable = {column.sort for column in shown.shown_columns() if column.sort}
    assert sortable
    assert shown.search or shown.shown_filters()
    names = list(shown.filter_form.fields)
    assert {"saved", "sort", "size", "after", "before", "format"} & set(names) == set()
    assert len({str(column.label) for column in shown.shown_columns()}) == len(shown.shown_columns())


@pytest.mark.parametrize(
    "name", ["bss:order_list", "bss:subscription_list", "storefront:order_list", "storefront:subscription_list"]
)
def test_purchase_mode_is_a_column_and_a_filter(door, name):
    _shop, client = door(name)
    shown: ListPage = client.get(reverse(name)).context["page"]
    assert "get_purchase_mode_display" in [column.path for column in shown.shown_columns()]
    assert "mode" in [item.name for item in shown.shown_filters()]


@pytest.mark.parametrize("name", ["storefront:order_list", "storefront:subscription_list"])
def test_who_buys_for_nobody_else_has_no_purchase_mode(door, name):
    shop, _client = door(name)
    client = customer_client(shop.organization, shop.customer)
    response = client.get(reverse(name), {"mode": "end_customer"})
    shown: ListPage = response.context["page"]
    assert {"account.name", "get_purchase_mode_display"} & {column.path for column in shown.shown_columns()} == set()
    assert (response.context["chips"], len(response.context["lines"])) == ([], 1)
    assert "Purchase mode" not in b"".join(client.get(reverse(name), {"format": "csv"}).streaming_content).decode()
