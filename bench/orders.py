"""Orders placed: through the service and through the checkout's POST, beside two floors.

Both floors store an order, a line and a job, commit, claim the job by compare-and-set, commit, and settle both, commit:
once as raw SQL through psycopg2, once with Django's ORM. They do what the outbox does and nothing that an order is.
"""

import os
import time
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import psycopg2
import redis
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.client import Series, each_once, ratio, target
from bench.dataset import Market, fill_baskets
from bench.models import FloorJob, FloorLine, FloorOrder, make_tables
from bench.pages import session_of
from bench.rows import AccountRef
from bench.size import Plan
from orders.models import Basket, Order
from orders.selectors import priced_basket
from orders.services.place import place_order
from resellers.selectors import actor_for

AIM, LIMIT = 20, 46  # Statements of an order of one line: where it should come, and what it may take today.


def raw_cycle(cursor: Any, number: int) -> None:
    """One order's claim and update in PostgreSQL, three commits, by a connection in autocommit mode."""
    cursor.execute(
        "WITH o AS (INSERT INTO bench_order (number, total, state) VALUES (%s, 12, 'placed') RETURNING id), "
        "l AS (INSERT INTO bench_line (order_id, product, quantity) SELECT id, 'Suite', 5 FROM o) "
        "INSERT INTO bench_job (order_id, state) SELECT id, 'queued' FROM o RETURNING id, order_id",
        [f"raw-{number}"],
    )
    job, order = cursor.fetchone()
    claim = "UPDATE bench_job SET state = 'running', claim = %s WHERE id = %s AND state = 'queued'"
    cursor.execute(claim, [str(uuid.uuid4()), job])
    cursor.execute(
        "WITH j AS (UPDATE bench_job SET state = 'done' WHERE id = %s RETURNING order_id) "
        "UPDATE bench_order SET state = 'executed' FROM j WHERE id = j.order_id",
        [job],
    )
    if cursor.rowcount != 1:
        raise RuntimeError(f"order {order} was not settled")


def django_cycle(number: int) -> None:
    """The same with the ORM: create three rows, claim, settle."""
    with transaction.atomic():
        order = FloorOrder.objects.create(number=f"django-{number}", total=Decimal(12))
        FloorLine.objects.create(order=order, product="Suite", quantity=5)
        job = FloorJob.objects.create(order=order)
    taken = FloorJob.objects.filter(pk=job.pk, state="queued").update(state="running", claim=uuid.uuid4())
    if taken != 1:
        raise RuntimeError("the claim was lost")
    with transaction.atomic():
        FloorJob.objects.filter(pk=job.pk).update(state="done")
        FloorOrder.objects.filter(pk=order.pk).update(state="executed")


def ready(market: Market, accounts: Sequence[AccountRef], *, round_number: int) -> list[tuple[Basket, Decimal]]:
    """Filled baskets as the database has them, each with the total its buyer saw."""
    made = [row.pk for row in fill_baskets(market, accounts, round_number=round_number)]
    rows = Basket.objects.filter(pk__in=made).select_related("user", "target_account__bill_to", "site", "buyer_account")
    found = []
    for basket in rows.order_by("pk"):
        quoted = priced_basket(basket).quote
        found.append((basket, quoted.gross if quoted else Decimal(0)))
    return found


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _through_service(market: Market, accounts: Sequence[AccountRef], *, round_number: int) -> tuple[float, list[float]]:
    """Orders per second through :func:`place_order`, one after the other; each call's time."""
    times = []
    for basket, total in ready(market, accounts, round_number=round_number):
        actor = actor_for(basket.user, market.site, as_staff=False)  # type: ignore[arg-type]

        def once(actor: Any = actor, basket: Basket = basket, total: Decimal = total) -> None:
            key = basket.checkout_key
            place_order(actor, basket=basket, key=key, seen_total=total, terms_accepted=True, browser="bench")

        times.append(_timed(once))
    return len(times) / sum(times), times


def _through_checkout(
    market: Market, accounts: Sequence[AccountRef], base: str, *, round_number: int
) -> tuple[float, list[float]]:
    """Orders per second through the checkout's last POST, four clients at a time."""
    token = "b" * 32
    wanted = []
    for basket, total in ready(market, accounts, round_number=round_number):
        cookies = {settings.CSRF_COOKIE_NAME: token, settings.SESSION_COOKIE_NAME: session_of(basket.user)}  # type: ignore[arg-type]
        form = {
            "csrfmiddlewaretoken": token,
            "key": str(basket.checkout_key),
            "total": str(total),
            "terms_version": str(market.site.terms_version),
            "terms": "on",
        }
        path = reverse("storefront:checkout_review")
        host = market.site.host
        wanted.append(target("checkout", base, path, host=host, cookies=cookies, form=form, status=302))
    return each_once(wanted)


def _floors(number: int, count: int) -> tuple[list[float], list[float]]:
    """The times of both floors, ``count`` orders each."""
    raw = psycopg2.connect(os.environ["DATABASE_URL"])
    raw.autocommit = True
    with raw.cursor() as cursor:
        first = [_timed(lambda each=each: raw_cycle(cursor, each)) for each in range(number, number + count)]  # type: ignore[misc]
    raw.close()
    second = [_timed(lambda each=each: django_cycle(each)) for each in range(number, number + count)]  # type: ignore[misc]
    return first, second


def measure(market: Market, base: str, plan: Plan) -> dict[str, Any]:
    """Rounds of orders through the service, through the web, and of both floors, in turns."""
    make_tables()
    rounds = min(plan.rounds, 5)
    each = plan.orders // rounds
    series = {name: Series() for name in ("service", "checkout", "raw", "django")}
    for number in range(rounds):
        accounts = market.buyers[number * each % len(market.buyers) :][:each]
        before = Order.objects.filter(organization=market.organization).count()
        for name, (rate, times) in (
            ("service", _through_service(market, accounts, round_number=2 * number)),
            ("checkout", _through_checkout(market, accounts, base, round_number=2 * number + 1)),
        ):
            series[name].rates.append(rate)
            series[name].times += times
        made = Order.objects.filter(organization=market.organization).count() - before
        if made != 2 * len(accounts):
            raise RuntimeError(f"{made} orders instead of {2 * len(accounts)}")
        raw, django = _floors(number * each, each)
        for name, times in (("raw", raw), ("django", django)):
            series[name].rates.append(len(times) / sum(times))
            series[name].times += times
    one, two = statements(market, lines=1), statements(market, lines=2)
    forget_messages()
    return {
        "place_order": series["service"].report()
        | {"of_django_cycle": ratio(series["service"], series["django"])}
        | {"of_postgresql_cycle": ratio(series["service"], series["raw"])},
        "checkout POST, 4 clients": series["checkout"].report()
        | {"of_django_cycle": ratio(series["checkout"], series["django"])},
        "Django claim-update cycle": series["django"].report(),
        "PostgreSQL claim-update cycle": series["raw"].report(),
        "statements": {"one line": one, "two lines": two, "aim": AIM},
    }


def statements(market: Market, *, lines: int) -> int:
    """How many statements an order of so many lines takes, from the service's begin to its commit."""
    accounts = market.buyers[:1]
    basket, _total = ready(market, accounts, round_number=99)[0]
    basket.lines.exclude(pk__in=[row.pk for row in basket.lines.order_by("pk")[:lines]]).delete()
    quoted = priced_basket(basket).quote
    actor = actor_for(basket.user, market.site, as_staff=False)  # type: ignore[arg-type]
    if quoted is None:
        raise RuntimeError("the basket has no prices")
    with CaptureQueriesContext(connection) as captured:
        place_order(actor, basket=basket, key=basket.checkout_key, seen_total=quoted.gross, terms_accepted=True)
    return len(captured)


def forget_messages() -> None:
    """Empty the broker's queues, but not its bindings: what was ordered here is not to be provisioned yet."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("default", "vendors", "bulk", "mail")
