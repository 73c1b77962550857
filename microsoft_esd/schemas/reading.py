"""Readers shared by all schemas (``esd.md`` 10).

Member names are read in any casing, amounts become ``Decimal``, moments aware UTC datetimes; absent, ``null`` and
``""`` mean the same. Unknown members are ignored and unknown enum values become ``unknown``; only a missing or
impossible required part raises ``VendorError(kind=CONTRACT)``. No error ever quotes a value: it could be a key.
"""

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar

from django.utils.translation import gettext as _

from provisioning.ports import ErrorKind, VendorError

T = TypeVar("T")


class Reader(Protocol):
    """Turns a JSON value into one of ours; ``where`` names it in a contract error."""

    def __call__(self, value: Any, where: str) -> Any:
        """Read one value; raises a contract error that names ``where``."""


def contract_error(where: str, what: str) -> VendorError:
    """The error for an answer without a part we cannot do without; ``where`` names the object and member."""
    return VendorError(
        ErrorKind.CONTRACT,
        _("Microsoft's answer cannot be used: %(where)s %(what)s. Inform the operator of this system.")
        % {"where": where, "what": what},
        code="contract",
    )


def squeeze(text: str) -> str:
    """The form in which words are compared: lower-case, without ``_``, ``-`` and spaces."""
    return re.sub(r"[\s_\-]+", "", text).lower()


def read_text(value: Any, where: str = "") -> str:
    """A text; numbers and flags are spelled out, objects and lists are none."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def read_number(value: Any, where: str) -> Decimal:
    """A number as ``Decimal``, also from a text."""
    if not isinstance(value, bool | dict | list):
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise contract_error(where, _("is not a number"))


def read_integer(value: Any, where: str) -> int:
    """A whole number, also from a text such as ``"3"``; a fraction is none."""
    number = read_number(value, where)
    if number != number.to_integral_value() or abs(number) > 10**12:
        raise contract_error(where, _("is not a whole number"))
    return int(number)


def read_flag(value: Any, where: str = "") -> bool:
    """A truth value, also from the words ``true``, ``yes`` and ``1``."""
    return squeeze(read_text(value)) in {"true", "yes", "1"}


def read_moment(value: Any, where: str = "") -> dt.datetime | None:
    """A moment in UTC; no zone means UTC. A text that is no date, and year 1 and 9999, give ``None``."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", read_text(value).upper())
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.year in {1, 9999}:
            return None
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def lowered(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same object with lower-case names; of names differing in case only, the first that says something wins."""
    result: dict[str, Any] = {}
    for key, value in data.items():
        name = str(key).lower()
        if result.get(name) in (None, ""):
            result[name] = value
    return result


def decode(body: bytes | str | dict[str, Any] | list[Any] | None) -> Any:
    """The JSON value of a body, numbers as ``Decimal``, with or without a byte order mark; ``None`` if empty.

    Raises ``ValueError`` if it is no JSON. The error of the parser itself is not passed on: it holds the whole text.
    """
    if body is None or isinstance(body, dict | list):
        return body
    readable = True
    found: Any = None
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        text = text.lstrip("\ufeff").strip()
        found = json.loads(text, parse_float=Decimal) if text else None
    except (ValueError, RecursionError):
        readable = False
    if not readable:
        raise ValueError("no JSON")
    return found


# --- Declaring members: each returns a dataclass field that knows how to read itself ---


def _field(reader: Reader, default: Any, wire: str, required: bool, shown: bool = True) -> Any:
    return dataclasses.field(
        default=default, repr=shown, metadata={"reader": reader, "wire": wire.lower(), "required": required}
    )


def text(wire: str, *, required: bool = False, secret: bool = False) -> Any:
    """A text member; absent is ``""``. A ``secret`` one does not show in ``repr``."""
    return _field(read_text, "", wire, required, not secret)


def number(wire: str, *, required: bool = False) -> Any:
    """A ``Decimal`` member; absent is ``None``."""
    return _field(read_number, None, wire, required)


def integer(wire: str, *, required: bool = False) -> Any:
    """A whole-number member; absent is ``None``."""
    return _field(read_integer, None, wire, required)


def flag(wire: str) -> Any:
    """A truth-value member; absent is ``None``."""
    return _field(read_flag, None, wire, False)


def moment(wire: str) -> Any:
    """A moment in UTC; absent is ``None``."""
    return _field(read_moment, None, wire, False)


def word(wire: str, values: Sequence[str], *, required: bool = False) -> Any:
    """An enum member in our spelling (``return_accepted``); ``unknown`` for a word nobody told us, ``""`` for none."""
    known = {squeeze(value): value for value in values}

    def reader(value: Any, where: str) -> str:
        return known.get(squeeze(read_text(value)), "unknown")

    return _field(reader, "", wire, required)


def many(cls: type[Any], wire: str, *, required: bool = False) -> Any:
    """A member with a list of objects; absent is an empty tuple."""

    def reader(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise contract_error(where, _("is not a list"))
        return tuple(read(cls, row, f"{where}[{position}]") for position, row in enumerate(value))

    return _field(reader, (), wire, required)


def lenient(cls: type[Any], wire: str) -> Any:
    """As :func:`many` and required, but a row that cannot be read becomes the sentence that says why."""

    def reader(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise contract_error(where, _("is not a list"))
        return tuple(_row_or_reason(cls, row, f"{where}[{position}]") for position, row in enumerate(value))

    return _field(reader, (), wire, True)


def _row_or_reason(cls: type[T], row: Any, where: str) -> T | str:
    try:
        return read(cls, row, where)
    except VendorError as error:
        return error.message


def read(cls: type[T], data: Any, where: str = "") -> T:
    """Read one object of a schema class; raise a contract error if a required part is missing."""
    name = where or cls.__name__
    if not isinstance(data, Mapping):
        raise contract_error(name, _("is not an object"))
    keys = lowered(data)
    values: dict[str, Any] = {}
    for item in dataclasses.fields(cls):  # type: ignore[arg-type]
        wire = item.metadata["wire"]
        value = keys.get(wire)
        if value is None or value == "":
            if item.metadata["required"]:
                raise contract_error(f"{name}.{wire}", _("is missing"))
            continue
        values[item.name] = item.metadata["reader"](value, f"{name}.{wire}")
    return cls(**values)
