"""Signing in: by realm, with equal answers, within limits, for a time."""

import uuid

import pytest
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory
from django.urls import reverse

from resellers.models import Organization, Site
from sso import sessions
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
OTHER_PASSWORD = "another-horse-battery"


@pytest.fixture
def here() -> Organization:
    return factories.organization()


@pytest.fixture
def there() -> Organization:
    return factories.organization()


def host(of: Organization) -> str:
    return str(factories.site_of(of).host)


def sign_in(client: Client, of: Organization, email: str, password: str = factories.PASSWORD, **extra: str):
    data = {"login": email, "password": password, **extra}
    return client.post(reverse("account_login"), data, headers={"host": host(of)})


def signed_in(client: Client) -> str:
    return str(client.session.get("_auth_user_id", ""))


def form_errors(response) -> list[str]:
    return list(response.context["form"].non_field_errors())


def test_sign_in_customer_goes_to_the_shop(client, here):
    user = factories.user(here, of=factories.account(here))
    response = sign_in(client, here, user.email.upper())
    assert (response.status_code, response["Location"]) == (302, reverse("storefront:home"))
    assert signed_in(client) == str(user.pk)


def test_sign_in_employee_goes_to_the_bss(client, here):
    response = sign_in(client, here, factories.user(here).email)
    assert (response.status_code, response["Location"]) == (302, "/bss/")


def test_sign_in_takes_safe_next_only(client, here):
    user = factories.user(here)
    good = sign_in(client, here, user.email, next="/accounts/2fa/")
    client.logout()
    bad = sign_in(client, here, user.email, next="https://evil.test/")
    assert (good["Location"], bad["Location"]) == ("/accounts/2fa/", "/bss/")


def test_sign_in_same_address_in_two_realms(client, here, there):
    ours = factories.user(here, email="ada@people.test")
    theirs = factories.user(there, email="ada@people.test")
    theirs.set_password(OTHER_PASSWORD)
    theirs.save()
    assert form_errors(sign_in(client, here, "ada@people.test", OTHER_PASSWORD)) != []
    assert signed_in(client) == ""
    sign_in(client, here, "ada@people.test")
    assert signed_in(client) == str(ours.pk)
    other = Client()
    sign_in(other, there, "ada@people.test", OTHER_PASSWORD)
    assert signed_in(other) == str(theirs.pk)


def test_sign_in_failures_read_the_same(client, here, there):
    known = factories.user(here)
    foreign = factories.user(there)
    inactive = factories.user(here, is_active=False)
    attempts = [(known.email, "wrong-wrong-wrong"), (foreign.email, factories.PASSWORD)]
    attempts += [("nobody@people.test", "wrong-wrong-wrong"), (inactive.email, factories.PASSWORD)]
    answers = [sign_in(client, here, email, password) for email, password in attempts]
    assert {(answer.status_code, tuple(form_errors(answer))) for answer in answers} == {
        (200, tuple(form_errors(answers[0])))
    }
    assert signed_in(client) == ""


def test_sign_in_hashes_once_whether_the_address_is_known_or_not(here, there, monkeypatch):
    known, foreign, inactive = factories.user(here), factories.user(there), factories.user(here, is_active=False)
    invited = User.objects.create_user(here.public_id, "new@people.test")
    request = RequestFactory().post("/")
    request.site = factories.site_of(here)
    counted: list[str] = []
    from django.contrib.auth.hashers import MD5PasswordHasher  # Only this test counts its work.

    encode = MD5PasswordHasher.encode

    def count(self: MD5PasswordHasher, password: str, salt: str) -> str:
        counted.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)
    work = []
    for email in (known.email, foreign.email, inactive.email, invited.email, "nobody@people.test"):
        counted.clear()
        assert authenticate(request, username=email, password="wrong-wrong-wrong") is None
        work.append(len(counted))
    assert work == [1, 1, 1, 1, 1]


def test_sign_in_administrator_of_the_installation_everywhere(client, here):
    admin = User.objects.create_superuser("root@people.test", factories.PASSWORD)
    factories.confirm_address(admin)
    sign_in(client, here, "root@people.test")
    assert signed_in(client) == str(admin.pk)


def test_sign_in_plain_user_of_the_installation_nowhere(client, here):
    user = User.objects.create_user(uuid.UUID(int=0), "plain@people.test", factories.PASSWORD)
    factories.confirm_address(user)
    sign_in(client, here, "plain@people.test")
    assert signed_in(client) == ""


def test_sign_in_needs_a_confirmed_address(client, here):
    User.objects.create_user(here.public_id, "fresh@people.test", factories.PASSWORD)
    response = sign_in(client, here, "fresh@people.test")
    assert (response["Location"], signed_in(client)) == (reverse("account_email_verification_sent"), "")


def test_session_id_changes_at_sign_in(client, here):
    session = client.session
    session["basket"] = "kept"
    session.save()
    before = session.session_key
    sign_in(client, here, factories.user(here).email)
    assert (client.session.session_key != before, client.session["basket"]) == (True, "kept")


def test_session_of_another_realm_is_anonymous(client, here, there):
    user = factories.user(here, of=factories.account(here))
    sign_in(client, here, user.email)
    own = client.get(reverse("account_change_password"), headers={"host": host(here)})
    foreign = client.get(reverse("account_change_password"), headers={"host": host(there)})
    assert (own.status_code, foreign.status_code) == (200, 302)
    assert foreign["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(("mark", "limit"), [(sessions.STARTED, 12 * 3600), (sessions.SEEN, 2 * 3600)])
def test_session_ends_after_its_time(client, here, settings, mark, limit):
    assert (settings.SESSION_COOKIE_AGE, settings.SESSION_IDLE_SECONDS) == (12 * 3600, 2 * 3600)
    user = factories.user(here, of=factories.account(here))
    page, headers = reverse("account_change_password"), {"host": host(here)}
    answers = []
    for age in (limit - 30, limit + 30):
        sign_in(client, here, user.email)
        answers.append(client.get(page, headers=headers).status_code)
        session = client.session
        session[mark] -= age
        session.save()
        answers.append(client.get(page, headers=headers).status_code)
    assert answers == [200, 200, 200, 302]
    assert signed_in(client) == ""


def test_session_ends_when_the_user_is_deactivated(client, here):
    user = factories.user(here, of=factories.account(here))
    sign_in(client, here, user.email)
    User.objects.filter(pk=user.pk).update(is_active=False)
    response = client.get(reverse("account_change_password"), headers={"host": host(here)})
    assert response.status_code == 302


def test_limit_failed_sign_ins_of_one_address(client, here, there):
    user = factories.user(here)
    factories.user(there, email=user.email)
    for _attempt in range(5):
        sign_in(client, here, user.email, "wrong-wrong-wrong")
    right = sign_in(client, here, user.email)
    assert (right.status_code, signed_in(client)) == (200, "")
    assert form_errors(right) != form_errors(sign_in(client, here, "nobody@people.test", "wrong-wrong-wrong"))
    other = Client()
    sign_in(other, there, user.email)
    assert signed_in(other) != ""


def test_limit_failed_sign_ins_from_one_place(client, here):
    user = factories.user(here)
    for number in range(10):
        sign_in(client, here, f"nobody{number}@people.test", "wrong-wrong-wrong")
    sign_in(client, here, user.email)
    assert signed_in(client) == ""
    elsewhere = Client(REMOTE_ADDR="127.0.0.2")
    sign_in(elsewhere, here, user.email)
    assert signed_in(elsewhere) == str(user.pk)


def test_limit_behind_the_proxy_counts_visitors_and_believes_its_last_hop_only(client, here, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    user = factories.user(here)

    def attempt(by: Client, password: str, forwarded: str) -> None:
        headers = {"host": host(here), "x-forwarded-for": forwarded}
        email = user.email if password == factories.PASSWORD else f"{uuid.uuid4().hex}@people.test"
        by.post(reverse("account_login"), {"login": email, "password": password}, headers=headers)

    for number in range(10):
        attempt(client, "wrong-wrong-wrong", f"198.51.100.{number}, 203.0.113.7")
    attempt(client, factories.PASSWORD, "198.51.100.99, 203.0.113.7")
    other = Client()
    attempt(other, factories.PASSWORD, "203.0.113.8")
    assert (signed_in(client), signed_in(other)) == ("", str(user.pk))


def test_sign_up_is_closed(client, here):
    before = User.objects.count()
    data = {"email": "new@people.test", "username": "new", "password1": "correct-horse-battery"}
    pages = [reverse("account_signup"), reverse("account_email"), reverse("account_set_password")]
    answers = [client.post(page, data, headers={"host": host(here)}).status_code for page in pages]
    assert (answers, User.objects.count(), Site.objects.count()) == ([404, 404, 404], before, 1)
