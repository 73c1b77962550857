"""Cancellation requests of customers: what waits for a decision, what accepting would do, accept and reject."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.operations import ReasonForm
from bss.views.shared import history_of
from bss.views.subscription_change import preview_context
from core.errors import BusinessError
from orders.services.decide import accept_request, preview_request
from subscriptions.enums import REQUEST_MACHINE, Execution, RequestEvent, RequestKind, RequestStatus
from subscriptions.models import CancellationRequest
from subscriptions.selectors import requests_for
from subscriptions.services.requests import reject_request
from ui.filters import Choice, Filter, Period
from ui.pages import Action, ActionPage, DetailPage, Fact, ListPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Cancellation requests"), "bss:request_list")


class RequestList(ListPage):
    """What customers ask to give back, newest first."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Cancellation requests")
    intro = gettext_lazy("What customers may not cancel by themselves, by the rules of the product type.")
    selector = requests_for
    columns = (
        Column("subscription.name", gettext_lazy("Subscription"), "main", sort="subscription__name"),
        Column("subscription.account.name", gettext_lazy("Account"), sort="subscription__account__name"),
        Column("requested_by", gettext_lazy("By"), sort="requested_by"),
        Column("created_at", gettext_lazy("Date"), "when", sort="created_at"),
        Column(
            "get_kind_display", gettext_lazy("What"), sort="kind", sub="addon.name", sub_label=gettext_lazy("Add-on")
        ),
        Column("quantity", gettext_lazy("How many"), "number", sort="quantity"),
        Column("get_execution_display", gettext_lazy("When"), sort="execution"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("status", gettext_lazy("Status"), "status", RequestStatus.choices),
        Choice("kind", gettext_lazy("What"), "kind", RequestKind.choices),
        Choice("execution", gettext_lazy("When"), "execution", Execution.choices),
        Filter("account", gettext_lazy("Account"), "subscription__account__name"),
        Period("asked", gettext_lazy("Date"), "created_at"),
    )
    search = ("subscription__name", "subscription__account__name", "requested_by")
    empty_icon = "check-circle"
    empty_title = gettext_lazy("No cancellation requests")
    empty_text = gettext_lazy("Whether customers cancel by themselves or ask first is set on the product type.")

    def row_url(self, row: Any) -> str:
        """The request with what accepting it would do."""
        return reverse("bss:request_detail", args=[row.public_id])


class RequestDetail(DetailPage):
    """One request: who asks for what, why, and what accepting it does and credits now."""

    perm = Perm.BSS_VIEW
    selector = requests_for
    template_name = "bss/request_page.html"
    back = LIST
    facts = (
        Fact("requested_by", gettext_lazy("By"), sub="requested_by_user.email"),
        Fact("created_at", gettext_lazy("Date"), "when"),
        Fact("get_kind_display", gettext_lazy("What"), sub="addon.name"),
        Fact("quantity", gettext_lazy("How many"), "number"),
        Fact("get_execution_display", gettext_lazy("Execution type")),
        Fact("decided_by", gettext_lazy("Decided by")),
        Fact("decided_at", gettext_lazy("Decided"), "when"),
    )
    parts = ("bss/_request_words.html", "bss/_request_preview.html")
    side = ("bss/_request_subscription.html", "bss/_history.html")

    def page_title(self) -> str:
        """What is asked."""
        return _("Request: %(what)s") % {"what": self.object.get_kind_display()}

    def shown_facts(self) -> list[Fact]:
        """The decision only once there is one."""
        return [fact for fact in self.facts if not fact.path.startswith("decided") or fact.raw(self.object)]

    def context(self) -> dict[str, Any]:
        """What accepting means now, as long as it can be accepted; what became of it afterwards."""
        row: CancellationRequest = self.object
        found: dict[str, Any] = {"preview": None, "impossible": ""}
        if row.status == RequestStatus.SUBMITTED:
            try:
                found |= preview_context(preview_request(self.actor, row))
            except BusinessError as error:
                found["impossible"] = error.message
        return found | {
            "links_operations": self.actor.has(Perm.OPERATION_VIEW),
            "history": history_of(self.actor, row),
        }

    def actions(self, row: CancellationRequest) -> list[Action]:
        """Accept and reject, while it can be decided."""
        if not self.actor.has(Perm.SERVICE_MANAGE):
            return []
        found = []
        if REQUEST_MACHINE.allows(row.status, RequestEvent.ACCEPT):
            found.append(Action(_("Accept"), reverse("bss:request_accept", args=[row.public_id]), "check", "primary"))
        if REQUEST_MACHINE.allows(row.status, RequestEvent.REJECT):
            found.append(Action(_("Reject"), reverse("bss:request_reject", args=[row.public_id]), "cross", "danger"))
        return found


class RequestDecision(ActionPage):
    """A decision about a request."""

    perm = Perm.SERVICE_MANAGE
    back = LIST

    def load(self, **kwargs: Any) -> Any:
        """The request of the address."""
        return self.find(requests_for(self.actor), kwargs["public_id"])

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the request."""
        return [*super().crumbs(), (str(self.object), self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the request."""
        return reverse("bss:request_detail", args=[self.object.public_id])


class RequestAccept(RequestDecision):
    """Do what the customer asks for."""

    title = gettext_lazy("Accept request")
    template_name = "bss/request_accept_page.html"
    success = gettext_lazy("Accepted. It is on its way to the vendor; the request is completed when he has done it.")
    is_danger = True

    def context(self) -> dict[str, Any]:
        """What it does and credits now, or why it is not possible."""
        try:
            return {"obstacle": ""} | preview_context(preview_request(self.actor, self.object))
        except BusinessError as error:
            return {"obstacle": error.message, "preview": None}

    def perform(self, form: Any) -> CancellationRequest:
        """Call the service."""
        return accept_request(self.actor, request=self.object)


class RequestReject(RequestDecision):
    """Leave the service as it is."""

    title = gettext_lazy("Reject request")
    form_class = ReasonForm
    success = gettext_lazy("Rejected; the requester is told.")

    def consequences(self) -> list[str]:
        """Nothing changes."""
        return [
            _("The service goes on as it is; nothing is credited."),
            _("The requester is told by e-mail, with your reason."),
        ]

    def perform(self, form: Any) -> CancellationRequest:
        """Call the service."""
        return reject_request(self.actor, request=self.object, reason=form.cleaned_data["reason"])
