"""More of a service: licences, add-ons and upgrades; each becomes an order of the employee who confirms it."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.subscriptions import AddOnForm, QuantityForm, UpgradeForm
from bss.views.subscription_change import ChangePage
from catalog.models import Plan, Product
from catalog.selectors import PricedPlan, addons_of, plan_of, price_list_of, priced_plans, upgrades_of
from core.errors import BusinessError
from orders.enums import OrderStatus
from orders.models import Order
from orders.services import more
from orders.services.more import Wish
from orders.services.preview import Preview
from subscriptions.preconditions import Action
from ui.templatetags.kit import format_money


class OrderMore(ChangePage):
    """What ends in an order, whose page shows how far it is; ``wish`` reckons and ``order`` places it."""

    wish: ClassVar[Callable[..., Wish]]
    order: ClassVar[Callable[..., Order]]

    def wanted(self, values: dict[str, Any]) -> dict[str, Any]:
        """What the services are told: the quantity, and the plan where one is chosen."""
        return {"quantity": values["quantity"]}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What so many cost."""
        return type(self).wish(self.subscription, **self.wanted(values)).preview

    def perform(self, form: Any) -> Order:
        """Order them at the total that was seen."""
        seen = self.previewed.amount.gross if self.previewed else None
        wanted = self.wanted(form.cleaned_data)
        key = form.cleaned_data["key"]
        return type(self).order(self.actor, subscription=self.subscription, key=key, seen_total=seen, **wanted)

    def success_message(self, result: Order) -> str:
        """Over the credit the order only waits."""
        words = _("Order %(n)s is on its way to the vendor.")
        if result.status == OrderStatus.SUBMITTED:
            words = _("Order %(n)s is above the credit. It is stored and waits; nothing was changed.")
        return words % {"n": result.number}

    def done_url(self, result: Order) -> str:
        """The order."""
        return reverse("bss:order_detail", args=[result.public_id])


class BuyLicences(OrderMore):
    """More licences, at the price of the subscription."""

    title = gettext_lazy("Buy licences")
    form_class = QuantityForm
    action = Action.BUY_LICENCES
    wish = more.wish_licences
    order = more.buy_licences

    def initial(self) -> dict[str, Any]:
        """One more."""
        return {"quantity": self.subscription.quantity + 1}


class ChoosePlan(OrderMore):
    """An order of one of several plans, each shown with its price for the account."""

    nothing: ClassVar[Any] = ""

    def products(self) -> QuerySet[Product]:
        """What there is to choose from."""
        raise LookupError(f"{type(self).__name__} offers nothing")

    def fits(self, plan: Plan) -> bool:
        """Whether a plan can be chosen."""
        return plan.is_sellable

    @cached_property
    def plans(self) -> list[tuple[str, str]]:
        """The plans that have a price for the account, as choices."""
        found = priced_plans(self.products(), price_list_of(self.subscription.account))
        return [self._choice(item) for items in found.values() for item in items if self.fits(item.plan)]

    def _choice(self, item: PricedPlan) -> tuple[str, str]:
        price = format_money(item.price.amount, self.subscription.currency)
        return str(item.plan.public_id), f"{item.plan.product.name}, {item.plan.label}: {price}"

    def form_kwargs(self) -> dict[str, Any]:
        """The choices."""
        return {"plans": self.plans}

    def initial(self) -> dict[str, Any]:
        """All licences, of the plan that was asked for or the first."""
        asked, known = self.request.GET.get("plan", ""), dict(self.plans)
        return {"quantity": self.subscription.quantity, "plan": asked if asked in known else next(iter(known), "")}

    def obstacle(self) -> str:
        """There may be nothing to choose from."""
        return super().obstacle() or ("" if self.plans else str(self.nothing))

    def wanted(self, values: dict[str, Any]) -> dict[str, Any]:
        """The chosen plan too."""
        plan = plan_of(self.actor, str(values["plan"]))
        if plan is None:
            raise BusinessError("plan_missing", _("Choose one of the list."), field="plan")
        return super().wanted(values) | {"plan": plan}


class BuyAddOn(ChoosePlan):
    """An add-on of the product, or more of one the subscription has."""

    title = gettext_lazy("Buy an add-on")
    form_class = AddOnForm
    action = Action.BUY_ADDON
    wish = more.wish_addon
    order = more.buy_addon
    nothing = gettext_lazy("No add-on of this product has a price for the account.")

    def products(self) -> QuerySet[Product]:
        """The product's add-ons."""
        return addons_of(self.subscription.product, self.actor)


class Upgrade(ChoosePlan):
    """All licences or a part of them go over to another product."""

    title = gettext_lazy("Upgrade")
    form_class = UpgradeForm
    action = Action.UPGRADE
    reads_vendor = True
    wish = more.wish_upgrade
    order = more.upgrade
    nothing = gettext_lazy("No upgrade with the same term and billing has a price for the account.")

    def products(self) -> QuerySet[Product]:
        """What the catalogue knows as upgrades."""
        return upgrades_of(self.subscription.product, self.actor)

    def fits(self, plan: Plan) -> bool:
        """The same term and billing cycle."""
        row = self.subscription
        return super().fits(plan) and (plan.term, plan.billing_cycle) == (row.term, row.billing_cycle)
