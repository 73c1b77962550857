"""Users and roles of a company, looked after by its own Admins in the storefront."""

import pytest
from django.test import Client
from django.urls import reverse

from core.audit import AuditEntry
from notifications.models import OutgoingMail
from resellers.models import Account, Membership, Organization
from sso.services.people import invite_user
from tests import factories
from tests.bss.staff import BACKEND, count_queries, rows_of, said
from users.models import User
from users.permissions import StorefrontRole
from users.role_words import ROLE_SENTENCES

pytestmark = pytest.mark.django_db
LIST, INVITE = reverse("storefront:member_list"), reverse("storefront:member_invite")
DEEDS = ("roles", "resend", "revoke", "deactivate", "reactivate", "remove")


@pytest.fixture
def here() -> Organization:
    return factories.organization()


@pytest.fixture
def company(here: Organization) -> Account:
    return factories.account(here)


@pytest.fixture
def admin(here: Organization, company: Account) -> Client:
    return browser(here, factories.user(here, of=company))


def browser(here: Organization, user: User) -> Client:
    client = Client(headers={"host": factories.site_of(here).host})
    client.force_login(user, BACKEND)
    client.get("/healthz")
    return client


def own(client: Client) -> Membership:
    """The membership of whoever is signed in."""
    return Membership.objects.get(user_id=client.session["_auth_user_id"])


def at(name: str, row: Membership) -> str:
    return reverse(f"storefront:member_{name}", args=[row.public_id])


def person(**values: object) -> dict[str, object]:
    return {"first_name": "Grace", "last_name": "Hopper", "email": "grace@account.test", "roles": ["buyer"]} | values


def colleague(here: Organization, company: Account, *roles: str) -> Membership:
    return Membership.objects.get(user=factories.user(here, of=company, roles=list(roles) or ["buyer"]))


def test_list_shows_the_own_company_only(here, company, admin):
    reseller = factories.account(here, "reseller")
    customer = factories.account(here, "end_customer", bill_to=reseller)
    colleague(here, customer)
    mine = colleague(here, company, "buyer", "billing_agent")
    rows = rows_of(admin.get(LIST))
    assert set(rows) == {own(admin), mine}
    assert rows_of(admin.get(LIST, {"role": "billing_agent"})) == [mine]
    assert rows_of(admin.get(LIST, {"q": mine.user.email})) == [mine]
    seller = browser(here, factories.user(here, of=reseller))
    assert rows_of(seller.get(LIST)) == [own(seller)]


def test_user_is_invited_with_roles_that_are_explained(here, company, admin):
    text = admin.get(INVITE).content.decode()
    # My Storefront Manager is for resellers with a shop of their own.
    for role in set(StorefrontRole.values) - {StorefrontRole.STOREFRONT_MANAGER.value}:
        assert str(ROLE_SENTENCES[role]).replace("'", "&#x27;") in text
    response = admin.post(INVITE, person(), follow=True)
    assert said(response) == ["The invitation is on its way; it can be used for 72 hours."]
    made = Membership.objects.get(user__email="grace@account.test")
    assert (made.account, made.roles) == (company, ["buyer"])
    assert "Invited" in response.content.decode()
    assert OutgoingMail.objects.filter(recipient="grace@account.test").count() == 1
    assert admin.post(INVITE, person(roles=["administrator"])).status_code == 400
    assert admin.post(INVITE, person(roles=[])).status_code == 400
    again = admin.post(INVITE, person())
    assert again.context["form"].errors["email"] == ["This person has access already."]
    assert OutgoingMail.objects.count() == 1


def test_invitation_is_sent_again_or_taken_back(here, company, admin):
    admin.post(INVITE, person())
    row = Membership.objects.get(user__email="grace@account.test")
    labels = [str(item.label) for item in admin.get(at("roles", row)).context["member_actions"]]
    assert labels == ["Send the invitation again", "Take the invitation back"]
    assert said(admin.post(at("resend", row), follow=True)) == ["A fresh invitation is on its way."]
    assert OutgoingMail.objects.count() == 2
    assert said(admin.post(at("revoke", row), follow=True)) == ["The invitation is taken back."]
    assert not Membership.objects.filter(pk=row.pk).exists()
    assert admin.get(at("roles", row)).status_code == 404


def test_roles_are_changed_and_the_last_admin_stays(here, company, admin):
    row = colleague(here, company)
    assert admin.post(at("roles", row), {"roles": ["billing_agent", "buyer"]}).status_code == 302
    row.refresh_from_db()
    assert set(row.roles) == {"billing_agent", "buyer"}
    refused = admin.post(at("roles", own(admin)), {"roles": ["buyer"]})
    assert "Name another Admin first." in refused.content.decode()
    assert "Name another Admin first." in admin.post(at("remove", own(admin))).content.decode()
    assert own(admin).roles == ["admin"]


def test_admin_who_gives_up_his_role_is_led_to_the_shop(here, company, admin):
    colleague(here, company, "admin")
    given_up = admin.post(at("roles", own(admin)), {"roles": ["buyer"]})
    assert given_up["Location"] == reverse("storefront:home")
    assert admin.get(LIST).status_code == 403


def test_colleague_is_switched_off_on_and_removed(here, company, admin):
    row = colleague(here, company)
    his = browser(here, row.user)
    orders = reverse("storefront:order_list")
    assert his.get(orders).status_code == 200
    assert admin.get(at("deactivate", row)).status_code == 200
    assert said(admin.post(at("deactivate", row), follow=True)) == ["The access is switched off."]
    assert his.get(orders).status_code == 302
    assert "Switched off" in admin.get(LIST).content.decode()
    assert said(admin.post(at("reactivate", row), follow=True)) == ["The access is switched on again."]
    assert said(admin.post(at("remove", row), follow=True)) == ["The access is taken away."]
    actions = AuditEntry.objects.filter(action__startswith="user.").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["user.deactivated", "user.reactivated", "user.removed"]


def test_nobody_switches_himself_off(here, company, admin):
    colleague(here, company, "admin")
    actions = {str(item.label): item.reason for item in admin.get(at("roles", own(admin))).context["member_actions"]}
    assert actions["Switch off"] == "You cannot switch off your own access."
    assert "your own access" in admin.post(at("deactivate", own(admin))).content.decode()
    assert own(admin).user.is_active


@pytest.mark.parametrize("name", DEEDS)
def test_others_are_refused_and_foreign_people_are_not_there(here, company, admin, name):
    row = colleague(here, company)
    before = list(Membership.objects.filter(account=company).order_by("id").values())
    roles = {"roles": ["admin"]}
    for role in set(StorefrontRole.values) - {"admin"}:
        client = browser(here, colleague(here, factories.account(here), role).user)
        assert [client.get(at(name, row)).status_code, client.post(at(name, row), roles).status_code] == [403, 403]
    reseller = factories.account(here, "reseller")
    customer = factories.account(here, "end_customer", bill_to=reseller)
    theirs = colleague(here, customer)
    employee = Membership.objects.get(user=factories.user(here))
    for client in (admin, browser(here, factories.user(here, of=reseller))):
        for target in (theirs, employee):
            found = [client.get(at(name, target)).status_code, client.post(at(name, target), roles).status_code]
            assert found == [404, 404]
    stranger = browser(here, factories.user(here, of=factories.account(here)))
    assert [stranger.get(at(name, row)).status_code, stranger.post(at(name, row), roles).status_code] == [404, 404]
    assert list(Membership.objects.filter(account=company).order_by("id").values()) == before
    assert Membership.objects.filter(pk__in=[theirs.pk, employee.pk]).count() == 2


def test_company_page_leads_here_for_admins(here, company, admin):
    profile = reverse("storefront:profile")
    assert LIST in admin.get(profile).content.decode()
    assert LIST not in browser(here, colleague(here, company).user).get(profile).content.decode()
    assert browser(here, colleague(here, company).user).get(INVITE).status_code == 403


def test_person_known_elsewhere_gets_access_without_being_told_of(here, company, admin):
    other = factories.account(here)
    known = factories.user(here, of=other, email="grace@account.test")
    assert admin.post(INVITE, person()).status_code == 302
    row = Membership.objects.get(user=known, account=company)
    assert "access elsewhere" in admin.post(at("deactivate", row)).content.decode()
    assert admin.post(at("remove", row)).status_code == 302
    assert Membership.objects.filter(user=known).count() == 1


def test_list_needs_as_many_queries_for_many_rows(here, company, admin):
    few = count_queries(admin, LIST)
    for _round in range(4):
        colleague(here, company)
    assert count_queries(admin, LIST) == few


def test_invited_by_staff_is_seen_by_the_admin(here, company, admin):
    invite_user(
        factories.actor(here), account=company, email="x@account.test", first_name="X", last_name="Y", roles=["buyer"]
    )
    assert "x@account.test" in admin.get(LIST).content.decode()
