"""``/api/webhooks``: an application user's endpoints, what was sent to them, and the events there are."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from api.base import ApiView
from api.bodies import Body, Faults
from api.errors import ApiError
from api.listing import ListView, not_found
from api.resources import webhooks
from clients.scopes import Right, Scope
from notifications.models import WebhookEndpoint
from notifications.selectors import attempts_of, deliveries_of, webhooks_of
from notifications.services.webhooks import (
    create_webhook,
    delete_webhook,
    replay_delivery,
    rotate_webhook,
    test_webhook,
    update_webhook,
)

MANAGE = Right(Scope.WEBHOOKS_MANAGE, writes=True)
MEMBERS = ("url", "events", "isActive")


class WebhookView(ApiView):
    """A call about the caller's endpoints: those of his own program, for another one may read other things."""

    pointers = {"url": "/url", "events": "/events"}

    def endpoint(self, webhook_id: str) -> WebhookEndpoint:
        """The endpoint, or 404."""
        key = self.guid("webhookId", webhook_id)
        found = webhooks_of(self.caller.actor, self.caller.client).filter(public_id=key).first()
        if found is None:
            raise not_found("NotFoundError", "webhook_not_found", "No such webhook.")
        return found

    def values(self, *, is_new: bool) -> dict[str, Any]:
        """What the body sets; raises 400 with the member's pointer."""
        found: dict[str, Any] = {}
        with Faults() as faults:
            body = Body(self.body(), taken=MEMBERS, faults=faults)
            if is_new or body.has("url"):
                found["url"] = body.text("url", required=True, longest=500)
            if is_new or body.has("events"):
                found["events"] = self._events(body)
            if body.has("isActive"):
                found["is_active"] = body.flag("isActive")
        return found

    def _events(self, body: Body) -> list[str]:
        value = body.given("events", required=True)
        is_list = isinstance(value, list) and all(isinstance(name, str) for name in value) and len(value) <= 100
        if value is not None and not is_list:
            body.fault("events", "'events' is an array of event names.", "invalid_body")
        return value if is_list else []

    def with_secret(self, row: WebhookEndpoint, secret: str, *, status: int) -> HttpResponse:
        """The endpoint with its secret, told only now."""
        response = self.answer(webhooks.webhook_of(row) | {"secret": secret}, status=status)
        response["Cache-Control"] = "no-store"
        return response


class WebhookList(WebhookView, ListView):
    """``GET, POST /api/webhooks``."""

    rights = {"GET": MANAGE, "POST": MANAGE}
    columns = webhooks.COLUMNS
    tells_secret = True

    def get(self, request: Request) -> HttpResponse:
        """A page of the caller's endpoints."""
        return self.page(webhooks_of(self.caller.actor, self.caller.client).order_by())

    def post(self, request: Request) -> HttpResponse:
        """Make one; the answer alone carries its secret."""
        return self.once(self._create)

    def _create(self) -> HttpResponse:
        values = self.values(is_new=True)
        is_active = values.pop("is_active", None)
        row, secret = create_webhook(
            self.caller.actor, client=self.caller.client, is_active=is_active is not False, **values
        )
        response = self.with_secret(row, secret, status=201)
        response["Location"] = self.raw.build_absolute_uri(f"{self.raw.path.rstrip('/')}/{row.public_id}")
        return response

    def read(self) -> Any:
        """Values of endpoints."""
        return webhooks.read

    def build(self, row: Any) -> dict[str, Any]:
        """An endpoint."""
        return webhooks.webhook(row)


class WebhookDetail(WebhookView):
    """``GET, PATCH, DELETE /api/webhooks/{id}``."""

    rights = {"GET": MANAGE, "PATCH": MANAGE, "DELETE": MANAGE}

    def get(self, request: Request, webhook_id: str) -> HttpResponse:
        """One endpoint."""
        return self.tagged(webhooks.webhook_of(self.endpoint(webhook_id)))

    def patch(self, request: Request, webhook_id: str) -> HttpResponse:
        """Change the members that are sent."""
        row = self.endpoint(webhook_id)
        return self.once(lambda: self._change(row))

    def _change(self, row: WebhookEndpoint) -> HttpResponse:
        changed = update_webhook(self.caller.actor, endpoint=row, values=self.values(is_new=False))
        return self.answer(webhooks.webhook_of(changed))

    def delete(self, request: Request, webhook_id: str) -> HttpResponse:
        """Take it away, with its deliveries."""
        delete_webhook(self.caller.actor, endpoint=self.endpoint(webhook_id))
        return HttpResponse(status=204)


class WebhookRotate(WebhookView):
    """``POST /api/webhooks/{id}/rotate``."""

    rights = {"POST": MANAGE}
    tells_secret = True

    def post(self, request: Request, webhook_id: str) -> HttpResponse:
        """Another secret; the old one signs too for 24 hours."""
        row = self.endpoint(webhook_id)
        return self.once(lambda: self.with_secret(row, rotate_webhook(self.caller.actor, endpoint=row), status=200))


class WebhookTest(WebhookView):
    """``POST /api/webhooks/{id}/test``."""

    rights = {"POST": MANAGE}

    def post(self, request: Request, webhook_id: str) -> HttpResponse:
        """Send ``webhook.test``; the answer is its delivery, which is under way."""
        row = self.endpoint(webhook_id)
        return self.once(
            lambda: self.answer(webhooks.delivery_of(test_webhook(self.caller.actor, endpoint=row)), status=202)
        )


class WebhookDeliveries(WebhookView, ListView):
    """``GET /api/webhooks/{id}/deliveries``."""

    rights = {"GET": MANAGE}
    columns = webhooks.DELIVERY_COLUMNS

    def get(self, request: Request, webhook_id: str) -> HttpResponse:
        """A page of what was sent to it in the last 30 days."""
        return self.page(deliveries_of(self.caller.actor, self.endpoint(webhook_id)).order_by())

    def read(self) -> Any:
        """Values of deliveries, with their attempts."""
        return self._read

    def _read(self, rows: Any, part: slice, *more: str) -> list[dict[str, Any]]:
        found = webhooks.read_deliveries(rows, part, *more)
        log = attempts_of(self.caller.actor, [row["pk"] for row in found])
        return [row | {"log": log.get(row["pk"], [])} for row in found]

    def build(self, row: Any) -> dict[str, Any]:
        """A delivery."""
        return webhooks.delivery(row, row["log"])


class WebhookReplay(WebhookView):
    """``POST /api/webhooks/{id}/deliveries/{deliveryId}/replay``."""

    rights = {"POST": MANAGE}

    def post(self, request: Request, webhook_id: str, delivery_id: str) -> HttpResponse:
        """Send a delivery again, with its ``webhook-id``."""
        row, key = self.endpoint(webhook_id), self.guid("deliveryId", delivery_id)
        return self.once(lambda: self._replay(row, key))

    def _replay(self, row: WebhookEndpoint, key: Any) -> HttpResponse:
        if not deliveries_of(self.caller.actor, row).filter(public_id=key).exists():
            raise ApiError(404, "delivery_not_found", "No such delivery.", type="NotFoundError")
        found = replay_delivery(self.caller.actor, endpoint=row, public_id=key)
        log = attempts_of(self.caller.actor, [found.pk]).get(found.pk, [])
        return self.answer(webhooks.delivery_of(found, log), status=202)


class WebhookTopics(ApiView):
    """``GET /api/webhooks/topics``."""

    rights = {"GET": MANAGE}

    def get(self, request: Request) -> HttpResponse:
        """Every event, as a bare array."""
        return self.answer(webhooks.topics(self.caller.client.organization_id))
