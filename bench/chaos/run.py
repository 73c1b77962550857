"""The scenarios over running servers, once Django can be set up."""

import random
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402

from bench.chaos.nursery import Nursery  # noqa: E402
from bench.chaos.scenarios import NEED_WEB, SCENARIOS, SHARE, STOP_DATABASE, Harm  # noqa: E402
from bench.chaos.town import figures, found  # noqa: E402
from bench.stack import Stack  # noqa: E402
from cloudbss.demo.twins import call_twins  # noqa: E402
from cloudbss.demo_settings import microsoft_settings  # noqa: E402


def run(stack: Stack, orders: int, seed: int, say: Callable[[str], None], only: str) -> dict[str, Any]:
    """Each scenario's figures by its name; the vendor and the database keep everything from one to the next."""
    names = [name for name in SCENARIOS if only in ("", name)]
    if stack.database_url and STOP_DATABASE.intersection(names):
        raise SystemExit("PostgreSQL is to be stopped, so take one of your own: leave CHAOS_DATABASE_URL out.")
    call_command("migrate", verbosity=0)
    if NEED_WEB.intersection(names):
        call_command("collectstatic", interactive=False, verbosity=0)
        stack.start_web()
    results: dict[str, Any] = {}
    nursery = Nursery(stack)
    try:
        for name in names:
            results[name] = _scene(Harm(stack, nursery, random.Random(seed)), name, orders)
            shown = {key: value for key, value in results[name].items() if key != "problems"}
            say(f"{name}: {shown}, {len(results[name]['problems'])} problems")
    finally:
        nursery.close()
    return results


def _scene(harm: Harm, name: str, orders: int) -> dict[str, Any]:
    """One scenario in a town of its own, and its figures."""
    count = max(int(orders * SHARE.get(name, 0.2)), 4)
    cache.clear()
    stack, given = harm.stack, call_twins("GET", "/_twin/credentials")
    settings = microsoft_settings(given, stack.environment["SANDBOX_URL"], stack.environment["SANDBOX_TLS_URL"])
    town = found(min(count, 40), settings, given["refresh_token"])
    began = time.monotonic()
    SCENARIOS[name](harm, town, count)
    return figures(town) | {"harm": harm.counts, "seconds": round(time.monotonic() - began, 1)}
