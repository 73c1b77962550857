"""Customers: domains, addresses, creation, reading, leaving (``partner-center.md`` 4)."""

import hashlib
import secrets
import uuid
from typing import Any

from sandbox.clock import iso
from sandbox.partner_center import addresses
from sandbox.partner_center.answers import (
    attributes,
    classic,
    collection,
    decode_token,
    encode_token,
    integer,
    link,
    newer,
    ok,
    pascal,
    shown,
    tidy,
)
from sandbox.partner_center.desk import Desk
from sandbox.partner_center.filters import matches, read_filter
from sandbox.router import Routes
from sandbox.wire import Request, Response

DEFAULT_SIZE, MAX_SIZE = 100, 500
GONE = {"deleted", "suspended", "expired", "disabled"}
REGISTRATION = {
    "AM", "AZ", "BY", "BR", "HU", "IN", "IQ", "KZ", "KG", "MD", "MM", "PL", "RU", "SA", "ZA", "SS", "TJ", "TH", "TR",
    "UA", "AE", "UZ", "VE", "VN",
}  # fmt: skip
FIELDS = {
    "companyname": lambda row: row["companyProfile"].get("companyName", ""),
    "domain": lambda row: row["companyProfile"]["domain"],
    "indirectreseller": lambda row: row.get("associatedPartnerId", ""),
}


class CustomerCalls:
    """The calls about customers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        one = "/v1/customers/{customer}"
        routes.add("HEAD", "/v1/domains/{domain}", "check_domain", self.check_domain)
        routes.add("POST", "/v1/validations/address", "check_address", self.check_address)
        routes.add("GET", "/v1/countryvalidationrules/{country}", "get_country_rules", self.get_country_rules)
        routes.add("POST", "/v1/customers", "create_customer", self.create, write=True)
        routes.add("GET", "/v1/customers", "list_customers", self.list_customers)
        routes.add("GET", one, "get_customer", self.get_customer)
        routes.add("PATCH", one, "remove_relationship", self.leave, write=True)
        routes.add("DELETE", one, "delete_customer", self.delete, write=True)
        billing = f"{one}/profiles/billing"
        routes.add("GET", billing, "get_billing_profile", self.get_billing, token="user")
        routes.add("PUT", billing, "update_billing_profile", self.put_billing, write=True, token="user")
        routes.add("GET", f"{one}/profiles/company", "get_company_profile", self.get_company)
        routes.add("GET", f"{one}/validationStatus", "get_validation_status", self.get_vetting)

    # --- Checks ---

    def check_domain(self, request: Request) -> Response:
        """200 if the domain is taken, 404 if it is free."""
        domain = request.params["domain"].lower()
        return Response(200 if self.is_taken(domain) else 404)

    def is_taken(self, domain: str) -> bool:
        """Whether a tenant has the domain, ours or not."""
        return domain in self.desk.tenants or any(
            domain in row["customDomains"] for row in self.desk.customers.values()
        )

    def check_address(self, request: Request) -> Response:
        """The address check; see :mod:`sandbox.partner_center.addresses` for what decides it."""
        return ok(addresses.validate(tidy(request.json()), self.desk.catalogue.country_rules))

    def get_country_rules(self, request: Request) -> Response:
        """The rules of a country. Raises 400/2030 for one that is not served."""
        country = request.params["country"].upper()
        rules = addresses.rules_of(country, self.desk.catalogue.country_rules)
        if rules is None:
            raise classic(400, 2030, f"The country {country} is not supported.")
        return ok(rules | {"attributes": attributes("CountryValidationRules")})

    # --- Creation ---

    def create(self, request: Request) -> Response:
        """Create a tenant with its first administrator, whose password is in this answer only."""
        body = tidy(request.json())
        company, billing = body.get("companyProfile") or {}, body.get("billingProfile") or {}
        address = billing.get("defaultAddress") or {}
        self._check_new(company, billing, address, str(body.get("associatedPartnerId") or ""))
        key, domain = self.desk.new_id(), str(company["domain"]).lower()
        stored = self.desk.customers.put(key, self._document(request, key, domain, body))
        self.desk.record(request, "add_customer", "customer", customer=stored, new=_whole(stored))
        self.desk.note(f"customer {key} created")
        answer = _whole(stored) | {"relationshipToPartner": "reseller" if body.get("associatedPartnerId") else "none"}
        answer.pop("links")
        # Letters, digits and signs, so that the password passes every policy.
        answer["userCredentials"] = {"userName": "admin", "password": f"{secrets.token_urlsafe(9)}aA1!"}
        return ok(answer, 201)

    def _check_new(
        self, company: dict[str, Any], billing: dict[str, Any], address: dict[str, Any], reseller: str
    ) -> None:
        missing = [
            name
            for name, value in (
                ("CompanyProfile.Domain", company.get("domain")),
                ("BillingProfile.Email", billing.get("email")),
                ("BillingProfile.CompanyName", billing.get("companyName")),
                ("BillingProfile.Culture", billing.get("culture")),
                ("BillingProfile.Language", billing.get("language")),
                *((f"DefaultAddress.{n}", address.get(n)) for n in ("firstName", "lastName", "addressLine1", "city")),
                ("DefaultAddress.country", address.get("country")),
            )
            if not value
        ]
        if missing:
            raise classic(400, 27002, "Invalid property.", [f"{name}:  is required" for name in missing])
        if address.get("region"):
            raise classic(400, 27002, "Invalid property.", [f"Region:  {address['region']}"])
        country = str(address["country"]).upper()
        rules = addresses.rules_of(country, self.desk.catalogue.country_rules)
        if rules is None:
            raise classic(400, 27002, "Invalid property.", [f"Country:  {address['country']}"])
        problem = addresses.problem_of(address, rules)
        if problem:
            raise classic(400, 27002, "Invalid property.", [problem])
        if country in REGISTRATION and not company.get("organizationRegistrationNumber"):
            raise newer(400, 600049, "OrganizationRegistrationIdMissing", "The registration number is missing.")
        domain = str(company["domain"]).lower()
        if not domain.endswith((".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn")):
            raise classic(400, 27002, "Invalid property.", [f"Domain:  {domain}"])
        if self.is_taken(domain):
            raise classic(400, 27002, "Invalid property.", [f"Domain:  {domain} is not available"])
        if reseller and reseller.lower() not in [row["id"] for row in self.desk.resellers.values()]:
            raise classic(400, 2204, "There is no indirect reseller with this tenant id.")

    def _document(self, request: Request, key: str, domain: str, body: dict[str, Any]) -> dict[str, Any]:
        billing = body["billingProfile"]
        address = {"phoneNumber": ""} | billing["defaultAddress"]
        company = {
            "tenantId": key,
            "domain": domain,
            "companyName": billing["companyName"],
            "address": _company_address(address),
            "email": billing["email"],
            "links": {"self": link(f"/customers/{key}/profiles/company")},
            "attributes": attributes("CustomerCompanyProfile"),
        }
        number = (body.get("companyProfile") or {}).get("organizationRegistrationNumber")
        if number:
            company["organizationRegistrationNumber"] = number
        reseller = str(body.get("associatedPartnerId") or "").lower()
        return {
            "id": key,
            "commerceId": str(uuid.uuid4()),
            "companyProfile": company,
            "billingProfile": {
                "id": str(uuid.uuid4()),
                "firstName": address.get("firstName", ""),
                "lastName": address.get("lastName", ""),
                "email": billing["email"],
                "culture": billing["culture"],
                "language": billing["language"],
                "companyName": billing["companyName"],
                "defaultAddress": address,
            },
            "relationshipToPartner": "reseller",
            "allowDelegatedAccess": False,
            "customDomains": [domain],
            **({"associatedPartnerId": reseller} if reseller else {}),
            "_version": 1,
            "_vetting": "Allowed",
            **self.desk.marks(request),
        }

    # --- Reading ---

    def list_customers(self, request: Request) -> Response:
        """Customers without billing profiles; seek paging, the next link's headers hold the token."""
        query = request.query
        token = request.headers.get("ms-continuationtoken", "")
        if query.get("seekOperation", "").lower() == "next" and not token:
            raise classic(400, 2000, "The MS-ContinuationToken header is missing.")
        state = decode_token(token) if token else {"after": 0, "filter": query.get("filter", "")}
        size = min(max(integer(query.get("size")) or DEFAULT_SIZE, 1), MAX_SIZE)
        wanted = read_filter(str(state["filter"]), FIELDS)
        rows = [
            row
            for row in self.desk.customers.values()
            if row["relationshipToPartner"] == "reseller"
            and not self.desk.hidden(row, request.now)
            and matches(row, wanted, FIELDS)
        ]
        start = integer(state["after"]) or 0
        following = None
        if start + size < len(rows):
            content = encode_token({"after": start + size, "filter": state["filter"]})
            uri = f"/customers?size={size}&seekOperation=Next"
            following = link(uri, headers={"MS-ContinuationToken": content})
        items = [_listed(row) for row in rows[start : start + size]]
        return ok(collection(items, f"/customers?size={size}", following))

    def get_customer(self, request: Request) -> Response:
        """One customer with both profiles."""
        return ok(_whole(self.desk.customer(request)))

    def get_company(self, request: Request) -> Response:
        """The company profile."""
        return ok(self.desk.customer(request)["companyProfile"])

    def get_billing(self, request: Request) -> Response:
        """The billing profile with its etag, a signed number."""
        return ok(_billing(self.desk.customer(request)))

    def get_vetting(self, request: Request) -> Response:
        """How far the vetting of the account is."""
        customer = self.desk.customer(request)
        kind = request.query.get("type", "account")
        return ok({"type": kind, "status": customer["_vetting"], "lastUpdateDateTime": customer["_created"]})

    # --- Changes ---

    def put_billing(self, request: Request) -> Response:
        """Replace the billing profile. Raises 400/2055 for an etag that is out of date."""
        customer = self.desk.customer(request)
        given = request.headers.get("if-match", "").removeprefix("W/").strip('"')
        if given and given != _etag(customer):
            raise classic(400, 2055, "Etag is no longer valid.")
        body = tidy(request.json())
        address = body.get("defaultAddress") or {}
        rules = addresses.rules_of(str(address.get("country") or "").upper(), self.desk.catalogue.country_rules)
        problem = "Country:  is not valid" if rules is None else addresses.problem_of(address, rules)
        if problem:
            raise classic(400, 27002, "Invalid property.", [problem])
        old = _billing(customer)
        kept = ("id", "firstName", "lastName", "email", "culture", "language", "companyName", "defaultAddress")
        profile = {name: body.get(name, old.get(name, "")) for name in kept} | {"id": old["id"]}
        changed = customer | {"billingProfile": profile, "_version": customer["_version"] + 1}
        changed["companyProfile"] = customer["companyProfile"] | {
            "companyName": profile["companyName"],
            "email": profile["email"],
        }
        self.desk.customers.put(customer["id"], changed)
        new = _billing(changed)
        self.desk.record(
            request, "update_customer_billing_profile", "customer_billing_profile", customer=changed, old=old, new=new
        )
        self.desk.note(f"billing profile of {customer['id']} changed")
        return ok(new)

    def leave(self, request: Request) -> Response:
        """End the relationship. Raises 400/2001 while a subscription is active."""
        customer = self.desk.customer(request)
        body = tidy(request.json())
        if body.get("relationshipToPartner") != "none":
            raise classic(400, 2000, "Only relationshipToPartner none can be set.")
        if any(row["status"] not in GONE for row in self.desk.subscriptions_of(customer["id"])):
            raise classic(400, 2001, "Suspend all subscriptions before you remove the relationship.")
        changed = self.desk.customers.put(customer["id"], customer | {"relationshipToPartner": "none"})
        self.desk.record(request, "remove_partner_customer_relationship", "customer", customer=changed, old=customer)
        self.desk.note(f"relationship with {customer['id']} removed")
        empty = dict.fromkeys(
            ("id", "commerceId", "companyProfile", "billingProfile", "allowDelegatedAccess", "userCredentials",
             "customDomains", "associatedPartnerId")
        )  # fmt: skip
        return ok(pascal(empty | {"relationshipToPartner": "none", "attributes": {"objectType": "Customer"}}))

    def delete(self, request: Request) -> Response:
        """Delete a customer of the integration sandbox with all he has."""
        customer = self.desk.customer(request)
        self.desk.record(request, "delete_customer", "customer", customer=customer, old=_whole(customer))
        for table in (self.desk.orders, self.desk.subscriptions, self.desk.carts):
            for key in table:
                document = table.get(key)
                if document is not None and document["_customer"] == customer["id"]:
                    table.delete(key)
        self.desk.orders_of.forget()
        self.desk.subscriptions_of.forget()
        self.desk.agreements.delete(customer["id"])
        self.desk.qualifications.delete(customer["id"])
        self.desk.customers.delete(customer["id"])
        self.desk.note(f"customer {customer['id']} deleted")
        return Response(204)


def existing_customer(desk: Desk, request: Request | None, tenant: dict[str, Any], reseller: str) -> dict[str, Any]:
    """A customer document for a tenant that existed before, as after an accepted invitation."""
    now = iso(desk.world.clock.now())
    key, name = tenant["id"], tenant["companyName"]
    address = {
        "country": tenant["country"], "city": tenant.get("city", "Springfield"), "state": tenant.get("state", ""),
        "addressLine1": tenant.get("addressLine1", "1 Main Street"), "postalCode": tenant.get("postalCode", ""),
        "phoneNumber": "",
    }  # fmt: skip
    email = f"admin@{tenant['domain']}"
    profile: dict[str, Any] = {
        "tenantId": key,
        "domain": tenant["domain"],
        "companyName": name,
        "address": _company_address(address),
        "email": email,
    }
    profile |= {
        "links": {"self": link(f"/customers/{key}/profiles/company")},
        "attributes": attributes("CustomerCompanyProfile"),
    }
    names = {"firstName": "Alex", "lastName": "Admin"}
    billing: dict[str, Any] = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, key)),
        **names,
        "email": email,
        "culture": "en-US",
    }
    billing |= {"language": "en", "companyName": name, "defaultAddress": address | names}
    return {
        "id": key,
        "commerceId": str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
        "companyProfile": profile,
        "billingProfile": billing,
        "relationshipToPartner": "reseller",
        "allowDelegatedAccess": True,
        "customDomains": [tenant["domain"]],
        **({"associatedPartnerId": reseller} if reseller else {}),
        "_version": 1,
        "_vetting": "Allowed",
        "_created": now,
        "_ref": "",
    }


def _company_address(address: dict[str, Any]) -> dict[str, Any]:
    """The address as the company profile writes it: without a person, the state as ``region``."""
    kept = {name: value for name, value in address.items() if name not in ("firstName", "lastName", "state")}
    return kept | ({"region": address["state"]} if address.get("state") else {})


def _etag(customer: dict[str, Any]) -> str:
    """A signed number of 64 bits that changes with the profile's version."""
    digest = hashlib.sha256(f"{customer['id']}:{customer['_version']}".encode()).digest()
    return str(int.from_bytes(digest[:8], "big", signed=True))


def _billing(customer: dict[str, Any]) -> dict[str, Any]:
    profile: dict[str, Any] = customer["billingProfile"]
    return profile | {
        "links": {"self": link(f"/customers/{customer['id']}/profiles/billing")},
        "attributes": attributes("CustomerBillingProfile", _etag(customer)),
    }


def _whole(customer: dict[str, Any]) -> dict[str, Any]:
    return shown(customer) | {
        "billingProfile": _billing(customer),
        "links": {"self": link(f"/customers/{customer['id']}")},
        "attributes": attributes("Customer"),
    }


def _listed(customer: dict[str, Any]) -> dict[str, Any]:
    company = {name: customer["companyProfile"][name] for name in ("tenantId", "domain", "companyName", "attributes")}
    return {
        "id": customer["id"],
        "companyProfile": company,
        "relationshipToPartner": customer["relationshipToPartner"],
        "links": {"self": link(f"/customers/{customer['id']}")},
        "attributes": attributes("Customer"),
    }
