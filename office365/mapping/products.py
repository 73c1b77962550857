"""Microsoft's catalogue as our products and prices: families, product types, plans (``office365.md`` 6,
``partner-center.md`` 7).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from office365.schemas.catalogue import (
    CYCLE,
    SEGMENT,
    Availability,
    Offer,
    Product,
    Sku,
)
from office365.schemas.common import read_moment
from provisioning.ports import PlanDef, PriceRow, ProductDef, ProductTypeDef


@dataclass(frozen=True)
class Family:
    """A family of products as staff choose it: its product type here and its target views at Microsoft."""

    code: str
    label: str | Promise
    type_id: str
    type_name: str
    views: tuple[str, ...]
    charge_type: str = "recurring_prepaid"
    derivative: str = "SUBSCRIPTION"

    @property
    def is_perpetual(self) -> bool:
        """Whether what is bought are licences without a key, named by an order line."""
        return self.derivative == "LICENSE"

    @property
    def is_orderable(self) -> bool:
        """Whether it can be ordered here: seats, and perpetual licences."""
        return self.charge_type == "recurring_prepaid" or self.is_perpetual


FAMILIES: tuple[Family, ...] = (
    Family(
        "microsoft_365", _("Microsoft 365"), "microsoft_cloud_services", "Microsoft Cloud Services",
        ("OnlineServices",),
    ),
    Family("dynamics", _("Dynamics"), "microsoft_dynamics", "Microsoft Dynamics", ("OnlineServices",)),
    Family(
        "azure_plan", _("Azure plan"), "microsoft_azure", "Microsoft Azure", ("MicrosoftAzure",),
        charge_type="recurring_pay_per_use",
    ),
    Family(
        "azure_legacy", _("Azure (legacy)"), "microsoft_azure", "Microsoft Azure", (),
        charge_type="recurring_pay_per_use",
    ),
    Family(
        "reservations", _("Reservations"), "azure_reserved_instances", "Azure Reserved Instances",
        ("AzureReservations", "AzureReservationsVM", "AzureReservationsSQL", "AzureReservationsCosmosDb"),
        charge_type="one_time", derivative="RESERVEDINSTANCE",
    ),
    Family(
        "software_subscriptions", _("Software subscriptions"), "software_subscriptions", "Software Subscriptions",
        ("Software",),
    ),
    Family(
        "perpetual_software", _("Perpetual software"), "microsoft_perpetual_licenses", "Microsoft Perpetual Licenses",
        ("Software",), charge_type="one_time", derivative="LICENSE",
    ),
)  # fmt: skip
BY_CODE = {family.code: family for family in FAMILIES}
SEGMENTS: tuple[tuple[str, str | Promise], ...] = (
    ("commercial", _("Commercial")),
    ("education", _("Education")),
    ("government", _("Government")),
    ("nonprofit", _("Nonprofit")),
)
QUALIFICATIONS = {
    "education": "Education",
    "nonprofit": "Nonprofit",
    "government": "GovernmentCommunityCloud",
}
MARKETS: dict[str, tuple[str, ...]] = {
    "AT": ("EUR",), "AU": ("AUD",), "BE": ("EUR",), "BG": ("EUR",), "CA": ("CAD",), "CH": ("CHF", "EUR"),
    "CY": ("EUR",), "CZ": ("EUR", "CZK"), "DE": ("EUR",), "DK": ("DKK", "EUR"), "EE": ("EUR",), "ES": ("EUR",),
    "FI": ("EUR",), "FR": ("EUR",), "GB": ("GBP",), "GR": ("EUR",), "HR": ("EUR",), "HU": ("EUR",), "IE": ("EUR",),
    "IN": ("INR",), "IT": ("EUR",), "JP": ("JPY",), "KR": ("KRW",), "LT": ("EUR",), "LU": ("EUR",), "LV": ("EUR",),
    "MT": ("EUR",), "MX": ("USD",), "NL": ("EUR",), "NO": ("NOK", "EUR"), "NZ": ("NZD",), "PL": ("EUR",),
    "PT": ("EUR",), "RO": ("EUR",), "RS": ("EUR",), "SE": ("SEK", "EUR"), "SI": ("EUR",), "SK": ("EUR",),
    "TR": ("USD",), "US": ("USD",), "ZA": ("USD",),
}  # fmt: skip
LOCALES = ("en-US", "en-GB", "de-DE", "el-GR", "es-ES", "fr-FR", "it-IT", "nl-NL", "pl-PL", "pt-PT", "ro-RO")


def family_of(product: Product, view: str, terms: Iterable[str], chosen: Iterable[str]) -> Family | None:
    """The chosen family a product of a target view belongs to, or ``None`` if that family is not chosen."""
    if view == "OnlineServices":
        code = "dynamics" if "dynamics" in product.title.lower() else "microsoft_365"
    elif view == "Software":
        code = "software_subscriptions" if any(terms) else "perpetual_software"
    else:
        code = next((family.code for family in FAMILIES if view in family.views), "")
    return BY_CODE[code] if code in set(chosen) else None


def plans_of(sku: Sku, availabilities: Sequence[Availability]) -> tuple[PlanDef, ...]:
    """The ways to buy a SKU, each once, shortest term first; a perpetual SKU has one plan without a term."""
    found = {
        (term.duration.upper(), str(term.billing_cycle))
        for item in availabilities
        if item.is_purchasable is not False
        for term in item.terms
        if term.billing_cycle and term.billing_cycle != "unknown"
    }
    if not found and any(item.is_purchasable is not False for item in availabilities):
        cycles = [str(CYCLE(name)) for name in sku.supported_billing_cycles] or ["one_time"]
        found = {("", cycle) for cycle in cycles if cycle != "unknown"}
    return tuple(PlanDef(term, cycle) for term, cycle in sorted(found))


@dataclass
class Draft:
    """A product being put together from its markets and segments."""

    definition: ProductDef
    type_id: str
    markets: dict[str, list[str]] = field(default_factory=dict)

    def finished(self) -> ProductDef:
        """The product with its markets and currencies as attributes."""
        return replace(self.definition, attributes={**self.definition.attributes, "markets": self.markets})


def product_def(
    product: Product, sku: Sku, availabilities: Sequence[Availability], family: Family, segment: str
) -> ProductDef:
    """One SKU as a product; ``code`` is ``{productId}:{skuId}``, availability ids are never kept."""
    name = sku.title or product.title or f"{product.id}:{sku.id}"
    return ProductDef(
        code=f"{product.id}:{sku.id}",
        name=name[:255],
        description=sku.description or product.description,
        charge_type=family.charge_type,
        unit="Licenses" if family.charge_type == "recurring_prepaid" else "",
        category=family.type_name,
        min_quantity=max(sku.minimum_quantity or 1, 1),
        max_quantity=sku.maximum_quantity or None,
        is_addon=sku.is_addon,
        is_trial=bool(sku.is_trial),
        qualification=QUALIFICATIONS.get(segment, ""),
        segment=segment,
        plans=(PlanDef("", "one_time"),) if family.is_perpetual else plans_of(sku, availabilities),
        parents=tuple(code for code in sku.prerequisite_skus if ":" in code),
        upgrades=tuple(code for code in sku.upgrade_targets if ":" in code),
        licence_sku_id=sku.provisioning_id,
        attributes={
            "publisher": product.publisher_name,
            "product_type": product.type_id,
            "family": family.code,
            "offer_uri": f"/products/{product.id}/skus/{sku.id}",
            "prerequisites": list(sku.purchase_prerequisites),
        },
    )


def offer_def(offer: Offer, family: Family) -> ProductDef:
    """A legacy offer as a product; ``code`` is the offer's id."""
    usage = offer.billing == "usage"
    cycles = [str(CYCLE(name)) for name in offer.supported_billing_cycles] or ["monthly"]
    qualifications = [name for name in offer.resellee_qualifications if name.lower() != "none"]
    return ProductDef(
        code=offer.id,
        name=offer.name[:255],
        description=offer.description,
        charge_type="recurring_pay_per_use" if usage else "recurring_prepaid",
        unit=offer.unit_type,
        category=offer.category.name if offer.category and offer.category.name else family.type_name,
        min_quantity=max(offer.minimum_quantity or 1, 1),
        max_quantity=offer.maximum_quantity or None,
        is_addon=bool(offer.is_add_on),
        is_trial=bool(offer.is_trial),
        qualification=qualifications[0] if qualifications else "",
        plans=tuple(PlanDef("P1Y", cycle) for cycle in cycles if cycle != "unknown"),
        parents=offer.prerequisite_offers,
        upgrades=offer.upgrade_target_offers,
        licence_sku_id=offer.product.id if offer.product else "",
        attributes={"family": family.code, "offer_uri": offer.uri, "legacy": True},
    )


def product_types(drafts: Iterable[Draft], chosen: Iterable[str]) -> tuple[ProductTypeDef, ...]:
    """Product types of the chosen families with their products, in the order of :data:`FAMILIES`, products by name."""
    wanted = set(chosen)
    types: dict[str, ProductTypeDef] = {}
    rows = list(drafts)
    for family in FAMILIES:
        if family.code not in wanted or family.type_id in types:
            continue
        products = sorted(
            (draft.finished() for draft in rows if draft.type_id == family.type_id),
            key=lambda row: (row.name, row.code),
        )
        types[family.type_id] = ProductTypeDef(
            family.type_id,
            family.type_name,
            derivative=family.derivative,
            products=tuple(products),
            orderable=family.is_orderable,
            perpetual=family.is_perpetual,
        )
    return tuple(types.values())


# --- Prices ---


def price_row(row: Mapping[str, Any], market: str) -> PriceRow | None:
    """A row of a price sheet by column name, or ``None`` for one that is no plain price (higher tiers, no product)."""
    cells = {str(key).strip().lower(): str(value or "").strip() for key, value in row.items()}
    product, sku = cells.get("productid", ""), cells.get("skuid", "")
    try:
        tier = Decimal(cells.get("pricingtierrangemin") or "0")
        cost = Decimal(cells["unitprice"])
        retail = Decimal(cells.get("erp price") or cells.get("erpprice") or cells["unitprice"])
    except (KeyError, InvalidOperation):
        return None
    cycle = CYCLE(cells.get("billingplan"))
    if not product or not sku or tier > 1:
        return None
    term = cells.get("termduration", "").upper()
    segment = SEGMENT(cells.get("segment"))
    return PriceRow(
        product_code=f"{product}:{sku}",
        term="" if term in {"", "NOTERM"} else term,
        billing_cycle="one_time" if cycle in {"", "unknown"} and term in {"", "NOTERM"} else str(cycle),
        market=cells.get("market", "").upper() or market,
        currency=cells.get("currency", "").upper(),
        cost=cost,
        retail=retail,
        segment=str(segment) if segment and segment != "unknown" else "commercial",
        starts_at=read_moment(cells.get("effectivestartdate")),
        ends_at=read_moment(cells.get("effectiveenddate")),
    )


def price_is_current(row: PriceRow, now: dt.datetime) -> bool:
    """Whether a price is in force now."""
    return (row.starts_at is None or row.starts_at <= now) and (row.ends_at is None or row.ends_at > now)
