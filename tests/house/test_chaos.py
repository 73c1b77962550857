"""Real workers killed without warning while twenty orders are provisioned; ``make chaos`` does it with hundreds."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.services import copy_of_template

ROOT = Path(__file__).resolve().parents[2]
MINUTES = 8
CHOSEN = {"CHAOS_ONLY": "workers killed", "CHAOS_ORDERS": "20", "CHAOS_SEED": "7"}


def test_twenty_orders_survive_killed_workers():
    left = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in left}
    chaos = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "bench.chaos"],
        env=kept | CHOSEN | {"CHAOS_DATABASE_URL": copy_of_template(f"chaos_{os.getpid()}")},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _none = chaos.communicate(timeout=60 * MINUTES)
    finally:
        if chaos.poll() is None:
            chaos.send_signal(signal.SIGTERM)
            chaos.wait(60)
    assert chaos.returncode == 0, said[-4000:]
    assert "Nothing was lost and nothing doubled." in said
    figures = dict(re.findall(r"'(\w+)': (\d+)", said))
    assert (figures["orders"], figures["active_here"], figures["active_at_vendor"]) == ("20", "20", "20")
    assert "'killed worker'" in said, "no worker was killed"
