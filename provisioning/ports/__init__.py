"""The port between the business and a vendor: plain data, one Protocol, one Context (``service-manager.md`` 16).

A connector knows its vendor's wire and nothing of our models. It receives whole desired states (absolute totals, never
deltas), answers with a :class:`Result`, and raises :class:`VendorError` for everything the vendor or the network did
instead. Money is ``Decimal`` with an ISO 4217 currency; times are aware UTC datetimes; terms and cycles are the
catalogue's words (``P1M``, ``P1Y``, ``P3Y``; ``monthly``, ``annual``, ``triennial``, ``one_time``, ``none``).
"""

from provisioning.ports.catalogue import PlanDef, PriceRow, ProductDef, ProductTypeDef, ServiceDefinition
from provisioning.ports.context import Budget, Connector, Context, Progress, Secrets, Steps
from provisioning.ports.fields import Field, FieldKind
from provisioning.ports.outcomes import Cancelled, CheckResult, ErrorKind, Outcome, Result, VendorError
from provisioning.ports.requests import (
    AccountData,
    AddOnLine,
    Address,
    AgreementAcceptance,
    AssetRequest,
    ClientCertificate,
    Schedule,
    ServiceRequest,
    UpgradeOption,
    UpgradeOrder,
)
from provisioning.ports.usage import UsageBatch, UsageRow

__all__ = [
    "AccountData",
    "AddOnLine",
    "Address",
    "AgreementAcceptance",
    "AssetRequest",
    "Budget",
    "Cancelled",
    "CheckResult",
    "ClientCertificate",
    "Connector",
    "Context",
    "ErrorKind",
    "Field",
    "FieldKind",
    "Outcome",
    "PlanDef",
    "PriceRow",
    "ProductDef",
    "ProductTypeDef",
    "Progress",
    "Result",
    "Schedule",
    "Secrets",
    "ServiceDefinition",
    "ServiceRequest",
    "Steps",
    "UpgradeOption",
    "UpgradeOrder",
    "UsageBatch",
    "UsageRow",
    "VendorError",
]
