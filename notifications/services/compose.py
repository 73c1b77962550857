"""Composes a mail from its template and puts it into the outbox, inside the transaction of its caller."""

import re
from collections.abc import Mapping
from email.utils import formataddr
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils import timezone, translation

from core import outbox
from notifications.models import SEND_TASK, OutgoingMail
from notifications.services.mail_texts import brand_colours, worded
from resellers.enums import AccountKind
from resellers.models import Account, Organization, Site
from resellers.routing import organization_site, site_address, site_of_reseller

BLANK_LINES = re.compile(r"\n\s*\n")  # Parts of a template that do not apply leave empty lines behind.


def absolute(path: str, site: Site | None = None) -> str:
    """An address as people see it from outside: on the site's host, below its alias, else on ``PUBLIC_URL``.

    ``path`` is what ``reverse`` gave, also while a request below an alias is answered.
    """
    prefix = get_script_prefix().rstrip("/")
    return site_address(site) + (path.removeprefix(prefix) if prefix else path)


def site_of(organization: Organization, account: Account | None) -> Site | None:
    """Where the users of ``account`` sign in, and whose brand their mails have.

    An end customer's is his reseller's site, if that is there; everybody else's, employees included, is the
    organization's.
    """
    if account is not None and account.kind == AccountKind.END_CUSTOMER and account.bill_to_id:
        own = site_of_reseller(account.bill_to_id)
        if own is not None:
            return own
    return organization_site(organization.pk)


def _own_address(site: Site | None, organization: Organization) -> str:
    """Whom a reader may write to if the site names nobody: a reseller's mails never name the distributor."""
    return site.account.email if site is not None and site.account is not None else organization.email


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
        **brand_colours(site.brand_color if site else ""),
        "support_email": (site.support_email if site else "") or _own_address(site, organization),
        "home_url": absolute("/", site),
        **context,
    }
    written = _written(template, values, language or organization.language, organization.time_zone, site)
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


def _written(
    template: str, values: Mapping[str, Any], language: str, time_zone: str, site: Site | None
) -> dict[str, str]:
    """Subject, text and HTML of a template, in this language and with times of this zone; in the site's own words."""
    with translation.override(language), timezone.override(ZoneInfo(time_zone)):
        own = worded(site, template, language, values)
        if own is None:
            subject = " ".join(render_to_string(f"mail/{template}.subject.txt", values).split())
            text = render_to_string(f"mail/{template}.txt", values)
            html = render_to_string(f"mail/{template}.html", values)
        else:
            more = {**values, "link": own.link, "button": own.button}
            subject = own.subject
            text = render_to_string("mail/own_words.txt", more | {"words": own.text})
            html = render_to_string("mail/own_words.html", more | {"words": own.html})
    return {"subject": subject[:255], "text": BLANK_LINES.sub("\n\n", text.strip()) + "\n", "html": html}
