"""The overview: what needs a hand first, how the business stands, and how to begin."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.selectors import charged_by_day
from bss.widgets import Widget, widgets_for
from catalog.selectors import catalogue_progress
from orders.selectors import orders_at_work, waits_for
from resellers.enums import AccountStatus
from resellers.middleware import ActorRequest
from resellers.selectors import accounts_for
from subscriptions.enums import SubscriptionStatus
from subscriptions.selectors import subscriptions_for
from ui.pages import Page
from users.permissions import Perm
from vendors.models import InstanceState
from vendors.selectors import instances_for

ROWS = 5


@dataclass(frozen=True)
class Tile:
    """One figure that leads to the list behind it."""

    label: str
    icon: str
    value: int
    url: str


@dataclass(frozen=True)
class Step:
    """One step on the way to the first sale; ``page`` is the URL name where it is done."""

    label: str
    text: str
    page: str
    is_done: bool


class Dashboard(Page):
    """The first page of an employee."""

    perm = Perm.BSS_VIEW
    template_name = "bss/dashboard.html"
    title = gettext_lazy("Overview")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it."""
        return self.show()

    def context(self) -> dict[str, Any]:
        """What needs a hand, tiles, chart, newest orders, and the steps until something was sold."""
        organization = cast(ActorRequest, self.request).organization
        currency = organization.currency if organization else ""
        days = charged_by_day(self.actor, currency)
        subscriptions = subscriptions_for(self.actor).filter(status=SubscriptionStatus.ACTIVE)
        accounts = accounts_for(self.actor).filter(status=AccountStatus.ACTIVE)
        widgets, counts = widgets_for(self.actor, [subscriptions, accounts])
        tiles = self._tiles({widget.name: widget for widget in widgets}, *counts)
        steps = self._steps() if not tiles[0].value else []
        return {
            "busy": [widget for widget in widgets if widget.count or widget.is_broken],
            "calm": [widget for widget in widgets if not widget.count and not widget.is_broken],
            "tiles": tiles,
            "bars": [max(0, round(amount)) for _day, amount in days],
            "first_day": days[0][0],
            "last_day": days[-1][0],
            "charged": sum((amount for _day, amount in days), Decimal(0)),
            "currency": currency,
            "orders": [(row, waits_for(row)) for row in orders_at_work(self.actor)[:ROWS]],
            "steps": steps if not all(step.is_done for step in steps) else [],
        }

    def _tiles(self, widgets: dict[str, Widget], active: int, accounts: int) -> list[Tile]:
        found = [
            Tile(_("Active subscriptions"), "repeat", active, reverse("bss:subscription_list") + "?status=active"),
            Tile(_("Orders waiting"), "receipt", widgets["orders"].count, widgets["orders"].url),
        ]
        if "desk" in widgets:
            found.append(Tile(_("On the operations desk"), "lifebuoy", widgets["desk"].count, widgets["desk"].url))
        url = reverse("bss:account_list") + "?status=active"
        return [*found, Tile(_("Active accounts"), "building", accounts, url)]

    def _steps(self) -> list[Step]:
        known = catalogue_progress(self.actor)
        has_instance = instances_for(self.actor).filter(state=InstanceState.ACTIVE).exists()
        return [
            Step(
                _("Set up an instance"),
                _("Connect your account at a vendor in Applications setup and activate it."),
                "bss:instance_list",
                has_instance,
            ),
            Step(
                _("Pull the catalogue"),
                _("Let the service definition fetch the vendor's products and costs."),
                "bss:instance_list",
                known.has_products,
            ),
            Step(
                _("Make a price list"),
                _("Say what customers pay: a mark-up for everything, or prices of your own."),
                "bss:price_list_list",
                known.has_price_list,
            ),
            Step(
                _("Publish products"),
                _("Published products with a price appear in the storefront."),
                "bss:product_list",
                known.has_published,
            ),
        ]
