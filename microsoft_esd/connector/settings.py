"""The instance: its fields, their rules, its connection (``esd.md`` 3)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.http import AddressGuard, AddressRefused, listed_hosts
from microsoft_esd.client.settings import AUTHORITY, PATHS, RESOURCES, SERVICE, TENANTS, WINDOW_DAYS
from microsoft_esd.client.tokens import forget_tokens
from microsoft_esd.connector.base import ConnectorBase
from microsoft_esd.mapping.places import COUNTRIES, LOCALES
from provisioning.ports import CheckResult, Context, Field, FieldKind, VendorError

GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
DOMAIN = r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
PATH = r"^[A-Za-z0-9_\-.~/{}?=&]+$"
REQUIRED_IN_PATH = {"transactions_path": "{ClientTransactionId}", "licenses_path": "{LicenseId}"}
ADDRESSES = ("resource_api", "service_url", "authority")


class SettingsVerbs(ConnectorBase):
    """Verbs about the instance itself."""

    def describe_settings(self) -> Sequence[Field]:
        """The fields of stage 1 (connection) and, marked additional, of stage 2 (what is sold) and the options."""
        return [*_connection_fields(), *_market_fields(), *_option_fields()]

    def validate_settings(self, ctx: Context) -> CheckResult:
        """Check the values without a call: addresses, ids, days and paths; empty ones are the form's business."""
        errors = {**_address_errors(ctx.settings), **_id_errors(ctx.settings), **_path_errors(ctx.settings)}
        days = str(ctx.settings.get("return_window_days") or "0").strip()
        if not days.isdecimal() or int(days) > 365:
            errors["return_window_days"] = _("Enter a number of days from 0 to 365.")
        if errors:
            return CheckResult(False, "settings_invalid", " ".join(errors.values()), errors)
        return CheckResult(True)

    def test_connection(self, ctx: Context) -> CheckResult:
        """Get a token and read the catalogue's first page; says in words what is wrong."""
        forget_tokens(ctx.instance_id)
        client = self.client(ctx)
        try:
            client.make_ready()
        except VendorError as error:
            fields = error.field_errors or {"thumbprint": error.message}
            return CheckResult(False, error.code or "connection_failed", error.message, fields)
        try:
            client.catalog_page(1)
        except VendorError as error:
            message = _("A token was given, but the catalogue could not be read: %(reason)s") % {
                "reason": error.message
            }
            return CheckResult(
                False, error.code or "connection_failed", message, error.field_errors, data={"token": True}
            )
        return CheckResult(
            True, message=_("Microsoft gave a token and the catalogue."), data={"token": True, "catalogue": True}
        )


def _address_errors(values: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    guard = AddressGuard(listed=listed_hosts())
    for name in ADDRESSES:
        url = str(values.get(name) or "").strip()
        if not url:
            continue
        try:
            guard.check_url(url)
        except (AddressRefused, ValueError):
            errors[name] = _("Enter an address that begins with https://.")
    if re.search(r"[?#]", str(values.get("service_url") or "")):
        errors["service_url"] = _("Enter the address without ? and #.")
    return errors


def _id_errors(values: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    given = {name: str(values.get(name) or "").strip() for name in ("tenant", "client_id", "channel_id")}
    if given["tenant"] and not (re.match(GUID, given["tenant"]) or re.match(DOMAIN, given["tenant"])):
        errors["tenant"] = _("Enter the tenant id or its domain.")
    if given["client_id"] and not re.match(GUID, given["client_id"]):
        errors["client_id"] = _("Enter the Client ID, a GUID.")
    if len(given["channel_id"]) > 50:
        errors["channel_id"] = _("Enter at most 50 signs.")
    country, language = str(values.get("country") or ""), str(values.get("language") or "")
    if country and country not in COUNTRIES:
        errors["country"] = _("Choose a country.")
    if language and language not in LOCALES:
        errors["language"] = _("Choose a language.")
    return errors


def _path_errors(values: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    for name in PATHS:
        path = str(values.get(name) or "").strip()
        if not path:
            continue
        needed = REQUIRED_IN_PATH.get(name, "")
        if not re.match(PATH, path) or "//" in path or ".." in path:
            errors[name] = _("Enter a path below the service's address, such as %(path)s.") % {"path": PATHS[name]}
        elif re.findall(r"{[^}]*}?|}", path) != ([needed] if needed else []):
            text = _("The path must hold %(name)s once and no other name.") if needed else _("No name belongs in here.")
            errors[name] = text % {"name": needed} if needed else text
    return errors


def _connection_fields() -> list[Field]:
    """Fields 2 to 6 of ``esd.md`` 3; the first, System Name, is the instance's own."""
    production, test = RESOURCES
    return [
        Field(
            "resource_api", _("Resource API"), FieldKind.URL, required=True, initial=production,
            description=_("Microsoft's data endpoint, for which tokens are given. Test environment: %(test)s")
            % {"test": test},
        ),
        Field(
            "service_url", _("Service URL"), FieldKind.URL, required=True,
            description=_("Microsoft's service endpoint, from your activation. Test environment in America: %(test)s")
            % {"test": SERVICE},
        ),
        Field(
            "tenant", _("Azure Active Directory Tenant"), required=True, initial=TENANTS[0],
            pattern=f"{GUID}|{DOMAIN}", pattern_message=_("Enter the tenant id or its domain."),
            description=_("Who gives the tokens. Test environment: %(test)s") % {"test": TENANTS[1]},
        ),
        Field(
            "channel_id", _("Channel ID"), required=True, max_length=50,
            description=_("The Bill-To account id that Microsoft gave you."),
        ),
        Field(
            "client_id", _("Client ID"), required=True, role="client", pattern=GUID,
            pattern_message=_("Enter the Client ID, a GUID."),
            description=_("Microsoft's id of the distributor for one country."),
        ),
    ]  # fmt: skip


def _market_fields() -> list[Field]:
    return [
        Field(
            "thumbprint", _("Certificate Thumbprint"), FieldKind.INSTALLED_CERTIFICATE, required=True,
            additional=True, role="certificate",
            description=_("One of the installed certificates; it decides the charge currency."),
        ),
        Field(
            "country", _("Country"), FieldKind.CHOOSE_ONE, required=True, additional=True, role="country",
            choices=tuple((code, code) for code in COUNTRIES), description=_("Where the products are sold."),
        ),
        Field(
            "language", _("Language"), FieldKind.CHOOSE_ONE, required=True, additional=True, role="language",
            choices=tuple((code, code) for code in LOCALES),
            description=_("Decides which products and names Get Services Definition brings."),
        ),
    ]  # fmt: skip


def _option_fields() -> list[Field]:
    group = _("Advanced")
    paths = {
        "catalog_path": _("Catalogue path"),
        "purchase_path": _("Purchase path"),
        "transactions_path": _("Transactions path"),
        "licenses_path": _("Licences path"),
        "return_path": _("Return path"),
    }
    return [
        Field(
            "authority", _("Sign-in address"), FieldKind.URL, additional=True, group=group, initial=AUTHORITY,
        ),
        Field(
            "return_window_days", _("Return window"), FieldKind.INTEGER, additional=True, initial=WINDOW_DAYS,
            suffix=_("days"),
            description=_("0 to 365 days from purchase, where Microsoft tells no date of its own."),
        ),
        *(
            Field(
                name, label, additional=True, group=group, initial=PATHS[name], pattern=PATH,
                pattern_message=_("Enter a path below the service's address."),
                description=_("Below the Service URL, as Microsoft's guide says."),
            )
            for name, label in paths.items()
        ),
        Field(
            "present_certificate", _("Present certificate in TLS"), FieldKind.CHECKBOX, additional=True,
            group=group, initial=False,
            description=_("Prove the instance's certificate to the service already when connecting."),
        ),
        Field(
            "catalogue_schedule", _("Catalogue schedule"), FieldKind.CHOOSE_ONE, additional=True, initial="daily",
            choices=(("daily", _("Daily")), ("weekly", _("Weekly")), ("off", _("Off"))),
            description=_("How often Get Services Definition runs by itself."),
        ),
    ]  # fmt: skip
