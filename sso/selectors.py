"""Reads of registrations and consent."""

from core.tenancy import Actor, TenantQuerySet
from orders.models import TermsAcceptance
from resellers.editions import Capability, has_capability
from resellers.enums import SiteStatus
from resellers.models import Site
from sso.enums import RegistrationState
from sso.models import ConsentEntry, Registration
from users.permissions import Perm


def may_register(site: Site | None) -> bool:
    """Whether strangers may register at a site now.

    A reseller's needs the edition for it, the organization's own also anonymous access (``channel.md`` 4.5).
    """
    if site is None or not site.self_registration or site.status != SiteStatus.LIVE:
        return False
    if site.account is None:
        return site.anonymous_access
    return has_capability(site.account.edition, Capability.SELF_REGISTRATION)


def registrations_for(actor: Actor) -> TenantQuerySet[Registration]:
    """The registrations an actor decides: employees those at the organization's storefront, resellers their own.

    Those that never followed the link of their mail show as such; what was erased shows that and when.
    """
    rows = Registration.objects.visible_to(actor).select_related("account", "site")
    if actor.is_staff:
        return rows.filter(reseller=None)
    return rows.filter(reseller_id=actor.account_id) if actor.has(Perm.SHOP_REGISTRATIONS) else rows.none()


def pending_registrations(actor: Actor) -> TenantQuerySet[Registration]:
    """Those that wait for a decision."""
    return registrations_for(actor).filter(state=RegistrationState.PENDING)


def consent_log(actor: Actor) -> TenantQuerySet[ConsentEntry]:
    """Who gave or withdrew which consent, newest first; for employees with the right to read it."""
    if not (actor.is_staff and actor.has(Perm.TERMS_VIEW)):
        return ConsentEntry.objects.none()
    return ConsentEntry.objects.visible_to(actor).select_related("user", "account", "site").order_by("-id")


def terms_log(actor: Actor) -> TenantQuerySet[TermsAcceptance]:
    """Which terms of use were accepted with which order, newest first; for employees with the right to read it."""
    if not (actor.is_staff and actor.has(Perm.TERMS_VIEW)):
        return TermsAcceptance.objects.none()
    rows = TermsAcceptance.objects.visible_to(actor).select_related("order__buyer", "account")
    return rows.order_by("-id")
