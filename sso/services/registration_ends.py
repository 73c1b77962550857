"""How registrations end without a customer: their data and mails are erased (``channel.md`` 3.5, 4.5)."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from core import audit, clock
from core.events import Event
from core.tenancy import system_actor
from resellers.enums import SiteStatus
from sso.enums import OPEN_STATES, REGISTRATION_MACHINE, RegistrationEvent, RegistrationState
from sso.models import Registration
from sso.services import registration_mail as mails

TEXTS = (
    "company",
    "first_name",
    "last_name",
    "phone",
    "address_line1",
    "address_line2",
    "postal_code",
    "city",
    "region",
    "country",
    "tax_id",
)
_BLANK = (*TEXTS, "email", "language", "password_hash", "token_hash", "ip", "browser")
# What a registration keeps of the person once it has ended without a customer: nothing.
ERASED: dict[str, Any] = dict.fromkeys(_BLANK, "") | {"token_ends_at": None}
GONE = (SiteStatus.CLOSED, SiteStatus.DELETED)
BATCH = 500


def end_registration(row: Registration, event: str, *, decided_by: str = "", mail: str = "") -> None:
    """End a locked row: tell the applicant by the template ``mail``, if any, then erase him and what was mailed."""
    if mail:
        mails.mail_ended(row, mail)
    mails.erase_mails(row)
    REGISTRATION_MACHINE.fire(row, event, decided_at=clock.now(), decided_by=decided_by[:200], **ERASED)


def end_overdue() -> int:
    """Erase what nobody answered for 30 days and what lost its shop, and last mails that have left; returns how many.

    Each in its own transaction, so that one that fails leaves the others.
    """
    lost = Q(site__status__in=GONE) | Q(expires_at__lte=clock.now())
    keys = list(Registration.objects.filter(lost, state__in=OPEN_STATES).values_list("pk", flat=True)[:BATCH])
    ended = sum(_end_one(key) for key in keys)
    over = Registration.objects.filter(state__in=(RegistrationState.REJECTED, RegistrationState.EXPIRED))
    mails.erase_last_mails(list(over.order_by("-decided_at")[:BATCH]))
    return ended


@transaction.atomic
def _end_one(key: int) -> bool:
    rows = Registration.objects.select_for_update(of=("self",)).select_related("site", "organization", "reseller")
    row = rows.filter(pk=key, state__in=OPEN_STATES).first()
    if row is None:
        return False
    is_closed = row.site.status in GONE
    told = row.state == RegistrationState.PENDING
    mail = ("registration_closed" if is_closed else "registration_expired") if told else ""
    end_registration(row, RegistrationEvent.EXPIRE, mail=mail)
    after = {"reason": "shop closed" if is_closed else "not answered"}
    audit.record(system_actor(row.organization_id), "registration.expired", row, after=after, account=row.reseller)
    return True


def end_of_plan(event: Event) -> None:
    """A reseller's plan has ended, and his shop with it: what is open there is erased, with a mail."""
    rows = Registration.objects.filter(reseller_id=event.account_id, site__status__in=GONE, state__in=OPEN_STATES)
    for key in list(rows.order_by("pk").values_list("pk", flat=True)):
        _end_one(key)
