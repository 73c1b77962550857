"""The objects of the wire contract (``esd.md`` 10): catalogue, purchases, licences, returns, tokens and errors."""

# ruff: noqa: RUF009 - the functions of ``reading`` declare fields, as ``dataclasses.field`` does.

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from microsoft_esd.schemas.reading import flag, integer, lenient, many, moment, number, text, word

TOKEN_STATUSES = (ACTIVATED, REDEEMED, RETURN_ACCEPTED) = ("activated", "redeemed", "return_accepted")
RETURN_STATUSES = ("none", "successful", "rejected")


@dataclass(frozen=True, slots=True)
class Price:
    """A price of a product: ``cost`` is ours, ``erp`` the recommended one; per unit, valid from and up to a moment."""

    amount: Decimal = number("Amount", required=True)
    currency: str = text("Currency", required=True)
    price_type: str = word("PriceType", ("cost", "erp"), required=True)
    valid_from: dt.datetime | None = moment("ValidFrom")
    valid_to: dt.datetime | None = moment("ValidTo")


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the catalogue, in one country and language. ``offer_id`` is the code it is known by."""

    sku: str = text("Sku", required=True)
    offer_id: str = text("OfferId", required=True)
    name: str = text("Name", required=True)
    description: str = text("Description")
    offer_uri: str = text("OfferUri")
    country: str = text("Country")
    language: str = text("Language")
    fulfillment_type: str = word("FulfillmentType", ("token", "download", "token_and_download"))
    return_type: str = word("ReturnType", ("returnable", "not_returnable"))
    return_window_days: int | None = integer("ReturnWindowDays")
    min_quantity: int | None = integer("MinQuantity")
    max_quantity: int | None = integer("MaxQuantity")
    status: str = word("Status", ("new", "updated", "discontinued", "unchanged"))
    prices: tuple[Price, ...] = many(Price, "Prices")


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """A page of the catalogue; a product that cannot be read stands there as the sentence that says why."""

    version: int = integer("CatalogVersion", required=True)
    page: int | None = integer("Page")
    page_count: int = integer("PageCount", required=True)
    products: tuple[Product | str, ...] = lenient(Product, "Products")


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The catalogue is the one we know (304)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A key; its code shows nowhere."""

    code: str = text("Code", secret=True)
    sequence_number: str = text("SequenceNumber")
    type: str = word("Type", ("product_key", "redemption_token"))
    description: str = text("Description")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a licence is activated or its product downloaded; shows nowhere, since it may hold the key."""

    uri: str = text("Uri", secret=True)
    type: str = word("Type", ("activation", "download"))
    description: str = text("Description")
    expiration_date: dt.datetime | None = moment("ExpirationDate")
    has_expiration_date: bool | None = flag("ExpirationDateSpecified")


@dataclass(frozen=True, slots=True)
class Line:
    """A bought licence with its key and links."""

    sku: str = text("Sku")
    license_id: str = text("LicenseId")
    line_number: int | None = integer("LineNumber")
    tokens: tuple[Token, ...] = many(Token, "Tokens")
    links: tuple[Link, ...] = many(Link, "Links")


@dataclass(frozen=True, slots=True)
class Transaction:
    """What became of a purchase or return under our own id; the last three tell of a return only."""

    client_transaction_id: str = text("ClientTransactionId", required=True)
    state: str = word("State", ("completed", "pending", "rejected"))
    service_transaction_id: str = text("ServiceTransactionId")
    error_code: str = text("ErrorCode")
    lines: tuple[Line, ...] = many(Line, "LineItems")
    retry_after_seconds: Decimal | None = number("RetryAfterSeconds")
    license_id: str = text("LicenseId")
    return_status: str = word("ReturnStatus", RETURN_STATUSES)
    returned_at: dt.datetime | None = moment("ReturnedUtc")


@dataclass(frozen=True, slots=True)
class Licence:
    """How a licence stands."""

    license_id: str = text("LicenseId", required=True)
    token_status: str = word("TokenStatus", TOKEN_STATUSES, required=True)
    sku: str = text("Sku")
    return_status: str = word("ReturnStatus", RETURN_STATUSES)
    redeemed_at: dt.datetime | None = moment("RedeemedUtc")
    returnable_until: dt.datetime | None = moment("ReturnableUntilUtc")
    updated_at: dt.datetime | None = moment("UpdatedUtc")

    @property
    def is_redeemed(self) -> bool:
        """Whether the end customer has used the key."""
        return self.token_status == REDEEMED

    @property
    def is_returned(self) -> bool:
        """Whether Microsoft has taken the licence back."""
        return self.token_status == RETURN_ACCEPTED or self.return_status == "successful"


@dataclass(frozen=True, slots=True)
class Returned:
    """The answer to a return."""

    license_id: str = text("LicenseId", required=True)
    return_status: str = word("ReturnStatus", RETURN_STATUSES, required=True)
    service_transaction_id: str = text("ServiceTransactionId")
    client_transaction_id: str = text("ClientTransactionId")
    returned_at: dt.datetime | None = moment("ReturnedUtc")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of the directory; seconds it lives may come as a text."""

    access_token: str = text("access_token", required=True, secret=True)
    expires_in: Decimal = number("expires_in", required=True)
    token_type: str = text("token_type")
    resource: str = text("resource")


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error of the service; ``code`` is ``""`` where the answer held none."""

    status: int
    code: str = ""
    message: str = ""
    transaction_id: str = ""


@dataclass(frozen=True, slots=True)
class IdentityError:
    """An error of the directory."""

    status: int
    error: str = ""
    description: str = ""
