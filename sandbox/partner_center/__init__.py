"""The Microsoft Partner Center twin: paths below ``/partner-center``, tokens of ``/login`` (partner-center.md 16)."""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.clock import iso, parse_moment
from sandbox.login import API, CHINA_API, SALES
from sandbox.partner_center import fixtures
from sandbox.partner_center.agreements import AgreementCalls
from sandbox.partner_center.answers import classic, shown
from sandbox.partner_center.audit import AuditCalls
from sandbox.partner_center.carts import CartCalls
from sandbox.partner_center.catalogue import CatalogueCalls
from sandbox.partner_center.customers import CustomerCalls
from sandbox.partner_center.desk import NAME, PREFIX, Desk
from sandbox.partner_center.drift import Drift
from sandbox.partner_center.faults import KINDS, PartnerCenterFaults
from sandbox.partner_center.lifecycle import Lifecycle
from sandbox.partner_center.orders import OrderCalls
from sandbox.partner_center.pricesheets import PriceSheetCalls
from sandbox.partner_center.subscriptions import SubscriptionCalls
from sandbox.partner_center.upgrades import UpgradeCalls
from sandbox.router import Route, Routes, Vendor
from sandbox.wire import Request, Response, WireError, response_of
from sandbox.world import World

REMEMBERED = dt.timedelta(hours=24)
REMEMBERED_ROWS = 20_000
VERSION_HEADERS = {"MS-ServerId": "0000112D", "Request-Context": "appId=cid-v1:03ce8ca8-8373-4021-8f25-d5dd45c7b12f"}


class PartnerCenter(Vendor):
    """Microsoft Partner Center for one partner tenant."""

    name = NAME
    prefix = PREFIX
    fault_kinds = KINDS

    def __init__(self, world: World) -> None:
        self.world = world
        self.desk = Desk(world)
        self.routes = Routes()
        self.agreements = AgreementCalls(self.desk)
        self.lifecycle = Lifecycle(self.desk)
        self.subscriptions = SubscriptionCalls(self.desk)
        self.faults = PartnerCenterFaults(self.desk)
        self._drift = Drift(self.desk)
        for part in (
            CustomerCalls(self.desk),
            self.agreements,
            CatalogueCalls(self.desk),
            PriceSheetCalls(self.desk),
            CartCalls(self.desk),
            OrderCalls(self.desk),
            self.subscriptions,
            UpgradeCalls(self.desk, self.subscriptions),
            AuditCalls(self.desk),
        ):
            part.add_to(self.routes)

    def seed(self) -> None:
        """Resellers and tenants that exist before we sell anything; then the events of what is there."""
        fixtures.fill(self.desk)
        self.desk.catalogue.salt = int((self.desk.settings.get("salt") or {"value": 0})["value"])
        self._drift.load_prices()
        self.lifecycle.plan()

    def tick(self, now: dt.datetime) -> None:
        """What is due by now happens."""
        self.desk.tick(now)

    def check(self, request: Request, route: Route) -> None:
        """The token must be for this service, and of a user where the call demands one (3.1)."""
        if route.token == "none":
            return
        is_sales = "/sales" in request.path.lower()[:12]
        audience = {SALES} if is_sales else {API, CHINA_API}
        request.claims = self.world.login.verify(request.bearer(), audience=audience)
        if route.token == "user" and not self.world.login.is_user(request.claims):
            raise classic(403, 900329, "This call needs a token of application and user (App+User).")

    def around(self, request: Request, route: Route, handle: Callable[[], Response]) -> Response:
        """Repeats of a write get the stored answer (2.6); every answer carries the two ids (2.1)."""
        key = request.headers.get("ms-requestid", "").lower()
        try:
            answer = self._once(key, request, handle) if route.write and key else handle()
        except WireError as error:
            answer = response_of(error)
        return self._signed(answer, request, route)

    def _once(self, key: str, request: Request, handle: Callable[[], Response]) -> Response:
        digest = hashlib.sha256(request.method.encode() + request.path.lower().encode() + request.body).hexdigest()
        known = self.desk.requests.get(key)
        if known is not None and parse_moment(known["at"]) > request.now - REMEMBERED:
            self.world.journal.effect = False
            if known["digest"] != digest:
                raise classic(400, 800002, "The MS-RequestId was used before with another request.")
            return Response(known["status"], known["body"], dict(known["headers"]))
        answer = handle()
        if answer.status < 300:
            kept = {"digest": digest, "status": answer.status, "body": answer.body, "headers": answer.headers}
            self.desk.requests.put(key, kept | {"at": iso(request.now)})
            self.desk.requests.trim(REMEMBERED_ROWS)
        return answer

    def _signed(self, answer: Response, request: Request, route: Route) -> Response:
        locale = request.headers.get("x-locale", "en-US")
        # Recorded: some services send the locale twice.
        doubled = route.operation in ("checkout_cart", "create_cart", "list_skus", "list_availabilities")
        correlation = request.headers.get("ms-correlationid") or self.desk.new_id()
        headers = {
            "MS-CorrelationId": correlation,
            "MS-RequestId": request.headers.get("ms-requestid") or self.desk.new_id(),
            "MS-CV": hashlib.sha256(correlation.encode()).hexdigest()[:16] + ".0",
            "X-Locale": f"{locale},{locale}" if doubled else locale,
            **VERSION_HEADERS,
        }
        if request.headers.get("validatemfa", "").lower() == "true":
            headers["isMfaCompliant"] = "true" if "mfa" in (request.claims.get("amr") or []) else "false"
        answer.headers = headers | answer.headers
        if route.operation in ("list_promotions", "check_promotion_eligibility") and answer.status == 200:
            # Recorded: this service leaves the character set out.
            answer.content_type = "application/json"
        return answer

    def answer_unknown(self, request: Request) -> Response:
        """Calls that the twin does not play."""
        return response_of(classic(404, 1000, f"The resource {request.method} {request.path} was not found."))

    def answer_failure(self, request: Request) -> Response:
        """An unexpected failure."""
        return response_of(classic(500, 0, "An internal server error occurred."))

    def fault(
        self, kind: str, fault: Mapping[str, Any], request: Request, handle: Callable[[], Response]
    ) -> Response | None:
        """The vendor's own kinds of faults (16)."""
        return self.faults.answer(kind, fault, request, handle)

    def drift(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Change objects behind the product's back."""
        return self._drift.run(spec)

    def relationships(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Invitations: list, accept, decline."""
        return self.agreements.relationships(spec)

    def knows_tenant(self, tenant: str) -> bool:
        """Whether a customer has this tenant."""
        return tenant.lower() in self.desk.customers

    def credentials(self) -> dict[str, Any]:
        """MPN ids to try, and tenants that may be invited."""
        return fixtures.credentials(self.desk)

    def public_state(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that exists, each with id, kind, status, quantity, client reference and creation."""
        desk = self.desk

        def rows(kind: str, documents: list[dict[str, Any]], status: str = "status") -> list[dict[str, Any]]:
            return [_summary(kind, row, status) for row in documents]

        return {
            "orders": rows("order", desk.orders.values()),
            "subscriptions": rows("subscription", desk.subscriptions.values()),
            "transitions": rows("transition", [_followed(row) for row in desk.transitions.values()]),
            "customers": rows("customer", desk.customers.values(), "relationshipToPartner"),
            "carts": rows("cart", desk.carts.values()),
            "agreements": [{"customer": key, **shown(desk.agreements.get(key) or {})} for key in desk.agreements],
            "audit_records": [shown(row) for row in desk.audit.values()],
            "relationships": desk.invitations.values(),
            "users": [],
            "licences": [],
        }


def _followed(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"id": row["operationId"], "status": row["events"][-1]["status"].strip().lower()}


def _summary(kind: str, row: dict[str, Any], status: str) -> dict[str, Any]:
    quantity = row.get("quantity", sum(line["quantity"] for line in row.get("lineItems", [])) or None)
    return shown(row) | {
        "kind": kind,
        "status": row[status],
        "quantity": quantity,
        "client_reference": row.get("_ref", ""),
        "created": row["_created"],
    }
