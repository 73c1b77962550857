"""*Reseller Plans*: what each plan gives, what it costs, and the way into the basket (``channel.md`` 3.3)."""

from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from catalog.selectors import PricedPlan
from core.errors import Conflict, NotVisible
from orders.selectors import live_plans, plans_on_offer
from orders.services.basket import add_line, set_target
from orders.services.plan_order import switch_down
from resellers.editions import EDITION_RANKS
from resellers.enums import PurchaseMode
from resellers.models import Account, Site
from resellers.routing import site_address, site_of_reseller
from resellers.selectors import own_account
from resellers.services.sites import change_alias
from storefront.access import ShopRequest, basket_of, shop_page
from storefront.forms import TermsForm
from storefront.plan_words import matrix
from ui.alias import AliasForm
from ui.pages import ActionPage, FormPage
from users.permissions import Perm


def _reseller(request: ShopRequest) -> Account:
    """The reseller whose user looks; the page does not exist for anybody else."""
    account = own_account(request.actor, request.user)
    if account is None or not account.is_reseller:
        raise Http404
    return account


@require_safe
@shop_page()
def plan_list(request: ShopRequest) -> HttpResponseBase:
    """The plans side by side, the present one marked, and the shop it gives."""
    account = _reseller(request)
    site = site_of_reseller(account.pk)
    offers: dict[str, list[Any]] = {}
    for item in plans_on_offer(account):
        offers.setdefault(item.plan.product.code, []).append(item)
    context = {
        "account": account,
        "matrix": matrix(),
        "offers": [
            (code, items[0].plan.product, items, EDITION_RANKS.get(code, 0) < EDITION_RANKS.get(account.edition, 0))
            for code, items in offers.items()
        ],
        "running": live_plans(account.pk),
        "own_site": site,
        "own_address": site_address(site) if site else "",
        "may_order": request.actor.has(Perm.SHOP_PLAN_ORDER) and request.actor.has(Perm.SHOP_ORDER),
        "sees_prices": request.actor.has(Perm.SHOP_PRICES_VIEW),
    }
    return render(request, "storefront/plan_list.html", context)


@require_POST
@shop_page(Perm.SHOP_PLAN_ORDER, back="storefront:plan_list")
def plan_choose(request: ShopRequest) -> HttpResponseBase:
    """Put a plan into the basket, for the reseller himself, and go on to the checkout."""
    account = _reseller(request)
    chosen = {str(item.plan.public_id): item.plan for item in plans_on_offer(account)}
    plan = chosen.get(request.POST.get("plan", ""))
    if plan is None:
        raise NotVisible("plan_missing", _("This plan is no longer offered."))
    basket = basket_of(request)
    if basket.lines.exclude(plan=plan).exists():
        raise Conflict("basket_full", _("A plan is ordered on its own. Order or empty your basket first."))
    basket = set_target(request.actor, basket=basket, mode=PurchaseMode.PERSONAL_USE, account=account)
    add_line(request.actor, basket=basket, site=request.shop, plan=plan, quantity=1)
    return redirect("storefront:checkout_billing")


class PlanSwitch(ActionPage):
    """To a smaller plan at the end of the paid period."""

    layout = "base_storefront.html"
    perm = Perm.SHOP_PLAN_ORDER
    title = gettext_lazy("Switch to a smaller plan")
    back = (gettext_lazy("Reseller plans"), "storefront:plan_list")
    form_class = TermsForm
    submit = gettext_lazy("Switch at the end of the period")
    success = gettext_lazy("Your plan changes at the end of its paid period.")

    def load(self, **kwargs: Any) -> PricedPlan:
        """The smaller plan."""
        account = own_account(self.actor, self.request.user)
        offers = plans_on_offer(account) if account is not None else []
        found = next((item for item in offers if item.plan.public_id == kwargs["public_id"]), None)
        if found is None:
            raise NotVisible("plan_missing", _("This plan is no longer offered."))
        return found

    def consequences(self) -> list[str]:
        """What changes then."""
        return [
            _("Your present plan runs, and is billed, until the end of its period; then %(plan)s begins.")
            % {"plan": self.object.plan.product.name},
            _("Your storefront stays open under its address; your customers then see, but no longer order."),
            _("Your product list and selling prices are kept for 90 days."),
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        account = own_account(self.actor, self.request.user)
        site: Site | None = getattr(self.request, "site", None)
        if account is None or site is None:
            raise NotVisible("plan_missing", _("This plan is no longer offered."))
        switch_down(self.actor, account=account, plan=self.object.plan, site=site)


class AliasChange(FormPage):
    """Another alias for the own storefront."""

    layout = "base_storefront.html"
    perm = Perm.SHOP_PLAN_ORDER
    title = gettext_lazy("Storefront alias")
    intro = gettext_lazy("The old address leads to the new one for 90 days. The alias can be changed once in 30 days.")
    back = (gettext_lazy("Reseller plans"), "storefront:plan_list")
    form_class = AliasForm
    submit = gettext_lazy("Change the alias")
    success = gettext_lazy("Your storefront has its new address.")

    def load(self, **kwargs: Any) -> Site:
        """The reseller's site."""
        account = own_account(self.actor, self.request.user)
        site = site_of_reseller(account.pk) if account is not None and account.is_reseller else None
        if site is None:
            raise NotVisible("site_missing", _("You have no storefront yet."))
        return site

    def initial(self) -> dict[str, Any]:
        """The present one."""
        return {"alias": self.object.alias}

    def perform(self, form: Any) -> Site:
        """Call the service."""
        return change_alias(self.actor, site=self.object, text=form.cleaned_data["alias"])

    def done_url(self, result: Site) -> str:
        """Back to the plans; below an alias, at the new one."""
        site: Site | None = getattr(self.request, "site", None)
        if site is not None and site.pk == result.pk and not result.host:
            return f"/{result.alias}/plans/"
        return reverse("storefront:plan_list")
