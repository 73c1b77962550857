"""The later life of a Professional reseller: options, hold, going live, marked as deleted (``channel.md`` 5.1, 5.2)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict
from core.tenancy import Actor
from resellers.enums import Edition, SiteStatus
from resellers.models import Account, Site
from subscriptions.services.switch import said
from tenants.enums import TENANT_MACHINE, TenantEvent, TenantStatus
from tenants.models import ProfessionalTenant
from tenants.selectors import accounts_to_move, live_services, subscriptions_to_move
from tenants.services.create import lock_tenant, set_site
from users.permissions import Perm

OPTIONS = ("separate_invoices", "annual_monthly")


@transaction.atomic
def set_options(actor: Actor, *, tenant: ProfessionalTenant, values: Mapping[str, Any]) -> ProfessionalTenant:
    """Change the switches and, once he is live, whether what he sells is ordered here (``back_ordering``)."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    names = (*OPTIONS, "back_ordering")
    before = {name: getattr(row, name) for name in names}
    after = before | {name: bool(values[name]) for name in names if name in values}
    if after["back_ordering"] and row.live_at is None:
        raise BusinessError("not_live", _("Back ordering begins when he goes live."), field="back_ordering")
    for name, value in after.items():
        setattr(row, name, value)
    row.save(update_fields=[*names, "updated_at"])
    audit.record(actor, "professional.options", row, before=before, after=after, account=row.account)
    return row


@transaction.atomic
def suspend_tenant(actor: Actor, *, tenant: ProfessionalTenant, reason: str) -> ProfessionalTenant:
    """Nobody signs in to his organization and nothing is ordered; services run on."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    reason = said(reason)
    TENANT_MACHINE.fire(row, TenantEvent.SUSPEND, note=reason[:500])
    set_site(row, SiteStatus.SUSPENDED)
    audit.record(actor, "professional.suspended", row, reason=reason, account=row.account)
    return row


@transaction.atomic
def activate_tenant(actor: Actor, *, tenant: ProfessionalTenant) -> ProfessionalTenant:
    """He may go on."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    TENANT_MACHINE.fire(row, TenantEvent.ACTIVATE, note="")
    set_site(row, SiteStatus.LIVE)
    audit.record(actor, "professional.activated", row, account=row.account)
    return row


@transaction.atomic
def mark_deleted(actor: Actor, *, tenant: ProfessionalTenant, reason: str) -> ProfessionalTenant:
    """The end of his organization; refused while a service runs in it."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    reason = said(reason)
    running = live_services(row)
    if running:
        raise Conflict("services_live", _("%(n)s services still run there. End them first.") % {"n": running})
    TENANT_MACHINE.fire(row, TenantEvent.MARK_DELETED, deleted_at=clock.now(), back_ordering=False, note=reason[:500])
    set_site(row, SiteStatus.CLOSED)
    audit.record(actor, "professional.deleted", row, reason=reason, account=row.account)
    return row


@transaction.atomic
def go_live(actor: Actor, *, tenant: ProfessionalTenant, leave_rest: bool = False) -> ProfessionalTenant:
    """The last step: his edition is Professional, his old white-label site closes, back ordering begins.

    Raises Conflict ``accounts_left`` while a customer was not transferred, and ``subscriptions_left`` while a running
    subscription was not, unless ``leave_rest``. Going live twice changes nothing.
    """
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    if row.live_at is not None:
        return row
    if row.status != TenantStatus.ACTIVE:
        raise Conflict("not_active", _("His organization is not active."))
    left = accounts_to_move(actor, row).count()
    if left:
        raise Conflict("accounts_left", _("Transfer or close the %(n)s accounts that are left first.") % {"n": left})
    left = subscriptions_to_move(actor, row).count()
    if left and not leave_rest:
        words = _("%(n)s subscriptions were not transferred. Transfer them, or tick that they stay with us.")
        raise Conflict("subscriptions_left", words % {"n": left})
    account = Account.objects.select_for_update(of=("self",)).get(pk=row.account_id)
    before = account.edition
    account.edition = Edition.PROFESSIONAL
    account.save(update_fields=["edition", "updated_at"])
    Site.objects.filter(account=account).exclude(status=SiteStatus.DELETED).update(status=SiteStatus.CLOSED)
    row.live_at, row.back_ordering = clock.now(), True
    row.save(update_fields=["live_at", "back_ordering", "updated_at"])
    after = {"edition": account.edition, "left": left}
    audit.record(actor, "professional.live", row, before={"edition": before}, after=after, account=account)
    return row
