"""One order at Partner Center, resumable at any point and never placed twice (``partner-center.md`` 2.6, 8).

Everything that must survive a kill is one record in the operation's steps: the cart's content before it is sent, the
cart's id, the moment the checkout was first sent, the order ids. A checkout that was sent and has no known answer is
looked up before anything else happens: in the cart, in the customer's orders and subscriptions by our mark, in the
audit records by our correlation id.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.base import refused, refused_as, result_of, waiting
from office365.connector.items import ROTATED, catalogue_item
from office365.errors import BY_NAME, PartnerCenterError, describe, topic_for
from office365.schemas.commerce import Cart, Checkout, LineError, Order
from office365.schemas.subscriptions import Subscription
from provisioning.ports import (
    AddOnLine,
    Context,
    ErrorKind,
    Outcome,
    Result,
    ServiceRequest,
    VendorError,
)

REPEAT_WITHIN = dt.timedelta(minutes=10)
LOOK_UNTIL = dt.timedelta(minutes=30)
GIVE_NOTICE_AFTER = dt.timedelta(hours=24)
TOLERANCE = dt.timedelta(minutes=5)
POLLS = (10, 30, 60, 120, 300)


class Purchase:
    """The purchase of one product, with its add-ons; ``record`` names where its progress is kept."""

    def __init__(self, client: PartnerCenter, request: ServiceRequest, record: str = "purchase") -> None:
        self.client = client
        self.ctx: Context = client.ctx
        self.request = request
        self.name = record
        self.customer = request.account.external_id
        self.state: dict[str, Any] = dict(self.ctx.steps.get(record) or {})

    # --- Entry points ---

    def run(self) -> Result:
        """Order, or go on where the last run stopped; DONE only when the subscription is active."""
        if self.state.get("orders"):
            return self._await_active()
        if self.state.get("checkout_sent_at"):
            found = self._find_out()
            if found is not None:
                return found
        return self._order()

    def look_up(self) -> Result:
        """What became of it so far, without ordering anything."""
        if self.state.get("orders") or self._find_orders():
            return self._await_active()
        if self.state.get("checkout_sent_at"):
            return waiting("unconfirmed", _("Not confirmed yet; we are checking."), 60)
        return Result(Outcome.UNKNOWN, code="not_sent", message=_("Nothing was ordered at Microsoft."))

    # --- Ordering ---

    def _order(self) -> Result:
        for is_last in (False, True):
            try:
                errors = self._ensure_cart()
                if not errors:
                    return self._check_out()
                first = next((item for item in errors if _is_rotated(item)), None)
                if first is None or is_last:
                    self._put({})
                    return _line_refusal(errors)
            except VendorError as error:
                if error.kind is not ErrorKind.REFUSED or self.state.get("checkout_sent_at"):
                    raise
                if error.code not in ROTATED or is_last:
                    self._put({})
                    return result_of(error)
            # The availability changed between reading and ordering: read it anew, once.
            self._put({})
        raise AssertionError("unreachable: the last round returns or raises")

    def _ensure_cart(self) -> Sequence[LineError]:
        expires = _moment(self.state.get("cart_expires_at"))
        if self.state.get("cart_id") and (expires is None or expires > self.ctx.now() + dt.timedelta(seconds=30)):
            return ()
        if not self.state.get("body") or self.state.get("cart_id"):
            self._put({"body": mapping.cart_body(self.request, self.resolve(), self.ctx.operation_id)})
        cart: Cart = self.client.write(
            "create_cart",
            f"{self.name}:create_cart",
            params={"customer": self.customer},
            body=self.state["body"],
            save=self._save_cart,
        )
        return cart.errors

    def _save_cart(self, cart: Cart) -> None:
        if cart.errors:
            # A cart with an error is never checked out, so it is not kept.
            self._put({})
            return
        lines = [row for line in cart.line_items for row in (line, *line.addon_items)]
        self._put(
            {
                **self.state,
                "cart_id": cart.id,
                "cart_expires_at": cart.expires_at.isoformat() if cart.expires_at else "",
                "groups": {str(line.id): line.order_group for line in lines},
            }
        )

    def resolve(self) -> mapping.Resolved:
        """The catalogue items to order, as they are at this moment; their ids are never kept for long."""
        base = self._item(
            self.request.product_code,
            self.request.product_name,
            "P1M" if self.request.is_trial else self.request.term,
            "none" if self.request.is_trial else self.request.billing_cycle,
        )
        addons = {
            line.id: self._item(
                line.product_code,
                line.name,
                line.term or self.request.term,
                line.billing_cycle or self.request.billing_cycle,
            )
            for line in self.request.addons
        }
        return mapping.Resolved(base, addons)

    def _item(self, code: str, name: str, term: str, cycle: str) -> str:
        return catalogue_item(self.client, self.request, code=code, name=name, term=term, cycle=cycle)

    def _check_out(self) -> Result:
        is_first = not self.state.get("checkout_sent_at")
        if is_first:
            self._put({**self.state, "checkout_sent_at": self.ctx.now().isoformat()})
        try:
            self.client.write(
                "checkout_cart",
                f"{self.name}:checkout_cart",
                params={"customer": self.customer, "cart": self.state["cart_id"]},
                save=self._save_checkout,
            )
        except VendorError as error:
            if not is_first or error.kind is ErrorKind.UNKNOWN or error.code == "in_progress":
                if error.kind is ErrorKind.REFUSED and error.code in {"cart_gone", "in_progress"}:
                    return waiting("unconfirmed", _("Not confirmed yet; we are checking."), 60)
                if not is_first and error.kind is ErrorKind.REFUSED:
                    return self._refuse(error)
                raise
            # A first checkout that definitely had no effect leaves nothing to look up.
            self._put({key: value for key, value in self.state.items() if key != "checkout_sent_at"})
            raise
        if self.state.get("orders"):
            return self._await_active()
        if self.state.get("order_errors"):
            return self._refuse_parts()
        return waiting("unconfirmed", _("Not confirmed yet; we are checking."), 30)

    def _refuse(self, error: VendorError) -> Result:
        self._put({})
        return result_of(error)

    def _save_checkout(self, answer: Checkout) -> None:
        errors = [
            {"group": item.order_group_id, "code": item.code, "text": item.description} for item in answer.order_errors
        ]
        self._put({**self.state, "orders": [order.id for order in answer.orders], "order_errors": errors})

    def _refuse_parts(self) -> Result:
        parts = self.state["order_errors"]
        first = parts[0]
        topic = topic_for(str(first["code"]), "checkout_cart")
        text = "; ".join(str(item["text"]) for item in parts)
        self._put({})
        message = (
            describe(topic, str(first["code"]), text)
            if topic
            else _("Microsoft refuses the order: %(text)s Correct it and retry.") % {"text": text}
        )
        return refused(topic.code if topic else "refused", message)

    # --- Finding out what became of a checkout ---

    def _find_out(self) -> Result | None:
        """Look for a checkout without an answer; ``None`` once it is proven that nothing was ordered."""
        if self._find_orders():
            return self._await_active()
        status = self._cart_status()
        age = self.ctx.now() - (_moment(self.state["checkout_sent_at"]) or self.ctx.now())
        if status == "active" and age < REPEAT_WITHIN:
            # The same MS-RequestId: Microsoft answers what it answered before, or orders for the first time.
            return self._check_out()
        if status == "ordered" or age < LOOK_UNTIL:
            return waiting("unconfirmed", _("Not confirmed yet; we are checking."), 60 if age < LOOK_UNTIL else 300)
        if self._is_audited():
            return waiting("unconfirmed", _("Microsoft has taken the order; its details are not visible yet."), 300)
        self.client.renumber(f"{self.name}:checkout_cart")
        kept = {key: value for key, value in self.state.items() if key != "checkout_sent_at"}
        self._put(kept if status == "active" else {})
        return None

    def _cart_status(self) -> str:
        try:
            cart: Cart = self.client.call(
                "get_cart", params={"customer": self.customer, "cart": str(self.state["cart_id"])}
            )
        except PartnerCenterError as error:
            if error.code == "cart_gone" or error.http_status == 404:
                return "gone"
            raise
        return str(cart.status)

    def _find_orders(self) -> bool:
        """Search orders, then subscriptions, for our mark; what is found is saved."""
        if not self.customer:
            return False
        since = self.request.created_at - TOLERANCE
        operation = self.ctx.operation_id
        params = {"customer": self.customer}
        orders: Sequence[Order] = self.client.collect("list_orders", params=params).items
        found = [order.id for order in orders if mapping.is_ours(order, self.request, operation, since)]
        if not found:
            rows: Sequence[Subscription] = self.client.collect("list_subscriptions", params=params).items
            tag = mapping.tag_of(operation)
            found = [
                row.order_id
                for row in rows
                if row.order_id
                and row.friendly_name.endswith(tag)
                and mapping.same_item(self.request.product_code, row.offer_id)
            ]
        if found:
            self._put({**self.state, "orders": sorted(set(found))})
        return bool(found)

    def _is_audited(self) -> bool:
        sent = _moment(self.state["checkout_sent_at"]) or self.ctx.now()
        rows = self.client.collect("list_audit_records", query={"startDate": (sent - TOLERANCE).date().isoformat()})
        operation = str(self.ctx.operation_id)
        return any(
            row.original_correlation_id.lower() == operation
            and "order" in row.resource_type.lower()
            and row.operation_status != "failed"
            for row in rows.items
        )

    # --- Waiting for the subscription ---

    def _await_active(self) -> Result:
        orders = [read_order(self.client, self.customer, str(order_id)) for order_id in self.state["orders"]]
        if any(order is None for order in orders):
            return self.wait()
        known = [order for order in orders if order is not None]
        own = [order for order in known if any(self.is_base(line.offer_id) for line in order.line_items)]
        if not own:
            # The base was refused while an add-on was ordered; a person has to look at it.
            return Result(Outcome.ATTENTION, code="partial_order", message=self._error_text())
        if own[0].status == "cancelled":
            self._put({})
            return refused(
                "order_cancelled", _("Microsoft cancelled the order. Look at it in Partner Center, then retry.")
            )
        return self.delivered(known, own[0])

    def delivered(self, orders: Sequence[Order], own: Order) -> Result:
        """The subscription that came of the orders, once it is active; ``own`` is the order of the product itself."""
        rows = [row for order in orders for row in subscriptions_of_order(self.client, self.customer, order)]
        base = next((row for row in rows if self.is_base(row.offer_id) and self._is_top(row)), None)
        if base is None:
            return self.wait()
        if base.status in {"deleted", "expired", "disabled"}:
            return refused_as("subscription_gone")
        addons = mapping.addon_ids(rows, base.id, self.request.addons)
        missing = [line for line in self.request.addons if line.id not in addons and not self._was_refused(line)]
        if base.status != "active" or missing:
            return self.wait(external_id=base.id)
        return self._done(base, addons)

    def _done(self, base: Subscription, addons: Mapping[str, str]) -> Result:
        data = mapping.subscription_data(base, addons)
        message = ""
        if self.state.get("order_errors"):
            message = self._error_text()
            data["refused_addons"] = {line.id: message for line in self.request.addons if line.id not in addons}
        return Result(Outcome.DONE, external_id=base.id, message=message, data=data)

    def is_base(self, offer_id: str) -> bool:
        """Whether an order's line or a subscription is of the product itself."""
        return mapping.same_item(self.request.product_code, offer_id)

    def _is_top(self, row: Subscription) -> bool:
        return row.parent_subscription_id.lower() == self.request.parent_external_id.lower()

    def _was_refused(self, line: AddOnLine) -> bool:
        number = str(list(self.request.addons).index(line) + 1)
        group = dict(self.state.get("groups") or {}).get(number, "")
        refused_groups = {str(item["group"]) for item in self.state.get("order_errors") or []}
        return bool(refused_groups) and (group in refused_groups or not group)

    def _error_text(self) -> str:
        text = "; ".join(str(item["text"]) for item in self.state.get("order_errors") or [])
        return _("Microsoft refused a part of the order: %(text)s Order that part again once it is corrected.") % {
            "text": text
        }

    def wait(self, external_id: str = "") -> Result:
        """Microsoft is not finished: look again later, and after a day let a person ask."""
        polls = int(self.state.get("polls", 0))
        self._put({**self.state, "polls": polls + 1})
        sent = _moment(self.state.get("checkout_sent_at"))
        message = _("Microsoft has taken the order and is still at work on it.")
        data = {"order_id": ",".join(str(item) for item in self.state["orders"])}
        if sent is not None and self.ctx.now() - sent > GIVE_NOTICE_AFTER:
            return Result(
                Outcome.ATTENTION,
                code="order_overdue",
                message=_("Microsoft took the order a day ago and has not delivered it. Contact partner support."),
                data=data,
            )
        return waiting("order_pending", message, POLLS[min(polls, len(POLLS) - 1)], external_id=external_id, data=data)

    def _put(self, state: Mapping[str, Any]) -> None:
        self.state = dict(state)
        self.ctx.steps.put(self.name, self.state)


def read_order(client: PartnerCenter, customer: str, order_id: str) -> Order | None:
    """An order of a customer; None while Microsoft does not show it."""
    try:
        order: Order = client.call("get_order", params={"customer": customer, "order": order_id})
    except PartnerCenterError as error:
        if error.code == "not_ready" or error.http_status == 404:
            return None
        raise
    return order


def subscriptions_of_order(client: PartnerCenter, customer: str, order: Order) -> Sequence[Subscription]:
    """The subscriptions that an order brought, as far as Microsoft shows them."""
    rows: Sequence[Subscription] = client.collect(
        "list_subscriptions", params={"customer": customer}, query={"order_id": order.id}
    ).items
    return [row for row in rows if not row.order_id or row.order_id.lower() == order.id.lower()]


def _is_rotated(error: LineError) -> bool:
    return error.code == "10001"


def _line_refusal(errors: Sequence[LineError]) -> Result:
    first = errors[0]
    topic = topic_for(first.code, "create_cart") or BY_NAME["cart_invalid"]
    return refused(topic.code, describe(topic, first.code, "; ".join(item.description for item in errors)))


def _moment(value: object) -> dt.datetime | None:
    return dt.datetime.fromisoformat(str(value)) if value else None
