"""What a customer has: orders with their progress, subscriptions, a reseller's customers, the company profile."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.errors import NotVisible
from core.selectors import history_for
from core.tenancy import Actor
from orders.enums import ORDER_MACHINE, OrderEvent, OrderStatus
from orders.legs import Both, both_of, shown_order
from orders.models import Order
from orders.selectors import order_with_lines
from orders.services.place import cancel_order
from provisioning.services.kinds import kinds_for
from resellers.enums import AccountKind
from resellers.selectors import accounts_for, memberships_for, needs_approval, own_account, pays_by_card
from resellers.services.accounts import update_account
from sso.selectors import lacks_site
from sso.services.people import is_tended
from storefront.access import ShopRequest, shop_page
from storefront.approval_switch import LOCKED
from storefront.forms import CompanyForm
from storefront.licence_progress import amounts_of
from storefront.progress import order_progress
from subscriptions.legs import reads_both
from subscriptions.selectors import subscriptions_for
from users.permissions import Perm


def may_cancel(actor: Actor, order: Order) -> bool:
    """Whether the order can be withdrawn here; one that waits for the reseller he decides, and does not cancel."""
    is_his = order.status != OrderStatus.SUSPENDED or order.account_id == actor.account_id
    return is_his and actor.has(Perm.SHOP_ORDER) and ORDER_MACHINE.allows(order.status, OrderEvent.CANCEL)


def both_totals(actor: Actor, order: Order) -> Both | None:
    """What the reseller pays and is paid before tax; None for anybody else, and where there is no selling price."""
    sees = reads_both(actor) and actor.has(Perm.SHOP_COST_VIEW)
    return both_of(order.net, order.sell_net) if sees else None


@require_safe
@shop_page(Perm.SHOP_ORDERS_VIEW)
def order_detail(request: ShopRequest, public_id: str) -> HttpResponseBase:
    """One order; its progress refreshes itself until everything is decided."""
    found = order_with_lines(request.actor, public_id)
    if found is None:
        raise Http404
    order = shown_order(request.actor, found)
    context = {
        "order": order,
        "progress": order_progress(request.actor, order),
        "may_cancel": may_cancel(request.actor, found),
        "amounts": amounts_of(order),
        "sees_prices": request.actor.has(Perm.SHOP_PRICES_VIEW) and order.is_priced,
        "both": both_totals(request.actor, found),
        "may_decide": found.status == OrderStatus.SUSPENDED and request.actor.has(Perm.SHOP_APPROVE),
        "history": SimpleLazyObject(lambda: history_for(request.actor, order)),
    }
    partial = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    return render(request, "storefront/_order_progress.html" if partial else "storefront/order_detail.html", context)


@require_POST
@shop_page(Perm.SHOP_ORDER, back="storefront:order_list")
def order_cancel(request: ShopRequest, public_id: str) -> HttpResponseBase:
    """Withdraw an order that was not executed yet."""
    order = order_with_lines(request.actor, public_id)
    if order is None:
        raise Http404
    cancel_order(request.actor, order=order, reason=_("Cancelled by the customer"))
    messages.success(request, _("Order %(number)s is cancelled.") % {"number": order.number})
    return redirect("storefront:order_detail", public_id=public_id)


@require_safe
@shop_page(Perm.SHOP_CUSTOMERS_VIEW)
def customer_detail(request: ShopRequest, public_id: str) -> HttpResponseBase:
    """One of a reseller's customers with its services."""
    account = accounts_for(request.actor).get_visible(request.actor, public_id)
    if account is None or account.bill_to_id != request.actor.account_id:
        raise Http404
    context = {
        "account": account,
        "contacts": account.contacts.all(),
        "members": memberships_for(request.actor, account),
        "may_tend": request.actor.has(Perm.SHOP_USERS_MANAGE) and is_tended(request.actor, account),
        "lacks_site": lacks_site(account),
        "subscriptions": subscriptions_for(request.actor).filter(account=account)[:50],
        "may_edit": request.actor.has(Perm.SHOP_CUSTOMER_CREATE),
        "may_kind": bool(kinds_for(request.actor, account)),
        "may_switch": request.actor.has(Perm.SHOP_APPROVAL_SWITCH) and account.kind == AccountKind.END_CUSTOMER,
        "needs_approval": needs_approval(account),
        "locked": LOCKED if pays_by_card(request.actor) else "",
    }
    return render(request, "storefront/customer_detail.html", context)


@shop_page(Perm.SHOP_VIEW, back="storefront:profile")
def profile(request: ShopRequest) -> HttpResponseBase:
    """The own company: data, users, and for resellers the MPN ID."""
    account = own_account(request.actor)
    if account is None:
        raise NotVisible("account_missing", _("This account does not exist."))
    form = CompanyForm(request.POST or None, initial={name: getattr(account, name) for name in CompanyForm.base_fields})
    if request.method == "POST" and form.is_valid():
        update_account(request.actor, account=account, values=form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("storefront:profile")
    context: dict[str, Any] = {
        "account": account,
        "form": form,
        "may_edit": request.actor.has(Perm.SHOP_COMPANY_EDIT),
        "may_mpn": request.actor.has(Perm.SHOP_MPN),
        "may_manage_users": request.actor.has(Perm.SHOP_USERS_MANAGE),
        "members": memberships_for(request.actor, account),
        "links": account.vendor_links.select_related("instance__application").exclude(mpn_id=""),
    }
    return render(request, "storefront/profile.html", context, status=400 if form.errors else 200)


@require_safe
def terms(request: ShopRequest) -> HttpResponseBase:
    """The site's terms of use and privacy notice; open to everybody."""
    if request.site is None:
        raise Http404
    return render(request, "storefront/terms.html", {"site": request.site})
