"""Whose orders wait for the reseller: one customer, chosen ones, or all at once (``channel.md`` 4.4)."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.tenancy import Actor
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account
from resellers.selectors import customers_with_approval, needs_approval, pays_by_card
from resellers.services.approval import set_all_order_approvals, set_order_approval
from storefront.approval_switch import BULK, LOCKED, offered
from storefront.views.approvals import BACK
from storefront.views.customers import OfCustomer
from storefront.views.lists import ShopList
from ui.filters import Choice, Flag
from ui.pages import Action, ActionPage, BulkAction
from ui.tables import Column
from users.permissions import Perm


def end_customers_of(actor: Actor) -> Any:
    """A reseller's end customers."""
    return customers_with_approval(actor).filter(kind=AccountKind.END_CUSTOMER)


class SwitchList(ShopList):
    """Whose orders wait for the reseller, one by one or all at once."""

    perm = Perm.SHOP_APPROVAL_SWITCH
    title = gettext_lazy("Whose orders need approval")
    intro = gettext_lazy("New orders, more licences, add-ons, upgrades and increases at the renewal wait for you.")
    back = BACK
    selector = end_customers_of
    columns = (
        Column("name", gettext_lazy("Customer"), "main", sort="name", sub="email", sub_label=gettext_lazy("E-mail")),
        Column("needs_approval", gettext_lazy("Needs approval"), "flag", sort="needs_approval"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
    )
    filters = (
        Flag("approval", gettext_lazy("Needs approval"), "needs_approval"),
        Choice("status", gettext_lazy("Status"), "status", AccountStatus.choices),
    )
    search = ("name", "email")
    sort = "name"
    empty_icon = "users"
    empty_title = gettext_lazy("No end customers yet")
    empty_text = gettext_lazy("Your end customers appear here, each with the switch of his orders.")
    bulk_actions = BULK

    def offered_bulk(self) -> Sequence[BulkAction]:
        """Nothing while the switches are locked."""
        return offered(self.actor)

    def context(self) -> dict[str, Any]:
        """Under the lock, why nothing can be turned."""
        return {"note": LOCKED if pays_by_card(self.actor) else ""}

    def actions(self) -> list[Action]:
        """All at once, unless they are locked."""
        if pays_by_card(self.actor):
            return []
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


class CustomerApproval(OfCustomer, ActionPage):
    """The other position of one end customer's switch."""

    perm = Perm.SHOP_APPROVAL_SWITCH

    def load(self, **kwargs: Any) -> Account:
        """The end customer of the address."""
        row: Account = self.find(end_customers_of(self.actor), kwargs["public_id"])
        return row

    @property
    def wanted(self) -> bool:
        """What it would be turned to."""
        return not needs_approval(self.object)

    def page_title(self) -> str:
        """What is done."""
        return _("Ask for approval") if self.wanted else _("Order without approval")

    def consequences(self) -> list[str]:
        """What it means."""
        kept = _("Orders that wait already go on waiting.")
        if self.wanted:
            return [_("What this customer orders from now on waits until you approve it."), kept]
        return [_("What this customer orders from now on is bought at once, on your account."), kept]

    def perform(self, form: Any) -> Account:
        """Turn the switch."""
        return set_order_approval(self.actor, account=self.object, needed=self.wanted)
