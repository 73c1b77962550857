"""The overview: how the business stands, what waits for somebody, and how to begin."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.selectors import charged_by_day
from catalog.selectors import catalogue_progress
from orders.enums import OrderStatus
from orders.selectors import orders_at_work, waits_for
from resellers.enums import AccountStatus
from resellers.selectors import accounts_for, organization_of
from subscriptions.enums import SubscriptionStatus
from subscriptions.selectors import desk_count, desk_operations, subscriptions_for
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
        """Tiles, chart, newest orders, the desk, and the steps while one is open."""
        organization = organization_of(self.actor)
        currency = organization.currency if organization else ""
        days = charged_by_day(self.actor, currency)
        steps = self._steps()
        sees_desk = self.actor.has(Perm.OPERATION_VIEW)
        return {
            "tiles": self._tiles(sees_desk),
            "bars": [max(0, round(amount)) for _day, amount in days],
            "first_day": days[0][0],
            "last_day": days[-1][0],
            "charged": sum((amount for _day, amount in days), Decimal(0)),
            "currency": currency,
            "orders": [(row, waits_for(row)) for row in orders_at_work(self.actor)[:ROWS]],
            "desk": list(desk_operations(self.actor)[:ROWS]) if sees_desk else None,
            "steps": steps if not all(step.is_done for step in steps) else [],
        }

    def _tiles(self, sees_desk: bool) -> list[Tile]:
        active = subscriptions_for(self.actor).filter(status=SubscriptionStatus.ACTIVE).order_by().count()
        waiting = orders_at_work(self.actor).filter(status=OrderStatus.SUBMITTED).order_by().count()
        accounts = accounts_for(self.actor).filter(status=AccountStatus.ACTIVE).order_by().count()
        found = [
            Tile(_("Active subscriptions"), "repeat", active, reverse("bss:subscription_list") + "?status=active"),
            Tile(_("Orders waiting"), "receipt", waiting, reverse("bss:order_list") + "?status=submitted"),
        ]
        if sees_desk:
            count = desk_count(self.actor)
            url = reverse("bss:operation_list")
            found.append(Tile(_("On the operations desk"), "lifebuoy", count, url))
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
