"""Validates answers against the contract: closed (no member it does not know), required never null, words and formats.

A validator for the part of OpenAPI 3.0 that the contract uses, so that the test needs no library.
"""

import json
import re
import uuid
from typing import Any

from api.contract import contract, own_calls
from api.document import served_document

MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references and ``allOf``."""
    is_nullable = node.get("nullable", False)
    while "$ref" in node:
        node = served_document()["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    if "allOf" in node:
        merged: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for part in node["allOf"]:
            found = resolved(part)
            merged = {**merged, **{k: v for k, v in found.items() if k not in ("properties", "required")}}
            merged["properties"] = {**merged.get("properties", {}), **found.get("properties", {})}
            merged["required"] = [*merged.get("required", []), *found.get("required", [])]
        if not merged["properties"]:
            del merged["properties"]
        node = merged
    return {**node, "nullable": True} if is_nullable else node


def faults(
    node: dict[str, Any], value: Any, where: str = "", *, reseller: bool = False, compatible: bool = False
) -> list[str]:
    """What is wrong with ``value`` as this schema; for a reseller also members he must not see."""
    schema = resolved(node)
    more = {"reseller": reseller, "compatible": compatible}
    if value is None:
        return [] if schema.get("nullable") else [f"{where}: null"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is no word of {schema['enum']}"]
    kind = schema.get("type")
    if kind == "array":
        if not isinstance(value, list):
            return [f"{where}: no array"]
        return [f for i, item in enumerate(value) for f in faults(schema["items"], item, f"{where}/{i}", **more)]
    if kind == "object" or "properties" in schema:
        return _object_faults(schema, value, where, reseller=reseller, compatible=compatible)
    return _plain_faults(schema, value, where)


def _object_faults(schema: dict[str, Any], value: Any, where: str, *, reseller: bool, compatible: bool) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: no object"]
    known = schema.get("properties")
    if known is None:
        return []
    found = [f"{where}/{name}: missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        if name not in known:
            found.append(f"{where}/{name}: unknown")
            continue
        member = known[name]
        if reseller and (member.get("x-visibility") == "distributor" or "cost:read" in str(member.get("x-visibility"))):
            found.append(f"{where}/{name}: not for resellers")
        if compatible and member.get("x-origin") == "ours":
            found.append(f"{where}/{name}: ours")
        found += faults(member, item, f"{where}/{name}", reseller=reseller, compatible=compatible)
    return found


def _plain_faults(schema: dict[str, Any], value: Any, where: str) -> list[str]:
    kind, form = schema.get("type"), schema.get("format")
    right = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if kind in right and not right[str(kind)]:
        return [f"{where}: {value!r} is no {kind}"]
    if form == "uuid" and str(uuid.UUID(value)) != value:
        return [f"{where}: {value!r} is no GUID in lower case"]
    if form == "date-time" and not MOMENT.match(value):
        return [f"{where}: {value!r} is no moment"]
    if form == "int32" and not -(2**31) <= value < 2**31:
        return [f"{where}: {value!r} is no int32"]
    return []


def schema_of(operation_path: str, status: int, method: str = "get") -> dict[str, Any]:
    """The schema of an answer of the contract; empty for one without a body."""
    known = contract()["paths"] | own_calls()[0]
    paths = {path.lower(): path for path in known}
    answer = known[paths[operation_path.lower()]][method]["responses"][str(status)]
    while "$ref" in answer:
        answer = contract()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content: dict[str, Any] = answer.get("content", {})
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema


def check(response: Any, path: str, *, method: str = "get", reseller: bool = False, compatible: bool = False) -> Any:
    """The body of an answer that is as the contract says; ``path`` is the contract's."""
    schema = schema_of(path, response.status_code, method)
    body = json.loads(response.content) if response.content else None
    if not schema:
        assert body is None, body
        return None
    found = faults(schema, body, reseller=reseller, compatible=compatible)
    assert not found, found
    return body
