"""Routes of a vendor and what a vendor is."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

from sandbox.wire import Request, Response

Handler = Callable[[Request], Response]
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Route:
    """One call: method, pattern below the vendor's prefix, the operation it is known by, and what it needs.

    ``write`` says that it can have an effect; ``token`` is ``none``, ``app_or_user`` or ``user``.
    """

    method: str
    pattern: str
    operation: str
    handler: Handler
    write: bool
    token: str
    expression: re.Pattern[str]


class Routes:
    """The calls of one vendor; fixed parts of a path match in either case, a fixed path before one with parameters."""

    def __init__(self) -> None:
        self._by_shape: dict[tuple[str, int], list[Route]] = {}
        self._all: list[Route] = []

    def add(
        self,
        method: str,
        pattern: str,
        operation: str,
        handler: Handler,
        *,
        write: bool = False,
        token: str = "app_or_user",  # noqa: S107 - The kind of token, not one.
    ) -> None:
        """Add a call. A parameter never crosses a slash; it may stand inside a segment: ``items({id})``."""
        expression = re.compile(
            "".join(
                f"(?P<{part}>[^/]+?)" if index % 2 else re.escape(part)
                for index, part in enumerate(_PARAMETER.split(pattern.rstrip("/")))
            )
            + "/?$",
            re.IGNORECASE,
        )
        route = Route(method.upper(), pattern, operation, handler, write, token, expression)
        self._all.append(route)
        shape = self._by_shape.setdefault((route.method, pattern.rstrip("/").count("/")), [])
        shape.append(route)
        # Stable order: what has fewer parameters is more exact and is tried first.
        shape.sort(key=lambda item: len(_PARAMETER.findall(item.pattern)))

    def match(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The call that a still encoded path means, with its decoded parameters."""
        path = raw_path.rstrip("/")
        for route in self._by_shape.get((method, path.count("/")), ()):
            found = route.expression.match(path)
            if found:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None

    def methods(self, raw_path: str) -> list[str]:
        """The methods that a path knows."""
        return sorted({route.method for route in self._all if route.expression.match(raw_path.rstrip("/"))})

    def __iter__(self) -> Iterator[Route]:
        return iter(self._all)

    def operations(self) -> list[str]:
        """The names of all calls, each once."""
        return list(dict.fromkeys(route.operation for route in self._all))


class Vendor(Protocol):
    """What a vendor's twin is; derive from it and override what differs.

    ``name`` is the word in ``/_twin/state/{vendor}``; ``prefix`` begins all its paths; ``fault_kinds`` are the kinds of
    faults it knows beside the general ones.
    """

    name: str
    prefix: str = ""
    routes: Routes
    fault_kinds: frozenset[str] = frozenset()

    def seed(self) -> None:
        """Fill empty tables; called at start and after a reset."""
        return None

    def check(self, request: Request, route: Route) -> None:
        """Refuse what the token does not allow (``WireError``); sets ``request.claims``."""
        return None

    def around(self, request: Request, route: Route, handle: Callable[[], Response]) -> Response:
        """Handle a call with what all calls have in common: repeats, headers. Called inside the lock."""
        return handle()

    def answer_unknown(self, request: Request) -> Response:
        """The answer to a path that the vendor does not know."""
        return Response(404, {"error": "not_found"})

    def answer_failure(self, request: Request) -> Response:
        """The answer to an unexpected failure, and to the faults ``http_500_before`` and ``http_500_after``."""
        return Response(500, {"code": 0, "description": "An internal error occurred.", "data": []})

    def answer_refused(self, request: Request, status: int, message: str) -> Response | None:
        """Its answer under the faults ``auth_401`` and ``http_429``; ``None`` takes the general one."""
        return None

    def fault(
        self, kind: str, fault: Mapping[str, Any], request: Request, handle: Callable[[], Response]
    ) -> Response | None:
        """The answer under a fault of the vendor's own kinds; ``None`` if the kind is not its own."""
        return None

    def drift(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Change objects behind the product's back; returns what was changed."""
        return {"changed": []}

    def tick(self, now: dt.datetime) -> None:
        """The life cycle that time drives; called before each request and after a move of the clock."""
        return None

    def operation(self, request: Request, route: Route) -> str:
        """The name of a call, where one path serves several; ``name:part`` is also matched by ``name``."""
        return route.operation

    def operations(self) -> list[str]:
        """The names of all calls."""
        return self.routes.operations()

    def client_reference(self, request: Request) -> str:
        """The caller's own id of the operation, as the journal keeps it."""
        return request.headers.get("ms-correlationid", "")

    def public_state(self) -> dict[str, list[dict[str, Any]]] | None:
        """What ``/_twin/state`` shows: lists of objects by kind; ``None`` shows all tables as they are."""
        return None

    def credentials(self) -> dict[str, Any]:
        """What ``/_twin/credentials`` shows beside the demo partner's application."""
        return {}

    def controls(self) -> list[tuple[str, str, Handler]]:
        """Calls of the control surface that only this vendor has: method, path below ``/_twin``, handler."""
        return []

    def relationships(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """``{"action": "list"}`` or ``{"action": "accept"|"decline", "id"}``: plays the customer."""
        return {"relationships": []}

    def knows_tenant(self, tenant: str) -> bool:
        """Whether a customer's tenant exists here, so that tokens can be asked of it."""
        return False
