"""The instance: its fields, its connection, the partner's consent (``office365.md`` 2, ``partner-center.md`` 3)."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from office365.client.settings import CLOUDS, DEFAULT_SALES, read_certificate
from office365.client.tokens import REFRESH_TOKEN, forget_tokens, read_claims
from office365.connector.base import ConnectorBase
from office365.errors import PartnerCenterError
from office365.mapping.products import FAMILIES, LOCALES, MARKETS, SEGMENTS
from provisioning.ports import (
    CheckResult,
    Context,
    ErrorKind,
    Field,
    FieldKind,
    VendorError,
)

GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
DOMAIN = r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
CURRENCIES = tuple(sorted({currency for rows in MARKETS.values() for currency in rows}))


class SettingsVerbs(ConnectorBase):
    """Verbs about the instance itself."""

    def describe_settings(self) -> Sequence[Field]:
        """The fields of stage 1 (connection) and, marked additional, of stage 2 (what is sold)."""
        return [*_connection_fields(), *_address_fields(), *_catalogue_fields()]

    def validate_settings(self, ctx: Context) -> CheckResult:
        """Check the values without a call: ids, exactly one of key and certificate, currencies sold in the markets."""
        values = ctx.settings
        errors = _connection_errors(values)
        markets, currencies = listed(values.get("markets")), listed(values.get("currencies"))
        for market in markets:
            if market not in MARKETS:
                errors["markets"] = _("Microsoft does not sell in %(market)s.") % {"market": market}
        sold = {currency for market in markets for currency in MARKETS.get(market, ())}
        for currency in currencies if markets else ():
            if currency not in sold:
                errors["currencies"] = _("%(currency)s is not sold in %(market)s.") % {
                    "currency": currency,
                    "market": ", ".join(markets),
                }
        if errors:
            return CheckResult(False, "settings_invalid", " ".join(errors.values()), errors)
        return CheckResult(True)

    def test_connection(self, ctx: Context) -> CheckResult:
        """Get a token and make one harmless read; says in words what is wrong."""
        forget_tokens(ctx.instance_id)
        client = self.client(ctx)
        try:
            client.call("list_agreement_templates", query={"agreementType": "MicrosoftCustomerAgreement"})
        except VendorError as error:
            fields = error.field_errors or ({"application_key": error.message} if _is_credential(error) else {})
            return CheckResult(False, error.code or "connection_failed", error.message, fields)
        return CheckResult(True, message=_("Microsoft accepts the application."))

    def consent_start(self, ctx: Context, redirect_uri: str, state: str) -> str:
        """The address of Microsoft's consent page; ``state`` is the platform's, signed and used once."""
        client = self.client(ctx)
        query = {
            "client_id": client.settings.application_id,
            "redirect_uri": redirect_uri,
            "response_mode": "form_post",
            "response_type": "code id_token",
            "scope": "openid profile",
            "nonce": nonce_for(state),
            "state": state,
        }
        return f"{client.settings.login_url}/common/oauth2/authorize?{urlencode(query)}"

    def consent_finish(self, ctx: Context, redirect_uri: str, form: Mapping[str, str]) -> CheckResult:
        """Exchange the code of the consent in the partner's tenant and store the refresh token at once."""
        if form.get("error"):
            text = str(form.get("error_description") or form["error"]).splitlines()[0][:300]
            return CheckResult(False, "consent_refused", _("Microsoft did not give consent: %(text)s") % {"text": text})
        code, id_token = str(form.get("code") or ""), str(form.get("id_token") or "")
        claims = read_claims(id_token)
        if not code or claims.get("nonce") != nonce_for(str(form.get("state") or "")):
            return CheckResult(
                False, "consent_invalid", _("This consent does not belong to this request. Start it again.")
            )
        forget_tokens(ctx.instance_id)
        client = self.client(ctx)
        try:
            answer = client.tokens.redeem_code(code, redirect_uri, f"{client.settings.resource}/user_impersonation")
        except PartnerCenterError as error:
            return CheckResult(False, error.code, error.message)
        return _store_consent(ctx, answer, claims)


def nonce_for(state: str) -> str:
    """The nonce that goes with a state: bound to it, so nothing has to be stored between start and finish."""
    return hashlib.sha256(f"nonce:{state}".encode()).hexdigest()[:32]


def _store_consent(ctx: Context, answer: Mapping[str, Any], claims: Mapping[str, Any]) -> CheckResult:
    token = str(answer.get("refresh_token") or "")
    if not token:
        return CheckResult(
            False,
            "consent_incomplete",
            _("Microsoft gave no lasting consent. Check the application's permissions."),
        )
    used = read_claims(str(answer.get("access_token") or "")) or dict(claims)
    methods = used.get("amr")
    if isinstance(methods, list) and "mfa" not in methods:
        return CheckResult(
            False,
            "mfa_missing",
            _("Microsoft demands multi-factor authentication. Turn it on and consent again."),
        )
    ctx.secrets.put(REFRESH_TOKEN, token)
    forget_tokens(ctx.instance_id)
    who = str(used.get("upn") or used.get("preferred_username") or used.get("unique_name") or "")
    return CheckResult(True, data={"who": who})


def _is_credential(error: VendorError) -> bool:
    return error.kind is ErrorKind.MISCONFIGURED and error.flag == "credentials_refused"


def listed(value: object) -> list[str]:
    """The values of a choose-many setting, also from a comma separated text."""
    if isinstance(value, str):
        return [item for item in re.split(r"[,\s]+", value) if item]
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _connection_errors(values: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    tenant = str(values.get("partner_tenant") or "").strip()
    if not (re.match(GUID, tenant) or re.match(DOMAIN, tenant)):
        errors["partner_tenant"] = _("Enter the tenant id or its domain.")
    if not re.match(GUID, str(values.get("application_id") or "").strip()):
        errors["application_id"] = _("Enter the application id, a GUID.")
    has_key, has_certificate = bool(values.get("application_key")), bool(values.get("certificate"))
    if has_key == has_certificate:
        errors["application_key"] = _("Give a key or a certificate, not both.")
    if has_certificate:
        try:
            read_certificate(values.get("certificate"))
        except PartnerCenterError as error:
            errors |= error.field_errors
    return errors


def _connection_fields() -> list[Field]:
    return [
        Field(
            "environment", _("Environment"), FieldKind.CHOOSE_ONE, required=True, initial="primary",
            choices=(("primary", pgettext("environment", "Primary")), ("sandbox", _("Integration sandbox"))),
            description=_("Fixed once a customer is linked."),
        ),
        Field(
            "cloud", _("Cloud"), FieldKind.CHOOSE_ONE, required=True, initial="global",
            choices=(
                ("global", _("Global")), ("china", _("China (21Vianet)")), ("us_government", _("US Government")),
            ),
        ),
        Field(
            "partner_type", _("Partner type"), FieldKind.CHOOSE_ONE, required=True, initial="direct",
            choices=(("direct", _("Direct CSP")), ("indirect", _("Indirect provider"))),
            description=_("An indirect provider is asked for the reseller's MPN ID at checkout."),
        ),
        Field(
            "partner_tenant", _("Partner tenant"), required=True, pattern=f"{GUID}|{DOMAIN}",
            pattern_message=_("Enter the tenant id or its domain."),
        ),
        Field(
            "application_id", _("Application ID"), required=True, pattern=GUID,
            pattern_message=_("Enter the application id, a GUID."),
        ),
        Field(
            "application_key", _("Application key"), FieldKind.PASSWORD,
            description=_("Give a key or a certificate, not both."),
        ),
        Field(
            "certificate", _("Certificate"), FieldKind.CERTIFICATE,
            description=_("A PFX or PEM file with its private key."),
        ),
    ]  # fmt: skip


def _address_fields() -> list[Field]:
    group = _("Advanced")
    usual = CLOUDS["global"]
    hint = _("Leave empty for Microsoft's own address: %(address)s")
    return [
        Field(
            name, label, FieldKind.URL, group=group,
            description=hint % {"address": address},
        )
        for name, label, address in (
            ("api_url", _("Partner Center address"), usual.api),
            ("login_url", _("Sign-in address"), usual.login),
            ("sales_url", _("Price sheet address"), DEFAULT_SALES),
        )
    ]  # fmt: skip


def _catalogue_fields() -> list[Field]:
    return [
        Field(
            "markets", _("Markets"), FieldKind.CHOOSE_MANY, required=True, additional=True,
            choices=tuple((code, code) for code in MARKETS),
        ),
        Field(
            "currencies", _("Currencies"), FieldKind.CHOOSE_MANY, required=True, additional=True,
            choices=tuple((code, code) for code in CURRENCIES),
        ),
        Field(
            "language", _("Catalogue language"), FieldKind.CHOOSE_ONE, required=True, additional=True, initial="en-US",
            choices=tuple((code, code) for code in LOCALES),
            description=_("The language in which names and descriptions are read."),
        ),
        Field(
            "segments", _("Segments"), FieldKind.CHOOSE_MANY, required=True, additional=True, initial=("commercial",),
            choices=tuple((code, str(label)) for code, label in SEGMENTS),
        ),
        Field(
            "families", _("Families"), FieldKind.CHOOSE_MANY, required=True, additional=True,
            initial=("microsoft_365", "dynamics", "azure_plan"),
            choices=tuple((family.code, str(family.label)) for family in FAMILIES),
        ),
        Field(
            "legacy_offers", _("Legacy licence offers"), FieldKind.CHECKBOX, additional=True, initial=False,
            description=_("Also read the old licence offers; Microsoft no longer takes new orders for them."),
        ),
        Field(
            "attestation", _("Partner attestation"), FieldKind.TERMS, additional=True,
            description=_("If it is revoked, this instance's products can no longer be ordered."),
        ),
    ]  # fmt: skip
