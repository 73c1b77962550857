"""Accounts, licences and orders: their lists and single reads (``api.md`` 10)."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from api.errors import ApiError, invalid
from api.fields import Builder
from api.grammar import Literal
from api.listing import IncludingView, ListView, Selector, not_found
from api.paging import OPTIONS, Reader
from api.resources import accounts, assets, orders
from api.resources.extras import include_fields, include_licence_characteristics
from api.resources.service_parts import operation_error
from clients.scopes import Right, Scope
from core.custom_fields import Entity
from core.tenancy import Actor
from orders import order_values, service_values
from orders.enums import OrderStatus
from orders.models import OrderLine

ACCOUNTS = Right(Scope.ACCOUNTS_READ)
WRITE_ACCOUNTS = Right(Scope.ACCOUNTS_WRITE, writes=True)
ASSETS = Right(Scope.ASSETS_READ)
ORDERS = Right(Scope.ORDERS_READ)
ACCOUNT_INCLUDES = {
    "billingAddress": (ACCOUNTS, accounts.include_address),
    "customFields": (ACCOUNTS, include_fields(Entity.ACCOUNT, lambda item: item["id"])),
}
ASSET_INCLUDES = {
    "characteristics": (ASSETS, include_licence_characteristics),
    "customFields": (ASSETS, include_fields(Entity.ASSET, lambda item: item["customer"]["id"])),
}
ORDER_INCLUDES = {
    "customFields": (ORDERS, include_fields(Entity.ORDER)),
    "items": (ORDERS, orders.include_items),
}


# --- Accounts ---------------------------------------------------------------------------------------------------------
ADDRESS_SINCE = "minBillingAddressUpdatedAt"


def missing_account(key: str) -> ApiError:
    """404 of an account."""
    return not_found("AccountNotFoundError", "account_not_found", "No such account.", ("Account", key))


class AccountList(ListView):
    """``GET /api/accounts``."""

    rights = {"GET": ACCOUNTS}
    columns = accounts.COLUMNS
    entity = Entity.ACCOUNT
    includes = ACCOUNT_INCLUDES
    answers = "PagedResultDtoOfAccountDto"

    def get(self, request: Request) -> HttpResponse:
        """A page of accounts: the organization's, or the reseller's own and those billed to him."""
        rows = accounts.account_rows(self.caller.actor, staff=not self.caller.is_reseller)
        if ADDRESS_SINCE.lower() in self.query:
            rows = rows.filter(updated_at__gte=self._moment(ADDRESS_SINCE))  # An address changes with its account.
        return self.page(rows)

    def _moment(self, name: str) -> dt.datetime:
        """A moment of the query, in any form that a filter takes."""
        try:
            zone = ZoneInfo(self.caller.time_zone)
            literal = Literal("string", self.query[name.lower()], 0)
            return Builder(self.columns, False, zone).moment(self.columns.by_name["updatedat"], literal)
        except ApiError:
            raise invalid(name, f"{name} is a date or a moment, as 2026-03-01T08:00:00Z.") from None

    def read(self) -> Any:
        """Values of accounts."""
        return accounts.read

    def build(self, row: Any) -> dict[str, Any]:
        """An account."""
        return accounts.account(row, staff=not self.caller.is_reseller)


class OfAccount(IncludingView):
    """A call on one account."""

    rights = {"GET": ACCOUNTS}

    def values(self, account_id: str) -> dict[str, Any]:
        """The account as values."""
        key = self.number("accountId", account_id)
        rows = accounts.account_rows(self.caller.actor, staff=not self.caller.is_reseller)
        found = accounts.read(rows.filter(pk=key), slice(1))
        if not found:
            raise missing_account(account_id)
        return found[0]


class AccountDetail(OfAccount):
    """``GET /api/accounts/{accountId}``."""

    includes = ACCOUNT_INCLUDES
    answers = "AccountDto"

    def get(self, request: Request, account_id: str) -> HttpResponse:
        """One account."""
        wanted, row = self.wanted(), self.values(account_id)
        objects = [accounts.account(row, staff=not self.caller.is_reseller)]
        self.embed(wanted, [row], objects)
        return self.answer(objects[0])


class AccountAddress(OfAccount):
    """``GET /api/accounts/{accountId}/billingaddress``."""

    answers = "AccountAddress"

    def get(self, request: Request, account_id: str) -> HttpResponse:
        """The billing address."""
        return self.answer(accounts.address(self.values(account_id), staff=not self.caller.is_reseller))


# --- Licences ---------------------------------------------------------------------------------------------------------
class AssetList(ListView):
    """``GET /api/assets``."""

    rights = {"GET": ASSETS}
    columns = assets.COLUMNS
    entity = Entity.ASSET
    includes = ASSET_INCLUDES
    answers = "PagedResultDtoOfAsset"

    def get(self, request: Request) -> HttpResponse:
        """A page of licences."""
        return self.page(service_values.licence_rows)

    def read(self) -> Any:
        """Values of licences."""
        return assets.read

    def build(self, row: Any) -> dict[str, Any]:
        """A licence."""
        return assets.asset(*row["values"], staff=not self.caller.is_reseller)


class AssetDetail(IncludingView):
    """``GET /api/assets/{assetId}``."""

    rights = {"GET": ASSETS}
    includes = ASSET_INCLUDES
    answers = "Asset"

    def get(self, request: Request, asset_id: str) -> HttpResponse:
        """One licence."""
        wanted = self.wanted()
        key = self.guid("assetId", asset_id)
        found = assets.read(service_values.licence_rows(self.caller.actor).filter(public_id=key), slice(1))
        if not found:
            raise not_found("LeaseNotFoundError", "asset_not_found", "No such asset.", ("Asset", str(key)))
        objects = [assets.asset(*found[0]["values"], staff=not self.caller.is_reseller)]
        self.embed(wanted, found, objects)
        return self.answer(objects[0])


# --- Orders -----------------------------------------------------------------------------------------------------------
def _drafts(actor: Actor) -> QuerySet[Any]:
    return order_values.order_rows(actor).filter(status=OrderStatus.DRAFT)


def _confirmed(actor: Actor) -> QuerySet[Any]:
    return order_values.order_rows(actor).exclude(status=OrderStatus.DRAFT)


STAGES: dict[str, Selector] = {"confirmed": _confirmed, "draft": _drafts, "all": order_values.order_rows}


class OrderList(ListView):
    """``GET /api/orders``."""

    rights = {"GET": ORDERS}
    columns = orders.COLUMNS
    entity = Entity.ORDER
    includes = ORDER_INCLUDES
    query_options = OPTIONS
    answers = "PagedResultDtoOfOrder"

    def get(self, request: Request) -> HttpResponse:
        """A page of orders; without ``stage`` the confirmed ones."""
        stage = self.query.get("stage", "Confirmed").lower()
        if stage not in STAGES:
            raise ApiError(400, "invalid_parameter", "stage is Confirmed, Draft or All.")
        return self.page(STAGES[stage])

    def read(self) -> Any:
        """Values of orders."""
        return orders.read

    def build(self, row: Any) -> dict[str, Any]:
        """An order."""
        return orders.order(*row["values"], cost=self.caller.sees_cost)


class OfOrder(IncludingView):
    """A call on one order."""

    rights = {"GET": ORDERS}

    def values(self, order_id: str, read: Reader = orders.read) -> dict[str, Any]:
        """The order as values."""
        key = self.guid("orderId", order_id)
        found = read(order_values.order_rows(self.caller.actor).filter(public_id=key), slice(1))
        if not found:
            raise not_found("OrderNotFoundError", "order_not_found", "No such order.", ("Order", str(key)))
        return found[0]

    def lines(self, row: dict[str, Any]) -> list[OrderLine]:
        """Its lines."""
        return order_values.lines_of(self.caller.actor, [row["pk"]]).get(row["pk"], [])


class OrderDetail(OfOrder):
    """``GET /api/orders/{orderId}``."""

    includes = ORDER_INCLUDES
    answers = "Order"

    def get(self, request: Request, order_id: str) -> HttpResponse:
        """One order."""
        wanted, row = self.wanted(), self.values(order_id)
        objects = [orders.order(*row["values"], cost=self.caller.sees_cost)]
        self.embed(wanted, [row], objects)
        return self.answer(objects[0])


class OrderItems(OfOrder):
    """``GET /api/orders/{orderId}/items``."""

    answers = "OrderItem"

    def get(self, request: Request, order_id: str) -> HttpResponse:
        """Its items, as a bare array."""
        wanted, row = self.wanted(), self.values(order_id)
        objects = orders.items(self.lines(row), staff=not self.caller.is_reseller)
        self.embed(wanted, [row], objects)
        return self.answer(objects)


class OrderItem(OfOrder):
    """``GET /api/orders/{orderId}/items/{itemId}``."""

    answers = "OrderItem"

    def get(self, request: Request, order_id: str, item_id: str) -> HttpResponse:
        """One of its items."""
        wanted, key = self.wanted(), self.guid("itemId", item_id)
        row = self.values(order_id)
        for item in orders.items(self.lines(row), staff=not self.caller.is_reseller):
            if item["id"] == key:
                self.embed(wanted, [row], [item])
                return self.answer(item)
        where = ("OrderItem", str(key))
        raise not_found("OrderItemNotFoundError", "order_item_not_found", "No such item.", where)


class OrderProgress(OfOrder):
    """``GET /api/orders/{orderId}/execute/status``."""

    answers = "OrderExecutionStatus"

    def get(self, request: Request, order_id: str) -> HttpResponse:
        """How far the order is, and the services it made."""
        row = self.values(order_id, orders.read_progress)
        lines = self.lines(row)
        services = [item["subscription"] for item in orders.items(lines, staff=False) if item["subscription"]]
        found = orders.progress(*row["values"], services=services)
        found["error"] = found["error"] or operation_error(
            self.caller, order_values.refusal_of(self.caller.actor, lines)
        )
        response = self.answer(found)
        if found["status"] in ("Submitted", "Executing"):
            response["Retry-After"] = "2"
        return response
