"""MPN IDs in the BSS: the runs that change them, and the tool that starts one for a reseller (``channel.md`` 6.4)."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy, pgettext_lazy

from core.tenancy import Actor
from resellers.enums import AccountKind
from resellers.models import Account
from resellers.selectors import accounts_for
from subscriptions.enums import StampKind, StampState
from subscriptions.selectors import stamp_runs
from ui import partner_pages as pages
from ui.filters import Choice, Filter, Period
from ui.pages import ListPage
from ui.tables import Column
from users.permissions import Perm
from vendors.selectors import instance_choices


def _instances(actor: Actor) -> list[tuple[str, str]]:
    return instance_choices(actor)


class StampList(ListPage):
    """Runs that changed MPN IDs, for new IDs and for changed relationships."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("MPN ID changes")
    intro = gettext_lazy("A new MPN ID of a reseller, or a changed relationship, is brought to each service in turn.")
    selector = stamp_runs
    columns = (
        Column("account.name", gettext_lazy("Account"), "main", sort="account__name"),
        Column("get_kind_display", gettext_lazy("Kind"), sort="kind"),
        Column("instance.system_name", gettext_lazy("Instance"), sort="instance__system_name"),
        Column("mpn_id", gettext_lazy("New MPN ID"), sort="mpn_id"),
        Column("state", gettext_lazy("State"), "status", sort="state"),
        Column("done_count", pgettext_lazy("number", "Done"), "number"),
        Column("failed_count", pgettext_lazy("number", "Failed"), "number"),
        Column("skipped_count", gettext_lazy("Left out"), "number"),
        Column("requested_by", gettext_lazy("Started by"), sort="requested_by"),
        Column("started_at", gettext_lazy("Started"), "when", sort="started_at"),
    )
    filters = (
        Choice("state", gettext_lazy("State"), "state", StampState.choices),
        Choice("kind", gettext_lazy("Kind"), "kind", StampKind.choices),
        Choice("instance", gettext_lazy("Instance"), "instance__public_id", _instances),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Period("started", gettext_lazy("Started"), "started_at"),
    )
    search = ("account__name", "mpn_id", "requested_by")
    sort = "-pk"
    empty_icon = "sync"
    empty_title = gettext_lazy("No changes yet")
    empty_text = gettext_lazy("Change a reseller's MPN ID on the account's page, and the run appears here.")

    def row_url(self, row: Any) -> str:
        """The run."""
        return reverse("bss:stamp_detail", args=[row.public_id])


class OfReseller(pages.PartnerAddresses):
    """Pages about the MPN ID of the reseller in the address; Administrators only."""

    door = "bss"
    perm = Perm.ACCOUNT_BILL_TO
    back = (gettext_lazy("Accounts"), "bss:account_list")

    def reseller(self) -> Account:
        """The reseller of the address."""
        rows = accounts_for(self.actor).filter(kind=AccountKind.RESELLER)
        row: Account = self.find(rows, self.kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the account."""
        return [*super().crumbs(), (self.reseller().name, self.home_url())]

    def owner_args(self) -> list[Any]:
        """The account of the address."""
        return [self.kwargs["public_id"]]

    def home_url(self) -> str:
        """The account."""
        return reverse("bss:account_detail", args=self.owner_args())


class PartnerChange(OfReseller, pages.PartnerChange):
    """A new MPN ID for a reseller."""


class PartnerCheck(OfReseller, pages.PartnerCheck):
    """What the vendor says about it."""


class StampDetail(pages.StampRunPage):
    """A run with its services."""

    perm = Perm.BSS_VIEW
    acting_perm = Perm.ACCOUNT_BILL_TO
    back = (gettext_lazy("MPN ID changes"), "bss:stamp_list")
