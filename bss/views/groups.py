"""Groups of employees, which permission rules give levels to."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bss.forms.operations import ReasonForm
from bss.forms.rules import GroupForm, manager_choices
from resellers.models import StaffGroup
from resellers.selectors import groups_for, managers_for, member_ids
from resellers.services import rules as service
from ui.pages import Action, ActionPage, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Groups of employees"), "bss:group_list")


class GroupList(ListPage):
    """The groups of employees."""

    perm = Perm.STAFF_MANAGE
    title = gettext_lazy("Groups of employees")
    intro = gettext_lazy("What a permission rule gives to a group, it gives to all its members.")
    back = (gettext_lazy("Permission rules"), "bss:rule_list")
    selector = groups_for
    columns = (
        Column("name", gettext_lazy("Name"), "main", sort="name"),
        Column("member_count", gettext_lazy("Members"), "number"),
        Column("rule_count", gettext_lazy("Rules"), "number"),
        Column("created_at", gettext_lazy("Since"), "date", sort="created_at"),
    )
    search = ("name",)
    sort = "name"
    empty_icon = "users"
    empty_title = gettext_lazy("No groups yet")
    empty_text = gettext_lazy("Make one for a team, and give it levels in the permission rules.")

    def row_url(self, row: Any) -> str:
        """Its members."""
        return reverse("bss:group_edit", args=[row.public_id])

    def actions(self) -> list[Action]:
        """A new group."""
        return [Action(_("New group"), reverse("bss:group_new"), "plus", "primary")]


class GroupEdit(FormPage):
    """A new group, or another name or other members for one."""

    perm = Perm.STAFF_MANAGE
    template_name = "bss/group_form_page.html"
    form_class = GroupForm
    back = LIST
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> StaffGroup | None:
        """The group of the address, if there is one in it."""
        if "public_id" not in kwargs:
            return None
        row: StaffGroup = self.find(groups_for(self.actor), kwargs["public_id"])
        return row

    def page_title(self) -> str:
        """Names the group."""
        return _("Edit %(name)s") % {"name": self.object} if self.object else _("New group")

    def form_kwargs(self) -> dict[str, Any]:
        """The employees."""
        return {"employees": manager_choices(managers_for(self.actor))}

    def initial(self) -> dict[str, Any]:
        """Who is in it."""
        if not self.object:
            return {}
        ids = member_ids(self.object)
        members = [str(row.public_id) for row in managers_for(self.actor) if row.user_id in ids]
        return {"name": self.object.name, "members": members}

    def perform(self, form: Any) -> StaffGroup:
        """Call the service."""
        users = {str(row.public_id): row.user_id for row in managers_for(self.actor)}
        members = [users[key] for key in form.cleaned_data["members"]]
        return service.save_group(self.actor, group=self.object, name=form.cleaned_data["name"], members=members)


class GroupDelete(ActionPage):
    """Asks before a group goes."""

    perm = Perm.STAFF_MANAGE
    title = gettext_lazy("Delete group")
    back = LIST
    form_class = ReasonForm
    submit = gettext_lazy("Delete")
    success = gettext_lazy("The group is deleted.")
    is_danger = True

    def load(self, **kwargs: Any) -> Any:
        """The group of the address."""
        return self.find(groups_for(self.actor), kwargs["public_id"])

    def consequences(self) -> list[str]:
        """What its members lose."""
        row = self.object
        return [
            _("Members of the group “%(name)s”: %(n)s.") % {"name": row, "n": row.member_count},
            ngettext(
                "What %(n)s permission rule gives to the group ends at once for its members.",
                "What %(n)s permission rules give to the group ends at once for its members.",
                row.rule_count,
            )
            % {"n": row.rule_count},
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        service.delete_group(self.actor, group=self.object, reason=form.cleaned_data["reason"])

    def done_url(self, result: Any) -> str:
        """The other groups."""
        return reverse("bss:group_list")

    def cancel_url(self) -> str:
        """Back to the group."""
        return reverse("bss:group_edit", args=[self.object.public_id])
