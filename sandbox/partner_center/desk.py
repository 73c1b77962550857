"""What all calls of the Partner Center twin share: tables, look-ups, audit records, time-driven events."""

import datetime as dt
import heapq
import json
import uuid
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from sandbox.clock import iso, parse_moment
from sandbox.login import PARTNER_TENANT
from sandbox.partner_center.answers import attributes, classic, pascal, shown
from sandbox.partner_center.catalogue_data import Catalogue
from sandbox.state import Table
from sandbox.wire import Request
from sandbox.world import World

NAME = "partner_center"
PREFIX = "/partner-center"
NEVER = "9999-12-14T00:00:00Z"
Event = Callable[[str, dt.datetime], None]


class OfCustomers:
    """The documents of a table by customer: a list is not searched through everybody's documents.

    Tables only grow, but for deletions and resets, after which ``forget`` must be called.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keys: dict[str, list[str]] = {}
        self._known = 0

    def forget(self) -> None:
        """Begin anew."""
        self._keys.clear()
        self._known = 0

    def __call__(self, customer: str) -> list[dict[str, Any]]:
        """All documents of a customer, oldest first."""
        rows = self._table.rows
        if len(rows) != self._known:
            for key, row in islice(rows.items(), self._known, None):
                self._keys.setdefault(row["_customer"], []).append(key)
            self._known = len(rows)
        return [rows[key] for key in self._keys.get(customer, [])]


class Desk:
    """Tables of the one seeded partner, and helpers over them.

    ``lag`` and ``blind`` (seconds) and ``refused_line`` are switches of the fault at work while its call is handled:
    objects made now show after ``lag``, reads do not show objects younger than ``blind``.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.catalogue = Catalogue()
        table = world.state.table
        self.customers = table(NAME, "customers")
        self.tenants = table(NAME, "tenants")
        self.agreements = table(NAME, "agreements")
        self.qualifications = table(NAME, "qualifications")
        self.resellers = table(NAME, "resellers")
        self.invitations = table(NAME, "relationship_requests")
        self.carts = table(NAME, "carts")
        self.orders = table(NAME, "orders")
        self.subscriptions = table(NAME, "subscriptions")
        self.transitions = table(NAME, "transitions")
        self.azure_entitlements = table(NAME, "azure_entitlements")
        self.prices = table(NAME, "price_changes")
        self.audit = table(NAME, "audit_records")
        self.requests = table(NAME, "_requests")
        self.settings = table(NAME, "_settings")
        self.orders_of = OfCustomers(self.orders)
        self.subscriptions_of = OfCustomers(self.subscriptions)
        self.lag = 0.0
        self.blind = 0.0
        self.refused_line: int | None = None
        self.fails_transition = False
        self.handlers: dict[str, Event] = {}
        self._heap: list[tuple[dt.datetime, int, str, str]] = []
        self._number = 0

    # --- Look-ups ---

    def customer(self, request: Request) -> dict[str, Any]:
        """The customer of the path. Raises 403/20002 where there is no relationship, 404 for no id at all."""
        key = request.params["customer"].lower()
        found = self.customers.get(key)
        # An object of a customer may lag behind on its own; the customer does only where he himself is read.
        lags = found is not None and self.hidden(found, request.now, ignore_blind=request.operation != "get_customer")
        if found is None or lags or found["relationshipToPartner"] != "reseller":
            raise classic(403, 20002, "No relationship between caller and account.")
        return found

    def order(self, request: Request) -> dict[str, Any]:
        """The order of the path. Raises 404/20000, also while it lags behind."""
        customer = self.customer(request)
        found = self.orders.get(request.params["order"].lower())
        if found is None or found["_customer"] != customer["id"] or self.hidden(found, request.now):
            raise classic(404, 20000, "Unable to find the order by the given id.")
        return found

    def subscription(self, request: Request) -> dict[str, Any]:
        """The subscription of the path. Raises 404/20003."""
        customer = self.customer(request)
        found = self.subscriptions.get(request.params["subscription"].lower())
        if found is None or found["_customer"] != customer["id"] or self.hidden(found, request.now):
            raise classic(404, 20003, "Unable to find the subscription by the given id.")
        return found

    def hidden(self, document: Mapping[str, Any], now: dt.datetime, *, ignore_blind: bool = False) -> bool:
        """Whether reads do not show an object yet."""
        until = document.get("_visible")
        if until and parse_moment(until) > now:
            return True
        if ignore_blind or not self.blind:
            return False
        return parse_moment(document["_created"]) > now - dt.timedelta(seconds=self.blind)

    def marks(self, request: Request) -> dict[str, Any]:
        """The twin's own fields of a new object: who asked for it, when, and when reads begin to show it."""
        marks: dict[str, Any] = {
            "_created": iso(request.now),
            "_ref": request.headers.get("ms-correlationid", "").lower(),
        }
        if self.lag:
            marks["_visible"] = iso(request.now + dt.timedelta(seconds=self.lag))
        return marks

    def country_of(self, customer: Mapping[str, Any]) -> str:
        """The customer's country, two capital letters."""
        return str(customer["billingProfile"]["defaultAddress"]["country"]).upper()

    def segments_of(self, customer: Mapping[str, Any]) -> set[str]:
        """The segments in which a customer may buy."""
        approved = {
            str(row["qualification"]).lower()
            for row in (self.qualifications.get(str(customer["id"])) or {}).get("items", [])
            if row["vettingStatus"] == "Approved"
        }
        return {"commercial"} | (approved & {"education", "nonprofit"})

    def has_agreement(self, customer: Mapping[str, Any]) -> bool:
        """Whether the customer agreement was confirmed by us or signed by himself."""
        return str(customer["id"]) in self.agreements or bool(customer.get("_direct_signed"))

    # --- Writing ---

    def new_id(self) -> str:
        """A new GUID."""
        return str(uuid.uuid4())

    def note(self, text: str) -> None:
        """Say in the journal what came about."""
        self.world.journal.effect = text

    def record(
        self,
        request: Request,
        operation: str,
        resource: str,
        *,
        customer: Mapping[str, Any] | None = None,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the audit record of a change (13); values are JSON as text with PascalCase keys."""
        ticks = int((request.now - dt.datetime(1, 1, 1, tzinfo=dt.UTC)).total_seconds() * 10_000_000)
        key = f"{PARTNER_TENANT}_{ticks + len(self.audit) % 97}"
        row: dict[str, Any] = {
            "id": key,
            "partnerId": PARTNER_TENANT,
            "customerId": str(customer["id"]) if customer else "",
            "customerName": str(customer["companyProfile"].get("companyName", "")) if customer else "",
            "userPrincipalName": str(request.claims.get("upn") or ""),
            "applicationId": str(request.claims.get("appid") or ""),
            "sessionId": self.new_id(),
            "resourceType": resource,
            "operationType": operation,
            "originalCorrelationId": request.headers.get("ms-correlationid", ""),
            "operationDate": iso(request.now),
            "operationStatus": "succeeded",
            "customizedData": [{"key": name, "value": str(value)} for name, value in (data or {}).items()],
            "attributes": attributes("AuditRecord"),
            "_created": iso(request.now),
        }
        for name, value in (("resourceOldValue", old), ("resourceNewValue", new)):
            if value is not None:
                row[name] = json.dumps(pascal(shown(value)), separators=(",", ":"))
        self.audit.put(key, row)

    def rotate(self) -> None:
        """Outdate all availability ids at once."""
        self.catalogue.salt += 1
        self.settings.put("salt", {"value": self.catalogue.salt})

    # --- Time ---

    def at(self, moment: str, kind: str, key: str) -> None:
        """Ask for an event; the handler looks at the object itself, so a repeated or outdated event does nothing."""
        self._number += 1
        heapq.heappush(self._heap, (parse_moment(moment), self._number, kind, key))

    def tick(self, now: dt.datetime) -> None:
        """Run the events that are due, in their order, each at its own moment."""
        while self._heap and self._heap[0][0] <= now:
            moment, _number, kind, key = heapq.heappop(self._heap)
            self.handlers[kind](key, moment)

    def forget(self) -> None:
        """Drop all events and indexes, before they are made anew."""
        self._heap.clear()
        self.orders_of.forget()
        self.subscriptions_of.forget()
