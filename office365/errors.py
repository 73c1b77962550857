"""What Partner Center's error codes mean, in plain words, and what a person does next (``partner-center.md`` 2.10, 2.11).

A :class:`Topic` stands for all codes with the same meaning and remedy. The code decides first, the HTTP status only where
there is none; one code comes with several statuses. :class:`PartnerCenterError` carries our stable topic as ``code`` and
Microsoft's own as ``vendor_code``.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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


@dataclass(frozen=True)
class Topic:
    """A meaning: how it is treated, what it says, what to do next, and the account option it belongs to, if any."""

    code: str
    kind: ErrorKind
    sentence: str | Promise
    next_step: str | Promise
    vendor_codes: str
    flag: str = ""
    field: str = ""
    retry_seconds: int = 0


_R, _W, _M = ErrorKind.REFUSED, ErrorKind.WAITING, ErrorKind.MISCONFIGURED
_DAY = 24 * 3600
_t = gettext_lazy

_ACCESS = (
    Topic(
        "delegation_missing",
        _M,
        _t("Microsoft does not let the application do this."),
        _t("Check the application's rights and this customer's delegated roles in Partner Center."),
        "900329 900308 900309 900316 90000 2032 900150",
        flag="delegation_missing",
    ),
    Topic(
        "credentials_refused",
        _M,
        _t("Microsoft refuses the application's credentials."),
        _t("Check the application id, key or certificate, and give consent again."),
        "400 800001 900420 1002",
        flag="credentials_refused",
    ),
    Topic(
        "program_inactive",
        _M,
        _t("The partner or reseller program at Microsoft is not active."),
        _t("Check the program status in Partner Center."),
        "800039 900149",
    ),
    Topic(
        "relationship_lost",
        _R,
        _t("Microsoft says there is no reseller relationship with this customer."),
        _t("Send the customer a new relationship link."),
        "20002 60003",
        flag="relationship_lost",
    ),
)
_CUSTOMER = (
    Topic(
        "agreement_missing",
        _R,
        _t("Microsoft requires the customer agreement before ordering."),
        _t("Record the customer's acceptance of the Microsoft Customer Agreement and try again."),
        "13605",
    ),
    Topic(
        "address_invalid",
        _R,
        _t("Microsoft does not accept the address."),
        _t("Correct the address and try again."),
        "2007",
    ),
    Topic(
        "property_invalid",
        _R,
        _t("Microsoft does not accept one of the customer's details."),
        _t("Correct what Microsoft names and try again."),
        "27002 800002 900118 900126",
    ),
    Topic(
        "registration_number_invalid",
        _R,
        _t("Microsoft does not accept the registration number."),
        _t("Correct the registration number; some countries demand one, in others it must be empty."),
        "600002 600049 600050",
        field="registration_number",
    ),
    Topic(
        "phone_missing",
        _R,
        _t("Microsoft needs the customer's phone number in this country."),
        _t("Enter a phone number and try again."),
        "600051",
        field="phone",
    ),
    Topic(
        "customer_under_review",
        _W,
        _t("Microsoft is reviewing this customer; this can take days."),
        _t("The order goes on by itself once Microsoft has finished."),
        "800073 800074",
        flag="customer_under_review",
        retry_seconds=_DAY,
    ),
    Topic(
        "customer_not_approved",
        _R,
        _t("Microsoft did not approve this customer."),
        _t("Contact Microsoft partner support about the customer's vetting."),
        "800075",
    ),
    Topic(
        "customer_locked",
        _R,
        _t("Microsoft has locked this customer for purchases, or he has too many subscriptions."),
        _t("Contact Microsoft partner support."),
        "900416 900419",
    ),
    Topic(
        "not_found_status",
        _R,
        _t("Microsoft has no such status for this customer."),
        _t("Try again later."),
        "600074 600044",
    ),
    Topic(
        "done_before",
        ErrorKind.REFUSED,
        _t("Microsoft already has this agreement."),
        _t("Nothing needs to be done."),
        "600061",
    ),
)
_RESELLER = (
    Topic(
        "mpn_invalid",
        _R,
        _t("Microsoft does not know this MPN ID as one of an active reseller of ours."),
        _t("Check the reseller's MPN ID."),
        "2000 2200 2201 2204 2205 3000 800015 2071 2072 800016 900154 800098",
        field="mpn_id",
    ),
    Topic(
        "mpa_missing",
        _R,
        _t("The Microsoft Partner Agreement has not been accepted."),
        _t("The reseller's (or our) global administrator must accept it in Partner Center."),
        "2203 2206 900123 900124",
        field="mpn_id",
    ),
)
_CATALOGUE = (
    Topic(
        "market_not_allowed",
        _R,
        _t("Microsoft does not sell this in the customer's country, or not through us."),
        _t("Choose another product, or check the markets of the instance."),
        "2030 2006 800070 400036 2100",
    ),
    Topic(
        "product_unavailable",
        _R,
        _t("Microsoft no longer sells this product."),
        _t("Run Get Services Definition and choose another product."),
        "2085 2091 400013 400018 400072 800020 800027 800028 900142 900143 900144 500600 800083 800084",
    ),
    Topic(
        "availability_changed",
        _R,
        _t("Microsoft changed the product's availability again."),
        _t("Try again; if it stays, run Get Services Definition."),
        "800004 10001",
    ),
    Topic(
        "promotion_invalid",
        _R,
        _t("Microsoft does not accept the promotion."),
        _t("Order without the promotion, or check its conditions."),
        "27007 10014",
    ),
    Topic(
        "price_access",
        _R,
        _t("Microsoft does not grant access to prices."),
        _t("Check the application's rights to pricing in Partner Center."),
        "800043",
    ),
)
_ORDER = (
    Topic(
        "in_progress",
        _W,
        _t("Microsoft is still working on an earlier request."),
        _t("We look it up before anything is ordered again."),
        "800014 800060 800064 800065 900104",
        retry_seconds=60,
    ),
    Topic(
        "not_ready",
        _W,
        _t("Microsoft is not ready for this yet."),
        _t("It is repeated by itself."),
        "20000 800072 800082",
        retry_seconds=60,
    ),
    Topic(
        "operation_pending",
        _W,
        _t("Microsoft has another operation pending on this subscription."),
        _t("It is repeated by itself after 24 hours."),
        "900278",
        retry_seconds=_DAY,
    ),
    Topic(
        "quantity_limit",
        _R,
        _t("The quantity is outside of what Microsoft allows."),
        _t("Change the quantity."),
        "2002 800017 800066 800067 800068 800088 27006 10002 10015 10018 10019 800092 800095",
    ),
    Topic(
        "asset_limit",
        _R,
        _t("The quantity is above what Microsoft still allows for this customer."),
        _t("Change the quantity."),
        "800089",
    ),
    Topic(
        "inventory",
        _R,
        _t("Microsoft has no more of this in the chosen region."),
        _t("Choose another region or product."),
        "800010 10003",
    ),
    Topic(
        "sandbox_limit",
        _R,
        _t("The limit of Microsoft's integration sandbox is reached."),
        _t("Remove customers or subscriptions of the integration sandbox."),
        "800018 900116 10009 900127",
    ),
    Topic(
        "addon_parent",
        _R,
        _t("The add-on does not fit its subscription, or the subscription is not active."),
        _t("Check the base subscription."),
        "800029 27009 800128",
    ),
    Topic(
        "cart_invalid",
        _R,
        _t("Microsoft refuses the order's contents."),
        _t("Read what Microsoft says and correct the order."),
        "800009 800071 4018 10004 10006 10010 10012 10016 10017 800086 800087",
    ),
    Topic(
        "cart_gone",
        _R,
        _t("Microsoft no longer has the cart."),
        _t("Try again."),
        "800008",
    ),
    Topic(
        "currency_invalid",
        _R,
        _t("Microsoft does not sell this in that currency."),
        _t("Check the price list's currency and the customer's country."),
        "10000",
    ),
    Topic(
        "billing_plan_invalid",
        _R,
        _t("Microsoft does not offer this billing cycle for this term."),
        _t("Choose another term or billing cycle."),
        "10013 2054 6000 6001 800080 800085 800097",
    ),
    Topic(
        "credit_limit",
        _R,
        _t("Our credit at Microsoft does not suffice, or Microsoft's risk check refused the order."),
        _t("Contact Microsoft partner support about the credit line."),
        "800023 800025 900121 800069",
    ),
    Topic(
        "not_eligible",
        _R,
        _t("Microsoft says that this transaction is not possible for this customer."),
        _t("Contact Microsoft partner support."),
        "800022 800024 800026 800062 800112 800114 800115",
    ),
    Topic(
        "attestation_missing",
        _R,
        _t("The partner's attestation is missing."),
        _t("Accept the attestation in the instance's settings and try again."),
        "900203 900206",
    ),
)
_SUBSCRIPTION = (
    Topic(
        "subscription_gone", _R,
        _t("Microsoft does not have this subscription, or it is deleted."),
        _t("Compare the subscription with Partner Center."),
        "20003 2011 800021 800037 800038 800076 2012 800007 10007 10008 10011",
    ),
    Topic(
        "subscription_suspended", _R,
        _t("The subscription is suspended."),
        _t("Reactivate it first."),
        "2001 800091 800012",
    ),
    Topic(
        "changed_meanwhile", _R,
        _t("The object was changed at Microsoft meanwhile."),
        _t("Read it again and repeat the change."),
        "2055",
    ),
    Topic(
        "status_not_allowed", _R,
        _t("Microsoft does not allow this change of state."),
        _t("Compare the subscription with Partner Center."),
        "800040 800041 800042 800096 800081 900279 900311 900115 900141 800036 800078",
    ),
    Topic(
        "window_closed", _R,
        _t("Microsoft's cancellation window has passed."),
        _t("Turn off auto-renewal to end the subscription with its term."),
        "900117 800061 800063 800019 800077",
    ),
    Topic(
        "decrease_not_allowed", _R,
        _t("Microsoft no longer allows fewer licences in this term."),
        _t("Reduce the licences at the next renewal."),
        "800090",
    ),
    Topic(
        "not_renewable", _R,
        _t("Microsoft says that this subscription cannot be renewed."),
        _t("Order a new subscription when this one ends."),
        "800093",
    ),
    Topic(
        "azure_invalid", _R,
        _t("The Azure subscription does not allow this."),
        _t("Check the customer's Azure plan and its subscriptions in Partner Center."),
        "800011 800013 800030 800111 900105 900106 900107 900108 900109 900110 900111 900112 900113 900114 900119 "
        "900120 900128 900129 900130 900131 900132 900133 900134 900140",
    ),
    Topic(
        "transfer_invalid", _R,
        _t("Microsoft refuses the transfer or migration."),
        _t("Check its conditions in Partner Center."),
        "60000 900100 900101 900102 900103 900122 900125 900135 900136 900137 900138 900139 900145 900146 900147 "
        "900148 900215 900217 900219 900400",
    ),
    Topic(
        "user_invalid", _R,
        _t("Microsoft does not have this user, or no licence is left."),
        _t("Read the list of users again."),
        "60002 60012",
    ),
    Topic(
        "vendor_trouble", _R,
        _t("Microsoft reports a trouble of its own."),
        _t("Try again later; if it stays, contact Microsoft partner support."),
        "0 1000 800003 800005 800031 800094 900192",
    ),
)  # fmt: skip

TOPICS = (*_ACCESS, *_CUSTOMER, *_RESELLER, *_CATALOGUE, *_ORDER, *_SUBSCRIPTION)
BY_CODE: dict[str, Topic] = {}
for _topic in TOPICS:
    for _vendor_code in _topic.vendor_codes.split():
        BY_CODE.setdefault(_vendor_code, _topic)

# Where one number means two things, the call decides: 2000-2001 and 2006 are also answers about resellers.
BY_CALL: dict[tuple[str, str], str] = {
    ("get_partner_agreement_status", "2001"): "mpn_invalid",
    ("get_partner_agreement_status", "2002"): "mpn_invalid",
    ("get_partner_agreement_status", "2006"): "mpn_invalid",
    ("update_subscription", "2006"): "status_not_allowed",
}
BY_NAME = {topic.code: topic for topic in TOPICS}


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
        "Microsoft answered with an error of its own; whether the request had its effect is being checked."
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


# --- The identity platform --------------------------------------------------------------------------------------------

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
