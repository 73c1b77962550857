"""Codes and names of products as both sides spell them: our product codes, Microsoft's offer ids, our marks."""

import re


def strip_tag(name: str) -> str:
    """A friendly name without our mark, as screens show it."""
    return re.sub(r" \[[0-9a-f]{8}\]$", "", name)


def is_legacy(code: str) -> bool:
    """Whether a product code is a legacy offer id, which is itself the catalogue item."""
    return ":" not in code


def split_code(code: str) -> tuple[str, str]:
    """Product id and SKU id of a product code."""
    product, _, sku = code.partition(":")
    return product, sku.partition(":")[0]


def same_item(code: str, offer_id: str) -> bool:
    """Whether an offer id of an order or subscription (``P:S:A`` or a legacy id) is this product."""
    if is_legacy(code):
        return offer_id.lower() == code.lower()
    return offer_id.lower().split(":")[:2] == [part.lower() for part in split_code(code)]


def code_of(offer_id: str) -> str:
    """The product code of an offer id or catalogue item: ``P:S`` of ``P:S:A``, a legacy offer id as it is."""
    return ":".join(offer_id.split(":")[:2])
