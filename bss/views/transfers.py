"""What of a reseller's is still here, what is there already, and the runs that transfer it (``channel.md`` 5.2)."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bss.views.professional import LIST, ProfessionalAction
from core.jobs import Job
from core.tenancy import Actor
from resellers.enums import AccountStatus, PurchaseMode
from resellers.models import Account
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from tenants.enums import Origin
from tenants.models import ProfessionalTenant
from tenants.selectors import accounts_to_move, moved_accounts, moved_subscriptions, subscriptions_to_move, tenants_for
from tenants.services import transfer
from ui.filters import Choice, Filter
from ui.pages import Action, BulkAction, ListPage
from ui.tables import Column
from users.permissions import Perm


class OfTenant(ListPage):
    """A list of what belongs to one Professional reseller."""

    perm = Perm.PROFESSIONAL
    back = LIST
    other: str = ""
    other_label: Any = ""

    @cached_property
    def tenant(self) -> ProfessionalTenant:
        """The reseller of the address."""
        row: ProfessionalTenant = self.find(tenants_for(self.actor), self.kwargs["public_id"])
        return row

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A choice of rows; of a reseller who is not there, nothing can be chosen."""
        self.find(tenants_for(self.actor), kwargs["public_id"])
        return super().post(request, *args, **kwargs)

    def page_title(self) -> str:
        """Names the reseller."""
        return f"{self.title}: {self.tenant.name}"

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the reseller."""
        return [*super().crumbs(), (self.tenant.name, self.url("detail"))]

    def url(self, name: str) -> str:
        """One of the reseller's addresses."""
        return reverse(f"bss:professional_{name}", args=[self.tenant.public_id])

    def actions(self) -> list[Action]:
        """The other half."""
        return [Action(self.other_label, self.url(self.other), "arrow-right")]


class AccountsToMove(OfTenant):
    """Step 2: customers billed to him that are still ours to manage."""

    title = gettext_lazy("Accounts to transfer")
    intro = gettext_lazy(
        "Company data, contacts and relationship are copied; the account here becomes a managed copy, billed to him."
    )
    columns = (
        Column("name", gettext_lazy("Account"), "main", sort="name", sub="email", sub_label=gettext_lazy("E-mail")),
        Column("get_kind_display", gettext_lazy("Kind"), sort="kind"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("country", gettext_lazy("Country"), sort="country"),
        Column("obstacle", gettext_lazy("In the way"), show=transfer.account_obstacle),
    )
    filters = (
        Choice("status", gettext_lazy("Status"), "status", AccountStatus.choices),
        Filter("country", gettext_lazy("Country"), "country"),
    )
    search = ("name", "email", "city")
    sort = "name"
    empty_icon = "check-circle"
    empty_title = gettext_lazy("Nothing is left to transfer")
    empty_text = gettext_lazy("All his customers are managed in his own organization.")
    other = "customers"
    other_label = gettext_lazy("Transferred accounts")

    def rows(self) -> Any:
        """Those that are left."""
        return accounts_to_move(self.actor, self.tenant)

    def row_url(self, row: Any) -> str:
        """The account."""
        return reverse("bss:account_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Transfer all of them."""
        words = "" if self.rows().exists() else _("Nothing is left to transfer.")
        run = Action(_("Transfer all"), self.url("move_accounts"), "arrow-right", "primary", words)
        return [*super().actions(), run]

    @property
    def bulk_actions(self) -> Any:  # type: ignore[override]
        """Transfer the chosen ones, each by itself."""
        return (BulkAction("move", _("Transfer"), Perm.PROFESSIONAL, self._move),)

    def _move(self, actor: Actor, row: Account) -> None:
        transfer.move_account(actor, self.tenant, row)


class SubscriptionsToMove(OfTenant):
    """Step 3: running services of his managed copies without a counterpart in his organization."""

    title = gettext_lazy("Subscriptions to transfer")
    intro = gettext_lazy(
        "Nothing is told to a vendor. We go on billing him; he bills his customer from the next billing period."
    )
    columns = (
        Column("name", gettext_lazy("Subscription"), "main", sort="name"),
        Column("account.name", gettext_lazy("Account"), sort="account__name"),
        Column("quantity", gettext_lazy("Quantity"), "number", sort="quantity"),
        Column("plan.label", gettext_lazy("Plan")),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("sync_status", gettext_lazy("Synchronization"), "status", sort="sync_status"),
        Column("period_ends_at", gettext_lazy("Next period"), "date", sort="period_ends_at"),
    )
    filters = (
        Choice("status", gettext_lazy("Status"), "status", SubscriptionStatus.choices),
        Filter("account", gettext_lazy("Account"), "account__name"),
    )
    search = ("name", "account__name", "external_id")
    sort = "name"
    empty_icon = "check-circle"
    empty_title = gettext_lazy("Nothing is left to transfer")
    empty_text = gettext_lazy("Transfer his accounts first; their running subscriptions appear here then.")
    other = "services"
    other_label = gettext_lazy("Transferred subscriptions")

    def shown_columns(self) -> Any:
        """What stands in the way depends on his catalogue."""
        return (*self.columns, Column("obstacle", gettext_lazy("In the way"), show=self._obstacle))

    def _obstacle(self, row: Subscription) -> str:
        return transfer.subscription_obstacle(self.tenant, row)

    def rows(self) -> Any:
        """Those that are left."""
        return subscriptions_to_move(self.actor, self.tenant)

    def row_url(self, row: Any) -> str:
        """The subscription."""
        return reverse("bss:subscription_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Transfer all of them."""
        words = "" if self.rows().exists() else _("Nothing is left to transfer.")
        run = Action(_("Transfer all"), self.url("move_subscriptions"), "arrow-right", "primary", words)
        return [*super().actions(), run]

    @property
    def bulk_actions(self) -> Any:  # type: ignore[override]
        """Transfer the chosen ones, each by itself."""
        return (BulkAction("move", _("Transfer"), Perm.PROFESSIONAL, self._move),)

    def _move(self, actor: Actor, row: Subscription) -> None:
        transfer.move_subscription(actor, self.tenant, row)


class MovedAccounts(OfTenant):
    """His managed copies."""

    title = gettext_lazy("Managed copies")
    columns = (
        Column("managed.name", gettext_lazy("Account"), "main", sort="managed__name"),
        Column("get_relationship_display", gettext_lazy("Relationship"), sort="relationship"),
        Column("get_origin_display", gettext_lazy("Origin"), sort="origin"),
        Column("created_at", gettext_lazy("Since"), "when", sort="created_at"),
    )
    filters = (
        Choice("relationship", gettext_lazy("Relationship"), "relationship", PurchaseMode.choices),
        Choice("origin", gettext_lazy("Origin"), "origin", Origin.choices),
    )
    search = ("managed__name", "managed__email")
    sort = "managed__name"
    empty_icon = "building"
    empty_title = gettext_lazy("No managed copies yet")
    other = "accounts"
    other_label = gettext_lazy("Accounts to transfer")

    def rows(self) -> Any:
        """All of them."""
        return moved_accounts(self.actor, self.tenant)

    def row_url(self, row: Any) -> str:
        """The account here."""
        return reverse("bss:account_detail", args=[row.managed.public_id])


class MovedSubscriptions(OfTenant):
    """Services here that stand for one of his."""

    title = gettext_lazy("Managed subscriptions")
    columns = (
        Column("managed.name", gettext_lazy("Subscription"), "main", sort="managed__name"),
        Column("customer.managed.name", gettext_lazy("Account"), sort="customer__managed__name"),
        Column("managed.quantity", gettext_lazy("Quantity"), "number", sort="managed__quantity"),
        Column("managed.get_status_display", gettext_lazy("Status"), sort="managed__status"),
        Column("get_origin_display", gettext_lazy("Origin"), sort="origin"),
        Column("created_at", gettext_lazy("Since"), "when", sort="created_at"),
    )
    filters = (
        Choice("status", gettext_lazy("Status"), "managed__status", SubscriptionStatus.choices),
        Choice("origin", gettext_lazy("Origin"), "origin", Origin.choices),
    )
    search = ("managed__name", "customer__managed__name", "managed__external_id")
    sort = "managed__name"
    empty_icon = "repeat"
    empty_title = gettext_lazy("No managed subscriptions yet")
    other = "subscriptions"
    other_label = gettext_lazy("Subscriptions to transfer")

    def rows(self) -> Any:
        """All of them."""
        return moved_subscriptions(self.actor, self.tenant)

    def row_url(self, row: Any) -> str:
        """The subscription here."""
        return reverse("bss:subscription_detail", args=[row.managed.public_id])


class MoveAll(ProfessionalAction):
    """Transfer everything that is left, as a job."""

    kind: str = ""
    success: ClassVar[Any] = ""

    def perform(self, form: Any) -> Job:
        """Start the run."""
        return transfer.start_transfer(self.actor, tenant=self.object, kind=self.kind)

    def done_url(self, result: Any) -> str:
        """Watch it."""
        return reverse("bss:job_detail", args=[result.public_id])


class MoveAccounts(MoveAll):
    """Step 2 as a whole."""

    title = gettext_lazy("Transfer all accounts")
    submit = gettext_lazy("Transfer")
    kind = transfer.ACCOUNTS

    def consequences(self) -> list[str]:
        """What becomes of each."""
        number = accounts_to_move(self.actor, self.object).count()
        return [
            ngettext(
                "%(n)s account is copied with its contacts into his organization.",
                "%(n)s accounts are copied with their contacts into his organization.",
                number,
            )
            % {"n": number},
            _("Each becomes a managed copy here: its data are changed there, and nobody orders for it here."),
            _("What cannot be transferred is reported and stays as it is. The run can be repeated at any time."),
        ]


class MoveSubscriptions(MoveAll):
    """Step 3 as a whole."""

    title = gettext_lazy("Transfer all subscriptions")
    submit = gettext_lazy("Transfer")
    kind = transfer.SUBSCRIPTIONS

    def consequences(self) -> list[str]:
        """What becomes of each."""
        number = subscriptions_to_move(self.actor, self.object).count()
        return [
            ngettext(
                "%(n)s subscription is copied into his organization; no vendor is told.",
                "%(n)s subscriptions are copied into his organization; no vendor is told.",
                number,
            )
            % {"n": number},
            _("We go on billing him. He bills his customers from the next billing period, at his own prices."),
            _("What cannot be transferred is reported and stays as it is. The run can be repeated at any time."),
        ]
