"""The operations desk: what goes to vendors, what needs a person, and what that person may do."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.operations import MarkDoneForm, ReasonForm
from bss.views.shared import history_of
from core.audit import masked
from core.tenancy import Actor
from core.words import stored_words
from orders.selectors import orders_for
from provisioning.services import desk
from subscriptions.enums import DESK_STATES, OPEN_STATES, OperationState, Verb
from subscriptions.legs import without_selling
from subscriptions.models import Operation
from subscriptions.selectors import dependants_of, operations_for, prerequisite_of, steps_of, successor_of
from ui.filters import Choice, Filter, Period
from ui.pages import Action, ActionPage, BulkAction, DetailPage, Fact, ListPage
from ui.tables import Column
from users.permissions import Perm
from vendors.selectors import instance_choices

UNFINISHED = (*OPEN_STATES, OperationState.REFUSED)


@dataclass(frozen=True)
class Scope(Choice):
    """What the desk shows: without a choice what needs a person, unless a state is asked for by name."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Narrow to what needs a person, or to what is not over."""
        value = values.get(self.name)
        if value == "unfinished":
            return rows.filter(state__in=UNFINISHED, retries=None)
        if value == "all" or values.get("state"):
            return rows
        return rows.filter(state__in=DESK_STATES, retries=None)


def _retry(actor: Actor, row: Operation) -> object:
    return desk.retry(actor, operation=row)


class OperationList(ListPage):
    """Operations at vendors; at first those that need a person."""

    perm = Perm.OPERATION_VIEW
    title = gettext_lazy("Operations desk")
    intro = gettext_lazy("What the vendors have not done yet, and what only a person can settle.")
    selector = operations_for
    columns = (
        Column(
            "get_verb_display",
            gettext_lazy("What"),
            "main",
            sort="verb",
            sub="service_name",
            sub_label=gettext_lazy("Service"),
        ),
        Column(
            "account.name",
            gettext_lazy("Account"),
            sort="account__name",
            sub="instance.system_name",
            sub_label=gettext_lazy("Instance"),
        ),
        Column(
            "message",
            gettext_lazy("Reason"),
            "clip",
            sub="code",
            sub_label=gettext_lazy("Code"),
            show=lambda row: stored_words(row.message),
        ),
        Column("state", gettext_lazy("State"), "status", sort="state"),
        Column("created_at", gettext_lazy("Requested"), "ago", sort="created_at"),
        Column("attempts", gettext_lazy("Attempts"), "number", sort="attempts"),
        Column(
            "not_before",
            gettext_lazy("Next try"),
            "ago",
            show=lambda row: row.not_before if row.state in (OperationState.WAITING, OperationState.QUEUED) else None,
        ),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Scope(
            "scope",
            gettext_lazy("Show"),
            "state",
            (
                ("desk", gettext_lazy("Needs a person")),
                ("unfinished", gettext_lazy("Everything unfinished")),
                ("all", gettext_lazy("All operations")),
            ),
        ),
        Choice("state", gettext_lazy("State"), "state", OperationState.choices),
        Choice("verb", gettext_lazy("What"), "verb", Verb.choices),
        Choice("instance", gettext_lazy("Instance"), "instance__public_id", instance_choices),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Filter("code", gettext_lazy("Code"), "code"),
        Period("requested", gettext_lazy("Requested"), "created_at"),
    )
    search = ("account__name", "subscription__name", "asset__name", "order_number", "message", "code")
    sort = "-pk"
    empty_icon = "check-circle"
    empty_title = gettext_lazy("Nothing needs you")
    empty_text = gettext_lazy("Every vendor has answered, or will be asked again without you. Filters show the rest.")
    bulk_actions = (BulkAction("retry", gettext_lazy("Retry"), Perm.OPERATION_ACT, _retry),)

    def row_url(self, row: Any) -> str:
        """The operation with all that is known of it."""
        return reverse("bss:operation_detail", args=[row.public_id])


class OperationDetail(DetailPage):
    """One operation: what it wants, what happened, what can be done."""

    perm = Perm.OPERATION_VIEW
    selector = operations_for
    status_field = "state"
    back = (gettext_lazy("Operations desk"), "bss:operation_list")
    facts = (
        Fact("instance.system_name", gettext_lazy("Instance")),
        Fact("code", gettext_lazy("Code"), "code"),
        Fact("attempts", gettext_lazy("Attempts"), "number"),
        Fact("created_at", gettext_lazy("Requested"), "when", sub="requested_by"),
        Fact("first_sent_at", gettext_lazy("First sent"), "when"),
        Fact("not_before", gettext_lazy("Next try"), "when"),
        Fact("wait_until", gettext_lazy("Waits until"), "when"),
        Fact("finished_at", gettext_lazy("Ended"), "when"),
        Fact("public_id", gettext_lazy("Id, as sent to the vendor"), "code"),
    )
    parts = (
        "bss/_operation_message.html",
        "bss/_operation_desired.html",
        "bss/_operation_related.html",
        "bss/_history.html",
    )
    side = ("bss/_operation_timeline.html",)

    def shown_facts(self) -> list[Fact]:
        """A next try and an end of waiting are shown only while there will be one."""
        hidden = set() if self.object.state in (OperationState.WAITING, OperationState.QUEUED) else {"not_before"}
        hidden |= set() if self.object.finished_at else {"finished_at"}
        hidden |= set() if self.object.wait_until and self.object.state in OPEN_STATES else {"wait_until"}
        return [fact for fact in self.facts if fact.path not in hidden]

    def context(self) -> dict[str, Any]:
        """What hangs together with it, and its history."""
        row: Operation = self.object
        return {
            "desired": masked(without_selling(row.desired)),
            "answer": {name: value for name, value in masked(row.result).items() if value not in ("", None)},
            "steps": [(step, masked(step.value)) for step in steps_of(row)],
            "dependants": list(dependants_of(self.actor, row)),
            "prerequisite": prerequisite_of(self.actor, row),
            "successor": successor_of(self.actor, row),
            "order": orders_for(self.actor).filter(number=row.order_number).first() if row.order_number else None,
            "history": history_of(self.actor, row),
        }

    def actions(self, row: Operation) -> list[Action]:
        """The four deeds of the desk, each with the reason why it is not possible now."""
        if not self.actor.has(Perm.OPERATION_ACT):
            return []
        why = desk.obstacles(row)
        if all(why.values()):
            return []
        deeds = (
            ("retry", _("Retry"), "sync", "primary"),
            ("check", _("Check now"), "search", ""),
            ("mark_done", _("Mark as done"), "check", ""),
            ("give_up", _("Give up"), "cross", "danger"),
        )
        return [
            Action(label, reverse(f"bss:operation_{name}", args=[row.public_id]), icon, tone, why[name])
            for name, label, icon, tone in deeds
            if not (name == "check" and why[name])
        ]


class DeskAction(ActionPage):
    """A deed of the desk: says what follows, then does it."""

    perm = Perm.OPERATION_ACT
    back = (gettext_lazy("Operations desk"), "bss:operation_list")

    def load(self, **kwargs: Any) -> Operation:
        """The operation of the address."""
        row: Operation = self.find(operations_for(self.actor), kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the operation."""
        return [*super().crumbs(), (str(self.object), self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the operation."""
        return reverse("bss:operation_detail", args=[self.object.public_id])

    def done_url(self, result: Any) -> str:
        """On to the operation, or to the new one that replaces it."""
        return reverse("bss:operation_detail", args=[result.public_id])


class OperationRetry(DeskAction):
    """Try again."""

    title = gettext_lazy("Retry")
    success = gettext_lazy("It is on its way to the vendor.")

    def consequences(self) -> list[str]:
        """A refused service is charged again, an unfinished one goes on under its id."""
        if self.object.state != OperationState.REFUSED:
            return [
                _("The vendor is asked again under the same id, so that nothing is ordered twice."),
                _("What was done already is found and not repeated."),
            ]
        words = [_("A new operation is opened; the refused one stays in the history.")]
        if self.object.verb in (Verb.CREATE, Verb.ASSET_CREATE):
            words.append(_("The price is charged to the account again; without enough credit nothing happens."))
        return words

    def perform(self, form: Any) -> Operation:
        """Hand it to the desk."""
        return desk.retry(self.actor, operation=self.object)


class OperationCheck(DeskAction):
    """Look at the vendor now."""

    title = gettext_lazy("Check now")
    success = gettext_lazy("The vendor is being asked.")

    def consequences(self) -> list[str]:
        """Nothing is ordered."""
        return [_("The vendor is asked at once how far it is, instead of at the next planned time.")]

    def perform(self, form: Any) -> Operation:
        """Hand it to the desk."""
        return desk.check_now(self.actor, operation=self.object)


class OperationMarkDone(DeskAction):
    """Somebody has seen at the vendor that it is done."""

    title = gettext_lazy("Mark as done")
    form_class = MarkDoneForm
    success = gettext_lazy("Marked as done.")

    def consequences(self) -> list[str]:
        """The vendor is not asked; all goes on as if he had answered."""
        words = [_("The vendor is not asked any more; the id you type is stored as his answer.")]
        if self.object.verb == Verb.CREATE:
            words.append(_("The service becomes active and its billing begins."))
        if self.object.account_link_id:
            words.append(_("The customer counts as set up, and the orders that wait for it go on."))
        return words

    def perform(self, form: Any) -> Operation:
        """Hand it to the desk."""
        data = form.cleaned_data
        return desk.mark_done(self.actor, operation=self.object, external_id=data["external_id"], reason=data["reason"])


class OperationGiveUp(DeskAction):
    """Stop for good."""

    title = gettext_lazy("Give up")
    form_class = ReasonForm
    success = gettext_lazy("Given up.")
    is_danger = True

    def consequences(self) -> list[str]:
        """What is released and cancelled."""
        words = [_("Nothing more is sent to the vendor. What he may have done already stays as it is there.")]
        if self.object.verb == Verb.CREATE:
            words.append(_("The service is cancelled, and the amount held for it is released."))
        if self.object.verb == Verb.ASSET_CREATE:
            words.append(_("The licence is cancelled, and the amount held for it is released."))
        if self.object.verb == Verb.ASSET_CANCEL:
            words.append(_("The licence stays as it is, and the request to return it is refused with your reason."))
        waiting = [row for row in dependants_of(self.actor, self.object) if row.state in OPEN_STATES]
        words += [_("Goes with it: %(what)s.") % {"what": row} for row in waiting]
        return words

    def perform(self, form: Any) -> Operation:
        """Hand it to the desk."""
        return desk.give_up(self.actor, operation=self.object, reason=form.cleaned_data["reason"])
