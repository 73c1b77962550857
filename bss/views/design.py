"""How the organization's own storefront looks (``channel.md`` 7)."""

from django.utils.translation import gettext_lazy

from ui.look_pages import LookEditor, LookRestore
from users.permissions import Perm


class Design(LookEditor):
    """The look of the organization's storefront."""

    perm = Perm.SYSTEM_OPTIONS
    door = "bss"


class DesignRestore(LookRestore):
    """A former look of it."""

    perm = Perm.SYSTEM_OPTIONS
    door = "bss"
    back = (gettext_lazy("Look and feel"), "bss:design")
