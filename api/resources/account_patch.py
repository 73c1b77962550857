"""Changing an account by JSON Patch (``api.md`` 10.4): operations one after the other on what the caller reads.

The result is compared with what stood there before; only what differs goes to the services, each with its own right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from api.bodies import Faults
from api.errors import ApiError, invalid_body
from api.resources.accounts import ALWAYS, country_id, state_id
from resellers.countries import COUNTRIES
from resellers.enums import AccountKind, AccountStatus, NoteType
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
    "fax": Member("text", "fax", 40),
    "website": Member("text", "website", 200),
    "registrationnumber": Member("text", "tax_id", 30),
    "tradingname": Member("text", "trading_name", 100),
    "businessactivity": Member("text", "business_activity", 200),
    "integrationid": Member("text", "integration_key", 100),
    "code": Member("text", "accounting_number", 30, staff=True),
    "creditlimit": Member("amount", "credit_limit", default=Decimal(0), staff=True),
    "taxable": Member("flag", "is_taxable", default=True, staff=True),
    "orderingenabled": Member("flag", "may_order", default=True, staff=True),
    "notetype": Member("note", "note_type", default=NoteType.INVOICE, staff=True),
    "billingaddress/address": Member("text", "address_line1", 200),
    "billingaddress/address2": Member("text", "address_line2", 200),
    "billingaddress/city": Member("text", "city", 100),
    "billingaddress/postcode": Member("text", "postal_code", 20),
    "billingaddress/countryid": Member("country", "country", default=None),
    "billingaddress/stateid": Member("state", "state"),
}
ADDRESS = "billingaddress/"
# What is read and follows from something else, or is the same for every account here: it can be tested, not changed.
FIXED: dict[str, Callable[[Account], Any]] = {
    "id": lambda row: row.pk,
    "currency": lambda row: row.currency,
    "transactioncurrency": lambda row: row.currency,
    "isaffiliate": lambda row: row.kind == AccountKind.AFFILIATE,
    "customfields": lambda row: None,
}
FIXED_STAFF: dict[str, Callable[[Account], Any]] = {
    "resellingenabled": lambda row: row.kind == AccountKind.RESELLER,
    "isbackordering": lambda row: row.kind == AccountKind.MANAGED_COPY,
    "isnetworkreseller": lambda row: False,
}
ALWAYS_STAFF = {name.lower(): value for name, value in ALWAYS.items()}
NOTES = {"1": NoteType.INVOICE, "2": NoteType.RECEIPT, "invoice": NoteType.INVOICE, "receipt": NoteType.RECEIPT}


def read_patch(account: Account, body: Any, *, staff: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """The columns that the operations change, with their new values; and by column the operation that set it last.

    Raises 400 naming every operation to blame: ``test_failed``, ``member_not_allowed``, ``unknown_member``, a wrong
    value.
    """
    if not isinstance(body, list) or len(body) > MOST:
        raise invalid_body("", f"Send an array of at most {MOST} operations.", "invalid_body")
    patch = _Patch(account, staff)
    with Faults() as faults:
        for number, item in enumerate(body):
            with faults.part():
                patch.operation(f"/{number}", item)
    return {name: value for name, value in patch.values.items() if value != patch.before[name]}, patch.origins


def differing(account: Account, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of values by column those that are not the account's."""
    return {name: value for name, value in values.items() if value != _stored(account, name, staff=True)}


class _Patch:
    """The values of an account while operations go over them."""

    def __init__(self, account: Account, staff: bool) -> None:
        self.account = account
        self.members = {path: member for path, member in MEMBERS.items() if staff or not member.staff}
        self.fixed = {name: shown(account) for name, shown in (FIXED | (FIXED_STAFF if staff else {})).items()}
        self.fixed |= ALWAYS_STAFF if staff else {}
        self.before = {member.column: _stored(account, member.column, staff=staff) for member in self.members.values()}
        self.values = dict(self.before)
        self.origins: dict[str, str] = {}

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
        given = {} if action == "remove" else {ADDRESS + name: part for name, part in value.items()}
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
        now = self.values[member.column]
        if action == "test":
            # What is empty is read as null.
            if not (now == "" if value is None else self.value(member, action, value, where) == now):
                raise invalid_body(f"{where}/value", "The account says something else.", "test_failed")
            return
        self.origins[member.column] = f"{where}/path" if action == "remove" else f"{where}/value"
        if action == "remove" or value is None:
            if member.default is None:
                raise invalid_body(f"{where}/path", "This member cannot be empty.", "required")
            self.values[member.column] = member.default
            return
        self.values[member.column] = self.value(member, action, value, where)

    def value(self, member: Member, action: str, value: Any, where: str) -> Any:
        """The value as it is stored. A state has no list: its number is that of the text that stands there."""
        if member.kind != "state":
            return _value(member, value, f"{where}/value")
        state = str(self.before[member.column])
        if not state or not is_same(state_id(state), value):
            if action == "test":
                return None
            message = "There is no list of states; send the id that the address shows, or null."
            raise invalid_body(f"{where}/value", message, "invalid_option")
        return state

    def unchanged(self, where: str, action: str, name: str, value: Any) -> None:
        """A member nobody changes here: tested, or set to what it is; anything else is refused."""
        if name not in self.fixed:
            is_known = name in MEMBERS or name in FIXED_STAFF or name in ALWAYS_STAFF
            code = "member_not_allowed" if is_known or name in _OTHERS else "unknown_member"
            raise invalid_body(f"{where}/path", "This member cannot be changed here.", code)
        if action != "remove" and is_same(self.fixed[name], value):
            return
        code = "test_failed" if action == "test" else "member_not_allowed"
        raise invalid_body(f"{where}/path", "This member cannot be changed here.", code)


# What an account has besides and a program never changes (``api.md`` 10.4).
_OTHERS = frozenset(
    {"billto", "billtoid", "billtoaccount", "billingtoid", "billingto", "edition", "kind", "createdat", "updatedat"}
)


def _stored(account: Account, column: str, *, staff: bool) -> Any:
    if column == "may_order":
        return account.status == AccountStatus.ACTIVE
    if column == "integration_key":
        return account.integration_id if staff else account.reseller_integration_id
    return getattr(account, column)


def is_same(now: Any, value: Any) -> bool:
    """Whether a sent value is what a member says: words in any case, flags and numbers as text too."""
    if isinstance(now, bool) or isinstance(value, bool):
        return str(value).lower() == str(now).lower()
    if isinstance(now, str) and isinstance(value, str):
        return now.lower() == value.lower()
    if isinstance(value, str):
        return value.strip() == str(now)
    return bool(now == value)


def _value(member: Member, value: Any, where: str) -> Any:
    match member.kind:
        case "flag":
            word = str(value).lower()
            if not isinstance(value, bool) and word not in ("true", "false"):
                raise invalid_body(where, "The value is true or false.", "invalid_boolean")
            return word == "true"
        case "amount":
            return amount(value, where)
        case "note":
            return note_type(value, where)
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
    if member.kind == "email" and found and not is_email(found):
        raise invalid_body(where, "This is no e-mail address.", "invalid_email")
    return found


def is_email(text: str) -> bool:
    """Whether a text is an e-mail address."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def note_type(value: Any, where: str) -> NoteType:
    """Which document an account is billed by: its number is written, its word is read and taken too."""
    found = None if isinstance(value, bool) else NOTES.get(str(value).lower())
    if found is None:
        raise invalid_body(where, "1 for Invoice or 2 for Receipt.", "invalid_option")
    return found


def amount(value: Any, where: str) -> Decimal:
    """An amount of money; 400 for what is none."""
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
