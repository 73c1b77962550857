"""Changing an account by JSON Patch (``api.md`` 10.4): operations one after the other on what the caller reads.

The result is compared with what stood there before; only what differs goes to the services, each with its own right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from api.errors import ApiError, invalid_body
from api.resources.accounts import country_id
from resellers.countries import COUNTRIES
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account

MOST = 200
OPERATIONS = ("add", "replace", "remove", "test")
_CODES_AS_TEXT = {str(country_id(code)): code for code, _name in COUNTRIES}


@dataclass(frozen=True, slots=True)
class Member:
    """One member that may be changed: its kind, the column it goes to, and what ``remove`` leaves."""

    kind: str
    column: str
    longest: int = 0
    default: Any = ""
    staff: bool = False


# By path in small letters. What stands in none of the tables below is unknown to an account.
MEMBERS = {
    "name": Member("text", "name", 100, None),
    "phone": Member("text", "phone", 40),
    "email": Member("email", "email", 254),
    "website": Member("text", "website", 200),
    "registrationnumber": Member("text", "tax_id", 40),
    "code": Member("text", "accounting_number", 40, staff=True),
    "creditlimit": Member("amount", "credit_limit", default=Decimal(0), staff=True),
    "taxable": Member("flag", "is_taxable", default=True, staff=True),
    "orderingenabled": Member("flag", "may_order", default=True, staff=True),
    "billingaddress/address": Member("text", "address_line1", 200),
    "billingaddress/address2": Member("text", "address_line2", 200),
    "billingaddress/city": Member("text", "city", 100),
    "billingaddress/postcode": Member("text", "postal_code", 20),
    "billingaddress/countryid": Member("country", "country", default=None),
}
ADDRESS = "billingaddress/"
# What is read and follows from something else, or is the same for every account here: it can be tested, not changed.
FIXED: dict[str, Callable[[Account], Any]] = {
    "id": lambda row: row.pk,
    "currency": lambda row: row.currency,
    "transactioncurrency": lambda row: row.currency,
    "isaffiliate": lambda row: row.kind == AccountKind.AFFILIATE,
    "fax": lambda row: None,
    "tradingname": lambda row: None,
    "businessactivity": lambda row: None,
    "integrationid": lambda row: None,
    "customfields": lambda row: None,
}
FIXED_STAFF: dict[str, Callable[[Account], Any]] = {
    "resellingenabled": lambda row: row.kind == AccountKind.RESELLER,
    "separateinvoices": lambda row: False,
    "autoinvoicenotification": lambda row: False,
    "notetype": lambda row: 1,
    "isbackordering": lambda row: row.kind == AccountKind.MANAGED_COPY,
    "isnetworkreseller": lambda row: False,
    "isbillingfrequencyenabled": lambda row: False,
    "billingfrequencymarkup": lambda row: Decimal(0),
}
WORDS = {"invoice": 1, "receipt": 2}


def read_patch(account: Account, body: Any, *, staff: bool) -> dict[str, Any]:
    """The columns that the operations change, with their new values; empty if nothing differs.

    Raises 400 naming the operation: ``test_failed``, ``member_not_allowed``, ``unknown_member``, a wrong value.
    """
    if not isinstance(body, list) or len(body) > MOST:
        raise invalid_body("", f"Send an array of at most {MOST} operations.", "invalid_body")
    patch = _Patch(account, staff)
    for number, item in enumerate(body):
        patch.operation(f"/{number}", item)
    return {name: value for name, value in patch.values.items() if value != patch.before[name]}


class _Patch:
    """The values of an account while operations go over them."""

    def __init__(self, account: Account, staff: bool) -> None:
        self.account = account
        self.members = {path: member for path, member in MEMBERS.items() if staff or not member.staff}
        self.fixed = FIXED | (FIXED_STAFF if staff else {})
        self.before = {member.column: _stored(account, member) for member in self.members.values()}
        self.values = dict(self.before)

    def operation(self, where: str, item: Any) -> None:
        if not isinstance(item, Mapping) or set(item) - {"op", "path", "value"}:
            raise invalid_body(where, "An operation is an object with op, path and value.", "invalid_body")
        action, path = item.get("op"), item.get("path")
        if not isinstance(action, str) or action.lower() not in OPERATIONS:
            raise invalid_body(f"{where}/op", f"op is one of {', '.join(OPERATIONS)}.", "invalid_option")
        if not isinstance(path, str) or not path.startswith("/") or len(path) > 200:
            raise invalid_body(f"{where}/path", "path begins with /.", "invalid_option")
        name = path[1:].lower().replace("~1", "/").replace("~0", "~")
        if action.lower() != "remove" and "value" not in item:
            raise invalid_body(f"{where}/value", "'value' is required.", "required")
        if name == ADDRESS.rstrip("/"):
            self.whole_address(where, action.lower(), item.get("value"))
        else:
            self.one(where, action.lower(), name, item.get("value"))

    def whole_address(self, where: str, action: str, value: Any) -> None:
        """The address as an object: what it leaves out is emptied, or not compared."""
        if action != "remove" and not isinstance(value, Mapping):
            raise invalid_body(f"{where}/value", "The address is an object.", "invalid_body")
        given = {ADDRESS + name: part for name, part in (value or {}).items()}
        for name in given:
            if name not in self.members:
                raise invalid_body(f"{where}/value", f"There is no such member: {name[:60]}.", "unknown_member")
        if action == "test":
            for name, part in given.items():
                self.one(where, "test", name, part)
            return
        for name in (name for name in self.members if name.startswith(ADDRESS)):
            self.one(where, "replace" if name in given else "remove", name, given.get(name))

    def one(self, where: str, action: str, name: str, value: Any) -> None:
        member = self.members.get(name)
        if member is None:
            self.unchanged(where, action, name, value)
            return
        if action == "remove" or (value is None and action != "test"):
            if member.default is None:
                raise invalid_body(f"{where}/path", "This member cannot be empty.", "required")
            self.values[member.column] = member.default
            return
        found = _value(member, value, f"{where}/value")
        if action == "test":
            if found != self.values[member.column]:
                raise invalid_body(f"{where}/value", "The account says something else.", "test_failed")
            return
        self.values[member.column] = found

    def unchanged(self, where: str, action: str, name: str, value: Any) -> None:
        """A member nobody changes here: tested, or set to what it is; anything else is refused."""
        if name not in self.fixed:
            is_known = name in MEMBERS or name in FIXED_STAFF
            code = "member_not_allowed" if is_known or name in _OTHERS else "unknown_member"
            raise invalid_body(f"{where}/path", "This member cannot be changed here.", code)
        now = self.fixed[name](self.account)
        if action != "remove" and _same(now, value):
            return
        code = "test_failed" if action == "test" else "member_not_allowed"
        raise invalid_body(f"{where}/path", "This member cannot be changed here.", code)


# What an account has besides and a program never changes (``api.md`` 10.4).
_OTHERS = frozenset(
    {"billto", "billtoid", "billtoaccount", "billingtoid", "billingto", "edition", "kind", "createdat", "updatedat"}
)


def _stored(account: Account, member: Member) -> Any:
    if member.column == "may_order":
        return account.status == AccountStatus.ACTIVE
    return getattr(account, member.column)


def _same(now: Any, value: Any) -> bool:
    if isinstance(now, bool):
        return bool(value is now or str(value).lower() == str(now).lower())
    if isinstance(value, str) and value.lower() in WORDS:
        return bool(WORDS[value.lower()] == now)
    if isinstance(now, str) and isinstance(value, str):
        return now.lower() == value.lower()
    return bool(now == value) and not isinstance(value, bool)


def _value(member: Member, value: Any, where: str) -> Any:
    match member.kind:
        case "flag":
            word = str(value).lower()
            if not isinstance(value, bool) and word not in ("true", "false"):
                raise invalid_body(where, "The value is true or false.", "invalid_boolean")
            return word == "true"
        case "amount":
            return _amount(value, where)
        case "country":
            found = _CODES_AS_TEXT.get(str(value)) if isinstance(value, int | str) else None
            if found is None:
                raise invalid_body(where, "There is no country with this id.", "invalid_option")
            return found
        case _:
            return _text(member, value, where)


def _text(member: Member, value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise invalid_body(where, "The value is a text.", "invalid_text")
    found = value.strip()
    if len(found) > member.longest:
        raise invalid_body(where, f"At most {member.longest} characters.", "too_long")
    if not found and member.default is None:
        raise invalid_body(where, "This member cannot be empty.", "required")
    if member.kind == "email" and found:
        try:
            validate_email(found)
        except ValidationError:
            raise invalid_body(where, "This is no e-mail address.", "invalid_email") from None
    return found


def _amount(value: Any, where: str) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str) or len(str(value)) > 40:
            raise InvalidOperation
        found = Decimal(value)
        if not found.is_finite() or not 0 <= found < 10**12 or found != round(found, 4):
            raise InvalidOperation
    except InvalidOperation:
        raise invalid_body(where, "An amount of 0 or more, with at most 4 decimals.", "invalid_number") from None
    return found


def typed(error: ApiError, type: str) -> ApiError:
    """A refusal of a value under the contract's error name for accounts."""
    if error.status == 400 and not error.type:
        error.type = type
    return error
