"""Subscriptions: whose services run where, and what the vendor knows of them."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy

from bss.views.shared import history_of
from orders.selectors import orders_for
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from subscriptions.selectors import operations_of, subscriptions_for, subscriptions_with_addons
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import DetailPage, Fact, ListPage
from ui.tables import Column
from users.permissions import Perm
from vendors.models import SyncStatus
from vendors.selectors import instance_choices

OPERATION_ROWS = 50


class SubscriptionList(ListPage):
    """All subscriptions of the organization."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Subscriptions")
    selector = subscriptions_for
    columns = (
        Column("name", gettext_lazy("Name"), "main", sort="name", sub="plan.label", sub_label=gettext_lazy("Plan")),
        Column("account.name", gettext_lazy("Account"), sort="account__name"),
        Column("quantity", gettext_lazy("Quantity"), "number", sort="quantity"),
        Column("unit_price", gettext_lazy("Unit price"), "money", sort="unit_price"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("sync_status", gettext_lazy("Synchronization"), "status", sort="sync_status"),
        Column("term_ends_at", gettext_lazy("End of term"), "date", sort="term_ends_at"),
        Column("external_id", gettext_lazy("Vendor's id"), "code", sort="external_id"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("status", gettext_lazy("Status"), "status", SubscriptionStatus.choices),
        Choice("sync", gettext_lazy("Synchronization"), "sync_status", SyncStatus.choices),
        Choice("instance", gettext_lazy("Instance"), "instance__public_id", instance_choices),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Filter("bill_to", gettext_lazy("Billed to"), "bill_to__name"),
        Flag("trial", gettext_lazy("Trial"), "is_trial"),
        Period("term", gettext_lazy("End of term"), "term_ends_at"),
    )
    search = ("name", "account__name", "bill_to__name", "external_id", "order_number")
    empty_icon = "repeat"
    empty_title = gettext_lazy("No subscriptions yet")
    empty_text = gettext_lazy("A subscription appears here as soon as its order is executed.")

    def row_url(self, row: Any) -> str:
        """The subscription with all that is known of it."""
        return reverse("bss:subscription_detail", args=[row.public_id])


class SubscriptionDetail(DetailPage):
    """One subscription: terms, ids, add-ons, what was asked of the vendor, and its history."""

    perm = Perm.BSS_VIEW
    selector = subscriptions_with_addons
    back = (gettext_lazy("Subscriptions"), "bss:subscription_list")
    facts = (
        Fact("plan.label", gettext_lazy("Plan")),
        Fact("quantity", gettext_lazy("Quantity"), "number"),
        Fact("unit_price", gettext_lazy("Unit price"), "money"),
        Fact("get_billing_cycle_display", gettext_lazy("Billing cycle")),
        Fact("get_purchase_mode_display", gettext_lazy("Purchase mode")),
        Fact("auto_renew", gettext_lazy("Renews by itself"), "flag"),
        Fact("is_trial", gettext_lazy("Trial"), "flag"),
        Fact("created_at", gettext_lazy("Ordered"), "when"),
        Fact("starts_at", gettext_lazy("Start"), "when"),
        Fact("first_activated_at", gettext_lazy("First activation"), "when"),
        Fact("term_ends_at", gettext_lazy("End of term"), "when"),
        Fact("cancel_until", gettext_lazy("May be cancelled until"), "when"),
        Fact("cancelled_at", gettext_lazy("Cancelled"), "when"),
    )
    parts = ("bss/_subscription_addons.html", "bss/_subscription_operations.html")
    side = ("bss/_subscription_vendor.html", "bss/_history.html")

    def shown_facts(self) -> list[Fact]:
        """Empty ones are left out."""
        optional = {"get_purchase_mode_display", "starts_at", "cancel_until", "cancelled_at"}
        return [fact for fact in self.facts if fact.path not in optional or fact.raw(self.object)]

    def context(self) -> dict[str, Any]:
        """Its order, its add-ons, its operations and its history."""
        row: Subscription = self.object
        return {
            "addons": list(row.addons.all()),
            "operations": list(operations_of(self.actor, row)[:OPERATION_ROWS]),
            "links_operations": self.actor.has(Perm.OPERATION_VIEW),
            "order": orders_for(self.actor).filter(number=row.order_number).first() if row.order_number else None,
            "shows_costs": self.actor.has(Perm.COST_VIEW),
            "history": history_of(self.actor, row),
        }
