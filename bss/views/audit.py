"""The audit log: every write, who did it, on what, and what it was before and after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import AuditEntry
from core.audit_words import ACTIONS, OBJECTS, PHASES, PURPOSES, action_words, object_words
from core.selectors import audit_log
from core.tenancy import Actor, ActorKind
from ui.filters import Choice, Filter, Period
from ui.history import difference
from ui.pages import Action, DetailPage, Fact, ListPage
from ui.tables import Column
from users.permissions import Perm, StaffRole, StorefrontRole

# Where an object is shown, and who may open that; an object without a page leads to its account.
PAGES = {
    "catalog.category": ("bss:category_edit", Perm.CATALOG_MANAGE),
    "catalog.pricelist": ("bss:price_list_detail", Perm.BSS_VIEW),
    "catalog.product": ("bss:product_detail", Perm.BSS_VIEW),
    "orders.order": ("bss:order_detail", Perm.BSS_VIEW),
    "resellers.account": ("bss:account_detail", Perm.BSS_VIEW),
    "subscriptions.operation": ("bss:operation_detail", Perm.OPERATION_VIEW),
    "subscriptions.subscription": ("bss:subscription_detail", Perm.BSS_VIEW),
    "vendors.instance": ("bss:instance_detail", Perm.INSTANCE_VIEW),
}
KINDS = (
    (ActorKind.STAFF.value, gettext_lazy("Employees")),
    (ActorKind.CUSTOMER.value, gettext_lazy("Customers")),
    (ActorKind.SYSTEM.value, gettext_lazy("Automatic")),
)


def object_url(entry: AuditEntry, actor: Actor) -> str:
    """Where the object of an entry is shown to this actor; empty if nowhere. What was removed since is a 404 there."""
    name, perm = PAGES.get(entry.object_type, ("", ""))
    if name and entry.object_id and actor.has(perm):
        return reverse(name, args=[entry.object_id])
    if not name and entry.account and actor.has(Perm.BSS_VIEW):
        return reverse("bss:account_detail", args=[entry.account.public_id])
    return ""


def action_choices(actor: Actor) -> list[tuple[str, str]]:
    """All actions by their words."""
    changes = (f"subscription.{purpose}_{phase}" for purpose in PURPOSES for phase in PHASES)
    return sorted(((name, action_words(name)) for name in [*ACTIONS, *changes]), key=lambda pair: pair[1])


def kind_choices(actor: Actor) -> list[tuple[str, str]]:
    """All kinds of objects by their words."""
    return sorted(((kind, str(words)) for kind, words in OBJECTS.items()), key=lambda pair: pair[1])


@dataclass(frozen=True)
class ObjectColumn(Column):
    """The object of an entry with its own address, and below in small what kind of object it is."""

    link: Callable[[Any], str] = str

    def below(self, row: Any) -> str:
        """The kind in words."""
        return object_words(row.object_type)

    def _body(self, row: Any, url: str) -> SafeString | str:
        body, own = super()._body(row, url), self.link(row)
        return format_html('<a href="{}">{}</a>', own, body) if own else body


@dataclass(frozen=True)
class WhoFact(Fact):
    """Who did it, and below in small the roles he had."""

    def below(self, row: Any) -> str:
        """The roles in words."""
        known = dict([*StaffRole.choices, *StorefrontRole.choices])
        return ", ".join(str(known.get(role, role)) for role in row.roles.split(", ") if role)


class AuditList(ListPage):
    """Every write of the organization, newest first."""

    perm = Perm.AUDIT_VIEW
    title = gettext_lazy("Audit log")
    selector = audit_log
    columns = (
        Column("at", gettext_lazy("Time"), "when", sort="id"),
        Column("who", gettext_lazy("Who"), sub="on_behalf_of", sub_label=gettext_lazy("On behalf of")),
        Column("action", gettext_lazy("What"), "main", show=lambda row: action_words(row.action)),
        Column("object_label", gettext_lazy("Object"), sub="object_type", sub_label=gettext_lazy("Kind")),
        Column("account.name", gettext_lazy("Account")),
        Column("ip", gettext_lazy("IP address"), "code"),
        Column("reason", gettext_lazy("Reason"), "clip"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Filter("who", gettext_lazy("Who"), "actor_label"),
        Choice("by", gettext_lazy("By"), "actor_kind", KINDS),
        Choice("what", gettext_lazy("What"), "action", action_choices),
        Choice("kind", gettext_lazy("Kind"), "object_type", kind_choices),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Period("day", gettext_lazy("Day"), "at"),
    )
    search = ("object_label", "object_id", "request_id")
    empty_icon = "shield"
    empty_title = gettext_lazy("Nothing was written yet")

    def shown_columns(self) -> Sequence[Column]:
        """The object with its address, as far as this actor may open it."""
        return [self._object(column) if column.path == "object_label" else column for column in self.columns]

    def _object(self, column: Column) -> ObjectColumn:
        return ObjectColumn(
            column.path,
            column.label,
            sub=column.sub,
            sub_label=column.sub_label,
            link=lambda row: object_url(row, self.actor),
        )

    def row_url(self, row: Any) -> str:
        """Everything about the entry."""
        return reverse("bss:audit_detail", args=[row.public_id])


class AuditDetail(DetailPage):
    """One entry with what was before and after."""

    perm = Perm.AUDIT_VIEW
    selector = audit_log
    back = (gettext_lazy("Audit log"), "bss:audit_list")
    status_field = ""
    parts = ("bss/_audit_difference.html",)
    facts = (
        Fact("at", gettext_lazy("Time"), "when"),
        WhoFact("who", gettext_lazy("Who"), sub="roles"),
        Fact("on_behalf_of", gettext_lazy("On behalf of")),
        Fact("object_type", gettext_lazy("Kind"), show=lambda row: object_words(row.object_type)),
        Fact("object_label", gettext_lazy("Object")),
        Fact("account.name", gettext_lazy("Account")),
        Fact("reason", gettext_lazy("Reason")),
        Fact("ip", gettext_lazy("IP address"), "code"),
        Fact("request_id", gettext_lazy("Request"), "code"),
        Fact("object_id", gettext_lazy("Object's id"), "code"),
        Fact("action", gettext_lazy("Stored as"), "code"),
    )

    def page_title(self) -> str:
        """What was done."""
        return action_words(self.object.action)

    def actions(self, row: AuditEntry) -> list[Action]:
        """To the object, and to what else the same request wrote."""
        found = []
        if row.request_id:
            same = f"{reverse('bss:audit_list')}?q={row.request_id}"
            found.append(Action(_("Same request"), same, "search"))
        url = object_url(row, self.actor)
        if url:
            found.append(Action(_("Open"), url, "arrow-right", "primary"))
        return found

    def context(self) -> dict[str, Any]:
        """The difference, field by field."""
        return {"difference": difference(self.object, self.actor)}
