"""Filters of lists: ``{"Field", "Value", "Operator"}`` and their and/or combinations (``partner-center.md`` 2.4)."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.partner_center.answers import classic, squeezed, tidy

Reader = Callable[[dict[str, Any]], str]
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda have, want: have == want,
    "notequals": lambda have, want: have != want,
    "greaterthan": lambda have, want: have > want,
    "greaterthanorequals": lambda have, want: have >= want,
    "lessthan": lambda have, want: have < want,
    "lessthanorequals": lambda have, want: have <= want,
    "substring": lambda have, want: want in have,
    "startswith": lambda have, want: have.startswith(want),
    "notstartswith": lambda have, want: not have.startswith(want),
}


def read_filter(text: str, fields: Mapping[str, Reader]) -> dict[str, Any]:
    """The filter of a query, ``{}`` for none. Raises 400/2000 for one that cannot be understood."""
    if not text:
        return {}
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise classic(400, 2000, "The filter is not valid JSON.")
    wanted: dict[str, Any] = tidy(content)
    _check(wanted, fields)
    return wanted


def _check(wanted: dict[str, Any], fields: Mapping[str, Reader]) -> None:
    if "leftFilter" in wanted and "rightFilter" in wanted:
        for side in ("leftFilter", "rightFilter"):
            _check(wanted[side], fields)
        return
    if str(wanted.get("field", "")).lower() not in fields:
        raise classic(400, 2000, f"The field {wanted.get('field')} cannot be filtered.")
    if squeezed(wanted.get("operator")) not in OPERATORS:
        raise classic(400, 2000, f"The operator {wanted.get('operator')} is not known.")


def matches(row: dict[str, Any], wanted: Mapping[str, Any], fields: Mapping[str, Reader]) -> bool:
    """Whether a row passes a filter; texts are compared without case."""
    if not wanted:
        return True
    if "leftFilter" in wanted:
        sides = (matches(row, wanted[side], fields) for side in ("leftFilter", "rightFilter"))
        return any(sides) if squeezed(wanted.get("operator")) == "or" else all(sides)
    have = str(fields[str(wanted["field"]).lower()](row)).lower()
    return OPERATORS[squeezed(wanted["operator"])](have, str(wanted.get("value", "")).lower())
