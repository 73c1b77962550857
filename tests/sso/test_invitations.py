"""Invitations: sent, followed once, ended; and what each refusal leaves untouched."""

import datetime as dt
import logging
import re
import uuid

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from core import clock
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.tenancy import Actor
from notifications.models import OutgoingMail
from resellers.models import Account, Invitation, Membership, Organization
from sso.services import people
from tests import factories
from users.models import User
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db
ADMIN = [StorefrontRole.ADMIN.value]
NEW_PASSWORD = "a-fresh-horse-battery"


@pytest.fixture
def here() -> Organization:
    return factories.organization()


@pytest.fixture
def account(here) -> Account:
    return factories.account(here)


@pytest.fixture
def staff(here) -> Actor:
    return factories.actor(here)


def invite(actor: Actor, account: Account | None, email: str = "new@people.test", roles: list[str] | None = None):
    chosen = roles or (ADMIN if account else [StaffRole.SALES.value])
    return people.invite_user(actor, account=account, email=email, first_name="Nia", last_name="New", roles=chosen)


def link_in(mail: OutgoingMail) -> str:
    return re.findall(r"https?://[^/\s]+(/accounts/invitation/\S+/)", mail.text)[0]


def follow(client: Client, of: Organization, path: str, password: str = NEW_PASSWORD, again: str = ""):
    headers = {"host": factories.site_of(of).host}
    opened = client.get(path, headers=headers)
    if opened.status_code != 302:
        return opened
    data = {"password1": password, "password2": again or password}
    return client.post(opened["Location"], data, headers=headers)


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (User, Membership, Invitation, OutgoingMail, AuditEntry))


def test_invite_makes_user_membership_and_mail(here, account, staff):
    invitation = invite(staff, account, " New@People.test ")
    user = User.objects.get(email="new@people.test")
    membership = Membership.objects.get(user=user)
    mail = OutgoingMail.objects.get()
    entry = AuditEntry.objects.get(action="user.invited")
    assert (user.realm, user.has_usable_password(), user.is_active) == (here.public_id, False, True)
    assert (membership.account, membership.roles) == (account, ADMIN)
    assert (mail.template, mail.recipient, mail.is_secret) == ("user_invited", "new@people.test", True)
    assert (entry.after, entry.account) == ({"email": "new@people.test", "roles": str(ADMIN)}, account)
    assert invitation.expires_at - clock.now() > dt.timedelta(hours=71, minutes=59)
    token = link_in(mail).split("/")[-2]
    assert token not in str([list(Invitation.objects.values()), list(AuditEntry.objects.values())])
    assert invitation.token_hash == people._digest(token)


def test_invite_link_leads_to_the_site_of_the_account(here, account, staff):
    invite(staff, account)
    assert f"//{factories.site_of(here).host}:8000/accounts/invitation/" in OutgoingMail.objects.get().text


def test_accept_sets_password_and_confirms_the_address(client, here, account, staff):
    invitation = invite(staff, account)
    response = follow(client, here, link_in(OutgoingMail.objects.get()))
    invitation.refresh_from_db()
    address = EmailAddress.objects.get(user=invitation.user)
    assert (response.status_code, response["Location"]) == (302, reverse("account_login"))
    assert invitation.used_at is not None
    assert (address.email, address.verified, address.primary) == ("new@people.test", True, True)
    assert User.objects.get(pk=invitation.user_id).check_password(NEW_PASSWORD)
    data = {"login": "new@people.test", "password": NEW_PASSWORD}
    client.post(reverse("account_login"), data, headers={"host": factories.site_of(here).host})
    assert client.session["_auth_user_id"] == str(invitation.user_id)


def refused(client: Client, of: Organization, path: str, user: User) -> None:
    """The link does nothing."""
    before = User.objects.values_list("password", flat=True).get(pk=user.pk)
    assert follow(client, of, path).status_code == 410
    assert User.objects.values_list("password", flat=True).get(pk=user.pk) == before


def test_link_used_twice_is_refused(client, here, account, staff):
    user = invite(staff, account).user
    path = link_in(OutgoingMail.objects.get())
    follow(client, here, path)
    refused(Client(), here, path, user)
    refused(client, here, path, user)


def test_link_after_72_hours_is_refused(client, here, account, staff, still_clock):
    user = invite(staff, account).user
    path = link_in(OutgoingMail.objects.get())
    still_clock(clock.now() + dt.timedelta(hours=72, seconds=1))
    refused(client, here, path, user)


def test_link_in_another_realm_is_refused(client, here, account, staff):
    user = invite(staff, account).user
    refused(client, factories.organization(), link_in(OutgoingMail.objects.get()), user)


def test_link_unknown_is_refused(client, here):
    assert follow(client, here, "/accounts/invitation/nonsense/").status_code == 410
    page = client.get(reverse("sso:invitation_password"), headers={"host": factories.site_of(here).host})
    assert page.status_code == 410


def test_link_of_a_deactivated_user_is_refused(client, here, account, staff):
    user = invite(staff, account).user
    User.objects.filter(pk=user.pk).update(is_active=False)
    refused(client, here, link_in(OutgoingMail.objects.get()), user)


@pytest.mark.parametrize(
    ("password", "again"), [("short", ""), ("correct-horse-battery", "another"), ("1234567890", "")]
)
def test_accept_bad_password_keeps_the_link(client, here, account, staff, password, again):
    user = invite(staff, account).user
    path = link_in(OutgoingMail.objects.get())
    assert follow(client, here, path, password, again).status_code == 400
    user.refresh_from_db()
    assert (user.has_usable_password(), Invitation.objects.get().used_at) == (False, None)
    assert follow(client, here, path).status_code == 302


def test_accept_writes_no_token_to_the_log(client, here, account, staff, caplog):
    invite(staff, account)
    path = link_in(OutgoingMail.objects.get())
    with caplog.at_level(logging.DEBUG):
        follow(client, here, path, "short")
        follow(client, here, path)
    written = [record.getMessage() for record in caplog.records if record.name.startswith("django.request")]
    assert [line for line in written if path.split("/")[-2] in line] == []
    assert written != []


def test_accept_of_two_at_once_only_one_succeeds(here, account, staff):
    invitation = invite(staff, account)
    first, second = Invitation.objects.get(pk=invitation.pk), Invitation.objects.get(pk=invitation.pk)
    user = people.accept_invitation(first, password=NEW_PASSWORD)
    with pytest.raises(Conflict) as refusal:
        people.accept_invitation(second, password="stolen-horse-battery")
    user.refresh_from_db()
    assert (refusal.value.code, user.check_password(NEW_PASSWORD)) == ("invitation_used", True)


def test_resend_ends_the_former_link(client, here, account, staff):
    first = invite(staff, account)
    old = link_in(OutgoingMail.objects.get())
    people.resend_invitation(staff, membership=Membership.objects.get(user=first.user))
    new = link_in(OutgoingMail.objects.order_by("-id")[0])
    refused(client, here, old, first.user)
    assert follow(client, here, new).status_code == 302


def test_resend_to_somebody_who_can_sign_in_is_refused(here, account, staff):
    member = Membership.objects.get(user=factories.user(here, of=account))
    before = counts()
    with pytest.raises(Conflict) as refusal:
        people.resend_invitation(staff, membership=member)
    assert (refusal.value.code, counts()) == ("user_active", before)


def test_revoke_ends_link_and_access(client, here, account, staff):
    factories.user(here, of=account)
    user = invite(staff, account).user
    people.revoke_invitation(staff, membership=Membership.objects.get(user=user))
    assert list(Membership.objects.filter(user=user)) == []
    assert AuditEntry.objects.filter(action="user.revoked").count() == 1
    refused(client, here, link_in(OutgoingMail.objects.get()), user)


def test_revoke_somebody_who_can_sign_in_is_refused(here, account, staff):
    factories.user(here, of=account)
    member = Membership.objects.get(user=factories.user(here, of=account))
    before = counts()
    with pytest.raises(Conflict) as refusal:
        people.revoke_invitation(staff, membership=member)
    assert (refusal.value.code, counts()) == ("user_active", before)


def test_invite_known_login_gets_access_without_a_link(here, account, staff):
    known = factories.user(here, of=factories.account(here), email="ada@people.test")
    assert invite(staff, account, "ada@people.test") is None
    mail = OutgoingMail.objects.get()
    known.refresh_from_db()
    assert (mail.template, "/accounts/invitation/" in mail.text) == ("access_given", False)
    assert (known.first_name, known.check_password(factories.PASSWORD)) == ("Uma", True)
    assert Membership.objects.get(user=known, account=account).roles == ADMIN


def test_invite_same_address_in_another_realm_is_another_user(here, account, staff):
    factories.user(factories.organization(), email="new@people.test")
    invite(staff, account)
    assert User.objects.filter(email="new@people.test").count() == 2


@pytest.mark.parametrize(
    ("email", "roles", "code"),
    [
        ("no-address", ADMIN, "email_invalid"),
        ("x@people.test", ["administrator"], "role_unknown"),
        ("x@people.test", [], "role_unknown"),
        ("x@people.test", ["admin", "nonsense"], "role_unknown"),
    ],
)
def test_invite_bad_input_is_refused(account, staff, email, roles, code):
    before = counts()
    with pytest.raises(BusinessError) as refusal:
        people.invite_user(staff, account=account, email=email, first_name="", last_name="", roles=roles)
    assert (refusal.value.code, counts()) == (code, before)


def test_invite_member_is_refused(here, account, staff):
    user = factories.user(here, of=account)
    before = counts()
    with pytest.raises(BusinessError) as refusal:
        invite(staff, account, user.email)
    assert (refusal.value.code, counts()) == ("user_exists", before)


STAFF_MAY = {
    StaffRole.ADMINISTRATOR: (True, True),
    StaffRole.SALES: (True, False),
    StaffRole.SUPPORT: (True, False),
    StaffRole.BILLING: (False, False),
    StaffRole.READ_ONLY: (False, False),
}


@pytest.mark.parametrize("role", list(StaffRole))
def test_invite_by_staff_role(here, account, role):
    actor = factories.actor(here, roles=[role.value])
    done = []
    for number, target in enumerate((account, None)):
        before = counts()
        try:
            invite(actor, target, f"new{number}@people.test")
            done.append(True)
        except PermissionRefused:
            done.append(False)
            assert counts() == before
    assert tuple(done) == STAFF_MAY[role]


@pytest.mark.parametrize("role", list(StorefrontRole))
def test_invite_by_storefront_role(here, account, role):
    actor = factories.actor(here, of=account, roles=[role.value])
    before = counts()
    if role == StorefrontRole.ADMIN:
        invite(actor, account)
        assert User.objects.filter(email="new@people.test").count() == 1
    else:
        with pytest.raises(PermissionRefused):
            invite(actor, account)
        assert counts() == before


def test_invite_to_foreign_account_is_refused(here, account, staff):
    reseller = factories.account(here, "reseller")
    foreign_customer = factories.account(here, "end_customer", bill_to=factories.account(here, "reseller"))
    elsewhere = factories.account(factories.organization())
    customer = factories.actor(here, of=account)
    admin_of_reseller = factories.actor(here, of=reseller)
    before = counts()
    for actor, target in ((staff, elsewhere), (customer, reseller), (admin_of_reseller, foreign_customer)):
        with pytest.raises(NotVisible):
            invite(actor, target)
    with pytest.raises(PermissionRefused):
        invite(customer, None, roles=[StaffRole.ADMINISTRATOR.value])
    assert counts() == before


def test_digest_needs_the_exact_token(here, account, staff):
    invite(staff, account)
    token = link_in(OutgoingMail.objects.get()).split("/")[-2]
    assert people.open_invitation(token[:-1], here.public_id) is None
    assert people.open_invitation(token, uuid.uuid4()) is None
    assert people.open_invitation("", here.public_id) is None
    assert people.open_invitation(token, here.public_id) == Invitation.objects.get()
