"""The scenarios: each takes the running programs and a town, does harm, and leaves everything to come to rest."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings
from django.urls import reverse

from bench.chaos.nursery import Nursery
from bench.chaos.town import Town, persist, settle
from bench.client import Target, WrongAnswer, fetch, target
from bench.pages import session_of
from bench.stack import Stack
from cloudbss.demo.twins import call_twins
from orders.models import Order
from orders.selectors import priced_basket
from users.models import User

QUEUES = "vendors,default,mail,bulk"
PATIENCE = 420
WORKERS = 2


@dataclass
class Harm:
    """What was done to the programs."""

    stack: Stack
    nursery: Nursery
    random: random.Random
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, what: str) -> None:
        """Count it."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def start_worker(self, name: str) -> None:
        """A worker process of its own."""
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        options = ("-P", "solo", "-Q", QUEUES, "-n", f"{name}@%h", "-l", "ERROR")
        self.stack.processes[name] = self.nursery.worker(name, *options, *quiet)

    def is_ready(self, name: str) -> bool:
        """Whether a worker takes messages by now; it says so in the broker (``bench.tasks``), once."""
        with redis.Redis.from_url(self.stack.environment["REDIS_URL"]) as broker:
            keys = list(broker.scan_iter(match=f"{name}@*"))
            return bool(keys and broker.delete(*keys))

    def kill(self, name: str) -> None:
        """SIGKILL, by pid, without warning."""
        process = self.stack.processes.get(name)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait(10)
            self.note(f"killed {name.partition('-')[0]}")

    def kill_group(self, name: str) -> None:
        """SIGKILL for a program and all its children."""
        process = self.stack.processes.get(name)
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            self.note(f"killed {name}")


@contextmanager
def workers(harm: Harm, count: int = WORKERS) -> Iterator[list[str]]:
    """So many workers for the length of the block."""
    names = [f"worker-{number + 1}" for number in range(count)]
    for name in names:
        harm.start_worker(name)
    try:
        yield names
    finally:
        for name in names:
            harm.stack.end(name)


def workers_killed(harm: Harm, town: Town, orders: int) -> None:
    """Workers die at random moments while all the orders are placed and provisioned."""
    stop = threading.Event()

    def hunt(name: str) -> None:
        while not stop.is_set():
            if not harm.is_ready(name):
                stop.wait(0.1)
                continue
            # Somewhere in the middle of its work.
            if not stop.wait(harm.random.uniform(0.2, 4.0)):
                harm.kill(name)
                harm.start_worker(name)

    with workers(harm) as names:
        hunters = [threading.Thread(target=hunt, args=(name,), daemon=True) for name in names]
        for hunter in hunters:
            hunter.start()
        try:
            for number in range(orders):
                town.place(number)
            for left in settle(PATIENCE):
                if left < orders // 4:
                    stop.set()
        finally:
            stop.set()
            for hunter in hunters:
                hunter.join(20)


def broker_stopped(harm: Harm, town: Town, orders: int) -> None:
    """Orders are accepted while there is no broker, and finish when it is back."""
    with workers(harm):
        for number in range(orders):
            if number == orders // 3:
                harm.stack.valkey.stop()
                harm.note("broker stopped")
            if number == 2 * orders // 3:
                harm.stack.valkey.start()
            town.place(number)
        for _left in settle(PATIENCE):
            pass


def database_restarted(harm: Harm, town: Town, orders: int) -> None:
    """PostgreSQL is stopped in the middle of work, twice, and started again."""
    with workers(harm) as names:
        for number in range(orders):
            if number in (orders // 3, 2 * orders // 3):
                harm.stack.postgres.stop()
                harm.note("database restarted")
                harm.stack.postgres.start()
            town.place(number)
        for _left in settle(PATIENCE):
            for name in names:
                if harm.stack.processes[name].poll() is not None:
                    harm.note("worker ended by itself")
                    harm.start_worker(name)


def vendor_killed(harm: Harm, town: Town, orders: int) -> None:
    """The vendor dies in the middle of answers, and comes back with what he had done."""
    with workers(harm):
        for number in range(orders):
            town.place(number)
        for _round in range(3):
            time.sleep(harm.random.uniform(0.5, 1.5))
            harm.kill("twins")
            harm.stack.start_twins()
        for _left in settle(PATIENCE):
            pass


def vendor_stumbles(harm: Harm, town: Town, orders: int) -> None:
    """Every kind of fault, at random, in one call of ten."""
    kinds = ("timeout_after", "reset_after", "http_500_after", "http_500_before", "malformed", "http_429", "auth_401")
    for kind in kinds:
        fault = {"vendor": "partner_center", "operation": "*", "kind": kind, "probability": 0.015, "seconds": 1}
        call_twins("POST", "/_twin/faults", body=fault)
    with workers(harm):
        for number in range(orders):
            town.place(number)
        began = time.monotonic()
        for _left in settle(PATIENCE):
            if time.monotonic() - began > PATIENCE / 3:
                call_twins("DELETE", "/_twin/faults")
    call_twins("DELETE", "/_twin/faults")


def web_killed(harm: Harm, town: Town, orders: int) -> None:
    """The web server dies while a checkout is on its way; the buyer presses the button again: one order."""
    with workers(harm):
        for number in range(orders):
            _checkout(harm, town, number)
        for _left in settle(PATIENCE):
            pass


def _checkout(harm: Harm, town: Town, number: int) -> None:
    actor = town.customers[number % len(town.customers)]
    basket = persist(lambda: town.basket(actor, 2))
    quote = priced_basket(basket).quote
    cookies = {
        settings.CSRF_COOKIE_NAME: "c" * 32,
        settings.SESSION_COOKIE_NAME: session_of(User.objects.get(pk=actor.user_id or 0)),
    }
    form = {
        "csrfmiddlewaretoken": "c" * 32,
        "key": str(basket.checkout_key),
        "total": str(quote.gross if quote else 0),
        "terms_version": str(town.shop.site.terms_version),
        "terms": "on",
    }
    host = town.shop.site.host
    path = reverse("storefront:checkout_review")
    wanted = target("checkout", harm.stack.url, path, host=host, cookies=cookies, form=form, status=302)
    killer = threading.Timer(harm.random.uniform(0.0, 0.12), lambda: harm.kill_group("web"))
    killer.start()
    with suppress(WrongAnswer, OSError):
        fetch(wanted)
    killer.join(20)
    harm.stack.start_web()
    _press_again(wanted)
    made = list(Order.objects.filter(idempotency_key=basket.checkout_key).values_list("pk", flat=True))
    if len(made) != 1:
        raise SystemExit(f"{len(made)} orders from one checkout")
    town.accepted += made


def _press_again(wanted: Target) -> None:
    """The same button, until somebody answers; a basket that is empty by now gives a page instead of a new order."""
    for _try in range(20):
        try:
            fetch(wanted)
        except WrongAnswer:
            return
        except OSError:
            # The last of the killed processes may still hold the door for a moment.
            time.sleep(0.25)
        else:
            return
    raise SystemExit("the web server does not come back")


SCENARIOS: dict[str, Callable[[Harm, Town, int], None]] = {
    "workers killed": workers_killed,
    "broker stopped": broker_stopped,
    "database restarted": database_restarted,
    "vendor killed": vendor_killed,
    "vendor stumbles": vendor_stumbles,
    "web killed": web_killed,
}
SHARE: dict[str, Any] = {"workers killed": 1.0, "web killed": 0.05}
NEED_WEB = {"web killed"}
STOP_DATABASE = {"database restarted"}
