"""Rooms of record visibility: permission rules, groups of employees, and who looks after an account."""

from django.urls import URLPattern, path

from bss.views import account_access, groups, rules

_RULE = "setup/rules/<uuid:public_id>/"
_GROUP = "setup/rules/groups/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("accounts/<uuid:public_id>/access/", account_access.AccountAccess.as_view(), name="account_access"),
    path("setup/rules/", rules.RuleList.as_view(), name="rule_list"),
    path("setup/rules/new/", rules.RuleEdit.as_view(), name="rule_new"),
    path(_RULE, rules.RuleDetail.as_view(), name="rule_detail"),
    path(f"{_RULE}edit/", rules.RuleEdit.as_view(), name="rule_edit"),
    path(f"{_RULE}delete/", rules.RuleDelete.as_view(), name="rule_delete"),
    path(f"{_RULE}accounts/", rules.RuleAccounts.as_view(), name="rule_accounts"),
    path("setup/rules/groups/", groups.GroupList.as_view(), name="group_list"),
    path("setup/rules/groups/new/", groups.GroupEdit.as_view(), name="group_new"),
    path(_GROUP, groups.GroupEdit.as_view(), name="group_edit"),
    path(f"{_GROUP}delete/", groups.GroupDelete.as_view(), name="group_delete"),
]
