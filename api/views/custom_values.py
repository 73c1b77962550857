"""Custom fields of subscriptions, accounts, orders and products (``api.md`` 8)."""

import hashlib
from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from rest_framework.request import Request

from api.errors import ApiError
from api.listing import IncludingView, not_found
from api.resources.custom_values import custom_values, read_change
from api.views.neighbours import ACCOUNTS, ORDERS, missing_account
from api.views.products import READ as PRODUCTS
from api.views.subscriptions import READ, missing
from api.wire import dumps
from catalog import offers
from clients.scopes import Right, Scope, Switch
from core.errors import BusinessError, Conflict
from orders import order_values, service_values
from orders.services.drafts import lock_draft
from resellers.selectors import accounts_for
from resellers.services.accounts import lock_account
from resellers.services.custom_fields import set_custom_values
from subscriptions.enums import SubscriptionStatus
from subscriptions.services.changes import lock_subscription


class CustomFieldsView(IncludingView):
    """The custom fields of one object: read, and where ``rights`` says so, set."""

    refusal_type = "CustomFieldsNotUpdatedError"
    answers = "CustomFieldsByGroupingDto"

    def target(self, public_id: str) -> Any:
        """The object, or 404."""
        raise LookupError(f"{type(self).__name__} names no object")

    def lock(self, row: Any) -> Any:
        """The object as it stands, kept from others until it is changed; refuses what its state does not allow."""
        return row

    def get(self, request: Request, public_id: str) -> HttpResponse:
        """All fields in their order, with the ETag of what this caller sees."""
        return self.tagged(custom_values(self.caller.actor, self.target(public_id)))

    def put(self, request: Request, public_id: str) -> HttpResponse:
        """Set the fields that are sent, all or none."""
        row: Model = self.target(public_id)
        return self.once(lambda: self._put(row))

    def _put(self, row: Model) -> HttpResponse:
        actor = self.caller.actor
        row = self.lock(row)
        self._demand_match(custom_values(actor, row))
        changes = read_change(actor, row, self.body())
        if changes:
            set_custom_values(actor, row, changes)
        value = custom_values(actor, row)
        response = self.answer(value)
        response["ETag"] = self._tag(value)
        return response

    def _demand_match(self, value: Any) -> None:
        asked = self.raw.headers.get("If-Match", "").strip()
        if asked and asked != "*" and self._tag(value) not in [item.strip() for item in asked.split(",")]:
            message = "The fields were changed meanwhile. Read them again."
            raise ApiError(412, "etag_mismatch", message, headers={"ETag": self._tag(value)})

    def _tag(self, value: Any) -> str:
        content: bytes = self.answer(value).content if value else dumps(value)
        return '"' + hashlib.sha256(content).hexdigest()[:32] + '"'


class SubscriptionFields(CustomFieldsView):
    """``GET, PUT /api/subscriptions/{subscriptionId}/customfields``."""

    rights = {"GET": READ, "PUT": Right(Scope.SUBSCRIPTIONS_WRITE, writes=True, switch=Switch.CUSTOM_FIELDS)}

    def target(self, public_id: str) -> Any:
        """The subscription."""
        key = self.guid("subscriptionId", public_id)
        rows = service_values.service_rows(self.caller.actor).select_related("account", "organization")
        found = rows.filter(public_id=key).first()
        if found is None:
            raise missing()
        return found

    def lock(self, row: Any) -> Any:
        """A cancelled subscription takes no more values."""
        locked = lock_subscription(self.caller.actor, row)
        if locked.status == SubscriptionStatus.CANCELLED:
            raise BusinessError("not_active", "This subscription is cancelled; its fields can only be read.")
        return locked


class AccountFields(CustomFieldsView):
    """``GET, PUT /api/accounts/{accountId}/customfields``."""

    rights = {"GET": ACCOUNTS, "PUT": Right(Scope.ACCOUNTS_WRITE, writes=True)}

    def target(self, public_id: str) -> Any:
        """The account."""
        found = accounts_for(self.caller.actor).filter(pk=self.number("accountId", public_id)).first()
        if found is None:
            raise missing_account(public_id)
        return found

    def lock(self, row: Any) -> Any:
        """Its state does not matter, but whoever has read its fields must not overwrite what came meanwhile."""
        return lock_account(self.caller.actor, row)


class OrderFields(CustomFieldsView):
    """``GET, PUT /api/orders/{orderId}/customfields``; a placed order's are read-only."""

    rights = {"GET": ORDERS, "PUT": Right(Scope.ORDERS_WRITE, writes=True)}

    def target(self, public_id: str) -> Any:
        """The order."""
        key = self.guid("orderId", public_id)
        rows = order_values.order_rows(self.caller.actor).select_related("account")
        found = rows.filter(public_id=key).first()
        if found is None:
            raise not_found("OrderNotFoundError", "order_not_found", "No such order.", ("Order", str(key)))
        return found

    def lock(self, row: Any) -> Any:
        """Only a draft takes values."""
        try:
            return lock_draft(self.caller.actor, row)
        except Conflict as error:
            raise ApiError(400, error.code, str(error.message), type="OrderIsNotDraftError") from None


class ProductFields(CustomFieldsView):
    """``GET /api/products/{productId}/customfields``."""

    rights = {"GET": PRODUCTS}

    def target(self, public_id: str) -> Any:
        """The product."""
        key = self.guid("productId", public_id)
        found = offers.offered_products(self.caller.actor, with_addons=True).filter(public_id=key).first()
        if found is None:
            raise not_found("ProductNotFoundError", "product_not_found", "No such product.", ("Product", str(key)))
        return found
