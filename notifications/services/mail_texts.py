"""A reseller words the mails of his storefront himself, one by one and per language (``channel.md`` 4.6, 12).

What he has not worded, and languages he has not worded it in, keep the standard text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core import audit
from core.contrast import DEFAULT, is_colour, readable
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor, TenantQuerySet
from notifications.services.mail_fields import (
    FIELDS,
    filled_html,
    filled_line,
    filled_text,
    found_in,
    samples,
    wrong_places,
)
from notifications.services.mail_types import MAIL_TYPES, MailType
from notifications.services.site_mail import own_site
from resellers.editions import Capability, has_capability
from resellers.look import is_safe_link
from resellers.models import Site
from resellers.site_models import SiteMailText

LANGUAGES = dict(settings.LANGUAGES)
MAX_SUBJECT, MAX_TEXT = 150, 5000
_LINK = re.compile(r"\[[^\[\]\n]{1,200}\]\(([^()\s]{1,300})\)")


@dataclass(frozen=True)
class Worded:
    """A mail in a storefront's own words, filled for one reader."""

    subject: str
    text: str
    html: SafeString
    link: str
    button: str


def brand_colours(colour: str) -> dict[str, str]:
    """The colour of a brand in its mails, and the one of the letters that are read on it."""
    shown = colour.lower() if is_colour(colour) else DEFAULT
    return {"brand_color": shown, "on_brand": readable(shown)}


def own_texts(actor: Actor) -> TenantQuerySet[SiteMailText]:
    """What the actor's own site words itself."""
    return SiteMailText.objects.visible_to(actor).filter(site=own_site(actor))


def text_of(actor: Actor, kind: MailType, language: str) -> SiteMailText | None:
    """The own text of a mail in one language, if there is one."""
    return own_texts(actor).filter(template=kind.name, language=language).first()


def standard_text(kind: MailType, language: str) -> tuple[str, str]:
    """Subject and text that one begins with."""
    with translation.override(language):
        return str(kind.subject), kind.starter()


def _refused(wrong: Mapping[str, str]) -> BusinessError:
    return BusinessError("mail_text_refused", _("See the fields below."), context={"fields": dict(wrong)})


def checked(kind: MailType, *, subject: str, text: str) -> tuple[str, str]:
    """Subject and text as they would be kept; raises ``mail_text_refused`` with what is wrong at which field."""
    subject, text = " ".join(subject.split()), text.replace("\r\n", "\n").replace("\x00", "").strip()
    wrong: dict[str, str] = {}
    for name, value, longest in (("subject", subject, MAX_SUBJECT), ("text", text, MAX_TEXT)):
        strange = wrong_places(value, kind.fields)
        if not value:
            wrong[name] = _("This field is required.")
        elif len(value) > longest:
            wrong[name] = _("At most %(n)s characters.") % {"n": longest}
        elif strange:
            words = _("This mail has no such field: %(fields)s. Take one of the list beside the text.")
            wrong[name] = words % {"fields": ", ".join(strange)}
    links = [link for link in _LINK.findall(text) if link.startswith("/") or not is_safe_link(link)]
    if links:
        words = _("Links begin with https://, other than this one: %(link)s")
        wrong.setdefault("text", words % {"link": links[0]})
    if wrong:
        raise _refused(wrong)
    return subject, text


@transaction.atomic
def save_text(actor: Actor, *, kind: MailType, language: str, subject: str, text: str) -> SiteMailText:
    """Word one mail in one language; mails that are queued already stay as they are. Raises ``mail_text_refused``."""
    site = own_site(actor)
    if language not in LANGUAGES:
        raise NotVisible("language_missing", _("There is no such language."))
    subject, text = checked(kind, subject=subject, text=text)
    row, _made = SiteMailText.objects.update_or_create(
        site=site,
        template=kind.name,
        language=language,
        defaults={"organization_id": site.organization_id, "subject": subject, "text": text},
    )
    after = {"mail": str(kind.label), "language": language, "subject": subject}
    audit.record(actor, "site.mail_text", site, after=after, account=site.account)
    return row


@transaction.atomic
def reset_text(actor: Actor, *, kind: MailType, language: str) -> bool:
    """Go back to the standard text; returns whether there was an own one."""
    site = own_site(actor)
    gone, _rows = SiteMailText.objects.filter(site=site, template=kind.name, language=language).delete()
    if gone:
        after = {"mail": str(kind.label), "language": language}
        audit.record(actor, "site.mail_text_reset", site, after=after, account=site.account)
    return bool(gone)


def worded(site: Site | None, template: str, language: str, values: Mapping[str, Any]) -> Worded | None:
    """The mail as the site words it in this language, filled from ``values``; None for the standard text.

    It is called with the language of the mail active. Only a reseller's site whose edition has texts of its own words
    any.
    """
    kind = MAIL_TYPES.get(template)
    account = site.account if site is not None else None
    if kind is None or account is None or not has_capability(account.edition, Capability.OWN_MAIL):
        return None
    row = SiteMailText.objects.filter(site=site, template=template, language=language).first()
    if row is None:
        return None
    read = found_in(values)
    return Worded(
        filled_line(row.subject, read),
        filled_text(row.text, read),
        filled_html(row.text, read),
        str(values.get(kind.link) or "") if kind.link else "",
        str(kind.button),
    )


def preview(actor: Actor, *, kind: MailType, language: str, subject: str, text: str) -> Worded:
    """The mail as it would read, with samples for its fields; nothing is kept. Raises ``mail_text_refused``."""
    site = own_site(actor)
    subject, text = checked(kind, subject=subject, text=text)
    with translation.override(language):
        shown = samples() | {"site.name": site.name, "site.support_email": site.support_email}
        read = shown.__getitem__
        button = str(kind.button) if kind.link else ""
        return Worded(filled_line(subject, read), filled_text(text, read), filled_html(text, read), "#", button)


def fields_of(kind: MailType) -> list[tuple[str, str]]:
    """The fields of a mail as they are written, each with its meaning."""
    return [("{{ %s }}" % name, str(FIELDS[name].label)) for name in kind.fields]  # noqa: UP031 - as it is typed.
