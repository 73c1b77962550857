"""What Partner Center's error codes mean, in plain words, and what a person does next (``partner-center.md`` 2.10,
2.11).

A :class:`Topic` stands for all codes with the same meaning and remedy. The code decides first, the HTTP status only
where there is none; one code comes with several statuses. :class:`PartnerCenterError` carries our stable topic as
``code`` and Microsoft's own as ``vendor_code``.
"""

import datetime as dt
from collections.abc import Mapping

from django.utils.translation import gettext as _

from office365.errors.topics import BY_CALL, BY_CODE, BY_NAME, TOPICS, Topic
from office365.schemas.common import ApiError, IdentityError
from provisioning.ports import ErrorKind, VendorError


class PartnerCenterError(VendorError):
    """A refusal or trouble at Microsoft; ``vendor_code`` and ``vendor_text`` are theirs, ``code`` is our topic."""

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        code: str = "",
        retry_after: dt.timedelta | None = None,
        http_status: int | None = None,
        flag: str = "",
        field_errors: Mapping[str, str] | None = None,
        vendor_code: str = "",
        vendor_text: str = "",
        answer: ApiError | None = None,
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
        self.vendor_text = vendor_text
        self.answer = answer


def topic_for(code: str, call: str = "") -> Topic | None:
    """The topic of a vendor code, seen from a call; ``None`` if the code is not in our table."""
    named = BY_CALL.get((call, code))
    return BY_NAME[named] if named else BY_CODE.get(code)


def describe(topic: Topic, code: str = "", text: str = "") -> str:
    """Sentence, next step and Microsoft's own words, for people."""
    parts = [str(topic.sentence), str(topic.next_step)]
    if text or code:
        parts.append(_("(Microsoft %(code)s: %(text)s)") % {"code": code, "text": text[:500]})
    return " ".join(parts)


def error_from_answer(call: str, answer: ApiError, *, writes: bool = False) -> PartnerCenterError:
    """The error an answer stands for: by code first, then by status (``partner-center.md`` 2.10).

    429 and 503 with ``Retry-After`` are the client's business; it sees the headers.
    """
    topic = topic_for(answer.code, call)
    text = " ".join((answer.message, *answer.details)).strip()
    if answer.code == "10001" and "mfa" in text.lower():
        topic = BY_NAME["credentials_refused"]
    if answer.status >= 500 or answer.status == 408:
        return _unknown(answer, topic, text)
    if topic is not None and not (answer.code in {"0", "1000"} and answer.status in {401, 403}):
        return PartnerCenterError(
            topic.kind,
            describe(topic, answer.code, text),
            code=topic.code,
            retry_after=dt.timedelta(seconds=topic.retry_seconds) if topic.retry_seconds else None,
            http_status=answer.status,
            flag=topic.flag,
            field_errors={topic.field: str(topic.sentence)} if topic.field else None,
            vendor_code=answer.code,
            vendor_text=text,
            answer=answer,
        )
    return _by_status(call, answer, text)


def _unknown(answer: ApiError, topic: Topic | None, text: str) -> PartnerCenterError:
    message = _(
        "Microsoft answered with an error of its own. Whether the request had its effect is being checked; nothing has "
        "to be done."
    )
    if text:
        message += " " + _("(Microsoft %(code)s: %(text)s)") % {"code": answer.code, "text": text[:500]}
    return PartnerCenterError(
        ErrorKind.UNKNOWN,
        message,
        code=topic.code if topic else "vendor_unreachable",
        http_status=answer.status,
        vendor_code=answer.code,
        vendor_text=text,
        answer=answer,
    )


def _by_status(call: str, answer: ApiError, text: str) -> PartnerCenterError:
    kind, code, flag = ErrorKind.REFUSED, "refused", ""
    if answer.status == 401:
        kind, code, flag = ErrorKind.MISCONFIGURED, "credentials_refused", "credentials_refused"
        message = _("Microsoft refuses the application's credentials. Check the instance's settings.")
    elif answer.status == 412:
        code = "changed_meanwhile"
        message = describe(BY_NAME[code])
    elif answer.code and answer.status not in {405, 406, 415, 417}:
        message = _("Microsoft refuses the request: %(text)s Correct it and try again.") % {
            "text": text or _("code %(code)s.") % {"code": answer.code}
        }
    else:
        kind, code = ErrorKind.CONTRACT, "contract"
        message = _(
            "Microsoft does not accept the request %(call)s (HTTP %(status)s). Inform the operator of this system."
        ) % {"call": call, "status": answer.status}
    return PartnerCenterError(
        kind, message, code=code, http_status=answer.status, flag=flag, vendor_code=answer.code, vendor_text=text,
        answer=answer,
    )  # fmt: skip


# --- The identity platform ---

_CONSENT_CODES = frozenset({50076, 50079, 65001, 70008, 700082, 50173, 70002, 50126, 50078, 700084})
_SETTING_CODES = frozenset({7000215, 7000222, 700027, 500011, 700016, 90002, 7000216, 900023, 700030})


def error_from_identity(answer: IdentityError, *, user: bool) -> PartnerCenterError:
    """What an error of a token call means: consent lost, wrong settings, or trouble there (3.4)."""
    codes = set(answer.codes)
    text = answer.description
    if codes & _SETTING_CODES or answer.error in {
        "invalid_client",
        "unauthorized_client",
        "invalid_resource",
    }:
        return PartnerCenterError(
            ErrorKind.MISCONFIGURED,
            _("Microsoft refuses the application's credentials. Check tenant, application id and key. (%(text)s)")
            % {"text": text[:300]},
            code="credentials_refused", flag="credentials_refused", http_status=answer.status,
            vendor_code=_first(answer), vendor_text=text,
        )  # fmt: skip
    if answer.status >= 500 or 90033 in codes or answer.error in {"temporarily_unavailable", "server_error"}:
        return PartnerCenterError(
            ErrorKind.WAITING,
            _("Microsoft's sign-in service is not available at the moment. It is tried again by itself."),
            code="identity_unavailable", retry_after=dt.timedelta(minutes=1), http_status=answer.status,
            vendor_code=_first(answer), vendor_text=text,
        )  # fmt: skip
    if user or codes & _CONSENT_CODES:
        return PartnerCenterError(
            ErrorKind.MISCONFIGURED,
            _("Microsoft needs your consent again. (%(text)s)") % {"text": text[:300]},
            code="consent_lost", flag="consent_lost", http_status=answer.status,
            vendor_code=_first(answer), vendor_text=text,
        )  # fmt: skip
    return PartnerCenterError(
        ErrorKind.MISCONFIGURED,
        _("Microsoft's sign-in service refuses the application. Check the settings. (%(text)s)") % {"text": text[:300]},
        code="credentials_refused", flag="credentials_refused", http_status=answer.status,
        vendor_code=_first(answer), vendor_text=text,
    )  # fmt: skip


def _first(answer: IdentityError) -> str:
    return f"AADSTS{answer.codes[-1]}" if answer.codes else answer.error


__all__ = [
    "BY_CODE",
    "BY_NAME",
    "TOPICS",
    "PartnerCenterError",
    "Topic",
    "describe",
    "error_from_answer",
    "error_from_identity",
    "topic_for",
]
