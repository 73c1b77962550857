"""Consent of a Google mailbox that a storefront may send by it: asked once, kept as a refresh token (4.6).

The reseller's own OAuth client asks its owner; what comes back is a code, which is changed into a refresh token. Only
that token is kept, as cipher text. Source: https://developers.google.com/identity/protocols/oauth2/web-server
"""

import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, crypto
from core.errors import BusinessError, Conflict
from core.http import http_client
from core.tenancy import Actor
from notifications.services.site_mail import own_site, release_held
from notifications.services.smtp import SECONDS
from resellers.models import Site
from resellers.site_models import MailKind, SiteMail

SCOPE = "https://mail.google.com/"
SALT = "notifications.google_mail"
STATE_SECONDS = 900


def _account(site: Site) -> SiteMail:
    row = SiteMail.objects.select_for_update(of=("self",)).filter(site=site, kind=MailKind.GOOGLE).first()
    if row is None:
        raise Conflict("mail_not_google", _("Save the settings with Gmail first."))
    return row


def _state(actor: Actor, row: SiteMail) -> list[Any]:
    """What a consent is asked for: this person, this mailbox, this client."""
    return [actor.user_id, row.site.public_id.hex, row.address, row.client_id]


@transaction.atomic
def consent_url(actor: Actor, *, redirect_uri: str) -> str:
    """Where the mailbox's owner is asked; Google sends him back to ``redirect_uri``. Raises ``mail_not_google``."""
    row = _account(own_site(actor))
    query = {
        "client_id": row.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": SCOPE,
        "access_type": "offline",
        "prompt": "consent",
        "login_hint": row.address,
        "state": signing.dumps(_state(actor, row), salt=SALT),
    }
    return f"{settings.GOOGLE_MAIL['consent']}?{urlencode(query)}"


def finish_consent(actor: Actor, *, code: str, state: str, redirect_uri: str) -> SiteMail:
    """Change the code for a refresh token, keep it and send what was held.

    Raises Conflict ``mail_consent_old`` for a consent that was not asked by this person for the present settings, or
    too long ago, and ``mail_consent`` if Google gives no token that may be used again. No transaction is open while
    Google is asked.
    """
    site = own_site(actor)
    with transaction.atomic():
        row = _account(site)
    _demand_asked(actor, row, state)
    secret = crypto.decrypt(row.secret_cipher)
    form = {
        "code": code,
        "client_id": row.client_id,
        "client_secret": secret,
        "redirect_uri": redirect_uri,
        "grant_type": "authorization_code",
    }
    # A code works once; an answer that was lost is asked for again by a new consent.
    answer = http_client(patience=SECONDS).request("POST", settings.GOOGLE_MAIL["token"], data=form, repeat_safe=False)
    try:
        body = json.loads(answer.body) if answer.status == 200 else {}
    except ValueError:
        body = {}
    token = str(body.get("refresh_token") or "") if isinstance(body, dict) else ""
    if not token or SCOPE not in str(body.get("scope", "")).split():
        raise BusinessError("mail_consent", _("Google did not allow it. Check client ID and secret and connect again."))
    return _keep(actor, site, row, token)


def _demand_asked(actor: Actor, row: SiteMail, state: str) -> None:
    try:
        asked = signing.loads(state, salt=SALT, max_age=STATE_SECONDS)
    except signing.BadSignature:
        asked = None
    if asked != _state(actor, row):
        raise Conflict("mail_consent_old", _("This answer belongs to another request. Connect again."))


@transaction.atomic
def _keep(actor: Actor, site: Site, asked: SiteMail, token: str) -> SiteMail:
    row = _account(site)
    if _state(actor, row) != _state(actor, asked):
        raise Conflict("mail_consent_old", _("The settings were changed meanwhile. Connect again."))
    row.refresh_cipher = crypto.encrypt(token)
    row.save(update_fields=["refresh_cipher", "updated_at"])
    audit.record(actor, "site.mail_connected", site, after={"address": row.address}, account=site.account)
    release_held(site)
    return row
