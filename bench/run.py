"""The run itself, once the servers are there: migrate, pull the catalogue, load, measure."""

import os
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from bench import api, dataset, esd, files, lists, orders, provisioning, pull, selling, usages, web  # noqa: E402
from bench.dataset import Market  # noqa: E402
from bench.size import Plan  # noqa: E402
from bench.stack import Stack  # noqa: E402

Say = Callable[[str], None]


def run(stack: Stack, plan: Plan, say: Say) -> dict[str, Any]:
    """Everything, in order; a stage's figures are in the results under its name."""
    found: dict[str, Any] = {}
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    say("Loading ...")
    began = time.perf_counter()
    markets, found["catalogue"] = load(plan)
    found["data"] = {key: market.counts for key, market in markets.items()}
    found["load_seconds"] = round(time.perf_counter() - began, 1)
    say(f"Loaded in {found['load_seconds']} s.")
    stack.start_web()
    stages: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
        "web": ("pages", lambda: web.measure(markets, stack.url, plan)),
        "lists": ("lists", lambda: {key: lists.measure(markets[key]) for key in ("main", "wide")}),
        "api": ("the API", lambda: api.measure(markets, stack.url, plan)),
        "orders": ("orders", lambda: orders.measure(markets["main"], stack.url, plan)),
        "provisioning": ("provisioning", lambda: provisioning.measure(markets["main"], stack, plan)),
        "esd": ("Microsoft ESD", lambda: esd.measure(stack, plan)),
        "selling": ("selling prices", lambda: selling.measure(markets["wide"])),
        "usages": ("usage records", lambda: usages.measure(markets["small"], quick=plan.name == "quick")),
        "files": ("files", lambda: files.measure(markets, stack, plan)),
    }
    only = os.environ.get("BENCH_ONLY", "").split()
    for name, (words, stage) in stages.items():
        if not only or name in only:
            say(f"Measuring {words} ...")
            found[name] = stage()
            stack.note_peaks()
    found["peak_kib"] = stack.peaks
    return found


def load(plan: Plan) -> tuple[dict[str, Market], dict[str, Any]]:
    """The three organizations; the main one's catalogue comes from the twin, and that is measured."""
    vendor, figures = pull.from_twin()
    markets = {
        "main": dataset.Loader("main", plan.main).build(vendor=vendor, buyers=plan.buyers),
        "small": dataset.Loader("small", plan.small).build(buyers=20),
        "wide": dataset.Loader("wide", plan.wide).build(buyers=1),
    }
    dataset.analyze()
    return markets, figures
