"""Every list of every door: each sort, each filter and the spreadsheet work on real rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core.jobs import start_job
from tests import factories
from tests.bss.staff import customer_client, staff_client
from tests.shop import fill_basket, make_shop, place
from ui.filters import FilterForm
from ui.pages import ListPage
from ui.tables import sort_field

pytestmark = pytest.mark.django_db


def lists(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, type[ListPage]]]:
    """Every list whose address needs no object."""
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from lists(item, item.namespace or namespace)
        elif isinstance(item, URLPattern) and not item.pattern.converters:
            page = getattr(item.callback, "view_class", None)
            if page and issubclass(page, ListPage):
                yield f"{namespace}:{item.name}", page


LISTS = sorted(lists(get_resolver()), key=lambda pair: pair[0])


@pytest.fixture
def door():
    """A shop with an order, a subscription, an operation and a job; the client of a door by its name."""
    shop = make_shop()
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    start_job(shop.staff, "test", title="A job", params={})
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
def test_list_sorts_filters_searches_and_exports(door, name, page):
    shop, client = door(name)
    url = reverse(name)
    response = client.get(url)
    assert response.status_code == 200
    shown: ListPage = response.context["page"]
    rows = shown.rows()
    for sort in {shown.sort, *(column.sort for column in shown.shown_columns() if column.sort)}:
        path = sort.removeprefix("-")
        assert sort_field(rows.model, path)
        for asked in (path, f"-{path}"):
            assert client.get(url, {"sort": asked}).status_code == 200
    form = FilterForm({}, filters=shown.filters, actor=shop.staff if name.startswith("bss:") else shop.reseller_admin)
    for key, field in form.fields.items():
        found = client.get(url, {key: example(key, field)})
        assert (found.status_code, found.context["form"].errors) == (200, {})
    export = client.get(url, {"format": "csv"})
    lines = b"".join(export.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].split(",")[0] == str(shown.shown_columns()[0].label)
    assert len(lines) > shown.filtered().count()


@pytest.mark.parametrize(("name", "page"), LISTS, ids=[name for name, _page in LISTS])
def test_list_says_what_to_do_when_it_is_empty(name, page):
    here = factories.organization()
    client = (
        staff_client(here) if name.startswith("bss:") else customer_client(here, factories.account(here, "reseller"))
    )
    response = client.get(reverse(name))
    assert response.status_code == 200
    if not response.context["lines"]:
        assert str(page.empty_title)
        assert str(page.empty_title) in response.content.decode()
