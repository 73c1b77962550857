"""What exists at Partner Center before anything is sold: resellers, and tenants that could be invited."""

from typing import Any

from sandbox.partner_center.desk import Desk

# MPN id, name, tenant, state of the relationship, MPA signed, country. All invented.
RESELLERS = (
    ("4100001", "Birch Systems", "0d5f5c5e-6b1b-4c55-9c39-0a6b5b9b1a01", "active", True, "US"),
    ("4100002", "Copper Lane IT", "0d5f5c5e-6b1b-4c55-9c39-0a6b5b9b1a02", "active", True, "GB"),
    ("4100003", "Dune Consulting", "0d5f5c5e-6b1b-4c55-9c39-0a6b5b9b1a03", "active", False, "DE"),
    ("4100004", "Elm Street Software", "0d5f5c5e-6b1b-4c55-9c39-0a6b5b9b1a04", "active", True, "GR"),
    ("4100005", "Fjord Networks", "0d5f5c5e-6b1b-4c55-9c39-0a6b5b9b1a05", "inactive", True, "FR"),
)
UNKNOWN_MPN_ID = "9999999"
TENANTS = (
    ("existingbakery.onmicrosoft.com", "5a0c9d1e-8a3f-4d5e-b1c6-1f2e3d4c5b01", "Existing Bakery", "US", "WA", "98052"),
    ("altehandlung.onmicrosoft.com", "5a0c9d1e-8a3f-4d5e-b1c6-1f2e3d4c5b02", "Alte Handlung GmbH", "DE", "", "10115"),
    ("oldwharf.onmicrosoft.com", "5a0c9d1e-8a3f-4d5e-b1c6-1f2e3d4c5b03", "Old Wharf Ltd.", "GB", "", "SW1A 1AA"),
    ("palaiokipos.onmicrosoft.com", "5a0c9d1e-8a3f-4d5e-b1c6-1f2e3d4c5b04", "Palaios Kipos A.E.", "GR", "", "105 57"),
)  # fmt: skip


def fill(desk: Desk) -> None:
    """Fill empty tables."""
    if not len(desk.resellers):
        for mpn_id, name, tenant, state, signed, country in RESELLERS:
            row = {"mpn_id": mpn_id, "name": name, "id": tenant, "state": state, "mpa": signed, "location": country}
            desk.resellers.put(mpn_id, row)
    if not len(desk.tenants):
        for domain, key, name, country, region, code in TENANTS:
            row = {"id": key, "domain": domain, "companyName": name, "country": country, "state": region}
            desk.tenants.put(domain, row | {"postalCode": code})


def credentials(desk: Desk) -> dict[str, Any]:
    """MPN ids by what they are good for, and domains of tenants that exist without being ours."""
    return {
        "mpn_ids": [row["mpn_id"] for row in desk.resellers.values() if row["mpa"] and row["state"] == "active"],
        "mpn_id_without_agreement": next(row["mpn_id"] for row in desk.resellers.values() if not row["mpa"]),
        "mpn_id_unknown": UNKNOWN_MPN_ID,
        "resellers": desk.resellers.values(),
        "existing_tenants": desk.tenants.values(),
    }
