"""The language a person reads: kept in his browser and with himself, within the languages of a site."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from notifications.models import OutgoingMail
from resellers.models import Organization
from resellers.services import design
from tests import factories
from tests.look.sites import browser, owner, reseller_site
from users.models import User

pytestmark = pytest.mark.django_db
COOKIE = settings.LANGUAGE_COOKIE_NAME


@pytest.fixture(autouse=True)
def back_to_english():
    """A page's language stays with its thread until the next page; the other tests expect English."""
    yield
    translation.deactivate()


@pytest.fixture
def here() -> Organization:
    return factories.organization()


def at(here: Organization, **headers: str) -> Client:
    return Client(headers={"host": factories.site_of(here).host, **headers})


def sign_in(client: Client, user: User):
    return client.post(reverse("account_login"), {"login": user.email, "password": factories.PASSWORD})


def choose(client: Client, code: str, *, then: str = "/"):
    return client.post(reverse("storefront:set_language"), {"language": code, "next": then})


def language_of(client: Client, path: str = "") -> str:
    """The language of a page; the sign-in page unless said otherwise, which answers everybody who is not signed in."""
    page = client.get(path or reverse("account_login"))
    assert page["Content-Language"] == page.content.decode().split('lang="')[1].split('"')[0]
    return page["Content-Language"]


def kept(user: User) -> str:
    return User.objects.get(pk=user.pk).language


def test_visitors_choice_stays_in_his_browser(here):
    client = at(here)
    assert language_of(client) == "en"
    answer = choose(client, "el", then="/accounts/login/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    cookie = answer.cookies[COOKIE]
    assert (cookie.value, cookie["max-age"], cookie["httponly"], cookie["samesite"]) == ("el", 31_536_000, True, "Lax")
    assert (language_of(client), language_of(at(here))) == ("el", "en")


def test_choice_is_kept_with_who_is_signed_in_and_follows_him(here):
    user = factories.user(here)
    client = at(here)
    sign_in(client, user)
    choose(client, "el")
    assert kept(user) == "el"
    other = at(here)
    assert language_of(other) == "en"
    assert sign_in(other, user).cookies[COOKIE].value == "el"
    assert language_of(other, reverse("bss:dashboard")) == "el"


def test_first_sign_in_keeps_the_language_that_is_read(here):
    user = factories.user(here)
    assert kept(user) == ""
    sign_in(at(here, **{"accept-language": "el"}), user)
    assert kept(user) == "el"
    sign_in(at(here, **{"accept-language": "en"}), user)
    assert kept(user) == "el"


def test_unknown_language_changes_nothing(here):
    user = factories.user(here, language="en")
    client = at(here)
    sign_in(client, user)
    for code in ("xx", "", "../el", "EL"):
        answer = choose(client, code)
        assert answer.status_code == 302
        assert COOKIE not in answer.cookies
    assert kept(user) == "en"


def test_choice_leads_to_no_other_site(here):
    assert choose(at(here), "el", then="https://evil.example/")["Location"] == "/"


def test_get_chooses_nothing(here):
    assert at(here).get(reverse("storefront:set_language"), {"language": "el"}).status_code == 405


def test_site_with_one_language_speaks_it_to_all(here):
    site = reseller_site("elia", name="Elia")
    design.publish_design(owner(site), site=site, values={"languages": ["el"]})
    client = browser(site)
    client.cookies[COOKIE] = "en"
    page = client.get("/elia/accounts/login/").content.decode()
    assert '<html lang="el"' in page
    assert 'name="language"' not in page


def test_site_offers_its_languages_and_the_bss_all(here):
    staff = factories.user(here)
    site = factories.site_of(here)
    design.publish_design(factories.actor(here), site=site, values={"languages": ["el"]})
    client = at(here)
    assert 'name="language"' not in client.get(reverse("account_login")).content.decode()
    sign_in(client, staff)
    page = client.get(reverse("bss:dashboard")).content.decode()
    assert [f'value="{code}" lang="{code}"' in page for code, _name in settings.LANGUAGES] == [True, True]
    choose(client, "en", then="/bss/")
    assert language_of(client, reverse("bss:dashboard")) == "en"


def test_mails_come_in_the_readers_language(here):
    readers = [factories.user(here, language=code) for code in ("el", "en")]
    for user in readers:
        # He asks in the language of the browser at hand; the mail is for himself.
        at(here, **{"accept-language": "en"}).post(reverse("account_reset_password"), {"email": user.email})
    greek, english = (OutgoingMail.objects.get(recipient=user.email) for user in readers)
    assert greek.subject != english.subject
    assert any("α" <= letter <= "ω" for letter in greek.subject.lower())
    assert not any("α" <= letter <= "ω" for letter in english.subject.lower())


def test_programs_are_answered_in_english_and_keep_no_language(here):
    for path in ("/api/v3/orders", "/oauth/token"):
        answer = at(here, **{"accept-language": "el"}).get(path, headers={"cookie": f"{COOKIE}=el"})
        assert answer.status_code >= 400
        assert COOKIE not in answer.cookies
        assert answer.content.decode().isascii()


def test_pages_in_a_language_are_not_kept_for_others(here):
    for path in (reverse("account_login"), reverse("storefront:home"), reverse("storefront:terms")):
        answer = at(here).get(path, follow=True)
        varies = {name.strip().lower() for name in answer["Vary"].split(",")}
        assert {"cookie", "accept-language"} <= varies, path
        assert "public" not in answer.get("Cache-Control", "")
