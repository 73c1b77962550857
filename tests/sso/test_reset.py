"""Forgotten passwords and unconfirmed addresses: one answer for all, one link, one use."""

import datetime as dt
import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client
from django.urls import reverse

from notifications.models import OutgoingMail
from notifications.services.send import send_mail
from resellers.models import Organization
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a-fresh-horse-battery"


@pytest.fixture
def here() -> Organization:
    return factories.organization()


def headers(of: Organization) -> dict[str, str]:
    return {"host": factories.site_of(of).host}


def ask(client: Client, of: Organization, email: str):
    return client.post(reverse("account_reset_password"), {"email": email}, headers=headers(of))


def reset_link() -> str:
    return re.findall(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", OutgoingMail.objects.get().text)[0]


def follow(client: Client, of: Organization, path: str, password: str = NEW_PASSWORD):
    opened = client.get(path, headers=headers(of))
    if opened.status_code != 302:
        return opened
    data = {"password1": password, "password2": password}
    return client.post(opened["Location"], data, headers=headers(of))


def has_password(user: User, password: str) -> bool:
    return User.objects.get(pk=user.pk).check_password(password)


def test_reset_answer_is_the_same_for_everybody(here):
    known = factories.user(here)
    foreign = factories.user(factories.organization())
    inactive = factories.user(here, is_active=False)
    answers, mails = [], []
    for email in (known.email, foreign.email, inactive.email, "nobody@people.test"):
        client = Client()
        first = ask(client, here, email)
        page = client.get(first["Location"], headers=headers(here))
        answers.append((first.status_code, first["Location"], page.status_code))
        mails.append(OutgoingMail.objects.filter(recipient=email).count())
    assert set(answers) == {(302, reverse("account_reset_password_done"), 200)}
    assert mails == [1, 0, 0, 0]


def test_reset_reaches_the_user_of_this_realm_only(client, here):
    there = factories.organization()
    ours = factories.user(here, email="ada@people.test")
    theirs = factories.user(there, email="ada@people.test")
    ask(client, here, "ADA@people.test")
    assert OutgoingMail.objects.get().organization == here
    follow(client, here, reset_link())
    assert (has_password(ours, NEW_PASSWORD), has_password(theirs, factories.PASSWORD)) == (True, True)


def test_reset_link_works_once(client, here):
    user = factories.user(here)
    ask(client, here, user.email)
    link = reset_link()
    follow(client, here, link)
    follow(Client(), here, link, "stolen-horse-battery")
    assert has_password(user, NEW_PASSWORD) is True


def test_reset_link_ends_after_an_hour(client, here, settings, monkeypatch):
    user = factories.user(here)
    ask(client, here, user.email)
    link = reset_link()
    later = dt.datetime.now() + dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 60)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: later)
    assert (settings.PASSWORD_RESET_TIMEOUT, follow(client, here, link).status_code) == (3600, 200)
    assert has_password(user, factories.PASSWORD) is True


def test_reset_link_of_another_realm_is_refused(client, here):
    user = factories.user(here)
    ask(client, here, user.email)
    follow(client, factories.organization(), reset_link())
    assert has_password(user, factories.PASSWORD) is True


def test_reset_ends_other_sessions(here):
    user = factories.user(here, of=factories.account(here))
    thief, owner = Client(), Client()
    thief.post(reverse("account_login"), {"login": user.email, "password": factories.PASSWORD}, headers=headers(here))
    assert thief.get(reverse("account_change_password"), headers=headers(here)).status_code == 200
    ask(owner, here, user.email)
    follow(owner, here, reset_link())
    assert thief.get(reverse("account_change_password"), headers=headers(here)).status_code == 302


def test_reset_is_limited(client, here):
    user = factories.user(here)
    answers = [ask(client, here, user.email).status_code for _attempt in range(7)]
    assert (answers, OutgoingMail.objects.count()) == ([302] * 5 + [429] * 2, 5)


def test_reset_mail_loses_its_link_once_sent(client, here):
    user = factories.user(here)
    ask(client, here, user.email)
    token = reset_link().strip("/").split("/")[-1]
    mail = OutgoingMail.objects.get()
    assert (mail.is_secret, mail.template, token in mail.html) == (True, "password_reset", True)
    send_mail(mail.pk)
    assert token not in str(list(OutgoingMail.objects.values()))


def test_address_is_confirmed_by_its_link(client, here):
    user = User.objects.create_user(here.public_id, "fresh@people.test", factories.PASSWORD)
    credentials = {"login": user.email, "password": factories.PASSWORD}
    client.post(reverse("account_login"), credentials, headers=headers(here))
    mail = OutgoingMail.objects.get()
    assert (mail.template, mail.recipient, mail.is_secret) == ("email_verification", user.email, True)
    link = re.findall(r"https?://[^/\s]+(/accounts/confirm-email/\S+)", mail.text)[0]
    factories.user(factories.organization(), email=user.email)
    client.post(link, headers=headers(here))
    assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified")) == [(user.email, True)]
    client.post(reverse("account_login"), credentials, headers=headers(here))
    assert client.session["_auth_user_id"] == str(user.pk)


def test_confirmation_mails_are_limited(client, here):
    user = User.objects.create_user(here.public_id, "fresh@people.test", factories.PASSWORD)
    for _attempt in range(3):
        data = {"login": user.email, "password": factories.PASSWORD}
        client.post(reverse("account_login"), data, headers=headers(here))
    assert OutgoingMail.objects.count() == 1
