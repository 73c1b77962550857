"""Other calls of a subscription: upgrades, conversions, provisioning, contact, registration, Azure (9.2, 9.3)."""

import datetime as dt
from typing import Any

from sandbox.clock import iso
from sandbox.login import PARTNER_TENANT
from sandbox.partner_center.answers import attributes, classic, collection, integer, link, ok, shown, squeezed, tidy
from sandbox.partner_center.desk import Desk
from sandbox.partner_center.lifecycle import TRANSITION_TIME, start_term, term_end
from sandbox.partner_center.subscriptions import SubscriptionCalls
from sandbox.router import Routes
from sandbox.wire import Request, Response


class UpgradeCalls:
    """Calls below one subscription that do not change it by PATCH."""

    def __init__(self, desk: Desk, subscriptions: SubscriptionCalls) -> None:
        self.desk = desk
        self.subscriptions = subscriptions
        desk.handlers["transition"] = self.finish_transition

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        one = "/v1/customers/{customer}/subscriptions/{subscription}"
        eligibilities = f"{one}/transitionEligibilities"
        routes.add("GET", eligibilities, "list_transition_eligibilities", self.list_eligibilities)
        routes.add("GET", f"{one}/transitions", "list_transitions", self.list_transitions)
        routes.add("POST", f"{one}/transitions", "create_transition", self.transition, write=True)
        routes.add("GET", f"{one}/upgrades", "list_upgrades", self.list_nothing)
        routes.add("POST", f"{one}/upgrades", "create_upgrade", self.upgrade, write=True)
        routes.add("GET", f"{one}/conversions", "list_conversions", self.list_conversions)
        routes.add("POST", f"{one}/conversions", "create_conversion", self.convert, write=True)
        routes.add("GET", f"{one}/provisioningstatus", "get_subscription_provisioning", self.provisioning)
        routes.add("GET", f"{one}/supportcontact", "get_support_contact", self.get_contact)
        routes.add("PUT", f"{one}/supportcontact", "update_support_contact", self.put_contact, write=True)
        routes.add("POST", f"{one}/registrations", "register_subscription", self.register, write=True)
        routes.add("GET", f"{one}/registrationstatus", "get_registration_status", self.registration)
        routes.add("GET", f"{one}/activationlinks", "list_subscription_activation_links", self.list_nothing)
        azure = f"{one}/azureEntitlements"
        routes.add("GET", azure, "list_azure_entitlements", self.list_azure)
        routes.add("GET", f"{azure}/{{entitlement}}", "get_azure_entitlement", self.get_azure)
        routes.add("POST", f"{azure}/{{entitlement}}/cancel", "cancel_azure_entitlement", self.cancel_azure, write=True)

    # --- Transitions of new-commerce subscriptions ---

    def list_eligibilities(self, request: Request) -> Response:
        """The SKUs to which the subscription may be upgraded, with this hour's catalogue item ids."""
        row = self.desk.subscription(request)
        catalogue, market = self.desk.catalogue, self._market(row)
        found = catalogue.by_code(row["_code"])
        items = []
        for code in found[1]["upgrades"] if found else []:
            target = catalogue.by_code(code)
            if target is None or row["termDuration"] not in catalogue.durations(target[1]):
                continue
            key = catalogue.availability_id(code, market, row["_segment"], row["termDuration"], request.now)
            errors = self._transition_errors(row)
            kinds = ("transition_only", "transition_with_license_transfer")
            items.append(
                {
                    "catalogItemId": f"{code}:{key}",
                    "title": target[1]["title"],
                    "description": target[0]["description"],
                    "quantity": row["quantity"],
                    "eligibilities": [
                        {"isEligible": not errors, "transitionType": kind, "errors": errors} for kind in kinds
                    ],
                    "attributes": attributes("TransitionEligibility"),
                }
            )
        return ok(collection(items))

    def _transition_errors(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        if row["status"] != "active":
            return [{"code": 2, "description": "The subscription is not active."}]
        if row["isTrial"]:
            return [{"code": 7, "description": "A trial is converted, not upgraded."}]
        if self.subscriptions.addons_of(row):
            return [{"code": 6, "description": "The subscription has add-ons."}]
        return []

    def list_transitions(self, request: Request) -> Response:
        """The transitions of a subscription, or the one of ``operationId``."""
        row = self.desk.subscription(request)
        wanted = request.query.get("operationId", "").lower()
        items = [
            shown(item)
            for item in self.desk.transitions.values()
            if item["fromSubscriptionId"] == row["id"]
            and wanted in ("", item["operationId"])
            and not self.desk.hidden(item, request.now)
        ]
        return ok(collection(items))

    def transition(self, request: Request) -> Response:
        """Begin an upgrade: the new subscription is there at once, the transfer ends after 36 minutes."""
        row = dict(self.desk.subscription(request))
        body = tidy(request.json())
        found = self.desk.catalogue.find_item(str(body.get("toCatalogItemId") or ""), self._market(row), request.now)
        if found is None:
            raise classic(400, 800004, "The target of the transition is not valid.")
        own = self.desk.catalogue.by_code(row["_code"])
        if own is None or found.code not in own[1]["upgrades"] or self._transition_errors(row):
            raise classic(400, 800062, "The subscription is not eligible for this transition.")
        quantity = row["quantity"] if body.get("quantity") is None else integer(body["quantity"]) or 0
        if not 1 <= quantity <= row["quantity"] or not found.sku["min"] <= quantity <= found.sku["max"]:
            raise classic(400, 800017, "The quantity is not valid.")
        term = str(body.get("termDuration") or row["termDuration"])
        cycle = squeezed(body.get("billingCycle")) or squeezed(row["billingCycle"])
        if term != found.duration or cycle not in {squeezed(item) for item in found.cycles}:
            raise classic(400, 800097, "The target is not sold with this term and billing cycle.")
        target = dict(row) | {
            "id": self.desk.new_id(),
            "offerId": str(body["toCatalogItemId"]),
            "offerName": found.sku["title"],
            "friendlyName": found.sku["title"],
            "quantity": quantity,
            "termDuration": term,
            "billingCycle": cycle,
            "creationDate": iso(request.now),
            "_code": found.code,
            "_version": 1,
            **self.desk.marks(request),
        }
        target["entitlementId"] = target["id"]
        # What is scheduled for a renewal is dropped by any change in the term, and the new product has no schedule.
        target.pop("scheduledNextTermInstructions", None)
        row.pop("scheduledNextTermInstructions", None)
        start_term(self.desk, target, request.now, row["commitmentEndDate"])
        self.desk.subscriptions.put(target["id"], target)
        left = row["quantity"] - quantity
        row |= {"quantity": left, "status": "active" if left else "deleted", "_version": row["_version"] + 1}
        row["_windows"] = _fewer(row["_windows"], left)
        self.desk.subscriptions.put(row["id"], row)
        answer = self._transition_document(request, row, target, body)
        self.desk.transitions.put(answer["operationId"], answer)
        self.desk.at(iso(request.now + TRANSITION_TIME), "transition", answer["operationId"])
        customer = self.desk.customers.get(row["_customer"])
        self.desk.record(request, "upgrade_subscription", "subscription", customer=customer, new=answer)
        self.desk.note(f"subscription {row['id']} upgraded to {target['id']}")
        return ok(shown(answer))

    def _transition_document(
        self, request: Request, row: dict[str, Any], target: dict[str, Any], body: dict[str, Any]
    ) -> dict[str, Any]:
        event = {"name": "Conversion", "status": "Started ", "timestamp": iso(request.now)}
        return {
            "operationId": self.desk.new_id(),
            "fromCatalogItemId": row["offerId"],
            "fromSubscriptionId": row["id"],
            "toCatalogItemId": target["offerId"],
            "toSubscriptionId": target["id"],
            "quantity": target["quantity"],
            "termDuration": target["termDuration"],
            "billingCycle": target["billingCycle"].title(),
            "transitionType": str(body.get("transitionType") or "transition_only"),
            "events": [event | {"attributes": attributes("TransitionEvent")}],
            "attributes": attributes("Transition"),
            **({"_fails": True} if self.desk.fails_transition else {}),
            **self.desk.marks(request),
        }

    def finish_transition(self, key: str, moment: dt.datetime) -> None:
        """The transfer is over: completed, or failed, and then the licences are back where they were."""
        document = self.desk.transitions.get(key)
        if document is None or len(document["events"]) > 1:
            return
        event: dict[str, Any] = {"name": "Conversion", "status": "Completed", "timestamp": iso(moment)}
        if document.get("_fails"):
            errors = [{"code": 12, "description": "The licences of the users cannot be moved."}]
            event |= {"status": "Failed", "errors": errors}
            self._take_back(document)
        events = [*document["events"], event | {"attributes": attributes("TransitionEvent")}]
        self.desk.transitions.put(key, document | {"events": events})

    def _take_back(self, document: dict[str, Any]) -> None:
        source = self.desk.subscriptions.get(document["fromSubscriptionId"])
        target = self.desk.subscriptions.get(document["toSubscriptionId"])
        if source is None or target is None:
            return
        quantity = source["quantity"] + document["quantity"]
        kept = {"quantity": quantity, "status": "active", "_version": source["_version"] + 1}
        self.desk.subscriptions.put(source["id"], source | kept)
        self.desk.subscriptions.put(target["id"], target | {"quantity": 0, "status": "deleted"})

    def _market(self, row: dict[str, Any]) -> str:
        return self.desk.country_of(self.desk.customers.get(row["_customer"]) or {})

    # --- Legacy upgrades and trials ---

    def list_nothing(self, request: Request) -> Response:
        """An empty list: the twin sells no legacy seats and no marketplace products."""
        self.desk.subscription(request)
        return ok(collection([]))

    def upgrade(self, request: Request) -> Response:
        """Legacy upgrades are refused: no subscription of the twin has one."""
        self.desk.subscription(request)
        raise classic(400, 800062, "The subscription is not eligible for an upgrade.")

    def list_conversions(self, request: Request) -> Response:
        """What a trial can be converted to."""
        row = self.desk.subscription(request)
        return ok(collection([self._conversion(row)] if row["isTrial"] and row["status"] == "active" else []))

    def _conversion(self, row: dict[str, Any]) -> dict[str, Any]:
        found = self.desk.catalogue.by_code(row["_code"])
        target = next(iter(found[1]["upgrades"]), "") if found else ""
        now = self.desk.world.clock.now()
        key = self.desk.catalogue.availability_id(target, self._market(row), row["_segment"], "P1Y", now)
        return {
            "offerId": row["offerId"],
            "targetOfferId": f"{target}:{key}",
            "orderId": row["orderId"],
            "quantity": row["quantity"],
            "billingCycle": "monthly",
            "attributes": attributes("Conversion"),
        }

    def convert(self, request: Request) -> Response:
        """Convert a trial into its paid product, for a year."""
        row = dict(self.desk.subscription(request))
        if not row["isTrial"] or row["status"] != "active":
            raise classic(400, 800062, "The subscription is no active trial.")
        offer, body = self._conversion(row), tidy(request.json())
        if str(body.get("targetOfferId")) != offer["targetOfferId"]:
            raise classic(400, 800004, "The target of the conversion is not valid.")
        code = ":".join(offer["targetOfferId"].split(":")[:2])
        paid = self.desk.catalogue.by_code(code)
        cycle = squeezed(body.get("billingCycle")) or "monthly"
        row |= {"isTrial": False, "_code": code, "offerId": offer["targetOfferId"], "billingCycle": cycle}
        row |= {"offerName": paid[1]["title"] if paid else "", "termDuration": "P1Y", "_version": row["_version"] + 1}
        row["quantity"] = integer(body.get("quantity")) or row["quantity"]
        start_term(self.desk, row, request.now)
        self.desk.subscriptions.put(row["id"], row)
        customer = self.desk.customers.get(row["_customer"])
        self.desk.record(request, "convert_trial_subscription", "subscription", customer=customer, new=row)
        self.desk.note(f"trial {row['id']} converted")
        kept = {name: offer[name] for name in ("offerId", "targetOfferId")}
        return ok({"subscriptionId": row["id"], **kept, "attributes": attributes("ConversionResult")})

    # --- Provisioning, contact, registration ---

    def provisioning(self, request: Request) -> Response:
        """How far the licences are."""
        row = self.desk.subscription(request)
        found = self.desk.catalogue.by_code(row["_code"])
        end = row["commitmentEndDate"] if row["billingType"] == "usage" else iso(term_end(row))
        body = {
            "skuId": found[1]["provisioningId"] if found else row["offerId"],
            "status": "success" if row["status"] == "active" else "pending",
            "quantity": row["quantity"],
            "endDate": end,
        }
        return ok(body | {"attributes": attributes("SubscriptionProvisioningStatus")})

    def get_contact(self, request: Request) -> Response:
        """Who supports the customer."""
        row = self.desk.subscription(request)
        contact = row.get("_contact") or {"supportTenantId": PARTNER_TENANT, "supportMpnId": "", "name": "Aster"}
        path = f"/customers/{row['_customer']}/subscriptions/{row['id']}/supportcontact"
        return ok(contact | {"links": {"self": link(path)}, "attributes": attributes("SupportContact")})

    def put_contact(self, request: Request) -> Response:
        """Name another one."""
        row, body = self.desk.subscription(request), tidy(request.json())
        if not body.get("supportTenantId"):
            raise classic(400, 800002, "The supportTenantId is missing.")
        contact = {name: str(body.get(name) or "") for name in ("supportTenantId", "supportMpnId", "name")}
        self.desk.subscriptions.put(row["id"], row | {"_contact": contact})
        self.desk.note(f"support contact of {row['id']} changed")
        return self.get_contact(request)

    def register(self, request: Request) -> Response:
        """Register an Azure plan for reservations: 202 with the address of the status."""
        row = self.desk.subscription(request)
        self.desk.subscriptions.put(row["id"], row | {"_registered": True})
        self.desk.note(f"subscription {row['id']} registered")
        path = f"/customers/{row['_customer']}/subscriptions/{row['id']}/registrationstatus"
        return Response(202, None, {"Location": path})

    def registration(self, request: Request) -> Response:
        """Whether it is registered."""
        row = self.desk.subscription(request)
        word = "Registered" if row.get("_registered") else "NotRegistered"
        return ok({"subscriptionId": row["id"], "status": word})

    # --- Azure subscriptions below a plan ---

    def list_azure(self, request: Request) -> Response:
        """The Azure subscriptions of a plan."""
        row = self.desk.subscription(request)
        items = [item for item in self.desk.azure_entitlements.values() if item["subscriptionId"] == row["id"]]
        return ok(collection([shown(item) for item in items]))

    def get_azure(self, request: Request) -> Response:
        """One Azure subscription."""
        return ok(shown(self._azure(request)))

    def cancel_azure(self, request: Request) -> Response:
        """Cancel an Azure subscription."""
        item = self._azure(request)
        changed = self.desk.azure_entitlements.put(item["id"], item | {"status": "disabled"})
        self.desk.note(f"Azure subscription {item['id']} cancelled")
        return ok(shown(changed))

    def _azure(self, request: Request) -> dict[str, Any]:
        row = self.desk.subscription(request)
        found = self.desk.azure_entitlements.get(request.params["entitlement"].lower())
        if found is None or found["subscriptionId"] != row["id"]:
            raise classic(404, 20003, "Unable to find the Azure entitlement by the given id.")
        return found


def _fewer(windows: list[dict[str, Any]], left: int) -> list[dict[str, Any]]:
    """The windows of the seats that are left, the oldest first: there are never more of them than seats."""
    kept = []
    for item in windows:
        quantity = min(item["quantity"], left)
        left -= quantity
        if quantity:
            kept.append(item | {"quantity": quantity})
    return kept
