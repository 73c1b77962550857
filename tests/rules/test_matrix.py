"""The tables of ``channel.md`` 10.1 and 10.2, row by row, against what the roles really give."""

import pytest

from core import clock
from core.errors import PermissionRefused
from resellers.editions import Capability, require_capability, shop_perms
from resellers.enums import AccountKind, Edition
from resellers.models import Account
from users.permissions import (
    RESELLER_ONLY,
    STAFF_ROLE_PERMS,
    STOREFRONT_ROLE_PERMS,
    Perm,
    StaffRole,
    StorefrontRole,
    storefront_perms,
)

# Sales, Billing, Support, Read-only; the Administrator has every row. Rows of what is not built yet are not here.
STAFF = {
    # View accounts, orders, services, catalogue
    Perm.BSS_VIEW: "Y Y Y Y",
    # Edit accounts, contacts; reselling, price list; upgrade reseller
    Perm.ACCOUNT_EDIT: "Y - - -",
    # Ordering, credit, tax options; hold account
    Perm.ACCOUNT_CREDIT: "- Y - -",
    # Re-send activation, reset password
    Perm.ACCOUNT_INVITE: "Y - Y -",
    # Offers; create, edit, cancel orders; execute within credit
    Perm.ORDER_MANAGE: "Y - - -",
    # Execute above credit
    Perm.ORDER_EXECUTE_ABOVE_CREDIT: "- Y - -",
    # Quantity, add-ons, upgrade, renewal, cancel; decide requests
    Perm.SERVICE_MANAGE: "Y - Y -",
    # Suspend, activate service
    Perm.SERVICE_SUSPEND: "- Y Y -",
    # Edit Pricing Info, refunds
    Perm.PRICE_EDIT: "- Y - -",
    # Vendor cost, own margin
    Perm.COST_VIEW: "Y Y - -",
    # Operations desk: view / act
    Perm.OPERATION_VIEW: "Y - Y Y",
    Perm.OPERATION_ACT: "- - Y -",
    # Open storefront as account (read-only, banner)
    Perm.VIEW_AS: "- - Y -",
    # Terms, consent logs
    Perm.TERMS_VIEW: "- - Y Y",
    # Audit log
    Perm.AUDIT_VIEW: "- - - Y",
    # Bill To change ...; products, price lists, instances, definitions; System Options, users, notifications
    Perm.ACCOUNT_BILL_TO: "- - - -",
    Perm.CATALOG_MANAGE: "- - - -",
    Perm.INSTANCE_VIEW: "- - - -",
    Perm.INSTANCE_MANAGE: "- - - -",
    Perm.DEFINITION_RUN: "- - - -",
    Perm.SYSTEM_OPTIONS: "- - - -",
    Perm.WEBHOOK_MANAGE: "- - - -",
    Perm.PROFESSIONAL: "- - - -",
    Perm.STAFF_MANAGE: "- - - -",
    # esd.md 1
    Perm.CERTIFICATE_MANAGE: "- - - -",
    Perm.TOKEN_REVEAL: "- - Y -",
    # Not in the table, our choice: who helps customers reads what was mailed to them; links in it are hidden.
    Perm.MAIL_VIEW: "- - Y -",
}
STAFF_ROLES = (StaffRole.SALES, StaffRole.BILLING, StaffRole.SUPPORT, StaffRole.READ_ONLY)

# Billing Agent, Subscriptions Manager, Buyer, Cloud Administrator, My Storefront Manager; Admin has every row.
SHOP = {
    # Catalogue, own details, login options, ticket, interest
    Perm.SHOP_VIEW: "Y Y Y Y Y",
    Perm.SHOP_PRICES_VIEW: "Y Y Y Y Y",
    # New order, trial
    Perm.SHOP_ORDER: "- - Y - -",
    # Licences, add-ons, upgrade, cancel, renewal; manage assets, budget alerts
    Perm.SHOP_SERVICES_MANAGE: "- Y - - -",
    # Create end customer, affiliate
    Perm.SHOP_CUSTOMER_CREATE: "- - Y - -",
    # Company data, billing address
    Perm.SHOP_COMPANY_EDIT: "Y - - - -",
    # Orders view, export
    Perm.SHOP_ORDERS_VIEW: "Y Y Y - -",
    # Services, history, consumption view
    Perm.SHOP_SERVICES_VIEW: "- Y - Y -",
    # My Workspace (vendor users)
    Perm.SHOP_WORKSPACE: "- - - Y -",
    # MPN ID, restamp
    Perm.SHOP_MPN: "- - - Y -",
    # Purchase cost, margin
    Perm.SHOP_COST_VIEW: "Y - Y - Y",
    # Site settings, mail, texts
    Perm.SHOP_SITE_MANAGE: "- - - - Y",
    # esd.md 1: the key of a licence
    Perm.SHOP_TOKEN_REVEAL: "- - - - -",
    # Users, roles
    Perm.SHOP_USERS_MANAGE: "- - - - -",
    # Not in the table, our choice: who orders for customers or sets them up at the vendor finds them.
    Perm.SHOP_CUSTOMERS_VIEW: "- - Y Y Y",
    # Decide customers' orders
    Perm.SHOP_APPROVE: "- - Y - -",
    # Registrations, listing, prices
    Perm.SHOP_REGISTRATIONS: "- - - - Y",
    Perm.SHOP_LISTING: "- - - - Y",
    # Approval switch; plan order, alias, API credentials
    Perm.SHOP_APPROVAL_SWITCH: "- - - - -",
    Perm.SHOP_PLAN_ORDER: "- - - - -",
    Perm.SHOP_API: "- - - - -",
    Perm.SHOP_WEBHOOKS: "- - - - -",
}
SHOP_ROLES = (
    StorefrontRole.BILLING_AGENT,
    StorefrontRole.SUBSCRIPTIONS_MANAGER,
    StorefrontRole.BUYER,
    StorefrontRole.CLOUD_ADMINISTRATOR,
    StorefrontRole.STOREFRONT_MANAGER,
)


def row(perm, table, roles) -> str:
    return " ".join("Y" if perm in table[role.value] else "-" for role in roles)


def test_every_permission_is_in_one_table():
    assert set(STAFF) | set(SHOP) == set(Perm)
    assert {*STAFF_ROLES, StaffRole.ADMINISTRATOR} == set(StaffRole)
    assert {*SHOP_ROLES, StorefrontRole.ADMIN} == set(StorefrontRole)


@pytest.mark.parametrize("perm", STAFF)
def test_staff_row(perm):
    assert row(perm, STAFF_ROLE_PERMS, STAFF_ROLES) == STAFF[perm]
    assert perm in STAFF_ROLE_PERMS[StaffRole.ADMINISTRATOR]


@pytest.mark.parametrize("perm", SHOP)
def test_storefront_row(perm):
    assert row(perm, STOREFRONT_ROLE_PERMS, SHOP_ROLES) == SHOP[perm]
    assert perm in STOREFRONT_ROLE_PERMS[StorefrontRole.ADMIN]


def test_no_role_mixes_the_doors():
    assert not any(set(SHOP) & given for given in STAFF_ROLE_PERMS.values())
    assert not any(set(STAFF) & given for given in STOREFRONT_ROLE_PERMS.values())


# channel.md 3.1, as far as rights of people are concerned: what a reseller's Admin has by edition.
BY_EDITION = {
    Perm.SHOP_ORDER: "Y Y Y -",
    Perm.SHOP_CUSTOMER_CREATE: "Y Y Y -",
    Perm.SHOP_SERVICES_MANAGE: "Y Y Y -",
    Perm.SHOP_PLAN_ORDER: "Y Y Y -",
    Perm.SHOP_SITE_MANAGE: "- Y Y -",
    Perm.SHOP_API: "- Y Y -",
    Perm.SHOP_WEBHOOKS: "- - Y -",
    Perm.SHOP_LISTING: "- - Y -",
    Perm.SHOP_REGISTRATIONS: "- - Y -",
    Perm.SHOP_APPROVE: "- - Y -",
    Perm.SHOP_APPROVAL_SWITCH: "- - Y -",
}


def _reseller(edition) -> Account:
    # The time is given, because the business clock would ask the database.
    return Account(kind=AccountKind.RESELLER, edition=edition, created_at=clock.real_now())


@pytest.mark.parametrize("perm", BY_EDITION)
def test_edition_row(perm):
    admins = [_reseller(edition) for edition in Edition.values]
    given = [perm in shop_perms([StorefrontRole.ADMIN], account) for account in admins]
    assert " ".join("Y" if has else "-" for has in given) == BY_EDITION[perm]


def test_my_storefront_manager_rests_without_standard():
    role = [StorefrontRole.STOREFRONT_MANAGER.value]
    for edition in Edition.values:
        given = shop_perms(role, _reseller(edition))
        assert bool(given) == (edition == Edition.STANDARD)


def test_capability_is_refused_with_its_code():
    with pytest.raises(PermissionRefused) as refused:
        require_capability(_reseller(Edition.FREE), Capability.LISTING)
    assert refused.value.code == "edition_required"


def test_gates_and_adding_up():
    both = [StorefrontRole.BUYER.value, StorefrontRole.CLOUD_ADMINISTRATOR.value]
    assert Perm.SHOP_ORDER in storefront_perms(both, sells=True)
    assert Perm.SHOP_MPN in storefront_perms(both, sells=True)
    assert {Perm.SHOP_CUSTOMER_CREATE, Perm.SHOP_MPN, Perm.SHOP_COST_VIEW} <= RESELLER_ONLY
    assert not RESELLER_ONLY & storefront_perms(both, sells=False)
    assert storefront_perms([], sells=True) == frozenset()
