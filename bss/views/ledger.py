"""The ledger: what was charged and credited, for what; of everybody or of one account."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import Charge, ChargeKind, ChargeState
from billing.selectors import charges_for
from resellers.models import Account
from resellers.selectors import accounts_for
from ui.filters import Choice, Filter, Period
from ui.pages import ListPage
from ui.tables import Column
from users.permissions import Perm


class ChargeList(ListPage):
    """Charges and credits of the organization, newest first."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Ledger")
    intro = gettext_lazy("Every charge and credit with what it is for; credits are negative.")
    selector = charges_for
    columns = (
        Column(
            "description",
            gettext_lazy("What for"),
            "main",
            sort="description",
            sub="order_number",
            sub_label=gettext_lazy("Order"),
        ),
        Column(
            "account.name",
            gettext_lazy("Account"),
            sort="account__name",
            sub="payer.name",
            sub_label=gettext_lazy("Billed to"),
        ),
        Column("kind", gettext_lazy("Kind"), "status", sort="kind"),
        Column("state", gettext_lazy("State"), "status", sort="state"),
        Column("net", gettext_lazy("Before tax"), "money", sort="net"),
        Column("tax", gettext_lazy("Tax"), "money"),
        Column("gross", gettext_lazy("With tax"), "money", sort="gross"),
        Column("created_at", gettext_lazy("Posted"), "date", sort="created_at"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Filter("account", gettext_lazy("Account"), "account__name"),
        Filter("payer", gettext_lazy("Billed to"), "payer__name"),
        Choice("kind", gettext_lazy("Kind"), "kind", ChargeKind.choices),
        Choice("state", gettext_lazy("State"), "state", ChargeState.choices),
        Period("posted", gettext_lazy("Posted"), "created_at"),
        Filter("subscription", gettext_lazy("Subscription"), "subscription__name"),
        Filter("asset", gettext_lazy("Asset"), "asset__name"),
    )
    search = ("description", "account__name", "payer__name", "order_number")
    empty_icon = "receipt"
    empty_title = gettext_lazy("Nothing was charged yet")
    empty_text = gettext_lazy("A charge appears here as soon as an order is executed.")

    def row_url(self, row: Charge) -> str:
        """The service or licence it is for, if it is for one."""
        if row.asset is not None:
            return reverse("bss:asset_detail", args=[row.asset.public_id])
        return reverse("bss:subscription_detail", args=[row.subscription.public_id]) if row.subscription else ""


class AccountLedger(ChargeList):
    """What one account was charged, or what was charged for it to who pays."""

    intro = gettext_lazy("What was charged or credited for this account, or to it.")

    @cached_property
    def account(self) -> Account:
        """The account of the address."""
        row: Account = self.find(accounts_for(self.actor), self.kwargs["public_id"])
        return row

    def rows(self) -> QuerySet[Any]:
        """The account's own and those it pays."""
        account = self.account
        return super().rows().filter(Q(account=account) | Q(payer=account))

    def page_title(self) -> str:
        """Whose."""
        return _("Ledger of %(name)s") % {"name": self.account.name}

    def crumbs(self) -> list[tuple[str, str]]:
        """The account."""
        account = self.account
        return [
            (_("Accounts"), reverse("bss:account_list")),
            (account.name, reverse("bss:account_detail", args=[account.public_id])),
        ]
