"""The BSS's navigation."""

from django.utils.translation import gettext_lazy as _

from sso.selectors import pending_registrations
from subscriptions.asset_selectors import pending_returns
from subscriptions.selectors import desk_operations, pending_requests
from tenants.selectors import is_professional
from ui.nav import Entry, declare
from users.permissions import Perm

ENTRIES = [
    Entry(_("Overview"), "bss:dashboard", "chart", "", Perm.BSS_VIEW),
    Entry(_("Accounts"), "bss:account_list", "building", _("Sales"), Perm.BSS_VIEW),
    Entry(_("Registrations"), "bss:registration_list", "users", _("Sales"), Perm.ACCOUNT_EDIT, pending_registrations),
    Entry(_("Resellers"), "bss:reseller_list", "users", _("Sales"), Perm.BSS_VIEW),
    Entry(
        _("Professional resellers"),
        "bss:professional_list",
        "globe",
        _("Sales"),
        Perm.PROFESSIONAL,
        never=is_professional,
    ),
    Entry(_("Orders"), "bss:order_list", "receipt", _("Sales"), Perm.BSS_VIEW),
    Entry(_("Subscriptions"), "bss:subscription_list", "repeat", _("Sales"), Perm.BSS_VIEW),
    Entry(
        _("Cancellation requests"),
        "bss:request_list",
        "cross-circle",
        _("Sales"),
        Perm.BSS_VIEW,
        pending_requests,
    ),
    Entry(_("Assets"), "bss:asset_list", "key", _("Sales"), Perm.BSS_VIEW),
    Entry(_("Return requests"), "bss:return_list", "arrow-left", _("Sales"), Perm.BSS_VIEW, pending_returns),
    Entry(_("Ledger"), "bss:charge_list", "list", _("Sales"), Perm.BSS_VIEW),
    Entry(_("Products"), "bss:product_list", "box", _("Catalogue"), Perm.BSS_VIEW),
    Entry(_("Product types"), "bss:type_list", "grid", _("Catalogue"), Perm.CATALOG_MANAGE),
    Entry(_("Price lists"), "bss:price_list_list", "tag", _("Catalogue"), Perm.BSS_VIEW),
    Entry(_("Catalogue update"), "bss:update_list", "sync", _("Catalogue"), Perm.CATALOG_MANAGE, only=is_professional),
    Entry(
        _("Operations desk"), "bss:operation_list", "lifebuoy", _("Operations"), Perm.OPERATION_VIEW, desk_operations
    ),
    Entry(_("MPN ID changes"), "bss:stamp_list", "sync", _("Operations"), Perm.BSS_VIEW),
    Entry(_("Background jobs"), "bss:job_list", "clock", _("Operations"), Perm.BSS_VIEW),
    Entry(_("Outgoing mail"), "bss:mail_list", "mail", _("Operations"), Perm.MAIL_VIEW),
    Entry(_("Audit log"), "bss:audit_list", "shield", _("Operations"), Perm.AUDIT_VIEW),
    Entry(_("Terms of use logs"), "bss:terms_log", "receipt", _("Operations"), Perm.TERMS_VIEW),
    Entry(_("Consent log"), "bss:consent_log", "check-circle", _("Operations"), Perm.TERMS_VIEW),
    Entry(_("Applications setup"), "bss:instance_list", "plug", _("Setup"), Perm.INSTANCE_VIEW),
    Entry(_("Certificates"), "bss:certificate_list", "shield", _("Setup"), Perm.CERTIFICATE_MANAGE),
    Entry(_("Look and feel"), "bss:design", "star", _("Setup"), Perm.SYSTEM_OPTIONS),
    Entry(_("Employees"), "bss:staff_list", "users", _("Setup"), Perm.STAFF_MANAGE),
    Entry(_("Permission rules"), "bss:rule_list", "lock", _("Setup"), Perm.STAFF_MANAGE),
    Entry(_("Custom fields"), "bss:field_list", "list", _("Setup"), Perm.SYSTEM_OPTIONS),
    Entry(_("API clients"), "bss:api_client_list", "plug", _("Setup"), Perm.SYSTEM_OPTIONS),
    Entry(_("Webhooks"), "bss:webhook_list", "bolt", _("Setup"), Perm.WEBHOOK_MANAGE),
    Entry(_("Roles"), "bss:role_matrix", "key", _("Setup"), Perm.BSS_VIEW),
]


def declare_entries() -> None:
    """Tell the page kit about the rooms."""
    declare("bss", ENTRIES)
