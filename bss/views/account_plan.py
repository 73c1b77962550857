"""A reseller's plan and storefront from the account's page: *Upgrade reseller*, another alias (``channel.md`` 3.2)."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.plans import UpgradeForm
from bss.views.account_forms import OfAccount
from core import money
from core.errors import NotVisible
from orders.models import Order
from orders.selectors import plans_on_offer
from orders.services.plan_order import order_plan
from resellers.models import Site
from resellers.routing import site_of_reseller
from resellers.services.sites import change_alias
from ui.alias import AliasForm
from users.permissions import Perm


class AccountUpgrade(OfAccount):
    """One form: plan and alias; the order is placed and, within the credit, executed."""

    title = gettext_lazy("Upgrade reseller")
    intro = gettext_lazy("The order is placed for the reseller and executed at once if his credit allows it.")
    form_class = UpgradeForm
    submit = gettext_lazy("Order and execute")

    def form_kwargs(self) -> dict[str, Any]:
        """The plans with their prices, and whether the alias has to be asked."""
        offers = [
            (
                str(item.plan.public_id),
                _("%(name)s, %(plan)s: %(price)s")
                % {
                    "name": item.plan.product.name,
                    "plan": item.plan.label,
                    "price": money.show(item.price.amount, item.price.currency),
                },
            )
            for item in plans_on_offer(self.object)
        ]
        return {"plans": offers, "asks_alias": site_of_reseller(self.object.pk) is None}

    def initial(self) -> dict[str, Any]:
        """The largest plan is why somebody comes here; of its ways to buy, the first."""
        offers = plans_on_offer(self.object)
        largest = offers[-1].plan.product_id if offers else None
        return {"plan": next((str(item.plan.public_id) for item in offers if item.plan.product_id == largest), "")}

    def perform(self, form: Any) -> Order:
        """Call the service."""
        self.actor.require(Perm.ORDER_MANAGE, self.object)
        chosen = {str(item.plan.public_id): item.plan for item in plans_on_offer(self.object)}
        plan = chosen.get(form.cleaned_data["plan"])
        if plan is None:
            raise NotVisible("plan_missing", _("This plan is no longer offered."))
        return order_plan(self.actor, account=self.object, plan=plan, alias=form.cleaned_data.get("alias", ""))

    def success_message(self, result: Order) -> str:
        """What became of it."""
        if result.executed_at:
            return _("%(number)s is being executed; the storefront opens in a moment.") % {"number": result.number}
        return _("%(number)s waits: the credit is not enough.") % {"number": result.number}

    def done_url(self, result: Order) -> str:
        """On to the order, whose page shows the progress."""
        return reverse("bss:order_detail", args=[result.public_id])


class AccountAlias(OfAccount):
    """Another alias for the reseller's storefront."""

    title = gettext_lazy("Storefront alias")
    intro = gettext_lazy("The old address leads to the new one for 90 days. The alias can be changed once in 30 days.")
    form_class = AliasForm
    submit = gettext_lazy("Change the alias")
    success = gettext_lazy("The storefront has its new address.")

    def _site(self) -> Site:
        site = site_of_reseller(self.object.pk)
        if site is None:
            raise NotVisible("site_missing", _("This account has no storefront."))
        return site

    def initial(self) -> dict[str, Any]:
        """The present one."""
        return {"alias": self._site().alias}

    def perform(self, form: Any) -> Site:
        """Call the service."""
        return change_alias(self.actor, site=self._site(), text=form.cleaned_data["alias"])
