"""Between Partner Center's objects and the port's plain data: request bodies, results, names. No call is made."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from office365.mapping.codes import code_of as code_of
from office365.mapping.codes import is_legacy as is_legacy
from office365.mapping.codes import same_item as same_item
from office365.mapping.codes import split_code as split_code
from office365.mapping.codes import strip_tag as strip_tag
from office365.mapping.subscriptions import addon_ids as addon_ids
from office365.mapping.subscriptions import addons_state as addons_state
from office365.mapping.subscriptions import cancel_until as cancel_until
from office365.mapping.subscriptions import changed_resource as changed_resource
from office365.mapping.subscriptions import lookup_raw as lookup_raw
from office365.mapping.subscriptions import plain_json as plain_json
from office365.mapping.subscriptions import same_schedule as same_schedule
from office365.mapping.subscriptions import schedule_body as schedule_body
from office365.mapping.subscriptions import schedule_of as schedule_of
from office365.mapping.subscriptions import subscription_data as subscription_data
from office365.schemas.catalogue import Availability, Term
from office365.schemas.commerce import Cart, Order, OrderLine
from office365.schemas.common import squeeze
from office365.schemas.customers import CountryRules, Customer, PostalAddress
from provisioning.ports import AccountData, AddOnLine, Address, ServiceRequest

NAME_LIMIT = 100
DOMAIN_SUFFIX = {"china": "partner.onmschina.cn", "us_government": "onmicrosoft.us"}
CUSTOMER_AGREEMENT = "MicrosoftCustomerAgreement"
_MODES_WITHOUT_MPN = frozenset({"personaluse", "personal", "affiliate", "affiliateaccount", "direct"})


# --- Customers ---


def has_tenant(account: AccountData) -> bool:
    """Whether the customer said that he already owns a tenant."""
    return str(account.options.get("has_tenant") or "").lower() in {"true", "1", "on", "yes"}


def domain_of(account: AccountData, cloud: str = "global") -> str:
    """The tenant's domain by the account's options, lower-case: the existing one, or prefix plus Microsoft's suffix."""
    if has_tenant(account):
        return str(account.options.get("domain") or "").strip().lower()
    prefix = str(account.options.get("domain_prefix") or "").strip().lower()
    return full_domain(prefix, cloud) if prefix else ""


def full_domain(prefix: str, cloud: str = "global") -> str:
    """A prefix with the cloud's suffix; a whole domain stays as it is."""
    return prefix if "." in prefix else f"{prefix}.{DOMAIN_SUFFIX.get(cloud, 'onmicrosoft.com')}"


def country_code(country: str) -> str:
    """ISO 3166-1 alpha-2 in capitals; the United Kingdom is GB at Microsoft, never UK."""
    code = country.strip().upper()
    return "GB" if code == "UK" else code


def mpn_id_for(account: AccountData) -> str:
    """The MPN ID that may be sent: the reseller's, for his end customer only."""
    return "" if squeeze(account.purchase_mode) in _MODES_WITHOUT_MPN else account.mpn_id.strip()


def reseller_tenant_for(account: AccountData) -> str:
    """The reseller's tenant id that may be sent: for his end customer only."""
    return "" if squeeze(account.purchase_mode) in _MODES_WITHOUT_MPN else account.reseller_tenant_id.strip()


def address_body(address: Address) -> dict[str, str]:
    """An address as the address check takes it, without empty parts."""
    return _filled(
        addressLine1=address.line1,
        addressLine2=address.line2,
        city=address.city,
        state=address.state,
        postalCode=address.postal_code,
        country=country_code(address.country),
    )


def customer_body(account: AccountData, domain: str, rules: CountryRules | None) -> dict[str, Any]:
    """The body of a customer's creation: camelCase, without empty parts, and never with ``region``."""
    culture, language = culture_for(account.language, rules)
    agreement = account.agreement
    address = address_body(account.address) | _filled(
        firstName=account.first_name or (agreement.first_name if agreement else "") or account.name,
        lastName=account.last_name or (agreement.last_name if agreement else "") or account.name,
        phoneNumber=account.phone,
    )
    number = str(account.options.get("registration_number") or account.tax_id or "").strip()
    needs_number = country_code(account.address.country) in REGISTRATION_COUNTRIES
    profile = _filled(domain=domain, organizationRegistrationNumber=number if needs_number else "")
    body: dict[str, Any] = {
        "companyProfile": profile,
        "billingProfile": {
            "email": account.email,
            "culture": culture,
            "language": language,
            "companyName": account.name,
            "defaultAddress": address,
        },
    }
    if reseller_tenant_for(account):
        body["associatedPartnerId"] = reseller_tenant_for(account)
    return body


def culture_for(language: str, rules: CountryRules | None) -> tuple[str, str]:
    """Culture and language Microsoft supports in the country, nearest to the account's language."""
    wanted = (language or "en").split("-")[0].lower()
    if rules is None:
        return ("en-US", "en") if wanted == "en" else (language, wanted)
    culture = next(
        (item for item in rules.supported_cultures if item.lower().split("-")[0] == wanted),
        rules.default_culture or next(iter(rules.supported_cultures), "en-US"),
    )
    known = {item.lower(): item for item in rules.supported_languages}
    base = culture.split("-")[0].lower()
    return culture, known.get(wanted, known.get(base, base))


REGISTRATION_COUNTRIES = frozenset(
    [
        "AM",
        "AZ",
        "BY",
        "BR",
        "HU",
        "IN",
        "IQ",
        "KZ",
        "KG",
        "MD",
        "MM",
        "PL",
        "RU",
        "SA",
        "ZA",
        "SS",
        "TJ",
        "TH",
        "TR",
        "UA",
        "AE",
        "UZ",
        "VE",
        "VN",
    ]
)


def country_pattern(expression: str) -> re.Pattern[str] | None:
    """A country's .NET expression compiled, or ``None`` if Python cannot compile it (it is then skipped)."""
    if not expression:
        return None
    try:
        return re.compile(expression.replace("(?<", "(?P<") if re.search(r"\(\?<[A-Za-z]", expression) else expression)
    except re.error:
        return None


def suggestion(address: PostalAddress, country: str) -> dict[str, str]:
    """An address Microsoft suggests, by our field names."""
    return {
        "line1": address.address_line1,
        "line2": address.address_line2,
        "city": address.city,
        "state": address.state or address.region,
        "postal_code": address.postal_code,
        "country": address.country or country,
    }


def agreement_body(account: AccountData, template_id: str) -> dict[str, Any]:
    """The body that confirms a customer's acceptance; the account must carry one."""
    agreement = account.agreement
    if agreement is None:
        raise ValueError("the account carries no acceptance")
    return {
        "primaryContact": _filled(
            firstName=agreement.first_name,
            lastName=agreement.last_name,
            email=agreement.email,
            phoneNumber=agreement.phone,
        ),
        "templateId": template_id,
        "dateAgreed": agreement.date_agreed.isoformat() + "T00:00:00Z",
        "type": CUSTOMER_AGREEMENT,
    }


def admin_name(customer: Customer, domain: str) -> str:
    """The sign-in name of the tenant's first administrator."""
    name = customer.user_credentials.user_name if customer.user_credentials else ""
    return f"{name}@{domain}" if name and "@" not in name else name


# --- Carts and orders ---


def tag_of(operation_id: UUID) -> str:
    """The mark by which an order is found again: the first 8 hex digits of the operation's uuid, in brackets."""
    return f"[{operation_id.hex[:8]}]"


def friendly_name(name: str, operation_id: UUID) -> str:
    """The name of a cart line: the product's (at most 100 signs in all) and the operation's mark."""
    tag = " " + tag_of(operation_id)
    return name[: NAME_LIMIT - len(tag)].rstrip() + tag


def matching_term(item: Availability, term: str, cycle: str) -> Term | None:
    """The term of an availability with our duration and billing cycle; perpetual ones have none."""
    for candidate in item.terms:
        duration_fits = candidate.duration.upper() == term.upper() or (not candidate.duration and not term)
        if duration_fits and (not candidate.billing_cycle or candidate.billing_cycle == cycle):
            return candidate
    return None


def pick_availability(
    items: Iterable[Availability], *, country: str, segment: str, currency: str, term: str, cycle: str
) -> Availability | None:
    """The availability to order: purchasable, in the country, segment and currency, with our term.

    Availabilities recorded without terms fit any; a perpetual one has a one-time cycle and no duration.
    """
    fitting = []
    for item in items:
        fits = (
            item.is_purchasable is not False
            and (not item.country or item.country.upper() == country.upper())
            and (not item.segment or item.segment == "unknown" or item.segment == segment)
            and (not currency or not item.currency or item.currency == currency.upper())
        )
        if fits and (not item.terms or matching_term(item, term, cycle) is not None):
            fitting.append(item)
    return next((item for item in fitting if item.terms), fitting[0] if fitting else None)


@dataclass(frozen=True)
class Resolved:
    """Catalogue items of a request as just read: the base's, and the add-ons' by their line id."""

    base: str
    addons: Mapping[str, str]


def cart_body(request: ServiceRequest, resolved: Resolved, operation_id: UUID) -> dict[str, Any]:
    """One cart with one line and its add-ons; attestation and reseller only for a reseller's end customer."""
    line = _line(0, resolved.base, request.quantity, request.billing_cycle, request.term)
    line["friendlyName"] = friendly_name(request.product_name, operation_id)
    if request.is_trial:
        line |= {"billingCycle": "none", "termDuration": "P1M", "renewsTo": {"termDuration": "P1Y"}}
    if request.parent_external_id:
        line["provisioningContext"] = {"parentSubscriptionId": request.parent_external_id}
    mpn_id = mpn_id_for(request.account)
    reseller = [{"key": "transaction_reseller", "value": mpn_id}] if mpn_id else []
    if reseller:
        line["participants"] = reseller
    if request.addons:
        line["addonItems"] = [
            _addon_line(number, addon, request, resolved, operation_id)
            | ({"participants": reseller} if reseller else {})
            for number, addon in enumerate(request.addons, start=1)
        ]
    body: dict[str, Any] = {"lineItems": [line]}
    if reseller:
        body["partnerOnRecordAttestationAccepted"] = True
    return body


def _addon_line(
    number: int, addon: AddOnLine, request: ServiceRequest, resolved: Resolved, operation_id: UUID
) -> dict[str, Any]:
    line = _line(
        number,
        resolved.addons[addon.id],
        addon.quantity,
        addon.billing_cycle or request.billing_cycle,
        addon.term or request.term,
    )
    return line | {"friendlyName": friendly_name(addon.name, operation_id)}


def _line(number: int, item: str, quantity: int, cycle: str, term: str) -> dict[str, Any]:
    line: dict[str, Any] = {"id": number, "catalogItemId": item, "quantity": quantity, "billingCycle": cycle}
    if term:
        # A software subscription paid at once has a term; a perpetual licence has none.
        line["termDuration"] = term
    return line


def return_body(order: Order, line: OrderLine) -> dict[str, Any]:
    """The body that gives one line of a software order back."""
    item = {"lineItemNumber": line.line_item_number or 0, "offerId": line.offer_id}
    return {"id": order.id, "status": "cancelled", "lineItems": [item]}


def is_ours(order: Order, request: ServiceRequest, operation_id: UUID, since: dt.datetime) -> bool:
    """Whether an order came from this operation: its product, its mark, and not older than the operation."""
    if order.created_at is not None and order.created_at < since:
        return False
    tag = tag_of(operation_id)
    return any(
        same_item(request.product_code, line.offer_id) and line.friendly_name.endswith(tag) for line in order.line_items
    )


def refused_groups(cart: Cart | None, groups: Iterable[str]) -> list[int]:
    """Numbers of the cart lines that belong to refused order groups."""
    wanted = set(groups)
    lines = [row for line in (cart.line_items if cart else ()) for row in (line, *line.addon_items)]
    return [line.id for line in lines if line.id is not None and line.order_group in wanted]


def _filled(**values: str) -> dict[str, str]:
    return {key: value.strip() for key, value in values.items() if value and value.strip()}
