"""The served document: what of the contract answers here, found by asking our own addresses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import Resolver404, resolve

from api.contract import contract, own_calls
from api.views.missing import nothing

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One call of the contract, for the reader."""

    method: str
    path: str
    summary: str
    description: str
    tag: str
    parameters: tuple[dict[str, Any], ...]
    answers: tuple[tuple[str, str], ...]
    scope: str
    key: str


def _served_methods(path: str) -> set[str]:
    """The methods that answer at a path of the contract, in small letters."""
    try:
        found = resolve(re.sub(r"\{[^}]+\}", "1", path).lower(), urlconf="cloudbss.urls")
    except Resolver404:
        return set()
    if found.func is nothing:
        return set()
    view = getattr(found.func, "view_class", None) or getattr(found.func, "cls", None)
    rights = getattr(view, "rights", None)
    return {method.lower() for method in rights} if rights is not None else {"post"}


@cache
def served_document() -> dict[str, Any]:
    """The contract with the operations that are served here, its schemas whole, and our own calls."""
    whole = contract()
    own_paths, own_schemas = own_calls()
    paths: dict[str, Any] = {}
    for path, item in [*whole["paths"].items(), *own_paths.items()]:
        served = _served_methods(path)
        kept = {name: value for name, value in item.items() if name in served or name not in METHODS}
        if any(name in METHODS for name in kept):
            paths[path] = kept
    parts = whole["components"]
    return {**whole, "paths": paths, "components": {**parts, "schemas": {**parts["schemas"], **own_schemas}}}


def _named(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    _hash, _components, kind, name = node["$ref"].split("/")
    found: dict[str, Any] = contract()["components"][kind][name]
    return found


def operations() -> Iterator[Operation]:
    """The served operations in the order of the contract."""
    for path, item in served_document()["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            call = item[method]
            parameters = tuple(_named(part) for part in [*item.get("parameters", []), *call.get("parameters", [])])
            answers = tuple((code, _named(node).get("description", "")) for code, node in call["responses"].items())
            yield Operation(
                method=method.upper(),
                path=path,
                summary=call.get("summary", call.get("operationId", "")),
                description=call.get("description", ""),
                tag=(call.get("tags") or ["API"])[0],
                parameters=parameters,
                answers=answers,
                scope=str(call.get("x-scope", "")),
                key=f"{method}-{re.sub(r'[^a-z0-9]+', '-', path.lower()).strip('-')}",
            )
