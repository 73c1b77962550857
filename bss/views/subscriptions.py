"""Subscriptions: whose services run where, and what the vendor knows of them."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRefresh

from billing.selectors import charges_of
from bss.views.shared import history_of
from bss.views.subscription_change import window_context
from bss.views.subscription_deeds import closed_deeds, deeds_for
from catalog.models import Cycle
from core.custom_fields import Entity
from orders.legs import shared_legs
from orders.selectors import orders_for
from orders.services.preview import next_period_price
from resellers.enums import PurchaseMode
from subscriptions.enums import BILLED_STATUSES, OPEN_STATES, SubscriptionStatus
from subscriptions.models import Subscription
from subscriptions.periods import renews_on
from subscriptions.preconditions import Action, facts_of, refusal
from subscriptions.selectors import (
    having,
    listed_subscriptions,
    operation_in_view,
    operations_of,
    subscriptions_with_addons,
)
from ui.custom_fields import CustomList
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import DetailPage, Fact
from ui.tables import Column
from users.permissions import Perm
from vendors.models import SyncStatus
from vendors.selectors import instance_choices

OPERATION_ROWS = 50
CHARGE_ROWS = 20


@dataclass(frozen=True)
class Needs(Choice):
    """What waits at a subscription."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Narrow to those where it does."""
        return having(rows, values.get(self.name) or "")


NEEDS = (
    ("request", gettext_lazy("A cancellation request")),
    ("schedule", gettext_lazy("A scheduled change")),
    ("schedule_failed", gettext_lazy("A scheduled change that failed")),
    ("ending", gettext_lazy("An end within 30 days, without renewal")),
)


class SubscriptionList(CustomList):
    """All subscriptions of the organization."""

    entity = Entity.SUBSCRIPTION
    perm = Perm.BSS_VIEW
    title = gettext_lazy("Subscriptions")
    selector = listed_subscriptions
    columns = (
        Column("name", gettext_lazy("Name"), "main", sort="name", sub="plan.label", sub_label=gettext_lazy("Plan")),
        Column("account.name", gettext_lazy("Account"), sort="account__name"),
        Column("get_purchase_mode_display", gettext_lazy("Purchase mode"), sort="purchase_mode"),
        Column("quantity", gettext_lazy("Quantity"), "number", sort="quantity"),
        Column("unit_price", gettext_lazy("Unit price"), "money", sort="unit_price"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("sync_status", gettext_lazy("Synchronization"), "status", sort="sync_status"),
        Column("term_ends_at", gettext_lazy("End of term"), "date", sort="term_ends_at"),
        Column("bill_to.name", gettext_lazy("Billed to"), in_files_only=True),
        Column("order_number", gettext_lazy("Order"), "code", in_files_only=True),
        Column("get_billing_cycle_display", gettext_lazy("Billing cycle"), in_files_only=True),
        Column("auto_renew", gettext_lazy("Renews by itself"), "flag", in_files_only=True),
        Column("is_trial", gettext_lazy("Trial"), "flag", in_files_only=True),
        Column("starts_at", gettext_lazy("Start"), "when", in_files_only=True),
        Column("cancelled_at", gettext_lazy("Cancelled"), "when", in_files_only=True),
        Column("external_id", gettext_lazy("Vendor's id"), "code", in_files_only=True),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("status", gettext_lazy("Status"), "status", SubscriptionStatus.choices),
        Choice("sync", gettext_lazy("Synchronization"), "sync_status", SyncStatus.choices),
        Choice("mode", gettext_lazy("Purchase mode"), "purchase_mode", PurchaseMode.choices),
        Choice("cycle", gettext_lazy("Billing cycle"), "billing_cycle", Cycle.choices),
        Choice("instance", gettext_lazy("Instance"), "instance__public_id", instance_choices),
        Filter("product", gettext_lazy("Product"), "product__name"),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Filter("bill_to", gettext_lazy("Billed to"), "bill_to__name"),
        Flag("renews", gettext_lazy("Renews by itself"), "auto_renew"),
        Flag("trial", gettext_lazy("Trial"), "is_trial"),
        Needs("needs", gettext_lazy("Has"), "pk", NEEDS),
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
    """One subscription: what runs, what it costs, what may be done, what was asked of the vendor, and its history."""

    perm = Perm.BSS_VIEW
    selector = subscriptions_with_addons
    template_name = "bss/subscription_page.html"
    back = (gettext_lazy("Subscriptions"), "bss:subscription_list")
    facts = (
        Fact("plan.label", gettext_lazy("Plan")),
        Fact("quantity", gettext_lazy("Quantity"), "number"),
        Fact("get_purchase_mode_display", gettext_lazy("Purchase mode")),
        Fact("auto_renew", gettext_lazy("Renews by itself"), "flag"),
        Fact("is_trial", gettext_lazy("Trial"), "flag"),
        Fact("created_at", gettext_lazy("Ordered"), "when"),
        Fact("starts_at", gettext_lazy("Start"), "when"),
        Fact("first_activated_at", gettext_lazy("First activation"), "when"),
        Fact("term_ends_at", gettext_lazy("End of term"), "when"),
        Fact("get_suspend_reason_display", gettext_lazy("Suspended")),
        Fact("cancelled_at", gettext_lazy("Cancelled"), "when", sub="cancel_reason"),
    )
    parts = (
        "bss/_custom.html",
        "bss/_subscription_addons.html",
        "bss/_subscription_money.html",
        "bss/_subscription_operations.html",
    )
    side = ("bss/_subscription_vendor.html", "bss/_subscription_window.html", "bss/_history.html")

    def get(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it; htmx asks for the progress alone, and for all of it once that has ended."""
        if not self.wants_part():
            return super().get(request, public_id, *args, **kwargs)
        self.object = self.find(subscriptions_with_addons(self.actor), public_id)
        found = operation_in_view(self.actor, self.object)
        if found is None or found.state not in OPEN_STATES:
            return HttpResponseClientRefresh()
        return render(
            request, "bss/_subscription_progress.html", {"object": self.object, "operation": found, **self._sees()}
        )

    def shown_facts(self) -> list[Fact]:
        """Empty ones are left out."""
        optional = {"get_purchase_mode_display", "starts_at", "cancelled_at"}
        return [fact for fact in self.facts if fact.path not in optional or fact.raw(self.object)]

    def context(self) -> dict[str, Any]:
        """What may be done, what is under way and what waits; add-ons, money, operations and history."""
        row: Subscription = self.object
        facts = facts_of(row)
        found = operation_in_view(self.actor, row)
        deeds = deeds_for(self.actor, row, facts, found)
        return {
            "operation": found,
            "deeds": deeds,
            "closed_deeds": closed_deeds(deeds),
            "renews_on": renews_on(row),
            "schedule": facts.schedule,
            "request_open": facts.request,
            "addons": list(row.addons.all()),
            "closed_addon": refusal(row, Action.CANCEL_ADDON, facts),
            "charges": charges_of(self.actor, row, limit=CHARGE_ROWS),
            "next_net": next_period_price(row) if row.status in BILLED_STATUSES else None,
            "operations": list(operations_of(self.actor, row)[:OPERATION_ROWS]),
            "order": orders_for(self.actor).filter(number=row.order_number).first() if row.order_number else None,
            "shows_costs": self.actor.has(Perm.COST_VIEW),
            "shared": shared_legs(self.actor, row),
            "history": history_of(self.actor, row),
            **window_context(self.actor, row),
            **self._sees(),
        }

    def _sees(self) -> dict[str, bool]:
        return {
            "links_operations": self.actor.has(Perm.OPERATION_VIEW),
            "may_manage": self.actor.has(Perm.SERVICE_MANAGE),
        }
