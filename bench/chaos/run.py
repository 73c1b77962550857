"""The scenarios over running servers, once Django can be set up."""

import random
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402

from bench.chaos.scenarios import SCENARIOS, SHARE, Harm  # noqa: E402
from bench.chaos.town import figures, found  # noqa: E402
from bench.stack import Stack  # noqa: E402
from cloudbss.demo.twins import call_twins  # noqa: E402
from cloudbss.demo_settings import microsoft_settings  # noqa: E402


def run(stack: Stack, orders: int, seed: int, say: Callable[[str], None], only: str) -> dict[str, Any]:
    """Each scenario's figures by its name; the vendor and the database keep everything from one to the next."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    stack.start_web()
    results: dict[str, Any] = {}
    for name, scenario in SCENARIOS.items():
        if only and name != only:
            continue
        count = max(int(orders * SHARE.get(name, 0.2)), 4)
        cache.clear()
        given = call_twins("GET", "/_twin/credentials")
        settings = microsoft_settings(given, stack.environment["SANDBOX_URL"], stack.environment["SANDBOX_TLS_URL"])
        town = found(min(count, 40), settings, given["refresh_token"])
        harm = Harm(stack, random.Random(seed))
        began = time.monotonic()
        scenario(harm, town, count)
        results[name] = figures(town) | {"harm": harm.counts, "seconds": round(time.monotonic() - began, 1)}
        shown = {key: value for key, value in results[name].items() if key != "problems"}
        say(f"{name}: {shown}, {len(results[name]['problems'])} problems")
    return results
