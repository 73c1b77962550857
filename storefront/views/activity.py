"""What was done at the own company and, for resellers, at their customers; for Admins (``channel.md`` 14)."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from core.audit import AuditEntry
from core.audit_words import PUBLIC_ACTIONS, action_words
from core.selectors import audit_log
from core.tenancy import Actor, ActorKind
from resellers.selectors import user_ids_of
from storefront.views.lists import ShopList
from subscriptions.legs import with_sold_labels
from ui.filters import Choice, Filter, Period
from ui.history import line
from ui.tables import Column
from users.permissions import Perm

KINDS = (
    (ActorKind.CUSTOMER.value, _("Users")),
    (ActorKind.STAFF.value, _("Customer service")),
    (ActorKind.SYSTEM.value, _("Automatic")),
)


def action_choices(actor: Actor) -> list[tuple[str, str]]:
    """What customers may read, by its words."""
    return sorted(((name, action_words(name)) for name in PUBLIC_ACTIONS), key=lambda pair: pair[1])


class ActivityList(ShopList):
    """Entries of the audit log that are an account's to read."""

    perm = Perm.SHOP_USERS_MANAGE
    title = _("Activity")
    intro = _("Who did what at your company. Nothing here can be changed or taken away.")
    back = (_("Company and users"), "storefront:profile")
    selector = audit_log
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("what", _("What"), "action", action_choices),
        Choice("by", _("By"), "actor_kind", KINDS),
        Filter("account", _("Account"), "account__name"),
        Period("day", _("Day"), "at"),
    )
    search = ("sold_label",)
    empty_icon = "list"
    empty_title = _("Nothing was done yet")

    def rows(self) -> Any:
        """The entries, each by the name its reader knows."""
        return with_sold_labels(self.actor, super().rows())

    def shown_columns(self) -> Sequence[Column]:
        """With the account for resellers; addresses of the own and the customers' users only."""
        columns = [
            Column("at", _("Time"), "when", sort="id"),
            Column("who", _("Who"), show=self._who),
            Column("action", _("What"), show=lambda row: action_words(row.action)),
            Column("sold_label", _("Object"), "clip"),
            Column("account.name", _("Account")),
            Column("changes", _("Changed"), "clip", show=self._changes),
            Column("ip", _("IP address"), "code", show=self._ip),
        ]
        return columns if self.actor.sells else [column for column in columns if column.path != "account.name"]

    @cached_property
    def own_users(self) -> frozenset[int]:
        """The users of the accounts this actor sees."""
        return user_ids_of(self.actor)

    def _who(self, row: AuditEntry) -> str:
        return line(row, self.actor).who

    def _changes(self, row: AuditEntry) -> str:
        told = line(row, self.actor)
        return "; ".join(part for part in (told.text, told.reason) if part)

    def _ip(self, row: AuditEntry) -> Any:
        is_own = row.actor_kind == ActorKind.CUSTOMER and row.actor_user_id in self.own_users
        return row.ip if is_own else ""
