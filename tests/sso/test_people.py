"""Roles and access of people: change, switch off, take away; an administrator always stays."""

import pytest

from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.tenancy import Actor
from resellers.models import Account, Membership, Organization
from resellers.selectors import actor_for
from sso.services import people
from tests import factories
from users.models import User
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db
BUYER = [StorefrontRole.BUYER.value]
ADMIN = [StorefrontRole.ADMIN.value]


@pytest.fixture
def here() -> Organization:
    return factories.organization()


@pytest.fixture
def account(here) -> Account:
    return factories.account(here)


@pytest.fixture
def staff(here) -> Actor:
    return factories.actor(here)


def member(here: Organization, of: Account | None, roles: list[str] | None = None) -> Membership:
    return Membership.objects.get(user=factories.user(here, of=of, roles=roles))


def state() -> list[object]:
    """Everything these services may touch."""
    return [
        list(Membership.objects.order_by("id").values("id", "roles", "user__is_active")),
        AuditEntry.objects.count(),
    ]


def refused(code: str, call, *args, **kwargs) -> None:
    before = state()
    with pytest.raises(BusinessError) as refusal:
        call(*args, **kwargs)
    assert (refusal.value.code, state()) == (code, before)


def test_roles_change_is_written_and_audited(here, account, staff):
    row = member(here, account, BUYER)
    people.set_roles(staff, membership=row, roles=["billing_agent", "buyer"])
    row.refresh_from_db()
    entry = AuditEntry.objects.get(action="user.roles_changed")
    assert row.roles == ["billing_agent", "buyer"]
    assert (entry.before, entry.after) == ({"roles": "['buyer']"}, {"roles": "['billing_agent', 'buyer']"})


def test_last_admin_of_an_account_stays(here, account, staff):
    last = member(here, account)
    member(here, account, BUYER)
    refused("last_admin", people.set_roles, staff, membership=last, roles=BUYER)
    refused("last_admin", people.remove_member, staff, membership=last)
    refused("last_admin", people.deactivate_user, staff, membership=last)


def test_last_administrator_of_the_organization_stays(here, staff):
    own = Membership.objects.get(user_id=staff.user_id)
    sales = member(here, None, [StaffRole.SALES.value])
    refused("last_admin", people.set_roles, staff, membership=own, roles=[StaffRole.SALES.value])
    refused("last_admin", people.remove_member, staff, membership=own)
    people.set_roles(staff, membership=sales, roles=[StaffRole.ADMINISTRATOR.value])
    people.remove_member(staff, membership=own)
    assert [row.pk for row in Membership.objects.filter(account=None)] == [sales.pk]


def test_last_admin_is_not_replaced_by_one_who_cannot_sign_in(here, account, staff):
    last, other = member(here, account), member(here, account)
    User.objects.filter(pk=other.user_id).update(is_active=False)
    refused("last_admin", people.remove_member, staff, membership=last)
    people.remove_member(staff, membership=other)
    people.invite_user(staff, account=account, email="n@people.test", first_name="N", last_name="N", roles=ADMIN)
    refused("last_admin", people.remove_member, staff, membership=last)


def test_invited_admin_can_be_exchanged_for_another_invited_one(here, account, staff):
    for email in ("wrong@people.test", "right@people.test"):
        people.invite_user(staff, account=account, email=email, first_name="N", last_name="N", roles=ADMIN)
    people.revoke_invitation(staff, membership=Membership.objects.get(user__email="wrong@people.test"))
    assert [row.user.email for row in Membership.objects.filter(account=account)] == ["right@people.test"]


def test_remove_takes_the_access_and_keeps_the_login(here, account, staff):
    member(here, account)
    gone = member(here, account, BUYER)
    people.remove_member(staff, membership=gone)
    actor = actor_for(gone.user, factories.site_of(here), as_staff=False)
    assert (Membership.objects.filter(pk=gone.pk).exists(), actor.is_anonymous, actor.perms) == (
        False,
        True,
        frozenset(),
    )
    refused("user_missing", people.remove_member, staff, membership=gone)


def test_deactivate_and_reactivate(here, account, staff):
    member(here, account)
    row = member(here, account, BUYER)
    assert people.deactivate_user(staff, membership=row, reason="left").is_active is False
    refused("user_inactive", people.deactivate_user, staff, membership=row)
    assert people.reactivate_user(staff, membership=row).is_active is True
    refused("user_active", people.reactivate_user, staff, membership=row)
    entries = list(
        AuditEntry.objects.filter(action__endswith="activated").order_by("id").values_list("action", "reason")
    )
    assert entries == [("user.deactivated", "left"), ("user.reactivated", "")]


def test_deactivate_oneself_is_refused(here, account):
    actor = factories.actor(here, of=account)
    member(here, account)
    refused("own_access", people.deactivate_user, actor, membership=Membership.objects.get(user_id=actor.user_id))


def test_deactivate_somebody_with_access_elsewhere_is_refused(here, account):
    actor = factories.actor(here, of=account)
    row = member(here, account, BUYER)
    Membership.objects.create(organization=here, user=row.user, account=factories.account(here), roles=BUYER)
    refused("user_elsewhere", people.deactivate_user, actor, membership=row)
    people.remove_member(actor, membership=row)
    assert User.objects.get(pk=row.user_id).is_active is True


def test_deactivate_an_employee_by_sales_is_refused(here, account):
    sales = factories.actor(here, roles=[StaffRole.SALES.value])
    member(here, account)
    employee = member(here, None)
    both = Membership.objects.create(organization=here, user=employee.user, account=account, roles=BUYER)
    refused("user_elsewhere", people.deactivate_user, sales, membership=both)
    refused("permission_missing", people.deactivate_user, sales, membership=employee)


def test_deactivate_a_superuser_is_refused(here, account, staff):
    member(here, account)
    row = member(here, account)
    User.objects.filter(pk=row.user_id).update(is_superuser=True)
    refused("user_elsewhere", people.deactivate_user, staff, membership=row)


CALLS = [
    (people.set_roles, {"roles": BUYER}),
    (people.remove_member, {}),
    (people.resend_invitation, {}),
    (people.revoke_invitation, {}),
    (people.deactivate_user, {}),
    (people.reactivate_user, {}),
]


@pytest.mark.parametrize(("call", "values"), CALLS, ids=[call.__name__ for call, _values in CALLS])
def test_people_of_others_are_out_of_reach(here, account, staff, call, values):
    foreign = factories.organization()
    foreign_employee, foreign_user = member(foreign, None), member(foreign, factories.account(foreign))
    member(here, account)
    ours, employee = member(here, account), member(here, None)
    stranger = factories.actor(here, of=factories.account(here))
    buyer = factories.actor(here, of=account, roles=BUYER)
    reader = factories.actor(here, roles=[StaffRole.READ_ONLY.value])
    tries = [(staff, foreign_employee, NotVisible), (staff, foreign_user, NotVisible), (stranger, ours, NotVisible)]
    tries += [
        (buyer, ours, PermissionRefused),
        (reader, ours, PermissionRefused),
        (stranger, employee, PermissionRefused),
    ]
    before = state()
    for actor, row, expected in tries:
        with pytest.raises(expected):
            call(actor, membership=row, **values)
    assert state() == before


def test_admin_of_an_account_manages_its_people(here, account):
    actor = factories.actor(here, of=account)
    row = member(here, account, BUYER)
    people.set_roles(actor, membership=row, roles=ADMIN)
    people.deactivate_user(actor, membership=row)
    people.reactivate_user(actor, membership=row)
    people.remove_member(actor, membership=row)
    with pytest.raises(Conflict):
        people.remove_member(actor, membership=Membership.objects.get(user_id=actor.user_id))
