"""JSON as the API speaks it: decimals exact and never through a float, times in UTC with milliseconds."""

import datetime as dt
import json
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn

import orjson

MAX_BODY = 1024 * 1024
MAX_DEPTH = 32
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


class BadJson(ValueError):
    """A body that is no JSON as the API takes it; the message says why."""


def decimal_text(value: Decimal) -> str:
    """The exact digits without trailing zeros: ``42.4``."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def moment(value: dt.datetime | None) -> str | None:
    """UTC with milliseconds and ``Z``."""
    if value is None:
        return None
    if value.tzinfo is not dt.UTC and value.tzinfo is not None:
        value = value.astimezone(dt.UTC)
    # A page has a thousand moments. This is much faster than isoformat(), but knows microseconds only.
    text = orjson.dumps(value)[1:24].decode()
    return f"{text}Z" if value.microsecond else f"{text[:19]}.000Z"


def ready(text: str | None) -> Any:
    """JSON that the database wrote, as a part of an answer."""
    return None if text is None else orjson.Fragment(text)


@lru_cache(maxsize=10_000)
def _number(value: Decimal) -> orjson.Fragment:
    return orjson.Fragment(decimal_text(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dt.datetime):
        return moment(value)
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def _as_text(value: Any) -> Any:
    return decimal_text(value) if isinstance(value, Decimal) else _plain(value)


def dumps(value: Any, *, decimals_as_text: bool = False) -> bytes:
    """The JSON text in UTF-8; decimals are numbers, or strings for callers that ask with ``IEEE754Compatible=true``."""
    return orjson.dumps(value, default=_as_text if decimals_as_text else _plain, option=_OPTIONS)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name.lower() in found:
            raise BadJson(f"The member '{name[:60]}' stands there twice.")
        found[name.lower()] = value
    return found


def _constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is no JSON number.")


def loads(body: bytes) -> Any:
    """The value of a request's body, member names in lower case, numbers with a point as Decimal.

    Raises :class:`BadJson` for a body that is too large, too deep, has a member twice, or is no JSON in UTF-8.
    """
    if len(body) > MAX_BODY:
        raise BadJson("The body is larger than 1 MiB.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadJson("The body is not UTF-8.") from None
    if _depth(text) > MAX_DEPTH:
        raise BadJson("The body is nested too deep.")
    if "\\u0000" in text or "\x00" in text:
        raise BadJson("The body holds a null character.")
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant)
        if "\\ud" in text.lower():
            json.dumps(found, ensure_ascii=False, default=str).encode()
        return found
    except UnicodeEncodeError:  # An escaped surrogate without its partner, which no text in UTF-8 can hold.
        raise BadJson("The body holds half a character.") from None
    except BadJson:
        raise
    except ValueError as error:  # JSONDecodeError, and integers of more digits than Python converts.
        where = getattr(error, "pos", None)
        raise BadJson("The body is no JSON." if where is None else f"The body is no JSON, position {where}.") from None


def _depth(text: str) -> int:
    """How deep brackets nest, strings left out; counted before anything recursive reads the text."""
    deepest = level = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest
