"""Statements that are kept give each caller his own rows, and what stands in the database now."""

import datetime as dt
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api import paging
from core import clock, prepared
from orders import service_values
from resellers.models import Account
from subscriptions.models import Subscription
from tests.api.caller import Program
from tests.bss.running import running
from tests.shop import Shop

pytestmark = pytest.mark.django_db
LIST = "/api/subscriptions?pageSize=2"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_kept", prepared.OrderedDict())
    monkeypatch.setattr(paging, "_long_until", {})


def ids(program: Program, path: str = LIST) -> list[str]:
    return [row["id"] for row in program.get(path).json()["data"]]


def test_two_callers_in_turns_see_their_own_rows(
    service: Subscription, resold: Subscription, distributor: Program, reseller: Program
):
    for _again in range(3):
        assert ids(distributor) == [str(resold.public_id), str(service.public_id)]
        assert ids(reseller) == [str(resold.public_id)]
        assert reseller.get(LIST).json()["paging"]["totalRecords"] == 1


def test_what_changes_meanwhile_is_seen(resold: Subscription, distributor: Program, reseller: Program, shop: Shop):
    assert (ids(distributor), ids(reseller)) == ([str(resold.public_id)], [str(resold.public_id)])

    direct = running(shop)
    Subscription.objects.filter(pk=resold.pk).update(account=shop.customer, bill_to=shop.customer)

    assert ids(distributor) == [str(direct.public_id), str(resold.public_id)]
    assert distributor.get(LIST).json()["paging"]["totalRecords"] == 2
    assert ids(reseller) == []
    assert reseller.get(LIST).json()["paging"]["totalRecords"] == 0


def test_an_account_that_gets_another_payer_is_gone_at_once(resold: Subscription, reseller: Program, shop: Shop):
    assert ids(reseller) == [str(resold.public_id)]
    Account.objects.filter(pk=shop.end_customer.pk).update(bill_to=None, kind="direct")
    assert ids(reseller) == []


def test_every_choice_of_a_page_has_its_own_statement(shop: Shop, distributor: Program):
    oldest, middle, newest = [str(running(shop).public_id) for _row in range(3)]
    for _again in range(2):
        assert ids(distributor) == [newest, middle]
        assert ids(distributor, f"{LIST}&pageIndex=2") == [oldest]
        assert ids(distributor, "/api/subscriptions?pageSize=1") == [newest]
        assert ids(distributor, f"{LIST}&$orderBy=createdAt") == [oldest, middle]
        assert ids(distributor, f"{LIST}&$filter=id eq '{middle}'") == [middle]
        cursor = distributor.get(LIST).json()["paging"]["nextCursor"]
        assert ids(distributor, f"{LIST}&cursor={cursor}") == [oldest]


def test_the_same_statements_are_sent_without_making_them_again(
    service: Subscription, distributor: Program, monkeypatch: pytest.MonkeyPatch
):
    with CaptureQueriesContext(connection) as first:
        distributor.get(LIST)
    made = len(prepared._kept)
    monkeypatch.setattr(prepared, "_compiled", None)
    with CaptureQueriesContext(connection) as second:
        assert distributor.get(LIST).status_code == 200
    assert (made, len(prepared._kept)) == (2, 2)  # The count and the keys.
    pages = [[row["sql"] for row in calls if '"pk"' in row["sql"]][:2] for calls in (first, second)]
    assert pages[0] == pages[1]


ORDERS = [
    "",
    "createdAt",
    "name",
    "quantity desc,name",
    "subscriptionAmount",
    "renewalDate",
    "endDate",
]


@pytest.mark.parametrize("order", ORDERS)
def test_a_cursor_goes_on_with_a_statement_kept_for_other_marks(shop: Shop, distributor: Program, order: str):
    """Whatever a list is ordered by, text, numbers, moments or nothing at all: following it skips and repeats none."""
    rows = [running(shop, quantity=1 + number % 2) for number in range(5)]
    for number, row in enumerate(rows[:3]):
        ends = clock.now() + dt.timedelta(days=9 - number)
        Subscription.objects.filter(pk=row.pk).update(term_ends_at=ends, name=f"Name {number}")
    Subscription.objects.filter(pk=rows[4].pk).update(term_ends_at=None)
    path = "/api/subscriptions?pageSize=1" + (f"&$orderBy={order}" if order else "")
    whole = ids(distributor, path.replace("pageSize=1", "pageSize=50"))
    for _again in range(2):
        seen = ids(distributor, path)
        cursor = distributor.get(path).json()["paging"]["nextCursor"]
        while cursor:
            page = distributor.get(f"{path}&cursor={quote(cursor)}").json()
            seen += [row["id"] for row in page["data"]]
            cursor = page["paging"]["nextCursor"]
        assert seen == whole
    assert len(whole) == 5


def test_only_the_last_ones_are_kept(service: Subscription, shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prepared, "KEPT_AT_MOST", 2)
    for key in (1, 2, 1, 3):
        rows = prepared.Kept(key, lambda: service_values.service_rows(shop.staff))
        assert rows.tuples(["pk"], slice(0, 5)) == [(service.pk,)]
    assert [key[0] for key in prepared._kept] == [1, 3]


def test_a_count_ends_at_its_bound(shop: Shop):
    for _row in range(3):
        running(shop)
    rows = service_values.service_rows(shop.staff)
    assert [prepared.Kept("bound", lambda: rows).count(most) for most in (2, 3, 4)] == [2, 3, 3]


@pytest.mark.parametrize("path", [LIST, f"{LIST}&$filter=quantity gt 0"])
def test_a_list_too_long_to_count_tells_an_estimate(
    shop: Shop, distributor: Program, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr(paging, "EXACT_UP_TO", 2)
    for _row in range(3):
        running(shop)
    found = distributor.get(path).json()["paging"]
    assert found["totalIsEstimate"] is True
    assert found["totalRecords"] >= 3
    assert found["totalPages"] == -(-found["totalRecords"] // 2)


def test_a_long_list_is_counted_once_a_minute(shop: Shop, distributor: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paging, "EXACT_UP_TO", 2)
    for _row in range(3):
        running(shop)
    minute = {"now": 1000.0}
    monkeypatch.setattr(paging.time, "monotonic", lambda: minute["now"])

    def counts() -> tuple[int, bool]:
        with CaptureQueriesContext(connection) as captured:
            page = distributor.get(LIST).json()["paging"]
        return sum("COUNT(*)" in row["sql"] for row in captured.captured_queries), page["totalIsEstimate"]

    assert [counts(), counts()] == [(1, True), (0, True)]
    monkeypatch.setattr(paging, "EXACT_UP_TO", 3)
    assert counts() == (0, True)
    minute["now"] += paging.LONG_SECONDS + 1
    assert counts() == (1, False)


def test_a_statement_with_a_moment_in_it_is_made_anew_each_time(service: Subscription, shop: Shop):
    """What is worked out of the present moment must not stand still."""
    begins = clock.now() + dt.timedelta(days=1)
    Subscription.objects.filter(pk=service.pk).update(status="inactive", starts_at=begins)

    def words() -> list[tuple[str]]:
        rows = service_values.service_rows(shop.staff)
        return prepared.Kept("words", lambda: rows.annotate(why=service_values.why())).tuples(["why"], slice(0, 5))

    assert words() == [("ScheduledStart",)]
    assert not prepared._kept
    clock.advance(dt.timedelta(days=2))
    assert words() == [("PendingActivation",)]


def test_nothing_of_the_first_request_is_held(service: Subscription, distributor: Program):
    """A kept statement would otherwise keep the request, with its token, for as long as the process lives."""
    for path in (LIST, f"{LIST}&$orderBy=name"):
        distributor.get(path)
    assert len(prepared._kept) == 3
    assert {statement.make for statement in prepared._kept.values()} == {prepared._made_already}
    assert distributor.get(LIST).status_code == 200


def test_rows_that_cannot_be_are_none():
    rows = prepared.Kept("nothing", Subscription.objects.none)
    assert (rows.tuples(["pk"], slice(0, 5)), rows.count(10)) == ([], 0)
