"""The events that webhooks tell, and which of them follow from an event of ours (``api.md`` 11).

A topic is a public name. Our own events are named for our own use; those that have a topic's name are that topic, the
others are translated here, and what is in neither table is not told. Nothing but ids leaves the house.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients.scopes import Right, Scope, Switch
from resellers.routing import organization_site, site_address

TEST = "webhook.test"
SAMPLE_ID = "3f1c2a10-0000-4000-8000-0000000000a1"
OTHER_ID = "3f1c2a10-0000-4000-8000-0000000000b2"
SAMPLE_NUMBER = 4711


@dataclass(frozen=True, slots=True)
class Kind:
    """What a topic is about: the payload's member that holds its id, its address, and the right to read it there."""

    key: str
    path: str
    right: Right
    is_number: bool = False


_READ = Right(Scope.SUBSCRIPTIONS_READ)
_SUBSCRIPTION = Kind("subscription", "/api/subscriptions/{subscription}", _READ)
_PRICING = Kind(
    "subscription",
    "/api/subscriptions/{subscription}/pricinginfo",
    Right(Scope.PRICING_READ, switch=Switch.PRICING),
)
_SYNCHRONIZATION = Kind(
    "subscription",
    "/api/subscriptions/{subscription}/synchronization",
    Right(Scope.SUBSCRIPTIONS_READ, switch=Switch.SYNCHRONIZATION),
)
_USAGE = Kind(
    "subscription",
    "/api/subscriptions/{subscription}/usages/{usage}",
    Right(Scope.USAGES_READ, switch=Switch.USAGES),
)
_FIELDS = Kind("subscription", "/api/subscriptions/{subscription}/customfields", _READ)
_ADDON = Kind("addon", "/api/subscriptions/{subscription}/addons", _READ)
_QUANTITY = Kind("request", "/api/subscriptions/{subscription}/quantityrequest/{request}", _READ)
_ORDER = Kind("order", "/api/orders/{order}", Right(Scope.ORDERS_READ))
_ASSET = Kind("asset", "/api/assets/{asset}", Right(Scope.ASSETS_READ))
_ACCOUNT = Kind("account", "/api/accounts/{account}", Right(Scope.ACCOUNTS_READ), is_number=True)
_INVOICE = Kind("invoice", "/api/invoices/{invoice}", Right(Scope.INVOICES_READ))
_NOTHING = Kind("webhook", "/api/webhooks/{webhook}", Right(Scope.WEBHOOKS_MANAGE, writes=True))


@dataclass(frozen=True, slots=True)
class Topic:
    """A public event: its name, what it is about, and what it says in words; ``changed`` are the usual members."""

    name: str
    kind: Kind
    words: Promise
    changed: tuple[str, ...] = ()


_DATES = ("startDate", "endDate")
_ALL = (
    Topic("subscription.created", _SUBSCRIPTION, _("A subscription was ordered")),
    Topic(
        "subscription.activated",
        _SUBSCRIPTION,
        _("The vendor provides the subscription"),
        ("status", "statusReason", "externalId", *_DATES, "activationDate", "firstActivationDateTime", "renewalDate"),
    ),
    Topic("subscription.updated", _SUBSCRIPTION, _("Something else of the subscription changed")),
    Topic(
        "subscription.quantity_changed",
        _SUBSCRIPTION,
        _("The vendor confirmed another number of licences"),
        ("quantity", "subscriptionAmount"),
    ),
    Topic("subscription.renewed", _SUBSCRIPTION, _("A new term began"), (*_DATES, "renewalDate")),
    Topic("subscription.suspended", _SUBSCRIPTION, _("The subscription is suspended"), ("status", "statusReason")),
    Topic("subscription.resumed", _SUBSCRIPTION, _("The subscription runs again"), ("status", "statusReason")),
    Topic(
        "subscription.cancellation_requested",
        _SUBSCRIPTION,
        _("Somebody asked to cancel the subscription"),
        ("statusReason",),
    ),
    Topic("subscription.cancelled", _SUBSCRIPTION, _("The subscription ended"), ("status", "statusReason", "endDate")),
    Topic(
        "subscription.customfields_updated",
        _FIELDS,
        _("Custom fields of the subscription changed"),
        ("customFields",),
    ),
    Topic(
        "subscription.pricing_changed", _PRICING, _("The subscription's price, now or later, changed"), ("pricingInfo",)
    ),
    Topic("subscription.addon.created", _ADDON, _("An add-on was ordered")),
    Topic("subscription.addon.updated", _ADDON, _("An add-on changed"), ("status", "quantity")),
    Topic("subscription.addon.cancelled", _ADDON, _("An add-on ended"), ("status",)),
    Topic("subscription.synchronization.started", _SYNCHRONIZATION, _("The vendor is being told"), ("status",)),
    Topic("subscription.synchronization.succeeded", _SYNCHRONIZATION, _("The vendor has done it"), ("status",)),
    Topic("subscription.synchronization.failed", _SYNCHRONIZATION, _("The vendor refused"), ("status", "error")),
    Topic("subscription.usage.updated", _USAGE, _("Usage was loaded"), ("lastUpdatedAt", "summary")),
    Topic("subscription.usage.closed", _USAGE, _("A period's usage is final"), ("isFinal",)),
    Topic("subscription.quantityrequest.updated", _QUANTITY, _("A wish for fewer licences moved on"), ("status",)),
    Topic("order.submitted", _ORDER, _("An order was placed"), ("stage", "status")),
    Topic("order.executing", _ORDER, _("An order is being carried out"), ("status",)),
    Topic("order.executed", _ORDER, _("All items of an order are done"), ("status",)),
    Topic("order.cancelled", _ORDER, _("An order was cancelled"), ("status",)),
    Topic("asset.created", _ASSET, _("A licence was ordered")),
    Topic("asset.updated", _ASSET, _("A licence changed"), ("status", "provisioningStatus")),
    Topic("account.created", _ACCOUNT, _("An account was made")),
    Topic("account.updated", _ACCOUNT, _("An account changed")),
    Topic("invoice.issued", _INVOICE, _("An invoice was issued")),
)
TOPICS: dict[str, Topic] = {topic.name: topic for topic in _ALL}
# What a receiver gets who asks for a test; nobody subscribes to it.
TEST_TOPIC = Topic(TEST, _NOTHING, _("A test, sent by hand"))


def topic_of(name: str) -> Topic:
    """The topic of this name, the test included."""
    return TEST_TOPIC if name == TEST else TOPICS[name]


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell: the topic, the ids it is about by the payload's names, and the members that changed."""

    topic: Topic
    subject: Mapping[str, Any]
    changed: tuple[str, ...]

    @property
    def about(self) -> Any:
        """The id of what it is about; a test is about its endpoint."""
        return self.subject.get(self.topic.kind.key)

    @property
    def path(self) -> str:
        """Where to read it."""
        return self.topic.kind.path.format(**self.subject)


def body_of(message: Message, *, organization_id: int, version: str, message_id: str, at: dt.datetime) -> str:
    """The text that is sent: thin, ids alone, in the version the endpoint was made with."""
    base = site_address(organization_site(organization_id))
    value = {
        "id": message_id,
        "type": message.topic.name,
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        "apiVersion": version,
        "data": {"id": message.about, "links": {"self": base + message.path}},
        "changed": list(message.changed),
    }
    return json.dumps(value, separators=(",", ":"))


_SUBJECT = ("subscription", "addon", "request", "order", "asset", "account", "invoice", "usage", "webhook")


def messages_of(name: str, payload: Mapping[str, Any]) -> list[Message]:
    """What webhooks tell of one of our events; an event whose payload lacks the id is not told."""
    found: list[Message] = []
    for topic_name, more in _told(name, payload):
        topic = TOPICS[topic_name]
        ids = {**payload, **more}
        subject = {key: ids[key] for key in _SUBJECT if ids.get(key) and "{" + key + "}" in topic.kind.path}
        subject |= {topic.kind.key: ids[topic.kind.key]} if ids.get(topic.kind.key) else {}
        if all("{" + key + "}" not in topic.kind.path or key in subject for key in (*_SUBJECT, topic.kind.key)):
            found.append(Message(topic, subject, tuple(ids.get("changed") or topic.changed)))
    return found


_Told = list[tuple[str, dict[str, Any]]]


def _told(name: str, payload: Mapping[str, Any]) -> _Told:
    if name in _TRANSLATED:
        return _TRANSLATED[name](payload)
    return [(name, {})] if name in TOPICS else []


def _as(topic: str, *changed: str) -> Callable[[Mapping[str, Any]], _Told]:
    return lambda payload: [(topic, {"changed": list(changed)} if changed else {})]


# The members of the wire behind what an applied change carries as "before" and "after".
_MEMBERS = {"status": ("status", "statusReason"), "auto_renew": ("automaticRenewal",)}


def _applied(payload: Mapping[str, Any], *topics: str) -> _Told:
    """The vendor did what was asked: what of quantity, status and renewal is another now, and whose wish it was."""
    before, after = payload.get("before") or {}, payload.get("after") or {}
    moved = [key for key in after if before.get(key) != after.get(key)]
    found: _Told = [(topic, {}) for topic in topics]
    if "quantity" in moved:
        found.append(("subscription.quantity_changed", {}))
    rest = [member for key in moved if key in _MEMBERS for member in _MEMBERS[key]]
    if not topics and rest:
        found.append(("subscription.updated", {"changed": rest}))
    match payload.get("purpose"):
        case "reduce" if payload.get("operation"):
            found.append(("subscription.quantityrequest.updated", {"request": payload["operation"]}))
        case "schedule" | "revoke_schedule":
            found += _schedule_moved(payload)
        case "upgrade":
            found.append(("subscription.updated", {"changed": ["product", "unit", "name"]}))
            found.append(("subscription.pricing_changed", {}))
    return found


def _schedule_moved(payload: Mapping[str, Any]) -> _Told:
    found: _Told = [("subscription.pricing_changed", {"changed": ["nextBillingCycle"]})]
    if payload.get("schedule"):
        found.append(("subscription.quantityrequest.updated", {"request": payload["schedule"]}))
    return found


def _refused(payload: Mapping[str, Any]) -> _Told:
    """The vendor refused a change: a wish for fewer licences failed."""
    if payload.get("purpose") == "reduce" and payload.get("operation"):
        return [("subscription.quantityrequest.updated", {"request": payload["operation"]})]
    return []


def _asked(payload: Mapping[str, Any]) -> _Told:
    """A change was sent on its way to the vendor; what a request asked for before is not asked for twice."""
    match payload.get("purpose"):
        case "reduce" if payload.get("operation"):
            return [("subscription.quantityrequest.updated", {"request": payload["operation"]})]
        case "cancel" if not payload.get("by_request"):
            return [("subscription.cancellation_requested", {})]
        case "cancel":
            return [("subscription.updated", {"changed": ["statusReason"]})]
    return []


def _wish(payload: Mapping[str, Any], *, of_cancel: str) -> _Told:
    """A request of a customer moved; ``of_cancel`` is what that means if he wants the whole service cancelled."""
    if payload.get("kind") == "reduce":
        return [("subscription.quantityrequest.updated", {})]
    if payload.get("kind") != "cancel" or not of_cancel:
        return []
    changed = {"changed": ["statusReason"]} if of_cancel == "subscription.updated" else {}
    return [(of_cancel, changed)]


_TRANSLATED: dict[str, Callable[[Mapping[str, Any]], _Told]] = {
    "subscription.changed": _applied,
    "subscription.suspended": lambda payload: _applied(payload, "subscription.suspended"),
    "subscription.reactivated": lambda payload: _applied(payload, "subscription.resumed"),
    "subscription.renewed": lambda payload: [
        *_applied(payload, "subscription.renewed"),
        *([("subscription.pricing_changed", {})] if payload.get("is_repriced") else []),
    ],
    "subscription.cancelled": lambda payload: [("subscription.cancelled", {})],
    "subscription.ending": _applied,
    "subscription.scheduled": _applied,
    "subscription.schedule_applied": _schedule_moved,
    "subscription.schedule_failed": _schedule_moved,
    "subscription.given_up": _as("subscription.cancelled"),
    "subscription.refused": _as("subscription.updated", "statusReason"),
    "subscription.change_asked": _asked,
    "subscription.change_refused": _refused,
    "subscription.change_given_up": _refused,
    "cancellation_request.asked_reseller": lambda p: _wish(p, of_cancel="subscription.cancellation_requested"),
    "cancellation_request.submitted": lambda p: _wish(
        p, of_cancel="" if p.get("forwarded") else "subscription.cancellation_requested"
    ),
    "cancellation_request.rejected": lambda p: _wish(p, of_cancel="subscription.updated"),
    "cancellation_request.withdrawn": lambda p: _wish(p, of_cancel="subscription.updated"),
    "cancellation_request.accepted": lambda p: _wish(p, of_cancel=""),
    "cancellation_request.completed": lambda p: _wish(p, of_cancel=""),
    "cancellation_request.failed": lambda p: _wish(p, of_cancel="subscription.updated"),
    "order.placed": _as("order.submitted"),
    "order.approved": _as("order.submitted"),
    "order.rejected": _as("order.cancelled"),
    "order.executed": _as("order.executing"),
    "order.finished": _as("order.executed"),
    "asset.activated": _as("asset.updated", "status", "provisioningStatus", "endDate", "perpetualId"),
    "asset.refused": _as("asset.updated", "provisioningStatus"),
    "asset.given_up": _as("asset.updated", "status", "provisioningStatus"),
    "asset.returned": _as("asset.updated", "status"),
}


def sample_subject(topic: Topic) -> dict[str, Any]:
    """Ids for a sample of this topic."""
    made: dict[str, Any] = dict.fromkeys(("subscription", "order", "asset", "invoice"), SAMPLE_ID)
    made |= {
        "webhook": SAMPLE_ID,
        "addon": OTHER_ID,
        "request": OTHER_ID,
        "account": SAMPLE_NUMBER,
        "usage": "azurePlanByMeter",
    }
    kept = {key: value for key, value in made.items() if "{" + key + "}" in topic.kind.path}
    return kept | ({topic.kind.key: made[topic.kind.key]} if topic.kind.key else {})
