"""Composes a mail from its template and puts it into the outbox, inside the transaction of its caller."""

import re
from collections.abc import Mapping
from email.utils import formataddr
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from core import outbox
from notifications.models import SEND_TASK, OutgoingMail
from resellers.models import Account, Organization, Site

BLANK_LINES = re.compile(r"\n\s*\n")  # Parts of a template that do not apply leave empty lines behind.


def absolute(path: str, site: Site | None = None) -> str:
    """An address as people see it from outside: on the site's own host if it has one, else on ``PUBLIC_URL``."""
    public = urlsplit(settings.PUBLIC_URL)
    if site is None or not site.host:
        return f"{public.scheme}://{public.netloc}{path}"
    port = f":{public.port}" if public.port else ""
    return f"{public.scheme}://{site.host}{port}{path}"


def site_of(organization: Organization, account: Account | None) -> Site | None:
    """Where the users of ``account`` sign in: its own site, else the organization's; employees use the latter."""
    own = Site.objects.filter(account=account).first() if account is not None else None
    return own or Site.objects.filter(organization=organization, account=None).first()


def queue_mail(
    template: str,
    *,
    organization: Organization,
    recipient: str,
    context: Mapping[str, Any],
    dedupe_key: str,
    site: Site | None = None,
    account: Account | None = None,
    language: str = "",
    is_secret: bool = False,
    asset_id: int | None = None,
) -> OutgoingMail:
    """Render ``templates/mail/<template>`` as text and HTML for one recipient and queue it; a known key does nothing.

    The brand is that of ``site``, the organization's own site if none is given; times are in the organization's zone.
    ``is_secret`` mails (links that let somebody in) lose their body once they are sent.
    ``asset_id`` names the licence whose key the mail brings; the text holds it masked.
    """
    site = site or site_of(organization, None)
    name = site.name if site else organization.name
    values = {
        "brand_name": name,
        "brand_color": (site.brand_color if site else "") or "#4036c8",
        "support_email": (site.support_email if site else "") or organization.email,
        "home_url": absolute("/", site),
        **context,
    }
    written = _written(template, values, language or organization.language, organization.time_zone)
    sender = (site.mail_sender if site else "") or settings.DEFAULT_FROM_EMAIL
    mail, made = OutgoingMail.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "organization": organization,
            "site": site,
            "account": account,
            "asset_id": asset_id,
            "template": template,
            "recipient": recipient,
            "sender": formataddr((name, sender)),
            "is_secret": is_secret,
            **written,
        },
    )
    if made:
        outbox.dispatch(SEND_TASK, mail.pk)
    return mail


def _written(template: str, values: Mapping[str, Any], language: str, time_zone: str) -> dict[str, str]:
    """Subject, text and HTML of a template, in this language and with times of this zone."""
    with translation.override(language), timezone.override(ZoneInfo(time_zone)):
        subject = " ".join(render_to_string(f"mail/{template}.subject.txt", values).split())
        text = BLANK_LINES.sub("\n\n", render_to_string(f"mail/{template}.txt", values).strip()) + "\n"
        html = render_to_string(f"mail/{template}.html", values)
    return {"subject": subject[:255], "text": text, "html": html}
