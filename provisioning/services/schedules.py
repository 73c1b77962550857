"""Catalogues that are pulled by the clock, as each instance's settings say (``esd.md`` 3)."""

import datetime as dt
import logging

from core import clock
from core.errors import BusinessError
from core.tenancy import system_actor
from provisioning.services.setup import start_definition
from vendors.models import Instance, InstanceState

EVERY = {"daily": dt.timedelta(days=1), "weekly": dt.timedelta(days=7)}

logger = logging.getLogger(__name__)


def pull_due() -> int:
    """Start the runs that are due, of what changed only; returns how many. One that is still running is left alone."""
    started = 0
    rows = Instance.objects.filter(state=InstanceState.ACTIVE, last_definition_at__isnull=False)
    for instance in rows.order_by("pk"):
        try:
            started += _pull(instance)
        except BusinessError as error:
            logger.warning("catalogue not pulled", extra={"instance": str(instance.public_id), "code": error.code})
    return started


def _pull(instance: Instance) -> int:
    every = EVERY.get(str(instance.read_settings().get("catalogue_schedule") or ""))
    if every is None or instance.last_definition_at is None or clock.now() - instance.last_definition_at < every:
        return 0
    start_definition(system_actor(instance.organization_id), instance=instance, full=False)
    return 1
