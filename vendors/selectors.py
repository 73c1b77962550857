"""Reads of applications and their instances."""

from core.tenancy import Actor, TenantQuerySet
from vendors.models import Application, Instance, InstanceState


def instances_for(actor: Actor) -> TenantQuerySet[Instance]:
    """The instances of the actor's organization that are not deleted, with their application; employees only."""
    if not actor.is_staff:
        return Instance.objects.none()
    rows = Instance.objects.visible_to(actor).exclude(state=InstanceState.DELETED)
    return rows.select_related("application").order_by("system_name", "id")


def instance_choices(actor: Actor) -> list[tuple[str, str]]:
    """The same as choices of a filter, by public id."""
    return [(str(row.public_id), row.system_name) for row in instances_for(actor)]


def applications_on_offer() -> list[Application]:
    """The applications an instance can be made of, by name."""
    return list(Application.objects.filter(is_enabled=True).order_by("name"))
