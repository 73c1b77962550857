"""What the connector's groups of verbs share: making a client, results and moments."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from core.http import HttpClient
from microsoft_esd.client import ChannelInclusion
from microsoft_esd.errors import LICENCE_NOT_FOUND, EsdError
from microsoft_esd.schemas.answers import Licence
from provisioning.ports import AssetRequest, Context, ErrorKind, Outcome, Result, VendorError

READ_LAG = dt.timedelta(minutes=15)  # What was bought may be shown that much later.
LATE_LOOK = dt.timedelta(minutes=1)


class ConnectorBase:
    """Holds nothing of an instance; ``http`` is given by tests only."""

    def __init__(self, http: HttpClient | None = None) -> None:
        self._http = http

    def client(self, ctx: Context) -> ChannelInclusion:
        """A client for one piece of work."""
        return ChannelInclusion(ctx, self._http)


def read_licence(ctx: Context, client: ChannelInclusion, request: AssetRequest) -> Licence:
    """How a licence stands at Microsoft; one that was bought just now may only be shown late, so it is awaited."""
    try:
        return client.licence(request.external_id)
    except EsdError as error:
        if error.code != LICENCE_NOT_FOUND or ctx.now() - request.purchased_at > READ_LAG:
            raise
        words = _("Microsoft does not show this licence yet.")
        raise EsdError(ErrorKind.WAITING, words, code="license_late", retry_after=LATE_LOOK) from error


def refused(code: str, message: str, *, data: Mapping[str, Any] | None = None) -> Result:
    """A refusal, ours or Microsoft's, in words for people."""
    return Result(Outcome.REFUSED, code=code, message=str(message), data=data or {})


def waiting(code: str, message: str, delay: dt.timedelta, *, flag: str = "") -> Result:
    """Not finished yet; look again after the delay."""
    return Result(Outcome.WAITING, code=code, message=str(message), retry_after=delay, flag=flag)


def result_of(error: VendorError) -> Result:
    """A refusal and a wait as results; anything else is raised on, the platform decides by its kind."""
    if error.kind is ErrorKind.REFUSED:
        return refused(error.code, error.message)
    if error.kind is ErrorKind.WAITING and error.retry_after is not None:
        return waiting(error.code, error.message, error.retry_after, flag=error.flag)
    raise error
