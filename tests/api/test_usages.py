"""Usage: the nine invariants, the period, the kinds, who may read, and one refresh for a stale month."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.contract import contract
from api.resources import usages as wire
from clients.services.clients import save_policy
from core import clock, jobs
from core.errors import BusinessError
from core.events import Event
from core.jobs import Job
from provisioning.ports import UsageBatch, UsageRow
from provisioning.services import usage as refreshing
from subscriptions.models import Subscription, UsagePeriod, UsageRecord, UsageView
from subscriptions.services.usage import close_period
from subscriptions.services.usage_months import keep_months, known_months, make_month
from subscriptions.usage_rules import Terms as RuleTerms
from subscriptions.usage_rules import amounts, estimated_total, month_after, record_id, unit_price
from tests.api.caller import Program, program
from tests.api.contract import check
from tests.api.usage import LEGACY, PLAN, by_use, line, load, load_plan, months_ago, this_month
from tests.shop import Shop

pytestmark = pytest.mark.django_db
AZURE = "/api/subscriptions/{subscriptionId}/usages/azure"
METER = f"{AZURE}PlanByMeter"
RESOURCE = f"{AZURE}PlanByResource"
DAY, BY_METER, BY_RESOURCE = UsageView.DAY, UsageView.METER, UsageView.RESOURCE


def at(row: Subscription, path: str) -> str:
    return path.replace("{subscriptionId}", str(row.public_id))


@pytest.fixture
def plan(service: Subscription) -> Subscription:
    return by_use(service, PLAN)


@pytest.fixture
def legacy(service: Subscription) -> Subscription:
    return by_use(service, LEGACY)


def day(number: int = 1) -> dt.date:
    return this_month().replace(day=number)


# --- What is told -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "told"), [(AZURE, wire.OF_DAYS), (METER, wire.OF_METERS), (RESOURCE, wire.OF_RESOURCES)]
)
def test_the_names_are_those_of_the_contract(path: str, told: wire.Told):
    call = contract()["paths"][path]["get"]
    assert set(told.columns.names(staff=True)) == set(call["x-filter-fields"])
    assert set(told.columns.names(staff=True, orders=True)) == set(call["x-orderby-fields"])


def test_usage_by_day(distributor: Program, legacy: Subscription):
    until = dt.datetime.combine(day(3), dt.time(), dt.UTC)
    rows = [line(1, day=day(1), tags={"env": "prod"}), line(2, day=day(2), retail="2.3100", quantity="24")]
    assert load(legacy, DAY, rows, data_until=until) == 2
    body = check(distributor.get(at(legacy, AZURE)), AZURE)
    first = body["data"][0]
    assert (first["resourceName"], first["total"], first["unitPrice"], first["tags"]) == (
        "vm-1",
        10,
        2.5,
        {"env": "prod"},
    )
    assert (first["usageStartTime"][:10], first["usageEndTime"][:10]) == (str(day(1)), str(day(2)))
    summary = body["summary"]
    assert (summary["usageKind"], summary["total"], summary["recordCount"]) == ("Azure", 12.31, 2)
    days = (month_after(this_month()) - this_month()).days
    assert summary["estimatedTotal"] == float((Decimal("12.31") * days / 2).quantize(Decimal("0.01")))
    assert summary["isFinal"] is False and summary["lastUpdatedAt"]
    one = check(distributor.get(f"/api/subscriptions/{legacy.public_id}"), "/api/subscriptions/{subscriptionId}")
    assert (one["usageKind"], one["isUsageBased"], one["currency"]) == ("Azure", True, summary["currency"])
    found = distributor.get("/api/subscriptions?$filter=usageKind eq 'Azure'").json()["data"]
    assert [item["id"] for item in found] == [str(legacy.public_id)]


def test_both_views_of_a_plan(distributor: Program, plan: Subscription):
    load_plan(plan, [line(number, retail=f"{number}.1234") for number in range(1, 8)])
    meters = check(distributor.get(at(plan, METER)), METER)
    resources = check(distributor.get(at(plan, RESOURCE)), RESOURCE)
    assert meters["summary"]["total"] == resources["summary"]["total"] == 28.8638
    assert "quantity" not in resources["data"][0] and meters["data"][0]["vendorSubscriptionId"] == "plan-0001"
    assert [row["total"] for row in meters["data"]] == sorted((row["total"] for row in meters["data"]), reverse=True)


def test_cost_is_for_those_who_may_see_it(shop: Shop, distributor: Program, plan: Subscription):
    load_plan(plan, [line(1, cost=Decimal(8), cost_usd=Decimal("8.64"))])
    row = check(distributor.get(at(plan, METER)), METER)["data"][0]
    assert (row["unitCost"], row["totalCost"], row["totalCostUsd"]) == (2, 8, 8.64)
    blind = program(shop, scopes=("usages:read", "subscriptions:read"))
    for path in (METER, RESOURCE):
        with CaptureQueriesContext(connection) as queries:
            answer = blind.get(at(plan, path))
        assert "cost" not in answer.content.decode().lower()
        assert not any('"cost"' in query["sql"] for query in queries.captured_queries)


def test_a_reseller_reads_his_price_if_the_distributor_lets_him(shop: Shop, reseller: Program, resold: Subscription):
    row = by_use(resold, PLAN, default_rule="markup", default_value=Decimal("12.5"))
    load_plan(row, [line(1, retail="10", cost=Decimal(8))])
    path = at(row, METER)
    assert check(reseller.get(path), METER)["code"] == "not_enabled"
    save_policy(shop.staff, values={"resellers_usages": True})
    body = check(reseller.get(path), METER, reseller=True)
    assert (body["data"][0]["total"], body["summary"]["total"]) == (9, 9)
    missing = at(row, METER).replace(str(row.public_id), str(uuid.uuid4()))
    assert check(reseller.get(missing), METER)["type"] == "SubscriptionNotFoundError"
    no_scope = program(shop, of=shop.reseller, scopes=("subscriptions:read",))
    assert no_scope.get(path).json()["code"] == "scope_missing"


def test_what_is_not_the_callers_does_not_exist(shop: Shop, reseller: Program, plan: Subscription):
    save_policy(shop.staff, values={"resellers_usages": True})
    load_plan(plan, [line(1)])
    answer = reseller.get(at(plan, METER))
    assert (answer.status_code, answer.json()["type"]) == (404, "SubscriptionNotFoundError")


# --- The nine invariants ----------------------------------------------------------------------------------------------
def walked(caller: Program, address: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All rows of an address, page by page, and the first summary."""
    first = body = caller.get(address).json()
    rows = list(body["data"])
    while body["links"]["next"]:
        body = caller.get(body["links"]["next"].partition("//")[2].partition("/")[2].join(("/", ""))).json()
        rows += body["data"]
    return rows, first


AMOUNT = st.decimals(min_value=-9999, max_value=99999, places=6, allow_nan=False, allow_infinity=False)
QUANTITY = st.decimals(min_value=Decimal("0.000001"), max_value=10**6, places=6, allow_nan=False, allow_infinity=False)
PERCENT = st.decimals(min_value=0, max_value=100, places=2)
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SLOW
@given(told=st.lists(st.tuples(AMOUNT, QUANTITY), min_size=1, max_size=9), percent=PERCENT)
def test_sums_rows_and_currency(
    distributor: Program, service: Subscription, told: list[tuple[Decimal, Decimal]], percent: Decimal
):
    """Invariants 1, 2, 4 and 6: sums over all pages, with and without filter; amounts; one currency; stable ids."""
    row = by_use(service, PLAN, default_value=percent)
    lines = [line(n, retail=str(amount), quantity=str(quantity)) for n, (amount, quantity) in enumerate(told)]
    load(row, BY_METER, lines)
    for more in ("", "&$filter=category eq 'category 1'", "&$filter=total gt 5&$orderBy=meterName desc"):
        rows, body = walked(distributor, f"{at(row, METER)}?pageSize=4{more}")
        exact = [Decimal(str(item["total"])) for item in rows]
        assert sum(exact) == Decimal(str(body["summary"]["total"]))
        assert len({item["id"] for item in rows}) == len(rows)
        assert body["summary"]["recordCount"] == body["paging"]["totalRecords"] == len(rows)
        assert {item["currency"] for item in rows} | {body["summary"]["currency"]} == {row.currency}
    ids = set()
    for item in UsageRecord.objects.all():
        ids.add(item.pk)
        share = 1 - (item.discount_percent or 0) / Decimal(100)
        assert abs(item.total_original * share - item.total) <= Decimal("0.00005")
        assert abs(item.unit_price * item.quantity - item.total) <= Decimal("0.005")
    load(row, BY_METER, [line(n, retail="1") for n in range(len(told))])
    assert set(UsageRecord.objects.values_list("pk", flat=True)) == ids


@given(total=AMOUNT, quantity=QUANTITY, currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_unit_price_gives_its_total(total: Decimal, quantity: Decimal, currency: str):
    half = {"EUR": Decimal("0.005"), "JPY": Decimal("0.5"), "KWD": Decimal("0.0005")}[currency]
    assert abs(unit_price(total, quantity, currency) * quantity - total) <= half


def test_ids_are_those_of_uuid5():
    owner = uuid.uuid4()
    for meter, resource, number in (("m", "/r", "2026-03-01"), ("", "é/ü", ""), ("", "", "")):
        name = "\x1f".join(("2026-03", meter, resource, number))
        assert record_id(owner, "2026-03", meter, resource, number) == str(uuid.uuid5(owner, name))


def test_amounts_are_rounded_half_up():
    less = RuleTerms("EUR", discount=Decimal(5))
    assert amounts(less, quantity=Decimal(1), retail=Decimal("6.88"), cost=None).total == Decimal("6.5360")
    odd = amounts(RuleTerms("EUR", Decimal("0.5")), quantity=None, retail=Decimal("0.0001"), cost=Decimal("0.0001"))
    assert (odd.total, odd.cost, odd.unit_price) == (Decimal("0.0001"), Decimal("0.0001"), None)


def test_totals_of_the_views_differ_by_rounding_or_nothing_is_final(distributor: Program, plan: Subscription):
    """Invariant 3."""
    load_plan(plan, [line(1, retail="10"), line(2, retail="5")], closed=True)
    assert all(distributor.get(at(plan, path)).json()["summary"]["isFinal"] for path in (METER, RESOURCE))
    with pytest.raises(BusinessError, match="is final"):
        load(plan, BY_METER, [line(1)])
    last = months_ago(1)
    load(plan, BY_METER, [line(1, retail="10")], month=last)
    load(plan, BY_RESOURCE, [line(1, retail="10.0002", quantity=None)], month=last, closed=True)
    query = f"?billingPeriod={last:%Y-%m}"
    assert not any(distributor.get(at(plan, path) + query).json()["summary"]["isFinal"] for path in (METER, RESOURCE))
    load(plan, BY_RESOURCE, [line(1, retail="10.0001", quantity=None)], month=last)
    assert close_period(plan, last).is_final
    assert all(distributor.get(at(plan, path) + query).json()["summary"]["isFinal"] for path in (METER, RESOURCE))


def test_another_currency_is_converted_or_refused(distributor: Program, plan: Subscription):
    """Invariant 4."""
    with pytest.raises(BusinessError) as refused:
        load(plan, BY_METER, [line(1)], currency="USD")
    assert refused.value.code == "usage_rate"
    load(plan, BY_METER, [line(1, retail="10", cost=Decimal(8))], currency="USD", rate=Decimal("0.92345"))
    row = distributor.get(at(plan, METER)).json()["data"][0]
    assert (row["total"], row["totalCost"], row["currency"]) == (9.2345, 7.3876, "EUR")


def test_estimates():
    """Invariant 5: total / days until the last data x days of the month."""
    april = dt.date(2026, 4, 1)
    until = dt.datetime(2026, 4, 13, tzinfo=dt.UTC)
    assert estimated_total(Decimal(120), april, until, "EUR") == Decimal("300.00")
    assert estimated_total(Decimal(120), april, until.replace(day=1, hour=23), "EUR") is None
    assert estimated_total(Decimal(120), april, None, "EUR") is None
    assert estimated_total(Decimal("2.31"), dt.date(2021, 3, 1), dt.datetime(2021, 3, 12, tzinfo=dt.UTC), "EUR") == (
        Decimal("6.51")
    )


def test_no_estimate_under_a_filter_or_of_a_closed_period(distributor: Program, plan: Subscription):
    path, until = at(plan, METER), dt.datetime.combine(day(3), dt.time(), dt.UTC)
    load(plan, BY_METER, [line(1)], data_until=until)
    assert distributor.get(path).json()["summary"]["estimatedTotal"] > 10
    assert distributor.get(f"{path}?$filter=total gt 0").json()["summary"]["estimatedTotal"] is None
    close_period(plan, this_month())
    assert distributor.get(path).json()["summary"]["estimatedTotal"] is None


def test_a_refresh_changes_values_and_what_is_gone_goes(plan: Subscription, legacy: Subscription):
    """Invariant 6, and loads of some days alone."""
    load(legacy, DAY, [line(1, day=day(1)), line(1, day=day(2)), line(2, day=day(2))])
    first = {row.pk: row.total for row in UsageRecord.objects.all()}
    load(legacy, DAY, [line(1, day=day(2), retail="11")], days=(day(2), day(3)))
    second = {row.pk: row.total for row in UsageRecord.objects.all()}
    assert len(first) == 3 and len(second) == 2 and set(second) < set(first)
    assert sorted(second.values()) == [Decimal(10), Decimal(11)]


def test_rows_of_a_final_month_never_change(plan: Subscription):
    """Invariant 7, held by the database as well."""
    load_plan(plan, [line(1)], closed=True)
    assert Event.objects.filter(name="subscription.usage.closed").count() == 1
    for deed in (
        lambda: UsageRecord.objects.update(total=1),
        lambda: UsageRecord.objects.all()[0].delete(),
        lambda: UsageRecord.objects.bulk_create([_copy(UsageRecord.objects.all()[0])]),
    ):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            deed()


def _copy(row: UsageRecord) -> UsageRecord:
    row.pk, row._state.adding = uuid.uuid4(), True
    return row


# --- The period -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2026-03-01", "invalid_period"),
        ("to=2026-03-01", "invalid_period"),
        ("from=2026-03-02&to=2026-03-02", "invalid_period"),
        ("from=2026-03-02&to=2026-03-01", "invalid_period"),
        ("from=2025-03-01&to=2026-04-01", "invalid_period"),
        ("billingPeriod=2026-03&from=2026-03-01&to=2026-04-01", "invalid_period"),
        ("billingPeriod=2026-13", "invalid_period"),
        ("billingPeriod=9999-12", "invalid_period"),
        ("billingPeriod=26-1", "invalid_period"),
        ("from=2026-W01-1&to=2026-02-01", "invalid_period"),
        ("from=2026-02-30&to=2026-03-01", "invalid_period"),
        ("from=2026-03-02&to=2026-04-01", "period_not_whole"),
        ("from=2026-03-01&to=2026-03-31", "period_not_whole"),
        ("$filter=resourceGroup eq 'x'", "unknown_filter_field"),
        ("$orderBy=meterId", "unknown_orderby_field"),
        ("include=items", "unknown_include"),
        ("pageSize=0", "invalid_parameter"),
    ],
)
def test_wrong_questions_come_before_the_subscription(distributor: Program, query: str, code: str):
    path = METER.replace("{subscriptionId}", str(uuid.uuid4()))
    answer = distributor.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.content
    assert answer.json()["errors"][0]["parameter"]


def test_months_and_days(distributor: Program, legacy: Subscription):
    last = months_ago(1)
    rows = [line(1, day=last.replace(day=number)) for number in (1, 2, 28)]
    load(legacy, DAY, rows, month=last)
    load(legacy, DAY, [line(1, day=day(1))])
    path = at(legacy, AZURE)

    def counted(query: str) -> int:
        return int(distributor.get(f"{path}?{query}").json()["summary"]["recordCount"])

    assert counted("") == 1
    assert counted(f"billingPeriod={last:%Y-%m}") == 3
    assert counted(f"from={last}&to={last.replace(day=28)}") == 2
    assert counted(f"from={last.replace(day=2)}&to={day(2)}") == 3
    assert counted(f"from={last}&to={month_after(this_month())}") == 4
    later = month_after(this_month(), 2)
    body = check(distributor.get(f"{path}?billingPeriod={later:%Y-%m}"), AZURE)
    assert (body["data"], body["summary"]["lastUpdatedAt"], body["summary"]["isFinal"]) == ([], None, False)


def test_month_37_is_archived(distributor: Program, plan: Subscription):
    for number, status in ((36, 200), (37, 410)):
        month = months_ago(number)
        for query in (f"billingPeriod={month:%Y-%m}", f"from={month}&to={month_after(month)}"):
            answer = distributor.get(f"{at(plan, METER)}?{query}")
            assert answer.status_code == status
    assert check(answer, METER)["type"] == "UsageArchivedError"
    assert answer.json()["code"] == "usage_archived"


@pytest.mark.parametrize(
    ("family", "path", "right"),
    [
        (PLAN, AZURE, ["azurePlanByMeter", "azurePlanByResource"]),
        (LEGACY, METER, ["azure"]),
        (LEGACY, RESOURCE, ["azure"]),
        ("", RESOURCE, []),
    ],
)
def test_the_wrong_kind_names_the_right_path(
    distributor: Program, service: Subscription, family: str, path: str, right: list[str]
):
    row = by_use(service, family)
    body = check(distributor.get(at(row, path)), path)
    assert (body["status"], body["type"], body["code"]) == (404, "UsageNotApplicableError", "usage_not_applicable")
    for word in right:
        assert f"/api/subscriptions/{row.public_id}/usages/{word}" in body["detail"]
    assert right or "not billed by use" in body["detail"]


# --- Reading anew -----------------------------------------------------------------------------------------------------
class Reader:
    """A connector that can tell usage."""

    verbs = frozenset({"usage"})

    def __init__(self, batches: list[UsageBatch]) -> None:
        self.batches = batches

    def usage(self, ctx: Any, request: Any, month: dt.date) -> list[UsageBatch]:
        return self.batches


@pytest.fixture
def reader(plan: Subscription, monkeypatch: pytest.MonkeyPatch) -> Reader:
    found = Reader([])
    monkeypatch.setattr(refreshing, "known_applications", lambda: {plan.instance.application.code: found})
    return found


def test_a_stale_read_makes_one_refresh(distributor: Program, plan: Subscription, reader: Reader):
    until = clock.now()
    reader.batches = [
        UsageBatch("meter", "EUR", [line(1, retail="7")], until),
        UsageBatch("resource", "EUR", [UsageRow(Decimal(7), resource_id="/r")], until),
    ]
    answers = [distributor.get(at(plan, path)) for path in (METER, METER, RESOURCE)]
    assert [answer["Retry-After"] for answer in answers] == ["10"] * 3
    assert answers[0].json()["summary"]["lastUpdatedAt"] is None
    job = Job.objects.get(kind=refreshing.READ_USAGE)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"records": 2})
    fresh = distributor.get(at(plan, METER))
    assert fresh.json()["summary"]["total"] == 7
    assert "Retry-After" not in fresh
    UsagePeriod.objects.update(loaded_at=clock.now() - dt.timedelta(minutes=61))
    UsagePeriod.objects.update(asked_at=clock.real_now() - dt.timedelta(minutes=61))
    assert [distributor.get(at(plan, METER))["Retry-After"] for _ in range(2)] == ["10", "10"]
    assert Job.objects.filter(kind=refreshing.READ_USAGE).count() == 2


def test_a_refresh_of_a_closed_month_makes_it_final(distributor: Program, plan: Subscription, reader: Reader):
    reader.batches = [UsageBatch("meter", "EUR", [], closed=True), UsageBatch("resource", "EUR", [], closed=True)]
    assert distributor.get(at(plan, RESOURCE))["Retry-After"] == "10"
    jobs.run_job(Job.objects.get(kind=refreshing.READ_USAGE).pk)
    answer = distributor.get(at(plan, RESOURCE))
    assert answer.json()["summary"]["isFinal"] and "Retry-After" not in answer


def test_a_failed_refresh_is_not_repeated_at_once(distributor: Program, plan: Subscription, reader: Reader):
    reader.batches = [UsageBatch("meter", "USD", [line(1)])]
    distributor.get(at(plan, METER))
    job = Job.objects.get(kind=refreshing.READ_USAGE)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["code"]) == ("failed", "usage_rate")
    assert "Retry-After" in distributor.get(at(plan, METER))
    assert Job.objects.filter(kind=refreshing.READ_USAGE).count() == 1


def test_final_and_foreign_months_are_not_asked_for(distributor: Program, plan: Subscription, reader: Reader):
    load_plan(plan, [line(1)], closed=True)
    UsagePeriod.objects.update(loaded_at=clock.now() - dt.timedelta(days=9))
    for query in ("", f"?billingPeriod={month_after(this_month()):%Y-%m}", f"?billingPeriod={months_ago(20):%Y-%m}"):
        assert "Retry-After" not in distributor.get(at(plan, METER) + query)
    assert not Job.objects.filter(kind=refreshing.READ_USAGE).exists()


def test_no_vendor_app_no_refresh(distributor: Program, plan: Subscription):
    assert "Retry-After" not in distributor.get(at(plan, METER))
    assert not Job.objects.filter(kind=refreshing.READ_USAGE).exists()


# --- Loads and months -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("view", "rows", "code"),
    [
        (BY_METER, [line(1), line(1)], "usage_invalid"),
        (BY_METER, [line(1, quantity="0")], "usage_invalid"),
        (BY_METER, [line(1, day=dt.date(2026, 1, 1))], "usage_invalid"),
        (BY_METER, [line(1, retail="1e30")], "usage_invalid"),
        (BY_METER, [line(1, meter_name="a\x00b")], "usage_invalid"),
        (DAY, [line(1)], "usage_invalid"),
    ],
)
def test_bad_rows_leave_everything_as_it_was(plan: Subscription, view: UsageView, rows: list[UsageRow], code: str):
    load(plan, BY_METER, [line(5)])
    with pytest.raises(BusinessError) as refused:
        load(plan, view, rows)
    assert refused.value.code == code
    assert [row.meter_id for row in UsageRecord.objects.all()] == ["meter-5"]


def test_texts_of_the_vendor_survive(distributor: Program, plan: Subscription):
    odd = "tab\tline\nback\\slash \\N 'x'"
    load(plan, BY_METER, [line(1, meter_name=odd, quantity="0.123457")])
    row = distributor.get(at(plan, METER)).json()["data"][0]
    assert (row["meterName"], row["quantity"]) == (odd, 0.123457)


def test_a_service_without_usage_takes_none(service: Subscription):
    with pytest.raises(BusinessError) as refused:
        load(by_use(service, ""), BY_METER, [line(1)])
    assert refused.value.code == "usage_none"


def test_months_are_made_ahead_and_dropped_when_archived(plan: Subscription, still_clock: Any):
    old = months_ago(30)
    assert make_month(old) and not make_month(old)
    load(plan, BY_METER, [line(1)], month=old)
    keep_months()
    assert old in known_months() and month_after(this_month(), 3) in known_months()
    still_clock(clock.now() + dt.timedelta(days=7 * 31))
    keep_months()
    assert old not in known_months() and not UsagePeriod.objects.filter(month=old).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind FROM pg_class WHERE relname = 'subscriptions_usagerecord'")
        assert cursor.fetchone() == ("p",)


@pytest.mark.parametrize("path", [METER, RESOURCE])
def test_statements_do_not_grow_with_rows(distributor: Program, plan: Subscription, path: str, settings: LazySettings):
    settings.CLOCK_MOVABLE = False  # As in production: how far the clock was moved is not asked for.
    counts = []
    for number in (1, 500):
        load_plan(plan, [line(n) for n in range(number)])
        distributor.get(at(plan, path))
        with CaptureQueriesContext(connection) as queries:
            body = distributor.get(f"{at(plan, path)}?pageSize=500").json()
        assert len(body["data"]) == number
        counts.append(len(queries))
    assert counts[0] == counts[1]
