"""Customers, addresses, agreements and relationships (``partner-center.md`` 4-6), and token answers (3.2)."""

# ruff: noqa: RUF009 - the functions of ``common`` declare fields, as ``dataclasses.field`` does.

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from office365.schemas.common import (
    Resource,
    Word,
    flag,
    integer,
    many,
    moment,
    one,
    open_map,
    read_word,
    text,
    texts,
    word,
)

RELATIONSHIP = read_word(("reseller", "advisor", "syndication", "microsoft_support", "none"))
VETTING = read_word(("allowed", "under_review", "not_allowed", "not_ready"))
ADDRESS_STATUS = read_word(
    (
        "verified_shippable",
        "verified",
        "interaction_required",
        "street_partial",
        "premises_partial",
        "multiple",
        "none",
        "not_validated",
    )
)
QUALIFICATION = read_word(("none", "education", "nonprofit", "government_community_cloud", "state_owned_entity"))
VETTING_STATUS = read_word(("in_review", "approved", "denied", "expired", "not_applicable"))


@dataclass(frozen=True, kw_only=True)
class TokenAnswer(Resource):
    """An answer of the token endpoint, v1 (numbers as strings) or v2."""

    access_token: str = text("access_token", required=True)
    token_type: str = text("token_type")
    expires_in: int | None = integer("expires_in")
    refresh_token: str = text("refresh_token")
    id_token: str = text("id_token")
    scope: str = text("scope")
    resource: str = text("resource")


@dataclass(frozen=True, kw_only=True)
class PostalAddress(Resource):
    """An address as Partner Center writes it; ``country`` is ISO 3166-1 alpha-2."""

    country: str = text()
    region: str = text()
    city: str = text()
    state: str = text()
    address_line1: str = text("addressLine1|address_line1")
    address_line2: str = text("addressLine2|address_line2")
    postal_code: str = text("postalCode|postal_code")
    first_name: str = text()
    last_name: str = text()
    phone_number: str = text()


@dataclass(frozen=True, kw_only=True)
class CompanyProfile(Resource):
    """The customer's company: its default domain and directory tenant."""

    tenant_id: str = text()
    domain: str = text()
    company_name: str = text()
    organization_registration_number: str = text()
    email: str = text()
    address: PostalAddress | None = one(PostalAddress)


@dataclass(frozen=True, kw_only=True)
class BillingProfile(Resource):
    """The customer's billing profile; its etag is a signed number."""

    id: str = text()
    email: str = text()
    culture: str = text()
    language: str = text()
    company_name: str = text()
    first_name: str = text()
    last_name: str = text()
    default_address: PostalAddress | None = one(PostalAddress)


@dataclass(frozen=True, kw_only=True)
class UserCredentials(Resource):
    """The first administrator of a new tenant; given once, never again."""

    user_name: str = text()
    password: str = text()

    def __repr__(self) -> str:
        return f"UserCredentials(user_name={self.user_name!r})"


@dataclass(frozen=True, kw_only=True)
class Customer(Resource):
    """A customer; ``id`` is the tenant id. Rows of a list lack the billing profile."""

    id: str = text("id|tenantId", required=True)
    commerce_id: str = text()
    company_profile: CompanyProfile | None = one(CompanyProfile)
    billing_profile: BillingProfile | None = one(BillingProfile)
    relationship_to_partner: Word = word(RELATIONSHIP)
    allow_delegated_access: bool | None = flag()
    user_credentials: UserCredentials | None = one(UserCredentials)
    custom_domains: tuple[str, ...] = texts()
    associated_partner_id: str = text()

    @property
    def domains(self) -> frozenset[str]:
        """All domains of the tenant we know of, lower-case."""
        own = {self.company_profile.domain} if self.company_profile else set()
        return frozenset(name.lower() for name in own | set(self.custom_domains) if name)


@dataclass(frozen=True, kw_only=True)
class CustomerChange(Resource):
    """The answer of a change of a customer's relationship; documented to come with nearly everything ``null``."""

    id: str = text()
    relationship_to_partner: Word = word(RELATIONSHIP)


@dataclass(frozen=True, kw_only=True)
class CountryRules(Resource):
    """What a country demands of an address, a phone number and a tax id. The expressions are .NET's."""

    iso2_code: str = text("iso2Code")
    default_culture: str = text()
    is_state_required: bool | None = flag()
    supported_states: tuple[str, ...] = texts("supportedStatesList")
    supported_languages: tuple[str, ...] = texts("supportedLanguagesList")
    supported_cultures: tuple[str, ...] = texts("supportedCulturesList")
    is_postal_code_required: bool | None = flag()
    postal_code_regex: str = text()
    is_city_required: bool | None = flag()
    phone_number_regex: str = text()
    is_vat_id_supported: bool | None = flag()
    vat_id_regex: str = text()
    tax_id_format: str = text()
    is_tax_id_supported: bool | None = flag()
    is_tax_id_optional: bool | None = flag()
    country_calling_codes: tuple[str, ...] = texts("countryCallingCodesList")


@dataclass(frozen=True, kw_only=True)
class AddressValidation(Resource):
    """Microsoft's judgement of an address, with better ones."""

    original_address: PostalAddress | None = one(PostalAddress)
    suggested_addresses: tuple[PostalAddress, ...] = many(PostalAddress)
    status: Word = word(ADDRESS_STATUS, required=True)
    validation_message: str = text()


@dataclass(frozen=True, kw_only=True)
class ValidationStatus(Resource):
    """How far Microsoft's vetting of a customer is."""

    type: str = text()
    status: Word = word(VETTING, required=True)
    last_update: dt.datetime | None = moment("lastUpdateDateTime")


@dataclass(frozen=True, kw_only=True)
class Qualification(Resource):
    """A qualification of a customer and its vetting."""

    qualification: Word = word(QUALIFICATION, required=True)
    vetting_status: Word = word(VETTING_STATUS)
    vetting_reason: str = text()
    vetting_created: dt.datetime | None = moment("vettingCreatedDate|vettingCreateDate")


@dataclass(frozen=True, kw_only=True)
class AgreementMetadata(Resource):
    """A template of an agreement; the one with the highest rank counts."""

    template_id: str = text(required=True)
    agreement_type: str = text()
    agreement_link: str = text()
    version_rank: int | None = integer()


@dataclass(frozen=True, kw_only=True)
class AgreementDocument(Resource):
    """Where a template's text can be read, per language and country."""

    display_uri: str = text()
    download_uri: str = text(required=True)
    language: str = text()
    country: str = text()


@dataclass(frozen=True, kw_only=True)
class CustomerAgreement(Resource):
    """An acceptance of a customer agreement."""

    template_id: str = text()
    date_agreed: dt.datetime | None = moment()
    type: str = text(required=True)
    user_id: str = text()
    agreement_link: str = text()
    primary_contact: Mapping[str, Any] = open_map()


@dataclass(frozen=True, kw_only=True)
class DirectSignedStatus(Resource):
    """Whether the customer himself accepted the Microsoft Customer Agreement."""

    is_signed: bool | None = flag(required=True)


@dataclass(frozen=True, kw_only=True)
class RelationshipRequest(Resource):
    """The invitation link that an existing customer's administrator opens."""

    url: str = text(required=True)


@dataclass(frozen=True, kw_only=True)
class PartnerRelationship(Resource):
    """An indirect reseller of ours (or his provider); ``id`` is his tenant id. Usable when active."""

    id: str = text(required=True)
    name: str = text()
    relationship_type: Word = word(read_word(("is_indirect_reseller_of", "is_indirect_cloud_solution_provider_of")))
    state: Word = word(read_word(("active", "pending", "inactive", "terminated")))
    mpn_id: str = text()
    location: str = text()


@dataclass(frozen=True, kw_only=True)
class MpnProfile(Resource):
    """A partner's profile by MPN ID (PLA id)."""

    mpn_id: str = text(required=True)
    partner_name: str = text()


@dataclass(frozen=True, kw_only=True)
class PartnerAgreementStatus(Resource):
    """Whether a reseller signed the Microsoft Partner Agreement (MPA)."""

    is_agreement_signed: bool | None = flag(required=True)
