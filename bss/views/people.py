"""People: contacts and users of accounts, and the organization's employees."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.accounts import ContactForm
from bss.forms.people import InviteForm, RolesForm
from bss.views.account_forms import OfAccount
from core.tenancy import Actor, TenantQuerySet
from resellers.models import Contact, Membership
from resellers.selectors import all_contacts, all_memberships, memberships_for
from resellers.services.accounts import save_contact
from sso.services.people import invite_user, remove_member, resend_invitation, set_roles
from ui.filters import Choice, Filter
from ui.pages import Action, ActionPage, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm, StaffRole, StorefrontRole


class ContactAdd(OfAccount):
    """A new contact of an account."""

    title = gettext_lazy("New contact")
    form_class = ContactForm

    def perform(self, form: Any) -> Contact:
        """Call the service."""
        return save_contact(self.actor, account=self.object, contact=None, values=form.cleaned_data)


class ContactEdit(FormPage):
    """A contact's data."""

    perm = Perm.ACCOUNT_EDIT
    title = gettext_lazy("Edit contact")
    back = (gettext_lazy("Accounts"), "bss:account_list")
    form_class = ContactForm
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Contact:
        """The contact of the address."""
        row: Contact = self.find(all_contacts(self.actor), kwargs["public_id"])
        return row

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        return {name: getattr(self.object, name) for name in ContactForm.base_fields}

    def perform(self, form: Any) -> Contact:
        """Call the service."""
        return save_contact(self.actor, account=self.object.account, contact=self.object, values=form.cleaned_data)

    def cancel_url(self) -> str:
        """Back to the account."""
        return reverse("bss:account_detail", args=[self.object.account.public_id])


class UserInvite(OfAccount):
    """Access to the storefront for somebody of an account."""

    perm = Perm.ACCOUNT_INVITE
    title = gettext_lazy("Invite user")
    form_class = InviteForm
    submit = gettext_lazy("Invite")
    success = gettext_lazy("The invitation is on its way; it can be used for 72 hours.")

    def form_kwargs(self) -> dict[str, Any]:
        """The storefront's roles."""
        return {"roles": StorefrontRole.choices}

    def perform(self, form: Any) -> object:
        """Call the service."""
        return invite_user(self.actor, account=self.object, **form.cleaned_data)


def employees(actor: Actor) -> TenantQuerySet[Membership]:
    """The employees of the organization."""
    return memberships_for(actor, None)


def _state(row: Membership) -> str:
    return _("Active") if row.user.has_usable_password() else _("Invited")


class HasRole(Choice):
    """One of the roles somebody has."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Who has the role, whatever else he has."""
        value = values.get(self.name)
        return rows.filter(roles__contains=[value]) if value else rows


class StaffList(ListPage):
    """Employees and their roles."""

    perm = Perm.STAFF_MANAGE
    title = gettext_lazy("Employees")
    selector = employees
    columns = (
        Column("user", gettext_lazy("Name"), "main", sort="user__last_name"),
        Column("user.email", gettext_lazy("E-mail"), sort="user__email"),
        Column("role_names", gettext_lazy("Roles")),
        Column("state", gettext_lazy("State"), show=_state),
        Column("user.last_login", gettext_lazy("Last sign-in"), "when", sort="user__last_login"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (HasRole("role", gettext_lazy("Role"), "roles", StaffRole.choices),)
    search = ("user__first_name", "user__last_name", "user__email")
    sort = "user__last_name"
    empty_icon = "users"

    def row_url(self, row: Any) -> str:
        """His roles."""
        return reverse("bss:staff_roles", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Invite somebody."""
        return [Action(_("Invite employee"), reverse("bss:staff_invite"), "plus", "primary")]


class StaffInvite(FormPage):
    """Access to the BSS for an employee."""

    perm = Perm.STAFF_MANAGE
    title = gettext_lazy("Invite employee")
    intro = gettext_lazy("Employees need a second step to sign in; it is set up at the first sign-in.")
    back = (gettext_lazy("Employees"), "bss:staff_list")
    form_class = InviteForm
    submit = gettext_lazy("Invite")
    success = gettext_lazy("The invitation is on its way; it can be used for 72 hours.")

    def form_kwargs(self) -> dict[str, Any]:
        """The roles of employees."""
        return {"roles": StaffRole.choices}

    def perform(self, form: Any) -> object:
        """Call the service."""
        return invite_user(self.actor, account=None, **form.cleaned_data)


class OfMember(FormPage):
    """Something about one person's access, of an account or of the organization."""

    perm = Perm.BSS_VIEW
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Membership:
        """The membership of the address; employees are for those who manage them, users for those who invite."""
        row: Membership = self.find(all_memberships(self.actor), kwargs["public_id"])
        self.actor.require(Perm.STAFF_MANAGE if row.account is None else Perm.ACCOUNT_INVITE)
        return row

    def cancel_url(self) -> str:
        """Back to the account, or to the employees."""
        account = self.object.account
        return reverse("bss:account_detail", args=[account.public_id]) if account else reverse("bss:staff_list")

    def crumbs(self) -> list[tuple[str, str]]:
        """The account, or the employees."""
        return [(str(self.object.account or _("Employees")), self.cancel_url())]


class MemberRoles(OfMember):
    """What somebody may do; from here he is also invited again or removed."""

    title = gettext_lazy("Roles")
    template_name = "bss/member_roles.html"
    form_class = RolesForm

    def form_kwargs(self) -> dict[str, Any]:
        """The roles that exist for him."""
        return {"roles": StorefrontRole.choices if self.object.account else StaffRole.choices}

    def page_title(self) -> str:
        """Whose roles."""
        return _("Roles of %(person)s") % {"person": self.object.user}

    def context(self) -> dict[str, Any]:
        """Where to go for the rest, in the room he belongs to."""
        room = "member" if self.object.account else "staff"
        return {
            "resend_url": reverse(f"bss:{room}_resend", args=[self.object.public_id]),
            "remove_url": reverse(f"bss:{room}_remove", args=[self.object.public_id]),
        }

    def initial(self) -> dict[str, Any]:
        """The ones he has."""
        return {"roles": self.object.roles}

    def perform(self, form: Any) -> Membership:
        """Call the service."""
        return set_roles(self.actor, membership=self.object, roles=form.cleaned_data["roles"])


class MemberResend(OfMember, ActionPage):
    """A fresh link for somebody who has not come yet."""

    title = gettext_lazy("Send the invitation again")
    success = gettext_lazy("A fresh invitation is on its way.")

    def consequences(self) -> list[str]:
        """The former link ends."""
        return [
            _("%(person)s gets a new link by e-mail; the former one does not work any more.")
            % {"person": self.object.user.email}
        ]

    def perform(self, form: Any) -> object:
        """Call the service."""
        return resend_invitation(self.actor, membership=self.object)


class MemberRemove(OfMember, ActionPage):
    """The end of somebody's access."""

    title = gettext_lazy("Remove access")
    success = gettext_lazy("The access is taken away.")
    is_danger = True

    def consequences(self) -> list[str]:
        """What he did stays."""
        return [
            _("%(person)s cannot sign in here any more.") % {"person": self.object.user},
            _("What was done under this name stays in the history. A new invitation gives the access back."),
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        remove_member(self.actor, membership=self.object)
