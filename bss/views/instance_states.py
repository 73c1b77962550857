"""Applications Setup: opening, closing and removing an instance."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.views.instances import InstanceAction
from provisioning.services import setup


class InstanceActivate(InstanceAction):
    """Open it for orders."""

    title = gettext_lazy("Activate")
    success = gettext_lazy("Active: its published products can be ordered.")

    def consequences(self) -> list[str]:
        """Who can buy then."""
        return [_("Its published products can be ordered from now on.")]

    def perform(self, form: Any) -> Any:
        """Hand it over."""
        return setup.activate(self.actor, instance=self.object)


class InstanceDeactivate(InstanceAction):
    """Close it for new orders."""

    title = gettext_lazy("Deactivate")
    success = gettext_lazy("Inactive: nothing new can be ordered.")

    def consequences(self) -> list[str]:
        """What goes on."""
        return [
            _("Nothing of it can be ordered any more."),
            _("Running services stay as they are; they can still be changed and cancelled."),
        ]

    def perform(self, form: Any) -> Any:
        """Hand it over."""
        return setup.deactivate(self.actor, instance=self.object)


class InstanceDelete(InstanceAction):
    """Remove it."""

    title = gettext_lazy("Delete")
    success = gettext_lazy("Deleted.")
    is_danger = True

    def consequences(self) -> list[str]:
        """It is refused while services hang on it."""
        return [
            _("The instance disappears from all lists. This cannot be undone."),
            _("It is refused while services are linked to it."),
        ]

    def perform(self, form: Any) -> Any:
        """Hand it over."""
        return setup.delete(self.actor, instance=self.object)

    def done_url(self, result: Any) -> str:
        """The list, for the instance is gone."""
        return reverse("bss:instance_list")
