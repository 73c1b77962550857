"""A very small Partner Center in memory, in place of the HTTP client: enough of it to kill a worker at every point.

It remembers requests by ``MS-RequestId`` as Microsoft does, so that a repeated id has no second effect.
"""

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from core.http import Answer, NotSent, OutcomeUnknown
from office365.calls import CALLS, find_call
from tests.office365.memory import NOW, Killer

BASE = "/partner-center/v1"


@dataclass
class Fault:
    """What goes wrong with a call, how often; ``kind`` is ``before``, ``after`` or an answer."""

    operation: str
    kind: str = "answer"
    answer: Answer | None = None
    times: int = 1


def reply(status: int, body: Any = None, **headers: str) -> Answer:
    """An answer with a JSON body."""
    raw = b"" if body is None else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@dataclass
class FakeServer:
    """The server; ``requests`` holds what arrived as (operation, request id, body)."""

    killer: Killer
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    agreements: set[str] = field(default_factory=set)
    carts: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    eligible: dict[str, Any] = field(default_factory=dict)
    conversion: str = "Completed"
    rotation: int = 0
    lag: int = 0
    slept: list[float] = field(default_factory=list)
    refresh_tokens: set[str] = field(default_factory=lambda: {"rt-1"})
    overrides: dict[str, Callable[..., Answer]] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        """Nobody waits in a test."""
        self.slept.append(seconds)

    def fail(self, operation: str, kind: str = "answer", answer: Answer | None = None, times: int = 1) -> None:
        """Plan a fault."""
        self.faults.append(Fault(operation, kind, answer, times))

    def count(self, operation: str) -> int:
        """How often a call arrived."""
        return sum(1 for name, _id, _body in self.requests if name == operation)

    def request(self, method: str, url: str, **options: Any) -> Answer:
        """As ``HttpClient.request``."""
        if "/login/" in url:
            return self._login(url, options)
        call = find_call(method, url)
        headers = options.get("headers") or {}
        body = json.loads(options["data"]) if options.get("data") else None
        self.requests.append((call.name, headers.get("MS-RequestId", ""), body))
        self.headers.append(dict(headers))
        self.killer.point()
        fault = next((item for item in self.faults if item.operation == call.name and item.times > 0), None)
        if fault:
            fault.times -= 1
            if fault.kind == "not_sent":
                raise NotSent("refused")
            if fault.kind == "before":
                raise OutcomeUnknown("no answer")
            if fault.kind == "answer" and fault.answer is not None:
                return fault.answer
        answer = self._once(call.name, method, url, headers.get("MS-RequestId", ""), body)
        self.killer.point()
        if fault and fault.kind == "after":
            raise OutcomeUnknown("no answer")
        if fault and fault.kind == "after_answer" and fault.answer is not None:
            return fault.answer
        return answer

    def download(self, url: str, target: Path, **options: Any) -> Answer:
        """As ``HttpClient.download``: not used here."""
        raise NotSent("no downloads")

    def _once(self, name: str, method: str, url: str, request_id: str, body: Any) -> Answer:
        if CALLS[name].repeat_safe:
            return self._route(name, url, body)
        if request_id not in self.answers:
            self.answers[request_id] = self._route(name, url, body)
        return self.answers[request_id]

    def _route(self, name: str, url: str, body: Any) -> Answer:
        parts = urlsplit(url)
        path = parts.path.removeprefix(BASE)
        query = dict(parse_qsl(parts.query))
        if name in self.overrides:
            return self.overrides[name](path=path, query=query, body=body)
        handler: Callable[..., Answer] = getattr(self, f"_{name}")
        return handler(path.strip("/").split("/"), query, body)

    # --- Sign-in ---

    def _login(self, url: str, options: Mapping[str, Any]) -> Answer:
        base = url.split("/v2.0/")[0].split("/oauth2/")[0]
        if "openid-configuration" in url:
            return reply(
                200,
                {
                    "issuer": base,
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                },
            )
        form = options.get("data") or {}
        token = jwt.encode({"amr": ["pwd", "mfa"], "upn": "admin@example"}, "k" * 32, algorithm="HS256")
        answer: dict[str, Any] = {"token_type": "Bearer", "expires_in": 3600, "access_token": token}
        if form.get("grant_type") != "client_credentials":
            if form.get("grant_type") == "refresh_token" and form["refresh_token"] not in self.refresh_tokens:
                return reply(
                    400, {"error": "invalid_grant", "error_description": "AADSTS50173: revoked", "error_codes": [50173]}
                )
            answer["refresh_token"] = f"rt-{uuid.uuid4()}"
            self.refresh_tokens = {answer["refresh_token"]}
        return reply(200, answer)

    # --- Customers and agreements ---

    def _check_domain(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        taken = any(item["companyProfile"]["domain"] == path[-1] for item in self.customers.values())
        return reply(200 if taken else 404)

    def _get_country_rules(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        return reply(200, {"iso2Code": path[-1], "isCityRequired": True, "supportedCulturesList": ["en-US"],
                           "supportedLanguagesList": ["en"], "postalCodeRegex": r"^\d{5}(-\d{4})?$"})  # fmt: skip

    def _check_address(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        good = body["city"] != "Nowhere"
        return reply(200, {"status": "VerifiedShippable" if good else "NotValidated", "originalAddress": body,
                           "suggestedAddresses": [] if good else [{**body, "city": "Redmond"}]})  # fmt: skip

    def _create_customer(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        tenant = str(uuid.uuid4())
        row = {"id": tenant, "companyProfile": {**body["companyProfile"], "tenantId": tenant},
               "billingProfile": body["billingProfile"], "relationshipToPartner": "reseller"}  # fmt: skip
        self.customers[tenant] = row
        return reply(201, {**row, "userCredentials": {"userName": "admin", "password": "once-only"}})

    def _list_customers(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        return reply(200, {"totalCount": len(self.customers), "items": list(self.customers.values())})

    def _get_customer(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        row = self.customers.get(path[1])
        return reply(200, row) if row else reply(404, {"code": 60003, "description": "Tenant not found"})

    def _list_agreement_templates(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        rows = [{"templateId": "t-0", "agreementType": "MicrosoftCustomerAgreement", "versionRank": 0},
                {"templateId": "t-1", "agreementType": "MicrosoftCustomerAgreement", "versionRank": 1}]  # fmt: skip
        return reply(200, {"totalCount": 2, "items": rows})

    def _list_agreements(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        rows = [{"type": "MicrosoftCustomerAgreement"}] if path[1] in self.agreements else []
        return reply(200, {"totalCount": len(rows), "items": rows})

    def _get_direct_signed_status(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        return reply(200, {"isSigned": False})

    def _accept_agreement(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        if path[1] in self.agreements:
            return reply(400, {"code": 600061, "description": "exists"})
        self.agreements.add(path[1])
        return reply(201, {"type": body["type"], "userId": "u"})

    def _get_validation_status(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        return reply(404, {"code": 600074, "description": "none"})

    # --- Ordering ---

    def _list_availabilities_for_customer(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        product, sku = path[3], path[5]
        name = f"A{self.rotation}"
        terms = [{"duration": "P1Y", "billingCycle": cycle} for cycle in ("Annual", "Monthly")]
        row = {"id": name, "catalogItemId": f"{product}:{sku}:{name}", "country": "US", "segment": "commercial",
               "defaultCurrency": {"code": "USD"}, "isPurchasable": True, "terms": terms}  # fmt: skip
        return reply(200, {"totalCount": 1, "items": [row]})

    def _create_cart(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        cart = str(uuid.uuid4())
        lines = [{**line, "orderGroup": "0"} for line in body["lineItems"]]
        for line in lines:
            if ":" in line["catalogItemId"] and not line["catalogItemId"].endswith(f":A{self.rotation}"):
                line["error"] = {"errorCode": "10001", "errorDescription": "CatalogItemId is not valid"}
        row = {"id": cart, "status": "Active", "lineItems": lines,
               "expirationTimestamp": (NOW + dt.timedelta(days=7)).isoformat()}  # fmt: skip
        self.carts[cart] = row
        return reply(201, row)

    def _get_cart(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        row = self.carts.get(path[3])
        return reply(200, row) if row else reply(404, {"code": 800008, "description": "no cart"})

    def _checkout_cart(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        cart = self.carts[path[3]]
        if cart["status"] == "Ordered":
            return reply(400, {"code": 800065, "description": "already submitted"})
        cart["status"] = "Ordered"
        order_id = uuid.uuid4().hex[:12]
        order: dict[str, Any] = {"id": order_id, "billingCycle": "monthly", "status": "pending", "lineItems": [],
                                 "creationDate": NOW.isoformat()}  # fmt: skip
        for line in cart["lineItems"]:
            parent = self._add_line(order, path[1], line, "")
            for addon in line.get("addonItems") or []:
                self._add_line(order, path[1], addon, parent)
        self.orders[order_id] = order | {"customer": path[1]}
        return reply(201, {"orders": [order]})

    def _add_line(self, order: dict[str, Any], customer: str, line: Mapping[str, Any], parent: str) -> str:
        subscription = str(uuid.uuid4())
        context = line.get("provisioningContext") or {}
        self.subscriptions[subscription] = {
            "id": subscription, "offerId": line["catalogItemId"], "quantity": line["quantity"], "status": "active",
            "friendlyName": line.get("friendlyName", ""), "orderId": order["id"], "autoRenewEnabled": True,
            "termDuration": line.get("termDuration", ""), "billingCycle": line["billingCycle"].lower(),
            "parentSubscriptionId": parent or context.get("parentSubscriptionId", ""), "billingType": "license",
            "cancellationAllowedUntilDate": (NOW + dt.timedelta(hours=168)).isoformat(),
            "attributes": {"objectType": "Subscription"},
        }  # fmt: skip
        order["lineItems"].append(
            {"lineItemNumber": len(order["lineItems"]), "offerId": line["catalogItemId"], "quantity": line["quantity"],
             "friendlyName": line.get("friendlyName", ""), "subscriptionId": subscription}
        )  # fmt: skip
        return subscription

    def _visible(self) -> bool:
        self.lag -= 1
        return self.lag < 0

    def _get_order(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        row = self.orders.get(path[3])
        if row is None or not self._visible():
            return reply(404, {"code": 20000, "description": "Order ID not found"})
        return reply(200, row | {"status": "completed"})

    def _list_orders(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        rows = [row for row in self.orders.values() if row["customer"] == path[1]] if self._visible() else []
        return reply(200, {"totalCount": len(rows), "items": rows})

    def _list_subscriptions(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        rows = [row for row in self.subscriptions.values() if query.get("order_id") in {None, row["orderId"]}]
        return reply(200, {"totalCount": len(rows), "items": rows})

    def _list_audit_records(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        return reply(200, {"totalCount": 0, "items": []})

    def _get_subscription(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        row = self.subscriptions.get(path[3])
        return reply(200, row) if row else reply(404, {"code": 20003, "description": "not found"})

    def _update_subscription(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        self.subscriptions[path[3]].update(body)
        return reply(200, self.subscriptions[path[3]])

    # --- Upgrades ---

    def _list_transition_eligibilities(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        assert query == {"eligibilityType": "immediate"}
        rows = [
            {"catalogItemId": f"{code}:A{self.rotation}", "title": f"Product {code}", "quantity": 5,
             "eligibilities": kinds}
            for code, kinds in self.eligible.items()
        ]  # fmt: skip
        return reply(200, {"totalCount": len(rows), "items": rows})

    def _list_transitions(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        rows = [row for row in self.transitions if row["fromSubscriptionId"] == path[3]] if self._visible() else []
        return reply(200, {"transition": rows})

    def _create_transition(self, path: list[str], query: Mapping[str, str], body: Any) -> Answer:
        if not body["toCatalogItemId"].endswith(f":A{self.rotation}"):
            return reply(400, {"code": 800004, "description": "The target is not valid."})
        source = self.subscriptions[path[3]]
        source["quantity"] -= body["quantity"]
        source["status"] = "active" if source["quantity"] else "deleted"
        target = str(uuid.uuid4())
        self.subscriptions[target] = {
            **source, "id": target, "offerId": body["toCatalogItemId"], "quantity": body["quantity"],
            "status": "active", "creationDate": NOW.isoformat(), "billingCycle": body["billingCycle"],
        }  # fmt: skip
        row = {**body, "operationId": str(uuid.uuid4()), "toSubscriptionId": target, "Events": [event("Started ")]}
        self.transitions.append(row)
        return reply(200, row)

    def finish(self, **values: Any) -> None:
        """The conversions end."""
        for row in self.transitions:
            row["Events"] = [event("Started "), event(self.conversion, **values)]


def event(status: str, **values: Any) -> dict[str, Any]:
    """A step of a transition."""
    return {"name": "Conversion", "status": status, "timestamp": NOW.isoformat(), **values}


def operation_tags(server: FakeServer) -> list[str]:
    """Our marks in all orders."""
    return re.findall(r"\[[0-9a-f]{8}\]", json.dumps(list(server.orders.values())))
