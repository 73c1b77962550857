"""MPN IDs: checking one with the vendor, and bringing it to what runs already (``channel.md`` 6.3, 6.4).

Nothing here asks a vendor while a page waits: the check is a job whose outcome the next page reads, and the run is a
job that opens one operation per service. Killed, both go on where they stood.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing.services import lock_payer
from core.errors import BusinessError, Conflict, NotVisible
from core.jobs import RUN_VENDOR_TASK, Job, JobCancelled, JobRun, own_job, start_job
from core.tenancy import Actor, system_actor
from provisioning.context import context_for
from provisioning.ports import CheckResult, ErrorKind, VendorError
from provisioning.registry import connector_for
from provisioning.services.run import run_operation
from resellers.models import Account
from subscriptions.enums import StampKind, StampRowState
from subscriptions.models import StampRow, StampRun, Subscription
from subscriptions.services import stamps
from users.permissions import Perm
from vendors.models import AccountLink, Instance, InstanceState
from vendors.services.links import ensure_link, set_mpn_id

CHECK = "provisioning.check_partner"
STAMP = "provisioning.stamp"
_MPN = re.compile(r"^\d{4,10}$")


@dataclass
class Preview:
    """What a new MPN ID would change: services that get it, those left out with the reason, and how many have it."""

    changes: list[Subscription] = field(default_factory=list)
    skipped: list[tuple[Subscription, str]] = field(default_factory=list)
    same: int = 0

    @property
    def customers(self) -> int:
        """For how many end customers something changes."""
        return len({row.account_id for row in self.changes})


def uses_partner_id(instance: Instance) -> bool:
    """Whether end customers' services at this instance carry their reseller's MPN ID: indirect Microsoft ones only."""
    connector: Any = connector_for(instance.application.code)
    return "uses_partner_id" in connector.verbs and bool(connector.uses_partner_id(context_for(instance)))


def partner_instances(actor: Actor) -> list[Instance]:
    """The organization's instances in use that carry MPN IDs, by name."""
    rows = Instance.objects.filter(organization_id=actor.tenant_id, state=InstanceState.ACTIVE)
    rows = rows.select_related("application", "organization").order_by("system_name", "id")
    return [row for row in rows if uses_partner_id(row)]


def require_mpn(actor: Actor, account: Account) -> None:
    """Raise unless the actor may change this reseller's MPN ID: Administrators, his Admin or Cloud Administrator."""
    actor.require(Perm.ACCOUNT_BILL_TO if actor.is_staff else Perm.SHOP_MPN, account)
    if not account.is_reseller:
        raise BusinessError("mpn_not_reseller", _("Only resellers have an MPN ID."), field="mpn_id")


def start_partner_check(actor: Actor, *, account: Account, instance: Instance, mpn_id: str) -> Job:
    """Ask the vendor whether he knows the ID and its reseller signed; the job's result is read by :func:`checked`."""
    require_mpn(actor, account)
    if not _MPN.match(mpn_id):
        raise BusinessError("mpn_invalid", _("An MPN ID has 4 to 10 digits."), field="mpn_id")
    return start_job(
        actor,
        CHECK,
        title=_("Checking the MPN ID with %(vendor)s") % {"vendor": instance.application.name},
        params={"instance": str(instance.public_id), "account": str(account.public_id), "mpn_id": mpn_id},
        account_id=account.pk,
        queue_task=RUN_VENDOR_TASK,
    )


def check_partner(run: JobRun, instance: Instance) -> Mapping[str, Any]:
    """The job: ``ok`` with ``tenant_id``; not ``ok`` with ``message``; ``unreachable`` lets a once valid ID pass."""
    number = str(run.params["mpn_id"])
    connector: Any = connector_for(instance.application.code)
    try:
        result: CheckResult = connector.check_partner_id(context_for(instance), number)
    except VendorError as error:
        if error.kind == ErrorKind.REFUSED:
            return {"ok": False, "message": error.message}
        known = AccountLink.objects.filter(
            account__public_id=run.params["account"], instance=instance, mpn_id=number, mpn_checked_at__isnull=False
        ).first()
        tenant = known.reseller_tenant_id if known else ""
        words = _("%(vendor)s could not be reached. Nothing was changed.") % {"vendor": instance.application.name}
        return {"ok": known is not None, "unreachable": True, "tenant_id": tenant, "message": words}
    return {"ok": result.ok, "message": result.message, "tenant_id": str(result.data.get("tenant_id", ""))}


def checked(actor: Actor, public_id: object, *, account: Account) -> Job:
    """The actor's own check of an ID for this reseller; anybody else's does not exist."""
    job = own_job(actor, public_id, CHECK)
    if job is None or job.params.get("account") != str(account.public_id):
        raise NotVisible("check_missing", _("There is no such check."))
    return job


def instance_of_check(actor: Actor, job: Job) -> Instance:
    """The instance a check was about."""
    rows = Instance.objects.filter(organization_id=actor.tenant_id).select_related("application", "organization")
    return rows.get(public_id=UUID(str(job.params["instance"])))


def preview_restamp(account: Account, instance: Instance, mpn_id: str) -> Preview:
    """What the new ID would change of the reseller's end customers' services; reads the database only."""
    found = Preview()
    for row in stamps.end_customer_services(account, instance):
        note = stamps.obstacle_of(row)
        if row.mpn_id == mpn_id:
            found.same += 1
        elif note:
            found.skipped.append((row, note))
        else:
            found.changes.append(row)
    return found


@transaction.atomic
def start_restamp(actor: Actor, *, account: Account, check: Job) -> StampRun | None:
    """Give the reseller the ID that was checked, and start bringing it to his end customers' services.

    The ID and the list of services are written in one transaction, under the lock of the payer that
    every order takes. None
    if no service has to change. Raises ``mpn_invalid`` with the vendor's reason, ``stamp_running``, ``nothing_to_do``.
    """
    require_mpn(actor, account)
    result = check.result
    if check.is_open or not result.get("ok"):
        words = str(result.get("message") or _("The MPN ID has not been checked yet."))
        raise BusinessError("mpn_invalid", words, field="mpn_id")
    instance, number = instance_of_check(actor, check), str(check.params["mpn_id"])
    lock_payer(account.pk)
    ensure_link(account, instance)
    link = AccountLink.objects.select_for_update(of=("self",)).get(account=account, instance=instance)
    before = link.mpn_id
    found = preview_restamp(account, instance, number)
    if before == number and not found.changes:
        raise Conflict("nothing_to_do", _("Every service carries this MPN ID already. There is nothing to do."))
    if StampRun.objects.filter(account=account, instance=instance, kind=StampKind.RESTAMP, state="running").exists():
        raise Conflict("stamp_running", _("A run is already in progress. Wait until it has ended."))
    if before != number:
        tenant = str(result.get("tenant_id", ""))
        set_mpn_id(actor, account=account, instance=instance, mpn_id=number, tenant_id=tenant)
    rows = [*found.changes, *(row for row, _note in found.skipped)]
    if not rows:
        return None
    run = stamps.open_run(
        actor,
        kind=StampKind.RESTAMP,
        account=account,
        instance=instance,
        mpn_before=before,
        mpn_id=number,
        rows=[(row, number) for row in rows],
    )
    return _drive(actor, run)


def _drive(actor: Actor, run: StampRun) -> StampRun:
    """Start the job that sends the rows of a run; a run without any is settled at once."""
    if not run.rows.filter(state=StampRowState.PENDING).exists():
        return stamps.settle_run(actor, run)
    job = start_job(
        actor,
        STAMP,
        title=str(run),
        params={"run": str(run.public_id)},
        account_id=run.account_id,
        unique_key=f"{STAMP}:{run.public_id}",
        queue_task=RUN_VENDOR_TASK,
    )
    stamps.note_job(run, job.pk)
    run.refresh_from_db()
    return run


def drive(run: JobRun) -> Mapping[str, Any]:
    """The job: open the operation of every waiting row and run it here; what waits for the vendor ends by itself.

    Run again after a kill it goes on with the rows that are still waiting.
    """
    system = system_actor(run.job.organization_id, label=str(run.job.user or "system"))
    row = StampRun.objects.visible_to(system).get_visible(system, run.params["run"])
    if row is None:
        raise NotVisible("stamp_missing", _("This run does not exist."))
    total = row.rows.exclude(state=StampRowState.SKIPPED).count()
    done = total - row.rows.filter(state=StampRowState.PENDING).count()
    try:
        for waiting in row.rows.filter(state=StampRowState.PENDING).select_related("subscription").order_by("pk"):
            run.report(done, total, str(waiting.subscription))
            _send(system, waiting, run)
            done += 1
    except JobCancelled:
        if Job.objects.filter(pk=run.job.pk, cancel_requested=True).exists():
            stamps.stop_run(system, row)
        raise
    row = stamps.settle_run(system, row)
    return {"run": str(row.public_id), "message": str(row.get_state_display())}


def _send(actor: Actor, waiting: StampRow, run: JobRun) -> None:
    operation = stamps.send_row(actor, waiting)
    if operation is not None:
        run_operation(operation.pk)
    waiting.refresh_from_db()
    run.log(f"{waiting.subscription}: {waiting.get_state_display()} {waiting.note}".strip())


@transaction.atomic
def retry_run(actor: Actor, *, run: StampRun) -> StampRun:
    """Try the failed rows again, or go on with a run whose job has died."""
    _require_run(actor, run)
    if run.job is not None and run.job.is_open:
        raise Conflict("stamp_running", _("A run is already in progress. Wait until it has ended."))
    return _drive(actor, stamps.reopen_run(actor, run))


@transaction.atomic
def cancel_run(actor: Actor, *, run: StampRun) -> StampRun:
    """Stop a run: services that have the new ID keep it, the others keep theirs."""
    _require_run(actor, run)
    return stamps.stop_run(actor, run)


def _require_run(actor: Actor, run: StampRun) -> None:
    if run.kind == StampKind.RESTAMP:
        require_mpn(actor, run.account)
    else:
        actor.require(Perm.ACCOUNT_BILL_TO, run.account)


@transaction.atomic
def start_relationship(
    actor: Actor, *, account: Account, kind: str, bill_to: Account | None, rows: Sequence[tuple[Subscription, str]]
) -> StampRun:
    """Set or clear the MPN ID of ``rows`` at the vendor first; the account's kind changes when all are done.

    The caller has asked who may and what stands in the way, under the lock of the payer's row.
    """
    for row, _wanted in rows:
        note = stamps.obstacle_of(row)
        if note:
            raise Conflict("service_not_ready", f"{row}: {note}")
    run = stamps.open_run(
        actor, kind=StampKind.RELATIONSHIP, account=account, kind_to=kind, bill_to=bill_to, rows=list(rows)
    )
    return _drive(actor, run)
