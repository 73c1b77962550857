"""``python -m bench.chaos``: real programs, real kills, and what is left afterwards as JSON in ``bench/results/``.

``CHAOS_ORDERS`` (200) is the number of orders of the first scenario, ``CHAOS_SEED`` makes the kills repeatable,
``CHAOS_ONLY`` names one scenario. ``CHAOS_DATABASE_URL`` is an empty database to use instead of a server of its own,
for a scenario that lets the database run. Exits with 1 if anything was lost or doubled.
"""

import datetime as dt
import json
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.__main__ import RESULTS, say
from bench.stack import Stack


def main() -> int:
    """Run the scenarios one after the other, each with a town of its own over the same servers."""
    orders = int(os.environ.get("CHAOS_ORDERS", "200"))
    seed = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    home = Path(tempfile.mkdtemp(prefix="cloudbss-chaos-"))
    os.environ.update({"OPERATION_CLAIM_SECONDS": "4", "VENDOR_READ_TIMEOUT": "3", "VENDOR_WRITE_TIMEOUT": "3"})
    stack = Stack(home, os.environ.get("CHAOS_DATABASE_URL", ""))
    results: dict[str, Any] = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "seed": seed}
    try:
        stack.start()
        # Django reads its settings from the environment that the line above has set.
        from bench.chaos.run import run

        results["scenarios"] = run(stack, orders, seed, say, os.environ.get("CHAOS_ONLY", ""))
    finally:
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)
    RESULTS.mkdir(exist_ok=True)
    if not os.environ.get("CHAOS_ONLY"):
        (RESULTS / "chaos.json").write_text(json.dumps(results, indent=1) + "\n")
    broken = [name for name, found in results["scenarios"].items() if found["problems"]]
    for name in broken:
        say(f"{name}: " + "\n  ".join(results["scenarios"][name]["problems"][:20]))
    say("Something was lost or doubled." if broken else "Nothing was lost and nothing doubled.")
    return 1 if broken else 0


def stop(_number: int, _frame: object) -> None:
    """A polite end: the servers are stopped on the way out."""
    raise SystemExit("stopped")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    began = time.monotonic()
    code = main()
    say(f"{time.monotonic() - began:.0f} s")
    raise SystemExit(code)
