"""The end and the renewal of a service: plan the renewal, cancel, keep, suspend, and take things back."""

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Plan
from catalog.selectors import offered_plans, plan_of, price_list_of, priced_plans
from core import money
from core.errors import BusinessError, PermissionRefused
from orders.legs import on_leg
from orders.models import Order
from orders.services import giveback, more, outlook
from orders.services.giveback import Given
from orders.services.preview import Preview, taxed
from provisioning.services import desk
from storefront.forms import CancelForm, RenewalForm, SuspendForm
from storefront.service_words import cancel_refusal, may_suspend
from storefront.views.subscription_change import ChangePage
from subscriptions.enums import Execution, RequestStatus, SubscriptionStatus
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription, SubscriptionAddOn
from subscriptions.periods import MONTHS_OF_CYCLE
from subscriptions.preconditions import Action, Refusal
from subscriptions.selectors import request_in_view
from subscriptions.services import requests, schedule, switch


def plain(row: Subscription, what: str, when: str, rest: str) -> Preview:
    """A preview of something that costs nothing and changes no bill."""
    return Preview(what, when, taxed(row, money.ZERO), row.currency, None, None, rest, ())


@dataclass(frozen=True)
class RenewalChoice:
    """A plan of the next term, on a card; ``price`` is today's per licence and billing cycle, None if unknown."""

    plan: Plan
    price: Any
    is_now: bool
    is_chosen: bool


class Renewal(ChangePage):
    """Licences and plan of the next term."""

    title = gettext_lazy("Plan the renewal")
    submit = gettext_lazy("Schedule it for the renewal")
    form_class = RenewalForm
    fields = "storefront/_subscription_renewal.html"
    action = Action.MANAGE_RENEWAL
    orders = True

    @cached_property
    def plans(self) -> list[Plan]:
        """What the service may renew to, the present plan first."""
        row = self.service
        others = [plan for plan in offered_plans(row.product) if plan.pk != row.plan_id]
        return [row.plan, *(plan for plan in others if plan.billing_cycle in MONTHS_OF_CYCLE)]

    def initial(self) -> dict[str, Any]:
        """As it is now, or the number the address asks for."""
        asked = self.request.GET.get("quantity", "")
        quantity = int(asked) if asked.isdecimal() and len(asked) < 7 else self.service.quantity
        return super().initial() | {"quantity": quantity, "plan": str(self.service.plan.public_id)}

    def chosen(self, values: dict[str, Any]) -> Plan:
        """The chosen plan."""
        found = plan_of(self.actor, str(values.get("plan") or ""))
        if found is None:
            raise BusinessError("plan_missing", _("Choose a plan."), field="plan")
        return found

    def preview(self, values: dict[str, Any]) -> Preview:
        """What the renewal brings; nothing if nothing changes."""
        plan, quantity = self.chosen(values), int(values["quantity"])
        if quantity == self.service.quantity and plan.pk == self.service.plan_id:
            raise BusinessError("nothing_changes", _("Change the number of licences or the plan."), field="quantity")
        return outlook.preview_schedule(self.service, quantity=quantity, plan=plan)

    def perform(self, form: Any) -> Operation | Order:
        """Write it down, here and at the vendor; where the reseller approves first, as an order."""
        plan, quantity = self.chosen(form.cleaned_data), form.cleaned_data["quantity"]
        key = form.cleaned_data["key"] or uuid.uuid4()
        return more.plan_renewal(self.actor, subscription=self.service, quantity=quantity, plan=plan, key=key)

    def show(self, status: int = 200, **extra: Any) -> Any:
        """The plans as cards, with today's prices for who may see them."""
        prices = price_list_of(self.service.account) if self.sees_prices else None
        found = priced_plans([self.service.product], prices)[self.service.product_id]
        seen = on_leg(self.service, found, prices) if prices is not None else []
        known = {item.plan.pk: item.price.amount for item in seen}
        ticked = str(extra["form"]["plan"].value() or "")
        choices = [
            RenewalChoice(plan, known.get(plan.pk), plan.pk == self.service.plan_id, str(plan.public_id) == ticked)
            for plan in self.plans
        ]
        return super().show(status, choices=choices, **extra)


class AutoRenew(ChangePage):
    """Automatic renewal on or off, the other way than it is."""

    action = Action.AUTO_RENEW

    def page_title(self) -> str:
        """What it will be."""
        is_on = self.service.auto_renew
        return _("Turn automatic renewal off") if is_on else _("Turn automatic renewal on")

    def preview(self, values: dict[str, Any]) -> Preview:
        """What it means for the end of the term."""
        return outlook.preview_auto_renew(self.service, auto_renew=not self.service.auto_renew)

    def perform(self, form: Any) -> Operation | None:
        """Do it."""
        auto_renew = not self.service.auto_renew
        return switch.set_auto_renew(self.actor, subscription=self.service, auto_renew=auto_renew)


class Revoke(ChangePage):
    """Takes back what was planned for the renewal."""

    title = gettext_lazy("Revoke the planned change")
    action = Action.REVOKE_SCHEDULE

    def preview(self, values: dict[str, Any]) -> Preview:
        """The service renews as it is."""
        scheduled: ScheduledChange | None = self.facts.schedule
        if scheduled is None:
            raise BusinessError("no_scheduled_change", _("Nothing is scheduled for the renewal."))
        return outlook.preview_revoke(self.service, scheduled)

    def perform(self, form: Any) -> Operation:
        """Take it back, here and at the vendor."""
        return schedule.revoke_schedule(self.actor, subscription=self.service)


@dataclass(frozen=True)
class EndChoice:
    """One way to end a service, or why it is not possible now."""

    value: str
    label: str
    hint: str
    reason: str
    is_chosen: bool


class Cancel(ChangePage):
    """Ends the whole service, now or with its term."""

    title = gettext_lazy("Cancel the service")
    form_class = CancelForm
    fields = "storefront/_subscription_cancel.html"
    action = Action.CANCEL_NOW
    reads_vendor = True
    is_danger = True

    @cached_property
    def reasons(self) -> dict[str, Refusal | None]:
        """Why each way is not possible, by its code. The vendor's window counts only for ending now."""
        row = self.service
        now = cancel_refusal(row, Action.CANCEL_NOW, self.facts)
        if now is None and giveback.window_of(row).quantity == 0:
            now = Refusal("window_closed", _("The vendor's time for ending it at once is over."))
        at_end = cancel_refusal(row, Action.CANCEL_AT_END, self.facts)
        return {Execution.NOW.value: now, Execution.PERIOD_END.value: at_end}

    def obstacle(self) -> Refusal | None:
        """In the way is only what forbids both."""
        return next(iter(self.reasons.values())) if all(self.reasons.values()) else None

    def initial(self) -> dict[str, Any]:
        """At the end of the term, if that is possible: it takes nothing away today."""
        at_end = self.reasons[Execution.PERIOD_END.value] is None
        return super().initial() | {"execution": Execution.PERIOD_END.value if at_end else Execution.NOW.value}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What ends when, and what is credited."""
        execution = Execution(values["execution"])
        found = self.reasons[execution.value]
        if found is not None:
            raise BusinessError(found.code, found.message, field="execution")
        return giveback.preview_cancel(self.actor, self.service, execution=execution)

    def confirm_words(self) -> str:
        """A request is sent, everything else is done."""
        shown = self.previewed
        return _("Send the request") if shown is not None and shown.request else str(self.title)

    def perform(self, form: Any) -> Given:
        """Cancel, or ask for it."""
        values = form.cleaned_data
        execution = Execution(values["execution"])
        return giveback.cancel(self.actor, subscription=self.service, execution=execution, reason=values["reason"])

    def show(self, status: int = 200, **extra: Any) -> Any:
        """The two ways as cards."""
        ticked = str(extra["form"]["execution"].value() or "")
        hints = {
            Execution.NOW.value: (_("Now"), _("Its users lose access at once.")),
            Execution.PERIOD_END.value: (_("At the end of the term"), _("It runs and is billed until then.")),
        }
        ways = [
            EndChoice(value, *words, found.message if found else "", value == ticked)
            for value, words in hints.items()
            for found in [self.reasons[value]]
        ]
        return super().show(status, ways=ways, **extra)


class Keep(ChangePage):
    """Takes a cancellation at the end of the term back."""

    title = gettext_lazy("Keep the service")
    action = Action.REVOKE_CANCEL

    def preview(self, values: dict[str, Any]) -> Preview:
        """It goes on after its term."""
        return outlook.preview_keep(self.service)

    def perform(self, form: Any) -> Operation:
        """Keep it, here and at the vendor."""
        return switch.revoke_cancel(self.actor, subscription=self.service)


class EndAddOn(ChangePage):
    """Lets an add-on end with the billing period, or keeps it after all."""

    title = gettext_lazy("End an add-on")
    action = Action.CANCEL_ADDON
    addon: SubscriptionAddOn

    def load(self, **kwargs: Any) -> Subscription:
        """The service and its add-on; one that is over is not there."""
        row = super().load(public_id=kwargs["public_id"])
        found = next((addon for addon in row.addons.all() if addon.public_id == kwargs["addon_id"]), None)
        if found is None or found.status not in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PENDING_CANCEL):
            raise Http404
        self.addon = found
        return row

    @property
    def _runs(self) -> bool:
        return self.addon.status == SubscriptionStatus.ACTIVE

    def page_title(self) -> str:
        """What it does to which add-on."""
        words = _("End %(name)s with the billing period") if self._runs else _("Keep %(name)s")
        return words % {"name": self.addon.name}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What the next period costs."""
        if self._runs:
            return giveback.preview_end_addon(self.actor, self.service, self.addon)
        return giveback.preview_keep_addon(self.actor, self.service, self.addon)

    def perform(self, form: Any) -> CancellationRequest | None:
        """Write it down; the vendor is told when the period is over."""
        if self._runs:
            return giveback.end_addon(self.actor, subscription=self.service, addon=self.addon)
        giveback.keep_addon(self.actor, subscription=self.service, addon=self.addon)
        return None

    def success_message(self, result: Any) -> str:
        """What holds from now on: nothing is on its way to the vendor."""
        if result is not None:
            return super().success_message(result)
        return _("It ends with the billing period.") if self._runs else _("It goes on.")


class ResellerPage(ChangePage):
    """What only a reseller does, with a customer's service."""

    def load(self, **kwargs: Any) -> Subscription:
        """The service; nobody suspends his own."""
        row = super().load(**kwargs)
        if not may_suspend(self.actor, row):
            raise PermissionRefused("suspend_foreign", _("Ask your provider to suspend or reactivate this."))
        return row


class Suspend(ResellerPage):
    """Takes the users' access away for a while."""

    title = gettext_lazy("Suspend the service")
    form_class = SuspendForm
    fields = "storefront/_subscription_reason.html"
    action = Action.SUSPEND
    is_danger = True

    def preview(self, values: dict[str, Any]) -> Preview:
        """No access; the bill goes on."""
        return outlook.preview_suspend(self.service)

    def perform(self, form: Any) -> Operation:
        """Suspend it, with the reason."""
        return switch.suspend(self.actor, subscription=self.service, reason=form.cleaned_data["reason"])


class Activate(ResellerPage):
    """Gives access back."""

    title = gettext_lazy("Reactivate the service")
    action = Action.ACTIVATE

    def preview(self, values: dict[str, Any]) -> Preview:
        """It runs again."""
        return outlook.preview_activate(self.service)

    def perform(self, form: Any) -> Operation:
        """Reactivate it."""
        return switch.activate(self.actor, subscription=self.service)


class Withdraw(ChangePage):
    """Takes a request back before anybody has decided."""

    title = gettext_lazy("Withdraw the request")
    action = Action.DISMISS

    @cached_property
    def wish(self) -> CancellationRequest | None:
        """The request that waits."""
        found = request_in_view(self.actor, self.service)
        return found if found is not None and found.status == RequestStatus.SUBMITTED else None

    def obstacle(self) -> Refusal | None:
        """There must be one."""
        return None if self.wish else Refusal("nothing_requested", _("No request waits for a decision."))

    def preview(self, values: dict[str, Any]) -> Preview:
        """Everything stays as it is."""
        what = _("The request is taken back: %(what)s.") % {"what": self.wish.get_kind_display() if self.wish else ""}
        return plain(self.service, what, _("At once. The service stays as it is."), _("You can ask again at any time."))

    def perform(self, form: Any) -> CancellationRequest | None:
        """Take it back."""
        return requests.withdraw_request(self.actor, request=self.wish) if self.wish else None

    def success_message(self, result: Any) -> str:
        """What is said when it is done."""
        return _("The request is withdrawn. Everything stays as it is.")


class Dismiss(ChangePage):
    """Sets a change aside that the vendor refused, so that the service can be changed again."""

    title = gettext_lazy("Set the refused change aside")
    action = Action.DISMISS

    def preview(self, values: dict[str, Any]) -> Preview:
        """Nothing was changed, nothing is."""
        ends = self.service.status == SubscriptionStatus.PENDING_CANCEL
        rest = _("It still ends with its term.") if ends else _("You can make the change again, or another one.")
        what = _("The refused change is given up; nothing was changed by it and nothing is charged for it.")
        return plain(self.service, what, _("At once."), rest)

    def perform(self, form: Any) -> Operation:
        """Give it up."""
        return desk.dismiss(self.actor, subscription=self.service)

    def success_message(self, result: Any) -> str:
        """What is said when it is done."""
        return _("Set aside. The service can be changed again.")
