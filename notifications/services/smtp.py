"""The connection to a reseller's own mail server: to public addresses only, protected, by password or OAuth2."""

import json
import smtplib
import socket
import ssl
from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext as _

from core.crypto import decrypt
from core.errors import BusinessError
from core.http import AddressGuard, http_client, listed_hosts
from resellers.site_models import MailKind, MailSecurity, SiteMail

SECONDS = 15
PORTS = frozenset({25, 465, 587, 2465, 2525, 2587})
SCOPE = "https://outlook.office365.com/.default"


class _Guarded(smtplib.SMTP):
    """Connects to the very address that was found to be public, so that a second answer of the DNS changes nothing."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        address = AddressGuard(listed_hosts()).pick(host, port)
        return socket.create_connection((address, port), timeout, self.source_address)


class _GuardedTls(smtplib.SMTP_SSL, _Guarded):
    """The same with TLS from the start."""


class GuardedBackend(EmailBackend):
    """Django's SMTP, over guarded connections; with ``token`` it signs in by XOAUTH2 instead of a password.

    Source: https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
    """

    def __init__(self, *args: Any, token: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.token = token
        self.bearer = self.username if token else ""
        if token:
            self.username = self.password = ""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Ours instead of the library's."""
        return _GuardedTls if self.use_ssl else _Guarded

    def open(self) -> bool | None:
        """Connect and sign in; whatever fails leaves no connection open."""
        try:
            opened = super().open()
            if opened and self.token and self.connection is not None:
                words = f"user={self.bearer}\x01auth=Bearer {self.token}\x01\x01"
                self.connection.auth("XOAUTH2", lambda challenge=None: words if challenge is None else "")
        except Exception:
            self.close()
            raise
        return opened


def connection_of(account: SiteMail) -> GuardedBackend:
    """A connection for one mail; nothing is opened yet but the token of Microsoft or Google is fetched."""
    secret = decrypt(account.secret_cipher)
    if account.kind == MailKind.OFFICE365:
        token_url, server, port = settings.OFFICE365_MAIL
        domain = account.address.rpartition("@")[2]
        token = _token(token_url.format(domain=domain), account.client_id, secret)
        return _backend(server, port, MailSecurity.STARTTLS, account.address, "", token)
    if account.kind == MailKind.GOOGLE:
        google, token = settings.GOOGLE_MAIL, _google_token(account, secret)
        return _backend(google["server"], int(google["port"]), MailSecurity.STARTTLS, account.address, "", token)
    if account.port not in PORTS and not AddressGuard(listed_hosts()).is_listed(account.server):
        raise BusinessError("mail_port", _("Mail servers listen at 25, 465, 587 or 2525."), field="port")
    return _backend(account.server, account.port, account.security, account.address, secret, "")


def _backend(server: str, port: int, security: str, user: str, password: str, token: str) -> GuardedBackend:
    backend = GuardedBackend(
        host=server,
        port=port,
        username=user,
        password=password,
        use_ssl=security == MailSecurity.TLS,
        use_tls=security == MailSecurity.STARTTLS,
        timeout=SECONDS,
        fail_silently=False,
        token=token,
    )
    if settings.EXTRA_CA_FILE:
        backend.ssl_context = ssl.create_default_context()
        backend.ssl_context.load_verify_locations(settings.EXTRA_CA_FILE)
    return backend


def _token(url: str, client_id: str, secret: str) -> str:
    """An access token of the application itself (client credentials); raises BusinessError ``mail_token``.

    Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    form = {"client_id": client_id, "client_secret": secret, "scope": SCOPE, "grant_type": "client_credentials"}
    token = _asked_token(url, form)
    if not token:
        raise BusinessError("mail_token", _("Microsoft did not accept the client ID and secret."), field="secret")
    return token


def _google_token(account: SiteMail, secret: str) -> str:
    """An access token of the mailbox whose owner agreed; raises ``mail_not_connected`` or ``mail_token``.

    Source: https://developers.google.com/identity/protocols/oauth2/web-server#offline
    """
    if not account.is_usable:
        words = _("Save these settings and connect them with Google, then try again.")
        raise BusinessError("mail_not_connected", words)
    form = {
        "client_id": account.client_id,
        "client_secret": secret,
        "refresh_token": decrypt(account.refresh_cipher),
        "grant_type": "refresh_token",
    }
    token = _asked_token(settings.GOOGLE_MAIL["token"], form)
    if not token:
        words = _("Google did not accept the client ID and secret, or the consent was withdrawn. Connect again.")
        raise BusinessError("mail_token", words, field="secret")
    return token


def _asked_token(url: str, form: dict[str, str]) -> str:
    answer = http_client(patience=SECONDS).request("POST", url, data=form, repeat_safe=True)
    try:
        body = json.loads(answer.body) if answer.status == 200 else {}
    except ValueError:
        body = {}
    return str(body.get("access_token") or "") if isinstance(body, dict) else ""
