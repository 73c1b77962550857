"""Reading subscriptions: the list, one, and the parts of one (``api.md`` 9.1)."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from api.errors import ApiError
from api.listing import IncludingView, ListView, not_found
from api.resources import service_parts as parts
from api.resources import subscriptions as wire
from api.resources.extras import include_fields
from clients.scopes import Right, Scope, Switch
from core.custom_fields import Entity
from orders import service_values
from subscriptions.models import Subscription, SubscriptionAddOn

READ = Right(Scope.SUBSCRIPTIONS_READ)
PRICING = Right(Scope.PRICING_READ, switch=Switch.PRICING)
SYNCHRONIZATION = Right(Scope.SUBSCRIPTIONS_READ, switch=Switch.SYNCHRONIZATION)
INCLUDES = {
    "characteristics": (READ, parts.include_characteristics),
    "customFields": (READ, include_fields(Entity.SUBSCRIPTION)),
    "addons": (READ, parts.include_addons),
    "pricingInfo": (PRICING, parts.include_pricing),
    "synchronizationInfo": (SYNCHRONIZATION, parts.include_synchronization),
}


def missing() -> ApiError:
    """404 of a subscription."""
    return not_found("SubscriptionNotFoundError", "subscription_not_found", "No such subscription.")


def missing_addon() -> ApiError:
    """404 of an add-on, that of another subscription included."""
    return not_found("SubscriptionAddonNotFoundError", "subscription_addon_not_found", "No such add-on.")


class SubscriptionList(ListView):
    """``GET /api/subscriptions``."""

    rights = {"GET": READ}
    columns = wire.COLUMNS
    entity = Entity.SUBSCRIPTION
    includes = INCLUDES
    answers = "PagedResultDtoOfSubscription"

    def get(self, request: Request) -> HttpResponse:
        """A page of subscriptions."""
        return self.page(service_values.service_rows)

    def read(self) -> Any:
        """Values of subscriptions."""
        return wire.read

    def build(self, row: Any) -> dict[str, Any]:
        """A subscription."""
        return wire.subscription(*row["values"])


class OfSubscription(IncludingView):
    """A call on one subscription, found for the caller before anything else is looked at."""

    def key(self, subscription_id: str) -> UUID:
        """The id of the path."""
        return self.guid("subscriptionId", subscription_id)

    def row(self, subscription_id: str) -> Subscription:
        """The subscription with what services and parts ask of it."""
        related = ("account", "bill_to", "product__product_type", "plan", "instance__application", "organization")
        rows = service_values.service_rows(self.caller.actor).select_related(*related)
        found = rows.filter(public_id=self.key(subscription_id)).first()
        if found is None:
            raise missing()
        return found

    def addon(self, row: Subscription, addon_id: str) -> SubscriptionAddOn:
        """One of its add-ons."""
        key = self.guid("addonId", addon_id)
        rows = service_values.addon_rows(self.caller.actor).select_related("plan", "product", "subscription")
        found = rows.filter(subscription=row, public_id=key).first()
        if found is None:
            raise missing_addon()
        return found


class SubscriptionDetail(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}``."""

    rights = {"GET": READ}
    includes = INCLUDES
    answers = "Subscription"

    def get(self, request: Request, subscription_id: str) -> HttpResponse:
        """One subscription, with its ETag."""
        wanted = self.wanted()
        rows = service_values.service_rows(self.caller.actor).filter(public_id=self.key(subscription_id))
        found = wire.read(rows, slice(1))
        if not found:
            raise missing()
        objects = [wire.subscription(*found[0]["values"])]
        self.embed(wanted, found, objects)
        return self.tagged(objects[0])


class SubscriptionAddons(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/addons``."""

    rights: ClassVar[dict[str, Right]] = {"GET": READ}
    answers = "SubscriptionAddon"

    def get(self, request: Request, subscription_id: str) -> HttpResponse:
        """All add-ons in all states, the oldest first, as a bare array."""
        row = self.row(subscription_id)
        return self.answer(parts.addons_of(self.caller.actor, [row.pk]).get(row.pk, []))


class SubscriptionCharacteristics(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/characteristics``."""

    rights = {"GET": READ}
    answers = "Characteristics"

    def get(self, request: Request, subscription_id: str) -> HttpResponse:
        """What was asked when it was ordered."""
        row = self.row(subscription_id)
        return self.answer({"groups": parts.characteristics(self.caller, [row.pk]).get(row.pk, [])})


class SubscriptionPricing(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/pricinginfo``."""

    rights = {"GET": PRICING}
    answers = "SubscriptionPricingInfo"

    def get(self, request: Request, subscription_id: str) -> HttpResponse:
        """The price the payer pays, and how it came about."""
        row = self.row(subscription_id)
        return self.answer(parts.pricing(self.caller, [row])[row.pk])


class SubscriptionSynchronization(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/synchronization``."""

    rights = {"GET": SYNCHRONIZATION}
    answers = "SubscriptionSynchronizationInfo"

    def get(self, request: Request, subscription_id: str) -> HttpResponse:
        """How far the vendor knows."""
        row = self.row(subscription_id)
        return self.answer(parts.synchronization(self.caller, [row])[row.pk])


class AddonPricing(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/addons/{addonId}/pricinginfo``."""

    rights = {"GET": PRICING}
    answers = "SubscriptionPricingInfo"

    def get(self, request: Request, subscription_id: str, addon_id: str) -> HttpResponse:
        """The price of an add-on."""
        row = self.row(subscription_id)
        return self.answer(parts.addon_pricing(self.caller, self.addon(row, addon_id)))


class AddonSynchronization(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/addons/{addonId}/synchronization``."""

    rights = {"GET": SYNCHRONIZATION}
    answers = "SubscriptionSynchronizationInfo"

    def get(self, request: Request, subscription_id: str, addon_id: str) -> HttpResponse:
        """How far the vendor knows of an add-on: it is provisioned with its subscription."""
        row = self.row(subscription_id)
        addon = self.addon(row, addon_id)
        found = parts.synchronization(self.caller, [row])[row.pk]
        return self.answer(found | {"externalId": addon.external_id or None})
