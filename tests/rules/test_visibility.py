"""Permission rules at the root: which rows an employee sees, what he may change, and what it costs."""

from copy import deepcopy

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from core.audit import AuditEntry
from core.errors import PermissionRefused
from core.tenancy import LEVELS
from orders.models import Order, OrderLine
from resellers.enums import RuleLevel
from resellers.models import Account, PermissionGrant, PermissionRule
from resellers.selectors import actor_for, viewing_actor
from resellers.services.rules import assign_rule, save_group
from resellers.services.view_as import start_viewing
from subscriptions.models import Operation, Subscription
from subscriptions.selectors import subscriptions_for
from tests import factories
from tests.core.test_tenancy import tenant_models
from tests.rules.world import World, give, make_world
from tests.shop import make_shop
from users.models import User
from users.permissions import Perm, StaffRole

pytestmark = pytest.mark.django_db
MODELS = (Order, OrderLine, Subscription, Operation, AuditEntry)


@pytest.fixture(scope="module")
def made(module_rows) -> World:
    return make_world()


@pytest.fixture
def world(made) -> World:
    return deepcopy(made)


def hangs_on(row: object) -> object:
    """The account a row hangs on."""
    for part in str(row.tenant_account).split("__"):  # type: ignore[attr-defined]
        row = getattr(row, part)
    return row


def test_levels_are_those_of_the_choices():
    assert tuple(RuleLevel.values) == LEVELS


@pytest.mark.parametrize("model", MODELS)
def test_everything_follows_the_account(world, model):
    outside, inside = world.actor(world.employee()), world.actor(world.employee("read"))
    everything = set(model.objects.visible_to(world.shop.staff))
    hidden = {row for row in everything if hangs_on(row) == world.hidden}
    assert hidden
    assert set(model.objects.visible_to(outside)) == everything - hidden
    assert set(model.objects.visible_to(inside)) == everything


def test_rows_of_no_account_are_for_all(world):
    outside = world.actor(world.employee())
    assert AuditEntry.objects.visible_to(outside).filter(account=None).exists()


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.label)
def test_every_model_answers_a_restricted_employee(world, model):
    assert {row.pk for row in model.objects.visible_to(world.actor(world.employee()))} <= {
        row.pk for row in model.objects.visible_to(world.shop.staff)
    }


@pytest.mark.parametrize("model", [*MODELS, Account])
def test_rows_can_be_locked_and_counted(world, model):
    outside = world.actor(world.employee())
    with transaction.atomic():
        locked = list(model.objects.visible_to(outside).select_for_update())
    assert len(locked) == model.objects.visible_to(outside).count()


def test_administrator_and_superuser_see_all(world):
    root = User.objects.create_superuser(f"root@people.test|{world.shop.organization.public_id}", factories.PASSWORD)
    for user in (root, world.employee(roles=[StaffRole.SALES.value, StaffRole.ADMINISTRATOR.value])):
        assert world.actor(user).rules is None
        assert world.hidden in Account.objects.visible_to(world.actor(user))


def test_customers_are_not_touched_by_rules(world):
    buyer = factories.actor(world.shop.organization, of=world.hidden)
    assert set(Account.objects.visible_to(buyer)) == {world.hidden}
    buyer.require(Perm.SHOP_ORDER, world.hidden)


def test_rules_of_another_organization_give_nothing(world):
    other = make_shop()
    rule = PermissionRule.objects.create(organization=other.organization, name="Theirs")
    user = world.employee("full")
    PermissionGrant.objects.create(organization=other.organization, rule=rule, user=user, level="full")
    assert dict(world.actor(user).rules) == {world.rule.pk: "full"}


@pytest.mark.parametrize(
    ("level", "sees", "edits", "gives"), [("", 0, 0, 0), ("read", 1, 0, 0), ("edit", 1, 1, 0), ("full", 1, 1, 1)]
)
def test_levels(world, level, sees, edits, gives):
    actor = world.actor(world.employee(level))
    account = Account.objects.get(pk=world.hidden.pk)
    assert actor.reaches(account) == bool(sees)
    assert [actor.may(account, name) for name in LEVELS] == [bool(sees), bool(edits), bool(gives)]
    assert actor.may_touch(Subscription.objects.filter(account=account).first()) == bool(edits)
    assert actor.may_touch(world.shop.product)
    actor.require(Perm.ACCOUNT_EDIT, world.open)
    if edits:
        actor.require(Perm.ACCOUNT_EDIT, account)
        return
    with pytest.raises(PermissionRefused) as refused:
        actor.require(Perm.ACCOUNT_EDIT, account)
    assert refused.value.code == ("rule_level" if sees else "account_foreign")


def test_role_is_needed_besides_the_rule(world):
    actor = world.actor(world.employee("full", [StaffRole.READ_ONLY.value]))
    with pytest.raises(PermissionRefused) as refused:
        actor.require(Perm.ACCOUNT_EDIT, Account.objects.get(pk=world.hidden.pk))
    assert refused.value.code == "permission_missing"


def test_highest_of_several_levels_counts(world):
    user = world.employee("read")
    group = save_group(world.shop.staff, group=None, name="Team North", members=[user.pk])
    for level in ("edit", "full", "read"):
        world.rule.grants.filter(group=group).delete()
        PermissionGrant.objects.create(organization=world.shop.organization, rule=world.rule, group=group, level=level)
        assert dict(world.actor(user).rules) == {world.rule.pk: level}
    save_group(world.shop.staff, group=group, name="Team North", members=[])
    assert dict(world.actor(user).rules) == {world.rule.pk: "read"}


def test_looking_as_a_customer_needs_only_to_read_and_shows_no_more(world):
    reseller, hidden = world.shop.reseller, world.shop.end_customer
    assign_rule(world.shop.staff, account=hidden, rule=world.rule)
    reader = world.actor(world.employee("read"))
    assert start_viewing(reader, account=Account.objects.get(pk=hidden.pk), reason="Ticket 4711")
    with pytest.raises(PermissionRefused):
        start_viewing(world.actor(world.employee()), account=Account.objects.get(pk=hidden.pk), reason="Ticket 4711")
    seen = set(Account.objects.visible_to(viewing_actor(world.actor(world.employee()), reseller)))
    assert reseller in seen
    assert hidden not in seen


def statement_of(actor):
    return str(subscriptions_for(actor).query)


def test_without_rules_nothing_changes_in_the_statement():
    shop = make_shop()
    site, user = shop.site, factories.user(shop.organization, roles=[StaffRole.SALES.value])
    with CaptureQueriesContext(connection) as found:
        actor = actor_for(user, site, as_staff=True)
    assert len(found) == 1
    assert actor.rules is None
    plain = Subscription.objects.filter(organization_id=shop.organization.pk)
    plain = plain.select_related("account", "bill_to", "product", "plan", "instance").order_by("-id")
    assert statement_of(actor) == str(plain.query)
    assert "permissionrule" not in statement_of(actor).replace("permission_rule_id", "")


def test_rules_cost_one_statement_for_employees_and_none_for_administrators(world):
    for user, expected in ((world.employee("read"), 2), (factories.user(world.shop.organization), 1)):
        with CaptureQueriesContext(connection) as found:
            world.actor(user)
        assert len(found) == expected


def test_the_database_keeps_grants_whole(world):
    user, organization = world.employee(), world.shop.organization
    group = save_group(world.shop.staff, group=None, name="Team", members=[])
    wrong = [
        {"level": "read"},
        {"level": "read", "user": user, "group": group},
        {"level": "write", "user": user},
    ]
    for values in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            PermissionGrant.objects.create(organization=organization, rule=world.rule, **values)
    give(world, user, "read")
    with pytest.raises(IntegrityError), transaction.atomic():
        PermissionGrant.objects.create(organization=organization, rule=world.rule, user=user, level="full")
    PermissionRule.objects.create(organization=organization, name="A", is_default=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        PermissionRule.objects.create(organization=organization, name="B", is_default=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        PermissionRule.objects.create(organization=organization, name="KEY accounts")
