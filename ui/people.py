"""What both doors ask and say about people: forms with explained roles, the state of a user, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from resellers.editions import assignable_roles, rests
from resellers.models import Account, Membership
from ui.filters import Choice
from ui.pages import Action
from users.permissions import StaffRole, StorefrontRole
from users.role_words import ROLE_SENTENCES


def explained(
    roles: type[models.TextChoices], account: Account | None = None, held: Sequence[str] = ()
) -> list[tuple[str, SafeString]]:
    """Roles as choices, each with the sentence that says what it is for; of an account those it can be given."""
    both = "<span><b>{}</b><small>{}</small></span>"
    known = roles.values if account is None else assignable_roles(account, held)
    return [
        (value, format_html(both, role_words(value, label, account), ROLE_SENTENCES.get(value, "")))
        for value, label in roles.choices
        if value in known
    ]


def role_words(role: str, label: object, account: Account | None) -> str:
    """A role's name, with a word if it gives nothing at present."""
    return _("%(role)s (inactive)") % {"role": label} if account is not None and rests(role, account) else str(label)


def roles_shown(row: Membership) -> str:
    """The roles somebody has, in words; those that rest with the reseller's plan say so."""
    labels = dict(StorefrontRole.choices if row.account_id else StaffRole.choices)
    return ", ".join(role_words(role, labels.get(role, role), row.account) for role in row.roles)


class RolesForm(forms.Form):
    """One or more roles."""

    roles = forms.MultipleChoiceField(label=gettext_lazy("Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(
        self,
        *args: Any,
        roles: type[models.TextChoices],
        account: Account | None = None,
        held: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["roles"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = explained(roles, account, held)


class InviteForm(RolesForm):
    """A person and his roles."""

    email = forms.EmailField(label=gettext_lazy("E-mail"))
    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=100)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=100)
    field_order = ("first_name", "last_name", "email", "roles")


@dataclass(frozen=True)
class HasRole(Choice):
    """One of the roles somebody has."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Who has the role, whatever else he has."""
        value = values.get(self.name)
        return rows.filter(roles__contains=[value]) if value else rows


def member_state(row: Membership) -> str:
    """Whether somebody can sign in."""
    if not row.user.is_active:
        return _("Switched off")
    return _("Active") if row.user.has_usable_password() else _("Invited")


def member_tone(row: Membership) -> str:
    """The tone of that state's badge."""
    if not row.user.is_active:
        return "neutral"
    return "success" if row.user.has_usable_password() else "warning"


def member_actions(row: Membership, url: Any, *, own_user_id: int | None) -> list[Action]:
    """What can be done about somebody's access now; ``url`` gives the address of a deed by its name."""
    invited, active = not row.user.has_usable_password(), row.user.is_active
    found = []
    if invited and active:
        found.append(Action(_("Send the invitation again"), url("resend"), "mail"))
    if not active:
        found.append(Action(_("Switch on again"), url("reactivate"), "play"))
    elif not invited:
        own = _("You cannot switch off your own access.") if row.user_id == own_user_id else ""
        found.append(Action(_("Switch off"), url("deactivate"), "pause", "", own))
    if invited:
        found.append(Action(_("Take the invitation back"), url("revoke"), "trash", "danger"))
    else:
        found.append(Action(_("Remove access"), url("remove"), "trash", "danger"))
    return found
