"""An instance's settings as the client needs them, with the usual addresses as defaults (``esd.md`` 3 and 10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AUTHORITY = "https://login.microsoftonline.com"
RESOURCES = ("https://esd.channelinclusion.microsoft.com/", "https://sandbox.esd.channelinclusion.microsoft.com/")
SERVICE = "https://sandamericas.channelinclusiontest.microsoft.com/channelinclusionREST.svc/v3_1/"
TENANTS = ("msretailfederation.onmicrosoft.com", "msretailfederationppe.onmicrosoft.com")
PATHS = {
    "catalog_path": "catalog",
    "purchase_path": "purchase",
    "transactions_path": "transactions/{ClientTransactionId}",
    "licenses_path": "licenses/{LicenseId}",
    "return_path": "return",
}
PATH_OF_CALL = {
    "list_catalog": "catalog_path",
    "purchase": "purchase_path",
    "get_transaction": "transactions_path",
    "get_license": "licenses_path",
    "return_license": "return_path",
}
WINDOW_DAYS = 30


@dataclass(frozen=True)
class InstanceSettings:
    """The settings by meaning; ``service_url`` ends with a slash, ``paths`` are the templates by call."""

    resource: str
    service_url: str
    authority: str
    tenant: str
    channel_id: str
    client_id: str
    country: str
    language: str
    window_days: int
    present_certificate: bool
    paths: Mapping[str, str]

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "InstanceSettings":
        """Read the values by field id; an absent option has its usual value."""
        given = {name: str(value).strip() for name, value in values.items() if value is not None}
        days = given.get("return_window_days") or ""
        return cls(
            resource=given.get("resource_api", ""),
            service_url=given.get("service_url", "").rstrip("/") + "/",
            authority=(given.get("authority") or AUTHORITY).rstrip("/"),
            tenant=given.get("tenant", ""),
            channel_id=given.get("channel_id", ""),
            client_id=given.get("client_id", ""),
            country=given.get("country", "").upper(),
            language=given.get("language", ""),
            window_days=int(days) if days.isdecimal() else WINDOW_DAYS,
            present_certificate=given.get("present_certificate", "").lower() in {"true", "1", "on", "yes"},
            paths={call: given.get(field) or PATHS[field] for call, field in PATH_OF_CALL.items()},
        )

    @property
    def token_url(self) -> str:
        """Where the directory gives tokens; also the audience of our assertion."""
        return f"{self.authority}/{self.tenant}/oauth2/token"
