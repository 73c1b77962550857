"""A page that changes a service: what it means, with the price, stands there before the one click that does it.

GET shows the form and the preview of what stands in it; POST with ``preview`` shows it for other answers (htmx asks for
that part alone while somebody types); POST with the seal of exactly that preview performs it, once.
"""

import hashlib
import uuid
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.services import credit_of
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from orders.models import Order
from orders.selectors import orders_for
from orders.services.place import PriceChanged
from orders.services.preview import Preview
from storefront.forms import ChangeForm
from storefront.views.subscription import services_for, window_context
from subscriptions.legs import shown_to
from subscriptions.models import CancellationRequest, Subscription
from subscriptions.preconditions import Action, Facts, Refusal, facts_of, refusal
from ui.pages.forms import FormPage
from users.permissions import Perm

# Where a refusal leads on, by its code: the words of the link, and the page's name.
WAYS_ON: dict[str, tuple[Any, str]] = {
    "auto_renew_off": (gettext_lazy("Turn automatic renewal on"), "subscription_auto_renew"),
    "scheduled_change_pending": (gettext_lazy("Revoke the scheduled change"), "subscription_revoke"),
    "request_waits": (gettext_lazy("Withdraw the request"), "subscription_withdraw"),
    "cancellation_pending": (gettext_lazy("Keep the service"), "subscription_keep"),
    "synchronization_failed": (gettext_lazy("Set the refused change aside"), "subscription_dismiss"),
}


class ChangePage(FormPage):
    """One change of a service. Subclasses declare ``action`` and write ``preview`` and ``perform``.

    ``fields`` is the template of the form's fields (empty: nothing to choose). ``reads_vendor``: the meaning depends on
    the vendor's window, so that stands beside it and is read anew if it is old.
    """

    perm = Perm.SHOP_SERVICES_MANAGE
    layout = "base_storefront.html"
    template_name = "storefront/subscription_change.html"
    back = (gettext_lazy("Services"), "storefront:subscription_list")
    form_class = ChangeForm
    action: ClassVar[Action]
    fields: ClassVar[str] = ""
    reads_vendor: ClassVar[bool] = False
    orders: ClassVar[bool] = False
    previewed: Preview | None = None
    refused: BusinessError | None = None
    is_changed = False

    _facts: Facts | None = None

    def load(self, **kwargs: Any) -> Subscription:
        """The service of the address."""
        row: Subscription = self.find(services_for(self.actor), kwargs["public_id"])
        return shown_to(self.actor, row)

    @property
    def service(self) -> Subscription:
        """The service that is changed."""
        row: Subscription = self.object
        return row

    @property
    def facts(self) -> Facts:
        """What the table of preconditions asks the database, asked once."""
        if self._facts is None:
            self._facts = facts_of(self.service)
        return self._facts

    @property
    def sees_prices(self) -> bool:
        """Whether amounts are shown; without the right the words alone, and the amount is the one of that moment."""
        return self.actor.has(Perm.SHOP_PRICES_VIEW) and self.service.is_priced

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the service."""
        return [*super().crumbs(), (self.service.name, self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the service."""
        return reverse("storefront:subscription_detail", args=[self.service.public_id])

    def initial(self) -> dict[str, Any]:
        """The key of this form, so that it is done once however often it is sent."""
        return {"key": uuid.uuid4()}

    def obstacle(self) -> Refusal | None:
        """Why this is not possible now at all."""
        return refusal(self.service, self.action, self.facts)

    def preview(self, values: dict[str, Any]) -> Preview:
        """What these values would do; raises BusinessError if they are not possible."""
        raise LookupError(f"{type(self).__name__} previews nothing")

    def confirm_words(self) -> str:
        """What stands on the button that does it."""
        return str(self.submit or self.page_title())

    def way_on(self, error: BusinessError | Refusal) -> tuple[str, str] | None:
        """Where a refusal leads on, as words and an address."""
        code = error.code
        if code == "cancellation_pending":
            code = "request_waits" if self.facts.request is not None else code
        known = WAYS_ON.get(code)
        return (str(known[0]), reverse(f"storefront:{known[1]}", args=[self.service.public_id])) if known else None

    def done_before(self, key: str) -> str:
        """The address of the order this very form has placed already, if it has."""
        if not self.orders or not is_uuid(key):
            return ""
        order = orders_for(self.actor).filter(idempotency_key=key).first()
        return self.done_url(order) if order else ""

    def done_url(self, result: Any) -> str:
        """An order's progress; everything else is followed on the service's page."""
        if isinstance(result, Order):
            return reverse("storefront:order_detail", args=[result.public_id])
        return self.cancel_url()

    def success_message(self, result: Any) -> str:
        """What is said when it is done; the page that follows a change speaks for itself."""
        if isinstance(result, CancellationRequest):
            return _("Your request was sent. Your provider decides about it; you can withdraw it until then.")
        return "" if result is not None else _("It is so already.")

    def seal(self) -> str:
        """A word for what was shown, so that nobody confirms something else than he has seen."""
        shown = self.previewed
        if shown is None:
            return ""
        money = (str(shown.amount.gross), str(shown.next_net)) if self.sees_prices else ()
        said = (shown.what, shown.when, shown.request, *money)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:24]

    def context(self) -> dict[str, Any]:
        """The preview with its seal, what is in the way, and the vendor's window."""
        stop = self.refused if isinstance(self.refused, Conflict) else self.obstacle()
        return {
            "service": self.service,
            "stop": stop,
            "stop_way": self.way_on(stop) if stop else None,
            "refused": self.refused,
            "refused_way": self.way_on(self.refused) if self.refused else None,
            "seen": self.seal(),
            "is_changed": self.is_changed,
            "sees_prices": self.sees_prices,
            **self._shown(),
            **(window_context(self.actor, self.service) if self.reads_vendor else {}),
        }

    def _shown(self) -> dict[str, Any]:
        shown = self.previewed
        if shown is None:
            return {"preview": None}
        is_over = False
        if self.orders and self.sees_prices and self.actor.pays and shown.amount.net > 0:
            credit = credit_of(self.service.bill_to)
            is_over = not credit.unlimited and shown.amount.gross > credit.available
        amount = shown.amount
        return {
            "preview": shown,
            "net": abs(amount.net),
            "tax": abs(amount.tax),
            "gross": abs(amount.gross),
            "is_credit": amount.net < 0,
            "over_credit": is_over,
        }

    def show(self, status: int = 200, **extra: Any) -> HttpResponseBase:
        """The page, or the preview alone for htmx, which puts only a success into the page."""
        if self.wants_part():
            self.template_name = "storefront/_subscription_preview.html"  # type: ignore[misc]
            status = 200
        return super().show(status, **extra)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The form with the preview of what stands in it at first."""
        self.object = self.load(**kwargs)
        form = self.make_form()
        if self.obstacle() is None:
            self._try(dict(form.initial))
        return self.show(form=form)

    def _try(self, values: dict[str, Any]) -> None:
        try:
            self.previewed = self.preview(values)
        except BusinessError:
            # What stands in the form at first need not be possible; the preview appears with the first answer.
            self.previewed = None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Preview what was typed, or perform it if it is confirmed as it was seen."""
        self.object = self.load(**kwargs)
        before = self.done_before(request.POST.get("key", ""))
        if before:
            return redirect(before)
        form: Any = self.make_form(request.POST)
        if self.obstacle() is not None:
            return self.show(status=409, form=form)
        is_asking = "preview" in request.POST
        if is_asking:
            form.relax()
        if not form.is_valid():
            return self.show(status=400, form=form)
        return self._preview_or_do(request, form, is_asking)

    def _preview_or_do(self, request: HttpRequest, form: Any, is_asking: bool) -> HttpResponseBase:
        try:
            self.previewed = self.preview(form.cleaned_data)
            if is_asking or request.POST.get("seen") != self.seal():
                self.is_changed = not is_asking
                return self.show(form=form)
            result = self.perform(form)
        except (PermissionRefused, NotVisible):
            raise
        except PriceChanged:
            self.previewed, self.is_changed = self.preview(form.cleaned_data), True
            return self.show(status=409, form=form)
        except BusinessError as error:
            self.previewed, self.refused = None, error
            if error.field in form.fields:
                form.add_error(error.field, str(error.message))
            return self.show(status=409 if isinstance(error, Conflict) else 400, form=form)
        text = self.success_message(result)
        if text:
            messages.success(request, text)
        return redirect(self.done_url(result))


def is_uuid(text: str) -> bool:
    """Whether a key that came in is one."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def licences(number: int) -> str:
    """A number of licences in words."""
    return _("1 licence") if number == 1 else _("%(n)s licences") % {"n": number}
