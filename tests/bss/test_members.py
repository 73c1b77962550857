"""One person's access in the BSS: take an invitation back, switch off and on; and the table of roles."""

import pytest
from django.test import Client
from django.urls import reverse

from core.audit import AuditEntry
from resellers.models import Account, Invitation, Membership, Organization
from sso.services.people import invite_user
from tests import factories
from tests.bss.staff import BACKEND, customer_client, said, staff_client
from users.permissions import STAFF_ROLE_PERMS, STOREFRONT_ROLE_PERMS, Perm, StaffRole, StorefrontRole
from users.role_words import PERM_WORDS, ROLE_SENTENCES, staff_matrix, storefront_matrix

pytestmark = pytest.mark.django_db
WHY = {"reason": "Left the company"}
ROLES = reverse("bss:role_matrix")


@pytest.fixture
def here() -> Organization:
    return factories.organization()


@pytest.fixture
def customer(here: Organization) -> Account:
    return factories.account(here)


def at(name: str, row: Membership) -> str:
    room = "member" if row.account_id else "staff"
    return reverse(f"bss:{room}_{name}", args=[row.public_id])


def invited(here: Organization, account: Account | None) -> Membership:
    """Somebody who has not come yet."""
    roles = ["buyer"] if account else ["sales"]
    invite_user(
        factories.actor(here),
        account=account,
        email="grace@account.test",
        first_name="Grace",
        last_name="H",
        roles=roles,
    )
    return Membership.objects.get(user__email="grace@account.test")


def member(here: Organization, account: Account | None) -> Membership:
    """Somebody who can sign in, beside whom there is another Admin."""
    factories.user(here, of=account)
    return Membership.objects.get(user=factories.user(here, of=account))


def browser(here: Organization, row: Membership) -> Client:
    client = Client(headers={"host": factories.site_of(here).host})
    client.force_login(row.user, BACKEND)
    return client


def deeds(client: Client, row: Membership) -> dict[str, str]:
    return {str(item.label): item.reason for item in client.get(at("roles", row)).context["member_actions"]}


@pytest.mark.parametrize("staff", [True, False])
def test_invitation_is_taken_back(here, customer, staff):
    row = invited(here, None if staff else customer)
    client = staff_client(here)
    assert set(deeds(client, row)) == {"Send the invitation again", "Take the invitation back"}
    assert client.get(at("revoke", row)).status_code == 200
    response = client.post(at("revoke", row), follow=True)
    assert said(response) == ["The invitation is taken back."]
    assert not Membership.objects.filter(pk=row.pk).exists()
    assert not Invitation.objects.filter(user=row.user, expires_at__gt=AuditEntry.objects.latest("id").at).exists()
    assert AuditEntry.objects.filter(action="user.revoked").count() == 1
    assert client.post(at("revoke", row)).status_code == 404


def test_invitation_of_who_came_is_not_taken_back(here, customer):
    row = member(here, customer)
    refused = staff_client(here).post(at("revoke", row))
    assert "This person can sign in already." in refused.content.decode()
    assert Membership.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("staff", [True, False])
def test_person_is_switched_off_and_on(here, customer, staff):
    row = member(here, None if staff else customer)
    client, own = staff_client(here), browser(here, row)
    page = reverse("bss:dashboard") if staff else reverse("storefront:order_list")
    assert own.get(page).status_code == 200
    assert set(deeds(client, row)) == {"Switch off", "Remove access"}
    assert client.post(at("deactivate", row), {"reason": ""}).status_code == 400
    response = client.post(at("deactivate", row), WHY, follow=True)
    assert said(response) == ["The access is switched off."]
    assert response.redirect_chain[-1][0] == at("roles", row)
    assert "Switched off" in response.content.decode()
    assert own.get(page).status_code == 302
    entry = AuditEntry.objects.get(action="user.deactivated")
    assert (entry.reason, entry.account) == (WHY["reason"], row.account)
    assert set(deeds(client, row)) == {"Switch on again", "Remove access"}
    assert "switched off already" in client.post(at("deactivate", row), WHY).content.decode()
    assert said(client.post(at("reactivate", row), WHY, follow=True)) == ["The access is switched on again."]
    row.refresh_from_db()
    assert row.user.is_active
    assert "can sign in already" in client.post(at("reactivate", row), WHY).content.decode()


def test_last_admin_and_oneself_stay(here, customer):
    row = Membership.objects.get(user=factories.user(here, of=customer))
    client = staff_client(here)
    assert "Name another Admin first." in client.post(at("deactivate", row), WHY).content.decode()
    own = Membership.objects.get(organization=here, account=None)
    assert deeds(client, own)["Switch off"] == "You cannot switch off your own access."
    assert client.post(at("deactivate", own), WHY).status_code == 400
    assert not Membership.objects.filter(user__is_active=False).exists()


def test_person_with_access_elsewhere_is_removed_instead(here, customer):
    row = member(here, customer)
    Membership.objects.create(organization=here, user=row.user, account=None, roles=["sales"])
    support = staff_client(here, StaffRole.SUPPORT)
    assert "access elsewhere" in support.post(at("deactivate", row), WHY).content.decode()
    row.user.refresh_from_db()
    assert row.user.is_active


DEEDS = ("roles", "resend", "revoke", "deactivate", "reactivate", "remove")


@pytest.mark.parametrize("name", DEEDS)
def test_deeds_are_for_those_who_may_manage_people(here, customer, name):
    row, employee = member(here, customer), member(here, None)
    for role, users, employees in (
        (StaffRole.SUPPORT, 200, 403),
        (StaffRole.SALES, 200, 403),
        (StaffRole.BILLING, 403, 403),
        (StaffRole.READ_ONLY, 403, 403),
    ):
        client = staff_client(here, role)
        assert (client.get(at(name, row)).status_code, client.get(at(name, employee)).status_code) == (users, employees)
        assert client.post(at(name, employee), WHY).status_code == 403
    before = list(Membership.objects.order_by("id").values())
    for client, status in ((staff_client(factories.organization()), 404), (customer_client(here, customer), 403)):
        for target in (row, employee):
            assert [client.get(at(name, target)).status_code, client.post(at(name, target), WHY).status_code] == [
                status
            ] * 2
    assert [item for item in Membership.objects.order_by("id").values() if item in before] == before


def test_account_page_shows_states_and_leads_to_people(here, customer):
    row, guest = member(here, customer), invited(here, customer)
    staff_client(here).post(at("deactivate", row), WHY)
    page = staff_client(here, StaffRole.SALES).get(reverse("bss:account_detail", args=[customer.public_id]))
    text = page.content.decode()
    for words in ("Switched off", "Invited", "Active", at("roles", guest)):
        assert words in text


def test_roles_are_explained_where_they_are_given(here, customer):
    text = staff_client(here).get(reverse("bss:user_invite", args=[customer.public_id])).content.decode()
    # My Storefront Manager is for resellers with a shop of their own.
    for role in set(StorefrontRole.values) - {StorefrontRole.STOREFRONT_MANAGER.value}:
        assert str(ROLE_SENTENCES[role]).replace("'", "&#x27;") in text
    text = staff_client(here).get(reverse("bss:staff_invite")).content.decode()
    for role in StaffRole.values:
        assert str(ROLE_SENTENCES[role]).replace("'", "&#x27;") in text


def test_every_role_and_permission_has_words():
    assert set(ROLE_SENTENCES) == {*StaffRole.values, *StorefrontRole.values}
    assert set(PERM_WORDS) == set(Perm)


def test_matrix_is_what_the_code_has(here):
    perms = [perm for perm in Perm if not perm.startswith("shop_")]
    assert [row.words for row in staff_matrix()] == [str(PERM_WORDS[perm]) for perm in perms]
    for number, role in enumerate(StaffRole.values):
        assert {perm for perm, row in zip(perms, staff_matrix(), strict=True) if row.has[number]} == set(
            STAFF_ROLE_PERMS[role]
        )
    shop = [perm for perm in Perm if perm.startswith("shop_")]
    for number, role in enumerate(StorefrontRole.values):
        assert {perm for perm, row in zip(shop, storefront_matrix(), strict=True) if row.has[number]} == set(
            STOREFRONT_ROLE_PERMS[role]
        )
    gates = {row.words: row.gate for row in storefront_matrix()}
    assert (gates["MPN ID"], gates["Order"], gates["View orders"]) == ("resellers", "accounts that pay", "all")


def test_matrix_is_shown_to_every_employee(here, customer):
    for role in StaffRole.values:
        text = staff_client(here, role).get(ROLES).content.decode()
        for words in ("Read the audit log", "My Storefront Manager", "Several roles add up"):
            assert words in text
    assert customer_client(here, customer).get(ROLES).status_code == 403
    assert staff_client(here).post(ROLES).status_code == 405
