"""Changing subscriptions: cancel, fewer licences, renewal (``api.md`` 10.1, 10.2). No vendor is called here."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from api.bodies import Body, Faults
from api.errors import ApiError
from api.listing import not_found
from api.resources.quantity_requests import quantity_request
from api.views.subscriptions import READ, OfSubscription
from catalog.models import RefundPolicy
from clients.scopes import Right, Scope
from core import clock
from core.errors import BusinessError
from orders import service_values
from orders.services.giveback import cancel, end_addon, is_window_closed, reduce, window_words
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription, SubscriptionAddOn
from subscriptions.periods import renewal_at
from subscriptions.services.schedule import schedule_change
from subscriptions.services.switch import require_manage, set_auto_renew

WRITE = Right(Scope.SUBSCRIPTIONS_WRITE, writes=True)
PLATFORM = "SubscriptionCancellationPlatformError"
PROVISIONING = "SubscriptionCancellationProvisioningError"
UPDATE = "UnsupportedUpdateTypeException"
CLOSE = dt.timedelta(minutes=5)


class SubscriptionCancel(OfSubscription):
    """``POST /api/subscriptions/{subscriptionId}/cancel``."""

    rights = {"POST": WRITE}
    refusal_type = PLATFORM

    def post(self, request: Request, subscription_id: str) -> HttpResponse:
        """Cancel at once with all licences; cancelled already or under way, nothing is done and 200 said again."""
        row = self.row(subscription_id)
        return self.once(lambda: self._cancel(row))

    def _cancel(self, row: Subscription) -> HttpResponse:
        require_manage(self.caller.actor, row)
        if row.status != SubscriptionStatus.CANCELLED and not service_values.is_being_cancelled(row):
            try:
                cancel(self.caller.actor, subscription=row)
            except BusinessError as error:
                raise self._refusal(row, error) from error
        return HttpResponse(status=200, content_type="application/json")

    def _refusal(self, row: Subscription, error: BusinessError) -> ApiError:
        """What the vendor's side refuses comes first and has a name of its own, so that a caller knows whom to ask."""
        found = self._as_error(error)
        if found.status != 400:
            return found
        if error.code != "synchronization_failed" and is_window_closed(row):
            return ApiError(400, "cancel_window_closed", window_words(row), type=PROVISIONING)
        if error.code == "synchronization_failed":
            found.type = PROVISIONING
        return found


class SubscriptionQuantity(OfSubscription):
    """``POST /api/subscriptions/{subscriptionId}/quantity``: fewer licences; more are ordered."""

    rights = {"POST": WRITE}
    answers = "SubscriptionChangeQuantityRequest"

    def post(self, request: Request, subscription_id: str) -> HttpResponse:
        """Ask for fewer licences: at once where that is refunded, else at the end of the term."""
        row = self.row(subscription_id)
        return self.once(lambda: self._change(row))

    def _change(self, row: Subscription) -> HttpResponse:
        with Faults() as faults:
            body = Body(self.body(), taken=("quantity", "effectiveDate"), faults=faults)
            quantity, when = body.whole("quantity") or 0, body.moment("effectiveDate")
        require_manage(self.caller.actor, row)
        if quantity < 1:
            raise body.wrong("quantity", "At least one licence stays; use cancel instead.", "quantity_out_of_range")
        if quantity == row.quantity:
            return HttpResponse(status=200, content_type="application/json")
        if service_values.has_open_wish(self.caller.actor, row):
            raise ApiError(400, "request_pending", "An earlier change of the quantity is not done yet.")
        if quantity > row.quantity:
            message = "More licences are ordered: an item with relatedSubscriptionId."
            raise ApiError(400, "increase_needs_order", message, type=UPDATE)
        found: Any
        if self._at_once(row, when, body):
            found = reduce(self.caller.actor, subscription=row, quantity=quantity)
        else:
            schedule_change(self.caller.actor, subscription=row, quantity=quantity, plan=row.plan)
            found = service_values.planned_changes(self.caller.actor, [row.pk])[row.pk]
        value = quantity_request(self.caller, row, found)
        location = f"{self.raw.path.rstrip('/').rpartition('/')[0]}/quantityrequest/{value['requestId']}"
        return self.answer(value, location=self.raw.build_absolute_uri(location))

    @staticmethod
    def _at_once(row: Subscription, when: dt.datetime | None, body: Body) -> bool:
        ends = renewal_at(row.term_ends_at) if row.term_ends_at else None
        if when is None:
            return row.product.product_type.refund_policy != RefundPolicy.NONE
        if abs(when - clock.now()) <= CLOSE:
            return True
        if ends is not None and when in (ends, row.term_ends_at):
            return False
        raise body.wrong("effectiveDate", "Send now, the end of the term, or nothing.", "invalid_effective_date")


class QuantityRequest(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/quantityrequest/{requestId}``."""

    rights = {"GET": READ}
    answers = "SubscriptionChangeQuantityRequest"

    def get(self, request: Request, subscription_id: str, request_id: str) -> HttpResponse:
        """What became of a wish for fewer licences."""
        row, key = self.row(subscription_id), self.guid("requestId", request_id)
        found = service_values.quantity_wish(self.caller.actor, row.pk, key)
        if found is None:
            raise not_found("NotFoundError", "quantity_request_not_found", "No such quantity request.")
        value = quantity_request(self.caller, row, found)
        response = self.answer(value)
        if value["status"] in (0, 1):
            response["Retry-After"] = "5"
        return response


class AutoRenewal(OfSubscription):
    """``POST /api/subscriptions/{subscriptionId}/autoRenewalSettings``."""

    rights = {"POST": WRITE}
    answers = "AutoRenewalSettingResponseDto"

    def post(self, request: Request, subscription_id: str) -> HttpResponse:
        """Turn automatic renewal on or off."""
        row = self.row(subscription_id)
        return self.once(lambda: self._set(row))

    def _set(self, row: Subscription) -> HttpResponse:
        with Faults() as faults:
            wanted = Body(self.body(), taken=("autoRenewalEnabled",), faults=faults).flag("autoRenewalEnabled")
        set_auto_renew(self.caller.actor, subscription=row, auto_renew=bool(wanted))
        return self.answer({"succeed": True, "errors": [], "message": None})


class AddonCancelAtEnd(OfSubscription):
    """``POST /api/subscriptions/{subscriptionId}/addons/{addonId}/cancelendofbillingperiod``."""

    rights = {"POST": WRITE}
    refusal_type = PLATFORM

    def post(self, request: Request, subscription_id: str, addon_id: str) -> HttpResponse:
        """Let the add-on end with the billing period; ended already or about to, nothing is done and 200 said again."""
        row = self.row(subscription_id)
        addon = self.addon(row, addon_id)
        return self.once(lambda: self._end(row, addon))

    def _end(self, row: Subscription, addon: SubscriptionAddOn) -> HttpResponse:
        actor = self.caller.actor
        require_manage(actor, row)
        over = addon.status in (SubscriptionStatus.CANCELLED, SubscriptionStatus.PENDING_CANCEL)
        if not over and not service_values.is_asked_to_end(actor, addon):
            end_addon(actor, subscription=row, addon=addon)
        return HttpResponse(status=200, content_type="application/json")


class CurrentInstallmentPlan(OfSubscription):
    """``GET /api/subscriptions/{subscriptionId}/currentInstallmentplan``."""

    rights = {"GET": READ}
    answers = "InstallmentPlanDto"

    def get(self, request: Request, subscription_id: str) -> HttpResponse:
        """No service is sold by instalments, so none has a plan."""
        self.row(subscription_id)
        raise not_found("NotFoundError", "installment_plan_not_found", "This subscription has no instalment plan.")
