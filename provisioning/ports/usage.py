"""What a vendor tells of usage: plain rows, in batches of one view of one month (``office365.md`` 10)."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used of one thing; amounts are in the batch's currency, before tax.

    ``retail`` is what the vendor's list asks for it, ``cost`` what he asks of us, if he tells that; where he tells one
    amount alone it is ``retail``. ``day`` (his, in UTC) stands in the rows of the view by day only. Rows of resources
    have no quantity. One thing (meter, resource and day, as far as the view has them) stands in a batch once.
    """

    retail: Decimal
    cost: Decimal | None = None
    cost_usd: Decimal | None = None
    quantity: Decimal | None = None
    unit: str = ""
    day: dt.date | None = None
    vendor_subscription_id: str = ""
    category: str = ""
    subcategory: str = ""
    meter_id: str = ""
    meter_name: str = ""
    meter_region: str = ""
    resource_group: str = ""
    resource_name: str = ""
    resource_id: str = ""
    resource_type: str = ""
    location: str = ""
    entitlement_id: str = ""
    entitlement_name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    modified_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class UsageBatch:
    """One view (``day``, ``meter``, ``resource``) of a month, whole, or of some days of it (the end exclusive).

    ``data_until``: the vendor's data reach until then. ``closed``: he changes nothing of the month any more.
    """

    view: str
    currency: str
    rows: Iterable[UsageRow]
    data_until: dt.datetime | None = None
    days: tuple[dt.date, dt.date] | None = None
    closed: bool = False
