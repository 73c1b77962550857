"""Accounts on the wire (``api.md`` 3.3, 6, 10.4): a reseller reads his own and those billed to him."""

import uuid
import zlib
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q, QuerySet

from api.fields import Column, Columns, null_if_empty, truth
from api.wire import moment
from core.tenancy import Actor
from resellers.countries import COUNTRIES
from resellers.enums import AccountKind, AccountStatus, NoteType
from resellers.selectors import accounts_for

# What is the same for every account here: read, and taken if it is sent so.
ALWAYS: Mapping[str, Any] = {
    "separateInvoices": False,
    "autoInvoiceNotification": False,
    "isBillingFrequencyEnabled": False,
    "billingFrequencyMarkup": 0,
}
NOTES = {NoteType.INVOICE: "Invoice", NoteType.RECEIPT: "Receipt"}
_COUNTRY_NAMES = {code: str(name) for code, name in COUNTRIES}


def _staff(name: str, kind: str = "text", path: str = "", **more: Any) -> Column:
    return Column(name, kind, path, staff=True, **more)


COLUMNS = Columns(
    (
        Column("id", "integer", "pk"),
        Column("name", "text", "name", orders=True),
        Column("code", "text", "told_code", expression=null_if_empty("accounting_number"), orders=True, nullable=True),
        Column("phone", "text", "phone"),
        Column("fax", "text", "fax"),
        Column("website", "text", "website"),
        Column("email", "text", "told_email", expression=null_if_empty("email"), orders=True, nullable=True),
        _staff("folder"),
        _staff("orderingEnabled", "bool", "may_order", expression=truth(Q(status=AccountStatus.ACTIVE))),
        _staff("billToAccountId", "integer", "bill_to_id", nullable=True),
        _staff("billToAccountName", "text", "bill_to__name", nullable=True),
        _staff("separateInvoices", "bool", always=False),
        _staff("isBackordering", "bool", "managed_copy", expression=truth(Q(kind=AccountKind.MANAGED_COPY))),
        _staff("isNetworkReseller", "bool", always=False),
        Column("isAffiliate", "bool", "affiliate", expression=truth(Q(kind=AccountKind.AFFILIATE))),
        Column("currency", "text", "currency"),
        Column("transactionCurrency", "text", "currency"),
        _staff("taxable", "bool", "is_taxable"),
        _staff("creditLimit", "number", "credit_limit", orders=True),
        _staff("paymentMethod", "text", "payment_method"),
        Column("registrationNumber", "text", "tax_id"),
        _staff("autoInvoiceNotification", "bool", always=False),
        _staff("resellingEnabled", "bool", "may_resell", expression=truth(Q(kind=AccountKind.RESELLER))),
        _staff("typeId", "integer"),
        _staff("industryId", "integer"),
        _staff("leadSourceId", "integer"),
        Column("tradingName", "text", "trading_name"),
        Column("businessActivity", "text", "business_activity"),
        Column("integrationId", "text", "integration_key"),
        Column("createdAt", "moment", "created_at", orders=True),
        Column("updatedAt", "moment", "updated_at", orders=True),
    ),
    default_order=("name", False),
)
_READ = (
    "pk",
    "public_id",
    "kind",
    "status",
    "name",
    "accounting_number",
    "phone",
    "email",
    "fax",
    "website",
    "trading_name",
    "business_activity",
    "integration_key",
    "note_type",
    "currency",
    "tax_id",
    "is_taxable",
    "credit_limit",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "created_at",
    "updated_at",
)


def account_rows(actor: Actor, *, staff: bool) -> QuerySet[Any]:
    """Accounts the caller may see, each with the key his side's programs gave it."""
    key = F("integration_id" if staff else "reseller_integration_id")
    return accounts_for(actor).select_related(None).annotate(integration_key=key)


def read(rows: QuerySet[Any], part: slice, *more: str) -> list[dict[str, Any]]:
    """A part of the rows as values."""
    return list(rows.values(*_READ, *more)[part])


def account(row: Mapping[str, Any], *, staff: bool) -> dict[str, Any]:
    """An account; what the organization agreed with it goes to its own programs alone."""
    found = {
        "id": row["pk"],
        "name": row["name"],
        "phone": row["phone"] or None,
        "email": row["email"] or None,
        "createdAt": moment(row["created_at"]),
        "updatedAt": moment(row["updated_at"]),
        "isAffiliate": row["kind"] == AccountKind.AFFILIATE,
        "code": row["accounting_number"] or None,
        "fax": row["fax"] or None,
        "website": row["website"] or None,
        "currency": row["currency"] or None,
        "transactionCurrency": row["currency"] or None,
        "registrationNumber": row["tax_id"] or None,
        "tradingName": row["trading_name"] or None,
        "businessActivity": row["business_activity"] or None,
        "integrationId": row["integration_key"] or None,
    }
    if not staff:
        return found
    return found | {
        "orderingEnabled": row["status"] == AccountStatus.ACTIVE,
        "taxable": row["is_taxable"],
        "creditLimit": row["credit_limit"],
        "noteType": NOTES[row["note_type"]],
        "resellingEnabled": row["kind"] == AccountKind.RESELLER,
        "isBackordering": row["kind"] == AccountKind.MANAGED_COPY,
        "isNetworkReseller": False,
        **ALWAYS,
    }


def country_id(code: str) -> int:
    """A country's number: made of its two letters, so that it never changes with the list."""
    return (ord(code[0]) - 64) * 100 + ord(code[1]) - 64


def state_id(text: str) -> int:
    """A state's number: a state is free text, and its number is made of it."""
    return zlib.crc32(text.encode()) >> 1


def address(row: Mapping[str, Any], *, staff: bool) -> dict[str, Any]:
    """The billing address."""
    code, state = row["country"], row["state"]
    found = {
        "id": uuid.uuid5(row["public_id"], "billing"),
        "address": row["address_line1"] or None,
        "address2": row["address_line2"] or None,
        "city": row["city"] or None,
        "postCode": row["postal_code"] or None,
        "country": {"id": country_id(code), "name": _COUNTRY_NAMES.get(code, code), "code": code} if code else None,
        "state": {"id": state_id(state), "name": state, "code": None} if state else None,
    }
    return found | {"createdAt": moment(row["created_at"]), "updatedAt": moment(row["updated_at"])} if staff else found


def include_address(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the billing address; it is read with the row."""
    for row, item in zip(rows, objects, strict=True):
        item["billingAddress"] = address(row, staff=not view.caller.is_reseller)
