"""``python -m bench``: start everything, load, measure, write ``bench/results/<name>.json`` and print a table."""

import datetime as dt
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.size import SEED, Plan, chosen
from bench.stack import BASE, Stack, durability

RESULTS = BASE / "bench" / "results"


def say(text: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def facts(stack: Stack, plan: Plan) -> dict[str, Any]:
    """What a figure means nothing without: machine, revision, versions, durability, command."""
    revision = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=BASE, capture_output=True, text=True, check=False
    )
    memory = Path("/proc/meminfo").read_text().split(maxsplit=2)[1] if Path("/proc/meminfo").exists() else ""
    command = " ".join(
        f"{name}={os.environ[name]}" for name in ("BENCH_ROWS", "BENCH_QUICK", "BENCH_ONLY") if name in os.environ
    )
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": f"{command} make bench".strip(),
        "revision": revision.stdout.strip(),
        "machine": {
            "processors": os.cpu_count(),
            "memory_kib": memory,
            "system": platform.platform(),
            "load_before": os.getloadavg(),
        },
        "python": platform.python_version(),
        "postgresql": dict(durability(stack.environment["DATABASE_URL"])),
        "web": {"workers": 2, "threads": 2, "class": "gthread"},
        "seed": SEED,
        "rounds": plan.rounds,
        "seconds_per_round": plan.seconds,
    }


def main() -> int:
    """The whole run; every server it started is stopped again, whatever happens."""
    plan = chosen()
    given = os.environ.get("BENCH_HOME")
    home = Path(given or tempfile.mkdtemp(prefix="cloudbss-bench-"))
    stack = Stack(home)
    began = time.monotonic()
    try:
        say("Starting PostgreSQL, Valkey and the twins ...")
        stack.start()
        results = facts(stack, plan)
        # Django reads its settings from the environment that the line above has set.
        from bench.run import run

        results |= run(stack, plan, say)
        results["seconds"] = round(time.monotonic() - began)
        path = write(plan, results)
        from bench.table import table

        say(table(results))
        say(f"\nWritten to {path.relative_to(BASE)} after {results['seconds']} s.")
    finally:
        stack.stop(remove=not given)
        if not given:
            shutil.rmtree(home, ignore_errors=True)
    return 0


def write(plan: Plan, results: dict[str, Any]) -> Path:
    """Keep the figures; a quick run has a file of its own, which says nothing about speed."""
    RESULTS.mkdir(exist_ok=True)
    part = "-part" if os.environ.get("BENCH_ONLY") else ""
    path = RESULTS / f"bench-{plan.name}{part}.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return path


def stop(_number: int, _frame: object) -> None:
    """A polite end: the servers are stopped on the way out."""
    raise SystemExit("stopped")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    raise SystemExit(main())
