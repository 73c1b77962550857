"""Ordering: a draft, its items, what vendors ask, checkout (``api.md`` 10.3). No vendor is called here."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from api.bodies import Body, Faults
from api.errors import ApiError, error_response
from api.listing import not_found
from api.resources import characteristics as asked
from api.resources import orders
from api.resources.custom_values import read_change
from api.views.neighbours import ORDERS, OfOrder, OrderItem, OrderItems, OrderList
from catalog import offers
from catalog.models import Plan, Product
from clients.scopes import Right, Scope
from core.errors import BusinessError
from orders import order_values, service_values
from orders.models import Order, OrderLine
from orders.services.draft_prices import draft_lines
from orders.services.drafts import add_plan, add_to_service, begin_draft, lock_draft, remove_line, set_answers
from provisioning.services.draft_checkout import check_out
from resellers.models import Account
from resellers.selectors import accounts_for
from resellers.services.custom_fields import set_custom_values
from subscriptions.models import Subscription, SubscriptionAddOn
from vendors.models import Instance

WRITE = Right(Scope.ORDERS_WRITE, writes=True)
# The contract's words for what the shared services refuse in their own.
CODES = {"quantity_limit": "quantity_out_of_range", "withdrawn": "product_withdrawn", "not_sold": "product_withdrawn"}
ITEM = (
    "productId", "unitId", "quantity", "customEndDate", "relatedSubscriptionId", "relatedAddonItemId", "relatedItemId",
    "billingFrequencyOptionId", "characteristics",
)  # fmt: skip
ITEM_GUIDS = ("productId", "unitId", "relatedSubscriptionId", "relatedAddonItemId", "relatedItemId")


class Ordering(OfOrder):
    """A call that changes an order, which has to be a draft."""

    def draft(self, order_id: str) -> Order:
        """The order as a row, or 404."""
        key = self.guid("orderId", order_id)
        found = order_values.order_rows(self.caller.actor).select_related("account").filter(public_id=key).first()
        if found is None:
            raise not_found("OrderNotFoundError", "order_not_found", "No such order.", ("Order", str(key)))
        return found

    def _as_error(self, exc: Exception) -> ApiError:
        """The refusals of services by the contract's names."""
        found = super()._as_error(exc)
        if isinstance(exc, BusinessError) and exc.code in CODES:
            found.code = CODES[exc.code]
        if found.code == "order_is_not_draft":
            found.type = "OrderIsNotDraftError"
        found.errors = [{**item, "code": CODES.get(item["code"], item["code"])} for item in found.errors]
        return found

    def at(self, path: str) -> str:
        """A whole address below the API's."""
        return self.raw.build_absolute_uri(f"/api/orders/{path}")


class OrderCollection(Ordering, OrderList):
    """``GET, POST /api/orders``."""

    rights = {"GET": ORDERS, "POST": WRITE}

    def post(self, request: Request) -> HttpResponse:
        """Begin an order for an account."""
        return self.once(self._begin)

    def _begin(self) -> HttpResponse:
        actor = self.caller.actor
        with Faults() as faults:
            body = Body(self.body(), taken=("accountId", "customFields", "name", "billingToId"), faults=faults)
            key = body.whole("accountId")
            name = body.text("name", longest=200)
            payer = body.whole("billingToId", required=False)
        account = accounts_for(actor).filter(pk=key or 0).first()
        if account is None:
            raise body.wrong("accountId", "There is no account with this id.", "account_not_found")
        made = begin_draft(actor, account=account, reference=name, bill_to_id=payer)
        fields = body.given("customFields", required=False)
        if fields is not None:
            set_custom_values(actor, made, read_change(actor, made, fields, "/customFields"))
        row = orders.read(order_values.order_rows(actor).filter(pk=made.pk), slice(1))[0]
        value = orders.order(*row["values"], cost=self.caller.sees_cost)
        return self.answer(value, status=201, location=self.at(str(made.public_id)), schema="Order")


def include_characteristics(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed in each item what the vendor asks about it."""
    order = view.draft(view.kwargs["order_id"])
    lines = {line.public_id: line for line in draft_lines(order)}
    found = asked.of_lines(order, lines.values())
    for item in objects:
        item["characteristics"] = found[lines[item["id"]].pk]


ITEM_INCLUDES = {"characteristics": (ORDERS, include_characteristics)}


class OrderItemCollection(Ordering, OrderItems):
    """``GET, POST /api/orders/{orderId}/items``."""

    rights = {"GET": ORDERS, "POST": WRITE}
    includes = ITEM_INCLUDES
    pointers = {"plan": "/unitId"}

    def post(self, request: Request, order_id: str) -> HttpResponse:
        """Put something into the draft."""
        draft = self.draft(order_id)
        return self.once(lambda: self._add(draft))

    def _add(self, draft: Order) -> HttpResponse:
        actor = self.caller.actor
        draft = lock_draft(actor, draft)
        body, quantity = self._read()
        line = self._line(draft, body, quantity)
        wanted = body.given("characteristics", required=False)
        if wanted is not None:
            self._answer(draft, line, wanted)
        lines = order_values.lines_of(actor, [draft.pk])[draft.pk]
        staff = not self.caller.is_reseller
        value = next(item for item in orders.items(lines, staff=staff) if item["id"] == line.public_id)
        location = self.at(f"{draft.public_id}/items/{line.public_id}")
        return self.answer(value, status=201, location=location, schema="OrderItem")

    def _read(self) -> tuple[Body, int]:
        """The body, whose members have the shapes they shall have, and its quantity."""
        with Faults() as faults:
            body = Body(self.body(), taken=ITEM, faults=faults)
            quantity = body.whole("quantity", required=False)
            if quantity is not None and quantity < 1:
                body.fault("quantity", "The quantity is 1 or more.", "quantity_out_of_range")
            for name in ("customEndDate", "billingFrequencyOptionId"):
                if body.given(name, required=False) is not None:
                    body.fault(name, f"No product takes {name} here; leave it out.", "invalid_option")
            for name in ITEM_GUIDS:
                body.guid(name)
        return body, 1 if quantity is None else quantity

    def _answer(self, draft: Order, line: OrderLine, wanted: Any) -> None:
        instance = asked.asking_instance(line)
        values = asked.read_answers(draft, instance, wanted, "/characteristics")
        if instance is not None:
            set_answers(self.caller.actor, order=draft, instance_id=str(instance.public_id), values=values)

    def _line(self, draft: Order, body: Body, quantity: int) -> OrderLine:
        service, parent = self._service(body), self._parent(body, draft)
        addon = self._addon(body, service)
        product = self._product(body, required=service is None)
        if addon is not None and product is not None and addon.product_id != product.pk:
            raise body.wrong("productId", "This is not the product of that add-on.", "addon_foreign")
        if service is not None and product is not None and product.pk == service.product_id:
            product = None  # The service's own product says the same as leaving it out: more licences.
        base = service or parent
        plan = self._plan(body, draft, product, base) if product is not None and addon is None else None
        if service is not None:
            return add_to_service(
                self.caller.actor, order=draft, subscription=service, quantity=quantity, plan=plan, addon=addon
            )
        if plan is None:
            raise body.wrong("productId", "'productId' is required.", "required")
        return add_plan(self.caller.actor, order=draft, plan=plan, quantity=quantity, parent=parent)

    def _service(self, body: Body) -> Subscription | None:
        key = body.guid("relatedSubscriptionId")
        if key is None:
            return None
        rows = service_values.service_rows(self.caller.actor).select_related("product")
        found = rows.filter(public_id=key).first()
        if found is None:
            message = "There is no subscription with this id."
            raise body.wrong("relatedSubscriptionId", message, "subscription_not_found")
        if body.given("relatedItemId", required=False) is not None:
            message = "Send relatedItemId or relatedSubscriptionId, not both."
            raise body.wrong("relatedItemId", message, "related_twice")
        return found

    def _addon(self, body: Body, service: Subscription | None) -> SubscriptionAddOn | None:
        key = body.guid("relatedAddonItemId")
        if key is None:
            return None
        found = None
        if service is not None:
            rows = service_values.addon_rows(self.caller.actor).select_related("plan__product")
            found = rows.filter(subscription=service, public_id=key).first()
        if found is None:
            message = "There is no add-on with this id at that subscription."
            raise body.wrong("relatedAddonItemId", message, "addon_not_found")
        return found

    def _product(self, body: Body, *, required: bool) -> Product | None:
        key = body.guid("productId", required=required)
        if key is None:
            return None
        found = offers.offered_products(self.caller.actor, with_addons=True).filter(public_id=key)
        product = found.select_related("product_type__instance").first()
        if product is None:
            raise body.wrong("productId", "There is no product with this id.", "product_not_found")
        return product

    def _plan(self, body: Body, draft: Order, product: Product, base: Subscription | OrderLine | None) -> Plan:
        """The billing unit that was sent, else the first one with a price; an add-on is billed as its ``base`` is."""
        key = body.guid("unitId")
        plans = offers.plans_for(draft.account, product)
        if key is not None:
            plans = [plan for plan in plans if plan.public_id == key]
        if key is None and base is not None:
            plans = [plan for plan in plans if plan.billing_cycle == base.billing_cycle] or plans
        if not plans and key is not None:
            raise body.wrong("unitId", "This product is not sold by this unit to this account.", "unit_not_found")
        if not plans:
            raise body.wrong("productId", "This product is not sold to this account.", "product_withdrawn")
        return plans[0]

    def _parent(self, body: Body, draft: Order) -> OrderLine | None:
        key = body.guid("relatedItemId")
        if key is None:
            return None
        found = next((line for line in draft_lines(draft) if line.public_id == key), None)
        if found is None:
            raise body.wrong("relatedItemId", "There is no item with this id in this order.", "item_not_found")
        return found


class OrderItemChange(Ordering, OrderItem):
    """``GET, DELETE /api/orders/{orderId}/items/{itemId}``."""

    rights = {"GET": ORDERS, "DELETE": WRITE}
    includes = ITEM_INCLUDES

    def delete(self, request: Request, order_id: str, item_id: str) -> HttpResponse:
        """Take an item out of the draft, with its add-ons."""
        draft, line = item_of(self, order_id, item_id, "OrderItemNotFoundError")
        remove_line(self.caller.actor, order=draft, line=line)
        return HttpResponse(status=204)


def item_of(view: Ordering, order_id: str, item_id: str, type: str) -> tuple[Order, OrderLine]:
    """An order of the caller's and one of its items, or 404."""
    draft, key = view.draft(order_id), view.guid("itemId", item_id)
    for line in draft_lines(draft):
        if line.public_id == key:
            return draft, line
    raise not_found(type, "order_item_not_found", "No such item.", ("OrderItem", str(key)))


class ItemCharacteristics(Ordering):
    """``GET, PUT /api/orders/{orderId}/items/{itemId}/characteristics``."""

    rights = {"GET": ORDERS, "PUT": WRITE}
    answers = "OrderItemCharacteristics"

    def get(self, request: Request, order_id: str, item_id: str) -> HttpResponse:
        """What the vendor asks about this item's customer, with the answers so far."""
        draft, line = item_of(self, order_id, item_id, "OrderItemNotFoundServiceException")
        return self.answer(asked.characteristics(draft, line))

    def put(self, request: Request, order_id: str, item_id: str) -> HttpResponse:
        """Set the answers that are sent; all items of the same vendor instance share them."""
        draft, line = item_of(self, order_id, item_id, "OrderItemNotFoundServiceException")
        return self.once(lambda: self._put(draft, line))

    def _put(self, draft: Order, line: OrderLine) -> HttpResponse:
        actor = self.caller.actor
        draft = lock_draft(actor, draft)
        instance = asked.asking_instance(line)
        values = asked.read_answers(draft, instance, self.body())
        if instance is not None:
            draft = set_answers(actor, order=draft, instance_id=str(instance.public_id), values=values)
        return self.answer(asked.characteristics(draft, line))


class Checkout(Ordering):
    """``POST /api/orders/{orderId}/checkout``, and ``execute`` of older programs, whose body is ignored."""

    rights = {"POST": WRITE}

    def post(self, request: Request, order_id: str) -> HttpResponse:
        """Place the draft; how far it is stands at the address in Location."""
        draft = self.draft(order_id)
        return self.once(lambda: self._check_out(draft))

    def _check_out(self, draft: Order) -> HttpResponse:
        browser = self.raw.headers.get("User-Agent", "")
        ready = check_out(self.caller.actor, order=draft, understand=self._understand, browser=browser)
        if ready.price_changed:
            # Answered, not raised: the new prices stay written down, and a second checkout accepts them.
            message = "A price has changed. Read the draft's new prices; another checkout accepts them."
            return error_response(self.raw, ApiError(400, "price_changed", message, type="BusinessRuleError"))
        response = HttpResponse(status=202, content_type="application/json")
        response["Location"] = self.at(f"{draft.public_id}/execute/status")
        return response

    @staticmethod
    def _understand(account: Account, instance: Instance, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return asked.understood(account, instance, values)
