"""Job handlers of the process manager: what asks a vendor on somebody's behalf and shows progress."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from catalog.services.definition import apply_definition, apply_price_sheet, check_loss
from core import crypto
from core.errors import BusinessError, NotVisible
from core.jobs import JobCancelled, JobRun, handler
from core.tenancy import system_actor
from provisioning.context import context_for
from provisioning.ports import Cancelled, CheckResult, ErrorKind, ServiceDefinition, VendorError
from provisioning.registry import connector_for
from provisioning.services import stamps
from provisioning.services.checkout import DETAILS_CHECK, LIVE_CHECK, check_details, check_live
from provisioning.services.draft_checkout import ORDER_CHECK, check_order
from provisioning.services.refresh import REFRESH, refresh
from provisioning.services.setup import settle_readiness, settle_test
from provisioning.services.usage import READ_USAGE, read_usage
from vendors.models import ConsentState, Instance
from vendors.services.instances import note_consent, note_credentials


class JobProgress:
    """The port's Progress over a job."""

    def __init__(self, run: JobRun) -> None:
        self.run = run

    def report(self, done: int, total: int, text: str = "") -> None:
        """Pass progress on; raises the port's Cancelled once a person pressed Cancel."""
        try:
            self.run.report(done, total, text)
        except JobCancelled as error:
            raise Cancelled from error

    def log(self, text: str) -> None:
        """A line in the job's log."""
        self.run.log(text)


def _instance(run: JobRun) -> Instance:
    rows = Instance.objects.visible_to(system_actor(run.job.organization_id)).select_related(
        "application", "organization"
    )
    row = rows.filter(public_id=run.params["instance"]).first()
    if row is None:
        raise NotVisible("instance_missing", _("This instance does not exist."))
    return row


def _said(error: VendorError) -> BusinessError:
    return BusinessError(error.code or str(error.kind), error.message)


@handler("provisioning.test_connection", answers=True)
def test_connection(run: JobRun) -> Mapping[str, Any]:
    """Ask the vendor whether an instance's settings work; a token alone suffices for an instance to become Ready."""
    instance = _instance(run)
    try:
        result: CheckResult = connector_for(instance.application.code).test_connection(  # type: ignore[attr-defined]
            context_for(instance)
        )
    except VendorError as error:
        if error.kind == ErrorKind.MISCONFIGURED:
            note_credentials(instance.pk, refused=True)
        raise _said(error) from error
    if result.ok or result.data.get("token"):
        note_credentials(instance.pk, refused=False)
        settle_test(system_actor(run.job.organization_id), instance, version=instance.settings_version)
    if not result.ok:
        raise BusinessError(result.code or "test_failed", result.message)
    run.log(result.message or _("The vendor accepts these settings."))
    return {"message": result.message}


@handler("provisioning.finish_consent")
def finish_consent(run: JobRun) -> Mapping[str, Any]:
    """Exchange the code of a consent round trip for a token, and keep it."""
    instance = _instance(run)
    actor = system_actor(run.job.organization_id, label=str(run.params.get("label", "system")))
    try:
        result: CheckResult = connector_for(instance.application.code).consent_finish(  # type: ignore[attr-defined]
            context_for(instance), run.params["redirect_uri"], crypto.decrypt_json(run.params["form"])
        )
    except VendorError as error:
        raise _said(error) from error
    if not result.ok:
        raise BusinessError(result.code or "consent_failed", result.message)
    who = str(result.data.get("who") or result.message)
    note_consent(actor, instance=instance, state=ConsentState.GIVEN, note=who)
    settle_readiness(actor, _instance(run))
    run.log(_("Consent given."))
    return {"message": _("Consent given by %(who)s.") % {"who": who} if who else _("Consent given.")}


@handler("provisioning.pull_definition")
def pull_definition(run: JobRun) -> Mapping[str, Any]:
    """Get Services Definition: read everything, validate, apply, and say what is new, changed and discontinued."""
    instance = _instance(run)
    connector: Any = connector_for(instance.application.code)
    progress = JobProgress(run)
    if run.params.get("full"):
        instance.definition_marker = ""
    ctx = context_for(instance, language=instance.organization.language)
    try:
        definition: ServiceDefinition = connector.service_definition(ctx, progress)
        if definition.complete and not run.params.get("accept_loss"):
            check_loss(instance, definition.product_types)
        run.check_cancelled()
        report = apply_definition(
            instance,
            definition.product_types,
            complete=definition.complete,
            discontinued=definition.discontinued,
            marker=definition.marker,
            progress=run.log,
        )
        prices = {"written": 0, "unknown": 0}
        if definition.prices:
            prices = apply_price_sheet(instance, definition.prices, source=_("catalogue"))
        if "price_sheet" in connector.verbs:
            run.log(_("Reading the vendor's prices."))
            prices = apply_price_sheet(instance, connector.price_sheet(ctx, progress), source=_("price sheet"))
    except VendorError as error:
        raise _said(error) from error
    except Cancelled as error:
        raise JobCancelled from error
    for problem in [*definition.problems, *report.problems]:
        run.log(problem)
    figures = report.counts() | {"prices": prices["written"]}
    run.log(_("%(new)s new, %(changed)s changed, %(discontinued)s discontinued; %(prices)s prices written.") % figures)
    return {
        "counts": report.counts(),
        "prices": prices,
        "new": report.new,
        "changed": report.changed,
        "discontinued": report.discontinued,
        "problems": [*definition.problems, *report.problems],
    }


@handler(ORDER_CHECK, answers=True)
def run_check_order(run: JobRun) -> Mapping[str, Any]:
    """Have the answers of an order that a program placed checked, then execute it."""
    return check_order(run)


@handler(DETAILS_CHECK, answers=True)
def run_check_details(run: JobRun) -> Mapping[str, Any]:
    """Check what a buyer typed into Service Details with the vendor."""
    return check_details(run, _instance(run))


@handler(LIVE_CHECK, answers=True)
def run_check_live(run: JobRun) -> Mapping[str, Any]:
    """Check one field while somebody types."""
    return check_live(run, _instance(run))


@handler(REFRESH)
def run_refresh(run: JobRun) -> Mapping[str, Any]:
    """Read one subscription's windows and dates at the vendor."""
    return refresh(run)


@handler(READ_USAGE)
def run_read_usage(run: JobRun) -> Mapping[str, Any]:
    """Read what was used of one subscription in a month."""
    return read_usage(run)


@handler(stamps.CHECK, answers=True)
def run_check_partner(run: JobRun) -> Mapping[str, Any]:
    """Ask the vendor whether a reseller's MPN ID is good."""
    return stamps.check_partner(run, _instance(run))


@handler(stamps.STAMP)
def run_stamp(run: JobRun) -> Mapping[str, Any]:
    """Bring an MPN ID to the services of a run."""
    return stamps.drive(run)
