"""The basket: put in, change, say for whom."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.models import Plan
from catalog.selectors import plan_of, price_list_for
from core.errors import BusinessError, NotVisible
from orders.legs import read_name, shown_basket
from orders.models import Basket
from orders.selectors import PricedBasket, priced_basket, unpriced_basket
from orders.services.basket import add_line, change_line, set_target
from resellers.enums import PurchaseMode
from resellers.selectors import own_account, purchase_targets
from storefront.access import ShopRequest, basket_of, has_basket, shop_page
from storefront.forms import AddForm, QuantityForm, TargetForm
from users.permissions import Perm

TARGETS_SHOWN = 50


def price_basket(request: ShopRequest, basket: Basket) -> PricedBasket:
    """The basket with prices; a visitor's with those he may see, a sub account's without any."""
    if request.actor.is_customer and not request.actor.has(Perm.SHOP_PRICES_VIEW):
        return unpriced_basket(basket)
    prices = (
        None if basket.target_account or basket.buyer_account else price_list_for(request.actor, request.shop, None)
    )
    return shown_basket(request.actor, priced_basket(basket, price_list=prices))


def target_form(request: ShopRequest, basket: Basket) -> TargetForm | None:
    """For whom a reseller buys; direct customers are not asked."""
    account = own_account(request.actor)
    if account is None or not account.is_reseller:
        return None
    chosen = {
        "purchase_mode": _asked_mode(request) or basket.purchase_mode or PurchaseMode.PERSONAL_USE,
        "end_customer": basket.target_account if basket.purchase_mode == PurchaseMode.END_CUSTOMER else None,
        "affiliate": basket.target_account if basket.purchase_mode == PurchaseMode.AFFILIATE else None,
    }
    words = request.GET.get("find", "").strip()[:100]
    return TargetForm(
        request.POST if request.method == "POST" else None,
        initial=chosen,
        end_customers=_offered(request, PurchaseMode.END_CUSTOMER, words, chosen["end_customer"]),
        affiliates=_offered(request, PurchaseMode.AFFILIATE, words, chosen["affiliate"]),
    )


def _asked_mode(request: ShopRequest) -> str:
    """What was ticked while a customer is searched for; the search draws the form anew."""
    asked = request.GET.get("purchase_mode", "")
    return asked if asked in PurchaseMode.values else ""


def _offered(request: ShopRequest, mode: str, words: str, chosen: Any) -> Any:
    """The accounts a reseller may buy for; shown are those that match, few enough for a choice, and the chosen one."""
    rows = purchase_targets(request.actor, mode).order_by("name", "id")
    if request.method == "POST":
        return rows
    found = rows.filter(Q(name__icontains=words) | Q(email__icontains=words)) if words else rows
    ids = list(found.values_list("pk", flat=True)[:TARGETS_SHOWN])
    return rows.filter(pk__in=[*ids, *([chosen.pk] if chosen else [])])


@shop_page(anonymous=True)
def basket(request: ShopRequest) -> HttpResponseBase:
    """What is in the basket, what it costs, and for whom it is."""
    if not has_basket(request):
        return render(request, "storefront/basket.html", {"priced": {"is_empty": True}, "step": 1})
    found = basket_of(request)
    context: dict[str, Any] = {"priced": price_basket(request, found), "step": 1}
    context["target_form"] = target_form(request, found)
    context |= {"find": request.GET.get("find", ""), "may_create": request.actor.has(Perm.SHOP_CUSTOMER_CREATE)}
    return render(request, "storefront/basket.html", context)


@require_POST
@shop_page(Perm.SHOP_ORDER, anonymous=True, back="storefront:basket")
def basket_add(request: ShopRequest) -> HttpResponseBase:
    """Put a plan and the add-ons ticked with it into the basket."""
    form = AddForm(request.POST)
    if not form.is_valid():
        raise BusinessError("quantity_invalid", _("Type a whole number of 1 or more."))
    found = basket_of(request)
    plan = _plan(request, str(form.cleaned_data["plan"]))
    quantity = form.cleaned_data["quantity"]
    line = add_line(request.actor, basket=found, site=request.shop, plan=plan, quantity=quantity)
    for public_id in request.POST.getlist("addon"):
        addon = _plan(request, public_id)
        add_line(request.actor, basket=found, site=request.shop, plan=addon, quantity=quantity, parent=line)
    name = read_name(request.actor, plan.product, request.shop)
    messages.success(request, _("%(name)s is in your basket.") % {"name": name})
    return redirect("storefront:basket")


def _plan(request: ShopRequest, public_id: str) -> Plan:
    found = plan_of(request.actor, public_id)
    if found is None:
        raise BusinessError("not_sold", _("This product is no longer available."))
    return found


@require_POST
@shop_page(Perm.SHOP_ORDER, anonymous=True, back="storefront:basket")
def basket_change(request: ShopRequest) -> HttpResponseBase:
    """Change a line's quantity, or take it out."""
    form = QuantityForm(request.POST)
    if not form.is_valid():
        raise BusinessError("quantity_invalid", _("Type a whole number of 1 or more."))
    try:
        change_line(
            request.actor,
            basket=basket_of(request),
            line_id=form.cleaned_data["line"],
            quantity=form.cleaned_data["quantity"],
        )
    except NotVisible as error:
        messages.info(request, str(error.message))
    return redirect("storefront:basket")


@require_POST
@shop_page(Perm.SHOP_ORDER, back="storefront:basket")
def basket_target(request: ShopRequest) -> HttpResponseBase:
    """Say for whom, and go on to the billing information."""
    found = basket_of(request)
    form = target_form(request, found)
    if form is None:
        set_target(request.actor, basket=found, mode="", account=None)
        return redirect("storefront:checkout_billing")
    if not form.is_valid():
        context = {"priced": price_basket(request, found), "target_form": form, "step": 1}
        context["may_create"] = request.actor.has(Perm.SHOP_CUSTOMER_CREATE)
        return render(request, "storefront/basket.html", context, status=400)
    set_target(request.actor, basket=found, mode=form.cleaned_data["purchase_mode"], account=form.chosen())
    return redirect("storefront:checkout_billing")
