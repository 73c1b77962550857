"""Users and roles of the own company, for its Admins (``channel.md`` 10.2)."""

from typing import Any, ClassVar

from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.tenancy import Actor, TenantQuerySet
from resellers.enums import AccountKind
from resellers.models import Account, Membership
from resellers.selectors import all_memberships, customers_of, memberships_for, own_account
from sso.selectors import first_users
from sso.services.people import invite_user, set_roles
from storefront.views.lists import ShopList
from ui import people_deeds as deeds
from ui.filters import Filter
from ui.pages import Action, ActionPage, FormPage
from ui.people import HasRole, InviteForm, RolesForm, member_actions, member_state, member_tone, roles_shown
from ui.tables import Column
from users.permissions import Perm, StorefrontRole

MAIL = gettext_lazy("E-mail")
COMPANY = (gettext_lazy("Company and users"), "storefront:profile")


def colleagues(actor: Actor) -> TenantQuerySet[Membership]:
    """The users of the own account; a reseller's customers look after theirs themselves."""
    return memberships_for(actor, _own(actor))


def tended(actor: Actor) -> TenantQuerySet[Membership]:
    """Whose access an Admin may look after: colleagues, users of affiliates, and whom he let in at a customer's."""
    rows = all_memberships(actor)
    ours = Q(account_id=actor.account_id) | Q(account__kind=AccountKind.AFFILIATE)
    return rows.filter(ours | Q(account__kind=AccountKind.END_CUSTOMER, pk__in=first_users(actor)))


def _own(actor: Actor) -> Account:
    account = own_account(actor)
    if account is None:
        raise Http404
    return account


class MemberList(ShopList):
    """Who of the company may do what."""

    perm = Perm.SHOP_USERS_MANAGE
    title = gettext_lazy("Users and roles")
    intro = gettext_lazy("Several roles add up. At least one person stays Admin.")
    back = COMPANY
    selector = colleagues
    columns = (
        Column("user", gettext_lazy("Name"), "main", sort="user__last_name", sub="user.email", sub_label=MAIL),
        Column("roles", gettext_lazy("Roles"), show=roles_shown),
        Column("state", gettext_lazy("State"), show=member_state),
        Column("user.last_login", gettext_lazy("Last sign-in"), "when", sort="user__last_login"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (HasRole("role", gettext_lazy("Role"), "roles", StorefrontRole.choices),)
    search = ("user__first_name", "user__last_name", "user__email")
    sort = "user__last_name"
    empty_icon = "users"
    empty_title = gettext_lazy("Nobody yet")

    def row_url(self, row: Any) -> str:
        """His roles."""
        return reverse("storefront:member_roles", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Invite somebody."""
        return [Action(_("Invite user"), reverse("storefront:member_invite"), "plus", "primary")]


class MemberInvite(FormPage):
    """Access for a colleague."""

    perm = Perm.SHOP_USERS_MANAGE
    layout = "base_storefront.html"
    title = gettext_lazy("Invite user")
    intro = gettext_lazy("The person gets a link by e-mail and chooses a password.")
    back = (gettext_lazy("Users and roles"), "storefront:member_list")
    form_class = InviteForm
    submit = gettext_lazy("Invite")
    success = gettext_lazy("The invitation is on its way; it can be used for 72 hours.")

    def account(self) -> Account:
        """Where the new user belongs."""
        return _own(self.actor)

    def form_kwargs(self) -> dict[str, Any]:
        """The roles that exist for the account."""
        return {"roles": StorefrontRole, "account": self.account()}

    def perform(self, form: Any) -> object:
        """Call the service."""
        return invite_user(self.actor, account=self.account(), **form.cleaned_data)


class CustomerInvite(MemberInvite):
    """The first user of an end customer, or a user of an affiliate account."""

    back = (gettext_lazy("Customers"), "storefront:customer_list")

    def account(self) -> Account:
        """The customer of the address."""
        row: Account = self.find(customers_of(self.actor), self.kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the customer."""
        row = self.account()
        return [*super().crumbs(), (row.name, reverse("storefront:customer_detail", args=[row.public_id]))]

    def initial(self) -> dict[str, Any]:
        """The first one is its Admin."""
        return {"roles": [StorefrontRole.ADMIN.value]}


class OfColleague(FormPage):
    """Something about one colleague's access."""

    perm = Perm.SHOP_USERS_MANAGE
    layout = "base_storefront.html"
    back = (gettext_lazy("Users and roles"), "storefront:member_list")
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Membership:
        """The person of the address."""
        row: Membership = self.find(tended(self.actor), kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """The own users, or the customer."""
        account = self.object.account
        if account is None or account.pk == self.actor.account_id:
            return super().crumbs()
        return [(account.name, reverse("storefront:customer_detail", args=[account.public_id]))]

    def deed_url(self, name: str) -> str:
        """The address of a deed."""
        return reverse(f"storefront:member_{name}", args=[self.object.public_id])

    def done_url(self, result: Any) -> str:
        """To the users or the customer; to the company for who has just given up the right to see them."""
        account = self.object.account
        if account is not None and account.pk != self.actor.account_id:
            return reverse("storefront:customer_detail", args=[account.public_id])
        others = [row for row in colleagues(self.actor) if row.user_id == self.actor.user_id]
        is_admin = any(StorefrontRole.ADMIN in row.roles for row in others)
        return reverse("storefront:member_list") if is_admin else reverse("storefront:home")


class MemberRoles(OfColleague):
    """What a colleague may do; from here he is also invited again, switched off or removed."""

    title = gettext_lazy("Roles")
    template_name = "ui/member_page.html"
    form_class = RolesForm

    def form_kwargs(self) -> dict[str, Any]:
        """The roles that exist for the account, and those he has."""
        return {"roles": StorefrontRole, "account": self.object.account, "held": self.object.roles}

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


class ColleagueAction(OfColleague, ActionPage):
    """A deed on a colleague's access."""

    def cancel_url(self) -> str:
        """Back to the colleague."""
        return self.deed_url("roles")


class MemberResend(deeds.Resend, ColleagueAction):
    """A fresh link for somebody who has not come yet."""


class MemberRevoke(deeds.Revoke, ColleagueAction):
    """An invitation that shall not be followed any more."""


class MemberDeactivate(deeds.Deactivate, ColleagueAction):
    """Somebody shall not sign in for now."""


class MemberReactivate(deeds.Reactivate, ColleagueAction):
    """Somebody may sign in again."""


class MemberRemove(deeds.Remove, ColleagueAction):
    """The end of somebody's access."""
