"""What a vendor sells: the service definition and its prices."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class PlanDef:
    """One way to buy a product: a term and a billing cycle."""

    term: str
    billing_cycle: str


@dataclass(frozen=True, slots=True)
class ProductDef:
    """A product of a service definition. ``code`` is the vendor's orderable id and the key of later runs."""

    code: str
    name: str
    description: str = ""
    charge_type: str = "recurring_prepaid"  # or recurring_pay_per_use, one_time
    unit: str = ""
    category: str = ""
    min_quantity: int = 1
    max_quantity: int | None = None
    is_addon: bool = False
    is_trial: bool = False
    qualification: str = ""  # "", Education, Nonprofit, GovernmentCommunityCloud
    segment: str = "commercial"
    plans: Sequence[PlanDef] = ()
    parents: Sequence[str] = ()
    upgrades: Sequence[str] = ()
    licence_sku_id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    update_options: frozenset[str] = frozenset({"name"})


@dataclass(frozen=True, slots=True)
class ProductTypeDef:
    """A product type with its products (``service-manager.md`` 13)."""

    id: str
    name: str
    description: str = ""
    derivative: str = "SUBSCRIPTION"  # LICENSE: each unit is an asset
    products: Sequence[ProductDef] = ()
    account_sync: bool = True  # Whether the customer must be known at the vendor before anything is provisioned.
    orderable: bool = True  # Whether the connector provisions what is ordered of it.
    split_quantity: bool = False  # An order of n units becomes n lines of one, each with an operation of its own.
    perpetual: bool = False  # Assets without a key of the vendor's: he names them by an id, staff enter their keys.


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The vendor's price of a plan: ``cost`` is ours per unit and billing cycle, ``retail`` the recommended one."""

    product_code: str
    term: str
    billing_cycle: str
    market: str
    currency: str
    cost: Decimal
    retail: Decimal
    segment: str = "commercial"
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """All the vendor offers through one instance; ``problems`` names products that had to be skipped, and why.

    With ``complete`` False it holds only what changed since ``Context.definition_marker`` was written: what is absent
    stays as it is, and ``discontinued`` names the codes that are no longer sold. ``marker`` is kept once the definition
    was applied and given to the next run. ``prices`` are those the vendor told along, if he has no price sheet.
    """

    product_types: Sequence[ProductTypeDef]
    problems: Sequence[str] = ()
    complete: bool = True
    discontinued: Sequence[str] = ()
    marker: str = ""
    prices: Sequence[PriceRow] = ()
