"""Perpetual licences: lines of one-time software orders, bought, read and given back (``esd.md`` 11).

Microsoft names such a licence by its order and line; the platform's id of it is ``{order}:{line}``. The Perpetual ID is
the line's subscription, which Microsoft may assign only later, or never; nothing is invented. No call returns a key.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.base import refused, result_of, waiting
from office365.connector.orders import READ_LAG, OrderVerbs
from office365.connector.purchase import Purchase, read_order, subscriptions_of_order
from office365.errors import PartnerCenterError
from office365.schemas.commerce import Order, OrderLine
from provisioning.ports import AssetRequest, Context, ErrorKind, Outcome, Result, ServiceRequest, VendorError

RETURN_STEP = "return:update_order"
# Our words for the reasons of Microsoft that the platform has sentences of its own for.
RETURN_CODES = {"window_closed": "return_window_closed", "cancel_not_possible": "not_returnable"}


class AssetVerbs(OrderVerbs):
    """Verbs of perpetual licences."""

    def asset_create(self, ctx: Context, request: AssetRequest) -> Result:
        """Order all licences of the asset as one line; to be called again until DONE or REFUSED, never orders twice.

        A time-out raises ``VendorError(UNKNOWN)``; the next call looks the order up before it does anything else.
        """
        client = self.client(ctx)
        return self.bought(ctx, PerpetualPurchase(client, _service_request(request)))

    def asset_status(self, ctx: Context, request: AssetRequest) -> Result:
        """What Microsoft says of the order line now: DONE with its ids, and whether it was given back."""
        client = self.client(ctx)
        order, line = _read_line(client, request)
        data: dict[str, Any] = line_data(client, request.account.external_id, order, line)
        if is_returned(order, line):
            data["return_status"] = "successful"
        return Result(Outcome.DONE, external_id=request.external_id, data=data)

    def asset_cancel(self, ctx: Context, request: AssetRequest) -> Result:
        """Give the whole line back; the order is read before each try, so one that came through is not sent again.

        REFUSED with ``return_window_closed``, ``not_returnable`` or Microsoft's reason.
        """
        client = self.client(ctx)
        try:
            order, line = _read_line(client, request)
            if not is_returned(order, line):
                answer: Order = client.write(
                    "update_order",
                    RETURN_STEP,
                    params={"customer": request.account.external_id, "order": order.id},
                    body=mapping.return_body(order, line),
                )
                order, line = answer, line_of(answer, line.line_item_number)
        except VendorError as error:
            if error.kind is ErrorKind.REFUSED and error.code in RETURN_CODES:
                return refused(RETURN_CODES[error.code], error.message)
            return result_of(error)
        if not is_returned(order, line):
            return waiting("in_progress", _("Microsoft has not confirmed the return yet."), 60)
        return Result(Outcome.DONE, external_id=request.external_id, data={"return_status": "successful"})


class PerpetualPurchase(Purchase):
    """A purchase that is done once its order is; what it brought has no subscription to wait for."""

    def delivered(self, orders: Sequence[Order], own: Order) -> Result:
        """The line of the completed order, with the ids that Microsoft has by now."""
        if own.status != "completed":
            return self.wait()
        line = next(item for item in own.line_items if self.is_base(item.offer_id))
        data = line_data(self.client, self.customer, own, line)
        return Result(Outcome.DONE, external_id=f"{own.id}:{line.line_item_number or 0}", data=data)


def line_data(client: PartnerCenter, customer: str, order: Order, line: OrderLine) -> dict[str, Any]:
    """What the platform stores of an order line; the Perpetual ID is empty while Microsoft has none."""
    perpetual_id = line.subscription_id
    if not perpetual_id and not is_returned(order, line):
        rows = subscriptions_of_order(client, customer, order)
        fitting = [row.id for row in rows if mapping.same_item(mapping.code_of(line.offer_id), row.offer_id)]
        # Two candidates are no answer: which of them is meant is not for us to guess.
        perpetual_id = fitting[0] if len(fitting) == 1 else ""
    return {
        "order_id": order.id,
        "order_line": str(line.line_item_number or 0),
        "alternate_id": order.alternate_id,
        "perpetual_id": perpetual_id,
    }


def is_returned(order: Order, line: OrderLine) -> bool:
    """Whether Microsoft has taken the line back."""
    return order.status == "cancelled" or line.quantity == 0


def line_of(order: Order, number: int | None) -> OrderLine:
    """A line of an order by its number; ``VendorError(CONTRACT)`` if Microsoft does not show it."""
    found = next((row for row in order.line_items if (row.line_item_number or 0) == (number or 0)), None)
    if found is None:
        raise PartnerCenterError(
            ErrorKind.CONTRACT, _("Microsoft's order does not show the licence's line. Compare it in Partner Center.")
        )
    return found


def _read_line(client: PartnerCenter, request: AssetRequest) -> tuple[Order, OrderLine]:
    order_id, _colon, number = request.external_id.rpartition(":")
    order = read_order(client, request.account.external_id, order_id)
    if order is None:
        words = _("Microsoft does not show the licence's order. Compare it in Partner Center.")
        if client.ctx.now() - request.created_at < READ_LAG:
            raise PartnerCenterError(ErrorKind.WAITING, words, code="order_late", retry_after=dt.timedelta(minutes=1))
        raise PartnerCenterError(ErrorKind.CONTRACT, words)
    return order, line_of(order, int(number))


def _service_request(request: AssetRequest) -> ServiceRequest:
    """The purchase in the words of a service's: once, without a term."""
    return ServiceRequest(
        subscription_id=request.asset_id,
        account=request.account,
        product_code=request.product_code,
        product_name=request.product_name,
        quantity=request.quantity,
        term="",
        billing_cycle="one_time",
        currency=request.currency,
        created_at=request.created_at,
        segment=request.segment,
    )
