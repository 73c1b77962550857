"""Drift: what happens at CIS without our asking, as by the end customer or by Microsoft."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.cis.desk import Desk, Row
from sandbox.seed import esd
from sandbox.world import World

KINDS = ("token", "returned", "price", "name", "discontinued")


class Drift:
    """Changes objects behind the product's back."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.world: World = desk.world

    def run(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Change ``count`` objects of the ``kinds`` asked for (``country`` limits it, ``seed`` makes it repeatable).

        Returns ``changed``: per change its kind, the object's kind and id, field, old and new value.
        """
        named = [str(kind) for kind in spec.get("kinds") or KINDS[:4]]
        kinds = [kind for kind in named if kind in KINDS]
        chance = random.Random(spec.get("seed"))
        wanted = str(spec.get("country") or "").upper()
        rows = [
            row
            for row in self.desk.licences.values()
            if row["TokenStatus"] == "Activated" and wanted in ("", row["Country"])
        ]
        chance.shuffle(rows)
        changed: list[dict[str, Any]] = []
        for number in range(int(spec.get("count", 1))):
            kind = kinds[number % len(kinds)] if kinds else ""
            if kind in ("token", "returned"):
                changed += [self._licence(kind, rows.pop())] if rows else []
            elif kind:
                changed.append(self._product(kind, wanted or chance.choice(esd.EVERYWHERE), chance))
        return {"changed": changed}

    def _licence(self, kind: str, row: Row) -> dict[str, Any]:
        if kind == "token":
            fresh = redeem(self.desk, row)
        else:
            fresh = self.desk.update(
                row, self.world.clock.now(), TokenStatus="ReturnAccepted", ReturnStatus="Successful"
            )
        change = {"kind": kind, "object": "licence", "id": row["LicenseId"], "field": "TokenStatus"}
        return change | {"old": row["TokenStatus"], "new": fresh["TokenStatus"], "client_reference": row["_ref"]}

    def _product(self, kind: str, country: str, chance: random.Random) -> dict[str, Any]:
        catalogue, now = self.desk.catalogue, self.world.clock.now()
        sku = chance.choice(catalogue.listing(country))
        old = catalogue.product(country, sku) or {}
        change: dict[str, Any] = {"kind": kind, "object": "product", "id": sku, "country": country}
        if kind == "price":
            before = next(row for row in old["Prices"] if row["PriceType"] == "ERP")
            amount = str((Decimal(before["Amount"]) * Decimal("1.05")).quantize(Decimal("0.01")))
            spec = {"sku": sku, "op": "price", "amount": amount, "currency": before["Currency"]}
            change |= {"field": "price", "old": before["Amount"], "new": amount}
        elif kind == "name":
            names = {language: f"{name} *" for language, name in old["_names"].items()}
            spec = {"sku": sku, "op": "rename", "names": names}
            change |= {"field": "name", "old": old["_names"]["en-US"], "new": names["en-US"]}
        else:
            spec = {"sku": sku, "op": "discontinue"}
            change |= {"field": "status", "old": old.get("Status", "Unchanged"), "new": "Discontinued"}
        catalogue.change(country, spec, now)
        catalogue.move(country)
        return change


def redeem(desk: Desk, licence: Row) -> Row:
    """The end customer uses the key."""
    now = desk.world.clock.now()
    fresh = desk.update(licence, now, TokenStatus="Redeemed")
    return desk.licences.put(fresh["LicenseId"], fresh | {"RedeemedUtc": fresh["UpdatedUtc"]})
