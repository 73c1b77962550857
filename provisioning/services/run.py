"""Running an operation: claim, execute, apply. No database transaction is open while the vendor is asked.

Killing a worker at any point loses nothing and repeats nothing: the claim expires, the next run goes on from the steps
the connector noted, and a vendor's answer that was already stored is settled from there.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock, crypto, outbox
from core.errors import BusinessError
from core.tenancy import system_actor
from provisioning.context import OperationSteps, context_for
from provisioning.ports import Connector, Context, ErrorKind, Outcome, Result, VendorError
from provisioning.registry import connector_for
from provisioning.requests import account_data, asset_request, service_request
from provisioning.services import assets, renewals
from provisioning.services.answers import SECRETS_STEP
from provisioning.services.apply import apply_result
from subscriptions.enums import OperationEvent, Verb
from subscriptions.models import Operation, OperationStep
from subscriptions.services import fire_operation, set_sync
from vendors.models import AccountLink, Instance, LinkState, SyncStatus
from vendors.services.instances import note_credentials
from vendors.services.links import LINK_MACHINE

logger = logging.getLogger(__name__)


def run_operation(operation_id: int) -> None:
    """Claim the operation, ask the vendor, apply what came of it. Does nothing if it is not due or somebody has it."""
    claim_seconds = settings.OPERATION_CLAIM_SECONDS
    row = outbox.claim(Operation, operation_id, field="state", due=Operation.DUE, seconds=claim_seconds)
    if row is None:
        return
    result = stored_answer(row)
    # Also where only the settlement is left: one that a person sent again is queued, and what is queued cannot end.
    _begin(row)
    if result is None:
        with outbox.heartbeat(row, claim_seconds):
            result = execute(row)
        if result.outcome in (Outcome.DONE, Outcome.REFUSED):
            store_answer(row, result)
    apply_result(system_actor(row.organization_id), row, result)


@transaction.atomic
def _begin(row: Operation) -> None:
    if row.subscription is not None and row.subscription.sync_status != SyncStatus.IN_PROGRESS:
        set_sync(row.subscription, SyncStatus.IN_PROGRESS)
    if row.asset is not None:
        assets.begin(row, row.asset)
    if row.account_link is not None and row.account_link.state not in (LinkState.IN_PROGRESS, LinkState.SYNCHRONIZED):
        LINK_MACHINE.fire(row.account_link, "start")
    # Last: who opens another operation of the service holds the service, and waits for what becomes of this state.
    fire_operation(row, OperationEvent.CLAIM, first_sent_at=row.first_sent_at or clock.now())


def execute(row: Operation) -> Result:
    """Ask the connector; whatever happens becomes one of the outcomes, and an unforeseen bug becomes attention."""
    instance = Instance.objects.select_related("application", "certificate").get(pk=row.instance_id)
    try:
        connector = connector_for(instance.application.code)
        result = _call(connector, context_for(instance, operation=row), row)
        note_credentials(instance.pk, refused=False)
    except VendorError as error:
        if error.kind == ErrorKind.MISCONFIGURED:
            note_credentials(instance.pk, refused=True)
        return result_of(error)
    except BusinessError as error:
        return Result(Outcome.ATTENTION, code=error.code, message=str(error.message))
    except Exception:
        logger.exception("operation failed inside", extra={"operation": str(row.public_id)})
        return Result(
            Outcome.ATTENTION, code="internal", message=_("Something went wrong inside; see the worker's log.")
        )
    return result


def _call(connector: Connector, ctx: Context, row: Operation) -> Result:
    if row.verb == Verb.RENEW:
        return renewals.follow(connector, ctx, row)
    if row.verb not in connector.verbs:
        raise BusinessError("verb_missing", _("%(vendor)s cannot do this.") % {"vendor": connector.name})
    method = getattr(connector, row.verb)
    if row.verb == Verb.ACCOUNT_SYNC:
        link = AccountLink.objects.select_related("account__organization", "account__bill_to").get(
            pk=row.account_link_id or 0
        )
        instance = Instance.objects.get(pk=row.instance_id)
        result = method(ctx, account_data(link.account, instance))
    elif row.asset_id is not None:
        result = method(ctx, asset_request(row))
    else:
        result = method(ctx, service_request(row))
    if not isinstance(result, Result):
        raise TypeError(f"{connector.code}.{row.verb} answered {type(result).__name__}")
    return result


_OUTCOMES = {
    ErrorKind.REFUSED: Outcome.REFUSED,
    ErrorKind.UNKNOWN: Outcome.UNKNOWN,
    ErrorKind.NOT_SENT: Outcome.WAITING,
    ErrorKind.THROTTLED: Outcome.WAITING,
    ErrorKind.WAITING: Outcome.WAITING,
    ErrorKind.MISCONFIGURED: Outcome.ATTENTION,
    ErrorKind.CONTRACT: Outcome.ATTENTION,
}


def result_of(error: VendorError) -> Result:
    """A vendor's error as the outcome of an operation."""
    code = error.code
    if error.kind in (ErrorKind.MISCONFIGURED, ErrorKind.CONTRACT):
        code = str(error.kind)
    retry_after = error.retry_after
    if error.kind == ErrorKind.NOT_SENT and retry_after is None:
        retry_after = dt.timedelta(seconds=30)
    return Result(_OUTCOMES[error.kind], code=code, message=error.message, retry_after=retry_after, flag=error.flag)


def store_answer(row: Operation, result: Result) -> None:
    """Keep a final answer before applying it, so that a failed settlement is settled from here and never sent again."""
    kept: dict[str, Any] = {
        "outcome": str(result.outcome),
        "external_id": result.external_id,
        "code": result.code,
        "message": result.message,
        "flag": result.flag,
        "data": dict(result.data),
    }
    if result.secrets:
        cipher = {"cipher": crypto.encrypt_json(dict(result.secrets))}
        OperationSteps(row).put(SECRETS_STEP, cipher)
    Operation.objects.filter(pk=row.pk, claim_token=row.claim_token).update(result=kept)
    row.result = kept


def stored_answer(row: Operation) -> Result | None:
    """The final answer that a former run kept but did not apply, or None."""
    kept: Mapping[str, Any] = row.result
    if kept.get("outcome") not in (Outcome.DONE, Outcome.REFUSED):
        return None
    step = OperationStep.objects.filter(operation=row, name=SECRETS_STEP).first()
    return Result(
        Outcome(kept["outcome"]),
        external_id=kept.get("external_id", ""),
        code=kept.get("code", ""),
        message=kept.get("message", ""),
        flag=kept.get("flag", ""),
        data=kept.get("data", {}),
        secrets={key: str(value) for key, value in crypto.decrypt_json(step.value["cipher"]).items()} if step else {},
    )
