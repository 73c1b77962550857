"""The OpenAPI document of what is served, made from the declared views; ``docs/openapi.json`` is kept equal to it.

There are two readers: the distributor's programs, who are told everything, and resellers, who are told what they can
call and read. Schemas are taken by name from the contract and, for calls it does not know, from the files beside it.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.urls import URLPattern, get_resolver

from api.base import ApiView
from api.contract import contract, own_calls
from api.describe import described, is_for_resellers
from api.errors import JSON, TYPES
from api.links import add_links
from clients.scopes import Scope

METHODS = ("get", "post", "put", "patch", "delete")
COMMITTED = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"
EXAMPLES = Path(__file__).parent / "data" / "examples.json"
MISSING = "404"
ERROR_PAGE = "https://bss.example.com/apidocs/errors#"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - an address
INTRODUCTION = """Fetch an access token with key and secret of an API client, then call with it.

The names of paths, of the query and of request bodies match without regard to case. Lists are paged, filtered by
`$filter` and ordered by `$orderBy`. A write with an `Idempotency-Key` is safe to repeat. Amounts are exact decimals.

`x-origin`: *compatible* (also where nothing is marked) = as in interworks.cloud v3; *inferred* = expected there, with a
name, place or type of our conclusion; *ours* = added here."""
TOKEN_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An access token that POST /oauth/token gave.",
}
FLOWS = ("clientCredentials", "password")


def shape(path: str) -> str:
    """A path by which addresses and the contract's paths are compared: small letters, parameters without names."""
    return "/" + re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path).lower().strip("/")


def served_views() -> Iterator[tuple[str, type[ApiView]]]:
    """Every address of the API, as :func:`shape` writes it, and the view that answers there."""
    for item in get_resolver("api.urls").url_patterns:
        view = getattr(item.callback, "view_class", None) if isinstance(item, URLPattern) else None
        view = view or getattr(getattr(item, "callback", None), "cls", None)
        if isinstance(view, type) and issubclass(view, ApiView):
            yield shape(str(item.pattern)), view


@cache
def known_operations() -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """Path and operation, of the contract or of our own, by (shape of the path, method)."""
    found: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for path, item in {**contract()["paths"], **own_calls()[0]}.items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                call = {**item[method], "parameters": [*shared, *item[method].get("parameters", [])]}
                found[shape(path), method] = path, call
    return found


class Undescribed(LookupError):
    """A call is served that neither the contract nor a file beside it describes."""


@cache
def _document(staff: bool) -> dict[str, Any]:
    whole = copy.deepcopy(contract())
    paths: dict[str, Any] = {}
    known = known_operations()
    for where, view in served_views():
        for name, right in view.rights.items():
            method = name.lower()
            if (where, method) not in known:
                raise Undescribed(f"{name} {where}")
            path, call = known[where, method]
            if staff or is_for_resellers(right):
                paths.setdefault(path, {})[method] = described(view, method, copy.deepcopy(call), staff=staff)
    paths[TOKEN_PATH] = whole["paths"][TOKEN_PATH]
    order = [*contract()["paths"], *own_calls()[0]]
    whole["paths"] = {path: paths[path] for path in order if path in paths}
    whole["servers"] = [{"url": "/"}]
    whole["info"] = {"title": "Subscriptions and Marketplace API", "version": "3.0", "description": INTRODUCTION}
    components = whole["components"]
    components["schemas"] |= copy.deepcopy(own_calls()[1])
    for node in components["schemas"].values():
        if not node.get("required", True):
            del node["required"]  # OpenAPI 3.0 knows no empty list of required members.
    components["securitySchemes"]["access_token"] = TOKEN_SCHEME
    _name_scopes(components["securitySchemes"]["bss_auth"]["flows"], staff=staff)
    tags = [tag for item in whole["paths"].values() for name in METHODS if name in item for tag in item[name]["tags"]]
    whole["tags"] = [{"name": tag} for tag in dict.fromkeys(tags)]
    add_links(whole["paths"])
    _add_examples(whole["paths"])
    if not staff:
        _hide(components["schemas"])
        _hide_examples(whole)
        _drop_unused(whole)
    return whole


def served_document(*, staff: bool = True) -> dict[str, Any]:
    """The document; ``staff`` False is the resellers' one. It is shared and not to be changed."""
    return _document(staff)


def document_text() -> str:
    """The committed file's text."""
    return json.dumps(served_document(), indent=1, ensure_ascii=False) + "\n"


def _name_scopes(flows: dict[str, Any], *, staff: bool) -> None:
    """The scopes there are, from code; resellers have no cost."""
    names = {scope.value: str(scope.label) for scope in Scope if staff or scope != Scope.COST_READ}
    for flow in FLOWS:
        flows[flow]["scopes"] = names


@dataclass(frozen=True)
class ErrorName:
    """A name that ``type`` of an error can carry, its statuses, and the calls that answer with it in particular."""

    name: str
    statuses: tuple[int, ...]
    calls: tuple[str, ...]


def error_names(*, staff: bool = True) -> list[ErrorName]:
    """Every name of an error, in alphabetical order."""
    found: dict[str, tuple[set[int], list[str]]] = {name: ({status}, []) for status, name in TYPES.items()}
    found["BusinessRuleError"] = ({400}, [])
    for item in served_document(staff=staff)["paths"].values():
        for method in METHODS:
            for status, names in item.get(method, {}).get("x-error-types", {}).items():
                for name in names:
                    statuses, calls = found.setdefault(name, (set(), []))
                    statuses.add(int(status))
                    calls.append(item[method]["summary"])
    return [
        ErrorName(name, tuple(sorted(statuses)), tuple(dict.fromkeys(calls)))
        for name, (statuses, calls) in sorted(found.items())
    ]


# --- Examples ---------------------------------------------------------------------------------------------------------
@cache
def examples() -> dict[str, Any]:
    """Real answers, recorded by the tests: by operationId where the contract has no example of success.

    Calls that nothing can answer with success yet are told by what they do answer: ``{operationId} 404``.
    """
    found: dict[str, Any] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return found


def success(call: dict[str, Any]) -> dict[str, Any]:
    """The media type of the answer that is no refusal; empty for one without a body."""
    for status, answer in call["responses"].items():
        if status.startswith("2"):
            found: dict[str, Any] = answer.get("content", {}).get("application/json", {})
            return found
    return {}


def _add_examples(paths: dict[str, Any]) -> None:
    recorded = examples()
    for item in paths.values():
        for method in METHODS:
            media = success(item[method]) if method in item else {}
            if media and "example" not in media and item[method]["operationId"] in recorded:
                media["example"] = recorded[item[method]["operationId"]]
            if method in item and f"{item[method]['operationId']} {MISSING}" in recorded:
                _tell_refusal(item[method], recorded[f"{item[method]['operationId']} {MISSING}"])


def _tell_refusal(call: dict[str, Any], example: dict[str, Any]) -> None:
    """Let the call's own 404 stand in the place of the one that all calls share."""
    shared = contract()["components"]["responses"]["NotFound"]
    answer = call["responses"][MISSING] = copy.deepcopy(shared)
    for kind, media in answer["content"].items():
        name = example["type"] if kind == JSON else ERROR_PAGE + example["type"]
        media["example"] = example | {"type": name}


# --- The resellers' document ------------------------------------------------------------------------------------------
def _is_hidden(member: dict[str, Any]) -> bool:
    return bool(member.get("x-visibility"))


def _hide(schemas: dict[str, Any]) -> None:
    """Leave out members that a reseller never sees."""
    for node in schemas.values():
        members = node.get("properties", {})
        gone = {name for name, member in members.items() if _is_hidden(member)}
        node["properties"] = {name: member for name, member in members.items() if name not in gone}
        if not members:
            del node["properties"]
        node["required"] = [name for name in node.get("required", ()) if name not in gone]
        if not node["required"]:
            del node["required"]


def _hide_examples(whole: dict[str, Any]) -> None:
    """Examples without what the schemas left out."""
    schemas = whole["components"]["schemas"]
    for item in whole["paths"].values():
        for method in METHODS:
            media = success(item[method]) if method in item else {}
            if "example" in media:
                media["example"] = _known_part(media["schema"], media["example"], schemas)


def _known_part(node: dict[str, Any], value: Any, schemas: dict[str, Any]) -> Any:
    while "$ref" in node:
        node = schemas[node["$ref"].rpartition("/")[2]]
    if len(node.get("allOf", ())) == 1:
        return _known_part(node["allOf"][0], value, schemas)
    if isinstance(value, list) and "items" in node:
        return [_known_part(node["items"], item, schemas) for item in value]
    if isinstance(value, dict) and "properties" in node:
        members = node["properties"]
        return {name: _known_part(members[name], item, schemas) for name, item in value.items() if name in members}
    return value


def _drop_unused(whole: dict[str, Any]) -> None:
    """Leave out schemas that nothing refers to any more."""
    schemas = whole["components"]["schemas"]
    others = {**whole, "components": {**whole["components"], "schemas": {}}}
    waiting, used = _references(others), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting |= _references(schemas[name])
    whole["components"]["schemas"] = {name: schemas[name] for name in schemas if name in used}


def _references(node: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(node)))
