"""Reading one licence at the vendor because somebody asked: a job, at most once a minute (``esd.md`` 7)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Conflict, NotVisible
from core.jobs import RUN_VENDOR_TASK, Job, JobRun, handler, start_job
from core.tenancy import Actor, system_actor
from provisioning.services.assets import refresh_asset
from subscriptions.asset_rules import AssetAction, demand_action
from subscriptions.asset_selectors import assets_for
from subscriptions.models import Asset
from subscriptions.services.returns import require_asset_manage

REFRESH_ASSET = "provisioning.refresh_asset"


def _key(row: Asset) -> str:
    return f"{REFRESH_ASSET}:{row.public_id}"


def reading_asset(actor: Actor, row: Asset) -> Job | None:
    """The job that is reading this licence at the vendor just now, whoever started it."""
    jobs = Job.objects.visible_to(actor).filter(organization_id=row.organization_id, state__in=Job.OPEN)
    return jobs.filter(unique_key=_key(row)).first()


def start_asset_refresh(actor: Actor, row: Asset) -> Job | None:
    """Ask the vendor in the background; None if somebody is asking. BusinessError within a minute of the last time."""
    require_asset_manage(actor, row)
    demand_action(row, AssetAction.REFRESH)
    try:
        return start_job(
            actor,
            REFRESH_ASSET,
            title=_("Read %(name)s at the vendor") % {"name": row.name},
            params={"asset": str(row.public_id)},
            account_id=row.account_id,
            unique_key=_key(row),
            queue_task=RUN_VENDOR_TASK,
        )
    except Conflict:
        return None


@handler(REFRESH_ASSET)
def run_refresh_asset(run: JobRun) -> Mapping[str, Any]:
    """The job: read the licence's status and write what the vendor says of it."""
    actor = system_actor(run.job.organization_id)
    row = assets_for(actor).get_visible(actor, run.params["asset"])
    if row is None:
        raise NotVisible("asset_missing", _("This licence does not exist."))
    refresh_asset(row)
    row.refresh_from_db(fields=["status", "token_status"])
    return {"status": row.status}
