"""A reseller decides what his customers order or ask for: the queues and the decisions."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from orders.approvals import approvals_for, approvals_with_lines
from orders.enums import OrderStatus
from orders.legs import Both, both_of
from orders.models import Order, OrderLine
from orders.services.approve import CostToday, approve_order, cost_today, decided_words, reject_order, what_stops
from orders.services.place import PriceChanged
from storefront.forms import DecideForm, RequestAnswerForm
from storefront.views.lists import ShopList
from subscriptions.enums import RequestKind
from subscriptions.models import CancellationRequest
from subscriptions.selectors import requests_at_reseller
from subscriptions.services.requests import forward_request, refuse_request
from ui.filters import Choice, Filter, Period
from ui.pages import Action, ActionPage
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
        """The order and what it costs now; what stands in the way of approving it, whatever it costs, is said."""
        self.order = self.find(approvals_with_lines(self.actor), public_id)
        if self.order.status != OrderStatus.SUSPENDED:
            return
        self.refused = what_stops(self.order, self.order.payer)
        if self.refused is not None:
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
