"""The meanings of Partner Center's error codes: one topic for all codes with the same meaning and remedy.

Codes are those of Microsoft's published tables (state 2021-11 and 2026-06); ``partner-center.md`` 2.11 lists them by
area.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from provisioning.ports import ErrorKind


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

_ACCESS = (
    Topic(
        "delegation_missing",
        _M,
        _("Microsoft does not let the application do this."),
        _("Check the application's rights and this customer's delegated roles in Partner Center."),
        "900329 900308 900309 900316 90000 2032 900150",
        flag="delegation_missing",
    ),
    Topic(
        "credentials_refused",
        _M,
        _("Microsoft refuses the application's credentials."),
        _("Check the application id, key or certificate, and give consent again."),
        "400 800001 900420 1002",
        flag="credentials_refused",
    ),
    Topic(
        "program_inactive",
        _M,
        _("The partner or reseller program at Microsoft is not active."),
        _("Check the program status in Partner Center."),
        "800039 900149",
    ),
    Topic(
        "relationship_lost",
        _R,
        _("Microsoft says there is no reseller relationship with this customer."),
        _("Send the customer a new relationship link."),
        "20002 60003",
        flag="relationship_lost",
    ),
)
_CUSTOMER = (
    Topic(
        "subscription_limit",
        _R,
        _("The customer has as many subscriptions as Microsoft allows."),
        _("Cancel subscriptions that are no longer needed, or ask Microsoft partner support for more."),
        "800066 800068 900419",
    ),
    Topic(
        "agreement_missing",
        _R,
        _("Microsoft requires the customer agreement before ordering."),
        _("Record the customer's acceptance of the Microsoft Customer Agreement and try again."),
        "13605",
    ),
    Topic(
        "address_invalid",
        _R,
        _("Microsoft does not accept the address."),
        _("Correct the address and try again."),
        "2007",
    ),
    Topic(
        "property_invalid",
        _R,
        _("Microsoft does not accept one of the customer's details."),
        _("Correct what Microsoft names and try again."),
        "27002 800002 900118 900126",
    ),
    Topic(
        "registration_number_invalid",
        _R,
        _("Microsoft does not accept the registration number."),
        _("Correct the registration number; some countries demand one, in others it must be empty."),
        "600002 600049 600050",
        field="registration_number",
    ),
    Topic(
        "phone_missing",
        _R,
        _("Microsoft needs the customer's phone number in this country."),
        _("Enter a phone number and try again."),
        "600051",
        field="phone",
    ),
    Topic(
        "customer_under_review",
        _W,
        _("Microsoft is reviewing this customer; this can take days."),
        _("The order goes on by itself once Microsoft has finished."),
        "800073 800074",
        flag="customer_under_review",
        retry_seconds=_DAY,
    ),
    Topic(
        "customer_not_approved",
        _R,
        _("Microsoft did not approve this customer."),
        _("Contact Microsoft partner support about the customer's vetting."),
        "800075",
    ),
    Topic(
        "customer_locked",
        _R,
        _("Microsoft has locked this customer for purchases."),
        _("Contact Microsoft partner support."),
        "900416",
    ),
    Topic(
        "not_found_status",
        _R,
        _("Microsoft has no such status for this customer."),
        _("Try again later."),
        "600074 600044",
    ),
    Topic(
        "done_before",
        ErrorKind.REFUSED,
        _("Microsoft already has this agreement."),
        _("Nothing needs to be done."),
        "600061",
    ),
)
_RESELLER = (
    Topic(
        "mpn_fixed",
        _R,
        _("Microsoft does not let the reseller of this subscription be changed."),
        _("Order a new subscription in the name of the other reseller and let this one end."),
        "800098",
    ),
    Topic(
        "mpn_region",
        _R,
        _("The reseller is registered at Microsoft for another region than the customer."),
        _("Enter the reseller's MPN ID of the customer's region."),
        "2201",
        field="mpn_id",
    ),
    Topic(
        "mpn_invalid",
        _R,
        _("Microsoft does not know this MPN ID as one of an active reseller of ours."),
        _("Check the reseller's MPN ID."),
        "2000 10004 2200 2204 2205 3000 800015 2071 2072 800016 900154",
        field="mpn_id",
    ),
    Topic(
        "mpa_missing",
        _R,
        _("The Microsoft Partner Agreement has not been accepted."),
        _("The reseller's (or our) global administrator must accept it in Partner Center."),
        "2203 2206 900123 900124",
        field="mpn_id",
    ),
)
_CATALOGUE = (
    Topic(
        "market_not_allowed",
        _R,
        _("Microsoft does not sell this in the customer's country, or not through us."),
        _("Choose another product, or check the markets of the instance."),
        "2030 2006 800070 400036 2100",
    ),
    Topic(
        "product_unavailable",
        _R,
        _("Microsoft no longer sells this product."),
        _("Run Get Services Definition and choose another product."),
        "2085 2091 400013 400018 400072 800020 800028 900142 900143 900144 500600 800083 800084",
    ),
    Topic(
        "availability_changed",
        _R,
        _("Microsoft changed the product's availability again."),
        _("Try again; if it stays, run Get Services Definition."),
        "800004 10001",
    ),
    Topic(
        "promotion_invalid",
        _R,
        _("Microsoft does not accept the promotion."),
        _("Order without the promotion, or check its conditions."),
        "27007 10014",
    ),
    Topic(
        "price_access",
        _R,
        _("Microsoft does not grant access to prices."),
        _("Check the application's rights to pricing in Partner Center."),
        "800043",
    ),
)
_ORDER = (
    Topic(
        "term_end_invalid",
        _R,
        _("Microsoft does not accept the end date of the term."),
        _("Choose the end of a running term of this customer, or order without an end date."),
        "10016 10017",
    ),
    Topic(
        "risk_refused",
        _R,
        _("Microsoft's risk check refused the order."),
        _("Do not repeat it; contact Microsoft partner support about this customer."),
        "800069",
    ),
    Topic(
        "quantity_fixed",
        _R,
        _("Microsoft does not let the number of licences of this subscription be changed."),
        _("Order a further subscription, or change the number at the renewal."),
        "800092 800095 800027",
    ),
    Topic(
        "in_progress",
        _W,
        _("Microsoft is still working on an earlier request."),
        _("We look it up before anything is ordered again."),
        "800014 800060 800064 800065 900104",
        retry_seconds=60,
    ),
    Topic(
        "not_ready",
        _W,
        _("Microsoft is not ready for this yet."),
        _("It is repeated by itself."),
        "20000 800072 800082",
        retry_seconds=60,
    ),
    Topic(
        "operation_pending",
        _W,
        _("Microsoft has another operation pending on this subscription."),
        _("It is repeated by itself after 24 hours."),
        "900278",
        retry_seconds=_DAY,
    ),
    Topic(
        "quantity_limit",
        _R,
        _("The quantity is outside of what Microsoft allows."),
        _("Change the quantity."),
        "2002 800017 800067 800088 27006 10002 10015 10018 10019",
    ),
    Topic(
        "asset_limit",
        _R,
        _("The quantity is above what Microsoft still allows for this customer."),
        _("Change the quantity."),
        "800089",
    ),
    Topic(
        "inventory",
        _R,
        _("Microsoft has no more of this in the chosen region."),
        _("Choose another region or product."),
        "800010 10003",
    ),
    Topic(
        "sandbox_limit",
        _R,
        _("The limit of Microsoft's integration sandbox is reached."),
        _("Remove customers or subscriptions of the integration sandbox."),
        "800018 900116 10009 900127",
    ),
    Topic(
        "addon_parent",
        _R,
        _("The add-on does not fit its subscription, or the subscription is not active."),
        _("Check the base subscription."),
        "800029 27009 800128",
    ),
    Topic(
        "cart_invalid",
        _R,
        _("Microsoft refuses the order's contents."),
        _("Read what Microsoft says and correct the order."),
        "800009 800071 4018 10006 10010 800086 800087",
    ),
    Topic(
        "cart_gone",
        _R,
        _("Microsoft no longer has the cart."),
        _("Try again."),
        "800008",
    ),
    Topic(
        "currency_invalid",
        _R,
        _("Microsoft does not sell this in that currency."),
        _("Check the price list's currency and the customer's country."),
        "10000",
    ),
    Topic(
        "billing_plan_invalid",
        _R,
        _("Microsoft does not offer this billing cycle for this term."),
        _("Choose another term or billing cycle."),
        "10013 2054 6000 6001 800080 800085 800097",
    ),
    Topic(
        "credit_limit",
        _R,
        _("Our credit at Microsoft does not suffice for this order."),
        _("Contact Microsoft partner support about the credit line."),
        "800023 800025 900121",
    ),
    Topic(
        "not_eligible",
        _R,
        _("Microsoft says that this transaction is not possible for this customer."),
        _("Contact Microsoft partner support."),
        "800022 800024 800026 800062 800112 800114 800115",
    ),
    Topic(
        "attestation_missing",
        _R,
        _("The partner's attestation is missing."),
        _("Accept the attestation in the instance's settings and try again."),
        "900203 900206 10012",
    ),
)
_SUBSCRIPTION = (
    Topic(
        "licence_missing",
        _R,
        _("No licence of this product is left for the user."),
        _("Take a licence from another user, or order more licences."),
        "60012",
    ),
    Topic(
        "azure_plan_in_use",
        _R,
        _("The Azure plan still has active Azure subscriptions."),
        _("Cancel the Azure subscriptions of the plan in Partner Center first."),
        "900115",
    ),
    Topic(
        "too_many_updates",
        _R,
        _("Microsoft takes no further changes of this subscription, because it was changed too often."),
        _("Ask Microsoft partner support to allow more changes, then retry."),
        "900279 900311",
    ),
    Topic(
        "cancel_not_possible",
        _R,
        _("Microsoft does not take back this kind of purchase in this way."),
        _("Look in Partner Center whether it can be cancelled there; otherwise turn off auto-renewal."),
        "800063 800019 800077",
    ),
    Topic(
        "subscription_gone", _R,
        _("Microsoft does not have this subscription, or it is deleted."),
        _("Compare the subscription with Partner Center."),
        "20003 2011 800021 800037 800038 800076 2012 800007 10007 10008 10011",
    ),
    Topic(
        "subscription_suspended", _R,
        _("The subscription is suspended."),
        _("Reactivate it first."),
        "2001 800091 800012",
    ),
    Topic(
        "changed_meanwhile", _R,
        _("The object was changed at Microsoft meanwhile."),
        _("Read it again and repeat the change."),
        "2055",
    ),
    Topic(
        "status_not_allowed", _R,
        _("Microsoft does not allow this change of state."),
        _("Compare the subscription with Partner Center."),
        "800040 800041 800042 800096 800081 900141 800036 800078",
    ),
    Topic(
        "window_closed", _R,
        _("Microsoft's cancellation window has passed."),
        _("Turn off auto-renewal to end the subscription with its term."),
        "900117 800061",
    ),
    Topic(
        "decrease_not_allowed", _R,
        _("Microsoft no longer allows fewer licences in this term."),
        _("Reduce the licences at the next renewal."),
        "800090",
    ),
    Topic(
        "not_renewable", _R,
        _("Microsoft says that this subscription cannot be renewed."),
        _("Order a new subscription when this one ends."),
        "800093",
    ),
    Topic(
        "azure_invalid", _R,
        _("The Azure subscription does not allow this."),
        _("Check the customer's Azure plan and its subscriptions in Partner Center."),
        "800011 800013 800030 800111 900105 900106 900107 900108 900109 900110 900111 900112 900113 900114 900119 "
        "900120 900128 900129 900130 900131 900132 900133 900134 900140",
    ),
    Topic(
        "transfer_invalid", _R,
        _("Microsoft refuses the transfer or migration."),
        _("Check its conditions in Partner Center."),
        "60000 900100 900101 900102 900103 900122 900125 900135 900136 900137 900138 900139 900145 900146 900147 "
        "900148 900215 900217 900219 900400",
    ),
    Topic(
        "user_invalid", _R,
        _("Microsoft does not have this user."),
        _("Read the list of users again."),
        "60002",
    ),
    Topic(
        "vendor_trouble", _R,
        _("Microsoft reports a trouble of its own."),
        _("Try again later; if it stays, contact Microsoft partner support."),
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
