"""What an application user may do: scopes, the permissions they stand for, and who can have which (``api.md`` 2.3, 6).

A right of the API needs three things: the scope, for a reseller the edition, and for some calls the distributor's
switch. Services are asked with the permissions that the scopes give, so pages and API share one set of rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.db import models
from django.utils.translation import gettext_lazy as _

from users.permissions import Perm


class Scope(models.TextChoices):
    """What a token may be used for."""

    SUBSCRIPTIONS_READ = "subscriptions:read", _("Read subscriptions")
    SUBSCRIPTIONS_WRITE = "subscriptions:write", _("Change subscriptions")
    ORDERS_READ = "orders:read", _("Read orders")
    ORDERS_WRITE = "orders:write", _("Order")
    ACCOUNTS_READ = "accounts:read", _("Read accounts")
    ACCOUNTS_WRITE = "accounts:write", _("Change accounts")
    PRODUCTS_READ = "products:read", _("Read products")
    ASSETS_READ = "assets:read", _("Read assets")
    INVOICES_READ = "invoices:read", _("Read invoices")
    ORGANIZATION_READ = "organization:read", _("Read look-ups of the organization")
    USAGES_READ = "usages:read", _("Read usages")
    PRICING_READ = "pricing:read", _("Read prices of subscriptions")
    COST_READ = "cost:read", _("Read the vendor's cost and margins")
    WEBHOOKS_MANAGE = "webhooks:manage", _("Manage webhooks")


class Switch(StrEnum):
    """What the distributor may open to resellers besides; the field of :class:`clients.models.ApiPolicy`."""

    PRICING = "resellers_pricing"
    SYNCHRONIZATION = "resellers_synchronization"
    USAGES = "resellers_usages"
    CUSTOM_FIELDS = "resellers_custom_fields"


@dataclass(frozen=True, slots=True)
class Right:
    """What a call needs: its scope, whether it writes (Standard edition), and the switch that opens it to resellers.

    ``staff_only`` is never for resellers.
    """

    scope: Scope
    writes: bool = False
    switch: Switch | None = None
    staff_only: bool = False


STAFF_SCOPES = frozenset(Scope)
RESELLER_SCOPES = frozenset(Scope) - {Scope.COST_READ}
WRITE_SCOPES = frozenset({Scope.SUBSCRIPTIONS_WRITE, Scope.ORDERS_WRITE, Scope.ACCOUNTS_WRITE, Scope.WEBHOOKS_MANAGE})

_STAFF_PERMS: dict[str, frozenset[str]] = {
    Scope.SUBSCRIPTIONS_READ.value: frozenset({Perm.OPERATION_VIEW}),
    Scope.SUBSCRIPTIONS_WRITE.value: frozenset({Perm.SERVICE_MANAGE, Perm.OPERATION_ACT}),
    Scope.ORDERS_WRITE.value: frozenset({Perm.ORDER_MANAGE}),
    Scope.ACCOUNTS_WRITE.value: frozenset({Perm.ACCOUNT_EDIT, Perm.ACCOUNT_CREDIT}),
    Scope.COST_READ.value: frozenset({Perm.COST_VIEW}),
    Scope.WEBHOOKS_MANAGE.value: frozenset({Perm.WEBHOOK_MANAGE}),
}
_RESELLER_PERMS: dict[str, frozenset[str]] = {
    Scope.SUBSCRIPTIONS_READ.value: frozenset({Perm.SHOP_SERVICES_VIEW}),
    Scope.ASSETS_READ.value: frozenset({Perm.SHOP_SERVICES_VIEW}),
    Scope.SUBSCRIPTIONS_WRITE.value: frozenset({Perm.SHOP_SERVICES_MANAGE}),
    Scope.ORDERS_READ.value: frozenset({Perm.SHOP_ORDERS_VIEW}),
    Scope.ORDERS_WRITE.value: frozenset({Perm.SHOP_ORDER}),
    Scope.ACCOUNTS_READ.value: frozenset({Perm.SHOP_CUSTOMERS_VIEW}),
    Scope.ACCOUNTS_WRITE.value: frozenset({Perm.SHOP_CUSTOMER_CREATE, Perm.SHOP_COMPANY_EDIT}),
    Scope.WEBHOOKS_MANAGE.value: frozenset({Perm.SHOP_WEBHOOKS}),
}
_ALL_STAFF = frozenset({Perm.BSS_VIEW.value})
# What a reseller pays here is what he reads: his purchase prices, never the vendor's cost.
_ALL_RESELLERS = frozenset({Perm.SHOP_VIEW.value, Perm.SHOP_PRICES_VIEW.value, Perm.SHOP_COST_VIEW.value})


def available_scopes(*, is_reseller: bool) -> frozenset[str]:
    """The scopes an application user of this kind can have."""
    return frozenset(scope.value for scope in (RESELLER_SCOPES if is_reseller else STAFF_SCOPES))


def granted_scopes(chosen: Iterable[str], *, is_reseller: bool) -> frozenset[str]:
    """What an application user has: what was chosen for him, or all he can have if nothing was."""
    available = available_scopes(is_reseller=is_reseller)
    picked = frozenset(chosen)
    return picked & available if picked else available


@lru_cache(maxsize=1000)
def perms_of_scopes(scopes: frozenset[str], *, is_reseller: bool) -> frozenset[str]:
    """The permissions services are asked with, for a token of these scopes."""
    table = _RESELLER_PERMS if is_reseller else _STAFF_PERMS
    found = set(_ALL_RESELLERS if is_reseller else _ALL_STAFF)
    for scope in scopes:
        found |= {str(perm) for perm in table.get(scope, ())}
    return frozenset(found)
