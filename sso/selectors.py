"""Reads of registrations and consent."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef

from core.tenancy import Actor, TenantQuerySet
from orders.models import TermsAcceptance
from resellers.editions import Capability, has_capability
from resellers.enums import AccountKind, SiteStatus
from resellers.models import Account, Membership, Site
from resellers.routing import site_of_reseller
from sso.enums import RegistrationState
from sso.models import ConsentEntry, Registration
from users.permissions import Perm


def may_register(site: Site | None) -> bool:
    """Whether strangers may register at a site now.

    A reseller's needs the edition for it, the organization's own also anonymous access (``channel.md`` 4.5).
    """
    if site is None or not (site.self_registration and site.has_storefront) or site.status != SiteStatus.LIVE:
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


def first_users(actor: Actor) -> TenantQuerySet[Membership]:
    """People a reseller let in at end customers of his where nobody can sign in yet."""
    here = Membership.objects.filter(account=OuterRef("account"), user__is_active=True)
    ready = here.exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
    rows = Membership.objects.visible_to(actor).filter(account__kind=AccountKind.END_CUSTOMER)
    return rows.filter(~Exists(ready), account__bill_to=actor.account_id or 0)


def lacks_site(account: Account) -> bool:
    """Whether the people of an end customer cannot sign in anywhere: his reseller has no storefront."""
    if account.kind != AccountKind.END_CUSTOMER or account.bill_to_id is None:
        return False
    site = site_of_reseller(account.bill_to_id)
    return site is None or site.status == SiteStatus.CLOSED


def own_site(actor: Actor) -> Site | None:
    """The site of the reseller for whom a customer acts."""
    return site_of_reseller(actor.account_id) if actor.sells and actor.account_id else None
