"""The control surface ``/_twin/...`` and the page at ``/``: for people, tests and the demo, on loopback only."""

from collections.abc import Callable
from typing import Any

from sandbox.clock import iso, parse_moment, real_now
from sandbox.router import Routes, Vendor
from sandbox.wire import HTML, Request, Response, WireError
from sandbox.world import World

_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Vendor twins</title></head><body>
<h1>Vendor twins</h1>
<p>This process plays the vendors of Cloud BSS for demos, tests and training. Nothing here is real:
no vendor is called, no price is a vendor's, nobody is charged.</p>
<table border="1" cellpadding="6"><caption>Vendors</caption>
<thead><tr><th>Name</th><th>Address</th><th>Calls</th></tr></thead>
<tbody>{rows}</tbody></table>
<p>The vendors' clock says {now}. Control surface: <a href="/_twin/health">health</a>,
<a href="/_twin/operations">operations</a>, <a href="/_twin/journal?limit=50">journal</a>,
<a href="/_twin/faults">faults</a>, <a href="/_twin/clock">clock</a>.</p>
</body></html>
"""


def refuse(status: int, message: str) -> WireError:
    """A refusal of the control surface."""
    return WireError(status, {"error": message})


class Control:
    """The calls below ``/_twin``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.routes = Routes()
        calls: list[tuple[str, str, Callable[[Request], Response]]] = [
            ("GET", "/", self.page),
            ("GET", "/_twin/health", self.health),
            ("GET", "/_twin/credentials", self.credentials),
            ("GET", "/_twin/operations", self.operations),
            ("GET", "/_twin/state/{vendor}", self.state),
            ("GET", "/_twin/journal", self.journal),
            ("GET", "/_twin/faults", self.list_faults),
            ("POST", "/_twin/faults", self.add_fault),
            ("DELETE", "/_twin/faults", self.clear_faults),
            ("DELETE", "/_twin/faults/{fault}", self.delete_fault),
            ("GET", "/_twin/clock", self.clock),
            ("POST", "/_twin/clock", self.move_clock),
            ("POST", "/_twin/drift", self.drift),
            ("POST", "/_twin/reset", self.reset),
            ("GET", "/_twin/relationships", self.relationships),
            ("POST", "/_twin/relationships/{relationship}/{action}", self.answer_relationship),
            ("POST", "/_twin/certificates", self.add_certificate),
            ("GET", "/_twin/elsewhere", self.elsewhere),
            ("GET", "/_twin/names", world.names.list),
            ("POST", "/_twin/names", world.names.put),
            ("DELETE", "/_twin/names", world.names.clear),
        ]
        for vendor in world.vendors:
            calls += [(method, f"/_twin{path}", handler) for method, path, handler in vendor.controls()]
        for method, path, handler in calls:
            self.routes.add(method, path, path, handler)

    def answer(self, request: Request) -> Response:
        """The answer to a call; called inside the lock. Raises ``WireError``."""
        host = request.base_url.partition("://")[2].rpartition(":")[0] or request.base_url.partition("://")[2]
        if host.lower() not in _LOCAL_NAMES:
            raise refuse(403, "The control surface answers to loopback names only.")
        method = "GET" if request.method == "HEAD" else request.method
        found = self.routes.match(method, request.path)
        if found is None:
            allowed = self.routes.methods(request.path)
            if allowed:
                raise WireError(405, {"error": "This method is not known here."}, {"Allow": ", ".join(allowed)})
            raise refuse(404, "Nothing is here. See / for what there is.")
        route, request.params = found
        return route.handler(request)

    def page(self, request: Request) -> Response:
        """What this is, for a person."""
        rows = "".join(
            f"<tr><td>{vendor.name}</td><td>{vendor.prefix}</td><td>{len(vendor.operations())}</td></tr>"
            for vendor in self.world.vendors
        )
        return Response(200, _PAGE.format(rows=rows, now=iso(request.now)), content_type=HTML)

    def health(self, request: Request) -> Response:
        """Alive, and what the clock says."""
        names = [vendor.name for vendor in self.world.vendors]
        return Response(200, {"status": "ok", "now": iso(request.now), "vendors": names})

    def credentials(self, request: Request) -> Response:
        """The demo partner's application, with a fresh refresh token on each call."""
        return Response(200, self._credentials(), {"Cache-Control": "no-store"})

    def _credentials(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.login.demo_credentials()
        for vendor in self.world.vendors:
            answer |= vendor.credentials()
        return answer

    def operations(self, request: Request) -> Response:
        """All operations by vendor, with their calls and the kinds of faults."""
        answer = {
            vendor.name: {
                "operations": vendor.operations(),
                "fault_kinds": sorted(self.world.faults.kinds(vendor)),
                "calls": [
                    {
                        "operation": route.operation,
                        "method": route.method,
                        "path": vendor.prefix + route.pattern,
                        "write": route.write,
                        "token": route.token,
                    }
                    for route in vendor.routes
                ],
            }
            for vendor in self.world.vendors
        }
        return Response(200, answer)

    def state(self, request: Request) -> Response:
        """Everything that exists at a vendor; sign-in keeps its own to itself."""
        vendor = self._vendor(request.params["vendor"])
        if vendor.name == "login":
            raise refuse(404, "The sign-in service shows no state.")
        vendor.tick(request.now)
        shown = vendor.public_state()
        if shown is None:
            tables = self.world.state.dump(vendor.name)
            shown = {name: list(rows.values()) for name, rows in tables.items() if not name.startswith("_")}
        return Response(200, shown)

    def journal(self, request: Request) -> Response:
        """The requests received; see ``Journal.find`` for the filters."""
        try:
            entries = self.world.journal.find(request.query)
        except ValueError as error:
            raise refuse(400, str(error)) from error
        return Response(200, {"entries": entries, "last": self.world.journal.number})

    def list_faults(self, request: Request) -> Response:
        """The faults that are on."""
        return Response(200, {"faults": self.world.faults.values()})

    def add_fault(self, request: Request) -> Response:
        """Switch one fault on, or a list of them."""
        given = request.json()
        specs = given if isinstance(given, list) else [given]
        vendors = {vendor.name: vendor for vendor in self.world.vendors}
        try:
            added = [self.world.faults.add(spec, vendors) for spec in specs]
        except (ValueError, TypeError, AttributeError) as error:
            raise refuse(400, str(error)) from error
        return Response(201, added if isinstance(given, list) else added[0])

    def clear_faults(self, request: Request) -> Response:
        """All faults off."""
        self.world.faults.clear()
        return Response(200, {"faults": []})

    def delete_fault(self, request: Request) -> Response:
        """One fault off."""
        if not self.world.faults.delete(request.params["fault"]):
            raise refuse(404, "There is no such fault.")
        return Response(200, {"faults": self.world.faults.values()})

    def clock(self, request: Request) -> Response:
        """The vendors' clock."""
        offset = self.world.clock.offset.total_seconds()
        return Response(200, {"now": iso(self.world.clock.now()), "real": iso(real_now()), "offset_seconds": offset})

    def move_clock(self, request: Request) -> Response:
        """Set the clock (``now``) or move it (``advance``, an ISO 8601 duration); what time drives happens at once."""
        spec = request.json()
        if not isinstance(spec, dict) or not (spec.get("now") or spec.get("advance")):
            raise refuse(400, "Give 'now' (a moment) or 'advance' (a duration such as P1D).")
        try:
            if spec.get("now"):
                self.world.clock.set(parse_moment(str(spec["now"])))
            if spec.get("advance"):
                self.world.clock.advance(str(spec["advance"]))
        except (ValueError, OverflowError) as error:
            raise refuse(400, str(error)) from error
        for vendor in self.world.vendors:
            vendor.tick(self.world.clock.now())
        return self.clock(request)

    def drift(self, request: Request) -> Response:
        """Change objects of a vendor behind the product's back."""
        spec = request.json()
        if not isinstance(spec, dict):
            raise refuse(400, "Give an object with 'vendor', 'count' and 'kinds'.")
        vendor = self._vendor(str(spec.get("vendor") or "partner_center"))
        try:
            return Response(200, vendor.drift(spec))
        except (ValueError, TypeError) as error:
            raise refuse(400, str(error)) from error

    def reset(self, request: Request) -> Response:
        """Empty vendors, seeded catalogue, faults off, real clock; the refresh token is issued anew."""
        vendor = request.query.get("vendor")
        if vendor:
            self._vendor(vendor)
        self.world.reset(vendor)
        return Response(200, {"status": "ok", "credentials": self._credentials()})

    def relationships(self, request: Request) -> Response:
        """The relationship requests that wait for a customer's answer, and the answered ones."""
        return Response(200, self._vendor("partner_center").relationships({"action": "list"}))

    def answer_relationship(self, request: Request) -> Response:
        """Play the customer: ``accept`` or ``decline``; a body may say more."""
        action = request.params["action"].lower()
        if action not in ("accept", "decline"):
            raise refuse(404, "A customer accepts or declines.")
        extra = request.json() if request.body else {}
        spec = {**extra, "action": action, "id": request.params["relationship"]}
        return Response(200, self._vendor("partner_center").relationships(spec))

    def add_certificate(self, request: Request) -> Response:
        """Register a certificate (PEM) for an application, so that it may sign assertions."""
        spec = request.json()
        try:
            answer = self.world.login.add_certificate(
                str(spec["certificate"]), str(spec.get("client_id") or self.world.login.client_id)
            )
        except (ValueError, KeyError, TypeError) as error:
            raise refuse(400, f"Give 'certificate' as PEM and a known 'client_id': {error}") from error
        return Response(201, answer)

    def elsewhere(self, request: Request) -> Response:
        """Where the fault ``redirect`` points to: nobody should come here."""
        return Response(200, {"error": "A redirect was followed."})

    def _vendor(self, name: str) -> Vendor:
        found = self.world.vendor(name)
        if found is None:
            raise refuse(404, f"There is no vendor {name}.")
        return found
