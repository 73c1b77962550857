"""One person's access, of an account or of the organization: roles, invitation, switch off, remove."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.operations import ReasonForm
from bss.views.people import require_people
from resellers.models import Membership
from resellers.selectors import all_memberships
from sso.services.people import set_roles
from ui import people_deeds as deeds
from ui.pages import ActionPage, FormPage
from ui.people import RolesForm, member_actions, member_state, member_tone
from users.permissions import Perm, StaffRole, StorefrontRole


class OfMember(FormPage):
    """Something about one person's access."""

    perm = Perm.BSS_VIEW
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Membership:
        """The membership of the address, for those who look after such people."""
        row: Membership = self.find(all_memberships(self.actor), kwargs["public_id"])
        require_people(self.actor, row.account)
        return row

    def cancel_url(self) -> str:
        """Back to the account, or to the employees."""
        account = self.object.account
        return reverse("bss:account_detail", args=[account.public_id]) if account else reverse("bss:staff_list")

    def crumbs(self) -> list[tuple[str, str]]:
        """The account, or the employees."""
        return [(str(self.object.account or _("Employees")), self.cancel_url())]

    def deed_url(self, name: str) -> str:
        """The address of a deed, in the room the person belongs to."""
        room = "member" if self.object.account else "staff"
        return reverse(f"bss:{room}_{name}", args=[self.object.public_id])


class MemberRoles(OfMember):
    """What somebody may do; from here he is also invited again, switched off or removed."""

    title = gettext_lazy("Roles")
    template_name = "ui/member_page.html"
    form_class = RolesForm

    def form_kwargs(self) -> dict[str, Any]:
        """The roles that exist for him."""
        account = self.object.account
        return {"roles": StorefrontRole if account else StaffRole, "account": account, "held": self.object.roles}

    def page_title(self) -> str:
        """Whose roles."""
        return _("Roles of %(person)s") % {"person": self.object.user}

    def context(self) -> dict[str, Any]:
        """His state, and what can be done about it."""
        row: Membership = self.object
        actions = member_actions(row, self.deed_url, own_user_id=self.actor.user_id)
        return {"state": member_state(row), "tone": member_tone(row), "member_actions": actions}

    def initial(self) -> dict[str, Any]:
        """The ones he has."""
        return {"roles": self.object.roles}

    def perform(self, form: Any) -> Membership:
        """Call the service."""
        return set_roles(self.actor, membership=self.object, roles=form.cleaned_data["roles"])


class MemberAction(OfMember, ActionPage):
    """A deed on somebody's access; those that leave the access lead back to it."""

    is_end: ClassVar[bool] = False

    def cancel_url(self) -> str:
        """Back to the person."""
        return self.deed_url("roles")

    def done_url(self, result: Any) -> str:
        """Back to the person, or to where he was if there is no access any more."""
        return super().cancel_url() if self.is_end else self.cancel_url()

    def crumbs(self) -> list[tuple[str, str]]:
        """The account or the employees, and the person."""
        return [
            (str(self.object.account or _("Employees")), super().cancel_url()),
            (str(self.object.user), self.cancel_url()),
        ]


class MemberResend(deeds.Resend, MemberAction):
    """A fresh link for somebody who has not come yet."""


class MemberRevoke(deeds.Revoke, MemberAction):
    """An invitation that shall not be followed any more."""


class MemberDeactivate(deeds.Deactivate, MemberAction):
    """Somebody shall not sign in for now."""

    form_class = ReasonForm


class MemberReactivate(deeds.Reactivate, MemberAction):
    """Somebody may sign in again."""

    form_class = ReasonForm


class MemberRemove(deeds.Remove, MemberAction):
    """The end of somebody's access."""
