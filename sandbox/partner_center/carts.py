"""Carts and their checkout (``partner-center.md`` 8.1)."""

import datetime as dt
from typing import Any

from sandbox.clock import iso, parse_moment
from sandbox.partner_center.answers import attributes, classic, link, ok, shown, tidy
from sandbox.partner_center.desk import Desk
from sandbox.partner_center.orders import place_orders
from sandbox.partner_center.purchases import Purchases, line_errors
from sandbox.router import Routes
from sandbox.wire import Request, Response

LIFETIME = dt.timedelta(days=7)


class CartCalls:
    """The calls about carts."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        carts = "/v1/customers/{customer}/carts"
        routes.add("POST", carts, "create_cart", self.create, write=True)
        routes.add("GET", f"{carts}/{{cart}}", "get_cart", self.get)
        routes.add("PUT", f"{carts}/{{cart}}", "update_cart", self.put, write=True)
        routes.add("POST", f"{carts}/{{cart}}/checkout", "checkout_cart", self.checkout, write=True)

    def create(self, request: Request) -> Response:
        """Make a cart; errors of its lines are inside this answer, which is a 201 all the same."""
        customer = self.desk.customer(request)
        body = tidy(request.json())
        lines = Purchases(self.desk, request, customer).check(body)
        key = self.desk.new_id()
        cart = {
            "id": key,
            "creationTimestamp": iso(request.now),
            "lastModifiedTimestamp": iso(request.now),
            "expirationTimestamp": iso(request.now + LIFETIME),
            "lastModifiedUser": str(request.claims.get("oid") or request.claims.get("appid") or ""),
            "status": "Active",
            "partnerOnRecordAttestationAccepted": bool(body.get("partnerOnRecordAttestationAccepted")),
            "lineItems": lines,
            "_customer": customer["id"],
            **self.desk.marks(request),
        }
        self.desk.carts.put(key, cart)
        self.desk.note(f"cart {key} created")
        return ok(_cart(cart), 201)

    def get(self, request: Request) -> Response:
        """One cart."""
        return ok(_cart(self._cart(request)))

    def put(self, request: Request) -> Response:
        """Replace the lines of an active cart."""
        cart = self._active(request)
        body = tidy(request.json())
        lines = Purchases(self.desk, request, self.desk.customer(request)).check(body)
        changed = cart | {
            "lineItems": lines,
            "lastModifiedTimestamp": iso(request.now),
            "partnerOnRecordAttestationAccepted": bool(body.get("partnerOnRecordAttestationAccepted")),
        }
        self.desk.carts.put(cart["id"], changed)
        self.desk.note(f"cart {cart['id']} changed")
        return ok(_cart(changed))

    def checkout(self, request: Request) -> Response:
        """Order what is in the cart, one order per group of lines; refused groups are in ``orderErrors``.

        Raises 403/13605 without a customer agreement, 403/800073 while the customer is vetted, 400/800009 for lines
        with errors.
        """
        cart = self._active(request)
        customer = self.desk.customer(request)
        if not self.desk.has_agreement(customer):
            raise classic(403, 13605, "The customer has not accepted the Microsoft Customer Agreement.")
        if customer["_vetting"] == "UnderReview":
            raise classic(403, 800073, "The customer account is under review.")
        if customer["_vetting"] == "NotAllowed":
            raise classic(403, 800075, "The customer account was not approved.")
        if line_errors(cart["lineItems"]):
            raise classic(400, 800009, "The cart has line items with errors.")
        lines = [row for line in cart["lineItems"] for row in flatten(line)]
        no = self.desk.refused_line
        refused = [row for row, parent in lines if row["id"] == no or (parent is not None and parent["id"] == no)]
        bought = [(row, parent) for row, parent in lines if row not in refused]
        orders = place_orders(self.desk, request, customer, bought)
        self.desk.carts.put(cart["id"], cart | {"status": "Ordered", "lastModifiedTimestamp": iso(request.now)})
        body: dict[str, Any] = {"orders": [shown(order) for order in orders]}
        if refused:
            body["orderErrors"] = [
                {
                    "orderGroupId": row["orderGroup"],
                    "code": 800009,
                    "description": f"The order for {row['_item']['title']} could not be placed.",
                }
                for row in refused
            ]
        return ok(body | {"attributes": attributes("CartCheckoutResult")}, 201)

    def _cart(self, request: Request) -> dict[str, Any]:
        customer = self.desk.customer(request)
        cart = self.desk.carts.get(request.params["cart"].lower())
        if cart is None or cart["_customer"] != customer["id"]:
            raise classic(404, 800008, "The cart was not found.")
        if cart["status"] == "Active" and parse_moment(cart["expirationTimestamp"]) <= request.now:
            raise classic(404, 800008, "The cart has expired.")
        return cart

    def _active(self, request: Request) -> dict[str, Any]:
        cart = self._cart(request)
        if cart["status"] != "Active":
            raise classic(400, 800008, "The cart was checked out already.")
        return cart


def flatten(line: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """A line and its add-ons, each with the line it belongs to."""
    return [(line, None), *((addon, line) for addon in line.get("addonItems") or [])]


def _cart(cart: dict[str, Any]) -> dict[str, Any]:
    lines = []
    for line in cart["lineItems"]:
        row = shown(line)
        if row.get("addonItems"):
            row["addonItems"] = [shown(addon) for addon in row["addonItems"]]
        lines.append(row)
    return shown(cart) | {
        "lineItems": lines,
        "links": {"self": link(f"/customers/{cart['_customer']}/carts/{cart['id']}")},
        "attributes": attributes("Cart"),
    }
