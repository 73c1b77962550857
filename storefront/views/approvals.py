"""A reseller decides what his customers order or ask for: the queues, the decisions, and whose orders need one."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.tenancy import Actor
from orders.approvals import approvals_for, approvals_with_lines
from orders.enums import OrderStatus
from orders.legs import Both, both_of
from orders.models import Order, OrderLine
from orders.services.approve import CostToday, approve_order, cost_today, decided_words, reject_order
from orders.services.place import PriceChanged
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account
from resellers.selectors import customers_of
from resellers.services.approval import set_all_order_approvals, set_order_approval
from storefront.forms import DecideForm, RequestAnswerForm
from storefront.views.lists import ShopList
from subscriptions.enums import RequestKind
from subscriptions.models import CancellationRequest
from subscriptions.selectors import requests_at_reseller
from subscriptions.services.requests import forward_request, refuse_request
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, ActionPage, BulkAction
from ui.pages.base import Page
from ui.tables import Column
from users.permissions import Perm

BACK = (gettext_lazy("Approvals"), "storefront:approval_list")


class ApprovalList(ShopList):
    """What customers ordered that waits for the reseller, or waited."""

    perm = Perm.SHOP_APPROVE
    title = gettext_lazy("Approvals")
    intro = gettext_lazy("Nothing is set up or charged until you approve it. After 14 days an order is rejected.")
    selector = approvals_for
    columns = (
        Column("number", gettext_lazy("Order"), "main", sort="number"),
        Column(
            "account.name",
            gettext_lazy("Customer"),
            sort="account__name",
            sub="buyer_label",
            sub_label=gettext_lazy("Ordered by"),
        ),
        Column("approval_asked_at", gettext_lazy("Asked"), "when", sort="approval_asked_at"),
        Column("net", gettext_lazy("Your cost, net"), "money", sort="net"),
        Column("sell_net", gettext_lazy("Customer pays, net"), "money", sort="sell_net"),
        Column("sell_margin", gettext_lazy("Margin"), "money"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("decided_by", gettext_lazy("Decided by"), sort="decided_by"),
    )
    filters = (
        Choice("status", gettext_lazy("Status"), "status", OrderStatus.choices),
        Filter("account", gettext_lazy("Customer"), "account__name"),
        Filter("by", gettext_lazy("Ordered by"), "buyer_label"),
        Period("asked", gettext_lazy("Asked"), "approval_asked_at"),
    )
    search = ("number", "account__name", "buyer_label")
    sort = "-approval_asked_at"
    empty_icon = "check"
    empty_title = gettext_lazy("Nothing waits for you")
    empty_text = gettext_lazy("What your customers order appears here, as long as you want to approve it first.")

    def shown_columns(self) -> list[Column]:
        """Cost and margin for those who may see them."""
        sees = self.actor.has(Perm.SHOP_COST_VIEW)
        return [column for column in self.columns if sees or column.kind != "money"]

    def actions(self) -> list[Action]:
        """Whose orders wait at all."""
        found = [Action(_("Cancellation requests"), reverse("storefront:approval_requests"), "mail")]
        if self.actor.has(Perm.SHOP_APPROVAL_SWITCH):
            found.append(Action(_("Whose orders need approval"), reverse("storefront:approval_switches"), "users"))
        return found

    def row_url(self, row: Any) -> str:
        """The decision."""
        return reverse("storefront:approval_decide", args=[row.public_id])


@dataclass(frozen=True)
class Decided:
    """One line with both legs as they would be if it were approved now; ``both`` is None without a selling price."""

    line: OrderLine
    net: Any
    both: Both | None


class ApprovalDecide(Page):
    """One order that waits: what it costs, what the customer pays, and the two answers."""

    perm = Perm.SHOP_APPROVE
    layout = "base_storefront.html"
    template_name = "storefront/approval_decide.html"
    back = BACK
    order: Order
    today: CostToday | None = None
    refused: BusinessError | None = None
    is_changed = False

    def page_title(self) -> str:
        """The order's number."""
        return _("Order %(number)s") % {"number": self.order.number}

    def intro(self) -> str:
        """Who ordered, and for whom."""
        return _("%(who)s of %(name)s") % {"who": self.order.buyer_label, "name": self.order.account.name}

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Both legs as they are today."""
        self.load(public_id)
        return self.show(form=DecideForm(initial=self.initial()))

    def load(self, public_id: str) -> None:
        """The order and what it costs now; what can no longer be ordered at all is said."""
        self.order = self.find(approvals_with_lines(self.actor), public_id)
        if self.order.status != OrderStatus.SUSPENDED:
            return
        try:
            self.today = cost_today(self.order)
        except BusinessError as error:
            self.refused = error

    def initial(self) -> dict[str, Any]:
        """The total that is shown."""
        return {"seen_total": self.today.gross if self.today else 0}

    def context(self) -> dict[str, Any]:
        """The lines, the sums, the credit after it."""
        order, today = self.order, self.today
        lines = [
            Decided(line, net, both_of(net, line.sell_net))
            for line in order.lines.all()
            for net in [today.lines[line.pk].amount.net if today else line.net]
        ]
        return {
            "order": order,
            "lines": lines,
            "today": today,
            "both": both_of(today.net if today else order.net, order.sell_net),
            "is_open": order.status == OrderStatus.SUSPENDED,
            "decided": decided_words(order) if order.status != OrderStatus.SUSPENDED else "",
            "refused": self.refused,
            "is_changed": self.is_changed,
            "sees_cost": self.actor.has(Perm.SHOP_COST_VIEW),
        }

    def post(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Approve or reject; whoever comes second reads who was first."""
        self.load(public_id)
        form = DecideForm(request.POST)
        if not form.is_valid():
            return self.show(status=400, form=form)
        try:
            words = self.decide(form)
        except (PermissionRefused, NotVisible):
            raise
        except PriceChanged:
            self.is_changed = True
            return self.show(status=409, form=DecideForm(initial=self.initial()))
        except BusinessError as error:
            if error.field in form.fields:
                form.add_error(error.field, str(error.message))
            else:
                self.load(public_id)
                self.refused = error
            return self.show(status=409 if isinstance(error, Conflict) else 400, form=form)
        messages.success(request, words)
        return redirect("storefront:approval_list")

    def decide(self, form: DecideForm) -> str:
        """Call the one service, and say what came of it."""
        values, number = form.cleaned_data, self.order.number
        if values["deed"] == "reject":
            reject_order(self.actor, order=self.order, reason=values["reason"])
            return _("Order %(number)s is rejected. The customer reads why.") % {"number": number}
        row = approve_order(self.actor, order=self.order, seen_total=values["seen_total"])
        if row.status == OrderStatus.SUBMITTED:
            return _("Order %(number)s is approved. It waits for your credit.") % {"number": number}
        return _("Order %(number)s is approved and on its way.") % {"number": number}


class RequestList(ShopList):
    """What end customers under approval ask to be cancelled, before the provider's staff see it."""

    perm = Perm.SHOP_APPROVE
    title = gettext_lazy("Cancellation requests")
    intro = gettext_lazy("Your customers ask for these. Pass them on to your provider, or refuse them.")
    back = BACK
    selector = requests_at_reseller
    columns = (
        Column("subscription.name", gettext_lazy("Service"), "main", sort="subscription__name"),
        Column("subscription.account.name", gettext_lazy("Customer"), sort="subscription__account__name"),
        Column("get_kind_display", gettext_lazy("What"), sort="kind"),
        Column("quantity", gettext_lazy("How many"), "number", sort="quantity"),
        Column("requested_by", gettext_lazy("By"), sort="requested_by"),
        Column("created_at", gettext_lazy("Asked"), "when", sort="created_at"),
    )
    filters = (
        Filter("account", gettext_lazy("Customer"), "subscription__account__name"),
        Choice("kind", gettext_lazy("What"), "kind", RequestKind.choices),
    )
    search = ("subscription__name", "subscription__account__name")
    empty_icon = "check"
    empty_title = gettext_lazy("Nothing waits for you")
    empty_text = gettext_lazy("What your customers ask to be cancelled appears here, before your provider sees it.")

    def row_url(self, row: Any) -> str:
        """The answer."""
        return reverse("storefront:approval_request", args=[row.public_id])


class RequestDecide(ActionPage):
    """Pass a customer's request on, or refuse it with a reason."""

    perm = Perm.SHOP_APPROVE
    layout = "base_storefront.html"
    back = (gettext_lazy("Cancellation requests"), "storefront:approval_requests")
    title = gettext_lazy("Cancellation request")
    submit = gettext_lazy("Answer")
    form_class = RequestAnswerForm
    success = gettext_lazy("Your customer's request is answered.")

    def load(self, **kwargs: Any) -> CancellationRequest:
        """The request of the address, if it waits for the reseller."""
        row: CancellationRequest = self.find(requests_at_reseller(self.actor), kwargs["public_id"])
        return row

    def consequences(self) -> list[str]:
        """Who asked for what, and what follows."""
        row: CancellationRequest = self.object
        values = {"who": row.requested_by, "what": row.get_kind_display(), "n": row.quantity}
        asked = _("%(who)s asks for this: %(what)s (%(n)s).") % values
        comment = [_("Comment: %(text)s") % {"text": row.comment}] if row.comment else []
        return [asked, *comment, _("Passed on, your provider decides about it; refused, nothing changes.")]

    def perform(self, form: Any) -> CancellationRequest:
        """Pass it on or refuse it."""
        if form.cleaned_data["answer"] == "forward":
            return forward_request(self.actor, request=self.object)
        return refuse_request(self.actor, request=self.object, reason=form.cleaned_data["reason"])


def _on(actor: Actor, row: Account) -> object:
    return set_order_approval(actor, account=row, needed=True)


def _off(actor: Actor, row: Account) -> object:
    return set_order_approval(actor, account=row, needed=False)


def end_customers_of(actor: Actor) -> Any:
    """A reseller's end customers."""
    return customers_of(actor).filter(kind=AccountKind.END_CUSTOMER)


class SwitchList(ShopList):
    """Whose orders wait for the reseller, one by one or all at once."""

    perm = Perm.SHOP_APPROVAL_SWITCH
    title = gettext_lazy("Whose orders need approval")
    intro = gettext_lazy("New orders, more licences, add-ons, upgrades and increases at the renewal wait for you.")
    back = BACK
    selector = end_customers_of
    columns = (
        Column("name", gettext_lazy("Customer"), "main", sort="name", sub="email", sub_label=gettext_lazy("E-mail")),
        Column("order_approval", gettext_lazy("Needs approval"), "flag", sort="order_approval"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
    )
    filters = (
        Flag("approval", gettext_lazy("Needs approval"), "order_approval"),
        Choice("status", gettext_lazy("Status"), "status", AccountStatus.choices),
    )
    search = ("name", "email")
    sort = "name"
    empty_icon = "users"
    empty_title = gettext_lazy("No end customers yet")
    empty_text = gettext_lazy("Your end customers appear here, each with the switch of his orders.")
    bulk_actions = (
        BulkAction("on", gettext_lazy("Ask for approval"), Perm.SHOP_APPROVAL_SWITCH, _on),
        BulkAction("off", gettext_lazy("Without approval"), Perm.SHOP_APPROVAL_SWITCH, _off),
    )

    def actions(self) -> list[Action]:
        """All at once."""
        return [
            Action(_("All with approval"), reverse("storefront:approval_switch_all", args=["on"]), "check"),
            Action(_("All without"), reverse("storefront:approval_switch_all", args=["off"])),
        ]


class SwitchAll(ActionPage):
    """All end customers at once."""

    perm = Perm.SHOP_APPROVAL_SWITCH
    layout = "base_storefront.html"
    back = (gettext_lazy("Whose orders need approval"), "storefront:approval_switches")
    form_class = forms.Form
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> None:
        """Nothing but on and off is an address."""
        if kwargs["state"] not in ("on", "off"):
            raise Http404

    @property
    def is_on(self) -> bool:
        """What the address asks for."""
        return bool(self.kwargs["state"] == "on")

    def page_title(self) -> str:
        """What will be."""
        return _("All orders need approval") if self.is_on else _("No order needs approval")

    def consequences(self) -> list[str]:
        """What it means."""
        kept = _("Orders that wait already go on waiting.")
        if self.is_on:
            return [_("What any of your end customers orders from now on waits until you approve it."), kept]
        return [_("What your end customers order from now on is bought at once, on your account."), kept]

    def perform(self, form: Any) -> int:
        """Turn every switch."""
        return set_all_order_approvals(self.actor, needed=self.is_on)

    def success_message(self, result: Any) -> str:
        """How many were turned."""
        return ngettext("%(n)s customer changed.", "%(n)s customers changed.", result) % {"n": result}
