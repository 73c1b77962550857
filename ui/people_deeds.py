"""What can be done about somebody's access, for the pages of both doors: words, consequences and the one service.

Each is mixed into a door's action page over a membership, which says who may, where it leads, and whether to ask why.
"""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.tenancy import Actor
from resellers.models import Membership
from sso.services import people
from ui.people import roles_shown


class MemberDeed:
    """One deed on ``object``; ``is_end`` says that there is no access any more afterwards."""

    is_end: ClassVar[bool] = False
    actor: Actor
    object: Membership

    def reason(self, form: Any) -> str:
        """Why, if the page asks for it."""
        return str(form.cleaned_data.get("reason", ""))


class Resend(MemberDeed):
    """A fresh link for somebody who has not come yet."""

    title = gettext_lazy("Send the invitation again")
    success = gettext_lazy("A fresh invitation is on its way.")

    def consequences(self) -> list[str]:
        """The former link ends."""
        words = _("%(person)s gets a new link by e-mail; the former one does not work any more.")
        return [words % {"person": self.object.user.email}]

    def perform(self, form: Any) -> object:
        """Call the service."""
        return people.resend_invitation(self.actor, membership=self.object)


class Revoke(MemberDeed):
    """An invitation that shall not be followed any more."""

    title = gettext_lazy("Take the invitation back")
    success = gettext_lazy("The invitation is taken back.")
    is_danger = True
    is_end = True

    def consequences(self) -> list[str]:
        """Link and access end."""
        return [
            _("The link that %(person)s got by e-mail does not work any more.") % {"person": self.object.user.email}
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        people.revoke_invitation(self.actor, membership=self.object)


class Deactivate(MemberDeed):
    """Somebody shall not sign in for now."""

    title = gettext_lazy("Switch off")
    success = gettext_lazy("The access is switched off.")
    is_danger = True

    def consequences(self) -> list[str]:
        """It ends at once and can be undone."""
        return [
            _("%(person)s is signed out at once and cannot sign in any more.") % {"person": self.object.user},
            _("Roles stay as they are; the access can be switched on again."),
        ]

    def perform(self, form: Any) -> object:
        """Call the service."""
        return people.deactivate_user(self.actor, membership=self.object, reason=self.reason(form))


class Reactivate(MemberDeed):
    """Somebody may sign in again."""

    title = gettext_lazy("Switch on again")
    success = gettext_lazy("The access is switched on again.")

    def consequences(self) -> list[str]:
        """With the former roles."""
        words = _("%(person)s may do again what these roles allow: %(roles)s.")
        found = [words % {"person": self.object.user, "roles": roles_shown(self.object)}]
        if not self.object.user.has_usable_password():
            found.append(_("There is no password yet: send the invitation again afterwards."))
        return found

    def perform(self, form: Any) -> object:
        """Call the service."""
        return people.reactivate_user(self.actor, membership=self.object, reason=self.reason(form))


class Remove(MemberDeed):
    """The end of somebody's access."""

    title = gettext_lazy("Remove access")
    success = gettext_lazy("The access is taken away.")
    is_danger = True
    is_end = True

    def consequences(self) -> list[str]:
        """What he did stays."""
        return [
            _("%(person)s cannot sign in here any more.") % {"person": self.object.user},
            _("What was done under this name stays in the history. A new invitation gives the access back."),
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        people.remove_member(self.actor, membership=self.object)
