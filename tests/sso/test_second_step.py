"""The second step: employees cannot do without in production, and no side door leads around it."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.urls import reverse

from notifications.models import OutgoingMail
from resellers.models import Organization
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
LET_IN = "/bss/nothing-here/"  # Not found, but only for those who are let in.
PAGES = ("/bss/", "/bss/orders/", "/admin/", "/styleguide/")


@pytest.fixture
def here() -> Organization:
    return factories.organization()


@pytest.fixture(autouse=True)
def required(settings) -> None:
    settings.STAFF_MFA_REQUIRED = True


def headers(of: Organization) -> dict[str, str]:
    return {"host": factories.site_of(of).host}


def sign_in(client: Client, of: Organization, user: User):
    data = {"login": user.email, "password": factories.PASSWORD}
    return client.post(reverse("account_login"), data, headers=headers(of))


def code_of(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time())))))


def with_totp(user: User) -> str:
    secret = str(totp.generate_totp_secret())
    totp.TOTP.activate(user, secret)
    return secret


def test_setting_is_on_in_production_only():
    from cloudbss.settings import base, production  # Read as modules, without using them.

    assert (base.STAFF_MFA_REQUIRED, production.STAFF_MFA_REQUIRED) == (False, True)


def test_employee_without_second_factor_is_sent_to_set_it_up(client, here):
    sign_in(client, here, factories.user(here))
    answers = [client.get(page, headers=headers(here)) for page in PAGES]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, reverse("mfa_activate_totp"))
    ] * len(PAGES)


def test_employee_without_second_factor_cannot_post_either(client, here):
    sign_in(client, here, factories.user(here))
    answer = client.post("/bss/orders/", {}, headers=headers(here))
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_activate_totp"))


def test_customer_is_not_asked(client, here):
    sign_in(client, here, factories.user(here, of=factories.account(here)))
    assert client.get(LET_IN, headers=headers(here)).status_code == 404


def test_nobody_is_asked_where_it_is_not_required(client, here, settings):
    settings.STAFF_MFA_REQUIRED = False
    sign_in(client, here, factories.user(here))
    assert client.get(LET_IN, headers=headers(here)).status_code == 404


def test_sign_in_with_second_factor_asks_for_the_code(client, here):
    user = factories.user(here)
    secret = with_totp(user)
    asked = sign_in(client, here, user)
    assert (asked["Location"], "_auth_user_id" in client.session) == (reverse("mfa_authenticate"), False)
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"}, headers=headers(here))
    assert (wrong.status_code, "_auth_user_id" in client.session) == (200, False)
    right = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)}, headers=headers(here))
    assert (right["Location"], client.session["_auth_user_id"]) == ("/bss/", str(user.pk))
    assert client.get(LET_IN, headers=headers(here)).status_code == 404


def test_recovery_code_works_once(here):
    user = factories.user(here)
    with_totp(user)
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    done = []
    for client in (Client(), Client()):
        sign_in(client, here, user)
        client.post(reverse("mfa_authenticate"), {"code": code}, headers=headers(here))
        done.append("_auth_user_id" in client.session)
    assert done == [True, False]


def test_session_without_the_second_step_is_asked_for_it(client, here):
    user = factories.user(here)
    sign_in(client, here, user)
    with_totp(user)
    answer = client.get("/bss/orders/?page=2", headers=headers(here))
    assert answer["Location"] == reverse("mfa_reauthenticate") + "?next=%2Fbss%2Forders%2F%3Fpage%3D2"


@pytest.mark.django_db(transaction=True)
def test_setting_up_counts_for_the_session(client, here):
    user = factories.user(here)
    sign_in(client, here, user)
    asked = client.get(reverse("mfa_activate_totp"), headers=headers(here))
    client.post(asked["Location"], {"password": factories.PASSWORD}, headers=headers(here))
    page = client.get(reverse("mfa_activate_totp"), headers=headers(here))
    secret = page.context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, headers=headers(here))
    assert Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).count() == 1
    assert client.get(LET_IN, headers=headers(here)).status_code == 404
    assert [mail.template for mail in OutgoingMail.objects.all()] == ["account_notice"]


def test_setting_up_asks_for_the_password_again(client, here):
    user = factories.user(here)
    sign_in(client, here, user)
    factories.user(factories.organization(), email=user.email)
    asked = client.get(reverse("mfa_activate_totp"), headers=headers(here))
    wrong = client.post(asked["Location"], {"password": "wrong-wrong-wrong"}, headers=headers(here))
    assert (asked.status_code, wrong.status_code) == (302, 200)
    assert client.get(reverse("mfa_activate_totp"), headers=headers(here)).status_code == 302


def test_reauthentication_works_without_a_confirmed_address(client, here):
    user = User.objects.create_superuser("root@people.test", factories.PASSWORD)
    client.force_login(user)
    asked = client.get(reverse("mfa_activate_totp"), headers=headers(here))
    client.post(asked["Location"], {"password": factories.PASSWORD}, headers=headers(here))
    assert client.get(reverse("mfa_activate_totp"), headers=headers(here)).status_code == 200


def test_secret_is_stored_encrypted(here):
    user = factories.user(here)
    secret = with_totp(user)
    assert re.search(secret, str(Authenticator.objects.get(user=user).data)) is None


def test_admin_has_no_sign_in_of_its_own(client, here):
    user = User.objects.create_superuser("root@people.test", factories.PASSWORD)
    factories.confirm_address(user)
    credentials = {"username": user.username, "password": factories.PASSWORD}
    by_address = client.post("/admin/login/", credentials | {"username": user.email}, headers=headers(here))
    by_name = client.post("/admin/login/", credentials, headers=headers(here))
    assert {by_address["Location"].split("?")[0], by_name["Location"].split("?")[0]} == {reverse("account_login")}
    assert "_auth_user_id" not in client.session


def test_superuser_without_second_factor_stays_out_of_admin(client, here):
    user = User.objects.create_superuser("root@people.test", factories.PASSWORD)
    factories.confirm_address(user)
    sign_in(client, here, user)
    answer = client.get("/admin/users/user/", headers=headers(here))
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_activate_totp"))


def test_second_step_is_limited(client, here):
    user = factories.user(here)
    secret = with_totp(user)
    sign_in(client, here, user)
    for _attempt in range(12):
        client.post(reverse("mfa_authenticate"), {"code": "000000"}, headers=headers(here))
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)}, headers=headers(here))
    assert "_auth_user_id" not in client.session
