"""A page that changes a subscription: first what it means, with the money, then the one confirmation."""

import hashlib
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from bss.forms.subscriptions import ChangeForm
from core.errors import BusinessError, NotVisible, PermissionRefused
from core.tenancy import Actor
from orders.services.giveback import window_of
from orders.services.preview import Preview
from provisioning.services.refresh import is_stale, reading_job
from subscriptions.enums import BILLED_STATUSES
from subscriptions.models import Subscription
from subscriptions.preconditions import Action, refusal
from subscriptions.selectors import subscriptions_with_addons
from ui.pages import FormPage
from users.permissions import Perm


def seen_of(preview: Preview) -> str:
    """A word for what a preview says, so that nobody confirms something else than he has seen."""
    said = (preview.what, preview.when, str(preview.amount), str(preview.next_net), preview.request)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:24]


def preview_context(preview: Preview | None) -> dict[str, Any]:
    """What ``bss/_preview.html`` draws: the preview, its seal, and its amounts without the sign of a credit."""
    if preview is None:
        return {"preview": None}
    amount = preview.amount
    shown = {"net": abs(amount.net), "tax": abs(amount.tax), "gross": abs(amount.gross)}
    return {"preview": preview, "seen": seen_of(preview), "shown": shown}


def window_context(actor: Actor, row: Subscription) -> dict[str, Any]:
    """What ``bss/_subscription_window.html`` draws: the vendor's window, when it was read, and whether it is being."""
    is_live = row.status in BILLED_STATUSES
    return {
        "window": window_of(row) if is_live else None,
        "needs_reading": is_live and is_stale(row),
        "reading": reading_job(actor, row) if is_live else None,
    }


class OfSubscription(FormPage):
    """A form about one subscription; it leads back to it."""

    perm = Perm.SERVICE_MANAGE
    back = (gettext_lazy("Subscriptions"), "bss:subscription_list")

    def load(self, **kwargs: Any) -> Any:
        """The subscription of the address."""
        return self.find(subscriptions_with_addons(self.actor), kwargs["public_id"])

    @property
    def subscription(self) -> Subscription:
        """The subscription that is changed."""
        row: Subscription = self.object
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the subscription."""
        return [*super().crumbs(), (self.subscription.name, self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the subscription."""
        return reverse("bss:subscription_detail", args=[self.subscription.public_id])


class ChangePage(OfSubscription):
    """Shows a :class:`Preview` of what is typed, and performs it once exactly that was confirmed.

    ``action`` is the row of the table of preconditions; while it refuses, the page says why instead of asking.
    ``reads_vendor``: what it means depends on the vendor's windows, so the page says when they were read.
    """

    template_name = "bss/change_page.html"
    form_class: ClassVar[type[forms.Form]] = ChangeForm
    action: ClassVar[Action]
    reads_vendor: ClassVar[bool] = False
    previewed: Preview | None = None
    is_stale = False
    success = gettext_lazy("It is on its way to the vendor. This page follows it.")

    def preview(self, values: dict[str, Any]) -> Preview:
        """What these values would do; raises BusinessError if they are not possible."""
        raise LookupError(f"{type(self).__name__} previews nothing")

    def obstacle(self) -> str:
        """Why this is not possible now, in words; empty if it is."""
        found = refusal(self.subscription, self.action)
        return found.message if found else ""

    def context(self) -> dict[str, Any]:
        """The preview with its seal, the vendor's window, and the obstacle if there is one."""
        return {
            "obstacle": self.obstacle(),
            "is_stale": self.is_stale,
            **preview_context(self.previewed),
            **(window_context(self.actor, self.subscription) if self.reads_vendor else {}),
        }

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the form with the preview of what stands in it at first."""
        self.object = self.load(**kwargs)
        form = self.make_form()
        try:
            self.previewed = self.preview(self.initial())
        except BusinessError:
            # What stands in the form at first need not be possible; the preview appears with the first answer.
            self.previewed = None
        return self.show(form=form)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Preview what was typed; or perform it, if it was confirmed as it was seen."""
        self.object = self.load(**kwargs)
        is_asking = "preview" in request.POST
        form: Any = self.make_form(request.POST)
        if is_asking:
            form.relax()
        if form.is_valid():
            try:
                self.previewed = self.preview(form.cleaned_data)
                if is_asking or request.POST.get("seen") != seen_of(self.previewed):
                    self.is_stale = not is_asking
                    return self.show(form=form)
                result = self.perform(form)
            except (PermissionRefused, NotVisible):
                raise
            except BusinessError as error:
                self.refuse(form, error)
            else:
                messages.success(request, self.success_message(result))
                return redirect(self.done_url(result))
        # htmx puts only a success into the page; the part says itself what is wrong.
        return self.show(status=200 if self.wants_part() else 400, form=form)
