"""What the changes mean that move no money at once: suspension, automatic renewal, what is scheduled, a price by hand.

Each function gives a :class:`orders.services.preview.Preview`, as the services that order or give back do.
"""

import datetime as dt
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Plan
from core import money
from orders.services.preview import Preview, next_period_price, renews_at, taxed
from orders.services.renew import renewal_price
from subscriptions.models import ScheduledChange, Subscription
from subscriptions.services.schedule import check_limits, check_plan


def _preview(row: Subscription, what: str, when: str, irrevocable: str, *, trace: tuple[str, ...] = ()) -> Preview:
    """A preview that costs nothing now and leaves the next charge as it is."""
    return Preview(
        what=what,
        when=when,
        amount=taxed(row, money.ZERO),
        currency=row.currency,
        next_net=next_period_price(row),
        next_at=row.period_ends_at,
        irrevocable=irrevocable,
        trace=trace,
    )


def day(moment: dt.datetime | None) -> str:
    """A date as previews say it."""
    return f"{moment:%Y-%m-%d}" if moment else _("the end of the term")


def preview_suspend(row: Subscription) -> Preview:
    """What suspending means: no access, the bill goes on."""
    return _preview(
        row,
        _("%(name)s is suspended with its add-ons: its users have no access.") % {"name": row.name},
        _("As soon as the vendor has done it."),
        _("Nothing is lost; you can reactivate it. The term runs on and is billed."),
    )


def preview_activate(row: Subscription) -> Preview:
    """What reactivating means."""
    return _preview(
        row,
        _("%(name)s runs again with its add-ons.") % {"name": row.name},
        _("As soon as the vendor has done it."),
        _("You can suspend it again."),
    )


def preview_auto_renew(row: Subscription, *, auto_renew: bool) -> Preview:
    """What turning automatic renewal on or off means for the end of the term."""
    ends = {"name": row.name, "date": day(renews_at(row))}
    if auto_renew:
        words = _("%(name)s renews by itself for another term on %(date)s."), _("You can turn it off until that day.")
    else:
        words = _("%(name)s ends on %(date)s unless it is turned on again."), _("You can turn it on until that day.")
    return _preview(row, words[0] % ends, _("As soon as the vendor has done it."), words[1])


def preview_keep(row: Subscription) -> Preview:
    """What taking a cancellation back means."""
    return _preview(
        row,
        _("%(name)s goes on after its term; automatic renewal is turned on again.") % {"name": row.name},
        _("As soon as the vendor has done it."),
        _("You can cancel it again until %(date)s.") % {"date": day(renews_at(row))},
    )


def preview_schedule(row: Subscription, *, quantity: int, plan: Plan) -> Preview:
    """What holds from the next renewal on, at today's price; raises as ``subscriptions.services.schedule`` does."""
    check_plan(row, plan)
    check_limits(row, quantity)
    price, trace = renewal_price(row, plan)
    addons = next_period_price(row, quantity=0)
    renews = renews_at(row)
    return Preview(
        what=ngettext(
            "At the renewal: %(quantity)s licence, %(plan)s.",
            "At the renewal: %(quantity)s licences, %(plan)s.",
            quantity,
        )
        % {"quantity": quantity, "plan": plan.label},
        when=_("On %(date)s; until then nothing changes.") % {"date": day(renews)},
        amount=taxed(row, money.ZERO),
        currency=row.currency,
        next_net=money.to_minor(price * quantity + addons, row.currency),
        next_at=renews,
        irrevocable=_("You can revoke it until that day. The price is the one of that day; shown is today's."),
        trace=tuple(str(step) for step in trace),
    )


def preview_revoke(row: Subscription, scheduled: ScheduledChange) -> Preview:
    """What taking back a scheduled change means."""
    return _preview(
        row,
        ngettext(
            "Nothing changes at the renewal: %(now)s licence, %(plan)s goes on.",
            "Nothing changes at the renewal: %(now)s licences, %(plan)s go on.",
            row.quantity,
        )
        % {"now": row.quantity, "plan": row.plan.label},
        _("As soon as the vendor has done it."),
        _("You can schedule it again until %(date)s.") % {"date": day(renews_at(row))},
        trace=(
            ngettext(
                "Scheduled was: %(quantity)s licence, %(plan)s.",
                "Scheduled was: %(quantity)s licences, %(plan)s.",
                scheduled.quantity,
            )
            % {"quantity": scheduled.quantity, "plan": scheduled.plan.label},
        ),
    )


def preview_price(row: Subscription, *, unit_price: Decimal) -> Preview:
    """What a price set by hand means for the next bill."""
    now, addons = row.unit_price, next_period_price(row, quantity=0)
    whole = money.to_minor(unit_price * row.quantity + addons, row.currency)
    return Preview(
        what=_("The unit price becomes %(new)s instead of %(old)s.")
        % {"new": money.show(unit_price, row.currency), "old": money.show(now, row.currency)},
        when=_("From %(date)s on; the billing period that runs was charged already.")
        % {"date": day(row.period_ends_at)},
        amount=taxed(row, money.ZERO),
        currency=row.currency,
        next_net=whole,
        next_at=row.period_ends_at,
        irrevocable=_("You can change it again until that day."),
        trace=(
            _("%(n)s x %(price)s, and add-ons for %(addons)s")
            % {
                "n": row.quantity,
                "price": money.show(unit_price, row.currency),
                "addons": money.show(addons, row.currency),
            },
        ),
    )
