"""Roles and permissions in words: one sentence for each role, and a few words for each permission."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from users.permissions import (
    PAYER_ONLY,
    RESELLER_ONLY,
    STAFF_ROLE_PERMS,
    STOREFRONT_ROLE_PERMS,
    Perm,
    StaffRole,
    StorefrontRole,
)

ROLE_SENTENCES = {
    StaffRole.ADMINISTRATOR.value: _("May do everything, applications, catalogue and employees included."),
    StaffRole.SALES.value: _("Looks after accounts and their services, and enters orders within their credit."),
    StaffRole.BILLING.value: _("Decides on credit, holds accounts, and lets orders go above credit."),
    StaffRole.SUPPORT.value: _("Helps customers: invitations, services, the operations desk, the shop as they see it."),
    StaffRole.READ_ONLY.value: _("Sees everything, the audit log included, and changes nothing."),
    StorefrontRole.ADMIN.value: _("May do everything for the company, and decides who else may."),
    StorefrontRole.BILLING_AGENT.value: _("Keeps the company's data and sees orders and what they cost."),
    StorefrontRole.SUBSCRIPTIONS_MANAGER.value: _(
        "Looks after running services: licences, add-ons, renewal, cancelling."
    ),
    StorefrontRole.BUYER.value: _("Orders, and adds the customers that are ordered for."),
    StorefrontRole.CLOUD_ADMINISTRATOR.value: _("Looks after the vendor's side: its users, and a reseller's MPN ID."),
    StorefrontRole.STOREFRONT_MANAGER.value: _("Looks after a reseller's own shop."),
}
PERM_WORDS = {
    Perm.BSS_VIEW: _("View accounts, orders, services, catalogue"),
    Perm.ACCOUNT_EDIT: _("Edit accounts and contacts; reselling, price list"),
    Perm.ACCOUNT_CREDIT: _("Credit, payment and tax; hold an account"),
    Perm.ACCOUNT_INVITE: _("Invite users, send the invitation again"),
    Perm.ACCOUNT_BILL_TO: _("Bill To; close and reopen an account"),
    Perm.ORDER_MANAGE: _("Enter and cancel orders; execute within credit"),
    Perm.ORDER_EXECUTE_ABOVE_CREDIT: _("Execute orders above credit"),
    Perm.SERVICE_MANAGE: _("Quantity, add-ons, upgrade, renewal, cancel; decide requests"),
    Perm.SERVICE_SUSPEND: _("Suspend and activate services"),
    Perm.COST_VIEW: _("See vendor cost and own margin"),
    Perm.OPERATION_VIEW: _("View the operations desk"),
    Perm.OPERATION_ACT: _("Act on the operations desk"),
    Perm.AUDIT_VIEW: _("Read the audit log"),
    Perm.TERMS_VIEW: _("Read the logs of terms and consent"),
    Perm.CATALOG_MANAGE: _("Products and price lists"),
    Perm.INSTANCE_VIEW: _("View applications"),
    Perm.INSTANCE_MANAGE: _("Set up applications"),
    Perm.CERTIFICATE_MANAGE: _("Upload and retire certificates"),
    Perm.DEFINITION_RUN: _("Pull the vendor's catalogue"),
    Perm.SYSTEM_OPTIONS: _("System options"),
    Perm.WEBHOOK_MANAGE: _("Webhooks"),
    Perm.PROFESSIONAL: _("Make resellers Professional, transfer their customers"),
    Perm.STAFF_MANAGE: _("Employees and their roles"),
    Perm.MAIL_VIEW: _("Read outgoing mail"),
    Perm.VIEW_AS: _("Open the storefront as an account (read-only)"),
    Perm.TOKEN_REVEAL: _("Show the key of a licence"),
    Perm.PRICE_EDIT: _("Set the price of a running service"),
    Perm.SHOP_VIEW: _("Catalogue, own details"),
    Perm.SHOP_PRICES_VIEW: _("See prices"),
    Perm.SHOP_ORDER: _("Order"),
    Perm.SHOP_ORDERS_VIEW: _("View orders"),
    Perm.SHOP_SERVICES_VIEW: _("View services and their history"),
    Perm.SHOP_SERVICES_MANAGE: _("Licences, add-ons, upgrade, renewal, cancel"),
    Perm.SHOP_TOKEN_REVEAL: _("Show the key of a licence"),
    Perm.SHOP_COMPANY_EDIT: _("Company data, billing address"),
    Perm.SHOP_CUSTOMER_CREATE: _("Create end customers and affiliate accounts"),
    Perm.SHOP_CUSTOMERS_VIEW: _("View customers"),
    Perm.SHOP_MPN: _("MPN ID"),
    Perm.SHOP_COST_VIEW: _("See purchase cost and margin"),
    Perm.SHOP_USERS_MANAGE: _("Users and roles"),
    Perm.SHOP_WORKSPACE: _("The vendor's users"),
    Perm.SHOP_SITE_MANAGE: _("Site settings, mail, texts"),
    Perm.SHOP_LISTING: _("Listing and selling prices of the own shop"),
    Perm.SHOP_REGISTRATIONS: _("Decide registrations"),
    Perm.SHOP_APPROVE: _("Decide customers' orders"),
    Perm.SHOP_APPROVAL_SWITCH: _("Which customers' orders need approval"),
    Perm.SHOP_PLAN_ORDER: _("Reseller plan and storefront alias"),
    Perm.SHOP_API: _("API credentials"),
    Perm.SHOP_WEBHOOKS: _("Webhooks"),
}


@dataclass(frozen=True)
class Row:
    """One permission: its words, who has it by role (in the order of the roles), and for whom it exists."""

    words: str
    has: list[bool]
    gate: str = ""


def staff_matrix() -> list[Row]:
    """Permissions of the BSS by role."""
    return [_row(perm, STAFF_ROLE_PERMS, StaffRole.values) for perm in Perm if not perm.value.startswith("shop_")]


def storefront_matrix() -> list[Row]:
    """Permissions of the storefront by role; some exist for resellers only, some for who pays himself."""
    return [_row(perm, STOREFRONT_ROLE_PERMS, StorefrontRole.values) for perm in Perm if perm.value.startswith("shop_")]


def _row(perm: Perm, table: dict[str, frozenset[str]], roles: list[str]) -> Row:
    gate = _("resellers") if perm in RESELLER_ONLY else _("accounts that pay") if perm in PAYER_ONLY else _("all")
    return Row(str(PERM_WORDS.get(perm, perm.value)), [perm in table.get(role, ()) for role in roles], str(gate))
