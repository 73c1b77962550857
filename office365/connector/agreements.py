"""Agreements, relationships and resellers (``partner-center.md`` 5, 6; ``office365.md`` 4, 5)."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.base import ConnectorBase, refused, refused_as, result_of, waiting
from office365.errors import PartnerCenterError
from office365.schemas.customers import (
    AgreementDocument,
    AgreementMetadata,
    Customer,
    MpnProfile,
)
from provisioning.ports import (
    AccountData,
    CheckResult,
    Context,
    ErrorKind,
    Outcome,
    Result,
    VendorError,
)

LOOK_AGAIN = 15


class AgreementVerbs(ConnectorBase):
    """Verbs about who may act for whom."""

    def agreement_status(self, ctx: Context, account: AccountData) -> CheckResult:
        """Whether the Microsoft Customer Agreement is accepted, by the customer himself or through us."""
        if not account.external_id:
            return CheckResult(False, "agreement_missing", _("The customer is not yet set up at Microsoft."))
        if is_agreement_signed(self.client(ctx), account.external_id):
            return CheckResult(True)
        return CheckResult(False, "agreement_missing", _("Microsoft requires the customer agreement before ordering."))

    def agreement_link(self, ctx: Context, country: str, language: str) -> str:
        """The address of the agreement's text for a country and language."""
        client = self.client(ctx)
        document: AgreementDocument = client.call(
            "get_agreement_document",
            params={"template": latest_template(client).template_id},
            query={"language": language, "country": mapping.country_code(country)},
        )
        return document.display_uri or document.download_uri

    def agreement_accept(self, ctx: Context, account: AccountData) -> Result:
        """Confirm the customer's acceptance at Microsoft; "already exists" is done (needs the user's consent)."""
        client = self.client(ctx)
        if account.agreement is None:
            return refused_as("agreement_missing")
        if not account.external_id:
            return refused(
                "account_unknown", _("The customer is not yet set up at Microsoft. Synchronize the account.")
            )
        if ctx.steps.get("request:accept_agreement") and is_agreement_signed(client, account.external_id):
            return Result(Outcome.DONE, external_id=account.external_id)
        body = mapping.agreement_body(account, latest_template(client).template_id)
        try:
            client.write("accept_agreement", "accept_agreement", params={"customer": account.external_id}, body=body)
        except VendorError as error:
            if error.code != "done_before":
                return result_of(error)
        return Result(Outcome.DONE, external_id=account.external_id)

    def relationship_link(self, ctx: Context, account: AccountData) -> str:
        """The invitation for an existing tenant; it names the reseller for his end customer only."""
        client = self.client(ctx)
        reseller = mapping.reseller_tenant_for(account)
        query = (
            {
                "indirectCloudSolutionProviderId": client.settings.partner_tenant,
                "indirectResellerId": reseller,
            }
            if reseller
            else {}
        )
        return str(client.call("get_relationship_link", query=query).url)

    def relationship_status(self, ctx: Context, account: AccountData) -> Result:
        """DONE with the tenant id once the existing customer accepted the invitation, else WAITING."""
        client = self.client(ctx)
        domain = mapping.domain_of(account, str(ctx.settings.get("cloud") or "global"))
        if account.external_id:
            customer = find_customer(client, tenant_id=account.external_id)
        elif domain:
            customer = find_customer(client, domain=domain)
        else:
            return refused("domain_missing", _("Enter the domain of the existing tenant."))
        if customer is not None and customer.relationship_to_partner == "reseller":
            return Result(Outcome.DONE, external_id=customer.id, data={"domain": domain, "admin_user": ""})
        return waiting(
            "relationship_pending",
            _("Accept the invitation, then check again."),
            LOOK_AGAIN,
            data={"domain": domain},
            flag="awaiting_relationship",
        )

    def check_partner_id(self, ctx: Context, mpn_id: str) -> CheckResult:
        """Whether Microsoft knows the MPN ID and its reseller signed the partner agreement (MPA)."""
        number = mpn_id.strip()
        if not number.isdigit():
            message = _("Enter the MPN ID as digits only.")
            return CheckResult(False, "mpn_invalid", message, {"mpn_id": message})
        client = self.client(ctx)
        try:
            profile: MpnProfile = client.call("get_mpn_profile", query={"mpnId": number})
            status = client.call("get_partner_agreement_status", query={"mpnId": number})
        except PartnerCenterError as error:
            if error.kind is not ErrorKind.REFUSED:
                raise
            return CheckResult(False, error.code, error.message, {"mpn_id": error.message})
        if not status.is_agreement_signed:
            message = _("This reseller has not signed the Microsoft Partner Agreement.")
            return CheckResult(False, "mpa_missing", message, {"mpn_id": message})
        return _known_reseller(ctx, client, profile)


def latest_template(client: PartnerCenter) -> AgreementMetadata:
    """The Microsoft Customer Agreement's template of the highest rank."""
    rows: Sequence[AgreementMetadata] = client.collect(
        "list_agreement_templates", query={"agreementType": mapping.CUSTOMER_AGREEMENT}
    ).items
    own = [row for row in rows if row.agreement_type in {"", mapping.CUSTOMER_AGREEMENT}]
    if not own:
        raise PartnerCenterError(
            ErrorKind.CONTRACT,
            _("Microsoft names no template of the customer agreement. Inform the operator of this system."),
            code="contract",
        )
    return max(own, key=lambda row: row.version_rank or 0)


def is_agreement_signed(client: PartnerCenter, customer: str) -> bool:
    """Ask both ways; either suffices (5). One of them not being offered is no answer."""
    params = {"customer": customer}
    rows = client.collect("list_agreements", params=params, query={"agreementType": mapping.CUSTOMER_AGREEMENT})
    if any(row.type.lower() == mapping.CUSTOMER_AGREEMENT.lower() for row in rows.items):
        return True
    try:
        return bool(client.call("get_direct_signed_status", params=params).is_signed)
    except PartnerCenterError as error:
        if error.http_status == 404:
            return False
        raise


def _known_reseller(ctx: Context, client: PartnerCenter, profile: MpnProfile) -> CheckResult:
    """An indirect provider sells through resellers of his own only; their tenant id goes along with their customers."""
    data = {"mpn_id": profile.mpn_id, "name": profile.partner_name, "tenant_id": ""}
    if str(ctx.settings.get("partner_type")) != "indirect":
        return CheckResult(True, data=data)
    query = {"relationship_type": "IsIndirectCloudSolutionProviderOf"}
    for row in client.collect("list_relationships", query=query).items:
        # Older answers carry no state; only one that says otherwise rules a reseller out.
        if row.mpn_id == profile.mpn_id and row.state in {"", "active", "unknown"}:
            return CheckResult(True, data={**data, "tenant_id": row.id, "name": row.name or profile.partner_name})
    message = _("This MPN ID does not belong to an active indirect reseller of ours.")
    return CheckResult(False, "mpn_invalid", message, {"mpn_id": message})


def find_customer(client: PartnerCenter, *, domain: str = "", tenant_id: str = "") -> Customer | None:
    """A customer of ours by tenant id or by exact domain; ``None`` if he is not in the list."""
    if tenant_id:
        try:
            customer: Customer = client.call("get_customer", params={"customer": tenant_id})
        except PartnerCenterError as error:
            if error.http_status == 404 or error.flag == "relationship_lost":
                return None
            raise
        return customer
    query = {"size": "500", "filter": domain_filter(domain)}
    for page in client.pages("list_customers", query=query):
        for row in page.items:
            if domain.lower() in row.domains:
                found: Customer = row
                return found
    return None


def domain_filter(domain: str) -> str:
    """The filter of a customer list by the beginning of a domain (2.4)."""
    # Written out, since the order of the members is that of Microsoft's samples.
    return f'{{"Field":"Domain","Value":"{_plain(domain)}","Operator":"starts_with"}}'


def _plain(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum() or sign in ".-")
