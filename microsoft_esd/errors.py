"""What the error codes mean, in plain words, and what a person does next (``esd.md`` 8 and 10).

The code decides, the HTTP status only where there is none we know: then nobody guesses a refusal, a person looks.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from microsoft_esd.schemas.answers import ApiError, IdentityError
from microsoft_esd.schemas.reading import squeeze
from provisioning.ports import ErrorKind, VendorError

STOCK_PAUSE = dt.timedelta(minutes=15)


class EsdError(VendorError):
    """A refusal or trouble at Microsoft; ``vendor_code`` is theirs, ``code`` is ours and stable."""

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        code: str,
        retry_after: dt.timedelta | None = None,
        http_status: int | None = None,
        flag: str = "",
        field_errors: Mapping[str, str] | None = None,
        vendor_code: str = "",
    ) -> None:
        super().__init__(
            kind,
            message,
            code=code,
            retry_after=retry_after,
            http_status=http_status,
            flag=flag,
            field_errors=field_errors,
        )
        self.vendor_code = vendor_code


@dataclass(frozen=True)
class Topic:
    """One code of Microsoft's: our stable code, what it comes to, and the sentence with the next step."""

    vendor_code: str
    code: str
    kind: ErrorKind
    sentence: str | Promise
    flag: str = ""
    retry_after: dt.timedelta | None = None


_GONE = gettext_lazy("Microsoft no longer sells this product here. Choose another one.")
DISCONTINUED = "discontinued"
LICENCE_NOT_FOUND = "license_not_found"
OUT_OF_STOCK = "out_of_stock"
REDEEMED = "already_redeemed"
NOT_RETURNABLE = "not_returnable"
WINDOW_CLOSED = "return_window_closed"
RETURNED = "already_returned"
REJECTED = "return_rejected"

TOPICS = (
    Topic("InvalidSku", DISCONTINUED, ErrorKind.REFUSED, _GONE),
    Topic("SkuNotAvailableInCountry", DISCONTINUED, ErrorKind.REFUSED, _GONE),
    Topic("Discontinued", DISCONTINUED, ErrorKind.REFUSED, _GONE),
    Topic(
        "OutOfStock", OUT_OF_STOCK, ErrorKind.WAITING,
        gettext_lazy("Waiting for Microsoft to release a licence. It is tried again by itself."),
        flag=OUT_OF_STOCK, retry_after=STOCK_PAUSE,
    ),
    Topic(
        "ChannelNotAuthorized", "channel_not_authorized", ErrorKind.MISCONFIGURED,
        gettext_lazy(
            "Microsoft does not let this channel do this. Check Channel ID, Client ID and country in the "
            "instance's settings, or ask Microsoft to authorize the channel."
        ),
    ),
    Topic(
        "DuplicateTransaction", "duplicate_transaction", ErrorKind.CONTRACT,
        gettext_lazy(
            "Microsoft knows this transaction with another content. Nothing is sent again; compare it at "
            "Microsoft and inform the operator of this system."
        ),
    ),
    Topic(
        "AlreadyRedeemed", REDEEMED, ErrorKind.REFUSED,
        gettext_lazy("This licence has been used and cannot be returned. Ask support if that cannot be."),
    ),
    Topic(
        "NotReturnable", NOT_RETURNABLE, ErrorKind.REFUSED,
        gettext_lazy("Microsoft does not take this licence back. Ask support for another solution."),
    ),
    Topic(
        "ReturnWindowClosed", WINDOW_CLOSED, ErrorKind.REFUSED,
        gettext_lazy("The return period is over. Ask support for another solution."),
    ),
    Topic(
        "AlreadyReturned", RETURNED, ErrorKind.REFUSED,
        gettext_lazy("Microsoft has taken this licence back before. Nothing has to be done."),
    ),
    Topic(
        "LicenseNotFound", LICENCE_NOT_FOUND, ErrorKind.CONTRACT,
        gettext_lazy("Microsoft does not know this licence. Compare it at Microsoft, then try again."),
    ),
)  # fmt: skip
BY_VENDOR_CODE = {squeeze(topic.vendor_code): topic for topic in TOPICS}


def topic_of(vendor_code: str) -> Topic | None:
    """The topic of a code in any casing; ``None`` if the contract does not name it."""
    return BY_VENDOR_CODE.get(squeeze(vendor_code))


def error_of(topic: Topic, http_status: int | None = None) -> EsdError:
    """A topic as an error."""
    return EsdError(
        topic.kind,
        str(topic.sentence),
        code=topic.code,
        retry_after=topic.retry_after,
        http_status=http_status,
        flag=topic.flag,
        vendor_code=topic.vendor_code,
    )


def error_from_answer(call: str, answer: ApiError) -> EsdError:
    """The error an answer stands for. 401, 429 and 503 with ``Retry-After`` are the client's business before."""
    topic = topic_of(answer.code)
    if answer.status >= 500 or answer.status == 408:
        return EsdError(
            ErrorKind.UNKNOWN, _("Not confirmed yet; we are checking."), code="vendor_unreachable",
            http_status=answer.status, vendor_code=answer.code[:40],
        )  # fmt: skip
    if topic is not None:
        return error_of(topic, answer.status)
    if answer.status in {401, 403}:
        return credentials_refused(answer.code, http_status=answer.status)
    values = {"call": call, "status": answer.status, "code": answer.code[:40] or "-"}
    return EsdError(
        ErrorKind.CONTRACT,
        _(
            "Microsoft does not accept the request %(call)s (HTTP %(status)s, %(code)s). Check the paths and "
            "identifiers in the instance's settings and inform the operator of this system."
        )
        % values,
        code="contract", http_status=answer.status, vendor_code=answer.code[:40],
    )  # fmt: skip


def credentials_refused(text: str = "", *, http_status: int | None = None) -> EsdError:
    """Microsoft does not take our token, or gives none."""
    message = _(
        "Microsoft refuses the application's credentials. Check tenant, Client ID and certificate in the instance's "
        "settings."
    )
    if text:
        message += " " + _("(Microsoft: %(text)s)") % {"text": text[:300]}
    return EsdError(
        ErrorKind.MISCONFIGURED, message, code="credentials_refused", flag="credentials_refused",
        http_status=http_status, vendor_code=text[:40],
    )  # fmt: skip


def identity_unavailable(http_status: int | None = None) -> EsdError:
    """The directory gives no answer at the moment; nothing was sent to the service."""
    return EsdError(
        ErrorKind.WAITING,
        _("Microsoft's sign-in service is not available at the moment. It is tried again by itself."),
        code="identity_unavailable", retry_after=dt.timedelta(minutes=1), http_status=http_status,
    )  # fmt: skip


def error_from_identity(answer: IdentityError) -> EsdError:
    """What an error of a token call means: trouble there, or settings that a person must change."""
    if answer.status >= 500 or answer.status in {408, 429} or answer.error == "temporarily_unavailable":
        return identity_unavailable(answer.status)
    return credentials_refused(answer.description or answer.error, http_status=answer.status)
