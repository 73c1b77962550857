"""Permission rules: which employees see which accounts, and the groups that make it shorter to say."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.rules import RuleDeleteForm, RuleForm, rule_choices
from bss.views.shared import history_of
from core.tenancy import Actor
from resellers.models import Account, PermissionRule
from resellers.selectors import accounts_with_rule, grants_of, groups_for, managers_for, rules_for, usable_rules
from resellers.services import rules as service
from ui.filters import Filter, Flag
from ui.pages import Action, ActionPage, BulkAction, DetailPage, Fact, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm, StaffRole

LIST = (gettext_lazy("Permission rules"), "bss:rule_list")


class RuleList(ListPage):
    """The organization's permission rules."""

    perm = Perm.STAFF_MANAGE
    title = gettext_lazy("Permission rules")
    intro = gettext_lazy(
        "Which employees see an account and everything that hangs on it. What their role allows is needed besides."
    )
    selector = rules_for
    columns = (
        Column("name", gettext_lazy("Name"), "main", sort="name", sub="note", sub_label=gettext_lazy("Note")),
        Column("account_count", gettext_lazy("Accounts"), "number"),
        Column("grant_count", gettext_lazy("Groups and employees"), "number"),
        Column("is_default", gettext_lazy("For new accounts"), "flag", sort="is_default"),
        Column("created_at", gettext_lazy("Since"), "date", sort="created_at"),
    )
    filters = (Flag("default", gettext_lazy("For new accounts"), "is_default"),)
    search = ("name", "note")
    sort = "name"
    empty_icon = "lock"
    empty_title = gettext_lazy("No permission rules")
    empty_text = gettext_lazy("Every employee sees every account now, as far as his role allows. A rule changes that.")

    def row_url(self, row: Any) -> str:
        """The rule with what it gives."""
        return reverse("bss:rule_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """A new rule, and the groups."""
        return [
            Action(_("Groups"), reverse("bss:group_list"), "users"),
            Action(_("New rule"), reverse("bss:rule_new"), "plus", "primary"),
        ]


class RuleDetail(DetailPage):
    """One rule: what it gives to whom, how many accounts have it, and its history."""

    perm = Perm.STAFF_MANAGE
    selector = rules_for
    status_field = ""
    back = LIST
    facts = (
        Fact("account_count", gettext_lazy("Accounts"), "number"),
        Fact("is_default", gettext_lazy("For new accounts"), "flag"),
        Fact("created_at", gettext_lazy("Since"), "when"),
        Fact("note", gettext_lazy("Note")),
    )
    parts = ("bss/_rule_grants.html",)
    side = ("bss/_history.html",)

    def context(self) -> dict[str, Any]:
        """Who has which level."""
        return {"grants": grants_of(self.object), "history": history_of(self.actor, self.object)}

    def actions(self, row: PermissionRule) -> list[Action]:
        """Edit it, give it to accounts, delete it."""
        return [
            Action(_("Accounts"), reverse("bss:rule_accounts", args=[row.public_id]), "building"),
            Action(_("Edit"), reverse("bss:rule_edit", args=[row.public_id]), "edit"),
            Action(_("Delete"), reverse("bss:rule_delete", args=[row.public_id]), "trash", "danger"),
        ]


class RuleEdit(FormPage):
    """A new rule, or another name or other levels for one."""

    perm = Perm.STAFF_MANAGE
    template_name = "bss/rule_form_page.html"
    form_class = RuleForm
    back = LIST
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> PermissionRule | None:
        """The rule of the address, if there is one in it."""
        if "public_id" not in kwargs:
            return None
        row: PermissionRule = self.find(rules_for(self.actor), kwargs["public_id"])
        return row

    def page_title(self) -> str:
        """Names the rule."""
        return _("Edit %(name)s") % {"name": self.object} if self.object else _("New permission rule")

    def form_kwargs(self) -> dict[str, Any]:
        """Everybody who can be given something; Administrators see everything anyway."""
        staff = [row for row in managers_for(self.actor) if StaffRole.ADMINISTRATOR not in row.roles]
        return {"groups": list(groups_for(self.actor)), "employees": staff}

    def initial(self) -> dict[str, Any]:
        """What the rule gives now."""
        if not self.object:
            return {}
        found = {name: getattr(self.object, name) for name in RuleForm.base_fields}
        users = {row.user_id: row.public_id.hex for row in managers_for(self.actor)}
        for grant in grants_of(self.object):
            key = f"group_{grant.group.public_id.hex}" if grant.group else f"user_{users.get(grant.user_id or 0)}"
            found[key] = grant.level
        return found

    def perform(self, form: RuleForm) -> PermissionRule:
        """Call the service."""
        values = {name: form.cleaned_data[name] for name in RuleForm.base_fields}
        users, groups = form.user_levels(), form.group_levels()
        return service.save_rule(self.actor, rule=self.object, users=users, groups=groups, **values)

    def done_url(self, result: PermissionRule) -> str:
        """The rule."""
        return reverse("bss:rule_detail", args=[result.public_id])

    def cancel_url(self) -> str:
        """Back to where one came from."""
        return self.done_url(self.object) if self.object else reverse("bss:rule_list")


class RuleDelete(ActionPage):
    """Asks which rule its accounts get instead."""

    perm = Perm.STAFF_MANAGE
    title = gettext_lazy("Delete rule")
    back = LIST
    form_class = RuleDeleteForm
    submit = gettext_lazy("Delete")
    success = gettext_lazy("The rule is deleted.")
    is_danger = True

    def load(self, **kwargs: Any) -> Any:
        """The rule of the address."""
        return self.find(rules_for(self.actor), kwargs["public_id"])

    def form_kwargs(self) -> dict[str, Any]:
        """The other rules."""
        others = [row for row in usable_rules(self.actor) if row.pk != self.object.pk]
        return {"rules": rule_choices(others), "is_used": self.object.account_count > 0}

    def consequences(self) -> list[str]:
        """What becomes of its accounts."""
        if not self.object.account_count:
            return [_("No account has the rule “%(name)s”; nobody's view changes.") % {"name": self.object}]
        return [
            _("Accounts with the rule “%(name)s”: %(n)s.") % {"name": self.object, "n": self.object.account_count},
            _("They get the rule you choose here, so that nobody sees them by mistake."),
            _("If everybody shall see them, take the rule away from them before, on its page of accounts."),
        ]

    def perform(self, form: Any) -> int:
        """Call the service."""
        chosen = form.cleaned_data.get("move_to")
        target = rules_for(self.actor).get_visible(self.actor, chosen) if chosen else None
        reason = form.cleaned_data["reason"]
        return service.delete_rule(self.actor, rule=self.object, move_to=target, reason=reason)

    def done_url(self, result: Any) -> str:
        """The other rules."""
        return reverse("bss:rule_list")

    def cancel_url(self) -> str:
        """Back to the rule."""
        return reverse("bss:rule_detail", args=[self.object.public_id])


class HasRule(Flag):
    """Accounts with this rule, or those with another or none; ``path`` is the rule's key."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Keep those."""
        match values.get(self.name):
            case "yes":
                return rows.filter(permission_rule=self.path)
            case "no":
                return rows.exclude(permission_rule=self.path)
        return rows


class RuleAccounts(ListPage):
    """All accounts with their rules; give this one to many at once."""

    perm = Perm.STAFF_MANAGE
    back = LIST
    columns = (
        Column("name", gettext_lazy("Account"), "main", sort="name", sub="email", sub_label=gettext_lazy("E-mail")),
        Column("get_kind_display", gettext_lazy("Kind"), sort="kind"),
        Column("bill_to.name", gettext_lazy("Billed to"), sort="bill_to__name"),
        Column("permission_rule.name", gettext_lazy("Permission rule"), sort="permission_rule__name"),
        Column("account_manager", gettext_lazy("Account manager")),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
    )
    search = ("name", "email", "bill_to__name")
    sort = "name"
    empty_icon = "building"
    empty_title = gettext_lazy("No accounts yet")
    intro = gettext_lazy("Accounts that are billed to a reseller and had the same rule follow him.")

    @cached_property
    def rule(self) -> PermissionRule:
        """The rule of the address."""
        row: PermissionRule = self.find(rules_for(self.actor), self.kwargs["public_id"])
        return row

    def page_title(self) -> str:
        """Names the rule."""
        return _("Accounts of %(name)s") % {"name": self.rule}

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the rule."""
        return [*super().crumbs(), (self.rule.name, reverse("bss:rule_detail", args=[self.rule.public_id]))]

    def row_url(self, row: Any) -> str:
        """The account."""
        return reverse("bss:account_detail", args=[row.public_id])

    def rows(self) -> Any:
        """All accounts."""
        return accounts_with_rule(self.actor)

    @property
    def filters(self) -> Sequence[Filter]:  # type: ignore[override]
        """Those with this rule."""
        return (HasRule("has", _("Has this rule"), str(self.rule.pk)),)

    @property
    def bulk_actions(self) -> Sequence[BulkAction]:  # type: ignore[override]
        """Give this rule, or take it away."""
        return (
            BulkAction("assign", _("Give this rule"), Perm.ACCOUNT_EDIT, self._assign),
            BulkAction("take", _("Take this rule away"), Perm.ACCOUNT_EDIT, self._take),
        )

    def _assign(self, actor: Actor, row: Account) -> None:
        service.assign_rule(actor, account=row, rule=self.rule)

    def _take(self, actor: Actor, row: Account) -> None:
        service.take_rule(actor, account=row, rule=self.rule)
