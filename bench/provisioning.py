"""Orders provisioned end to end: from a queued message to an active subscription that the twin has, by worker process.

The customers are set up at the twin first, so that each operation is one purchase. Workers are solo processes on the
``vendors`` queue, where operations run; mail about what happened has a queue and workers of its own. The floor is a
Celery task that does nothing, with the same workers.
"""

import time
from collections.abc import Sequence
from typing import Any

import redis
from celery import current_app
from django.conf import settings

from bench.client import Series
from bench.dataset import Market
from bench.orders import forget_messages, ready
from bench.rows import AccountRef
from bench.size import Plan
from bench.stack import Stack
from cloudbss.demo.twins import call_twins
from core import clock
from orders.services.place import place_order
from resellers.selectors import actor_for
from subscriptions.enums import OPEN_STATES, OperationState, Verb
from subscriptions.models import RUN_TASK, Operation, Subscription
from vendors.models import AccountLink, LinkState

QUEUE = "vendors"
HELD = "bench-held"  # Nobody listens here; renamed, it is the queue, with everything in it at once.
PATIENCE = 240
DELAYS = (0.0, 0.2)
NOOPS = 1_500


class NotDone(RuntimeError):
    """Not everything was provisioned in time, or not everything succeeded."""


def _last_operation() -> int:
    row = Operation.objects.order_by("-pk").first()
    return row.pk if row else 0


def place(market: Market, customers: Sequence[AccountRef], count: int, *, round_number: int) -> list[int]:
    """Orders of two lines until there are ``count`` operations; none of them is known to the broker."""
    before = _last_operation()
    left, turn = -(-count // 2), 0
    while left:
        for basket, total in ready(market, customers[:left], round_number=round_number + turn):
            actor = actor_for(basket.user, market.site, as_staff=False)  # type: ignore[arg-type]
            place_order(actor, basket=basket, key=basket.checkout_key, seen_total=total, terms_accepted=True)
            left -= 1
        turn += 1
    forget_messages()
    return list(Operation.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True)[:count])


def send(operations: Sequence[int]) -> None:
    """Tell the broker of all of them, as the sweep would."""
    for pk in operations:
        current_app.send_task(RUN_TASK, args=[pk])


def wait_while(operations: Sequence[int], states: Sequence[str]) -> float:
    """Wait until none of them is in one of these states; the seconds that took. Raises :class:`NotDone`."""
    began = time.perf_counter()
    rows = Operation.objects.filter(pk__in=operations)
    while rows.filter(state__in=states).exists():
        if time.perf_counter() - began > PATIENCE:
            found = dict.fromkeys(rows.values_list("state", "code", "message"))
            raise NotDone(f"operations did not finish: {list(found)[:5]}")
        time.sleep(0.02)
    return time.perf_counter() - began


def provision(operations: Sequence[int]) -> float:
    """Let the workers buy all of them and then, once the vendor has delivered, confirm them; the seconds of both.

    The vendor's five seconds of delivery, and the check that waits for them, are skipped: its clock is moved on, and
    the second message is sent at once. Raises :class:`NotDone`.
    """
    send(operations)
    seconds = wait_while(operations, (OperationState.QUEUED, OperationState.RUNNING))
    call_twins("POST", "/_twin/clock", body={"advance": "PT30S"})
    waiting = Operation.objects.filter(pk__in=operations, state=OperationState.WAITING)
    left = list(waiting.order_by("pk").values_list("pk", flat=True))
    waiting.update(not_before=clock.now())
    send(left)
    seconds += wait_while(operations, OPEN_STATES)
    check(operations)
    return seconds


def check(operations: Sequence[int]) -> None:
    """Raises :class:`NotDone` unless each has made exactly one active subscription with an id of the vendor's."""
    rows = Operation.objects.filter(pk__in=operations)
    wrong = rows.exclude(state=OperationState.DONE).first()
    if wrong is not None:
        raise NotDone(f"{wrong} ended as {wrong.state}: {wrong.code} {wrong.message}")
    bought = Subscription.objects.filter(operations__in=operations, operations__verb=Verb.CREATE)
    active = bought.filter(status="active").exclude(external_id="").values("external_id").distinct().count()
    if active != rows.filter(verb=Verb.CREATE).count():
        raise NotDone(f"{active} active subscriptions from {len(operations)} operations")


def set_up(market: Market, customers: Sequence[AccountRef], stack: Stack) -> None:
    """Make the customers known at the twin, through orders and workers like any other customer."""
    AccountLink.objects.filter(account_id__in=[ref.id for ref in customers]).update(
        state=LinkState.UNSYNCHRONISED, external_id=""
    )
    details = {
        ref.public_id: {
            "options": {"username": "admin", "domain_prefix": f"bench{ref.id}x"},
            "agreement": {
                "first_name": "Ada",
                "last_name": "Abel",
                "email": f"ada@account{ref.id}.example",
                "phone": "+49 30 2270",
                "date_agreed": "2026-01-15",
            },
        }
        for ref in customers
    }
    before = _last_operation()
    for basket, total in ready(market, customers, round_number=500):
        for kept in basket.service_details.values():
            kept |= details[kept["account"]]
        basket.save(update_fields=["service_details"])
        actor = actor_for(basket.user, market.site, as_staff=False)  # type: ignore[arg-type]
        place_order(actor, basket=basket, key=basket.checkout_key, seen_total=total, terms_accepted=True)
    made = Operation.objects.filter(pk__gt=before)
    with stack.workers(2, queues=QUEUE):
        syncs = list(made.filter(verb=Verb.ACCOUNT_SYNC).values_list("pk", flat=True))
        wait_while(syncs, OPEN_STATES)
        check(syncs)
        rest = list(made.exclude(verb=Verb.ACCOUNT_SYNC).values_list("pk", flat=True))
        provision(rest)
    forget_messages()


def delay(seconds: float) -> None:
    """Let the twin wait so long before every answer."""
    call_twins("DELETE", "/_twin/faults")
    if seconds:
        fault = {"vendor": "partner_center", "operation": "*", "kind": "delay", "seconds": seconds, "times": 10_000_000}
        call_twins("POST", "/_twin/faults", body=fault)


def noops_per_second(count: int) -> float:
    """The floor: how many tasks that do nothing the present workers take per second, from a queue that is full."""
    for number in range(count):
        current_app.send_task("bench.noop", args=[number], queue=HELD)
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.rename(HELD, QUEUE)
        began = time.perf_counter()
        while broker.llen(QUEUE):
            time.sleep(0.002)
        return count / (time.perf_counter() - began)


def measure(market: Market, stack: Stack, plan: Plan) -> dict[str, Any]:
    """Every number of workers with every delay, and the floor with the same workers."""
    customers = market.buyers[-plan.customers :]
    set_up(market, customers, stack)
    found: dict[str, Any] = {}
    number = 0
    for workers in plan.workers:
        with stack.workers(workers, queues=QUEUE):
            floor = Series([noops_per_second(NOOPS) for _round in range(3)])
            found[f"no-op, {workers} workers"] = {"per_second": round(floor.median, 1)}
            for seconds in DELAYS:
                number += 1
                delay(0)
                count = plan.provisioned if not seconds else max(plan.provisioned // 4, 10)
                operations = place(market, customers, count, round_number=number * 11)
                delay(seconds)
                before = call_twins("GET", "/_twin/journal?limit=1")["last"]
                taken = provision(operations)
                calls = call_twins("GET", "/_twin/journal?limit=1")["last"] - before
                rate = len(operations) / taken
                found[f"vendor at {seconds * 1000:.0f} ms, {workers} workers"] = {
                    "per_second": round(rate, 2),
                    "orders": len(operations),
                    "of_no_op": round(rate / floor.median, 4),
                    "vendor_calls_each": round(calls / len(operations), 1),
                }
    delay(0)
    return found
