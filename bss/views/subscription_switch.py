"""Turning a service on and off, its renewal, its price, and what a person does about a change that was refused."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.subscriptions import PriceForm, RenewalForm, SuspendForm
from bss.views.subscription_change import ChangePage, OfSubscription, window_context
from catalog.models import Plan
from catalog.selectors import plan_of, renewal_plans
from core.errors import BusinessError, Conflict
from core.selectors import jobs_for
from orders.services import outlook
from orders.services.preview import Preview
from provisioning.services import desk
from provisioning.services.refresh import start_refresh
from subscriptions.models import Operation, Subscription
from subscriptions.preconditions import Action, facts_of, refusal
from subscriptions.services import schedule, switch
from subscriptions.services.price import price_of_next_period, set_next_price
from ui.pages import ActionPage
from users.permissions import Perm


class Suspend(ChangePage):
    """Stop a service for a while; its bill goes on."""

    perm = Perm.SERVICE_SUSPEND
    title = gettext_lazy("Suspend subscription")
    form_class = SuspendForm
    action = Action.SUSPEND
    is_danger = True

    def preview(self, values: dict[str, Any]) -> Preview:
        """What stops."""
        return outlook.preview_suspend(self.subscription)

    def perform(self, form: Any) -> Operation:
        """Ask the vendor."""
        return switch.suspend(self.actor, subscription=self.subscription, reason=form.cleaned_data["reason"])


class Activate(ChangePage):
    """Let a suspended service run again."""

    perm = Perm.SERVICE_SUSPEND
    title = gettext_lazy("Reactivate subscription")
    action = Action.ACTIVATE

    def preview(self, values: dict[str, Any]) -> Preview:
        """What runs again."""
        return outlook.preview_activate(self.subscription)

    def perform(self, form: Any) -> Operation:
        """Ask the vendor."""
        return switch.activate(self.actor, subscription=self.subscription)


class AutoRenew(ChangePage):
    """Turn automatic renewal off, or on again."""

    title = gettext_lazy("Automatic renewal")
    action = Action.AUTO_RENEW

    def page_title(self) -> str:
        """Off while it is on."""
        off, on = _("Turn automatic renewal off"), _("Turn automatic renewal on")
        return off if self.subscription.auto_renew else on

    def preview(self, values: dict[str, Any]) -> Preview:
        """What the end of the term brings."""
        return outlook.preview_auto_renew(self.subscription, auto_renew=not self.subscription.auto_renew)

    def perform(self, form: Any) -> Operation | None:
        """Ask the vendor."""
        wanted = not self.subscription.auto_renew
        return switch.set_auto_renew(self.actor, subscription=self.subscription, auto_renew=wanted)


class ManageRenewal(ChangePage):
    """Another quantity, term or billing cycle from the next renewal on."""

    title = gettext_lazy("Change at the renewal")
    form_class = RenewalForm
    action = Action.MANAGE_RENEWAL
    submit = gettext_lazy("Schedule it")

    @cached_property
    def plans(self) -> list[tuple[str, str]]:
        """What the product can renew to, the present plan first."""
        row = self.subscription
        others = [plan for plan in renewal_plans(row.product) if plan.pk != row.plan_id]
        return [(str(plan.public_id), plan.label) for plan in (row.plan, *others)]

    def form_kwargs(self) -> dict[str, Any]:
        """The choices."""
        return {"plans": self.plans}

    def initial(self) -> dict[str, Any]:
        """As it is now."""
        return {"quantity": self.subscription.quantity, "plan": str(self.subscription.plan.public_id)}

    def _plan(self, values: dict[str, Any]) -> Plan:
        plan = plan_of(self.actor, str(values["plan"]))
        if plan is None:
            raise BusinessError("plan_missing", _("Choose one of the list."), field="plan")
        return plan

    def preview(self, values: dict[str, Any]) -> Preview:
        """What holds from then on."""
        plan = self._plan(values)
        return outlook.preview_schedule(self.subscription, quantity=values["quantity"], plan=plan)

    def perform(self, form: Any) -> Operation:
        """Tell the vendor."""
        data = form.cleaned_data
        return schedule.schedule_change(
            self.actor, subscription=self.subscription, quantity=data["quantity"], plan=self._plan(data)
        )


class RevokeSchedule(ChangePage):
    """Take back what was scheduled for the renewal."""

    title = gettext_lazy("Revoke the scheduled change")
    action = Action.REVOKE_SCHEDULE

    def preview(self, values: dict[str, Any]) -> Preview:
        """What the renewal brings then."""
        found = facts_of(self.subscription).schedule
        if found is None:
            raise Conflict("no_scheduled_change", _("Nothing is scheduled for the renewal."))
        return outlook.preview_revoke(self.subscription, found)

    def perform(self, form: Any) -> Operation:
        """Tell the vendor."""
        return schedule.revoke_schedule(self.actor, subscription=self.subscription)


class Keep(ChangePage):
    """Keep a service that was to end with its term."""

    title = gettext_lazy("Keep subscription")
    action = Action.REVOKE_CANCEL

    def preview(self, values: dict[str, Any]) -> Preview:
        """It goes on."""
        return outlook.preview_keep(self.subscription)

    def perform(self, form: Any) -> Operation:
        """Tell the vendor."""
        return switch.revoke_cancel(self.actor, subscription=self.subscription)


class EditPrice(ChangePage):
    """Another price from the next billing period on."""

    perm = Perm.PRICE_EDIT
    title = gettext_lazy("Edit pricing info")
    form_class = PriceForm
    action = Action.EDIT_PRICE
    submit = gettext_lazy("Set the price")
    success = gettext_lazy("The price is set; it holds from the next billing period on.")

    def initial(self) -> dict[str, Any]:
        """The price that holds then."""
        return {"unit_price": price_of_next_period(self.subscription)}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What the next bill is."""
        return outlook.preview_price(self.subscription, unit_price=values["unit_price"])

    def perform(self, form: Any) -> Subscription:
        """Write it."""
        data = form.cleaned_data
        return set_next_price(
            self.actor, subscription=self.subscription, unit_price=data["unit_price"], reason=data["reason"]
        )


class SetAside(OfSubscription, ActionPage):
    """Set a refused change aside, so that the service can be changed again."""

    title = gettext_lazy("Set the refused change aside")
    success = gettext_lazy("The refused change is set aside; nothing was changed.")

    def consequences(self) -> list[str]:
        """Nothing was changed, and nothing will be."""
        if found := refusal(self.subscription, Action.DISMISS):
            return [found.message]
        return [
            _("The vendor said: %(words)s") % {"words": self.subscription.sync_note},
            _("Nothing was changed, and nothing more is sent. What is still reserved for it is released."),
            _("The subscription can be changed again."),
        ]

    def perform(self, form: Any) -> Operation:
        """Hand it to the desk."""
        return desk.dismiss(self.actor, subscription=self.subscription)


class Refresh(OfSubscription):
    """Reads the vendor's windows and dates anew; htmx follows the reading, a browser without it comes back."""

    perm = Perm.BSS_VIEW
    level = "read"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The part of the page, as far as the reading is."""
        self.object = self.load(**kwargs)
        if not self.wants_part():
            return redirect(self.cancel_url())
        job = jobs_for(self.actor).get_visible(self.actor, request.GET.get("job", ""))
        return self._part(job)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Start it."""
        self.object = self.load(**kwargs)
        job = start_refresh(self.actor, self.subscription)
        return self._part(job) if self.wants_part() else redirect(self.cancel_url())

    def _part(self, job: Any) -> HttpResponseBase:
        context = window_context(self.actor, self.subscription)
        if job is not None and job.is_open:
            context["reading"] = job
        shown = {"object": self.subscription, "read_job": job or True}
        response = render(self.request, "bss/_subscription_window.html", context | shown)
        if context["reading"] is None:
            # Forms beside it reckon with the vendor's windows; they preview anew.
            response["HX-Trigger"] = "vendor-read"
        return response


def address(row: Subscription, name: str, *more: Any) -> str:
    """The address of a page about a subscription."""
    return reverse(f"bss:subscription_{name}", args=[row.public_id, *more])
