"""Links and logins turned against their owners."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from core.errors import BusinessError, Conflict
from notifications.models import OutgoingMail
from resellers.models import Invitation, Membership
from sso.services import people
from tests import factories
from tests.shop import make_shop
from users.models import User
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db
ADMIN = [StorefrontRole.ADMIN.value]
FIRST, SECOND = "a-fresh-horse-battery", "an-evil-horse-battery"


def invite(shop, email="nia@people.test"):
    people.invite_user(
        shop.customer_admin, account=shop.customer, email=email, first_name="Nia", last_name="New", roles=ADMIN
    )
    return User.objects.get(email=email)


def link(kind):
    text = OutgoingMail.objects.filter(text__contains=kind).order_by("-pk").first().text
    return re.findall(rf"https?://[^/\s]+(/accounts/{kind}/\S+)", text)[0]


def follow(shop, path, password):
    client = Client(headers={"host": shop.site.host})
    opened = client.get(path)
    if opened.status_code != 302:
        return opened
    return client.post(opened["Location"], {"password1": password, "password2": password})


def test_invitation_ends_once_the_user_has_a_password(shop):
    user = invite(shop)
    Client(headers={"host": shop.site.host}).post(reverse("account_reset_password"), {"email": user.email})
    follow(shop, link("password/reset/key"), FIRST)
    assert User.objects.get(pk=user.pk).check_password(FIRST)

    assert follow(shop, link("invitation"), SECOND).status_code == 410

    assert User.objects.get(pk=user.pk).check_password(FIRST)
    with pytest.raises(Conflict):
        people.accept_invitation(Invitation.objects.get(), password=SECOND)
    assert User.objects.get(pk=user.pk).check_password(FIRST)


def test_reset_gives_a_switched_off_person_nothing(shop):
    user, _admin = factories.user(shop.organization, of=shop.customer), shop.customer_admin
    user.is_active = False
    user.save()
    Client(headers={"host": shop.site.host}).post(reverse("account_reset_password"), {"email": user.email})
    assert not OutgoingMail.objects.filter(text__contains="password/reset/key").exists()


@pytest.mark.parametrize("roles", [[StaffRole.ADMINISTRATOR.value], ["superuser"], [], ["admin", "administrator"]])
def test_admin_of_an_account_gives_no_roles_of_the_house(shop, roles):
    member = Membership.objects.get(user=factories.user(shop.organization, of=shop.customer))
    with pytest.raises(BusinessError):
        people.set_roles(shop.customer_admin, membership=member, roles=roles)
    with pytest.raises(BusinessError):
        people.invite_user(
            shop.customer_admin, account=shop.customer, email="x@y.test", first_name="x", last_name="y", roles=roles
        )


def test_admin_of_an_account_touches_nobody_elsewhere(shop):
    foreign = make_shop()
    targets = [
        factories.user(shop.organization),
        factories.user(shop.organization, of=shop.reseller),
        factories.user(shop.organization, of=shop.end_customer),
        factories.user(foreign.organization, of=foreign.customer),
    ]
    for user in targets:
        member = Membership.objects.get(user=user)
        for action in (people.deactivate_user, people.remove_member, people.revoke_invitation):
            with pytest.raises(BusinessError):
                action(shop.customer_admin, membership=member)
        with pytest.raises(BusinessError):
            people.set_roles(shop.customer_admin, membership=member, roles=ADMIN)
    for account in (None, shop.reseller, shop.end_customer, foreign.customer):
        with pytest.raises(BusinessError):
            people.invite_user(
                shop.customer_admin, account=account, email="x@y.test", first_name="x", last_name="y", roles=ADMIN
            )
    assert Membership.objects.filter(user__in=targets).count() == 4


def test_inviting_somebody_who_waits_elsewhere_ends_nothing_of_his(shop):
    employee = people.invite_user(
        shop.staff, account=None, email="eve@house.test", first_name="Eve", last_name="E", roles=["sales"]
    ).user
    former = link("invitation")
    invite(shop, email=employee.email)
    mine = Membership.objects.get(user=employee, account=shop.customer)
    people.remove_member(shop.customer_admin, membership=mine)
    works = [follow(shop, path, FIRST).status_code for path in (former, link("invitation"))]
    assert 302 in works
    assert User.objects.get(pk=employee.pk).check_password(FIRST)
