"""Gmail by OAuth2: the mailbox's owner agrees once, then mail leaves by XOAUTH2; a stand-in is Google."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from core.crypto import decrypt
from core.errors import BusinessError, Conflict
from notifications.models import MailState, OutgoingMail
from notifications.services import google_mail, site_mail
from notifications.services.send import send_mail
from resellers.models import Account, Site
from resellers.site_models import SiteMail
from tests import factories
from tests.look.sites import browser, owner, reseller_site
from tests.look.test_mail import mail_server, order_mail, plain  # noqa: F401 - a fixture.

pytestmark = pytest.mark.django_db
VALUES = {"kind": "google", "name": "Cedar", "address": "shop@cedar.example", "client_id": "id-1", "secret": "s-1"}
TOKEN = "https://127.0.0.1/token"
BACK = "https://shop.example/my-shop/mail/google/done/"
GIVEN = {"access_token": "tok", "refresh_token": "ref-1", "scope": "openid https://mail.google.com/"}


@pytest.fixture
def site(settings) -> Site:
    settings.GOOGLE_MAIL = {**settings.GOOGLE_MAIL, "token": TOKEN, "server": "127.0.0.1"}
    return reseller_site()


def state_of(actor) -> str:
    return parse_qs(urlsplit(google_mail.consent_url(actor, redirect_uri=BACK)).query)["state"][0]


def connect(actor, given=GIVEN, status=200) -> str:
    """Agree at Google; returns what it was asked for the tokens with."""
    state = state_of(actor)
    with responses.RequestsMock() as web:
        web.post(TOKEN, json=given, status=status)
        google_mail.finish_consent(actor, code="code-1", state=state, redirect_uri=BACK)
        return str(web.calls[0].request.body)


def test_consent_asks_for_a_lasting_token_of_this_mailbox(site):
    actor = owner(site)
    with pytest.raises(Conflict):
        google_mail.consent_url(actor, redirect_uri=BACK)
    site_mail.save_mail_account(actor, values=VALUES)
    address = urlsplit(google_mail.consent_url(actor, redirect_uri=BACK))
    asked = {name: value[0] for name, value in parse_qs(address.query).items()}
    assert address.netloc == "accounts.google.com"
    del asked["state"]
    assert asked == {
        "client_id": "id-1",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "https://mail.google.com/",
        "access_type": "offline",
        "prompt": "consent",
        "login_hint": "shop@cedar.example",
    }


def test_mail_waits_for_the_consent_and_leaves_by_xoauth2(site, plain, settings):  # noqa: F811
    actor, mail = owner(site), order_mail(site)
    site_mail.save_mail_account(actor, values=VALUES)
    send_mail(mail.pk)
    assert OutgoingMail.objects.get().state == MailState.HELD
    sent = connect(actor)
    assert {"code=code-1", "client_id=id-1", "client_secret=s-1", "grant_type=authorization_code"} <= set(
        sent.split("&")
    )
    row = SiteMail.objects.get()
    assert (decrypt(row.refresh_cipher), "ref-1" in row.refresh_cipher) == ("ref-1", False)
    assert OutgoingMail.objects.get().state == MailState.QUEUED
    with mail_server() as (port, said), responses.RequestsMock() as web:
        settings.GOOGLE_MAIL["port"] = str(port)
        web.post(TOKEN, json={"access_token": "tok-2"})
        send_mail(mail.pk)
        asked = set(str(web.calls[0].request.body).split("&"))
    assert asked == {"client_id=id-1", "client_secret=s-1", "refresh_token=ref-1", "grant_type=refresh_token"}
    assert OutgoingMail.objects.get().state == MailState.SENT
    login = base64.b64decode(next(line for line in said if line.startswith("AUTH XOAUTH2")).split()[2])
    assert login == b"user=shop@cedar.example\x01auth=Bearer tok-2\x01\x01"


def test_state_of_another_person_another_mailbox_or_nobody_is_refused(site):
    actor, colleague = owner(site), owner(site)
    site_mail.save_mail_account(actor, values=VALUES)
    state = state_of(actor)
    with pytest.raises(Conflict):
        google_mail.finish_consent(colleague, code="c", state=state, redirect_uri=BACK)
    with pytest.raises(Conflict):
        google_mail.finish_consent(actor, code="c", state=state[:-1] + "x", redirect_uri=BACK)
    site_mail.save_mail_account(actor, values=VALUES | {"address": "other@cedar.example"})
    with pytest.raises(Conflict):
        google_mail.finish_consent(actor, code="c", state=state, redirect_uri=BACK)
    assert SiteMail.objects.get().refresh_cipher == ""


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"error": "invalid_grant"}, 400),
        ({"access_token": "t", "scope": "https://mail.google.com/"}, 200),
        (GIVEN | {"scope": "openid"}, 200),
        ([], 200),
    ],
)
def test_google_gives_no_lasting_token(site, given, status):
    actor = owner(site)
    site_mail.save_mail_account(actor, values=VALUES)
    with pytest.raises(BusinessError) as refused:
        connect(actor, given, status)
    assert refused.value.code == "mail_consent"
    assert not SiteMail.objects.get().is_usable


def test_consent_goes_with_another_client_and_stays_otherwise(site):
    actor = owner(site)
    site_mail.save_mail_account(actor, values=VALUES)
    connect(actor)
    site_mail.save_mail_account(actor, values=VALUES | {"secret": "", "name": "Cedar Cloud"})
    assert SiteMail.objects.get().is_usable
    site_mail.save_mail_account(actor, values=VALUES | {"client_id": "id-2"})
    assert not SiteMail.objects.get().is_usable


def test_test_mail_before_the_consent_says_what_to_do(site):
    with pytest.raises(BusinessError) as refused:
        site_mail.send_test_mail(owner(site), values=VALUES)
    assert refused.value.code == "mail_not_connected"


def test_withdrawn_consent_is_said(site):
    actor = owner(site)
    site_mail.save_mail_account(actor, values=VALUES)
    connect(actor)
    with responses.RequestsMock() as web, pytest.raises(BusinessError) as refused:
        web.post(TOKEN, json={"error": "invalid_grant"}, status=400)
        site_mail.send_test_mail(actor, values=VALUES | {"secret": ""})
    assert refused.value.code == "mail_token"


def test_pages(site):
    user = factories.user(site.organization, of=Account.objects.get(pk=site.account_id))
    client = browser(site, user=user)
    page = "/cedar/my-shop/mail/"
    assert client.get(f"{page}google/").status_code == 302
    assert client.post(page, VALUES | {"deed": "save"}).status_code == 302
    shown = client.get(page).content.decode()
    assert "is not connected yet" in shown
    assert "/cedar/my-shop/mail/google/done/" in shown
    away = client.get(f"{page}google/")
    assert away["Location"].startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    refused = client.get(f"{page}google/done/?error=access_denied", follow=True)
    assert "Google was not allowed to" in refused.content.decode()
    state = parse_qs(urlsplit(away["Location"]).query)["state"][0]
    with responses.RequestsMock() as web:
        web.post(TOKEN, json=GIVEN)
        done = client.get(f"{page}google/done/", {"code": "c", "state": state}, follow=True)
    assert "is connected with Google" in done.content.decode()
