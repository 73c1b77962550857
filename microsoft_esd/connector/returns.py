"""Giving a licence back (``esd.md`` 8 and 10).

The licence is read right before: what is used, not returnable or too late is refused here, what is returned already is
done. A return whose outcome nobody knows is looked up, as licence and as transaction, before it is repeated.
"""

import datetime as dt

from django.utils import formats
from django.utils.translation import gettext as _

from microsoft_esd.client import ChannelInclusion
from microsoft_esd.connector.base import ConnectorBase, read_licence, refused, result_of, waiting
from microsoft_esd.connector.purchase import FIRST_LOOK, note_answered, note_sent, sent_body
from microsoft_esd.errors import NOT_RETURNABLE, REDEEMED, REJECTED, RETURNED, WINDOW_CLOSED, topic_of
from microsoft_esd.mapping.assets import iso, return_body, returnable_until, returned_data
from microsoft_esd.schemas.answers import Licence, Returned, Transaction
from provisioning.ports import AssetRequest, Context, ErrorKind, Outcome, Result, VendorError

STEP = "return"


class ReturnVerbs(ConnectorBase):
    """The verb that gives a licence back."""

    def asset_cancel(self, ctx: Context, request: AssetRequest) -> Result:
        """Return one unused licence; may be called again until it answers DONE or REFUSED.

        REFUSED with ``already_redeemed``, ``not_returnable``, ``return_window_closed`` or ``return_rejected``. Raises
        ``VendorError`` for everything that is neither an answer nor a delay.
        """
        client = self.client(ctx)
        try:
            licence = read_licence(ctx, client, request)
        except VendorError as error:
            return result_of(error)
        if licence.is_returned:
            return _done(request, licence.updated_at or ctx.now())
        if licence.is_redeemed:
            return _redeemed(licence)
        noted = sent_body(ctx, STEP)
        if noted is not None:
            known = client.transaction(str(ctx.operation_id))
            if known is not None:
                return _answered(ctx, request, known)
        else:
            refusal = _refusal(ctx, request, licence, client.settings.window_days)
            if refusal is not None:
                return refusal
        return self._send(ctx, client, request, noted)

    def _send(
        self, ctx: Context, client: ChannelInclusion, request: AssetRequest, noted: dict[str, object] | None
    ) -> Result:
        body = noted or return_body(request, transaction_id=str(ctx.operation_id))
        note_sent(ctx, STEP, body)
        try:
            answer = client.give_back(body)
        except VendorError as error:
            note_answered(ctx, STEP, error)
            if error.code == RETURNED:
                return _done(request, ctx.now())
            return result_of(error)
        return _answered(ctx, request, answer)


def _answered(ctx: Context, request: AssetRequest, answer: Returned | Transaction) -> Result:
    is_rejected = isinstance(answer, Transaction) and answer.state == "rejected"
    topic = topic_of(answer.error_code) if isinstance(answer, Transaction) and is_rejected else None
    if answer.return_status == "successful" or (topic is not None and topic.code == RETURNED):
        return _done(request, answer.returned_at or ctx.now())
    if topic is not None and topic.kind is ErrorKind.REFUSED:
        return refused(topic.code, str(topic.sentence))
    if answer.return_status == "rejected" or is_rejected:
        return refused(REJECTED, _("Microsoft did not accept the return. Ask support why, then request it again."))
    return waiting("in_progress", _("Microsoft has not decided on the return yet."), FIRST_LOOK)


def _done(request: AssetRequest, moment: dt.datetime) -> Result:
    return Result(Outcome.DONE, external_id=request.external_id, data=returned_data(moment))


def _redeemed(licence: Licence) -> Result:
    data = {"redeemed_at": iso(licence.redeemed_at)} if licence.redeemed_at else {}
    return refused(REDEEMED, _("This licence has been used and cannot be returned."), data=data)


def _refusal(ctx: Context, request: AssetRequest, licence: Licence, window_days: int) -> Result | None:
    """Why the licence cannot be given back; None if it can."""
    until = returnable_until(licence, request, window_days)
    if until is None:
        return refused(NOT_RETURNABLE, _("Microsoft does not take this licence back."))
    if ctx.now() > until:
        text = _("The return period ended on %(date)s.") % {
            "date": formats.date_format(until.astimezone(dt.UTC).date())
        }
        return refused(WINDOW_CLOSED, text)
    return None
