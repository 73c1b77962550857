"""Forms of permission rules, of groups of employees, and of who looks after an account."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bss.forms.operations import ReasonForm
from resellers.enums import RuleLevel
from resellers.models import Account, Membership, PermissionRule, StaffGroup

Choices = Iterable[tuple[str, Any]]


def manager_choices(rows: Iterable[Membership]) -> list[tuple[str, str]]:
    """Employees as choices, by the public id of what makes them one."""
    return [(str(row.public_id), f"{row.user} ({row.user.email})") for row in rows]


def rule_choices(rows: Iterable[PermissionRule]) -> list[tuple[str, str]]:
    """Rules as choices, by public id."""
    return [(str(row.public_id), row.name) for row in rows]


def set_choices(form: forms.Form, name: str, choices: Choices) -> None:
    """Fill a select whose choices are known only when the page is opened."""
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = list(choices)


class RuleForm(forms.Form):
    """A rule's name, and a level for every group and every employee; the keys of those fields are in ``keys``."""

    name = forms.CharField(label=_("Name"), max_length=100)
    note = forms.CharField(label=_("Note"), max_length=500, required=False)
    is_default = forms.BooleanField(
        label=_("For new accounts"),
        required=False,
        help_text=_("New accounts get this rule, unless their reseller has another one. One rule can be the default."),
    )

    def __init__(
        self, *args: Any, groups: Iterable[StaffGroup], employees: Iterable[Membership], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.groups = {f"group_{row.public_id.hex}": row for row in groups}
        self.employees = {f"user_{row.public_id.hex}": row for row in employees}
        levels = [("", _("No access")), *RuleLevel.choices]
        labels = {key: row.name for key, row in self.groups.items()}
        labels |= {key: str(row.user) for key, row in self.employees.items()}
        for key, label in labels.items():
            widget = forms.Select({"class": "input"})
            self.fields[key] = forms.ChoiceField(label=label, choices=levels, required=False, widget=widget)

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """The fields of the rule itself."""
        return [self[name] for name in self.base_fields]

    @property
    def group_rows(self) -> list[tuple[StaffGroup, forms.BoundField]]:
        """Each group with its level."""
        return [(row, self[key]) for key, row in self.groups.items()]

    @property
    def employee_rows(self) -> list[tuple[Membership, forms.BoundField]]:
        """Each employee with his level."""
        return [(row, self[key]) for key, row in self.employees.items()]

    def user_levels(self) -> dict[int, str]:
        """The chosen levels by user id."""
        return {row.user_id: level for key, row in self.employees.items() if (level := self.cleaned_data.get(key))}

    def group_levels(self) -> dict[int, str]:
        """The chosen levels by group id."""
        return {row.pk: level for key, row in self.groups.items() if (level := self.cleaned_data.get(key))}


class RuleDeleteForm(ReasonForm):
    """Which rule its accounts get instead."""

    move_to = forms.ChoiceField(
        label=_("Rule for its accounts"), error_messages={"required": _("Choose another rule for its accounts.")}
    )
    field_order = ("move_to", "reason")

    def __init__(self, *args: Any, rules: Choices, is_used: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_used:
            set_choices(self, "move_to", [("", _("Choose a rule")), *rules])
        else:
            del self.fields["move_to"]


class GroupForm(forms.Form):
    """A group's name and members."""

    name = forms.CharField(label=_("Name"), max_length=100)
    members = forms.MultipleChoiceField(label=_("Members"), widget=forms.CheckboxSelectMultiple, required=False)

    def __init__(self, *args: Any, employees: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["members"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(employees)


class AccessForm(forms.Form):
    """Who looks after an account, and which employees see it; without rules only the former is asked."""

    account_manager = forms.ChoiceField(
        label=_("Account manager"),
        required=False,
        help_text=_("Gets the mails about orders, credit and cancellation requests of this account."),
    )
    permission_rule = forms.ChoiceField(
        label=_("Permission rule"),
        required=False,
        help_text=_("Which employees see this account and everything that hangs on it."),
    )

    def __init__(
        self, *args: Any, managers: Choices, rules: Sequence[tuple[str, Any]] | None, nobody: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "account_manager", [("", nobody), *managers])
        if rules is None:
            del self.fields["permission_rule"]
        else:
            set_choices(self, "permission_rule", rules)


def access_values(account: Account, managers: Iterable[Membership]) -> dict[str, str]:
    """What stands in the access form at first."""
    own = {row.user_id: str(row.public_id) for row in managers}
    rule = account.permission_rule
    return {
        "account_manager": own.get(account.account_manager_id or 0, ""),
        "permission_rule": str(rule.public_id) if rule else "",
    }
