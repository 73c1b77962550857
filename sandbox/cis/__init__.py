"""The twin of Microsoft CIS, which sells ESD licences: paths below ``/cis``, tokens of ``/login`` (``esd.md`` 10)."""

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from sandbox.cis.answers import lowered, problem, reference
from sandbox.cis.control import Controls, client_row, licence_row
from sandbox.cis.desk import NAME, PREFIX, Desk, Row
from sandbox.cis.drift import Drift
from sandbox.cis.faults import KINDS, CisFaults
from sandbox.cis.licences import LicenceCalls
from sandbox.cis.pages import PAGE_SIZE, CatalogueCalls
from sandbox.cis.purchases import PurchaseCalls
from sandbox.login import ESD, ESD_SANDBOX
from sandbox.router import Handler, Route, Routes, Vendor
from sandbox.seed import esd
from sandbox.wire import Request, Response, WireError, response_of
from sandbox.world import World

RESOURCES = (ESD_SANDBOX, ESD)
REALM = 'Bearer realm="esd.channelinclusion.microsoft.com"'


class Cis(Vendor):
    """Microsoft CIS for the distributors of :data:`sandbox.seed.esd.CLIENTS`."""

    name = NAME
    prefix = PREFIX
    fault_kinds = KINDS

    def __init__(self, world: World, page_size: int = 0) -> None:
        self.world = world
        self.desk = Desk(world)
        self.routes = Routes()
        size = page_size or int(os.environ.get("SANDBOX_CIS_PAGE_SIZE") or PAGE_SIZE)
        self.pages = CatalogueCalls(self.desk, size)
        self._faults = CisFaults(self.desk)
        self._drift = Drift(self.desk)
        self._controls = Controls(self.desk, self.pages)
        for part in (self.pages, PurchaseCalls(self.desk), LicenceCalls(self.desk)):
            # The service is at /cis/v3_1/ and, for who leaves the version out, at /cis/.
            part.add_to(self.routes, "/v3_1")
            part.add_to(self.routes, "")

    def seed(self) -> None:
        """The clients' applications at the sign-in service; the catalogue is computed."""
        for client in esd.CLIENTS:
            name = f"ESD distributor {client.country} (demo)"
            tenants = (esd.TENANT, *esd.KNOWN_DOMAINS)
            self.world.login.add_application(client.client_id, name, tenants=tenants, resources=RESOURCES)
        self.desk.begin()

    def knows_tenant(self, tenant: str) -> bool:
        """Whether it is the tenant that issues tokens for CIS."""
        return tenant.lower() in (esd.TENANT, *esd.KNOWN_DOMAINS)

    def check(self, request: Request, route: Route) -> None:
        """The token must be for this service."""
        try:
            request.claims = self.world.login.verify(request.bearer(), audience=RESOURCES)
        except WireError as error:
            refused = problem("Unauthorized", str(error.body["description"]))
            raise WireError(401, refused.body, {"WWW-Authenticate": REALM}) from error

    def around(self, request: Request, route: Route, handle: Callable[[], Response]) -> Response:
        """Every answer carries the caller's id and the service's own."""
        try:
            answer = handle()
        except WireError as error:
            answer = response_of(error)
        given = request.headers.get("client-request-id")
        answer.headers |= {"request-id": str(uuid4()), **({"client-request-id": given} if given else {})}
        if "ETag" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
        return answer

    def answer_unknown(self, request: Request) -> Response:
        """Paths that CIS does not know."""
        return response_of(problem("NotFound", f"{request.method} {request.path} is not known."))

    def answer_failure(self, request: Request) -> Response:
        """An unexpected failure."""
        return response_of(problem("InternalError", "An internal error occurred.", status=500))

    def answer_refused(self, request: Request, status: int, message: str) -> Response:
        """Its shape for a token that is no good, and for too many calls."""
        answer = response_of(problem("Unauthorized" if status == 401 else "TooManyRequests", message, status=status))
        if status == 401:
            answer.headers["WWW-Authenticate"] = REALM
        return answer

    def client_reference(self, request: Request) -> str:
        """The caller's ClientTransactionId, of the body or of the path; else its id for logs."""
        if request.method == "POST" and request.body:
            try:
                found = reference(lowered(json.loads(request.body)))
            except (ValueError, AttributeError):
                found = None
            if found:
                return found.lower()
        return request.params.get("transaction", "").lower() or request.headers.get("client-request-id", "")

    def fault(
        self, kind: str, fault: Mapping[str, Any], request: Request, handle: Callable[[], Response]
    ) -> Response | None:
        """The vendor's own kinds of faults."""
        return self._faults.answer(kind, fault, request, handle)

    def drift(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Change objects behind the product's back."""
        return self._drift.run(spec)

    def tick(self, now: dt.datetime) -> None:
        """Pending purchases that are due are decided."""
        self.desk.tick(now)

    def controls(self) -> list[tuple[str, str, Handler]]:
        """Certificates, catalogue, stock, pending purchases, the end customer."""
        return self._controls.calls()

    def credentials(self) -> dict[str, Any]:
        """What an instance's settings need; the certificate is the operator's own."""
        return {
            "cis": {
                "tenant_id": esd.TENANT,
                "tenant_domain": esd.TENANT_DOMAIN,
                "resource": f"{ESD_SANDBOX}/",
                "service_path": f"{PREFIX}/v3_1/",
                "clients": [client_row(client) for client in esd.CLIENTS],
            }
        }

    def public_state(self) -> dict[str, list[dict[str, Any]]]:
        """Licences, orders and returns, each with our ClientTransactionId; no token."""
        rows = self.desk.transactions.values()
        return {
            "licences": [licence_row(row) for row in self.desk.licences.values()],
            "orders": [_transaction_row("order", row) for row in rows if row["Kind"] == "purchase"],
            "returns": [_transaction_row("return", row) for row in rows if row["Kind"] == "return"],
            "out_of_stock": self.desk.stock.values(),
        }


def _transaction_row(kind: str, row: Row) -> dict[str, Any]:
    return {
        "id": row["ServiceTransactionId"],
        "kind": kind,
        "status": row["State"],
        "quantity": 1,
        "client_reference": row["_ref"],
        "created": row["_created"],
        **{name: value for name, value in row.items() if not name.startswith("_")},
    }
