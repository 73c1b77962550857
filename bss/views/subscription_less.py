"""Less of a service: fewer licences, less of an add-on, the end of the whole; with what is credited."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.subscriptions import DAY, AddOnReduceForm, CancelForm, ReduceForm
from bss.views.subscription_change import ChangePage
from orders.services import giveback
from orders.services.giveback import Given
from orders.services.preview import Preview
from subscriptions.enums import Execution, SubscriptionStatus
from subscriptions.models import CancellationRequest, SubscriptionAddOn
from subscriptions.preconditions import Action, Facts, facts_of, refusal


class ReduceLicences(ChangePage):
    """Give licences back within the vendor's window."""

    title = gettext_lazy("Reduce licences")
    form_class = ReduceForm
    action = Action.REDUCE
    reads_vendor = True
    is_danger = True

    def initial(self) -> dict[str, Any]:
        """One less."""
        return {"quantity": self.subscription.quantity - 1}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What is credited."""
        return giveback.preview_reduce(self.actor, self.subscription, quantity=values["quantity"])

    def perform(self, form: Any) -> Given:
        """Ask the vendor."""
        data = form.cleaned_data
        return giveback.reduce(
            self.actor, subscription=self.subscription, quantity=data["quantity"], reason=data["reason"]
        )


class ReduceAddOn(ChangePage):
    """Have less of an add-on, or none of it any more."""

    title = gettext_lazy("Reduce or cancel an add-on")
    form_class = AddOnReduceForm
    action = Action.CANCEL_ADDON
    is_danger = True
    addon: SubscriptionAddOn

    def load(self, **kwargs: Any) -> Any:
        """The subscription and its add-on; one that does not run is not there."""
        row = super().load(**kwargs)
        live = (addon for addon in row.addons.all() if addon.status == SubscriptionStatus.ACTIVE)
        found = next((addon for addon in live if addon.public_id == kwargs["addon_id"]), None)
        if found is None:
            raise Http404
        self.addon = found
        return row

    def page_title(self) -> str:
        """Which add-on."""
        return _("Reduce or cancel %(name)s") % {"name": self.addon.name}

    def initial(self) -> dict[str, Any]:
        """None of it."""
        return {"quantity": 0}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What is credited."""
        return giveback.preview_addon(self.actor, self.subscription, self.addon, quantity=values["quantity"])

    def perform(self, form: Any) -> Given:
        """Ask the vendor."""
        data = form.cleaned_data
        return giveback.reduce_addon(
            self.actor,
            subscription=self.subscription,
            addon=self.addon,
            quantity=data["quantity"],
            reason=data["reason"],
        )


class EndAddOn(ChangePage):
    """Let an add-on end with the billing period, or keep it after all."""

    title = gettext_lazy("End an add-on")
    action = Action.CANCEL_ADDON
    success = gettext_lazy("Done. The vendor is asked for nothing before the billing period is over.")
    addon: SubscriptionAddOn

    def load(self, **kwargs: Any) -> Any:
        """The subscription and its add-on; one that is over is not there."""
        row = super().load(**kwargs)
        found = next((addon for addon in row.addons.all() if addon.public_id == kwargs["addon_id"]), None)
        if found is None or found.status not in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PENDING_CANCEL):
            raise Http404
        self.addon = found
        return row

    def page_title(self) -> str:
        """What it does to which add-on."""
        words = _("End %(name)s with the billing period") if self._runs else _("Keep %(name)s")
        return words % {"name": self.addon.name}

    @property
    def _runs(self) -> bool:
        return self.addon.status == SubscriptionStatus.ACTIVE

    def preview(self, values: dict[str, Any]) -> Preview:
        """What the next period costs."""
        if self._runs:
            return giveback.preview_end_addon(self.actor, self.subscription, self.addon)
        return giveback.preview_keep_addon(self.actor, self.subscription, self.addon)

    def perform(self, form: Any) -> CancellationRequest | None:
        """Write it down; the vendor is told when the period is over."""
        if self._runs:
            return giveback.end_addon(self.actor, subscription=self.subscription, addon=self.addon)
        giveback.keep_addon(self.actor, subscription=self.subscription, addon=self.addon)
        return None


def cancel_obstacle(row: Any, facts: Facts) -> str:
    """Why a service can be ended neither now nor with its term; empty if one of them is possible."""
    now, at_end = refusal(row, Action.CANCEL_NOW, facts), refusal(row, Action.CANCEL_AT_END, facts)
    return now.message if now and at_end else ""


class Cancel(ChangePage):
    """End the whole service: now, as of an earlier day of the billing period, or with its term."""

    title = gettext_lazy("Cancel subscription")
    form_class = CancelForm
    action = Action.CANCEL_NOW
    reads_vendor = True
    is_danger = True

    def obstacle(self) -> str:
        """One of the ways is enough."""
        return cancel_obstacle(self.subscription, facts_of(self.subscription))

    def form_kwargs(self) -> dict[str, Any]:
        """The ways that are closed now."""
        row, facts = self.subscription, facts_of(self.subscription)
        closed = {Execution.NOW.value, DAY} if refusal(row, Action.CANCEL_NOW, facts) else set()
        closed |= {Execution.PERIOD_END.value} if refusal(row, Action.CANCEL_AT_END, facts) else set()
        return {"closed": frozenset(closed)}

    def initial(self) -> dict[str, Any]:
        """The gentle way, where it is open."""
        closed = self.form_kwargs()["closed"]
        gentle = Execution.PERIOD_END.value
        return {"execution": Execution.NOW.value if gentle in closed else gentle}

    def wanted(self, values: dict[str, Any]) -> dict[str, Any]:
        """The answers as the service knows them."""
        is_end = values["execution"] == Execution.PERIOD_END
        day = values.get("effective_on") if values["execution"] == DAY else None
        return {"execution": Execution.PERIOD_END if is_end else Execution.NOW, "effective_on": day}

    def preview(self, values: dict[str, Any]) -> Preview:
        """What ends when, and what is credited."""
        return giveback.preview_cancel(self.actor, self.subscription, **self.wanted(values))

    def perform(self, form: Any) -> Given:
        """Ask the vendor."""
        data = form.cleaned_data
        return giveback.cancel(self.actor, subscription=self.subscription, reason=data["reason"], **self.wanted(data))
