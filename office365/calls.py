"""Every Partner Center call we make, in one table, and ``parse()``, which reads an answer of any of them.

A call's name is the verb that the vendor twin lists as its operation. ``family`` is the resource family whose throttle
it shares (``partner-center.md`` 2.8), ``token`` says which token it takes (3.1). A call that is not in :data:`CALLS`
does not exist for us.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from office365.schemas import catalogue, commerce, customers, subscriptions
from office365.schemas.common import ApiError, NoContent, contract_error, decode, read, read_collection, read_error
from provisioning.ports import ErrorKind, VendorError

DOCS = "https://learn.microsoft.com/partner-center/developer/"
APP = "A"
USER = "U"


@dataclass(frozen=True)
class Call:
    """One call: method and path template below ``/v1``, what it answers, and how it may be treated.

    ``many`` marks a collection of ``schema`` rows; ``schema`` is ``None`` where a good answer has no body, and
    ``empty_ok`` where it may have none. ``repeat_safe`` calls change nothing and may be sent again at any time.
    """

    name: str
    method: str
    path: str
    schema: type[Any] | None
    page: str
    many: bool = False
    repeat_safe: bool = False
    token: str = APP
    family: str = "other"
    empty_ok: bool = False
    base: str = "api"
    error_schema: type[Any] = ApiError
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", _compile(self.path))

    @property
    def documentation(self) -> str:
        """The vendor page that documents the call."""
        return self.page if self.page.startswith("https://") else DOCS + self.page

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path's parameters, in order."""
        return tuple(re.findall(r"{(\w+)}", self.path))


# Words that stand in the place of an id in paths of other calls; they never are one.
_RESERVED = "usagerecords|relationshiprequests|usagesummary|all|unbilled|summaries"


def _compile(path: str) -> re.Pattern[str]:
    parts = []
    for piece in re.split(r"({\w+})", path):
        if piece == "{view}":
            parts.append(r"[^/]*")
        elif piece.startswith("{"):
            parts.append(rf"(?!(?:{_RESERVED})(?:/|$))(?P<{piece[1:-1]}>[^/]+)")
        else:
            parts.append(re.escape(piece))
    return re.compile("^" + "".join(parts) + "$", re.IGNORECASE)


_C = "customers/{customer}"
_S = "customers/{customer}/subscriptions/{subscription}"
_O = "customers/{customer}/orders/{order}"


def _get(name: str, path: str, schema: type[Any] | None, page: str, **options: Any) -> Call:
    return Call(name, "GET", path, schema, page, repeat_safe=True, **options)


def _list(name: str, path: str, schema: type[Any], page: str, **options: Any) -> Call:
    return Call(name, "GET", path, schema, page, many=True, repeat_safe=True, **options)


def _catalogue_calls() -> Iterable[Call]:
    product, sku, availability = catalogue.Product, catalogue.Sku, catalogue.Availability
    for prefix, suffix, by in (("", "", ""), (_C + "/", "_for_customer", "-by-customer")):
        products, skus = f"{prefix}products", f"{prefix}products/{{product}}/skus"
        offers = f"{skus}/{{sku}}/availabilities"
        shared: dict[str, Any] = {"family": "catalogue"}
        yield _list(f"list_products{suffix}", products, product, f"get-a-list-of-products{by}", **shared)
        yield _get(f"get_product{suffix}", f"{products}/{{product}}", product, f"get-a-product-by-id{by}", **shared)
        yield _list(f"list_skus{suffix}", skus, sku, f"get-a-list-of-skus-for-a-product{by}", **shared)
        yield _get(f"get_sku{suffix}", f"{skus}/{{sku}}", sku, f"get-a-sku-by-id{by}", **shared)
        yield _list(
            f"list_availabilities{suffix}",
            offers,
            availability,
            f"get-a-list-of-availabilities-for-a-sku{by}",
            **shared,
        )
        yield _get(
            f"get_availability{suffix}", f"{offers}/{{availability}}", availability, f"get-an-availability-by-id{by}",
            **shared,
        )  # fmt: skip


def _offer_calls() -> Iterable[Call]:
    yield Call(
        "check_inventory", "POST", "extensions/product/checkinventory", catalogue.InventoryItem, "check-inventory",
        many=True, repeat_safe=True, family="catalogue",
    )  # fmt: skip
    yield _list("list_promotions", "productpromotions", catalogue.Promotion, "get-promotions", family="catalogue")
    yield _get(
        "get_promotion",
        "productpromotions/{promotion}",
        catalogue.Promotion,
        "get-a-promotion-by-id",
        family="catalogue",
    )
    yield Call(
        "check_promotion_eligibility", "POST", f"{_C}/promotionEligibilities", catalogue.PromotionEligibility,
        "verify-promotion-eligibility", many=True, repeat_safe=True, family="catalogue",
    )  # fmt: skip
    yield _list("list_offers", "offers", catalogue.Offer, "get-a-list-of-offers-for-a-market", family="catalogue")
    yield _get("get_offer", "offers/{offer}", catalogue.Offer, "get-an-offer-by-id", family="catalogue")
    yield _list(
        "list_offer_addons",
        "offers/{offer}/addons",
        catalogue.Offer,
        "get-addon-offers-by-offer-id",
        family="catalogue",
    )
    yield _list(
        "list_offer_categories", "offercategories", catalogue.OfferCategory, "get-a-list-of-offer-categories-by-market",
        family="catalogue",
    )  # fmt: skip
    yield Call(
        "get_price_sheet", "GET", "pricesheets({view})/$value", None,
        "https://learn.microsoft.com/partner/develop/get-a-price-sheet",
        repeat_safe=True, token=USER, family="sales", base="sales", empty_ok=True,
    )  # fmt: skip


def _customer_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "customers"}
    customer = customers.Customer
    yield Call(
        "check_domain",
        "HEAD",
        "domains/{domain}",
        None,
        "verify-domain-availability",
        repeat_safe=True,
        empty_ok=True,
        **own,
    )
    yield Call(
        "check_address", "POST", "validations/address", customers.AddressValidation, "validate-an-address",
        repeat_safe=True, empty_ok=True, **own,
    )  # fmt: skip
    yield _get(
        "get_country_rules", "countryvalidationrules/{country}", customers.CountryRules,
        "get-market-specific-validation-data", **own,
    )  # fmt: skip
    yield Call("create_customer", "POST", "customers", customer, "create-a-customer", **own)
    yield _list("list_customers", "customers", customer, "get-a-list-of-customers", **own)
    yield _get("get_customer", _C, customer, "get-a-customer-by-id", **own)
    yield Call(
        "remove_relationship",
        "PATCH",
        _C,
        customers.CustomerChange,
        "remove-a-reseller-relationship-with-a-customer",
        **own,
    )
    yield Call(
        "delete_customer",
        "DELETE",
        _C,
        None,
        "delete-a-customer-account-from-the-integration-sandbox",
        empty_ok=True,
        **own,
    )


def _profile_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "customers"}
    yield _get(
        "get_billing_profile", f"{_C}/profiles/billing", customers.BillingProfile,
        "get-all-of-a-customer-s-billing-profiles", token=USER, **own,
    )  # fmt: skip
    yield Call(
        "update_billing_profile", "PUT", f"{_C}/profiles/billing", customers.BillingProfile,
        "update-a-customer-s-billing-profile", token=USER, **own,
    )  # fmt: skip
    yield _get(
        "get_company_profile",
        f"{_C}/profiles/company",
        customers.CompanyProfile,
        "get-a-customer-s-company-profile",
        **own,
    )
    yield _get(
        "get_validation_status",
        f"{_C}/validationStatus",
        customers.ValidationStatus,
        "retrieve-validation-status",
        **own,
    )
    yield _list(
        "list_qualifications",
        f"{_C}/qualifications",
        customers.Qualification,
        "get-customer-qualification-asynchronous",
        **own,
    )
    yield Call(
        "update_qualification", "POST", f"{_C}/qualifications", customers.Qualification,
        "update-customer-qualification-asynchronous", **own,
    )  # fmt: skip


def _agreement_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "agreements"}
    yield _list(
        "list_agreement_templates", "agreements", customers.AgreementMetadata, "get-customer-agreement-metadata", **own
    )
    yield _get(
        "get_agreement_document", "agreementtemplates/{template}/document", customers.AgreementDocument,
        "download-customer-agreement-template", **own,
    )  # fmt: skip
    yield Call(
        "accept_agreement", "POST", f"{_C}/agreements", customers.CustomerAgreement,
        "confirm-customer-consent-customer-agreement", token=USER, **own,
    )  # fmt: skip
    yield _list(
        "list_agreements",
        f"{_C}/agreements",
        customers.CustomerAgreement,
        "get-confirmation-of-customer-agreement",
        **own,
    )
    yield _get(
        "get_direct_signed_status", f"{_C}/directSignedMicrosoftCustomerAgreementStatus", customers.DirectSignedStatus,
        "get-direct-signed-microsoft-customer-agreement-status", **own,
    )  # fmt: skip
    own = {"family": "relationships"}
    yield _get(
        "get_relationship_link", "customers/relationshiprequests", customers.RelationshipRequest,
        "request-reseller-relationship", **own,
    )  # fmt: skip
    yield _list(
        "list_relationships", "relationships", customers.PartnerRelationship, "get-a-list-of-indirect-resellers", **own
    )
    yield _list(
        "list_customer_relationships", f"{_C}/relationships", customers.PartnerRelationship,
        "get-indirect-resellers-of-a-customer", **own,
    )  # fmt: skip
    yield _get("get_mpn_profile", "profiles/mpn", customers.MpnProfile, "get-partner-by-mpn-id", **own)
    yield _get(
        "get_partner_agreement_status", "compliance/csp/agreementstatus", customers.PartnerAgreementStatus,
        "verify-indirect-reseller-mpa-status", **own,
    )  # fmt: skip


def _order_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "orders"}
    cart = f"{_C}/carts/{{cart}}"
    yield Call("create_cart", "POST", f"{_C}/carts", commerce.Cart, "create-a-cart", **own)
    yield _get("get_cart", cart, commerce.Cart, "get-a-cart", **own)
    yield Call("update_cart", "PUT", cart, commerce.Cart, "update-a-cart", **own)
    yield Call("checkout_cart", "POST", f"{cart}/checkout", commerce.Checkout, "checkout-a-cart", **own)
    yield _list("list_orders", f"{_C}/orders", commerce.Order, "get-all-of-a-customer-s-orders", **own)
    yield _get("get_order", _O, commerce.Order, "get-an-order-by-id", **own)
    yield Call("create_order", "POST", f"{_C}/orders", commerce.Order, "create-an-order", **own)
    yield Call("update_order", "PATCH", _O, commerce.Order, "cancel-software-purchases", **own)
    yield _list(
        "get_order_provisioning",
        f"{_O}/provisioningstatus",
        commerce.LineProvisioning,
        "get-order-provisioning-status",
        **own,
    )
    yield _list(
        "list_order_activation_links",
        f"{_O}/activationlinks",
        commerce.ActivationLink,
        "get-activation-link-by-order",
        **own,
    )
    yield _list(
        "list_line_activation_links", f"{_O}/lineitems/{{line}}/activationlinks", commerce.ActivationLink,
        "get-activation-link-by-order-line-item", **own,
    )  # fmt: skip
    yield _list(
        "list_entitlements", f"{_C}/entitlements", commerce.Entitlement, "get-a-collection-of-entitlements", **own
    )
    page = "get-a-record-of-partner-center-activity-by-user"
    yield _list("list_audit_records", "auditrecords", subscriptions.AuditRecord, page, family="audit")


def _subscription_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "subscriptions"}
    subscription = subscriptions.Subscription
    yield _list(
        "list_subscriptions", f"{_C}/subscriptions", subscription, "get-all-of-a-customer-s-subscriptions", **own
    )
    yield _get("get_subscription", _S, subscription, "get-a-subscription-by-id", **own)
    yield _list(
        "list_subscription_addons", f"{_S}/addons", subscription, "get-a-list-of-add-ons-for-a-subscription", **own
    )
    yield Call(
        "update_subscription", "PATCH", _S, subscription, "change-the-quantity-of-a-subscription", empty_ok=True, **own
    )


def _transition_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "subscriptions"}
    yield _list(
        "list_transition_eligibilities", f"{_S}/transitionEligibilities", subscriptions.TransitionEligibility,
        "transition-a-new-commerce-subscription", **own,
    )  # fmt: skip
    yield _list("list_transitions", f"{_S}/transitions", subscriptions.Transition, "get-transitions", **own)
    yield Call(
        "create_transition", "POST", f"{_S}/transitions", subscriptions.Transition,
        "transition-a-new-commerce-subscription", **own,
    )  # fmt: skip
    yield _list("list_upgrades", f"{_S}/upgrades", subscriptions.Upgrade, "transition-a-subscription", **own)
    yield Call(
        "create_upgrade", "POST", f"{_S}/upgrades", subscriptions.Upgrade, "transition-a-subscription", many=True, **own
    )
    yield _list(
        "list_conversions",
        f"{_S}/conversions",
        subscriptions.Conversion,
        "get-a-list-of-trial-conversion-offers",
        **own,
    )
    yield Call(
        "create_conversion",
        "POST",
        f"{_S}/conversions",
        subscriptions.Conversion,
        "convert-a-trial-subscription-to-paid",
        **own,
    )


def _service_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "subscriptions"}
    yield _get(
        "get_subscription_provisioning", f"{_S}/provisioningstatus", subscriptions.SubscriptionProvisioning,
        "get-subscription-provisioning-status", **own,
    )  # fmt: skip
    contact = subscriptions.SupportContact
    yield _get("get_support_contact", f"{_S}/supportcontact", contact, "get-a-subscription-s-support-contact", **own)
    yield Call(
        "update_support_contact",
        "PUT",
        f"{_S}/supportcontact",
        contact,
        "update-a-subscription-s-support-contact",
        **own,
    )
    yield Call(
        "register_subscription", "POST", f"{_S}/registrations", None, "register-a-subscription", empty_ok=True, **own
    )
    yield _get(
        "get_registration_status", f"{_S}/registrationstatus", subscriptions.RegistrationStatus,
        "get-subscription-registration-status", **own,
    )  # fmt: skip
    yield _list(
        "list_subscription_activation_links", f"{_S}/activationlinks", commerce.ActivationLink,
        "get-activation-link-by-order-line-item", **own,
    )  # fmt: skip


def _azure_calls() -> Iterable[Call]:
    own: dict[str, Any] = {"family": "subscriptions"}
    yield _list(
        "list_azure_entitlements", f"{_S}/azureEntitlements", subscriptions.AzureEntitlement,
        "get-a-list-of-azure-entitlements-for-subscription", **own,
    )  # fmt: skip
    yield _get(
        "get_azure_entitlement", f"{_S}/azureEntitlements/{{entitlement}}", subscriptions.AzureEntitlement,
        "get-a-list-of-azure-entitlements-for-subscription", **own,
    )  # fmt: skip
    yield Call(
        "cancel_azure_entitlement", "POST",
        f"{_S}/azureEntitlements/{{entitlement}}/cancel", subscriptions.AzureEntitlement,
        "cancel-an-azure-entitlement", empty_ok=True, **own,
    )  # fmt: skip


def _token_calls() -> Iterable[Call]:
    page = "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow"
    shared: dict[str, Any] = {"family": "login", "base": "login", "repeat_safe": True}
    yield Call("get_token_v1", "POST", "{tenant}/oauth2/token", customers.TokenAnswer, page, **shared)
    yield Call("get_token", "POST", "{tenant}/oauth2/v2.0/token", customers.TokenAnswer, page, **shared)


_GROUPS = (
    _token_calls,
    _customer_calls,
    _profile_calls,
    _agreement_calls,
    _catalogue_calls,
    _offer_calls,
    _order_calls,
    _subscription_calls,
    _transition_calls,
    _service_calls,
    _azure_calls,
)
CALLS: dict[str, Call] = {call.name: call for group in _GROUPS for call in group()}


def normalise_path(url: str) -> str:
    """The path of a call below its version prefix: host, query, doubled slashes and any base path are dropped."""
    path = urlsplit(url).path if "://" in url else url.split("?", 1)[0]
    parts = [part for part in path.split("/") if part]
    lower = [part.lower() for part in parts]
    if "oauth2" in lower:
        # A token call: the tenant is the part before, whatever base the authority has.
        return "/".join(parts[max(lower.index("oauth2") - 1, 0) :])
    for position, part in enumerate(lower[:4]):
        if re.fullmatch(r"v\d(\.\d)?", part) and "webhooks" not in lower[:position]:
            parts = parts[position + 1 :]
            break
    if parts and parts[0].lower() == "sales":
        parts = parts[1:]
    return "/".join(parts)


def find_call(method: str, url: str) -> Call:
    """The call behind a request line; ``LookupError`` if it is not in the table."""
    path = normalise_path(url)
    for call in CALLS.values():
        if call.method == method.upper() and call.pattern.match(path):
            return call
    raise LookupError(f"{method} {path} is not a Partner Center call we know.")


def parse(method: str, url: str, status: int, body: bytes | str | dict[str, Any] | list[Any] | None) -> object:
    """Read an answer: the typed object of a 2xx, the typed error of anything else.

    Raises ``LookupError`` if the call is not in :data:`CALLS`, ``VendorError(kind=CONTRACT)`` if the answer is
    unreadable or lacks a required part.
    """
    return parse_answer(find_call(method, url), status, body)


def parse_answer(call: Call, status: int, body: bytes | str | dict[str, Any] | list[Any] | None) -> object:
    """As :func:`parse`, for a call already found."""
    if not 200 <= status < 300:
        return read_error(status, body)
    if call.schema is None:
        return NoContent(status)
    try:
        data = decode(body)
    except ValueError:
        raise VendorError(
            ErrorKind.CONTRACT,
            _("Microsoft's answer to %(call)s is not readable. Inform the operator of this system.")
            % {"call": call.name},
            code="unreadable",
            http_status=status,
        ) from None
    if data is None:
        if call.empty_ok or status in {202, 204}:
            return NoContent(status)
        raise contract_error(call.name, _("came without a body"))
    if call.many:
        return read_collection(call.schema, data)
    return read(call.schema, data)
