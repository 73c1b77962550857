"""The storefront's lists: orders, services, and a reseller's customers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.custom_fields import Entity
from orders.enums import OrderStatus
from orders.legs import ordered_by
from orders.selectors import orders_for
from resellers.enums import SUB_KINDS, AccountKind, AccountStatus, PurchaseMode
from resellers.selectors import customers_with_approval
from sso.selectors import pending_registrations
from storefront.approval_switch import BULK, offered
from subscriptions.enums import SubscriptionStatus
from subscriptions.legs import money_column, reads_both, reads_selling_prices, with_sold_names
from subscriptions.selectors import subscriptions_for
from ui.custom_fields import CustomList
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, BulkAction, ListPage
from ui.tables import Column
from users.permissions import Perm

NEW = {
    AccountKind.END_CUSTOMER.value: _("New end customer"),
    AccountKind.AFFILIATE.value: _("New affiliate account"),
}
# Who buys for nobody else has no use for these, and no purchase mode to speak of.
RESELLER_COLUMNS = frozenset({"account.name", "get_purchase_mode_display"})
RESELLER_FILTERS = frozenset({"account", "mode"})


class ShopList(ListPage):
    """A list in the storefront's layout."""

    layout = "base_storefront.html"


class ServiceList(ShopList):
    """A list of what was bought; resellers also see for whom."""

    def shown_columns(self) -> Sequence[Column]:
        """For whom, for resellers; amounts, of the leg he may read, for people who may see prices."""
        found = list(self.columns)
        if not self.actor.sells:
            found = [column for column in found if column.path not in RESELLER_COLUMNS]
        if not self.actor.has(Perm.SHOP_PRICES_VIEW):
            return [column for column in found if column.kind != "money"]
        if not self.shows_both():
            found = [column for column in found if not column.path.startswith("sell_")]
        return [self._on_leg(column) if column.kind == "money" else column for column in found]

    def _on_leg(self, column: Column) -> Column:
        if column.path.startswith("sell_"):
            return column
        name = money_column(self.actor, column.path)
        return replace(column, path=name, sort=name if column.sort else "")

    def shows_both(self) -> bool:
        """Whether what the customers pay stands beside the cost: for a reseller at his own site."""
        site = getattr(self.request, "site", None)
        is_own = site is not None and site.account_id == self.actor.account_id
        return is_own and reads_both(self.actor) and self.actor.has(Perm.SHOP_COST_VIEW)

    def shown_filters(self) -> Sequence[Filter]:
        """Those by customer and purchase mode for resellers only."""
        if self.actor.sells:
            return self.filters
        return [item for item in self.filters if item.name not in RESELLER_FILTERS]


class NamedServices(ServiceList):
    """A list of services by the names their reader knows: an end customer's are those his reseller sells them under."""

    def rows(self) -> Any:
        """The rows with ``sold_name``."""
        return with_sold_names(self.actor, super().rows())

    def shown_columns(self) -> Sequence[Column]:
        """The name of the leg he may read."""
        found = super().shown_columns()
        if not reads_selling_prices(self.actor):
            return found
        named = {"path": "sold_name", "sort": "sold_name"}
        return [replace(column, **named) if column.path == "name" else column for column in found]  # type: ignore[arg-type]


class OrderList(CustomList, ServiceList):
    """Orders of the own account and of a reseller's customers."""

    entity = Entity.ORDER
    perm = Perm.SHOP_ORDERS_VIEW
    title = _("Orders")
    selector = orders_for
    columns = (
        Column("number", _("Number"), "main", sort="number"),
        Column("account.name", _("For"), sort="account__name"),
        Column("get_purchase_mode_display", _("Purchase mode"), sort="purchase_mode"),
        Column("buyer_label", _("Ordered by"), sort="buyer_label"),
        Column("placed_at", _("Placed"), "when", sort="placed_at"),
        Column("gross", _("Total"), "money", sort="gross"),
        Column("sell_gross", _("Customer's total"), "money", sort="sell_gross"),
        Column("status", _("Status"), "status", sort="status"),
    )
    filters = (
        Choice("status", _("Status"), "status", OrderStatus.choices),
        Choice("mode", _("Purchase mode"), "purchase_mode", PurchaseMode.choices),
        Filter("account", _("For"), "account__name"),
        Filter("by", _("Ordered by"), "buyer_label"),
        Period("placed", _("Placed"), "placed_at"),
    )
    search = ("number", "account__name")
    sort = "-pk"
    empty_icon = "receipt"
    empty_title = _("No orders yet")
    empty_text = _("What you order appears here, with its progress.")

    def shown_columns(self) -> Sequence[Column]:
        """Who ordered as an end customer reads it."""
        found = super().shown_columns()
        if self.actor.pays:
            return found
        return [replace(item, show=ordered_by, sort="") if item.path == "buyer_label" else item for item in found]

    def shown_filters(self) -> Sequence[Filter]:
        """An end customer looks for nobody by a name that he does not read."""
        return [item for item in super().shown_filters() if self.actor.pays or item.name != "by"]

    def row_url(self, row: Any) -> str:
        """The order with its progress."""
        return reverse("storefront:order_detail", args=[row.public_id])


class SubscriptionList(CustomList, NamedServices):
    """Services of the own account and of a reseller's customers."""

    entity = Entity.SUBSCRIPTION
    perm = Perm.SHOP_SERVICES_VIEW
    title = _("Services")
    selector = subscriptions_for
    columns = (
        Column("name", _("Service"), "main", sort="name", sub="plan.label", sub_label=_("Plan")),
        Column("account.name", _("For"), sort="account__name"),
        Column("get_purchase_mode_display", _("Purchase mode"), sort="purchase_mode"),
        Column("quantity", _("Quantity"), "number", sort="quantity"),
        Column("status", _("Status"), "status", sort="status"),
        Column("auto_renew", _("Renews by itself"), "flag", sort="auto_renew"),
        Column("term_ends_at", _("Term ends"), "when", sort="term_ends_at"),
    )
    filters = (
        Choice("status", _("Status"), "status", SubscriptionStatus.choices),
        Choice("mode", _("Purchase mode"), "purchase_mode", PurchaseMode.choices),
        Filter("account", _("For"), "account__name"),
        Flag("renews", _("Renews by itself"), "auto_renew"),
        Flag("trial", _("Trial"), "is_trial"),
        Period("term", _("Term ends"), "term_ends_at"),
    )
    search = ("sold_name", "account__name", "order_number")
    empty_icon = "repeat"
    empty_title = _("No services yet")
    empty_text = _("Buy something and it appears here.")

    def row_url(self, row: Any) -> str:
        """The service."""
        return reverse("storefront:subscription_detail", args=[row.public_id])


class CustomerList(CustomList, ShopList):
    """A reseller's end customers and affiliate accounts."""

    entity = Entity.ACCOUNT
    perm = Perm.SHOP_CUSTOMERS_VIEW
    template_name = "storefront/customer_list.html"
    title = _("Customers")
    selector = customers_with_approval
    bulk_actions = BULK
    columns = (
        Column("name", _("Name"), "main", sort="name", sub="email", sub_label=_("E-mail")),
        Column("kind", _("Kind"), "status", sort="kind"),
        Column("city", _("City"), sort="city"),
        Column("country", _("Country"), sort="country"),
        Column("needs_approval", _("Needs approval"), "flag", sort="needs_approval"),
        Column("status", _("Status"), "status", sort="status"),
        Column("created_at", _("Since"), "date", sort="created_at"),
    )
    filters = (
        Choice("kind", _("Kind"), "kind", tuple((kind.value, kind.label) for kind in SUB_KINDS)),
        Choice("status", _("Status"), "status", AccountStatus.choices),
        Filter("country", _("Country"), "country"),
        Flag("approval", _("Needs approval"), "needs_approval"),
        Period("since", _("Since"), "created_at"),
    )
    search = ("name", "email", "city")
    sort = "name"
    empty_icon = "users"
    empty_title = _("No customers yet")
    empty_text = _("Make the first one here, or on the way to checkout.")

    def shown_columns(self) -> Sequence[Column]:
        """Whose orders wait, for who turns the switches."""
        return [item for item in super().shown_columns() if self._switches or item.path != "needs_approval"]

    def shown_filters(self) -> Sequence[Filter]:
        """The same."""
        return [item for item in super().shown_filters() if self._switches or item.name != "approval"]

    @property
    def _switches(self) -> bool:
        return self.actor.has(Perm.SHOP_APPROVAL_SWITCH)

    def offered_bulk(self) -> Sequence[BulkAction]:
        """The switch of approvals, unless it is locked."""
        return offered(self.actor)

    def actions(self) -> list[Action]:
        """Who asked to become one, and a new end customer or affiliate account."""
        asked = self._registrations()
        if not self.actor.has(Perm.SHOP_CUSTOMER_CREATE):
            return asked
        found = [
            Action(NEW[kind], reverse("storefront:customer_create", args=[kind]), "plus")
            for kind in (AccountKind.AFFILIATE.value, AccountKind.END_CUSTOMER.value)
        ]
        return [*asked, *found[:-1], replace(found[-1], tone="primary")]

    def _registrations(self) -> list[Action]:
        if not self.actor.has(Perm.SHOP_REGISTRATIONS):
            return []
        waiting = pending_registrations(self.actor).count()
        label = _("Registrations (%(n)s waiting)") % {"n": waiting} if waiting else _("Registrations")
        return [Action(label, reverse("storefront:registration_list"), "users")]

    def context(self) -> dict[str, Any]:
        """The tabs: all, end customers, affiliate accounts."""
        address, chosen = reverse("storefront:customer_list"), self.request.GET.getlist("kind")
        kinds = [(AccountKind.END_CUSTOMER, _("End customers")), (AccountKind.AFFILIATE, _("Affiliate accounts"))]
        tabs = [(_("All"), address, not chosen)]
        return {"tabs": tabs + [(words, f"{address}?kind={kind}", chosen == [kind]) for kind, words in kinds]}

    def row_url(self, row: Any) -> str:
        """The customer with his services."""
        return reverse("storefront:customer_detail", args=[row.public_id])
