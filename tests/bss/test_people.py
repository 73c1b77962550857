"""Contacts, users of accounts, and employees."""

import pytest
from django.urls import reverse

from notifications.models import OutgoingMail
from resellers.models import Account, Contact, Membership, Organization
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of, said, staff_client
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db
STAFF, STAFF_INVITE = reverse("bss:staff_list"), reverse("bss:staff_invite")


@pytest.fixture
def here() -> Organization:
    return factories.organization()


@pytest.fixture
def customer(here: Organization) -> Account:
    return factories.account(here)


def person(**values: object) -> dict[str, object]:
    return {"first_name": "Grace", "last_name": "Hopper", "email": "grace@account.test", "roles": ["buyer"]} | values


def member(name: str, row: Membership) -> str:
    return reverse(f"bss:member_{name}", args=[row.public_id])


def test_contact_is_added_and_becomes_primary(here, customer):
    client = staff_client(here, StaffRole.SALES)
    former = Contact.objects.get(account=customer)
    url = reverse("bss:contact_add", args=[customer.public_id])
    assert client.post(url, {"first_name": "Grace"}).status_code == 400
    values = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@account.test", "is_primary": "on"}
    assert client.post(url, values)["Location"] == reverse("bss:account_detail", args=[customer.public_id])
    made = Contact.objects.get(account=customer, is_primary=True)
    assert str(made) == "Grace Hopper"
    client.post(reverse("bss:contact_edit", args=[former.public_id]), values | {"first_name": "Ada"})
    former.refresh_from_db()
    assert (former.first_name, former.is_primary) == ("Ada", True)


def test_contact_is_for_those_who_edit_accounts_here(here, customer):
    row = Contact.objects.get(account=customer)
    url = reverse("bss:contact_edit", args=[row.public_id])
    assert staff_client(here, StaffRole.BILLING).get(url).status_code == 403
    assert staff_client(factories.organization()).get(url).status_code == 404


def test_user_is_invited_once(here, customer):
    client = staff_client(here, StaffRole.SUPPORT)
    url = reverse("bss:user_invite", args=[customer.public_id])
    assert client.post(url, person(roles=[])).status_code == 400
    assert client.post(url, person()).status_code == 302
    made = Membership.objects.get(account=customer)
    assert (made.user.email, made.roles, made.role_names) == ("grace@account.test", ["buyer"], "Buyer")
    assert OutgoingMail.objects.filter(recipient="grace@account.test").count() == 1
    again = client.post(url, person())
    assert again.context["form"].errors["email"] == ["This person has access already."]
    assert OutgoingMail.objects.count() == 1
    assert staff_client(here, StaffRole.SALES).get(url).status_code == 200
    assert staff_client(here, StaffRole.BILLING).get(url).status_code == 403
    assert staff_client(here, StaffRole.BILLING).post(url, person(email="b@account.test")).status_code == 403


def test_user_roles_are_changed_and_the_last_admin_stays(here, customer):
    admin = Membership.objects.get(user=factories.user(here, of=customer))
    client = staff_client(here)
    refused = client.post(member("roles", admin), {"roles": ["buyer"]})
    assert "Name another Admin first." in refused.content.decode()
    admin.refresh_from_db()
    assert admin.roles == [StorefrontRole.ADMIN]
    assert client.post(member("roles", admin), {"roles": ["buyer", "admin"]}).status_code == 302
    admin.refresh_from_db()
    assert set(admin.roles) == {"buyer", "admin"}
    assert client.post(member("remove", admin)).status_code == 400
    factories.user(here, of=customer)
    response = client.post(member("remove", admin), follow=True)
    assert said(response) == ["The access is taken away."]
    assert not Membership.objects.filter(pk=admin.pk).exists()


def test_invitation_is_sent_again_to_who_has_not_come(here, customer):
    client = staff_client(here)
    client.post(reverse("bss:user_invite", args=[customer.public_id]), person())
    invited = Membership.objects.get(account=customer)
    assert client.post(member("resend", invited)).status_code == 302
    assert OutgoingMail.objects.filter(recipient="grace@account.test").count() == 2
    active = Membership.objects.get(user=factories.user(here, of=customer))
    assert "This person can sign in already." in client.post(member("resend", active)).content.decode()
    assert OutgoingMail.objects.count() == 2


def test_members_are_for_those_who_may_manage_them(here, customer):
    user = Membership.objects.get(user=factories.user(here, of=customer))
    employee = Membership.objects.get(user=factories.user(here))
    support = staff_client(here, StaffRole.SUPPORT)
    assert support.get(member("roles", user)).status_code == 200
    assert support.get(member("roles", employee)).status_code == 403
    assert support.post(member("remove", employee)).status_code == 403
    assert staff_client(here, StaffRole.READ_ONLY).get(member("roles", user)).status_code == 403
    stranger = staff_client(factories.organization())
    assert [stranger.get(member(name, user)).status_code for name in ("roles", "resend", "remove")] == [404] * 3
    assert Membership.objects.filter(pk__in=[user.pk, employee.pk]).count() == 2


def test_staff_list_shows_employees_only(here, customer):
    factories.user(here, of=customer)
    client = staff_client(here)
    sales = Membership.objects.get(user=factories.user(here, roles=[StaffRole.SALES, StaffRole.BILLING]))
    assert len(rows_of(client.get(STAFF))) == 2
    assert rows_of(client.get(STAFF, {"role": "billing"})) == [sales]
    assert rows_of(client.get(STAFF, {"q": sales.user.email})) == [sales]
    assert staff_client(here, StaffRole.SALES).get(STAFF).status_code == 403
    assert customer_client(here, customer).get(STAFF).status_code == 403


def test_staff_list_needs_as_many_queries_for_three_rows(here):
    client = staff_client(here)
    few = count_queries(client, STAFF)
    factories.user(here)
    factories.user(here)
    assert count_queries(client, STAFF) == few


def test_employee_is_invited_by_administrators(here):
    client = staff_client(here)
    assert client.post(STAFF_INVITE, person(roles=["sales"])).status_code == 302
    made = Membership.objects.get(user__email="grace@account.test")
    assert (made.account, made.roles) == (None, ["sales"])
    assert client.post(STAFF_INVITE, person(roles=["admin"], email="x@y.test")).status_code == 400
    assert staff_client(here, StaffRole.SUPPORT).post(STAFF_INVITE, person(roles=["sales"])).status_code == 403


def test_last_administrator_stays(here):
    client = staff_client(here)
    (own,) = Membership.objects.filter(organization=here, account=None)
    assert "Name another Admin first." in client.post(member("remove", own)).content.decode()
    assert client.post(member("roles", own), {"roles": ["sales"]}).status_code == 400
    own.refresh_from_db()
    assert own.roles == [StaffRole.ADMINISTRATOR]
