"""Accounts on the wire (``api.md`` 3.3, 6, 10.4): a reseller reads his own and those billed to him."""

import uuid
import zlib
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q, QuerySet

from api.bodies import Body
from api.fields import Column, Columns, truth
from api.wire import moment
from resellers.countries import COUNTRIES
from resellers.enums import AccountKind, AccountStatus

_COUNTRY_NAMES = {code: str(name) for code, name in COUNTRIES}


def _staff(name: str, kind: str = "text", path: str = "", **more: Any) -> Column:
    return Column(name, kind, path, staff=True, **more)


COLUMNS = Columns(
    (
        Column("id", "integer", "pk"),
        Column("name", "text", "name", orders=True),
        Column("code", "text", "accounting_number", orders=True),
        Column("phone", "text", "phone"),
        Column("fax"),
        Column("website", "text", "website"),
        Column("email", "text", "email", orders=True),
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
        Column("tradingName"),
        Column("businessActivity"),
        Column("integrationId"),
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
    "website",
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
        "fax": None,
        "website": row["website"] or None,
        "currency": row["currency"] or None,
        "transactionCurrency": row["currency"] or None,
        "registrationNumber": row["tax_id"] or None,
        "tradingName": None,
        "businessActivity": None,
        "integrationId": None,
    }
    if not staff:
        return found
    return found | {
        "orderingEnabled": row["status"] == AccountStatus.ACTIVE,
        "separateInvoices": False,
        "taxable": row["is_taxable"],
        "creditLimit": row["credit_limit"],
        "autoInvoiceNotification": False,
        "noteType": "Invoice",
        "resellingEnabled": row["kind"] == AccountKind.RESELLER,
        "isBackordering": row["kind"] == AccountKind.MANAGED_COPY,
        "isNetworkReseller": False,
        "isBillingFrequencyEnabled": False,
        "billingFrequencyMarkup": 0,
    }


def country_id(code: str) -> int:
    """A country's number: made of its two letters, so that it never changes with the list."""
    return (ord(code[0]) - 64) * 100 + ord(code[1]) - 64


def address(row: Mapping[str, Any], *, staff: bool) -> dict[str, Any]:
    """The billing address; a state is free text here, its number is made of the text."""
    code, state = row["country"], row["state"]
    found = {
        "id": uuid.uuid5(row["public_id"], "billing"),
        "address": row["address_line1"] or None,
        "address2": row["address_line2"] or None,
        "city": row["city"] or None,
        "postCode": row["postal_code"] or None,
        "country": {"id": country_id(code), "name": _COUNTRY_NAMES.get(code, code), "code": code} if code else None,
        "state": {"id": zlib.crc32(state.encode()) >> 1, "name": state, "code": None} if state else None,
    }
    return found | {"createdAt": moment(row["created_at"]), "updatedAt": moment(row["updated_at"])} if staff else found


def include_address(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the billing address; it is read with the row."""
    for row, item in zip(rows, objects, strict=True):
        item["billingAddress"] = address(row, staff=not view.caller.is_reseller)


def read_new(body: Any, *, staff: bool) -> tuple[dict[str, Any], Any]:
    """The values of a new account, and the entries of its custom fields or None."""
    taken = ("name", "phone", "email", "billingAddress", "customFields", "isAffiliate")
    found = Body(body, taken=(*taken, "resellingEnabled") if staff else taken)
    values: dict[str, Any] = {
        "name": found.text("name", required=True, longest=100),
        "phone": found.text("phone", longest=40),
        "email": found.text("email", longest=254),
        "is_affiliate": bool(found.flag("isAffiliate", required=False)),
        "resells": bool(found.flag("resellingEnabled", required=False)),
    }
    if values["email"] and not _is_address(values["email"]):
        raise found.wrong("email", "This is no e-mail address.", "invalid_email")
    place = found.given("billingAddress", required=False)
    if place is not None:
        names = ("address", "address2", "city", "postCode", "countryId", "stateId")
        part = Body(place, taken=names, pointer="/billingAddress")
        codes = {country_id(code): code for code, _name in COUNTRIES}
        number = part.whole("countryId") or 0
        if number not in codes:
            raise part.wrong("countryId", "There is no country with this id.", "invalid_option")
        if part.has("stateId") and part.given("stateId", required=False) is not None:
            raise part.wrong("stateId", "States have no list here; leave it out.", "invalid_option")
        values |= {
            "address_line1": part.text("address", longest=200),
            "address_line2": part.text("address2", longest=200),
            "city": part.text("city", longest=100),
            "postal_code": part.text("postCode", longest=20),
            "country": codes[number],
        }
    return values, found.given("customFields", required=False)


def kind_of_new(values: Mapping[str, Any], *, is_reseller: bool) -> AccountKind:
    """Which kind of account a caller makes."""
    if values["is_affiliate"]:
        return AccountKind.AFFILIATE
    if is_reseller:
        return AccountKind.END_CUSTOMER
    return AccountKind.RESELLER if values["resells"] else AccountKind.DIRECT


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
