"""Settings of a vendor instance that talks to the twins: the demo and the tests use the very same."""

from collections.abc import Mapping
from typing import Any


def microsoft_settings(credentials: Mapping[str, Any], url: str, tls_url: str) -> dict[str, Any]:
    """Values of the Microsoft instance's setting fields for the twin at ``url`` (http) and ``tls_url`` (https)."""
    return {
        "environment": "primary",
        "cloud": "global",
        "partner_type": "indirect",
        "partner_tenant": credentials["tenant_id"],
        "application_id": credentials["client_id"],
        "application_key": credentials["client_secret"],
        "api_url": f"{url}/partner-center",
        "login_url": f"{tls_url}/login",
        "sales_url": f"{url}/partner-center/sales/v1.0",
        "markets": ["DE"],
        "currencies": ["EUR"],
        "language": "en-US",
        "segments": ["commercial"],
        "families": ["microsoft_365", "dynamics"],
        "attestation": True,
    }
