"""Countries' rules and the address check.

The check is decided by the address: a first line with "Nowhere" is unknown, one with "Partial" is only partly known and
gets a suggestion, one with "Legacy" is refused in the older shape with a correction; all others are good.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.partner_center.answers import classic
from sandbox.partner_center.catalogue_data import CURRENCIES

Rules = Mapping[str, dict[str, Any]]
# Country -> culture, expression of postal codes, calling code; invented where nothing is recorded.
OTHERS = {
    "AT": ("de-AT", r"^\d{4}$", "43"), "BE": ("nl-BE", r"^\d{4}$", "32"), "BG": ("bg-BG", r"^\d{4}$", "359"),
    "CY": ("el-CY", r"^\d{4}$", "357"), "EE": ("et-EE", r"^\d{5}$", "372"), "ES": ("es-ES", r"^\d{5}$", "34"),
    "FI": ("fi-FI", r"^\d{5}$", "358"), "FR": ("fr-FR", r"^\d{5}$", "33"), "GR": ("el-GR", r"^\d{3} ?\d{2}$", "30"),
    "HR": ("hr-HR", r"^\d{5}$", "385"), "IE": ("en-IE", r"^[A-Za-z0-9 ]{3,8}$", "353"),
    "IT": ("it-IT", r"^\d{5}$", "39"), "LU": ("fr-LU", r"^\d{4}$", "352"),
    "MT": ("mt-MT", r"^[A-Za-z]{3} ?\d{4}$", "356"),
    "NL": ("nl-NL", r"^\d{4} ?[A-Za-z]{2}$", "31"),
    "RO": ("ro-RO", r"^\d{6}$", "40"), "SI": ("sl-SI", r"^\d{4}$", "386"),
}  # fmt: skip


def rules_of(country: str, recorded: Rules) -> dict[str, Any] | None:
    """The rules of a country by ISO code, recorded or made up; ``None`` for one that is not served."""
    if country in recorded:
        return {name: value for name, value in recorded[country].items() if name != "attributes"}
    if country not in OTHERS or country not in CURRENCIES:
        return None
    culture, postal_code, calling_code = OTHERS[country]
    return {
        "iso2Code": country,
        "defaultCulture": culture,
        "isStateRequired": False,
        "supportedStatesList": [],
        "supportedLanguagesList": [culture[:2], "en"],
        "supportedCulturesList": [culture, "en-US"],
        "isPostalCodeRequired": True,
        "postalCodeRegex": postal_code,
        "isCityRequired": True,
        "isVatIdSupported": True,
        "isTaxIdSupported": False,
        "isTaxIdOptional": True,
        "countryCallingCodesList": [calling_code],
    }


def problem_of(address: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    """What the country's rules say against an address, as ``name:  value``; empty if nothing."""
    state, postal_code = str(address.get("state") or ""), str(address.get("postalCode") or "")
    states = rules.get("supportedStatesList") or []
    if (rules.get("isStateRequired") and not state) or (state and states and state.upper() not in states):
        return f"State:  {state}"
    expression = str(rules.get("postalCodeRegex") or "")
    if (rules.get("isPostalCodeRequired") and not postal_code) or (
        postal_code and expression and not re.search(expression, postal_code)
    ):
        return f"PostalCode:  {postal_code}"
    if rules.get("isCityRequired") and not address.get("city"):
        return "City:  "
    return ""


def validate(address: dict[str, Any], recorded: Rules) -> dict[str, Any]:
    """The answer of the address check. Raises 400/2007 in the older shape."""
    country = str(address.get("country") or "").upper()
    rules = rules_of(country, recorded)
    if rules is None:
        raise classic(400, 2030, f"The country {country} is not supported.")
    line = str(address.get("addressLine1") or "").lower()
    original = {name: value for name, value in address.items() if name != "attributes"}
    if "legacy" in line:
        raise _older_refusal(address, country)
    if not line or "nowhere" in line or problem_of(address, rules):
        message = problem_of(address, rules) or "Address field invalid for property: 'AddressLine1'"
        return {"originalAddress": original, "suggestedAddresses": [], "status": "None", "validationMessage": message}
    if "partial" in line:
        better = original | {"addressLine1": "1 Main Street", "city": str(address.get("city") or "").title()}
        message = "Address field invalid for property: 'AddressLine1'"
        answer = {"originalAddress": original, "suggestedAddresses": [better], "status": "StreetPartial"}
        return answer | {"validationMessage": message}
    return {"originalAddress": original, "suggestedAddresses": [original], "status": "VerifiedShippable"}


def _older_refusal(address: Mapping[str, Any], country: str) -> Exception:
    corrected = {
        "country": country,
        "region": str(address.get("state") or ""),
        "city": "BELLEVUE",
        "address_line1": str(address.get("addressLine1") or ""),
        "postal_code": "98007",
    }
    reason = (
        f"ZipCityInvalid - Details: Field - &#39;City&#39; is corrected from OldValue: &#39;{address.get('city')}&#39;"
    )
    content = {
        "code": "60071",
        "reason": f"{reason} to NewValue: &#39;BELLEVUE&#39;.",
        "corrected_address": corrected,
        "object_type": "AddressValidation",
        "resource_status": "Active",
    }
    return classic(400, 2007, json.dumps(content, separators=(",", ":")))
