"""Job handlers of the Professional edition: each may be killed and run again from its start."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import BusinessError, NotVisible
from core.jobs import JobCancelled, JobRun, handler
from core.tenancy import Actor, system_actor
from tenants.models import CatalogueUpdate, ProfessionalTenant
from tenants.services.create import MAKE, fail_making, finish_making, steps
from tenants.services.transfer import (
    ACCOUNTS,
    SUBSCRIPTIONS,
    chosen_accounts,
    chosen_subscriptions,
    move_account,
    move_subscription,
)
from tenants.services.update import UPDATE, fail_update, run_update

logger = logging.getLogger(__name__)
T = TypeVar("T")


def _tenant(run: JobRun) -> tuple[Actor, ProfessionalTenant]:
    actor = system_actor(run.job.organization_id, label=str(run.job.user or _("system")))
    rows = ProfessionalTenant.objects.select_related("account", "own", "price_list", "organization")
    row = rows.get_visible(actor, run.params["tenant"])
    if row is None:
        raise NotVisible("professional_missing", _("This Professional reseller does not exist."))
    return actor, row


@handler(MAKE)
def run_make(run: JobRun) -> Mapping[str, Any]:
    """Make a Professional reseller's organization, step by step."""
    actor, tenant = _tenant(run)
    todo = steps()
    try:
        for number, (words, step) in enumerate(todo):
            run.report(number, len(todo), words)
            step(tenant)
            run.log(_("Done: %(step)s") % {"step": words})
    except JobCancelled:
        fail_making(actor, tenant, _("Cancelled."))
        raise
    except BusinessError as error:
        fail_making(actor, tenant, str(error.message))
        raise
    except Exception:
        fail_making(actor, tenant, _("Something went wrong inside; the log has the details. Try again."))
        raise
    finish_making(actor, tenant)
    return {"message": _("%(name)s is ready.") % {"name": tenant.name}}


@handler(ACCOUNTS)
def run_accounts(run: JobRun) -> Mapping[str, Any]:
    """Transfer customers, each by itself."""
    actor, tenant = _tenant(run)
    rows = chosen_accounts(actor, tenant, run.params.get("ids") or [])
    return _each(run, rows, lambda row: move_account(actor, tenant, row))


@handler(SUBSCRIPTIONS)
def run_subscriptions(run: JobRun) -> Mapping[str, Any]:
    """Transfer running subscriptions, each by itself."""
    actor, tenant = _tenant(run)
    rows = chosen_subscriptions(actor, tenant, run.params.get("ids") or [])
    return _each(run, rows, lambda row: move_subscription(actor, tenant, row))


def _each(run: JobRun, rows: list[T], move: Callable[[T], object]) -> Mapping[str, Any]:
    """Move row after row and report each; what is refused is told and does not stop the others."""
    done, refused = 0, []
    for number, row in enumerate(rows):
        run.report(number, len(rows), str(row))
        try:
            move(row)
        except BusinessError as error:
            refused.append(f"{row}: {error.message}")
            run.log(refused[-1])
        else:
            done += 1
            run.log(_("Transferred: %(name)s") % {"name": row})
    run.report(len(rows), len(rows))
    run.log(_("%(done)s transferred, %(refused)s refused.") % {"done": done, "refused": len(refused)})
    return {"done": done, "refused": refused}


@handler(UPDATE)
def run_catalogue(run: JobRun) -> Mapping[str, Any]:
    """A catalogue update, or its preview."""
    actor = system_actor(run.job.organization_id)
    row = CatalogueUpdate.objects.get_visible(actor, run.params["update"])
    if row is None:
        raise NotVisible("update_missing", _("This update does not exist."))
    try:
        run.report(0, 1, _("Comparing with the distributor's catalogue"))
        row = run_update(row)
    except JobCancelled:
        fail_update(row, _("Cancelled."))
        raise
    except BusinessError as error:
        fail_update(row, str(error.message))
        raise
    except Exception:
        fail_update(row, _("Something went wrong inside; the log has the details. Try again."))
        raise
    found = sum(row.counts.values())
    run.log(ngettext("%(n)s difference.", "%(n)s differences.", found) % {"n": found})
    return {"message": str(row), "counts": row.counts}
