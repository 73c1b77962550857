"""The life of a subscription: beginning, terms, windows, renewal, end (``partner-center.md`` 9, 9.1)."""

import datetime as dt
import uuid
from typing import Any

from sandbox.clock import add_duration, iso, parse_moment
from sandbox.partner_center.answers import attributes, link, squeezed
from sandbox.partner_center.desk import NEVER, Desk

FULFILMENT = dt.timedelta(seconds=5)
NAMED_AFTER = dt.timedelta(minutes=10)  # A perpetual licence gets its id later than its order is done.
TRANSITION_TIME = dt.timedelta(minutes=36)
WINDOW = dt.timedelta(hours=168)
FULL_REFUND = dt.timedelta(hours=24)
DISABLED_AFTER, DELETED_AFTER = dt.timedelta(days=30), dt.timedelta(days=90)
ENDED = {"deleted", "expired", "disabled"}
# What a line without a known product is: pay as you go.
AZURE_PLAN: tuple[dict[str, Any], dict[str, Any]] = ({"type": "Azure", "id": ""}, {"usage": True, "id": ""})


def begin_subscription(
    desk: Desk, order: dict[str, Any], line: dict[str, Any], kept: dict[str, Any], moment: dt.datetime
) -> bool:
    """Make the subscription of an order line; ``False`` for what has none: perpetual software, reservations."""
    item = kept["item"]
    product, sku = desk.catalogue.by_code(str(item.get("code") or "")) or AZURE_PLAN
    once = squeezed(order["billingCycle"]) == "onetime"
    if once and (not item["duration"] or product["type"] == "Azure"):
        return False
    usage, trial = bool(sku.get("usage")), bool(sku.get("trial"))
    row: dict[str, Any] = {
        "id": kept["subscription"],
        "offerId": line["offerId"],
        "entitlementId": kept["subscription"],
        "offerName": item["title"],
        "friendlyName": line["friendlyName"],
        "productType": {"id": product["type"], "displayName": product["type"]},
        "publisherName": "Microsoft Corporation",
        "isMicrosoftProduct": True,
        "contractType": "subscription",
        "quantity": line["quantity"],
        "unitType": "Usage-based" if usage else "Licenses",
        "parentSubscriptionId": kept["parent"],
        "hasPurchasableAddons": False,
        "creationDate": iso(moment),
        "status": "active",
        "autoRenewEnabled": not usage and not once,
        "isTrial": trial,
        "billingType": "usage" if usage else "license",
        "billingCycle": order["billingCycle"],
        "termDuration": "" if usage else str(item.get("duration") or ""),
        "renewalTermDuration": "",
        "partnerId": line.get("partnerIdOnRecord", ""),
        "attentionNeeded": False,
        "actionTaken": False,
        "promotionId": line.get("promotionId", ""),
        "orderId": order["id"],
        "_customer": order["_customer"],
        "_code": item.get("code", ""),
        "_segment": item.get("segment", "commercial"),
        "_renews_to": (kept["line"].get("renewsTo") or {}).get("termDuration", "") if trial else "",
        "_windows": [],
        "_version": 1,
        **{name: order[name] for name in ("_created", "_ref", "_visible") if name in order},
    }
    start_term(desk, row, moment, str(kept["line"].get("customTermEndDate") or ""))
    desk.subscriptions.put(row["id"], row)
    if usage:
        _add_azure(desk, row)
    return True


def _add_azure(desk: Desk, row: dict[str, Any]) -> None:
    """An Azure plan begins with one Azure subscription below it."""
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, row["id"]))
    entitlement = {"id": key, "friendlyName": "Microsoft Azure", "status": "active", "subscriptionId": row["id"]}
    desk.azure_entitlements.put(key, entitlement)


def start_term(desk: Desk, row: dict[str, Any], start: dt.datetime, end: str = "") -> None:
    """Begin a term: its end, the cancellation window of all seats, and the event at its end."""
    row["effectiveStartDate"] = iso(start)
    if row["billingType"] == "usage":
        row["commitmentEndDate"] = NEVER
        return
    last_day = add_duration(start, row["termDuration"]) - dt.timedelta(days=1)
    finish = parse_moment(end) if end else last_day
    row["commitmentEndDate"] = iso(finish.replace(hour=0, minute=0, second=0, microsecond=0))
    row["cancellationAllowedUntilDate"] = iso(start + WINDOW)
    row["billingCycleEndDate"] = iso(add_duration(start, "P1M")) if row["billingCycle"] == "monthly" else None
    if row["billingCycleEndDate"] is None:
        row["billingCycleEndDate"] = row["commitmentEndDate"]
    row["refundOptions"] = [
        {"type": "Full", "expiresAt": iso(start + FULL_REFUND)},
        {"type": "Partial", "expiresAt": iso(start + WINDOW)},
    ]
    row["_windows"] = [{"quantity": row["quantity"], "until": iso(start + WINDOW)}]
    desk.at(iso(term_end(row)), "term_end", row["id"])


def term_end(row: dict[str, Any]) -> dt.datetime:
    """When the renewal begins: 00:00 UTC of the day after the term's last."""
    return parse_moment(row["commitmentEndDate"]) + dt.timedelta(days=1)


def open_windows(row: dict[str, Any], now: dt.datetime) -> list[dict[str, Any]]:
    """Purchases of seats that can still be given back."""
    return [item for item in row["_windows"] if item["quantity"] > 0 and parse_moment(item["until"]) > now]


class Lifecycle:
    """What time does to subscriptions."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.handlers |= {"term_end": self.end_term, "disable": self.disable, "remove": self.remove}

    def plan(self) -> None:
        """Ask for the events of everything that exists, after a start of the process."""
        self.desk.forget()
        for order in self.desk.orders.values():
            if order["status"] == "pending":
                placed = parse_moment(order["creationDate"])
                self.desk.at(iso(placed + FULFILMENT), "order", order["id"].lower())
            elif order["billingCycle"] == "one_time":
                placed = parse_moment(order["creationDate"])
                self.desk.at(iso(placed + FULFILMENT + NAMED_AFTER), "perpetual_id", order["id"].lower())
        for row in self.desk.subscriptions.values():
            if row["status"] in ("active", "suspended") and row["billingType"] == "license":
                self.desk.at(iso(term_end(row)), "term_end", row["id"])
            elif row["status"] == "expired":
                self.desk.at(iso(parse_moment(row["_ended"]) + DISABLED_AFTER), "disable", row["id"])
            elif row["status"] == "disabled":
                self.desk.at(iso(parse_moment(row["_ended"]) + DELETED_AFTER), "remove", row["id"])
        for document in self.desk.transitions.values():
            began = parse_moment(document["events"][0]["timestamp"])
            self.desk.at(iso(began + TRANSITION_TIME), "transition", document["operationId"])
        for customer in self.desk.qualifications:
            self.desk.at(iso(self.desk.world.clock.now()), "qualification", customer)

    def end_term(self, key: str, moment: dt.datetime) -> None:
        """Renew, or expire: auto-renewal off, trial without a follower, or suspended."""
        row = self.desk.subscriptions.get(key)
        if row is None or row["status"] not in ("active", "suspended") or term_end(row) > moment:
            return
        row = dict(row)
        if row["autoRenewEnabled"]:
            self._renew(row, moment)
        else:
            self._expire(row, moment)
            for addon in self.desk.subscriptions_of(row["_customer"]):
                # An add-on does not outlive its base.
                if addon["parentSubscriptionId"] == key and addon["status"] in ("active", "suspended"):
                    self._expire(dict(addon), moment)
            return
        row["_version"] += 1
        self.desk.subscriptions.put(key, row)

    def _expire(self, row: dict[str, Any], moment: dt.datetime) -> None:
        row |= {"status": "expired", "_version": row["_version"] + 1, "_ended": iso(moment)}
        row.pop("scheduledNextTermInstructions", None)
        self.desk.at(iso(moment + DISABLED_AFTER), "disable", row["id"])
        self.desk.subscriptions.put(row["id"], row)

    def _renew(self, row: dict[str, Any], moment: dt.datetime) -> None:
        """The next term, as scheduled or like the last; a trial goes over to its paid product."""
        plan = row.pop("scheduledNextTermInstructions", None) or {}
        product = plan.get("product") or {}
        if row["isTrial"]:
            self._end_trial(row)
        if product:
            code = f"{product.get('productId')}:{product.get('skuId')}"
            found = self.desk.catalogue.by_code(code)
            if found is not None:
                row |= {"offerId": f"{code}:{product.get('availabilityId', '')}", "_code": code}
                row["offerName"] = found[1]["title"]
            row["termDuration"] = product.get("termDuration") or row["termDuration"]
            row["billingCycle"] = squeezed(product.get("billingCycle")) or row["billingCycle"]
        row["quantity"] = plan.get("quantity") or row["quantity"]
        row["promotionId"] = product.get("promotionId") or ""
        start_term(self.desk, row, moment)

    def _end_trial(self, row: dict[str, Any]) -> None:
        found = self.desk.catalogue.by_code(row["_code"])
        target = next(iter(found[1]["upgrades"]), "") if found else ""
        paid = self.desk.catalogue.by_code(target)
        if paid is None:
            return
        row |= {"isTrial": False, "_code": target, "offerName": paid[1]["title"]}
        row |= {"offerId": f"{target}:{row['offerId'].split(':')[-1]}", "billingCycle": "monthly"}
        row["termDuration"] = row["_renews_to"] or "P1Y"

    def disable(self, key: str, moment: dt.datetime) -> None:
        """An expired subscription is disabled after 30 days."""
        row = self.desk.subscriptions.get(key)
        if row is not None and row["status"] == "expired":
            self.desk.subscriptions.put(key, row | {"status": "disabled"})
            self.desk.at(iso(moment - DISABLED_AFTER + DELETED_AFTER), "remove", key)

    def remove(self, key: str, moment: dt.datetime) -> None:
        """A disabled subscription is deleted 90 days after its term ended."""
        row = self.desk.subscriptions.get(key)
        if row is not None and row["status"] == "disabled":
            self.desk.subscriptions.put(key, row | {"status": "deleted"})


def wire(desk: Desk, row: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    """A subscription as reads show it, with the seats that can be given back, links and attributes."""
    body = {key: value for key, value in row.items() if not key.startswith("_") and value is not None}
    for key in ("parentSubscriptionId", "promotionId", "termDuration"):
        if not body.get(key):
            body.pop(key, None)
    windows = open_windows(row, now)
    if row["billingType"] == "license":
        body["refundableQuantity"] = {
            "totalQuantity": sum(item["quantity"] for item in windows),
            "details": [{"quantity": w["quantity"], "allowedUntilDateTime": w["until"]} for w in windows],
        }
        body["refundOptions"] = [o for o in row.get("refundOptions", []) if parse_moment(o["expiresAt"]) > now]
    country = desk.country_of(
        desk.customers.get(row["_customer"]) or {"billingProfile": {"defaultAddress": {"country": "US"}}}
    )
    links = {"self": link(f"/customers/{row['_customer']}/subscriptions/{row['id']}")}
    parts = row["offerId"].split(":")
    if len(parts) == 3:
        path = f"/products/{parts[0]}"
        links |= {
            "product": link(f"{path}?country={country}"),
            "sku": link(f"{path}/skus/{parts[1]}?country={country}"),
            "availability": link(f"{path}/skus/{parts[1]}/availabilities/{parts[2]}?country={country}"),
        }
    else:
        links["offer"] = link(f"/offers/{row['offerId']}?country={country}")
    return body | {"links": links, "attributes": attributes("Subscription")}


__all__ = ["ENDED", "WINDOW", "Lifecycle", "begin_subscription", "open_windows", "start_term", "term_end", "wire"]
