"""Reads of subscriptions and operations."""

from collections.abc import Iterable

from core.tenancy import Actor, TenantQuerySet
from subscriptions.enums import DESK_STATES, OPEN_STATES, OperationState, Verb
from subscriptions.models import Operation, Subscription


def subscriptions_for(actor: Actor) -> TenantQuerySet[Subscription]:
    """Subscriptions the actor may see, newest first, with account and product."""
    rows = Subscription.objects.visible_to(actor)
    return rows.select_related("account", "bill_to", "product", "plan", "instance").order_by("-id")


def operations_for(actor: Actor) -> TenantQuerySet[Operation]:
    """All operations of the actor's organization; employees only."""
    if not actor.is_staff:
        return Operation.objects.none()
    return Operation.objects.visible_to(actor).select_related(
        "account", "instance", "subscription", "account_link", "retry_of"
    )


def desk_operations(actor: Actor) -> TenantQuerySet[Operation]:
    """What needs a person: attention, and refusals nobody has retried or given up yet; oldest first."""
    rows = operations_for(actor).filter(state__in=DESK_STATES, retries=None)
    return rows.order_by("id")


def desk_count(actor: Actor) -> int:
    """How many entries the desk has, as the number beside its name."""
    return desk_operations(actor).order_by().count()


def unfinished_operations(actor: Actor) -> TenantQuerySet[Operation]:
    """Everything that is not over: on its way, waiting, or on the desk."""
    states = [*OPEN_STATES, OperationState.REFUSED]
    return operations_for(actor).filter(state__in=states, retries=None).order_by("id")


def creations_of(actor: Actor, subscription_ids: Iterable[int]) -> dict[int, Operation]:
    """The operation that creates each of these subscriptions, by subscription; only what the actor may see."""
    rows = Operation.objects.visible_to(actor).filter(subscription_id__in=list(subscription_ids), verb=Verb.CREATE)
    return {
        row.subscription_id: row
        for row in rows.select_related("depends_on").order_by("id")
        if row.subscription_id is not None
    }
