"""Products and their prices (``esd.md`` 4): a product is an offer, sold once and by the piece."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from microsoft_esd.mapping.places import WORLDWIDE
from microsoft_esd.schemas.answers import Price, Product
from provisioning.ports import PlanDef, PriceRow, ProductDef, ProductTypeDef

TYPE_ID = "esd"
MOST_AT_ONCE = 50
CODE_LENGTH = 64
NAME_LENGTH = 255
TEXT_LENGTH = 4000
PLANS = (PlanDef("", "one_time"),)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance sells, and in which language it reads."""

    country: str
    language: str


def belongs_here(product: Product, place: Place) -> bool:
    """Whether a product is of the instance's country and language; what it does not tell counts as ours."""
    country = product.country.upper() in {"", place.country}
    asked = place.language.lower()
    return country and (product.language.lower() in {"", asked} or asked == WORLDWIDE.lower())


def product_def(product: Product, place: Place) -> ProductDef:
    """A product of the catalogue as the platform keeps it; attributes are what an order and a return need."""
    least, most = quantities(product)
    uri = product.offer_uri if product.offer_uri.lower().startswith("https://") else ""
    days = product.return_window_days
    attributes: dict[str, Any] = {
        "sku": product.sku,
        "offer_uri": uri,
        "fulfillment_type": product.fulfillment_type,
        "is_returnable": product.return_type != "not_returnable",
        "return_window_days": days if days is None else min(max(days, 0), 365),
        "country": place.country,
        "language": place.language,
        "min_quantity": least,
        "max_quantity": most,
    }
    return ProductDef(
        code=product.offer_id,
        name=product.name[:NAME_LENGTH],
        description=description_of(product, uri, least, most),
        charge_type="one_time",
        min_quantity=least,
        max_quantity=most,
        plans=PLANS,
        attributes=attributes,
    )


def quantities(product: Product) -> tuple[int, int]:
    """The least and the most licences of one order: Microsoft's, within 1 and our own most."""
    most = min(max(product.max_quantity or MOST_AT_ONCE, 1), MOST_AT_ONCE)
    return min(max(product.min_quantity or 1, 1), most), most


def description_of(product: Product, uri: str, least: int, most: int) -> str:
    """Microsoft's text, the offer's address and the quantities that can be ordered."""
    parts = [product.description[:TEXT_LENGTH], uri]
    parts.append(_("Minimum quantity: %(least)s. Maximum quantity: %(most)s.") % {"least": least, "most": most})
    return "\n\n".join(part for part in parts if part)


def price_rows(product: Product, place: Place, now: dt.datetime) -> Iterator[PriceRow]:
    """Cost and recommended price that hold now, one row per currency; a currency that lacks one of them is left out."""
    current: dict[tuple[str, str], Price] = {}
    for price in product.prices:
        key = (price.currency.upper(), price.price_type)
        if is_valid(price, now) and (key not in current or _start(price) >= _start(current[key])):
            current[key] = price
    for currency in dict.fromkeys(name for name, _kind in current):
        cost, retail = current.get((currency, "cost")), current.get((currency, "erp"))
        if cost is None or retail is None:
            continue
        yield PriceRow(
            product_code=product.offer_id,
            term="",
            billing_cycle="one_time",
            market=place.country,
            currency=currency,
            cost=cost.amount,
            retail=retail.amount,
            starts_at=max(filter(None, (cost.valid_from, retail.valid_from)), default=None),
            ends_at=min(filter(None, (cost.valid_to, retail.valid_to)), default=None),
        )


def is_valid(price: Price, now: dt.datetime) -> bool:
    """Whether a price holds now and is one."""
    has_ended = price.valid_to is not None and price.valid_to <= now
    return _start(price) <= now and not has_ended and price.amount >= Decimal(0)


def _start(price: Price) -> dt.datetime:
    return price.valid_from or dt.datetime.min.replace(tzinfo=dt.UTC)


def product_type(products: Iterable[ProductDef]) -> ProductTypeDef:
    """The one product type: each unit is a line and an asset of its own, and Microsoft knows no customer."""
    return ProductTypeDef(
        id=TYPE_ID,
        name="Microsoft ESD",
        description=_("Microsoft licences that are a key, sent by e-mail."),
        derivative="LICENSE",
        products=tuple(products),
        account_sync=False,
        split_quantity=True,
    )
