"""The measurements still work: the loader fills a small data set, and a page's statements do not grow with it."""

from random import Random

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import Count, Sum

from bench import dataset, esd, load, orders, pages, usages
from bench.pull import StatementCount, definition_run
from bench.size import Scale
from core.tenancy import system_actor
from provisioning.services.run import run_operation
from subscriptions.models import Operation, Subscription, UsageRecord
from tests.twins import Twins

pytestmark = pytest.mark.django_db

LIMITS = {page.name: page.limit for page in pages.PAGES}
DICE = Random(1)  # noqa: S311 - makes test data, keeps no secret.
OF_A_PAGE = 3  # Statements: progress, and whether somebody cancelled or took the job over.
OF_A_LICENCE = 7  # Of an order; each licence is a line, a charge, an asset and an operation of its own.
OF_A_PURCHASE = 32  # The savepoints of a test's own transaction are among them; 28 without.
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


def test_same_seed_gives_the_same_rows():
    market = dataset.Loader("tiny", TINY).build()
    rows = Subscription.objects.filter(organization=market.organization)

    first = rows.order_by("pk").values_list("external_id", "quantity", "status", "name")[0]

    assert first == ("a59a2028-7f6c-4f0f-9ad5-49901cb9ce5a", 57, "active", "Birch Suite 000013")


def test_column_without_a_value_is_named_before_anything_is_sent():
    rows = [{"organization_id": 1, "name": "Suite"}]

    with pytest.raises(load.MissingColumn, match=r"subscriptions\.Subscription: column account_id must not be null"):
        load.load(Subscription, rows, now=dataset.midnight(), random=DICE)

    assert Subscription.objects.count() == 0


def test_unknown_column_is_named():
    with pytest.raises(load.MissingColumn, match="has no column colour"):
        load.load(Subscription, [{"colour": "blue"}], now=dataset.midnight(), random=DICE)


def stated(market: dataset.Market) -> dict[str, int]:
    """How many statements each page takes."""
    return {page.name: len(pages.count_statements(market, page)) for page in pages.PAGES}


def test_statements_do_not_grow_with_rows(settings: LazySettings):
    settings.BRIEF_SECONDS = 60
    settings.CLOCK_MOVABLE = False  # As in production: how far the clock was moved is not asked for.
    few = dataset.Loader("few", TINY).build(buyers=1)
    many = dataset.Loader("many", Scale(1_000, 300, 10, 200, 100)).build(buyers=1)

    taken = stated(few)

    assert taken == stated(many)
    assert {name: number for name, number in taken.items() if number > LIMITS[name]} == {}
    assert orders.statements(few, lines=1) == orders.statements(many, lines=1) <= orders.LIMIT


def pulled(counter: esd.Counter, country: str, *, full: bool = True) -> int:
    """The statements of a definition run of one country."""
    actor = system_actor(counter.organization.pk)
    return int(definition_run(actor, counter.instances[country], full=full)["statements"])


def test_statements_of_a_definition_run_do_not_grow_with_products(twins: Twins, settings: LazySettings):
    settings.CLOCK_MOVABLE = False
    counter = esd.open_counter(0)
    few, few_again = pulled(counter, "GR"), pulled(counter, "GR")
    esd.fill(441)  # With the 59 that are seeded as many as are written at once, on three pages.

    assert pulled(counter, "DE") == few + 2 * OF_A_PAGE
    assert pulled(counter, "DE") == few_again + 2 * OF_A_PAGE


def test_statements_of_licences_grow_by_a_fixed_number(twins: Twins, settings: LazySettings):
    settings.CLOCK_MOVABLE = False
    counter = esd.open_counter(1)
    esd.fill(150)
    pulled(counter, "GR")

    assert esd.statements(counter, 50) - esd.statements(counter, 1) <= 49 * OF_A_LICENCE

    first, second = Operation.objects.order_by("pk").values_list("pk", flat=True)[:2]
    run_operation(first)  # The first one fetches a token.
    counted = StatementCount()
    with connection.execute_wrapper(counted):
        run_operation(second)

    esd.check([first, second])
    assert counted.count <= OF_A_PURCHASE


def test_the_three_ways_to_write_usage_write_the_same():
    market = dataset.Loader("used", TINY).build(buyers=1)
    ledger = usages.Ledger(market, 40)
    sums = []
    for way in (ledger.floor, ledger.loaded):
        UsageRecord.objects.all().delete()
        way()
        sums.append(UsageRecord.objects.aggregate(n=Count("pk"), total=Sum("total"), price=Sum("unit_price")))
    ledger.batches()

    assert sums[0] == sums[1]
    assert sums[0]["n"] == UsageRecord.objects.count() == 40
