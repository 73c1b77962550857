"""A reseller's own mail account: tried without a trace, kept without its secret, and what waits for it."""

import base64
import datetime as dt
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import responses
from django.core import mail as django_mail

from core import clock
from core.crypto import decrypt
from core.errors import BusinessError, PermissionRefused
from notifications.models import MailState, OutgoingMail
from notifications.services import site_mail, smtp
from notifications.services.compose import queue_mail
from notifications.services.send import send_mail
from resellers.enums import Edition
from resellers.models import Account, Site
from resellers.services import sites
from resellers.site_models import SiteMail
from tests import factories
from tests.look.sites import browser, owner, reseller_site

pytestmark = pytest.mark.django_db
VALUES: dict[str, Any] = {
    "kind": "smtp",
    "name": "Cedar Cloud",
    "address": "shop@cedar.example",
    "server": "127.0.0.1",
    "port": 2525,
    "security": "starttls",
    "secret": "pass-word-1",
}


class Talk(socketserver.StreamRequestHandler):
    """Just enough SMTP, without TLS, to see what is said."""

    def handle(self) -> None:
        said: list[str] = self.server.said  # type: ignore[attr-defined]
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            words = line.decode().strip()
            said.append(words)
            verb = words[:4].upper()
            if verb == "EHLO":
                self.wfile.write(b"250-here\r\n250 AUTH XOAUTH2 PLAIN LOGIN\r\n")
            elif verb == "AUTH":
                self.wfile.write(self.server.login)  # type: ignore[attr-defined]
            elif verb == "DATA":
                self.wfile.write(b"354 go\r\n")
                while (part := self.rfile.readline()) != b".\r\n":
                    said.append(part.decode().rstrip())
                self.wfile.write(b"250 taken\r\n")
            elif verb == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Server(socketserver.ThreadingTCPServer):
    """Waits for nobody who stays connected."""

    daemon_threads = True
    block_on_close = False


@contextmanager
def mail_server(login: bytes = b"235 in\r\n") -> Iterator[tuple[int, list[str]]]:
    """A mail server on loopback: its port and what was said to it."""
    with Server(("127.0.0.1", 0), Talk) as server:
        said: list[str] = []
        server.said, server.login = said, login  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], said
        server.shutdown()
        thread.join(5)


@pytest.fixture
def site() -> Site:
    return reseller_site()


@pytest.fixture
def plain(monkeypatch):
    """The stand-in speaks no TLS; the backend is told so, and only here."""
    make = smtp._backend

    def without(server: str, port: int, security: str, user: str, password: str, token: str) -> smtp.GuardedBackend:
        backend = make(server, port, security, user, password, token)
        backend.use_tls = backend.use_ssl = False
        return backend

    monkeypatch.setattr(smtp, "_backend", without)


def order_mail(site: Site, template: str = "domain_notice", key: str = "k", **more: Any) -> OutgoingMail:
    return queue_mail(
        template,
        organization=site.organization,
        site=Site.objects.get(pk=site.pk),
        account=site.account,
        recipient="nia@people.test",
        context={"kind": "live", "host": "x.example", "link": "https://x.example/"},
        dedupe_key=key,
        **more,
    )


def state_after(mail: OutgoingMail) -> str:
    send_mail(mail.pk)
    return OutgoingMail.objects.get(pk=mail.pk).state


def test_standard_without_settings_holds_mail_but_not_what_lets_one_in(site):
    assert state_after(order_mail(site)) == MailState.HELD
    assert django_mail.outbox == []
    assert state_after(order_mail(site, key="secret", is_secret=True)) == MailState.SENT
    assert "Cedar Cloud" in django_mail.outbox[0].from_email
    free = reseller_site("birch", name="Birch", edition=Edition.FREE)
    assert state_after(order_mail(free, key="free")) == MailState.SENT


def test_held_mail_is_dropped_after_seven_days(site, still_clock):
    mail = order_mail(site)
    send_mail(mail.pk)
    still_clock(mail.created_at + dt.timedelta(days=6))
    assert site_mail.drop_held() == 0
    still_clock(mail.created_at + dt.timedelta(days=7))
    assert site_mail.drop_held() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.html) == (MailState.FAILED, "")


def test_saved_settings_send_what_was_held_from_the_resellers_address(site, plain):
    mail = order_mail(site)
    send_mail(mail.pk)
    with mail_server() as (port, said):
        site_mail.save_mail_account(owner(site), values=VALUES | {"port": port})
        assert OutgoingMail.objects.get().state == MailState.QUEUED
        assert state_after(mail) == MailState.SENT
    assert "From: Cedar Cloud <shop@cedar.example>" in said
    assert f"Message-ID: <{mail.public_id}@cedar.example>" in said
    login = base64.b64decode(next(line for line in said if line.startswith("AUTH PLAIN")).split()[2])
    assert login == b"\x00shop@cedar.example\x00pass-word-1"
    assert site.organization.name not in "\n".join(said)


def test_test_mail_goes_to_who_asks_and_saves_nothing(site, plain):
    actor = owner(site)
    with mail_server() as (port, said):
        assert site_mail.send_test_mail(actor, values=VALUES | {"port": port}) == actor.email
    assert "Subject: Test Email" in said
    assert f"To: {actor.email}" in said
    assert (SiteMail.objects.count(), OutgoingMail.objects.count()) == (0, 0)


def test_refused_login_is_said_without_the_servers_words(site, plain):
    with (
        mail_server(b"535 5.7.8 pass-word-1 is wrong\r\n") as (port, _said),
        pytest.raises(BusinessError) as refused,
    ):
        site_mail.send_test_mail(owner(site), values=VALUES | {"port": port})
    assert (refused.value.code, "pass-word" in str(refused.value.message)) == ("mail_login", False)


@pytest.mark.parametrize(
    "server", ["10.0.0.5", "169.254.169.254", "[::1]", "127.0.0.2", "192.168.1.1", "::ffff:10.0.0.1"]
)
def test_servers_inside_are_not_reached(site, settings, server):
    settings.LOOPBACK_HOSTS = []
    with pytest.raises(BusinessError) as refused:
        site_mail.send_test_mail(owner(site), values=VALUES | {"server": server, "port": 587})
    assert refused.value.code == "mail_server"


def test_ports_of_other_services_are_refused(site, settings):
    settings.LOOPBACK_HOSTS = []
    with pytest.raises(BusinessError) as refused:
        site_mail.send_test_mail(owner(site), values=VALUES | {"server": "mail.example.com", "port": 6379})
    assert refused.value.code == "mail_port"


def test_microsoft_gets_a_token_and_xoauth2(site, plain, settings):
    values = {"kind": "office365", "name": "Cedar", "address": "shop@cedar.example", "client_id": "id-1", "secret": "s"}
    with mail_server() as (port, said), responses.RequestsMock() as web:
        settings.OFFICE365_MAIL = ("https://127.0.0.1/{domain}/token", "127.0.0.1", port)
        web.post("https://127.0.0.1/cedar.example/token", json={"access_token": "tok"})
        site_mail.send_test_mail(owner(site), values=values)
        sent = str(web.calls[0].request.body)
    assert "grant_type=client_credentials" in sent
    login = base64.b64decode(next(line for line in said if line.startswith("AUTH XOAUTH2")).split()[2])
    assert login == b"user=shop@cedar.example\x01auth=Bearer tok\x01\x01"


def test_microsoft_refuses_the_secret(site, settings):
    values = {"kind": "office365", "name": "Cedar", "address": "shop@cedar.example", "client_id": "id-1", "secret": "s"}
    settings.OFFICE365_MAIL = ("https://127.0.0.1/{domain}/token", "127.0.0.1", 1)
    with responses.RequestsMock() as web, pytest.raises(BusinessError) as refused:
        web.post("https://127.0.0.1/cedar.example/token", json={"error": "invalid_client"}, status=401)
        site_mail.send_test_mail(owner(site), values=values)
    assert refused.value.code == "mail_token"


def test_secret_is_kept_encrypted_and_bound_to_its_server(site):
    actor = owner(site)
    row = site_mail.save_mail_account(actor, values=VALUES)
    assert decrypt(row.secret_cipher) == "pass-word-1"
    assert "pass-word" not in row.secret_cipher
    site_mail.save_mail_account(actor, values=VALUES | {"secret": "", "name": "Cedar"})
    assert decrypt(SiteMail.objects.get().secret_cipher) == "pass-word-1"
    with pytest.raises(BusinessError) as refused:
        site_mail.send_test_mail(actor, values=VALUES | {"secret": "", "server": "evil.example"})
    assert set(refused.value.context["fields"]) == {"secret"}


@pytest.mark.parametrize("name", ["name", "address", "server", "port", "security", "secret"])
def test_everything_is_required(site, name):
    with pytest.raises(BusinessError) as refused:
        site_mail.save_mail_account(owner(site), values=VALUES | {name: ""})
    assert name in refused.value.context["fields"]
    assert not SiteMail.objects.exists()


def test_line_breaks_make_no_headers(site):
    with pytest.raises(BusinessError):
        site_mail.save_mail_account(owner(site), values=VALUES | {"name": "x\r\nBcc: all@evil.test"})


def test_secret_is_erased_with_the_plan(site):
    site_mail.save_mail_account(owner(site), values=VALUES)
    sites.close_plan(site.account_id, plan_id=site.plan_id)
    assert not SiteMail.objects.exists()
    with pytest.raises(PermissionRefused):
        site_mail.save_mail_account(owner(site), values=VALUES)


def test_page_never_shows_the_secret(site, plain):
    user = factories.user(site.organization, of=Account.objects.get(pk=site.account_id))
    client = browser(site, user=user)
    assert "There are no mail settings" in client.get("/cedar/my-shop/mail/").content.decode()
    with mail_server() as (port, _said):
        tried = client.post("/cedar/my-shop/mail/", VALUES | {"port": port, "deed": "test"})
    assert (tried.status_code, SiteMail.objects.count()) == (200, 0)
    assert "pass-word-1" not in tried.content.decode()
    assert "Nothing was saved" in tried.content.decode()
    assert client.post("/cedar/my-shop/mail/", VALUES | {"deed": "save"}).status_code == 302
    assert "pass-word-1" not in client.get("/cedar/my-shop/mail/").content.decode()
    assert clock.now() >= SiteMail.objects.get().created_at
