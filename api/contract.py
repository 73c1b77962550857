"""The contract, read once: which members of which schema are ours, and so left out for callers who want older ones.

``data/contract.json`` is the agreed OpenAPI document of version 3, kept word for word; answers are tested against it.
What we serve besides stands in files of its own beside it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "data" / "contract.json"


@cache
def contract() -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return document


@cache
def own_calls() -> tuple[dict[str, Any], dict[str, Any]]:
    """Paths and schemas of our own calls outside the contract, which the served document has besides."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for file in sorted(FILE.parent.glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        if file != FILE and "paths" in document:
            paths |= document["paths"]
            schemas |= document["components"]["schemas"]
    return paths, schemas


@cache
def known_members() -> dict[str, str]:
    """Every member name of the contract by lower case: what a body may carry without being unknown."""
    schemas = contract()["components"]["schemas"].values()
    return {name.lower(): name for schema in schemas for name in schema.get("properties", {})}


@cache
def known_options() -> frozenset[str]:
    """Every name of the query that any call knows, in lower case; what has other names is passed over."""
    shared = contract()["components"]["parameters"]
    found = set()
    for item in [*contract()["paths"].values(), *own_calls()[0].values()]:
        for call in item.values():
            for part in call.get("parameters", ()) if isinstance(call, dict) else ():
                part = shared[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
                found |= {part["name"].lower()} if part["in"] == "query" else set()
    return frozenset(found)


def _schema_of(node: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference."""
    while "$ref" in node:
        node = contract()["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    parts = node.get("allOf")
    if parts:
        merged = dict(node)
        merged["properties"] = {k: v for part in parts for k, v in _schema_of(part).get("properties", {}).items()}
        return merged
    return node


def without_ours(schema: str, value: Any) -> Any:
    """``value`` without the members that the contract marks as ours; ``schema`` names what it is."""
    return _stripped({"$ref": f"#/components/schemas/{schema}"}, value) if schema else value


def _stripped(node: dict[str, Any], value: Any) -> Any:
    known = _schema_of(node)
    if isinstance(value, list):
        return [_stripped(known.get("items", node), item) for item in value]
    if not isinstance(value, dict):
        return value
    members: dict[str, Any] = known.get("properties", {})
    return {
        name: _stripped(members[name], item) if name in members else item
        for name, item in value.items()
        if members.get(name, {}).get("x-origin") != "ours"
    }
