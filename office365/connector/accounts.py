"""The customer's tenant: what is asked at checkout, checks, creation (``office365.md`` 4; ``partner-center.md`` 4)."""

import datetime as dt
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.connector.agreements import AgreementVerbs, find_customer
from office365.connector.base import field_error, refused, refused_as, waiting
from office365.errors import PartnerCenterError
from office365.schemas.common import NoContent, read
from office365.schemas.customers import (
    AddressValidation,
    CountryRules,
    Customer,
    PostalAddress,
)
from provisioning.ports import (
    AccountData,
    Address,
    CheckResult,
    Context,
    ErrorKind,
    Field,
    FieldKind,
    Outcome,
    Result,
    VendorError,
)

FIRST_AGREEMENT_DAY = dt.date(2019, 10, 1)
RULES_KEPT = 7 * 24 * 3600
GOOD_ADDRESSES = frozenset({"verified_shippable", "verified"})
PREFIX = re.compile(r"^[a-z0-9]{1,27}$")
_rules: dict[tuple[str, str], tuple[float, CountryRules | None]] = {}
PASSWORD_SECRET = "admin_password"  # noqa: S105 - the name of a secret, not the secret


class AccountVerbs(AgreementVerbs):
    """Verbs about one customer account."""

    def account_options(self, ctx: Context, account: AccountData) -> Sequence[Field]:
        """What checkout asks for this account at this instance; no call is made."""
        fields: list[Field] = []
        if not account.external_id:
            fields += _tenant_fields(ctx, account)
        if _asks_mpn_id(ctx, account):
            fields.append(
                Field(
                    "mpn_id",
                    _("MPN ID"),
                    required=True,
                    pattern=r"^[0-9]{4,10}$",
                    pattern_message=_("An MPN ID has 4 to 10 digits."),
                    description=_("The reseller's Microsoft Partner Network ID (PLA ID)."),
                    live_check="check_partner_id",
                    group=_("Partner"),
                )
            )
        if account.agreement is None:
            fields += _agreement_fields(ctx, account)
        return fields

    def check_domain(self, ctx: Context, values: Mapping[str, Any]) -> CheckResult:
        """Whether the tenant's prefix is free; ``values`` holds ``domain_prefix``."""
        prefix = str(values.get("domain_prefix") or "").strip().lower()
        if not PREFIX.match(prefix):
            message = _("Use letters and digits only.")
            return CheckResult(False, "domain_prefix_invalid", message, {"domain_prefix": message})
        domain = mapping.full_domain(prefix, _cloud(ctx))
        if is_domain_free(self.client(ctx), domain):
            return CheckResult(True, data={"domain": domain})
        message = _("This prefix is used. Choose another.")
        return CheckResult(False, "tenant_name_taken", message, {"domain_prefix": message})

    def check_address(self, ctx: Context, address: Address) -> CheckResult:
        """The country's rules first, then Microsoft's check with its suggestions."""
        client = self.client(ctx)
        country = mapping.country_code(address.country)
        if not country:
            message = _("Choose a country.")
            return CheckResult(False, "address_invalid", message, {"country": message})
        errors = rule_errors(address, country_rules(client, country))
        if errors:
            return CheckResult(False, "address_invalid", " ".join(errors.values()), errors)
        return _vendor_address_check(client, address, country)

    def account_exists(self, ctx: Context, account: AccountData) -> Result:
        """DONE with the tenant id if the customer is in our list, else REFUSED ``account_unknown``."""
        client = self.client(ctx)
        domain = mapping.domain_of(account, _cloud(ctx))
        customer = None
        if account.external_id:
            customer = find_customer(client, tenant_id=account.external_id)
        elif domain:
            customer = find_customer(client, domain=domain)
        if customer is None:
            return refused("account_unknown", _("Microsoft has no such customer of ours. Synchronize the account."))
        return Result(Outcome.DONE, external_id=customer.id, data=_account_data(customer, domain))

    def account_sync(self, ctx: Context, account: AccountData) -> Result:
        """Make sure the customer exists at Microsoft, with his agreement; creates at most one tenant, ever.

        A new tenant: country rules, address, domain, creation, reading back, agreement. An existing one is never
        created: its administrator must have accepted our invitation, until then the answer is WAITING. Raises
        ``VendorError`` with ``field_errors`` for what the person can correct.
        """
        client = self.client(ctx)
        if account.external_id:
            customer = find_customer(client, tenant_id=account.external_id)
            if customer is None:
                return refused_as("relationship_lost")
            return self._with_agreement(ctx, account, customer.id, _account_data(customer, ""))
        if mapping.has_tenant(account):
            found = self.relationship_status(ctx, account)
            if found.outcome is not Outcome.DONE:
                return found
            return self._with_agreement(ctx, account, found.external_id, dict(found.data))
        return self._new_tenant(ctx, client, account)

    # --- Inside ---

    def _new_tenant(self, ctx: Context, client: PartnerCenter, account: AccountData) -> Result:
        state = ctx.steps.get("tenant") or {}
        domain = mapping.domain_of(account, _cloud(ctx))
        if state.get("id"):
            return self._read_back(ctx, client, account, state)
        if state.get("sent_at"):
            found = find_customer(client, domain=str(state["domain"]))
            if found is not None:
                state = {**state, "id": found.id, "password_lost": True}
                ctx.steps.put("tenant", state)
                return self._read_back(ctx, client, account, state)
            if not is_domain_free(client, str(state["domain"])):
                # The name is taken, most likely by our own request, which the list does not show yet.
                return waiting("unconfirmed", _("Not confirmed yet; we are checking."), 60)
            domain = str(state["domain"])
        else:
            self._check_account(client, account, domain)
        state = self._create(ctx, client, account, domain)
        return self._read_back(ctx, client, account, state)

    def _check_account(self, client: PartnerCenter, account: AccountData, domain: str) -> None:
        prefix = domain.split(".")[0]
        if not PREFIX.match(prefix):
            raise field_error("domain_prefix_invalid", _("Use letters and digits only."), "domain_prefix")
        if not account.email:
            raise field_error("email_missing", _("Enter the customer's e-mail address."), "email")
        country = mapping.country_code(account.address.country)
        rules = country_rules(client, country) if country else None
        errors = (
            rule_errors(account.address, rules, phone=account.phone) if rules else {"country": _("Choose a country.")}
        )
        if _needs_number(country) and not (account.options.get("registration_number") or account.tax_id):
            errors["registration_number"] = _("Enter the registration number; this country demands it.")
        if errors:
            raise PartnerCenterError(
                ErrorKind.REFUSED, " ".join(errors.values()), code="address_invalid", field_errors=errors
            )
        checked = _vendor_address_check(client, account.address, country)
        if not checked.ok and str(account.options.get("address_confirmed") or "") not in {
            "true",
            "1",
            "on",
            "True",
        }:
            raise PartnerCenterError(
                ErrorKind.REFUSED, checked.message, code="address_invalid", field_errors=checked.field_errors
            )
        if not is_domain_free(client, domain):
            raise field_error("tenant_name_taken", _("This prefix is used. Choose another."), "domain_prefix")

    def _create(self, ctx: Context, client: PartnerCenter, account: AccountData, domain: str) -> dict[str, Any]:
        rules = country_rules(client, mapping.country_code(account.address.country))
        state: dict[str, Any] = {"domain": domain, "sent_at": ctx.now().isoformat()}
        ctx.steps.put("tenant", state)

        def save(customer: Customer) -> None:
            credentials = customer.user_credentials
            if credentials and credentials.password:
                # Given once only: kept encrypted until it is handed over with the result.
                ctx.secrets.put(_secret_name(ctx), credentials.password)
            state.update(id=customer.id, admin_user=mapping.admin_name(customer, domain))
            ctx.steps.put("tenant", state)

        try:
            client.write(
                "create_customer",
                "create_customer",
                body=mapping.customer_body(account, domain, rules),
                save=save,
            )
        except VendorError as error:
            if error.kind in {
                ErrorKind.REFUSED,
                ErrorKind.NOT_SENT,
                ErrorKind.THROTTLED,
                ErrorKind.MISCONFIGURED,
            }:
                ctx.steps.put("tenant", {})
            raise
        return state

    def _read_back(self, ctx: Context, client: PartnerCenter, account: AccountData, state: Mapping[str, Any]) -> Result:
        tenant, domain = str(state["id"]), str(state["domain"])
        if find_customer(client, tenant_id=tenant) is None:
            return waiting(
                "tenant_pending", _("Microsoft is still setting up the tenant."), 30, external_id=tenant,
                data={"domain": domain},
            )  # fmt: skip
        data = {"domain": domain, "admin_user": str(state.get("admin_user") or "")}
        result = self._with_agreement(ctx, account, tenant, data)
        password = ctx.secrets.get(_secret_name(ctx))
        secrets = {"admin_password": password} if password else {}
        message = result.message
        if state.get("password_lost") and not password:
            message = _("The administrator's first password was lost with the connection; reset it.")
            data["password_lost"] = "true"  # noqa: S105 - a flag
        if password:
            ctx.secrets.put(_secret_name(ctx), "")
        return Result(
            result.outcome,
            external_id=tenant,
            code=result.code,
            message=message,
            flag=result.flag,
            data={**data, **result.data},
            secrets=secrets,
        )

    def _with_agreement(self, ctx: Context, account: AccountData, tenant: str, data: dict[str, Any]) -> Result:
        """The account is there; a missing acceptance does not undo that, ordering asks for it again."""
        if account.agreement is None:
            return Result(Outcome.DONE, external_id=tenant, data=data)
        known = replace(account, external_id=tenant)
        try:
            answer = self.agreement_accept(ctx, known)
        except VendorError as error:
            return Result(
                Outcome.DONE, external_id=tenant, code="agreement_pending", message=error.message, flag=error.flag,
                data={**data, "agreement": "pending"},
            )  # fmt: skip
        if answer.outcome is Outcome.REFUSED:
            return Result(
                Outcome.DONE, external_id=tenant, code="agreement_pending", message=answer.message,
                data={**data, "agreement": "refused"},
            )  # fmt: skip
        return Result(Outcome.DONE, external_id=tenant, data={**data, "agreement": "accepted"})


# --- Checks ---


def is_domain_free(client: PartnerCenter, domain: str) -> bool:
    """Whether nobody has the domain yet: 404 is free, 200 is taken."""
    try:
        client.call("check_domain", params={"domain": domain})
    except PartnerCenterError as error:
        if error.http_status == 404:
            return True
        raise
    return False


def country_rules(client: PartnerCenter, country: str) -> CountryRules:
    """The country's rules, kept for 7 days."""
    key = (client.settings.api_url, country)
    until, rules = _rules.get(key, (0.0, None))
    if rules is None or time.monotonic() > until:
        rules = client.call("get_country_rules", params={"country": country})
        _rules[key] = (time.monotonic() + RULES_KEPT, rules)
    return rules


def rule_errors(address: Address, rules: CountryRules, *, phone: str = "") -> dict[str, str]:
    """What the country's rules say against an address, by field; expressions Python cannot read are skipped."""
    errors: dict[str, str] = {}
    if not address.line1.strip():
        errors["line1"] = _("Enter the street.")
    if rules.is_city_required is not False and not address.city.strip():
        errors["city"] = _("Enter the city.")
    state = address.state.strip()
    if rules.is_state_required and not state:
        errors["state"] = _("Choose a state.")
    states = {item.upper() for item in rules.supported_states}
    if state and states and state.upper() not in states:
        errors["state"] = _("Microsoft does not know this state.")
    pattern = mapping.country_pattern(rules.postal_code_regex)
    code = address.postal_code.strip()
    if rules.is_postal_code_required and not code:
        errors["postal_code"] = _("Enter the postal code.")
    elif code and pattern is not None and not pattern.search(code):
        errors["postal_code"] = _("The postal code does not fit the country.")
    phone_pattern = mapping.country_pattern(rules.phone_number_regex)
    if phone and phone_pattern is not None and not phone_pattern.search(local_phone(phone, rules)):
        errors["phone"] = _("The phone number does not fit the country.")
    return errors


def local_phone(phone: str, rules: CountryRules) -> str:
    """A phone number without its country's calling code and signs, as the rules expect it."""
    digits = re.sub(r"[^\d+]", "", phone)
    for code in rules.country_calling_codes:
        if digits.startswith("+" + code):
            return digits[len(code) + 1 :]
    return digits.lstrip("+")


def _vendor_address_check(client: PartnerCenter, address: Address, country: str) -> CheckResult:
    try:
        answer = client.call("check_address", body=mapping.address_body(address))
    except PartnerCenterError as error:
        if error.code != "address_invalid":
            return _address_refusal(error)
        nested = error.answer.correction.get("corrected_address") if error.answer else None
        rows = [mapping.suggestion(read(PostalAddress, nested), country)] if isinstance(nested, Mapping) else []
        return _bad_address(error.vendor_text, rows)
    if isinstance(answer, NoContent) or not isinstance(answer, AddressValidation):
        return CheckResult(True)
    rows = [mapping.suggestion(item, country) for item in answer.suggested_addresses]
    if answer.status in GOOD_ADDRESSES:
        return CheckResult(True, suggestions=rows)
    return _bad_address(answer.validation_message, rows)


def _address_refusal(error: PartnerCenterError) -> CheckResult:
    if error.kind is not ErrorKind.REFUSED:
        raise error
    return CheckResult(False, error.code, error.message, error.field_errors)


def _bad_address(text: str, rows: Sequence[Mapping[str, str]]) -> CheckResult:
    message = _("Microsoft does not recognize this address.")
    if rows:
        message = _("Microsoft does not recognize this address. Choose one of its suggestions or correct it.")
    if text:
        message += f" ({text[:300]})"
    return CheckResult(False, "address_invalid", message, {"line1": message}, rows)


# --- Fields ---


def _tenant_fields(ctx: Context, account: AccountData) -> list[Field]:
    group = _("Microsoft tenant")
    local = re.sub(r"[^a-z0-9._-]", "", account.email.split("@")[0].lower())[:64]
    new, existing = {"has_tenant": ""}, {"has_tenant": "true"}
    fields = [
        Field(
            "has_tenant", _("Customer already uses Office 365 and owns this domain"), FieldKind.CHECKBOX, group=group
        ),
        Field(
            "username", _("Username"), required=True, max_length=64, initial=local, pattern=r"^[a-z0-9._-]{1,64}$",
            pattern_message=_("Use small letters, digits, dot, hyphen and underscore."), show_if=new, group=group,
            description=_("The name of the tenant's first administrator."),
        ),
        Field(
            "domain_prefix", _("Domain prefix"), required=True, max_length=27, pattern=r"^[a-z0-9]{1,27}$",
            pattern_message=_("Use letters and digits only."), show_if=new, live_check="check_domain", group=group,
            suffix="." + mapping.DOMAIN_SUFFIX.get(_cloud(ctx), "onmicrosoft.com"),
        ),
        Field(
            "domain", _("Existing domain"), required=True, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
            pattern_message=_("Enter the domain, such as contoso.onmicrosoft.com."), show_if=existing, group=group,
        ),
    ]  # fmt: skip
    if _needs_number(mapping.country_code(account.address.country)):
        fields.append(
            Field(
                "registration_number",
                _("Registration number"),
                required=True,
                max_length=64,
                initial=account.tax_id or None,
                show_if=new,
                group=group,
                description=_("Microsoft demands the company's registration number in this country."),
            )
        )
    return fields


def _agreement_fields(ctx: Context, account: AccountData) -> list[Field]:
    group = _("Microsoft Customer Agreement")
    return [
        Field(
            "agreement_first_name", _("First name"), required=True, max_length=50, initial=account.first_name or None,
            group=group,
        ),
        Field(
            "agreement_last_name", _("Last name"), required=True, max_length=50, initial=account.last_name or None,
            group=group,
        ),
        Field(
            "agreement_email", _("E-mail"), FieldKind.EMAIL, required=True, initial=account.email or None, group=group
        ),
        Field("agreement_phone", _("Phone"), FieldKind.PHONE, initial=account.phone or None, group=group),
        Field(
            "agreement_date", _("Date agreed"), FieldKind.DATE, required=True, initial=ctx.now().date().isoformat(),
            group=group, description=_("Not in the future, and not before 1 October 2019."),
        ),
        Field(
            "agreement_accepted", _("The customer accepted the Microsoft Customer Agreement"), FieldKind.TERMS,
            required=True, group=group,
        ),
    ]  # fmt: skip


def _asks_mpn_id(ctx: Context, account: AccountData) -> bool:
    mode = account.purchase_mode.replace("_", "").replace("-", "").lower()
    return str(ctx.settings.get("partner_type")) == "indirect" and mode == "endcustomer" and not account.mpn_id


def _needs_number(country: str) -> bool:
    return country in mapping.REGISTRATION_COUNTRIES


def _cloud(ctx: Context) -> str:
    return str(ctx.settings.get("cloud") or "global")


def _secret_name(ctx: Context) -> str:
    return f"{PASSWORD_SECRET}:{ctx.operation_id}"


def _account_data(customer: Customer, domain: str) -> dict[str, Any]:
    own = customer.company_profile.domain if customer.company_profile else ""
    return {"domain": own or domain, "admin_user": ""}
