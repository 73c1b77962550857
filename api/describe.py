"""What one call says of itself in the document: taken from its view, so that it cannot differ from what is served.

The contract (or, for calls it does not know, :mod:`api.own_calls`) gives words and schemas; rights, parameters, names
of filters and orders, what can be embedded and the statuses of refusals come from the view's own declarations.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from api.base import ApiView
from api.listing import IncludingView, ListView
from clients.scopes import Right, Scope, Switch

JSON = "application/json"
PAGING = ("pageIndex", "pageSize", "cursor", "count")
HEADERS = ("XApiVersion", "XRequestId")
SWITCHES = {
    Switch.PRICING: "prices of subscriptions",
    Switch.SYNCHRONIZATION: "synchronization of subscriptions",
    Switch.USAGES: "usages",
    Switch.CUSTOM_FIELDS: "changing custom fields of subscriptions",
}
REFUSALS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Gone",
    412: "PreconditionFailed",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    500: "ServerError",
    503: "Unavailable",
}


@dataclass(frozen=True)
class OwnCall:
    """A call of ours that the contract does not know; schemas by name or as nodes, ``None`` for no body."""

    path: str
    method: str
    key: str
    tag: str
    summary: str
    answer: str | dict[str, Any] | None
    status: int = 200
    description: str = ""
    body: str | dict[str, Any] | None = None
    parameters: tuple[dict[str, Any], ...] = ()
    headers: tuple[str, ...] = ()
    is_repeatable: bool = True
    refusals: tuple[int, ...] = field(default=())


def schema(name: str | dict[str, Any]) -> dict[str, Any]:
    """The node of a schema's name."""
    return {"$ref": f"#/components/schemas/{name}"} if isinstance(name, str) else name


def array_of(name: str) -> dict[str, Any]:
    """A bare array."""
    return {"type": "array", "items": schema(name)}


def _part(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}


def path_parameters(path: str) -> list[dict[str, Any]]:
    """The parameters of a path: accounts, countries and external systems are numbers, everything else is a GUID."""
    numbers = ("accountId", "countryId", "systemId")
    found: list[dict[str, Any]] = []
    for name in re.findall(r"\{(\w+)\}", path):
        kind = {"type": "integer", "format": "int32"} if name in numbers else {"type": "string", "format": "uuid"}
        found.append({"name": name, "in": "path", "schema": kind, "required": True})
    return found


def own_operation(call: OwnCall) -> dict[str, Any]:
    """A call of ours in the contract's form, before its view adds what the view knows."""
    operation: dict[str, Any] = {
        "tags": [call.tag],
        "operationId": call.key,
        "summary": call.summary,
        "x-origin": "ours",
        "parameters": [*path_parameters(call.path), *call.parameters],
    }
    if call.description:
        operation["description"] = call.description
    writes = call.method not in ("get", "delete")
    if writes and call.is_repeatable:
        operation["parameters"].append(_part("parameters", "IdempotencyKey"))
    if call.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema(call.body)}}}
    answer: dict[str, Any] = {"description": "Done."}
    if call.answer is not None:
        answer["content"] = {JSON: {"schema": schema(call.answer)}}
    if call.headers:
        answer["headers"] = {name: {"schema": {"type": "string"}} for name in call.headers}
    statuses = {400, 401, 403, 429, 500, 503, *call.refusals}
    statuses |= {404} if "{" in call.path else set()
    statuses |= {409} if writes and call.is_repeatable else set()
    statuses |= {415} if call.body is not None else set()
    operation["responses"] = {str(call.status): answer} | {
        str(status): _part("responses", REFUSALS[status]) for status in sorted(statuses)
    }
    return operation


def who_may(right: Right, *, staff: bool) -> str:
    """Who may call, in one sentence; resellers are told of themselves alone."""
    if not is_for_resellers(right):
        return "For the distributor's programs only."
    plans = "Standard plan" if right.writes else "Free and Standard plans"
    opened = f", once the distributor has opened {SWITCHES[right.switch]} to resellers" if right.switch else ""
    others = "For the distributor's programs, and for resellers on" if staff else "Open to resellers on"
    return f"{others} the {plans}{opened}."


def rights_of(right: Right) -> dict[str, Any]:
    """The same for programs."""
    editions = [] if right.staff_only else ["Standard"] if right.writes else ["Free", "Standard"]
    return {"scope": right.scope.value, "resellerEditions": editions, "switch": right.switch}


def described(view: type[ApiView], method: str, known: dict[str, Any], *, staff: bool) -> dict[str, Any]:
    """The operation with everything its view declares; ``staff`` is False in the resellers' document."""
    right = view.rights[method.upper()]
    words = [known.get("description", ""), who_may(right, staff=staff)]
    operation = {**known, "parameters": list(known.get("parameters", []))}
    operation["security"] = [{"bss_auth": [right.scope.value]}, {"access_token": []}]
    operation["x-rights"] = rights_of(right)
    if method == "get" and issubclass(view, IncludingView):
        operation["parameters"] = _with_includes(view, operation["parameters"], staff=staff)
    if method == "get" and issubclass(view, ListView):
        words += _lists(view, operation, staff=staff)
    operation["description"] = "\n\n".join(word for word in words if word)
    return operation


def _with_includes(view: type[IncludingView], parameters: list[dict[str, Any]], *, staff: bool) -> list[dict[str, Any]]:
    names = [name for name, (right, _add) in view.includes.items() if staff or is_for_resellers(right)]
    if not names:
        return parameters
    told = {
        "name": "include",
        "in": "query",
        "description": f"Members to embed, separated by commas: {', '.join(names)}.",
        "schema": {"type": "string"},
        "x-include-names": names,
    }
    kept = [item for item in parameters if item != _part("parameters", "include")]
    return [*kept, told]


def _lists(view: type[ListView], operation: dict[str, Any], *, staff: bool) -> list[str]:
    """Paging, and the names that this list is filtered and ordered by."""
    options = view.query_options
    wanted = [*PAGING, *(["filter"] if "$filter" in options else [])]
    for name in wanted:
        if _part("parameters", name) not in operation["parameters"]:
            operation["parameters"].append(_part("parameters", name))
    orders = [_part("parameters", name) for name in ("orderBy", "orderby")]
    if "$orderby" in options and not any(item in operation["parameters"] for item in orders):
        operation["parameters"].append(orders[0])
    if "$filter" not in options:
        return []
    filters, ordering = view.columns.names(staff=staff), view.columns.names(staff=staff, orders=True)
    operation["x-filter-fields"], operation["x-orderby-fields"] = filters, ordering
    return [f"`$filter` knows: {', '.join(filters)}.", f"`$orderBy` knows: {', '.join(ordering)}."]


def is_for_resellers(right: Right) -> bool:
    """Whether a reseller can ever have the right."""
    return not right.staff_only and right.scope != Scope.COST_READ
