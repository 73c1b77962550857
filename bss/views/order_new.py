"""A new order by an employee: for which account, and what (``channel.md`` 7, 8, 10.1)."""

from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.order_new import AddForm, QuantityForm
from catalog.markets import market_for
from catalog.models import Plan, PriceList
from catalog.selectors import plan_of, price_list_of
from core.errors import BusinessError, NotVisible, PermissionRefused
from orders.models import Basket, BasketLine
from orders.selectors import (
    Offer,
    PricedBasket,
    basket_lines,
    basket_rows,
    begun_orders,
    offers_for,
    priced_basket,
    staff_basket,
)
from orders.services.basket import add_line, change_line, open_staff_basket
from orders.targets import mode_of, obstacle, order_targets, ordering_accounts
from resellers.enums import ORDERING_KINDS, AccountStatus, PurchaseMode
from resellers.models import Account
from ui.filters import Choice, Filter
from ui.pages import ListPage, Page
from ui.tables import Column
from users.permissions import Perm

OFFERS = 8


def _obstacle_words(row: Account) -> str:
    refused = obstacle(row)
    return str(refused.message) if refused else ""


class OrderNew(ListPage):
    """For which account: all that order, with what stands in the way of those that cannot now."""

    perm = Perm.ORDER_MANAGE
    template_name = "bss/order_new_page.html"
    title = gettext_lazy("New order")
    intro = gettext_lazy("Choose the account whose services they will be.")
    back = (gettext_lazy("Orders"), "bss:order_list")
    selector = ordering_accounts
    columns = (
        Column(
            "name",
            gettext_lazy("Account"),
            "main",
            sort="name",
            sub="accounting_number",
            sub_label=gettext_lazy("Accounting no."),
        ),
        Column("get_kind_display", gettext_lazy("Kind"), sort="kind"),
        Column("bill_to.name", gettext_lazy("Billed to"), sort="bill_to__name"),
        Column("city", gettext_lazy("City"), sort="city"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("obstacle", gettext_lazy("In the way"), show=_obstacle_words),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("kind", gettext_lazy("Kind"), "kind", tuple((kind.value, kind.label) for kind in ORDERING_KINDS)),
        Choice("status", gettext_lazy("Status"), "status", AccountStatus.choices),
        Filter("bill_to", gettext_lazy("Billed to"), "bill_to__name"),
    )
    search = ("name", "accounting_number", "email", "tax_id", "city")
    sort = "name"
    empty_icon = "building"
    empty_title = gettext_lazy("No accounts yet")
    empty_text = gettext_lazy("Make the customer or reseller first; then you can order for it.")

    def row_url(self, row: Any) -> str:
        """The account's order, unless something stands in the way."""
        return "" if obstacle(row) else reverse("bss:account_order", args=[row.public_id])

    def context(self) -> dict[str, Any]:
        """What this employee began and has not placed."""
        return {"begun": begun_orders(self.actor)}


class OrderStep(Page):
    """A step of the order for the account of the address. ``number`` is its place among the steps."""

    perm = Perm.ORDER_MANAGE
    back = (gettext_lazy("Orders"), "bss:order_list")
    number: ClassVar[int] = 1
    account: Account
    basket: Basket | None
    priced: PricedBasket | None = None

    def load(self, **kwargs: Any) -> Any:
        """The account, what was begun for it, and its prices."""
        self.account = self.find(order_targets(self.actor), kwargs["public_id"])
        self.basket = staff_basket(self.actor, self.account)
        self.priced = priced_basket(self.basket) if self.basket else None
        return self.account

    def url(self, step: str = "", *more: object) -> str:
        """The address of a step of this order."""
        return reverse(f"bss:account_order{step}", args=[self.account.public_id, *more])

    def crumbs(self) -> list[tuple[str, str]]:
        """The orders, and choosing the account."""
        return [*super().crumbs(), (_("New order"), reverse("bss:order_new"))]

    def page_title(self) -> str:
        """For whom it is."""
        return _("Order for %(name)s") % {"name": self.account.name}

    def context(self) -> dict[str, Any]:
        """What every step shows beside its own."""
        mode = mode_of(self.account)
        return {
            "account": self.account,
            "mode": PurchaseMode(mode).label if mode else "",
            "basket": self.basket,
            "priced": self.priced,
            "rows": basket_rows(self.actor, self.priced) if self.priced else [],
            "shows_costs": self.actor.has(Perm.COST_VIEW),
            "step": self.number,
        }

    def ready(self) -> tuple[Basket, PricedBasket]:
        """The basket, if it holds something and the account may order; else BusinessError says what is missing."""
        refused = obstacle(self.account)
        if refused is not None:
            raise refused
        if self.basket is None or self.priced is None or self.priced.is_empty:
            raise BusinessError("basket_empty", _("Choose a product first."))
        return self.basket, self.priced

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """What a service refuses becomes a message on the first step, which refuses nothing to who only looks."""
        if self.number == 1 and request.method != "POST":
            return super().dispatch(request, *args, **kwargs)
        try:
            return super().dispatch(request, *args, **kwargs)
        except (PermissionRefused, NotVisible):
            raise
        except BusinessError as error:
            messages.error(request, str(error.message))
            return redirect("bss:account_order", kwargs["public_id"])


class OrderLines(OrderStep):
    """What is ordered: the lines, and products to choose from at the account's prices."""

    template_name = "bss/order_lines_page.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, or the products found alone for htmx."""
        self.load(**kwargs)
        if self.wants_part():
            self.template_name = "bss/_order_offers.html"  # type: ignore[misc]
        response = self.show()
        response["Vary"] = "HX-Request"
        return response

    def context(self) -> dict[str, Any]:
        """The products found, unless nothing can be ordered."""
        refused = obstacle(self.account)
        words = self.request.GET.get("q", "").replace("\x00", "").strip()[:100]
        prices = None if refused else price_list_of(self.account)
        offers = self.offers(prices, words) if prices else []
        return super().context() | {
            "obstacle": refused.message if refused else "",
            "price_list": prices,
            "offers": offers[:OFFERS],
            "has_more": len(offers) > OFFERS,
            "words": words,
            "taken": {line.plan_id for line in self.priced.lines if not line.parent_id} if self.priced else set(),
        }

    def offers(self, prices: PriceList, words: str) -> list[Offer]:
        """Products that match the words, sold where the account is."""
        market = market_for(self.account.organization, self.account, prices)
        return offers_for(self.actor, prices, words, market=market, limit=OFFERS + 1)


class LineDeed(OrderStep):
    """Something done to the lines by POST; it leads back to them."""

    form_class: ClassVar[type[forms.Form]] = forms.Form

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check the shape, call the service, go back to what was searched."""
        self.load(**kwargs)
        form = self.form_class(request.POST)
        if not form.is_valid():
            raise BusinessError("quantity_invalid", _("Type a whole number of 1 or more."))
        basket = open_staff_basket(self.actor, account=self.account)
        said = self.perform(basket, form.cleaned_data)
        if said:
            messages.success(request, said)
        words = request.POST.get("q", "")
        return redirect(self.url() + (f"?{urlencode({'q': words})}" if words else ""))

    def perform(self, basket: Basket, values: dict[str, Any]) -> str:
        """Call the one service; returns what is said."""
        raise LookupError(f"{type(self).__name__} performs nothing")


class OrderAdd(LineDeed):
    """Puts a plan or an add-on into the order."""

    form_class = AddForm

    def perform(self, basket: Basket, values: dict[str, Any]) -> str:
        """Call the service."""
        plan = self._plan(values["plan"])
        parent = self._line(basket, values["parent"]) if values["parent"] else None
        quantity = values["quantity"]
        add_line(self.actor, basket=basket, site=basket.site, plan=plan, quantity=quantity, parent=parent)
        return _("%(name)s is in the order.") % {"name": plan.product.name}

    def _plan(self, public_id: UUID) -> Plan:
        found = plan_of(self.actor, str(public_id))
        if found is None:
            raise BusinessError("not_sold", _("This product is no longer available."))
        return found

    def _line(self, basket: Basket, public_id: UUID) -> BasketLine:
        found = next((line for line in basket_lines(basket) if line.public_id == public_id), None)
        if found is None:
            raise BusinessError("line_missing", _("This line is no longer in the order."))
        return found


class OrderChange(LineDeed):
    """Changes the quantity of a line, or takes it out."""

    form_class = QuantityForm

    def perform(self, basket: Basket, values: dict[str, Any]) -> str:
        """Call the service; a line that is gone already is no mistake."""
        try:
            change_line(self.actor, basket=basket, line_id=values["line"], quantity=values["quantity"])
        except NotVisible as error:
            return str(error.message)
        return ""
