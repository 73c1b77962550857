"""Setup of permission rules and groups, and who looks after an account."""

import pytest
from django.urls import reverse

from core.audit import AuditEntry
from resellers.models import Account, Membership, PermissionRule, StaffGroup
from resellers.services.rules import assign_rule, save_group, save_rule, set_account_manager
from tests import factories
from tests.bss.staff import actions_of, count_queries, rows_of, said, staff_client
from tests.shop import Shop, make_shop
from users.models import User
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
REASON = {"reason": "Asked by the head of sales"}


@pytest.fixture
def sales(shop: Shop) -> User:
    return factories.user(shop.organization, roles=[StaffRole.SALES.value])


@pytest.fixture
def rule(shop: Shop) -> PermissionRule:
    return save_rule(shop.staff, rule=None, name="Key accounts", note="Ask Ada")


def page(name: str, *rows) -> str:
    return reverse(f"bss:{name}", args=[row.public_id for row in rows])


def key_of(user: User) -> str:
    return f"user_{Membership.objects.get(user=user).public_id.hex}"


def test_rule_is_made_with_levels(shop, sales):
    client = staff_client(shop.organization)
    group = save_group(shop.staff, group=None, name="North", members=[sales.pk])
    form = client.get(page("rule_new")).context["form"]
    assert (form.group_rows[0][0], [row.user for row, _field in form.employee_rows]) == (group, [sales])
    data = {"name": "Big ones", "is_default": "on", key_of(sales): "edit", f"group_{group.public_id.hex}": "read"}
    response = client.post(page("rule_new"), data, follow=True)
    made = PermissionRule.objects.get(name="Big ones")
    assert response.redirect_chain[-1][0] == page("rule_detail", made)
    assert [(str(row.user or row.group), row.level) for row in response.context["grants"]] == [
        ("North", "read"),
        (str(sales), "edit"),
    ]
    assert made.is_default
    assert set(actions_of(response)) == {"Accounts", "Edit", "Delete"}


def test_edit_shows_what_is_stored_and_keeps_it(shop, sales, rule):
    save_rule(shop.staff, rule=rule, name=rule.name, note=rule.note, users={sales.pk: "full"})
    client = staff_client(shop.organization)
    form = client.get(page("rule_edit", rule)).context["form"]
    assert (form.initial["name"], form.initial["note"], form.initial[key_of(sales)]) == (rule.name, "Ask Ada", "full")
    client.post(page("rule_edit", rule), form.initial)
    assert rule.grants.get().level == "full"
    refused = client.post(page("rule_edit", rule), {"name": ""})
    assert (refused.status_code, rule.grants.count()) == (400, 1)
    save_rule(shop.staff, rule=None, name="Others")
    assert "Another rule has this name" in client.post(page("rule_edit", rule), {"name": "OTHERS"}).content.decode()


def test_lists_tell_numbers(shop, sales, rule):
    client = staff_client(shop.organization)
    assign_rule(shop.staff, account=shop.reseller, rule=rule)
    save_group(shop.staff, group=None, name="North", members=[sales.pk])
    save_rule(shop.staff, rule=rule, name=rule.name, users={sales.pk: "read"})
    [row] = rows_of(client.get(page("rule_list")))
    assert (row.account_count, row.grant_count) == (3, 1)
    [group] = rows_of(client.get(page("group_list")))
    assert (group.member_count, group.rule_count) == (1, 0)
    few = count_queries(client, page("rule_list"))
    save_rule(shop.staff, rule=None, name="Others")
    assert count_queries(client, page("rule_list")) == few


def test_rule_in_use_asks_for_another(shop, rule):
    client = staff_client(shop.organization)
    other = save_rule(shop.staff, rule=None, name="Others")
    assign_rule(shop.staff, account=shop.customer, rule=rule)
    assert "1." in str(client.get(page("rule_delete", rule)).context["consequences"])
    refused = client.post(page("rule_delete", rule), REASON)
    assert refused.status_code == 400
    assert "Choose another rule for its accounts" in refused.content.decode()
    assert client.post(page("rule_delete", rule), REASON | {"move_to": str(other.public_id)}).status_code == 302
    assert Account.objects.get(pk=shop.customer.pk).permission_rule == other
    assert set(PermissionRule.objects.all()) == {other}


def test_unused_rule_is_deleted_without_a_question_for_another(shop, rule):
    client = staff_client(shop.organization)
    assert "move_to" not in client.get(page("rule_delete", rule)).context["form"].fields
    assert client.post(page("rule_delete", rule), {}).status_code == 400
    assert client.post(page("rule_delete", rule), REASON).status_code == 302
    assert not PermissionRule.objects.exists()


def test_many_accounts_get_a_rule_at_once(shop, rule):
    client, url = staff_client(shop.organization), page("rule_accounts", rule)
    rows = [str(row.public_id) for row in (shop.customer, shop.reseller)]
    response = client.post(url, {"action": "assign", "row": rows}, follow=True)
    assert said(response) == ["Give this rule: 2 rows done."]
    assert Account.objects.filter(permission_rule=rule).count() == 4
    assert len(rows_of(client.get(url, {"has": "yes"}))) == 4
    assert rows_of(client.get(url, {"has": "no"})) == []
    client.post(url, {"action": "take", "row": rows})
    assert not Account.objects.filter(permission_rule=rule).exists()
    assert len(rows_of(client.get(url, {"has": "no"}))) == 4
    said_no = said(client.post(url, {"action": "take", "row": rows[:1]}, follow=True))
    assert said_no == [f"{shop.customer}: It does not have this rule."]


def test_groups_are_made_changed_and_deleted(shop, sales):
    client = staff_client(shop.organization)
    member = str(Membership.objects.get(user=sales).public_id)
    assert client.post(page("group_new"), {"name": "North", "members": [member]}).status_code == 302
    group = StaffGroup.objects.get()
    assert client.get(page("group_edit", group)).context["form"].initial == {"name": "North", "members": [member]}
    client.post(page("group_edit", group), {"name": "South"})
    group.refresh_from_db()
    assert (group.name, group.members.count()) == ("South", 0)
    assert client.post(page("group_edit", group), {"name": "South", "members": ["nobody"]}).status_code == 400
    assert client.get(page("group_delete", group)).context["consequences"][0].endswith("0.")
    client.post(page("group_delete", group), REASON)
    assert not StaffGroup.objects.exists()


def test_account_shows_who_is_responsible_and_sales_change_it(shop, sales, rule):
    client = staff_client(shop.organization, StaffRole.SALES)
    url = page("account_access", shop.customer)
    assert "permission_rule" not in client.get(url).context["form"].fields  # It has none, and this one may give none.
    member = str(Membership.objects.get(user=sales).public_id)
    assert client.post(url, {"account_manager": member}).status_code == 302
    assert str(sales) in client.get(page("account_detail", shop.customer)).content.decode()
    admin = staff_client(shop.organization)
    data = {"account_manager": member, "permission_rule": str(rule.public_id)}
    assert admin.post(url, data).status_code == 302
    shop.customer.refresh_from_db()
    assert (shop.customer.account_manager, shop.customer.permission_rule) == (sales, rule)
    assert AuditEntry.objects.filter(action="account.permission_rule").count() == 1
    assert admin.get(url).context["form"].initial == data
    assert client.get(url).status_code == 404
    assert admin.post(url, {"account_manager": "somebody"}).status_code == 400


def test_who_may_edit_but_not_more_sees_no_rule_in_the_form(shop, sales, rule):
    assign_rule(shop.staff, account=shop.customer, rule=rule)
    client = staff_client(shop.organization, StaffRole.SALES)
    user = User.objects.latest("pk")
    url = page("account_access", shop.customer)
    for level, shown in (("edit", False), ("full", True)):
        save_rule(shop.staff, rule=rule, name=rule.name, users={user.pk: level})
        assert ("permission_rule" in client.get(url).context["form"].fields) == shown


def test_accounts_are_found_by_their_manager(shop, sales):
    set_account_manager(shop.staff, account=shop.reseller, manager=sales)
    response = staff_client(shop.organization).get(page("account_list"), {"manager": str(sales.public_id)})
    assert rows_of(response) == [shop.reseller]


def test_new_account_with_manager_and_rule(shop, sales, rule):
    client = staff_client(shop.organization)
    assert "permission_rule" in client.get(page("account_create")).context["form"].fields
    data = {
        "kind": "direct",
        "name": "Fir Ltd",
        "currency": "EUR",
        "country": "DE",
        "account_manager": str(Membership.objects.get(user=sales).public_id),
        "permission_rule": str(rule.public_id),
    }
    assert client.post(page("account_create"), data).status_code == 302
    made = Account.objects.get(name="Fir Ltd")
    assert (made.account_manager, made.permission_rule) == (sales, rule)


def test_restricted_employee_is_told_why_he_cannot_make_an_account(shop):
    save_rule(shop.staff, rule=None, name="Default", is_default=True)
    client = staff_client(shop.organization, StaffRole.SALES)
    data = {"kind": "direct", "name": "Fir Ltd", "currency": "EUR", "country": "DE"}
    response = client.post(page("account_create"), data)
    assert response.status_code == 400
    assert "permission rule “Default”" in response.content.decode()


@pytest.mark.parametrize("name", ["rule_list", "rule_new", "group_list", "group_new"])
def test_only_administrators_set_rules_up(shop, name):
    assert staff_client(shop.organization).get(page(name)).status_code == 200
    assert staff_client(shop.organization, StaffRole.SALES).get(page(name)).status_code == 403


def test_another_organizations_rules_and_groups_are_not_there(shop, rule):
    group = save_group(shop.staff, group=None, name="North", members=[])
    client = staff_client(make_shop().organization)
    names = [("rule_detail", rule), ("rule_edit", rule), ("rule_delete", rule), ("rule_accounts", rule)]
    for name, row in [*names, ("group_edit", group), ("group_delete", group)]:
        assert client.get(page(name, row)).status_code == 404
