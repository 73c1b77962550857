"""Orders: placing, fulfilment, reading, returning; entitlements (``partner-center.md`` 8.2, 9.4)."""

import datetime as dt
import secrets
from typing import Any

from sandbox.clock import iso, parse_moment
from sandbox.partner_center.answers import attributes, classic, collection, link, ok, shown, squeezed, tidy
from sandbox.partner_center.catalogue_data import SYMBOLS
from sandbox.partner_center.desk import Desk
from sandbox.partner_center.lifecycle import FULFILMENT, NAMED_AFTER, begin_subscription
from sandbox.partner_center.purchases import Purchases, line_errors
from sandbox.router import Routes
from sandbox.wire import Request, Response

RETURN_WINDOW = dt.timedelta(days=30)
Bought = list[tuple[dict[str, Any], dict[str, Any] | None]]


def place_orders(desk: Desk, request: Request, customer: dict[str, Any], lines: Bought) -> list[dict[str, Any]]:
    """Place one pending order per order group; fulfilled after five seconds of the twin's time."""
    # Subscriptions get their ids now, so that add-ons in another order know their parent.
    future = {row["id"]: desk.new_id() for row, _parent in lines}
    groups: dict[str, Bought] = {}
    for row, parent in lines:
        groups.setdefault(row["orderGroup"], []).append((row, parent))
    orders = [_place(desk, request, customer, group, future) for group in groups.values()]
    desk.note("orders placed: " + ", ".join(order["id"] for order in orders))
    return orders


def _place(
    desk: Desk, request: Request, customer: dict[str, Any], group: Bought, future: dict[Any, str]
) -> dict[str, Any]:
    first = group[0][0]
    once = squeezed(first["billingCycle"]) == "onetime"
    alternate = secrets.token_hex(6)
    # New-commerce ids are 12 hex digits, one-time purchases have about 33 signs, legacy ones a GUID.
    key = desk.new_id() if first["_item"].get("legacy") else secrets.token_urlsafe(24) + "1" if once else alternate
    lines, kept = [], []
    for number, (row, parent) in enumerate(group):
        lines.append(_order_line(desk, customer, number, row))
        parent_id = str(row["provisioningContext"].get("parentSubscriptionId") or "").lower()
        if parent is not None:
            parent_id = future[parent["id"]]
        kept.append({"subscription": future[row["id"]], "parent": parent_id, "item": row["_item"], "line": shown(row)})
    total = sum(line["pricing"]["extendedPrice"] for line in lines)
    path = f"/customers/{customer['id']}/orders/{key}"
    order = {
        "id": key,
        "alternateId": alternate if once else key,
        "referenceCustomerId": customer["id"],
        "billingCycle": first["billingCycle"],
        "currencyCode": first["currencyCode"],
        "currencySymbol": SYMBOLS.get(first["currencyCode"], ""),
        "lineItems": lines,
        "creationDate": iso(request.now),
        "status": "pending",
        "transactionType": "UserPurchase",
        "totalPrice": round(total, 2),
        "links": {"provisioningStatus": link(f"{path}/provisioningstatus"), "self": link(path)},
        "attributes": attributes("Order"),
        "_customer": customer["id"],
        "_lines": kept,
        **desk.marks(request),
    }
    desk.orders.put(key.lower(), order)
    desk.at(iso(request.now + FULFILMENT), "order", key.lower())
    names = {f"OfferId-{line['lineItemNumber']}": line["offerId"] for line in lines}
    desk.record(request, "create_order", "order", customer=customer, new=order, data={"OrderId": key, **names})
    return order


def _order_line(desk: Desk, customer: dict[str, Any], number: int, row: dict[str, Any]) -> dict[str, Any]:
    item = row["_item"]
    price = 0.0
    if not item.get("legacy"):
        found = desk.catalogue.by_code(item["code"])
        if found is not None:
            market = desk.country_of(customer)
            product, sku = found
            terms = (item["segment"], item["duration"], item["cycle"])
            price = float(desk.catalogue.cost(product["id"], sku, market, *terms))
    paid = round(price * 0.9, 2) if row.get("promotionId") else price
    reseller = next((p["value"] for p in row.get("participants") or []), "")
    sku_path = "/products/{}/skus/{}".format(*str(item.get("code") or ":").split(":"))
    line = {
        "lineItemNumber": number,
        "offerId": row["catalogItemId"],
        "termDuration": row.get("termDuration", ""),
        "transactionType": "New",
        "friendlyName": row.get("friendlyName") or item["title"],
        "quantity": row["quantity"],
        "partnerIdOnRecord": reseller,
        "promotionId": row.get("promotionId", ""),
        "pricing": {
            "listPrice": price,
            "discountedPrice": paid,
            "proratedPrice": paid,
            "price": paid,
            "extendedPrice": round(paid * row["quantity"], 2),
        },
        "links": {} if item.get("legacy") else {"sku": link(f"{sku_path}?country={desk.country_of(customer)}")},
    }
    return {name: value for name, value in line.items() if value != ""}


class OrderCalls:
    """The calls about orders and entitlements."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.handlers["order"] = self.fulfil
        desk.handlers["perpetual_id"] = self.name_perpetual

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        orders = "/v1/customers/{customer}/orders"
        one = f"{orders}/{{order}}"
        routes.add("GET", orders, "list_orders", self.list_orders)
        routes.add("GET", one, "get_order", self.get)
        routes.add("POST", orders, "create_order", self.create, write=True)
        routes.add("PATCH", one, "update_order", self.give_back, write=True)
        routes.add("GET", f"{one}/provisioningstatus", "get_order_provisioning", self.provisioning)
        routes.add("GET", f"{one}/activationlinks", "list_order_activation_links", self.activation_links)
        line = f"{one}/lineitems/{{line}}/activationlinks"
        routes.add("GET", line, "list_line_activation_links", self.activation_links)
        routes.add("GET", "/v1/customers/{customer}/entitlements", "list_entitlements", self.entitlements)

    def fulfil(self, key: str, moment: dt.datetime) -> None:
        """Complete a pending order and begin its subscriptions."""
        order = self.desk.orders.get(key)
        if order is None or order["status"] != "pending":
            return
        lines = []
        for line, kept in zip(order["lineItems"], order["_lines"], strict=True):
            if begin_subscription(self.desk, order, line, kept, moment):
                line = line | {"subscriptionId": kept["subscription"]}
                if kept["parent"]:
                    line["parentSubscriptionId"] = kept["parent"]
                path = f"/customers/{order['_customer']}/subscriptions/{kept['subscription']}"
                line["links"] = line["links"] | {"subscription": link(path)}
            lines.append(line)
        self.desk.orders.put(key, order | {"status": "completed", "lineItems": lines})
        if order["billingCycle"] == "one_time":
            self.desk.at(iso(moment + NAMED_AFTER), "perpetual_id", key)

    def name_perpetual(self, key: str, moment: dt.datetime) -> None:
        """The lines of perpetual software get a subscription's id, though no subscription is shown for them."""
        order = self.desk.orders.get(key)
        if order is None or order["status"] != "completed":
            return
        lines = [
            line | {"subscriptionId": kept["subscription"]} if self._is_perpetual(kept["item"]) else line
            for line, kept in zip(order["lineItems"], order["_lines"], strict=True)
        ]
        self.desk.orders.put(key, order | {"lineItems": lines})

    def _is_perpetual(self, item: dict[str, Any]) -> bool:
        found = self.desk.catalogue.by_code(str(item.get("code") or ""))
        return found is not None and found[0]["type"] == "Software" and not item.get("duration")

    def list_orders(self, request: Request) -> Response:
        """All orders of a customer; ``billingType=onetime`` gives the one-time ones only."""
        customer = self.desk.customer(request)
        once = squeezed(request.query.get("billingType")) == "onetime"
        rows = [
            shown(row)
            for row in self.desk.orders_of(customer["id"])
            if not self.desk.hidden(row, request.now) and (not once or row["billingCycle"] == "one_time")
        ]
        return ok(collection(rows, f"/customers/{customer['id']}/orders"))

    def get(self, request: Request) -> Response:
        """One order, with prices only if they are asked for."""
        order = shown(self.desk.order(request))
        if request.query.get("include_price", "").lower() != "true":
            order["lineItems"] = [{k: v for k, v in line.items() if k != "pricing"} for line in order["lineItems"]]
        return ok(order)

    def create(self, request: Request) -> Response:
        """Order without a cart; line numbers run from 0."""
        customer = self.desk.customer(request)
        body = tidy(request.json())
        rows = body.get("lineItems") or []
        if [row.get("lineItemNumber") for row in rows] != list(range(len(rows))):
            raise classic(400, 800071, "The line item numbers are not valid.")
        cycle = body.get("billingCycle")
        rows = [{"billingCycle": cycle, **row, "id": row["lineItemNumber"]} for row in rows]
        whole = {**body, "lineItems": rows, "partnerOnRecordAttestationAccepted": True}
        lines = Purchases(self.desk, request, customer).check(whole)
        if not self.desk.has_agreement(customer):
            raise classic(403, 13605, "The customer has not accepted the Microsoft Customer Agreement.")
        errors = line_errors(lines)
        if errors:
            raise classic(400, 800004, "The offer is not valid.", [row["errorDescription"] for row in errors])
        one_group: Bought = [(line | {"orderGroup": "0"}, None) for line in lines]
        return ok(shown(place_orders(self.desk, request, customer, one_group)[0]), 201)

    def give_back(self, request: Request) -> Response:
        """Return software: the named lines, or all; 30 days long. Raises 900117 later, 800019 for other purchases."""
        customer, order = self.desk.customer(request), self.desk.order(request)
        body = tidy(request.json())
        if body.get("status") != "cancelled":
            raise classic(400, 2054, "Only the cancellation of an order is supported.")
        codes = [str(kept["item"].get("code") or "") for kept in order["_lines"]]
        found = [self.desk.catalogue.by_code(code) for code in codes]
        if order["billingCycle"] != "one_time" or not all(pair and pair[0]["type"] == "Software" for pair in found):
            raise classic(403, 800019, "This order cannot be cancelled.")
        if parse_moment(order["creationDate"]) + RETURN_WINDOW < request.now:
            raise classic(400, 900117, "The order is beyond the 30-day cancellation window.")
        wanted = {row.get("lineItemNumber") for row in body.get("lineItems") or []}
        lines = [
            line | {"quantity": 0} if not wanted or line["lineItemNumber"] in wanted else line
            for line in order["lineItems"]
        ]
        empty = all(line["quantity"] == 0 for line in lines)
        changed = order | {"lineItems": lines, "status": "cancelled" if empty else order["status"]}
        self.desk.orders.put(order["id"].lower(), changed)
        self._end_subscriptions(order, lines)
        self.desk.record(request, "update_order", "order", customer=customer, old=order, new=changed)
        self.desk.note(f"order {order['id']} given back")
        return ok(shown(changed))

    def _end_subscriptions(self, order: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        for line in lines:
            row = self.desk.subscriptions.get(str(line.get("subscriptionId") or ""))
            if row is not None and line["quantity"] == 0:
                self.desk.subscriptions.put(row["id"], row | {"status": "deleted", "quantity": 0})

    def provisioning(self, request: Request) -> Response:
        """How far each line is."""
        order = self.desk.order(request)
        word = "fulfilled" if order["status"] == "completed" else "prefulfillment_pending"
        rows = [
            {
                "orderLineItemId": line["lineItemNumber"],
                "lineItemNumber": line["lineItemNumber"],
                "status": word,
                "quantityProvisioningInformation": [{"quantity": line["quantity"], "status": word}],
            }
            for line in order["lineItems"]
        ]
        return ok(collection(rows))

    def activation_links(self, request: Request) -> Response:
        """Activation links: the twin sells no marketplace product, so there are none."""
        self.desk.order(request)
        return ok(collection([], request.path.removeprefix("/v1")))

    def entitlements(self, request: Request) -> Response:
        """What the customer owns: software and reservations of completed one-time orders."""
        customer = self.desk.customer(request)
        wanted = squeezed(request.query.get("entitlementType"))
        rows = []
        for order in self.desk.orders_of(customer["id"]):
            if (
                self.desk.hidden(order, request.now)
                or order["billingCycle"] != "one_time"
                or order["status"] != "completed"
            ):
                continue
            for line, kept in zip(order["lineItems"], order["_lines"], strict=True):
                row = self._entitlement(customer, order, line, kept)
                if line["quantity"] and (not wanted or wanted == squeezed(row["entitlementType"])):
                    rows.append(row)
        return ok(collection(rows))

    def _entitlement(
        self, customer: dict[str, Any], order: dict[str, Any], line: dict[str, Any], kept: dict[str, Any]
    ) -> dict[str, Any]:
        product_id, sku_id = kept["item"]["code"].split(":")
        reservation = self.desk.catalogue.products[product_id]["type"] == "Azure"
        artifact = f"/customers/{customer['id']}/artifacts/reservedinstance/groups/{kept['subscription']}"
        return {
            "includedEntitlements": [],
            "referenceOrder": {
                "id": order["id"],
                "lineItemId": str(line["lineItemNumber"]),
                "alternateId": order["alternateId"],
            },
            "productId": product_id,
            "skuId": sku_id,
            "quantity": line["quantity"],
            "quantityDetails": [{"quantity": line["quantity"], "status": "fulfilled"}],
            "entitledArtifacts": [
                {"link": link(artifact), "resourceId": kept["subscription"], "artifactType": "reservedinstance"}
            ]
            if reservation
            else [],
            "entitlementType": "reservedinstance" if reservation else "software",
            "fulfillmentState": "Fulfilled",
        }
