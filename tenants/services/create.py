"""Making a reseller Professional: his organization, its site, catalogue and first administrator (``channel.md`` 5.1).

A job does it in steps. Each looks first at what is there, so that a killed or failed run is simply run again.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.models import PriceList
from catalog.selectors import assigned_price_list, price_list_of
from catalog.services.price_lists import assign_price_list
from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.jobs import RUN_BULK_TASK, Job, start_job
from core.tenancy import Actor, system_actor
from resellers.enums import SITE_MACHINE, AccountKind, AccountStatus, Edition, SiteEvent
from resellers.models import Account, Membership, Organization, Site
from sso.services.people import invite_user
from tenants.enums import TENANT_MACHINE, Licence, TenantEvent, TenantStatus
from tenants.models import ProfessionalTenant
from tenants.selectors import is_professional, own_organization
from tenants.services.catalogue import Wish, apply_catalogue
from users.permissions import Perm, StaffRole

MAKE = "tenants.make"
_HOST = re.compile(r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$")
Step = Callable[[ProfessionalTenant], None]


@transaction.atomic
def make_professional(actor: Actor, *, account: Account, values: Mapping[str, Any]) -> ProfessionalTenant:
    """Write down that a reseller becomes Professional and start the job that makes his organization.

    ``values``: name, host, licence, price_list (a PriceList), language, time_zone, separate_invoices, admin_email,
    admin_first_name, admin_last_name. He goes on ordering here until he goes live. Raises BusinessError with the field.
    """
    actor.require(Perm.PROFESSIONAL, account)
    row = Account.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=account.pk).first()
    if row is None:
        raise NotVisible("account_missing", _("This account does not exist."))
    _check_account(actor, row)
    clean = _checked(actor, row, values)
    try:
        with transaction.atomic():
            tenant = ProfessionalTenant.objects.create(organization_id=row.organization_id, account=row, **clean)
    except IntegrityError as error:
        raise BusinessError("host_taken", _("This host is in use. Choose another."), field="host") from error
    if assigned_price_list(actor, row) != tenant.price_list:
        assign_price_list(actor, account=row, price_list=tenant.price_list)
    shown = {"name": tenant.name, "host": tenant.host, "licence": tenant.licence, "price_list": tenant.price_list.name}
    audit.record(actor, "professional.created", tenant, after=shown, account=row)
    _start(actor, tenant)
    return tenant


def _check_account(actor: Actor, row: Account) -> None:
    if row.kind != AccountKind.RESELLER:
        raise Conflict("not_reseller", _("Only a reseller can become Professional. Enable reselling first."))
    if row.edition == Edition.PROFESSIONAL or ProfessionalTenant.objects.filter(account=row).exists():
        raise Conflict("professional_already", _("This reseller is Professional already."))
    if row.status != AccountStatus.ACTIVE:
        raise Conflict("account_on_hold", _("This account is on hold. Release it first."))
    if is_professional(actor):
        raise Conflict("professional_chain", _("A Professional reseller's own resellers cannot become Professional."))
    if price_list_of(row) is None:
        raise BusinessError("price_list_missing", _("Assign a price list first."))


def _checked(actor: Actor, row: Account, values: Mapping[str, Any]) -> dict[str, Any]:
    host = str(values.get("host", "")).strip().lower()
    if not _HOST.match(host):
        raise BusinessError("host_invalid", _("Type a host name such as bss.example.com."), field="host")
    if Site.objects.filter(host=host).exists():
        raise BusinessError("host_taken", _("This host is in use. Choose another."), field="host")
    prices: PriceList | None = values.get("price_list")
    if prices is None or prices.organization_id != row.organization_id or prices.currency != row.currency:
        raise BusinessError("price_list_currency", _("Choose a list in the account's currency."), field="price_list")
    if values.get("time_zone") not in available_timezones():
        raise BusinessError("time_zone_unknown", _("Choose a time zone."), field="time_zone")
    if values.get("language") not in dict(settings.LANGUAGES):
        raise BusinessError("language_unknown", _("Choose a language."), field="language")
    if values.get("licence") not in Licence.values:
        raise BusinessError("licence_unknown", _("Choose a licence."), field="licence")
    names = ("name", "admin_first_name", "admin_last_name")
    texts = {name: str(values.get(name, "")).strip() for name in names}
    for name, text in texts.items():
        if not text:
            raise BusinessError("text_missing", _("This is needed."), field=name)
    email = str(values.get("admin_email", "")).strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BusinessError("email_invalid", _("Type a valid e-mail address."), field="admin_email") from error
    kept = ("language", "time_zone", "licence")
    return (
        {key: text[:100] for key, text in texts.items()}
        | {key: values[key] for key in kept}
        | {"host": host, "price_list": prices, "admin_email": email}
        | {"separate_invoices": bool(values.get("separate_invoices"))}
    )


def _start(actor: Actor, tenant: ProfessionalTenant) -> Job:
    return start_job(
        actor,
        MAKE,
        title=_("Make %(name)s Professional") % {"name": tenant.account.name},
        params={"tenant": str(tenant.public_id)},
        account_id=tenant.account_id,
        unique_key=f"{MAKE}:{tenant.public_id}",
        queue_task=RUN_BULK_TASK,
    )


@transaction.atomic
def retry_making(actor: Actor, *, tenant: ProfessionalTenant) -> Job:
    """Run the steps again after one failed; what is made already stays."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    if row.status != TenantStatus.PREPARING:  # One whose job was cancelled before it began is started again, no more.
        TENANT_MACHINE.fire(row, TenantEvent.RETRY, note="")
    audit.record(actor, "professional.retried", row, account=row.account)
    return _start(actor, row)


def lock_tenant(actor: Actor, tenant: ProfessionalTenant) -> ProfessionalTenant:
    """The row under a lock; somebody else's does not exist."""
    rows = ProfessionalTenant.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.select_related("account", "own", "price_list").filter(pk=tenant.pk).first()
    if row is None:
        raise NotVisible("professional_missing", _("This Professional reseller does not exist."))
    return row


def steps() -> list[tuple[str, Step]]:
    """What the job does, in order, with the words of its progress."""
    return [
        (_("Organization"), make_organization),
        (_("Site"), make_site),
        (_("Catalogue"), copy_catalogue),
        (_("First administrator"), invite_administrator),
    ]


@transaction.atomic
def make_organization(tenant: ProfessionalTenant) -> None:
    """His organization, in the currency of the price list."""
    row = lock_tenant(system_actor(tenant.organization_id), tenant)
    if row.own is None:
        account = row.account
        own = Organization.objects.create(
            name=row.name,
            slug=f"{slugify(row.name)[:30] or 'professional'}-{str(row.public_id)[:8]}",
            country=account.country,
            currency=row.price_list.currency,
            time_zone=row.time_zone,
            language=row.language,
            email=row.admin_email,
        )
        ProfessionalTenant.objects.filter(pk=row.pk).update(own=own)
        row.own = own
    tenant.own = row.own


def make_site(tenant: ProfessionalTenant) -> None:
    """His host: the BSS below ``/bss/``, and the storefront."""
    own = own_organization(tenant)
    Site.objects.get_or_create(
        organization=own,
        account=None,
        defaults={
            "name": tenant.name,
            "host": tenant.host,
            "support_email": own.email,
            "has_storefront": tenant.licence == Licence.PREMIUM,
        },
    )


@transaction.atomic
def copy_catalogue(tenant: ProfessionalTenant) -> None:
    """The distributor's types, products, plans and relations, with the price list's prices as cost."""
    apply_catalogue(tenant, Wish())


def invite_administrator(tenant: ProfessionalTenant) -> None:
    """Mail the first administrator his link; once."""
    own = own_organization(tenant)
    staff = Membership.objects.filter(organization=own, account=None)
    if not staff.filter(user__email=tenant.admin_email).exists():
        invite_user(
            system_actor(own.pk, label=tenant.name),
            account=None,
            email=tenant.admin_email,
            first_name=tenant.admin_first_name,
            last_name=tenant.admin_last_name,
            roles=[StaffRole.ADMINISTRATOR.value],
        )


@transaction.atomic
def finish_making(actor: Actor, tenant: ProfessionalTenant) -> None:
    """Everything is made: Active."""
    row = lock_tenant(actor, tenant)
    if row.status == TenantStatus.PREPARING:
        TENANT_MACHINE.fire(row, TenantEvent.SUCCEED, active_at=clock.now(), note="")
        audit.record(actor, "professional.ready", row, account=row.account)


@transaction.atomic
def fail_making(actor: Actor, tenant: ProfessionalTenant, reason: str) -> None:
    """A step failed: staff read why, and try again."""
    row = lock_tenant(actor, tenant)
    if row.status == TenantStatus.PREPARING:
        TENANT_MACHINE.fire(row, TenantEvent.FAIL, note=reason[:500])
        audit.record(actor, "professional.failed", row, reason=reason, account=row.account)


def site_of_tenant(tenant: ProfessionalTenant) -> Site | None:
    """His own site; None before it is made."""
    return Site.objects.filter(organization_id=tenant.own_id, account=None).first() if tenant.own_id else None


def move_site(tenant: ProfessionalTenant, event: SiteEvent, **changes: Any) -> None:
    """Suspend, resume or close his own site: nobody signs in at a site that is not live."""
    site = site_of_tenant(tenant)
    if site is not None and SITE_MACHINE.allows(site.status, event):
        SITE_MACHINE.fire(site, event, **changes)
