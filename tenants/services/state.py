"""The later life of a Professional reseller: options, hold, going live, marked as deleted (``channel.md`` 5.1, 5.2)."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import audit, clock
from core.errors import BusinessError, Conflict
from core.tenancy import Actor, system_actor
from orders.services.giveback import cancel
from resellers.enums import Edition, SiteEvent
from resellers.models import Account, Site
from resellers.routing import site_of_reseller
from resellers.services.sites import KEPT_FOR, close_plan
from subscriptions.models import Subscription
from subscriptions.services.switch import said
from tenants.enums import TENANT_MACHINE, Licence, TenantEvent, TenantStatus
from tenants.models import ProfessionalTenant
from tenants.selectors import accounts_to_move, live_services, subscriptions_to_move
from tenants.services.create import lock_tenant, move_site
from users.permissions import Perm

OPTIONS = ("separate_invoices", "annual_monthly")


@transaction.atomic
def set_options(actor: Actor, *, tenant: ProfessionalTenant, values: Mapping[str, Any]) -> ProfessionalTenant:
    """Change the licence, the switches and, once he is live, whether what he sells is ordered here (``back_ordering``).

    The licence Basic closes his storefront to everybody and Premium opens it again; his BSS stays, and nothing is lost.
    Raises BusinessError ``not_live`` and ``licence_unknown``.
    """
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    names: tuple[str, ...] = (*OPTIONS, "back_ordering")
    before = {name: getattr(row, name) for name in names}
    after = before | {name: bool(values[name]) for name in names if name in values}
    if after["back_ordering"] and row.live_at is None:
        raise BusinessError("not_live", _("Back ordering begins when he goes live."), field="back_ordering")
    if "licence" in values:
        before["licence"], after["licence"] = row.licence, _licence(str(values["licence"]))
        names = (*names, "licence")
    for name, value in after.items():
        setattr(row, name, value)
    row.save(update_fields=[*names, "updated_at"])
    if row.own_id is not None:
        sites = Site.objects.filter(organization_id=row.own_id, account=None)
        sites.update(has_storefront=row.licence == Licence.PREMIUM)
    audit.record(actor, "professional.options", row, before=before, after=after, account=row.account)
    return row


def _licence(given: str) -> str:
    if given not in Licence.values:
        raise BusinessError("licence_unknown", _("Choose a licence."), field="licence")
    return given


@transaction.atomic
def suspend_tenant(actor: Actor, *, tenant: ProfessionalTenant, reason: str) -> ProfessionalTenant:
    """Nobody signs in to his organization and nothing is ordered; services run on."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    reason = said(reason)
    TENANT_MACHINE.fire(row, TenantEvent.SUSPEND, note=reason[:500])
    move_site(row, SiteEvent.SUSPEND)
    audit.record(actor, "professional.suspended", row, reason=reason, account=row.account)
    return row


@transaction.atomic
def activate_tenant(actor: Actor, *, tenant: ProfessionalTenant) -> ProfessionalTenant:
    """He may go on."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    row = lock_tenant(actor, tenant)
    TENANT_MACHINE.fire(row, TenantEvent.ACTIVATE, note="")
    move_site(row, SiteEvent.RESUME)
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
        words = ngettext(
            "%(n)s service still runs there. End it first.", "%(n)s services still run there. End them first.", running
        )
        raise Conflict("services_live", words % {"n": running})
    TENANT_MACHINE.fire(row, TenantEvent.MARK_DELETED, deleted_at=clock.now(), back_ordering=False, note=reason[:500])
    move_site(row, SiteEvent.CLOSE, closed_at=clock.now(), kept_until=clock.now() + KEPT_FOR)
    audit.record(actor, "professional.deleted", row, reason=reason, account=row.account)
    return row


def _become_professional(tenant: ProfessionalTenant) -> tuple[Account, str]:
    """The edition, and the end of the old site and of the plan it came with; returns the former edition too."""
    # Not the key: whoever holds the plan's subscription writes rows that refer to the account, and the plan comes next.
    account = Account.objects.select_for_update(of=("self",), no_key=True).get(pk=tenant.account_id)
    before = account.edition
    site = site_of_reseller(account.pk)
    if site is not None and site.plan_id is not None:
        plan_id = site.plan_id
        close_plan(account.pk, plan_id=plan_id, edition=Edition.PROFESSIONAL)
        _end_plan(tenant, plan_id)
    account.edition = Edition.PROFESSIONAL
    account.save(update_fields=["edition", "updated_at"])
    return account, before


def _end_plan(tenant: ProfessionalTenant, plan_id: uuid.UUID) -> None:
    """The plan's subscription is cancelled, what is left of its period credited; one that cannot be ends by itself."""
    actor = system_actor(tenant.organization_id, label=tenant.name)
    plan = Subscription.objects.filter(organization_id=tenant.organization_id, public_id=plan_id).first()
    if plan is None:
        return
    try:
        with transaction.atomic():
            cancel(actor, subscription=plan, reason=_("Professional"))
    except BusinessError as error:
        audit.record(actor, "professional.plan_left", tenant, reason=str(error.message), account=tenant.account)


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
        words = ngettext(
            "Transfer or close the %(n)s account that is left first.",
            "Transfer or close the %(n)s accounts that are left first.",
            left,
        )
        raise Conflict("accounts_left", words % {"n": left})
    left = subscriptions_to_move(actor, row).count()
    if left and not leave_rest:
        words = ngettext(
            "%(n)s subscription was not transferred. Transfer it, or tick that it stays with us.",
            "%(n)s subscriptions were not transferred. Transfer them, or tick that they stay with us.",
            left,
        )
        raise Conflict("subscriptions_left", words % {"n": left})
    account, before = _become_professional(row)
    row.live_at, row.back_ordering = clock.now(), True
    row.save(update_fields=["live_at", "back_ordering", "updated_at"])
    after = {"edition": account.edition, "left": left}
    audit.record(actor, "professional.live", row, before={"edition": before}, after=after, account=account)
    return row
