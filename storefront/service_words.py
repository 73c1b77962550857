"""What is going on with a service, in words for the customer: the change under way, and what he may do next.

A vendor's refusal is told cleaned of what is the vendor's or ours (``channel.md`` 10.3); staff read the full reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Product
from catalog.selectors import addons_of, upgrades_of
from core.tenancy import Actor
from subscriptions.enums import OPEN_STATES, OperationState, Purpose, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from subscriptions.preconditions import Action, Facts, Refusal, is_recurring, refusal
from subscriptions.refusals import cleaned
from users.permissions import Perm

_P = Purpose
# A change by its purpose: while it runs, and once it is done.
CHANGES: dict[str, tuple[Any, Any]] = {
    _P.PROVISION: (gettext_lazy("This service is being set up."), gettext_lazy("The service is active. Enjoy!")),
    _P.LICENCES: (gettext_lazy("Your new licences are on their way."), gettext_lazy("The new licences are there.")),
    _P.REDUCE: (gettext_lazy("Licences are being given back."), gettext_lazy("The licences are given back.")),
    _P.ADDON: (gettext_lazy("The add-on is being added."), gettext_lazy("The add-on is there.")),
    _P.ADDON_REDUCE: (gettext_lazy("The add-on is being changed."), gettext_lazy("The add-on is changed.")),
    _P.ADDON_CANCEL: (gettext_lazy("The add-on is being cancelled."), gettext_lazy("The add-on is cancelled.")),
    _P.AUTO_RENEW: (
        gettext_lazy("Automatic renewal is being changed."),
        gettext_lazy("Automatic renewal is changed."),
    ),
    _P.SCHEDULE: (
        gettext_lazy("Your change for the renewal is being written down at the vendor."),
        gettext_lazy("Your change for the renewal is scheduled."),
    ),
    _P.REVOKE_SCHEDULE: (
        gettext_lazy("The scheduled change is being revoked."),
        gettext_lazy("The scheduled change is revoked."),
    ),
    _P.SUSPEND: (gettext_lazy("The service is being suspended."), gettext_lazy("The service is suspended.")),
    _P.ACTIVATE: (gettext_lazy("The service is being reactivated."), gettext_lazy("The service runs again.")),
    _P.CANCEL: (gettext_lazy("The service is being cancelled."), gettext_lazy("The service is cancelled.")),
    _P.CANCEL_AT_END: (
        gettext_lazy("The cancellation is being written down at the vendor."),
        gettext_lazy("The service will end with its term."),
    ),
    _P.REVOKE_CANCEL: (
        gettext_lazy("The cancellation is being taken back."),
        gettext_lazy("The service goes on."),
    ),
    _P.UPGRADE: (gettext_lazy("The upgrade is under way."), gettext_lazy("The upgrade is done.")),
}
HAS_RIBBON = (_P.SCHEDULE, _P.CANCEL, _P.CANCEL_AT_END, _P.SUSPEND)


@dataclass(frozen=True)
class Change:
    """A change of a service for people: ``is_open`` pages ask again; a refused one can be set aside."""

    headline: str
    note: str
    tone: str
    is_open: bool = False
    is_refused: bool = False


def told(operation: Operation | None, *, is_ribbon_elsewhere: bool = False) -> Change | None:
    """An operation in words; None if there is none worth telling.

    ``is_ribbon_elsewhere``: the page says by itself what has come of a change that is done.
    """
    if operation is None or operation.state == OperationState.GIVEN_UP or operation.purpose not in CHANGES:
        return None
    running, done = CHANGES[operation.purpose]
    if operation.state == OperationState.DONE:
        if is_ribbon_elsewhere and operation.purpose in HAS_RIBBON:
            return None
        return Change(str(done), "", "success")
    if operation.state == OperationState.REFUSED:
        return _refused(operation)
    if operation.state == OperationState.ATTENTION:
        note = _("Something needs our team's attention. You need not do anything.")
        return Change(str(running), note, "warning", is_open=True)
    if operation.flag == "awaiting_relationship":
        note = _("It waits until the customer accepts the invitation.")
        return Change(str(running), note, "warning", is_open=True)
    is_slow = operation.state == OperationState.WAITING and operation.attempts
    note = _("The vendor is working on it.") if is_slow else _("This usually takes a minute or two.")
    return Change(str(running), note, "info", is_open=True)


def _refused(operation: Operation) -> Change:
    why = cleaned(operation.code) or _("Our team sees why and looks into it.")
    if operation.purpose == Purpose.PROVISION:
        return Change(_("This service could not be set up yet."), _("We are on it; nothing is charged."), "danger")
    words = _("The vendor did not accept it: %(what)s.") % {"what": str(Purpose(operation.purpose).label)}
    rest = _("Nothing was changed, and nothing is charged for it.")
    return Change(words, f"{why} {rest}", "danger", is_refused=True)


def is_moving(operation: Operation | None) -> bool:
    """Whether the page should ask again in a moment."""
    return operation is not None and operation.state in OPEN_STATES


@dataclass(frozen=True)
class Deed:
    """One entry of "I want to ...": where it leads, or why it is not possible now."""

    label: str
    hint: str
    icon: str
    url: str
    reason: str = ""
    is_danger: bool = False


def may_suspend(actor: Actor, row: Subscription) -> bool:
    """Whether a suspend button makes sense: a reseller with a customer's service."""
    return actor.sells and row.account_id != actor.account_id


def deeds(actor: Actor, row: Subscription, facts: Facts) -> list[Deed]:
    """What makes sense for this service, in the order of daily need; nothing for who may not manage it."""
    if not actor.has(Perm.SHOP_SERVICES_MANAGE) or row.status not in _LIVING:
        return []
    words = _Deeds(actor, row, facts)
    makers: list[Callable[[], Deed | None]] = [
        words.licences,
        words.addon,
        words.upgrade,
        words.renewal,
        words.auto_renew,
        words.suspend,
        words.keep,
        words.cancel,
    ]
    found = [make() for make in makers]
    return [deed for deed in found if deed is not None]


def cancel_refusal(row: Subscription, action: Action, facts: Facts) -> Refusal | None:
    """Why a customer cannot end a service now; one who has asked already waits for the answer, or withdraws."""
    if facts.request is not None:
        return Refusal("request_waits", _("A cancellation request waits for a decision."))
    return refusal(row, action, facts)


_LIVING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.SUSPENDED, SubscriptionStatus.PENDING_CANCEL)


class _Deeds:
    """One method per entry; None where it would make no sense at all."""

    def __init__(self, actor: Actor, row: Subscription, facts: Facts) -> None:
        self.actor, self.row, self.facts = actor, row, facts

    def _deed(self, action: Action, name: str, icon: str, label: str, hint: str, *, is_danger: bool = False) -> Deed:
        found = refusal(self.row, action, self.facts)
        url = reverse(f"storefront:subscription_{name}", args=[self.row.public_id])
        return Deed(label, hint, icon, url, found.message if found else "", is_danger)

    def licences(self) -> Deed | None:
        label, hint = _("Change the number of licences"), _("Order more, or give some back")
        more = self._deed(Action.BUY_LICENCES, "licences", "users", label, hint)
        fewer = self._deed(Action.REDUCE, "licences", "users", label, hint)
        return fewer if more.reason and not fewer.reason else more

    def addon(self) -> Deed | None:
        if not addons_of(self.row.product, self.actor).exists():
            return None
        return self._deed(Action.BUY_ADDON, "addon", "plus", _("Add an add-on"), _("Extend what this service can do"))

    def upgrade(self) -> Deed | None:
        if not _has_upgrades(self.row.product, self.actor):
            return None
        return self._deed(
            Action.UPGRADE, "upgrade", "arrow-up", _("Upgrade"), _("Move to a better product, all or part")
        )

    def renewal(self) -> Deed | None:
        if not is_recurring(self.row):
            return None
        return self._deed(
            Action.MANAGE_RENEWAL, "renewal", "clock", _("Plan the renewal"), _("Licences and plan of the next term")
        )

    def auto_renew(self) -> Deed | None:
        if not is_recurring(self.row) or self.row.status != SubscriptionStatus.ACTIVE:
            return None
        if self.row.auto_renew:
            words = _("Turn automatic renewal off"), _("The service then ends with its term")
        else:
            words = _("Turn automatic renewal on"), _("The service then goes on after its term")
        return self._deed(Action.AUTO_RENEW, "auto_renew", "repeat", *words)

    def suspend(self) -> Deed | None:
        if not may_suspend(self.actor, self.row) or self.row.status == SubscriptionStatus.PENDING_CANCEL:
            return None
        if self.row.status == SubscriptionStatus.SUSPENDED:
            return self._deed(Action.ACTIVATE, "activate", "play", _("Reactivate"), _("Its users get access again"))
        return self._deed(
            Action.SUSPEND, "suspend", "pause", _("Suspend"), _("Its users lose access; it is billed further")
        )

    def keep(self) -> Deed | None:
        if self.row.status != SubscriptionStatus.PENDING_CANCEL:
            return None
        return self._deed(Action.REVOKE_CANCEL, "keep", "check", _("Keep it"), _("Take the cancellation back"))

    def cancel(self) -> Deed | None:
        label, hint = _("Cancel the service"), _("Now, or at the end of the term")
        if self.row.status == SubscriptionStatus.PENDING_CANCEL:
            hint = _("At once instead of at the end of the term")
        found = [cancel_refusal(self.row, action, self.facts) for action in (Action.CANCEL_NOW, Action.CANCEL_AT_END)]
        reason = found[0].message if found[0] and found[1] else ""
        url = reverse("storefront:subscription_cancel", args=[self.row.public_id])
        return Deed(label, hint, "cross", url, reason, is_danger=True)


def _has_upgrades(product: Product, actor: Actor) -> bool:
    return upgrades_of(product, actor).exists()
