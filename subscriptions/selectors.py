"""Reads of subscriptions and operations."""

from django.db.models import QuerySet

from core.tenancy import Actor
from subscriptions.enums import DESK_STATES, OPEN_STATES, OperationState
from subscriptions.models import Operation, Subscription


def subscriptions_for(actor: Actor) -> QuerySet[Subscription]:
    """Subscriptions the actor may see, newest first, with account and product."""
    rows = Subscription.objects.visible_to(actor)
    return rows.select_related("account", "bill_to", "product", "plan", "instance").order_by("-id")


def operations_for(actor: Actor) -> QuerySet[Operation]:
    """All operations of the actor's organization; employees only."""
    if not actor.is_staff:
        return Operation.objects.none()
    return Operation.objects.visible_to(actor).select_related(
        "account", "instance", "subscription", "account_link", "retry_of"
    )


def desk_operations(actor: Actor) -> QuerySet[Operation]:
    """What needs a person: attention, and refusals nobody has retried or given up yet; oldest first."""
    rows = operations_for(actor).filter(state__in=DESK_STATES, retries=None)
    return rows.order_by("id")


def unfinished_operations(actor: Actor) -> QuerySet[Operation]:
    """Everything that is not over: on its way, waiting, or on the desk."""
    states = [*OPEN_STATES, OperationState.REFUSED]
    return operations_for(actor).filter(state__in=states, retries=None).order_by("id")
