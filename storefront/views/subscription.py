"""A service's own page: how it stands, what goes on, what may be done with it, and what was."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy

from core.selectors import history_for
from core.tenancy import Actor, TenantQuerySet
from orders.legs import Both, both_of, shown_order
from orders.models import Order
from orders.selectors import orders_for
from orders.services.giveback import window_of
from orders.services.outlook import preview_schedule
from orders.services.preview import next_period_price, renews_at
from provisioning.services.refresh import is_stale, reading_job, start_refresh
from storefront.service_words import Deed, deeds, told
from subscriptions.enums import BILLED_STATUSES, ScheduleStatus, SubscriptionStatus
from subscriptions.legs import reads_both, shown_request, shown_to
from subscriptions.models import Asset, ScheduledChange, Subscription, SubscriptionAddOn
from subscriptions.preconditions import Action, Facts, facts_of, is_recurring, refusal
from subscriptions.selectors import (
    change_in_view,
    request_in_view,
    requests_for,
    schedule_in_view,
    subscriptions_with_addons,
)
from ui.pages.base import Page
from users.permissions import Perm

ORDER_ROWS = 20


def services_for(actor: Actor) -> TenantQuerySet[Subscription]:
    """Services the actor may see, with all that their pages and previews look at."""
    return subscriptions_with_addons(actor).select_related(
        "account", "bill_to", "plan", "product__product_type", "instance__application", "organization"
    )


class ServicePage(Page):
    """A page about one service, in the storefront's layout."""

    perm = Perm.SHOP_SERVICES_VIEW
    layout = "base_storefront.html"
    back = (gettext_lazy("Services"), "storefront:subscription_list")
    service: Subscription

    def load(self, public_id: object) -> Subscription:
        """The service of the address."""
        row: Subscription = self.find(services_for(self.actor), public_id)
        return shown_to(self.actor, row)


@dataclass(frozen=True)
class NextCharge:
    """What is charged next, before tax, and when; ``is_renewal``: with the first period of a new term."""

    net: Decimal
    at: dt.datetime
    is_renewal: bool


def next_charge(row: Subscription, schedule: ScheduledChange | None) -> NextCharge | None:
    """The next bill as it would be today; None where nothing more is billed."""
    at, renews = row.period_ends_at, renews_at(row)
    if row.status not in BILLED_STATUSES or not is_recurring(row) or at is None:
        return None
    is_renewal = renews is not None and at >= renews
    if is_renewal and (not row.auto_renew or row.status == SubscriptionStatus.PENDING_CANCEL):
        return None
    if is_renewal and schedule is not None and schedule.status == ScheduleStatus.PENDING:
        net = preview_schedule(row, quantity=schedule.quantity, plan=schedule.plan).next_net
        return NextCharge(net if net is not None else next_period_price(row), at, is_renewal)
    return NextCharge(next_period_price(row), at, is_renewal)


@dataclass(frozen=True)
class AddOnLine:
    """An add-on with the page that changes it (empty: no right), or why it cannot be changed now."""

    row: SubscriptionAddOn
    url: str
    reason: str


def addon_lines(actor: Actor, row: Subscription, facts: Facts) -> list[AddOnLine]:
    """Every add-on of a service that is not over."""
    found = refusal(row, Action.CANCEL_ADDON, facts)
    may = actor.has(Perm.SHOP_SERVICES_MANAGE)
    lines = []
    for addon in row.addons.all():
        if addon.status == SubscriptionStatus.CANCELLED:
            continue
        url = ""
        if may and addon.status == SubscriptionStatus.ACTIVE:
            url = reverse("storefront:subscription_addon_change", args=[row.public_id, addon.public_id])
        if may and addon.status == SubscriptionStatus.PENDING_CANCEL:
            url = reverse("storefront:subscription_addon_end", args=[row.public_id, addon.public_id])
        lines.append(AddOnLine(addon, url, found.message if found else ""))
    return lines


def deeds_context(actor: Actor, row: Subscription, facts: Facts) -> dict[str, Any]:
    """What ``storefront/_subscription_deeds.html`` draws: what is possible, and the rest by the reason against it."""
    found = deeds(actor, row, facts)
    closed: dict[str, list[Deed]] = {}
    for deed in found:
        if deed.reason:
            closed.setdefault(deed.reason, []).append(deed)
    return {"deeds": found, "open_deeds": [deed for deed in found if not deed.reason], "closed_deeds": closed}


def window_context(actor: Actor, row: Subscription) -> dict[str, Any]:
    """What ``storefront/_subscription_window.html`` draws: the vendor's window and whether it is being read."""
    is_live = row.status in BILLED_STATUSES
    return {
        "window": window_of(row) if is_live else None,
        "is_stale": is_live and is_stale(row),
        "reading": reading_job(actor, row) if is_live else None,
        "may_manage": actor.has(Perm.SHOP_SERVICES_MANAGE),
    }


def orders_of(actor: Actor, row: Subscription) -> list[Order]:
    """The orders that made or changed a service, newest first; none for who may not see orders."""
    if not actor.has(Perm.SHOP_ORDERS_VIEW):
        return []
    rows = orders_for(actor).filter(lines__subscription=row).distinct().prefetch_related("lines")
    return [shown_order(actor, order) for order in rows[:ORDER_ROWS]]


def both_legs(actor: Actor, row: Subscription | Asset) -> Both | None:
    """What the reseller pays and is paid for a unit; None for anybody else, and where there is no selling price."""
    sees = reads_both(actor) and actor.has(Perm.SHOP_COST_VIEW)
    return both_of(row.unit_price, row.sell_unit_price) if sees else None


class SubscriptionDetail(ServicePage):
    """How one service stands; htmx asks for the change under way alone, until it is over."""

    template_name = "storefront/subscription_detail.html"

    def page_title(self) -> str:
        """The service's name."""
        return self.service.name

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Show it, or the change under way."""
        self.service = self.load(public_id)
        if self.wants_part() and request.headers.get("HX-Target") == "change":
            return self.part(request)
        return self.show()

    def part(self, request: HttpRequest) -> HttpResponseBase:
        """The change alone; once it is over, the page is told to draw the rest anew."""
        change = told(change_in_view(self.actor, self.service))
        response = render(
            request, "storefront/_subscription_progress.html", {"change": change, "service": self.service}
        )
        if change is None or not change.is_open:
            response["HX-Trigger-After-Settle"] = "service-changed"
        return response

    def context(self) -> dict[str, Any]:
        """Everything the page shows; amounts only for who may see prices."""
        row, actor = self.service, self.actor
        facts, schedule, change = facts_of(row), schedule_in_view(actor, row), change_in_view(actor, row)
        sees_prices = actor.has(Perm.SHOP_PRICES_VIEW) and row.is_priced
        is_at_end = row.status == SubscriptionStatus.PENDING_CANCEL or not row.auto_renew
        return {
            "service": row,
            "change": told(change, is_ribbon_elsewhere=True),
            **deeds_context(actor, row, facts),
            "addons": addon_lines(actor, row, facts),
            "schedule": schedule,
            "wish": shown_request(actor, request_in_view(actor, row)),
            "renews": renews_at(row),
            "ends": is_at_end and is_recurring(row),
            "is_recurring": is_recurring(row),
            "charge": next_charge(row, schedule) if sees_prices else None,
            "sees_prices": sees_prices,
            "both": both_legs(actor, row) if sees_prices else None,
            "orders": orders_of(actor, row),
            "history": history_for(actor, row, *requests_for(actor).filter(subscription=row)),
            **window_context(actor, row),
        }


class SubscriptionRefresh(ServicePage):
    """Reads the vendor's window anew: POST starts it, GET tells how far it is (htmx) or leads back."""

    perm = Perm.SHOP_SERVICES_MANAGE

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """The window as it stands now."""
        self.service = self.load(public_id)
        return self.answer(request)

    def post(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Ask the vendor in the background."""
        self.service = self.load(public_id)
        start_refresh(self.actor, self.service)
        return self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """The part with the window; without htmx, the service's page."""
        if not self.wants_part():
            return redirect("storefront:subscription_detail", public_id=self.service.public_id)
        known = window_context(self.actor, self.service)
        response = render(
            request, "storefront/_subscription_window.html", {"service": self.service, "asked": 1, **known}
        )
        if known["reading"] is None:
            response["HX-Trigger-After-Settle"] = "window-read"
        return response
