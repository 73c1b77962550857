"""Orders: what was ordered, what it waits for, and executing or cancelling by hand."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bss.forms.operations import ReasonForm
from bss.forms.orders import ExecuteForm
from bss.views.shared import history_of
from core import money
from core.custom_fields import Entity
from orders.enums import OrderStatus
from orders.legs import shared_legs
from orders.models import Order
from orders.selectors import (
    OrderCredit,
    edit_obstacle,
    order_credit,
    orders_at_work,
    orders_with_lines,
    waits_for,
    work_lines,
)
from orders.services.execute import execute_by_staff
from orders.services.place import cancel_order
from orders.targets import hold_of
from provisioning.services import desk
from resellers.enums import PurchaseMode
from subscriptions.asset_selectors import failed_assets
from ui.custom_fields import CustomList
from ui.filters import Choice, Filter, Period
from ui.pages import Action, ActionPage, DetailPage, Fact
from ui.tables import Column
from users.permissions import Perm


@dataclass(frozen=True)
class WaitsFor(Choice):
    """What an order waits for."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Narrow to orders that wait for credit, for the vendor, or for the desk."""
        match values.get(self.name):
            case "execution":
                return rows.filter(status=OrderStatus.SUBMITTED)
            case "vendor":
                return rows.filter(status=OrderStatus.EXECUTED, open_lines__gt=0)
            case "desk":
                return rows.filter(failed_lines__gt=0)
            case _:
                return rows


class OrderList(CustomList):
    """All orders of the organization."""

    entity = Entity.ORDER
    perm = Perm.BSS_VIEW
    title = gettext_lazy("Orders")
    selector = orders_at_work
    columns = (
        Column("number", gettext_lazy("Number"), "main", sort="number"),
        Column("account.name", gettext_lazy("Account"), sort="account__name"),
        Column("payer.name", gettext_lazy("Billed to"), sort="payer__name"),
        Column("get_purchase_mode_display", gettext_lazy("Purchase mode"), sort="purchase_mode"),
        Column(
            "placed_at",
            gettext_lazy("Placed"),
            "ago",
            sort="placed_at",
            sub="buyer_label",
            sub_label=gettext_lazy("Ordered by"),
        ),
        Column("gross", gettext_lazy("Total"), "money", sort="gross"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("waits", gettext_lazy("Waits for"), show=waits_for),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("status", gettext_lazy("Status"), "status", OrderStatus.choices),
        WaitsFor(
            "waits",
            gettext_lazy("Waits for"),
            "status",
            (
                ("execution", gettext_lazy("Credit or execution")),
                ("vendor", gettext_lazy("The vendor")),
                ("desk", gettext_lazy("The operations desk")),
            ),
        ),
        Choice("mode", gettext_lazy("Purchase mode"), "purchase_mode", PurchaseMode.choices),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Filter("payer", gettext_lazy("Billed to"), "payer__name"),
        Filter("by", gettext_lazy("Ordered by"), "buyer_label"),
        Period("placed", gettext_lazy("Placed"), "placed_at"),
    )
    search = ("number", "account__name", "payer__name", "buyer_label")
    empty_icon = "receipt"
    empty_title = gettext_lazy("No orders yet")
    empty_text = gettext_lazy("Orders appear here as soon as a customer or reseller has placed one in the storefront.")

    def row_url(self, row: Any) -> str:
        """The order with its lines."""
        return reverse("bss:order_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """A new order for a customer, under one's own name."""
        if not self.actor.has(Perm.ORDER_MANAGE):
            return []
        return [Action(_("New order"), reverse("bss:order_new"), "plus", "primary")]


class OrderDetail(DetailPage):
    """One order: who owes what for which lines, how far each is, and what was done by whom."""

    perm = Perm.BSS_VIEW
    selector = orders_with_lines
    back = (gettext_lazy("Orders"), "bss:order_list")
    facts = (
        Fact("get_purchase_mode_display", gettext_lazy("Purchase mode")),
        Fact("buyer_label", gettext_lazy("Ordered by"), sub="buyer_account.name"),
        Fact("placed_at", gettext_lazy("Placed"), "when"),
        Fact("executed_at", gettext_lazy("Executed"), "when"),
        Fact("cancelled_at", gettext_lazy("Cancelled"), "when"),
        Fact("price_list.name", gettext_lazy("Price list")),
        Fact("reference", gettext_lazy("Buyer's reference")),
        Fact("reason", gettext_lazy("Reason")),
        Fact("gross", gettext_lazy("Total"), "money"),
    )
    parts = ("bss/_order_hold.html", "bss/_order_lines.html", "bss/_order_foot.html", "bss/_custom.html")

    def page_title(self) -> str:
        """The order's number."""
        return _("Order %(number)s") % {"number": self.object.number}

    def shown_facts(self) -> list[Fact]:
        """Empty ones are left out."""
        optional = {"executed_at", "cancelled_at", "reference", "reason", "get_purchase_mode_display"}
        return [fact for fact in self.facts if fact.path not in optional or fact.raw(self.object)]

    def context(self) -> dict[str, Any]:
        """The lines with their operations, and the payer's credit while the order waits for it."""
        order: Order = self.object
        return {
            "work_lines": work_lines(self.actor, order),
            "shows_costs": self.actor.has(Perm.COST_VIEW),
            "shared": shared_legs(self.actor, order),
            "links_operations": self.actor.has(Perm.OPERATION_VIEW),
            "order_credit": order_credit(order) if order.status == OrderStatus.SUBMITTED else None,
            "history": history_of(self.actor, order),
        }

    def actions(self, row: Order) -> list[Action]:
        """Execute and cancel, while the order waits; with the reason if this employee cannot."""
        if row.status != OrderStatus.SUBMITTED:
            return self._retries(row)
        found = []
        may_exceed = self.actor.has(Perm.ORDER_EXECUTE_ABOVE_CREDIT)
        if may_exceed or self.actor.has(Perm.ORDER_MANAGE):
            url = reverse("bss:order_execute", args=[row.public_id])
            found.append(Action(_("Execute"), url, "play", "primary", _obstacle(self.actor, order_credit(row), row)))
        if self.actor.has(Perm.ORDER_MANAGE):
            found.append(Action(_("Change"), reverse("bss:order_edit", args=[row.public_id]), "edit", "", _fixed(row)))
            url = reverse("bss:order_cancel", args=[row.public_id])
            found.append(Action(_("Cancel order"), url, "cross", "danger"))
        return found

    def _retries(self, row: Order) -> list[Action]:
        """Retry of all licences that came to nothing, if there are any."""
        if not self.actor.has(Perm.OPERATION_ACT) or not failed_assets(self.actor, row.number).exists():
            return []
        return [Action(_("Retry all failed"), reverse("bss:order_retry", args=[row.public_id]), "sync", "primary")]


def _fixed(order: Order) -> str:
    """Why the order cannot be changed; empty if it can."""
    fixed = edit_obstacle(order)
    return str(fixed.message) if fixed else ""


def _obstacle(actor: Any, figures: OrderCredit, order: Order) -> str:
    """Why this employee cannot execute the order now; empty if he can."""
    held = hold_of(order.account, order.payer)
    if held is not None:
        return str(held.message)
    if figures.exceeds and not actor.has(Perm.ORDER_EXECUTE_ABOVE_CREDIT):
        return _("The total is over the credit. Ask somebody of Billing.")
    if not figures.exceeds and not actor.has(Perm.ORDER_MANAGE):
        return _("The credit suffices. Ask somebody of Sales.")
    return ""


class OrderAction(ActionPage):
    """A deed on an order."""

    perm = Perm.BSS_VIEW
    back = (gettext_lazy("Orders"), "bss:order_list")

    def load(self, **kwargs: Any) -> Order:
        """The order of the address."""
        row: Order = self.find(orders_with_lines(self.actor), kwargs["public_id"])
        return row

    def cancel_url(self) -> str:
        """Back to the order."""
        return reverse("bss:order_detail", args=[self.object.public_id])

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the order."""
        return [*super().crumbs(), (self.object.number, self.cancel_url())]


class OrderExecute(OrderAction):
    """Charge the order and hand it to the vendors; above the credit with a reason."""

    title = gettext_lazy("Execute order")
    form_class = ExecuteForm
    success = gettext_lazy("The order is executed; its services are on their way.")
    figures: OrderCredit

    def load(self, **kwargs: Any) -> Order:
        """The order and its payer's credit; refused for who may execute neither within nor above it."""
        if not self.actor.has(Perm.ORDER_EXECUTE_ABOVE_CREDIT):
            self.actor.require(Perm.ORDER_MANAGE)
        row = super().load(**kwargs)
        self.figures = order_credit(row)
        return row

    def form_kwargs(self) -> dict[str, Any]:
        """A reason is asked for above the credit."""
        return {"exceeds": self.figures.exceeds}

    def consequences(self) -> list[str]:
        """The figures, and what follows."""
        credit, order = self.figures.credit, self.object
        payer = {"payer": order.payer.name, "total": money.show(order.gross, order.currency)}
        words = [_("%(total)s is charged to %(payer)s.") % payer]
        if credit.unlimited:
            words.append(_("The credit of %(payer)s is unlimited.") % payer)
        else:
            words.append(
                _("Credit limit %(limit)s, balance %(balance)s, available %(available)s.")
                % {
                    "limit": money.show(credit.limit, credit.currency),
                    "balance": money.show(credit.balance, credit.currency),
                    "available": money.show(credit.available, credit.currency),
                }
            )
        if self.figures.exceeds:
            words.append(_("The total is over what is available: say why it is executed all the same."))
        return [*words, _("The services are ordered at the vendor at once.")]

    def perform(self, form: Any) -> Order:
        """Call the service."""
        return execute_by_staff(self.actor, order=self.object, reason=form.cleaned_data.get("reason", ""))


class OrderCancel(OrderAction):
    """End an order that was not executed."""

    perm = Perm.ORDER_MANAGE
    title = gettext_lazy("Cancel order")
    form_class = ReasonForm
    success = gettext_lazy("The order is cancelled.")
    is_danger = True

    def consequences(self) -> list[str]:
        """Nothing was charged."""
        return [
            _("Nothing was charged and nothing was ordered at the vendor."),
            _("The customer is told by e-mail, with your reason."),
        ]

    def perform(self, form: Any) -> Order:
        """Call the service."""
        return cancel_order(self.actor, order=self.object, reason=form.cleaned_data["reason"])


class OrderRetry(OrderAction):
    """Provision every licence of the order again that came to nothing."""

    perm = Perm.OPERATION_ACT
    title = gettext_lazy("Retry all failed")

    def consequences(self) -> list[str]:
        """How many, and that each is charged again."""
        number = failed_assets(self.actor, self.object.number).count()
        words = ngettext("%(n)s licence is tried again.", "%(n)s licences are tried again.", number) % {"n": number}
        return [words, _("What was refused is charged again; without enough credit nothing happens.")]

    def perform(self, form: Any) -> None:
        """Each on its own; what does not go is told line by line."""
        ids = [row.public_id for row in failed_assets(self.actor, self.object.number)]
        done, refused = desk.for_many(self.actor, desk.retry, ids)
        for words in refused:
            messages.error(self.request, words)
        if done:
            words = ngettext("%(n)s licence is on its way.", "%(n)s licences are on their way.", done)
            messages.success(self.request, words % {"n": done})
