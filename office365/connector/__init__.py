"""Microsoft Cloud Services through Partner Center, as the port wants it.

The verbs are grouped by subject, one module each; this class puts them together. The connector keeps nothing between
two calls but tokens and the rules of countries: everything that must survive is in the context's steps and secrets.
"""

from office365.connector.accounts import AccountVerbs
from office365.connector.assets import AssetVerbs
from office365.connector.catalogue import CatalogueVerbs
from office365.connector.partner import PartnerVerbs
from office365.connector.settings import SettingsVerbs
from office365.connector.upgrades import UpgradeVerbs


class Office365Connector(SettingsVerbs, CatalogueVerbs, AccountVerbs, AssetVerbs, PartnerVerbs, UpgradeVerbs):
    """The connector of the application *Microsoft Cloud Services*."""

    code = "microsoft_cloud"
    name = "Microsoft Cloud Services"
    verbs = frozenset(
        {
            "describe_settings",
            "validate_settings",
            "test_connection",
            "consent_start",
            "consent_finish",
            "service_definition",
            "price_sheet",
            "account_options",
            "account_exists",
            "account_sync",
            "check_domain",
            "check_address",
            "check_partner_id",
            "uses_partner_id",
            "agreement_status",
            "agreement_link",
            "agreement_accept",
            "relationship_link",
            "relationship_status",
            "precheck",
            "create",
            "change",
            "stamp",
            "suspend",
            "activate",
            "cancel",
            "upgrade",
            "upgrade_options",
            "asset_create",
            "asset_status",
            "asset_cancel",
            "lookup",
            "read_state",
            "console_link",
        }
    )


__all__ = ["Office365Connector"]
