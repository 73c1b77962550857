"""Users of a reseller's customers: who lets them in, where they sign in, and roles that rest with the plan."""

import pytest

from core import clock
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from notifications.models import OutgoingMail
from resellers.editions import shop_perms
from resellers.enums import AccountKind, Edition
from resellers.models import Invitation, Membership
from resellers.services import sites
from sso.services import people
from tests import factories
from tests.sso import registering as kit
from ui.people import roles_shown
from users.models import User
from users.permissions import Perm, StorefrontRole

pytestmark = pytest.mark.django_db
ADMIN = [StorefrontRole.ADMIN.value]
MANAGER = [StorefrontRole.STOREFRONT_MANAGER.value]


def invite(actor, account, email="nia@people.test", roles=ADMIN):
    return people.invite_user(actor, account=account, email=email, first_name="Nia", last_name="New", roles=roles)


def customer_of(reseller, kind=AccountKind.END_CUSTOMER):
    return factories.account(reseller.organization, kind, bill_to=reseller)


def sign_in_up(path: str, site, client) -> str:
    """Follow an invitation's link below the site's alias and choose a password."""
    opened = client.get(path)
    done = client.post(opened["Location"], {"password1": kit.PASSWORD, "password2": kit.PASSWORD})
    return done["Location"]


def test_reseller_lets_in_the_first_user_and_the_link_points_to_his_site():
    reseller, site = kit.reseller_with_site()
    customer = customer_of(reseller)
    admin = factories.actor(reseller.organization, of=reseller)
    invite(admin, customer)
    mail = OutgoingMail.objects.get(template="user_invited")
    assert mail.site == site
    assert "/cedar/accounts/invitation/" in mail.text
    assert reseller.organization.name not in mail.text
    user = User.objects.get(email="nia@people.test")
    assert user.realm == site.public_id
    path = next(word for word in mail.text.split() if "/accounts/invitation/" in word).split("8000")[-1]
    client = kit.browser(site)
    assert sign_in_up(path[path.index("/cedar/") :], site, client) == "/cedar/accounts/login/"
    client.post("/cedar/accounts/login/", {"login": user.email, "password": kit.PASSWORD})
    assert client.get("/cedar/company/users/").status_code == 200
    assert client.post("/cedar/company/", {"name": "New Name", "country": "GR"})["Location"] == "/cedar/company/"
    customer.refresh_from_db()
    assert (customer.name, customer.country) == ("New Name", "GR")
    with pytest.raises(NotVisible):
        invite(admin, customer, "second@people.test")
    assert client.post(
        "/cedar/company/users/invite/",
        {"email": "bo@people.test", "first_name": "Bo", "last_name": "B", "roles": ["buyer"]},
    ).status_code in (302, 400)
    second = User.objects.get(email="bo@people.test")
    assert second.realm == site.public_id
    assert "/cedar/" in OutgoingMail.objects.get(recipient="bo@people.test").text


def test_without_a_storefront_nobody_is_invited():
    organization = factories.organization()
    reseller = factories.account(organization, AccountKind.RESELLER)
    customer = customer_of(reseller)
    admin, staff = factories.actor(organization, of=reseller), factories.actor(organization)
    with pytest.raises(Conflict, match="Your customers can sign in once you have a storefront"):
        invite(admin, customer)
    with pytest.raises(Conflict, match="once the reseller has a storefront"):
        invite(staff, customer)
    assert not Membership.objects.filter(account=customer).exists()


def test_closed_storefront_takes_no_invitations():
    reseller, site = kit.reseller_with_site()
    customer = customer_of(reseller)
    sites.close_plan(reseller.pk, plan_id=site.plan_id)
    with pytest.raises(Conflict):
        invite(factories.actor(reseller.organization), customer)


def test_affiliates_users_live_at_the_organization_and_see_it_alone():
    reseller, _site = kit.reseller_with_site()
    affiliate = customer_of(reseller, AccountKind.AFFILIATE)
    admin = factories.actor(reseller.organization, of=reseller)
    for email in ("nia@people.test", "bo@people.test"):
        invite(admin, affiliate, email)
    users = User.objects.filter(email__in=("nia@people.test", "bo@people.test"))
    assert {user.realm for user in users} == {reseller.organization.public_id}
    member = Membership.objects.get(user__email="bo@people.test")
    people.remove_member(admin, membership=member)
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_open_invitation_can_be_sent_again_or_taken_back_by_the_reseller():
    reseller, _site = kit.reseller_with_site()
    customer = customer_of(reseller)
    admin = factories.actor(reseller.organization, of=reseller)
    invite(admin, customer)
    member = Membership.objects.get(account=customer)
    people.resend_invitation(admin, membership=member)
    other, _other = kit.reseller_with_site("birch", organization=reseller.organization)
    stranger = factories.actor(reseller.organization, of=other)
    for deed in (people.resend_invitation, people.revoke_invitation):
        with pytest.raises((NotVisible, PermissionRefused)):
            deed(stranger, membership=member)
    people.revoke_invitation(admin, membership=member)
    assert not Membership.objects.filter(account=customer).exists()
    assert not [row for row in Invitation.objects.all() if row.expires_at > clock.now()]


def test_buyer_of_a_reseller_invites_nobody():
    reseller, _site = kit.reseller_with_site()
    buyer = factories.actor(reseller.organization, of=reseller, roles=[StorefrontRole.BUYER.value])
    for kind in (AccountKind.END_CUSTOMER, AccountKind.AFFILIATE):
        with pytest.raises(PermissionRefused):
            invite(buyer, customer_of(reseller, kind))


def test_storefront_manager_only_where_the_plan_has_it():
    reseller, _site = kit.reseller_with_site()
    staff = factories.actor(reseller.organization)
    basic = factories.account(reseller.organization, AccountKind.RESELLER)
    direct = factories.account(reseller.organization)
    free, _free = kit.reseller_with_site("fern", edition=Edition.FREE, organization=reseller.organization)
    for account in (basic, direct, free):
        with pytest.raises(BusinessError) as caught:
            invite(staff, account, roles=MANAGER)
        assert (caught.value.code, caught.value.field) == ("role_not_in_plan", "roles")
    invite(staff, reseller, roles=MANAGER)
    assert Membership.objects.get(account=reseller).roles == MANAGER


def test_storefront_manager_stays_and_rests_without_the_plan():
    reseller, site = kit.reseller_with_site()
    roles = [StorefrontRole.BUYER.value, *MANAGER]
    factories.user(reseller.organization, of=reseller)
    factories.user(reseller.organization, of=reseller, roles=roles)
    member = Membership.objects.get(account=reseller, roles__contains=MANAGER)
    assert "inactive" not in roles_shown(member)
    sites.close_plan(reseller.pk, plan_id=site.plan_id)
    member = Membership.objects.select_related("account").get(pk=member.pk)
    assert roles_shown(member) == "Buyer, My Storefront Manager (inactive)"
    assert Perm.SHOP_REGISTRATIONS not in shop_perms(member.roles, member.account)
    staff = factories.actor(reseller.organization)
    assert people.set_roles(staff, membership=member, roles=roles).roles == roles
    people.set_roles(staff, membership=member, roles=[StorefrontRole.BUYER.value])
    with pytest.raises(BusinessError, match="My Storefront Manager"):
        people.set_roles(staff, membership=member, roles=roles)


def test_last_admin_of_a_customer_stays():
    reseller, _site = kit.reseller_with_site()
    customer = customer_of(reseller)
    factories.user(reseller.organization, of=customer)
    member = Membership.objects.get(account=customer)
    with pytest.raises(Conflict, match="Name another Admin first"):
        people.remove_member(factories.actor(reseller.organization), membership=member)


def test_customer_page_offers_it_or_says_why_not():
    reseller, site = kit.reseller_with_site()
    customer = customer_of(reseller)
    admin = factories.user(reseller.organization, of=reseller)
    client = kit.browser(site)
    client.post("/cedar/accounts/login/", {"login": admin.email, "password": factories.PASSWORD})
    page = client.get(f"/cedar/customers/{customer.public_id}/").content.decode()
    assert f"/cedar/customers/{customer.public_id}/invite/" in page
    answers = {"email": "nia@people.test", "first_name": "Nia", "last_name": "N", "roles": ["admin"]}
    assert client.post(f"/cedar/customers/{customer.public_id}/invite/", answers).status_code == 302
    member = Membership.objects.get(account=customer)
    assert client.get(f"/cedar/company/users/{member.public_id}/").status_code == 200
    assert client.post(f"/cedar/company/users/{member.public_id}/resend/").status_code == 302
    bare = factories.account(reseller.organization, AccountKind.RESELLER)
    lone = customer_of(bare)
    seller = factories.user(reseller.organization, of=bare)
    client = kit.browser(factories.site_of(reseller.organization))
    client.post("/accounts/login/", {"login": seller.email, "password": factories.PASSWORD})
    page = client.get(f"/customers/{lone.public_id}/").content.decode()
    assert "once you have a storefront" in page
    assert "/invite/" not in page
