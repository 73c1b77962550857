"""Giving something back: fewer licences, an add-on, the whole service; at once or with the term (``channel.md`` 9.3).

What is credited is reckoned when it is asked for, kept with the operation, and posted once the vendor has done it. A
customer above the product type's limit writes a request instead, which staff accept or reject.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import ProductType, RefundPolicy
from core import audit, clock, money
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor
from orders.services.preview import (
    Preview,
    amount_words,
    credit_for,
    next_period_price,
    part_unused,
    period_of,
    period_price,
    renews_at,
    taxed,
)
from subscriptions.enums import (
    SUBSCRIPTION_MACHINE,
    Execution,
    Purpose,
    RequestKind,
    SubscriptionEvent,
    SubscriptionStatus,
)
from subscriptions.legs import customers_view
from subscriptions.models import CancellationRequest, Operation, Subscription, SubscriptionAddOn
from subscriptions.preconditions import Action, demand
from subscriptions.services.changes import lock_subscription, open_change, touch
from subscriptions.services.life import tell_addon
from subscriptions.services.requests import submit_request
from subscriptions.services.switch import require_manage
from users.permissions import Perm

# The distributor charges his period on the very same moment, before anybody could tell him.
BACK_ORDERING = "back_ordering"


@dataclass(frozen=True)
class Window:
    """What the vendor takes back now: so many licences, each part until a moment of its own; None: no limit known."""

    quantity: int | None
    until: dt.datetime | None
    parts: tuple[tuple[int, dt.datetime], ...] = ()


def window_of(row: Subscription) -> Window:
    """The vendor's window as last read; parts that are over are left out, the next to close comes first."""
    now = clock.now()
    if not row.refundable:
        if row.cancel_until is None:
            return Window(None, None)
        return Window(row.quantity if row.cancel_until > now else 0, row.cancel_until)
    found = []
    for item in row.refundable:
        until = dt.datetime.fromisoformat(str(item["until"]))
        if until > now:
            found.append((int(item["quantity"]), until))
    found.sort(key=lambda part: part[1])
    return Window(sum(part[0] for part in found), row.cancel_until, tuple(found))


def _staff_decide(actor: Actor, kind: ProductType, quantity: int, *, addon: bool) -> bool:
    """Whether a customer's wish becomes a request (``channel.md`` 9.3)."""
    if not actor.is_customer:
        return False
    allowed = kind.auto_cancel_addons if addon else kind.auto_cancel_subscriptions
    return not allowed or (kind.auto_cancel_limit is not None and quantity > kind.auto_cancel_limit)


def preview_cancel(
    actor: Actor, row: Subscription, *, execution: Execution, effective_on: dt.date | None = None
) -> Preview:
    """What cancelling the whole service means, now or with its term.

    Staff may let it count from ``effective_on``, today or a past day of the billing period; raises ``date_invalid`` for
    any other day.
    """
    window = window_of(row)
    asks = _staff_decide(actor, row.product.product_type, row.quantity, addon=False)
    if execution == Execution.PERIOD_END:
        ends = renews_at(row) or row.period_ends_at
        return Preview(
            what=_("%(name)s with all its licences ends with its term.") % {"name": row.name},
            when=_("On %(date)s; until then it runs and is billed.") % {"date": _day(row, ends)},
            amount=taxed(row, money.ZERO),
            currency=row.currency,
            next_net=money.ZERO,
            next_at=ends,
            irrevocable=_("You can keep it until that day."),
            trace=(),
            request=asks,
        )
    if is_window_closed(row):
        raise BusinessError("window_closed", window_words(row))
    net, how = credit_for(row, period_price(row))
    now = Preview(
        what=_("%(name)s with all its licences and add-ons is cancelled.") % {"name": row.name},
        when=_("At once: its users lose access."),
        amount=taxed(row, -net),
        currency=row.currency,
        next_net=money.ZERO,
        next_at=row.period_ends_at,
        irrevocable=_("A cancelled subscription cannot be brought back; the vendor deletes its data."),
        trace=(how,),
        deadline=window.until,
        request=asks,
    )
    return now if effective_on is None else _effective(actor, row, now, effective_on)


def preview_reduce(actor: Actor, row: Subscription, *, quantity: int) -> Preview:
    """What fewer licences mean; ``quantity`` is the new total. Raises ``quantity_limit`` and the vendor's window."""
    fewer = row.quantity - quantity
    low = max(row.product.min_quantity, 1)
    if fewer < 1 or quantity < low:
        raise BusinessError(
            "quantity_limit",
            _("Between %(low)s and %(high)s.") % {"low": low, "high": row.quantity - 1},
            field="quantity",
        )
    window = window_of(row)
    if window.quantity is not None and fewer > window.quantity:
        raise BusinessError("window_closed", window_words(row, window.quantity), field="quantity")
    net, how = credit_for(row, row.unit_price * fewer)
    return Preview(
        what=ngettext(
            "%(fewer)s licence is given back: %(old)s become %(new)s.",
            "%(fewer)s licences are given back: %(old)s become %(new)s.",
            fewer,
        )
        % {"fewer": fewer, "old": row.quantity, "new": quantity},
        when=_("At once. Take licences away from users first, or the vendor counts too many as assigned."),
        amount=taxed(row, -net),
        currency=row.currency,
        next_net=next_period_price(row, quantity=quantity),
        next_at=row.period_ends_at,
        irrevocable=_("Licences given back are bought anew at today's price."),
        trace=(how,),
        deadline=window.parts[0][1] if window.parts else window.until,
        request=_staff_decide(actor, row.product.product_type, fewer, addon=False),
    )


def is_window_closed(row: Subscription) -> bool:
    """Whether the vendor lets the whole service not be cancelled any more before it renews."""
    until = window_of(row).until
    return until is not None and until <= clock.now()


def window_words(row: Subscription, most: int = 0) -> str:
    """Why no more than so many can be given back, with the vendor's dates."""
    ends = _day(row, renews_at(row))
    if most:
        words = ngettext(
            "The vendor takes %(n)s licence back now; more at the renewal on %(date)s.",
            "The vendor takes %(n)s licences back now; more at the renewal on %(date)s.",
            most,
        )
        return words % {"n": most, "date": ends}
    return _("The vendor takes no licences back any more before the renewal on %(date)s.") % {"date": ends}


def preview_addon(actor: Actor, row: Subscription, addon: SubscriptionAddOn, *, quantity: int) -> Preview:
    """What fewer of an add-on mean; ``quantity`` is the new number, 0 cancels it."""
    if not 0 <= quantity < addon.quantity:
        raise BusinessError("quantity_limit", _("Between 0 and %(n)s.") % {"n": addon.quantity - 1}, field="quantity")
    fewer = addon.quantity - quantity
    net, how = credit_for(row, addon.unit_price * fewer)
    words = _("%(name)s is cancelled.") if not quantity else _("%(name)s: %(old)s become %(new)s.")
    return Preview(
        what=words % {"name": addon.name, "old": addon.quantity, "new": quantity},
        when=_("At once."),
        amount=taxed(row, -net),
        currency=row.currency,
        next_net=next_period_price(row) - money.to_minor(addon.unit_price * fewer, row.currency),
        next_at=row.period_ends_at,
        irrevocable=_("What is given back is bought anew at today's price."),
        trace=(how,),
        request=_staff_decide(actor, row.product.product_type, fewer, addon=True),
    )


def preview_end_addon(actor: Actor, row: Subscription, addon: SubscriptionAddOn) -> Preview:
    """What it means to let an add-on end with the billing period."""
    return Preview(
        what=_("%(name)s ends with the billing period.") % {"name": addon.name},
        when=_("On %(date)s; until then it runs and is billed.") % {"date": _day(row, row.period_ends_at)},
        amount=taxed(row, money.ZERO),
        currency=row.currency,
        next_net=next_period_price(row) - money.to_minor(addon.unit_price * addon.quantity, row.currency),
        next_at=row.period_ends_at,
        irrevocable=_("You can keep it until that day."),
        trace=(),
        request=_staff_decide(actor, row.product.product_type, addon.quantity, addon=True),
    )


def preview_keep_addon(actor: Actor, row: Subscription, addon: SubscriptionAddOn) -> Preview:
    """What it means to keep an add-on that was to end."""
    return Preview(
        what=_("%(name)s goes on after the billing period.") % {"name": addon.name},
        when=_("At once; nothing is asked of the vendor."),
        amount=taxed(row, money.ZERO),
        currency=row.currency,
        next_net=next_period_price(row) + money.to_minor(addon.unit_price * addon.quantity, row.currency),
        next_at=row.period_ends_at,
        irrevocable="",
        trace=(),
    )


def _day(row: Subscription, moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else _("the end of the term")


def _find_addon(row: Subscription, addon: SubscriptionAddOn) -> SubscriptionAddOn:
    running = (item for item in row.addons.all() if item.status == SubscriptionStatus.ACTIVE)
    found = next((item for item in running if item.pk == addon.pk), None)
    if found is None:
        raise NotVisible("addon_missing", _("This add-on does not run."))
    return found


@transaction.atomic
def end_addon(
    actor: Actor,
    *,
    subscription: Subscription,
    addon: SubscriptionAddOn,
    reason: str = "",
    accepted: CancellationRequest | None = None,
) -> CancellationRequest | None:
    """Let an add-on end with the billing period, until when it is paid; None, or the request that staff decide.

    The vendor is told when the period is over (``provisioning.services.renewals``): an add-on ends with him at once.
    """
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.CANCEL_ADDON, ignore_request=accepted is not None)
    addon = _find_addon(row, addon)
    if row.instance.application.code == BACK_ORDERING:
        words = _("What you order at your distributor's ends at once. Cancel the add-on on the day it is to end.")
        raise BusinessError("addon_ends_at_once", words)
    if _staff_decide(actor, row.product.product_type, addon.quantity, addon=True):
        kind, execution = RequestKind.ADDON_CANCEL, Execution.PERIOD_END
        return submit_request(
            actor, row=row, kind=kind, quantity=addon.quantity, execution=execution, comment=reason, addon=addon
        )
    SUBSCRIPTION_MACHINE.fire(addon, SubscriptionEvent.CANCEL_AT_END)
    touch(row)
    named = {"addon": addon.name, "period_ends_at": row.period_ends_at}
    audit.record(actor, "subscription.addon_ending", row, after=named, reason=reason.strip(), account=row.account)
    tell_addon(row, addon)
    return None


@transaction.atomic
def keep_addon(actor: Actor, *, subscription: Subscription, addon: SubscriptionAddOn) -> None:
    """Keep an add-on that was to end with the billing period; raises Conflict once the vendor is being told."""
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.CANCEL_ADDON)
    found = row.addons.filter(pk=addon.pk, status=SubscriptionStatus.PENDING_CANCEL).first()
    if found is None:
        raise NotVisible("addon_missing", _("This add-on is not going to end."))
    SUBSCRIPTION_MACHINE.fire(found, SubscriptionEvent.REVOKE_CANCEL)
    touch(row)
    audit.record(actor, "subscription.addon_kept", row, after={"addon": found.name}, account=row.account)
    tell_addon(row, found)


Given = Operation | CancellationRequest


@transaction.atomic
def cancel(
    actor: Actor,
    *,
    subscription: Subscription,
    execution: Execution = Execution.NOW,
    reason: str = "",
    effective_on: dt.date | None = None,
    accepted: CancellationRequest | None = None,
) -> Given:
    """Cancel the whole service: the operation that does it, or the request that staff decide.

    Staff may let it count from ``effective_on``, today or a past day of the billing period; a future day is refused.
    """
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    at_end = execution == Execution.PERIOD_END
    demand(row, Action.CANCEL_AT_END if at_end else Action.CANCEL_NOW, ignore_request=accepted is not None)
    preview = preview_cancel(actor, row, execution=execution, effective_on=None if at_end else effective_on)
    if preview.request:
        return submit_request(
            actor, row=row, kind=RequestKind.CANCEL, quantity=row.quantity, execution=execution, comment=reason
        )
    if at_end:
        desired: dict[str, object] = {"auto_renew": False, "reason": reason.strip()}
        return open_change(actor, row, purpose=Purpose.CANCEL_AT_END, desired=desired)
    return open_change(
        actor,
        row,
        purpose=Purpose.CANCEL,
        desired={
            "reason": reason.strip(),
            **_credits(
                row, preview, lambda view: preview_cancel(actor, view, execution=execution, effective_on=effective_on)
            ),
        },
    )


def _credits(row: Subscription, preview: Preview, again: Callable[[Subscription], Preview]) -> dict[str, object]:
    """What is credited once the vendor has done it, and beside it what the reseller's customer is credited by him."""
    found: dict[str, object] = {"credit": preview.credit()}
    if row.sell_unit_price is not None:
        view = customers_view(row)
        found |= {"customer_credit": again(view).credit()} if view.is_priced else {}
    return found


def _effective(actor: Actor, row: Subscription, preview: Preview, day: dt.date) -> Preview:
    """The credit as if it had been cancelled on an earlier day of this billing period."""
    actor.require(Perm.SERVICE_MANAGE, row.account)
    start, _end = period_of(row)
    zone = ZoneInfo(row.organization.time_zone)
    first, today = start.astimezone(zone).date(), clock.now().astimezone(zone).date()
    if not first <= day <= today:
        raise BusinessError(
            "date_invalid",
            _("Choose today or an earlier day of this billing period, from %(first)s on.") % {"first": first},
            field="effective_on",
        )
    if row.product.product_type.refund_policy == RefundPolicy.NONE:
        return preview
    part = part_unused(row)
    extra = min((today - day).days, part.whole)
    if part.unit == "hours":
        extra *= 24
    moved = replace(part, part=min(part.part + extra, part.whole)) if part.part or extra else part
    whole = period_price(row)
    net = moved.of(whole, row.currency)
    how = amount_words(moved, net, whole, row.currency) if moved.part else preview.trace[0]
    return replace(preview, amount=taxed(row, -net), trace=(how,))


@transaction.atomic
def reduce(
    actor: Actor,
    *,
    subscription: Subscription,
    quantity: int,
    reason: str = "",
    accepted: CancellationRequest | None = None,
) -> Given:
    """Give licences back, so that ``quantity`` remain; the operation, or the request that staff decide."""
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.REDUCE, ignore_request=accepted is not None)
    preview = preview_reduce(actor, row, quantity=quantity)
    if preview.request:
        fewer = row.quantity - quantity
        return submit_request(
            actor, row=row, kind=RequestKind.REDUCE, quantity=fewer, execution=Execution.NOW, comment=reason
        )
    credits = _credits(row, preview, lambda view: preview_reduce(actor, view, quantity=quantity))
    desired = {"quantity": quantity, "was": row.quantity, "reason": reason.strip(), **credits}
    return open_change(actor, row, purpose=Purpose.REDUCE, desired=desired)


@transaction.atomic
def reduce_addon(
    actor: Actor,
    *,
    subscription: Subscription,
    addon: SubscriptionAddOn,
    quantity: int = 0,
    reason: str = "",
    accepted: CancellationRequest | None = None,
) -> Given:
    """Cancel an add-on (``quantity`` 0) or have less of it; the operation, or the request that staff decide."""
    row = lock_subscription(actor, subscription)
    require_manage(actor, row)
    demand(row, Action.CANCEL_ADDON, ignore_request=accepted is not None)
    addon = _find_addon(row, addon)
    preview = preview_addon(actor, row, addon, quantity=quantity)
    if preview.request:
        kind = RequestKind.ADDON_REDUCE if quantity else RequestKind.ADDON_CANCEL
        fewer = addon.quantity - quantity
        return submit_request(
            actor, row=row, kind=kind, quantity=fewer, execution=Execution.NOW, comment=reason, addon=addon
        )
    purpose = Purpose.ADDON_REDUCE if quantity else Purpose.ADDON_CANCEL
    credits = _credits(
        row, preview, lambda view: preview_addon(actor, view, _find_addon(view, addon), quantity=quantity)
    )
    desired = {"addons": {str(addon.public_id): quantity}, "reason": reason.strip(), **credits}
    return open_change(actor, row, purpose=purpose, desired=desired)
