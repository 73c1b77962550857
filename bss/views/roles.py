"""Which role may do what, as the code has it."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy

from ui.pages import Page
from users.permissions import Perm, StaffRole, StorefrontRole
from users.role_words import ROLE_SENTENCES, staff_matrix, storefront_matrix


class RoleMatrix(Page):
    """Permissions by role, of the BSS and of the storefront, read from ``users/permissions.py``."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Roles")
    intro: ClassVar[Any] = gettext_lazy("Several roles add up. A new user has no right until he is given a role.")
    template_name = "bss/role_matrix_page.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Both tables."""
        return self.show()

    def context(self) -> dict[str, Any]:
        """The roles with their sentences, and the rows."""
        return {
            "staff_roles": [(label, ROLE_SENTENCES[value]) for value, label in StaffRole.choices],
            "staff_rows": staff_matrix(),
            "shop_roles": [(label, ROLE_SENTENCES[value]) for value, label in StorefrontRole.choices],
            "shop_rows": storefront_matrix(),
        }
