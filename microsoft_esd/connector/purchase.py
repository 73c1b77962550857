"""Buying a licence and reading how it stands (``esd.md`` 5, 7 and 10).

The operation's id is Microsoft's key of the purchase. It is noted, with the very body, before anything is sent; after
an outcome that nobody knows Microsoft is asked first, and only what never arrived is sent again, under the same id.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from microsoft_esd.connector.base import ConnectorBase, read_licence, refused, result_of, waiting
from microsoft_esd.errors import OUT_OF_STOCK, EsdError, error_of, topic_of
from microsoft_esd.mapping.assets import licence_data, purchase_body, purchased_data, single_line, sku_of
from microsoft_esd.mapping.products import Place
from microsoft_esd.schemas.answers import Transaction
from provisioning.ports import AssetRequest, Context, ErrorKind, Outcome, Result, VendorError

STEP = "purchase"
FIRST_LOOK = dt.timedelta(seconds=30)
LAST_LOOK = dt.timedelta(minutes=15)


class PurchaseVerbs(ConnectorBase):
    """Verbs that bring a licence and read it."""

    def asset_create(self, ctx: Context, request: AssetRequest) -> Result:
        """Buy one licence; may be called again until it answers DONE or REFUSED, and never buys a second one.

        DONE: ``external_id`` is Microsoft's LicenseId, the key is ``secrets["token"]``. Raises ``VendorError`` for
        everything that is neither an answer nor a delay.
        """
        client = self.client(ctx)
        transaction_id = str(ctx.operation_id)
        client.make_ready()
        noted = sent_body(ctx, STEP)
        if noted is not None:
            answer = client.transaction(transaction_id)
            if answer is not None:
                return _result(answer, request, transaction_id)
        place = Place(client.settings.country, client.settings.language)
        body = noted or _body(request, transaction_id, client.settings.channel_id, place)
        note_sent(ctx, STEP, body)
        try:
            answer = client.purchase(body)
        except VendorError as error:
            note_answered(ctx, STEP, error)
            return result_of(error)
        return _result(answer, request, transaction_id)

    def asset_status(self, ctx: Context, request: AssetRequest) -> Result:
        """How the licence stands at Microsoft: DONE with what is told. Raises ``VendorError`` if it is not told."""
        licence = read_licence(ctx, self.client(ctx), request)
        return Result(Outcome.DONE, external_id=request.external_id, data=licence_data(licence))


def sent_body(ctx: Context, step: str) -> dict[str, Any] | None:
    """The body of a request that was sent and whose outcome nobody noted; None if there is none."""
    noted = ctx.steps.get(step) or {}
    body = noted.get("body")
    return dict(body) if noted.get("sent") and isinstance(body, Mapping) else None


def note_sent(ctx: Context, step: str, body: Mapping[str, Any]) -> None:
    """Note that the request goes out now; a repeat sends the same to the byte."""
    ctx.steps.put(step, {"sent": True, "body": body})


def note_answered(ctx: Context, step: str, error: VendorError) -> None:
    """After anything but an unknown outcome nothing of this request stands at Microsoft: the next one is made anew."""
    if error.kind is not ErrorKind.UNKNOWN:
        ctx.steps.put(step, {"sent": False})


def _body(request: AssetRequest, transaction_id: str, channel_id: str, place: Place) -> dict[str, Any]:
    if not sku_of(request):
        raise EsdError(
            ErrorKind.CONTRACT,
            _("This product has no SKU. Run Get Services Definition, then try again."),
            code="sku_missing",
        )
    return purchase_body(request, transaction_id=transaction_id, channel_id=channel_id, place=place)


def _result(answer: Transaction, request: AssetRequest, transaction_id: str) -> Result:
    if answer.state == "rejected":
        return _rejected(answer)
    if answer.state != "completed" and (answer.state == "pending" or not answer.lines):
        # A state that nobody told us and no licence yet: whatever it means, it is not the end.
        return waiting("in_progress", _("Microsoft is still preparing the licence."), next_look(answer))
    line = single_line(answer, request, transaction_id)
    return Result(
        Outcome.DONE,
        external_id=line.license_id,
        data=purchased_data(answer, line),
        secrets={"token": line.tokens[0].code},
    )


def next_look(answer: Transaction) -> dt.timedelta:
    """When to ask again: as Microsoft says, between a second and 15 minutes, else after 30 s."""
    seconds = answer.retry_after_seconds
    if seconds is None:
        return FIRST_LOOK
    return min(max(dt.timedelta(seconds=min(float(seconds), 86_400.0)), dt.timedelta(seconds=1)), LAST_LOOK)


def _rejected(answer: Transaction) -> Result:
    """The transaction is final, and its id with it: waiting for stock under the same id would never end."""
    topic = topic_of(answer.error_code)
    if topic is None:
        return refused("rejected", _("Microsoft rejected the purchase. Order again, or choose another product."))
    if topic.code == OUT_OF_STOCK:
        return refused(OUT_OF_STOCK, _("Microsoft has no licence of this product at the moment. Order again later."))
    return result_of(error_of(topic))
