"""What one call says of itself in the document: taken from its view, so that it cannot differ from what is served.

The contract (or, for calls it does not know, a file beside it) gives words and schemas; rights, parameters, names
of filters and orders, what can be embedded and the statuses of refusals come from the view's own declarations.
"""

from typing import Any

from api.base import ApiView
from api.listing import IncludingView, ListView
from clients.scopes import Right, Scope, Switch

PAGING = ("pageIndex", "pageSize", "cursor", "count")
SWITCHES = {
    Switch.PRICING: "prices of subscriptions",
    Switch.SYNCHRONIZATION: "synchronization of subscriptions",
    Switch.USAGES: "usages",
    Switch.CUSTOM_FIELDS: "changing custom fields of subscriptions",
}


def _part(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}


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
    if staff:
        words.append(view.staff_remarks.get(method.upper(), ""))
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
    every = "customFields/*"  # Every custom field that is a search criterion, by its code.
    if every in operation.get("x-filter-fields", ()) and view.entity:
        filters.append(every)
    operation["x-filter-fields"], operation["x-orderby-fields"] = filters, ordering
    return [f"`$filter` knows: {', '.join(filters)}.", f"`$orderBy` knows: {', '.join(ordering)}."]


def is_for_resellers(right: Right) -> bool:
    """Whether a reseller can ever have the right."""
    return not right.staff_only and right.scope != Scope.COST_READ
