"""Agreements, qualifications, invitations and resellers (``partner-center.md`` 4-6)."""

import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sandbox.clock import add_duration, iso, parse_moment
from sandbox.login import PARTNER_TENANT
from sandbox.partner_center.answers import attributes, classic, collection, link, newer, ok, shown, tidy
from sandbox.partner_center.customers import existing_customer
from sandbox.partner_center.desk import PREFIX, Desk
from sandbox.router import Routes
from sandbox.wire import HTML, Request, Response, WireError

TEMPLATES = (
    ("117a77b0-9360-443b-8795-c6dedc750cf9", "MicrosoftCustomerAgreement", "https://aka.ms/customeragreement", 1),
    ("998b88de-aa99-4388-a42c-1b3517d49490", "MicrosoftCloudAgreement", "https://docs.microsoft.com/partner-center", 0),
)
QUALIFICATIONS = {"education", "nonprofit", "governmentcommunitycloud", "stateownedentity"}
REVIEW_TIME = "PT1M"
OWN_MPN_ID = "4000001"
PARTNER_NAME = "Aster Distribution"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Partner invitation</title></head><body>
<h1>Partner invitation</h1>
<p>{partner} would like to become your reseller of Microsoft products.</p>
<p>{note}</p>
{form}
</body></html>"""
FORM = """<form method="post">
<p><label>Your domain <input name="domain" value="{domain}" required></label></p>
<p><label>Organization <input name="company_name" value="{company}"></label></p>
<p><button name="answer" value="accept">Accept</button> <button name="answer" value="decline">Decline</button></p>
</form>"""


class AgreementCalls:
    """The calls about who may act for whom."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.handlers["qualification"] = self.approve

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        one = "/v1/customers/{customer}"
        routes.add("GET", "/v1/agreements", "list_agreement_templates", self.list_templates)
        document = "/v1/agreementtemplates/{template}/document"
        routes.add("GET", document, "get_agreement_document", self.get_document)
        routes.add("GET", "/agreements/{file}", "open_agreement", self.open_document, token="none")
        routes.add("POST", f"{one}/agreements", "accept_agreement", self.accept, write=True, token="user")
        routes.add("GET", f"{one}/agreements", "list_agreements", self.list_agreements)
        status = f"{one}/directSignedMicrosoftCustomerAgreementStatus"
        routes.add("GET", status, "get_direct_signed_status", self.get_direct_signed)
        routes.add("GET", f"{one}/qualifications", "list_qualifications", self.list_qualifications)
        routes.add("POST", f"{one}/qualifications", "update_qualification", self.qualify, write=True)
        routes.add("GET", "/v1/customers/relationshiprequests", "get_relationship_link", self.get_link)
        routes.add("GET", "/invitations/{invitation}", "open_invitation", self.open_invitation, token="none")
        routes.add(
            "POST", "/invitations/{invitation}", "answer_invitation", self.post_invitation, write=True, token="none"
        )
        routes.add("GET", "/v1/relationships", "list_relationships", self.list_relationships)
        routes.add("GET", f"{one}/relationships", "list_customer_relationships", self.list_of_customer)
        routes.add("GET", "/v1/profiles/mpn", "get_mpn_profile", self.get_mpn)
        status = "/v1/compliance/csp/agreementstatus"
        routes.add("GET", status, "get_partner_agreement_status", self.get_partner_agreement)

    # --- Agreements ---

    def list_templates(self, request: Request) -> Response:
        """The templates of a type; without a type those of the old cloud agreement, as recorded."""
        wanted = request.query.get("agreementType") or "MicrosoftCloudAgreement"
        items = [
            {"templateId": key, "agreementType": kind, "agreementLink": address, "versionRank": rank}
            for key, kind, address, rank in TEMPLATES
            if wanted in ("*", kind)
        ]
        return ok(collection(items))

    def get_document(self, request: Request) -> Response:
        """Where the text of a template is, by language and country."""
        template = request.params["template"].lower()
        if template not in [row[0] for row in TEMPLATES]:
            raise newer(404, 600042, "AgreementTemplateNotFound", "The agreement template was not found.")
        language, country = request.query.get("language", "en-US"), request.query.get("country", "US")
        name = quote(f"{template}.{language}.{country}.html")
        address = f"{request.base_url}{request.prefix}/agreements/{name}"
        return ok({"displayUri": address, "downloadUri": address, "language": language, "country": country})

    def open_document(self, request: Request) -> Response:
        """A page in the place of the agreement's text."""
        page = "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>Customer agreement</title></head>"
        text = f"{page}<body><h1>Customer agreement</h1><p>{html.escape(request.params['file'])}</p></body></html>"
        return Response(200, text, content_type=HTML)

    def accept(self, request: Request) -> Response:
        """Confirm the customer's acceptance. Raises 409/600061 if there is one."""
        customer = self.desk.customer(request)
        body = tidy(request.json())
        contact = body.get("primaryContact") or {}
        if not all(contact.get(name) for name in ("firstName", "lastName", "email")) or not body.get("dateAgreed"):
            raise newer(400, 600003, "InvalidAgreement", "The primary contact or the date of the agreement is missing.")
        known = [row[0] for row in TEMPLATES if row[1] == body.get("type")]
        if str(body.get("templateId")).lower() not in known:
            raise newer(400, 600042, "AgreementTemplateNotFound", "The agreement template was not found.")
        if parse_moment(str(body["dateAgreed"])) > parse_moment(add_days(request, 1)):
            raise newer(400, 600004, "InvalidAgreement", "The date of the agreement lies in the future.")
        if customer["id"] in self.desk.agreements:
            message = "A partner confirmed agreement already exists for the customer."
            raise newer(409, 600061, "PartnerConfirmedAgreementAlreadyExists", message)
        user = str(request.claims.get("oid") or PARTNER_TENANT)
        kept = {name: body[name] for name in ("primaryContact", "templateId", "dateAgreed", "type")}
        document = kept | {"userId": user, "agreementLink": TEMPLATES[0][2], **self.desk.marks(request)}
        self.desk.agreements.put(customer["id"], document)
        self.desk.record(request, "create_customer_agreement", "agreement", customer=customer, new=document)
        self.desk.note(f"agreement of {customer['id']} confirmed")
        return ok(shown(document), 201)

    def list_agreements(self, request: Request) -> Response:
        """The customer's agreements of a type."""
        customer = self.desk.customer(request)
        found = self.desk.agreements.get(customer["id"])
        wanted = request.query.get("agreementType", "").lower()
        fits = found is not None and wanted in ("", "*", str(found["type"]).lower())
        return ok(collection([shown(found)] if fits and found else []))

    def get_direct_signed(self, request: Request) -> Response:
        """Whether the customer signed with Microsoft himself."""
        return ok({"isSigned": bool(self.desk.customer(request).get("_direct_signed"))})

    # --- Qualifications ---

    def list_qualifications(self, request: Request) -> Response:
        """The customer's qualifications, as a bare array."""
        customer = self.desk.customer(request)
        return ok((self.desk.qualifications.get(customer["id"]) or {"items": []})["items"])

    def qualify(self, request: Request) -> Response:
        """Ask for a qualification; it is approved after a minute of the twin's time."""
        customer = self.desk.customer(request)
        name = str(tidy(request.json()).get("qualification") or "")
        if name.lower() not in QUALIFICATIONS:
            raise newer(400, 600031, "InvalidQualification", "The qualification is not valid.")
        if name.lower() == "governmentcommunitycloud" and not request.query.get("code"):
            raise newer(400, 600032, "MissingValidationCode", "The validation code is missing.")
        items = (self.desk.qualifications.get(customer["id"]) or {"items": []})["items"]
        if any(row["qualification"].lower() == name.lower() for row in items):
            raise newer(409, 600033, "QualificationExists", "The customer has this qualification already.")
        row = {"qualification": name, "vettingStatus": "InReview", "vettingCreateDate": iso(request.now)}
        self.desk.qualifications.put(customer["id"], {"items": [*items, row]})
        self.desk.at(add_moment(request, REVIEW_TIME), "qualification", customer["id"])
        self.desk.record(request, "create_customer_qualification", "customer_qualification", customer=customer, new=row)
        self.desk.note(f"qualification {name} of {customer['id']} asked for")
        return ok(row, 201)

    def approve(self, customer: str, _moment: Any) -> None:
        """The review is over."""
        document = self.desk.qualifications.get(customer)
        if document is not None:
            rows = [row | {"vettingStatus": "Approved"} for row in document["items"]]
            self.desk.qualifications.put(customer, {"items": rows})

    # --- Invitations ---

    def get_link(self, request: Request) -> Response:
        """The invitation link; one waits per reseller at a time, the next call gives it again."""
        reseller = request.query.get("indirectResellerId", "").lower()
        provider = request.query.get("indirectCloudSolutionProviderId", "").lower()
        if reseller and (provider != PARTNER_TENANT or reseller not in self._tenants_of_resellers()):
            raise classic(400, 2204, "There is no indirect reseller with this tenant id.")
        waiting = [
            row for row in self.desk.invitations.values() if row["status"] == "pending" and row["reseller"] == reseller
        ]
        row = waiting[0] if waiting else self._invite(request, reseller)
        address = f"{request.base_url}{PREFIX}/invitations/{row['id']}"
        return ok({"url": address, "attributes": attributes("RelationshipRequest")})

    def _invite(self, request: Request, reseller: str) -> dict[str, Any]:
        key = self.desk.new_id()
        row = {"id": key, "reseller": reseller, "status": "pending", "created": iso(request.now), "customer": ""}
        return self.desk.invitations.put(key, row)

    def open_invitation(self, request: Request) -> Response:
        """The page that the customer's administrator sees."""
        row = self._invitation(request.params["invitation"])
        tenant: Mapping[str, Any] = next(iter(self._free_tenants()), {})
        form = FORM.format(
            domain=html.escape(str(tenant.get("domain", ""))), company=html.escape(str(tenant.get("companyName", "")))
        )
        return _page("" if row["status"] == "pending" else f"The invitation was {row['status']}.", form)

    def post_invitation(self, request: Request) -> Response:
        """The customer's answer on the page."""
        row = self._invitation(request.params["invitation"])
        form = request.form()
        answer = "accept" if form.get("answer") == "accept" else "decline"
        self.answer(row, answer, form)
        word = "accepted" if answer == "accept" else "declined"
        return _page(f"Thank you. The invitation was {word}.", "")

    def answer(self, row: dict[str, Any], action: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Accept or decline for a customer, named by ``domain`` or else the first tenant that is not ours yet."""
        if action == "decline":
            return self.desk.invitations.put(row["id"], row | {"status": "declined"})
        domain = str(spec.get("domain") or "").strip().lower()
        tenant = self._tenant(domain, spec)
        known = self.desk.customers.get(tenant["id"])
        fresh = known or existing_customer(self.desk, None, tenant, row["reseller"])
        self.desk.customers.put(tenant["id"], fresh | {"relationshipToPartner": "reseller"})
        self.desk.note(f"invitation accepted by {tenant['id']}")
        return self.desk.invitations.put(row["id"], row | {"status": "accepted", "customer": tenant["id"]})

    def _tenant(self, domain: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        if not domain:
            free = self._free_tenants()
            if not free:
                raise WireError(400, {"error": "Give the domain of the tenant that accepts."})
            return free[0]
        known = self.desk.tenants.get(domain)
        if known is not None:
            return known
        found = next((row for row in self.desk.customers.values() if domain in row["customDomains"]), None)
        if found is not None:
            return {"id": found["id"]}
        tenant = {
            "id": str(spec.get("tenant_id") or self.desk.new_id()).lower(),
            "domain": domain,
            "companyName": str(spec.get("company_name") or domain.split(".")[0].title()),
            "country": str(spec.get("country") or "US").upper(),
        }
        return self.desk.tenants.put(domain, tenant)

    def _free_tenants(self) -> list[dict[str, Any]]:
        return [row for row in self.desk.tenants.values() if row["id"] not in self.desk.customers]

    def _invitation(self, key: str) -> dict[str, Any]:
        found = self.desk.invitations.get(key.lower())
        if found is None:
            raise WireError(404, {"error": "There is no such invitation."})
        return found

    def relationships(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """What ``/_twin/relationships`` does: list, accept, decline."""
        if spec.get("action") in ("accept", "decline"):
            return self.answer(self._invitation(str(spec.get("id"))), str(spec["action"]), spec)
        return {"relationships": self.desk.invitations.values()}

    # --- Resellers ---

    def _tenants_of_resellers(self) -> set[str]:
        return {row["id"] for row in self.desk.resellers.values()}

    def list_relationships(self, request: Request) -> Response:
        """Our indirect resellers."""
        if request.query.get("relationship_type", "").lower() != "isindirectcloudsolutionproviderof":
            raise classic(400, 2000, "The relationship_type is missing or not valid.")
        return ok(collection([_relationship(row) for row in self.desk.resellers.values() if row["state"] != "none"]))

    def list_of_customer(self, request: Request) -> Response:
        """The resellers of one customer."""
        reseller = self.desk.customer(request).get("associatedPartnerId")
        rows = [row for row in self.desk.resellers.values() if row["id"] == reseller]
        return ok(collection([_relationship(row) | {"relationshipType": "is_indirect_reseller_of"} for row in rows]))

    def get_mpn(self, request: Request) -> Response:
        """A partner by MPN id, our own without one. Raises 404/3000 for an unknown one."""
        number = request.query.get("mpnId") or request.query.get("mpnid") or OWN_MPN_ID
        found = {"name": PARTNER_NAME} if number == OWN_MPN_ID else self.desk.resellers.get(number)
        if found is None:
            raise classic(404, 3000, f"The MPN ID {number} was not found.")
        return ok(
            {
                "mpnId": number,
                "partnerName": found["name"],
                "profileType": "MpnProfile",
                "links": {"self": link("/profiles/mpn")},
                "attributes": attributes("MpnProfile"),
            }
        )

    def get_partner_agreement(self, request: Request) -> Response:
        """Whether a reseller signed the partner agreement; by MPN id or tenant id, never both."""
        query = {name.lower(): value for name, value in request.query.items()}
        number, tenant = query.get("mpnid", ""), query.get("tenantid", "").lower()
        if bool(number) == bool(tenant):
            raise classic(400, 2000 if number else 2001, "Provide either the MPN ID or the tenant ID.")
        found = self.desk.resellers.get(number) or next(
            (row for row in self.desk.resellers.values() if row["id"] == tenant), None
        )
        if found is None:
            text = f"The MPN ID {number} is not found." if number else "There is no account with this tenant id."
            raise classic(400, 2200 if number else 2205, text)
        return ok({"isAgreementSigned": found["mpa"]})


def add_moment(request: Request, duration: str) -> str:
    """The moment some time after the request."""
    return iso(add_duration(request.now, duration))


def add_days(request: Request, days: int) -> str:
    """The moment some days after the request."""
    return add_moment(request, f"P{days}D")


def _page(note: str, form: str) -> Response:
    page = PAGE.format(partner=PARTNER_NAME, note=html.escape(note), form=form)
    return Response(200, page, content_type=HTML)


def _relationship(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "relationshipType": "is_indirect_cloud_solution_provider_of",
        "state": row["state"],
        "mpnId": row["mpn_id"],
        "location": row["location"],
        "attributes": attributes("PartnerRelationship"),
    }
