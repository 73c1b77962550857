"""Permissions, roles, and which role gives what (``channel.md`` 10.1 and 10.2, ``service-manager.md`` 2, ``esd.md`` 1).

Assets are services: who may see, change or cancel subscriptions may do so with assets; a licence's key is shown to
fewer.
"""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import perms_of


class Perm(StrEnum):
    """Every permission a service may ask for."""

    # BSS
    BSS_VIEW = "bss_view"
    ACCOUNT_EDIT = "account_edit"
    ACCOUNT_CREDIT = "account_credit"
    ACCOUNT_INVITE = "account_invite"
    ACCOUNT_BILL_TO = "account_bill_to"
    ORDER_MANAGE = "order_manage"
    ORDER_EXECUTE_ABOVE_CREDIT = "order_execute_above_credit"
    SERVICE_MANAGE = "service_manage"
    SERVICE_SUSPEND = "service_suspend"
    PRICE_EDIT = "price_edit"
    COST_VIEW = "cost_view"
    OPERATION_VIEW = "operation_view"
    OPERATION_ACT = "operation_act"
    AUDIT_VIEW = "audit_view"
    TERMS_VIEW = "terms_view"
    CATALOG_MANAGE = "catalog_manage"
    INSTANCE_VIEW = "instance_view"
    INSTANCE_MANAGE = "instance_manage"
    CERTIFICATE_MANAGE = "certificate_manage"
    DEFINITION_RUN = "definition_run"
    SYSTEM_OPTIONS = "system_options"
    PROFESSIONAL = "professional"
    STAFF_MANAGE = "staff_manage"
    MAIL_VIEW = "mail_view"
    VIEW_AS = "view_as"
    WEBHOOK_MANAGE = "webhook_manage"
    TOKEN_REVEAL = "token_reveal"  # noqa: S105 - the permission's name, not a secret
    # Storefront
    SHOP_VIEW = "shop_view"
    SHOP_PRICES_VIEW = "shop_prices_view"
    SHOP_ORDER = "shop_order"
    SHOP_ORDERS_VIEW = "shop_orders_view"
    SHOP_SERVICES_VIEW = "shop_services_view"
    SHOP_SERVICES_MANAGE = "shop_services_manage"
    SHOP_TOKEN_REVEAL = "shop_token_reveal"  # noqa: S105 - the permission's name, not a secret
    SHOP_COMPANY_EDIT = "shop_company_edit"
    SHOP_CUSTOMER_CREATE = "shop_customer_create"
    SHOP_CUSTOMERS_VIEW = "shop_customers_view"
    SHOP_MPN = "shop_mpn"
    SHOP_COST_VIEW = "shop_cost_view"
    SHOP_USERS_MANAGE = "shop_users_manage"
    SHOP_WORKSPACE = "shop_workspace"
    SHOP_SITE_MANAGE = "shop_site_manage"
    SHOP_LISTING = "shop_listing"
    SHOP_REGISTRATIONS = "shop_registrations"
    SHOP_APPROVE = "shop_approve"
    SHOP_APPROVAL_SWITCH = "shop_approval_switch"
    SHOP_PLAN_ORDER = "shop_plan_order"
    SHOP_API = "shop_api"
    SHOP_WEBHOOKS = "shop_webhooks"


class StaffRole(models.TextChoices):
    """Roles of the organization's employees."""

    ADMINISTRATOR = "administrator", _("Administrator")
    SALES = "sales", _("Sales")
    BILLING = "billing", _("Billing")
    SUPPORT = "support", _("Support")
    READ_ONLY = "read_only", _("Read-only")


class StorefrontRole(models.TextChoices):
    """Roles of an account's users."""

    ADMIN = "admin", _("Admin")
    BILLING_AGENT = "billing_agent", _("Billing Agent")
    SUBSCRIPTIONS_MANAGER = "subscriptions_manager", _("Subscriptions Manager")
    BUYER = "buyer", _("Buyer")
    CLOUD_ADMINISTRATOR = "cloud_administrator", _("Cloud Administrator")
    STOREFRONT_MANAGER = "my_storefront_manager", _("My Storefront Manager")


BSS_PERMS = frozenset(perm for perm in Perm if not perm.value.startswith("shop_"))
SHOP_PERMS = frozenset(perm for perm in Perm if perm.value.startswith("shop_"))

STAFF_ROLE_PERMS: dict[str, frozenset[str]] = {
    StaffRole.ADMINISTRATOR.value: frozenset(BSS_PERMS),
    StaffRole.SALES.value: frozenset(
        {
            Perm.BSS_VIEW,
            Perm.ACCOUNT_EDIT,
            Perm.ACCOUNT_INVITE,
            Perm.ORDER_MANAGE,
            Perm.SERVICE_MANAGE,
            Perm.COST_VIEW,
            Perm.OPERATION_VIEW,
        }
    ),
    StaffRole.BILLING.value: frozenset(
        {
            Perm.BSS_VIEW,
            Perm.ACCOUNT_CREDIT,
            Perm.ORDER_EXECUTE_ABOVE_CREDIT,
            Perm.SERVICE_SUSPEND,
            Perm.PRICE_EDIT,
            Perm.COST_VIEW,
        }
    ),
    StaffRole.SUPPORT.value: frozenset(
        {
            Perm.BSS_VIEW,
            Perm.ACCOUNT_INVITE,
            Perm.SERVICE_MANAGE,
            Perm.SERVICE_SUSPEND,
            Perm.OPERATION_VIEW,
            Perm.OPERATION_ACT,
            Perm.MAIL_VIEW,
            Perm.VIEW_AS,
            Perm.TOKEN_REVEAL,
            Perm.TERMS_VIEW,
        }
    ),
    StaffRole.READ_ONLY.value: frozenset({Perm.BSS_VIEW, Perm.OPERATION_VIEW, Perm.AUDIT_VIEW, Perm.TERMS_VIEW}),
}

_EVERYBODY = frozenset({Perm.SHOP_VIEW, Perm.SHOP_PRICES_VIEW})

STOREFRONT_ROLE_PERMS: dict[str, frozenset[str]] = {
    StorefrontRole.ADMIN.value: frozenset(SHOP_PERMS),
    StorefrontRole.BILLING_AGENT.value: _EVERYBODY
    | {Perm.SHOP_COMPANY_EDIT, Perm.SHOP_ORDERS_VIEW, Perm.SHOP_COST_VIEW},
    StorefrontRole.SUBSCRIPTIONS_MANAGER.value: _EVERYBODY
    | {Perm.SHOP_ORDERS_VIEW, Perm.SHOP_SERVICES_VIEW, Perm.SHOP_SERVICES_MANAGE},
    StorefrontRole.BUYER.value: _EVERYBODY
    | {
        Perm.SHOP_ORDER,
        Perm.SHOP_ORDERS_VIEW,
        Perm.SHOP_CUSTOMER_CREATE,
        Perm.SHOP_CUSTOMERS_VIEW,
        Perm.SHOP_COST_VIEW,
        Perm.SHOP_APPROVE,
    },
    StorefrontRole.CLOUD_ADMINISTRATOR.value: _EVERYBODY
    | {Perm.SHOP_SERVICES_VIEW, Perm.SHOP_WORKSPACE, Perm.SHOP_MPN, Perm.SHOP_CUSTOMERS_VIEW},
    StorefrontRole.STOREFRONT_MANAGER.value: _EVERYBODY
    | {
        Perm.SHOP_SITE_MANAGE,
        Perm.SHOP_COST_VIEW,
        Perm.SHOP_LISTING,
        Perm.SHOP_REGISTRATIONS,
        Perm.SHOP_CUSTOMERS_VIEW,
    },
}

# Which of these a reseller really has depends on his edition too (``resellers.editions``).
RESELLER_ONLY = frozenset(
    {
        Perm.SHOP_CUSTOMER_CREATE,
        Perm.SHOP_CUSTOMERS_VIEW,
        Perm.SHOP_MPN,
        Perm.SHOP_COST_VIEW,
        Perm.SHOP_SITE_MANAGE,
        Perm.SHOP_LISTING,
        Perm.SHOP_REGISTRATIONS,
        Perm.SHOP_APPROVE,
        Perm.SHOP_APPROVAL_SWITCH,
        Perm.SHOP_PLAN_ORDER,
        Perm.SHOP_API,
        Perm.SHOP_WEBHOOKS,
    }
)
# The prices of this shop are what the reseller pays, and its credit and services are his to change (``channel.md``
# 10.2, 10.3): licences and add-ons are ordered on his bill. An end customer gets them back, at selling prices, where
# the edition of his reseller says so (``resellers.editions``).
PAYER_ONLY = frozenset({Perm.SHOP_PRICES_VIEW, Perm.SHOP_ORDER, Perm.SHOP_SERVICES_MANAGE})

# What an employee sees who looks at the storefront as a customer: he reads, whatever the customer's user could do.
VIEWING_PERMS = frozenset(
    {
        Perm.SHOP_VIEW,
        Perm.SHOP_PRICES_VIEW,
        Perm.SHOP_ORDERS_VIEW,
        Perm.SHOP_SERVICES_VIEW,
        Perm.SHOP_CUSTOMERS_VIEW,
    }
)


def staff_perms(roles: list[str]) -> frozenset[str]:
    """What an employee with these roles may do."""
    return perms_of(STAFF_ROLE_PERMS, roles)


def storefront_perms(roles: list[str], *, sells: bool, pays: bool = True) -> frozenset[str]:
    """What an account's user with these roles may do.

    Some permissions exist for resellers only, and some not for accounts that somebody else pays for (``pays`` False).
    """
    perms = perms_of(STOREFRONT_ROLE_PERMS, roles)
    if not sells:
        perms -= RESELLER_ONLY
    elif Perm.SHOP_COST_VIEW not in perms:
        perms -= {Perm.SHOP_PRICES_VIEW}  # What a reseller pays here is his purchase cost.
    return perms if pays else perms - PAYER_ONLY


def viewing_perms(*, sells: bool, pays: bool) -> frozenset[str]:
    """What an employee sees who looks at the storefront as an account; never more than one of its Admins sees.

    A reseller's purchase prices are what the distributor charges him, so they are shown; his margin is his own.
    """
    perms = frozenset(str(perm) for perm in VIEWING_PERMS)
    if not sells:
        perms -= RESELLER_ONLY
    return perms if pays else perms - PAYER_ONLY
