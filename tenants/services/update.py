"""Catalogue updates: preview, run and log (``channel.md`` 5.4).

The differences are found by doing the update and comparing; a preview does the same and takes it back.
"""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.jobs import RUN_BULK_TASK, Job, start_job
from core.tenancy import Actor, system_actor
from tenants.enums import TenantStatus, UpdateMode
from tenants.models import CatalogueUpdate, ProfessionalTenant
from tenants.selectors import due_nightly, tenant_of
from tenants.services.catalogue import Wish, apply_catalogue
from tenants.services.create import lock_tenant
from tenants.services.differences import Change, counts, differences, snapshot
from users.permissions import Perm

UPDATE = "tenants.update_catalogue"
MAX_CHANGES = 5000  # Rows a log keeps in words; the counts always tell all.


class _TakenBack(Exception):
    """Ends the transaction of a preview."""


def demand_own_tenant(actor: Actor) -> ProfessionalTenant:
    """The Professional reseller in whose own organization the actor works; elsewhere there is nothing to update."""
    tenant = tenant_of(actor.organization_id)
    if tenant is None:
        raise NotVisible("professional_missing", _("Only a Professional reseller's organization has this."))
    return tenant


@transaction.atomic
def start_update(
    actor: Actor, *, mode: str, preview: bool, overwrite_prices: bool = False, overwrite_names: bool = False
) -> tuple[CatalogueUpdate, Job]:
    """Write the log entry and start the run, or its preview. Raises Conflict ``update_running`` on a second one.

    A partial update has no boxes: it takes over purchase prices and nothing else.
    """
    actor.require(Perm.CATALOG_MANAGE)
    tenant = demand_own_tenant(actor)
    if tenant.status != TenantStatus.ACTIVE:
        raise Conflict("not_active", _("Catalogue updates need an active organization."))
    if mode not in UpdateMode.values:
        raise BusinessError("mode_unknown", _("Choose full or partial."), field="mode")
    is_full = mode == UpdateMode.FULL
    _close_forgotten(actor)
    try:
        with transaction.atomic():
            row = CatalogueUpdate.objects.create(
                organization_id=actor.tenant_id,
                mode=mode,
                is_preview=preview,
                overwrite_prices=overwrite_prices and is_full,
                overwrite_names=overwrite_names and is_full,
                requested_by=actor.label[:200],
            )
    except IntegrityError as error:
        raise Conflict("update_running", _("A catalogue update is in progress. Wait for its end.")) from error
    title = _("Preview of a catalogue update") if preview else _("Catalogue update")
    job = start_job(
        actor,
        UPDATE,
        title=title,
        params={"update": str(row.public_id)},
        unique_key=UPDATE,
        queue_task=RUN_BULK_TASK,
    )
    return row, job


def _close_forgotten(actor: Actor) -> None:
    """A run whose job was cancelled before it began stands in nobody's way."""
    if not Job.objects.visible_to(actor).filter(unique_key=UPDATE, state__in=Job.OPEN).exists():
        for row in CatalogueUpdate.objects.visible_to(actor).filter(finished_at=None):
            fail_update(row, _("Cancelled."))


def run_update(row: CatalogueUpdate) -> CatalogueUpdate:
    """Do it, or look what it would do; the log entry and the changes are one transaction. Done twice it does once."""
    if row.finished_at is not None:
        return row
    tenant = tenant_of(row.organization_id)
    if tenant is None or tenant.status != TenantStatus.ACTIVE:
        raise Conflict("not_active", _("Catalogue updates need an active organization."))
    wish = Wish(
        partial=row.mode == UpdateMode.PARTIAL,
        overwrite_prices=row.overwrite_prices,
        overwrite_names=row.overwrite_names,
    )
    changes = preview(tenant, wish) if row.is_preview else None
    with transaction.atomic():
        if changes is None:
            changes = update(tenant, wish)
        _finish(row, changes)
    return row


def update(tenant: ProfessionalTenant, wish: Wish) -> list[Change]:
    """Take over what ``wish`` says and return every difference; runs in the caller's transaction."""
    # The distributor's row is locked so that two runs, a nightly one and a person's, follow each other.
    lock_tenant(system_actor(tenant.organization_id), tenant)
    before = snapshot(tenant)
    apply_catalogue(tenant, wish)
    return differences(before, snapshot(tenant))


def preview(tenant: ProfessionalTenant, wish: Wish) -> list[Change]:
    """What :func:`update` would change; nothing stays."""
    found: list[Change] = []
    try:
        with transaction.atomic():
            found = update(tenant, wish)
            raise _TakenBack
    except _TakenBack:
        return found


def _finish(row: CatalogueUpdate, changes: list[Change]) -> None:
    row.changes, row.counts, row.finished_at = changes[:MAX_CHANGES], counts(changes), clock.now()
    row.save(update_fields=["changes", "counts", "finished_at", "updated_at"])
    if not row.is_preview:
        actor = system_actor(row.organization_id, label=row.requested_by)
        audit.record(actor, "catalogue.updated", row, after={"mode": row.mode} | row.counts)


def fail_update(row: CatalogueUpdate, reason: str) -> None:
    """The run ended without effect; the log says why, and the next may begin."""
    open_row = CatalogueUpdate.objects.filter(pk=row.pk, finished_at=None)
    open_row.update(error=reason[:500], finished_at=clock.now(), updated_at=clock.real_now())


@transaction.atomic
def set_nightly(actor: Actor, *, is_on: bool) -> ProfessionalTenant:
    """Let the purchase prices be taken over every night, or not."""
    actor.require(Perm.CATALOG_MANAGE)
    tenant = demand_own_tenant(actor)
    before = tenant.nightly_update
    ProfessionalTenant.objects.filter(pk=tenant.pk).update(nightly_update=is_on, updated_at=clock.real_now())
    tenant.nightly_update = is_on
    own = tenant.own
    if own is not None and before != is_on:
        audit.record(actor, "catalogue.nightly", own, before={"nightly": before}, after={"nightly": is_on})
    return tenant


def run_nightly() -> int:
    """Take the purchase prices over for everybody who wants it each night; returns for how many."""
    done = 0
    for tenant in due_nightly(system_actor()):
        actor = system_actor(tenant.own_id, label=_("every night"))
        try:
            start_update(actor, mode=UpdateMode.PARTIAL, preview=False)
        except Conflict:
            continue  # Somebody is at it just now; the next night comes.
        done += 1
    return done
