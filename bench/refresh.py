"""``python -m bench.refresh full|changes INSTANCE ...``: definition runs in their own process, a line of JSON each.

The process does nothing else, so that the most memory it ever held (VmHWM) is the runs'. What it held before the first
run, Django and the product loaded, is ``idle_kib``.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

from bench.stack import peak_rss  # noqa: E402
from catalog.models import Product  # noqa: E402
from cloudbss.demo.twins import call_twins  # noqa: E402
from core import jobs  # noqa: E402
from core.tenancy import system_actor  # noqa: E402
from provisioning.registry import connector_for  # noqa: E402
from provisioning.services.setup import start_definition  # noqa: E402
from vendors.models import Instance  # noqa: E402


class Counter:
    """Counts statements without keeping them: their texts would be most of the memory that is measured."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run one statement (Django's execute wrapper)."""
        self.count += 1
        return execute(sql, params, many, context)


def definition_run(instance: Instance, *, full: bool) -> dict[str, Any]:
    """One definition run in this process: seconds, statements, vendor calls, rows; raises RuntimeError if it fails."""
    before = call_twins("GET", "/_twin/journal?limit=1")["last"]
    began = time.perf_counter()
    counter = Counter()
    with connection.execute_wrapper(counter):
        job = start_definition(system_actor(instance.organization_id), instance=instance, full=full)
        jobs.run_job(job.pk)
    seconds = time.perf_counter() - began
    job.refresh_from_db()
    if job.state != jobs.JobState.DONE:
        raise RuntimeError(f"the definition run ended as {job.state}: {job.error}")
    return {
        "seconds": round(seconds, 2),
        "statements": counter.count,
        "vendor_calls": call_twins("GET", "/_twin/journal?limit=1")["last"] - before,
        "prices": job.result["prices"]["written"],
        **job.result["counts"],
    }


def main(mode: str, instances: list[str]) -> None:
    """Run for one instance after the other."""
    connector_for("microsoft_esd")
    connection.ensure_connection()
    idle = peak_rss(os.getpid())
    for public_id in instances:
        instance = Instance.objects.select_related("organization").get(public_id=public_id)
        figures = definition_run(instance, full=mode == "full")
        figures["products"] = Product.objects.filter(product_type__instance=instance, discontinued_at=None).count()
        found = figures | {"peak_kib": peak_rss(os.getpid()), "idle_kib": idle}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
