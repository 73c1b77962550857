"""Reads of applications and their instances."""

from django.db.models import Q

from core.tenancy import Actor, TenantQuerySet
from resellers.models import Account
from vendors.models import AccountLink, Application, ConsentState, Instance, InstanceState


def instances_for(actor: Actor) -> TenantQuerySet[Instance]:
    """The instances of the actor's organization that are not deleted, with their application; employees only."""
    if not actor.is_staff:
        return Instance.objects.none()
    rows = Instance.objects.visible_to(actor).exclude(state=InstanceState.DELETED)
    return rows.select_related("application").order_by("system_name", "id")


def instances_in_trouble(actor: Actor) -> TenantQuerySet[Instance]:
    """Instances in use that the vendor does not let in: consent is lost, or the credentials are refused."""
    used = Q(state__in=(InstanceState.ACTIVE, InstanceState.READY))
    return instances_for(actor).filter(used, Q(consent=ConsentState.LOST) | Q(credentials_refused_at__isnull=False))


def instance_choices(actor: Actor) -> list[tuple[str, str]]:
    """The same as choices of a filter, by public id."""
    return [(str(row.public_id), row.system_name) for row in instances_for(actor)]


def applications_on_offer() -> list[Application]:
    """The applications an instance can be made of, by name."""
    return list(Application.objects.filter(is_enabled=True).order_by("name"))


def links_of(actor: Actor, account: Account) -> list[tuple[Instance, AccountLink | None]]:
    """Every instance of the organization with the account's link there, if it has one."""
    rows = AccountLink.objects.visible_to(actor).filter(account=account).select_related("instance__application")
    links = {row.instance_id: row for row in rows}
    found = {row.pk: row for row in instances_for(actor)} | {row.instance_id: row.instance for row in links.values()}
    return [(instance, links.get(pk)) for pk, instance in found.items()]


def account_links_for(actor: Actor) -> TenantQuerySet[AccountLink]:
    """Accounts at instances the actor may see."""
    return AccountLink.objects.visible_to(actor).select_related("account", "instance__application")
