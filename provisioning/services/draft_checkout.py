"""Checkout by a program: what the vendors ask is complete at once, and checked there afterwards (``api.md`` 10.3).

No vendor is called while a program waits for its answer. A placed order with customers the vendor must know waits as
Submitted; a job has the answers checked, as the pages do before placing, and executes it or says why it is held.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError
from core.jobs import RUN_VENDOR_TASK, JobRun, start_job
from core.tenancy import Actor, system_actor
from orders.enums import LineKind, OrderStatus
from orders.models import Order, OrderLine
from orders.selectors import basket_instances
from orders.services.draft_place import ReadyDraft, execute_checked, hold, place_draft, ready_draft
from orders.services.draft_prices import draft_lines
from provisioning.services.checkout import MPN, DetailsCheck, agreement_of, agreement_words, options_of
from resellers.models import Account
from vendors.models import AccountLink, Instance, LinkState

ORDER_CHECK = "provisioning.check_order"
UNVERIFIED = (LinkState.AWAITING_RELATIONSHIP, LinkState.RELATIONSHIP_LOST)
# Turns the answers for an instance into what its vendor understands, or raises with what is missing.
Understand = Callable[[Account, Instance, Mapping[str, Any]], Mapping[str, Any]]


def asking_instances(lines: Sequence[OrderLine]) -> list[Instance]:
    """The instances whose vendors must know the customer of a draft's new services."""
    return basket_instances([line for line in lines if line.kind == LineKind.NEW])


def kept_answers(order: Order, instance: Instance) -> dict[str, Any]:
    """What was answered so far for an instance; of a checked order what the vendor was told."""
    kept = order.service_details.get(str(instance.public_id), {})
    return dict(kept.get("values") or kept.get("options", {}))


@transaction.atomic
def check_out(actor: Actor, *, order: Order, understand: Understand, browser: str = "") -> ReadyDraft:
    """Place a draft, all or nothing; with ``price_changed`` it only wrote the new prices down.

    Of two at once the second finds no draft any more. Raises what :func:`orders.services.draft_place.ready_draft` and
    ``understand`` raise, and ``relation_unverified`` while the customer has not accepted the vendor's invitation.
    """
    ready = ready_draft(actor, order=order)
    if ready.price_changed:
        return ready
    instances = asking_instances(ready.lines)
    account = ready.order.account
    details: dict[str, Any] = {}
    for instance in instances:
        _demand_relation(account, instance)
        values = understand(account, instance, kept_answers(ready.order, instance))
        details[str(instance.public_id)] = _unchecked(account, values)
    placed = place_draft(actor, ready=ready, details=details, browser=browser, execute=not instances)
    if instances:
        start_job(
            actor,
            ORDER_CHECK,
            title=_("Checking order %(number)s with the vendor") % {"number": placed.number},
            params={"order": str(placed.public_id), "label": actor.label},
            account_id=placed.payer_id,
            unique_key=f"check-order:{placed.public_id}",
            queue_task=RUN_VENDOR_TASK,
        )
    return ready


def _demand_relation(account: Account, instance: Instance) -> None:
    if AccountLink.objects.filter(account=account, instance=instance, state__in=UNVERIFIED).exists():
        words = _("The customer has to accept the invitation of %(vendor)s first.")
        raise BusinessError("relation_unverified", words % {"vendor": instance.application.name})


def _unchecked(account: Account, values: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as an order keeps them before the vendor saw them; a new MPN ID counts after the check only."""
    details: dict[str, Any] = {"account": str(account.public_id), "state": "waiting", "values": dict(values)}
    agreement = agreement_of(values, clock.now().date())
    return details | {"options": options_of(values)} | ({"agreement": agreement_words(agreement)} if agreement else {})


def check_order(run: JobRun) -> Mapping[str, Any]:
    """Have the answers of an order checked, then execute it; repeatable, and nothing if it waits no longer."""
    system = system_actor(run.job.organization_id, label=str(run.params["label"]))
    rows = Order.objects.visible_to(system).select_related("account__bill_to", "organization")
    order = rows.filter(public_id=UUID(str(run.params["order"])), status=OrderStatus.SUBMITTED).first()
    if order is None:
        return {"state": "over"}
    lines = draft_lines(order)
    details: dict[str, Any] = {}
    for instance in asking_instances(lines):
        outcome = DetailsCheck(run, instance, order.account, kept_answers(order, instance), lines).run()
        outcome = _without_check(system, order, instance, outcome)
        if outcome["state"] != "ok":
            code, message = _refusal(outcome)
            hold(system, order=order, code=code, message=message)
            return {"state": "held", "code": code}
        details[str(instance.public_id)] = outcome
    try:
        execute_checked(system, order=order, details=details)
    except BusinessError as error:
        hold(system, order=order, code=error.code, message=str(error.message))
        return {"state": "held", "code": error.code}
    return {"state": "executed"}


def _without_check(actor: Actor, order: Order, instance: Instance, outcome: dict[str, Any]) -> dict[str, Any]:
    """A vendor out of reach is no obstacle, for he checks again at the execution; a new MPN ID must be valid once."""
    if outcome["state"] != "unreachable" or outcome["values"].get(MPN):
        return outcome
    agreement = agreement_of(outcome["values"], clock.now().date())
    kept = {"account": outcome["account"], "options": outcome["options"], "state": "ok"}
    kept |= {"agreement": agreement_words(agreement)} if agreement else {}
    audit.record(actor, "order.check_skipped", instance, reason=outcome["message"], account=order.account)
    return kept | {"unchecked": outcome["message"]}


def _refusal(outcome: Mapping[str, Any]) -> tuple[str, str]:
    """The code and the words of a check that was not good; the words are those the pages show to who orders."""
    errors = outcome.get("errors", {})
    words = str(outcome.get("message") or " ".join(str(text) for text in errors.values()))
    if outcome["state"] == "relationship":
        return "relation_unverified", words
    if outcome["state"] == "unreachable":
        return "mpn_unchecked", _("A new MPN ID has to be checked once. Try again later.")
    return ("mpn_invalid" if MPN in errors else "check_refused"), words
