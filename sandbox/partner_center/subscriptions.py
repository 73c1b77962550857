"""Subscriptions: reading and changing (``partner-center.md`` 9, 9.1)."""

import datetime as dt
from typing import Any

from sandbox.clock import iso, parse_moment
from sandbox.partner_center.answers import classic, collection, etag_of, integer, ok, squeezed, tidy
from sandbox.partner_center.desk import Desk
from sandbox.partner_center.lifecycle import ENDED, WINDOW, open_windows, wire
from sandbox.router import Routes
from sandbox.wire import Request, Response

REFUSED_WORDS = {"none", "unknown", ""}


class SubscriptionCalls:
    """The calls that read and change subscriptions."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        rows = "/v1/customers/{customer}/subscriptions"
        one = f"{rows}/{{subscription}}"
        routes.add("GET", rows, "list_subscriptions", self.list_subscriptions)
        routes.add("GET", one, "get_subscription", self.get)
        routes.add("GET", f"{one}/addons", "list_subscription_addons", self.list_addons)
        routes.add("PATCH", one, "update_subscription", self.patch, write=True)

    # --- Reading ---

    def list_subscriptions(self, request: Request) -> Response:
        """All at once; by ``order_id`` or ``mpn_id`` only those of an order or a reseller."""
        customer = self.desk.customer(request)
        order, mpn = request.query.get("order_id", "").lower(), request.query.get("mpn_id", "")
        rows = [
            self.shown(row, request)
            for row in self.desk.subscriptions_of(customer["id"])
            if not self.desk.hidden(row, request.now)
            and (not order or row["orderId"].lower() == order)
            and (not mpn or row["partnerId"] == mpn)
        ]
        return ok(collection(rows, f"/customers/{customer['id']}/subscriptions"))

    def get(self, request: Request) -> Response:
        """One subscription."""
        return ok(self.shown(self.desk.subscription(request), request))

    def list_addons(self, request: Request) -> Response:
        """The add-ons below a subscription."""
        parent = self.desk.subscription(request)
        rows = [self.shown(row, request) for row in self.addons_of(parent)]
        return ok(collection(rows, f"/customers/{parent['_customer']}/subscriptions/{parent['id']}/addons"))

    def shown(self, row: dict[str, Any], request: Request) -> dict[str, Any]:
        """A subscription on the wire; only the older services give an etag."""
        body = wire(self.desk, row, request.now)
        if ":" not in row["offerId"]:
            body["attributes"]["etag"] = etag_of(row["id"], row["_version"])
        addons = self.desk.catalogue.addons_of(row["_code"])
        body["hasPurchasableAddons"] = bool(addons) and row["status"] == "active"
        return body

    def addons_of(self, parent: dict[str, Any]) -> list[dict[str, Any]]:
        """The add-ons of a subscription that have not ended."""
        rows = self.desk.subscriptions_of(parent["_customer"])
        return [row for row in rows if row["parentSubscriptionId"] == parent["id"] and row["status"] not in ENDED]

    # --- Changing ---

    def patch(self, request: Request) -> Response:
        """Apply what differs from the subscription as it is; the whole resource is sent, one thing changed."""
        row = dict(self.desk.subscription(request))
        body = tidy(request.json())
        given = request.headers.get("if-match", "").removeprefix("W/").strip('"')
        if given and given != etag_of(row["id"], row["_version"]):
            raise classic(400, 2055, "Etag is no longer valid.")
        old = wire(self.desk, row, request.now)
        for name in ("status", "unitType", "billingType"):
            if name in body and squeezed(body[name]) in REFUSED_WORDS:
                raise classic(400, 0, f"The value of {name} is not valid.")
        # A schedule is removed by an explicit null, which ``tidy`` drops; so it is looked for in what was sent.
        sent = {key.lower(): value for key, value in request.json().items()}
        changes = self._changes(row, body, sent)
        if not changes:
            return ok(self.shown(row, request))
        self._allowed(row, changes)
        for name in changes:
            getattr(self, f"_set_{name}")(row, body, request)
        if set(changes) & {"quantity", "autorenew", "reseller"} and "schedule" not in changes:
            # Any change in the middle of a term drops what was scheduled for its end.
            row.pop("scheduledNextTermInstructions", None)
        row["_version"] += 1
        self.desk.subscriptions.put(row["id"], row)
        new = wire(self.desk, row, request.now)
        customer = self.desk.customers.get(row["_customer"])
        data = {"SubscriptionId": row["id"], "OrderId": row["orderId"], "Quantity": row["quantity"]}
        self.desk.record(request, "update_subscription", "subscription", customer=customer, old=old, new=new, data=data)
        self.desk.note(f"subscription {row['id']} changed: {', '.join(changes)}")
        return ok(self.shown(row, request))

    def _changes(self, row: dict[str, Any], body: dict[str, Any], sent: dict[str, Any]) -> list[str]:
        """What a body wants to change, in the order in which it is done."""
        found = []
        status = squeezed(body.get("status"))
        if status and status != row["status"]:
            found.append("status")
        if "quantity" in body and integer(body["quantity"]) != row["quantity"]:
            found.append("quantity")
        if "autoRenewEnabled" in body and bool(body["autoRenewEnabled"]) != row["autoRenewEnabled"]:
            found.append("autorenew")
        if "friendlyName" in body and body["friendlyName"] != row["friendlyName"]:
            found.append("name")
        if "partnerId" in body and str(body["partnerId"]) != row["partnerId"]:
            found.append("reseller")
        if "billingCycle" in body and squeezed(body["billingCycle"]) != squeezed(row["billingCycle"]):
            raise classic(400, 2054, "The billing cycle of a subscription cannot be changed here.")
        schedule = "schedulednextterminstructions"
        if schedule in sent and tidy(sent[schedule]) != row.get("scheduledNextTermInstructions"):
            found.append("schedule")
        return found

    def _allowed(self, row: dict[str, Any], changes: list[str]) -> None:
        if row["status"] == "deleted":
            raise classic(400, 2011, "The subscription is deleted.")
        if row["status"] in ENDED:
            raise classic(400, 800040, "The subscription has ended.")
        if row["status"] == "suspended" and changes != ["status"]:
            raise classic(400, 800091, "The subscription is suspended.")

    def _set_status(self, row: dict[str, Any], body: dict[str, Any], request: Request) -> None:
        wanted = squeezed(body["status"])
        if wanted == "deleted":
            self._cancel(row, request.now)
        elif wanted not in ("active", "suspended"):
            raise classic(400, 800040, f"The status cannot be changed to {body['status']}.")
        else:
            parent = self.desk.subscriptions.get(row["parentSubscriptionId"] or "")
            if wanted == "active" and parent is not None and parent["status"] != "active":
                raise classic(409, 27009, "The parent subscription is not active.")
            row["suspensionReasons"] = ["Partner"] if wanted == "suspended" else None
        row["status"] = wanted
        for addon in self.addons_of(row):
            change = {"status": wanted, "_version": addon["_version"] + 1}
            self.desk.subscriptions.put(addon["id"], addon | change)

    def _cancel(self, row: dict[str, Any], now: dt.datetime) -> None:
        if row["billingType"] == "usage":
            below = [e for e in self.desk.azure_entitlements.values() if e["subscriptionId"] == row["id"]]
            if any(item["status"] == "active" for item in below):
                raise classic(400, 900115, "The Azure plan has active Azure subscriptions.")
            return
        if parse_moment(row["cancellationAllowedUntilDate"]) <= now:
            text = "The subscription is beyond the 7-day cancellation window."
            raise classic(400, 900117, text, [f"cancellationAllowedUntilDate:  {row['cancellationAllowedUntilDate']}"])
        row["autoRenewEnabled"] = False
        row.pop("scheduledNextTermInstructions", None)

    def _set_quantity(self, row: dict[str, Any], body: dict[str, Any], request: Request) -> None:
        wanted = integer(body["quantity"])
        found = self.desk.catalogue.by_code(row["_code"])
        if wanted is None or found is None:
            raise classic(400, 2002, "The quantity is not valid.")
        sku = found[1]
        if not sku["min"] <= wanted <= sku["max"] or row["isTrial"]:
            raise classic(400, 2002, f"The quantity must be from {sku['min']} to {sku['max']}.")
        self._check_parent_seats(row, wanted)
        if wanted > row["quantity"]:
            seats = {"quantity": wanted - row["quantity"], "until": iso(request.now + WINDOW)}
            row["_windows"] = [*row["_windows"], seats]
        else:
            row["_windows"] = self._give_back(row, row["quantity"] - wanted, request.now)
        row["quantity"] = wanted

    def _check_parent_seats(self, row: dict[str, Any], wanted: int) -> None:
        parent = self.desk.subscriptions.get(row["parentSubscriptionId"] or "")
        if parent is not None and wanted > parent["quantity"]:
            raise classic(400, 800128, "An add-on cannot have more seats than its base.")
        if any(addon["quantity"] > wanted for addon in self.addons_of(row)):
            raise classic(400, 800128, "An add-on has more seats than the base would have.")

    def _give_back(self, row: dict[str, Any], seats: int, now: dt.datetime) -> list[dict[str, Any]]:
        """The windows after seats were given back, the latest purchase first. Raises 400/800090."""
        windows = [dict(item) for item in open_windows(row, now)]
        if seats > sum(item["quantity"] for item in windows):
            data = [f"refundableQuantity:  {sum(item['quantity'] for item in windows)}"]
            raise classic(400, 800090, "Subscription quantity cannot be decreased.", data)
        for item in reversed(windows):
            taken = min(seats, item["quantity"])
            item["quantity"] -= taken
            seats -= taken
        return [item for item in windows if item["quantity"]]

    def _set_autorenew(self, row: dict[str, Any], body: dict[str, Any], request: Request) -> None:
        if row["billingType"] == "usage" or row["billingCycle"] == "one_time":
            raise classic(400, 800093, "The subscription cannot be renewed.")
        row["autoRenewEnabled"] = bool(body["autoRenewEnabled"])

    def _set_name(self, row: dict[str, Any], body: dict[str, Any], request: Request) -> None:
        row["friendlyName"] = str(body["friendlyName"])

    def _set_reseller(self, row: dict[str, Any], body: dict[str, Any], request: Request) -> None:
        wanted = str(body["partnerId"])
        if wanted and wanted not in self.desk.resellers:
            raise classic(400, 800098, "The partner id is not valid.")
        row["partnerId"] = wanted

    def _set_schedule(self, row: dict[str, Any], body: dict[str, Any], request: Request) -> None:
        plan = body.get("scheduledNextTermInstructions")
        if not plan:
            row.pop("scheduledNextTermInstructions", None)
            return
        if not row["autoRenewEnabled"]:
            raise classic(400, 800093, "A change can be scheduled only while the subscription renews by itself.")
        product = plan.get("product") or {}
        if product:
            customer = self.desk.customers.get(row["_customer"]) or {}
            code = f"{product.get('productId')}:{product.get('skuId')}:{product.get('availabilityId')}"
            item = self.desk.catalogue.find_item(code, self.desk.country_of(customer), request.now)
            if item is None:
                raise classic(400, 800004, "The availability of the scheduled product is not valid.")
            cycles = {squeezed(cycle) for cycle in item.cycles}
            if product.get("termDuration") != item.duration or squeezed(product.get("billingCycle")) not in cycles:
                raise classic(400, 800097, "The term or billing cycle of the scheduled product is not valid.")
        row["scheduledNextTermInstructions"] = plan
