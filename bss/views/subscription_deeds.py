"""What an employee may do with a subscription now: every deed that makes sense, with the reason where it is closed."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from bss.views.subscription_less import cancel_obstacle
from core.tenancy import Actor
from subscriptions.enums import OperationState, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from subscriptions.preconditions import Action as Deed
from subscriptions.preconditions import Facts, refusal
from ui.pages import Action
from users.permissions import Perm
from vendors.models import SyncStatus


@dataclass(frozen=True)
class DeedGroup:
    """Deeds that belong together, under one heading."""

    label: str
    actions: list[Action]


def closed_deeds(groups: list[DeedGroup]) -> list[tuple[str, str]]:
    """Why some deeds are not possible now: each reason once, with the deeds it closes."""
    found: dict[str, list[str]] = {}
    for action in (action for group in groups for action in group.actions if action.reason):
        found.setdefault(action.reason, []).append(str(action.label))
    return [(reason, ", ".join(labels)) for reason, labels in found.items()]


def deeds_for(actor: Actor, row: Subscription, facts: Facts, operation: Operation | None) -> list[DeedGroup]:
    """The groups with something in them for this employee."""
    if row.status == SubscriptionStatus.CANCELLED:
        return []
    groups = [
        DeedGroup(_("Change"), _changes(row, facts) if actor.has(Perm.SERVICE_MANAGE) else []),
        DeedGroup(_("Renewal"), _renewal(row, facts) if actor.has(Perm.SERVICE_MANAGE) else []),
        DeedGroup(_("Run and end"), _run(actor, row, facts)),
        DeedGroup(_("Put right"), _repair(actor, row, facts, operation)),
    ]
    return [group for group in groups if group.actions]


def _deed(row: Subscription, facts: Facts, action: Deed, name: str, label: str, icon: str, tone: str = "") -> Action:
    found = refusal(row, action, facts)
    return Action(label, _url(row, name), icon, tone, found.message if found else "")


def _url(row: Subscription, name: str, *more: Any) -> str:
    return reverse(f"bss:subscription_{name}", args=[row.public_id, *more])


def _changes(row: Subscription, facts: Facts) -> list[Action]:
    return [
        _deed(row, facts, Deed.BUY_LICENCES, "buy", _("Buy licences"), "plus"),
        _deed(row, facts, Deed.REDUCE, "reduce", _("Reduce licences"), "minus"),
        _deed(row, facts, Deed.BUY_ADDON, "buy_addon", _("Buy an add-on"), "box"),
        _deed(row, facts, Deed.UPGRADE, "upgrade", _("Upgrade"), "arrow-up"),
    ]


def _renewal(row: Subscription, facts: Facts) -> list[Action]:
    label = _("Turn automatic renewal off") if row.auto_renew else _("Turn automatic renewal on")
    found = [_deed(row, facts, Deed.AUTO_RENEW, "auto_renew", label, "repeat")]
    if facts.schedule is not None:
        revoke = _deed(row, facts, Deed.REVOKE_SCHEDULE, "revoke", _("Revoke the scheduled change"), "cross")
        return [*found, revoke]
    return [*found, _deed(row, facts, Deed.MANAGE_RENEWAL, "renewal", _("Change at the renewal"), "clock")]


def _run(actor: Actor, row: Subscription, facts: Facts) -> list[Action]:
    found = []
    if actor.has(Perm.PRICE_EDIT):
        found.append(_deed(row, facts, Deed.EDIT_PRICE, "price", _("Edit pricing info"), "tag"))
    if actor.has(Perm.SERVICE_SUSPEND) and row.status == SubscriptionStatus.SUSPENDED:
        found.append(_deed(row, facts, Deed.ACTIVATE, "activate", _("Reactivate"), "play"))
    elif actor.has(Perm.SERVICE_SUSPEND):
        found.append(_deed(row, facts, Deed.SUSPEND, "suspend", _("Suspend"), "pause"))
    if not actor.has(Perm.SERVICE_MANAGE):
        return found
    if row.status == SubscriptionStatus.PENDING_CANCEL:
        found.append(_deed(row, facts, Deed.REVOKE_CANCEL, "keep", _("Keep it"), "check"))
    return [*found, Action(_("Cancel"), _url(row, "cancel"), "cross", "danger", cancel_obstacle(row, facts))]


def _repair(actor: Actor, row: Subscription, facts: Facts, operation: Operation | None) -> list[Action]:
    if row.sync_status != SyncStatus.FAILED or operation is None:
        return []
    found = []
    if actor.has(Perm.OPERATION_ACT) and operation.state in (OperationState.REFUSED, OperationState.ATTENTION):
        url = reverse("bss:operation_retry", args=[operation.public_id])
        found.append(Action(_("Retry synchronization"), url, "sync", "primary"))
    if actor.has(Perm.SERVICE_MANAGE) and refusal(row, Deed.DISMISS, facts) is None:
        found.append(Action(_("Set the refused change aside"), _url(row, "set_aside"), "cross"))
    return found
