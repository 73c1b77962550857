"""Readers shared by all schemas, collections with their pages, and errors in every shape of ``partner-center.md`` 2.9.

Keys are read case-insensitively, numbers become ``Decimal`` (also out of strings), moments become aware UTC datetimes,
texts are unescaped from HTML entities once, and absent, ``null`` and ``""`` mean the same. Unknown fields are ignored
and unknown enum values become ``unknown`` with the raw text kept; only a missing required part raises
``VendorError(kind=CONTRACT)``.
"""

import dataclasses
import datetime as dt
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, Protocol, TypeVar

from django.utils.translation import gettext as _

from provisioning.ports import ErrorKind, VendorError

T = TypeVar("T")
RowT = TypeVar("RowT")


class Reader(Protocol):
    """Turns a JSON value into one of ours; ``where`` names it in a contract error."""

    def __call__(self, value: Any, where: str = "") -> Any:
        """Read one value; raises a contract error that names ``where``."""


_MOMENT = re.compile(
    r"^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?$"
)
_US_MOMENT = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2}):(\d{2}) ?([AaPp][Mm])?)?$")


def contract_error(where: str, what: str) -> VendorError:
    """The error for an answer without a part we cannot do without; ``where`` names the object and field."""
    return VendorError(
        ErrorKind.CONTRACT,
        _("Microsoft's answer cannot be used: %(where)s %(what)s. Inform the operator of this system.")
        % {"where": where, "what": what},
        code="contract",
    )


class Word(str):
    """An enum value in our spelling (``one_time``), ``unknown`` if Microsoft sent one we do not know, ``""`` if none.

    ``raw`` keeps what was sent. Comparison is that of the plain string.
    """

    raw: str

    def __new__(cls, value: str, raw: str = "") -> "Word":
        """Make the word and remember what was sent."""
        word = super().__new__(cls, value)
        word.raw = raw
        return word


def squeeze(text: str) -> str:
    """The form in which enum texts are compared: stripped, lower-case, without ``_``, ``-`` and spaces."""
    return re.sub(r"[\s_\-]+", "", text).lower()


def read_text(value: Any, where: str = "") -> str:
    """A text, unescaped from HTML entities once; numbers and flags are spelled out, anything else is empty."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return html.unescape(str(value)).strip()


def read_number(value: Any, where: str = "") -> Decimal | None:
    """A number as ``Decimal``, also from a string; ``None`` if absent; a contract error if it is no number."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise contract_error(where, _("is not a number")) from None
    if not number.is_finite():
        raise contract_error(where, _("is not a number"))
    return number


def read_integer(value: Any, where: str = "") -> int | None:
    """A whole number, also from a string such as ``"3"`` or ``"3.0"``."""
    number = read_number(value, where)
    return None if number is None else int(number)


def read_flag(value: Any, where: str = "") -> bool | None:
    """A truth value, also from the strings and numbers that newer services send; ``None`` if absent."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return squeeze(value) in {"true", "1", "yes"}
    return bool(value)


def read_moment(value: Any, where: str = "") -> dt.datetime | None:
    """A moment in UTC; no zone means UTC; year 1 means none, and year 9999 (no end) means none as well.

    A text that is no date gives ``None``: no decision of ours rests on a date that Microsoft spells unreadably.
    """
    text = read_text(value)
    match = _MOMENT.match(text)
    try:
        if match:
            moment = _iso_moment(match)
        else:
            us_match = _US_MOMENT.match(text)
            if not us_match:
                return None
            moment = _us_moment(us_match)
        if moment.year in {1, 9999}:
            return None
        return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _iso_moment(match: re.Match[str]) -> dt.datetime:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    tz: dt.tzinfo = dt.UTC
    if zone and zone not in {"Z", "z"}:
        digits = zone[1:].replace(":", "")
        offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        tz = dt.timezone(-offset if zone[0] == "-" else offset)
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    return dt.datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, tzinfo=tz
    )


def _us_moment(match: re.Match[str]) -> dt.datetime:
    month, day, year, hour, minute, second, half = match.groups()
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return dt.datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), tzinfo=dt.UTC)


def read_word(values: Sequence[str], aliases: Mapping[str, str] | None = None) -> Reader:
    """A reader of an enum with these values in our spelling; ``aliases`` maps other (squeezed) texts to them."""
    known = {squeeze(value): value for value in values}
    known.update({squeeze(key): value for key, value in (aliases or {}).items()})

    def read(value: Any, where: str = "") -> Word:
        raw = read_text(value)
        return Word(known.get(squeeze(raw), "unknown") if raw else "", raw)

    return read


def read_texts(value: Any, where: str = "") -> tuple[str, ...]:
    """A list of texts; a single text counts as a list of one."""
    if value is None or value == "":
        return ()
    if not isinstance(value, list | tuple):
        value = [value]
    return tuple(text for text in (read_text(item) for item in value) if text)


def read_map(value: Any, where: str = "") -> dict[str, Any]:
    """An open map, as it came; anything else is an empty one."""
    return dict(value) if isinstance(value, dict) else {}


def lowered(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same object with lower-case keys; of keys differing in case only, the first that says something wins."""
    result: dict[str, Any] = {}
    for key, value in data.items():
        name = str(key).lower()
        if result.get(name) in (None, ""):
            result[name] = value
    return result


def lookup(data: Any, *path: str) -> Any:
    """The value at a path of keys read case-insensitively, or ``None``."""
    for key in path:
        if not isinstance(data, Mapping):
            return None
        data = lowered(data).get(key.lower())
    return data


# --- Declaring fields: each returns a dataclass field that knows how to read itself ---


def _field(reader: Reader, default: Any, wire: str, required: bool) -> Any:
    return dataclasses.field(default=default, metadata={"reader": reader, "wire": wire, "required": required})


def text(wire: str = "", *, required: bool = False) -> Any:
    """A text field; absent is ``""``."""
    return _field(read_text, "", wire, required)


def number(wire: str = "", *, required: bool = False) -> Any:
    """A ``Decimal`` field; absent is ``None``."""
    return _field(read_number, None, wire, required)


def integer(wire: str = "", *, required: bool = False) -> Any:
    """A whole-number field; absent is ``None``."""
    return _field(read_integer, None, wire, required)


def flag(wire: str = "", *, required: bool = False, default: bool | None = None) -> Any:
    """A truth-value field; absent is ``default``."""
    return _field(read_flag, default, wire, required)


def moment(wire: str = "", *, required: bool = False) -> Any:
    """A moment in UTC; absent and "none" are ``None``."""
    return _field(read_moment, None, wire, required)


def word(reader: Reader, wire: str = "", *, required: bool = False) -> Any:
    """An enum field with a reader of :func:`read_word`; absent is an empty :class:`Word`."""
    return _field(reader, Word(""), wire, required)


def texts(wire: str = "") -> Any:
    """A field with a list of texts; absent is an empty tuple."""
    return _field(read_texts, (), wire, False)


def open_map(wire: str = "") -> Any:
    """A field with an open map, kept as it came."""
    return dataclasses.field(default_factory=dict, metadata={"reader": read_map, "wire": wire, "required": False})


def one(cls: type[Any], wire: str = "", *, required: bool = False) -> Any:
    """A field with an object of another schema; absent is ``None``."""

    def reader(value: Any, where: str = "") -> Any:
        return read(cls, value, where) if isinstance(value, Mapping) else None

    return _field(reader, None, wire, required)


def many(cls: Callable[[], type[Any]] | type[Any], wire: str = "", *, required: bool = False) -> Any:
    """A field with a list of objects of another schema; a function is asked for the class late (recursion)."""

    def reader(value: Any, where: str = "") -> tuple[Any, ...]:
        row_class = cls if isinstance(cls, type) else cls()
        rows = value if isinstance(value, list) else [value] if isinstance(value, Mapping) and value else []
        return tuple(read(row_class, row, f"{where}[{n}]") for n, row in enumerate(rows) if isinstance(row, Mapping))

    return _field(reader, (), wire, required)


def camel(name: str) -> str:
    """The camelCase wire name of one of our field names."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What every object has: ``raw`` as it came (needed where the whole resource is sent back) and its etag."""

    raw: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def etag(self) -> str:
        """The current etag, or ``""`` where the object has none (new commerce). Never stored."""
        return read_text(lookup(self.raw, "attributes", "etag"))

    @property
    def links(self) -> Mapping[str, Any]:
        """The object's links by name in lower case."""
        return lowered(read_map(lookup(self.raw, "links")))


def read(cls: type[T], data: Any, where: str = "") -> T:
    """Read one object of a schema class; raise a contract error if a required part is missing."""
    name = where or cls.__name__
    if not isinstance(data, Mapping):
        raise contract_error(name, _("is not an object"))
    keys = lowered(data)
    values: dict[str, Any] = {}
    for item in dataclasses.fields(cls):  # type: ignore[arg-type]
        if "reader" not in item.metadata:
            continue
        wire = item.metadata["wire"] or camel(item.name)
        value = next((keys[key] for key in wire.lower().split("|") if keys.get(key) not in (None, "")), None)
        if value is None:
            if item.metadata["required"]:
                raise contract_error(f"{name}.{wire}", _("is missing"))
            continue
        result = item.metadata["reader"](value, f"{name}.{wire}")
        if result is not None:
            values[item.name] = result
    if issubclass(cls, Resource):
        values["raw"] = data
    return cls(**values)


# --- Collections ---


@dataclass(frozen=True)
class Link:
    """A link of a collection: where to go and the headers that must go with it (``partner-center.md`` 2.3)."""

    uri: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Collection(Generic[RowT]):
    """A page of rows. ``total_count`` may be the page's count. ``problems`` names the rows that could not be read."""

    items: tuple[RowT, ...] = ()
    total_count: int | None = None
    next_link: Link | None = None
    continuation_token: str = ""
    problems: tuple[str, ...] = ()
    raw_count: int = 0


def read_link(value: Any) -> Link | None:
    """A link object, or ``None`` if it has no ``uri`` (which occurs)."""
    uri = read_text(lookup(value, "uri"))
    if not uri:
        return None
    headers = lookup(value, "headers")
    pairs = [
        (read_text(lookup(item, "key")), read_text(lookup(item, "value")))
        for item in (headers if isinstance(headers, list) else [])
    ]
    return Link(uri, tuple(pair for pair in pairs if pair[0]))


def read_collection(row_class: type[T], data: Any, where: str = "") -> Collection[T]:
    """Read a page, a bare array, or a lone object in a collection's place; an unreadable row spoils itself only."""
    name = where or row_class.__name__
    envelope: Any = {}
    if isinstance(data, list):
        rows: Any = data
    elif isinstance(data, Mapping):
        envelope = lowered(data)
        rows = next((envelope[key] for key in ("items", "transition", "value") if key in envelope), None)
        if rows is None and (envelope.get("totalcount") in (0, "0") or "items" in envelope):
            rows = []
        if rows is None:
            rows = [lone_row(data, row_class, name)]
    else:
        raise contract_error(name, _("is not a collection"))
    if not isinstance(rows, list):
        raise contract_error(name, _("is not a collection"))
    items: list[T] = []
    problems: list[str] = []
    for position, row in enumerate(rows):
        try:
            items.append(read(row_class, row, f"{name}[{position}]"))
        except VendorError as error:
            problems.append(error.message)
    return Collection(
        items=tuple(items),
        total_count=read_integer(envelope.get("totalcount")),
        next_link=read_link(lookup(envelope, "links", "next")),
        continuation_token=read_text(envelope.get("continuationtoken")),
        problems=tuple(problems),
        raw_count=len(rows),
    )


def lone_row(data: Mapping[str, Any], row_class: type[Any], name: str) -> Mapping[str, Any]:
    """A lone object standing in for a collection of one; refused unless it reads as such a row."""
    if not data:
        raise contract_error(name, _("is not a collection"))
    read(row_class, data, name)
    return data


# --- Bodies and errors ---


@dataclass(frozen=True)
class NoContent:
    """A good answer without a body: 204, 202, HEAD, or the old address validation."""

    status: int = 204


@dataclass(frozen=True)
class ApiError:
    """An error answer in any shape. ``code`` is Microsoft's as a string, ``""`` if it sent none.

    ``message`` is the text for people, ``details`` the ``data`` items, ``correction`` what a nested JSON description
    held (the corrected address of 2007).
    """

    status: int
    code: str = ""
    message: str = ""
    name: str = ""
    details: tuple[str, ...] = ()
    source: str = ""
    is_retryable: bool = False
    correction: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class IdentityError:
    """An error of the identity platform; ``codes`` are the AADSTS numbers, the most specific last."""

    status: int
    error: str = ""
    description: str = ""
    codes: tuple[int, ...] = ()


def decode(body: bytes | str | dict[str, Any] | list[Any] | None) -> Any:
    """The JSON value of a body, numbers as ``Decimal``; ``None`` if empty; ``ValueError`` if it is no JSON."""
    if body is None or isinstance(body, dict | list):
        return body
    if isinstance(body, str):
        body = body.encode("utf-8")
    document = body.decode("utf-8-sig").lstrip("\ufeff").strip()
    if not document:
        return None
    return json.loads(document, parse_float=Decimal)


def read_error(status: int, body: bytes | str | dict[str, Any] | list[Any] | None) -> ApiError | IdentityError:
    """Read an error body of any source; HTML and nothing at all give an error with the status only."""
    try:
        data = decode(body)
    except ValueError:
        return ApiError(status)
    if not isinstance(data, Mapping):
        return ApiError(status)
    keys = lowered(data)
    nested = keys.get("error")
    if isinstance(nested, str):
        return _read_identity_error(status, keys)
    if isinstance(nested, Mapping):
        inner = lowered(nested)
        return ApiError(status, code=read_text(inner.get("code")), message=read_text(inner.get("message")))
    return _read_classic_error(status, keys)


def _read_identity_error(status: int, keys: Mapping[str, Any]) -> IdentityError:
    description = read_text(keys.get("error_description"))
    listed = keys.get("error_codes")
    codes = [int(code) for code in (listed if isinstance(listed, list) else []) if str(code).isdigit()]
    codes += [int(code) for code in re.findall(r"AADSTS(\d+)", description) if int(code) not in codes]
    return IdentityError(
        status, read_text(keys["error"]), description.splitlines()[0] if description else "", tuple(codes)
    )


def _read_classic_error(status: int, keys: Mapping[str, Any]) -> ApiError:
    description = read_text(keys.get("description"))
    correction: dict[str, Any] = {}
    message = description or read_text(keys.get("message")) or read_text(keys.get("errordescription"))
    raw = keys.get("description")
    if isinstance(raw, str) and raw.lstrip().startswith("{"):
        try:
            correction = lowered(json.loads(raw))
            message = read_text(correction.get("reason")) or message
        except ValueError:
            correction = {}
    return ApiError(
        status,
        code=read_text(keys.get("code")) or read_text(keys.get("errorcode")),
        message=message,
        name=read_text(keys.get("errorname")),
        details=read_texts(keys.get("data")),
        source=read_text(keys.get("source")),
        is_retryable=bool(read_flag(keys.get("isretryable"))),
        correction=correction,
    )
