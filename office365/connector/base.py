"""What the connector's groups of verbs share: making a client and turning refusals into results."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from core.http import HttpClient
from office365.client import PartnerCenter
from office365.errors import BY_NAME, PartnerCenterError, describe
from provisioning.ports import Context, ErrorKind, Outcome, Result, VendorError


class ConnectorBase:
    """Holds nothing of an instance; ``http`` is given by tests only."""

    def __init__(self, http: HttpClient | None = None) -> None:
        self._http = http

    def client(self, ctx: Context) -> PartnerCenter:
        """A client for one piece of work."""
        return PartnerCenter(ctx, self._http)


def refused(code: str, message: str, *, data: Mapping[str, Any] | None = None, flag: str = "") -> Result:
    """A refusal, ours or Microsoft's, in words for people."""
    return Result(Outcome.REFUSED, code=code, message=str(message), data=data or {}, flag=flag)


def refused_as(topic: str) -> Result:
    """A refusal with the sentence and next step of one of our topics."""
    known = BY_NAME[topic]
    return refused(topic, describe(known), flag=known.flag)


def waiting(
    code: str,
    message: str,
    seconds: float,
    *,
    external_id: str = "",
    data: Mapping[str, Any] | None = None,
    flag: str = "",
) -> Result:
    """Not finished yet; look again after so many seconds. ``flag`` says for whom it waits, if not for the vendor."""
    return Result(
        Outcome.WAITING,
        external_id=external_id,
        code=code,
        message=str(message),
        retry_after=dt.timedelta(seconds=seconds),
        data=data or {},
        flag=flag,
    )


def result_of(error: VendorError) -> Result:
    """A refusal as a result; anything else is raised on, the platform decides by its kind."""
    if error.kind is not ErrorKind.REFUSED:
        raise error
    return Result(
        Outcome.REFUSED,
        code=error.code,
        message=error.message,
        flag=error.flag,
        data={"field_errors": error.field_errors} if error.field_errors else {},
    )


def field_error(code: str, message: str, field: str) -> PartnerCenterError:
    """A refusal that belongs to one field of a form."""
    return PartnerCenterError(ErrorKind.REFUSED, str(message), code=code, field_errors={field: str(message)})
