"""Purchases, licences and returns: what is sent for an asset, and what of an answer the platform stores."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from microsoft_esd.mapping.products import Place
from microsoft_esd.schemas.answers import Licence, Line, Link, Transaction
from microsoft_esd.schemas.reading import contract_error
from provisioning.ports import AssetRequest

PURCHASE_ORDER_LENGTH = 11
COMMENT_LENGTH = 250
CODE_LENGTH = 64
URI_LENGTH = 2000
REASONS = {"customer_request": "CustomerRequest", "order_error": "OrderError", "other": "Other"}
LINK_TYPES = ("activation", "download")


def purchase_body(request: AssetRequest, *, transaction_id: str, channel_id: str, place: Place) -> dict[str, Any]:
    """What a purchase sends: one line of one licence, nothing of the customer."""
    return {
        "ClientTransactionId": transaction_id,
        "ChannelId": channel_id,
        "Country": place.country,
        "Language": place.language,
        "Currency": request.currency,
        "PurchaseOrder": request.order_number[-PURCHASE_ORDER_LENGTH:],
        "LineItems": [{"LineNumber": 1, "Sku": sku_of(request), "Quantity": 1}],
    }


def sku_of(request: AssetRequest) -> str:
    """The SKU of the asset's product; empty if the product never came from the catalogue."""
    return str(request.attributes.get("sku") or "")


def return_body(request: AssetRequest, *, transaction_id: str) -> dict[str, Any]:
    """What a return sends; the purchase is named by the id we gave it, as everywhere on this wire."""
    return {
        "ClientTransactionId": transaction_id,
        "OriginalTransactionId": request.origin_id or request.transaction_id,
        "LicenseId": request.external_id,
        "SequenceNumber": "1",
        "ReasonCode": REASONS.get(request.reason, "Other"),
        "Comment": request.comment[:COMMENT_LENGTH],
    }


def single_line(answer: Transaction, request: AssetRequest, transaction_id: str) -> Line:
    """The one licence with one key of a completed purchase; a contract error if the answer is any other."""
    if answer.client_transaction_id.lower() != transaction_id.lower():
        raise contract_error("Transaction.ClientTransactionId", _("is not ours"))
    if len(answer.lines) != 1:
        raise contract_error("Transaction.LineItems", _("does not hold exactly one line"))
    line = answer.lines[0]
    if line.sku and line.sku.lower() != sku_of(request).lower():
        raise contract_error("LineItems[0].Sku", _("is not what was ordered"))
    if not line.license_id:
        raise contract_error("LineItems[0].LicenseId", _("is missing"))
    if len(line.tokens) != 1:
        raise contract_error("LineItems[0].Tokens", _("does not hold exactly one token"))
    if not line.tokens[0].code or len(line.tokens[0].code) > CODE_LENGTH:
        raise contract_error("LineItems[0].Tokens[0].Code", _("is missing or too long"))
    return line


def purchased_data(answer: Transaction, line: Line) -> dict[str, Any]:
    """What the platform stores of a new licence, beside its id and key."""
    return {
        "transaction_id": answer.service_transaction_id,
        "token_status": "activated",
        "return_status": "none",
        "links": [link_data(link) for link in line.links if is_safe(link)],
    }


def is_safe(link: Link) -> bool:
    """Whether a link may be shown: https only, of a known type."""
    starts = link.uri.lower().startswith("https://")
    return starts and len(link.uri) <= URI_LENGTH and link.type in LINK_TYPES


def link_data(link: Link) -> dict[str, Any]:
    """A link as the platform stores it; an end that is not meant is none."""
    ends = link.expiration_date if link.has_expiration_date is not False else None
    return {
        "type": link.type,
        "description": link.description[:255],
        "uri": link.uri,
        "expires_at": iso(ends),
    }


def licence_data(licence: Licence) -> dict[str, Any]:
    """How a licence stands; words nobody told us and moments Microsoft does not tell are left out."""
    data: dict[str, Any] = {
        "returnable_until": iso(licence.returnable_until),
        "redeemed_at": iso(licence.redeemed_at),
        "token_status": licence.token_status,
        "return_status": licence.return_status,
    }
    return {name: value for name, value in data.items() if value and value != "unknown"}


def returned_data(moment: dt.datetime) -> dict[str, Any]:
    """A licence that Microsoft has taken back."""
    return {"token_status": "return_accepted", "return_status": "successful", "returned_at": iso(moment)}


def returnable_until(licence: Licence, request: AssetRequest, window_days: int) -> dt.datetime | None:
    """Until when a licence can be given back: Microsoft's date, else purchase and window; None if never."""
    if licence.returnable_until is not None:
        return licence.returnable_until
    attributes: Mapping[str, Any] = request.attributes
    own = attributes.get("return_window_days")
    days = own if isinstance(own, int) else window_days
    if attributes.get("is_returnable") is False or days == 0:
        return None
    return request.purchased_at + dt.timedelta(days=days)


def iso(moment: dt.datetime | None) -> str | None:
    """A moment as the platform stores it."""
    return moment.isoformat() if moment is not None else None
