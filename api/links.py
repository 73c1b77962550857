"""Links of the document: from a list to one of its objects, and from an object to its parts, for programs to walk."""

import re
from typing import Any

_NEXT = {"get": "200", "post": "201"}


def add_links(paths: dict[str, Any]) -> None:
    """Give each answer the reads that follow from it."""
    for path, item in paths.items():
        for method, status in _NEXT.items():
            answer = item.get(method, {}).get("responses", {}).get(status)
            pointer = _pointer(method, answer) if answer is not None else ""
            found = {}
            for other, target in paths.items():
                rest = other[len(path) :] if other.startswith(path) else ""
                if "get" not in target or not rest:
                    continue
                if re.fullmatch(r"/\{\w+\}", rest) and pointer:
                    found[target["get"]["operationId"]] = _link(target["get"], path, {rest[2:-1]: pointer})
                elif method == "get" and path.endswith("}") and re.fullmatch(r"/\w+", rest):
                    found[target["get"]["operationId"]] = _link(target["get"], path, {})
            if found:
                answer["links"] = found


def _pointer(method: str, answer: dict[str, Any]) -> str:
    """Where the id of an object is in the answer; empty if there is none."""
    node = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if method == "post":
        return "$response.body#/id" if node else ""
    if node.get("type") == "array":
        return "$response.body#/0/id"
    return "$response.body#/data/0/id" if "PagedResultDtoOf" in node.get("$ref", "") else ""


def _link(call: dict[str, Any], path: str, more: dict[str, str]) -> dict[str, Any]:
    known = {name: f"$request.path.{name}" for name in re.findall(r"\{(\w+)\}", path)}
    return {"operationId": call["operationId"], "parameters": known | more}
