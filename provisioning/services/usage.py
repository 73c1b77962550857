"""Reading usage at the vendor: in the background, once for a service and month, only where a vendor can tell it."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from core import clock
from core.errors import BusinessError, Conflict, NotVisible
from core.jobs import RUN_VENDOR_TASK, JobRun, start_job
from core.tenancy import Actor, system_actor
from provisioning.context import context_for
from provisioning.ports import UsageBatch, VendorError
from provisioning.registry import known_applications
from provisioning.requests import state_request
from subscriptions.models import Subscription, UsagePeriod, UsageView
from subscriptions.services.usage import close_period, load_usage, note_asked

READ_USAGE = "provisioning.read_usage"
VERB = "usage"
FRESH_FOR = dt.timedelta(hours=1)
# A run that failed is not repeated at every look.
ASKED_FOR = dt.timedelta(minutes=10)


def start_usage_refresh(
    actor: Actor, row: Subscription, *, months: Collection[dt.date], known: Mapping[dt.date, UsagePeriod]
) -> bool:
    """Ask the vendor for the months whose usage is old; True if somebody is at it.

    One run for a service and month at a time, whoever asks, and none where no vendor app tells usage. ``known`` is what
    was loaded; a final month is never asked for again.
    """
    connector = known_applications().get(row.instance.application.code)
    if connector is None or VERB not in connector.verbs or not row.external_id:
        return False
    wanted = [month for month in sorted(months) if _is_stale(known.get(month))]
    for month in wanted:
        if _was_asked(known.get(month)):
            continue
        try:
            start_job(
                actor,
                READ_USAGE,
                title=_("Read the usage of %(name)s, %(month)s") % {"name": row.name, "month": f"{month:%Y-%m}"},
                params={"subscription": str(row.public_id), "month": month.isoformat()},
                account_id=row.account_id,
                unique_key=f"{READ_USAGE}:{row.public_id}:{month:%Y-%m}",
                queue_task=RUN_VENDOR_TASK,
            )
        except Conflict:
            continue
        note_asked(row, month)
    return bool(wanted)


def _is_stale(period: UsagePeriod | None) -> bool:
    if period is None or period.loaded_at is None:
        return True
    return not period.is_final and clock.now() - period.loaded_at > FRESH_FOR


def _was_asked(period: UsagePeriod | None) -> bool:
    return period is not None and period.asked_at is not None and clock.real_now() - period.asked_at < ASKED_FOR


def read_usage(run: JobRun) -> Mapping[str, Any]:
    """The job: ask for every view of the month and load it; each view is kept as it comes."""
    actor = system_actor(run.job.organization_id)
    rows = Subscription.objects.visible_to(actor).select_related(
        "instance__application", "account", "bill_to", "product"
    )
    row = rows.get_visible(actor, run.params["subscription"])
    if row is None:
        raise NotVisible("subscription_missing", _("This subscription does not exist."))
    month = dt.date.fromisoformat(run.params["month"])
    connector: Any = known_applications()[row.instance.application.code]
    written = 0
    closed: list[bool] = []
    try:
        batches: Iterable[UsageBatch] = connector.usage(context_for(row.instance), state_request(row), month)
        for batch in batches:
            run.check_cancelled()
            written += load_usage(
                row,
                month=month,
                view=UsageView(batch.view),
                rows=batch.rows,
                currency=batch.currency,
                data_until=batch.data_until,
                days=batch.days,
            )
            closed.append(batch.closed)
    except VendorError as error:
        raise BusinessError(error.code or str(error.kind), error.message) from error
    if closed and all(closed):
        close_period(row, month)
    return {"records": written}
