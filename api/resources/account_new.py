"""The body that makes an account (``api.md`` 10.4): a reseller's customer, or any account of the organization."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.bodies import Body, Faults
from api.resources.account_patch import amount, is_email, is_same, note_type
from api.resources.accounts import ALWAYS, country_id
from resellers.countries import COUNTRIES
from resellers.enums import AccountKind

EVERYBODY = ("name", "phone", "email", "billingAddress", "customFields", "isAffiliate")
# The Bill To is named as in an order's body; the contract's accounts have no member for it.
STAFF = (
    "billingToId", "creditLimit", "noteType", "orderingEnabled", "resellingEnabled", "taxable",
    "autoInvoiceNotification", "billingFrequencyMarkup", "isBillingFrequencyEnabled", "separateInvoices",
)  # fmt: skip
FLAGS = {"taxable": "is_taxable", "orderingEnabled": "may_order"}
PLACE = ("address", "address2", "city", "postCode", "countryId", "stateId")
_CODES = {country_id(code): code for code, _name in COUNTRIES}
# The members behind what the services blame.
POINTERS: Mapping[str, str] = {
    "accounting_number": "/code",
    "address_line1": "/billingAddress/address",
    "address_line2": "/billingAddress/address2",
    "bill_to": "/billingToId",
    "city": "/billingAddress/city",
    "country": "/billingAddress/countryId",
    "credit_limit": "/creditLimit",
    "postal_code": "/billingAddress/postCode",
    "state": "/billingAddress/stateId",
    "tax_exempt_reason": "/taxable",
}


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What a body asks for: company data, what is set by rights of its own, the Bill To's id, and its custom fields."""

    kind: AccountKind
    values: Mapping[str, Any]
    terms: Mapping[str, Any]
    bill_to_id: int | None
    custom_fields: Any


def read_new(value: Any, *, staff: bool, faults: Faults) -> NewAccount:
    """The account that a body describes; what is wrong with it is kept in ``faults``."""
    body = Body(value, taken=(*EVERYBODY, *STAFF) if staff else EVERYBODY, faults=faults)
    values = {
        "name": body.text("name", required=True, longest=100),
        "phone": body.text("phone", longest=40),
        "email": body.text("email", longest=254),
    }
    if values["email"] and not is_email(values["email"]):
        body.fault("email", "This is no e-mail address.", "invalid_email")
    place = body.given("billingAddress", required=False)
    if place is not None:
        values |= _place(place, faults)
    payer = body.whole("billingToId", required=False)
    return NewAccount(
        kind=_kind(body, payer, staff=staff),
        values=values,
        terms=_terms(body, faults),
        bill_to_id=payer,
        custom_fields=body.given("customFields", required=False),
    )


def _place(value: Any, faults: Faults) -> dict[str, str]:
    part = Body(value, taken=PLACE, pointer="/billingAddress", faults=faults)
    number = part.whole("countryId")
    if number is not None and number not in _CODES:
        part.fault("countryId", "There is no country with this id.", "invalid_option")
    if part.given("stateId", required=False) is not None:
        part.fault("stateId", "There is no list of states; leave it out.", "invalid_option")
    return {
        "address_line1": part.text("address", longest=200),
        "address_line2": part.text("address2", longest=200),
        "city": part.text("city", longest=100),
        "postal_code": part.text("postCode", longest=20),
        "country": _CODES.get(number or 0, ""),
    }


def _kind(body: Body, payer: int | None, *, staff: bool) -> AccountKind:
    """Which kind of account it is; faults of the distributor's members that say different kinds."""
    is_affiliate, resells = body.flag("isAffiliate", required=False), body.flag("resellingEnabled", required=False)
    if not staff:
        return AccountKind.AFFILIATE if is_affiliate else AccountKind.END_CUSTOMER
    if is_affiliate and resells:
        body.fault("resellingEnabled", "An affiliate account does not resell; leave it out.", "invalid_option")
    if is_affiliate and payer is None:
        message = "An affiliate account is billed to a reseller: send the id of his account as 'billingToId'."
        body.fault("billingToId", message, "required")
    if resells and payer is not None:
        body.fault("billingToId", "A reseller is billed to nobody else; leave it out.", "invalid_option")
    if is_affiliate:
        return AccountKind.AFFILIATE
    if resells:
        return AccountKind.RESELLER
    return AccountKind.DIRECT if payer is None else AccountKind.END_CUSTOMER


def _terms(body: Body, faults: Faults) -> dict[str, Any]:
    """What the distributor agrees with the account; of what is the same for every account, that alone is taken."""
    found: dict[str, Any] = {}
    for name, column in FLAGS.items():
        value = body.flag(name, required=False)
        if value is not None:
            found[column] = value
    for name, column, read in (("creditLimit", "credit_limit", amount), ("noteType", "note_type", note_type)):
        value = body.given(name, required=False)
        if value is not None:
            with faults.part():
                found[column] = read(value, f"/{name}")
    for name, always in ALWAYS.items():
        value = body.given(name, required=False)
        if value is not None and not is_same(always, value):
            shown = str(always).lower() if isinstance(always, bool) else always
            body.fault(name, f"'{name}' is {shown} for every account here.", "member_not_allowed")
    return found
