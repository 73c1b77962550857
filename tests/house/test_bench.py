"""The measurements still work: the loader fills a small data set, and a page's statements do not grow with it."""


import pytest
from django.conf import LazySettings

from bench import dataset, pages
from bench.size import Scale

pytestmark = pytest.mark.django_db

TINY = Scale(subscriptions=30, accounts=12, resellers=2, products=30, audit=10)


def test_loader_fills_every_table():
    market = dataset.Loader("tiny", TINY).build(buyers=2)

    assert market.counts == {
        "catalog.Product": 30,
        "catalog.Plan": 90,
        "catalog.PlanCost": 90,
        "catalog.Price": 9,
        "resellers.Account": 12,
        "resellers.Contact": 12,
        "catalog.PriceListAssignment": 12 - sum(ref.kind == "end_customer" for ref in market.accounts),
        "vendors.AccountLink": 12,
        "users.User": 2 + 4,
        "resellers.Membership": 2 + 4,
        "orders.Order": 15,
        "subscriptions.Subscription": 30,
        "orders.OrderLine": 30,
        "billing.Charge": 30,
        "subscriptions.Operation": 30,
        "core.AuditEntry": 10,
    }


def stated(market: dataset.Market) -> dict[str, int]:
    """How many statements each page takes."""
    return {page.name: len(pages.count_statements(market, page)) for page in pages.PAGES}


def test_statements_do_not_grow_with_rows(settings: LazySettings):
    settings.BRIEF_SECONDS = 60
    settings.CLOCK_MOVABLE = False  # As in production: how far the clock was moved is not asked for.
    few = dataset.Loader("few", TINY).build(buyers=1)
    many = dataset.Loader("many", Scale(1_000, 300, 10, 200, 100)).build(buyers=1)

    assert stated(few) == stated(many)
