"""Look at the storefront as a customer (``channel.md`` 10.1): read-only, for a while, logged, visible to the customer.

Nothing here gives a right to write: :func:`resellers.selectors.viewing_actor` makes the actor, and a middleware of the
storefront refuses every request that could change something.
"""

import datetime as dt
import secrets

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict
from core.tenancy import Actor, ActorKind
from resellers.enums import AccountStatus, ViewingEnd
from resellers.models import Account, ViewAsSession
from resellers.selectors import may_view_as, token_digest
from users.models import User
from users.permissions import Perm

MIN_REASON = 5


@transaction.atomic
def start_viewing(actor: Actor, *, account: Account, reason: str) -> tuple[ViewAsSession, str]:
    """Let an employee look as ``account`` for ``VIEW_AS_MINUTES``; returns the row and the token for his session.

    A viewing that still goes on ends. Nobody is mailed: the customer reads it under Company. Raises BusinessError
    ``reason_short``, Conflict ``account_closed``, PermissionRefused for whoever may not or is no person.
    """
    actor.require(Perm.VIEW_AS, account, level="read")
    user = User.objects.select_for_update(of=("self",)).filter(pk=actor.user_id or 0).first()
    if user is None:
        raise BusinessError("nobody", _("Only a person can look at the storefront as a customer."))
    words = reason.strip()
    if len(words) < MIN_REASON:
        raise BusinessError(
            "reason_short", _("Say why in at least %(n)s characters.") % {"n": MIN_REASON}, field="reason"
        )
    if Account.objects.get(pk=account.pk).status == AccountStatus.CLOSED:
        raise Conflict("account_closed", _("This account is closed: nobody can open the storefront for it."))
    for row in ViewAsSession.objects.filter(user=user, organization_id=actor.tenant_id, ended_at=None):
        _close(row, ViewingEnd.REPLACED, ip=actor.ip)
    now = clock.now()
    token = secrets.token_urlsafe(32)
    made = ViewAsSession.objects.create(
        organization_id=actor.tenant_id,
        user=user,
        account=account,
        reason=words[:500],
        token_hash=token_digest(token),
        started_at=now,
        ends_at=now + dt.timedelta(minutes=settings.VIEW_AS_MINUTES),
    )
    audit.record(
        actor,
        "view_as.started",
        made,
        after={"until": made.ends_at.isoformat()},
        reason=made.reason,
        account=account,
        on_behalf_of=account.name,
    )
    return made, token


def stop_viewing(actor: Actor, *, token: str) -> None:
    """The employee has seen enough; nothing happens if it has ended already."""
    end_viewing(token, user_id=actor.user_id, end=ViewingEnd.STOPPED, ip=actor.ip)


@transaction.atomic
def end_viewing(token: str, *, user_id: int | None, end: ViewingEnd, ip: str = "") -> None:
    """End the viewing behind a token of this user; one whose time is over ended then, whatever ``end`` says."""
    rows = ViewAsSession.objects.select_related("user", "account")
    row = rows.filter(token_hash=token_digest(token), user_id=user_id or 0, ended_at=None).first()
    if row is not None:
        _close(row, end, ip=ip)


def end_overdue() -> int:
    """End what nobody came back to: time over, employee switched off or without the right, account closed.

    Returns how many. Each in its own transaction, so that the task may be repeated or stopped anywhere.
    """
    ended = 0
    for row in ViewAsSession.objects.filter(ended_at=None).select_related("user", "account", "organization"):
        if row.ends_at <= clock.now():
            ended += _close_once(row, ViewingEnd.TIME)
        elif not may_view_as(row):
            ended += _close_once(row, ViewingEnd.REFUSED)
    return ended


@transaction.atomic
def _close_once(row: ViewAsSession, end: ViewingEnd) -> bool:
    return _close(row, end)


def _close(row: ViewAsSession, end: ViewingEnd, *, ip: str = "") -> bool:
    """Write the end once, with its audit entry under the employee's own name; False if somebody else did."""
    now = clock.now()
    if now >= row.ends_at:
        now, end = row.ends_at, ViewingEnd.TIME
    if not ViewAsSession.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now, end=end):
        return False
    who = Actor(ActorKind.STAFF, row.organization_id, user_id=row.user_id, label=str(row.user), ip=ip)
    after = {"end": end.value, "ended_at": now.isoformat()}
    audit.record(who, "view_as.ended", row, after=after, account=row.account, on_behalf_of=row.account.name)
    return True
