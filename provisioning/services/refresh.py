"""Reading a service anew at the vendor: windows and dates are his, never reckoned here (``partner-center.md`` 15)."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from core import clock
from core.errors import BusinessError, Conflict, NotVisible
from core.jobs import RUN_VENDOR_TASK, Job, JobRun, start_job
from core.tenancy import Actor, system_actor
from provisioning.context import context_for
from provisioning.ports import Outcome, Result, VendorError
from provisioning.registry import connector_for
from provisioning.requests import state_request
from subscriptions.models import Subscription
from subscriptions.services.changes import note_vendor_state

REFRESH = "provisioning.refresh_subscription"
FRESH_FOR = dt.timedelta(minutes=5)


def is_stale(row: Subscription) -> bool:
    """Whether the vendor's dates were read too long ago to be offered."""
    return bool(row.external_id) and (row.vendor_read_at is None or clock.now() - row.vendor_read_at > FRESH_FOR)


def reading_job(actor: Actor, row: Subscription) -> Job | None:
    """The job that is reading this service at the vendor just now, whoever started it."""
    jobs = Job.objects.visible_to(actor).filter(organization_id=row.organization_id, state__in=Job.OPEN)
    return jobs.filter(unique_key=f"{REFRESH}:{row.public_id}").first()


def start_refresh(actor: Actor, row: Subscription) -> Job | None:
    """Ask the vendor in the background; None if somebody has just asked."""
    if not row.external_id:
        return None
    try:
        return start_job(
            actor,
            REFRESH,
            title=_("Read %(name)s at the vendor") % {"name": row.name},
            params={"subscription": str(row.public_id)},
            account_id=row.account_id,
            unique_key=f"{REFRESH}:{row.public_id}",
            queue_task=RUN_VENDOR_TASK,
        )
    except Conflict:
        return None


def refresh(run: JobRun) -> Mapping[str, Any]:
    """The job: read the state and keep the vendor's windows and dates; nothing else changes here."""
    actor = system_actor(run.job.organization_id)
    rows = Subscription.objects.visible_to(actor).select_related("instance__application", "account", "product")
    row = rows.get_visible(actor, run.params["subscription"])
    if row is None:
        raise NotVisible("subscription_missing", _("This subscription does not exist."))
    connector: Any = connector_for(row.instance.application.code)
    if "read_state" not in connector.verbs:
        return {}
    try:
        result: Result = connector.read_state(context_for(row.instance), state_request(row))
    except VendorError as error:
        raise BusinessError(error.code or str(error.kind), error.message) from error
    if result.outcome != Outcome.DONE:
        raise BusinessError(result.code or "unreadable", result.message)
    note_vendor_state(row, result.data)
    return {"status": str(result.data.get("status", "")), "quantity": result.data.get("quantity")}
