"""What a reseller's edition lets him and his customers do (``channel.md`` 3.1): the one matrix for pages, API, tasks.

A right needs both: the role (``users.permissions``) and the edition. Roles that lose their edition stay assigned and
rest.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.utils.translation import gettext as _

from core.errors import PermissionRefused
from resellers.enums import AccountKind, Edition
from resellers.models import Account
from users.permissions import Perm, StorefrontRole, storefront_perms


class Capability(StrEnum):
    """Something that only some editions have."""

    OWN_SITE = "own_site"
    CUSTOM_DOMAIN = "custom_domain"
    CUSTOMERS_VIEW = "customers_view"
    CUSTOMERS_ORDER = "customers_order"
    APPROVAL = "approval"
    LISTING = "listing"
    SELF_REGISTRATION = "self_registration"
    OWN_MAIL = "own_mail"
    API_READ = "api_read"
    API_WRITE = "api_write"
    STOREFRONT_MANAGER = "storefront_manager"


_FREE = frozenset({Capability.OWN_SITE, Capability.CUSTOMERS_VIEW, Capability.OWN_MAIL, Capability.API_READ})

# A Professional reseller works in his own organization; here he is a payer like a Basic one.
CAPABILITIES: dict[str, frozenset[Capability]] = {
    Edition.BASIC.value: frozenset(),
    Edition.FREE.value: _FREE,
    Edition.STANDARD.value: frozenset(Capability),
    Edition.PROFESSIONAL.value: frozenset(),
}

# The plans that are sold, the larger one higher; the product codes of *Reseller Plans* are these editions.
EDITION_RANKS: dict[str, int] = {Edition.FREE.value: 1, Edition.STANDARD.value: 2}

# The rights of a reseller's people that need a capability of his edition besides the role.
RESELLER_GATES: dict[str, Capability] = {
    Perm.SHOP_SITE_MANAGE.value: Capability.OWN_SITE,
    Perm.SHOP_LISTING.value: Capability.LISTING,
    Perm.SHOP_REGISTRATIONS.value: Capability.SELF_REGISTRATION,
    Perm.SHOP_APPROVE.value: Capability.APPROVAL,
    Perm.SHOP_APPROVAL_SWITCH.value: Capability.APPROVAL,
    Perm.SHOP_API.value: Capability.API_READ,
    Perm.SHOP_WEBHOOKS.value: Capability.API_WRITE,
}

# What a Professional reseller's people do in his own organization and no longer here (``channel.md`` 3.1).
MOVED_AWAY = frozenset({Perm.SHOP_ORDER, Perm.SHOP_CUSTOMER_CREATE, Perm.SHOP_SERVICES_MANAGE, Perm.SHOP_PLAN_ORDER})
# What an end customer's people get of what is the payer's elsewhere: the prices are those his reseller sells at.
CUSTOMER_GATES: dict[str, Capability] = {
    Perm.SHOP_PRICES_VIEW.value: Capability.LISTING,
    Perm.SHOP_ORDER.value: Capability.CUSTOMERS_ORDER,
    Perm.SHOP_SERVICES_MANAGE.value: Capability.CUSTOMERS_ORDER,
}


def has_capability(edition: str, capability: Capability) -> bool:
    """Whether this edition has it; no edition has none."""
    return capability in CAPABILITIES.get(edition, frozenset())


def require_capability(reseller: Account, capability: Capability) -> None:
    """Raise PermissionRefused ``edition_required`` unless the reseller's edition has the capability."""
    if not has_capability(reseller.edition, capability):
        raise PermissionRefused("edition_required", _("Your plan does not include this. Choose another reseller plan."))


def shop_perms(roles: Iterable[str], account: Account) -> frozenset[str]:
    """What a user of ``account`` with these roles may do: role and edition together.

    A sub account's people live by the edition of the reseller it is billed to, read along as ``bill_to``.
    """
    chosen = list(roles)
    if account.kind == AccountKind.RESELLER:
        return _reseller_perms([role for role in chosen if not rests(role, account)], account.edition)
    if account.bill_to is None:
        return storefront_perms(chosen, sells=False)
    perms = storefront_perms(chosen, sells=False, pays=False)
    if account.kind != AccountKind.END_CUSTOMER:
        return perms
    every = storefront_perms(chosen, sells=False)
    edition = account.bill_to.edition
    return perms | {
        perm for perm, needed in CUSTOMER_GATES.items() if perm in every and has_capability(edition, needed)
    }


def _reseller_perms(roles: list[str], edition: str) -> frozenset[str]:
    perms = storefront_perms(roles, sells=True)
    if edition == Edition.PROFESSIONAL:
        perms -= MOVED_AWAY
    return frozenset(
        perm for perm in perms if perm not in RESELLER_GATES or has_capability(edition, RESELLER_GATES[perm])
    )


def assignable_roles(account: Account, held: Iterable[str] = ()) -> list[str]:
    """The roles that people of ``account`` can be given, in their order; who has one keeps it, though it may rest."""
    kept = set(held)
    return [role for role in StorefrontRole.values if role in kept or not rests(role, account)]


def rests(role: str, account: Account) -> bool:
    """Whether a role gives people of this account nothing now: My Storefront Manager without the edition for it."""
    if role != StorefrontRole.STOREFRONT_MANAGER:
        return False
    return not has_capability(account.edition, Capability.STOREFRONT_MANAGER)
