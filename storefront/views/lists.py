"""The storefront's lists: orders, services, and a reseller's customers."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.enums import OrderStatus
from orders.selectors import orders_for
from resellers.selectors import customers_of
from subscriptions.enums import SubscriptionStatus
from subscriptions.selectors import subscriptions_for
from ui.filters import Choice, Period
from ui.pages import ListPage
from ui.tables import Column
from users.permissions import Perm


class ShopList(ListPage):
    """A list in the storefront's layout."""

    layout = "base_storefront.html"


class OrderList(ShopList):
    """Orders of the own account and of a reseller's customers."""

    perm = Perm.SHOP_ORDERS_VIEW
    title = _("Orders")
    selector = orders_for
    columns = (
        Column("number", _("Number"), "main", sort="number"),
        Column("account.name", _("For")),
        Column("placed_at", _("Placed"), "when", sort="placed_at"),
        Column("gross", _("Total"), "money", sort="gross"),
        Column("status", _("Status"), "status", sort="status"),
    )
    filters = (
        Choice("status", _("Status"), "status", OrderStatus.choices),
        Period("placed", _("Placed"), "placed_at"),
    )
    search = ("number", "account__name")
    sort = "-pk"
    empty_icon = "receipt"
    empty_title = _("No orders yet")
    empty_text = _("What you order appears here, with its progress.")

    def shown_columns(self) -> Sequence[Column]:
        """All of them; without the total for people who may not see prices."""
        if self.actor.has(Perm.SHOP_PRICES_VIEW):
            return self.columns
        return [column for column in self.columns if column.path != "gross"]

    def row_url(self, row: Any) -> str:
        """The order with its progress."""
        return reverse("storefront:order_detail", args=[row.public_id])


class SubscriptionList(ShopList):
    """Services of the own account and of a reseller's customers."""

    perm = Perm.SHOP_SERVICES_VIEW
    title = _("Services")
    selector = subscriptions_for
    columns = (
        Column("name", _("Service"), "main", sort="name", sub="plan.label", sub_label=_("Plan")),
        Column("account.name", _("For"), sort="account__name"),
        Column("quantity", _("Quantity"), "number", sort="quantity"),
        Column("status", _("Status"), "status", sort="status"),
        Column("term_ends_at", _("Term ends"), "when", sort="term_ends_at"),
    )
    filters = (Choice("status", _("Status"), "status", SubscriptionStatus.choices),)
    search = ("name", "account__name")
    empty_icon = "repeat"
    empty_title = _("No services yet")
    empty_text = _("Buy something and it appears here.")

    def row_url(self, row: Any) -> str:
        """The service."""
        return reverse("storefront:subscription_detail", args=[row.public_id])


class CustomerList(ShopList):
    """A reseller's end customers and affiliate accounts."""

    perm = Perm.SHOP_CUSTOMERS_VIEW
    title = _("Customers")
    selector = customers_of
    columns = (
        Column("name", _("Name"), "main", sort="name", sub="email", sub_label=_("E-mail")),
        Column("kind", _("Kind"), "status"),
        Column("city", _("City"), sort="city"),
        Column("country", _("Country"), sort="country"),
        Column("status", _("Status"), "status", sort="status"),
    )
    search = ("name", "email", "city")
    sort = "name"
    empty_icon = "users"
    empty_title = _("No customers yet")

    def row_url(self, row: Any) -> str:
        """The customer with his services."""
        return reverse("storefront:customer_detail", args=[row.public_id])
