"""People: contacts and users of accounts, and the organization's employees."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.accounts import ContactForm
from bss.views.account_forms import OfAccount
from core.errors import PermissionRefused
from core.tenancy import Actor, TenantQuerySet
from resellers.models import Account, Contact, Membership
from resellers.selectors import all_contacts, memberships_for
from resellers.services.accounts import save_contact
from sso.services.people import invite_user
from ui.filters import Filter, Flag
from ui.pages import Action, FormPage, ListPage
from ui.people import HasRole, InviteForm, member_state
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


def require_people(actor: Actor, account: Account | None) -> None:
    """Employees are for those who manage them; users of accounts for those who edit accounts or invite."""
    if account is None:
        actor.require(Perm.STAFF_MANAGE)
    elif not may_manage_people(actor):
        raise PermissionRefused("permission_missing", _("Your role does not allow this. Ask an administrator."))


def may_manage_people(actor: Actor) -> bool:
    """Whether the actor looks after users of accounts."""
    return actor.has(Perm.ACCOUNT_EDIT) or actor.has(Perm.ACCOUNT_INVITE)


class UserInvite(OfAccount):
    """Access to the storefront for somebody of an account."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Invite user")
    form_class = InviteForm
    submit = gettext_lazy("Invite")
    success = gettext_lazy("The invitation is on its way; it can be used for 72 hours.")

    def load(self, **kwargs: Any) -> Account:
        """The account of the address."""
        require_people(self.actor, super().load(**kwargs))
        return super().load(**kwargs)

    def form_kwargs(self) -> dict[str, Any]:
        """The roles that exist for the account."""
        return {"roles": StorefrontRole, "account": self.object}

    def perform(self, form: Any) -> object:
        """Call the service."""
        return invite_user(self.actor, account=self.object, **form.cleaned_data)


def employees(actor: Actor) -> TenantQuerySet[Membership]:
    """The employees of the organization."""
    return memberships_for(actor, None)


class StaffList(ListPage):
    """Employees and their roles."""

    perm = Perm.STAFF_MANAGE
    title = gettext_lazy("Employees")
    selector = employees
    columns = (
        Column("user", gettext_lazy("Name"), "main", sort="user__last_name"),
        Column("user.email", gettext_lazy("E-mail"), sort="user__email"),
        Column("role_names", gettext_lazy("Roles")),
        Column("state", gettext_lazy("State"), show=member_state),
        Column("user.last_login", gettext_lazy("Last sign-in"), "when", sort="user__last_login"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        HasRole("role", gettext_lazy("Role"), "roles", StaffRole.choices),
        Flag("active", gettext_lazy("Not switched off"), "user__is_active"),
    )
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
        return {"roles": StaffRole}

    def perform(self, form: Any) -> object:
        """Call the service."""
        return invite_user(self.actor, account=None, **form.cleaned_data)
