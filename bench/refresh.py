"""``python -m bench.refresh full|changes INSTANCE ...``: definition runs in their own process, a line of JSON each.

The process does nothing else, so that the most memory it ever held (VmHWM) is the runs'. What it held before the first
run, Django and the product loaded, is ``idle_kib``.
"""

import json
import os
import sys

import django

django.setup()

from django.db import connection  # noqa: E402

from bench.pull import definition_run  # noqa: E402
from bench.stack import peak_rss  # noqa: E402
from core.tenancy import system_actor  # noqa: E402
from provisioning.registry import connector_for  # noqa: E402
from vendors.models import Instance  # noqa: E402


def main(mode: str, instances: list[str]) -> None:
    """Run for one instance after the other."""
    connector_for("microsoft_esd")
    connection.ensure_connection()
    idle = peak_rss(os.getpid())
    for public_id in instances:
        instance = Instance.objects.select_related("organization").get(public_id=public_id)
        figures = definition_run(system_actor(instance.organization_id), instance, full=mode == "full")
        found = figures | {"peak_kib": peak_rss(os.getpid()), "idle_kib": idle}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
