"""What the connector's groups of verbs share: making a client, results and moments."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from core.http import HttpClient
from microsoft_esd.client import ChannelInclusion
from provisioning.ports import Context, ErrorKind, Outcome, Result, VendorError


class ConnectorBase:
    """Holds nothing of an instance; ``http`` is given by tests only."""

    def __init__(self, http: HttpClient | None = None) -> None:
        self._http = http

    def client(self, ctx: Context) -> ChannelInclusion:
        """A client for one piece of work."""
        return ChannelInclusion(ctx, self._http)


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
