"""Return requests: what customers want to give back, what accepting does, accept and reject (``esd.md`` 8)."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.selectors import charge_of_asset
from bss.forms.operations import ReasonForm
from bss.views.shared import history_of
from core import money
from core.tenancy import Actor
from orders.services.asset_return import accept_return
from subscriptions.asset_rules import AssetAction, obstacle
from subscriptions.asset_selectors import returns_for
from subscriptions.enums import REQUEST_MACHINE, RequestEvent, RequestStatus
from subscriptions.models import AssetReturn
from subscriptions.services.returns import reject_return
from ui.filters import Choice, Filter, Period
from ui.pages import Action, ActionPage, DetailPage, Fact, ListPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Return requests"), "bss:return_list")


class ReturnList(ListPage):
    """Licences that customers ask to give back, newest first."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Return requests")
    intro = gettext_lazy("Licences that customers want to give back, and those staff gave back at once.")
    selector = returns_for
    columns = (
        Column("asset.name", gettext_lazy("Asset"), "main", sort="asset__name"),
        Column(
            "asset.account.name",
            gettext_lazy("Customer"),
            sort="asset__account__name",
            sub="asset.bill_to.name",
            sub_label=gettext_lazy("Billed to"),
        ),
        Column("requested_by", gettext_lazy("By"), sort="requested_by"),
        Column("created_at", gettext_lazy("Date"), "when", sort="created_at"),
        Column("asset.unit_price", gettext_lazy("Price"), "money", currency="asset.currency"),
        Column("comment", gettext_lazy("Comment"), "clip"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("status", gettext_lazy("Status"), "status", RequestStatus.choices),
        Filter("account", gettext_lazy("Customer"), "asset__account__name"),
        Filter("asset", gettext_lazy("Asset"), "asset__name"),
        Period("asked", gettext_lazy("Date"), "created_at"),
    )
    search = ("asset__name", "asset__account__name", "requested_by")
    empty_icon = "check-circle"
    empty_title = gettext_lazy("No return requests")
    empty_text = gettext_lazy("A customer asks on the page of his licence.")

    def row_url(self, row: Any) -> str:
        """The request with what accepting it would do."""
        return reverse("bss:return_detail", args=[row.public_id])


class ReturnDetail(DetailPage):
    """One request: who asks, why, and what accepting it does and credits."""

    perm = Perm.BSS_VIEW
    selector = returns_for
    template_name = "bss/request_page.html"
    back = LIST
    facts = (
        Fact("requested_by", gettext_lazy("By"), sub="requested_by_user.email"),
        Fact("created_at", gettext_lazy("Date"), "when"),
        Fact("decided_by", gettext_lazy("Decided by")),
        Fact("decided_at", gettext_lazy("Decided"), "when"),
    )
    parts = ("bss/_request_words.html", "bss/_return_meaning.html")
    side = ("bss/_return_asset.html", "bss/_history.html")

    def page_title(self) -> str:
        """What is asked."""
        return _("Return: %(name)s") % {"name": self.object.asset.name}

    def shown_facts(self) -> list[Fact]:
        """The decision only once there is one."""
        return [fact for fact in self.facts if not fact.path.startswith("decided") or fact.raw(self.object)]

    def context(self) -> dict[str, Any]:
        """What accepting credits now, or why it is not possible."""
        row: AssetReturn = self.object
        is_open = row.status == RequestStatus.SUBMITTED
        return {
            "impossible": obstacle(row.asset, AssetAction.RETURN, deciding=row)[1] if is_open else "",
            "credit": credit_words(self.actor, row) if is_open else "",
            "links_operations": self.actor.has(Perm.OPERATION_VIEW),
            "history": history_of(self.actor, row),
        }

    def actions(self, row: AssetReturn) -> list[Action]:
        """Accept and reject, while it can be decided."""
        if not self.actor.has(Perm.SERVICE_MANAGE):
            return []
        found = []
        if row.status == RequestStatus.SUBMITTED:
            why = obstacle(row.asset, AssetAction.RETURN, deciding=row)[1]
            url = reverse("bss:return_accept", args=[row.public_id])
            found.append(Action(_("Accept"), url, "check", "primary", why))
        if REQUEST_MACHINE.allows(row.status, RequestEvent.REJECT):
            found.append(Action(_("Reject"), reverse("bss:return_reject", args=[row.public_id]), "cross", "danger"))
        return found


def credit_words(actor: Actor, row: AssetReturn) -> str:
    """What accepting credits, tax included; empty if nothing was charged."""
    charge = charge_of_asset(actor, row.asset_id)
    return money.show(charge.gross, charge.currency) if charge else ""


class ReturnDecision(ActionPage):
    """A decision about a request."""

    perm = Perm.SERVICE_MANAGE
    back = LIST

    def load(self, **kwargs: Any) -> AssetReturn:
        """The request of the address."""
        row: AssetReturn = self.find(returns_for(self.actor), kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the request."""
        return [*super().crumbs(), (str(self.object), self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the request."""
        return reverse("bss:return_detail", args=[self.object.public_id])


class ReturnAccept(ReturnDecision):
    """Have the vendor take the licence back."""

    title = gettext_lazy("Accept return")
    submit = gettext_lazy("Accept")
    success = gettext_lazy("Accepted. It is on its way to the vendor; the request is completed when he has done it.")
    is_danger = True

    def consequences(self) -> list[str]:
        """What it credits, or why it is not possible."""
        words = obstacle(self.object.asset, AssetAction.RETURN, deciding=self.object)[1]
        if words:
            return [words]
        found = [_("The vendor takes the licence back at once; its key can no longer be used then.")]
        credit = credit_words(self.actor, self.object)
        return [*found, _("Credited when he has done it: %(amount)s.") % {"amount": credit}] if credit else found

    def perform(self, form: Any) -> AssetReturn:
        """Call the service."""
        return accept_return(self.actor, request=self.object)


class ReturnReject(ReturnDecision):
    """Leave the licence as it is."""

    title = gettext_lazy("Reject return")
    submit = gettext_lazy("Reject")
    form_class = ReasonForm
    success = gettext_lazy("Rejected; the requester is told.")

    def consequences(self) -> list[str]:
        """Nothing changes."""
        return [
            _("The licence stays as it is; nothing is credited."),
            _("The requester is told by e-mail, with your reason."),
        ]

    def perform(self, form: Any) -> AssetReturn:
        """Call the service."""
        return reject_return(self.actor, request=self.object, reason=form.cleaned_data["reason"])
