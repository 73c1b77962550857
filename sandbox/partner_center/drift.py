"""Drift: changes at the vendor that the product did not ask for, as by staff in the vendor's own portal."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.partner_center.desk import Desk

KINDS = ("seats", "status", "auto_renew", "price", "reseller")


class Drift:
    """Changes objects behind the product's back."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def run(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Change ``count`` objects of the ``kinds`` asked for; ``seed`` makes the choice repeatable.

        Returns ``changed``: per change its kind, the object's kind and id, field, old and new value, and customer.
        """
        named = [str(kind).replace("-", "_") for kind in spec.get("kinds") or KINDS]
        kinds = [kind for kind in named if kind in KINDS]
        chance = random.Random(spec.get("seed"))
        changed: list[dict[str, Any]] = []
        wanted = spec.get("customer")
        rows = [
            row
            for row in self.desk.subscriptions.values()
            if row["status"] == "active" and row["billingType"] == "license" and wanted in (None, row["_customer"])
        ]
        chance.shuffle(rows)
        for number in range(int(spec.get("count", 1))):
            kind = kinds[number % len(kinds)] if kinds else ""
            if kind == "price":
                changed.append(self._price(chance))
            elif kind and rows:
                changed.append(self._subscription(kind, rows.pop(), chance))
        return {"changed": changed}

    def _subscription(self, kind: str, row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
        field, value = {
            "seats": ("quantity", row["quantity"] + chance.randint(1, 5)),
            "status": ("status", "suspended"),
            "auto_renew": ("autoRenewEnabled", not row["autoRenewEnabled"]),
            "reseller": ("partnerId", next(iter(self.desk.resellers))),
        }[kind]
        self.desk.subscriptions.put(row["id"], row | {field: value, "_version": row["_version"] + 1})
        change = {"kind": kind, "object": "subscription", "id": row["id"], "field": field, "old": row[field]}
        return change | {"new": value, "customer": row["_customer"]}

    def _price(self, chance: random.Random) -> dict[str, Any]:
        product = chance.choice(list(self.desk.catalogue.products.values()))
        old = self.desk.prices.get(product["id"]) or {"factor": "1"}
        factor = str((Decimal(old["factor"]) * Decimal("1.05")).quantize(Decimal("0.0001")))
        self.desk.prices.put(product["id"], {"id": product["id"], "factor": factor})
        self.load_prices()
        change = {"kind": "price", "object": "product", "id": product["id"], "field": "price"}
        return change | {"old": old["factor"], "new": factor}

    def load_prices(self) -> None:
        """Let the catalogue know the changed prices."""
        self.desk.catalogue.factors = {row["id"]: Decimal(row["factor"]) for row in self.desk.prices.values()}
