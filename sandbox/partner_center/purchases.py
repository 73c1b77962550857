"""What may be bought: the checks of a cart's lines, whose errors come inside the answer (``partner-center.md`` 8.1)."""

from typing import Any

from sandbox.partner_center.answers import classic, integer, squeezed
from sandbox.partner_center.catalogue import promotion_errors
from sandbox.partner_center.catalogue_data import CURRENCIES, Item
from sandbox.partner_center.desk import Desk
from sandbox.wire import Request

LEGACY_USAGE = "MS-AZR-0145P"
TEXTS = {
    "10000": "The currency does not fit the customer's country.",
    "10001": "The CatalogItemId is not valid.",
    "10002": "The quantity is outside of the limits of this product.",
    "10003": "The inventory check failed: an Azure subscription is needed.",
    "10004": "The participants are not valid.",
    "10007": "The subscription in the provisioning context is not valid.",
    "10010": "The input is not valid.",
    "10012": "The attestation for this product was not accepted.",
    "10013": "The billing plan is not supported for this product and term.",
    "10014": "The promotion is not valid for this product, term or quantity.",
    "10015": "The number of seats exceeds the maximum of this product for the customer.",
    "10018": "The add-on has more seats than its base.",
    "500600": "This offer can no longer be bought.",
}
CYCLES = {"onetime": "one_time"}


class Purchases:
    """Checks lines for one customer at one moment."""

    def __init__(self, desk: Desk, request: Request, customer: dict[str, Any]) -> None:
        self.desk = desk
        self.request = request
        self.customer = customer
        self.market = desk.country_of(customer)
        self.currency = CURRENCIES.get(self.market, "USD")
        self.segments = desk.segments_of(customer)
        self.groups: dict[tuple[str, str], str] = {}

    def check(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The lines as a cart shows them, with the twin's own ``_item``. Raises for what refuses the whole cart."""
        lines = body.get("lineItems") or []
        flat = [row for line in lines for row in (line, *(line.get("addonItems") or []))]
        if not flat:
            raise classic(400, 800002, "The cart has no line items.")
        numbers = [row.get("id", index) for index, row in enumerate(flat)]
        if len(set(numbers)) != len(numbers):
            raise classic(400, 800071, "The line item numbers are not unique.")
        participants = [row for line in flat for row in line.get("participants") or []]
        if participants and not body.get("partnerOnRecordAttestationAccepted"):
            raise classic(400, 900206, "The partner on record attestation was not accepted.")
        return [self._line(line, index) for index, line in enumerate(lines)]

    def _line(self, line: dict[str, Any], index: int, base: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._shape(line, index)
        if str(answer["catalogItemId"]).upper() == LEGACY_USAGE:
            answer["_item"] = {"legacy": True, "title": "Microsoft Azure"}
            answer["orderGroup"] = "OMS-0"
            return answer
        item = self.desk.catalogue.find_item(str(answer["catalogItemId"]), self.market, self.request.now)
        if item is None or item.segment not in self.segments:
            legacy = str(answer["catalogItemId"]).lower() in self.desk.catalogue.offers
            return answer | {"error": _error("500600" if legacy else "10001")}
        cycle = next((c for c in item.cycles if squeezed(c) == squeezed(answer["billingCycle"])), None)
        answer["_item"] = {
            "code": item.code,
            "segment": item.segment,
            "duration": item.duration,
            "cycle": cycle or "",
            "title": item.sku["title"],
        }
        answer["orderGroup"] = self.groups.setdefault(
            (item.duration, squeezed(answer["billingCycle"])), str(len(self.groups))
        )
        self._need_parent(answer, item, base)
        error = self._error_of(answer, item, cycle, base)
        if error:
            answer["error"] = _error(error)
        addons = line.get("addonItems") or []
        if addons:
            answer["addonItems"] = [self._line(row, index + n, answer) for n, row in enumerate(addons, start=1)]
        return answer

    def _shape(self, line: dict[str, Any], index: int) -> dict[str, Any]:
        kept = (
            "friendlyName", "termDuration", "promotionId", "participants", "renewsTo", "customTermEndDate",
            "attestationAccepted",
        )  # fmt: skip
        cycle = squeezed(line.get("billingCycle"))
        return {
            "id": line.get("id", index),
            "catalogItemId": str(line.get("catalogItemId") or line.get("offerId") or ""),
            "quantity": integer(line.get("quantity")) or 0,
            "currencyCode": str(line.get("currencyCode") or self.currency),
            "billingCycle": CYCLES.get(cycle, cycle) or "monthly",
            **{name: line[name] for name in kept if line.get(name)},
            "provisioningContext": line.get("provisioningContext") or {},
            "orderGroup": "0",
        }

    def _need_parent(self, line: dict[str, Any], item: Item, base: dict[str, Any] | None) -> None:
        """An add-on needs a parent: the line above it, or a subscription of the customer."""
        if not item.sku["addon"] or base is not None or line["provisioningContext"].get("parentSubscriptionId"):
            return
        raise classic(400, 800029, "The add-on has no parent subscription.")

    def _error_of(self, line: dict[str, Any], item: Item, cycle: str | None, base: dict[str, Any] | None) -> str:
        """The code of the first thing that is wrong with a line, empty if nothing is."""
        if line["currencyCode"] != self.currency:
            return "10000"
        if cycle is None or (line.get("termDuration") or "") != item.duration:
            return "10013"
        if item.sku.get("attestation") and not line.get("attestationAccepted"):
            return "10012"
        return (
            self._quantity_error(line, item, base)
            or self._parent_error(line, item, base)
            or self._participant_error(line)
            or self._promotion_error(line)
            or ("10003" if item.sku.get("inventory") and not self._has_azure(line) else "")
        )

    def _quantity_error(self, line: dict[str, Any], item: Item, base: dict[str, Any] | None) -> str:
        quantity, own = line["quantity"], self._owned(item)
        if quantity < item.sku["min"] or quantity > item.sku["max"]:
            return "10002"
        if item.sku.get("trial") and own:
            return "10002"
        if item.sku["max"] == 300 and quantity + sum(row["quantity"] for row in own) > 300:
            return "10015"
        if base is not None and item.sku["addon"] and quantity > base["quantity"]:
            return "10018"
        return ""

    def _owned(self, item: Item) -> list[dict[str, Any]]:
        """The customer's living subscriptions of the same product."""
        return [
            row
            for row in self.desk.subscriptions_of(self.customer["id"])
            if row["offerId"].startswith(item.code + ":") and row["status"] in ("active", "suspended", "pending")
        ]

    def _parent_error(self, line: dict[str, Any], item: Item, base: dict[str, Any] | None) -> str:
        parent_id = str(line["provisioningContext"].get("parentSubscriptionId") or "").lower()
        if base is not None:
            code = (base.get("_item") or {}).get("code", "")
            return "" if not item.sku["parents"] or code in item.sku["parents"] else "10007"
        if not parent_id:
            return ""
        parent = self.desk.subscriptions.get(parent_id)
        if parent is None or parent["_customer"] != self.customer["id"] or parent["status"] != "active":
            return "10007"
        if item.sku["parents"] and ":".join(parent["offerId"].split(":")[:2]) not in item.sku["parents"]:
            return "10007"
        return "10018" if line["quantity"] > parent["quantity"] else ""

    def _participant_error(self, line: dict[str, Any]) -> str:
        for row in line.get("participants") or []:
            reseller = self.desk.resellers.get(str(row.get("value") or ""))
            if row.get("key") != "transaction_reseller" or reseller is None or reseller["state"] != "active":
                return "10004"
            if not reseller["mpa"]:
                raise classic(403, 900123, "The indirect reseller has not signed the Microsoft Partner Agreement.")
        return ""

    def _promotion_error(self, line: dict[str, Any]) -> str:
        wanted = str(line.get("promotionId") or "").strip().lower()
        if not wanted:
            return ""
        known = self.desk.catalogue.promotions(self.market, "commercial")
        found = next((row for row in known if row["id"].lower() == wanted), None)
        return "10014" if promotion_errors(found, line) else ""

    def _has_azure(self, line: dict[str, Any]) -> bool:
        wanted = str(line["provisioningContext"].get("subscriptionId") or "").lower()
        return any(
            row["id"] == wanted and self.desk.subscriptions.get(row["subscriptionId"]) is not None
            for row in self.desk.azure_entitlements.values()
        )


def _error(code: str) -> dict[str, str]:
    return {"errorCode": code, "errorDescription": TEXTS[code]}


def line_errors(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The errors of lines and their add-ons."""
    return [row["error"] for line in lines for row in (line, *(line.get("addonItems") or [])) if row.get("error")]
