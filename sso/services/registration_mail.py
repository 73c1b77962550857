"""The mails of registrations (``channel.md`` 4.5, 12), and their end: they hold what the registration held."""

from django.urls import reverse

from notifications.models import MailState, OutgoingMail
from notifications.services.compose import absolute, queue_mail
from resellers.models import Membership, Site
from sso.enums import RegistrationState
from sso.models import Registration
from users.models import User
from users.permissions import StorefrontRole

DECIDERS = (StorefrontRole.ADMIN.value, StorefrontRole.STOREFRONT_MANAGER.value)
STAFF_PAGE = "/bss/registrations/"  # A door lies above this app, so its pages are named by their addresses.
SHOP_PAGE = "/registrations/"


def key_of(row: Registration) -> str:
    """How the keys of a registration's mails begin."""
    return f"registration:{row.public_id}:"


def mail_link(row: Registration, token: str) -> None:
    """The activation mail: a link that works once, for 72 hours; the newest ends the former."""
    template = "registration_approved" if row.state == RegistrationState.APPROVED else "registration_confirm"
    link = absolute(reverse("sso:registration_open", args=[token]), row.site)
    _to_applicant(row, template, f"link:{row.token_hash[:16]}", link, is_secret=True)


def mail_received(row: Registration) -> None:
    """The request is there and waits for a decision."""
    _to_applicant(row, "registration_received", "received", "")


def mail_ended(row: Registration, template: str) -> None:
    """The last mail, queued before the data goes; its text goes once it is sent."""
    _to_applicant(row, template, "ended", "", is_secret=True)


def _to_applicant(row: Registration, template: str, key: str, link: str, *, is_secret: bool = False) -> None:
    queue_mail(
        template,
        organization=row.organization,
        site=row.site,
        recipient=row.email,
        language=row.language,
        is_secret=is_secret,
        dedupe_key=key_of(row) + key,
        context={"first_name": row.first_name, "company": row.company, "link": link},
    )


def mail_known(site: Site, *, email: str, key: str, language: str, is_waiting: bool) -> None:
    """Whoever asks again is told so at that address only: he has access already, or his request still waits."""
    queue_mail(
        "registration_known",
        organization=site.organization,
        site=site,
        recipient=email,
        language=language,
        dedupe_key=f"registration:known:{key}",
        context={
            "is_waiting": is_waiting,
            "link": absolute(reverse("account_login"), site),
            "reset_link": absolute(reverse("account_reset_password"), site),
        },
    )


def mail_deciders(row: Registration) -> None:
    """A reseller's Admins and Storefront Managers, or the organization's own address, hear that somebody waits."""
    if row.reseller_id is None:
        _to_decider(row, row.organization.email, "", STAFF_PAGE)
        return
    for user in deciders(row):
        _to_decider(row, user.email, user.language, SHOP_PAGE)


def deciders(row: Registration) -> list[User]:
    """Who of a reseller's people decides and can sign in."""
    members = Membership.objects.filter(account=row.reseller, user__is_active=True).select_related("user")
    return [member.user for member in members.filter(roles__overlap=list(DECIDERS))]


def _to_decider(row: Registration, email: str, language: str, page: str) -> None:
    if not email:
        return
    queue_mail(
        "registration_pending",
        organization=row.organization,
        site=row.site,
        account=row.reseller,
        recipient=email,
        language=language,
        dedupe_key=f"{key_of(row)}decider:{email}"[:200],
        context={
            "company": row.company,
            "person": row.person,
            "email": row.email,
            "expires_at": row.expires_at,
            "link": absolute(f"{page}{row.public_id}/", row.site),
        },
    )


def erase_mails(row: Registration) -> None:
    """What was mailed about a registration goes with its data; the mail that says so stays until it is sent."""
    OutgoingMail.objects.filter(dedupe_key__startswith=key_of(row)).exclude(dedupe_key=f"{key_of(row)}ended").delete()


def erase_last_mails(rows: list[Registration]) -> int:
    """Delete the last mails of ended registrations that have left; returns how many."""
    keys = [f"{key_of(row)}ended" for row in rows]
    left = OutgoingMail.objects.filter(dedupe_key__in=keys).exclude(state=MailState.QUEUED)
    return left.delete()[0]
