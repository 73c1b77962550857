"""Trying again what a vendor refused of a subscription; our own path beside the contract (``api.md`` 10.4)."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.views.subscriptions import OfSubscription
from clients.scopes import Right, Scope
from core.errors import BusinessError
from orders import service_values
from provisioning.services.desk import retry
from subscriptions.models import Subscription


class SubscriptionRetry(OfSubscription):
    """``POST /api/subscriptions/{subscriptionId}/synchronization/retry``, and below one of its add-ons."""

    rights = {"POST": Right(Scope.SUBSCRIPTIONS_WRITE, writes=True, staff_only=True)}

    def post(self, request: Request, subscription_id: str, addon_id: str = "") -> HttpResponse:
        """Send the last refused change once more; 202 with the address of the synchronization."""
        row = self.row(subscription_id)
        if addon_id:
            self.addon(row, addon_id)  # An add-on is provisioned with its subscription, whose change is sent again.
        return self.once(lambda: self._retry(row))

    def _retry(self, row: Subscription) -> HttpResponse:
        found = service_values.refused_operation(self.caller.actor, row)
        if found is None:
            raise BusinessError("not_retriable", "Nothing of this subscription was refused or waits for somebody.")
        retry(self.caller.actor, operation=found)
        response = HttpResponse(status=202, content_type="application/json")
        response["Location"] = self.raw.build_absolute_uri(self.raw.path.rstrip("/").rpartition("/")[0])
        return response
