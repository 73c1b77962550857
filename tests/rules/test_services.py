"""Rules, groups and account managers: made, changed, deleted; what is refused changes nothing; all of it is audited."""

from copy import deepcopy

import pytest

from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.tenancy import Actor, system_actor
from resellers.enums import AccountKind
from resellers.models import Account, Membership, PermissionRule, StaffGroup
from resellers.services.accounts import create_account
from resellers.services.rules import (
    assign_rule,
    delete_group,
    delete_rule,
    save_group,
    save_rule,
    set_account_manager,
    take_rule,
)
from sso.services.people import remove_member, revoke_invitation
from tests import factories
from tests.rules.world import World, make_world
from tests.shop import make_shop
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(module_rows) -> World:
    return make_world()


@pytest.fixture
def world(made) -> World:
    return deepcopy(made)


def code_of(refused) -> str:
    return refused.value.code


def rule_of(account: Account) -> PermissionRule | None:
    return Account.objects.get(pk=account.pk).permission_rule


def last(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("id")


def new_account(world: World, actor: Actor, **values) -> Account:
    bill_to = values.pop("bill_to", None)
    kind = AccountKind.END_CUSTOMER if bill_to else AccountKind.DIRECT
    company = {"name": "New Ltd", "country": "DE"} | values
    return create_account(actor, kind=kind, values=company, bill_to=bill_to, organization=world.shop.organization)


def test_rule_is_saved_with_levels_and_audited(world):
    user, group = world.employee(), save_group(world.shop.staff, group=None, name="Team", members=[])
    save_rule(world.shop.staff, rule=world.rule, name=" Big ones ", users={user.pk: "edit"}, groups={group.pk: "read"})
    world.rule.refresh_from_db()
    assert world.rule.name == "Big ones"
    assert set(world.rule.grants.values_list("user", "group", "level")) == {
        (user.pk, None, "edit"),
        (None, group.pk, "read"),
    }
    entry = last("permission_rule.saved")
    assert (entry.before["name"], entry.before["grants"]) == ("Key accounts", "")
    assert entry.after["grants"] == f"{user}: edit, Team: read"


def test_new_default_takes_the_mark_from_the_former(world):
    first = save_rule(world.shop.staff, rule=None, name="First", is_default=True)
    second = save_rule(world.shop.staff, rule=None, name="Second", is_default=True)
    assert set(PermissionRule.objects.filter(is_default=True)) == {second}
    save_rule(world.shop.staff, rule=first, name="First", is_default=True)
    assert set(PermissionRule.objects.filter(is_default=True)) == {first}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": " "}, "name_missing"),
        ({"name": "KEY ACCOUNTS"}, "name_taken"),
        ({"name": "New", "users": {0: "read"}}, "grantee_unknown"),
        ({"name": "New", "groups": {0: "read"}}, "grantee_unknown"),
        ({"name": "New", "users": {0: "write"}}, "level_unknown"),
    ],
)
def test_wrong_rule_is_refused(world, values, code):
    with pytest.raises(BusinessError) as refused:
        save_rule(world.shop.staff, rule=None, **values)
    assert code_of(refused) == code
    assert PermissionRule.objects.count() == 1


def test_customers_and_strangers_get_no_level(world):
    for user in (factories.user(world.shop.organization, of=world.open), factories.user(make_shop().organization)):
        with pytest.raises(BusinessError) as refused:
            save_rule(world.shop.staff, rule=world.rule, name="X", users={user.pk: "full"})
        assert code_of(refused) == "grantee_unknown"


def test_only_who_manages_employees_may(world):
    sales = world.actor(world.employee("full"))
    group = StaffGroup.objects.create(organization=world.shop.organization, name="Team")
    for deed in (
        lambda: save_rule(sales, rule=world.rule, name="X"),
        lambda: delete_rule(sales, rule=world.rule),
        lambda: save_group(sales, group=None, name="X", members=[]),
        lambda: delete_group(sales, group=group),
    ):
        with pytest.raises(PermissionRefused):
            deed()


def test_another_organizations_rule_is_not_there(world):
    other = make_shop()
    for deed in (
        lambda: save_rule(other.staff, rule=world.rule, name="X"),
        lambda: delete_rule(other.staff, rule=world.rule),
        lambda: assign_rule(other.staff, account=other.customer, rule=world.rule),
        lambda: assign_rule(other.staff, account=world.open, rule=None),
    ):
        with pytest.raises(NotVisible):
            deed()


def test_rule_in_use_is_not_deleted_but_moved(world):
    other = save_rule(world.shop.staff, rule=None, name="Others")
    with pytest.raises(Conflict) as refused:
        delete_rule(world.shop.staff, rule=world.rule)
    assert (code_of(refused), refused.value.context["accounts"]) == ("rule_in_use", 1)
    with pytest.raises(BusinessError) as refused:
        delete_rule(world.shop.staff, rule=world.rule, move_to=world.rule)
    assert code_of(refused) == "rule_same"
    assert delete_rule(world.shop.staff, rule=world.rule, move_to=other, reason="Tidying") == 1
    assert rule_of(world.hidden) == other
    assert not PermissionRule.objects.filter(pk=world.rule.pk).exists()
    assert last("permission_rule.deleted").reason == "Tidying"
    assert last("account.permission_rule").after == {"permission_rule": "Others"}


def test_group_gives_and_takes_at_once(world):
    user = world.employee()
    group = save_group(world.shop.staff, group=None, name="Team", members=[user.pk])
    save_rule(world.shop.staff, rule=world.rule, name="Key accounts", groups={group.pk: "edit"})
    assert world.actor(user).reaches(Account.objects.get(pk=world.hidden.pk))
    delete_group(world.shop.staff, group=group)
    assert not world.actor(user).reaches(Account.objects.get(pk=world.hidden.pk))
    assert last("staff_group.deleted").before == {"name": "Team", "members": str(user)}


@pytest.mark.parametrize(("name", "code"), [("", "name_missing"), ("TEAM", "name_taken")])
def test_wrong_group_is_refused(world, name, code):
    save_group(world.shop.staff, group=None, name="Team", members=[])
    with pytest.raises(BusinessError) as refused:
        save_group(world.shop.staff, group=None, name=name, members=[])
    assert code_of(refused) == code


def test_sub_accounts_with_the_same_rule_follow(world):
    shop, other = world.shop, save_rule(world.shop.staff, rule=None, name="Others")
    assign_rule(shop.staff, account=shop.affiliate, rule=other)
    assign_rule(shop.staff, account=shop.reseller, rule=world.rule)
    assert [rule_of(row) for row in (shop.reseller, shop.end_customer, shop.affiliate)] == [
        world.rule,
        world.rule,
        other,
    ]
    take_rule(shop.staff, account=Account.objects.get(pk=shop.reseller.pk), rule=world.rule)
    assert [rule_of(row) for row in (shop.reseller, shop.end_customer, shop.affiliate)] == [None, None, other]
    with pytest.raises(Conflict):
        take_rule(shop.staff, account=Account.objects.get(pk=shop.affiliate.pk), rule=world.rule)


@pytest.mark.parametrize(
    ("level", "code"), [("read", "rule_level"), ("edit", "rule_level"), ("full", "rule_not_yours")]
)
def test_rule_of_a_record_needs_full_and_nobody_shuts_himself_out(world, level, code):
    other = save_rule(world.shop.staff, rule=None, name="Others")
    actor = world.actor(world.employee(level))
    with pytest.raises(BusinessError) as refused:
        assign_rule(actor, account=world.hidden, rule=other)
    assert code_of(refused) == code
    assert rule_of(world.hidden) == world.rule


def test_full_may_open_an_account_to_everybody(world):
    assign_rule(world.actor(world.employee("full")), account=world.hidden, rule=None)
    assert rule_of(world.hidden) is None


def test_hidden_account_cannot_be_reached_by_a_service(world):
    actor = world.actor(world.employee())
    for deed in (
        lambda: assign_rule(actor, account=world.hidden, rule=None),
        lambda: set_account_manager(actor, account=world.hidden, manager=None),
    ):
        with pytest.raises(NotVisible):
            deed()


def test_new_account_gets_the_default_or_its_resellers_rule(world):
    shop = world.shop
    assert new_account(world, shop.staff).permission_rule is None
    default = save_rule(shop.staff, rule=None, name="Default", is_default=True)
    assert new_account(world, shop.staff).permission_rule == default
    assert new_account(world, system_actor(shop.organization.pk)).permission_rule == default
    assert new_account(world, shop.staff, permission_rule=world.rule).permission_rule == world.rule
    assign_rule(shop.staff, account=shop.reseller, rule=world.rule)
    shop.reseller.refresh_from_db()
    assert new_account(world, shop.reseller_admin, bill_to=shop.reseller).permission_rule == world.rule


def test_customer_cannot_choose_a_rule_or_a_manager(world):
    shop = world.shop
    made = new_account(
        world, shop.reseller_admin, bill_to=shop.reseller, permission_rule=world.rule, account_manager=world.employee()
    )
    assert (made.permission_rule, made.account_manager) == (None, None)


def test_restricted_employee_makes_only_accounts_he_may_edit(world):
    save_rule(world.shop.staff, rule=None, name="Default", is_default=True)
    actor = world.actor(world.employee("edit"))
    with pytest.raises(BusinessError) as refused:
        new_account(world, actor)
    assert code_of(refused) == "rule_not_yours"
    assert new_account(world, actor, permission_rule=world.rule).permission_rule == world.rule
    with pytest.raises(BusinessError):
        new_account(world, world.actor(world.employee("read")), permission_rule=world.rule)


@pytest.mark.parametrize("deed", [remove_member, revoke_invitation])
def test_who_leaves_and_comes_back_begins_anew(world, deed):
    shop, user = world.shop, world.employee("full")
    group = save_group(shop.staff, group=None, name="Team", members=[user.pk])
    set_account_manager(shop.staff, account=world.open, manager=user)
    if deed is revoke_invitation:
        user.set_unusable_password()
        user.save()
    deed(shop.staff, membership=Membership.objects.get(user=user))
    assert not world.rule.grants.filter(user=user).exists()
    assert not group.members.exists()
    assert Account.objects.get(pk=world.open.pk).account_manager is None


def test_manager_is_an_employee_who_can_sign_in(world):
    shop, user = world.shop, world.employee()
    set_account_manager(shop.staff, account=world.open, manager=user)
    assert last("account.manager").after == {"account_manager": str(user)}
    gone = factories.user(shop.organization, roles=[StaffRole.SALES.value], is_active=False)
    for wrong in (gone, factories.user(shop.organization, of=world.open), factories.user(make_shop().organization)):
        with pytest.raises(BusinessError) as refused:
            set_account_manager(shop.staff, account=world.open, manager=wrong)
        assert code_of(refused) == "manager_unknown"
    set_account_manager(shop.staff, account=world.open, manager=None)
    assert Account.objects.get(pk=world.open.pk).account_manager is None
