"""The grammar of ``$filter`` (``api.md`` 3.2): text to a tree, bounded before anything else looks at it.

A subset of OData 4.01. The tree holds public names and literals as they were written; :mod:`api.fields` gives them a
column and a value. Nothing of the caller's text ever becomes a name of the database.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from api.errors import ApiError

MAX_LENGTH = 2000
MAX_COMPARISONS = 50
MAX_VALUES = 100
MAX_DEPTH = 10
MAX_SEARCH = 100

COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
TESTS = ("contains", "startswith", "endswith")
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_DATE = r"\d{4}-\d{2}-\d{2}"
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<datetime>datetime'(?:[^']|'')*')
      | (?P<string>'(?:[^']|'')*')
      | (?P<guid>{_GUID})(?![0-9a-z])
      | (?P<moment>{_DATE}T\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,7}})?)?(?:Z|[ +-]\d{{2}}:\d{{2}})?)
      | (?P<date>{_DATE})
      | (?P<number>-?\d+(?:\.\d+)?)(?![0-9a-z])
      | (?P<name>[a-z][a-z0-9]*(?:/\d+)?)
      | (?P<sign>[(),])
    )""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written: ``kind`` is string, number, bool, null, guid, date or moment."""

    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison: ``operator`` of COMPARISONS, of TESTS, or ``in``; ``negated`` turns its answer round."""

    field: str
    operator: str
    values: tuple[Literal, ...]
    position: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of what it holds."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class Both:
    """Several parts, joined by ``and`` or ``or``."""

    word: str
    parts: tuple["Node", ...]


Node = Test | Not | Both


def syntax(position: int, message: str) -> ApiError:
    """400 with the position, counted from 1."""
    text = f"$filter, position {position + 1}: {message}"
    return ApiError(400, "filter_syntax", text, errors=[_culprit("filter_syntax", text)])


def too_complex(message: str) -> ApiError:
    """400 for a filter that asks for too much."""
    return ApiError(400, "filter_too_complex", message, errors=[_culprit("filter_too_complex", message)])


def _culprit(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail, "parameter": "$filter"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise syntax(position, "this is not understood.")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    found.append(_Token("end", "", end))
    return found


def parse(text: str) -> Node:
    """The tree of a filter; raises ``filter_syntax`` with the position, ``filter_too_complex`` above a limit."""
    if len(text) > MAX_LENGTH:
        raise too_complex(f"A filter has at most {MAX_LENGTH} characters.")
    if not text.strip():
        raise syntax(0, "the filter is empty.")
    return _Parser(_tokens(text)).whole()


class _Parser:
    """Recursive descent over the tokens; its depth is bounded by MAX_DEPTH."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.comparisons = 0

    def whole(self) -> Node:
        node = self.either(0)
        if self.here.kind != "end":
            self.fail("something is left over; join comparisons with 'and' or 'or'.")
        return node

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, message: str) -> NoReturn:
        raise syntax(self.here.position, message)

    def take(self) -> _Token:
        token = self.here
        self.at += 1
        return token

    def is_word(self, *words: str) -> bool:
        return self.here.kind == "name" and self.here.text.lower() in words

    def sign(self, sign: str) -> None:
        if self.here.kind != "sign" or self.here.text != sign:
            self.fail(f"expected '{sign}'.")
        self.at += 1

    def either(self, depth: int) -> Node:
        parts = [self.all_of(depth)]
        while self.is_word("or"):
            self.take()
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else Both("or", tuple(parts))

    def all_of(self, depth: int) -> Node:
        parts = [self.unary(depth)]
        while self.is_word("and"):
            self.take()
            parts.append(self.unary(depth))
        return parts[0] if len(parts) == 1 else Both("and", tuple(parts))

    def unary(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise too_complex(f"A filter nests at most {MAX_DEPTH} deep.")
        if self.is_word("not"):
            self.take()
            return Not(self.unary(depth + 1))
        if self.here.kind == "sign" and self.here.text == "(":
            self.take()
            node = self.either(depth + 1)
            self.sign(")")
            return node
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise too_complex(f"A filter has at most {MAX_COMPARISONS} comparisons.")
        return self.test() if self.is_word(*TESTS) else self.comparison()

    def field(self) -> _Token:
        if self.is_word("tolower"):
            self.take()
            self.sign("(")
            token = self.field()
            self.sign(")")
            return token
        if self.here.kind != "name" or self.is_word("and", "or", "not", "in", "true", "false", "null", *COMPARISONS):
            self.fail("expected the name of a field.")
        return self.take()

    def test(self) -> Test:
        function = self.take()
        self.sign("(")
        field = self.field()
        self.sign(",")
        value = self.literal()
        if value.kind != "string":
            raise syntax(value.position, "expected a text in single quotes.")
        if len(value.text) > MAX_SEARCH:
            raise too_complex(f"A searched text has at most {MAX_SEARCH} characters.")
        self.sign(")")
        negated = False
        if self.is_word("eq", "ne"):
            is_not = self.take().text.lower() == "ne"
            if not self.is_word("true", "false"):
                self.fail("expected true or false.")
            negated = is_not == (self.take().text.lower() == "true")
        return Test(field.text, function.text.lower(), (value,), field.position, negated)

    def comparison(self) -> Test:
        field = self.field()
        if self.is_word("in"):
            self.take()
            return Test(field.text, "in", self.values(), field.position)
        if not self.is_word(*COMPARISONS):
            self.fail("expected one of eq, ne, gt, ge, lt, le, in.")
        operator = self.take().text.lower()
        return Test(field.text, operator, (self.literal(),), field.position)

    def values(self) -> tuple[Literal, ...]:
        self.sign("(")
        found = [self.literal()]
        while self.here.kind == "sign" and self.here.text == ",":
            self.take()
            found.append(self.literal())
            if len(found) > MAX_VALUES:
                raise too_complex(f"A list of values has at most {MAX_VALUES}.")
        self.sign(")")
        return tuple(found)

    def literal(self) -> Literal:
        token = self.here
        match token.kind:
            case "string":
                found = Literal("string", token.text[1:-1].replace("''", "'"), token.position)
            case "datetime":
                found = Literal("moment", token.text[9:-1].replace("''", "'"), token.position)
            case "guid" | "date" | "moment" | "number":
                found = Literal(token.kind, token.text, token.position)
            case "name" if token.text.lower() in ("true", "false"):
                found = Literal("bool", token.text.lower(), token.position)
            case "name" if token.text.lower() == "null":
                found = Literal("null", "", token.position)
            case _:
                self.fail("expected a value.")
        self.at += 1
        return found
