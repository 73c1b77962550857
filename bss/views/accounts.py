"""Accounts: the list, one account with everything that hangs on it."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.selectors import accounts_with_credit
from bss.views.people import may_manage_people
from bss.views.shared import history_of
from catalog.selectors import assigned_price_list, price_list_of
from core.custom_fields import Entity
from core.tenancy import Actor
from orders.selectors import orders_at_work, payer_credit, waits_for
from orders.targets import obstacle
from provisioning.services.kinds import kinds_for
from provisioning.services.stamps import partner_instances
from resellers.enums import AccountKind, AccountStatus, Edition
from resellers.models import Account
from resellers.selectors import accounts_with_rule, contacts_for, managers_for, memberships_for, sub_accounts_of
from subscriptions.selectors import relationship_run, subscriptions_for
from tenants.selectors import is_professional, tenant_of_account
from ui.custom_fields import CustomList
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, DetailPage, Fact
from ui.tables import Column
from users.permissions import Perm
from vendors.selectors import is_known_at_vendor, links_of

ROWS = 10
UPGRADABLE = (Edition.BASIC, Edition.FREE)


def _credit_words(row: Account) -> str:
    if row.bill_to_id:
        return _("of its reseller")
    return _("unlimited") if row.credit_unlimited else ""


def _managers(actor: Actor) -> list[tuple[str, str]]:
    return [(str(row.user.public_id), str(row.user)) for row in managers_for(actor)]


class AccountList(CustomList):
    """All accounts of the organization."""

    entity = Entity.ACCOUNT
    perm = Perm.BSS_VIEW
    title = gettext_lazy("Accounts")
    selector = accounts_with_credit
    columns = (
        Column(
            "name",
            gettext_lazy("Name"),
            "main",
            sort="name",
            sub="accounting_number",
            sub_label=gettext_lazy("Accounting no."),
        ),
        Column(
            "get_kind_display",
            gettext_lazy("Kind"),
            sort="kind",
            sub="get_edition_display",
            sub_label=gettext_lazy("Edition"),
        ),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("bill_to.name", gettext_lazy("Billed to"), sort="bill_to__name"),
        Column("country", gettext_lazy("Country"), sort="country"),
        Column("credit_words", gettext_lazy("Credit"), show=_credit_words),
        Column("available_credit", gettext_lazy("Available credit"), "money"),
        Column("created_at", gettext_lazy("Since"), "ago", sort="created_at"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("kind", gettext_lazy("Kind"), "kind", AccountKind.choices),
        Choice("status", gettext_lazy("Status"), "status", AccountStatus.choices),
        Choice("edition", gettext_lazy("Edition"), "edition", Edition.choices),
        Filter("bill_to", gettext_lazy("Billed to"), "bill_to__name"),
        Filter("country", gettext_lazy("Country"), "country"),
        Choice("manager", gettext_lazy("Account manager"), "account_manager__public_id", _managers),
        Flag("unlimited", gettext_lazy("Unlimited credit"), "credit_unlimited"),
        Period("since", gettext_lazy("Since"), "created_at"),
    )
    search = ("name", "accounting_number", "email", "tax_id", "city")
    sort = "name"
    empty_icon = "building"
    empty_title = gettext_lazy("No accounts yet")
    empty_text = gettext_lazy("Make the first customer or reseller; then invite somebody who may order for it.")

    def row_url(self, row: Any) -> str:
        """The account with everything that hangs on it."""
        return reverse("bss:account_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """A new account."""
        if not self.actor.has(Perm.ACCOUNT_EDIT):
            return []
        return [Action(_("New account"), reverse("bss:account_create"), "plus", "primary")]


class AccountDetail(DetailPage):
    """One account: company, credit, people, prices, vendors, sub accounts, orders, subscriptions, history."""

    perm = Perm.BSS_VIEW
    selector = accounts_with_rule
    back = (gettext_lazy("Accounts"), "bss:account_list")
    facts = (
        Fact("get_kind_display", gettext_lazy("Kind"), sub="get_edition_display"),
        Fact("accounting_number", gettext_lazy("Accounting no.")),
        Fact("email", gettext_lazy("E-mail")),
        Fact("phone", gettext_lazy("Phone")),
        Fact("fax", gettext_lazy("Fax")),
        Fact("website", gettext_lazy("Web site")),
        Fact("trading_name", gettext_lazy("Trading name")),
        Fact("business_activity", gettext_lazy("Business activity")),
        Fact("integration_id", gettext_lazy("Integration ID")),
        Fact("tax_id", gettext_lazy("Tax ID")),
        Fact("address_line1", gettext_lazy("Address"), sub="address_line2"),
        Fact("city", gettext_lazy("City"), show=lambda row: f"{row.postal_code} {row.city}".strip(), sub="state"),
        Fact("country", gettext_lazy("Country")),
        Fact("created_at", gettext_lazy("Since"), "when"),
        Fact("notes", gettext_lazy("Notes")),
    )
    parts = (
        "bss/_account_managed.html",
        "bss/_custom.html",
        "bss/_account_users.html",
        "bss/_account_contacts.html",
        "bss/_account_vendors.html",
        "bss/_account_orders.html",
        "bss/_account_subscriptions.html",
        "bss/_account_sub_accounts.html",
    )
    side = ("bss/_account_access.html", "bss/_account_credit.html", "bss/_account_prices.html", "bss/_history.html")

    def context(self) -> dict[str, Any]:
        """Everything that hangs on the account, a few rows each."""
        row: Account = self.object
        may, is_managed = self._may, self.object.kind == AccountKind.MANAGED_COPY
        return {
            "credit": payer_credit(row),
            "price_list": price_list_of(row),
            "assigned_list": assigned_price_list(self.actor, row),
            "contacts": list(contacts_for(self.actor, row)),
            "memberships": list(memberships_for(self.actor, row)),
            "links": links_of(self.actor, row),
            "sub_accounts": list(sub_accounts_of(self.actor, row)[: ROWS + 1]),
            "orders": [(order, waits_for(order)) for order in orders_at_work(self.actor).filter(account=row)[:ROWS]],
            "subscriptions": list(subscriptions_for(self.actor).filter(account=row)[:ROWS]),
            "rows": ROWS,
            "history": history_of(self.actor, row),
            "may_edit": may(Perm.ACCOUNT_EDIT),
            "may_credit": may(Perm.ACCOUNT_CREDIT) and not row.bill_to_id,
            "may_invite": may_manage_people(self.actor) and self.actor.may(row) and not is_managed,
            "may_set_up": may(Perm.SERVICE_MANAGE),
            "partner_ids": self._partner_ids() if row.is_reseller and may(Perm.ACCOUNT_BILL_TO) else (),
        }

    def actions(self, row: Account) -> list[Action]:
        """Edit, resell, hold, close; by role and state."""
        may = self.actor.has
        found = []
        if may(Perm.ORDER_MANAGE):
            refused = obstacle(row, has_price_list=price_list_of(row) is not None)
            why = str(refused.message) if refused else ""
            found.append(Action(_("Order for this account"), self._url("order"), "basket", "", why))
        if may(Perm.VIEW_AS):
            closed = _("The account is closed.") if row.status == AccountStatus.CLOSED else ""
            found.append(Action(_("View as customer"), self._url("view_as"), "eye", "", closed, only_reads=True))
        if may(Perm.ACCOUNT_EDIT):
            found.append(Action(_("Edit"), self._url("edit"), "edit"))
        if may(Perm.ACCOUNT_EDIT) and row.kind == AccountKind.DIRECT:
            missing = "" if assigned_price_list(self.actor, row) else _("Assign a price list first.")
            found.append(Action(_("Enable reselling"), self._url("reselling"), "users", "", missing))
        found.extend(self._kind_actions(row))
        if may(Perm.ACCOUNT_EDIT) and may(Perm.ORDER_MANAGE) and row.edition in UPGRADABLE:
            found.append(Action(_("Upgrade reseller"), self._url("upgrade"), "arrow-up", "primary"))
        if may(Perm.PROFESSIONAL) and row.kind == AccountKind.RESELLER:
            found += self._professional(row)
        if may(Perm.ACCOUNT_CREDIT) and row.status == AccountStatus.ACTIVE:
            found.append(Action(_("Put on hold"), self._url("hold"), "pause"))
        if may(Perm.ACCOUNT_CREDIT) and row.status == AccountStatus.SUSPENDED:
            found.append(Action(_("Release"), self._url("release"), "play", "primary"))
        if may(Perm.ACCOUNT_BILL_TO) and row.status == AccountStatus.CLOSED:
            found.append(Action(_("Reopen"), self._url("reopen"), "play", "primary"))
        if may(Perm.ACCOUNT_BILL_TO) and row.status != AccountStatus.CLOSED:
            found.append(Action(_("Close"), self._url("close"), "cross", "danger"))
        return found

    def _partner_ids(self) -> list[int]:
        """The instances at which a reseller's MPN ID can be changed everywhere."""
        return [row.pk for row in partner_instances(self.actor)]

    def _kind_actions(self, row: Account) -> list[Action]:
        """Another kind; of an account a vendor knows, the relationship, which is an Administrator's."""
        if row.bill_to_id and is_known_at_vendor(row):
            if not self.actor.has(Perm.ACCOUNT_BILL_TO) or row.kind == AccountKind.MANAGED_COPY:
                return []
            running = relationship_run(row)
            if running is not None:
                address = reverse("bss:stamp_detail", args=[running.public_id])
                return [Action(_("Relationship is changing"), address, "sync", "", only_reads=True)]
            return [Action(_("Change relationship"), self._url("relationship"), "users")]
        kinds = [
            kind
            for kind in kinds_for(self.actor, row)
            if kind != AccountKind.RESELLER or row.kind != AccountKind.DIRECT
        ]
        return [Action(_("Change kind"), self._url("kind"), "users")] if kinds else []

    def _professional(self, row: Account) -> list[Action]:
        """His own organization, or the way to it."""
        tenant = tenant_of_account(self.actor, row)
        if tenant is not None:
            url = reverse("bss:professional_detail", args=[tenant.public_id])
            return [Action(_("Professional"), url, "globe", only_reads=True)]
        if is_professional(self.actor):
            return []
        missing = "" if assigned_price_list(self.actor, row) else _("Assign a price list first.")
        return [Action(_("Make Professional"), self._url("professional"), "globe", "", missing)]

    def _may(self, perm: str) -> bool:
        return self.actor.has(perm) and self.actor.may(self.object)

    def _url(self, name: str) -> str:
        return reverse(f"bss:account_{name}", args=[self.object.public_id])
