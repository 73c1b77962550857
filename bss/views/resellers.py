"""The channel at a glance: every reseller with his edition, storefront, customers, spend and health."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.selectors import resellers_with_figures
from resellers.enums import AccountKind, AccountStatus, Edition, SiteStatus
from resellers.models import Account, Site
from resellers.routing import site_address
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, ListPage
from ui.tables import Column
from users.permissions import Perm

SHOP_STATES = [choice for choice in SiteStatus.choices if choice[0] != SiteStatus.DELETED]


def _site(row: Account) -> Site | None:
    return next(iter(row.own_sites), None)  # type: ignore[attr-defined]


def _shop(row: Account) -> str:
    site = _site(row)
    return site_address(site).partition("://")[2] if site is not None and site.status != SiteStatus.CLOSED else ""


def _shop_state(row: Account) -> str:
    site = _site(row)
    return str(site.get_status_display()) if site is not None else ""


def _health(row: Any) -> str:
    """What needs somebody's attention, the gravest first; "good" if nothing does."""
    if row.status != AccountStatus.ACTIVE:
        return str(row.get_status_display())
    if row.failed:
        return ngettext("%(n)s service failed", "%(n)s services failed", row.failed) % {"n": row.failed}
    if row.available_credit is not None and row.available_credit <= 0:
        return _("No credit left")
    return _("Good")


class ResellerList(ListPage):
    """All resellers of the organization with their figures."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Resellers")
    selector = resellers_with_figures
    columns = (
        Column(
            "name",
            gettext_lazy("Name"),
            "main",
            sort="name",
            sub="accounting_number",
            sub_label=gettext_lazy("Accounting no."),
        ),
        Column("get_edition_display", gettext_lazy("Edition"), sort="edition"),
        Column("shop", gettext_lazy("Storefront"), show=_shop),
        Column("shop_state", gettext_lazy("Storefront's state"), show=_shop_state),
        Column("customers", gettext_lazy("Customers"), "number"),
        Column("services", gettext_lazy("Services"), "number"),
        Column("spend", gettext_lazy("Charged in 30 days"), "money"),
        Column("available_credit", gettext_lazy("Available credit"), "money"),
        Column("health", gettext_lazy("Health"), show=_health),
        Column("created_at", gettext_lazy("Since"), "ago", sort="created_at"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("edition", gettext_lazy("Edition"), "edition", Edition.choices),
        Choice("status", gettext_lazy("Status"), "status", AccountStatus.choices),
        Choice("shop", gettext_lazy("Storefront's state"), "sites__status", SHOP_STATES),
        Filter("country", gettext_lazy("Country"), "country"),
        Flag("unlimited", gettext_lazy("Unlimited credit"), "credit_unlimited"),
        Period("since", gettext_lazy("Since"), "created_at"),
    )
    search = ("name", "accounting_number", "email")
    sort = "name"
    empty_icon = "users"
    empty_title = gettext_lazy("No resellers yet")
    empty_text = gettext_lazy("Enable reselling on the account of a direct customer, or make a new reseller.")

    def row_url(self, row: Any) -> str:
        """The account with everything that hangs on it."""
        return reverse("bss:account_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """A new reseller."""
        if not self.actor.has(Perm.ACCOUNT_EDIT):
            return []
        url = f"{reverse('bss:account_create')}?kind={AccountKind.RESELLER.value}"
        return [Action(_("New reseller"), url, "plus", "primary")]
