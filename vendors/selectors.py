"""Reads of applications and their instances."""

from django.db.models import Case, CharField, OuterRef, Q, Subquery, Value, When
from django.utils.translation import gettext as _

from core import clock
from core.pfx import day_words
from core.tenancy import Actor, TenantQuerySet
from resellers.models import Account
from vendors.models import (
    AccountLink,
    Application,
    Certificate,
    CertificateState,
    ConsentState,
    Instance,
    InstanceState,
    LinkState,
)
from vendors.validity import EXPIRING, Validity
from vendors.validity import certificate_problem as certificate_problem
from vendors.validity import certificate_state as certificate_state


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


def certificates_for(actor: Actor) -> TenantQuerySet[Certificate]:
    """The certificates of the actor's organization, the next to expire first; employees only.

    Each knows its ``life`` (a :class:`vendors.validity.Validity`), and of the instance that uses it ``used_by`` (its
    name) and ``used_by_id`` (its public id), both None if there is none.
    """
    if not actor.is_staff:
        return Certificate.objects.none()
    now = clock.now()
    life = Case(
        When(state=CertificateState.RETIRED, then=Value(Validity.RETIRED.value)),
        When(valid_to__lte=now, then=Value(Validity.EXPIRED.value)),
        When(valid_to__lte=now + EXPIRING, then=Value(Validity.EXPIRING.value)),
        default=Value(Validity.VALID.value),
        output_field=CharField(),
    )
    users = Instance.objects.filter(certificate=OuterRef("pk")).exclude(state=InstanceState.DELETED)
    rows = Certificate.objects.visible_to(actor).annotate(
        life=life,
        used_by=Subquery(users.values("system_name")[:1]),
        used_by_id=Subquery(users.values("public_id")[:1]),
    )
    return rows.defer("key_cipher", "chain_pem").order_by("valid_to", "id")


def certificates_that_expire(actor: Actor) -> TenantQuerySet[Certificate]:
    """Certificates in their last 30 days, and expired ones that an instance still uses; the most urgent first."""
    rows = certificates_for(actor)
    return rows.filter(Q(life=Validity.EXPIRING) | Q(life=Validity.EXPIRED, used_by_id__isnull=False))


def certificate_choices(actor: Actor, instance: Instance | None, *, currency: str = "") -> list[tuple[str, str]]:
    """What an instance may be bound to, as (thumbprint, words): valid and expiring ones, and its present one.

    One that another instance uses says so in its words; choosing it is refused. ``currency`` narrows to one.
    """
    rows = certificates_for(actor).filter(currency=currency) if currency else certificates_for(actor)
    present = instance.certificate_id if instance else None
    found = rows.filter(Q(life__in=(Validity.VALID, Validity.EXPIRING)) | Q(pk=present))
    return [(row.thumbprint, choice_words(row, present)) for row in found]


def choice_words(row: Certificate, present: int | None) -> str:
    """A certificate as an entry of a choice: label, currency, until when, and who else uses it."""
    names = {"label": row.label, "currency": row.currency, "date": day_words(row.valid_to)}
    words = _("%(label)s · %(currency)s · until %(date)s") % names
    user = getattr(row, "used_by", None)
    if not user or row.pk == present:
        return words
    return _("%(words)s · used by %(instance)s") % {"words": words, "instance": user}


def replacements_for(actor: Actor, certificate: Certificate) -> TenantQuerySet[Certificate]:
    """What may stand in for a certificate: valid ones of its currency that no instance uses."""
    free = Q(used_by_id__isnull=True, life__in=(Validity.VALID, Validity.EXPIRING))
    return certificates_for(actor).filter(free, currency=certificate.currency).exclude(pk=certificate.pk)


def is_known_at_vendor(account: Account) -> bool:
    """Whether a vendor knows the account, or is hearing of it just now."""
    links = AccountLink.objects.filter(account=account)
    return links.exclude(state__in=(LinkState.UNSYNCHRONISED, LinkState.FAILED), external_id="").exists()
