"""Events: what happened, as a row in the same transaction. ``notifications`` picks the rows up by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from core import clock
from core.outbox import OutboxRow, dispatch, register
from core.tenancy import TenantOwned

PROCESS_TASK = "notifications.process_event"


class EventState(models.TextChoices):
    """Whether the second outbox has been fed with the event."""

    PENDING = "pending", "Pending"
    PROCESSED = "processed", "Processed"
    FAILED = "failed", "Failed"


class Event(TenantOwned, OutboxRow):
    """Something that happened, named ``thing.verb`` (``subscription.activated``), with ids and plain values."""

    tenant_account = "account"
    DUE = frozenset({EventState.PENDING.value})

    name = models.CharField(max_length=80)
    account = models.ForeignKey("resellers.Account", null=True, on_delete=models.PROTECT, related_name="+")
    happened_at = models.DateTimeField()
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=EventState.choices, default=EventState.PENDING)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["not_before", "id"], name="event_due", condition=models.Q(state="pending")),
            models.Index(fields=["organization", "name", "-id"], name="event_name"),
        ]

    def __str__(self) -> str:
        return self.name


register(Event, field="state", due=Event.DUE, task=PROCESS_TASK)


def emit(name: str, payload: Mapping[str, Any], *, organization_id: int, account_id: int | None = None) -> Event:
    """Write the event inside the present transaction; it is handled after the commit, once, even if a worker dies."""
    (event,) = emit_all(name, [payload], organization_id=organization_id, account_id=account_id)
    return event


def emit_all(
    name: str, payloads: Iterable[Mapping[str, Any]], *, organization_id: int, account_id: int | None = None
) -> list[Event]:
    """As :func:`emit`, for several things of one account to which the same happened: one event each, one statement."""
    same = {"name": name, "organization_id": organization_id, "account_id": account_id, "happened_at": clock.now()}
    events = Event.objects.bulk_create([Event(payload=dict(payload), **same) for payload in payloads])
    for event in events:
        dispatch(PROCESS_TASK, event.pk)
    return events
