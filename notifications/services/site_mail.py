"""A reseller's own mail account: set, tried, used; his storefront's mails wait for it (``channel.md`` 4.6)."""

import datetime as dt
import logging
import smtplib
from collections.abc import Mapping
from email.utils import formataddr
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock, crypto, outbox
from core.errors import BusinessError, NotVisible
from core.http import AddressRefused
from core.tenancy import Actor
from notifications.models import ERASED, SEND_TASK, MailState, OutgoingMail
from notifications.services.smtp import connection_of
from resellers.editions import Capability, has_capability, require_capability
from resellers.enums import Edition
from resellers.models import Account, Site
from resellers.routing import site_of_reseller
from resellers.site_models import MailKind, MailSecurity, SiteMail
from users.permissions import Perm

logger = logging.getLogger(__name__)
HELD_FOR = dt.timedelta(days=7)
# Mails without which nobody could sign in leave through the platform's relay, under the reseller's name.
ALWAYS = frozenset({"user_invited", "access_given", "password_reset", "email_verification", "account_notice"})
NEEDED = {
    MailKind.SMTP: ("name", "address", "server", "port", "security"),
    MailKind.GOOGLE: ("name", "address", "client_id"),
    MailKind.OFFICE365: ("name", "address", "client_id"),
}
# What the secret was given for: if any of it changes, it must be typed again.
BOUND = ("kind", "address", "server", "port", "client_id")


class NoMailSettings(Exception):
    """The mail waits for the storefront's mail account."""


def account_of(mail: OutgoingMail) -> SiteMail | None:
    """The mail account a queued mail leaves through; None for the platform's relay.

    Raises :class:`NoMailSettings` for a mail of a Standard reseller's storefront that has none.
    """
    site = mail.site
    if site is None or site.account is None or not has_capability(site.account.edition, Capability.OWN_MAIL):
        return None
    own = SiteMail.objects.filter(site=site).first()
    if own is not None and own.is_usable:
        return own
    if site.account.edition != Edition.STANDARD or mail.is_secret or mail.template in ALWAYS:
        return None
    raise NoMailSettings


def own_site(actor: Actor) -> Site:
    """The site whose mail the actor may set; raises NotVisible ``site_missing``, PermissionRefused, the edition's."""
    account = Account.objects.filter(pk=actor.account_id or 0).first()
    actor.require(Perm.SHOP_SITE_MANAGE, account)
    site = site_of_reseller(account.pk) if account is not None else None
    if account is None or site is None:
        raise NotVisible("site_missing", _("There is no storefront yet. Order a reseller plan first."))
    require_capability(account, Capability.OWN_MAIL)
    return site


def mail_account(actor: Actor) -> SiteMail | None:
    """The mail account of the actor's own site; its secret stays cipher text."""
    return SiteMail.objects.visible_to(actor).filter(site=own_site(actor)).first()


def held_mails(actor: Actor) -> int:
    """How many mails of the own site wait for a mail account."""
    return OutgoingMail.objects.filter(site=own_site(actor), state=MailState.HELD).count()


def _checked(site: Site, values: Mapping[str, Any]) -> SiteMail:
    """The account as it would be saved, with the former secret where none was typed; nothing is written."""
    former = SiteMail.objects.filter(site=site).first()
    kind = str(values.get("kind", ""))
    if kind not in MailKind.values:
        raise _refused({"kind": _("Choose one of the list.")})
    row = SiteMail(site=site, organization_id=site.organization_id, kind=kind)
    wrong: dict[str, str] = {}
    for name in NEEDED[MailKind(kind)]:
        value = values.get(name)
        if value in (None, ""):
            wrong[name] = _("This field is required.")
        else:
            setattr(row, name, value)
    _check_words(row, wrong)
    secret = str(values.get("secret") or "")
    is_same = former is not None and all(getattr(former, name) == getattr(row, name) for name in BOUND)
    row.refresh_cipher = former.refresh_cipher if former is not None and is_same else ""
    if secret:
        row.secret_cipher = crypto.encrypt(secret)
    elif former is not None and is_same:
        row.secret_cipher = former.secret_cipher
    else:
        wrong["secret"] = _("Type the password or secret; it is not shown again.")
    if wrong:
        raise _refused(wrong)
    return row


def _check_words(row: SiteMail, wrong: dict[str, str]) -> None:
    try:
        validate_email(row.address)
    except ValidationError:
        wrong.setdefault("address", _("This is no e-mail address."))
    if any(sign in f"{row.name}{row.server}{row.client_id}" for sign in "\r\n\x00"):
        wrong["name"] = _("One line only.")
    if row.security not in MailSecurity.values:
        wrong["security"] = _("Choose one of the list.")


def _refused(wrong: dict[str, str]) -> BusinessError:
    return BusinessError("mail_refused", _("See the fields below."), context={"fields": wrong})


@transaction.atomic
def save_mail_account(actor: Actor, *, values: Mapping[str, Any]) -> SiteMail:
    """Keep the mail account and send what was held if it can be used; raises BusinessError with the fields."""
    site = own_site(actor)
    row = _checked(site, values)
    names = ("kind", "name", "address", "server", "port", "security", "client_id", "secret_cipher", "refresh_cipher")
    kept, _made = SiteMail.objects.update_or_create(
        site=site,
        defaults={"organization_id": site.organization_id, **{name: getattr(row, name) for name in names}},
    )
    after = {"kind": kept.kind, "address": kept.address, "server": kept.server}
    audit.record(actor, "site.mail_account", site, after=after, account=site.account)
    if kept.is_usable:
        release_held(site)
    return kept


def release_held(site: Site) -> None:
    """Send the mails of a site that waited for its mail account; inside the caller's transaction."""
    held = OutgoingMail.objects.filter(site=site, state=MailState.HELD)
    ids = list(held.order_by("pk").values_list("pk", flat=True))
    held.update(state=MailState.QUEUED, not_before=clock.now(), last_error="")
    for pk in ids:
        outbox.dispatch(SEND_TASK, pk)


def send_test_mail(actor: Actor, *, values: Mapping[str, Any]) -> str:
    """Send "Test Email" to whoever asks, by what he typed; nothing is saved, not even the mail. Returns his address.

    It is sent at once and not by a worker, for a worker would need the secret to be kept. Raises BusinessError.
    """
    site = own_site(actor)
    row = _checked(site, values)
    try:
        EmailMessage(
            subject=_("Test Email"),
            body=_("This is a test of the mail settings of %(site)s. It arrived.") % {"site": site.name},
            from_email=formataddr((row.name, row.address)),
            to=[actor.email],
            connection=connection_of(row),
        ).send()
    except BusinessError:
        raise
    except AddressRefused as error:
        words = _("This server is not reachable from the internet.")
        raise BusinessError("mail_server", words, field="server") from error
    except smtplib.SMTPAuthenticationError as error:
        words = _("The mail server did not accept the address and the password.")
        raise BusinessError("mail_login", words, field="secret") from error
    except Exception as error:
        # Servers fail in many ways; what they say may hold what was sent to them, so only the kind is shown.
        logger.info("test mail not sent", extra={"error": type(error).__name__})
        words = _("The mail server could not be used (%(reason)s). Check server, port and security.")
        raise BusinessError("mail_not_sent", words % {"reason": type(error).__name__}) from error
    return actor.email


def drop_held() -> int:
    """Give up mails that were held for a week; returns how many."""
    late = OutgoingMail.objects.filter(state=MailState.HELD, created_at__lte=clock.now() - HELD_FOR)
    return late.update(
        state=MailState.FAILED,
        last_error="Held for seven days: the storefront has no mail settings.",
        text=str(ERASED),
        html="",
    )
