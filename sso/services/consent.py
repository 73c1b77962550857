"""Writes the log of consent; nothing changes or deletes what is in it."""

import datetime as dt

from core import clock
from core.tenancy import Actor
from resellers.models import Account, Site
from sso.enums import ConsentPurpose
from sso.models import ConsentEntry
from users.models import User


def record_consent(
    actor: Actor,
    *,
    site: Site,
    purpose: ConsentPurpose,
    version: int,
    is_given: bool,
    user: User | None = None,
    account: Account | None = None,
    visitor: str = "",
    at: dt.datetime | None = None,
    ip: str = "",
    browser: str = "",
) -> ConsentEntry:
    """Append one row; ``at`` and ``ip`` are those of the moment of consent if it is written down later.

    The person is ``user``, or ``visitor``, the random word of a browser that nobody has signed in with.
    """
    return ConsentEntry.objects.create(
        organization_id=site.organization_id,
        site=site,
        account=account,
        user=user,
        visitor=visitor[:64],
        purpose=purpose,
        version=version,
        is_given=is_given,
        at=at or clock.now(),
        ip=ip or actor.ip,
        browser=browser[:255],
    )
