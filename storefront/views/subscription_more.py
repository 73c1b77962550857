"""Ordering for a service one has: licences, add-ons, upgrades; and giving licences or an add-on back."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Plan, Product
from catalog.selectors import PricedPlan, addons_of, plan_of, price_list_of, priced_plans, upgrades_of
from core.errors import BusinessError
from orders.legs import on_leg
from orders.models import Order
from orders.services import giveback, more
from orders.services.giveback import Given
from orders.services.preview import Preview
from storefront.forms import AddOnChangeForm, AddOnForm, LicencesForm, UpgradeForm
from storefront.views.subscription_change import ChangePage, licences
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription, SubscriptionAddOn
from subscriptions.preconditions import Action, Refusal, refusal


class OrderPage(ChangePage):
    """A change that is, or may be, an order: the key of its form and the total that was shown go with it."""

    orders = True
    confirm = ""

    def terms(self, form: Any) -> dict[str, Any]:
        """The service, the key and the total of the order; a form without a key gets a fresh one."""
        shown = self.previewed
        if shown is None:
            raise LookupError("An order is placed from a preview.")
        key = form.cleaned_data["key"] or uuid.uuid4()
        return {"subscription": self.service, "key": key, "seen_total": shown.amount.gross}

    def confirm_words(self) -> str:
        """What stands on the button, as the preview has found it."""
        return self.confirm or super().confirm_words()

    def asked_quantity(self, otherwise: int) -> int:
        """The number that the address asks for (``?quantity=8``), or another."""
        asked = self.request.GET.get("quantity", "")
        return int(asked) if asked.isdecimal() and len(asked) < 7 else otherwise


class Licences(OrderPage):
    """More licences are ordered, fewer are given back: one number, and the page says what it means."""

    title = gettext_lazy("Change the number of licences")
    form_class = LicencesForm
    fields = "storefront/_subscription_quantity.html"
    action = Action.BUY_LICENCES
    reads_vendor = True

    def initial(self) -> dict[str, Any]:
        """The licences there are, or the number the address asks for."""
        return super().initial() | {"quantity": self.asked_quantity(self.service.quantity)}

    def obstacle(self) -> Refusal | None:
        """In the way is only what forbids both."""
        more_is = refusal(self.service, Action.BUY_LICENCES, self.facts)
        return more_is if more_is and refusal(self.service, Action.REDUCE, self.facts) else None

    def _demand(self, action: Action) -> None:
        found = refusal(self.service, action, self.facts)
        if found is not None:
            raise BusinessError(found.code, found.message, field="quantity")

    def preview(self, values: dict[str, Any]) -> Preview:
        """More: an order. Fewer: what the vendor takes back now."""
        row, quantity = self.service, int(values["quantity"])
        if quantity == row.quantity:
            words = _("You have %(n)s now. Choose another number.") % {"n": licences(quantity)}
            raise BusinessError("nothing_changes", words, field="quantity")
        if quantity > row.quantity:
            self._demand(Action.BUY_LICENCES)
            self.confirm = _("Order %(n)s") % {"n": licences(quantity - row.quantity)}
            return more.wish_licences(row, quantity=quantity).preview
        self._demand(Action.REDUCE)
        found = giveback.preview_reduce(self.actor, row, quantity=quantity)
        number = licences(row.quantity - quantity)
        words = _("Ask to give %(n)s back") if found.request else _("Give %(n)s back")
        self.confirm = words % {"n": number}
        return found

    def way_on(self, error: BusinessError | Refusal) -> tuple[str, str] | None:
        """Outside of the vendor's window fewer licences can be planned for the renewal."""
        if error.code != "window_closed":
            return super().way_on(error)
        quantity = self.request.POST.get("quantity") or self.request.GET.get("quantity", "")
        target = reverse("storefront:subscription_renewal", args=[self.service.public_id])
        return _("Plan it for the renewal"), f"{target}?quantity={quantity}"

    def perform(self, form: Any) -> Order | Given:
        """Order, or give back."""
        quantity = form.cleaned_data["quantity"]
        if quantity > self.service.quantity:
            return more.buy_licences(self.actor, quantity=quantity, **self.terms(form))
        reason = form.cleaned_data["reason"]
        return giveback.reduce(self.actor, subscription=self.service, quantity=quantity, reason=reason)


@dataclass(frozen=True)
class Offer:
    """A plan on a card: its price for the account, and how much more (or less) than now it is per licence."""

    plan: Plan
    price: Decimal
    difference: Decimal
    is_chosen: bool


class OfferPage(OrderPage):
    """An order of one of several plans, each on a card."""

    fields = "storefront/_subscription_offers.html"
    nothing: Any = ""

    def products(self) -> QuerySet[Product]:
        """What there is to choose from."""
        raise LookupError(f"{type(self).__name__} offers nothing")

    def fits(self, plan: Plan) -> bool:
        """Whether a plan can be chosen for this service."""
        return plan.is_sellable and plan.billing_cycle == self.service.billing_cycle

    @cached_property
    def priced(self) -> list[PricedPlan]:
        """The plans that have a price for the account."""
        prices = price_list_of(self.service.account)
        if prices is None or prices.currency != self.service.currency:
            return []
        found = priced_plans(self.products(), prices)
        fitting = [item for items in found.values() for item in items if self.fits(item.plan)]
        return on_leg(self.service, fitting, prices)

    def initial(self) -> dict[str, Any]:
        """The plan the address asks for (``?plan=``), or the only one."""
        known = {str(item.plan.public_id) for item in self.priced}
        asked = self.request.GET.get("plan", "")
        only = next(iter(known)) if len(known) == 1 else ""
        return super().initial() | {"plan": asked if asked in known else only}

    def obstacle(self) -> Refusal | None:
        """There may be nothing to choose from."""
        return super().obstacle() or (None if self.priced else Refusal("nothing_offered", str(self.nothing)))

    def chosen(self, values: dict[str, Any]) -> Plan:
        """The chosen plan; raises BusinessError if it is none of the cards."""
        found = plan_of(self.actor, str(values.get("plan") or ""))
        if found is None or found.pk not in {item.plan.pk for item in self.priced}:
            raise BusinessError("plan_missing", _("Choose one of them."), field="plan")
        return found

    def show(self, status: int = 200, **extra: Any) -> Any:
        """The cards too, with the one that is ticked."""
        form = extra["form"]
        ticked = str(form["plan"].value() or "")
        offers = [
            Offer(item.plan, item.price.amount, item.price.amount - self.service.unit_price, ticked == str(key))
            for item in self.priced
            for key in [item.plan.public_id]
        ]
        return super().show(status, offers=offers, **extra)


class BuyAddOn(OfferPage):
    """An add-on of the service's product."""

    title = gettext_lazy("Add an add-on")
    form_class = AddOnForm
    action = Action.BUY_ADDON
    nothing = gettext_lazy("No add-on of this product is offered to you at the moment.")

    def products(self) -> QuerySet[Product]:
        """The product's add-ons."""
        return addons_of(self.service.product, self.actor)

    def initial(self) -> dict[str, Any]:
        """As many as there are licences."""
        return super().initial() | {"quantity": self.asked_quantity(self.service.quantity)}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What it costs for the rest of the period and then."""
        plan = self.chosen(values)
        self.confirm = _("Order the add-on")
        return more.wish_addon(self.service, plan=plan, quantity=int(values["quantity"])).preview

    def perform(self, form: Any) -> Order:
        """Order it."""
        plan = self.chosen(form.cleaned_data)
        return more.buy_addon(self.actor, plan=plan, quantity=form.cleaned_data["quantity"], **self.terms(form))


class Upgrade(OfferPage):
    """All licences, or a part of them, go over to a better product."""

    title = gettext_lazy("Upgrade")
    form_class = UpgradeForm
    action = Action.UPGRADE
    nothing = gettext_lazy("There is no upgrade that is offered to you with the same term and billing.")

    def products(self) -> QuerySet[Product]:
        """Where the product leads to."""
        return upgrades_of(self.service.product, self.actor)

    def fits(self, plan: Plan) -> bool:
        """Term and billing stay as they are."""
        return super().fits(plan) and plan.term == self.service.term

    def initial(self) -> dict[str, Any]:
        """All of them."""
        return super().initial() | {"quantity": self.asked_quantity(self.service.quantity)}

    def preview(self, values: dict[str, Any]) -> Preview:
        """The difference for the rest of the period, and the bill from then on."""
        plan, quantity = self.chosen(values), int(values["quantity"])
        self.confirm = _("Upgrade %(n)s") % {"n": licences(quantity)}
        return more.wish_upgrade(self.service, plan=plan, quantity=quantity).preview

    def perform(self, form: Any) -> Order:
        """Order it."""
        plan = self.chosen(form.cleaned_data)
        return more.upgrade(self.actor, plan=plan, quantity=form.cleaned_data["quantity"], **self.terms(form))


class ChangeAddOn(OrderPage):
    """More of an add-on, less of it, or none."""

    form_class = AddOnChangeForm
    fields = "storefront/_subscription_addon.html"
    action = Action.CANCEL_ADDON
    addon: SubscriptionAddOn

    def load(self, **kwargs: Any) -> Subscription:
        """The service and its add-on; one that does not run is not there."""
        row = super().load(public_id=kwargs["public_id"])
        found = [addon for addon in row.addons.all() if str(addon.public_id) == str(kwargs["addon_id"])]
        if not found or found[0].status != SubscriptionStatus.ACTIVE:
            raise Http404
        self.addon = found[0]
        return row

    def page_title(self) -> str:
        """The add-on's name."""
        return self.addon.name

    def context(self) -> dict[str, Any]:
        """With the way to end it later."""
        keys = [self.service.public_id, self.addon.public_id]
        return super().context() | {"end_url": reverse("storefront:subscription_addon_end", args=keys)}

    def initial(self) -> dict[str, Any]:
        """The number there is, or the one the address asks for."""
        return super().initial() | {"quantity": self.asked_quantity(self.addon.quantity)}

    def preview(self, values: dict[str, Any]) -> Preview:
        """More: an order. Fewer, or none: what is given back."""
        quantity = int(values["quantity"])
        if quantity == self.addon.quantity:
            words = _("There are %(n)s now. Choose another number, or 0 to cancel it.") % {"n": quantity}
            raise BusinessError("nothing_changes", words, field="quantity")
        if quantity > self.addon.quantity:
            self.confirm = _("Order %(n)s more") % {"n": quantity - self.addon.quantity}
            extra = quantity - self.addon.quantity
            return more.wish_addon(self.service, plan=self.addon.plan, quantity=extra).preview
        found = giveback.preview_addon(self.actor, self.service, self.addon, quantity=quantity)
        now = _("Change the add-on") if quantity else _("Cancel the add-on")
        self.confirm = _("Send the request") if found.request else now
        return found

    def perform(self, form: Any) -> Order | Given:
        """Order, or give back."""
        quantity, addon = form.cleaned_data["quantity"], self.addon
        if quantity > addon.quantity:
            extra = quantity - addon.quantity
            return more.buy_addon(self.actor, plan=addon.plan, quantity=extra, **self.terms(form))
        reason = form.cleaned_data["reason"]
        return giveback.reduce_addon(
            self.actor, subscription=self.service, addon=addon, quantity=quantity, reason=reason
        )
