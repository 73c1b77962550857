"""The connector of the application *Microsoft ESD*, split by what it is asked for."""

from microsoft_esd.connector.catalogue import CatalogueVerbs
from microsoft_esd.connector.purchase import PurchaseVerbs
from microsoft_esd.connector.returns import ReturnVerbs
from microsoft_esd.connector.settings import SettingsVerbs
from provisioning.ports import AccountData, Context, Field


class EsdConnector(SettingsVerbs, CatalogueVerbs, PurchaseVerbs, ReturnVerbs):
    """Licences that are a key; Microsoft knows no customer accounts here."""

    code = "microsoft_esd"
    name = "Microsoft ESD"
    verbs = frozenset(
        {
            "describe_settings",
            "validate_settings",
            "test_connection",
            "service_definition",
            "asset_create",
            "asset_status",
            "asset_cancel",
        }
    )

    def account_options(self, ctx: Context, account: AccountData) -> list[Field]:
        """Nothing is asked of a customer at checkout."""
        return []


__all__ = ["EsdConnector"]
